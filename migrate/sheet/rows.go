package sheet

import (
	"errors"
	"fmt"
	"io"
)

// Count is what became of the rows of a file: Rows = Loaded + Rejected + Skipped.
type Count struct {
	Rows, Loaded, Rejected, Skipped int
	SkippedBy                       map[string]int // by reason
}

func (c *Count) skip(reason string) {
	c.Skipped++
	c.SkippedBy[reason]++
}

// Rows reads a probed file again and hands each row to fn as a T: a struct whose
// fields carry the names of the kind's fields as csv tags and are strings, [ID], [Date],
// or of another type with UnmarshalCSV, such as [Status]. Only columns that T asks for
// are decoded; a field without a column keeps its zero value. Cells are decoded in the
// order of T's fields, and the first that cannot be is what a row is rejected for.
//
// There is one row, which fn must not keep. Its strings may be kept; each may hold on to
// the text of its whole row.
//
// fn returns nil (loaded), a [*Reject], a [*Skip], or another error, which ends the
// reading. Rows that cannot be read are rejected without fn seeing them. onReject,
// which may be nil, gets every reject, complete.
func Rows[T any](f *File, fn func(line int, row *T) error, onReject func(*Reject) error) (Count, error) {
	row := new(T)
	d, err := newDecoder(f, row)
	if err != nil {
		return Count{}, fmt.Errorf("read %s: %w", f.Path, err)
	}
	return f.rows(func(rec *record) error {
		var blank T
		*row = blank
		if rej := d.decode(rec); rej != nil {
			return rej
		}
		return fn(rec.line, row)
	}, onReject)
}

// KnowNames tells which names there are of what the rows are about, and in which field they
// stand: a row with one of them is no row of totals, whatever the name is.
func (f *File) KnowNames(field string, known func(name string) bool) {
	if i := f.kind.field(field); i >= 0 && f.columns[i] >= 0 {
		f.layout.name, f.layout.known = f.columns[i], known
	}
}

// rows reads the file again and hands every row of content to fn, which returns what
// became of it.
func (f *File) rows(fn func(*record) error, onReject func(*Reject) error) (Count, error) {
	count := Count{SkippedBy: map[string]int{}}
	r, err := f.source.Open()
	if err != nil {
		return count, fmt.Errorf("open %s: %w", f.Path, err)
	}
	defer r.Close()
	counted := &byteCounter{r: r}
	s, err := f.openRows(counted)
	if err != nil {
		return count, err
	}
	reject := func(rec *record, rej *Reject, shifted bool) error {
		count.Rejected++
		rej.Line, rej.Cells, rej.Long = rec.line, f.layout.verbatim(rec, shifted), shifted
		rej.ID = f.rowID(rej.Cells)
		f.locate(rej)
		if onReject == nil {
			return nil
		}
		return onReject(rej)
	}

	err = s.eachRecord(func(rec *record) error {
		count.Rows++
		switch f.layout.classify(rec) {
		case blankRow:
			count.skip(SkippedBlank)
			return nil
		case headerRow:
			count.skip(SkippedRepeatedHeader)
			return nil
		case totalsRow:
			count.skip(SkippedTotals)
			return nil
		case longRow:
			return reject(rec, &Reject{Reason: TooManyCells, Hint: fmt.Sprintf(
				"the row has %d cells and the header %d; a cell that holds the delimiter must stand in quotes", len(rec.cells), len(f.Header))}, true)
		}
		err := fn(rec)
		if err == nil {
			count.Loaded++
			return nil
		}
		var rej *Reject
		var skip *Skip
		switch {
		case errors.As(err, &rej):
			return reject(rec, rej, false)
		case errors.As(err, &skip):
			count.skip(skip.Reason)
			return nil
		}
		return err
	})
	if err != nil {
		return count, err
	}
	if counted.bytes != f.Bytes {
		return count, fmt.Errorf("%s changed while it was read: run again", f.Path)
	}
	return count, nil
}

// locate fills in the header and the cell of the field that a reject is about.
func (f *File) locate(rej *Reject) {
	if rej.Field == "" {
		return
	}
	rej.Column, rej.Value = rej.Field, ""
	i := f.kind.field(rej.Field)
	if i < 0 || f.columns[i] < 0 {
		return
	}
	column := f.columns[i]
	rej.Column = f.Header[column]
	if column < len(rej.Cells) {
		rej.Value = Clean(rej.Cells[column])
	}
}

// openRows opens the rows below the header.
func (f *File) openRows(r io.Reader) (*scanner, error) {
	_, text, err := readMark(r)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Path, err)
	}
	s := newScanner(f.Path, utf8Reader(text, f.Encoding, f.valid), ',')
	for s.line < f.HeaderLine && err == nil {
		err = s.skipLine()
	}
	for _, d := range delimiters {
		if d.name == f.Delimiter {
			s.delim = d.char
		}
	}
	if err == nil {
		err = s.next()
	}
	if err == io.EOF {
		err = fmt.Errorf("%s changed while it was read: run again", f.Path)
	}
	return s, err
}

// byteCounter counts the bytes of a stream.
type byteCounter struct {
	r     io.Reader
	bytes int64
}

func (c *byteCounter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.bytes += int64(n)
	return n, err
}
