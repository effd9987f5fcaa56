package book

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"carryover/mapping/terms"
)

// Customer is a person whom the billing system reported.
type Customer struct {
	ID         int64
	Email      string // trimmed, lower case; empty: not known
	UID        string // the billing system's; empty: not known
	PromoterID int64  // bound for life; 0: the referral that was carried over decides
	BoundAt    int64
	ClickedAt  int64  // the click that bound it; 0: none did
	Suspicion  string // reasons to review each of its commissions, blanks between
	Visitor    string // keyed hash of its address when it was bound; empty: not known
	CreatedAt  int64
}

// Event is something that the billing system reported, each once.
type Event struct {
	ID          int64
	Kind        string // one of the Event constants
	ExternalID  string // the billing system's, unique within the kind; empty: it gave none
	CustomerID  int64
	At          int64 // when it happened, Unix seconds
	ReceivedAt  int64
	Amount      int64 // as reported; minor units
	Currency    string
	Quantity    int64
	Plan        string
	SaleEventID int64 // of a refund: the event of the sale; 0: not known
	PromoterID  int64 // credited; 0: nobody
	Evidence    string
}

// Values of [Event.Kind].
const (
	EventSignup       = "signup"
	EventSale         = "sale"
	EventRefund       = "refund"
	EventCancellation = "cancellation"
)

// Evidence is why an event credits whom it does, as JSON in [Event.Evidence].
type Evidence struct {
	terms.Attribution
	RefID   string `json:"ref_id,omitempty"` // as reported
	Coupon  string `json:"promo_code,omitempty"`
	Click   string `json:"click,omitempty"`   // id of the click that the tid names
	Visitor string `json:"visitor,omitempty"` // keyed hash of the customer's address
	Rate    string `json:"rate,omitempty"`    // EUR 1.0825: the exchange rate
	Note    string `json:"note,omitempty"`    // what a person should know

	OnDay bool `json:"on_day,omitempty"` // the event is dated by its day alone

	// Of a refund.
	Sale           string             `json:"sale_event_id,omitempty"`    // the sale that it names
	CurrencyOfSale bool               `json:"currency_of_sale,omitempty"` // it names no currency
	Parts          []terms.RefundPart `json:"parts,omitempty"`            // of several sales: event ids
	Taken          string             `json:"taken,omitempty"`            // what a person should know of where it took back from
}

// Refund is an event of the kind refund, with its evidence.
type Refund struct {
	Event
	Evidence Evidence
}

// EventLine is what an event does to a promoter's balance, one line a product.
type EventLine struct {
	ID             int64
	EventID        int64  // 0: a correction
	Kind           string // KindCommission, KindRefund, KindDenied or KindCorrection
	PromoterID     int64
	CustomerID     int64
	At             int64
	Month          int32 // of earning; of a reversal: that of the commission
	Amount         int64 // as it changes the balance
	Currency       string
	SaleAmount     int64 // in the program's currency
	Percent        terms.Percent
	Product        string
	ProductKind    string // membership, training or unknown
	Quantity       int64
	ReversesLineID int64 // the commission that it reverses; 0: none
}

var (
	customers = table[Customer]{
		name:    "customer",
		columns: "id, email, uid, promoter_id, bound_at, clicked_at, suspicion, visitor, created_at",
		key:     1,
		record:  (*Customer).record,
	}
	events = table[Event]{
		name: "event",
		columns: "id, kind, external_id, customer_id, at, received_at, amount, currency, quantity, plan, sale_event_id, " +
			"promoter_id, evidence",
		key:    1,
		record: (*Event).record,
	}
	eventLines = table[EventLine]{
		name: "event_line",
		columns: "id, event_id, kind, promoter_id, customer_id, at, month, amount, currency, sale_amount, percent, " +
			"product, product_kind, quantity, reverses_line_id",
		key:    1,
		record: (*EventLine).record,
	}
)

// UnmatchedRefunds lists the refunds that name a sale which was not reported yet, and have
// taken nothing back meanwhile.
func (b *Book) UnmatchedRefunds(ctx context.Context) ([]Event, error) {
	list, err := events.find(ctx, b, "WHERE kind = 'refund' AND sale_event_id = 0 ORDER BY at, id")
	return slices.DeleteFunc(list, func(e Event) bool {
		var v Evidence
		return json.Unmarshal([]byte(e.Evidence), &v) != nil || v.Sale == "" || v.By == terms.ByCarried
	}), err
}

func (c *Customer) record(r *record) {
	r.int(&c.ID)
	r.text(&c.Email)
	r.text(&c.UID)
	r.int(&c.PromoterID)
	r.int(&c.BoundAt)
	r.int(&c.ClickedAt)
	r.text(&c.Suspicion)
	r.text(&c.Visitor)
	r.int(&c.CreatedAt)
}

func (e *Event) record(r *record) {
	r.int(&e.ID)
	r.word(&e.Kind)
	r.text(&e.ExternalID)
	r.int(&e.CustomerID)
	r.int(&e.At)
	r.int(&e.ReceivedAt)
	r.int(&e.Amount)
	r.word(&e.Currency)
	r.int(&e.Quantity)
	r.word(&e.Plan)
	r.int(&e.SaleEventID)
	r.int(&e.PromoterID)
	r.text(&e.Evidence)
}

func (l *EventLine) record(r *record) {
	r.int(&l.ID)
	r.int(&l.EventID)
	r.word(&l.Kind)
	r.int(&l.PromoterID)
	r.int(&l.CustomerID)
	r.int(&l.At)
	r.month(&l.Month)
	r.int(&l.Amount)
	r.word(&l.Currency)
	r.int(&l.SaleAmount)
	percent := int32(l.Percent)
	r.month(&percent)
	l.Percent = terms.Percent(percent)
	r.word(&l.Product)
	r.word(&l.ProductKind)
	r.int(&l.Quantity)
	r.int(&l.ReversesLineID)
}

// ErrNoEvent says that the book has no event with an id.
var ErrNoEvent = errors.New("there is no such event")

// EventByID returns the event with the book's own id; [ErrNoEvent] when there is none.
func (b *Book) EventByID(ctx context.Context, id int64) (Event, error) {
	return events.one(ctx, b, id, ErrNoEvent)
}

// EventsByExternalID lists the events, of any kind, with an id of the billing system's.
func (b *Book) EventsByExternalID(ctx context.Context, eventID string) ([]Event, error) {
	if eventID == "" {
		return nil, nil
	}
	return events.find(ctx, b, `WHERE kind IN ('signup', 'sale', 'refund', 'cancellation')
		AND external_id = ? AND external_id != '' ORDER BY id`, eventID)
}

// EventsByClick lists the sign-ups and sales that a click, by its id, won. It scans all of them.
func (b *Book) EventsByClick(ctx context.Context, id string) ([]Event, error) {
	list, err := events.find(ctx, b, "WHERE kind IN ('signup', 'sale') AND instr(evidence, ?) > 0 ORDER BY at, id", id)
	return slices.DeleteFunc(list, func(e Event) bool {
		var v Evidence
		return json.Unmarshal([]byte(e.Evidence), &v) != nil || !slices.ContainsFunc(v.Candidates, func(k terms.Candidate) bool {
			return k.By == terms.ByClick && k.Outcome == terms.OutcomeWon && k.Click == id
		})
	}), err
}

// EventsOf lists the events of a customer, in the order in which they happened.
func (b *Book) EventsOf(ctx context.Context, customer int64) ([]Event, error) {
	return events.find(ctx, b, "WHERE customer_id = ? ORDER BY at, id", customer)
}

// LinesOf lists the lines of the given events.
func (b *Book) LinesOf(ctx context.Context, ids []int64) ([]EventLine, error) {
	return eventLines.find(ctx, b, "WHERE event_id IN "+anyOf+" ORDER BY id", idList(ids))
}

// LineByID returns one line; [ErrNoEntry] when there is none.
func (b *Book) LineByID(ctx context.Context, id int64) (EventLine, error) {
	return eventLines.one(ctx, b, id, ErrNoEntry)
}

// TrackedCustomers lists the customers with the given e-mail key or uid: one, or two when they
// were reported as different ones.
func (b *Book) TrackedCustomers(ctx context.Context, email, uid string) ([]Customer, error) {
	return customers.find(ctx, b, "WHERE "+byAnyEmail+" OR (uid = ?2 AND uid != '') ORDER BY id", email, uid)
}

// CustomersByID lists the customers with the given ids.
func (b *Book) CustomersByID(ctx context.Context, ids []int64) ([]Customer, error) {
	return customers.find(ctx, b, "WHERE id IN "+anyOf, idList(ids))
}
