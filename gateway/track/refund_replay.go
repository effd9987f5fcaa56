package track

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"carryover/mapping/book"
)

// refundReplay is what refunds take back that are matched once more, because a sale was told after
// a refund that it came before: which sale a refund is of that names none, the others say.
type refundReplay struct {
	undone []int64          // ids of the refunds that are not matched again yet, or were before
	lines  []book.EventLine // of those that are
}

// change is what reverses a line: what is booked, without the refunds that are matched again, and
// what those take back by now.
func (p *refundReplay) change(line int64, booked []book.EventLine) (list []book.EventLine) {
	for _, l := range booked {
		if !slices.Contains(p.undone, l.EventID) {
			list = append(list, l)
		}
	}
	for _, l := range p.lines {
		if l.ReversesLineID == line {
			list = append(list, l)
		}
	}
	return list
}

// replayRefunds matches a customer's refunds again that are dated after a sale that comes only
// now, as if it had come in order. What comes out the same stays as it is booked; and so does
// all where a person has denied a commission since, and where currencies are converted.
func (b *booking) replayRefunds(c *book.Customer, sale *book.Event) error {
	refunds, err := b.t.RefundsSince(c.ID, sale.At+1)
	if err != nil || len(refunds) == 0 {
		return err
	}
	evidence := make([]book.Evidence, len(refunds))
	p, unnamed := &refundReplay{}, false
	for i := range refunds {
		if err := json.Unmarshal([]byte(refunds[i].Evidence), &evidence[i]); err != nil {
			return fmt.Errorf("the evidence of event %d: %w", refunds[i].ID, err)
		}
		unnamed = unnamed || evidence[i].Unnamed
		p.undone = append(p.undone, refunds[i].ID)
	}
	if !unnamed {
		return nil
	}
	sales, err := b.t.Sales(c.ID)
	if err != nil {
		return err
	}
	if fit, err := b.fitReplay(sales, refunds); err != nil || !fit {
		return err
	}
	for i := range refunds {
		if err := b.replayRefund(c, &refunds[i], &evidence[i], sales, p); err != nil {
			return err
		}
	}
	return nil
}

// fitReplay reports whether refunds can be matched again: all money is in the program's currency, all
// sales are one promoter's, and no person has denied what was left of one.
func (b *booking) fitReplay(sales, refunds []book.Event) (bool, error) {
	for _, e := range slices.Concat(sales, refunds) {
		if e.Currency != b.s.o.Currency || e.PromoterID != sales[0].PromoterID {
			return false, nil
		}
	}
	for i := range sales {
		if denied, err := b.t.HasDenied(sales[i].ID); err != nil || denied {
			return false, err
		}
	}
	return true, nil
}

// replayRefund matches a refund again, and books what changes.
func (b *booking) replayRefund(c *book.Customer, e *book.Event, v *book.Evidence, sales []book.Event, p *refundReplay) error {
	of := sales
	if !v.Unnamed {
		of = slices.DeleteFunc(slices.Clone(sales), func(s book.Event) bool { return s.ID != e.SaleEventID })
	}
	call := Call{Kind: book.EventRefund, Amount: e.Amount, Currency: e.Currency, CreatedAt: e.At}
	again := booking{s: b.s, t: b.t, call: &call, now: b.now, replay: p}
	taken, err := again.reverseSales(c, of)
	if err != nil {
		return err
	}
	p.lines = append(p.lines, taken.lines...)
	booked, err := b.t.Lines(e.ID)
	if err != nil {
		return err
	}
	before, after := netLines(booked), netLines(taken.lines)
	if taken.sale.ID == e.SaleEventID && maps.EqualFunc(before, after, func(x, y book.EventLine) bool {
		return x.Amount == y.Amount && x.SaleAmount == y.SaleAmount
	}) {
		return nil
	}
	var lines []book.EventLine
	for _, id := range slices.Sorted(maps.Keys(before)) {
		l := before[id]
		l.Amount, l.SaleAmount = -l.Amount, -l.SaleAmount
		lines = append(lines, l)
	}
	v.Parts, v.Note = taken.parts, joinNotes(v.Note, "matched again, as a sale came after it that was before it")
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	e.Evidence = string(text)
	return b.t.MoveRefund(e, taken.sale.ID, append(lines, taken.lines...))
}

// netLines sums lines up by the line that each reverses, without those that come to nothing.
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
