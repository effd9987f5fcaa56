package sheet

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
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

	// What spreadsheets and other languages write.
	for _, s := range []string{"15-Jan-23", "15-Jan-2023", "15-JAN-23", "15 Jan 2023", "15 January 2023", "15/Jan/2023",
		"15Jan2023", "2023-Jan-15",
		"Jan 15, 2023", "January 15, 2023", "Jan. 15, 2023", "Jan 15 2023", "january 15th, 2023", "Sunday, January 15, 2023", "Sun, 15 Jan 2023",
		"Sun Jan 15 2023", "15.01.2023", "15.1.2023", "15.01.23", "2023/01/15", "2023/1/15", "15. Januar 2023", "15.Jan.2023",
		"15-ene-23", "15 de enero de 2023", "15 janv. 2023", "15 janvier 2023", "15 de janeiro de 2023", "15-gen-23", "15 jan. 2023",
		"Jan\u00a015, 2023"} {
		f(s, MonthFirst, "2023-01-15 PST")
		f(s, DayFirst, "2023-01-15 PST")
	}
	f("1er août 2023", MonthFirst, "2023-08-01 PDT")
	f("1. März 23", MonthFirst, "2023-03-01 PST")
	f("1. M\xe4rz 23", MonthFirst, "2023-03-01 PST") // Windows-1252
	f("15-Jan-69", MonthFirst, "1969-01-15 PST")
	f("05-Jan-05", MonthFirst, "2005-01-05 PST")
	f("mar, 7 mar 2023", MonthFirst, "2023-03-07 PST")

	for _, s := range []string{"1/15/2023 3:04 PM", "1/15/2023 3:04\u202fPM", "1/15/2023\u00a03:04\u00a0PM",
		"1/15/2023 3:04\xa0PM", "1/15/2023 3:04 p.m.",
		"1/15/2023 3:04 p.\u202fm.", "15-Jan-23 3:04 PM", "Jan 15, 2023, 3:04 PM", "January 15, 2023 at 3:04 PM", "Jan 15 2023  3:04PM",
		"15.01.2023 15:04", "15.01.2023, 15:04", "2023/01/15 15:04:00", "1/15/2023 3:04 PM PST", "1/15/2023 3:04:00 PM (PST)",
		"2023-01-15 15:04:00 PST", "2023-01-15 15:04 America/Los_Angeles", "1/15/2023 6:04 PM EST", "1/15/2023 6:04 PM America/New_York",
		"2023-01-15 23:04:00 UTC", "1/15/2023 11:04 PM GMT", "1/15/2023 23:04Z", "2023-01-15 23:04:00+00", "2023-01-15 15:04:00 -0800",
		"2023-01-15 16:04 MST", "2023-01-16 00:04 CET", "Sun, 15 Jan 2023 23:04:00 GMT", "Sun, 15 Jan 2023 15:04:00 -0800",
		"Sun Jan 15 2023 15:04:00 GMT-0800 (Pacific Standard Time)"} {
		at, kind, err := ParseDate(s, MonthFirst, zone)
		if want := time.Date(2023, 1, 15, 23, 4, 0, 0, time.UTC); err != nil || kind != DateTime || !at.Equal(want) {
			t.Errorf("%q: %v %v %v", s, at, kind, err)
		}
	}
	f("7/15/2023 3:04 PM PDT", MonthFirst, "2023-07-15T15:04:00-07:00")
	f("11/5/2023 1:30 AM PDT", MonthFirst, "2023-11-05T01:30:00-07:00")
	f("11/5/2023 1:30 AM PST", MonthFirst, "2023-11-05T01:30:00-08:00")

	f("44941", ExcelSerial, "2023-01-15 PST")
	f("44941.5", ExcelSerial, "2023-01-15T12:00:00-08:00")
	f("44941,25", ExcelSerial, "2023-01-15T06:00:00-08:00")
	f("44941.6277777778", ExcelSerial, "2023-01-15T15:04:00-08:00")
	f("44941.0", ExcelSerial, "2023-01-15 PST")
	f("25569", ExcelSerial, "1970-01-01 PST")
	f("20000", ExcelSerial, "1954-10-03 PST")
	f("80000", ExcelSerial, "2119-01-11 PST")
	f("", ExcelSerial, "none")
	f("0000-00-00", ExcelSerial, "none")
	for _, s := range []string{"19999", "80001", "1/15/2023", "44941.", "44941.x", "44941.5.5", "-44941", "044941", "4494",
		"4.4941E+04", "44,941"} {
		f(s, ExcelSerial, BadDate)
	}

	for _, s := range []string{"x", "5", "20230331", "3/4", "3/4/", "3/4/202", "3/4/20233", "3//2023", "/4/2023", "333/4/2023", "3-4-2023",
		"2023-3-1", "2023-03-31x", "2023-03-31 ", "2023-03-31T", "2023-03-31 24:00", "2023-03-31 10:60", "2023-03-31 10:10:60",
		"3/4/2023 13:00 PM", "3/4/2023 0:10 AM", "3/4/2023 5:6", "3/4/2023 5 PM", "3/4/2023 5:06 XM", "2023-03-31T10:10:10.",
		"2023-03-31T10:10:10.1234567890", "2023-03-31T10:10:10+5", "2023-03-31T10:10:10+05:99", "20230331T1010", "20230331T10:10", "0000-01-01",
		"0/0/0000", "44927", "２/3/2023", "13/13/2023 x", "31.13.2023", "3.31.2023", "15-Foo-23", "15-Jan", "Jan-23", "Jan 32, 2023",
		"February 30, 2023", "Monarch, 15 Jan 2023", "15-Jan-2", "Jan Jan 2023", "15 15 Jan", "2023/13/1", "2023/1",
		"15-Jan-23 5", "3/4/2023 5:06 FOO",
		"3/4/2023 5:06 BST", "3/4/2023 5:06 ../zone", "3/4/2023 5:06 America/Nowhere", "2023-01-15 PST", "15.01.", "15.1.203"} {
		f(s, MonthFirst, BadDate)
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"15-Jan-23", "Sun, Jan 15, 2023, 3:04\u202fPM PST", "15.01.2023 15:04 Europe/Rome", "44941.5",
		"3/4/2023 5:06 AM", "2017-01-01T22:17:59.039+05:30", "20230331T23:59:58", "13/1/99"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, order := range []Order{MonthFirst, DayFirst, ExcelSerial} {
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

func TestParseDateDoesNotAllocate(t *testing.T) {
	for _, s := range []string{"3/4/2023", "2023-03-04 05:06:07", "3/4/2023 5:06 PM", "44941.5"} {
		cell := []byte(s)
		if n := testing.AllocsPerRun(100, func() { readDateCell(string(cell), MonthFirst, time.UTC) }); n != 0 {
			t.Errorf("%q: %v allocations", s, n)
		}
	}
}

// A date is the same whoever wrote it, in whatever form it is.
func TestDatesRoundTrip(t *testing.T) {
	zone := time.FixedZone("here", -8*60*60)
	rapid.Check(t, func(t *rapid.T) {
		day := time.Date(1970, 1, 1, 0, 0, 0, 0, zone).AddDate(0, 0, rapid.IntRange(0, 36_000).Draw(t, "day"))
		at := day.Add(time.Duration(rapid.IntRange(0, 24*60-1).Draw(t, "minute")) * time.Minute)
		for _, layout := range []string{"2-Jan-2006", "Jan 2, 2006", "January 2, 2006", "02.01.2006", "2.1.2006", "2006/01/02",
			"2006/1/2", "2006-Jan-02",
			"Mon, 2 Jan 2006", "Monday, January 2, 2006", "2 January 2006", "2. Jan 2006"} {
			text := day.Format(layout)
			if got, kind, err := ParseDate(text, MonthFirst, zone); err != nil || kind != DateOnly || !got.Equal(day) {
				t.Fatalf("%q: %v %v %v", text, got, kind, err)
			}
			for _, clock := range []string{" 15:04", " 3:04 PM", " 3:04\u202fPM", ", 15:04:05", " 15:04:05 -0700", " 15:04 here"} {
				text := at.Format(layout + clock)
				if got, kind, err := ParseDate(text, DayFirst, zone); err != nil || kind != DateTime || !got.Equal(at) {
					t.Fatalf("%q: %v %v %v, want %v", text, got, kind, err, at)
				}
			}
		}
		serial := day.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, zone)).Hours() / 24
		text := strconv.FormatFloat(serial+at.Sub(day).Hours()/24, 'f', 10, 64)
		if serial < firstSerial || serial > lastSerial {
			return
		}
		if got, _, err := ParseDate(text, ExcelSerial, zone); err != nil || !got.Equal(at) {
			t.Fatalf("%s: %v %v, want %v", text, got, err, at)
		}
	})
}
