package terms

import "fmt"

// Refund is what a customer got back.
type Refund struct {
	Amount   int64  // as the billing system tells it: minor units of Currency, above 0
	Currency string // empty: that of the sale that it is of
	At       int64  // when it was, Unix seconds; 0: not known
}

// Convert turns an amount into the program's currency, at today's rate. ok is false where there
// is none.
type Convert func(amount int64, currency string) (converted int64, ok bool)

// Sale is a sale as a refund sees it.
type Sale struct {
	ID       int64
	At       int64 // Unix seconds
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
	SaleID    int64  // the first sale that it takes from, else the newest one; 0: there is none
	Currency  string // of the refund; empty: neither it nor a sale has one
	Lines     []LineReversal
	Parts     []RefundPart // where it takes from several sales: of those in its currency
	Unmatched int64        // above 0: more was refunded than is left of the sales, and takes nothing back. In the
	// program's currency; 1 where there is no rate
}

// RefundPart is the part of a refund that is of one of several sales.
type RefundPart struct {
	SaleID int64 `json:"sale"`
	Amount int64 `json:"amount"` // minor units of the refund's currency
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
