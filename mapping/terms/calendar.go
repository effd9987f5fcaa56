package terms

import (
	"fmt"
	"time"
)

// Month is a month of a year: 202303 is March 2023.
type Month int32

// MonthOf is the month that t lies in, in a zone.
func MonthOf(t time.Time, zone *time.Location) Month {
	year, month, _ := t.In(zone).Date()
	return Month(year*100 + int(month))
}

// ParseMonth reads a month as people write it: 2023-03.
func ParseMonth(s string) (Month, bool) {
	t, err := time.Parse("2006-01", s)
	if err != nil || t.Year() < 1000 {
		return 0, false
	}
	return MonthOf(t, time.UTC), true
}

// Add is the month n months later; earlier when n is below 0.
func (m Month) Add(n int) Month {
	months := int(m)/100*12 + int(m)%100 - 1 + n
	return Month(months/12*100 + months%12 + 1)
}

// Date splits a month into year and month of the year.
func (m Month) Date() (year int, month time.Month) { return int(m) / 100, time.Month(int(m) % 100) }

// Days is the number of days in the month.
func (m Month) Days() int {
	year, month := m.Date()
	return time.Date(year, month+1, 0, 12, 0, 0, 0, time.UTC).Day()
}

// String writes a month as people do: 2023-03.
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m/100, m%100) }

// YearSpan is a year in a zone: from its first instant to the first after it, Unix seconds.
func YearSpan(year int, zone *time.Location) (from, to int64) {
	return DayStart(year, time.January, 1, zone).Unix(), DayStart(year+1, time.January, 1, zone).Unix()
}

// DayStart is the first instant of a day in a zone. Where clocks are put on at midnight the
// day begins later than at 0:00.
func DayStart(year int, month time.Month, day int, zone *time.Location) time.Time {
	noon := time.Date(year, month, day, 12, 0, 0, 0, zone) // normalizes 2023-02-29
	year, month, day = noon.Date()
	start := time.Date(year, month, day, 0, 0, 0, 0, zone)
	for start.Day() != day { // 0:00 does not exist: it was read as the hour before
		start = start.Add(15 * time.Minute)
	}
	return start
}
