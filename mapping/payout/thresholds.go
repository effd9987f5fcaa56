package payout

import (
	"maps"
	"slices"
)

// FormThresholds are from which sum on a year's payments are reported on a form 1099, by the
// first year for which it holds; minor units.
type FormThresholds map[int]int64

// DefaultFormThresholds hold where a program says nothing: those of US law, in cents, 600.00
// for payments through 2025 and 2,000.00 after.
func DefaultFormThresholds() FormThresholds { return FormThresholds{2013: 600_00, 2026: 2000_00} }

// In is the threshold of a year; ok is false before the first.
func (f FormThresholds) In(year int) (amount int64, ok bool) {
	for _, from := range slices.Sorted(maps.Keys(f)) {
		if from <= year {
			amount, ok = f[from], true
		}
	}
	return amount, ok
}
