package terms

import (
	"iter"
	"slices"
)

// AllocateRefund says which sales a refund takes from, and how much of what each of their
// lines earned. sales are the one that the refund names, else those of the customer, the
// newest first; they are read only as far as is needed. currency is the program's.
//
// A refund is in the currency of its sale. Of the sales in that currency (in any, where the
// refund names none) that were not dated after it, it is of the newest of which just as much
// is left; else of the newest of which more is left; else it takes what is left of the newest
// ones of one currency, one after the other, if that is as much. Where it is not, the sales in
// other currencies are asked, by today's rates, then all of them together, and then those that
// were dated later. A refund that fits nowhere takes all that is left. More than is left of a line, or than it earned,
// is never taken.
func AllocateRefund(r Refund, currency string, convert Convert, sales iter.Seq2[Sale, error]) (RefundAllocation, error) {
	m := refundMatch{Refund: r, program: currency, convert: convert}
	done, err := m.read(sales)
	switch {
	case err != nil:
		return RefundAllocation{}, err
	case len(m.sales) == 0:
		unmatched, _ := m.worth(r.Amount, r.Currency)
		return RefundAllocation{Currency: r.Currency, Unmatched: max(unmatched, 1)}, nil
	case done != nil:
		return m.take(done.currency, []*refundableSale{done})
	}
	slices.SortStableFunc(m.sales, func(x, y *refundableSale) int { return int(x.rank) - int(y.rank) })
	for rank := sameCurrency; rank <= otherCurrencyLater; rank++ {
		if rank == sameCurrencyLater {
			earlier := slices.IndexFunc(m.sales, func(s *refundableSale) bool { return s.rank >= rank })
			if a, err := m.takeAll(m.sales[:max(earlier, 0)]); err != nil || earlier > 0 && a.Unmatched == 0 {
				return a, err
			}
		}
		if found := m.findHolder(rank); len(found) > 0 {
			return m.take(found[0].currency, found)
		}
	}
	return m.takeAll(m.sales)
}

// takeAll takes the refund from sales one after the other, as far as they go.
func (m *refundMatch) takeAll(sales []*refundableSale) (RefundAllocation, error) {
	if len(sales) == 0 {
		return RefundAllocation{}, nil
	}
	first := sales[0]
	for _, s := range sales {
		if s.remaining() > 0 {
			first = s
			break
		}
	}
	return m.take(first.currency, sales)
}

// refundRank says how well a sale fits a refund by its currency and date; lower is better.
type refundRank uint8

const (
	sameCurrency      refundRank = iota // in that of the refund, or the refund names none
	otherCurrency                       // in another
	sameCurrencyLater                   // dated after the refund
	otherCurrencyLater
)

// refundableSale is a sale that a refund may be of.
type refundableSale struct {
	Sale
	rank     refundRank
	currency string // of the refund, as it concerns this sale
	amount   int64  // of the refund, likewise; in the program's currency
}

// refundMatch looks for the sales that a refund is of.
type refundMatch struct {
	Refund
	program string // currency
	convert Convert
	sales   []*refundableSale
}

// worth is an amount in the program's currency.
func (m *refundMatch) worth(amount int64, currency string) (worth int64, ok bool) {
	if currency == "" || currency == m.program {
		return amount, true
	}
	return m.convert(amount, currency)
}

// read reads the sales that the refund can be of. done is one that no other can be better
// than; nil: all of them were read.
func (m *refundMatch) read(sales iter.Seq2[Sale, error]) (done *refundableSale, err error) {
	for sale, err := range sales {
		if err != nil {
			return nil, err
		}
		s := &refundableSale{Sale: sale, currency: m.Currency}
		if s.currency == "" {
			s.currency = sale.Currency
		}
		if s.currency != sale.Currency {
			s.rank = otherCurrency
		}
		if m.At != 0 && sale.At > m.At+ClockSkew {
			s.rank += sameCurrencyLater
		}
		var ok bool
		if s.amount, ok = m.amountOf(s); !ok {
			continue
		}
		m.sales = append(m.sales, s)
		if left := s.remaining(); s.rank == sameCurrency && left > 0 && s.amount == left {
			return s, nil
		}
	}
	return nil, nil
}

// amountOf is the refund in the program's currency, as it concerns one sale: in the sale's
// own currency it is as much of the sale as it is of the amount that was told, whatever
// rates have become. Parts that came back in that currency sum to what they are together;
// what came back in another one goes beside them. ok is false where there is no rate.
func (m *refundMatch) amountOf(s *refundableSale) (amount int64, ok bool) {
	if s.currency == m.program || s.currency != s.Currency {
		return m.worth(m.Amount, s.currency)
	}
	refunded := s.Refunded + m.Amount
	switch {
	case refunded == s.Amount:
		return s.remaining(), true
	case refunded > s.Amount:
		return s.remaining() + 1, true // more than is left, however much
	}
	return Scale(s.whole(), refunded, s.Amount) - Scale(s.whole(), s.Refunded, s.Amount), true
}

// findHolder finds the sales of one rank that the whole refund is of; nil: there are none.
func (m *refundMatch) findHolder(rank refundRank) []*refundableSale {
	var larger *refundableSale
	byCurrency := map[string][]*refundableSale{}
	var currencies []string // the newest first
	for _, s := range m.sales {
		left := s.remaining()
		switch {
		case s.rank != rank || left == 0:
			continue
		case s.amount == left:
			return []*refundableSale{s}
		case s.amount < left && larger == nil:
			larger = s
		}
		if byCurrency[s.Currency] == nil {
			currencies = append(currencies, s.Currency)
		}
		byCurrency[s.Currency] = append(byCurrency[s.Currency], s)
	}
	if larger != nil {
		return []*refundableSale{larger}
	}
	for _, currency := range currencies {
		sales, left := byCurrency[currency], int64(0)
		for _, s := range sales {
			if s.currency == s.Currency {
				left += s.told(s.remaining(), m.program)
			} else {
				left += s.remaining()
			}
		}
		amount := m.Amount
		if sales[0].currency != currency {
			amount = sales[0].amount
		}
		if left >= amount {
			return sales
		}
	}
	return nil
}

// take takes the refund, which is in a currency, from sales one after the other: first from
// those in that currency.
func (m *refundMatch) take(currency string, sales []*refundableSale) (RefundAllocation, error) {
	a := RefundAllocation{SaleID: sales[0].ID, Currency: currency}
	takeFrom := func(s *refundableSale, part int64) error {
		if len(a.Lines) == 0 {
			a.SaleID = s.ID
		}
		return a.reverse(&s.Sale, part)
	}
	rest := m.Amount // in currency
	for _, s := range sales {
		left := s.remaining()
		if s.Currency != currency || left == 0 || rest == 0 {
			continue
		}
		part, told := left, s.told(left, m.program)
		switch {
		case len(sales) == 1 && s.amount <= left:
			part, told = s.amount, rest
		case rest < told:
			part, told = min(left, s.partOf(rest, m.program)), rest
		}
		if err := takeFrom(s, part); err != nil {
			return a, err
		}
		rest -= told
		if len(sales) > 1 {
			a.Parts = append(a.Parts, RefundPart{s.ID, told})
		}
	}
	if rest == 0 {
		return a, nil
	}
	unmatched, ok := m.worth(rest, currency)
	if a.Unmatched = max(unmatched, 1); !ok { // how much, nobody knows
		a.Unmatched = 1
	}
	for _, s := range sales {
		part := min(s.remaining(), a.Unmatched)
		if s.Currency == currency || part == 0 || !ok {
			continue
		}
		if err := takeFrom(s, part); err != nil {
			return a, err
		}
		a.Unmatched -= part
	}
	return a, nil
}

// whole is what the sale came to in the program's currency.
func (s *Sale) whole() (sum int64) {
	for i := range s.Lines {
		sum += s.Lines[i].Amount
	}
	return sum
}

// refundedAsTold reports whether all that was refunded of the sale is in Refunded: nothing came
// back in another currency.
func (s *Sale) refundedAsTold() bool {
	return s.Refunded <= s.Amount && Scale(s.whole(), s.Refunded, s.Amount) == s.whole()-s.remaining()
}

// told is what a part of the sale is in its own currency, which is left of it; above 0.
func (s *Sale) told(part int64, program string) int64 {
	switch {
	case s.Currency == program:
		return part
	case part == s.remaining() && s.refundedAsTold():
		return max(s.Amount-s.Refunded, 1)
	}
	return max(Scale(part, s.Amount, s.whole()), 1)
}

// partOf is how much of the sale, in the program's currency, an amount of its own currency is.
func (s *Sale) partOf(amount int64, program string) int64 {
	switch {
	case s.Currency == program:
		return amount
	case s.refundedAsTold():
		return Scale(s.whole(), s.Refunded+amount, s.Amount) - Scale(s.whole(), s.Refunded, s.Amount)
	}
	return Scale(s.whole(), amount, s.Amount)
}
