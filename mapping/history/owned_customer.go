package history

import (
	"cmp"
	"context"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// OwnedCustomer is a customer and whose it is. Times are UTC; empty when there is none.
type OwnedCustomer struct {
	Email         string `json:"customer_email"`
	UID           string `json:"uid"`      // the billing system's; empty where Keap's referrals decided
	BoundBy       string `json:"bound_by"` // BoundLive or BoundKeap
	ContactID     int64  `json:"keap_contact_id"`
	RefToken      string `json:"ref_token"`
	ReferredAt    string `json:"referred_at"`
	FirstReferred string `json:"first_referred_at"`
	Source        string `json:"source"`
	Rule          string `json:"rule"`
	ReferralID    int64  `json:"keap_referral_id"` // 0: none, or the export gave none
	PartnerID     int64  `json:"keap_partner_id"`
	Self          bool   `json:"self_referred"`

	Owner string `json:"-"` // what people call whose it is
	Since int64  `json:"-"` // since when, Unix seconds
}

// Values of [OwnedCustomer.BoundBy]: what decides whose a customer is.
const (
	BoundLive = "live" // a sign-up or a sale that was tracked here
	BoundKeap = "keap" // Keap's referrals
)

// CustomerFilter says which customers are asked for.
type CustomerFilter struct {
	Owner *book.Match // whose; nil: everybody's
	All   bool        // also those who belong to nobody, and those without an e-mail address or uid
}

// OwnedCustomers gives fn the customers in the order of their addresses. leftOut counts those
// that only a filter with All lists. An error of fn ends it.
func OwnedCustomers(
	ctx context.Context, b *book.Book, directory *book.Directory, f CustomerFilter, fn func(*OwnedCustomer) error,
) (leftOut int, err error) {
	bound, err := b.BoundCustomers(ctx)
	if err != nil {
		return 0, err
	}
	list := func(r *book.Referral, live *book.BoundCustomer) error {
		c, earner := newOwnedCustomer(r, live, directory)
		switch {
		case f.Owner != nil && !f.Owner.Earned(directory, earner):
			return nil
		case !f.All && (c.Email == "" && c.UID == "" || c.RefToken == ""):
			leftOut++
			return nil
		}
		return fn(&c)
	}
	return leftOut, mergeCustomers(ctx, b, bound, list)
}

// mergeCustomers gives list the customers whom Keap knew, each with what bound it live, and
// those of whom Keap did not know. Both are in the order of their addresses.
func mergeCustomers(
	ctx context.Context, b *book.Book, bound []book.BoundCustomer, list func(*book.Referral, *book.BoundCustomer) error,
) error {
	next := func() *book.BoundCustomer {
		c := &bound[0]
		bound = bound[1:]
		return c
	}
	unknownToKeap := func() error {
		c := next()
		return list(&book.Referral{Email: c.Email}, c)
	}
	err := b.Customers(ctx, func(r book.Referral) error {
		for len(bound) > 0 && bound[0].Email < r.Customer {
			if err := unknownToKeap(); err != nil {
				return err
			}
		}
		if r.Email != "" && len(bound) > 0 && bound[0].Email == r.Email {
			return list(&r, next())
		}
		return list(&r, nil)
	})
	for err == nil && len(bound) > 0 {
		err = unknownToKeap()
	}
	return err
}

// newOwnedCustomer is a customer of Keap's referrals; live, if not nil, is what has bound it
// since for life, whatever those say.
func newOwnedCustomer(r *book.Referral, live *book.BoundCustomer, directory *book.Directory) (OwnedCustomer, book.Earner) {
	earner := book.Earner{PartnerID: r.PartnerID}
	c := OwnedCustomer{
		Email: r.Email, BoundBy: BoundKeap, ContactID: r.ContactID, RefToken: directory.ByPartner(r.PartnerID).Token(),
		ReferredAt: terms.FormatTime(r.ReferredAt, time.UTC), FirstReferred: terms.FormatTime(r.FirstAt, time.UTC),
		Source: r.Source, Rule: r.Rule, ReferralID: max(0, r.ReferralID), PartnerID: r.PartnerID, Self: r.Self, Since: r.ReferredAt,
	}
	if live != nil {
		earner = book.Earner{PromoterID: live.PromoterID}
		owner, since := directory.ByEarner(earner), terms.FormatTime(live.BoundAt, time.UTC)
		c.UID, c.RefToken, c.ReferredAt, c.FirstReferred, c.Since = live.UID, owner.Token(), since, cmp.Or(c.FirstReferred, since), live.BoundAt
		c.BoundBy, c.Source, c.Rule, c.ReferralID = BoundLive, BoundLive, live.By, 0
		c.PartnerID, c.Self = owner.KeapID(), strings.Contains(live.Suspicion, book.ReasonSelf)
	}
	c.Owner = directory.Name(earner)
	return c, earner
}
