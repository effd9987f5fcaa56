package terms

import (
	"slices"
	"time"
)

// A commission is payable from the payout days of its payout month on: the month after the
// hold, which is [Config.HoldMonths] months after the one of earning. It is paid then unless
// there is a [HoldReason]; what is not paid rolls forward to the next month's payouts.

// CountsAt is when an event counts that happened at an instant and was told at another, Unix
// seconds: when it happened or, where it was told so much later that another month had begun,
// when it was told. What is dated back would otherwise be paid before anybody could look at it,
// and change the months that were closed. dated reports that it is so.
func CountsAt(at, told int64, zone *time.Location) (counts int64, dated bool) {
	if told-at > ClockSkew && MonthOf(time.Unix(at, 0), zone) != MonthOf(time.Unix(told, 0), zone) {
		return told, true
	}
	return at, false
}

// OnHold reports whether what was earned in one month is still held in another.
func (t Config) OnHold(earned, on Month) bool { return on <= earned.Add(t.HoldMonths) }

// PayoutMonth is the month whose payouts are the first to pay what was earned in a month: what
// was earned in January and held through February is paid in March.
func (t Config) PayoutMonth(earned Month) Month { return earned.Add(1 + t.HoldMonths) }

// LastEarningMonth is the last month of earning that the payouts of a month pay.
func (t Config) LastEarningMonth(payout Month) Month { return payout.Add(-1 - t.HoldMonths) }

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

// HoldReason says why an amount is not paid out.
type HoldReason string

// Reasons, in the order in which they weigh.
const (
	HoldCurrency = HoldReason("currency")         // it is not in the program's currency
	HoldNegative = HoldReason("negative")         // it is a debt, which later earnings fill
	HoldBlocked  = HoldReason("blocked")          // the promoter is blocked
	HoldFlagged  = HoldReason("flagged")          // a person must look at the commissions first
	HoldMinimum  = HoldReason("below_minimum")    // it rolls forward until enough has come together
	HoldNoW9     = HoldReason("no_w9")            // the form is not on file
	HoldNoMethod = HoldReason("no_payout_method") // how to pay, or where to, is not known
)

// Eligibility is what payouts ask of a promoter.
type Eligibility struct {
	Blocked         bool
	W9OnFile        bool
	PayoutMethod    bool // how and where to pay is known
	ForeignCurrency bool // the amounts are not in the program's currency
}

// HeldPayout is an amount that is not paid out.
type HeldPayout struct {
	Amount  int64
	Reasons []HoldReason // all that apply, the weightiest first
}

// SplitPayable splits what is due: payable is d without what is flagged if d.Amount can be paid
// out, and 0 otherwise. What is payable and what is held sum to d.Total(); no amount that is
// held is 0.
func (t Config) SplitPayable(d Due, e Eligibility) (payable Due, held []HeldPayout) {
	if d.Flagged != 0 {
		held = append(held, HeldPayout{d.Flagged, t.holdReasons(&d, e, true)})
	}
	if d.Amount == 0 {
		return Due{}, held
	}
	if reasons := t.holdReasons(&d, e, false); len(reasons) > 0 {
		return Due{}, append(held, HeldPayout{d.Amount, reasons})
	}
	payable = d
	payable.Flagged = 0
	return payable, held
}

// holdReasons lists what speaks against paying what is due: of its flagged part, or of the
// rest.
func (t Config) holdReasons(d *Due, e Eligibility, flagged bool) (reasons []HoldReason) {
	debt := d.Total() < 0
	for _, r := range []struct {
		applies bool
		HoldReason
	}{
		{e.ForeignCurrency, HoldCurrency},
		{debt, HoldNegative},
		{e.Blocked, HoldBlocked},
		{flagged, HoldFlagged},
		{!flagged && !debt && !e.ForeignCurrency && d.Amount < t.Minimum, HoldMinimum},
		{!debt && !e.W9OnFile && slices.Contains(t.Requires, RequireW9), HoldNoW9},
		{!debt && !e.PayoutMethod, HoldNoMethod},
	} {
		if r.applies {
			reasons = append(reasons, r.HoldReason)
		}
	}
	return reasons
}
