package sheet

import (
	"fmt"
	"reflect"
	"strconv"

	"github.com/gocarina/gocsv"
)

// Write writes rows under a header. T is a struct: its columns are its csv tags, in the
// order of its fields, and csv:"-" is none. A cell is a string, a number, a bool (true or
// false), or of a type with MarshalCSV or MarshalText; a nil pointer is blank. Any other
// struct is a group of columns, whose names stand behind its own and a dot.
func Write[T any](w *Writer, rows []T) error {
	if err := gocsv.MarshalCSV(rows, gocsvWriter{w}); err != nil {
		return err
	}
	return w.Flush()
}

// WriteHeadless is [Write] for files that have no header.
func WriteHeadless[T any](w *Writer, rows []T) error {
	if err := gocsv.MarshalCSVWithoutHeaders(rows, gocsvWriter{w}); err != nil {
		return err
	}
	return w.Flush()
}

// gocsvWriter is a [Writer] as gocsv takes one.
type gocsvWriter struct{ *Writer }

func (g gocsvWriter) Write(cells []string) error { return g.Writer.Write(cells...) }

func (g gocsvWriter) Flush() { g.w.Flush() }

func (g gocsvWriter) Error() error { return g.w.Error() }

// Encoder is [Write] for rows that come one by one, of which there may be millions. Their
// fields are strings, int64s, bools, or have MarshalCSV.
type Encoder[T any] struct {
	w      *Writer
	row    *T    // the one that is written
	fields []any // pointers to its fields, by column
	header []string
	cells  []string
	err    error // T has a field that is no cell
}

// NewEncoder writes to w. Flush must be called at the end, also after no row at all.
func NewEncoder[T any](w *Writer) *Encoder[T] {
	e := &Encoder[T]{w: w, row: new(T)}
	var fields []int
	if e.header, fields, e.err = headerOf(reflect.TypeFor[T]()); e.err != nil {
		return e
	}
	e.fields, e.cells = make([]any, len(fields)), make([]string, len(fields))
	row := reflect.ValueOf(e.row).Elem()
	for i, n := range fields {
		e.fields[i] = row.Field(n).Addr().Interface()
		switch e.fields[i].(type) {
		case *string, *int64, *bool, gocsv.TypeMarshaller:
		default:
			e.err = fmt.Errorf("column %q of %s cannot be written: %s is no cell", e.header[i], row.Type(), row.Field(n).Type())
		}
	}
	return e
}

// Encode writes one row, and the header before the first.
func (e *Encoder[T]) Encode(row T) error {
	if err := e.writeHeader(); err != nil {
		return err
	}
	*e.row = row
	for i, field := range e.fields {
		switch field := field.(type) {
		case *string:
			e.cells[i] = *field
		case *int64:
			e.cells[i] = strconv.FormatInt(*field, 10)
		case *bool:
			e.cells[i] = strconv.FormatBool(*field)
		case gocsv.TypeMarshaller:
			var err error
			if e.cells[i], err = field.MarshalCSV(); err != nil {
				return err
			}
		}
	}
	return e.w.Write(e.cells...)
}

func (e *Encoder[T]) writeHeader() error {
	if e.err != nil || e.header == nil {
		return e.err
	}
	header := e.header
	e.header = nil
	return e.w.Write(header...)
}

// Flush writes what is buffered and returns the first error of any write.
func (e *Encoder[T]) Flush() error {
	if err := e.writeHeader(); err != nil {
		return err
	}
	return e.w.Flush()
}
