package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// reading is one way to read a damaged text.
type reading struct {
	text  string // decoded, and what is left when the damage is undone
	query string // raw; what of it is the visitor's query
	drop  bool   // what follows in the path is no part of the address
	lines uint32 // the lines of the table that were used, as bits
}

// ends reports whether the address ends within the text: what follows it is its query, or nothing.
func (r *reading) ends() bool { return r.query != "" || r.drop }

// damage names what was undone; empty when nothing was.
func (r *reading) damage() string {
	var list []string
	for i := range repairs {
		if r.lines&(1<<i) != 0 {
			list = append(list, repairs[i].damage)
		}
	}
	return strings.Join(list, "; ")
}

// Bounds of the search, which only runs for what is nobody's code.
const (
	maxDamaged  = 1024 // bytes of a text
	maxForms    = 8    // rewritings of one text
	maxCuts     = 12   // places at which a text may end
	maxEdges    = 64   // characters at an end
	maxReadings = 600
)

// isUndamaged reports whether nothing in raw can be damage: letters and digits of ASCII, and between them what
// ordinary codes hold.
func isUndamaged(raw string, at place) bool {
	if at != inPath && withoutQuoted(raw) != raw {
		return false
	}
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		if !letter && (i == 0 || i == len(raw)-1 || c != '-' && c != '_' && c != '.') {
			return false
		}
	}
	return true
}

// readings yields the ways to read raw, which stands in at: as it is, then in order of evidence.
func readings(raw string, at place, yield func(reading) bool) {
	if len(raw) > maxDamaged {
		return
	}
	left := maxReadings
	for _, form := range rewritten(reading{text: raw}, at, func(r *repair) func(string) string { return r.raw }) {
		for _, end := range cuts(form) {
			end.text = unescape(end.text)
			for _, text := range rewritten(end, at, func(r *repair) func(string) string { return r.text }) {
				if !stripped(text, at, &left, yield) {
					return
				}
			}
		}
	}
}

// rewritten lists r and what the lines of a kind make of its text, each of what those before it left.
func rewritten(r reading, at place, of func(*repair) func(string) string) []reading {
	list := []reading{r}
	for line := range repairs {
		rewrite := of(&repairs[line])
		if rewrite == nil || !repairs[line].holds(at) {
			continue
		}
		for _, form := range list {
			if text := rewrite(form.text); text != form.text && len(list) < maxForms {
				form.text, form.lines = text, form.lines|1<<line
				list = append(list, form)
			}
		}
	}
	return list
}

func (r *repair) holds(at place) bool { return r.not&at == 0 && (r.only == 0 || r.only&at != 0) }

// cuts lists the places at which a raw text may end, the last one first, and the whole of it.
func cuts(form reading) []reading {
	raw := form.text
	var list []reading
	for i := 0; i < len(raw) && len(list) < maxCuts; {
		r, n, encoded := runeAt(raw, i)
		next, _, _ := runeAt(raw, i+n)
	lines:
		for line := range repairs {
			switch p := &repairs[line]; {
			case p.query != nil && p.query(r):
				if query, ok := queryOf(raw[i+n:], encoded, r == '&' || r == ';'); ok {
					list = append(list, reading{text: raw[:i], query: query, lines: form.lines | 1<<line})
					break lines
				}
			case p.tail != nil && p.tail(r, next):
				list = append(list, reading{text: raw[:i], drop: true, lines: form.lines | 1<<line})
			}
		}
		i += n
	}
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return append(list, form)
}

// queryOf is the query that rest is. After an ampersand it must look like one, since codes hold
// ampersands too; where the separator came encoded, those of the query did as well.
func queryOf(rest string, encoded, pairs bool) (query string, ok bool) {
	if encoded {
		rest = encodedSeparators.Replace(rest)
	}
	for trimmed := true; trimmed; {
		before := len(rest)
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, "amp;"), "amp%3B")
		rest = strings.TrimLeft(rest, "?&;")
		trimmed = len(rest) < before
	}
	first := rest
	if i := strings.IndexAny(rest, "&;"); i >= 0 {
		first = rest[:i]
	}
	if pairs {
		return rest, strings.Contains(first, "=")
	}
	return rest, strings.ContainsFunc(first, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

var encodedSeparators = strings.NewReplacer("%26", "&", "%3D", "=", "%3d", "=", "%25", "%")

// stripped yields r, and r without the characters at its ends that may not belong to it, one after
// another. It returns false when yield does, or when there were too many.
func stripped(r reading, at place, left *int, yield func(reading) bool) bool {
	front := r
	for lead := 0; lead <= maxEdges; lead++ {
		back := front
		for trail := 0; trail <= maxEdges; trail++ {
			if *left--; *left < 0 || !yield(back) {
				return false
			}
			c, n := utf8.DecodeLastRuneInString(back.text)
			line, ok := edgeLine(c, at)
			if n == 0 || !ok {
				break
			}
			back.text, back.lines = back.text[:len(back.text)-n], back.lines|1<<line
			back.drop = back.drop || unicode.In(c, unicode.Ps, unicode.Pi)
		}
		c, n := utf8.DecodeRuneInString(front.text)
		line, ok := edgeLine(c, at|atFront)
		if n == 0 || !ok {
			break
		}
		front.text, front.lines = front.text[n:], front.lines|1<<line
	}
	return true
}

func edgeLine(r rune, at place) (line int, ok bool) {
	if r == utf8.RuneError {
		return 0, false
	}
	for i := range repairs {
		if p := &repairs[i]; p.edge != nil && p.holds(at) && p.edge(r, at) {
			return i, true
		}
	}
	return 0, false
}

// runeAt reads the character at raw[i:], percent-encoded or not, and how many bytes it takes there.
func runeAt(raw string, i int) (r rune, n int, encoded bool) {
	if i >= len(raw) {
		return 0, 0, false
	}
	if raw[i] != '%' {
		r, n = utf8.DecodeRuneInString(raw[i:])
		return r, n, false
	}
	var bytes [utf8.UTFMax]byte
	var ends [utf8.UTFMax]int // where each of the bytes ends
	have := 0
	for j := i; have < len(bytes) && j < len(raw); have++ {
		if raw[j] == '%' && j+2 < len(raw) && unhex(raw[j+1]) >= 0 && unhex(raw[j+2]) >= 0 {
			bytes[have] = byte(unhex(raw[j+1])<<4 | unhex(raw[j+2]))
			j += 3
		} else {
			bytes[have] = raw[j]
			j++
		}
		ends[have] = j - i
	}
	r, n = utf8.DecodeRune(bytes[:have])
	return r, ends[n-1], ends[0] == 3
}

// repaired looks for the one entry that the readings of raw mean, and tells in r how it was read. found
// is false when they mean none; index is none when they mean several, as same says of two.
func repaired(raw string, at place, find func(text string) (int32, bool), same func(a, b int32) int32, r *reading) (
	index int32, found bool) {
	if isUndamaged(raw, at) {
		return 0, false
	}
	readings(raw, at, func(next reading) bool {
		if next.text == "" {
			return true
		}
		switch i, ok := find(next.text); {
		case !ok:
		case !found:
			index, *r, found = i, next, true
		case i != index:
			index = same(index, i)
		}
		return !found || index != none
	})
	return index, found
}
