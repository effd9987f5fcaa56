package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// CustomerHistory is what the book knows of a customer.
type CustomerHistory struct {
	Reason     string  `json:"why"` // whose it is and why, in one sentence
	Email      string  `json:"customer_email"`
	Name       string  `json:"customer_name"`
	ContactIDs []int64 `json:"keap_contact_ids"`

	RefToken      string `json:"ref_token"`
	PartnerID     int64  `json:"keap_partner_id"`
	Rule          string `json:"rule"` // empty: never referred
	ReferredAt    string `json:"referred_at"`
	FirstReferred string `json:"first_referred_at"`
	ReferralID    int64  `json:"keap_referral_id"`
	Self          bool   `json:"self_referred"`

	UID         string   `json:"uid,omitempty"`          // the billing system's
	OtherEmails []string `json:"other_emails,omitempty"` // further addresses that came with the uid
	Bound       *Binding `json:"bound,omitempty"`        // by an event that was tracked here

	AsOf     string          `json:"as_of"`
	Owner    string          `json:"owner_rule"`           // among referrals that counted: latest or first
	Other    *OtherRule      `json:"other_rule,omitempty"` // when it would have chosen somebody else
	Timeline []TimelineEntry `json:"timeline"`
}

// OtherRule is how the referrals would have come out.
type OtherRule struct {
	Owner      string `json:"owner_rule"`
	RefToken   string `json:"ref_token"` // empty: nobody
	PartnerID  int64  `json:"keap_partner_id"`
	ReferralID int64  `json:"keap_referral_id"`
}

// customer tells about the customer whom a person means.
func (x *Explainer) customer(ctx context.Context, what string) (*CustomerHistory, error) {
	found, err := x.Book.FindContacts(ctx, what)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, k := range found {
		if key := cmp.Or(k.Email, book.ContactKey(k.ID)); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	if len(keys) > 1 {
		var list strings.Builder
		for _, k := range found {
			fmt.Fprintf(&list, "\n  %d  %s  %s", k.ID, k.Name, cmp.Or(k.Email, "(no e-mail)"))
		}
		return nil, book.NewInputError("%q could be any of these, ask with a Keap id or an address:%s", what, list.String())
	}
	if id, err := strconv.ParseInt(what, 10, 64); err == nil && len(keys) == 0 && id > 0 {
		keys = []string{book.ContactKey(id)} // rows may name a contact that no list of them held
	}
	if len(keys) == 1 {
		if s, err := x.customerHistory(ctx, keys[0]); err != nil || len(found) > 0 || len(s.Timeline) > 0 {
			return s, err
		}
	}
	if s, err := x.liveCustomer(ctx, terms.LowerEmail(what), what); err != nil || s != nil {
		return s, err
	}
	return nil, fmt.Errorf("the book knows no customer %q: give an e-mail address, a name, a Keap contact id, "+
		"uid:ID, event:ID, order:ID, invoice:ID, a click id or an event id", what)
}

// customerOf is the key of a contact's customer.
func (x *Explainer) customerOf(ctx context.Context, contact int64) (key string, err error) {
	known, err := x.Book.ContactsByID(ctx, []int64{contact})
	if err == nil && len(known) == 1 && known[0].Email != "" {
		return known[0].Email, nil
	}
	return book.ContactKey(contact), err
}

// customerHistory tells about the customer with the given key.
func (x *Explainer) customerHistory(ctx context.Context, key string) (*CustomerHistory, error) {
	s := &CustomerHistory{AsOf: x.AsOf, Owner: x.OwnerRule, ContactIDs: []int64{}, Timeline: []TimelineEntry{}}
	r, err := x.Book.Customer(ctx, key)
	if err != nil && !errors.Is(err, book.ErrNoCustomer) {
		return nil, err
	}
	known, err := x.Book.ContactsOf(ctx, key)
	if err != nil {
		return nil, err
	}
	for _, k := range known {
		s.ContactIDs = append(s.ContactIDs, k.ID)
		s.Email, s.Name = k.Email, cmp.Or(s.Name, k.Name)
	}
	contact, isContact := book.ParseContactKey(key)
	if isContact && len(known) == 0 {
		s.ContactIDs = []int64{contact}
	}
	if r.Customer != "" {
		l, _ := newOwnedCustomer(&r, nil, x.Directory)
		s.RefToken, s.PartnerID, s.Rule, s.Self = l.RefToken, l.PartnerID, l.Rule, l.Self
		s.ReferredAt, s.FirstReferred, s.ReferralID = l.ReferredAt, l.FirstReferred, l.ReferralID
	}
	if err := x.explainReferrals(ctx, s, &r); err != nil {
		return nil, err
	}
	if err := x.addSales(ctx, s); err != nil {
		return nil, err
	}
	if !isContact {
		if err := x.addLive(ctx, s, key, ""); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(s.Timeline, func(a, b TimelineEntry) int { return cmp.Compare(a.at, b.at) })
	return s, nil
}

// label is how a person calls the customer.
func (s *CustomerHistory) label() string {
	switch {
	case s.Email != "":
		return s.Email
	case s.UID != "":
		return "customer uid:" + s.UID
	}
	return s.Name
}
