package track

import (
	"bytes"
	"encoding/json"
	"time"

	"carryover/mapping/book"
)

// forwardPayload is an event in the words of FirstPromoter's tracking API. It carries neither the
// click that brought the customer (it is one of ours) nor the customer's network address.
type forwardPayload struct {
	Email       string `json:"email,omitempty"`
	UID         string `json:"uid,omitempty"`
	RefID       string `json:"ref_id,omitempty"`
	CreatedAt   string `json:"created_at,omitempty"`
	EventID     string `json:"event_id,omitempty"`
	Amount      int64  `json:"amount,omitempty"` // minor units
	Currency    string `json:"currency,omitempty"`
	Quantity    int64  `json:"quantity,omitempty"`
	Plan        string `json:"plan,omitempty"`
	SaleEventID string `json:"sale_event_id,omitempty"`
	SkipEmail   bool   `json:"skip_email_notification"`
}

// forwardBody is the JSON that FirstPromoter is sent of a call that was booked as e. token
// is the ref token of the promoter whose customer the event makes: on every sign-up, and on
// a sale that itself bound the customer; empty otherwise.
//
// Only a sign-up carries its time: for the others FirstPromoter takes the time at which it is
// told of them. A coupon is left out: it has decided already, and token names the promoter.
//
// FirstPromoter sends promoters no e-mail about what is forwarded: in a parallel run they would
// get two about everything.
func forwardBody(c *Call, e *book.Event, token string) string {
	p := forwardPayload{Email: c.Email, UID: c.UID, SkipEmail: true}
	switch e.Kind {
	case book.EventSignup:
		p.RefID = token
		p.CreatedAt = time.Unix(e.At, 0).UTC().Format(time.RFC3339)
	case book.EventSale:
		p.RefID = token
		p.EventID, p.Amount, p.Currency, p.Quantity, p.Plan = e.ExternalID, e.Amount, e.Currency, e.Quantity, c.plan()
	case book.EventRefund:
		p.EventID, p.Amount, p.Currency, p.Quantity, p.SaleEventID = e.ExternalID, e.Amount, e.Currency, e.Quantity, c.SaleEventID
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // a plan may be named A&B
	if err := enc.Encode(&p); err != nil {
		panic("BUG: " + err.Error()) // texts and numbers can be written
	}
	return string(bytes.TrimSpace(text.Bytes()))
}

// plan is the plan that FirstPromoter is told of. It knows one plan a sale: of several products
// the first is named, and its rate there holds for the whole amount. Where the rates of products
// differ, parity reports it.
func (c *Call) plan() string {
	if c.Plan == "" && len(c.Items) > 0 {
		return c.Items[0].Plan
	}
	return c.Plan
}
