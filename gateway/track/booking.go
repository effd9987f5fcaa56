package track

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// booking is one call while it is booked, within the transaction of its group.
type booking struct {
	s     *Service
	t     *book.Tracking
	call  *Call
	touch touch
	now   int64 // Unix seconds

	refused    *book.RefusedEvent // that is told again; nil: the call is told now
	remembered bool               // by itself, since its customer is known now
	completed  bool               // a known customer's name was added
	waits      bool               // of a call that credits nobody: it may be somebody's later
	evidence   string             // of a call that credits nobody: whom it named

	identity     identity
	note         string             // what a person should know of the event
	visitor      string             // hash of the customer's address
	saleCurrency string             // of a refund that names no currency: that of the sale
	parts        []terms.RefundPart // of a refund that takes from several sales
	flagged      []int64            // ids of lines that a person must look at
	takenNote    string             // what a person should know of where a refund took back from
	others       otherRefunds       // that the customer's sales meet beside the refund at hand
	rateThen     string             // of a refund that is matched again: [book.Evidence.Rate]
}

// recoverBooking books for the one goroutine that books for everybody: a panic must not end it.
func (s *Service) recoverBooking(book func() (Result, error)) (r Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.o.Logger.Error("booking an event went wrong in a way that it must not", "panic", p, "stack", string(debug.Stack()))
			r, err = Result{}, fmt.Errorf("BUG: %v", p)
		}
	}()
	return book()
}

// book books the call, or keeps it where it is refused. With an error the transaction must be
// given up.
func (b *booking) book() (Result, error) {
	r, err := b.bookKind()
	if err == nil {
		err = b.settle(&r)
	}
	if err == nil && (r.Outcome == Booked || b.completed) && b.refused == nil {
		err = b.bookRemembered(&r)
	}
	return r, err
}

// bookKind books the call by its kind.
func (b *booking) bookKind() (Result, error) {
	if b.s.o.Visitors != nil && b.refused == nil {
		b.visitor = b.s.o.Visitors.Hash(customerAddress(b.call.Address), time.Unix(b.now, 0))
	}
	switch b.call.Kind {
	case book.EventSignup:
		return b.bookSignup()
	case book.EventSale:
		return b.bookSale()
	case book.EventRefund:
		return b.bookRefund()
	case book.EventCancellation:
		return b.bookCancellation()
	}
	return Result{}, fmt.Errorf("BUG: a call of kind %q", b.call.Kind)
}

// at is when the event happened, Unix seconds.
func (b *booking) at() int64 { return cmp.Or(b.call.CreatedAt, b.now) }

// until is the end of the time at which the event happened: of a day alone its last second, so
// that a click on that day was before it.
func (b *booking) until() int64 {
	if b.call.OnDay {
		return min(b.at()+halfDay, b.now)
	}
	return b.at()
}

const halfDay = 12 * 60 * 60 // seconds

// joinNotes joins what a person should know.
func joinNotes(notes ...string) string {
	return strings.Join(slices.DeleteFunc(notes, func(s string) bool { return s == "" }), "; ")
}

// told is when the event was told first, Unix seconds.
func (b *booking) told() int64 {
	if b.refused != nil {
		return b.refused.At
	}
	return b.now
}

// countsAt is when the lines of the event count, and whether that is because it is dated into a
// month that was over when it was told.
func (b *booking) countsAt() (at int64, dated bool) {
	return terms.CountsAt(b.at(), b.told(), b.s.o.Zone)
}

// month is the month of earning that an instant lies in, in the program's zone.
func (b *booking) month(at int64) int32 {
	return int32(terms.MonthOf(time.Unix(at, 0), b.s.o.Zone))
}

// promoter finds a promoter by its id; nil: nobody.
func (b *booking) promoter(id int64) *book.DirectoryPromoter {
	return b.t.Directory().ByID(id).Promoter
}

// findDuplicate finds an event of the call's kind and id that was booked before.
func (b *booking) findDuplicate() (Result, bool, error) {
	if b.call.EventID == "" {
		return Result{}, false, nil
	}
	e, ok, err := b.t.EventByExternalID(b.call.Kind, b.call.EventID)
	return Result{Outcome: Duplicate, Event: e}, ok, err
}

// currency is that of the call's amounts.
func (b *booking) currency() string {
	return cmp.Or(b.call.Currency, b.saleCurrency, b.s.o.Currency)
}

// checkCurrency refuses a call whose amounts cannot be converted into the program's currency.
func (b *booking) checkCurrency() (refusal Result, ok bool) {
	from, to := b.currency(), b.s.o.Currency
	if from == to {
		return Result{}, true
	}
	rate, ok := b.rate(from)
	if !ok {
		const message = "is %s, and the program counts in %s: send that, or set a rate under [tracking.currencies]"
		return Result{Outcome: Invalid, Field: "currency", Message: fmt.Sprintf(message, from, to)}, false
	}
	if n, fits := rate.Convert(b.call.Amount, from, to); !fits || n > MaxAmount {
		return Result{Outcome: Invalid, Field: "amount", Message: fmt.Sprintf("comes to too much in %s", to)}, false
	}
	return Result{}, true
}

// rate is that of a currency: today's, or the one by which the call was booked.
func (b *booking) rate(currency string) (terms.ExchangeRate, bool) {
	if name, text, ok := strings.Cut(b.rateThen, " "); ok && name == currency {
		if rate, err := terms.ParseExchangeRate(text); err == nil {
			return rate, true
		}
	}
	rate, ok := b.s.o.Rates[currency]
	return rate, ok
}

// describeRate is the call's currency with its rate, such as EUR 1.0825; empty: it needs none.
func (b *booking) describeRate() string {
	rate, ok := b.rate(b.currency())
	if !ok || b.currency() == b.s.o.Currency {
		return ""
	}
	return b.currency() + " " + rate.String()
}

// convert turns an amount of the call into the program's currency. Whether that can be done
// checkCurrency has found.
func (b *booking) convert(amount int64) int64 {
	if from := b.currency(); from != b.s.o.Currency {
		rate, _ := b.rate(from)
		amount, _ = rate.Convert(amount, from, b.s.o.Currency)
	}
	return amount
}

// convertFrom turns an amount of a currency into the program's; ok is false where there is no
// rate, and where it comes to too much.
func (b *booking) convertFrom(amount int64, currency string) (converted int64, ok bool) {
	rate, ok := b.rate(currency)
	if !ok {
		return 0, false
	}
	converted, ok = rate.Convert(amount, currency, b.s.o.Currency)
	return converted, ok && converted <= MaxAmount
}

// newEvent makes the event that the book keeps of the call, with the evidence for a. sale is
// the event that a refund takes back from; 0: none.
func (b *booking) newEvent(c *book.Customer, a terms.Attribution, note string, sale int64) (book.Event, error) {
	v := book.Evidence{
		Attribution: a, RefID: b.call.RefID, Coupon: b.call.PromoCode, Click: b.touch.last.Click, Visitor: b.visitor,
		Note: joinNotes(note, b.note), OnDay: b.call.OnDay, Rate: b.describeRate(),
	}
	if b.call.Kind == book.EventRefund {
		v.Sale, v.CurrencyOfSale, v.Parts, v.Taken = b.call.SaleEventID, b.call.Currency == "", b.parts, b.takenNote
	}
	text, err := json.Marshal(v)
	return book.Event{
		Kind: b.call.Kind, ExternalID: b.call.EventID, CustomerID: c.ID, At: b.at(), ReceivedAt: b.now,
		Amount: b.call.Amount, Currency: b.currency(), Quantity: b.call.Quantity, Plan: b.call.Plan,
		PromoterID: a.Promoter, Evidence: string(text), SaleEventID: sale,
	}, err
}

// addEvent books the call as an event with its lines, and queues it for FirstPromoter.
func (b *booking) addEvent(c *book.Customer, a terms.Attribution, lines []book.EventLine, note string, sale int64) (Result, error) {
	e, err := b.newEvent(c, a, note, sale)
	if err != nil {
		return Result{}, err
	}
	if err := b.t.AddEvent(&e, lines); err != nil {
		return Result{}, err
	}
	p := b.promoter(e.PromoterID)
	if b.s.o.Forward {
		token := "" // sent with an event that makes the customer the promoter's
		if p != nil && (e.Kind == book.EventSignup || e.Kind == book.EventSale && !a.AlreadyBound()) {
			token = p.Token
		}
		if err := b.t.AddOutbox(e.ID, c.ID, b.now, forwardBody(b.forwardedCall(), &e, token)); err != nil {
			return Result{}, err
		}
	}
	return Result{Outcome: Booked, Event: e, Customer: *c, Lines: lines, Promoter: p}, nil
}

// forwardedCall is the call without the name of another customer, which FirstPromoter would give
// to this one.
func (b *booking) forwardedCall() *Call {
	if b.identity.other == noOther {
		return b.call
	}
	c := *b.call
	if b.identity.other == otherEmail {
		c.Email = ""
	} else {
		c.UID = ""
	}
	return &c
}
