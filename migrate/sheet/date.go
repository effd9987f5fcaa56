package sheet

import (
	"strings"
	"time"

	"carryover/mapping/terms"
)

// Order is which number of 3/4/2023 comes first.
type Order uint8

const (
	MonthFirst Order = iota
	DayFirst
)

// String returns the name that config, decisions and reports use.
func (o Order) String() string {
	if o == DayFirst {
		return "day_first"
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

// ParseDate reads M/D/YYYY, M/D/YY, YYYY-MM-DD (each alone, or followed by a blank
// or T and h:mm[:ss] AM or HH:MM[:SS[.fff]]), YYYYMMDDTHH:MM:SS and RFC 3339. Two-digit
// years from 69 on are of the last century. A text without a zone is read in loc.
// The error is a [CellError] with the reason bad_date.
func ParseDate(s string, order Order, loc *time.Location) (time.Time, DateKind, error) {
	p, kind, ok := readDate(s)
	if ok && kind == NoDate {
		return time.Time{}, NoDate, nil
	}
	if ok {
		ok = p.fits(order)
	}
	if !ok {
		return time.Time{}, NoDate, errBadDate
	}
	return p.time(order, loc), kind, nil
}

var errBadDate error = &CellError{BadDate,
	"write the date as 2023-03-31 or, in the order of its column, as 3/31/2023; if the whole column is day first, say so in the config"}

// dateParts is a date as written. With slash set, first and second are the two numbers
// before the year, in an order that only the column knows.
type dateParts struct {
	slash                 bool
	year, first, second   int // the month and the day unless slash is set
	hour, min, sec, nanos int
	zoned                 bool
	offset                int // seconds east of UTC
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

func (p *dateParts) time(order Order, loc *time.Location) time.Time {
	month, day := p.monthDay(order)
	if p.zoned {
		t := time.Date(p.year, time.Month(month), day, p.hour, p.min, p.sec, p.nanos, time.UTC)
		return t.Add(-time.Duration(p.offset) * time.Second)
	}
	t := time.Date(p.year, time.Month(month), day, p.hour, p.min, p.sec, p.nanos, loc)
	if t.Day() != day { // clocks were put on at midnight
		t = terms.DayStart(p.year, time.Month(month), day, loc)
	}
	return t
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

// readDate takes a text apart; whether there is such a day is left to fits.
func readDate(s string) (p dateParts, kind DateKind, ok bool) {
	if s == "" || strings.HasPrefix(s, "0000-00-00") {
		return p, NoDate, true
	}
	digits := 0
	for digits < len(s) && '0' <= s[digits] && s[digits] <= '9' {
		digits++
	}
	rest := ""
	switch {
	case digits == len(s):
		return p, NoDate, false
	case (digits == 1 || digits == 2) && s[digits] == '/':
		p.slash = true
		var n int
		p.first = digitsValue(s[:digits])
		if p.second, n = leadingDigits(s[digits+1:], 2); n == 0 {
			return p, NoDate, false
		}
		rest = s[digits+1+n:]
		if rest == "" || rest[0] != '/' {
			return p, NoDate, false
		}
		p.year, n = leadingDigits(rest[1:], 4)
		rest = rest[1+n:]
		switch {
		case n == 2 && p.year >= 69:
			p.year += 1900
		case n == 2:
			p.year += 2000
		case n != 4:
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
	default:
		return p, NoDate, false
	}
	if rest == "" {
		return p, DateOnly, true
	}
	return p, DateTime, p.readClock(rest)
}

// readClock reads what follows the day: a blank or T, a time, and AM, PM or a zone.
func (p *dateParts) readClock(s string) bool {
	switch {
	case s[0] == 'T' || s[0] == 't':
		s = s[1:]
	case s[0] == ' ':
		s = strings.TrimLeft(s, " ")
	default:
		return false
	}
	var n int
	if p.hour, n = leadingDigits(s, 2); n == 0 || len(s) < n+3 || s[n] != ':' || !allDigits(s[n+1:n+3]) {
		return false
	}
	p.min, s = digitsValue(s[n+1:n+3]), s[n+3:]
	if len(s) >= 3 && s[0] == ':' && allDigits(s[1:3]) {
		p.sec, s = digitsValue(s[1:3]), s[3:]
		if len(s) > 1 && s[0] == '.' {
			var ok bool
			if s, ok = p.readFraction(s[1:]); !ok {
				return false
			}
		}
	}
	if p.min > 59 || p.sec > 59 {
		return false
	}
	if half := strings.TrimLeft(s, " "); strings.EqualFold(half, "AM") || strings.EqualFold(half, "PM") {
		if p.hour < 1 || p.hour > 12 {
			return false
		}
		p.hour %= 12
		if half[0] == 'P' || half[0] == 'p' {
			p.hour += 12
		}
		return true
	}
	return p.hour <= 23 && (s == "" || p.readZone(s))
}

func (p *dateParts) readFraction(s string) (string, bool) {
	scale := 100_000_000
	i := 0
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		p.nanos += int(s[i]-'0') * scale
		scale /= 10
	}
	return s[i:], i >= 1 && i <= 9
}

// readZone reads Z, +hh:mm or +hhmm, which only dates that begin with the year carry.
func (p *dateParts) readZone(s string) bool {
	if p.slash {
		return false
	}
	p.zoned = true
	if s == "Z" || s == "z" {
		return true
	}
	if len(s) == 6 && s[3] == ':' {
		s = s[:3] + s[4:]
	}
	if len(s) != 5 || s[0] != '+' && s[0] != '-' || !allDigits(s[1:]) {
		return false
	}
	hours, minutes := digitsValue(s[1:3]), digitsValue(s[3:5])
	p.offset = hours*3600 + minutes*60
	if s[0] == '-' {
		p.offset = -p.offset
	}
	return hours <= 23 && minutes <= 59
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
