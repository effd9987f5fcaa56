package config

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"carryover/mapping/terms"
)

// checker collects what is wrong with a configuration and knows on which line
// every key stands.
type checker struct {
	path     string
	lines    map[string]int
	mistakes []mistake
}

type mistake struct {
	line int // 0: of the file as a whole
	text string
}

// Error is what is wrong with a configuration: a sentence each, with its own file and line, in
// the order of the file.
type Error struct {
	Path     string
	Mistakes []string
}

func (e *Error) Error() string {
	if len(e.Mistakes) == 1 {
		return e.Mistakes[0]
	}
	return fmt.Sprintf("%s has %d mistakes:\n  %s", e.Path, len(e.Mistakes), strings.Join(e.Mistakes, "\n  "))
}

// err tells everything that is wrong; nil when nothing is.
func (c *checker) err() error {
	if len(c.mistakes) == 0 {
		return nil
	}
	slices.SortStableFunc(c.mistakes, func(a, b mistake) int { return cmp.Compare(a.line, b.line) })
	e := &Error{Path: c.path}
	for _, m := range c.mistakes {
		e.Mistakes = append(e.Mistakes, m.text)
	}
	return e
}

// invalid notes that the value of key (dotted, as in "pages.login") should be what want
// says. A nil value means that the key is missing; "" that it is not repeated.
func (c *checker) invalid(key string, value any, want string) {
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
	c.mistakes = append(c.mistakes, mistake{line, fmt.Sprintf("%s: %s must be %s", at, what, want)})
}

func (c *checker) line(key string) int {
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

func (c *checker) oneOf(key, value string, options ...string) string {
	if !slices.Contains(options, value) {
		c.invalid(key, value, "one of \""+strings.Join(options, "\", \"")+"\"")
	}
	return value
}

const wantInstant = "a date such as \"2023-03-31\" (honoured to its last instant) or " +
	"a moment such as \"2023-04-01T00:00:00-07:00\" (the first not honoured)"

// instant reads a date or a moment. A date means its end: the first instant after it in
// the program's zone.
func (c *checker) instant(key string, value any, zone *time.Location, needed bool) time.Time {
	switch v := value.(type) {
	case nil:
		if needed {
			c.invalid(key, nil, wantInstant)
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
	c.invalid(key, value, wantInstant)
	return time.Time{}
}

// day reads a date, and gives its first instant in the program's zone.
func (c *checker) day(key string, value any, zone *time.Location) time.Time {
	switch v := value.(type) {
	case toml.LocalDate:
		return terms.DayStart(v.Year, time.Month(v.Month), v.Day, zone)
	case string:
		if d, err := time.Parse(time.DateOnly, v); err == nil {
			return terms.DayStart(d.Year(), d.Month(), d.Day(), zone)
		}
	}
	c.invalid(key, value, "a date such as \"2024-01-01\": the first day on which the percentages hold")
	return time.Time{}
}

func endOfDay(year int, month time.Month, day int, zone *time.Location) time.Time {
	return terms.DayStart(year, month, day+1, zone).UTC()
}

func (c *checker) graceDates(key string, dates map[string]any, zone *time.Location) map[string]time.Time {
	out := map[string]time.Time{}
	for _, code := range slices.Sorted(maps.Keys(dates)) {
		out[code] = c.instant(key+"."+code, dates[code], zone, true)
	}
	return out
}

func (c *checker) names(key string, names []string) {
	for _, n := range names {
		if n == "" || strings.ContainsAny(n, "&=#?%+ ;") {
			c.invalid(key, n, "a plain parameter name such as \"fpr\"")
		}
	}
}

func (c *checker) listen(key, address string) {
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		c.invalid(key, address, "an address to listen on, such as \"127.0.0.1:8080\"")
	}
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

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
