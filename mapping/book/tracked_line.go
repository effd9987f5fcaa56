package book

import "context"

// TrackedLine is an event line as a plan compares it with a row of Keap's.
type TrackedLine struct {
	ID         int64
	Kind       string // KindCommission or KindRefund
	PromoterID int64
	Email      string // of the customer: trimmed, lower case, never empty
	At         int64  // when the event happened, Unix seconds
	Amount     int64  // as it changes the balance
	Currency   string
	ExternalID string // the billing system's; empty: it gave none
}

var trackedLines = table[TrackedLine]{
	name:    "event_line l JOIN customer c ON c.id = l.customer_id JOIN event e ON e.id = l.event_id",
	columns: "l.id, l.kind, l.promoter_id, c.email, l.at, l.amount, l.currency, e.external_id",
	key:     1,
	record:  (*TrackedLine).record,
}

func (l *TrackedLine) record(r *record) {
	r.int(&l.ID)
	r.word(&l.Kind)
	r.int(&l.PromoterID)
	r.word(&l.Email)
	r.int(&l.At)
	r.int(&l.Amount)
	r.word(&l.Currency)
	r.text(&l.ExternalID)
}

// TrackedBetween lists, by id, the commissions and refunds of customers with an e-mail address
// whose events happened from one instant to another, both included. Denied commissions, and
// refunds that were given back, are left out: they do not change the balance.
func (b *Book) TrackedBetween(ctx context.Context, from, to int64) ([]TrackedLine, error) {
	return trackedLines.find(ctx, b, `WHERE l.at BETWEEN ? AND ? AND l.kind IN ('commission', 'refund') AND l.amount != 0 AND c.email != ''
		AND NOT (l.kind = 'refund' AND l.amount > 0)
		AND NOT EXISTS (SELECT 1 FROM event_line d WHERE d.reverses_line_id = l.id AND d.reverses_line_id != 0
			AND (d.kind = 'denied' OR l.kind = 'refund'))
		ORDER BY l.id`, from, to)
}
