package book

import (
	"carryover/mapping/terms"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Contact is a person whom a referral, an order or a commission names.
type Contact struct {
	ID    int64  `json:"id"`    // Keap's
	Email string `json:"email"` // trimmed, lower case; empty when there is no usable one
	Name  string `json:"name"`
}

// Referral is a customer and the promoter that it belongs to.
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
	Self       bool   `json:"self"`        // the buyer is the owner himself
}

// ReferralRow is one referral row of Keap's: what competed for a customer.
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

// KeapReferrals appends rows as attribution sees them.
func KeapReferrals(to []terms.KeapReferral, rows []ReferralRow) []terms.KeapReferral {
	for i := range rows {
		r := &rows[i]
		to = append(to, terms.KeapReferral{ID: r.ID, SetAt: r.SetAt, ExpiresOn: r.ExpiresOn, Type: r.Type})
	}
	return to
}

var (
	contacts     = table[Contact]{"contact", "id, email, name", 1, true, (*Contact).record}
	referrals    = table[Referral]{"referral", "customer, email, contact_id, partner_id, referral_id, referred_at, first_at, source, rule, self", 1, true, (*Referral).record}
	referralRows = table[ReferralRow]{"referral_row", "id, contact_id, partner_id, set_at, expires_on, type, source, note", 1, true, (*ReferralRow).record}
)

func (c *Contact) record(r *record) {
	r.int(&c.ID)
	r.text(&c.Email)
	r.text(&c.Name)
}

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

// ErrNoCustomer says that the book does not know a customer.
var ErrNoCustomer = errors.New("there is no such customer")

// Customers gives fn every customer, in the order of their keys. An error of fn ends it.
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

// contactKey begins the key of a customer without an e-mail address; the contact's Keap
// id follows.
const contactKey = "contact:"

// ContactKey is the key of a customer without an e-mail address: of one contact.
func ContactKey(id int64) string { return contactKey + strconv.FormatInt(id, 10) }

// ParseContactKey reads what [ContactKey] gives; ok is false for any other key.
func ParseContactKey(key string) (id int64, ok bool) {
	digits, ok := strings.CutPrefix(key, contactKey)
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, ok && err == nil
}

// ContactsOf lists the contacts that are the customer with the given key, by id.
func (b *Book) ContactsOf(ctx context.Context, customer string) ([]Contact, error) {
	if id, ok := ParseContactKey(customer); ok {
		return contacts.find(ctx, b, "WHERE id = ?", id)
	}
	if customer == "" { // contacts without an address are no one customer
		return nil, nil
	}
	return contacts.find(ctx, b, "WHERE email = ? ORDER BY id", customer)
}

// maxFoundContacts is the most contacts that a search lists.
const maxFoundContacts = 50

// FindContacts lists the contacts that a person means: digits are a Keap id, a text with
// an @ is an e-mail address, anything else a name in any case. Names that are the text
// come alone; without one, those that hold all of its words. At most 50, by id.
func (b *Book) FindContacts(ctx context.Context, text string) ([]Contact, error) {
	text = strings.TrimSpace(text)
	words := strings.Fields(strings.ToLower(text))
	switch {
	case len(words) == 0:
		return nil, nil
	case strings.Trim(text, "0123456789") == "":
		return contacts.find(ctx, b, "WHERE id = ?", text)
	case strings.Contains(text, "@"):
		return contacts.find(ctx, b, "WHERE email = ? ORDER BY id LIMIT ?", strings.ToLower(text), maxFoundContacts)
	}
	var exact, holding []Contact
	err := b.view(ctx, func(tx *sql.Tx) error {
		return contacts.each(ctx, tx, "ORDER BY id", nil, func(c Contact) error {
			name := strings.ToLower(c.Name)
			switch {
			case name == strings.Join(words, " "):
				exact = append(exact, c)
			case len(holding) < maxFoundContacts && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(name, w) }):
				holding = append(holding, c)
			}
			return nil
		})
	})
	if len(exact) > 0 {
		return exact[:min(len(exact), maxFoundContacts)], err
	}
	return holding, err
}

// ReferralRowsOf lists what competed for the given contacts, in the order in which it
// was set.
func (b *Book) ReferralRowsOf(ctx context.Context, ids []int64) ([]ReferralRow, error) {
	return referralRows.find(ctx, b, "WHERE contact_id IN "+anyOf+" ORDER BY set_at, id", idList(ids))
}
