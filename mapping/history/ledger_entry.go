package history

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// LedgerEntry is an entry of the ledger, with names for its ids.
type LedgerEntry struct {
	EventID     string `json:"event_id"`
	Kind        string `json:"kind"`
	RefToken    string `json:"ref_token"`       // empty: of the program's own partner
	PartnerID   int64  `json:"keap_partner_id"` // 0: the promoter joined here
	At          string `json:"at"`              // in the program's zone
	Month       string `json:"month"`           // of earning: 2023-03
	Amount      int64  `json:"amount_cents"`    // what it does to the balance
	Currency    string `json:"currency"`
	Invoice     string `json:"invoice"`
	Product     string `json:"product"`
	Description string `json:"description"`
	Email       string `json:"customer_email"`
	Name        string `json:"customer_name"`
	ContactID   int64  `json:"keap_contact_id"`
	Seller      string `json:"seller_ref_token"`
	Level       int    `json:"level"` // 2: another partner made the sale
	Type        string `json:"type"`  // of a payment
	SourceFile  string `json:"source_file"`
	SourceLine  int64  `json:"source_line"`
	Run         int64  `json:"run"`
}

// lookupSize is for how many entries customers are looked up at once.
const lookupSize = 1000

// EachLedgerEntry gives fn the entries of earners (nil: of all) that are wanted, of each in
// the order of time. An error of fn ends it.
func (x *Explainer) EachLedgerEntry(
	ctx context.Context, earners []book.Earner, wanted func(*book.Entry) bool, fn func(*LedgerEntry) error,
) error {
	waiting := make([]book.Entry, 0, lookupSize)
	flush := func() error {
		lines, err := x.LedgerEntries(ctx, waiting)
		waiting = waiting[:0]
		for i := range lines {
			if err := fn(&lines[i]); err != nil {
				return err
			}
		}
		return err
	}
	err := x.Book.Ledger(ctx, earners, func(e book.Entry) error {
		if !wanted(&e) {
			return nil
		}
		if waiting = append(waiting, e); len(waiting) < lookupSize {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// LedgerEntries are entries with the customers whom they name.
func (x *Explainer) LedgerEntries(ctx context.Context, entries []book.Entry) ([]LedgerEntry, error) {
	named := map[int64]book.Contact{}
	for i := range entries {
		if id := entries[i].ContactID; id != 0 {
			named[id] = book.Contact{}
		}
	}
	if len(named) > 0 {
		contacts, err := x.Book.ContactsByID(ctx, slices.Sorted(maps.Keys(named)))
		if err != nil {
			return nil, err
		}
		for _, k := range contacts {
			named[k.ID] = k
		}
	}
	live, err := x.liveCustomers(ctx, entries)
	if err != nil {
		return nil, err
	}
	lines := make([]LedgerEntry, len(entries))
	for i := range entries {
		e := &entries[i]
		k := named[e.ContactID]
		if e.CustomerID != 0 {
			k = live[e.CustomerID]
		}
		owner, partner := x.Directory.ByEarner(e.Earner), e.PartnerID
		if e.PromoterID != 0 {
			partner = owner.KeapID()
		}
		lines[i] = LedgerEntry{
			EventID: e.ID, Kind: e.Kind, RefToken: owner.Token(), PartnerID: max(0, partner),
			At: terms.FormatTime(e.At, x.Zone), Month: terms.Month(e.Month).String(), Amount: e.Amount, Currency: e.Currency,
			Invoice: e.Invoice, Product: e.Product, Description: e.Description, Email: k.Email, Name: k.Name, ContactID: e.ContactID,
			Seller: x.Directory.ByPartner(e.SellerID).Token(), Level: e.Level(), Type: e.Type,
			SourceFile: e.Source, SourceLine: e.Line, Run: e.ImportID,
		}
	}
	return lines, nil
}

// liveCustomers are the customers whom entries that were booked live name, as contacts: by
// e-mail, or by the billing system's id where that is all it reported.
func (x *Explainer) liveCustomers(ctx context.Context, entries []book.Entry) (map[int64]book.Contact, error) {
	named := map[int64]book.Contact{}
	for i := range entries {
		if id := entries[i].CustomerID; id != 0 {
			named[id] = book.Contact{}
		}
	}
	if len(named) == 0 {
		return nil, nil
	}
	customers, err := x.Book.CustomersByID(ctx, slices.Sorted(maps.Keys(named)))
	for _, k := range customers {
		named[k.ID] = book.Contact{Email: k.Email}
		if k.Email == "" {
			named[k.ID] = book.Contact{Name: k.UID}
		}
	}
	return named, err
}

// Label says what the entry is, for people.
func (l *LedgerEntry) Label() string {
	switch {
	case l.Level == 2 && l.Seller != "":
		return l.Kind + ", sold by " + l.Seller
	case l.Level == 2:
		return l.Kind + ", second level"
	case l.Type != "":
		return l.Kind + ", " + l.Type
	}
	return l.Kind
}

// Purpose says what the entry was for.
func (l *LedgerEntry) Purpose() string { return cmp.Or(l.Product, l.Description) }
