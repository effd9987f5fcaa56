package terms

import (
	"cmp"
	"slices"
)

// AllocateUnmatched books takings of which nobody knows what they take back from, such as Keap's
// clawbacks; Month is when each was booked. Refunds come soon: each takes back what was
// earned last and is not taken back yet, from its own month backwards. What finds nothing
// stays in its own month, a debt. It does what [OpenBalances] does to months, and keeps account of it.
// What a.Takings holds by then is known.
func (a *Account) AllocateUnmatched(unknown []Reversal) {
	left := map[Month]int64{}
	for _, e := range slices.Concat(a.Earned, a.CarriedForward) {
		left[e.Month] += e.Amount
	}
	for _, k := range a.Reversals {
		left[k.Month] += k.Amount
	}
	months := make([]Month, 0, len(left))
	for m := range left {
		months = append(months, m)
	}
	slices.SortFunc(months, func(x, y Month) int { return cmp.Compare(y, x) })
	slices.SortStableFunc(unknown, func(x, y Reversal) int { return cmp.Compare(x.Month, y.Month) })
	take := func(month Month, amount int64, isNew bool) {
		place := func(in Month, amount int64) {
			k := Reversal{Month: in, Amount: -amount}
			if isNew {
				k.New = k.Amount
			}
			a.Reversals = append(a.Reversals, k)
		}
		for _, m := range months {
			if n := min(left[m], amount); m <= month && n > 0 {
				left[m] -= n
				amount -= n
				place(m, n)
			}
		}
		if amount > 0 {
			place(month, amount)
		}
	}
	for _, k := range unknown {
		take(k.Month, k.New-k.Amount, false)
		take(k.Month, -k.New, true)
	}
}
