package program

import (
	"fmt"
	"time"
)

// Month is a month of the calendar: 202303 is March 2023.
type Month int32

// MonthOf is the month that t lies in, in a zone.
func MonthOf(t time.Time, zone *time.Location) Month {
	year, month, _ := t.In(zone).Date()
	return Month(year*100 + int(month))
}

// Add is the month n months later; earlier when n is below 0.
func (m Month) Add(n int) Month {
	months := int(m)/100*12 + int(m)%100 - 1 + n
	return Month(months/12*100 + months%12 + 1)
}

// String is how people write it: 2023-03.
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m/100, m%100) }
