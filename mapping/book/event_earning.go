package book

import (
	"context"
	"database/sql"
	"encoding/json"
)

// EventEarning is what one event earned one promoter, and its state in the outbox.
type EventEarning struct {
	EventID    int64 // event.id
	Kind       string
	ExternalID string // the billing system's; empty: it gave none
	At         int64  // of the event
	PromoterID int64
	Currency   string
	Amount     int64  // of all its lines, minor units
	Denied     int64  // the part that a person denied, 0 or less
	State      string // in the outbox; empty: it never was there
	DoneAt     int64
}

var eventEarnings = table[EventEarning]{
	name: "event e JOIN event_line l ON l.event_id = e.id LEFT JOIN outbox o ON o.event_id = e.id",
	columns: "e.id, e.kind, e.external_id, e.at, l.promoter_id, l.currency, sum(l.amount), " +
		"sum(CASE l.kind WHEN 'denied' THEN l.amount ELSE 0 END), coalesce(o.state,''), coalesce(o.done_at,0)",
	key:    1,
	record: (*EventEarning).record,
}

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

// EventEarnings lists what the events of from <= at < to (Unix seconds) earned, by promoter, in
// the order of the events.
func (b *Book) EventEarnings(ctx context.Context, from, to int64) ([]EventEarning, error) {
	return eventEarnings.find(ctx, b, `WHERE e.at >= ? AND e.at < ?
		GROUP BY e.id, l.promoter_id, l.currency ORDER BY e.id, l.promoter_id`, from, to)
}

// EventsByExternalIDs lists the sales and refunds with the given ids of the billing system's.
func (b *Book) EventsByExternalIDs(ctx context.Context, ids []string) (list []Event, err error) {
	const idsPerQuery = 1000
	err = b.view(ctx, func(tx *sql.Tx) error {
		for len(ids) > 0 {
			n := min(len(ids), idsPerQuery)
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
