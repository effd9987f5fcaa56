package payout

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
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
	Year int32  // 0: all; an entry is of the year of its day, see [Service.Wants]
	Kind string // one of [Kinds]; empty: all
}

// Wants makes the function that says whether an entry is asked for. An entry counts in the year
// of the day on which it happened, in the program's zone: what a customer gets back in January
// is of the new year, whatever month its commission is of. One without a day is before all
// years.
func (s *Service) Wants(f Filter) func(e *book.Entry) bool {
	from, to := terms.YearSpan(int(f.Year), s.Zone)
	return func(e *book.Entry) bool {
		return (f.Year == 0 || from <= e.At && e.At < to && e.At != 0) && (f.Kind == "" || e.Kind == f.Kind)
	}
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

	zone *time.Location
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
	return s.newAccountLedger(all, f), nil
}

// newAccountLedger sorts entries by day, and takes those out that are asked for.
func (s *Service) newAccountLedger(all []book.Entry, f Filter) *AccountLedger {
	SortByDay(all)
	l := &AccountLedger{Opening: map[string]int64{}, Closing: map[string]int64{}, OfOneKind: f.Kind != "", zone: s.Zone}
	from, to := terms.YearSpan(int(f.Year), s.Zone)
	wants := s.Wants(f)
	running := map[string]int64{}
	for i := range all {
		e := &all[i]
		running[e.Currency] += e.Amount
		if f.Year != 0 && (e.At == 0 || e.At < from) {
			l.Opening[e.Currency] += e.Amount
		}
		if f.Year == 0 || e.At == 0 || e.At < to {
			l.Closing[e.Currency] += e.Amount
		}
		if wants(e) {
			l.Entries = append(l.Entries, *e)
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
		k := key{e.Currency, int32(time.Unix(e.At, 0).In(l.zone).Year())}
		if e.At == 0 {
			k.year = 0
		}
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
	sums, err := s.sumsUntil(ctx, f)
	if err != nil {
		return nil, err
	}
	type key struct{ currency, name string }
	owners, currencies := map[key]*OwnerTotals{}, map[string]*OwnerTotals{}
	for _, sum := range sums {
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

// sumsUntil adds up what is asked for. With a year and no kind, what came before it is one
// opening.
func (s *Service) sumsUntil(ctx context.Context, f Filter) (sums []book.Sum, err error) {
	if f.Year == 0 {
		sums, err = s.Book.Sums(ctx)
	} else {
		from, to := terms.YearSpan(int(f.Year), s.Zone)
		var before []book.Sum
		if before, sums, err = s.Book.SumsAround(ctx, from, to); err != nil {
			return nil, err
		}
		if f.Kind == "" {
			for _, sum := range before {
				sum.Kind = book.KindOpening
				sums = append(sums, sum)
			}
		}
	}
	return slices.DeleteFunc(sums, func(sum book.Sum) bool { return f.Kind != "" && sum.Kind != f.Kind }), err
}
