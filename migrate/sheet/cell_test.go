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
	d, err := readDateCell("1905-02-03T04:05:06.789Z", MonthFirst, time.UTC)
	if err != nil || d != (Date{Time: at, Clock: true, Valid: true}) {
		t.Errorf("%+v %v", d, err)
	}
	for _, s := range []string{"x", "d", "13/4/2023", "d1.x", "d1x"} {
		if d, err := readDateCell(s, MonthFirst, time.UTC); err == nil || d.Valid {
			t.Errorf("%q: %+v", s, d)
		}
	}
}
