package track

import (
	"strings"
	"time"

	"carryover/mapping/book"
)

// readCall makes a call of the fields of a body, or lists all mistakes in them. It ignores what
// FirstPromoter takes and nobody here needs (mrr, names, subscription_id and the like), and
// names that nobody knows.
func readCall(kind string, f fields, now time.Time) (*Call, []fieldError) {
	var errs []fieldError
	r := &reader{fields: f, now: now, errs: &errs}
	c := &Call{Kind: kind, Email: r.email("email"), UID: r.text("uid", maxText)}
	if c.Email == "" && c.UID == "" && len(errs) == 0 {
		r.fail("email", "and uid can't both be blank")
	}
	c.CreatedAt, c.SkipEmail = r.timestamp("created_at"), r.flag("skip_email_notification")
	switch kind {
	case book.EventSignup:
		r.readSource(c)
	case book.EventSale:
		c.EventID = r.requiredText("event_id")
		c.Items = r.items("items")
		r.readAmount(c)
		r.readSource(c)
	case book.EventRefund:
		c.EventID = r.requiredText("event_id")
		r.readAmount(c)
		c.SaleEventID = r.text("sale_event_id", maxText)
		if r.hasItems() {
			r.fail("items", "are of sales: say with sale_event_id which sale is refunded, and one refund a product")
		}
	case book.EventCancellation:
		c.EventID = r.text("event_id", maxText)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return c, nil
}

// readSource reads what names the promoter who brought the customer.
func (r *reader) readSource(c *Call) {
	c.TID, c.RefID, c.PromoCode = r.text("tid", maxTID), r.text("ref_id", maxText), r.text("promo_code", maxText)
	c.Address = r.address("ip")
}

// readAmount reads what was paid or refunded; of a sale with items their sum.
func (r *reader) readAmount(c *Call) {
	mistakes := len(*r.errs)
	amount, ok := r.amount("amount")
	c.Amount, c.Currency, c.Quantity, c.Plan = amount, r.currency("currency"), r.quantity("quantity"), r.text("plan", maxText)
	sum := int64(0)
	for _, item := range c.Items {
		sum += item.Amount
	}
	_, given := r.lookup("amount")
	switch {
	case c.Items == nil && r.hasItems():
		if _, inJSON := r.fields["items"]; !inJSON {
			r.fail("items", "are taken in JSON only: send Content-Type: application/json")
		}
	case c.Items == nil && !given:
		r.fail("amount", "can't be blank")
	case len(*r.errs) > mistakes || c.Items == nil:
	case sum > MaxAmount:
		r.fail("amount", "must be at most %d", int64(MaxAmount))
	case ok && sum != amount:
		r.fail("amount", "must be the sum of the items, and %d is not %d", amount, sum)
	default:
		c.Amount = sum
	}
}

// hasItems reports whether the body has items, in JSON or as a form names them.
func (r *reader) hasItems() bool {
	for name := range r.fields {
		if name == "items" || strings.HasPrefix(name, "items[") {
			return true
		}
	}
	return false
}
