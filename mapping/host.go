package mapping

import (
	"strings"
	"unicode/utf8"
)

// hostname is the form in which hosts are compared: lower case, ASCII, without a port and a final dot.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	if !isASCII(host) {
		host = asciiHost(host)
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// asciiHost gives the form of a host, with its port when it has one, in which requests carry it: lower
// case, each label beyond ASCII as "xn--" and its Punycode (RFC 3492), after the characters were put
// together (NFC) and the other dots that browsers take for dots were (UTS 46). It knows none of the
// further mappings of UTS 46: a name that needs one keeps being another host.
func asciiHost(host string) string {
	if isASCII(host) {
		return strings.ToLower(host)
	}
	if !utf8.ValidString(host) {
		return host
	}
	host = otherDots.Replace(compose(decompose(strings.ToLower(host))))
	labels := strings.Split(host, ".")
	for i, label := range labels {
		port := ""
		if j := strings.LastIndexByte(label, ':'); j >= 0 && i == len(labels)-1 {
			label, port = label[:j], label[j:]
		}
		if !isASCII(label) {
			label = "xn--" + punycode(label)
		}
		labels[i] = label + port
	}
	return strings.Join(labels, ".")
}

var otherDots = strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".")

// punycode encodes a label as RFC 3492 does, with the parameters of its section 5.
func punycode(label string) string {
	const base, tMin, tMax, skew, damp, firstBias, firstCode = 36, 1, 26, 38, 700, 72, 128
	runes := []rune(label)
	var out []byte
	for _, r := range runes {
		if r < utf8.RuneSelf {
			out = append(out, byte(r))
		}
	}
	basic := len(out)
	done := basic
	if basic > 0 {
		out = append(out, '-')
	}
	code, delta, bias := rune(firstCode), 0, firstBias
	for done < len(runes) {
		next := rune(utf8.MaxRune)
		for _, r := range runes {
			if r >= code && r < next {
				next = r
			}
		}
		delta += int(next-code) * (done + 1)
		code = next
		for _, r := range runes {
			if r < code {
				delta++
			}
			if r != code {
				continue
			}
			q := delta
			for k := base; ; k += base {
				t := min(max(k-bias, tMin), tMax)
				if q < t {
					break
				}
				out = append(out, punycodeDigit(t+(q-t)%(base-t)))
				q = (q - t) / (base - t)
			}
			out = append(out, punycodeDigit(q))
			if done == basic {
				delta /= damp
			} else {
				delta /= 2
			}
			delta += delta / (done + 1)
			k := 0
			for ; delta > (base-tMin)*tMax/2; k += base {
				delta /= base - tMin
			}
			bias = k + (base-tMin+1)*delta/(delta+skew)
			delta = 0
			done++
		}
		delta++
		code++
	}
	return string(out)
}

func punycodeDigit(d int) byte {
	if d < 26 {
		return byte('a' + d)
	}
	return byte('0' + d - 26)
}
