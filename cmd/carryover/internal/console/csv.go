package console

import (
	"bytes"
	"cmp"
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// Columns of CSV are the JSON names, so that a row is described once: not the csv tags that the
// files of migrate/sheet have, whose columns are a contract of their own.

// field is one that a row has in JSON.
type field struct {
	name  string
	index []int
}

func names(fields []field) []string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = f.name
	}
	return list
}

// fieldsOf are the fields of T in the order in which JSON writes them.
func fieldsOf[T any](names map[string]string) []field {
	list := structFields(reflect.TypeFor[T](), nil)
	for i := range list {
		list[i].name = cmp.Or(names[list[i].name], list[i].name)
	}
	return list
}

func structFields(t reflect.Type, index []int) (list []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(index[:len(index):len(index)], i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch inner := f.Type; {
		case f.Anonymous && name == "":
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			list = append(list, structFields(inner, at)...)
		case f.IsExported() && name != "-":
			if name == "" {
				name = f.Name
			}
			list = append(list, field{name, at})
		}
	}
	return list
}

// cellsOf are the fields of a row as they stand in a CSV.
func cellsOf(row any, fields []field) ([]string, error) {
	v := reflect.ValueOf(row).Elem()
	cells := make([]string, len(fields))
	for i, f := range fields {
		value, err := v.FieldByIndexErr(f.index)
		if err != nil { // in a part that this row does not have
			continue
		}
		if cells[i], err = cell(value); err != nil {
			return nil, err
		}
	}
	return cells, nil
}

// objectOf is a row under the names of its fields.
func objectOf(row any, fields []field) map[string]any {
	v, object := reflect.ValueOf(row).Elem(), make(map[string]any, len(fields))
	for _, f := range fields {
		if value, err := v.FieldByIndexErr(f.index); err == nil {
			object[f.name] = value.Interface()
		}
	}
	return object
}

// cell writes a value as JSON does, but without quotes. A list is written with blanks between
// its values; a list of objects, and an object, as JSON.
func cell(v reflect.Value) (string, error) {
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return "", nil
		}
		return cell(v.Elem())
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		return string(text), err
	}
	switch v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Slice:
		switch v.Type().Elem().Kind() {
		case reflect.String, reflect.Int, reflect.Int32, reflect.Int64:
			list := make([]string, v.Len())
			for i := range list {
				list[i], _ = cell(v.Index(i))
			}
			return strings.Join(list, " "), nil
		}
		if v.Len() == 0 {
			return "", nil
		}
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v.Interface())
	return strings.TrimSuffix(text.String(), "\n"), err
}
