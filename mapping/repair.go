package mapping

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// repair is a line of the table of repairs: one kind of damage that addresses come with, and how it
// is undone. Exactly one of raw, query, tail, text and edge is set.
type repair struct {
	damage string // as the reasons of a decision tell it
	source string // where people report it, or the rule that does it

	raw   func(raw string) string     // rewrites text that is still percent-encoded
	query func(r rune) bool           // stands where the query begins; what follows is the visitor's query
	tail  func(r, next rune) bool     // begins what is no part of the address; what follows goes
	text  func(text string) string    // rewrites decoded text
	edge  func(r rune, at place) bool // stands before or behind what was meant

	only place // the line holds in such a place alone
	not  place // the line does not hold there
}

// place is where a damaged text stands.
type place uint8

const (
	inPath  place = 1 << iota // a segment of a path: a code, a token
	inValue                   // the value of a parameter that holds a code
	inID                      // the value of a parameter that holds a number
	atFront                   // for edge: the character stands before the rest, not behind it
)

// repairs is everything that is undone after the exact reading failed, in order of evidence: within
// a kind the first line is tried first. A repair only takes away or puts back what a mail client, an
// editor, a keyboard or another program did; what is left must be somebody's code as it is, and
// when two readings mean two promoters nobody is credited. Two further kinds are undone elsewhere:
// letter case and the forms of Unicode when codes are compared (foldKey), slashes in withSlashes.
var repairs = [...]repair{
	{damage: "quoted-printable left 3D behind the equals sign", source: "https://github.com/gophish/gophish/issues/2474",
		raw: withoutQuoted, only: inValue | inID},
	{damage: "character references of HTML", source: "https://github.com/vezaynk/Sitemap-Generator-Crawler/issues/23",
		raw: withoutReferences},
	{damage: "percent-encoded twice", source: "https://github.com/dailydotdev/daily-api/pull/3293",
		raw: withoutDoubleEscapes},
	{damage: "a line that quoted-printable broke", source: "https://www.rfc-editor.org/rfc/rfc2045#section-6.7", raw: softBreaks.Replace},
	{damage: "quoted-printable escapes", source: "https://github.com/datawookie/emayili/issues/21",
		raw: func(raw string) string { return replaceEscapes(raw, "=") }},
	{damage: "escapes of JSON", source: "https://pkg.go.dev/encoding/json#HTMLEscape",
		raw: func(raw string) string { return replaceEscapes(replaceEscapes(raw, `\u00`), "%5Cu00") }},

	{damage: "a query that begins with & or ; instead of ?", source: "https://github.com/strangerstudios/pmpro-affiliates/issues/31",
		query: func(r rune) bool { return r == '&' || r == ';' }},
	{damage: "a question mark that came encoded, or a second one", source: "https://github.com/aws-amplify/docs/issues/4729 and " +
		"https://github.com/warfare-plugins/social-warfare/issues/64",
		query: func(r rune) bool { return r == '?' || r == '？' }},

	{damage: "markup behind the address", source: "https://github.com/sirthias/pegdown/issues/101 and " +
		"https://github.com/ltworf/localslackirc/issues/149",
		tail: func(r, next rune) bool { return strings.ContainsRune("<>|\"`{}", r) || r == ']' && next == '(' }},
	{damage: "a fragment that came encoded", source: "https://github.com/researchstudio-sat/webofneeds/issues/2552",
		tail: func(r, _ rune) bool { return r == '#' }},
	{damage: "full-width punctuation and the text behind it", source: "https://github.com/markdown-it/linkify-it/issues/15",
		tail: func(r, _ rune) bool { return isWidePunct(r) }},

	{damage: "invisible and direction characters", source: "https://github.com/mozilla-mobile/fenix/issues/26194 and " +
		"https://github.com/pachli/pachli-android/issues/2415",
		text: dropInvisible},
	{damage: "a line that quoted-printable broke, whose end the browser has dropped",
		source: "https://url.spec.whatwg.org/#concept-basic-url-parser",
		text:   func(text string) string { return strings.ReplaceAll(text, "=", "") }, not: inID},
	{damage: "full-width letters", source: "https://github.com/sporkmonger/addressable/issues/375",
		text: func(text string) string { return strings.Map(narrow, text) }},
	{damage: "UTF-8 that was read as Windows-1252", source: "https://github.com/mojomojo/mojomojo/issues/63",
		text: fromMojibake},
	{damage: "Windows-1252 instead of UTF-8", source: "https://github.com/mojolicious/mojo/issues/417",
		text: fromWindows1252},
	{damage: "plus signs for blanks", source: "https://github.com/caddyserver/caddy/issues/655",
		text: func(text string) string { return strings.ReplaceAll(text, "+", " ") }, not: inID},

	{damage: "punctuation, quotes or brackets of the text around", source: "https://github.com/github/cmark-gfm/issues/297 and " +
		"https://github.com/markdown-it/linkify-it/issues/116",
		edge: func(r rune, at place) bool {
			if at == atFront|inID { // -42 is no 42
				return unicode.In(r, unicode.Ps, unicode.Pi, unicode.Pf) || r == '"' || r == '\''
			}
			return unicode.IsPunct(r)
		}},
	{damage: "blanks", source: "https://github.com/themesberg/flowbite/pull/118",
		edge: func(r rune, at place) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Z, r) }},
	{damage: "signs of markup or of quoted-printable", source: "https://github.github.com/gfm/#autolinks-extension- and " +
		"https://www.rfc-editor.org/rfc/rfc2045#section-6.7",
		edge: func(r rune, at place) bool { return at != atFront|inID && strings.ContainsRune("=<>|~^`+$", r) }},
	{damage: "emoji", source: "https://github.com/twitter/twitter-text/issues/36",
		edge: func(r rune, at place) bool {
			return r > unicode.MaxLatin1 && unicode.In(r, unicode.So, unicode.Sk, unicode.Me) && at != atFront|inID
		}},
}

// isInvisible reports whether r shows nothing: joiners, directions, soft hyphens, tags, selectors
// of variants, fillers and control characters.
func isInvisible(r rune) bool {
	switch {
	case r < ' ' || r == 0x7F:
		return true
	case r < 0x80:
		return false
	case unicode.In(r, unicode.Cf, unicode.Cc, unicode.Variation_Selector, unicode.Zl, unicode.Zp):
		return true
	}
	switch r {
	case 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0xFFFC:
		return true
	}
	return false
}

func dropInvisible(s string) string {
	if strings.IndexFunc(s, isInvisible) < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !isInvisible(r) {
			b = append(b, s[i:i+n]...) // bytes that are no UTF-8 stay as they are
		}
		i += n
	}
	return string(b)
}

// isWidePunct reports whether r is punctuation of East Asian text, which follows an address without
// a blank.
func isWidePunct(r rune) bool {
	return (r >= 0x3000 && r <= 0x303F || r >= 0xFE30 && r <= 0xFE4F || r >= 0xFF00 && r <= 0xFFEF) && (unicode.IsPunct(r) || r == 0x3000)
}

// narrow is the ordinary form of a full-width letter, digit or sign.
func narrow(r rune) rune {
	switch {
	case r >= 0xFF01 && r <= 0xFF5E:
		return r - 0xFEE0
	case r == 0x3000:
		return ' '
	}
	return r
}

// withoutQuoted takes away the "3D" that quoted-printable mail leaves after "=".
func withoutQuoted(value string) string {
	if len(value) >= 2 && value[0] == '3' && value[1]|0x20 == 'd' {
		return value[2:]
	}
	return value
}

// softBreaks are the line breaks of quoted-printable that are none: "=" at the end of a line.
var softBreaks = strings.NewReplacer("=%0D%0A", "", "=%0d%0a", "", "%3D%0D%0A", "", "%3d%0d%0a", "",
	"=%0A", "", "=%0a", "", "%3D%0A", "", "%3d%0a", "",
	"=\r\n", "", "=\n", "")

// withoutReferences undoes "&amp;" and its like, raw or percent-encoded.
func withoutReferences(raw string) string {
	if !strings.Contains(raw, ";") && !strings.Contains(raw, "%3") {
		return raw
	}
	plain := raw
	for _, pair := range [...][2]string{{"%26", "&"}, {"%3B", ";"}, {"%3b", ";"}, {"%23", "#"}} {
		plain = strings.ReplaceAll(plain, pair[0], pair[1])
	}
	text := html.UnescapeString(plain)
	for range 2 { // "&amp;amp;": some do it again and again
		text = html.UnescapeString(text)
	}
	if text == plain {
		return raw
	}
	return text
}

// withoutDoubleEscapes undoes "%2541", and what was encoded again and again.
func withoutDoubleEscapes(raw string) string {
	for range 3 {
		raw = replaceEscapes(raw, "%25")
	}
	return raw
}

// replaceEscapes makes percent-encoding of every sign that two hex digits follow.
func replaceEscapes(raw, sign string) string {
	rest := raw
	var b strings.Builder
	for {
		i := strings.Index(rest, sign)
		if i < 0 {
			break
		}
		b.WriteString(rest[:i])
		rest = rest[i+len(sign):]
		if len(rest) >= 2 && unhex(rest[0]) >= 0 && unhex(rest[1]) >= 0 {
			b.WriteByte('%')
		} else {
			b.WriteString(sign)
		}
	}
	if b.Len() == 0 {
		return raw
	}
	b.WriteString(rest)
	return b.String()
}

// windows1252 are the characters of the bytes 0x80 to 0x9F; those that it leaves free are the
// control characters of Latin-1.
var windows1252 = [32]rune{
	'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8D, 'Ž', 0x8F,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9D, 'ž', 'Ÿ',
}

// fromMojibake reads text again whose UTF-8 was taken for Windows-1252; s when it was not.
func fromMojibake(s string) string {
	if isASCII(s) || !utf8.ValidString(s) {
		return s
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xFF {
			i := 0
			for i < len(windows1252) && windows1252[i] != r {
				i++
			}
			if i == len(windows1252) {
				return s
			}
			r = rune(0x80 + i)
		}
		b = append(b, byte(r))
	}
	if !utf8.Valid(b) {
		return s
	}
	return string(b)
}

// fromWindows1252 reads bytes that are no UTF-8; s when they are.
func fromWindows1252(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 0x80 && c < 0xA0 {
			b.WriteRune(windows1252[c-0x80])
		} else {
			b.WriteRune(rune(c))
		}
	}
	return b.String()
}

// withSlashes is a path in which slashes that came encoded, or as backslashes, are slashes; from
// where a query seems to begin nothing is changed.
func withSlashes(path string) string {
	end := len(path)
	for i := range len(path) {
		if c := path[i]; c == '&' || c == ';' || c == '?' ||
			hasPrefixFold(path[i:], "%3F") || hasPrefixFold(path[i:], "%26") {
			end = i
			break
		}
	}
	head := path[:end]
	if strings.IndexByte(head, '\\') < 0 && !strings.Contains(head, "%2") && !strings.Contains(head, "%5") {
		return path
	}
	return otherSlashes.Replace(head) + path[end:]
}

var otherSlashes = strings.NewReplacer(`\`, "/", "%2F", "/", "%2f", "/", "%5C", "/", "%5c", "/",
	"%252F", "/", "%252f", "/", "%255C", "/", "%255c", "/")

func hasPrefixFold(s, prefix string) bool {
	_, ok := cutPrefixFold(s, prefix)
	return ok
}
