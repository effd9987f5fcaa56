package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ParseURL reads a URL that a person pasted: any scheme or none, with or without the
// blanks, quotes and brackets around it. It never fails: what is no URL of ours has a
// host that nobody serves. A path alone ("/go/…") is taken as one on our own host.
func ParseURL(raw string) Request {
	s := unwrap(raw)
	if strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") {
		return ParseTarget("", s)
	}
	if i := strings.Index(s, "://"); i >= 0 && isScheme(s[:i]) {
		s = s[i+len("://"):]
	} else if rest, ok := cutScheme(s); ok {
		s = strings.TrimLeft(rest, `/\`)
	} else {
		s = strings.TrimPrefix(s, "//")
	}
	authority, target := s, ""
	if i := strings.IndexAny(s, `/?#\`); i >= 0 {
		authority, target = s[:i], s[i:]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	if authority == "" {
		authority = "?" // no host at all is nobody's
	}
	return ParseTarget(dropInvisible(authority), target)
}

// unwrap takes away what stands around a URL in a text: before it blanks, quotes and brackets of any
// script, and invisible characters; behind it the partner of what stood before. What else is
// behind it the gateway would see too, and stays.
func unwrap(raw string) string {
	s := strings.TrimRightFunc(raw, func(r rune) bool { return r <= ' ' })
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		closing := wrappers[r]
		if closing == "" && !isInvisible(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Z, r) {
			break
		}
		s = strings.TrimSuffix(s[n:], closing)
	}
	return s
}

// wrappers are the quotes and brackets that stand before an address, with those that end them.
var wrappers = map[rune]string{
	'<': ">", '"': `"`, '\'': "'", '(': ")", '[': "]", '{': "}", '`': "`", '“': "”", '„': "“", '‘': "’", '‚': "‘", '«': "»", '»': "«", '‹': "›", '›': "‹",
	'「': "」", '『': "』", '（': "）", '【': "】", '《': "》", '〈': "〉", '［': "］", '＜': "＞", '*': "*", '_': "_",
}

// ParseTarget makes a request of a Host header and the target of a request line, raw
// as they came.
func ParseTarget(host, target string) Request {
	if i := strings.IndexByte(target, '#'); i >= 0 {
		target = target[:i] // a fragment never reaches a server; a forged one must not either
	}
	path, query, _ := strings.Cut(target, "?")
	return Request{Host: host, Path: path, Query: query}
}

// cutScheme takes http: or https: away where one slash, or backslashes, follow it: browsers take
// them for two slashes (WHATWG URL, special authority slashes).
func cutScheme(s string) (rest string, ok bool) {
	for _, scheme := range [...]string{"https:", "http:"} {
		if rest, ok = cutPrefixFold(s, scheme); ok {
			return rest, true
		}
	}
	return s, false
}

func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z' || i > 0 && ('0' <= c && c <= '9' || strings.IndexByte("+-.", s[i]) >= 0)) {
			return false
		}
	}
	return s != ""
}

// OldLink is the tracking link that Keap gave to a partner: the first legacy host,
// the link's code, the partner's code, escaped.
func (p *Policy) OldLink(link, code string) string {
	b := p.ownBase("/go/")
	b = append(appendEscaped(b, link), '/')
	return string(appendEscaped(b, code))
}

// NewLink is the link that takes its place and never expires.
func (p *Policy) NewLink(token, link string) string {
	b := appendEscaped(p.ownBase("/r/"), token)
	if link != "" {
		b = appendEscaped(append(b, '/'), link)
	}
	return string(b)
}

// OwnLink is a path of the program's own on the first legacy host.
func (p *Policy) OwnLink(path string) string {
	b := p.ownBase("")
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c >= 0x7F {
			b = appendEscaped(b, path[i:i+1])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}

func (p *Policy) ownBase(path string) []byte {
	b := append(make([]byte, 0, 96), "https://"...)
	if len(p.LegacyHosts) > 0 {
		b = append(b, p.LegacyHosts[0]...)
	}
	return append(b, path...)
}
