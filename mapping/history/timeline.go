package history

import (
	"cmp"
	"context"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// TimelineEntry is one thing that happened to a customer.
type TimelineEntry struct {
	at      int64
	When    string `json:"-"` // At for people: 2023-03-31 09:05
	Owner   string `json:"-"` // what people call whose it is
	Details string `json:"-"` // the rest of it, for people

	At        string `json:"at"`   // in the program's zone; empty: not known
	Kind      string `json:"kind"` // referral, order, subscription, or the kind of an entry
	KeapID    int64  `json:"keap_id,omitempty"`
	RefToken  string `json:"ref_token"`
	PartnerID int64  `json:"keap_partner_id"`
	// Of a referral: won, house, lost: earlier, lost: later, lost: type, lost: lower id, expired,
	// or set after as_of.
	Outcome string `json:"outcome,omitempty"`

	Type       string `json:"type,omitempty"`
	Source     string `json:"source,omitempty"`
	ExpiresOn  string `json:"expires_on,omitempty"` // its last day
	Amount     *int64 `json:"amount_cents,omitempty"`
	Currency   string `json:"currency,omitempty"`
	Product    string `json:"product,omitempty"`
	Invoice    string `json:"invoice,omitempty"`
	Level      int    `json:"level,omitempty"`
	EventID    string `json:"event_id,omitempty"`
	SourceFile string `json:"source_file,omitempty"`
	SourceLine int64  `json:"source_line,omitempty"`
}

// timelineEntry is something of a kind that happened at an instant, and whose it is.
func (x *Explainer) timelineEntry(at int64, kind string, by book.Earner) TimelineEntry {
	owner, partner := x.Directory.ByEarner(by), by.PartnerID
	if by.PromoterID != 0 && owner.Promoter != nil {
		partner = owner.Promoter.KeapID
	}
	when := ""
	if at != 0 {
		when = x.minute(at)
	}
	return TimelineEntry{
		at: at, When: when, Owner: x.Directory.Name(by), At: terms.FormatTime(at, x.Zone), Kind: kind,
		RefToken: owner.Token(), PartnerID: partner,
	}
}

// addSales puts orders, subscriptions and the ledger's entries on the timeline.
func (x *Explainer) addSales(ctx context.Context, s *CustomerHistory) error {
	sales, err := x.Book.SalesOf(ctx, s.ContactIDs)
	if err != nil {
		return err
	}
	subscriptions, err := x.Book.SubscriptionsOf(ctx, s.ContactIDs)
	if err != nil {
		return err
	}
	entries, err := x.Book.EntriesOf(ctx, s.ContactIDs)
	if err != nil {
		return err
	}
	for i := range sales {
		o := &sales[i]
		m := x.timelineEntry(o.OrderedAt, "order", book.Earner{PartnerID: o.SellerID})
		m.KeapID, m.Amount, m.Currency, m.Product, m.Details = o.ID, &o.Total, o.Currency, o.Products, o.Products
		if o.LeadID != 0 && o.LeadID != o.SellerID {
			m.Details += ", lead by " + x.name(o.LeadID)
		}
		s.Timeline = append(s.Timeline, m)
	}
	for i := range subscriptions {
		u := &subscriptions[i]
		m := x.timelineEntry(u.StartedAt, "subscription", book.Earner{PartnerID: u.SellerID})
		m.KeapID, m.Amount, m.Currency, m.Product, m.Outcome = max(0, u.ID), &u.Amount, u.Currency, u.Product, "active"
		m.Details = u.Product
		if !u.Active {
			m.Outcome = "inactive"
		}
		if u.EndedAt != 0 {
			m.Details += ", ends " + x.day(u.EndedAt)
		}
		s.Timeline = append(s.Timeline, m)
	}
	for i := range entries {
		e := &entries[i]
		m := x.timelineEntry(e.At, e.Kind, e.Earner)
		m.Amount, m.Currency, m.Product, m.Invoice, m.Level = &e.Amount, e.Currency, e.Product, e.Invoice, e.Level()
		m.EventID, m.SourceFile, m.SourceLine = e.ID, e.Source, e.Line
		m.Details = cmp.Or(e.Product, e.Description)
		if e.Invoice != "" {
			m.Details += ", invoice " + e.Invoice
		}
		if m.Level == 2 {
			m.Details += ", second level: sold by " + x.name(e.SellerID)
		}
		m.Details += ", " + m.EventID
		s.Timeline = append(s.Timeline, m)
	}
	return nil
}
