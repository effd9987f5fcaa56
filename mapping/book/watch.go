package book

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"sort"
	"time"
)

// CommissionsAfter lists at most limit lines that earned something, by id, after a given id.
func (b *Book) CommissionsAfter(ctx context.Context, id int64, limit int) ([]EventLine, error) {
	return eventLines.find(ctx, b, "WHERE id > ? AND kind = ? AND amount > 0 ORDER BY id LIMIT ?", id, KindCommission, limit)
}

// LineBefore returns the id before the first line that was booked at an instant or later.
func (b *Book) LineBefore(ctx context.Context, at time.Time) (id int64, err error) {
	if id, err = b.eventsBefore(ctx, at); err == nil {
		// The first of the few lines since, not the last of the many before, among which are
		// late ones of old events.
		err = b.r.QueryRowContext(ctx, `SELECT coalesce(
			(SELECT min(id) FROM event_line INDEXED BY event_line_event WHERE event_id > ?) - 1,
			(SELECT max(id) FROM event_line), 0)`, id).Scan(&id)
	}
	return id, err
}

// eventsBefore is the id of the last event that was received before an instant. Ids ascend with
// the time of receipt, so a binary search finds it among millions.
func (b *Book) eventsBefore(ctx context.Context, at time.Time) (int64, error) {
	var last int64
	if err := b.r.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM event`).Scan(&last); err != nil {
		return 0, err
	}
	var failed error
	n := sort.Search(int(last), func(i int) bool {
		var received int64
		err := b.r.QueryRowContext(ctx, `SELECT received_at FROM event WHERE id > ? ORDER BY id LIMIT 1`, i).Scan(&received)
		failed = cmp.Or(failed, err)
		return received >= at.Unix()
	})
	return int64(n), failed
}

// EventTotal adds up the events of one kind.
type EventTotal struct {
	Kind   string // one of the Event constants
	Events int64
	Earned int64 // minor units of the program's currency; refunds below 0
}

// Backlog counts what waits for a person, or for FirstPromoter.
type Backlog struct {
	Reviews, Applications int64
	Outbox, Refused       int64 // events that wait to be sent; that FirstPromoter refused
}

// EventTotals adds up, by kind, the events that were received since an instant, and counts the
// backlog.
func (b *Book) EventTotals(ctx context.Context, at time.Time) (list []EventTotal, backlog Backlog, err error) {
	after, err := b.eventsBefore(ctx, at)
	if err != nil {
		return nil, backlog, fmt.Errorf("counting events: %w", err)
	}
	err = b.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT kind, count(*),
				coalesce(sum((SELECT sum(amount) FROM event_line WHERE event_id = e.id AND kind != 'denied')), 0)
			FROM event e WHERE id > ? GROUP BY kind ORDER BY kind`, after)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var t EventTotal
			if err := rows.Scan(&t.Kind, &t.Events, &t.Earned); err != nil {
				return err
			}
			list = append(list, t)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT
			(SELECT count(DISTINCT line_id) FROM review WHERE line_id NOT IN (SELECT line_id FROM review_decision)),
			(SELECT count(*) FROM application WHERE state = 'waiting'),
			(SELECT count(*) FROM outbox WHERE state = 'waiting'),
			(SELECT count(*) FROM outbox WHERE state = 'refused')`).Scan(&backlog.Reviews, &backlog.Applications, &backlog.Outbox, &backlog.Refused)
	})
	if err != nil {
		return nil, backlog, fmt.Errorf("counting events: %w", err)
	}
	return list, backlog, nil
}

// CountClicks counts all clicks of a ref token in the whole hours from <= hour < to.
func (b *Book) CountClicks(ctx context.Context, token string, from, to time.Time) (n int64, err error) {
	err = b.r.QueryRowContext(ctx, `SELECT coalesce(sum(count), 0) FROM click_rollup
		WHERE hour >= ? AND hour < ? AND ref_token = ?`, from.Unix(), to.Unix(), token).Scan(&n)
	return n, err
}

// CountSalesAndRefunds counts a promoter's commissions since an instant, and those of them that
// refunds reversed, wholly or in part.
func (b *Book) CountSalesAndRefunds(ctx context.Context, promoter int64, since time.Time) (sales, refunded int64, err error) {
	err = b.r.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(coalesce((
			SELECT sum(r.sale_amount) FROM event_line r
			WHERE r.reverses_line_id = l.id AND r.reverses_line_id != 0 AND r.kind = 'refund'), 0) < 0), 0)
		FROM event_line l WHERE promoter_id = ? AND at >= ? AND kind = 'commission' AND amount > 0`,
		promoter, since.Unix()).Scan(&sales, &refunded)
	return sales, refunded, err
}

// AddReviews adds reasons to review lines. Reasons that are there already are left alone.
func (b *Book) AddReviews(list []ReviewReason) error {
	if len(list) == 0 {
		return nil
	}
	return b.Track(func(t *Tracking) error {
		for _, r := range list {
			if err := t.AddReview(r.LineID, r.Reason, r.Detail, r.At); err != nil {
				return err
			}
		}
		return nil
	})
}
