package sheet

import (
	"fmt"
	"reflect"
	"strconv"

	"github.com/gocarina/gocsv"
)

// gocsv converts cell by cell with reflection, which takes several times as long as the rest
// of reading or writing a row, and rows may come in millions. So [Rows] and [Encoder] have
// gocsv match csv tags and columns once, on a struct that has the tags of T and an int in the
// place of every field, and move the cells themselves.

// mirrorOf is struct type t with ints for fields. What gocsv must leave alone has no column.
func mirrorOf(t reflect.Type) reflect.Type {
	fields := make([]reflect.StructField, t.NumField())
	for i := range fields {
		f := t.Field(i)
		fields[i] = reflect.StructField{Name: f.Name, Type: reflect.TypeFor[int](), Tag: f.Tag}
		if !f.IsExported() {
			fields[i].Name, fields[i].Tag = fmt.Sprintf("Unexported%d", i), `csv:"-"`
		}
	}
	return reflect.StructOf(fields)
}

// fieldsUnder returns the index of the field of t that each column of header goes to; -1
// for none.
func fieldsUnder(header []string, t reflect.Type) ([]int, error) {
	numbers, fields := make([]string, len(header)), make([]int, len(header))
	for i := range header {
		numbers[i], fields[i] = strconv.Itoa(i+1), -1
	}
	rows := reflect.New(reflect.SliceOf(mirrorOf(t)))
	if err := gocsv.UnmarshalDecoder(table{header, numbers}, rows.Interface()); err != nil {
		return nil, err
	}
	for i, row := 0, rows.Elem().Index(0); i < row.NumField(); i++ {
		if column := row.Field(i).Int(); column > 0 {
			fields[column-1] = i
		}
	}
	return fields, nil
}

// headerOf returns the columns that t is written under, and the index of the field of each.
func headerOf(t reflect.Type) (header []string, fields []int, err error) {
	rows := reflect.MakeSlice(reflect.SliceOf(mirrorOf(t)), 1, 1)
	for i, row := 0, rows.Index(0); i < row.NumField(); i++ {
		row.Field(i).SetInt(int64(i))
	}
	var out table
	if err := gocsv.MarshalCSV(rows.Interface(), &out); err != nil {
		return nil, nil, err
	}
	fields = make([]int, len(out[0]))
	for i, cell := range out[1] {
		if fields[i], err = strconv.Atoi(cell); err != nil {
			return nil, nil, err
		}
	}
	return out[0], fields, nil
}

// table is a few rows as gocsv reads and writes them.
type table [][]string

func (t table) GetCSVRows() ([][]string, error) { return t, nil }

func (t *table) Write(row []string) error {
	*t = append(*t, append([]string(nil), row...))
	return nil
}

func (*table) Flush() {}

func (*table) Error() error { return nil }
