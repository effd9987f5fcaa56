package terms

import (
	"cmp"
	"maps"
	"slices"
)

// Account is what one promoter has earned, lost and been paid in one currency; minor units.
type Account struct {
	Earned         []Earning  // commissions, in any order
	CarriedForward []Earning  // opening balances, and differences that a person accepted
	Reversals      []Reversal // refunds, clawbacks and denials
	Flagged        []Earning  // of Earned, less reversals: what a person has not looked at yet
	Paid           int64      // less payments that came back
	Approved       int64      // in approved batches, and neither paid nor failed yet
}

// Reversal takes back from what was earned in a month.
type Reversal struct {
	Month  Month // of what was earned; where that is not known see [Account.AllocateUnmatched]
	Amount int64 // below 0
	New    int64 // of Amount: what was booked since the last batch
}

// Due is what a promoter is owed by the payouts of a month; minor units. Amount is the sum
// of the three columns.
type Due struct {
	Amount  int64
	Gross   int64   // commissions of the last month that is paid
	Refunds int64   // 0 or less: reversals of that month, and of others since the last batch
	Carried int64   // rolled forward from before; below 0: debts, or payments ahead of time
	Months  []Month // of earning whose money is in it, ascending; empty where Amount is not above 0
	Flagged int64   // beside Amount: what is due once a person accepts it
}

// Total is everything that is due.
func (d *Due) Total() int64 { return d.Amount + d.Flagged }

// AmountDue is what the payouts of a month owe an account: all that was earned through its
// [Config.LastEarningMonth], less all that was ever paid or is in approved batches. A reversal
// counts with the month of what it takes back: inside the hold it cancels, after the payment
// it makes a debt.
//
// What is flagged stands apart, so that the rest can be paid. Where the rest alone would be
// nothing or a debt there is one amount: all of it flagged if it is above 0.
func (t Config) AmountDue(payout Month, a *Account) Due {
	last := t.LastEarningMonth(payout)
	months := map[Month]int64{}
	var d Due
	for _, e := range a.Earned {
		if e.Month > last {
			continue
		}
		months[e.Month] += e.Amount
		if e.Month == last {
			d.Gross += e.Amount
		} else {
			d.Carried += e.Amount
		}
	}
	for _, e := range a.CarriedForward {
		if e.Month <= last {
			months[e.Month] += e.Amount
			d.Carried += e.Amount
		}
	}
	for _, r := range a.Reversals {
		if r.Month > last {
			continue
		}
		recent := r.New
		if r.Month == last {
			recent = r.Amount
		}
		d.Refunds += recent
		d.Carried += r.Amount - recent
		months[r.Month] += r.Amount
	}
	d.Carried -= a.Paid + a.Approved
	total := d.Gross + d.Refunds + d.Carried
	flagged := map[Month]int64{}
	for _, e := range a.Flagged {
		if e.Month <= last && e.Amount > 0 {
			flagged[e.Month] += e.Amount
			d.Flagged += e.Amount
		}
	}
	switch {
	case total <= 0:
		d.Flagged = 0
	case d.Flagged >= total: // debts take from what is flagged
		return Due{Flagged: total}
	default:
		for month, amount := range flagged {
			months[month] -= amount
			if month == last {
				d.Gross -= amount
			} else {
				d.Carried -= amount
			}
		}
	}
	d.Amount = total - d.Flagged
	if d.Amount > 0 {
		d.Months = openMonths(months, a.Paid+a.Approved)
	}
	return d
}

// openMonths lists the months of which something is open once paid is taken from them.
func openMonths(amounts map[Month]int64, paid int64) (months []Month) {
	earnings := make([]Earning, 0, len(amounts))
	for _, m := range slices.Sorted(maps.Keys(amounts)) {
		earnings = append(earnings, Earning{m, amounts[m]})
	}
	for _, e := range OpenBalances(earnings, paid) {
		months = append(months, e.Month)
	}
	return months
}

// AllocateUnmatched adds reversals of which nobody knows what they take back, such as Keap's
// clawbacks; Month is when each was booked. Refunds come soon, so each takes back what was
// earned last and is not taken back yet, from its own month backwards. What finds nothing
// stays in its own month, a debt. So does [OpenBalances], which tells no month's reversals.
// The reversals that a holds already come first.
func (a *Account) AllocateUnmatched(unmatched []Reversal) {
	remaining := map[Month]int64{}
	for _, e := range slices.Concat(a.Earned, a.CarriedForward) {
		remaining[e.Month] += e.Amount
	}
	for _, r := range a.Reversals {
		remaining[r.Month] += r.Amount
	}
	latestFirst := slices.Sorted(maps.Keys(remaining))
	slices.Reverse(latestFirst)
	reverse := func(booked Month, amount int64, isNew bool) {
		add := func(month Month, part int64) {
			r := Reversal{Month: month, Amount: -part}
			if isNew {
				r.New = r.Amount
			}
			a.Reversals = append(a.Reversals, r)
		}
		for _, m := range latestFirst {
			if part := min(remaining[m], amount); m <= booked && part > 0 {
				remaining[m] -= part
				amount -= part
				add(m, part)
			}
		}
		if amount > 0 {
			add(booked, amount)
		}
	}
	slices.SortStableFunc(unmatched, func(x, y Reversal) int { return cmp.Compare(x.Month, y.Month) })
	for _, r := range unmatched {
		reverse(r.Month, r.New-r.Amount, false)
		reverse(r.Month, -r.New, true)
	}
}
