package track

import (
	"encoding/json"
	"fmt"
	"iter"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// refund takes back what was earned on what a customer got back: from which sales, and how
// much, [terms.AllocateRefund] says. A refund that is told before its sale waits for it.
func (d *desk) refund() (Result, error) {
	if r, again, err := d.told(); err != nil || again {
		return r, err
	}
	c, known, err := d.customer()
	if err != nil {
		return Result{}, err
	}
	a, err := d.attribute(&c)
	if err != nil {
		return Result{}, err
	}
	sales, err := d.refundableSales(&c, known)
	if err != nil {
		return Result{}, err
	}
	if len(sales) > 0 {
		if sales[0].CustomerID != c.ID {
			return Result{Outcome: Invalid, Field: "sale_event_id", Message: "is a sale of another customer"}, nil
		}
		d.sold = sales[0].Currency
	}
	if r, ok := d.converts(); !ok && (len(sales) == 0 || d.currency() != sales[0].Currency) { // in the sale's own it needs no rate
		return r, nil
	}
	facts := terms.RefundFacts{
		SaleNamed: d.call.SaleEventID != "", SalesBooked: len(sales) > 0, CustomerKnown: known, Attribution: a,
	}
	if facts.SaleNamed && !facts.SalesBooked {
		if facts.SaleUnattributed, err = d.t.WasUnattributed(book.EventSale, d.call.SaleEventID); err != nil {
			return Result{}, err
		}
	}
	source := facts.Source()
	switch {
	case source == terms.RefundOfNothing && facts.SaleUnattributed:
		return Result{Outcome: NotReferred, Message: "the sale was credited to nobody"}, nil
	case source == terms.RefundOfNothing:
		return d.nobody(&a)
	case d.call.Amount == 0:
		return Result{Outcome: Acknowledged, Customer: c, Promoter: d.t.Directory().ByID(a.Promoter).Promoter}, nil
	}
	if err := d.keep(&c); err != nil {
		return Result{}, err
	}
	switch source {
	case terms.RefundOfCarried:
		return d.reverseCarried(&c, a)
	case terms.RefundOfPending:
		return d.write(&c, a, nil, fmt.Sprintf("no sale %s is known yet: it takes back once there is", d.call.SaleEventID), 0)
	}
	sale, lines, note, err := d.reverse(&c, sales)
	if err != nil {
		return Result{}, err
	}
	a.Promoter, a.By = sale.PromoterID, terms.ByOwner // whoever earned on the sale, whatever he is now
	return d.write(&c, a, lines, note, sale.ID)
}

// refundableSales lists the sale that the refund names, whosever it is, else the customer's
// sales, the newest first. A refund that names no currency is in that of the first.
func (d *desk) refundableSales(c *book.Customer, known bool) ([]book.Event, error) {
	if d.call.SaleEventID != "" {
		sale, ok, err := d.t.EventByExternalID(book.EventSale, d.call.SaleEventID)
		if err != nil || !ok {
			return nil, err
		}
		return []book.Event{sale}, nil
	}
	if !known {
		return nil, nil
	}
	return d.t.Sales(c.ID)
}

// reverse makes the lines of what the refund takes back from sales. sale is the first that
// it takes from; note says when it takes less than it should.
func (d *desk) reverse(c *book.Customer, sales []book.Event) (sale book.Event, lines []book.EventLine, note string, err error) {
	refund := terms.Refund{Amount: d.call.Amount, Currency: d.currency(), Converted: d.own(d.call.Amount)}
	reversible := map[int64]book.EventLine{}
	a, err := terms.AllocateRefund(refund, d.s.o.Currency, d.readSales(c, sales, reversible))
	if err != nil {
		return sale, nil, "", err
	}
	for i := range sales {
		if sales[i].ID == a.SaleID {
			sale = sales[i]
		}
	}
	for _, v := range a.Lines {
		l := reversible[v.LineID]
		lines = append(lines, book.EventLine{
			Kind: book.KindRefund, PromoterID: l.PromoterID, CustomerID: c.ID, At: d.at(), Month: l.Month,
			Amount: -v.Amount, Currency: l.Currency, SaleAmount: -v.SaleAmount, Percent: l.Percent,
			Product: l.Product, ProductKind: l.ProductKind, Quantity: l.Quantity, ReversesLineID: l.ID,
		})
	}
	if a.Unmatched > 0 {
		note = "more was refunded than was left of what is known to be sold: the rest takes nothing back"
	}
	return sale, lines, note, nil
}

// readSales reads what sales earned and what was reversed of it, one after the other. It
// adds their lines to reversible, by id.
func (d *desk) readSales(c *book.Customer, sales []book.Event, reversible map[int64]book.EventLine) iter.Seq2[terms.Sale, error] {
	read := func(e *book.Event) (terms.Sale, error) {
		s := terms.Sale{ID: e.ID, Amount: e.Amount, Currency: e.Currency}
		lines, err := d.t.Lines(e.ID)
		if err != nil {
			return s, err
		}
		for i := range lines {
			if lines[i].Kind != book.KindCommission {
				continue
			}
			line, err := d.saleLine(&lines[i])
			if err != nil {
				return s, err
			}
			s.Lines = append(s.Lines, line)
			reversible[line.ID] = lines[i]
		}
		if e.Currency != d.s.o.Currency {
			s.Refunded, err = d.t.Refunded(c.ID, e.ID, e.Currency)
		}
		return s, err
	}
	return func(yield func(terms.Sale, error) bool) {
		for i := range sales {
			if !yield(read(&sales[i])) {
				return
			}
		}
	}
}

// saleLine is a commission and what was reversed of it.
func (d *desk) saleLine(l *book.EventLine) (terms.SaleLine, error) {
	s := terms.SaleLine{ID: l.ID, Amount: l.SaleAmount, Percent: l.Percent, Earned: l.Amount}
	reversals, err := d.t.TakenFrom(l.ID)
	for i := range reversals {
		s.Refunded -= reversals[i].SaleAmount
		s.Reversed -= reversals[i].Amount
	}
	return s, err
}

// matchRefunds takes back what was refunded of a sale before the sale was told.
func (d *desk) matchRefunds(c *book.Customer, sale *book.Event) error {
	refunds, err := d.t.Unmatched(c.ID)
	if err != nil {
		return err
	}
	for i := range refunds {
		e := &refunds[i]
		var v book.Evidence
		if err := json.Unmarshal([]byte(e.Evidence), &v); err != nil {
			return fmt.Errorf("the evidence of event %d: %w", e.ID, err)
		}
		if v.Sale == "" || v.Sale != sale.ExternalID {
			continue
		}
		call := Call{Kind: book.EventRefund, Amount: e.Amount, Currency: e.Currency, CreatedAt: e.At}
		then := desk{s: d.s, t: d.t, call: &call, now: d.now}
		if _, ok := then.converts(); !ok && e.Currency != sale.Currency { // its rate is gone
			continue
		}
		_, lines, _, err := then.reverse(c, []book.Event{*sale})
		if err != nil {
			return err
		}
		if err := d.t.Match(e, sale.ID, lines); err != nil {
			return err
		}
	}
	return nil
}

// reverseCarried takes back from a customer's owner at Keap: the sale was before the
// program's own tracking, and its commission was carried over.
func (d *desk) reverseCarried(c *book.Customer, a terms.Attribution) (Result, error) {
	kind, at, amount := d.kindOf(d.call.Plan), d.at(), d.own(d.call.Amount)
	var own []terms.RateChange
	if p := d.t.Directory().ByID(a.Promoter).Promoter; p != nil {
		own = p.RateChanges
	}
	reversed, percent := d.s.o.Terms.ReverseCarried(amount, kind, at, own)
	lines := []book.EventLine{{
		Kind: book.KindRefund, PromoterID: a.Promoter, CustomerID: c.ID, At: at, Month: d.month(at),
		Amount: -reversed, Currency: d.s.o.Currency, SaleAmount: -amount, Percent: percent,
		Product: d.call.Plan, ProductKind: kind.String(), Quantity: d.call.Quantity,
	}}
	return d.write(c, a, lines, "of a sale that was not tracked here: the share of today's terms is taken back", 0)
}
