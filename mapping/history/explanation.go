package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Explanation is an answer as --json tells it.
type Explanation struct {
	About            string        `json:"about"`            // customer, order, invoice, event or click
	Answer           string        `json:"answer,omitempty"` // on anything but a customer
	Entries          []LedgerEntry `json:"entries,omitempty"`
	*CustomerHistory               // of the customer; nil where there is none
}

// entry explains an entry of the ledger.
func (x *Explainer) entry(ctx context.Context, id string) (*Explanation, error) {
	e, err := x.Book.Entry(ctx, id)
	if errors.Is(err, book.ErrNoEntry) {
		return nil, fmt.Errorf("%w: \"carryover ledger --promoter TOKEN\" lists event ids", err)
	}
	if err != nil {
		return nil, err
	}
	made, err := x.explainEntries(ctx, "event", []book.Entry{e})
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
	fmt.Fprintf(&s, "%s %s %s on %s", terms.FormatMoney(amount, e.Currency), happened, x.owner(e.Earner), x.day(e.At))
	if e.Invoice != "" {
		fmt.Fprintf(&s, ", on invoice %s", e.Invoice)
	}
	if e.Kind != book.KindOpening && e.Kind != book.KindDifference && l.Purpose() != "" {
		fmt.Fprintf(&s, " (%s)", l.Purpose())
	}
	if l.Level == 2 {
		fmt.Fprintf(&s, ", on the second level: %s made the sale", x.owner(book.Earner{PartnerID: e.SellerID}))
	}
	if e.Kind == book.KindCommission && e.Month != 0 {
		fmt.Fprintf(&s, "; the hold on it ends with %s", terms.Month(e.Month).Add(x.Terms.HoldMonths))
	}
	if e.Kind == book.KindCorrection {
		c, err := x.correction(ctx, id)
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
func (x *Explainer) invoice(ctx context.Context, id string) (*Explanation, error) {
	entries, err := x.Book.EntriesByInvoice(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("no entry of the ledger names the invoice %q: an order is order:%s", id, id)
	}
	e, err := x.explainEntries(ctx, "invoice", entries)
	if err != nil {
		return nil, err
	}
	e.Answer = fmt.Sprintf("On invoice %s %s.", id, describeEarnings(entries))
	return e, nil
}

// order explains an order and what was earned on it.
func (x *Explainer) order(ctx context.Context, text string) (*Explanation, error) {
	id, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return nil, book.NewInputError("%q is no order id: write it like order:4002", text)
	}
	sale, err := x.Book.Sale(ctx, id)
	if errors.Is(err, book.ErrNoSale) {
		return nil, fmt.Errorf("%w: \"carryover explain CUSTOMER\" lists the orders of a customer, and invoice:%d is an invoice", err, id)
	}
	if err != nil {
		return nil, err
	}
	all, err := x.Book.EntriesOf(ctx, []int64{sale.ContactID})
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
	e, err := x.explainEntries(ctx, "order", entries)
	if err != nil {
		return nil, err
	}
	if e.CustomerHistory == nil {
		key, err := x.customerOf(ctx, sale.ContactID)
		if err != nil {
			return nil, err
		}
		if e.CustomerHistory, err = x.customerHistory(ctx, key); err != nil {
			return nil, err
		}
	}
	total := terms.FormatMoney(sale.Total, sale.Currency)
	e.Answer = fmt.Sprintf("Order %d of %s, %s (%s), ", id, x.day(sale.OrderedAt), total, sale.Products)
	seller := x.owner(book.Earner{PartnerID: sale.SellerID})
	switch {
	case sale.SellerID == 0:
		e.Answer += "was sold without a partner."
	case len(entries) == 0:
		e.Answer += "was sold by " + seller + "; the ledger has no commission of this customer, day and seller."
	default:
		e.Answer += "was sold by " + seller + "; on orders of this customer, day and seller " + describeEarnings(entries) + "."
	}
	return e, nil
}

// describeEarnings says what entries come to.
func describeEarnings(entries []book.Entry) string {
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
			texts = append(texts, terms.FormatMoney(sums[currency], currency))
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

// explainEntries explains entries, with the history of their customer when they name just one.
func (x *Explainer) explainEntries(ctx context.Context, about string, entries []book.Entry) (*Explanation, error) {
	lines, err := x.LedgerEntries(ctx, entries)
	if err != nil {
		return nil, err
	}
	e := &Explanation{About: about, Entries: lines}
	keys := map[string]bool{}
	for i := range lines {
		if l := &lines[i]; l.ContactID != 0 {
			keys[cmp.Or(l.Email, book.ContactKey(l.ContactID))] = true
		}
	}
	live := map[int64]bool{}
	for i := range entries {
		if id := entries[i].CustomerID; id != 0 {
			live[id] = true
		}
	}
	switch {
	case len(keys) == 1 && len(live) == 0:
		for key := range keys {
			e.CustomerHistory, err = x.customerHistory(ctx, key)
		}
	case len(keys) == 0 && len(live) == 1:
		for id := range live {
			e.CustomerHistory, err = x.historyByID(ctx, id)
		}
	}
	return e, err
}

// correction is why a person booked an entry.
func (x *Explainer) correction(ctx context.Context, entry string) (book.Correction, error) {
	line, err := strconv.ParseInt(strings.TrimPrefix(entry, "t-"), 10, 64)
	if err != nil {
		return book.Correction{}, fmt.Errorf("%q is no entry that was booked live: %w", entry, err)
	}
	return x.Book.Correction(ctx, line)
}
