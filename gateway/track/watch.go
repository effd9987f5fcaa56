package track

import (
	"context"
	"fmt"
	"time"

	"carryover/mapping/book"
)

// What a watch finds worth a look. None of it denies anything.
const (
	watchEvery    = 30 * time.Second
	watchBack     = 48 * time.Hour // after a start, so old lines are looked at again
	watchAtOnce   = 1000
	busyHour      = 100                // clicks of one promoter in the hour of the one that brought the customer
	busyTimes     = 10                 // and so many times the usual hour of the week before
	bindingCounts = 7 * 24 * time.Hour // how long the click that brought a customer says something about its sales
	refundDays    = 90
	refundSales   = 10 // fewer say nothing
	refundPercent = 30
)

// Watch looks at what was earned lately for what no single event tells: bursts of clicks,
// and promoters of whose sales many are refunded. It blocks until ctx ends.
func (s *Service) Watch(ctx context.Context) {
	w := watch{s: s}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	failing := false
	for {
		if err := w.look(ctx); err != nil && ctx.Err() == nil {
			if !failing {
				s.o.Logger.Warn("what was earned could not be looked at; it will be", "err", err)
			}
			failing = true
		} else {
			failing = false
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// watch is how far the looking has come.
type watch struct {
	s     *Service
	begun bool
	after int64 // event_line.id
}

// look looks at every line that it has not seen.
func (w *watch) look(ctx context.Context) error {
	b := w.s.o.Book
	if !w.begun {
		id, err := b.LinesSince(ctx, w.s.o.Now().Add(-watchBack))
		if err != nil {
			return err
		}
		w.begun, w.after = true, id
	}
	refunds := map[int64]string{} // by promoter; empty: nothing to say. Of one who sells much it is asked once a look
	for {
		lines, err := b.LinesAfter(ctx, w.after, watchAtOnce)
		if err != nil || len(lines) == 0 {
			return err
		}
		found, err := w.judge(ctx, lines, refunds)
		if err != nil {
			return err
		}
		if err := b.AddReviews(found); err != nil {
			return err
		}
		w.after = lines[len(lines)-1].ID
	}
}

func (w *watch) judge(ctx context.Context, lines []book.EventLine, refunds map[int64]string) (found []book.ReviewReason, err error) {
	b, now := w.s.o.Book, w.s.o.Now()
	var promoterIDs, customerIDs []int64
	for i := range lines {
		promoterIDs = append(promoterIDs, lines[i].PromoterID)
		customerIDs = append(customerIDs, lines[i].CustomerID)
	}
	dir, err := b.DirectoryOf(ctx, promoterIDs)
	if err != nil {
		return nil, err
	}
	customers, err := b.CustomersByID(ctx, customerIDs)
	if err != nil {
		return nil, err
	}
	clicked := map[int64]time.Time{}
	for _, c := range customers {
		if c.ClickedAt != 0 {
			clicked[c.ID] = time.Unix(c.ClickedAt, 0).UTC()
		}
	}
	bursts := map[string]string{} // by token and hour
	for _, l := range lines {
		detail, known := refunds[l.PromoterID]
		if !known {
			if detail, err = w.refunds(ctx, l.PromoterID, now); err != nil {
				return nil, err
			}
			refunds[l.PromoterID] = detail
		}
		if detail != "" {
			found = append(found, book.ReviewReason{LineID: l.ID, Reason: book.ReasonRefunds, Detail: detail, At: now.Unix()})
		}
		at, ok := clicked[l.CustomerID]
		if !ok || time.Unix(l.At, 0).Sub(at) > bindingCounts {
			continue
		}
		hour := at.Truncate(time.Hour)
		token := dir.ByID(l.PromoterID).Token()
		key := token + hour.Format(" 2006-01-02T15")
		if detail, known = bursts[key]; !known {
			if detail, err = w.burst(ctx, token, hour); err != nil {
				return nil, err
			}
			bursts[key] = detail
		}
		if detail != "" {
			found = append(found, book.ReviewReason{LineID: l.ID, Reason: book.ReasonVelocity, Detail: detail, At: now.Unix()})
		}
	}
	return found, nil
}

// refunds says that many of a promoter's sales are taken back; empty: not so many.
func (w *watch) refunds(ctx context.Context, promoter int64, now time.Time) (string, error) {
	sales, refunded, err := w.s.o.Book.SalesAndRefunds(ctx, promoter, now.AddDate(0, 0, -refundDays))
	if err != nil || sales < refundSales || refunded*100 < sales*refundPercent {
		return "", err
	}
	return fmt.Sprintf("%d of the promoter's %d sales in %d days were refunded", refunded, sales, refundDays), nil
}

// burst says that a promoter had far more clicks in an hour than usual; empty: it had not.
func (w *watch) burst(ctx context.Context, token string, hour time.Time) (string, error) {
	n, err := w.s.o.Book.ClicksOf(ctx, token, hour, hour.Add(time.Hour))
	if err != nil || n < busyHour {
		return "", err
	}
	before, err := w.s.o.Book.ClicksOf(ctx, token, hour.AddDate(0, 0, -7), hour)
	if usual := before / (7 * 24); err != nil || n < usual*busyTimes {
		return "", err
	}
	return fmt.Sprintf("%d clicks in the hour of the one that brought the customer, %d in an hour of the week before", n, before/(7*24)), nil
}
