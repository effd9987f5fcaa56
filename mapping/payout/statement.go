package payout

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Statement is a promoter's year, for the promoter: customers are not named.
type Statement struct {
	Program    string              `json:"program"`
	RefToken   string              `json:"ref_token"`
	Name       string              `json:"name"`
	Year       int                 `json:"year"`
	Zone       string              `json:"timezone"`
	Currencies []StatementCurrency `json:"currencies"` // the program's first
}

// StatementCurrency is the year in one currency; minor units.
type StatementCurrency struct {
	Currency       string           `json:"currency"`
	Opening        int64            `json:"opening_cents"`
	CarriedForward int64            `json:"brought_over_cents"` // from Keap: openings and differences that a person accepted
	Earned         int64            `json:"earned_cents"`
	Reversed       int64            `json:"taken_back_cents"` // 0 or less
	Paid           int64            `json:"paid_cents"`       // what came back deducted
	Closing        int64            `json:"closing_cents"`
	Entries        []StatementEntry `json:"entries"`
	Months         []StatementMonth `json:"months"`
	Payouts        []StatementEntry `json:"payouts"`
}

// StatementEntry is an entry of the ledger on the day on which it happened.
type StatementEntry struct {
	Date    string `json:"date"`
	Kind    string `json:"kind"`
	What    string `json:"what"`    // in words
	Month   string `json:"month"`   // of earning
	Product string `json:"product"` // of a payout or a correction: its note
	Amount  int64  `json:"amount_cents"`
	Balance int64  `json:"balance_cents"` // after it
}

// StatementMonth is what happened in a month of the year.
type StatementMonth struct {
	Month          string `json:"month"`
	CarriedForward int64  `json:"brought_over_cents"`
	Earned         int64  `json:"earned_cents"`
	Reversed       int64  `json:"taken_back_cents"`
	Paid           int64  `json:"paid_cents"`
	Balance        int64  `json:"balance_cents"` // at its end
}

// StatementRow is a row of a statement as a CSV.
type StatementRow struct {
	Date     string `csv:"date"`
	What     string `csv:"what"`
	Product  string `csv:"product"`
	Earned   string `csv:"earned in"`
	Amount   string `csv:"amount"`
	Balance  string `csv:"balance"`
	Currency string `csv:"currency"`
}

// Statement is the year of a promoter.
func (s *Service) Statement(ctx context.Context, p *book.DirectoryPromoter, year int) (*Statement, error) {
	ledger, err := s.AccountLedger(ctx, p.Earners(), Filter{Year: int32(year)})
	if err != nil {
		return nil, err
	}
	return &Statement{
		Program: s.Program, RefToken: p.Token, Name: payeeName(p), Year: year, Zone: s.Zone.String(),
		Currencies: statementCurrencies(ledger, s.Currency, s.Zone),
	}, nil
}

// statementCurrencies sorts the ledger of a year by currency. own is the one that comes first,
// and is there even without entries.
func statementCurrencies(ledger *AccountLedger, own string, zone *time.Location) []StatementCurrency {
	list := []StatementCurrency{{Currency: own}}
	in := func(currency string) *StatementCurrency {
		i := slices.IndexFunc(list, func(s StatementCurrency) bool { return s.Currency == currency })
		if i < 0 {
			i = len(list)
			list = append(list, StatementCurrency{Currency: currency})
		}
		return &list[i]
	}
	for currency, amount := range ledger.Opening {
		in(currency).Opening = amount
	}
	for i := range ledger.Entries {
		e := &ledger.Entries[i]
		in(e.Currency).add(e, time.Unix(e.At, 0).In(zone), ledger.BalanceAfter(i))
	}
	for currency, amount := range ledger.Closing {
		in(currency).Closing = amount
	}
	for i := range list {
		s := &list[i]
		if s.Entries == nil {
			s.Entries, s.Months = []StatementEntry{}, []StatementMonth{}
		}
		if s.Payouts == nil {
			s.Payouts = []StatementEntry{}
		}
	}
	slices.SortFunc(list[1:], func(x, y StatementCurrency) int { return cmp.Compare(x.Currency, y.Currency) })
	return slices.DeleteFunc(list, func(s StatementCurrency) bool {
		return s.Currency != own && s.Opening == 0 && len(s.Entries) == 0
	})
}

// add puts an entry of the year at the end, after which the balance is as given.
func (s *StatementCurrency) add(e *book.Entry, at time.Time, balance int64) {
	month := terms.MonthOf(at, at.Location()).String()
	if n := len(s.Months); n == 0 || s.Months[n-1].Month != month {
		s.Months = append(s.Months, StatementMonth{Month: month})
	}
	m := &s.Months[len(s.Months)-1]
	m.Balance = balance
	entry := StatementEntry{
		Date: at.Format(time.DateOnly), Kind: e.Kind, What: describe(e), Month: terms.Month(e.Month).String(),
		Product: cmp.Or(e.Product, e.Description), Amount: e.Amount, Balance: balance,
	}
	s.Entries = append(s.Entries, entry)
	switch {
	case e.Kind == book.KindPayment:
		s.Paid -= e.Amount
		m.Paid -= e.Amount
		s.Payouts = append(s.Payouts, entry)
	case e.Kind == book.KindOpening, e.Kind == book.KindDifference:
		s.CarriedForward += e.Amount
		m.CarriedForward += e.Amount
	case e.Amount < 0, e.Kind == book.KindRefund:
		s.Reversed += e.Amount
		m.Reversed += e.Amount
	default:
		s.Earned += e.Amount
		m.Earned += e.Amount
	}
}

// HasCarriedForward says whether anything came over from Keap in the year.
func (s *StatementCurrency) HasCarriedForward() bool {
	return slices.ContainsFunc(s.Entries, func(e StatementEntry) bool { return e.Kind == book.KindOpening || e.Kind == book.KindDifference })
}

// describe says what an entry is, for the promoter.
func describe(e *book.Entry) string {
	switch e.Kind {
	case book.KindCommission:
		if e.Level() == 2 {
			return "Commission, second level"
		}
		return "Commission"
	case book.KindClawback, book.KindRefund:
		if e.Amount > 0 {
			return "Refund to a customer, given back: it was of another sale"
		}
		return "Refund to a customer"
	case book.KindDenied:
		return "Commission taken back"
	case book.KindOpening:
		return "Balance brought over from Keap"
	case book.KindDifference:
		return "Difference accepted, brought over from Keap"
	case book.KindCorrection:
		return "Correction"
	case book.KindPayment:
		what := "Payout"
		if e.Amount > 0 {
			what = "Payout that came back"
		}
		if e.Type != "" {
			what += ", " + e.Type
		}
		return what
	}
	return e.Kind
}

// Rows are the statement as a CSV has it, currency by currency, between an opening and a
// closing balance.
func (s *Statement) Rows() (rows []StatementRow) {
	for i := range s.Currencies {
		c := &s.Currencies[i]
		balance := func(day, what string, minor int64) {
			rows = append(rows, StatementRow{Date: fmt.Sprintf("%d-%s", s.Year, day), What: what, Balance: PlainAmount(minor, c.Currency), Currency: c.Currency})
		}
		balance("01-01", "Opening balance", c.Opening)
		for _, e := range c.Entries {
			rows = append(rows, StatementRow{e.Date, e.What, e.Product, e.Month, PlainAmount(e.Amount, c.Currency), PlainAmount(e.Balance, c.Currency), c.Currency})
		}
		balance("12-31", "Closing balance", c.Closing)
	}
	return rows
}
