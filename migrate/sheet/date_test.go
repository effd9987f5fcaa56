package sheet

import (
	"errors"
	"testing"
	"time"
)

func TestParseDate(t *testing.T) {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	f := func(input string, order Order, want string) {
		t.Helper()
		at, kind, err := ParseDate(input, order, zone)
		got := at.Format(time.RFC3339Nano)
		var cell *CellError
		switch {
		case errors.As(err, &cell):
			got = cell.Reason
		case kind == NoDate:
			got = "none"
		case kind == DateOnly:
			got = at.Format("2006-01-02 MST")
		}
		if got != want {
			t.Errorf("%q: %s, want %s", input, got, want)
		}
	}
	f("", MonthFirst, "none")
	f("0000-00-00", MonthFirst, "none")
	f("0000-00-00 00:00:00", MonthFirst, "none")
	f("0000-00-00T00:00:00Z", MonthFirst, "none")

	f("3/4/2023", MonthFirst, "2023-03-04 PST")
	f("3/4/2023", DayFirst, "2023-04-03 PDT")
	f("03/04/2023", MonthFirst, "2023-03-04 PST")
	f("03/04/23", MonthFirst, "2023-03-04 PST")
	f("3/4/69", MonthFirst, "1969-03-04 PST")
	f("3/4/68", MonthFirst, "2068-03-04 PST")
	f("13/4/2023", MonthFirst, BadDate)
	f("13/4/2023", DayFirst, "2023-04-13 PDT")
	f("2/29/2024", MonthFirst, "2024-02-29 PST")
	f("2/29/2023", MonthFirst, BadDate)
	f("2/30/2024", MonthFirst, BadDate)
	f("12/31/9999", MonthFirst, "9999-12-31 PST")
	f("2023-03-31", DayFirst, "2023-03-31 PDT")
	f("2023-13-31", MonthFirst, BadDate)

	f("3/4/2023 5:06 AM", MonthFirst, "2023-03-04T05:06:00-08:00")
	f("3/4/2023 12:06 am", MonthFirst, "2023-03-04T00:06:00-08:00")
	f("3/4/2023 12:06PM", MonthFirst, "2023-03-04T12:06:00-08:00")
	f("3/4/2023  5:06:07 PM", MonthFirst, "2023-03-04T17:06:07-08:00")
	f("03/04/23 15:06:07", MonthFirst, "2023-03-04T15:06:07-08:00")
	f("3/4/2023 5:06", MonthFirst, "2023-03-04T05:06:00-08:00")
	f("2023-03-31 23:59", MonthFirst, "2023-03-31T23:59:00-07:00")
	f("2023-03-31T23:59:58", MonthFirst, "2023-03-31T23:59:58-07:00")
	f("2023-03-31T23:59:58.125", MonthFirst, "2023-03-31T23:59:58.125-07:00")
	f("20230331T23:59:58", MonthFirst, "2023-03-31T23:59:58-07:00")
	f("2017-01-01T22:17:59.039Z", MonthFirst, "2017-01-01T22:17:59.039Z")
	f("2017-01-01T22:17:59+05:30", MonthFirst, "2017-01-01T16:47:59Z")
	f("2017-01-01T22:17:59.000-0800", MonthFirst, "2017-01-02T06:17:59Z")

	for _, s := range []string{"x", "5", "20230331", "3/4", "3/4/", "3/4/202", "3/4/20233", "3//2023", "/4/2023", "333/4/2023", "3-4-2023",
		"31.3.2023", "2023-3-1", "2023-03-31x", "2023-03-31 ", "2023-03-31T", "2023-03-31 24:00", "2023-03-31 10:60", "2023-03-31 10:10:60",
		"3/4/2023 13:00 PM", "3/4/2023 0:10 AM", "3/4/2023 5:6", "3/4/2023 5 PM", "3/4/2023 5:06 XM", "3/4/2023 5:06Z", "2023-03-31T10:10:10.",
		"2023-03-31T10:10:10.1234567890", "2023-03-31T10:10:10+5", "2023-03-31T10:10:10+05:99", "20230331T1010", "20230331T10:10", "0000-01-01",
		"0/0/0000", "44927", "March 3, 2023", "２/3/2023"} {
		f(s, MonthFirst, BadDate)
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"3/4/2023 5:06 AM", "2017-01-01T22:17:59.039+05:30", "20230331T23:59:58", "13/1/99"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, order := range []Order{MonthFirst, DayFirst} {
			at, kind, err := ParseDate(s, order, time.UTC)
			if err != nil || kind == NoDate {
				if !at.IsZero() {
					t.Fatalf("%q: %v", s, at)
				}
				continue
			}
			if d, err := readDateCell(s, order, time.UTC); err != nil || !d.Time.Equal(at) || !d.Valid || d.Clock != (kind == DateTime) {
				t.Fatalf("%q: %v became %+v, %v", s, at, d, err)
			}
			if want, err := time.Parse(time.RFC3339, s); err == nil && !want.Equal(at) {
				t.Fatalf("%q: %v, want %v", s, at, want)
			}
		}
	})
}
