package track

import (
	"cmp"
	"maps"
	"slices"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// How refunds find their sales
//
// Events are told in any order, and what a refund takes back from depends on the sales and the
// refunds that were before it. Whatever is told late is booked as if it had come in order: the
// refunds that it was before, and those that wait for a sale, are set aside, and matched again one
// after the other, by date. What a refund takes back by then is booked as the difference to what
// it took before; where that is nothing, nothing is.

// otherRefunds are a customer's refunds beside the one that is matched.
type otherRefunds struct {
	matched []book.Refund
	aside   []book.Refund    // by date: what they took back does not count
	lines   []book.EventLine // of those of aside that were matched again: what they take back now
	ids     []int64          // of all that were set aside
}

func (b *booking) readRefunds(c *book.Customer) (o otherRefunds, err error) {
	o.matched, err = b.t.Refunds(c.ID)
	return o, err
}

// setAside sets the refunds aside that are to be matched again.
func (o *otherRefunds) setAside(is func(*book.Refund) bool) {
	for i := range o.matched {
		if r := &o.matched[i]; is(r) {
			o.aside, o.ids = append(o.aside, *r), append(o.ids, r.ID)
		}
	}
	o.matched = slices.DeleteFunc(o.matched, func(r book.Refund) bool { return is(&r) })
}

// reversals are the lines that take back from a line, given those that are booked.
func (o *otherRefunds) reversals(line int64, booked []book.EventLine) []book.EventLine {
	if len(o.ids) == 0 {
		return booked
	}
	list := slices.DeleteFunc(booked, func(l book.EventLine) bool { return slices.Contains(o.ids, l.EventID) })
	for i := range o.lines {
		if o.lines[i].ReversesLineID == line {
			list = append(list, o.lines[i])
		}
	}
	return list
}

// refunded is how much of a sale was refunded in its own currency.
func (o *otherRefunds) refunded(sale *book.Event) (sum int64) {
	for i := range o.matched {
		r := &o.matched[i]
		if r.Currency != sale.Currency || r.SaleEventID == 0 {
			continue
		}
		if r.Evidence.Parts == nil && r.SaleEventID == sale.ID {
			sum += r.Amount
		}
		for _, part := range r.Evidence.Parts {
			if part.SaleID == sale.ID {
				sum += part.Amount
			}
		}
	}
	return sum
}

// countOfKeap counts the refunds of an amount that are of no sale here.
func (o *otherRefunds) countOfKeap(amount int64) (n int) {
	for i := range o.matched {
		if r := &o.matched[i]; r.SaleEventID == 0 && r.Amount == amount {
			n++
		}
	}
	return n
}

// matchAfterSale matches the refunds again that the call's sale was before, or that wait for a
// sale. uncredited is the sale's id when it was credited to nobody: what is refunded of it takes
// nothing.
func (b *booking) matchAfterSale(c *book.Customer, uncredited string) (err error) {
	if b.others, err = b.readRefunds(c); err != nil {
		return err
	}
	at := b.at()
	if b.call.OnDay {
		at -= halfDay
	}
	b.others.setAside(func(r *book.Refund) bool {
		return r.At > at || r.SaleEventID == 0 && (r.Evidence.Sale != "" || r.At+terms.ClockSkew >= at)
	})
	return b.matchAgain(c, uncredited)
}

// matchAgain matches the refunds that were set aside, one after the other.
func (b *booking) matchAgain(c *book.Customer, uncredited string) error {
	for i := range b.others.aside {
		r := &b.others.aside[i]
		taken, ok, err := b.rematch(c, r, uncredited)
		if err != nil {
			return err
		}
		booked, err := b.t.Lines(r.ID)
		if err != nil {
			return err
		}
		if !ok {
			b.others.lines = append(b.others.lines, booked...)
		} else {
			b.others.lines = append(b.others.lines, taken.lines...)
			if err := b.move(r, &taken, booked); err != nil {
				return err
			}
		}
		b.others.matched = append(b.others.matched, *r)
	}
	return nil
}

// rematch finds what a refund takes back now. ok is false where it stays as it is.
func (b *booking) rematch(c *book.Customer, r *book.Refund, uncredited string) (taken reversal, ok bool, err error) {
	v := &r.Evidence
	call := Call{
		Kind: book.EventRefund, Email: c.Email, UID: c.UID, EventID: r.ExternalID, Amount: r.Amount, Currency: r.Currency, Quantity: r.Quantity,
		Plan: r.Plan, SaleEventID: v.Sale, CreatedAt: r.At, OnDay: v.OnDay,
	}
	if v.CurrencyOfSale {
		call.Currency = ""
	}
	again := booking{s: b.s, t: b.t, call: &call, now: b.now, others: b.others, rateThen: v.Rate}
	a, err := again.attribute(c)
	if err != nil {
		return taken, false, err
	}
	sales, err := again.refundableSales(c, true)
	if err != nil || len(sales) > 0 && sales[0].CustomerID != c.ID {
		return taken, false, err
	}
	if v.Sale == "" { // one that is dated after it and was told after it is not its own
		sales = slices.DeleteFunc(sales, func(s book.Event) bool {
			return s.At > again.until()+terms.ClockSkew && s.ReceivedAt >= r.ReceivedAt
		})
	}
	if _, ok := again.checkRefundCurrency(sales); !ok {
		return taken, false, nil
	}
	facts, err := again.refundFacts(sales, true, a)
	if err != nil {
		return taken, false, err
	}
	facts.SaleUnattributed = facts.SaleUnattributed || v.Sale != "" && v.Sale == uncredited
	source := facts.Source()
	if source == terms.RefundOfNothing && !facts.SaleUnattributed {
		return taken, false, nil
	}
	taken, err = again.takeBack(c, a, source, sales)
	if taken.sale.ID == 0 && r.SaleEventID == 0 && source != terms.RefundOfNothing {
		return taken, false, err // by the terms of then
	}
	again.saleCurrency = taken.currency
	v.Rate = again.describeRate()
	return taken, true, err
}

// move books how what a refund takes back differs from what is booked of it.
func (b *booking) move(r *book.Refund, taken *reversal, booked []book.EventLine) error {
	was, now := netLines(booked), netLines(taken.lines)
	counts, _ := terms.CountsAt(r.At, b.now, b.s.o.Zone)
	var lines []book.EventLine
	for _, line := range slices.Sorted(maps.Keys(was)) { // the later ones of now are new
		l := was[line]
		l.Amount, l.SaleAmount = now[line].Amount-l.Amount, now[line].SaleAmount-l.SaleAmount
		if l.Amount != 0 { // what a person has denied earns nothing, whatever is refunded
			denied, err := b.t.IsDenied(line)
			if err != nil {
				return err
			}
			if denied {
				l.Amount = 0
			}
		}
		if l.Amount != 0 || l.SaleAmount != 0 {
			l.At = counts
			lines = append(lines, l)
		}
		delete(now, line)
	}
	for _, line := range slices.Sorted(maps.Keys(now)) {
		lines = append(lines, now[line])
	}
	if len(lines) == 0 && r.SaleEventID == taken.sale.ID && slices.Equal(r.Evidence.Parts, taken.parts) {
		return nil
	}
	r.Evidence.Attribution, r.Evidence.Parts = taken.by, taken.parts
	r.Evidence.Taken = joinNotes(taken.note, "matched again, as what was before it was told after it")
	r.SaleEventID, r.PromoterID = taken.sale.ID, taken.by.Promoter
	r.Currency = cmp.Or(taken.currency, r.Currency)
	return b.t.MoveRefund(r, lines)
}

// netLines sums a refund's lines up by the line that each takes back from (0: a sale at Keap),
// without those that come to nothing.
func netLines(lines []book.EventLine) map[int64]book.EventLine {
	net := map[int64]book.EventLine{}
	for _, l := range lines {
		if was, ok := net[l.ReversesLineID]; ok {
			l.Amount, l.SaleAmount = l.Amount+was.Amount, l.SaleAmount+was.SaleAmount
		}
		net[l.ReversesLineID] = l
	}
	maps.DeleteFunc(net, func(_ int64, l book.EventLine) bool { return l.Amount == 0 && l.SaleAmount == 0 })
	return net
}
