package sheet

import (
	"strings"
	"time"

	"carryover/mapping/terms"
)

// Order is how the dates of a column are read: which number of 3/4/2023 comes first, or that
// they are numbers of days.
type Order uint8

const (
	MonthFirst Order = iota
	DayFirst
	ExcelSerial // 44941 or 44941.5: days since the last one of 1899, as Excel for Windows counts
)

// String returns the name that config, decisions and reports use.
func (o Order) String() string {
	switch o {
	case DayFirst:
		return "day_first"
	case ExcelSerial:
		return "excel_serial"
	}
	return "month_first"
}

// DateKind says what a date cell held.
type DateKind uint8

const (
	NoDate   DateKind = iota // blank, or 0000-00-00 with whatever follows
	DateOnly                 // a day
	DateTime                 // a day and a time
)

// ParseDate reads M/D/YYYY, M/D/YY, D.M.YYYY, YYYY-MM-DD, YYYY/M/D, D-Mon-YY, D Month YYYY and
// Month D, YYYY (each alone, or followed by a blank, a comma or T and h:mm[:ss] AM or
// HH:MM[:SS[.fff]], and by the name of a zone), YYYYMMDDTHH:MM:SS and RFC 3339, or in a column of
// [ExcelSerial] the number of a day from 20000 to 80000 and its fraction. Names of months and
// days are those of the languages of Keap's users. Two-digit years from 69 on are of the last
// century. A text without a zone is read in loc. The error is a [CellError] with the reason
// bad_date.
func ParseDate(s string, order Order, loc *time.Location) (time.Time, DateKind, error) {
	var p dateParts
	var kind DateKind
	var ok bool
	if order == ExcelSerial {
		p, kind, ok = readSerial(s)
	} else {
		p, kind, ok = readDate(s)
	}
	if ok && kind == NoDate {
		return time.Time{}, NoDate, nil
	}
	if ok && p.fits(order) {
		if t, known := p.time(order, loc); known {
			return t, kind, nil
		}
		return time.Time{}, NoDate, errUnknownZone
	}
	return time.Time{}, NoDate, errBadDate
}

var (
	errBadDate error = &CellError{BadDate,
		"write the date as 2023-03-31 or, in the order of its column, as 3/31/2023; if the whole column is day first, say so in the config"}
	errUnknownZone error = &CellError{BadDate,
		"the zone of the time has no one meaning; write its offset, as in 2023-03-31T23:59:00-07:00, or leave it out for the program's zone"}
)

// dateParts is a date as written. With slash set, first and second are the two numbers
// before the year, in an order that only the column knows.
type dateParts struct {
	slash                 bool
	year, first, second   int // the month and the day unless slash is set
	hour, min, sec, nanos int
	zoned                 bool
	offset                int    // seconds east of UTC
	zone                  string // the name of the zone, where there is one and no offset
}

func (p *dateParts) monthDay(order Order) (month, day int) {
	if p.slash && order == DayFirst {
		return p.second, p.first
	}
	return p.first, p.second
}

// fits says whether there is such a day when the numbers are read in that order.
func (p *dateParts) fits(order Order) bool {
	month, day := p.monthDay(order)
	return p.year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(p.year, month)
}

// time is the instant of a date that fits. ok is false for a zone that nobody knows.
func (p *dateParts) time(order Order, loc *time.Location) (at time.Time, ok bool) {
	month, day := p.monthDay(order)
	if p.zone != "" {
		if loc, ok = p.location(month, day, loc); !ok {
			return time.Time{}, false
		}
	}
	if p.zoned {
		t := time.Date(p.year, time.Month(month), day, p.hour, p.min, p.sec, p.nanos, time.UTC)
		return t.Add(-time.Duration(p.offset) * time.Second), true
	}
	t := time.Date(p.year, time.Month(month), day, p.hour, p.min, p.sec, p.nanos, loc)
	if t.Day() != day { // clocks were put on at midnight
		t = terms.DayStart(p.year, time.Month(month), day, loc)
	}
	return t, true
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

func isNoDate(s string) bool { return s == "" || strings.HasPrefix(s, "0000-00-00") }

// readDate takes a text apart; whether there is such a day is left to fits.
func readDate(s string) (p dateParts, kind DateKind, ok bool) {
	if isNoDate(s) {
		return p, NoDate, true
	}
	if !isASCII(s) {
		s = asciiDate(s)
	}
	digits := 0
	for digits < len(s) && '0' <= s[digits] && s[digits] <= '9' {
		digits++
	}
	rest := ""
	switch {
	case digits == len(s):
		return p, NoDate, false
	case (digits == 1 || digits == 2) && s[digits] == '.':
		if rest, ok = p.readDotted(s, digits); ok {
			break
		}
		if rest, ok = p.readNamedMonth(s); !ok {
			return p, NoDate, false
		}
	case (digits == 1 || digits == 2) && s[digits] == '/':
		p.slash = true
		var n int
		p.first = digitsValue(s[:digits])
		if p.second, n = leadingDigits(s[digits+1:], 2); n == 0 {
			if rest, ok = p.readNamedMonth(s); !ok {
				return p, NoDate, false
			}
			p.slash = false
			break
		}
		rest = s[digits+1+n:]
		if rest == "" || rest[0] != '/' {
			return p, NoDate, false
		}
		if rest, ok = p.readYear(rest[1:]); !ok {
			return p, NoDate, false
		}
	case digits == 4 && s[4] == '/':
		if rest, ok = p.readYearFirst(s); !ok {
			return p, NoDate, false
		}
	case digits == 4 && s[4] == '-' && len(s) > 5 && isLetter(s[5]):
		if rest, ok = p.readNamedMonth(s); !ok {
			return p, NoDate, false
		}
	case digits == 4 && s[4] == '-':
		if len(s) < 10 || s[7] != '-' || !allDigits(s[5:7]) || !allDigits(s[8:10]) {
			return p, NoDate, false
		}
		p.year, p.first, p.second, rest = digitsValue(s[:4]), digitsValue(s[5:7]), digitsValue(s[8:10]), s[10:]
	case digits == 8 && s[8] == 'T':
		p.year, p.first, p.second, rest = digitsValue(s[:4]), digitsValue(s[4:6]), digitsValue(s[6:8]), s[8:]
		if len(rest) < len("T00:00:00") || rest[6] != ':' {
			return p, NoDate, false
		}
	case digits <= 2:
		if rest, ok = p.readNamedMonth(s); !ok {
			return p, NoDate, false
		}
	default:
		return p, NoDate, false
	}
	if rest == "" {
		return p, DateOnly, true
	}
	return p, DateTime, p.readClock(rest)
}

// readYear reads the year that s begins with, of two or four digits.
func (p *dateParts) readYear(s string) (rest string, ok bool) {
	year, n := leadingDigits(s, 4)
	return s[n:], p.setYear(year, n)
}

// setYear takes over a year of so many digits.
func (p *dateParts) setYear(year, digits int) bool {
	switch {
	case digits == 2 && year >= 69:
		year += 1900
	case digits == 2:
		year += 2000
	case digits != 4:
		return false
	}
	p.year = year
	return true
}

// readDotted reads D.M.YYYY, of whose day digits is the length.
func (p *dateParts) readDotted(s string, digits int) (rest string, ok bool) {
	month, n := leadingDigits(s[digits+1:], 2)
	if n == 0 || digits+1+n >= len(s) || s[digits+1+n] != '.' {
		return "", false
	}
	p.first, p.second = month, digitsValue(s[:digits])
	return p.readYear(strings.TrimLeft(s[digits+2+n:], " "))
}

// readYearFirst reads YYYY/M/D.
func (p *dateParts) readYearFirst(s string) (rest string, ok bool) {
	p.year = digitsValue(s[:4])
	month, n := leadingDigits(s[5:], 2)
	if n == 0 || 5+n >= len(s) || s[5+n] != '/' {
		return "", false
	}
	day, m := leadingDigits(s[6+n:], 2)
	p.first, p.second = month, day
	return s[6+n+m:], m > 0
}

func allDigits[S string | []byte](s S) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// digitsValue reads a text of a few digits.
func digitsValue(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// leadingDigits reads the digits that s begins with; more than most are no number.
func leadingDigits(s string, most int) (value, n int) {
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	if n > most {
		return 0, 0
	}
	return digitsValue(s[:n]), n
}
