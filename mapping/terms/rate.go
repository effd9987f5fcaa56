package terms

import (
	"math/bits"
)

// RateChange is a percentage that holds for sales from an instant on.
type RateChange struct {
	From    int64       // Unix seconds
	Kind    ProductKind // Membership or Training
	Percent Percent
}

// CommissionPercent is the share that a product of a kind earns at an instant (Unix seconds): the
// newest of the promoter's own changes that holds by then, else of the program's, else
// what the program began with. Changes may come in any order; of two of one instant the
// later in the list counts.
func (t Config) CommissionPercent(kind ProductKind, at int64, own []RateChange) Percent {
	percent := map[ProductKind]Percent{Membership: t.MembershipPercent, Training: t.TrainingPercent}[kind]
	for _, list := range [][]RateChange{t.RateChanges, own} {
		from, found := int64(0), false
		for _, c := range list {
			if c.Kind == kind && c.From <= at && (!found || c.From >= from) {
				percent, from, found = c.Percent, c.From, true
			}
		}
	}
	return percent
}

// Scale is amount * part / whole, half-even. whole is above 0, part not below, and the
// result must fit.
func Scale(amount, part, whole int64) int64 {
	n := uint64(amount)
	if amount < 0 {
		n = -n
	}
	hi, lo := bits.Mul64(n, uint64(part))
	share, rest := bits.Div64(hi, lo, uint64(whole))
	if twice := rest * 2; twice > uint64(whole) || twice == uint64(whole) && share%2 == 1 {
		share++
	}
	if amount < 0 {
		return -int64(share)
	}
	return int64(share)
}

// Allocate parts an amount among lines by what remains of each, so that the parts sum to it;
// it is at most the sum of remaining. What does not go evenly goes to the first lines that
// can take it.
func Allocate(amount int64, remaining []int64) []int64 {
	whole := int64(0)
	for _, n := range remaining {
		whole += n
	}
	parts := make([]int64, len(remaining))
	if whole <= 0 || amount <= 0 {
		return parts
	}
	amount = min(amount, whole)
	rest := amount
	for i, n := range remaining {
		hi, lo := bits.Mul64(uint64(amount), uint64(n))
		part, _ := bits.Div64(hi, lo, uint64(whole))
		parts[i] = int64(part)
		rest -= parts[i]
	}
	for i := 0; rest > 0; i = (i + 1) % len(parts) {
		if parts[i] < remaining[i] {
			parts[i]++
			rest--
		}
	}
	return parts
}
