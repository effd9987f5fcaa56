package track

import (
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// findCustomer finds whom the call means, or makes a customer that is not booked yet. The
// billing system's own id goes before an address, which people share and change.
func (b *booking) findCustomer() (c book.Customer, known bool, err error) {
	if b.call.UID != "" {
		if c, known, err = b.t.CustomerByUID(b.call.UID); err != nil || known {
			return c, known, err
		}
	}
	if b.call.Email != "" {
		if c, known, err = b.t.CustomerByEmail(b.call.Email); err != nil || known {
			return c, known, err
		}
	}
	return book.Customer{Email: b.call.Email, UID: b.call.UID, CreatedAt: b.now}, false, nil
}

// saveCustomer books a new customer, or fills in the uid or address that the call tells of a
// known one. Neither is ever changed, nor taken from another customer.
func (b *booking) saveCustomer(c *book.Customer) error {
	if c.ID == 0 {
		return b.t.AddCustomer(c)
	}
	completed := *c
	if completed.UID == "" {
		completed.UID = b.call.UID // nobody has it: the customer would have been found by it
	}
	if completed.Email == "" && b.call.Email != "" {
		if _, taken, err := b.t.CustomerByEmail(b.call.Email); err != nil {
			return err
		} else if !taken {
			completed.Email = b.call.Email
		}
	}
	if completed == *c {
		return nil
	}
	*c = completed
	return b.t.IdentifyCustomer(c)
}

// bindCustomer binds the customer to the promoter of a, for life, unless it was bound before.
// It notes what makes each of the customer's commissions suspicious.
func (b *booking) bindCustomer(c *book.Customer, a *terms.Attribution) error {
	if a.AlreadyBound() {
		return nil
	}
	c.PromoterID, c.BoundAt, c.Visitor = a.Promoter, b.at(), b.visitor
	for _, k := range a.Candidates {
		if k.Outcome == terms.OutcomeWon && k.By == terms.ByClick {
			c.ClickedAt = k.At
		}
	}
	var reasons []string
	self := sameEmail(c, b.promoter(a.Promoter))
	if !self && b.visitor != "" {
		var err error
		if self, err = b.t.HasApplicationFrom(a.Promoter, b.visitor); err != nil {
			return err
		}
	}
	if self {
		reasons = append(reasons, book.ReasonSelf)
	}
	if b.visitor != "" {
		n, err := b.t.CountCustomersFrom(a.Promoter, b.visitor)
		if err != nil {
			return err
		}
		if n+1 >= sharedAddressCustomers {
			reasons = append(reasons, book.ReasonShared)
		}
	}
	c.Suspicion = strings.Join(reasons, " ")
	return b.t.BindCustomer(c)
}

// sameEmail reports whether a customer has the e-mail address of a promoter, who may be nil.
func sameEmail(c *book.Customer, p *book.DirectoryPromoter) bool {
	return p != nil && c.Email != "" && c.Email == p.Email
}
