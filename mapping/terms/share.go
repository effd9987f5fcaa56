package terms

import "math/bits"

// Share is a percentage of an amount in whole minor units, rounded half to even: 25% of 10 is
// 2, and of 14 is 4. A negative amount has the share of the positive one, negative.
func Share(amount int64, percent Percent) int64 {
	return Scale(amount, int64(percent), int64(OneHundredPercent))
}

// Scale is amount * part / whole, rounded half to even. whole is above 0, part not below, and
// the result must fit.
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
		share = -share
	}
	return int64(share)
}

// Allocate splits an amount among lines by what remains of each. The parts sum to the amount,
// or to all that remains when that is less. What does not go evenly goes to the first lines
// that can take it.
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
