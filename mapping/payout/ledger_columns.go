package payout

import (
	"slices"

	"carryover/mapping/book"
)

// KindTotal is what the entries of one kind come to, in a currency; minor units.
type KindTotal struct {
	Name   string // for people
	Count  int
	Amount int64
}

// ByKind lists what entries come to by kind, without those of which there are none.
func (t *CurrencyTotals) ByKind() []KindTotal {
	list := []KindTotal{
		{"opening entries", t.Counts[book.KindOpening], t.Opening},
		{"commissions", t.Counts[book.KindCommission], t.Commissions},
		{"  of the second level", t.SecondLevelCount, t.SecondLevel},
		{"clawbacks", t.Counts[book.KindClawback], t.Clawbacks},
		{"refunds", t.Counts[book.KindRefund], t.Refunds},
		{"denied", t.Counts[book.KindDenied], t.Denied},
		{"corrections", t.Counts[book.KindCorrection], t.Corrections},
		{"payments", t.Counts[book.KindPayment], t.Payments},
		{"differences", t.Counts[book.KindDifference], t.Differences},
	}
	return slices.DeleteFunc(list, func(k KindTotal) bool { return k.Count == 0 })
}

// Column is one column of a table of totals.
type Column struct {
	Title string
	Of    func(t *Totals) int64
}

// AccountColumns are those of one account, year by year.
func AccountColumns(totals []*Totals) []Column { return columns(totals, true, true) }

// Columns are those of the summary.
func (s *LedgerSummary) Columns() []Column {
	totals, differences := make([]*Totals, len(s.Currencies)), false
	for i := range s.Currencies {
		totals[i] = &s.Currencies[i].Totals
	}
	for i := range s.Owners {
		differences = differences || s.Owners[i].HasDifferences
	}
	return columns(totals, false, differences)
}

// columns has refunds, denied commissions and corrections, which are booked live only, where
// there are any.
func columns(totals []*Totals, secondLevel, differences bool) (list []Column) {
	add := func(shown bool, title string, of func(t *Totals) int64) {
		if shown {
			list = append(list, Column{title, of})
		}
	}
	addIfAny := func(title string, of func(t *Totals) int64) {
		add(slices.ContainsFunc(totals, func(t *Totals) bool { return of(t) != 0 }), title, of)
	}
	add(true, map[bool]string{true: "opening entries", false: "beginning"}[secondLevel], func(t *Totals) int64 { return t.Opening })
	add(true, "commissions", func(t *Totals) int64 { return t.Commissions })
	add(secondLevel, "second level", func(t *Totals) int64 { return t.SecondLevel })
	add(true, "clawbacks", func(t *Totals) int64 { return t.Clawbacks })
	addIfAny("refunds", func(t *Totals) int64 { return t.Refunds })
	addIfAny("denied", func(t *Totals) int64 { return t.Denied })
	addIfAny("corrections", func(t *Totals) int64 { return t.Corrections })
	add(true, "payments", func(t *Totals) int64 { return t.Payments })
	add(differences, "differences", func(t *Totals) int64 { return t.Differences })
	return list
}
