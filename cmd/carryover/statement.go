package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/sheet"
)

type statementCmd struct {
	Promoter string `arg:"" help:"A ref token, a code or a Keap id."`
	Year     int    `required:"" placeholder:"YEAR" help:"The year, such as 2023."`
	Format   string `enum:"html,csv" default:"html" placeholder:"FORMAT" help:"html (a page of its own, to read, print and send; as usual) or csv."`
	Out      string `placeholder:"FILE" help:"Write to this file instead of standard output. One that is there is not overwritten."`
}

func (statementCmd) Help() string {
	return `A promoter's year for the promoter: every entry on the day on which it happened with what it was, the product (of a payout
or a correction: its note), the amount and the balance after it; what each month came to; the payouts; and the balance at the
beginning and the end. What the migration brought over without rows stands apart from what was earned. Customers are not named.
Currencies stand apart. Changes nothing.

Example: carryover payouts statement coachdesk --year 2023 --out coachdesk-2023.html`
}

// statement is a promoter's year, as --json tells it.
type statement struct {
	Program    string              `json:"program"`
	RefToken   string              `json:"ref_token"`
	Name       string              `json:"name"`
	Year       int                 `json:"year"`
	Zone       string              `json:"timezone"`
	Currencies []statementCurrency `json:"currencies"` // the program's first
}

// statementCurrency is the year in one currency; minor units.
type statementCurrency struct {
	Currency string           `json:"currency"`
	Opening  int64            `json:"opening_cents"`
	Brought  int64            `json:"brought_over_cents"` // from Keap: openings and differences that a person accepted
	Earned   int64            `json:"earned_cents"`
	Taken    int64            `json:"taken_back_cents"` // 0 or less
	Paid     int64            `json:"paid_cents"`       // what came back deducted
	Closing  int64            `json:"closing_cents"`
	Entries  []statementEntry `json:"entries"`
	Months   []statementMonth `json:"months"`
	Payouts  []statementEntry `json:"payouts"`
}

type statementEntry struct {
	Date    string `json:"date"`
	Kind    string `json:"kind"`
	What    string `json:"what"`    // in words
	Month   string `json:"month"`   // of earning
	Product string `json:"product"` // of a payout or a correction: its note
	Amount  int64  `json:"amount_cents"`
	Balance int64  `json:"balance_cents"` // after it
}

// statementMonth is what happened in a month of the year.
type statementMonth struct {
	Month   string `json:"month"`
	Brought int64  `json:"brought_over_cents"`
	Earned  int64  `json:"earned_cents"`
	Taken   int64  `json:"taken_back_cents"`
	Paid    int64  `json:"paid_cents"`
	Balance int64  `json:"balance_cents"` // at its end
}

func (c *statementCmd) Run(a *app) error {
	if c.Year < 1000 || c.Year > 9999 {
		return console.UsageError("--year: %d is no year: write it like 2023", c.Year)
	}
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		dir, err := b.Directory(a.ctx)
		if err != nil {
			return err
		}
		promoter, err := a.findPromoter(dir, c.Promoter)
		if err != nil {
			return err
		}
		var entries []book.Entry
		if err := b.Ledger(a.ctx, promoter.Earners(), func(e book.Entry) error {
			entries = append(entries, e)
			return nil
		}); err != nil {
			return err
		}
		s := statement{
			Program: cfg.Program, RefToken: promoter.Token, Name: payeeName(promoter),
			Year: c.Year, Zone: cfg.Zone.String(), Currencies: statementOf(entries, c.Year, cfg.Currency, cfg.Zone),
		}
		if a.JSON {
			return a.Object(s)
		}
		var text bytes.Buffer
		if c.Format == "csv" {
			err = s.csv(&text)
		} else {
			err = s.html(&text, cfg)
		}
		if err != nil {
			return err
		}
		if c.Out == "" {
			_, err := a.Out.Write(text.Bytes())
			return err
		}
		if err := writeNew(c.Out, text.Bytes()); err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.Out, "%s is the statement of %s for %d.\n", c.Out, promoter.Token, c.Year)
		return err
	})
}

// statementOf sorts entries into a year by the day on which they happened: what is
// before it is the opening balance. own is the currency that comes first, and is there
// even without entries.
func statementOf(entries []book.Entry, year int, own string, zone *time.Location) []statementCurrency {
	slices.SortStableFunc(entries, func(x, y book.Entry) int {
		return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(kindOrder(x.Kind), kindOrder(y.Kind)))
	})
	list := []statementCurrency{{Currency: own}}
	of := func(currency string) *statementCurrency {
		i := slices.IndexFunc(list, func(s statementCurrency) bool { return s.Currency == currency })
		if i < 0 {
			i = len(list)
			list = append(list, statementCurrency{Currency: currency})
		}
		return &list[i]
	}
	for i := range entries {
		e := &entries[i]
		at := time.Unix(e.At, 0).In(zone)
		s := of(e.Currency)
		switch {
		case e.At == 0 || at.Year() < year:
			s.Opening += e.Amount
			s.Closing += e.Amount
		case at.Year() == year:
			s.add(e, at)
		}
	}
	for i := range list {
		s := &list[i]
		if s.Entries == nil {
			s.Entries, s.Months, s.Payouts = []statementEntry{}, []statementMonth{}, []statementEntry{}
		}
		if s.Payouts == nil {
			s.Payouts = []statementEntry{}
		}
	}
	slices.SortFunc(list[1:], func(x, y statementCurrency) int { return cmp.Compare(x.Currency, y.Currency) })
	return slices.DeleteFunc(list, func(s statementCurrency) bool {
		return s.Currency != own && s.Opening == 0 && len(s.Entries) == 0
	})
}

// add puts an entry of the year at the end.
func (s *statementCurrency) add(e *book.Entry, at time.Time) {
	s.Closing += e.Amount
	month := terms.MonthOf(at, at.Location()).String()
	if n := len(s.Months); n == 0 || s.Months[n-1].Month != month {
		s.Months = append(s.Months, statementMonth{Month: month})
	}
	m := &s.Months[len(s.Months)-1]
	m.Balance = s.Closing
	entry := statementEntry{
		Date: at.Format(time.DateOnly), Kind: e.Kind, What: kindWords(e), Month: terms.Month(e.Month).String(),
		Product: cmp.Or(e.Product, e.Description), Amount: e.Amount, Balance: s.Closing,
	}
	s.Entries = append(s.Entries, entry)
	switch {
	case e.Kind == book.KindPayment:
		s.Paid -= e.Amount
		m.Paid -= e.Amount
		s.Payouts = append(s.Payouts, entry)
	case e.Kind == book.KindOpening, e.Kind == book.KindDifference:
		s.Brought += e.Amount
		m.Brought += e.Amount
	case e.Amount < 0:
		s.Taken += e.Amount
		m.Taken += e.Amount
	default:
		s.Earned += e.Amount
		m.Earned += e.Amount
	}
}

// HasBrought says whether anything was brought over from Keap in the year.
func (s *statementCurrency) HasBrought() bool {
	return slices.ContainsFunc(s.Entries, func(e statementEntry) bool { return e.Kind == book.KindOpening || e.Kind == book.KindDifference })
}

// kindWords is what an entry is, for the promoter.
func kindWords(e *book.Entry) string {
	switch e.Kind {
	case book.KindCommission:
		if level(e) == 2 {
			return "Commission, second level"
		}
		return "Commission"
	case book.KindClawback, book.KindRefund:
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

func (s *statement) csv(to *bytes.Buffer) error {
	w := sheet.NewWriter(to)
	if err := w.Write("date", "what", "product", "earned in", "amount", "balance", "currency"); err != nil {
		return err
	}
	for i := range s.Currencies {
		c := &s.Currencies[i]
		amount := func(minor int64) string { return plainAmount(minor, c.Currency) }
		rows := [][]string{{fmt.Sprintf("%d-01-01", s.Year), "Opening balance", "", "", "", amount(c.Opening), c.Currency}}
		for _, e := range c.Entries {
			rows = append(rows, []string{e.Date, e.What, e.Product, e.Month, amount(e.Amount), amount(e.Balance), c.Currency})
		}
		rows = append(rows, []string{fmt.Sprintf("%d-12-31", s.Year), "Closing balance", "", "", "", amount(c.Closing), c.Currency})
		for _, row := range rows {
			if err := w.Write(row...); err != nil {
				return err
			}
		}
	}
	return w.Flush()
}
