package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

type ledgerCmd struct {
	List    ledgerListCmd    `cmd:"" default:"withargs" help:"What was earned and paid, by promoter or entry by entry."`
	Correct ledgerCorrectCmd `cmd:"" help:"Book a correction: an amount for or against a promoter, and why."`
}

func (ledgerCmd) Help() string {
	return `Without a word after it, it lists: one line a promoter, or with --promoter the entries of one. Nothing in the ledger is ever
edited; what is wrong gets a correction.

Example: carryover ledger --promoter coachdesk --year 2022`
}

type ledgerListCmd struct {
	Promoter string `placeholder:"WHO" help:"Only the entries of this promoter: a ref token, a code or a Keap id."`
	Year     int32  `placeholder:"YEAR" help:"Only entries of this year."`
	Kind     string `placeholder:"KIND" help:"Only entries of this kind: commission, clawback, refund, denied, correction, payment, opening or difference."`
}

func (ledgerListCmd) Help() string {
	return `For one promoter the statement: every entry with the balance after it, the row of the export that it came
from and its event id, then what it comes to by kind, by year and on the second level, and the balance: with --year
the one at the end of that year. Without --promoter one line a promoter. With --json every entry, one object a line; amounts are what they do to the balance, so clawbacks and
payments are below zero. Changes nothing.

Example: carryover ledger --promoter coachdesk --year 2022`
}

// ledgerLine is an entry as --json tells it.
type ledgerLine struct {
	EventID    string `json:"event_id"`
	Kind       string `json:"kind"`
	RefToken   string `json:"ref_token"`       // empty: of the program's own partner
	PartnerID  int64  `json:"keap_partner_id"` // 0: the promoter joined here
	At         string `json:"at"`              // in the program's zone
	Month      string `json:"month"`           // of earning: 2023-03
	Amount     int64  `json:"amount_cents"`    // what it does to the balance
	Currency   string `json:"currency"`
	Invoice    string `json:"invoice"`
	Product    string `json:"product"`
	Text       string `json:"description"`
	Email      string `json:"customer_email"`
	Name       string `json:"customer_name"`
	ContactID  int64  `json:"keap_contact_id"`
	Seller     string `json:"seller_ref_token"`
	Level      int    `json:"level"` // 2: another partner made the sale
	Type       string `json:"type"`  // of a payment
	SourceFile string `json:"source_file"`
	SourceLine int64  `json:"source_line"`
	Run        int64  `json:"run"`
}

func (c *ledgerListCmd) Run(a *app) error {
	if c.Year != 0 && (c.Year < 1000 || c.Year > 9999) {
		return console.UsageError("--year: %d is no year: write it like 2022", c.Year)
	}
	if c.Kind != "" && kindOrder(c.Kind) < 0 {
		return console.UsageError("--kind: %q is no kind: write commission, clawback, payment, opening or difference, and of what came since refund, denied or correction", c.Kind)
	}
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		dir, err := b.Directory(a.ctx)
		if err != nil {
			return err
		}
		var of book.Match
		var earners []book.Earner // nil: all
		if c.Promoter != "" {
			if of, err = a.findOwner(dir, c.Promoter); err != nil {
				return err
			}
			earners = of.Earners()
		}
		out := bufio.NewWriterSize(a.Out, 1<<18)
		switch {
		case a.JSON:
			err = c.stream(a, cfg, b, dir, earners, out)
		case c.Promoter != "":
			err = c.statement(a, cfg, b, dir, &of, out)
		default:
			err = c.summary(a, cfg, b, dir, out)
		}
		return errors.Join(err, out.Flush())
	})
}

func (c *ledgerListCmd) wants(kind string, month int32) bool {
	return (c.Year == 0 || month/100 == c.Year) && (c.Kind == "" || kind == c.Kind)
}

// stream writes the entries one object a line: of each earner in the order of time.
func (c *ledgerListCmd) stream(a *app, cfg *config.Config, b *book.Book, dir *book.Directory, earners []book.Earner, out io.Writer) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	const together = 1000 // the contacts of as many are looked up at once
	waiting := make([]book.Entry, 0, together)
	write := func() error {
		lines, err := a.ledgerLines(cfg, b, dir, waiting)
		waiting = waiting[:0]
		for i := range lines {
			if err := enc.Encode(&lines[i]); err != nil {
				return err
			}
		}
		return err
	}
	err := b.Ledger(a.ctx, earners, func(e book.Entry) error {
		if !c.wants(e.Kind, e.Month) {
			return nil
		}
		if waiting = append(waiting, e); len(waiting) < together {
			return nil
		}
		return write()
	})
	if err != nil {
		return err
	}
	return write()
}

// ledgerLines are entries with the customers whom they name.
func (a *app) ledgerLines(cfg *config.Config, b *book.Book, dir *book.Directory, entries []book.Entry) ([]ledgerLine, error) {
	named := map[int64]book.Contact{}
	for i := range entries {
		if id := entries[i].ContactID; id != 0 {
			named[id] = book.Contact{}
		}
	}
	if len(named) > 0 {
		contacts, err := b.ContactsByID(a.ctx, slices.Sorted(maps.Keys(named)))
		if err != nil {
			return nil, err
		}
		for _, k := range contacts {
			named[k.ID] = k
		}
	}
	tracked, err := a.trackedCustomers(b, entries)
	if err != nil {
		return nil, err
	}
	lines := make([]ledgerLine, len(entries))
	for i := range entries {
		e := &entries[i]
		k := named[e.ContactID]
		if e.CustomerID != 0 {
			k = tracked[e.CustomerID]
		}
		owner, partner := dir.ByEarner(e.Earner), e.PartnerID
		if e.PromoterID != 0 {
			partner = primaryKeapID(owner)
		}
		lines[i] = ledgerLine{
			EventID: e.ID, Kind: e.Kind, RefToken: owner.Token(), PartnerID: max(0, partner),
			At: terms.FormatTime(e.At, cfg.Zone), Month: terms.Month(e.Month).String(), Amount: e.Amount, Currency: e.Currency,
			Invoice: e.Invoice, Product: e.Product, Text: e.Description, Email: k.Email, Name: k.Name, ContactID: e.ContactID,
			Seller: dir.ByPartner(e.SellerID).Token(), Level: level(e), Type: e.Type, SourceFile: e.Source, SourceLine: e.Line, Run: e.ImportID,
		}
	}
	return lines, nil
}

// trackedCustomers are the customers whom entries name that came since, as contacts: by
// e-mail, or by the billing system's id where that is all that was told.
func (a *app) trackedCustomers(b *book.Book, entries []book.Entry) (map[int64]book.Contact, error) {
	named := map[int64]book.Contact{}
	for i := range entries {
		if id := entries[i].CustomerID; id != 0 {
			named[id] = book.Contact{}
		}
	}
	if len(named) == 0 {
		return nil, nil
	}
	customers, err := b.CustomersByID(a.ctx, slices.Sorted(maps.Keys(named)))
	for _, k := range customers {
		named[k.ID] = book.Contact{Email: k.Email}
		if k.Email == "" {
			named[k.ID] = book.Contact{Name: k.UID}
		}
	}
	return named, err
}

// level is 2 for what a partner earned on the sale of another.
func level(e *book.Entry) int {
	if e.SellerID != 0 && e.SellerID != e.PartnerID {
		return 2
	}
	return 1
}

// columns are what entries come to; minor units, as what they do to the balance.
type columns struct {
	beginning, commissions, clawbacks, payments, differences int64

	refunds, denied, corrections int64 // of what came since

	second int64 // of the commissions, those of the second level
}

func (t *columns) add(kind string, amount int64) {
	switch kind {
	case book.KindOpening:
		t.beginning += amount
	case book.KindCommission:
		t.commissions += amount
	case book.KindClawback:
		t.clawbacks += amount
	case book.KindRefund:
		t.refunds += amount
	case book.KindDenied:
		t.denied += amount
	case book.KindCorrection:
		t.corrections += amount
	case book.KindPayment:
		t.payments += amount
	default:
		t.differences += amount
	}
}

func (t *columns) sum() int64 {
	return t.beginning + t.commissions + t.clawbacks + t.refunds + t.denied + t.corrections + t.payments + t.differences
}

// statement writes the entries of one promoter, and what they come to.
func (c *ledgerListCmd) statement(a *app, cfg *config.Config, b *book.Book, dir *book.Directory, of *book.Match, out io.Writer) error {
	var entries []book.Entry
	if err := b.Ledger(a.ctx, of.Earners(), func(e book.Entry) error {
		entries = append(entries, e)
		return nil
	}); err != nil {
		return err
	}
	slices.SortStableFunc(entries, func(x, y book.Entry) int { // several partners may be one promoter
		return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(kindOrder(x.Kind), kindOrder(y.Kind)))
	})
	running, after := map[string]int64{}, map[string]int64{} // the balance after each entry
	brought := map[string]int64{}                            // from the years before
	closing := map[string]int64{}                            // at the end of the year, or of all entries
	shown := make([]book.Entry, 0, len(entries))
	for _, e := range entries {
		running[e.Currency] += e.Amount
		after[e.ID] = running[e.Currency]
		if e.Month/100 < c.Year {
			brought[e.Currency] += e.Amount
		}
		if c.Year == 0 || e.Month/100 <= c.Year {
			closing[e.Currency] += e.Amount
		}
		if c.wants(e.Kind, e.Month) {
			shown = append(shown, e)
		}
	}
	fmt.Fprintf(out, "%s, %s\n\n", of.Name(), partnerNames(dir, of.Partners))
	table := pages{app: a, out: out, header: []string{"date", "entry", "invoice", "for", "customer", "amount", "balance", "from", "event"}}
	for _, currency := range slices.Sorted(maps.Keys(brought)) {
		if err := table.add("", "brought forward", "", "", "", "", cfg.Amount(brought[currency], currency)); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(shown, pageRows) {
		lines, err := a.ledgerLines(cfg, b, dir, chunk)
		if err != nil {
			return err
		}
		for i := range lines {
			l, e := &lines[i], &chunk[i]
			if err := table.add(terms.FormatDay(e.At, cfg.Zone), l.entry(), e.Invoice, l.what(), cmp.Or(l.Email, l.Name, number(l.ContactID)),
				cfg.Amount(e.Amount, e.Currency), cfg.Amount(after[e.ID], e.Currency), origin(e.Source, e.Line), l.EventID); err != nil {
				return err
			}
		}
	}
	if err := table.end(); err != nil {
		return err
	}
	if len(shown) == 0 {
		fmt.Fprintln(out, "No entries.")
	} else if err := c.writeTotals(a, cfg, shown, brought, out); err != nil {
		return err
	}
	label := "Balance of all entries"
	if c.Year != 0 {
		label = fmt.Sprintf("Balance at the end of %d", c.Year)
	}
	for _, currency := range slices.Sorted(maps.Keys(closing)) {
		fmt.Fprintf(out, "\n%s: %s\n", label, cfg.Amount(closing[currency], currency))
	}
	return nil
}

// kindOrder is the order of entries of one day.
func kindOrder(kind string) int {
	return slices.Index([]string{book.KindOpening, book.KindDifference, book.KindCommission, book.KindClawback, book.KindRefund, book.KindDenied, book.KindCorrection, book.KindPayment}, kind)
}

// partnerNames are the codes and Keap ids of partners.
func partnerNames(dir *book.Directory, partners []int64) string {
	names := make([]string, len(partners))
	for i, id := range partners {
		names[i] = fmt.Sprintf("Keap id %d", id)
		if id < 0 {
			names[i] = "joined here"
		}
		if partner := dir.Partner(id); partner != nil && partner.Code != "" {
			names[i] += " (" + partner.Code + ")"
		}
	}
	return strings.Join(names, ", ")
}

// entry says what an entry is.
func (l *ledgerLine) entry() string {
	switch {
	case l.Level == 2 && l.Seller != "":
		return l.Kind + ", sold by " + l.Seller
	case l.Level == 2:
		return l.Kind + ", second level"
	case l.Type != "":
		return l.Kind + ", " + l.Type
	}
	return l.Kind
}

// what says what an entry was for.
func (l *ledgerLine) what() string { return cmp.Or(l.Product, l.Text) }

// writeTotals writes what entries come to by kind, and by year: with the balance before
// and after it, unless the entries are of one kind alone and do not make a balance.
// brought is what the years before the entries come to, by currency.
func (c *ledgerListCmd) writeTotals(a *app, cfg *config.Config, entries []book.Entry, brought map[string]int64, out io.Writer) error {
	type key struct {
		currency string
		year     int32
	}
	years, all := map[key]*columns{}, map[string]*columns{}
	counts := map[string]map[string]int{} // by currency and kind
	second := map[string]int{}
	for i := range entries {
		e := &entries[i]
		k := key{e.Currency, e.Month / 100}
		if years[k] == nil {
			years[k] = &columns{}
		}
		if all[e.Currency] == nil {
			all[e.Currency], counts[e.Currency] = &columns{}, map[string]int{}
		}
		counts[e.Currency][e.Kind]++
		for _, t := range []*columns{years[k], all[e.Currency]} {
			t.add(e.Kind, e.Amount)
			if e.Kind == book.KindCommission && level(e) == 2 {
				t.second += e.Amount
			}
		}
		if e.Kind == book.KindCommission && level(e) == 2 {
			second[e.Currency]++
		}
	}
	var rows [][]string
	for _, currency := range slices.Sorted(maps.Keys(all)) {
		t, n := all[currency], counts[currency]
		row := func(name string, n int, amount int64) {
			if n > 0 {
				rows = append(rows, []string{name, strconv.Itoa(n), cfg.Amount(amount, currency)})
			}
		}
		row("opening entries", n[book.KindOpening], t.beginning)
		row("commissions", n[book.KindCommission], t.commissions)
		row("  of the second level", second[currency], t.second)
		row("clawbacks", n[book.KindClawback], t.clawbacks)
		row("refunds", n[book.KindRefund], t.refunds)
		row("denied", n[book.KindDenied], t.denied)
		row("corrections", n[book.KindCorrection], t.corrections)
		row("payments", n[book.KindPayment], t.payments)
		row("differences", n[book.KindDifference], t.differences)
	}
	fmt.Fprintln(out)
	if err := a.table(out, []string{"kind", "entries", "amount"}, rows); err != nil {
		return err
	}
	header := []string{"year"}
	whole := c.Kind == ""
	if whole {
		header = append(header, "brought forward")
	}
	shown := ledgerColumns(slices.Collect(maps.Values(all)), true, true)
	for _, column := range shown {
		header = append(header, column.title)
	}
	if whole {
		header = append(header, "balance")
	}
	rows = nil
	balances := maps.Clone(brought)
	for _, k := range slices.SortedFunc(maps.Keys(years), func(x, y key) int {
		return cmp.Or(strings.Compare(x.currency, y.currency), cmp.Compare(x.year, y.year))
	}) {
		t := years[k]
		row := []string{strconv.Itoa(int(k.year))}
		if whole {
			row = append(row, cfg.Amount(balances[k.currency], k.currency))
		}
		balances[k.currency] += t.sum()
		for _, column := range shown {
			row = append(row, cfg.Amount(column.of(t), k.currency))
		}
		if whole {
			row = append(row, cfg.Amount(balances[k.currency], k.currency))
		}
		rows = append(rows, row)
	}
	fmt.Fprintln(out)
	return a.table(out, header, rows)
}

// ledgerColumn is one column of a table of sums.
type ledgerColumn struct {
	title string
	of    func(t *columns) int64
}

// ledgerColumns are those that a table of sums has: refunds, denied commissions and
// corrections, which only came since, where there are any.
func ledgerColumns(sums []*columns, second, differences bool) (list []ledgerColumn) {
	add := func(shown bool, title string, of func(t *columns) int64) {
		if shown {
			list = append(list, ledgerColumn{title, of})
		}
	}
	refunds := func(t *columns) int64 { return t.refunds }
	denied := func(t *columns) int64 { return t.denied }
	corrections := func(t *columns) int64 { return t.corrections }
	some := func(of func(t *columns) int64) bool {
		return slices.ContainsFunc(sums, func(t *columns) bool { return of(t) != 0 })
	}
	add(true, map[bool]string{true: "opening entries", false: "beginning"}[second], func(t *columns) int64 { return t.beginning })
	add(true, "commissions", func(t *columns) int64 { return t.commissions })
	add(second, "second level", func(t *columns) int64 { return t.second })
	add(true, "clawbacks", func(t *columns) int64 { return t.clawbacks })
	add(some(refunds), "refunds", refunds)
	add(some(denied), "denied", denied)
	add(some(corrections), "corrections", corrections)
	add(true, "payments", func(t *columns) int64 { return t.payments })
	add(differences, "differences", func(t *columns) int64 { return t.differences })
	return list
}

// summary writes one line a promoter.
func (c *ledgerListCmd) summary(a *app, cfg *config.Config, b *book.Book, dir *book.Directory, out io.Writer) error {
	sums, err := b.Sums(a.ctx)
	if err != nil {
		return err
	}
	type key struct{ currency, name string }
	lines, totals := map[key]*columns{}, map[string]*columns{}
	differences := false
	for _, s := range sums {
		k := key{s.Currency, dir.Name(s.Earner)}
		year := s.Month / 100
		switch {
		case c.Kind != "" && !c.wants(s.Kind, s.Month), c.Year != 0 && year > c.Year:
			continue
		case year < c.Year:
			s.Kind = book.KindOpening // brought forward
		}
		if lines[k] == nil {
			lines[k] = &columns{}
		}
		if totals[k.currency] == nil {
			totals[k.currency] = &columns{}
		}
		lines[k].add(s.Kind, s.Amount)
		totals[k.currency].add(s.Kind, s.Amount)
		differences = differences || s.Kind == book.KindDifference
	}
	if len(lines) == 0 {
		_, err := fmt.Fprintln(out, "No entries.")
		return err
	}
	shown := ledgerColumns(slices.Collect(maps.Values(totals)), false, differences)
	header := []string{"ref token", "currency"}
	for _, column := range shown {
		header = append(header, column.title)
	}
	header = append(header, "balance")
	row := func(name, currency string, t *columns) []string {
		cells := []string{name, currency}
		for _, column := range shown {
			cells = append(cells, terms.FormatMinor(column.of(t), currency))
		}
		return append(cells, terms.FormatMinor(t.sum(), currency))
	}
	var rows [][]string
	for _, currency := range slices.Sorted(maps.Keys(totals)) {
		for _, k := range slices.SortedFunc(maps.Keys(lines), func(x, y key) int { return strings.Compare(x.name, y.name) }) {
			if k.currency == currency {
				rows = append(rows, row(k.name, currency, lines[k]))
			}
		}
		rows = append(rows, row("together", currency, totals[currency]))
	}
	if err := a.table(out, header, rows); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nThe entries of one promoter: carryover ledger --promoter TOKEN. All of them: carryover ledger --json.\n")
	return err
}

// pages is a table of any length: it is written in pages, each with the header and widths
// of its own, so that no more than one is in memory.
type pages struct {
	*app
	out    io.Writer
	header []string
	rows   [][]string
}

const pageRows = 1000

func (t *pages) add(row ...string) error {
	t.rows = append(t.rows, row)
	if len(t.rows) < pageRows {
		return nil
	}
	return t.end()
}

// end writes what is left.
func (t *pages) end() error {
	if len(t.rows) == 0 {
		return nil
	}
	rows := t.rows
	t.rows = nil
	return t.app.table(t.out, t.header, rows)
}
