package terms

import (
	"fmt"
	"iter"
)

// Refund is what a customer got back.
type Refund struct {
	Amount    int64 // as the billing system tells it: minor units of Currency, above 0
	Currency  string
	Converted int64 // Amount in the program's currency, at today's rate
}

// Sale is a sale as a refund sees it.
type Sale struct {
	ID       int64
	Amount   int64 // as the billing system told it: minor units of Currency
	Currency string
	Refunded int64 // of Amount: what earlier refunds in Currency came to; needed where Currency is not the program's
	Lines    []SaleLine
}

// SaleLine is what one product of a sale earned; minor units of the program's currency.
type SaleLine struct {
	ID       int64
	Amount   int64 // of the sale
	Percent  Percent
	Earned   int64 // of Amount
	Refunded int64 // of Amount, by earlier refunds
	Reversed int64 // of Earned, by earlier refunds, or since a person denied the commission
}

// RefundAllocation is what a refund takes back.
type RefundAllocation struct {
	SaleID    int64 // the first sale that it takes from, else the newest one
	Lines     []LineReversal
	Unmatched int64 // above 0: more was refunded than is left of the sales, and takes nothing back
}

// LineReversal is what a refund takes back from one line of a sale; minor units of the
// program's currency.
type LineReversal struct {
	LineID     int64
	SaleAmount int64 // how much of the line's Amount was refunded
	Amount     int64 // how much of what it earned is taken back
}

// RefundSource is what a refund takes back from.
type RefundSource uint8

const (
	RefundOfNothing RefundSource = iota // nobody earned on the sale
	RefundOfSales                       // sales that are booked: see [AllocateRefund]
	RefundOfCarried                     // a sale at Keap, whose commission was carried over: see [Config.ReverseCarried]
	RefundOfPending                     // a sale that is not booked yet: the refund takes back once it is
)

// RefundFacts are what decides where a refund takes back from.
type RefundFacts struct {
	SaleNamed        bool // by the id of its event
	SaleUnattributed bool // and the sale of that name was credited to nobody
	SalesBooked      bool // the sale of that name; where none is named, any sale of the customer's
	CustomerKnown    bool // an event of the customer's was booked before
	Attribution      Attribution
}

// Source says where a refund takes back from. Sales that are booked come first; what was
// credited to nobody is not taken back.
func (f *RefundFacts) Source() RefundSource {
	switch {
	case f.SalesBooked:
		return RefundOfSales
	case f.SaleNamed && f.SaleUnattributed:
		return RefundOfNothing
	case f.Attribution.By == ByCarried:
		return RefundOfCarried
	case f.SaleNamed && f.CustomerKnown && f.Attribution.Promoter != 0:
		return RefundOfPending
	}
	return RefundOfNothing
}

// AllocateRefund says which sales a refund takes from, and how much of what each of their
// lines earned. sales are the one that the refund names, else those of the customer, the
// newest first; they are read only as far as is needed. currency is the program's.
//
// The refund is of the newest sale of which just as much is left; else of the newest of which
// more is left; else it takes what is left of the newest ones, one after the other. More
// than is left of a line, or than it earned, is never taken.
func AllocateRefund(r Refund, currency string, sales iter.Seq2[Sale, error]) (RefundAllocation, error) {
	all, chosen, err := r.candidates(currency, sales)
	if err != nil || len(all) == 0 {
		return RefundAllocation{Unmatched: r.Converted}, err
	}
	a := RefundAllocation{SaleID: all[max(chosen, 0)].ID}
	if chosen >= 0 {
		err := a.reverse(&all[chosen].Sale, all[chosen].amount)
		return a, err
	}
	a.Unmatched = r.Converted
	if len(all) == 1 { // more than is left of it, whatever rates have become
		a.Unmatched = max(all[0].amount, all[0].remaining()+1)
	}
	for i := range all {
		part := min(all[i].remaining(), a.Unmatched)
		if part <= 0 {
			continue
		}
		if len(a.Lines) == 0 {
			a.SaleID = all[i].ID
		}
		if err := a.reverse(&all[i].Sale, part); err != nil {
			return a, err
		}
		a.Unmatched -= part
	}
	return a, nil
}

// refundCandidate is a sale that a refund may be of.
type refundCandidate struct {
	Sale
	amount int64 // the refund as it concerns this sale, in the program's currency
}

// candidates are the sales as far as they had to be read. chosen is the one that the whole
// refund is of; -1: there is none.
func (r *Refund) candidates(currency string, sales iter.Seq2[Sale, error]) (all []refundCandidate, chosen int, err error) {
	chosen = -1
	for s, err := range sales {
		if err != nil {
			return nil, -1, err
		}
		amount, remaining := r.amountOf(&s, currency), s.remaining()
		all = append(all, refundCandidate{s, amount})
		switch {
		case remaining == 0 || amount > remaining:
		case amount == remaining:
			return all, len(all) - 1, nil
		case chosen < 0:
			chosen = len(all) - 1
		}
	}
	return all, chosen, nil
}

// amountOf is the refund in the program's currency, as it concerns one sale: in the sale's
// own currency it is as much of the sale as it is of the amount that was told, whatever
// rates have become. Parts that came back in that currency sum to what they are together;
// what came back in another one goes beside them.
func (r *Refund) amountOf(s *Sale, currency string) int64 {
	if r.Currency == currency || r.Currency != s.Currency {
		return r.Converted
	}
	refunded := s.Refunded + r.Amount
	switch {
	case refunded == s.Amount:
		return s.remaining()
	case refunded > s.Amount:
		return max(r.Converted, s.remaining()+1)
	}
	whole := int64(0)
	for i := range s.Lines {
		whole += s.Lines[i].Amount
	}
	return Scale(whole, refunded, s.Amount) - Scale(whole, s.Refunded, s.Amount)
}

// remaining is how much of the sale was not refunded yet, in the program's currency.
func (s *Sale) remaining() (sum int64) {
	for i := range s.Lines {
		sum += s.Lines[i].Remaining()
	}
	return sum
}

// Remaining is how much of the line was not refunded yet.
func (l *SaleLine) Remaining() int64 { return l.Amount - l.Refunded }

// reverse takes a part of a sale back from its lines, by what remains of each.
func (a *RefundAllocation) reverse(s *Sale, amount int64) error {
	remaining := make([]int64, len(s.Lines))
	for i := range s.Lines {
		remaining[i] = s.Lines[i].Remaining()
	}
	for i, part := range Allocate(amount, remaining) {
		if part == 0 {
			continue
		}
		l := &s.Lines[i]
		reversed := min(l.reversedAt(l.Refunded+part)-l.reversedAt(l.Refunded), l.Earned-l.Reversed)
		if reversed < 0 {
			return fmt.Errorf("BUG: a refund of %d would add to line %d", part, l.ID)
		}
		a.Lines = append(a.Lines, LineReversal{l.ID, part, reversed})
	}
	return nil
}

// reversedAt is what refunds have taken back from the line once they come to refunded, in
// total: all that was earned when nothing is left of the sale.
func (l *SaleLine) reversedAt(refunded int64) int64 {
	if refunded >= l.Amount {
		return l.Earned
	}
	return min(Share(refunded, l.Percent), l.Earned)
}

// ReverseCarried is what the refund of a sale at Keap takes back: nothing is known of the
// sale, and so it is the share that a product of its kind earns at the instant of the
// refund (Unix seconds). amount is in the program's currency.
func (t Config) ReverseCarried(amount int64, kind ProductKind, at int64, own []RateChange) (reversed int64, percent Percent) {
	percent = t.CommissionPercent(kind, at, own)
	return Share(amount, percent), percent
}
