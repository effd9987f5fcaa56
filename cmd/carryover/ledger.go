package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping/book"
	"carryover/mapping/history"
	"carryover/mapping/payout"
	"carryover/mapping/terms"
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
	Year     int32  `placeholder:"YEAR" help:"Only entries of this year."`
	Kind     string `placeholder:"KIND" help:"Only entries of this kind, such as payment."`
}

func (ledgerListCmd) Help() string {
	return `For one promoter the statement: every entry with the balance after it, the row of the export that it came
from and its event id, then what it comes to by kind, by year and on the second level, and the balance: with --year
the one at the end of that year. Without --promoter one line a promoter. With --json every entry, one object a line; amounts
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
			err = x.EachLedgerEntry(a.ctx, earners, func(e *book.Entry) bool { return filter.Wants(e.Kind, e.Month) }, rows.Add)
			return errors.Join(err, rows.End())
		case c.Promoter != "":
			return writeAccount(a, cfg, s, x, &owner, filter)
		}
		return writeLedgerSummary(a, s, filter)
	})
}

// accountRow is an entry of an account, and the balance after it.
type accountRow struct {
	history.LedgerEntry
	entry *book.Entry
	after int64
}

// writeAccount writes the entries of one owner, and what they come to.
func writeAccount(a *app, cfg *config.Config, s *payout.Service, x *history.Explainer, owner *book.Match, filter payout.Filter) error {
	account, err := s.AccountLedger(a.ctx, owner.Earners(), filter)
	if err != nil {
		return err
	}
	a.Say("%s, %s\n", owner.Name(), partnerNames(x.Directory, owner.Partners))
	rows := console.NewRows(a.Console, &console.Table[accountRow]{
		Titles: []string{"date", "entry", "invoice", "for", "customer", "amount", "balance", "from", "event"},
		Cells: func(r *accountRow) []string {
			e := r.entry
			return []string{
				terms.FormatDay(e.At, cfg.Zone), r.Label(), e.Invoice, r.Purpose(), cmp.Or(r.Email, r.Name, view.Number(r.ContactID)),
				cfg.Amount(e.Amount, e.Currency), cfg.Amount(r.after, e.Currency), payout.Origin(e.Source, e.Line), r.EventID,
			}
		},
		Below: []string{"for", "customer", "from", "event"},
	})
	for _, currency := range slices.Sorted(maps.Keys(account.Opening)) {
		if err := rows.Extra("", "brought forward", "", "", "", "", cfg.Amount(account.Opening[currency], currency)); err != nil {
			return err
		}
	}
	const page = 1000 // the customers of as many are looked up at once
	for from := 0; from < len(account.Entries); from += page {
		entries := account.Entries[from:min(from+page, len(account.Entries))]
		lines, err := x.LedgerEntries(a.ctx, entries)
		if err != nil {
			return err
		}
		for i := range lines {
			if err := rows.Add(&accountRow{lines[i], &entries[i], account.BalanceAfter(from + i)}); err != nil {
				return err
			}
		}
	}
	if err := rows.End(); err != nil {
		return err
	}
	if len(account.Entries) == 0 {
		a.Say("No entries.")
	} else if err := writeAccountTotals(a, cfg, account); err != nil {
		return err
	}
	label := "Balance of all entries"
	if filter.Year != 0 {
		label = fmt.Sprintf("Balance at the end of %d", filter.Year)
	}
	for _, currency := range slices.Sorted(maps.Keys(account.Closing)) {
		a.Say("\n%s: %s", label, cfg.Amount(account.Closing[currency], currency))
	}
	return nil
}

// partnerNames are the codes and Keap ids of partners.
func partnerNames(directory *book.Directory, partners []int64) string {
	names := make([]string, len(partners))
	for i, id := range partners {
		names[i] = fmt.Sprintf("Keap id %d", id)
		if id < 0 {
			names[i] = "joined here"
		}
		if partner := directory.Partner(id); partner != nil && partner.Code != "" {
			names[i] += " (" + partner.Code + ")"
		}
	}
	return strings.Join(names, ", ")
}

// writeAccountTotals writes what entries come to by kind, and by year: with the balance before
// and after it, unless the entries are of one kind alone and do not make a balance.
func writeAccountTotals(a *app, cfg *config.Config, account *payout.AccountLedger) error {
	var rows [][]string
	totals := make([]*payout.Totals, len(account.Sums))
	for i := range account.Sums {
		t := &account.Sums[i]
		totals[i] = &t.Totals
		for _, k := range t.ByKind() {
			rows = append(rows, []string{k.Name, strconv.Itoa(k.Count), cfg.Amount(k.Amount, t.Currency)})
		}
	}
	a.Say("")
	if err := a.table(a.Out, []string{"kind", "entries", "amount"}, rows); err != nil {
		return err
	}
	columns := payout.AccountColumns(totals)
	header := []string{"year"}
	if !account.OfOneKind {
		header = append(header, "brought forward")
	}
	for _, column := range columns {
		header = append(header, column.Title)
	}
	if !account.OfOneKind {
		header = append(header, "balance")
	}
	rows = nil
	for i := range account.Years {
		y := &account.Years[i]
		row := []string{strconv.Itoa(int(y.Year))}
		if !account.OfOneKind {
			row = append(row, cfg.Amount(y.Before, y.Currency))
		}
		for _, column := range columns {
			row = append(row, cfg.Amount(column.Of(&y.Totals), y.Currency))
		}
		if !account.OfOneKind {
			row = append(row, cfg.Amount(y.After, y.Currency))
		}
		rows = append(rows, row)
	}
	a.Say("")
	return a.table(a.Out, header, rows)
}

// writeLedgerSummary writes one line an owner and currency.
func writeLedgerSummary(a *app, s *payout.Service, filter payout.Filter) error {
	summary, err := s.LedgerSummary(a.ctx, filter)
	if err != nil {
		return err
	}
	if len(summary.Owners) == 0 {
		return a.Say("No entries.")
	}
	columns := summary.Columns()
	header := []string{"ref token", "currency"}
	for _, column := range columns {
		header = append(header, column.Title)
	}
	header = append(header, "balance")
	var rows [][]string
	row := func(name string, o *payout.OwnerTotals) {
		cells := []string{name, o.Currency}
		for _, column := range columns {
			cells = append(cells, terms.FormatMinor(column.Of(&o.Totals), o.Currency))
		}
		rows = append(rows, append(cells, terms.FormatMinor(o.Balance(), o.Currency)))
	}
	for i := range summary.Currencies {
		all := &summary.Currencies[i]
		for j := range summary.Owners {
			if o := &summary.Owners[j]; o.Currency == all.Currency {
				row(o.Name, o)
			}
		}
		row("together", all)
	}
	if err := a.table(a.Out, header, rows); err != nil {
		return err
	}
	err = a.Say("\nThe entries of one promoter: carryover ledger --promoter TOKEN. All of them: carryover ledger --json.")
	return err
}
