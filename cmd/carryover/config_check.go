package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"carryover/mapping/terms"
	"carryover/migrate/keap"
)

// configCheck collects what is wrong with a configuration and knows on which line
// every key stands.
type configCheck struct {
	path  string
	lines map[string]int
	found []finding
}

type finding struct {
	line int // 0: of the file as a whole
	text string
}

// err tells everything that is wrong, in the order of the file.
func (c *configCheck) err() error {
	slices.SortStableFunc(c.found, func(a, b finding) int { return cmp.Compare(a.line, b.line) })
	lines := make([]string, len(c.found))
	for i, f := range c.found {
		lines[i] = f.text
	}
	return configErrors(c.path, lines)
}

// configErrors is one error of as many sentences, each with its own file and line.
func configErrors(path string, lines []string) error {
	switch len(lines) {
	case 0:
		return nil
	case 1:
		return errors.New(lines[0])
	}
	return fmt.Errorf("%s has %d mistakes:\n  %s", path, len(lines), strings.Join(lines, "\n  "))
}

// wrong notes that the value of key (dotted, as in "pages.login") should be what want
// says. A nil value means that the key is missing; "" that it is not repeated.
func (c *configCheck) wrong(key string, value any, want string) {
	at, line := c.path, c.line(key)
	if line > 0 {
		at = fmt.Sprintf("%s:%d", c.path, line)
	}
	what := fmt.Sprintf("%s = %v: it", key, value)
	switch v := value.(type) {
	case nil:
		what = key + " is missing: it"
	case string:
		what = fmt.Sprintf("%s = %q: it", key, v)
		if v == "" {
			what = key
		}
	}
	c.found = append(c.found, finding{line, fmt.Sprintf("%s: %s must be %s", at, what, want)})
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

func (c *configCheck) oneOf(key, value string, options ...string) string {
	if !slices.Contains(options, value) {
		c.wrong(key, value, "one of \""+strings.Join(options, "\", \"")+"\"")
	}
	return value
}

const wantInstant = "a date such as \"2023-03-31\" (honoured to its last instant) or a moment such as \"2023-04-01T00:00:00-07:00\" (the first not honoured)"

// instant reads a date or a moment. A date means its end: the first instant after it in
// the program's zone.
func (c *configCheck) instant(key string, value any, zone *time.Location, needed bool) time.Time {
	switch v := value.(type) {
	case nil:
		if needed {
			c.wrong(key, nil, wantInstant)
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
	c.wrong(key, value, wantInstant)
	return time.Time{}
}

// day reads a date, and gives its first instant in the program's zone.
func (c *configCheck) day(key string, value any, zone *time.Location) time.Time {
	switch v := value.(type) {
	case toml.LocalDate:
		return terms.DayStart(v.Year, time.Month(v.Month), v.Day, zone)
	case string:
		if d, err := time.Parse(time.DateOnly, v); err == nil {
			return terms.DayStart(d.Year(), d.Month(), d.Day(), zone)
		}
	}
	c.wrong(key, value, "a date such as \"2024-01-01\": the first day on which the percentages hold")
	return time.Time{}
}

func endOfDay(year int, month time.Month, day int, zone *time.Location) time.Time {
	return terms.DayStart(year, month, day+1, zone).UTC()
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

// percent reads a share of 0 to 100, as a number or in quotes, into to.
func (c *configCheck) percent(key string, value any, to *terms.Percent) {
	if value == nil {
		return
	}
	text := fmt.Sprint(value)
	if f, ok := value.(float64); ok {
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	share, err := terms.ParsePercent(text)
	if err != nil {
		c.wrong(key, value, "a number from 0 to 100 with up to four decimals, such as 25")
	}
	*to = share
}

func isCurrency(code string) bool {
	return len(code) == 3 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
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
