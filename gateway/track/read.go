package track

import (
	"strings"
	"time"

	"carryover/mapping/book"
)

// readCall makes a call of what a body says, or says all that is wrong with it. What
// FirstPromoter takes and nobody here needs (mrr, names, subscription_id and the like) is
// not looked at; neither is what nobody knows.
func readCall(kind string, f fields, now time.Time) (*Call, []wrong) {
	var wrongs []wrong
	r := &reader{fields: f, now: now, wrong: &wrongs}
	c := &Call{Kind: kind, Email: r.email("email"), UID: r.text("uid", maxText)}
	if c.Email == "" && c.UID == "" && len(wrongs) == 0 {
		r.say("email", "and uid can't both be blank")
	}
	c.CreatedAt, c.SkipEmail = r.moment("created_at"), r.flag("skip_email_notification")
	switch kind {
	case book.EventSignup:
		r.brought(c)
	case book.EventSale:
		c.EventID = r.needed("event_id")
		c.Items = r.items("items")
		r.money(c)
		r.brought(c)
	case book.EventRefund:
		c.EventID = r.needed("event_id")
		r.money(c)
		c.SaleEventID = r.text("sale_event_id", maxText)
		if r.hasItems() {
			r.say("items", "are of sales: say with sale_event_id which sale is refunded, and one refund a product")
		}
	case book.EventCancellation:
		c.EventID = r.text("event_id", maxText)
	}
	if len(wrongs) > 0 {
		return nil, wrongs
	}
	return c, nil
}

// brought reads who may have brought the customer.
func (r *reader) brought(c *Call) {
	c.TID, c.RefID, c.PromoCode = r.text("tid", maxTID), r.text("ref_id", maxText), r.text("promo_code", maxText)
	c.Address = r.address("ip")
}

// money reads what was paid or paid back.
func (r *reader) money(c *Call) {
	before := len(*r.wrong)
	amount, ok := r.amount("amount")
	c.Amount, c.Currency, c.Quantity, c.Plan = amount, r.currency("currency"), r.quantity("quantity"), r.text("plan", maxText)
	sum := int64(0)
	for _, item := range c.Items {
		sum += item.Amount
	}
	_, given := r.given("amount")
	switch {
	case c.Items == nil && r.hasItems():
		if _, listed := r.fields["items"]; !listed {
			r.say("items", "are taken in JSON only: send Content-Type: application/json")
		}
	case c.Items == nil && !given:
		r.say("amount", "can't be blank")
	case len(*r.wrong) > before || c.Items == nil:
	case sum > MaxAmount:
		r.say("amount", "must be at most %d", int64(MaxAmount))
	case ok && sum != amount:
		r.say("amount", "must be the sum of the items, and %d is not %d", amount, sum)
	default:
		c.Amount = sum
	}
}

// hasItems says whether the body has items in any form: also as a form names them.
func (r *reader) hasItems() bool {
	for name := range r.fields {
		if name == "items" || strings.HasPrefix(name, "items[") {
			return true
		}
	}
	return false
}
