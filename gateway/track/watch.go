package track

import (
	"context"
	"fmt"
	"time"

	"carryover/mapping/book"
)

// When a watch looks, and what makes commissions suspicious. None of it denies anything.
const (
	watchInterval        = 30 * time.Second
	watchLookback        = 48 * time.Hour     // lines as old as this are looked at again after a start
	watchPageSize        = 1000               // lines
	burstClicks          = 100                // clicks of a promoter in the hour of the one that brought the customer
	burstFactor          = 10                 // and times an average hour of the week before
	burstSaleWindow      = 7 * 24 * time.Hour // from that click to the last sale that a burst makes suspicious
	refundRateDays       = 90
	refundRateMinSales   = 10 // fewer say nothing
	refundRateMinPercent = 30
)

// Watch flags commissions for what no single event tells: bursts of clicks, and promoters of
// whose sales many are refunded. It blocks until ctx ends.
func (s *Service) Watch(ctx context.Context) {
	w := commissionWatch{s: s}
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	failing := false
	for {
		s.forgetRefused()
		if err := w.scan(ctx); err != nil && ctx.Err() == nil {
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

// forgetRefused lets refused events go that are too old, a few thousand at a time.
func (s *Service) forgetRefused() {
	if s.o.Remember <= 0 {
		return
	}
	if _, err := s.o.Book.ForgetRefused(s.o.Now().Add(-s.o.Remember).Unix()); err != nil {
		s.o.Logger.Warn("refused events that are too old could not be let go; they will be", "err", err)
	}
}

// commissionWatch looks at each commission once, in the order in which they were booked.
type commissionWatch struct {
	s       *Service
	started bool
	after   int64 // event_line.id of the last that it looked at
}

// scan looks at all commissions that are new.
func (w *commissionWatch) scan(ctx context.Context) error {
	b := w.s.o.Book
	if !w.started {
		id, err := b.LineBefore(ctx, w.s.o.Now().Add(-watchLookback))
		if err != nil {
			return err
		}
		w.started, w.after = true, id
	}
	refundRates := map[int64]string{} // by promoter, for the whole scan: some have many lines
	for {
		lines, err := b.CommissionsAfter(ctx, w.after, watchPageSize)
		if err != nil || len(lines) == 0 {
			return err
		}
		found, err := w.findReasons(ctx, lines, refundRates)
		if err != nil {
			return err
		}
		if err := b.AddReviews(found); err != nil {
			return err
		}
		w.after = lines[len(lines)-1].ID
	}
}

// findReasons finds what is suspicious about commissions. It keeps in refundRates what
// [commissionWatch.refundRate] says of each promoter.
func (w *commissionWatch) findReasons(
	ctx context.Context, lines []book.EventLine, refundRates map[int64]string,
) (found []book.ReviewReason, err error) {
	b, now := w.s.o.Book, w.s.o.Now()
	add := func(l *book.EventLine, reason, detail string) {
		if detail != "" {
			found = append(found, book.ReviewReason{LineID: l.ID, Reason: reason, Detail: detail, At: now.Unix()})
		}
	}
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
	type tokenHour struct {
		token string
		hour  time.Time
	}
	bursts := map[tokenHour]string{}
	for i := range lines {
		l := &lines[i]
		detail, known := refundRates[l.PromoterID]
		if !known {
			if detail, err = w.refundRate(ctx, l.PromoterID, now); err != nil {
				return nil, err
			}
			refundRates[l.PromoterID] = detail
		}
		add(l, book.ReasonRefunds, detail)
		at, ok := clicked[l.CustomerID]
		if !ok || time.Unix(l.At, 0).Sub(at) > burstSaleWindow {
			continue
		}
		k := tokenHour{dir.ByID(l.PromoterID).Token(), at.Truncate(time.Hour)}
		if detail, known = bursts[k]; !known {
			if detail, err = w.clickBurst(ctx, k.token, k.hour); err != nil {
				return nil, err
			}
			bursts[k] = detail
		}
		add(l, book.ReasonVelocity, detail)
	}
	return found, nil
}

// refundRate says how many of a promoter's sales were refunded; empty: not too many.
func (w *commissionWatch) refundRate(ctx context.Context, promoter int64, now time.Time) (string, error) {
	sales, refunded, err := w.s.o.Book.CountSalesAndRefunds(ctx, promoter, now.AddDate(0, 0, -refundRateDays))
	if err != nil || sales < refundRateMinSales || refunded*100 < sales*refundRateMinPercent {
		return "", err
	}
	return fmt.Sprintf("%d of the promoter's %d sales in %d days were refunded", refunded, sales, refundRateDays), nil
}

// clickBurst says how many more clicks than usual a promoter had in an hour; empty: not far more.
func (w *commissionWatch) clickBurst(ctx context.Context, token string, hour time.Time) (string, error) {
	n, err := w.s.o.Book.CountClicks(ctx, token, hour, hour.Add(time.Hour))
	if err != nil || n < burstClicks {
		return "", err
	}
	week, err := w.s.o.Book.CountClicks(ctx, token, hour.AddDate(0, 0, -7), hour)
	usual := week / (7 * 24)
	if err != nil || n < usual*burstFactor {
		return "", err
	}
	return fmt.Sprintf("%d clicks in the hour of the one that brought the customer, %d in an hour of the week before", n, usual), nil
}
