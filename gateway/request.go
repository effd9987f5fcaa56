package gateway

import (
	"net/netip"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/valyala/fasthttp"
)

// Bounds of what is kept of a request, in bytes.
const (
	maxHost      = 255
	maxPath      = 2048
	maxUserAgent = 512
	maxReferrer  = 255
)

// view gives the bytes of a request as a string without copying them. It is good until
// the handler returns; whatever outlives that must be cloned.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// splitTarget cuts a request target in origin form into raw path and raw query. A
// fragment, which no browser sends, is dropped. ok is false for the other forms: the
// absolute form would choose a host past the Host header.
func splitTarget(target string) (path, query string, ok bool) {
	if target == "" || target[0] != '/' {
		return "", "", false
	}
	target, _, _ = strings.Cut(target, "#")
	path, query, _ = strings.Cut(target, "?")
	return path, query, true
}

// targetOf is the raw path and query of a request whose target has been found to be in origin
// form.
func targetOf(ctx *fasthttp.RequestCtx) (path, query string) {
	path, query, _ = splitTarget(view(ctx.Request.Header.RequestURI()))
	return path, query
}

// isBareHost reports whether host is an IP address or localhost, with or without a port:
// somebody tries the gateway before any name leads to it.
func isBareHost(host string) bool {
	if host == "" {
		return false
	}
	if host[0] == '[' {
		inner, rest, ok := strings.Cut(host[1:], "]")
		if !ok || (rest != "" && rest[0] != ':') {
			return false
		}
		_, err := netip.ParseAddr(inner)
		return err == nil
	}
	name, _, _ := strings.Cut(host, ":")
	if strings.EqualFold(name, "localhost") {
		return true
	}
	if name == "" || name[len(name)-1] < '0' || name[len(name)-1] > '9' {
		return false
	}
	_, err := netip.ParseAddr(name)
	return err == nil
}

// printable cuts s to max bytes and percent-encodes what is no printable UTF-8, so that it can
// be stored, shown and exported, and the original bytes are still known. It is s itself when
// there is nothing to change.
func printable(s string, max int) string {
	if len(s) > max {
		s = s[:max]
		for i := 0; i < utf8.UTFMax && len(s) > 0; i++ { // not half a character
			if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n != 1 {
				break
			}
			s = s[:len(s)-1]
		}
	}
	clean := true
	for i := 0; i < len(s) && clean; i++ {
		clean = s[i] >= 0x20 && s[i] < 0x7f
	}
	if clean {
		return s
	}
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s) && b.Len() < max; {
		r, n := utf8.DecodeRuneInString(s[i:])
		if (r == utf8.RuneError && n == 1) || r < 0x20 || (r >= 0x7f && r < 0xa0) {
			for _, c := range []byte(s[i : i+n]) {
				b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
			}
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// originOf is scheme and host of a referrer: the rest may be personal.
func originOf(referrer string) string {
	scheme, rest, ok := strings.Cut(referrer, "://")
	if !ok || scheme == "" || rest == "" {
		return ""
	}
	if i := strings.IndexAny(rest, "/?#\\"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	if rest == "" {
		return ""
	}
	return printable(referrer[:len(scheme)+len("://")]+rest, maxReferrer)
}

// affiliateParams are the names of parameters that carry who sent a visitor, at Keap or at
// FirstPromoter.
var affiliateParams = []string{
	"aff", "affcode", "affiliate", "cookieUUID",
	"fp_ref", "fpr", "via", "ref", "a", "_from", "_by", "deal", "_go", "_get", "fp_sid", "fpc",
}

// paramNames lists which of names are in query, each once, at most 64 of them: names, never
// values, since a query may hold anything.
func paramNames(query string, names []string) string {
	if query == "" {
		return ""
	}
	var seen uint64
	out := ""
	for query != "" {
		var piece string
		piece, query, _ = strings.Cut(query, "&")
		name, _, _ := strings.Cut(piece, "=")
		for i, p := range names {
			if name == p && seen&(1<<i) == 0 {
				seen |= 1 << i
				if out != "" {
					out += ","
				}
				out += p
			}
		}
	}
	return out
}
