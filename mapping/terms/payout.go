package terms

import "time"

// LastEarningMonth is the last month of earning that the payouts of a month pay: what was
// earned in January and held through February is paid in March.
func (t Config) LastEarningMonth(payout Month) Month { return payout.Add(-1 - t.HoldMonths) }

// PayoutMonth is the month whose payouts are the first to pay what was earned in a month.
func (t Config) PayoutMonth(earned Month) Month { return earned.Add(1 + t.HoldMonths) }

// PayoutWindow is when the payouts of a month are made, in the program's zone: from the first
// instant of the first day to the first instant after the last one. A day that a short
// month does not have is its last day.
func (t Config) PayoutWindow(payout Month, zone *time.Location) (from, to time.Time) {
	first, last := t.PayoutDays(payout)
	year, month := payout.Date()
	return DayStart(year, month, first, zone), DayStart(year, month, last+1, zone)
}

// PayoutDays are the first and the last day of the payouts of a month.
func (t Config) PayoutDays(payout Month) (first, last int) {
	days := payout.Days()
	return min(t.PayoutFirstDay, days), min(t.PayoutLastDay, days)
}

// Date is the year and the month of the calendar.
func (m Month) Date() (year int, month time.Month) { return int(m) / 100, time.Month(int(m) % 100) }

// Days is how many days the month has.
func (m Month) Days() int {
	year, month := m.Date()
	return time.Date(year, month+1, 0, 12, 0, 0, 0, time.UTC).Day()
}

// ParseMonth reads a month as people write it: 2023-03.
func ParseMonth(s string) (Month, bool) {
	t, err := time.Parse("2006-01", s)
	if err != nil || t.Year() < 1000 {
		return 0, false
	}
	return MonthOf(t, time.UTC), true
}
