package view

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/history"
	"carryover/mapping/payout"
	"carryover/mapping/terms"
	"carryover/migrate/report"
)

// accountRow is an entry of an account, and the balance after it.
type accountRow struct {
	history.LedgerEntry
	entry *book.Entry
	after int64
}

// Account writes the entries of one owner, and what they come to.
func Account(
	ctx context.Context, c *console.Console, cfg *config.Config, s *payout.Service, x *history.Explainer, owner *book.Match,
	filter payout.Filter,
) error {
	account, err := s.AccountLedger(ctx, owner.Earners(), filter)
	if err != nil {
		return err
	}
	c.Say("%s, %s\n", owner.Name(), partnerNames(x.Directory, owner.Partners))
	rows := console.NewRows(c, &console.Table[accountRow]{
		Titles: []string{"date", "entry", "invoice", "for", "customer", "amount", "balance", "from", "event"},
		Cells: func(r *accountRow) []string {
			e := r.entry
			return []string{
				terms.FormatDay(e.At, cfg.Zone), r.Label(), e.Invoice, r.Purpose(), cmp.Or(r.Email, r.Name, Number(r.ContactID)),
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
		lines, err := x.LedgerEntries(ctx, entries)
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
		c.Say("No entries.")
	} else if err := writeAccountTotals(c, cfg, account); err != nil {
		return err
	}
	label := "Balance of all entries"
	if filter.Year != 0 {
		label = fmt.Sprintf("Balance at the end of %d", filter.Year)
	}
	for _, currency := range slices.Sorted(maps.Keys(account.Closing)) {
		c.Say("\n%s: %s", label, cfg.Amount(account.Closing[currency], currency))
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
func writeAccountTotals(c *console.Console, cfg *config.Config, account *payout.AccountLedger) error {
	var rows [][]string
	totals := make([]*payout.Totals, len(account.Sums))
	for i := range account.Sums {
		t := &account.Sums[i]
		totals[i] = &t.Totals
		for _, k := range t.ByKind() {
			rows = append(rows, []string{k.Name, strconv.Itoa(k.Count), cfg.Amount(k.Amount, t.Currency)})
		}
	}
	c.Say("")
	if err := writeTable(c, []string{"kind", "entries", "amount"}, rows); err != nil {
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
	c.Say("")
	return writeTable(c, header, rows)
}

// LedgerSummary writes one line an owner and currency.
func LedgerSummary(ctx context.Context, c *console.Console, s *payout.Service, filter payout.Filter) error {
	summary, err := s.LedgerSummary(ctx, filter)
	if err != nil {
		return err
	}
	if len(summary.Owners) == 0 {
		return c.Say("No entries.")
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
	if err := writeTable(c, header, rows); err != nil {
		return err
	}
	err = c.Say("\nThe entries of one promoter: carryover ledger --promoter TOKEN. All of them: carryover ledger --json.")
	return err
}

// writeTable writes a table whose columns depend on what is in it.
func writeTable(c *console.Console, titles []string, rows [][]string) error {
	t := report.Table{Terminal: c.Terminal, Titles: titles, Rows: rows}
	return t.Write(c.Out)
}
