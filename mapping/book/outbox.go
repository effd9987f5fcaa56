package book

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// Forward is an event in the outbox, on its way to FirstPromoter. Of one customer's waiting
// events only the earliest is sent.
type Forward struct {
	EventID    int64 // event.id
	CustomerID int64
	State      string // one of the Forward constants
	Tries      int64
	NextAt     int64  // it is not sent before, Unix seconds
	Body       string // JSON as it is sent
	Status     int64  // HTTP status of the last answer; 0: none
	Answer     string // what was wrong at the last try
	DoneAt     int64
	Kind       string // of the event
	ExternalID string // the billing system's
	ReceivedAt int64  // when the event was received
}

// Values of [Forward.State].
const (
	ForwardWaiting     = "waiting"
	ForwardSent        = "sent"
	ForwardAlready     = "already"      // FirstPromoter has it already
	ForwardNotReferred = "not_referred" // the customer has no promoter there
	ForwardRefused     = "refused"      // FirstPromoter does not accept it: a person must look
)

// ForwardStates lists the states.
func ForwardStates() []string {
	return []string{ForwardWaiting, ForwardRefused, ForwardNotReferred, ForwardAlready, ForwardSent}
}

var forwards = table[Forward]{
	name: "outbox o JOIN event e ON e.id = o.event_id",
	columns: "o.event_id, o.customer_id, o.state, o.tries, o.next_at, o.body, o.status, o.answer, o.done_at, " +
		"e.kind, e.external_id, e.received_at",
	key:    1,
	record: (*Forward).record,
}

func (f *Forward) record(r *record) {
	r.int(&f.EventID)
	r.int(&f.CustomerID)
	r.word(&f.State)
	r.int(&f.Tries)
	r.int(&f.NextAt)
	r.text(&f.Body)
	r.int(&f.Status)
	r.word(&f.Answer)
	r.int(&f.DoneAt)
	r.word(&f.Kind)
	r.text(&f.ExternalID)
	r.int(&f.ReceivedAt)
}

// DueForwards lists at most limit events that may be sent at an instant, each the earliest
// waiting one of its customer, those that are due longest first.
func (b *Book) DueForwards(ctx context.Context, now int64, limit int) ([]Forward, error) {
	return forwards.find(ctx, b, `WHERE o.state = 'waiting' AND o.next_at <= ? AND NOT EXISTS
		(SELECT 1 FROM outbox p WHERE p.customer_id = o.customer_id AND p.state = 'waiting' AND p.event_id < o.event_id)
		ORDER BY o.next_at, o.event_id LIMIT ?`, now, limit)
}

// FinishForward moves a waiting event to its last state, with the answer to it.
func (b *Book) FinishForward(ctx context.Context, event int64, state string, status int, answer string, at int64) error {
	return b.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE outbox SET state = ?, tries = tries + 1, status = ?, answer = ?, done_at = ?
			WHERE event_id = ? AND state = 'waiting'`,
			state, status, answer, at, event)
		return err
	})
}

// PostponeForward postpones a waiting event and, because they wait for it, its customer's other
// waiting events.
func (b *Book) PostponeForward(ctx context.Context, f *Forward, nextAt int64, status int, answer string) error {
	return b.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`UPDATE outbox SET tries = tries + 1, status = ?, answer = ? WHERE event_id = ? AND state = 'waiting'`,
			status, answer, f.EventID); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE outbox SET next_at = max(next_at, ?) WHERE customer_id = ? AND state = 'waiting'`, nextAt, f.CustomerID)
		return err
	})
}

// Forwards gives fn the events in a state (empty: in any), the earliest first, until fn fails.
func (b *Book) Forwards(ctx context.Context, state string, fn func(Forward) error) error {
	return b.view(ctx, func(tx *sql.Tx) error {
		return forwards.each(ctx, tx, `WHERE ? IN ('', o.state) ORDER BY o.event_id`, []any{state}, fn)
	})
}

// ForwardCount is how many events are in a state.
type ForwardCount struct {
	State  string
	Count  int64
	Oldest int64 // when the earliest of them was received, Unix seconds
}

// ForwardCounts counts the outbox by state. States without events are left out.
func (b *Book) ForwardCounts(ctx context.Context) (list []ForwardCount, err error) {
	err = b.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT state, n, (SELECT received_at FROM event WHERE id = first)
			FROM (SELECT state, count(*) AS n, min(event_id) AS first FROM outbox GROUP BY state)`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c ForwardCount
			if err := rows.Scan(&c.State, &c.Count, &c.Oldest); err != nil {
				return err
			}
			list = append(list, c)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("counting the outbox: %w", err)
	}
	return list, nil
}

// WaitingForwards returns how many events wait, and when the earliest of them was received
// (Unix seconds; 0: none waits). It is quick however large the outbox is.
func (b *Book) WaitingForwards(ctx context.Context) (count, oldest int64, err error) {
	err = b.r.QueryRowContext(ctx, `SELECT n, coalesce((SELECT received_at FROM event WHERE id = first), 0)
		FROM (SELECT count(*) AS n, min(event_id) AS first FROM outbox WHERE state = 'waiting')`).Scan(&count, &oldest)
	if err != nil {
		return 0, 0, fmt.Errorf("counting the outbox: %w", err)
	}
	return count, oldest, nil
}

// RetryForwards makes refused and not referred events wait again: those with the given ids,
// and all in the given states. They are sent unchanged, after earlier waiting events of their
// customers. It returns how many there are.
func (b *Book) RetryForwards(ctx context.Context, ids []int64, states []string, at int64) (n int64, err error) {
	text, err := json.Marshal(append([]string{}, states...))
	if err != nil {
		return 0, err
	}
	err = b.update(ctx, func(tx *sql.Tx) error {
		done, err := tx.Exec(`UPDATE outbox SET state = 'waiting', tries = 0, next_at = ?, done_at = 0
			WHERE state IN ('refused', 'not_referred') AND (event_id IN `+anyOf+` OR state IN `+anyOf+`)`, at, idList(ids), string(text))
		if err != nil {
			return err
		}
		n, err = done.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("putting events back: %w", err)
	}
	return n, nil
}

// ForwardsByID lists the events in the outbox with the given ids.
func (b *Book) ForwardsByID(ctx context.Context, ids []int64) ([]Forward, error) {
	return forwards.find(ctx, b, "WHERE o.event_id IN "+anyOf+" ORDER BY o.event_id", idList(ids))
}

// LastForwardAnswer returns what was wrong with the event of a state that was tried last;
// empty: nothing.
func (b *Book) LastForwardAnswer(ctx context.Context, state string) (answer string, err error) {
	err = b.r.QueryRowContext(ctx, `SELECT coalesce((SELECT answer FROM outbox WHERE state = ? AND answer != ''
		ORDER BY max(next_at, done_at) DESC, event_id DESC LIMIT 1), '')`, state).Scan(&answer)
	if err != nil {
		return "", fmt.Errorf("reading the outbox: %w", err)
	}
	return answer, nil
}
