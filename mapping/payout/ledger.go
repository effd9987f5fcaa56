package payout

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"carryover/mapping/book"
)

// Kinds lists the kinds of entries of the ledger, in the order of entries of one day.
func Kinds() []string {
	return []string{
		book.KindOpening, book.KindDifference, book.KindCommission, book.KindClawback,
		book.KindRefund, book.KindDenied, book.KindCorrection, book.KindPayment,
	}
}

// SortByDay sorts entries of several partners who may be one promoter by time, those of one
// moment by kind.
func SortByDay(entries []book.Entry) {
	kinds := Kinds()
	slices.SortStableFunc(entries, func(x, y book.Entry) int {
		return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(slices.Index(kinds, x.Kind), slices.Index(kinds, y.Kind)))
	})
}

// Totals are what entries come to by kind; minor units, as what they do to the balance.
type Totals struct {
	Opening, Commissions, Clawbacks, Payments, Differences int64

	Refunds, Denied, Corrections int64 // of what was booked live

	SecondLevel int64 // of the commissions, those on another partner's sales
}

// add adds what entries of a kind come to.
func (t *Totals) add(kind string, amount int64) {
	switch kind {
	case book.KindOpening:
		t.Opening += amount
	case book.KindCommission:
		t.Commissions += amount
	case book.KindClawback:
		t.Clawbacks += amount
	case book.KindRefund:
		t.Refunds += amount
	case book.KindDenied:
		t.Denied += amount
	case book.KindCorrection:
		t.Corrections += amount
	case book.KindPayment:
		t.Payments += amount
	default:
		t.Differences += amount
	}
}

// addEntry adds an entry.
func (t *Totals) addEntry(e *book.Entry) {
	t.add(e.Kind, e.Amount)
	if e.Kind == book.KindCommission && e.Level() == 2 {
		t.SecondLevel += e.Amount
	}
}

// Balance is what all of them come to.
func (t *Totals) Balance() int64 {
	return t.Opening + t.Commissions + t.Clawbacks + t.Refunds + t.Denied + t.Corrections + t.Payments + t.Differences
}

// Filter says which entries of the ledger are asked for.
type Filter struct {
	Year int32  // 0: all
	Kind string // one of [Kinds]; empty: all
}

// Wants says whether an entry of a kind and month is asked for.
func (f Filter) Wants(kind string, month int32) bool {
	return (f.Year == 0 || month/100 == f.Year) && (f.Kind == "" || kind == f.Kind)
}

// AccountLedger is the ledger of one promoter, or of one of the program's own partners.
type AccountLedger struct {
	Entries []book.Entry // those asked for, in the order of time
	after   []int64      // the balance after each of them, of all entries in its currency

	Opening   map[string]int64 // by currency: the balance before the year that is asked for; empty without one
	Closing   map[string]int64 // at the end of that year, or of all entries
	Years     []YearTotals     // of Entries, by currency and year
	Sums      []CurrencyTotals // of Entries, by currency
	OfOneKind bool             // Entries do not make a balance
}

// BalanceAfter is the balance after Entries[i].
func (l *AccountLedger) BalanceAfter(i int) int64 { return l.after[i] }

// YearTotals is a year in one currency, between the balance before and after it.
type YearTotals struct {
	Year          int32
	Currency      string
	Before, After int64 // the balances
	Totals
}

// CurrencyTotals are the entries in one currency.
type CurrencyTotals struct {
	Currency         string
	Counts           map[string]int // of entries, by kind
	SecondLevelCount int            // of commissions, those on another partner's sales
	Totals
}

// AccountLedger reads the ledger of earners who are one account.
func (s *Service) AccountLedger(ctx context.Context, earners []book.Earner, f Filter) (*AccountLedger, error) {
	var all []book.Entry
	if err := s.Book.Ledger(ctx, earners, func(e book.Entry) error {
		all = append(all, e)
		return nil
	}); err != nil {
		return nil, err
	}
	SortByDay(all)
	return newAccountLedger(all, f), nil
}

func newAccountLedger(all []book.Entry, f Filter) *AccountLedger {
	l := &AccountLedger{Opening: map[string]int64{}, Closing: map[string]int64{}, OfOneKind: f.Kind != ""}
	running := map[string]int64{}
	for _, e := range all {
		running[e.Currency] += e.Amount
		if e.Month/100 < f.Year {
			l.Opening[e.Currency] += e.Amount
		}
		if f.Year == 0 || e.Month/100 <= f.Year {
			l.Closing[e.Currency] += e.Amount
		}
		if f.Wants(e.Kind, e.Month) {
			l.Entries = append(l.Entries, e)
			l.after = append(l.after, running[e.Currency])
		}
	}
	l.addUp()
	return l
}

// addUp fills in Years and Sums.
func (l *AccountLedger) addUp() {
	type key struct {
		currency string
		year     int32
	}
	years, sums := map[key]*YearTotals{}, map[string]*CurrencyTotals{}
	for i := range l.Entries {
		e := &l.Entries[i]
		k := key{e.Currency, e.Month / 100}
		if years[k] == nil {
			years[k] = &YearTotals{Year: k.year, Currency: k.currency}
		}
		if sums[e.Currency] == nil {
			sums[e.Currency] = &CurrencyTotals{Currency: e.Currency, Counts: map[string]int{}}
		}
		years[k].addEntry(e)
		of := sums[e.Currency]
		of.addEntry(e)
		of.Counts[e.Kind]++
		if e.Kind == book.KindCommission && e.Level() == 2 {
			of.SecondLevelCount++
		}
	}
	balance := maps.Clone(l.Opening)
	for _, k := range slices.SortedFunc(maps.Keys(years), func(x, y key) int {
		return cmp.Or(strings.Compare(x.currency, y.currency), cmp.Compare(x.year, y.year))
	}) {
		y := years[k]
		y.Before = balance[k.currency]
		balance[k.currency] += y.Balance()
		y.After = balance[k.currency]
		l.Years = append(l.Years, *y)
	}
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		l.Sums = append(l.Sums, *sums[currency])
	}
}

// OwnerTotals is the ledger of one owner in one currency.
type OwnerTotals struct {
	Name     string // ref token, or what the program's own is called
	Currency string
	Totals
	HasDifferences bool // an entry of that kind is among them, be it 0
}

// LedgerSummary is the ledger by owner and currency, in the order of currency and name.
type LedgerSummary struct {
	Owners     []OwnerTotals
	Currencies []OwnerTotals // all owners together; no name
}

// LedgerSummary adds the ledger up by owner. With a year, what came before it is one opening.
func (s *Service) LedgerSummary(ctx context.Context, f Filter) (*LedgerSummary, error) {
	directory, err := s.Book.Directory(ctx)
	if err != nil {
		return nil, err
	}
	sums, err := s.Book.Sums(ctx)
	if err != nil {
		return nil, err
	}
	type key struct{ currency, name string }
	owners, currencies := map[key]*OwnerTotals{}, map[string]*OwnerTotals{}
	for _, sum := range sums {
		year := sum.Month / 100
		switch {
		case f.Kind != "" && !f.Wants(sum.Kind, sum.Month), f.Year != 0 && year > f.Year:
			continue
		case year < f.Year:
			sum.Kind = book.KindOpening
		}
		k := key{sum.Currency, directory.Name(sum.Earner)}
		if owners[k] == nil {
			owners[k] = &OwnerTotals{Name: k.name, Currency: k.currency}
		}
		if currencies[k.currency] == nil {
			currencies[k.currency] = &OwnerTotals{Currency: k.currency}
		}
		owners[k].add(sum.Kind, sum.Amount)
		owners[k].HasDifferences = owners[k].HasDifferences || sum.Kind == book.KindDifference
		currencies[k.currency].add(sum.Kind, sum.Amount)
	}
	summary := &LedgerSummary{}
	for _, o := range owners {
		summary.Owners = append(summary.Owners, *o)
	}
	slices.SortFunc(summary.Owners, func(x, y OwnerTotals) int {
		return cmp.Or(strings.Compare(x.Currency, y.Currency), strings.Compare(x.Name, y.Name))
	})
	for _, currency := range slices.Sorted(maps.Keys(currencies)) {
		summary.Currencies = append(summary.Currencies, *currencies[currency])
	}
	return summary, nil
}
