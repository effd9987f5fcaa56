package sheet

import "strings"

// layout is what a header says about the shape of the rows below it.
type layout struct {
	keys        []string
	secret      []bool // by column
	firstSecret int    // len(keys) for none
}

func newLayout(header []string, kind *Kind) *layout {
	l := &layout{keys: keysOf(header), secret: make([]bool, len(header)), firstSecret: len(header)}
	for i, key := range l.keys {
		if kind.isSecret(key) {
			l.secret[i] = true
			l.firstSecret = min(l.firstSecret, i)
		}
	}
	return l
}

// shape is what a row is before its cells are understood.
type shape uint8

const (
	ordinary shape = iota
	blankRow
	repeatedHeader
	totals
	tooManyCells
)

// Names of the reasons for which rows are skipped here.
const (
	SkippedBlank          = "blank"
	SkippedRepeatedHeader = "repeated_header"
	SkippedTotals         = "totals"
)

func (l *layout) classify(r *record) shape {
	var scratch []byte
	first := -1
	for i := range r.cells {
		if !r.blank(i, &scratch) {
			first = i
			break
		}
	}
	switch {
	case first < 0:
		return blankRow
	case l.repeats(r, first, &scratch):
		return repeatedHeader
	case isTotals(r, first, &scratch):
		return totals
	}
	for i := len(l.keys); i < len(r.cells); i++ {
		if !r.blank(i, &scratch) {
			return tooManyCells
		}
	}
	return ordinary
}

// blank says whether cell i reads as nothing.
func (r *record) blank(i int, scratch *[]byte) bool {
	b, _ := r.raw(i)
	if len(b) == 0 {
		return true
	}
	if c := b[0]; c > '\'' && c < 0x7f && c != '=' {
		return false
	}
	return len(clean(r.cell(i, scratch))) == 0
}

// repeats says whether a row whose first content is in cell first is the header again.
func (l *layout) repeats(r *record, first int, scratch *[]byte) bool {
	if first >= len(l.keys) || !sameKey(r.cell(first, scratch), l.keys[first]) {
		return false
	}
	for i := range max(len(l.keys), len(r.cells)) {
		key, cell := "", []byte(nil)
		if i < len(l.keys) {
			key = l.keys[i]
		}
		if i < len(r.cells) {
			cell = r.cell(i, scratch)
		}
		if !sameKey(cell, key) {
			return false
		}
	}
	return true
}

func sameKey(cell []byte, key string) bool {
	n := 0
	for _, c := range cell {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		} else if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			continue
		}
		if n == len(key) || key[n] != c {
			return false
		}
		n++
	}
	return n == len(key)
}

// isTotals says whether a row's only content is the word and amounts.
func isTotals(r *record, first int, scratch *[]byte) bool {
	isWord := func(i int) bool {
		b, _ := r.raw(i)
		if len(b) == 0 || b[0] > '\'' && b[0] < 0x80 && b[0] != '=' && b[0]|0x20 != 't' && b[0]|0x20 != 'g' {
			return false // neither the word nor anything that is cleaned away from before it
		}
		return !r.blank(i, scratch) && isTotalWord(clean(r.cell(i, scratch)))
	}
	word := first
	for word < len(r.cells) && !isWord(word) { // hardly any row has it: looked for before anything is parsed
		word++
	}
	if word == len(r.cells) {
		return false
	}
	for i := first; i < len(r.cells); i++ {
		if !r.blank(i, scratch) && !isWord(i) && !isAmount(clean(r.cell(i, scratch))) {
			return false
		}
	}
	return true
}

func isTotalWord(b []byte) bool {
	if b[0] != 't' && b[0] != 'T' && b[0] != 'g' && b[0] != 'G' {
		return false
	}
	s := string(b)
	return strings.EqualFold(s, "total") || strings.EqualFold(s, "totals") || strings.EqualFold(s, "grand total")
}
