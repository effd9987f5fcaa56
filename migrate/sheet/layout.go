package sheet

import (
	"bytes"
	"slices"
	"strings"
)

// layout is what a header says about the shape of the rows below it.
type layout struct {
	keys        []string
	secret      []bool // by column
	firstSecret int    // len(keys) for none
	subject     []int  // columns with the id of what a row is about
	name        int    // column with its name, where known tells which there are
	known       func(name string) bool
}

func newLayout(header []string, kind *Kind) *layout {
	l := &layout{keys: headerKeys(header), secret: kind.SecretHeaders.columns(header), firstSecret: len(header)}
	if i := slices.Index(l.secret, true); i >= 0 {
		l.firstSecret = i
	}
	return l
}

// shape is what a row is before its cells are understood.
type shape uint8

const (
	dataRow shape = iota
	blankRow
	headerRow
	totalsRow
	longRow
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
		if !r.isBlank(i, &scratch) {
			first = i
			break
		}
	}
	switch {
	case first < 0:
		return blankRow
	case l.repeatsHeader(r, first, &scratch):
		return headerRow
	case isTotals(r, first, &scratch) && !l.hasSubject(r, &scratch):
		return totalsRow
	}
	for i := len(l.keys); i < len(r.cells); i++ {
		if !r.isBlank(i, &scratch) {
			return longRow
		}
	}
	return dataRow
}

// isBlank says whether cell i reads as nothing.
func (r *record) isBlank(i int, scratch *[]byte) bool {
	b, _ := r.rawCell(i)
	if len(b) == 0 {
		return true
	}
	if c := b[0]; c > '\'' && c < 0x7f && c != '=' {
		return false
	}
	return len(clean(r.cell(i, scratch))) == 0
}

// repeatsHeader says whether a row whose first content is in cell first is the header again.
func (l *layout) repeatsHeader(r *record, first int, scratch *[]byte) bool {
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

// hasSubject says whether a row has an id of what it is about, as no row of totals does:
// a partner may have the code Total.
func (l *layout) hasSubject(r *record, scratch *[]byte) bool {
	if l.known != nil && l.name < len(r.cells) && l.known(string(clean(r.cell(l.name, scratch)))) {
		return true
	}
	return slices.ContainsFunc(l.subject, func(i int) bool {
		if i >= len(r.cells) {
			return false
		}
		cell := clean(r.cell(i, scratch))
		return len(cell) > 0 && len(bytes.Trim(cell, "0123456789")) == 0 && len(bytes.Trim(cell, "0")) > 0
	})
}

// isTotals says whether a row's only content is the word and amounts. Hardly any row is: most are
// given up at their first name, and only one that has the word is read.
func isTotals(r *record, first int, scratch *[]byte) bool {
	all := func(is func(cell []byte) bool) bool {
		for i := first; i < len(r.cells); i++ {
			if !r.isBlank(i, scratch) && !is(clean(r.cell(i, scratch))) {
				return false
			}
		}
		return true
	}
	found := false
	return all(func(cell []byte) bool {
		word := isTotalWord(cell)
		found = found || word
		return word || !isLetter(cell[0]) || !isLetter(cell[len(cell)-1])
	}) && found && all(func(cell []byte) bool { return isTotalWord(cell) || isAmount(cell) })
}

func isTotalWord(b []byte) bool {
	if b[0] != 't' && b[0] != 'T' && b[0] != 'g' && b[0] != 'G' {
		return false
	}
	s := string(b)
	return strings.EqualFold(s, "total") || strings.EqualFold(s, "totals") || strings.EqualFold(s, "grand total")
}
