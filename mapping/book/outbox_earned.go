package book

import (
	"context"
	"database/sql"
	"encoding/json"
)

// EventEarning is what one event did to one promoter's balance, and how it fared on its way to
// FirstPromoter.
type EventEarning struct {
	EventID    int64 // event.id
	Kind       string
	ExternalID string // the billing system's; empty: it gave none
	At         int64  // of the event
	PromoterID int64
	Currency   string
	Amount     int64  // of all its lines, minor units
	Denied     int64  // of them what a person took back, 0 or less
	State      string // of the outbox; empty: it was never on its way
	DoneAt     int64
}

var eventEarnings = table[EventEarning]{`event e JOIN event_line l ON l.event_id = e.id LEFT JOIN outbox o ON o.event_id = e.id`,
	`e.id, e.kind, e.external_id, e.at, l.promoter_id, l.currency, sum(l.amount), sum(CASE l.kind WHEN 'denied' THEN l.amount ELSE 0 END), coalesce(o.state,''), coalesce(o.done_at,0)`,
	1, false, (*EventEarning).record}

func (e *EventEarning) record(r *record) {
	r.int(&e.EventID)
	r.word(&e.Kind)
	r.text(&e.ExternalID)
	r.int(&e.At)
	r.int(&e.PromoterID)
	r.word(&e.Currency)
	r.int(&e.Amount)
	r.int(&e.Denied)
	r.word(&e.State)
	r.int(&e.DoneAt)
}

// EventEarnings lists what the events that happened in from <= at < to (Unix seconds) did, by
// promoter, in the order of the events.
func (b *Book) EventEarnings(ctx context.Context, from, to int64) ([]EventEarning, error) {
	return eventEarnings.find(ctx, b, `WHERE e.at >= ? AND e.at < ? GROUP BY e.id, l.promoter_id, l.currency ORDER BY e.id, l.promoter_id`, from, to)
}

// EventsByExternalIDs lists the sales and refunds that the billing system gave one of the ids.
func (b *Book) EventsByExternalIDs(ctx context.Context, ids []string) (list []Event, err error) {
	const together = 1000
	err = b.view(ctx, func(tx *sql.Tx) error {
		for len(ids) > 0 {
			n := min(len(ids), together)
			text, err := json.Marshal(ids[:n])
			if err != nil {
				return err
			}
			some, err := events.some(ctx, tx, `WHERE kind IN ('sale', 'refund') AND external_id IN `+anyOf+` AND external_id != ''`, string(text))
			if err != nil {
				return err
			}
			list, ids = append(list, some...), ids[n:]
		}
		return nil
	})
	return list, err
}
