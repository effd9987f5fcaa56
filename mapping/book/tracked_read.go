package book

import (
	"context"
	"database/sql"
)

// TrackedLine is a line of what was tracked as a plan compares it with a row of Keap's:
// whose customer it is about, and by what the billing system knows it.
type TrackedLine struct {
	ID         int64
	Kind       string // KindCommission or KindRefund
	PromoterID int64
	Email      string // of the customer: trimmed, lower case, never empty
	At         int64  // when the event happened, Unix seconds
	Amount     int64  // what it does to the balance
	Currency   string
	EventID    string // the billing system's; empty: it gave none
}

var trackedLines = table[TrackedLine]{
	"event_line l JOIN customer c ON c.id = l.customer_id JOIN event e ON e.id = l.event_id",
	"l.id, l.kind, l.promoter_id, c.email, l.at, l.amount, l.currency, e.external_id", 1, false, (*TrackedLine).record,
}

func (l *TrackedLine) record(r *record) {
	r.int(&l.ID)
	r.word(&l.Kind)
	r.int(&l.PromoterID)
	r.word(&l.Email)
	r.int(&l.At)
	r.int(&l.Amount)
	r.word(&l.Currency)
	r.text(&l.EventID)
}

// HasTracked reports whether any event did something to a balance.
func (b *Book) HasTracked(ctx context.Context) (yes bool, err error) {
	err = b.view(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM event_line)`).Scan(&yes)
	})
	return yes, err
}

// TrackedBetween lists the commissions and refunds, of customers with an e-mail address,
// of events that happened from one instant to another, both included, by id. Commissions
// that a person denied are left out: they do nothing to a balance.
func (b *Book) TrackedBetween(ctx context.Context, from, to int64) ([]TrackedLine, error) {
	return trackedLines.find(ctx, b, `WHERE l.at BETWEEN ? AND ? AND l.kind IN ('commission', 'refund') AND l.amount != 0 AND c.email != ''
		AND NOT EXISTS (SELECT 1 FROM event_line d WHERE d.reverses_line_id = l.id AND d.reverses_line_id != 0 AND d.kind = 'denied') ORDER BY l.id`, from, to)
}

// BoundByEmail lists the customers with an e-mail address who are bound to a promoter for
// life, whatever a run carries over, by id.
func (b *Book) BoundByEmail(ctx context.Context) ([]Customer, error) {
	return customers.find(ctx, b, "WHERE promoter_id != 0 AND email != '' ORDER BY id")
}
