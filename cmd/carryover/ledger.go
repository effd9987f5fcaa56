package main

import (
	"errors"
	"slices"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping/book"
	"carryover/mapping/payout"
)

type ledgerCmd struct {
	List    ledgerListCmd    `cmd:"" default:"withargs" help:"List what was earned and paid, by promoter or entry by entry."`
	Correct ledgerCorrectCmd `cmd:"" help:"Book a correction: an amount for or against a promoter, and why."`
}

func (ledgerCmd) Help() string {
	return `Without a word after it, it lists: one line a promoter, or with --promoter the entries of one. Nothing in the ledger is ever
edited; what is wrong gets a correction.

Example: carryover ledger --promoter coachdesk --year 2022`
}

type ledgerListCmd struct {
	tableFlags
	Promoter string `placeholder:"WHO" help:"Only the entries of this promoter: a ref token, a code or a Keap id."`
	Year     int32  `placeholder:"YEAR" help:"Only entries of this year, by the day on which they happened."`
	Kind     string `placeholder:"KIND" help:"Only entries of this kind, such as payment."`
}

func (ledgerListCmd) Help() string {
	return `For one promoter the statement: every entry with the balance after it, the row of the export that it came
from and its event id, then what it comes to by kind, by year and on the second level, and the balance: with --year
the one at the end of that year, as "payouts statement" has it. Without --promoter one line a promoter. With --json every entry, one object a line; amounts
are what they do to the balance, so clawbacks and payments are below zero. Kinds are commission, clawback, refund, denied,
correction, payment, opening and difference. Changes nothing.

Example: carryover ledger --promoter coachdesk --year 2022`
}

func (c *ledgerListCmd) Run(a *app) error {
	if c.Year != 0 && (c.Year < 1000 || c.Year > 9999) {
		return console.UsageError("--year: %d is no year: write it like 2022", c.Year)
	}
	if c.Kind != "" && !slices.Contains(payout.Kinds(), c.Kind) {
		return console.UsageError("--kind: %q is no kind: write commission, clawback, payment, opening or difference, "+
			"and of what came since refund, denied or correction", c.Kind)
	}
	filter := payout.Filter{Year: c.Year, Kind: c.Kind}
	return a.withPayouts(func(cfg *config.Config, s *payout.Service) error {
		x, err := a.explainer(cfg, s.Book)
		if err != nil {
			return err
		}
		var owner book.Match
		var earners []book.Earner // nil: all
		if c.Promoter != "" {
			if owner, err = a.findOwner(x.Directory, c.Promoter); err != nil {
				return err
			}
			earners = owner.Earners()
		}
		switch {
		case a.Form != console.Text:
			rows := console.NewRows(a.Console, view.LedgerEntries(cfg))
			err = x.EachLedgerEntry(a.ctx, earners, s.Wants(filter), rows.Add)
			return errors.Join(err, rows.End())
		case c.Promoter != "":
			return view.Account(a.ctx, a.Console, cfg, s, x, &owner, filter)
		}
		return view.LedgerSummary(a.ctx, a.Console, s, filter)
	})
}
