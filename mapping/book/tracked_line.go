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
	name: "event_line l JOIN customer c ON c.id = l.customer_id JOIN event e ON e.id = l.event_id",
	columns: "l.id, l.kind, l.promoter_id, c.email, l.at, " +
		"CASE l.kind WHEN 'refund' THEN " + netRefund + " ELSE l.amount END, l.currency, e.external_id",
	key:    1,
	record: (*TrackedLine).record,
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

// netRefund is what a refund has taken back in the end from the same commission as its line l.
const netRefund = `(SELECT sum(n.amount) FROM event_line n
	WHERE n.event_id = l.event_id AND n.kind = 'refund' AND n.reverses_line_id = l.reverses_line_id)`

// TrackedBetween lists, by id, the commissions and refunds of customers with an e-mail address
// whose events happened from one instant to another, both included. Denied commissions, and
// refunds that were given back, are left out: they do not change the balance. What a refund takes
// back from one commission is one line, also where it was booked in several.
func (b *Book) TrackedBetween(ctx context.Context, from, to int64) ([]TrackedLine, error) {
	return trackedLines.find(ctx, b, `WHERE l.at BETWEEN ? AND ? AND c.email != ''
		AND (l.kind = 'commission' AND l.amount != 0
				AND NOT EXISTS (SELECT 1 FROM event_line d WHERE d.reverses_line_id = l.id AND d.reverses_line_id != 0 AND d.kind = 'denied')
			OR l.kind = 'refund' AND `+netRefund+` != 0
				AND NOT EXISTS (SELECT 1 FROM event_line f WHERE f.event_id = l.event_id AND f.kind = 'refund'
					AND f.reverses_line_id = l.reverses_line_id AND f.id < l.id))
		ORDER BY l.id`, from, to)
}
