package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/gocarina/gocsv"
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
// fields carry the names of the kind's fields as csv tags and are strings, [ID],
// [Status] or [Date] (any type that gocsv can fill). Only columns that T asks for
// are decoded; a field without a column keeps its zero value. fn may keep the row.
//
// fn returns nil (loaded), a [*Reject], a [*Skip], or another error, which ends the
// reading. Rows that cannot be read are rejected without fn seeing them. onReject,
// which may be nil, gets every reject, complete.
func Rows[T any](f *File, fn func(line int, row *T) error, onReject func(*Reject) error) (Count, error) {
	feed := newFeed(f, reflect.TypeFor[T]())
	decoder, err := feed.decoder(new(T))
	if err != nil {
		return Count{}, fmt.Errorf("read %s: %w", f.Path, err)
	}
	return feed.rows(func(rec *record) error {
		if rej := feed.load(rec); rej != nil {
			return rej
		}
		value, err := decoder.Read()
		if err != nil {
			if rej := feed.explain(); rej != nil {
				return rej
			}
			return fmt.Errorf("read %s, line %d: %w", f.Path, rec.line, err)
		}
		return fn(rec.line, value.(*T))
	}, onReject)
}

// Stream is [Rows] for exports that have millions of rows, of which reflection would take
// most of the time: every cell is put into its field directly, and there is one row that
// fn must not keep. Its strings may be kept; each holds on to the text of its whole row.
func Stream[T any](f *File, fn func(line int, row *T) error, onReject func(*Reject) error) (Count, error) {
	feed := newFeed(f, reflect.TypeFor[T]())
	row := new(T)
	to := feed.fields(reflect.ValueOf(row).Elem())
	return feed.rows(func(rec *record) error {
		if rej := feed.fill(rec, to); rej != nil {
			return rej
		}
		return fn(rec.line, row)
	}, onReject)
}

// rows reads the file again and hands every row of content to fn, which returns what
// became of it.
func (d *feed) rows(fn func(*record) error, onReject func(*Reject) error) (Count, error) {
	f := d.f
	count := Count{SkippedBy: map[string]int{}}
	r, err := f.source.Open()
	if err != nil {
		return count, fmt.Errorf("open %s: %w", f.Path, err)
	}
	defer r.Close()
	counted := &counter{r: r}
	s, err := f.rescan(counted)
	if err != nil {
		return count, err
	}
	reject := func(rec *record, rej *Reject, shifted bool) error {
		count.Rejected++
		rej.Line, rej.Cells = rec.line, f.layout.verbatim(rec, shifted)
		d.name(rej)
		if onReject == nil {
			return nil
		}
		return onReject(rej)
	}

	err = s.each(func(rec *record) error {
		count.Rows++
		switch f.layout.classify(rec) {
		case blankRow:
			count.skip(SkippedBlank)
			return nil
		case repeatedHeader:
			count.skip(SkippedRepeatedHeader)
			return nil
		case totals:
			count.skip(SkippedTotals)
			return nil
		case tooManyCells:
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

// rescan opens the rows below the header.
func (f *File) rescan(r io.Reader) (*scanner, error) {
	_, text, err := readMark(r)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Path, err)
	}
	s := newScanner(f.Path, decoded(text, f.Encoding, f.valid), ',')
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

// counter counts the bytes of a stream.
type counter struct {
	r     io.Reader
	bytes int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.bytes += int64(n)
	return n, err
}

// feed hands gocsv one record at a time, reduced to the columns that a struct asks
// for and to what their cells read as. gocsv takes a *csv.Reader only, so the feed
// is the stream below one and writes well-formed CSV.
type feed struct {
	f       *File
	columns []feedColumn
	buf     []byte // the record as CSV
	read    int    // how much of buf the csv.Reader has
	ends    []int  // by column: the end of its text
	text    []byte // the cells, one behind the other
	scratch []byte
}

type feedColumn struct {
	field, column int
	date          *DateColumn
	check         func(string) error // reads the cell as gocsv will; nil when it cannot fail
}

func newFeed(f *File, t reflect.Type) *feed {
	feed := &feed{f: f}
	for i, field := range f.kind.Fields {
		if f.columns[i] < 0 {
			continue
		}
		for n := 0; t.Kind() == reflect.Struct && n < t.NumField(); n++ {
			if t.Field(n).Tag.Get("csv") != field.Name {
				continue
			}
			c := feedColumn{field: i, column: f.columns[i], check: checkOf(t.Field(n).Type)}
			for d := range f.Dates {
				if f.Dates[d].Field == field.Name {
					c.date = &f.Dates[d]
				}
			}
			feed.columns = append(feed.columns, c)
		}
	}
	return feed
}

func checkOf(t reflect.Type) func(string) error {
	if !reflect.PointerTo(t).Implements(reflect.TypeFor[gocsv.TypeUnmarshaller]()) {
		return nil
	}
	return func(s string) error {
		return reflect.New(t).Interface().(gocsv.TypeUnmarshaller).UnmarshalCSV(s)
	}
}

// decoder feeds gocsv the header: the names of the fields.
func (d *feed) decoder(out any) (*gocsv.Unmarshaller, error) {
	for i, c := range d.columns {
		if i > 0 {
			d.buf = append(d.buf, ',')
		}
		d.buf = appendCell(d.buf, []byte(d.f.kind.Fields[c.field].Name))
	}
	d.buf = append(d.buf, '\n')
	r := csv.NewReader(d)
	r.ReuseRecord = true
	r.FieldsPerRecord = -1
	return gocsv.NewUnmarshaller(r, out)
}

func (d *feed) Read(p []byte) (int, error) {
	if d.read == len(d.buf) {
		return 0, io.EOF
	}
	n := copy(p, d.buf[d.read:])
	d.read += n
	return n, nil
}

// load prepares one record. A date that cannot be read is a reject.
func (d *feed) load(r *record) *Reject {
	d.buf, d.read, d.text, d.ends = d.buf[:0], 0, d.text[:0], d.ends[:0]
	for i := range d.columns {
		c := &d.columns[i]
		start := len(d.text)
		if c.column < len(r.cells) {
			d.text = append(d.text, clean(r.cell(c.column, &d.scratch))...)
		}
		if c.date != nil {
			t, kind, err := ParseDate(string(d.text[start:]), c.date.Order, d.f.opt.Location)
			if err != nil {
				return d.reject(c, err)
			}
			d.text = appendDate(d.text[:start], t, kind)
		}
		d.ends = append(d.ends, len(d.text))
		if i > 0 {
			d.buf = append(d.buf, ',')
		}
		d.buf = appendCell(d.buf, d.text[start:])
	}
	d.buf = append(d.buf, '\n')
	return nil
}

// fields are the fields of a row that the columns go to, as pointers.
func (d *feed) fields(row reflect.Value) []any {
	to := make([]any, len(d.columns))
	for i, c := range d.columns {
		for n := range row.NumField() {
			if row.Type().Field(n).Tag.Get("csv") == d.f.kind.Fields[c.field].Name {
				to[i] = row.Field(n).Addr().Interface()
			}
		}
	}
	return to
}

// fill puts the cells of one record into the fields.
func (d *feed) fill(r *record, to []any) *Reject {
	d.text, d.ends = d.text[:0], d.ends[:0]
	for i := range d.columns {
		if c := d.columns[i].column; c < len(r.cells) {
			d.text = append(d.text, clean(r.cell(c, &d.scratch))...)
		}
		d.ends = append(d.ends, len(d.text))
	}
	text := string(d.text)
	start := 0
	for i := range d.columns {
		c := &d.columns[i]
		cell := text[start:d.ends[i]]
		start = d.ends[i]
		var err error
		switch field := to[i].(type) {
		case *string:
			*field = cell
		case *Date:
			var kind DateKind
			if field.Time, kind, err = ParseDate(cell, c.date.Order, d.f.opt.Location); err == nil {
				field.Time, field.Clock, field.Valid = field.Time.UTC(), kind == DateTime, kind != NoDate
			}
		case gocsv.TypeUnmarshaller:
			err = field.UnmarshalCSV(cell)
		}
		if err != nil {
			return d.reject(c, err)
		}
	}
	return nil
}

// explain finds the cell that gocsv could not take: it keeps no error of ours.
func (d *feed) explain() *Reject {
	start := 0
	for i := range d.columns {
		c := &d.columns[i]
		text := d.text[start:d.ends[i]]
		start = d.ends[i]
		if c.check != nil {
			if err := c.check(string(text)); err != nil {
				return d.reject(c, err)
			}
		}
	}
	return nil
}

func (d *feed) reject(c *feedColumn, err error) *Reject {
	var cell *CellError
	if !errors.As(err, &cell) {
		cell = &CellError{Reason: MissingValue, Hint: err.Error()}
	}
	return &Reject{Reason: cell.Reason, Field: d.f.kind.Fields[c.field].Name, Hint: cell.Hint}
}

// name fills in the header and the cell of the field that a reject is about.
func (d *feed) name(rej *Reject) {
	if rej.Field == "" {
		return
	}
	rej.Column, rej.Value = rej.Field, ""
	i := d.f.kind.field(rej.Field)
	if i < 0 || d.f.columns[i] < 0 {
		return
	}
	column := d.f.columns[i]
	rej.Column = d.f.Header[column]
	if column < len(rej.Cells) {
		rej.Value = Clean(rej.Cells[column])
	}
}

// appendCell writes a cell so that csv.Reader gives back the same bytes.
func appendCell(b, cell []byte) []byte {
	if len(cell) > 0 && bytes.IndexByte(cell, '"') < 0 && bytes.IndexByte(cell, ',') < 0 && bytes.IndexByte(cell, '\n') < 0 && bytes.IndexByte(cell, '\r') < 0 {
		return append(b, cell...)
	}
	b = append(b, '"')
	for i, c := range cell {
		switch {
		case c == '"':
			b = append(b, '"')
		case c == '\r' && i+1 < len(cell) && cell[i+1] == '\n':
			b = append(b, '\r') // csv.Reader takes one CR away before each LF
		}
		b = append(b, c)
	}
	return append(b, '"')
}
