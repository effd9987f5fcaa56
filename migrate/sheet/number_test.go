package sheet

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carryover/mapping/terms"
)

// The cells of a column mean one thing, in the format of the column.
func TestNumberFormat(t *testing.T) {
	f := func(format NumberFormat, own, cell, want string) {
		t.Helper()
		m, err := format.ParseAmount(cell, own)
		got := m.String()
		var cellErr *CellError
		if errors.As(err, &cellErr) {
			got = cellErr.Reason
		}
		if got != want {
			t.Errorf("%s, %q: %s, want %s", format, cell, got, want)
		}
	}
	for _, cell := range []string{"1.234,50", "1 234,50", "1\u00a0234,50", "1\u202f234,50", "1\u2009234,50", "1'234,50",
		"1’234,50", "1234,50", "1234,5",
		"€ 1.234,50", "1.234,50 €", "EUR 1.234,50", "1.234,50EUR"} {
		f(DecimalComma, "EUR", cell, "1,234.50 EUR")
		f(DecimalComma, "EUR", "-"+cell, "-1,234.50 EUR")
		f(DecimalComma, "EUR", "("+cell+")", "-1,234.50 EUR")
	}
	for _, cell := range []string{"1,234.50", "1 234.50", "1'234.50", "1’234.50", "1\u202f234.50", "1234.5", "$1,234.50",
		"1,234.50 $", "US$ 1,234.50",
		"usd 1,234.50"} {
		f(DecimalPoint, "USD", cell, "1,234.50 USD")
		f(DecimalPoint, "USD", cell+"-", "-1,234.50 USD")
	}
	for _, format := range []NumberFormat{DecimalPoint, DecimalComma} {
		for _, cell := range []string{"-", "–", "—", " - ", "$ -   ", "$-", "- $", "- USD", "\u2212", "\u00a0-\u00a0\u00a0", "0", "$ –"} {
			f(format, "USD", cell, "0.00 USD")
		}
		f(format, "USD", "- €", "0.00 EUR")
		for _, cell := range []string{"--", "(-)", "-–", "-(", "- -", "n/a", "-.", "x -"} {
			f(format, "USD", cell, BadMoney)
		}
		f(format, "USD", "1 234", "1,234.00 USD")
		f(format, "USD", "12 34", BadMoney)
		f(format, "USD", "1 234'567", BadMoney)
	}

	// One text, two amounts.
	f(DecimalPoint, "KWD", "1.234", "1.234 KWD")
	f(DecimalComma, "KWD", "1.234", "1,234.000 KWD")
	f(DecimalPoint, "USD", "1.234", BadMoney)
	f(DecimalComma, "USD", "1.234", "1,234.00 USD")
	f(DecimalPoint, "USD", "1,234", "1,234.00 USD")
	f(DecimalComma, "USD", "1,234", BadMoney)
	f(DecimalPoint, "USD", "12,50", BadMoney)
	f(DecimalComma, "USD", "12,50", "12.50 USD")
	f(DecimalComma, "USD", "12.50", BadMoney)
	f(DecimalPoint, "JPY", "1,234", "1,234 JPY")
	f(DecimalComma, "JPY", "1.234", "1,234 JPY")

	// Never rounded, be it zeros.
	f(DecimalPoint, "USD", "12.500", BadMoney)
	f(DecimalComma, "USD", "12,500", BadMoney)
	f(DecimalComma, "USD", "1.234,567", BadMoney)
	f(DecimalPoint, "JPY", "12.0", BadMoney)
	f(DecimalComma, "JPY", "12,00", BadMoney)
	f(DecimalComma, "USD", "0.500", BadMoney)
	f(DecimalPoint, "USD", "0,500", BadMoney)
}

func TestNumberColumns(t *testing.T) {
	f := func(opt Options, currency, values, want string) {
		t.Helper()
		text := "Id;Name;Price\n"
		for v := range strings.SplitSeq(values, "|") {
			text += "1;x;" + v + "\n"
		}
		opt.Currency = currency
		file, err := Probe(memory("dir/p.csv", text+";;\nTotal;;9.999,99\n"), testKinds, opt)
		if err != nil {
			t.Fatal(err)
		}
		c := file.Numbers[0]
		got := c.Format.String()
		if c.NeedsDecision() {
			got = fmt.Sprintf("%s? %d %q", got, c.Line, c.Value)
		}
		if got != want || c.Field != "price" || c.Header != "Price" || file.NumberFormat("price") != c.Format {
			t.Errorf("%s: %s, want %s (%+v)", values, got, want, c)
		}
	}
	f(Options{}, "USD", "12.50|1,234|0", "decimal_point")
	f(Options{}, "USD", "1,234.50|x|12.345", "decimal_point")
	f(Options{}, "USD", "12|-|0|1 234", "decimal_point")
	f(Options{}, "USD", "1,234|2,500", "decimal_point")
	f(Options{}, "USD", "12.50|1.234", "decimal_point")
	f(Options{}, "USD", "12.50|15.00|12,50", "decimal_point") // and the last is rejected
	f(Options{}, "EUR", "12,50|1.234|0", "decimal_comma")
	f(Options{}, "EUR", "1.234,50 €|1.234", "decimal_comma")
	f(Options{}, "EUR", "1\xa0234,50 \x80", "decimal_comma") // Windows-1252
	f(Options{}, "EUR", "1.234.567|12", "decimal_comma")

	f(Options{}, "USD", "5|1.234", `decimal_comma? 3 "1.234"`)
	f(Options{}, "USD", "1.234|1,234", `decimal_point? 2 "1.234"`)
	f(Options{}, "JPY", "1.234", `decimal_comma? 2 "1.234"`)
	f(Options{}, "KWD", "1.234|1,5", "decimal_comma")
	f(Options{}, "KWD", "1.234|5", `decimal_point? 2 "1.234"`)
	f(Options{}, "USD", "12,50|12.50", `decimal_point? 2 "12,50"`)
	f(Options{}, "USD", "12,50|12,60|12.50", `decimal_comma? 2 "12,50"`)

	f(Options{Numbers: "auto"}, "USD", "1.234", `decimal_comma? 2 "1.234"`)
	f(Options{Numbers: "decimal_point"}, "USD", "1.234|12,50", "decimal_point")
	f(Options{Numbers: "decimal_comma"}, "USD", "12.50", "decimal_comma")
	decided := func(path string) string { return map[string]string{"dir/p.csv": "decimal_point"}[path] }
	f(Options{NumberDecision: decided}, "USD", "1.234", "decimal_point")
	f(Options{NumberDecision: decided}, "USD", "12,50", "decimal_comma") // which nobody was asked about
}

// A column of amounts is read the same in whatever way it is written, or not at all.
func TestNumberColumnsRoundTrip(t *testing.T) {
	styles := []struct {
		group, point string
		format       NumberFormat
	}{{",", ".", DecimalPoint}, {"", ".", DecimalPoint}, {" ", ".", DecimalPoint}, {"'", ".", DecimalPoint}, {"’", ".", DecimalPoint},
		{".", ",", DecimalComma}, {"", ",", DecimalComma}, {" ", ",", DecimalComma}, {"\u202f", ",", DecimalComma}, {"\u00a0",
			",", DecimalComma}}
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]string{"USD", "EUR", "JPY", "KWD"}).Draw(t, "currency")
		style := rapid.SampledFrom(styles).Draw(t, "style")
		var c NumberColumn
		amounts := rapid.SliceOfN(rapid.Int64Range(-10_000_000, 10_000_000), 1, 20).Draw(t, "amounts")
		cells := make([]string, len(amounts))
		for i, n := range amounts {
			cells[i] = strings.NewReplacer(",", style.group, ".", style.point).Replace(terms.FormatMinor(n, currency))
			if n == 0 && rapid.Bool().Draw(t, "dash") {
				cells[i] = "-"
			}
			c.observe(i+1, []byte(cells[i]), currency)
		}
		if c.decide("", ""); c.NeedsDecision() {
			return // and once it is decided:
		}
		for i, cell := range cells {
			if m, err := c.Format.ParseAmount(cell, currency); err != nil || m.Minor != amounts[i] {
				t.Fatalf("%q of %q: %v %v, want %d", cell, cells, m, err, amounts[i])
			}
		}
	})
}

// A text means one amount in one format, and what a column counts it as agrees with it.
func FuzzNumberFormat(f *testing.F) {
	for _, s := range []string{"1.234,50 €", "1 234.5", "$ -  ", "(1'234)", "12,5", "1.234", "–"} {
		f.Add(s, "USD")
	}
	f.Fuzz(func(t *testing.T, s, own string) {
		if len(own) != 3 {
			own = "EUR"
		}
		point, pointErr := DecimalPoint.ParseAmount(s, own)
		comma, commaErr := DecimalComma.ParseAmount(s, own)
		either, err := ParseAmount(s, own)
		if err == nil && (pointErr != nil || point != either) && (commaErr != nil || comma != either) {
			t.Fatalf("%q is %v, and in a column %v %v or %v %v", s, either, point, pointErr, comma, commaErr)
		}
		mirrored := strings.Map(func(r rune) rune {
			switch r {
			case '.':
				return ','
			case ',':
				return '.'
			}
			return r
		}, s)
		if m, err := DecimalComma.ParseAmount(mirrored, own); pointErr == nil && !strings.Contains(s, ".,") && (err != nil || m != point) &&
			strings.Count(s, ".")+strings.Count(s, ",") > 0 && !strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			t.Fatalf("%q is %v, and %q %v %v", s, point, mirrored, m, err)
		}
		var c NumberColumn
		if c.observe(1, []byte(s), own); c.CommaOnly > 0 && pointErr == nil || c.PointOnly > 0 && commaErr == nil {
			t.Fatalf("%q is %v %v or %v %v, and counted as %+v", s, point, pointErr, comma, commaErr, c)
		}
	})
}
