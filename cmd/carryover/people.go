package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate"
	"carryover/migrate/sheet"
)

type promotersCmd struct {
	List promotersListCmd `cmd:"" default:"withargs" help:"The promoters in the book."`
	Show promotersShowCmd `cmd:"" help:"Everything that is known of a promoter, and who recorded it."`
	Set  promotersSetCmd  `cmd:"" help:"Record a W-9, how a promoter is paid, its status, a grace date, its own percentage."`
}

func (promotersCmd) Help() string {
	return `Without a word after it, it lists the promoters.

Example: carryover promoters set coachdesk w9=yes payout_method=paypal payout_address=kim@mail.test`
}

type promotersListCmd struct {
	Month string `placeholder:"MONTH" help:"Hold as the payouts of this month do, such as 2023-03."`
}

func (promotersListCmd) Help() string {
	return `One line a promoter: ref token, address, status, every Keap id and code that names it, its parent, what
is owed to it and how much of that is still inside the hold: today, once something was booked here (a sale, a refund,
a correction); before that on the day that the newest run was made for ([import] as_of). The column says which day it is.
With --json also the rows that the balance was carried over from. The status is what a person recorded, else what Keap
said. Changes nothing.

Example: carryover promoters --json`
}

// promoterLine is a promoter as --json tells it.
type promoterLine struct {
	RefToken       string   `json:"ref_token"`
	Email          string   `json:"email"`
	Status         string   `json:"status"`   // as the newest run says
	Standing       string   `json:"standing"` // active, inactive or blocked: what a person recorded goes before status
	KeapIDs        []int64  `json:"keap_ids"`
	Codes          []string `json:"codes"`
	ParentRefToken string   `json:"parent_ref_token"`
	NeedsEmail     bool     `json:"needs_email"`

	Balance     int64          `json:"balance_cents"` // in the program's currency
	Currency    string         `json:"currency"`
	Held        int64          `json:"held_cents"`               // of it
	HeldOn      string         `json:"held_on,omitempty"`        // the day, once something was booked here; empty: that of the newest run
	CarriedFrom []string       `json:"carried_from"`             // "ledger.csv:12": beginnings, else the earliest rows
	Others      []otherBalance `json:"other_balances,omitempty"` // never added to Balance

	W9           bool   `json:"w9"` // on file
	PayoutMethod string `json:"payout_method"`
}

// otherBalance is what is owed in a currency that is not the program's.
type otherBalance struct {
	Currency string `json:"currency"`
	Balance  int64  `json:"balance_cents"`
}

func (c promotersListCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		content, err := b.Content(a.ctx)
		if err != nil {
			return err
		}
		dir := book.NewDirectory(content)
		lines := promoterLines(content, dir)
		held, err := a.addBalances(cfg, b, dir, lines, c.Month)
		if err != nil {
			return err
		}
		if a.JSON {
			if err := a.addOrigins(b, dir, lines); err != nil {
				return err
			}
		}
		out := bufio.NewWriter(a.Out)
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		var rows [][]string
		for _, l := range lines {
			if a.JSON {
				if err := enc.Encode(l); err != nil {
					return err
				}
				continue
			}
			ids := make([]string, len(l.KeapIDs))
			for i, id := range l.KeapIDs {
				ids[i] = strconv.FormatInt(id, 10)
			}
			email := l.Email
			if l.NeedsEmail {
				email = "(needs one)"
			}
			balance := cfg.Amount(l.Balance, l.Currency)
			for _, o := range l.Others {
				balance += " + " + cfg.Amount(o.Balance, o.Currency)
			}
			rows = append(rows, []string{l.RefToken, l.Standing, email, balance, cfg.Amount(l.Held, l.Currency), strings.Join(ids, " "), strings.Join(l.Codes, " "), l.ParentRefToken})
		}
		if !a.JSON {
			if err := a.table(out, []string{"ref token", "status", "e-mail", "balance", held, "Keap ids", "codes", "parent"}, rows); err != nil {
				return err
			}
		}
		return out.Flush()
	})
}

// heldOn says of which month or day what is held is told: held is that in words, today is
// empty unless it is today's.
func (a *app) heldOn(cfg *config.Config, b *book.Book, month string) (on terms.Month, held, today string, err error) {
	if month != "" {
		on, err = payoutMonth(cfg, month)
		return on, "held in " + on.String(), "", err
	}
	live, err := b.IsLive(a.ctx)
	if err != nil {
		return 0, "", "", err
	}
	day := time.Now()
	if live {
		today = cfg.Today()
	} else if day, err = a.asOf(cfg, b); err != nil {
		return 0, "", "", err
	}
	return terms.MonthOf(day, cfg.Zone), "held on " + day.In(cfg.Zone).Format(time.DateOnly), today, nil
}

// addBalances fills in what is owed to each promoter, and what of it is held: in a month
// or, where that is empty, on the day that held names.
func (a *app) addBalances(cfg *config.Config, b *book.Book, dir *book.Directory, lines []promoterLine, month string) (held string, err error) {
	on, held, today, err := a.heldOn(cfg, b, month)
	if err != nil {
		return "", err
	}
	sums, err := b.Sums(a.ctx)
	if err != nil {
		return "", err
	}
	type account struct{ token, currency string }
	accounts := map[account]*balance{}
	for i := range sums {
		s := &sums[i]
		owner := dir.ByEarner(s.Earner).Promoter
		if owner == nil {
			continue
		}
		k := account{owner.Token, s.Currency}
		if accounts[k] == nil {
			accounts[k] = &balance{}
		}
		accounts[k].add(s)
	}
	currencies := map[string]bool{}
	for k := range accounts {
		currencies[k.currency] = true
	}
	delete(currencies, cfg.Currency)
	others := slices.Sorted(maps.Keys(currencies))
	for i := range lines {
		l := &lines[i]
		l.Currency, l.HeldOn = cfg.Currency, today
		if own := accounts[account{l.RefToken, cfg.Currency}]; own != nil {
			l.Balance, l.Held = own.amount, cfg.Terms.HeldAmount(own.earned, own.paid, on)
		}
		for _, currency := range others {
			if other := accounts[account{l.RefToken, currency}]; other != nil {
				l.Others = append(l.Others, otherBalance{currency, other.amount})
			}
		}
	}
	return held, nil
}

// balance is what a promoter's entries in one currency come to; minor units.
type balance struct {
	amount int64
	paid   int64
	earned []terms.Earning
}

func (b *balance) add(s *book.Sum) {
	b.amount += s.Amount
	if s.Kind == book.KindPayment {
		b.paid -= s.Amount
	} else {
		b.earned = append(b.earned, terms.Earning{Month: terms.Month(s.Month), Amount: s.Amount})
	}
}

// addOrigins fills in where each balance came from: of every partner the rows of its
// beginnings or, when it had none, its earliest row.
func (a *app) addOrigins(b *book.Book, dir *book.Directory, lines []promoterLine) error {
	byToken := make(map[string]*promoterLine, len(lines))
	for i := range lines {
		lines[i].CarriedFrom = []string{}
		byToken[lines[i].RefToken] = &lines[i]
	}
	var earner book.Earner
	begun := false
	return b.Ledger(a.ctx, nil, func(e book.Entry) error {
		first := e.Earner != earner
		if first {
			earner, begun = e.Earner, false
		}
		// The ledger's beginnings lie before all else.
		if e.Source == "" || !first && (!begun || e.Kind != book.KindOpening) {
			return nil
		}
		begun = e.Kind == book.KindOpening
		if owner := dir.ByEarner(earner).Promoter; owner != nil {
			if l := byToken[owner.Token]; l != nil {
				l.CarriedFrom = append(l.CarriedFrom, origin(e.Source, e.Line))
			}
		}
		return nil
	})
}

// origin names a row of an export: ledger.csv:12.
func origin(path string, line int64) string {
	if path == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", filepath.Base(path), line)
}

// asOf is the beginning of the day whose customers the newest run carried over; without
// one, of the day that the next plan would be made for.
func (a *app) asOf(cfg *config.Config, b *book.Book) (time.Time, error) {
	var in struct {
		AsOf string `json:"as_of"`
	}
	run, err := b.LastImport(a.ctx)
	if err != nil && !errors.Is(err, book.ErrNoImport) {
		return time.Time{}, err
	}
	if len(run.Inputs) > 0 {
		if err := json.Unmarshal(run.Inputs, &in); err != nil {
			return time.Time{}, fmt.Errorf("run %d does not say what it read: %w", run.ID, err)
		}
	}
	text := cmp.Or(in.AsOf, cfg.Import.AsOf, time.Now().In(cfg.Zone).Format(time.DateOnly))
	day, err := time.ParseInLocation(time.DateOnly, text, cfg.Zone)
	if err != nil {
		return day, fmt.Errorf("run %d was made for %q, which is no day: plan and apply again", run.ID, text)
	}
	return day, nil
}

// promoterLines lists the promoters in the order of their primary Keap ids.
func promoterLines(c *book.Content, dir *book.Directory) []promoterLine {
	promoters := dir.Promoters()
	order := make([]*book.DirectoryPromoter, len(promoters))
	for i := range promoters {
		order[i] = &promoters[i]
	}
	slices.SortFunc(order, func(a, b *book.DirectoryPromoter) int { return cmp.Compare(a.KeapID, b.KeapID) })
	index := make(map[*book.DirectoryPromoter]int, len(order))
	lines := make([]promoterLine, 0, len(order))
	for i, p := range order {
		index[p] = i
		l := promoterLine{
			RefToken: p.Token, Email: p.Email, Status: p.Promoter.Status, KeapIDs: []int64{}, Codes: []string{},
			ParentRefToken: dir.ByID(p.ParentID).Token(), NeedsEmail: p.Email == "", Standing: string(p.Status),
			W9: p.Setting(book.SettingW9) == detailYes, PayoutMethod: p.Setting(book.SettingPayoutMethod),
		}
		for _, id := range p.Partners {
			if id > 0 { // below it, the promoter joined here
				l.KeapIDs = append(l.KeapIDs, id)
			}
		}
		lines = append(lines, l)
	}
	for _, alias := range c.Aliases {
		if i, ok := index[dir.ByID(alias.PromoterID).Promoter]; ok && alias.Kind == book.AliasCode {
			lines[i].Codes = append(lines[i].Codes, alias.Value)
		}
	}
	for i := range lines {
		slices.Sort(lines[i].Codes)
	}
	return lines
}

type linksCmd struct {
	Promoter string `placeholder:"TOKEN" help:"Only the links of this ref token."`
}

func (linksCmd) Help() string {
	return `Streams one line for every old link of every promoter, with the new link that takes its place: made
from two small tables, never stored. As CSV, or with --json one object a line. Changes nothing.

Example: carryover links --promoter coachdesk > coachdesk.csv`
}

func (c *linksCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		content, err := b.Content(a.ctx)
		if err != nil {
			return err
		}
		if c.Promoter != "" && !slices.ContainsFunc(content.Promoters, func(q book.Promoter) bool { return q.Token == c.Promoter }) {
			return fmt.Errorf("no promoter has the ref token %q: \"carryover promoters\" lists them", c.Promoter)
		}
		out := bufio.NewWriterSize(a.Out, 1<<18)
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		sheetOut := sheet.NewWriter(out)
		write := func(l migrate.SheetLink) error {
			if err := a.ctx.Err(); err != nil { // there may be millions
				return err
			}
			if a.JSON {
				return enc.Encode(l)
			}
			return sheetOut.Write(l.OldLink, l.NewLink, l.Link, l.Code, l.Token, l.Email, l.Status)
		}
		if !a.JSON {
			if err := sheetOut.Write("old_link", "new_link", "link", "code", "ref_token", "email", "status"); err != nil {
				return err
			}
		}
		err = migrate.SheetLinks(&cfg.Policy, content, content.Links, c.Promoter, write)
		return errors.Join(err, sheetOut.Flush(), out.Flush())
	})
}
