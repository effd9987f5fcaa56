package terms

import (
	"errors"
	"maps"
	"slices"
)

// Account is what one promoter has come to in one currency, as payouts see it; minor units.
type Account struct {
	Earned         []Earning  // commissions, in any order
	CarriedForward []Earning  // what was there before: openings, and differences that a person accepted
	Reversals      []Reversal // refunds and whatever else takes back
	Flagged        []Earning  // of Earned, less what was taken back: what a person has not looked at yet
	Paid           int64      // what came back deducted
	Approved       int64      // approved, and neither paid nor failed yet
}

// Reversal is what takes back from what was earned in a month.
type Reversal struct {
	Month  Month // of what was earned; where that is not known see [Account.AllocateUnmatched]
	Amount int64 // below 0
	New    int64 // of Amount: what was booked since the last run
}

// Due is what a promoter is owed by the payouts of a month; minor units. Amount is the sum
// of the three columns.
type Due struct {
	Amount  int64
	Gross   int64   // commissions of the last month that is paid
	Refunds int64   // 0 or less: taken back from that month, or since the last run
	Carried int64   // rolled forward from before; below 0: debts, or payments ahead of time
	Months  []Month // of earning whose money is in it, ascending; empty where Amount is not above 0
	Flagged int64   // beside Amount: what is due once a person accepts it
}

// Total is everything that is due.
func (d *Due) Total() int64 { return d.Amount + d.Flagged }

// AmountDue is what an account is owed by the payouts of a month: all that was earned through
// [Config.LastEarningMonth] of it, less all that was ever paid or is in approved runs. A taking
// counts with the month of what it takes back: inside the hold it cancels, after the
// payment it makes a debt.
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
	for _, k := range a.Reversals {
		if k.Month > last {
			continue
		}
		fresh := k.New
		if k.Month == last {
			fresh = k.Amount
		}
		d.Refunds += fresh
		d.Carried += k.Amount - fresh
		months[k.Month] += k.Amount
	}
	d.Carried -= a.Paid + a.Approved
	whole := d.Gross + d.Refunds + d.Carried
	flagged := map[Month]int64{}
	for _, e := range a.Flagged {
		if e.Month <= last && e.Amount > 0 {
			flagged[e.Month] += e.Amount
			d.Flagged += e.Amount
		}
	}
	switch {
	case whole <= 0:
		d.Flagged = 0
	case d.Flagged >= whole: // debts take from what is flagged
		return Due{Flagged: whole}
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
	d.Amount = whole - d.Flagged
	if d.Amount > 0 {
		d.Months = openMonths(months, a.Paid+a.Approved)
	}
	return d
}

// openMonths are the months in which something is open.
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

// HoldReason says why an amount is not paid out.
type HoldReason string

const (
	HoldCurrency = HoldReason("currency")         // not the program's
	HoldNegative = HoldReason("negative")         // a debt, which later earnings fill
	HoldBlocked  = HoldReason("blocked")          // the promoter is
	HoldFlagged  = HoldReason("flagged")          // a person must look at the commissions first
	HoldMinimum  = HoldReason("below_minimum")    // it rolls forward until enough has come together
	HoldNoW9     = HoldReason("no_w9")            // the form is not on file
	HoldNoMethod = HoldReason("no_payout_method") // how to pay, or where to, is not known
)

// Eligibility is what payouts ask of a promoter.
type Eligibility struct {
	Blocked         bool
	W9OnFile        bool
	PayoutMethod    bool // how and where to is known
	ForeignCurrency bool // the amounts are not in the program's currency
}

// HeldPayout is an amount that is not paid out.
type HeldPayout struct {
	Amount  int64
	Reasons []HoldReason // all that apply; the first is the one to tell
}

// SplitPayable parts what is due: payable is d without what is flagged if d.Amount can be paid
// out, and 0 otherwise. What is payable and what is held sum to d.Whole(); nothing is 0.
func (t Config) SplitPayable(d Due, p Eligibility) (payable Due, held []HeldPayout) {
	owes := d.Total() < 0
	first := applying{{p.ForeignCurrency, HoldCurrency}, {owes, HoldNegative}, {p.Blocked, HoldBlocked}}
	last := applying{{!owes && !p.W9OnFile && slices.Contains(t.Requires, RequireW9), HoldNoW9}, {!owes && !p.PayoutMethod, HoldNoMethod}}
	if d.Flagged != 0 {
		held = append(held, HeldPayout{d.Flagged, slices.Concat(first, applying{{true, HoldFlagged}}, last).reasons()})
	}
	if d.Amount == 0 {
		return Due{}, held
	}
	short := !p.ForeignCurrency && !owes && d.Amount < t.Minimum
	reasons := slices.Concat(first, applying{{short, HoldMinimum}}, last).reasons()
	if len(reasons) > 0 {
		return Due{}, append(held, HeldPayout{d.Amount, reasons})
	}
	payable = d
	payable.Flagged = 0
	return payable, held
}

// applying are reasons, and whether each of them applies.
type applying []struct {
	yes bool
	HoldReason
}

func (all applying) reasons() (list []HoldReason) {
	for _, a := range all {
		if a.yes {
			list = append(list, a.HoldReason)
		}
	}
	return list
}

// ErrUnbalanced says that payouts and the ledger do not agree. It is a mistake of the
// program, and nothing may be paid then.
var ErrUnbalanced = errors.New("payouts do not sum to the ledger")
