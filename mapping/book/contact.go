package book

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"carryover/mapping/terms"
)

// Contact is a person in Keap to whom referrals, orders and commissions belong.
type Contact struct {
	ID    int64  `json:"id"`    // Keap's
	Email string `json:"email"` // trimmed, lower case; empty when there is no usable one
	Name  string `json:"name"`
}

var contacts = table[Contact]{
	name:    "contact",
	columns: "id, email, name",
	key:     1,
	owned:   true,
	record:  (*Contact).record,
}

func (c *Contact) record(r *record) {
	r.int(&c.ID)
	r.text(&c.Email)
	r.text(&c.Name)
}

// ContactsByID lists the contacts with the given Keap ids, by id. Unknown ones are left out.
func (b *Book) ContactsByID(ctx context.Context, ids []int64) ([]Contact, error) {
	return contacts.find(ctx, b, "WHERE id IN "+anyOf+" ORDER BY id", idList(ids))
}

// contactKeyPrefix begins the key of a customer without an e-mail address, before the Keap id of
// its contact.
const contactKeyPrefix = "contact:"

// ContactKey is the key of a customer without an e-mail address: of one contact.
func ContactKey(id int64) string { return contactKeyPrefix + strconv.FormatInt(id, 10) }

// ParseContactKey reads what [ContactKey] gives; ok is false for any other key.
func ParseContactKey(key string) (id int64, ok bool) {
	digits, ok := strings.CutPrefix(key, contactKeyPrefix)
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, ok && err == nil
}

// ContactsOf lists the contacts that are the customer with the given key, by id.
func (b *Book) ContactsOf(ctx context.Context, customer string) ([]Contact, error) {
	if id, ok := ParseContactKey(customer); ok {
		return contacts.find(ctx, b, "WHERE id = ?", id)
	}
	if customer == "" { // contacts without an address are different customers
		return nil, nil
	}
	return contacts.find(ctx, b, "WHERE email = ? ORDER BY id", customer)
}

// maxFoundContacts is the most contacts that a search lists.
const maxFoundContacts = 50

// FindContacts lists the contacts that a person means: digits are a Keap id, a text with an @ is
// an e-mail address, anything else a name in any case. Contacts with exactly that name are
// listed alone; without one, those whose names contain all of its words. At most 50, by id.
func (b *Book) FindContacts(ctx context.Context, text string) ([]Contact, error) {
	text = strings.TrimSpace(text)
	words := strings.Fields(strings.ToLower(text))
	switch {
	case len(words) == 0:
		return nil, nil
	case strings.Trim(text, "0123456789") == "":
		return contacts.find(ctx, b, "WHERE id = ?", text)
	case strings.Contains(text, "@"):
		return contacts.find(ctx, b, "WHERE email = ? ORDER BY id LIMIT ?", terms.LowerEmail(text), maxFoundContacts)
	}
	var exact, partial []Contact
	err := b.view(ctx, func(tx *sql.Tx) error {
		return contacts.each(ctx, tx, "ORDER BY id", nil, func(c Contact) error {
			name := strings.ToLower(c.Name)
			switch {
			case name == strings.Join(words, " "):
				exact = append(exact, c)
			case len(partial) < maxFoundContacts && containsAll(name, words):
				partial = append(partial, c)
			}
			return nil
		})
	})
	if len(exact) > 0 {
		return exact[:min(len(exact), maxFoundContacts)], err
	}
	return partial, err
}

func containsAll(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}
