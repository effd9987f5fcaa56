package sheet

import (
	"fmt"
	"io"
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

// RejectWriter writes rejected rows of one file as a CSV that can be mended and read
// again: the file's own header and cells, then carryover_line, carryover_reason and
// carryover_hint, then cells that no header is above.
type RejectWriter struct {
	w     *Writer
	added []bool // by column: written by an earlier RejectWriter
	width int
	cells []string
}

// NewRejectWriter writes the header. Flush must be called at the end.
func NewRejectWriter(w io.Writer, f *File) (*RejectWriter, error) {
	rw := &RejectWriter{w: NewWriter(w), added: make([]bool, len(f.Header)), width: len(f.Header)}
	for i, h := range f.Header {
		if rw.added[i] = isRejectColumn(f.layout.keys[i]); !rw.added[i] {
			rw.cells = append(rw.cells, h)
		}
	}
	rw.cells = append(rw.cells, "carryover_line", "carryover_reason", "carryover_hint")
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
	rw.cells = append(rw.cells, strconv.Itoa(r.Line), r.Reason, r.Hint)
	if len(r.Cells) > rw.width {
		rw.cells = append(rw.cells, r.Cells[rw.width:]...)
	}
	return rw.w.Write(rw.cells...)
}

// Flush writes what is buffered and returns the first error of any write.
func (rw *RejectWriter) Flush() error { return rw.w.Flush() }
