package book

import (
	"context"
	"errors"
)

// Sale is an order at Keap.
type Sale struct {
	ID        int64  `json:"id"` // Keap's order id
	ContactID int64  `json:"contact_id"`
	OrderedAt int64  `json:"ordered_at"`
	Total     int64  `json:"total"` // minor units
	Currency  string `json:"currency"`
	Products  string `json:"products"`  // names, as exported: several with ";" between
	SellerID  int64  `json:"seller_id"` // Keap id of the partner who made the sale; 0: none
	LeadID    int64  `json:"lead_id"`   // and of the one who brought the lead
	Type      string `json:"type"`
}

// Subscription is a product at Keap that is billed again and again.
type Subscription struct {
	ID        int64  `json:"id"` // Keap's; below 0 where the export gave none: a hash of the row
	ContactID int64  `json:"contact_id"`
	Product   string `json:"product"`
	PlanID    string `json:"plan_id"`
	Amount    int64  `json:"amount"`
	Currency  string `json:"currency"`
	SellerID  int64  `json:"seller_id"`
	LeadID    int64  `json:"lead_id"`
	Active    bool   `json:"active"`
	StartedAt int64  `json:"started_at"` // 0: not known
	EndedAt   int64  `json:"ended_at"`
}

var (
	sales = table[Sale]{
		name:    "sale",
		columns: "id, contact_id, ordered_at, total, currency, products, seller_id, lead_id, type",
		key:     1,
		owned:   true,
		record:  (*Sale).record,
	}
	subscriptions = table[Subscription]{
		name:    "subscription",
		columns: "id, contact_id, product, plan_id, amount, currency, seller_id, lead_id, active, started_at, ended_at",
		key:     1,
		owned:   true,
		record:  (*Subscription).record,
	}
)

func (s *Sale) record(r *record) {
	r.int(&s.ID)
	r.int(&s.ContactID)
	r.int(&s.OrderedAt)
	r.int(&s.Total)
	r.word(&s.Currency)
	r.word(&s.Products)
	r.int(&s.SellerID)
	r.int(&s.LeadID)
	r.word(&s.Type)
}

func (s *Subscription) record(r *record) {
	r.int(&s.ID)
	r.int(&s.ContactID)
	r.word(&s.Product)
	r.word(&s.PlanID)
	r.int(&s.Amount)
	r.word(&s.Currency)
	r.int(&s.SellerID)
	r.int(&s.LeadID)
	r.bool(&s.Active)
	r.int(&s.StartedAt)
	r.int(&s.EndedAt)
}

// ErrNoSale says that the book has no such order.
var ErrNoSale = errors.New("there is no such order")

// Sale returns the order with the given Keap id; [ErrNoSale] when there is none.
func (b *Book) Sale(ctx context.Context, id int64) (Sale, error) {
	return sales.one(ctx, b, id, ErrNoSale)
}

// SalesOf lists the orders of the given contacts, in the order of their dates.
func (b *Book) SalesOf(ctx context.Context, ids []int64) ([]Sale, error) {
	return sales.find(ctx, b, "WHERE contact_id IN "+anyOf+" ORDER BY ordered_at, id", idList(ids))
}

// SubscriptionsOf lists the subscriptions of the given contacts, in the order of their
// beginnings.
func (b *Book) SubscriptionsOf(ctx context.Context, ids []int64) ([]Subscription, error) {
	return subscriptions.find(ctx, b, "WHERE contact_id IN "+anyOf+" ORDER BY started_at, id", idList(ids))
}
