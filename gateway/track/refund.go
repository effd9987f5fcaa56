package track

import (
	"encoding/json"
	"fmt"
	"math"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// refund takes back the share of what a customer got back: from the sale that the call
// names, else from the newest sale of that amount, else from the newest that has as much
// left, else from the newest sales one after the other. More than is left is not taken. A
// refund that is told before its sale waits for it.
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
	var sales []book.Event
	if d.call.SaleEventID != "" {
		sale, ok, err := d.t.EventByExternalID(book.EventSale, d.call.SaleEventID)
		switch {
		case err != nil:
			return Result{}, err
		case ok && sale.CustomerID != c.ID:
			return Result{Outcome: Invalid, Field: "sale_event_id", Message: "is a sale of another customer"}, nil
		case ok:
			sales = []book.Event{sale}
		}
	} else if known {
		if sales, err = d.t.Sales(c.ID); err != nil {
			return Result{}, err
		}
	}
	if len(sales) > 0 {
		d.sold = sales[0].Currency
	}
	if r, ok := d.converts(); !ok && (len(sales) == 0 || d.currency() != sales[0].Currency) { // in the sale's own it needs no rate
		return r, nil
	}
	if len(sales) == 0 && d.call.SaleEventID != "" { // what earned nothing is not taken back
		if refused, err := d.t.WasUnattributed(book.EventSale, d.call.SaleEventID); err != nil || refused {
			return Result{Outcome: NotReferred, Message: "the sale was credited to nobody"}, err
		}
	}
	waits := known && d.call.SaleEventID != "" && a.Promoter != 0
	if len(sales) == 0 && a.By != terms.ByCarried && !waits {
		return d.nobody(&a)
	}
	if d.call.Amount == 0 {
		return Result{Outcome: Acknowledged, Customer: c, Promoter: d.t.Directory().ByID(a.Promoter).Promoter}, nil
	}
	if err := d.keep(&c); err != nil {
		return Result{}, err
	}
	switch {
	case len(sales) == 0 && a.By == terms.ByCarried:
		return d.refundUntracked(&c, a)
	case len(sales) == 0:
		return d.write(&c, a, nil, fmt.Sprintf("no sale %s is known yet: it takes back once there is", d.call.SaleEventID), 0)
	}
	sale, lines, note, err := d.back(&c, sales)
	if err != nil {
		return Result{}, err
	}
	a.Promoter, a.By = sale.PromoterID, terms.ByOwner // whoever earned on the sale, whatever he is now
	return d.write(&c, a, lines, note, sale.ID)
}

// back is what the refund takes back from sales. sale is the first that it takes from; note
// says when it takes less than it should.
func (d *desk) back(c *book.Customer, sales []book.Event) (sale book.Event, lines []book.EventLine, note string, err error) {
	takings, left, err := d.takings(c, sales)
	if err != nil {
		return sale, nil, "", err
	}
	if left > 0 {
		note = "more was refunded than was left of what is known to be sold: the rest takes nothing back"
	}
	sale = sales[0]
	for _, k := range takings {
		if len(lines) == 0 {
			sale = k.sale
		}
		taken, err := d.takeBack(c, k)
		if err != nil {
			return sale, nil, "", err
		}
		lines = append(lines, taken...)
	}
	return sale, lines, note, nil
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
		_, lines, _, err := then.back(c, []book.Event{*sale})
		if err != nil {
			return err
		}
		if err := d.t.Match(e, sale.ID, lines); err != nil {
			return err
		}
	}
	return nil
}

// refundUntracked takes back from a customer's owner at Keap: the sale was before the
// program's own tracking, and its commission was carried over.
func (d *desk) refundUntracked(c *book.Customer, a terms.Attribution) (Result, error) {
	kind, at := d.kindOf(d.call.Plan), d.at()
	var own []terms.Change
	if p := d.t.Directory().ByID(a.Promoter).Promoter; p != nil {
		own = p.Changes
	}
	percent := d.s.o.Terms.Percent(kind, at, own)
	back := d.own(d.call.Amount)
	var lines []book.EventLine
	if a.Promoter != 0 {
		lines = []book.EventLine{{
			Kind: book.KindRefund, PromoterID: a.Promoter, CustomerID: c.ID, At: at, Month: d.month(at),
			Amount: -terms.Share(back, percent), Currency: d.s.o.Currency, SaleAmount: -back, Percent: percent,
			Product: d.call.Plan, ProductKind: kind.String(), Quantity: d.call.Quantity,
		}}
	}
	return d.write(c, a, lines, "of a sale that was not tracked here: the share of today's terms is taken back", 0)
}

// rest is what is left of a line after what took back from it.
type rest struct {
	sale   int64 // of the sale's amount
	earned int64 // of the commission
}

func (d *desk) left(l *book.EventLine) (rest, error) {
	r := rest{l.SaleAmount, l.Amount}
	taken, err := d.t.TakenFrom(l.ID)
	for i := range taken {
		r.sale += taken[i].SaleAmount
		r.earned += taken[i].Amount
	}
	return r, err
}

// taking is how much of a sale a refund takes back, in the program's currency.
type taking struct {
	sale   book.Event
	amount int64
	lines  []book.EventLine
	left   []rest // of each line
}

// takings parts the refund among sales, the newest first. left is what none could take,
// in the program's currency.
func (d *desk) takings(c *book.Customer, sales []book.Event) (list []taking, left int64, err error) {
	var all []taking
	chosen := -1
	for i := range sales {
		k := taking{sale: sales[i]}
		lines, err := d.t.Lines(k.sale.ID)
		if err != nil {
			return nil, 0, err
		}
		open := int64(0)
		for j := range lines {
			if l := &lines[j]; l.Kind == book.KindCommission {
				r, err := d.left(l)
				if err != nil {
					return nil, 0, err
				}
				k.lines, k.left = append(k.lines, *l), append(k.left, r)
				open += r.sale
			}
		}
		if k.amount, err = d.amountOf(c, &k, open); err != nil {
			return nil, 0, err
		}
		all = append(all, k)
		if open == 0 || k.amount > open {
			continue
		}
		if k.amount == open {
			chosen = i
			break
		}
		if chosen < 0 {
			chosen = i
		}
	}
	if chosen >= 0 {
		return all[chosen : chosen+1], 0, nil
	}
	// No sale has as much left: the newest ones together.
	left = d.own(d.call.Amount)
	if len(all) == 1 { // more than is left of the one, whatever rates have become
		left = math.MaxInt64
	}
	for i := range all {
		open := int64(0)
		for _, r := range all[i].left {
			open += r.sale
		}
		if open = min(open, left); open > 0 {
			all[i].amount = open
			list = append(list, all[i])
			left -= open
		}
	}
	return list, left, nil
}

// amountOf is the refund in the program's currency, as it concerns one sale: in the sale's
// own currency it is as much of the sale as it is of the amount that was told, whatever
// rates have become. Parts that came back in that currency sum to what they are together;
// what came back in another one goes beside them.
func (d *desk) amountOf(c *book.Customer, k *taking, open int64) (int64, error) {
	if d.currency() == d.s.o.Currency || d.currency() != k.sale.Currency {
		return d.own(d.call.Amount), nil
	}
	before, err := d.t.Refunded(c.ID, k.sale.ID, k.sale.Currency)
	if err != nil {
		return 0, err
	}
	whole := int64(0)
	for i := range k.lines {
		whole += k.lines[i].SaleAmount
	}
	refunded := before + d.call.Amount
	switch {
	case refunded == k.sale.Amount:
		return open, nil
	case refunded > k.sale.Amount:
		return max(d.own(d.call.Amount), open+1), nil // more than is left, whatever rates have become
	}
	return terms.Scale(whole, refunded, k.sale.Amount) - terms.Scale(whole, before, k.sale.Amount), nil
}

// takeBack makes the lines of one taking.
func (d *desk) takeBack(c *book.Customer, k taking) ([]book.EventLine, error) {
	open := make([]int64, len(k.left))
	for i, r := range k.left {
		open[i] = r.sale
	}
	var lines []book.EventLine
	for i, part := range terms.Spread(k.amount, open) {
		if part == 0 {
			continue
		}
		l := &k.lines[i]
		line := terms.Line{Amount: l.SaleAmount, Percent: l.Percent, Earned: l.Amount}
		refunded := l.SaleAmount - k.left[i].sale
		back := min(line.Taken(refunded+part)-line.Taken(refunded), k.left[i].earned)
		if back < 0 {
			return nil, fmt.Errorf("BUG: a refund of %d would add to line %d", part, l.ID)
		}
		lines = append(lines, book.EventLine{
			Kind: book.KindRefund, PromoterID: l.PromoterID, CustomerID: c.ID, At: d.at(), Month: l.Month,
			Amount: -back, Currency: l.Currency, SaleAmount: -part, Percent: l.Percent,
			Product: l.Product, ProductKind: l.ProductKind, Quantity: l.Quantity, ReversesLineID: l.ID,
		})
	}
	return lines, nil
}
