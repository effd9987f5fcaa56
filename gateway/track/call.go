package track

import (
	"net/netip"

	"carryover/mapping/book"
)

// Call is one call of the tracking API, its form checked: every amount is from 0 to
// MaxAmount, every text of bounded length, Email an e-mail key or empty, and at least one
// of Email and UID there.
type Call struct {
	Kind        string // one of book's Event constants
	Email       string // trimmed, lower case; empty: not told
	UID         string
	EventID     string // of a sale or refund; of a cancellation it may be empty
	Amount      int64  // minor units
	Currency    string // three upper-case letters; empty: the program's
	Quantity    int64  // 0: not told
	Plan        string
	Items       []Item // of a sale with several products; they sum to Amount
	TID         string // our click id, or the whole value of our cookie
	RefID       string
	PromoCode   string
	SaleEventID string     // of a refund
	CreatedAt   int64      // Unix seconds; 0: now
	Address     netip.Addr // of the customer; the zero Addr: not told
	SkipEmail   bool       // FirstPromoter should not write to the promoter
}

// Item is one product of a sale.
type Item struct {
	Plan     string
	Amount   int64 // of all of Quantity together
	Quantity int64
}

// MaxAmount is the largest amount that is believed, in minor units.
const MaxAmount = 10_000_000_000_000

// Outcome is what became of a [Call].
type Outcome uint8

const (
	Booked       Outcome = iota + 1
	Acknowledged         // understood, and nothing to book: an amount of zero
	NotReferred          // the customer is nobody's, or its promoter may not earn
	Repeated             // an event of this id was booked before
	SignedUp             // the customer had signed up before
	Invalid              // Field says which field, Message why
)

// Result is what became of a call.
type Result struct {
	Outcome  Outcome
	Field    string // of Invalid, as the API names it
	Message  string // of Invalid and NotReferred: why, a sentence that ends without a full stop
	Event    book.Event
	Customer book.Customer
	Lines    []book.EventLine
	Doubted  []int64                 // ids of Lines that a person must look at before they are paid
	Promoter *book.DirectoryPromoter // credited; nil: nobody
}
