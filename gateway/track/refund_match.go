package track

import (
	"encoding/json"
	"fmt"
	"slices"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// matchRefunds takes back what was refunded of a sale before the sale came. What such a refund
// took back meanwhile, as one of a sale at Keap, is given back.
func (b *booking) matchRefunds(c *book.Customer, sale *book.Event) error {
	err := b.eachWaitingRefund(c, sale, func(e *book.Event, v *book.Evidence) error {
		call := Call{Kind: book.EventRefund, Amount: e.Amount, Currency: e.Currency, CreatedAt: e.At}
		if v.CurrencyOfSale {
			call.Currency = ""
		}
		refund := booking{s: b.s, t: b.t, call: &call, now: b.now}
		if _, ok := refund.checkCurrency(); !ok && e.Currency != sale.Currency { // its rate is gone
			return nil
		}
		taken, err := refund.reverseSales(c, []book.Event{*sale})
		if err != nil {
			return err
		}
		lines, err := b.giveBack(e)
		if err != nil {
			return err
		}
		e.Currency = taken.currency
		return b.t.MatchRefund(e, sale.ID, append(lines, taken.lines...))
	})
	if err != nil {
		return err
	}
	return b.replayRefunds(c, sale)
}

// releaseRefunds gives back what refunds took of a sale that comes now, and is credited to
// nobody: it earns nothing, and so they take nothing.
func (b *booking) releaseRefunds(c *book.Customer) error {
	sale := book.Event{ExternalID: b.call.EventID, At: b.at(), Amount: b.call.Amount, Currency: b.currency()}
	return b.eachWaitingRefund(c, &sale, func(e *book.Event, v *book.Evidence) error {
		if v.Sale == "" {
			return nil
		}
		lines, err := b.giveBack(e)
		if err != nil || len(lines) == 0 {
			return err
		}
		return b.t.MatchRefund(e, 0, lines)
	})
}

// eachWaitingRefund gives fn the refunds of a customer that are of a sale and came before it:
// they name it, or they name none, are just as much, and are dated no earlier.
func (b *booking) eachWaitingRefund(c *book.Customer, sale *book.Event, fn func(*book.Event, *book.Evidence) error) error {
	refunds, err := b.t.UnmatchedRefunds(c.ID)
	if err != nil {
		return err
	}
	at := sale.At
	if b.call.OnDay { // at any time of that day
		at -= halfDay
	}
	for i := range refunds {
		e := &refunds[i]
		var v book.Evidence
		if err := json.Unmarshal([]byte(e.Evidence), &v); err != nil {
			return fmt.Errorf("the evidence of event %d: %w", e.ID, err)
		}
		of := v.Sale == sale.ExternalID
		if v.Sale == "" {
			of = e.Amount == sale.Amount && (v.CurrencyOfSale || e.Currency == sale.Currency) && at <= e.At+terms.ClockSkew
		}
		if !of {
			continue
		}
		if err := fn(e, &v); err != nil {
			return err
		}
		if v.Sale == "" { // another of the same amount is of another sale
			return nil
		}
	}
	return nil
}

// giveBack makes the lines that undo what a refund took back as one of a sale at Keap, unless
// that was undone before.
func (b *booking) giveBack(e *book.Event) (undo []book.EventLine, err error) {
	lines, err := b.t.Lines(e.ID)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		undone := slices.ContainsFunc(lines, func(u book.EventLine) bool { return u.ReversesLineID == l.ID })
		if l.Kind != book.KindRefund || l.ReversesLineID != 0 || undone {
			continue
		}
		l.ReversesLineID, l.Amount, l.SaleAmount = l.ID, -l.Amount, -l.SaleAmount
		l.At, _ = terms.CountsAt(l.At, b.now, b.s.o.Zone)
		undo = append(undo, l)
	}
	return undo, nil
}
