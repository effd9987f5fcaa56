package track

import (
	"bytes"
	"encoding/json"
	"time"

	"carryover/mapping/book"
)

// forwarded is an event in the words of FirstPromoter's tracking API. It never carries the
// click that brought the customer (it is one of ours) nor the customer's address.
type forwarded struct {
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
// Only a sign-up says when it happened: of the others FirstPromoter takes the time at which
// it hears of them. A coupon is not told: it has decided already, and token says for whom.
//
// Promoters get no e-mail from there about what is forwarded: in a parallel run they would
// hear of everything twice.
func forwardBody(c *Call, e *book.Event, token string) string {
	f := forwarded{Email: c.Email, UID: c.UID, SkipEmail: true}
	switch e.Kind {
	case book.EventSignup:
		f.RefID = token
		f.CreatedAt = time.Unix(e.At, 0).UTC().Format(time.RFC3339)
	case book.EventSale:
		f.RefID = token
		f.EventID, f.Amount, f.Currency, f.Quantity, f.Plan = e.ExternalID, e.Amount, e.Currency, e.Quantity, c.plan()
	case book.EventRefund:
		f.EventID, f.Amount, f.Currency, f.Quantity, f.SaleEventID = e.ExternalID, e.Amount, e.Currency, e.Quantity, c.SaleEventID
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // a plan may be named A&B
	if err := enc.Encode(&f); err != nil {
		panic("BUG: " + err.Error()) // texts and numbers can be written
	}
	return string(bytes.TrimSpace(text.Bytes()))
}

// plan is what FirstPromoter is told was bought. It knows one plan a sale: of several
// products the first is named, and its rate there holds for the whole amount. Where
// products have other rates, parity says so.
func (c *Call) plan() string {
	if c.Plan == "" && len(c.Items) > 0 {
		return c.Items[0].Plan
	}
	return c.Plan
}
