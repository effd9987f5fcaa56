package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/firstpromoter"
)

type parityCmd struct {
	tableFlags
	Month   string `required:"" placeholder:"MONTH" help:"The month to compare, like 2023-03, in the program's zone."`
	Theirs  string `placeholder:"FILE" help:"A CSV of FirstPromoter's commissions, instead of asking its API."`
	Amounts string `enum:"auto,cents,decimal" default:"auto" help:"How FILE writes amounts; auto: cents when all are whole numbers."`
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
		result, err := firstpromoter.RunParity(a.ctx, firstpromoter.ParityRun{
			Book: b, Month: month, Zone: cfg.Zone, Currency: cfg.Currency, File: c.Theirs, Amounts: c.Amounts, Now: time.Now(),
			API: firstpromoter.Options{
				BaseURL: cfg.FirstPromoter.BaseURL, AccountID: cfg.FirstPromoter.AccountID, Key: os.Getenv(firstpromoter.KeyVariable),
				PerMinute: map[bool]int{true: firstpromoter.SharedPerMinute}[cfg.FirstPromoter.Forward], Logger: a.Log,
			},
		})
		if err != nil {
			return err
		}
		for i, r := range result.Rejects {
			if i == 20 {
				fmt.Fprintf(a.Err, "and %d more\n", len(result.Rejects)-i)
				break
			}
			fmt.Fprintf(a.Err, "%s, %v\n", c.Theirs, r)
		}
		if err := a.tellParity(cfg, result); err != nil {
			return err
		}
		if !result.Agrees {
			return console.Decide(nil)
		}
		return nil
	})
}

func (a *app) tellParity(cfg *config.Config, r *firstpromoter.ParityResult) error {
	if a.Form == console.JSON {
		return a.Object(r)
	}
	amount := func(minor int64) string { return cfg.Amount(minor, cfg.Currency) }
	differ := 0
	rows := console.NewRows(a.Console, view.ParityLines(cfg))
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
	for _, n := range r.Notes {
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
		said = fmt.Sprintf("No-go: in %s figures differ for %d of %s", r.Month, differ, view.Count(len(r.Lines), "promoter"))
	}
	return a.Say("%s (%s; theirs from %s).", said, how, r.Source)
}
