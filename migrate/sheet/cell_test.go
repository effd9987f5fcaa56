package sheet

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestKey(t *testing.T) {
	f := func(input, want string) {
		t.Helper()
		if got := Key(input); got != want {
			t.Errorf("%q: %q, want %q", input, got, want)
		}
	}
	f("Contact Id", "contactid")
	f(" INVOICE # ", "invoice")
	f("E-mail", "email")
	f("Last 4 SSN", "last4ssn")
	f("Größe_2", "gre2")
	f("???", "")
}

func TestClean(t *testing.T) {
	f := func(input, want string) {
		t.Helper()
		if got := Clean(input); got != want {
			t.Errorf("%q: %q, want %q", input, got, want)
		}
	}
	f("", "")
	f(" \t\u00a0\u2003x y\u00a0 ", "x y")
	f("\xa0x\xa0", "x")
	f("\ufeffid\u200b", "id")
	f("'+65 8   ", "+65 8")
	f("' x", "x")
	f("''x", "'x")
	f(`="00123"`, "00123")
	f(` ="  a ""b"" " `, `a "b"`)
	f(`'="5"`, "5")
	f(`="'5"`, "5")
	f(`=""`, `=""`[:0])
	f(`="`, `="`)
	f("=1+2", "=1+2")
	f("'", "")
}

func TestID(t *testing.T) {
	f := func(input string, want int64, ok bool) {
		t.Helper()
		var id ID
		err := id.UnmarshalCSV(input)
		var cell *CellError
		switch {
		case !ok && (!errors.As(err, &cell) || cell.Reason != BadID || id.Valid):
			t.Errorf("%q: %+v, %v", input, id, err)
		case ok && (err != nil || id.Number != want || !id.Valid):
			t.Errorf("%q: %+v, %v", input, id, err)
		}
	}
	f("0", 0, true)
	f("00042", 42, true)
	f("9223372036854775807", math.MaxInt64, true)
	f("9223372036854775808", 0, false)
	f("1.23E+05", 0, false)
	f("-1", 0, false)
	f("1,234", 0, false)
	f("12 3", 0, false)
	f("٣", 0, false)
	id := ID{Number: 5, Valid: true}
	if err := id.UnmarshalCSV(""); err != nil || id != (ID{}) {
		t.Errorf("blank: %+v %v", id, err)
	}
}

func TestStatus(t *testing.T) {
	f := func(input string, want Status) {
		t.Helper()
		var got Status
		if err := got.UnmarshalCSV(input); err != nil || got != want {
			t.Errorf("%q: %v %v", input, got, err)
		}
	}
	for _, s := range []string{"1", "Active", "YES", "true"} {
		f(s, Active)
	}
	for _, s := range []string{"", "0", "INACTIVE", "no", "False"} {
		f(s, Inactive)
	}
	f("pending", OtherStatus)
}

func TestParseMoney(t *testing.T) {
	f := func(input string, decimals int, want int64) {
		t.Helper()
		if got, err := ParseMoney(input, decimals); err != nil || got != want {
			t.Errorf("%q: %d %v, want %d", input, got, err, want)
		}
	}
	f("$1,234.50", 2, 123450)
	f("1,234.50", 2, 123450)
	f("1234.5", 2, 123450)
	f("1234", 2, 123400)
	f("(12.00)", 2, -1200)
	f("($12.00)", 2, -1200)
	f("-12.00", 2, -1200)
	f("-$12.00", 2, -1200)
	f("-$1,234,567.89", 2, -123456789)
	f("0", 2, 0)
	f("12", 0, 12)
	f("1.234", 3, 1234)
	f("92233720368547758.07", 2, math.MaxInt64)

	bad := func(input string, decimals int) {
		t.Helper()
		got, err := ParseMoney(input, decimals)
		var cell *CellError
		if !errors.As(err, &cell) || cell.Reason != BadMoney || got != 0 {
			t.Errorf("%q: %d %v", input, got, err)
		}
	}
	for _, s := range []string{"", "$", "-", "()", "(12", "12)", "12.", ".5", "1,23", "1,2345", "1234,567", ",123", "1,,234",
		"1.5.0", "12.345", "12.000", "€12", "12 USD", "1 234", "$-12", "-(12)", "--1", "+5", "1.234,56", "1e3", "92233720368547758.08"} {
		bad(s, 2)
	}
	bad("12.0", 0)
}

func FuzzParseMoney(f *testing.F) {
	f.Add("$1,234.50", 2)
	f.Add("(9,223,372.1)", 3)
	f.Fuzz(func(t *testing.T, s string, decimals int) {
		decimals = max(0, min(decimals%5, 4))
		n, err := ParseMoney(s, decimals)
		if err != nil {
			return
		}
		plain := strings.NewReplacer("$", "", ",", "", "(", "-", ")", "").Replace(s)
		want, err := strconv.ParseFloat(plain, 64)
		if got := float64(n) / math.Pow10(decimals); err != nil || math.Abs(got-want) > 1e-9*math.Abs(want) {
			t.Fatalf("%q is %d, %v", s, n, err)
		}
	})
}

func FuzzID(f *testing.F) {
	f.Add("007")
	f.Fuzz(func(t *testing.T, s string) {
		var id ID
		if err := id.UnmarshalCSV(s); err != nil || !id.Valid {
			return
		}
		if strings.TrimLeft(s, "0") != strings.TrimLeft(strconv.FormatInt(id.Number, 10), "0") {
			t.Fatalf("%q is %d", s, id.Number)
		}
	})
}

func FuzzKey(f *testing.F) {
	f.Add("E-mail \xff")
	f.Fuzz(func(t *testing.T, s string) {
		if key := Key(s); Key(key) != key || !sameKey([]byte(s), key) {
			t.Fatalf("%q: %q", s, key)
		}
		if clean := Clean(s); Clean(Defuse(clean)) != Clean(clean) && !strings.HasPrefix(clean, "'") {
			t.Fatalf("%q is %q, defused %q", s, clean, Defuse(clean))
		}
	})
}

func TestDateCell(t *testing.T) {
	at := time.Date(1905, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
	var d Date
	if err := d.UnmarshalCSV(string(appendDate(nil, at, DateTime))); err != nil || !d.Time.Equal(at) || !d.Clock || !d.Valid {
		t.Errorf("%+v %v", d, err)
	}
	for _, s := range []string{"x", "d", "3/4/2023", "d1.x", "d1x"} {
		if err := d.UnmarshalCSV(s); err == nil || d.Valid {
			t.Errorf("%q: %+v", s, d)
		}
	}
}
