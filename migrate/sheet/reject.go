package sheet

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Reject is a row that was not loaded, and why. The function handed to [Rows]
// returns one with Reason, Field and Hint; the rest is filled in.
type Reject struct {
	Line   int
	Reason string   // one of the reasons of this package
	Field  string   // the field it is about; empty when it is about the whole row
	Column string   // that field's header as written, or its name when the file has none
	Value  string   // that field's cell, cleaned
	Hint   string   // a sentence: what is wrong and what to do
	Cells  []string // the row as written, secrets blanked
	ID     string   // hash of the cells: the same wherever the row stands unchanged
	Long   bool     // it has more cells than the header: they may have shifted
}

func (r *Reject) Error() string {
	if r.Column == "" {
		return fmt.Sprintf("line %d: %s: %s", r.Line, r.Reason, r.Hint)
	}
	return fmt.Sprintf("line %d, %s %q: %s: %s", r.Line, r.Column, r.Value, r.Reason, r.Hint)
}

// MissingField is the reject for a field that must not be blank.
func MissingField(field string) *Reject {
	return &Reject{Reason: MissingValue, Field: field, Hint: "fill it in; a row without it cannot be loaded"}
}

// Skip is returned by the function handed to [Rows] for a row that is left out
// without anything being wrong with it, such as a duplicate.
type Skip struct{ Reason string }

func (s *Skip) Error() string { return "skipped: " + s.Reason }

// verbatim returns the cells of a row as written, the secret ones blanked: by their
// columns, or all from the first secret column on when cells have shifted.
func (l *layout) verbatim(r *record, shifted bool) []string {
	cells := r.strings()
	for i := range cells {
		if i < len(l.secret) && l.secret[i] || (shifted || r.unclosedQuote) && i >= l.firstSecret && l.firstSecret < len(l.keys) {
			cells[i] = ""
		}
	}
	return cells
}

// rowID is a hash of the cells of a rejected row: the same in its export and, as long as
// nobody mends it, in a file of rejects.
func (f *File) rowID(cells []string) string {
	h, blanks := sha256.New(), 0
	for i, cell := range cells {
		if i < len(f.layout.keys) && isRejectColumn(f.layout.keys[i]) {
			continue
		}
		if cell = Clean(cell); cell == "" {
			blanks++ // those at the end are not there everywhere
			continue
		}
		fmt.Fprintf(h, "%d %q,", blanks, cell)
		blanks = 0
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// headers that [RejectWriter] adds.
const (
	lineHeader   = "carryover_line"
	reasonHeader = "carryover_reason"
	hintHeader   = "carryover_hint"
)

// RawRow is a row of content as it is written.
type RawRow struct {
	Line   int
	Cells  []string // cleaned, in the order of [File.Header], secret ones blank; then those that no header is above
	Origin Origin
}

// Origin says which rejected row of an export a row of a file of rejects was. The zero
// value is of any other row.
type Origin struct {
	Line   int
	Reason string
}

// HoldsRejects reports whether a file is one that a [RejectWriter] wrote, mended or not.
func (f *File) HoldsRejects() bool { return slices.Contains(f.layout.keys, Key(lineHeader)) }

// Content are the cells of a row that are not blank, without those that a [RejectWriter] added.
func (f *File) Content(cells []string) []string {
	var content []string
	for i, cell := range cells {
		if cell != "" && (i >= len(f.layout.keys) || !isRejectColumn(f.layout.keys[i])) {
			content = append(content, cell)
		}
	}
	return content
}

// RawRows reads a file again and hands every row of content to fn.
func (f *File) RawRows(fn func(RawRow) error) error {
	line, reason := slices.Index(f.layout.keys, Key(lineHeader)), slices.Index(f.layout.keys, Key(reasonHeader))
	hand := func(at int, cells []string) error {
		row := RawRow{Line: at, Cells: cells}
		for i := range cells {
			cells[i] = Clean(cells[i])
		}
		if line >= 0 && line < len(cells) && reason >= 0 && reason < len(cells) {
			row.Origin.Line, _ = strconv.Atoi(cells[line])
			row.Origin.Reason = cells[reason]
		}
		return fn(row)
	}
	_, err := f.rows(func(rec *record) error { return hand(rec.line, f.layout.verbatim(rec, false)) },
		func(r *Reject) error { return hand(r.Line, r.Cells) })
	return err
}

// RejectWriter writes rejected rows of one file as a CSV that can be mended and read
// again: the file's own header and cells, then carryover_line, carryover_reason and
// carryover_hint, then cells that no header is above. Of a row that is rejected again,
// carryover_line stays the one of its export.
type RejectWriter struct {
	w     *Writer
	added []bool // by column: written by an earlier RejectWriter
	line  int    // column with the line of the export; -1 for none
	width int
	cells []string
}

// NewRejectWriter writes the header. Flush must be called at the end.
func NewRejectWriter(w io.Writer, f *File) (*RejectWriter, error) {
	rw := &RejectWriter{w: NewWriter(w), added: make([]bool, len(f.Header)), width: len(f.Header)}
	rw.line = slices.Index(f.layout.keys, Key(lineHeader))
	for i, h := range f.Header {
		if rw.added[i] = isRejectColumn(f.layout.keys[i]); !rw.added[i] {
			rw.cells = append(rw.cells, h)
		}
	}
	rw.cells = append(rw.cells, lineHeader, reasonHeader, hintHeader)
	return rw, rw.w.Write(rw.cells...)
}

// Write writes one rejected row.
func (rw *RejectWriter) Write(r *Reject) error {
	rw.cells = rw.cells[:0]
	for i := range rw.width {
		switch {
		case rw.added[i]:
		case i < len(r.Cells):
			rw.cells = append(rw.cells, r.Cells[i])
		default:
			rw.cells = append(rw.cells, "")
		}
	}
	line := r.Line
	if rw.line >= 0 && rw.line < len(r.Cells) {
		if n, err := strconv.Atoi(Clean(r.Cells[rw.line])); err == nil && n > 0 {
			line = n
		}
	}
	rw.cells = append(rw.cells, strconv.Itoa(line), r.Reason, r.Hint)
	if len(r.Cells) > rw.width {
		rw.cells = append(rw.cells, r.Cells[rw.width:]...)
	}
	return rw.w.Write(rw.cells...)
}

// Flush writes what is buffered and returns the first error of any write.
func (rw *RejectWriter) Flush() error { return rw.w.Flush() }
