package terms

import (
	"cmp"
	"slices"
)

// Config are what the program promises its promoters.
type Config struct {
	MembershipPercent Percent // of every payment for a membership
	TrainingPercent   Percent // of a training
	HoldMonths        int     // months after the one of earning in which refunds still cancel
	PayoutFirstDay    int     // day of the month on which payouts begin
	PayoutLastDay     int     // and end
	Minimum           int64   // minor units; less is not paid out yet
	Requires          []string
	RateChanges       []RateChange // of the two percentages, from dates on
	TrainingEverySale bool         // each sale of a training earns, not only the first one of a customer
}

// What Terms.Requires may hold: what a promoter must have handed in to be paid.
const (
	RequireW9           = "w9"
	RequirePayoutMethod = "payout_method"
)

// DefaultConfig are those of a program that says nothing else: 25% of memberships and 50% of
// trainings, held through the month after the one of earning, paid from the 10th to the 15th
// once 25.00 has come together and the promoter has handed in a W-9 and a payout method.
func DefaultConfig() Config {
	return Config{
		MembershipPercent: 25 * percentUnit,
		TrainingPercent:   50 * percentUnit,
		HoldMonths:        1,
		PayoutFirstDay:    10,
		PayoutLastDay:     15,
		Minimum:           2500,
		Requires:          []string{RequireW9, RequirePayoutMethod},
	}
}

// OnHold says whether what was earned in one month is still held in another.
func (t Config) OnHold(earned, on Month) bool { return on <= earned.Add(t.HoldMonths) }

// Earning is what was earned in a month, less what was taken back in it; minor units.
type Earning struct {
	Month  Month
	Amount int64
}

// OpenBalances is what is still owed, by the month in which it was earned. earnings ascend by
// month and paid is the sum of all payments, below 0 when more came back than went out.
//
// A month below 0 is one of refunds: they take back what was earned last, for refunds
// come soon, from its own month backwards. Payments fill the oldest months first. What
// neither finds is taken from the months after it; where they do not suffice, the rest
// stands as one negative amount in the last month. Months in which nothing is open are
// left out. The amounts sum to the earnings less paid, always; without any earnings that
// is one amount in month 0.
func OpenBalances(earnings []Earning, paid int64) []Earning {
	var open []Earning
	last, owed := Month(0), int64(0) // owed: to be taken from what comes
	if paid < 0 {
		owed = paid
	}
	for _, e := range earnings {
		last = e.Month
		amount := e.Amount - owed
		for owed = 0; amount < 0 && len(open) > 0; {
			newest := &open[len(open)-1]
			taken := min(newest.Amount, -amount)
			newest.Amount -= taken
			if amount += taken; newest.Amount == 0 {
				open = open[:len(open)-1]
			}
		}
		switch {
		case amount > 0:
			open = append(open, Earning{e.Month, amount})
		case amount < 0:
			owed = -amount
		}
	}
	for paid = max(paid, 0); paid > 0 && len(open) > 0; {
		taken := min(open[0].Amount, paid)
		open[0].Amount -= taken
		if paid -= taken; open[0].Amount == 0 {
			open = open[1:]
		}
	}
	if rest := owed + paid; rest != 0 { // nothing is open
		open = append(open, Earning{last, -rest})
	}
	return open
}

// HeldAmount is the part of a balance that is still held in a month: of entries in any order,
// less what was paid. Who owes has nothing held. entries is used up.
func HeldAmount(t Config, entries []Earning, paid int64, on Month) int64 {
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
