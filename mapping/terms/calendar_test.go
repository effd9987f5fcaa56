package terms

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMonth(t *testing.T) {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2023, 4, 1, 6, 59, 59, 0, time.UTC)
	if got := MonthOf(at, zone); got != 202303 || got.String() != "2023-03" {
		t.Error(got)
	}
	if got := MonthOf(at, time.UTC); got != 202304 {
		t.Error(got)
	}
	f := func(m Month, n int, want Month) {
		t.Helper()
		if got := m.Add(n); got != want {
			t.Errorf("%s and %d months: %s, want %s", m, n, got, want)
		}
	}
	f(202303, 0, 202303)
	f(202303, 9, 202312)
	f(202303, 10, 202401)
	f(202312, 1, 202401)
	f(202301, -1, 202212)
	f(202303, -15, 202112)
	f(202303, 240, 204303)
	rapid.Check(t, func(t *rapid.T) {
		year, month := rapid.IntRange(1900, 2100).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month"))
		start := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
		n := rapid.IntRange(-1000, 1000).Draw(t, "n")
		if got, want := MonthOf(start, time.UTC).Add(n), MonthOf(start.AddDate(0, n, 0), time.UTC); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}

func TestParseMonth(t *testing.T) {
	if m, ok := ParseMonth("2023-03"); !ok || m != 202303 {
		t.Error(m, ok)
	}
	for _, s := range []string{"", "2023", "2023-13", "2023-00", "2023-3", "2023-03-10", "0099-01", "March", " 2023-03", "２０２３-03"} {
		if m, ok := ParseMonth(s); ok {
			t.Errorf("%q is %s", s, m)
		}
	}
}
