package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"carryover/cmd/carryover/internal/suggest"
)

// describeTOML turns go-toml's errors into one line each: file, line, key, and what
// would be right. go-toml's own words name Go types.
func describeTOML(path string, text []byte, err error) *Error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		var all []string
		for _, e := range strict.Errors {
			line, _ := e.Position()
			key := strings.Join(e.Key(), ".")
			all = append(all, fmt.Sprintf("%s:%d: unknown key %s%s", path, line, key, nearestKey(key)))
		}
		return &Error{path, all}
	}
	one := func(format string, args ...any) *Error { return &Error{path, []string{fmt.Sprintf(format, args...)}} }
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return one("%s: %v", path, err)
	}
	line, column := decode.Position()
	at := fmt.Sprintf("%s:%d:%d: ", path, line, column)
	key := strings.Join(decode.Key(), ".")
	said := strings.TrimPrefix(decode.Error(), "toml: ")
	switch found, _, wrongType := strings.Cut(strings.TrimPrefix(said, "cannot decode TOML "), " into "); {
	case bytes.IndexByte(text, 0) >= 0:
		return one("%s is not UTF-8 text: save it as UTF-8", path)
	case strings.HasPrefix(said, "cannot decode TOML ") && wrongType:
		return one("%s%s must be %s, and here it is %s", at, key, wantedAt(key), tomlType(found))
	case strings.HasPrefix(said, "cannot store a table"):
		return one("%s%s must be %s, and here it is a table", at, key, wantedAt(key))
	case key != "":
		return one("%s%s: %s; it must be %s", at, key, said, wantedAt(key))
	}
	return one("%s%s; text stands in quotes, dates and hosts too", at, said)
}

// tomlType names a TOML type as the people who write configurations do.
func tomlType(name string) string {
	switch name {
	case "string":
		return "text in quotes"
	case "boolean":
		return "true or false"
	case "integer", "float":
		return "a number"
	case "array":
		return "a list"
	case "table", "inline table":
		return "a table"
	}
	return "a date or time without quotes"
}

// wantedAt says of what type the value of a key must be.
func wantedAt(key string) string {
	t := reflect.TypeFor[file]()
	for part := range strings.SplitSeq(key, ".") {
		switch t.Kind() {
		case reflect.Map:
			t = t.Elem()
			continue
		case reflect.Slice:
			t = t.Elem()
			if next, ok := fieldOf(t, part); t.Kind() == reflect.Struct && ok {
				t = next
				continue
			}
		case reflect.Struct:
			if next, ok := fieldOf(t, part); ok {
				t = next
				continue
			}
		}
		return "written as \"carryover init\" shows it"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false, without quotes"
	case reflect.String:
		return "text in quotes"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return "a list of tables: a line [[" + key + "]] before the keys of each"
		}
		if t.Elem().Kind() == reflect.Int {
			return "a list of numbers such as [10, 15]"
		}
		return "a list of texts such as [\"one\", \"two\"]"
	case reflect.Struct, reflect.Map:
		return "a table: a line [" + key + "] with its keys below it"
	}
	if strings.HasPrefix(key, "terms.") {
		return "written as \"carryover init\" shows it"
	}
	return wantInstant
}

func fieldOf(t reflect.Type, name string) (reflect.Type, bool) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Tag.Get("toml") == name {
			return f.Type, true
		}
	}
	return nil, false
}

// keyLines says on which line every dotted key of the file stands. The keys of a list of
// tables have the number of their table before them, from 1 on.
func keyLines(text []byte) map[string]int {
	lines := map[string]int{}
	var p unstable.Parser
	p.Reset(text)
	prefix, tables := "", map[string]int{}
	for p.NextExpression() {
		e := p.Expression()
		var parts []string
		line := 0
		for it := e.Key(); it.Next(); {
			if line == 0 {
				line = p.Shape(it.Node().Raw).Start.Line
			}
			parts = append(parts, string(it.Node().Data))
		}
		key := strings.Join(parts, ".")
		switch e.Kind {
		case unstable.Table:
			prefix = key + "."
			lines[key] = line
		case unstable.ArrayTable:
			tables[key]++
			prefix = fmt.Sprintf("%s.%d.", key, tables[key])
			lines[strings.TrimSuffix(prefix, ".")] = line
		case unstable.KeyValue:
			lines[prefix+key] = line
		}
	}
	return lines
}

// nearestKey suggests what an unknown key may have meant: a key of the same table that
// is spelled nearly so, the table that it belongs under, or what there is.
func nearestKey(key string) string {
	table, name := "", key
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		table, name = key[:i+1], key[i+1:]
	}
	var siblings []string
	for _, known := range knownKeys(reflect.TypeFor[file](), "") {
		sibling, inTable := strings.CutPrefix(known, table)
		if inTable && !strings.Contains(sibling, ".") {
			siblings = append(siblings, sibling)
		}
	}
	if best := suggest.Nearest(name, siblings); best != "" {
		return fmt.Sprintf(": did you mean %s%s?", table, best)
	}
	for _, known := range knownKeys(reflect.TypeFor[file](), "") {
		if i := strings.LastIndexByte(known, '.'); i >= 0 && known[i+1:] == name {
			return fmt.Sprintf(": it belongs under [%s]", known[:i])
		}
	}
	if table != "" && len(siblings) > 0 {
		return fmt.Sprintf(": [%s] takes %s", strings.TrimSuffix(table, "."), strings.Join(siblings, ", "))
	}
	return ": \"carryover init\" shows every key there is"
}

func knownKeys(t reflect.Type, prefix string) []string {
	var keys []string
	for i := range t.NumField() {
		f := t.Field(i)
		name := prefix + f.Tag.Get("toml")
		keys = append(keys, name)
		if f.Type.Kind() == reflect.Struct {
			keys = append(keys, knownKeys(f.Type, name+".")...)
		}
	}
	return keys
}
