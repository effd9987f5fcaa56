package terms

import (
	"cmp"
	"slices"
)

// Earning is what was earned in a month, less what was reversed in it; minor units.
type Earning struct {
	Month  Month
	Amount int64
}

// OpenBalances is what is still owed, by the month in which it was earned. earnings ascend by
// month; paid is the sum of all payments, below 0 when more came back than went out.
//
// A month below 0 is one of refunds. Refunds come soon, so they take back what was earned
// last, from their own month backwards. Payments fill the oldest months first. What neither
// finds is taken from the months after it; where they do not suffice, the rest stands as
// one negative amount in the last month. Months in which nothing is open are left out. The
// amounts always sum to the earnings less paid; without earnings that is one amount in
// month 0.
func OpenBalances(earnings []Earning, paid int64) []Earning {
	var open []Earning
	last, debt := Month(0), int64(0) // debt: to be taken from later months
	if paid < 0 {
		debt = paid
	}
	for _, e := range earnings {
		last = e.Month
		amount := e.Amount - debt
		for debt = 0; amount < 0 && len(open) > 0; {
			newest := &open[len(open)-1]
			part := min(newest.Amount, -amount)
			newest.Amount -= part
			if amount += part; newest.Amount == 0 {
				open = open[:len(open)-1]
			}
		}
		switch {
		case amount > 0:
			open = append(open, Earning{e.Month, amount})
		case amount < 0:
			debt = -amount
		}
	}
	for paid = max(paid, 0); paid > 0 && len(open) > 0; {
		part := min(open[0].Amount, paid)
		open[0].Amount -= part
		if paid -= part; open[0].Amount == 0 {
			open = open[1:]
		}
	}
	if rest := debt + paid; rest != 0 { // nothing is open
		open = append(open, Earning{last, -rest})
	}
	return open
}

// HeldAmount is the part of a balance that is still held in a month: of entries in any order,
// less what was paid. Nothing of a debt is held. It overwrites entries.
func (t Config) HeldAmount(entries []Earning, paid int64, on Month) int64 {
	slices.SortFunc(entries, func(a, b Earning) int { return cmp.Compare(a.Month, b.Month) })
	months := entries[:0]
	for _, e := range entries {
		if n := len(months); n > 0 && months[n-1].Month == e.Month {
			months[n-1].Amount += e.Amount
		} else {
			months = append(months, e)
		}
	}
	held := int64(0)
	for _, e := range OpenBalances(months, paid) {
		if e.Amount > 0 && t.OnHold(e.Month, on) {
			held += e.Amount
		}
	}
	return held
}
