package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/gateway/click"
	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/sheet"
)

type explainCmd struct {
	What string `arg:"" help:"A customer's e-mail address, name, Keap contact id or uid (uid:c-9); an order (order:4002); an invoice (invoice:70001); an event of the billing system (event:pay-55); a click id; an entry of the ledger (k-..., t-..., p-...)."`
}

func (explainCmd) Help() string {
	return `Says whose a customer is and why, in one sentence and as a timeline: every referral that competed and what
became of it, orders, subscriptions, commissions and clawbacks, clicks, sign-ups and what was tracked since, each with
the promoter. Says so when the other rule ([import] owner), or first click, would have chosen somebody else. Of an order,
an invoice, a click or an event it says what came of it first. Changes nothing.

Example: carryover explain order:4002`
}

// explanation is an answer as --json tells it.
type explanation struct {
	About   string       `json:"about"`            // customer, order, invoice, event or click
	Answer  string       `json:"answer,omitempty"` // on anything but a customer
	Entries []ledgerLine `json:"entries,omitempty"`
	*story               // of the customer; nil where there is none
}

// explainer is what explanations are made with.
type explainer struct {
	*app
	cfg  *config.Config
	b    *book.Book
	dir  *book.Directory
	asOf string
}

func (c *explainCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		dir, err := b.Directory(a.ctx)
		if err != nil {
			return err
		}
		day, err := a.asOf(cfg, b)
		if err != nil {
			return err
		}
		x := &explainer{a, cfg, b, dir, day.Format(time.DateOnly)}
		e, err := x.explain(strings.TrimSpace(c.What))
		if err != nil {
			return err
		}
		if a.JSON {
			return a.Object(e)
		}
		out := bufio.NewWriter(a.Out)
		return errors.Join(x.write(e, out), out.Flush())
	})
}

func (x *explainer) explain(what string) (*explanation, error) {
	if kind, id, ok := strings.Cut(what, ":"); ok {
		switch strings.ToLower(kind) {
		case "order":
			return x.order(id)
		case "invoice":
			return x.invoice(strings.TrimSpace(id))
		case "event":
			return x.told(strings.TrimSpace(id))
		case "uid":
			s, err := x.trackedCustomer("", strings.TrimSpace(id))
			if err == nil && s == nil {
				err = fmt.Errorf("the billing system has told of no customer uid:%s", strings.TrimSpace(id))
			}
			return &explanation{About: "customer", story: s}, err
		case "contact":
			what = id
		}
	}
	if _, err := book.ParseEventID(what); err == nil || wasTracked(what) {
		return x.event(what)
	}
	if id, err := click.ParseID(what); err == nil && !strings.Contains(what, "@") {
		return x.click(id)
	}
	s, err := x.customer(what)
	return &explanation{About: "customer", story: s}, err
}

// event explains one entry of the ledger.
func (x *explainer) event(id string) (*explanation, error) {
	e, err := x.b.Entry(x.ctx, id)
	if errors.Is(err, book.ErrNoEntry) {
		return nil, fmt.Errorf("%w: \"carryover ledger --promoter TOKEN\" lists event ids", err)
	}
	if err != nil {
		return nil, err
	}
	made, err := x.ofEntries("event", []book.Entry{e})
	if err != nil {
		return nil, err
	}
	amount, happened := e.Amount, "moved the balance of"
	switch e.Kind {
	case book.KindCommission:
		happened = "was earned by"
	case book.KindClawback:
		amount, happened = -amount, "was taken back from"
	case book.KindPayment:
		amount, happened = -amount, "was paid to"
	case book.KindRefund:
		amount, happened = -amount, "was taken back for a refund from"
	case book.KindDenied:
		amount, happened = -amount, "was denied by a person to"
	case book.KindCorrection:
		happened = "was given by a correction to"
		if amount < 0 {
			amount, happened = -amount, "was taken back by a correction from"
		}
	case book.KindOpening:
		happened = "was the beginning balance of"
	case book.KindDifference:
		happened = "is the accepted difference between ledger and rows of"
	}
	l := &made.Entries[0]
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s %s on %s", sheet.Money{Minor: amount, Currency: e.Currency}, happened, x.owner(e.Earner), x.day(e.At))
	if e.Invoice != "" {
		fmt.Fprintf(&s, ", on invoice %s", e.Invoice)
	}
	if e.Kind != book.KindOpening && e.Kind != book.KindDifference && l.what() != "" {
		fmt.Fprintf(&s, " (%s)", l.what())
	}
	if l.Level == 2 {
		fmt.Fprintf(&s, ", on the second level: %s made the sale", x.owner(book.Earner{PartnerID: e.SellerID}))
	}
	if e.Kind == book.KindCommission && e.Month != 0 {
		fmt.Fprintf(&s, "; the hold on it ends with %s", terms.Month(e.Month).Add(x.cfg.Terms.HoldMonths))
	}
	if e.Kind == book.KindCorrection {
		c, err := x.correction(id)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&s, "; it counts in %s, %s has booked it", terms.Month(e.Month), c.RecordedBy)
	}
	if e.Source != "" {
		fmt.Fprintf(&s, "; run %d read it in %s, line %d", e.ImportID, e.Source, e.Line)
	}
	made.Answer = s.String() + "."
	return made, nil
}

// invoice explains what was earned on an invoice.
func (x *explainer) invoice(id string) (*explanation, error) {
	entries, err := x.b.EntriesByInvoice(x.ctx, id)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("no entry of the ledger names the invoice %q: an order is order:%s", id, id)
	}
	e, err := x.ofEntries("invoice", entries)
	if err != nil {
		return nil, err
	}
	e.Answer = fmt.Sprintf("On invoice %s %s.", id, earned(entries))
	return e, nil
}

// order explains an order and what was earned on it.
func (x *explainer) order(text string) (*explanation, error) {
	id, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return nil, console.UsageError("%q is no order id: write it like order:4002", text)
	}
	sale, err := x.b.Sale(x.ctx, id)
	if errors.Is(err, book.ErrNoSale) {
		return nil, fmt.Errorf("%w: \"carryover explain CUSTOMER\" lists the orders of a customer, and invoice:%d is an invoice", err, id)
	}
	if err != nil {
		return nil, err
	}
	all, err := x.b.EntriesOf(x.ctx, []int64{sale.ContactID})
	if err != nil {
		return nil, err
	}
	// Keap's orders name no invoice: what joins the two is the customer, day and seller.
	var entries []book.Entry
	invoices := map[string]bool{}
	for _, e := range all {
		if e.Kind == book.KindCommission && x.day(e.At) == x.day(sale.OrderedAt) && cmp.Or(e.SellerID, e.PartnerID) == sale.SellerID {
			entries = append(entries, e)
			invoices[e.Invoice] = e.Invoice != ""
		}
	}
	for _, e := range all {
		if e.Kind == book.KindClawback && invoices[e.Invoice] {
			entries = append(entries, e)
		}
	}
	e, err := x.ofEntries("order", entries)
	if err != nil {
		return nil, err
	}
	if e.story == nil {
		key, err := x.customerOf(sale.ContactID)
		if err != nil {
			return nil, err
		}
		if e.story, err = x.storyOf(key); err != nil {
			return nil, err
		}
	}
	e.Answer = fmt.Sprintf("Order %d of %s, %s (%s), ", id, x.day(sale.OrderedAt), sheet.Money{Minor: sale.Total, Currency: sale.Currency}, sale.Products)
	switch {
	case sale.SellerID == 0:
		e.Answer += "was sold without a partner."
	case len(entries) == 0:
		e.Answer += "was sold by " + x.owner(book.Earner{PartnerID: sale.SellerID}) + "; the ledger has no commission of this customer, day and seller."
	default:
		e.Answer += "was sold by " + x.owner(book.Earner{PartnerID: sale.SellerID}) + "; on orders of this customer, day and seller " + earned(entries) + "."
	}
	return e, nil
}

// earned says what entries come to.
func earned(entries []book.Entry) string {
	commissions, clawbacks := map[string]int64{}, map[string]int64{}
	for i := range entries {
		if e := &entries[i]; e.Kind == book.KindClawback {
			clawbacks[e.Currency] -= e.Amount
		} else {
			commissions[e.Currency] += e.Amount
		}
	}
	list := func(sums map[string]int64) string {
		var texts []string
		for _, currency := range slices.Sorted(maps.Keys(sums)) {
			texts = append(texts, sheet.Money{Minor: sums[currency], Currency: currency}.String())
		}
		return strings.Join(texts, " and ")
	}
	switch {
	case len(clawbacks) == 0:
		return list(commissions) + " was earned"
	case len(commissions) == 0:
		return list(clawbacks) + " was taken back"
	}
	return list(commissions) + " was earned, and " + list(clawbacks) + " taken back"
}

// ofEntries explains entries, with the story of their customer when they name just one.
func (x *explainer) ofEntries(about string, entries []book.Entry) (*explanation, error) {
	lines, err := x.ledgerLines(x.cfg, x.b, x.dir, entries)
	if err != nil {
		return nil, err
	}
	e := &explanation{About: about, Entries: lines}
	keys := map[string]bool{}
	for i := range lines {
		if l := &lines[i]; l.ContactID != 0 {
			keys[cmp.Or(l.Email, contactKey(l.ContactID))] = true
		}
	}
	tracked := map[int64]bool{}
	for i := range entries {
		if id := entries[i].CustomerID; id != 0 {
			tracked[id] = true
		}
	}
	switch {
	case len(keys) == 1 && len(tracked) == 0:
		for key := range keys {
			e.story, err = x.storyOf(key)
		}
	case len(keys) == 0 && len(tracked) == 1:
		for id := range tracked {
			e.story, err = x.customerStory(id)
		}
	}
	return e, err
}

// contactKey is the key of a customer without an e-mail address.
func contactKey(id int64) string { return "contact:" + strconv.FormatInt(id, 10) }

// customerOf is the key of a contact's customer.
func (x *explainer) customerOf(contact int64) (key string, err error) {
	known, err := x.b.ContactsByID(x.ctx, []int64{contact})
	if err == nil && len(known) == 1 && known[0].Email != "" {
		return known[0].Email, nil
	}
	return contactKey(contact), err
}

// customer tells the story of the customer whom a person means.
func (x *explainer) customer(what string) (*story, error) {
	found, err := x.b.FindContacts(x.ctx, what)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, k := range found {
		if key := cmp.Or(k.Email, contactKey(k.ID)); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	if len(keys) > 1 {
		var list strings.Builder
		for _, k := range found {
			fmt.Fprintf(&list, "\n  %d  %s  %s", k.ID, k.Name, cmp.Or(k.Email, "(no e-mail)"))
		}
		return nil, console.UsageError("%q could be any of these, ask with a Keap id or an address:%s", what, list.String())
	}
	if id, err := strconv.ParseInt(what, 10, 64); err == nil && len(keys) == 0 && id > 0 {
		keys = []string{contactKey(id)} // rows may name a contact that no list of them held
	}
	if len(keys) == 1 {
		if s, err := x.storyOf(keys[0]); err != nil || len(found) > 0 || len(s.Timeline) > 0 {
			return s, err
		}
	}
	if s, err := x.trackedCustomer(strings.ToLower(what), what); err != nil || s != nil {
		return s, err
	}
	return nil, fmt.Errorf("the book knows no customer %q: give an e-mail address, a name, a Keap contact id, uid:ID, event:ID, order:ID, invoice:ID, a click id or an event id", what)
}

// owner names whose a row is in a sentence.
func (x *explainer) owner(e book.Earner) string {
	owner, name, id := x.dir.ByEarner(e), x.dir.Name(e), e.PartnerID
	if owner.House {
		name = "the program's own partner"
	}
	if e.PromoterID != 0 {
		id = primaryKeapID(owner)
	}
	if e.PromoterID != 0 && id == 0 || id < 0 { // joined here
		return name
	}
	return fmt.Sprintf("%s (Keap id %d)", name, id)
}

func (x *explainer) day(at int64) string { return terms.FormatDay(at, x.cfg.Zone) }

func (x *explainer) minute(at int64) string {
	return time.Unix(at, 0).In(x.cfg.Zone).Format("2006-01-02 15:04")
}

// write tells an explanation to a person.
func (x *explainer) write(e *explanation, out io.Writer) error {
	if e.Answer != "" {
		fmt.Fprintln(out, e.Answer)
	}
	if len(e.Entries) > 0 {
		var rows [][]string
		for i := range e.Entries {
			l := &e.Entries[i]
			rows = append(rows, []string{l.At[:min(len(time.DateOnly), len(l.At))], l.entry(), cmp.Or(l.RefToken, book.HouseName), x.cfg.Amount(l.Amount, l.Currency), l.Invoice, l.what(), cmp.Or(l.Email, l.Name), l.EventID})
		}
		fmt.Fprintln(out)
		if err := x.table(out, []string{"date", "entry", "promoter", "amount", "invoice", "for", "customer", "event"}, rows); err != nil {
			return err
		}
	}
	if e.story == nil {
		return nil
	}
	if e.Answer != "" {
		fmt.Fprintln(out)
	}
	return x.writeStory(e.story, out)
}
