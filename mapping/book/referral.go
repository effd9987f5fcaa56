package book

import (
	"context"
	"database/sql"
	"errors"

	"carryover/mapping/terms"
)

// Referral is a customer that was carried over, and the partner that it belongs to.
type Referral struct {
	Customer   string `json:"customer"` // the e-mail key; "contact:<Keap id>" where there is none
	Email      string `json:"email"`
	ContactID  int64  `json:"contact_id"`  // of the row that won, else the lowest of the customer's
	PartnerID  int64  `json:"partner_id"`  // Keap id of the owner; 0: nobody
	ReferralID int64  `json:"referral_id"` // the row that won; 0: none did
	ReferredAt int64  `json:"referred_at"` // DateSet of that row
	FirstAt    int64  `json:"first_at"`    // earliest DateSet of all of the customer's rows
	Source     string `json:"source"`      // of the row that won
	Rule       string `json:"rule"`        // why it won, or why nobody did: a Rule constant of mapping/terms
	Self       bool   `json:"self"`        // the customer is the owner
}

// ReferralRow is one of Keap's referrals, which compete for a customer.
type ReferralRow struct {
	ID        int64  `json:"id"` // Keap's; below 0 where the export gave none: a hash of the row
	ContactID int64  `json:"contact_id"`
	PartnerID int64  `json:"partner_id"`
	SetAt     int64  `json:"set_at"`     // Unix seconds
	ExpiresOn string `json:"expires_on"` // its last day, as 2023-03-31; empty: never
	Type      string `json:"type"`       // COOKIE, MANUAL or PERMANENT
	Source    string `json:"source"`     // usually a link code
	Note      string `json:"note"`
}

// KeapReferrals appends rows as [terms.KeapReferral] values to a list.
func KeapReferrals(to []terms.KeapReferral, rows []ReferralRow) []terms.KeapReferral {
	for i := range rows {
		r := &rows[i]
		to = append(to, terms.KeapReferral{ID: r.ID, SetAt: r.SetAt, ExpiresOn: r.ExpiresOn, Type: r.Type})
	}
	return to
}

var (
	referrals = table[Referral]{
		name:    "referral",
		columns: "customer, email, contact_id, partner_id, referral_id, referred_at, first_at, source, rule, self",
		key:     1,
		owned:   true,
		record:  (*Referral).record,
	}
	referralRows = table[ReferralRow]{
		name:    "referral_row",
		columns: "id, contact_id, partner_id, set_at, expires_on, type, source, note",
		key:     1,
		owned:   true,
		record:  (*ReferralRow).record,
	}
)

func (f *Referral) record(r *record) {
	r.text(&f.Customer)
	r.text(&f.Email)
	r.int(&f.ContactID)
	r.int(&f.PartnerID)
	r.int(&f.ReferralID)
	r.int(&f.ReferredAt)
	r.int(&f.FirstAt)
	r.word(&f.Source)
	r.word(&f.Rule)
	r.bool(&f.Self)
}

func (f *ReferralRow) record(r *record) {
	r.int(&f.ID)
	r.int(&f.ContactID)
	r.int(&f.PartnerID)
	r.int(&f.SetAt)
	r.word(&f.ExpiresOn)
	r.word(&f.Type)
	r.word(&f.Source)
	r.word(&f.Note)
}

// ErrNoCustomer says that the book has no customer with a key.
var ErrNoCustomer = errors.New("there is no such customer")

// Customers gives fn every customer that was carried over, in the order of keys, until fn fails.
func (b *Book) Customers(ctx context.Context, fn func(Referral) error) error {
	return b.view(ctx, func(tx *sql.Tx) error {
		return referrals.each(ctx, tx, "ORDER BY customer", nil, fn)
	})
}

// Customer returns the customer with the given key, an e-mail address as the book writes
// it or contact:<Keap id>; [ErrNoCustomer] when there is none.
func (b *Book) Customer(ctx context.Context, key string) (Referral, error) {
	return referrals.one(ctx, b, key, ErrNoCustomer)
}

// ReferralRowsOf lists Keap's referrals of the given contacts, in the order in which they were
// set.
func (b *Book) ReferralRowsOf(ctx context.Context, ids []int64) ([]ReferralRow, error) {
	return referralRows.find(ctx, b, "WHERE contact_id IN "+anyOf+" ORDER BY set_at, id", idList(ids))
}
