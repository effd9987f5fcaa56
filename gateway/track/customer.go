package track

import (
	"fmt"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// findCustomer finds whom the call means, or makes a customer that is not booked yet. The
// billing system's own id goes before an address, which people share and change. A call that
// names two customers is one of the first, and identity says so.
func (b *booking) findCustomer() (c book.Customer, known bool, err error) {
	if b.call.UID != "" {
		if c, known, err = b.t.CustomerByUID(b.call.UID); err != nil {
			return c, known, err
		} else if known {
			return c, known, b.compareEmail(&c)
		}
	}
	if b.call.Email != "" {
		if c, known, err = b.t.CustomerByEmail(b.call.Email); err != nil || known {
			if c.UID != "" && b.call.UID != "" && c.UID != b.call.UID {
				b.identity = identity{other: otherUID, detail: "the e-mail is known with another uid: the e-mail was taken"}
			}
			return c, known, err
		}
	}
	return book.Customer{Email: b.call.Email, UID: b.call.UID, CreatedAt: b.now}, false, nil
}

// identity says that a call names two customers. The zero identity: it names one.
type identity struct {
	other  otherName
	detail string // in words
}

// otherName is the name in a call that is not of the customer whom it was taken for.
type otherName uint8

const (
	noOther otherName = iota
	otherEmail
	otherUID
)

// compareEmail finds out whose the address of the call is that names c by its uid. One that is
// another customer's, live or carried over to another promoter, stays the other's: whoever can
// tell of a sale would otherwise take a customer for a cent.
func (b *booking) compareEmail(c *book.Customer) error {
	email := b.call.Email
	if email == "" || email == c.Email {
		return nil
	}
	switch other, known, err := b.t.CustomerByEmail(email); {
	case err != nil:
		return err
	case known:
		if other.ID != c.ID {
			b.identity = identity{otherEmail, "the uid is one customer's, the e-mail another's: the uid was taken"}
		}
		return nil
	}
	owner, err := b.carriedOwner(email)
	if err != nil || owner == (book.Owner{}) {
		return err
	}
	own := b.t.Directory().ByID(c.PromoterID)
	if c.PromoterID == 0 {
		if own, err = b.carriedOwner(c.Email); err != nil {
			return err
		}
	}
	if own != owner {
		const detail = "the uid is one customer's, the e-mail that of a customer of %s from Keap: the uid was taken"
		b.identity = identity{otherEmail, fmt.Sprintf(detail, owner.Name())}
	}
	return nil
}

// carriedOwner is whose the customer with an address was at Keap; nobody: no referral of Keap's
// counts.
func (b *booking) carriedOwner(email string) (book.Owner, error) {
	if email == "" {
		return book.Owner{}, nil
	}
	carried, _, err := b.t.Referral(email)
	if err != nil {
		return book.Owner{}, err
	}
	if carried.Rule == terms.RuleHouse {
		return book.Owner{House: true}, nil
	}
	if carried.PartnerID == 0 && carried.Rule == terms.RuleLater {
		row, _, err := b.laterReferral(email)
		return b.t.Directory().ByPartner(row.PartnerID), err
	}
	return b.t.Directory().ByPartner(carried.PartnerID), nil
}

// saveCustomer books a new customer, or adds the uid or address that the call tells of a known
// one. Neither is ever changed, nor taken from another customer.
func (b *booking) saveCustomer(c *book.Customer) error {
	if c.ID == 0 {
		return b.t.AddCustomer(c)
	}
	if b.identity.other != noOther {
		return b.suspectIdentity(c)
	}
	completed := *c
	if completed.UID == "" {
		completed.UID = b.call.UID // nobody has it: the customer would have been found by it
	}
	switch _, taken, err := b.t.CustomerByEmail(b.call.Email); {
	case err != nil:
		return err
	case taken || b.call.Email == "":
	case completed.Email == "":
		completed.Email = b.call.Email
	default:
		b.completed = true
		if err := b.t.AddFurtherEmail(&book.FurtherEmail{Email: b.call.Email, CustomerID: c.ID, At: b.now}); err != nil {
			return err
		}
	}
	if completed == *c {
		return nil
	}
	*c, b.completed = completed, true
	return b.t.IdentifyCustomer(c)
}

// suspectIdentity flags the customer of a call that named another one too. Of a sale that names
// another uid beside the customer's address only its own commission is flagged.
func (b *booking) suspectIdentity(c *book.Customer) error {
	if strings.Contains(c.Suspicion, book.ReasonTwo) || b.identity.other == otherUID && b.call.Kind == book.EventSale {
		return nil
	}
	c.Suspicion = strings.TrimSpace(c.Suspicion + " " + book.ReasonTwo)
	return b.t.SuspectCustomer(c)
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
	reasons := strings.Fields(c.Suspicion)
	self := b.sameEmail(c, b.promoter(a.Promoter))
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

// sameEmail reports whether a customer has, or comes with, the e-mail address of a promoter, who
// may be nil.
func (b *booking) sameEmail(c *book.Customer, p *book.DirectoryPromoter) bool {
	return p != nil && p.Email != "" && (c.Email == p.Email || b.call.Email == p.Email)
}
