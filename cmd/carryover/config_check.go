package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"carryover/migrate/keap"
)

// configCheck collects what is wrong with a configuration and knows on which line
// every key stands.
type configCheck struct {
	path  string
	lines map[string]int
	found []error
}

func (c *configCheck) err() error { return errors.Join(c.found...) }

// wrong notes that the value of key (dotted, as in "pages.login") should be what want
// says. A nil value means that the key is missing; "" that it is not repeated.
func (c *configCheck) wrong(key string, value any, want string) {
	at := c.path
	if line := c.line(key); line > 0 {
		at = fmt.Sprintf("%s:%d", c.path, line)
	}
	switch v := value.(type) {
	case nil:
		c.found = append(c.found, fmt.Errorf("%s: %s is missing: it must be %s", at, key, want))
	case string:
		if v == "" {
			c.found = append(c.found, fmt.Errorf("%s: %s must be %s", at, key, want))
			return
		}
		c.found = append(c.found, fmt.Errorf("%s: %s = %q: it must be %s", at, key, v, want))
	default:
		c.found = append(c.found, fmt.Errorf("%s: %s = %v: it must be %s", at, key, v, want))
	}
}

func (c *configCheck) line(key string) int {
	for key != "" {
		if line, ok := c.lines[key]; ok {
			return line
		}
		i := strings.LastIndexByte(key, '.')
		if i < 0 {
			return 0
		}
		key = key[:i]
	}
	return 0
}

func (c *configCheck) required(key, value string) {
	if value == "" {
		c.wrong(key, nil, "set")
	}
}

func (c *configCheck) oneOf(key, value string, options ...string) string {
	if !slices.Contains(options, value) {
		c.wrong(key, value, "one of \""+strings.Join(options, "\", \"")+"\"")
	}
	return value
}

// instant reads a date or a moment. A date means its end: the first instant after it in
// the program's zone.
func (c *configCheck) instant(key string, value any, zone *time.Location, needed bool) time.Time {
	const want = "a date such as \"2023-03-31\" (honoured to its last instant) or a moment such as \"2023-04-01T00:00:00-07:00\" (the first not honoured)"
	switch v := value.(type) {
	case nil:
		if needed {
			c.wrong(key, nil, want)
		}
		return time.Time{}
	case toml.LocalDate:
		return endOfDay(v.Year, time.Month(v.Month), v.Day, zone)
	case time.Time:
		return v.UTC()
	case string:
		if d, err := time.Parse(time.DateOnly, v); err == nil {
			return endOfDay(d.Year(), d.Month(), d.Day(), zone)
		}
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return t.UTC()
		}
	}
	c.wrong(key, value, want)
	return time.Time{}
}

func endOfDay(year int, month time.Month, day int, zone *time.Location) time.Time {
	return time.Date(year, month, day+1, 0, 0, 0, 0, zone).UTC()
}

func (c *configCheck) graceDates(key string, dates map[string]any, zone *time.Location) map[string]time.Time {
	out := map[string]time.Time{}
	for _, code := range slices.Sorted(maps.Keys(dates)) {
		out[code] = c.instant(key+"."+code, dates[code], zone, true)
	}
	return out
}

func (c *configCheck) hosts(key string, hosts []string) []string {
	out := make([]string, 0, len(hosts))
	for _, h := range hosts {
		if h == "" || strings.ContainsAny(h, "/@ \t\\?#%") || strings.Contains(h, "://") {
			c.wrong(key, h, "a host without a scheme or path, such as \"go.carrot.com\"")
		}
		out = append(out, strings.ToLower(h))
	}
	return out
}

func (c *configCheck) names(key string, names []string) {
	for _, n := range names {
		if n == "" || strings.ContainsAny(n, "&=#?%+ ;") {
			c.wrong(key, n, "a plain parameter name such as \"fpr\"")
		}
	}
}

func (c *configCheck) listen(key, address string) {
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		c.wrong(key, address, "an address to listen on, such as \"127.0.0.1:8080\"")
	}
}

func isNetwork(s string) bool {
	if _, err := netip.ParsePrefix(s); err == nil {
		return true
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}

// headers checks the operator's own header names: kind -> header -> field.
func (c *configCheck) headers(headers map[string]map[string]string) map[string]map[string]string {
	for _, kind := range sortedKeys(headers) {
		fields := fieldNames(kind)
		if fields == nil {
			c.wrong("import.headers."+kind, kind, "one of "+strings.Join(keap.KindNames(), ", "))
			continue
		}
		for _, header := range sortedKeys(headers[kind]) {
			if field := headers[kind][header]; !slices.Contains(fields, field) {
				c.wrong("import.headers."+kind+"."+header, field, "one of "+strings.Join(fields, ", "))
			}
		}
	}
	return headers
}

// fieldNames lists the fields that a kind of export has; nil when there is no such kind.
func fieldNames(kind string) []string {
	var names []string
	for _, k := range keap.Kinds() {
		for _, f := range k.Fields {
			if k.Name == kind {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// describeTOML turns go-toml's errors into one line each: file, line, key, and for an
// unknown key the known one that looks most like it.
func describeTOML(path string, err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		var all []error
		for _, e := range strict.Errors {
			line, _ := e.Position()
			key := strings.Join(e.Key(), ".")
			all = append(all, fmt.Errorf("%s:%d: unknown key %s%s", path, line, key, nearestKey(key)))
		}
		return errors.Join(all...)
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		line, column := decode.Position()
		key := ""
		if k := strings.Join(decode.Key(), "."); k != "" {
			key = k + ": "
		}
		return fmt.Errorf("%s:%d:%d: %s%s", path, line, column, key, strings.TrimPrefix(decode.Error(), "toml: "))
	}
	return fmt.Errorf("%s: %w", path, err)
}

// keyLines says on which line every dotted key of the file stands.
func keyLines(text []byte) map[string]int {
	lines := map[string]int{}
	var p unstable.Parser
	p.Reset(text)
	prefix := ""
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
		case unstable.Table, unstable.ArrayTable:
			prefix = key + "."
			lines[key] = line
		case unstable.KeyValue:
			lines[prefix+key] = line
		}
	}
	return lines
}

// nearestKey suggests what an unknown key may have meant.
func nearestKey(key string) string {
	best, bestDistance := "", 4
	for _, known := range knownKeys(reflect.TypeFor[config](), "") {
		if d := distance(key, known); d < bestDistance {
			best, bestDistance = known, d
		}
		if _, last, _ := strings.Cut(known, "."); last == key {
			return fmt.Sprintf(": it belongs under [%s]", known[:strings.IndexByte(known, '.')])
		}
	}
	if best == "" {
		return ": \"carryover init\" shows every key there is"
	}
	return fmt.Sprintf(": did you mean %s?", best)
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

// distance is the number of letters to add, drop or change to make a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
