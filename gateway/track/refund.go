package track

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// bookRefund takes back what was earned on what a customer got back. From which sales it takes
// and how much, [terms.AllocateRefund] says. A refund that comes before its sale waits for it.
func (b *booking) bookRefund() (Result, error) {
	if r, again, err := b.findDuplicate(); err != nil || again {
		return r, err
	}
	c, known, err := b.findCustomer()
	if err != nil {
		return Result{}, err
	}
	a, err := b.attribute(&c)
	if err != nil {
		return Result{}, err
	}
	sales, err := b.refundableSales(&c, known)
	if err != nil {
		return Result{}, err
	}
	if len(sales) > 0 && sales[0].CustomerID != c.ID {
		return Result{Outcome: Invalid, Field: "sale_event_id", Message: "is a sale of another customer"}, nil
	}
	if r, ok := b.checkRefundCurrency(sales); !ok {
		return r, nil
	}
	facts, err := b.refundFacts(sales, known, a)
	if err != nil {
		return Result{}, err
	}
	source := facts.Source()
	switch {
	case source == terms.RefundOfNothing && facts.SaleUnattributed:
		b.waits = true // for the sale
		return Result{Outcome: NotReferred, Message: "the sale was credited to nobody"}, nil
	case source == terms.RefundOfNothing:
		return b.unattributed(&a)
	case b.call.Amount == 0:
		return Result{Outcome: Acknowledged, Customer: c, Promoter: b.promoter(a.Promoter)}, nil
	}
	if err := b.saveCustomer(&c); err != nil {
		return Result{}, err
	}
	if known {
		if b.others, err = b.readRefunds(&c); err != nil {
			return Result{}, err
		}
		b.others.setAside(func(r *book.Refund) bool { return r.At > b.at() })
	}
	taken, err := b.takeBack(&c, a, source, sales)
	if err != nil {
		return Result{}, err
	}
	b.saleCurrency, b.parts, b.takenNote = taken.currency, taken.parts, taken.note
	r, err := b.addEvent(&c, taken.by, taken.lines, "", taken.sale.ID)
	if err != nil {
		return Result{}, err
	}
	b.others.matched = append(b.others.matched, book.Refund{Event: r.Event, Evidence: book.Evidence{Parts: b.parts}})
	return r, b.matchAgain(&c, "")
}

// checkRefundCurrency refuses a refund whose amount cannot be converted. In a sale's own currency
// it needs no rate.
func (b *booking) checkRefundCurrency(sales []book.Event) (refusal Result, ok bool) {
	r, ok := b.checkCurrency()
	return r, ok || slices.ContainsFunc(sales, func(e book.Event) bool { return e.Currency == b.currency() })
}

// takeBack finds what the refund takes back, given where from and the sales that it may be of.
func (b *booking) takeBack(c *book.Customer, a terms.Attribution, source terms.RefundSource, sales []book.Event) (r reversal, err error) {
	switch source {
	case terms.RefundOfNothing:
		return reversal{by: a}, nil
	case terms.RefundOfCarried:
		return b.reverseCarried(c, a), nil
	case terms.RefundOfPending:
		return reversal{by: a, note: fmt.Sprintf("no sale %s is known yet: it takes back once there is", b.call.SaleEventID)}, nil
	}
	r, err = b.reverseSales(c, sales)
	if err != nil {
		return r, err
	}
	if keap, err := b.isOfKeap(c, &a, &r); err != nil || keap {
		return b.reverseCarried(c, a), err
	}
	r.by = a
	r.by.Promoter, r.by.By = r.sale.PromoterID, terms.ByOwner // whoever earned on the sale loses, whatever has become of it
	return r, nil
}

// refundableSales lists the sale that the refund names, whosever it is, else the customer's
// sales, the newest first.
func (b *booking) refundableSales(c *book.Customer, known bool) ([]book.Event, error) {
	if b.call.SaleEventID != "" {
		sale, ok, err := b.t.EventByExternalID(book.EventSale, b.call.SaleEventID)
		if err != nil || !ok {
			return nil, err
		}
		return []book.Event{sale}, nil
	}
	if !known {
		return nil, nil
	}
	return b.t.Sales(c.ID)
}

// refundFacts are what decides where the refund takes back from.
func (b *booking) refundFacts(sales []book.Event, known bool, a terms.Attribution) (f terms.RefundFacts, err error) {
	f = terms.RefundFacts{SaleNamed: b.call.SaleEventID != "", SalesBooked: len(sales) > 0, CustomerKnown: known, Attribution: a}
	if f.SaleNamed && !f.SalesBooked {
		f.SaleUnattributed, err = b.t.IsUnattributed(book.EventSale, b.call.SaleEventID)
	}
	return f, err
}

// reversal is what a refund takes back.
type reversal struct {
	by       terms.Attribution // from whom
	sale     book.Event        // the first that it takes from; none: of a sale at Keap, or not known yet
	currency string            // of the refund; empty: as it is told
	lines    []book.EventLine
	parts    []terms.RefundPart
	note     string // what a person should know
	whole    bool   // it is of one sale, and all of it
}

// reverseSales finds what the refund takes back from sales.
func (b *booking) reverseSales(c *book.Customer, sales []book.Event) (r reversal, err error) {
	refund := terms.Refund{Amount: b.call.Amount, Currency: b.call.Currency, At: b.until()}
	reversible := map[int64]book.EventLine{}
	a, err := terms.AllocateRefund(refund, b.s.o.Currency, b.convertFrom, b.readSales(sales, reversible))
	if err != nil {
		return r, err
	}
	r.currency, r.parts = a.Currency, a.Parts
	for i := range sales {
		if sales[i].ID == a.SaleID {
			r.sale = sales[i]
		}
	}
	counts, _ := b.countsAt()
	for _, v := range a.Lines {
		l := reversible[v.LineID]
		r.lines = append(r.lines, book.EventLine{
			Kind: book.KindRefund, PromoterID: l.PromoterID, CustomerID: c.ID, At: counts, Month: l.Month,
			Amount: -v.Amount, Currency: l.Currency, SaleAmount: -v.SaleAmount, Percent: l.Percent,
			Product: l.Product, ProductKind: l.ProductKind, Quantity: l.Quantity, ReversesLineID: l.ID,
		})
	}
	r.whole = a.Unmatched == 0 && !slices.ContainsFunc(a.Lines, func(v terms.LineReversal) bool {
		return reversible[v.LineID].EventID != r.sale.ID
	})
	if a.Unmatched > 0 {
		r.note = "more was refunded than was left of what is known to be sold: the rest takes nothing back"
	}
	return r, nil
}

// readSales reads what sales earned and what was reversed of it, one after the other. It
// adds their lines to reversible, by id.
func (b *booking) readSales(sales []book.Event, reversible map[int64]book.EventLine) iter.Seq2[terms.Sale, error] {
	read := func(e *book.Event) (terms.Sale, error) {
		s := terms.Sale{ID: e.ID, At: e.At, Amount: e.Amount, Currency: e.Currency}
		var v book.Evidence
		if err := json.Unmarshal([]byte(e.Evidence), &v); err != nil {
			return s, fmt.Errorf("the evidence of event %d: %w", e.ID, err)
		}
		if v.OnDay { // at any time of that day
			s.At -= halfDay
		}
		lines, err := b.t.Lines(e.ID)
		if err != nil {
			return s, err
		}
		for i := range lines {
			if lines[i].Kind != book.KindCommission {
				continue
			}
			line, err := b.saleLine(&lines[i])
			if err != nil {
				return s, err
			}
			s.Lines = append(s.Lines, line)
			reversible[line.ID] = lines[i]
		}
		if e.Currency != b.s.o.Currency {
			s.Refunded = b.others.refunded(e)
		}
		return s, nil
	}
	return func(yield func(terms.Sale, error) bool) {
		for i := range sales {
			if !yield(read(&sales[i])) {
				return
			}
		}
	}
}

// saleLine reads what was reversed of a commission.
func (b *booking) saleLine(l *book.EventLine) (terms.SaleLine, error) {
	s := terms.SaleLine{ID: l.ID, Amount: l.SaleAmount, Percent: l.Percent, Earned: l.Amount}
	reversals, err := b.t.Reversals(l.ID)
	reversals = b.others.reversals(l.ID, reversals)
	for i := range reversals {
		s.Refunded -= reversals[i].SaleAmount
		s.Reversed -= reversals[i].Amount
	}
	return s, err
}

// reverseCarried takes back from a customer's owner at Keap: the sale was before live tracking,
// and its commission was carried over.
func (b *booking) reverseCarried(c *book.Customer, a terms.Attribution) reversal {
	kind, at, amount := b.productKind(b.call.Plan), b.at(), b.convert(b.call.Amount)
	counts, _ := b.countsAt()
	var own []terms.RateChange
	if p := b.promoter(a.Promoter); p != nil {
		own = p.RateChanges
	}
	reversed, percent := b.s.o.Terms.ReverseCarried(amount, kind, at, own)
	lines := []book.EventLine{{
		Kind: book.KindRefund, PromoterID: a.Promoter, CustomerID: c.ID, At: counts, Month: b.month(counts),
		Amount: -reversed, Currency: b.s.o.Currency, SaleAmount: -amount, Percent: percent,
		Product: b.call.Plan, ProductKind: kind.String(), Quantity: b.call.Quantity,
	}}
	note := "of a sale that was not tracked here: the share of today's terms is taken back"
	if b.call.SaleEventID != "" {
		note += fmt.Sprintf("; once there is a sale %s, of that instead", b.call.SaleEventID)
	}
	return reversal{by: a, currency: b.currency(), lines: lines, note: note}
}

// isOfKeap reports whether a refund that names no sale is of one at Keap, though there are sales
// here: none of these is as much, and there is an order at Keap of just that amount which was
// not refunded here yet.
func (b *booking) isOfKeap(c *book.Customer, a *terms.Attribution, taken *reversal) (bool, error) {
	if taken.whole || b.call.SaleEventID != "" || a.By != terms.ByCarried || c.Email == "" {
		return false, nil
	}
	orders, err := b.t.CountKeapOrders(c.Email, b.call.Amount, b.currency(), b.until())
	if err != nil || orders == 0 {
		return false, err
	}
	return orders > b.others.countOfKeap(b.call.Amount), nil
}
