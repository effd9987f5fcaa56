package sheet

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carryover/mapping/terms"
)

func TestParseAmount(t *testing.T) {
	f := func(own, input string, minor int64, currency string) {
		t.Helper()
		if got, err := ParseAmount(input, own); err != nil || got != (Money{minor, currency}) {
			t.Errorf("%q: %+v %v, want %d %s", input, got, err, minor, currency)
		}
	}
	f("USD", "$1,234.50", 123450, "USD")
	f("USD", "1,234.50", 123450, "USD")
	f("USD", "1234.5", 123450, "USD")
	f("USD", "1234", 123400, "USD")
	f("USD", "0", 0, "USD")
	f("USD", "007", 700, "USD")

	// Below zero, wherever the sign stands.
	for _, s := range []string{"-12.00", "-$12.00", "$-12.00", "(12.00)", "($12.00)", "$(12.00)", "12.00-", "$12.00-",
		"- 12.00", "(12.00) USD", "\u221212.00"} {
		f("USD", s, -1200, "USD")
	}
	f("USD", "-0.00", 0, "USD")
	f("USD", "-$1,234,567.89", -123456789, "USD")

	// The other way round, and what looks like it.
	f("EUR", "1.234,56", 123456, "EUR")
	f("USD", "1.234.567,89", 123456789, "USD")
	f("EUR", "-1.234,56 €", -123456, "EUR")
	f("USD", "EUR1.234,56", 123456, "EUR")
	f("KWD", "1.234,567", 1234567, "KWD")
	f("KWD", "1.234", 1234, "KWD")
	f("USD", "1,234", 123400, "USD")
	f("EUR", "1 234,56 €", 123456, "EUR")
	f("CHF", "1'234'567.50", 123456750, "CHF")
	f("CHF", "1’234", 123400, "CHF")
	f("EUR", "1\u202f234,56\u00a0€", 123456, "EUR")
	f("DKK", "1.234,56 kr.", 123456, "DKK")

	// Symbols.
	f("USD", "€12", 1200, "EUR")
	f("USD", "£ 12.00", 1200, "GBP")
	f("USD", "¥1,200", 1200, "JPY")
	f("CNY", "¥12.00", 1200, "CNY")
	f("USD", "A$12.00", 1200, "AUD")
	f("USD", "CA$12.00", 1200, "CAD")
	f("USD", "C$12.00", 1200, "CAD")
	f("USD", "NZ$12.00", 1200, "NZD")
	f("AUD", "US$12.00", 1200, "USD")
	f("USD", "-R$ 1.234,50", -123450, "BRL")
	f("SEK", "12.00 kr", 1200, "SEK")
	f("USD", "12.00\u00a0€", 1200, "EUR")
	f("USD", "1,234.50 zł", 123450, "PLN")

	// A bare $ is the program's own dollar.
	f("AUD", "$12.00", 1200, "AUD")
	f("MXN", "($12.00)", -1200, "MXN")
	f("EUR", "$12.00", 1200, "USD")
	f("GBP", "12.00", 1200, "GBP")

	// Codes.
	f("USD", "AUD 12.00", 1200, "AUD")
	f("USD", "aud12.00", 1200, "AUD")
	f("USD", "12.00 AUD", 1200, "AUD")
	f("USD", "12.00AUD", 1200, "AUD")
	f("USD", "-AUD 12.00", -1200, "AUD")
	f("USD", "AUD (12.00)", -1200, "AUD")
	f("USD", "$12.00 AUD", 1200, "AUD")
	f("USD", "AUD $12.00", 1200, "AUD")
	f("USD", "USD 12.00 USD", 1200, "USD")

	// Decimals by currency.
	f("JPY", "12", 12, "JPY")
	f("USD", "KRW 1,200", 1200, "KRW")
	f("USD", "KWD 1.5", 1500, "KWD")
	f("BHD", "1,234.567", 1234567, "BHD")

	f("USD", "92233720368547758.07", math.MaxInt64, "USD")
	f("USD", "-92,233,720,368,547,758.07", -math.MaxInt64, "USD")
	f("JPY", "00009223372036854775807", math.MaxInt64, "JPY")

	bad := func(own string, inputs ...string) {
		t.Helper()
		for _, s := range inputs {
			got, err := ParseAmount(s, own)
			var cell *CellError
			if !errors.As(err, &cell) || cell.Reason != BadMoney || got != (Money{}) {
				t.Errorf("%q: %+v %v", s, got, err)
			}
		}
	}
	bad("USD", "", " ", "$", "-", "()", "USD", "n/a", "-0-")
	bad("USD", "12.", ".5", "1,23", "1,2345", "1234,567", ",123", "1,,234", "1,234,", "1.5.0", "1 23", "1'2345", "1 234,567",
		"1 234'567", "0,123", "1  234", "1e3",
		"1.23E+05", "12%", "2023-03-31", "3/31/2023")
	bad("USD", "12.345", "12.000", "1.500", "$1.234,567", "1.234,5", "12,50", "1.234", "1.234.567", "1234.567,89", "1,234.567,89")
	bad("USD", "(12", "12)", ")12(", "-(12)", "(-12)", "(12-)", "--1", "-12-", "+5", "((12))", "12 - 3")
	bad("USD", "€12 USD", "USD 12 AUD", "€12 £", "$ $12", "XYZ 12", "US 12", "AUDX 12", "kr 12", "12 total",
		"A$B$C 12", "\x8012", "12\xa0")
	bad("JPY", "12.0", "1.234,56")
	bad("KWD", "1.2345", "1.234,56")
	bad("USD", "92233720368547758.08", "-92233720368547758.08", "922337203685477580700", "18446744073709551616", "99,999,999,999,999,999,999")
}

func TestFormatMinor(t *testing.T) {
	f := func(minor int64, currency, want string) {
		t.Helper()
		if got := terms.FormatMinor(minor, currency); got != want {
			t.Errorf("%d %s: %s, want %s", minor, currency, got, want)
		}
	}
	f(0, "USD", "0.00")
	f(-5, "USD", "-0.05")
	f(99950, "USD", "999.50")
	f(-123450, "USD", "-1,234.50")
	f(0, "JPY", "0")
	f(1234567, "JPY", "1,234,567")
	f(1234567, "KWD", "1,234.567")
	f(math.MaxInt64, "USD", "92,233,720,368,547,758.07")
	f(math.MinInt64, "USD", "-92,233,720,368,547,758.08")
	if got := (Money{-123450, "USD"}).String(); got != "-1,234.50 USD" {
		t.Error(got)
	}
}

func TestSymbolsAreShort(t *testing.T) {
	for _, s := range symbols {
		if c, ok := lookupCurrency(s.text); !ok || c.text != s.text {
			t.Errorf("%q is not found: %+v", s.text, c)
		}
	}
}

func TestAmountsRoundTrip(t *testing.T) {
	var codes = strings.Fields(isoCodes)
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom(codes).Draw(t, "currency")
		own := rapid.SampledFrom(codes).Draw(t, "own")
		want := Money{rapid.Int64Range(-1_000_000_000_000_000, 1_000_000_000_000_000).Draw(t, "minor"), currency}
		plain := terms.FormatMinor(want.Minor, currency)
		positive, negative := strings.CutPrefix(plain, "-")
		forms := []string{want.String(), currency + plain, currency + " " + plain, plain + currency,
			strings.ToLower(currency) + "\u202f" + plain}
		if negative {
			forms = append(forms, "("+currency+" "+positive+")", "("+positive+") "+currency, currency+positive+"-")
		}
		if terms.Decimals(currency) > 0 && strings.Contains(positive, ",") {
			forms = append(forms, currency+" "+strings.NewReplacer(",", ".", ".", ",").Replace(plain))
		}
		for _, form := range forms {
			if got, err := ParseAmount(form, own); err != nil || got != want {
				t.Fatalf("%q: %+v %v, want %+v", form, got, err, want)
			}
			if !isAmount([]byte(form)) {
				t.Fatalf("%q is an amount", form)
			}
		}
		for _, form := range []string{plain, strings.ReplaceAll(plain, ",", "")} {
			if got, err := ParseAmount(form, currency); err != nil || got != want {
				t.Fatalf("%q: %+v %v, want %+v", form, got, err, want)
			}
		}
		if got, err := ParseAmount(plain+"0", currency); err == nil && terms.Decimals(currency) > 0 {
			t.Fatalf("%q is %+v", plain+"0", got)
		}
	})
}

// What is read as an amount is the number that its digits say.
func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"$1,234.50", "(9,223,372.1)", "EUR1.234,56", "12.00-", "-R$ 1.234,50", "KWD 1.234", "$12.00 AUD", "12 kr"} {
		f.Add(s, "USD")
	}
	f.Fuzz(func(t *testing.T, s, own string) {
		m, err := ParseAmount(s, own)
		if err != nil {
			var cell *CellError
			if !errors.As(err, &cell) || cell.Reason != BadMoney || m != (Money{}) {
				t.Fatalf("%q: %+v %v", s, m, err)
			}
			return
		}
		point := strings.LastIndexAny(s, ".,")
		if point >= 0 && (s[point] == ',') == !strings.Contains(s[:point], ".") {
			point = -1 // a group's
		}
		digits, fraction := "", 0
		for i := range len(s) {
			if '0' <= s[i] && s[i] <= '9' {
				digits += s[i : i+1]
				if point >= 0 && i > point {
					fraction++
				}
			}
		}
		want, _ := new(big.Int).SetString(digits+strings.Repeat("0", terms.Decimals(m.Currency)-fraction), 10)
		if strings.ContainsAny(s, "-(\u2212") {
			want.Neg(want)
		}
		if want.Cmp(big.NewInt(m.Minor)) != 0 {
			t.Fatalf("%q is %+v, not %v", s, m, want)
		}
		if back, err := ParseAmount(terms.FormatMinor(m.Minor, m.Currency), m.Currency); err != nil || back != m {
			t.Fatalf("%q is %+v and comes back as %+v, %v", s, m, back, err)
		}
	})
}

func TestTotalsOfAnyCurrency(t *testing.T) {
	f := func(cell string, want bool) {
		t.Helper()
		if got := isAmount([]byte(cell)); got != want {
			t.Errorf("%q: %v", cell, got)
		}
	}
	for _, s := range []string{"-", "–", " $ -   ", "– €", "1 234,50", "12,50", "12", "$1,234.50", "€ 1.234,56", "AUD 12.00",
		"12.00 AUD", "(12.00)", "12.00-",
		"KWD 1.234,567", "1.2345", "kr 12"} {
		f(s, true)
	}
	for _, s := range []string{"May 12", "A1", "Ann", "2023-03-31", "12 x", "total 5", "--", "(-)", "€", strings.Repeat("1", 41)} {
		f(s, false)
	}
}

func BenchmarkParseAmount(b *testing.B) {
	for _, s := range []string{"1234.50", "$1,234.50", "($12.00)", "AUD 12.00", "1.234,56 €"} {
		b.Run(strconv.Quote(s), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseAmount(s, "USD"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestParseAmountDoesNotAllocate(t *testing.T) {
	for _, s := range []string{"1234.50", "($1,234.50)", "AUD 12.00", "1.234,56 €", "12.345", "kr 5"} {
		if n := testing.AllocsPerRun(100, func() { ParseAmount(s, "USD") }); n != 0 {
			t.Errorf("%q: %v allocations", s, n)
		}
	}
}
