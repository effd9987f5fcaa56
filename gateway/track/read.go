package track

import (
	"strings"

	"carryover/mapping/book"
)

// readCall makes a call of the fields of a body, or lists all mistakes in them. What a call
// needs, it is refused without: somebody's email or uid, the event_id and amount of a payment or
// refund, and what its money hangs on when it is given (currency, items, sale_event_id). All
// other fields are hints: one that is wrong is left out, and warned of. It ignores what
// FirstPromoter takes and nobody here needs (mrr, names, subscription_id and the like), and
// names that nobody knows.
func readCall(kind string, f fields, now clock) (*Call, []fieldError) {
	var errs, warnings []fieldError
	r := &reader{fields: f, clock: now, errs: &errs, warnings: &warnings}
	c := &Call{Kind: kind}
	r.readCustomer(c)
	c.CreatedAt, c.OnDay = r.hints().timestamp("created_at")
	c.SkipEmail = r.hints().flag("skip_email_notification")
	switch kind {
	case book.EventSignup:
		r.hints().readSource(c)
	case book.EventSale:
		c.EventID = r.requiredText("event_id")
		c.Items = r.items("items")
		r.readAmount(c)
		r.hints().readSource(c)
	case book.EventRefund:
		c.EventID = r.requiredText("event_id")
		r.readAmount(c)
		c.SaleEventID = r.text("sale_event_id", maxText)
		if r.hasItems() {
			r.fail("items", "are of sales: say with sale_event_id which sale is refunded, and one refund a product")
		}
	case book.EventCancellation:
		c.EventID = r.hints().text("event_id", maxText)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	for _, w := range warnings {
		c.Warnings = append(c.Warnings, Warning{w.field, w.message})
	}
	return c, nil
}

// readCustomer reads who the customer is. One of email and uid is enough: when the other is
// wrong, it is left out.
func (r *reader) readCustomer(c *Call) {
	var wrong []fieldError
	one := *r
	one.errs = &wrong
	c.Email, c.UID = one.email("email"), one.text("uid", maxText)
	switch {
	case c.Email != "" || c.UID != "":
		for _, w := range wrong {
			*r.warnings = append(*r.warnings, fieldError{w.field, w.message + leftOut})
		}
	case len(wrong) > 0:
		*r.errs = append(*r.errs, wrong...)
	default:
		r.fail("email", "and uid can't both be blank")
	}
}

// readSource reads what names the promoter who brought the customer.
func (r *reader) readSource(c *Call) {
	c.TID, c.RefID, c.PromoCode = r.text("tid", maxTID), r.text("ref_id", maxText), r.text("promo_code", maxText)
	c.PromoterEmail, c.PromoterID = r.email("promoter_email"), r.promoterID("promoter_id")
	c.Address = r.address("ip")
}

// readAmount reads what was paid or refunded; of a sale with items their sum.
func (r *reader) readAmount(c *Call) {
	mistakes := len(*r.errs)
	amount, ok := r.amount("amount")
	c.Amount, c.Currency, c.Quantity, c.Plan = amount, r.currency("currency"), r.hints().quantity("quantity"), r.plan("plan")
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
	if v, ok := r.lookup("items"); ok && !isEmptyList(v) {
		return true
	}
	for name := range r.fields {
		if strings.HasPrefix(name, "items[") {
			return true
		}
	}
	return false
}
