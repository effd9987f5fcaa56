package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/firstpromoter"
)

type parityCmd struct {
	tableFlags
	Month   string `required:"" placeholder:"MONTH" help:"The month to compare, like 2023-03, in the program's zone."`
	Theirs  string `placeholder:"FILE" help:"A CSV of FirstPromoter's commissions, instead of asking its API."`
	Amounts string `enum:"auto,cents,decimal" default:"auto" help:"How FILE writes amounts: cents, decimal, or auto: cents when all are whole numbers."`
}

func (parityCmd) Help() string {
	return `The gate of a parallel run: our ledger beside FirstPromoter's, promoter by promoter, for one month: ours (what
was tracked here, refunds included), theirs, the difference (theirs - ours) and its likely reasons. Where
theirs name events it compares event by event, else sums. An event belongs to the month in which it happened
here. Theirs come over the API (the key in FIRSTPROMOTER_API_KEY, [firstpromoter] account_id), or from a CSV
with a promoter's e-mail or ref token, an amount and, if it has them, created_at or month and event_id.
Exit code 0: go, both agree to the cent; 3: no-go. Changes nothing.

Example: carryover parity --month 2023-03`
}

func (c *parityCmd) Run(a *app) error {
	month, ok := terms.ParseMonth(strings.TrimSpace(c.Month))
	if !ok {
		return console.UsageError("--month: %q is no month: write it like 2023-03", c.Month)
	}
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		books, err := a.ours(cfg, b, month)
		if err != nil {
			return err
		}
		source, notes := "FirstPromoter's API", []string{}
		unread := 0
		if c.Theirs != "" {
			source = c.Theirs
			f, err := firstpromoter.ReadFile(c.Theirs, month, cfg.Zone, cfg.Currency, c.Amounts)
			if err != nil {
				return err
			}
			books.Theirs, unread = f.Commissions, len(f.Rejects)
			notes = append(notes, fileNotes(f, month)...)
			for i, r := range f.Rejects {
				if i == 20 {
					fmt.Fprintf(a.Err, "and %d more\n", unread-i)
					break
				}
				fmt.Fprintf(a.Err, "%s, %v\n", c.Theirs, r)
			}
		} else if err := a.theirs(cfg, books); err != nil {
			return err
		}
		if books.Known, err = knownEvents(a, b, books); err != nil {
			return err
		}
		result := firstpromoter.Compare(books)
		if unread > 0 {
			result.Agrees = false
			notes = append(notes, counted(unread, "row")+" of the file could not be read")
		}
		if !time.Now().After(monthStart(month.Add(1), cfg.Zone)) {
			notes = append(notes, "the month is not over yet")
		}
		if err := a.tellParity(cfg, result, source, notes); err != nil {
			return err
		}
		if !result.Agrees {
			return console.Decide(nil)
		}
		return nil
	})
}

// monthStart is the first instant of a month in a zone.
func monthStart(m terms.Month, zone *time.Location) time.Time {
	return terms.DayStart(int(m)/100, time.Month(int(m)%100), 1, zone)
}

// ours reads our side of a month, with a day on either side for clocks of other zones.
func (a *app) ours(cfg *config.Config, b *book.Book, month terms.Month) (*firstpromoter.Books, error) {
	zone := cfg.Zone
	books := &firstpromoter.Books{Month: month, Zone: zone}
	var err error
	if books.Content, err = b.Content(a.ctx); err != nil {
		return nil, err
	}
	books.Ours, err = b.EarnedFrom(a.ctx, monthStart(month, zone).Add(-24*time.Hour).Unix(), monthStart(month.Add(1), zone).Add(24*time.Hour).Unix())
	return books, err
}

// theirs asks FirstPromoter for everything that may belong to the month: entries of some days
// around it, and of as long after it as events were forwarded late.
func (a *app) theirs(cfg *config.Config, books *firstpromoter.Books) error {
	// While a gateway forwards, both share what FirstPromoter takes in a minute.
	perMinute := 0
	if cfg.FirstPromoter.Forward {
		perMinute = 60
	}
	client, err := firstpromoter.New(firstpromoter.Options{
		BaseURL: cfg.FirstPromoter.BaseURL, AccountID: cfg.FirstPromoter.AccountID, Key: os.Getenv(firstpromoter.KeyVariable),
		PerMinute: perMinute, Logger: a.Log,
	})
	if err != nil {
		return fmt.Errorf("%w; or compare with a file: --theirs FILE.csv", err)
	}
	const around = 3 * 24 * time.Hour
	from, to := monthStart(books.Month, books.Zone).Add(-around), monthStart(books.Month.Add(1), books.Zone).Add(around)
	for i := range books.Ours {
		if late := time.Unix(books.Ours[i].DoneAt, 0).Add(24 * time.Hour); late.After(to) {
			to = late
		}
	}
	if err := client.Promoters(a.ctx, func(who firstpromoter.Promoter) error {
		books.People = append(books.People, who)
		return nil
	}); err != nil {
		return err
	}
	return client.Commissions(a.ctx, from, to, func(k firstpromoter.Commission) error {
		books.Theirs = append(books.Theirs, k)
		return nil
	})
}

// knownEvents finds the events here that theirs name and that are not ours of this month.
func knownEvents(a *app, b *book.Book, books *firstpromoter.Books) ([]book.Event, error) {
	ours := map[string]bool{}
	for i := range books.Ours {
		if e := &books.Ours[i]; terms.MonthOf(time.Unix(e.At, 0), books.Zone) == books.Month {
			ours[e.Kind+" "+e.ExternalID] = true
		}
	}
	asked := map[string]bool{}
	var ids []string
	for i := range books.Theirs {
		k := &books.Theirs[i]
		kind := book.EventSale
		if k.Amount < 0 {
			kind = book.EventRefund
		}
		if k.EventID != "" && !ours[kind+" "+k.EventID] && !asked[k.EventID] {
			asked[k.EventID] = true
			ids = append(ids, k.EventID)
		}
	}
	return b.EventsNamed(a.ctx, ids)
}

// fileNotes say how a file was read where it could have been read otherwise.
func fileNotes(f *firstpromoter.File, month terms.Month) (notes []string) {
	if !f.Dated {
		notes = append(notes, "the file says no dates: all of it was taken for "+month.String())
	}
	if f.Cents && len(f.Commissions) > 0 {
		notes = append(notes, "the file's amounts were taken as cents; if they are not: --amounts decimal")
	}
	return notes
}

// parityResult is a comparison as --json tells it.
type parityResult struct {
	*firstpromoter.Parity
	Currency string   `json:"currency"`
	Source   string   `json:"theirs"`
	Notes    []string `json:"notes"`
}

func (a *app) tellParity(cfg *config.Config, r *firstpromoter.Parity, source string, notes []string) error {
	if a.Form == console.JSON {
		return a.Object(parityResult{r, cfg.Currency, source, notes})
	}
	amount := func(minor int64) string { return cfg.Amount(minor, cfg.Currency) }
	differ := 0
	rows := console.NewRows(a.Console, &console.Table[firstpromoter.Line]{
		Titles: []string{"promoter", "ours", "theirs", "difference", "likely reason"},
		Cells: func(l *firstpromoter.Line) []string {
			var reasons []string
			for _, why := range l.Reasons {
				text := why.Text
				if why.Amount != 0 && len(l.Reasons) > 1 {
					text += " (" + amount(why.Amount) + ")"
				}
				reasons = append(reasons, text)
			}
			return []string{l.Token, amount(l.Ours), amount(l.Theirs), amount(l.Difference), strings.Join(reasons, "; ")}
		},
		Alert: func(l *firstpromoter.Line, title string) bool { return title == "difference" && !l.Agrees() },
	})
	for i := range r.Lines {
		if !r.Lines[i].Agrees() {
			differ++
		}
		if err := rows.Add(&r.Lines[i]); err != nil {
			return err
		}
	}
	err := errors.Join(rows.Extra(r.Total.Token, amount(r.Total.Ours), amount(r.Total.Theirs), amount(r.Total.Difference)), rows.End())
	if err != nil || a.Form != console.Text {
		return err
	}
	for _, n := range notes {
		if err := a.Say("Note: %s.", n); err != nil {
			return err
		}
	}
	how := "event by event"
	if r.BySums {
		how = "by sums, for theirs name no events"
	}
	said := "Go: in " + r.Month + " both ledgers agree to the cent"
	switch {
	case len(r.Lines) == 0:
		said = "No-go: in " + r.Month + " there is nothing to compare"
	case !r.Agrees:
		said = fmt.Sprintf("No-go: in %s figures differ for %d of %s", r.Month, differ, counted(len(r.Lines), "promoter"))
	}
	return a.Say("%s (%s; theirs from %s).", said, how, source)
}
