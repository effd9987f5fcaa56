package track

import (
	"net/netip"

	"carryover/mapping/book"
)

// Call is one call of the tracking API whose fields were checked: every amount is from 0 to
// MaxAmount, every text of bounded length, Email an e-mail key or empty, and Email or UID is
// not empty.
type Call struct {
	Kind        string // one of book's Event constants
	Email       string // trimmed, lower case; empty: not given
	UID         string
	EventID     string // of a sale or refund; that of a cancellation may be empty
	Amount      int64  // minor units
	Currency    string // three upper-case letters; empty: the program's
	Quantity    int64  // 0: not given
	Plan        string
	Items       []Item // of a sale with several products; they sum to Amount
	TID         string // our click id, or the whole value of our cookie
	RefID       string
	PromoCode   string
	SaleEventID string     // of a refund
	CreatedAt   int64      // Unix seconds; 0: now
	OnDay       bool       // CreatedAt is noon of a day, and more is not known
	Address     netip.Addr // of the customer; the zero Addr: not given
	SkipEmail   bool       // FirstPromoter must not write to the promoter

	// Promoters whom a sign-up names otherwise.
	PromoterID    string // the book's id, or "keap-" and a Keap id
	PromoterEmail string // an e-mail key

	Origin   Origin
	Warnings []Warning // of fields that were left out
}

// Warning says what is wrong with a field and what became of it, in a sentence that begins with
// the field's name.
type Warning struct{ Field, Message string }

// Item is one product of a sale.
type Item struct {
	Plan     string
	Amount   int64 // of all of Quantity together
	Quantity int64
}

// MaxAmount is the largest amount that a call may have, in minor units.
const MaxAmount = 10_000_000_000_000

// Outcome says what became of a [Call].
type Outcome uint8

const (
	Booked          Outcome = iota + 1
	Acknowledged            // understood, with nothing to book: an amount of zero
	NotReferred             // the customer is nobody's, or its promoter may not earn
	Duplicate               // an event of this id was booked before
	AlreadySignedUp         // the customer had signed up before
	Invalid                 // Result.Field says which field is, Result.Message why
)

// Result is the outcome of a call, and what was booked.
type Result struct {
	Outcome  Outcome
	Field    string // of Invalid, as the API names it
	Message  string // of Invalid and NotReferred: why, a sentence that ends without a full stop
	Event    book.Event
	Customer book.Customer
	Lines    []book.EventLine
	Flagged  []int64                 // ids of Lines that a person must look at before they are paid
	Promoter *book.DirectoryPromoter // credited; nil: nobody
}
