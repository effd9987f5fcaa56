package book

import (
	"context"
	"time"
)

// LinesAfter lists at most limit commissions that earned something, by id, beyond a given
// one.
func (b *Book) LinesAfter(ctx context.Context, id int64, limit int) ([]EventLine, error) {
	return lines.find(ctx, b, "WHERE id > ? AND kind = ? AND amount > 0 ORDER BY id LIMIT ?", id, KindCommission, limit)
}

// LinesSince is the id before the first line that was booked at an instant or later.
func (b *Book) LinesSince(ctx context.Context, at time.Time) (id int64, err error) {
	err = b.r.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM event WHERE received_at < ?`, at.Unix()).Scan(&id)
	if err == nil {
		err = b.r.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM event_line WHERE event <= ?`, id).Scan(&id)
	}
	return id, err
}

// ClicksOf counts all clicks that named a promoter's token in whole hours, from inclusive.
func (b *Book) ClicksOf(ctx context.Context, token string, from, to time.Time) (n int64, err error) {
	err = b.r.QueryRowContext(ctx, `SELECT coalesce(sum(count), 0) FROM click_rollup WHERE hour >= ? AND hour < ? AND ref_token = ?`, from.Unix(), to.Unix(), token).Scan(&n)
	return n, err
}

// SalesAndRefunds counts a promoter's commissions since an instant, and how many of them
// were taken back, wholly or in part.
func (b *Book) SalesAndRefunds(ctx context.Context, promoter int64, since time.Time) (sales, refunded int64, err error) {
	err = b.r.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(EXISTS (SELECT 1 FROM event_line r WHERE r.of = l.id AND r.of != 0 AND r.kind = 'refund')), 0)
		FROM event_line l WHERE promoter_id = ? AND at >= ? AND kind = 'commission' AND amount > 0`, promoter, since.Unix()).Scan(&sales, &refunded)
	return sales, refunded, err
}

// AddReviews says why persons should look at lines; reasons that are there already are
// left alone.
func (b *Book) AddReviews(list []ReviewReason) error {
	if len(list) == 0 {
		return nil
	}
	return b.Track(func(t *Tracking) error {
		for _, r := range list {
			if err := t.AddReview(r.Line, r.Reason, r.Detail, r.At); err != nil {
				return err
			}
		}
		return nil
	})
}
