package sheet

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/gocarina/gocsv"
)

// decoder decodes the cells of records into the fields of one row.
type decoder struct {
	fields  []fieldDecoder
	opt     Options
	text    []byte          // of strings that are not remembered, one behind the other
	strings []pendingString // those strings
	scratch []byte
}

type fieldDecoder struct {
	name   string // of the kind's field
	column int
	to     any    // pointer to the field
	order  Order  // of a date
	other  Status // what a word is read as that is no status
	texts  textCache
}

// pendingString is a string field whose text is not a string yet.
type pendingString struct {
	to, slot   *string // slot: where it is remembered; nil: it is not
	start, end int     // in the text of the row
}

// newDecoder decodes records of f into the struct that row points to.
func newDecoder(f *File, row any) (*decoder, error) {
	d := &decoder{opt: f.opt}
	var header []string
	for i, field := range f.kind.Fields {
		if f.columns[i] >= 0 {
			header = append(header, field.Name)
		}
	}
	v := reflect.ValueOf(row).Elem()
	places, err := fieldsUnder(header, v.Type())
	if err != nil {
		return nil, err
	}
	type placed struct {
		fieldDecoder
		place int
	}
	var fields []placed
	for i, name := range header {
		if places[i] < 0 {
			continue
		}
		field := fieldDecoder{name: name, column: f.columns[f.kind.field(name)], to: v.Field(places[i]).Addr().Interface()}
		switch field.to.(type) {
		case *Date:
			n := slices.IndexFunc(f.Dates, func(c DateColumn) bool { return c.Field == name })
			if n < 0 {
				return nil, fmt.Errorf("field %q holds dates, which its kind does not say", name)
			}
			field.order = f.Dates[n].Order
		case *Status:
			field.other = OtherStatus
			if n := slices.IndexFunc(f.Statuses, func(c StatusColumn) bool { return c.Field == name }); n >= 0 {
				field.other = f.Statuses[n].Means
			}
		case *string, *ID, gocsv.TypeUnmarshaller:
		default:
			return nil, fmt.Errorf("field %q cannot be read from a cell: it has no UnmarshalCSV", name)
		}
		fields = append(fields, placed{field, places[i]})
	}
	slices.SortFunc(fields, func(a, b placed) int { return cmp.Compare(a.place, b.place) })
	for _, p := range fields {
		d.fields = append(d.fields, p.fieldDecoder)
	}
	return d, nil
}

// decode fills the row, whose fields are blank, with the cells of one record. It returns
// what is wrong with the first cell that cannot be decoded.
func (d *decoder) decode(r *record) *Reject {
	d.text, d.strings = d.text[:0], d.strings[:0]
	for i := range d.fields {
		f := &d.fields[i]
		var cell []byte
		if f.column < len(r.cells) {
			cell = clean(r.cell(f.column, &d.scratch))
		}
		var err error
		switch to := f.to.(type) {
		case *string:
			if len(cell) == 0 {
				break
			}
			slot := f.texts.slot(cell)
			if slot != nil && *slot == string(cell) {
				*to = *slot
				break
			}
			start := len(d.text)
			d.text = append(d.text, cell...)
			d.strings = append(d.strings, pendingString{to, slot, start, len(d.text)})
		case *ID:
			*to, err = readID(cell)
		case *Date:
			*to, err = readDateCell(string(cell), f.order, d.opt.Location)
		case *Status:
			if *to = readStatus(cell); *to == OtherStatus {
				*to = f.other
			}
		case gocsv.TypeUnmarshaller:
			err = to.UnmarshalCSV(f.texts.text(cell))
		}
		if err != nil {
			return f.reject(err)
		}
	}
	if len(d.strings) == 0 {
		return nil
	}
	text := string(d.text)
	for _, s := range d.strings {
		if *s.to = text[s.start:s.end]; s.slot != nil {
			*s.slot = *s.to
		}
	}
	return nil
}

// reject is the reject for a cell that cannot be decoded.
func (f *fieldDecoder) reject(err error) *Reject {
	var cell *CellError
	if !errors.As(err, &cell) {
		cell = &CellError{Reason: MissingValue, Hint: err.Error()}
	}
	return &Reject{Reason: cell.Reason, Field: f.name, Hint: cell.Hint}
}
