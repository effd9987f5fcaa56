package track

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"carryover/gateway/click"
	"carryover/gateway/group"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Options are what a [Service] stands on.
type Options struct {
	Book         *book.Book
	Terms        terms.Config
	Products     terms.Products
	Currency     string                        // the program's
	Rates        map[string]terms.ExchangeRate // of other currencies; one that is not there is refused
	CreditPolicy terms.CreditPolicy            // whom beside active promoters
	Zone         *time.Location                // of the months of earning; nil: UTC
	Now          func() time.Time              // nil: time.Now
	Keys         *click.Keyring                // of the cookie
	Visitors     *click.Visitors               // hashes addresses
	Forward      bool                          // events also go to FirstPromoter
	Remember     time.Duration                 // refused events; 0: as long as there is room

	Committed func(events int, took time.Duration) // called after each commit; may be nil
	Logger    *slog.Logger                         // nil: slog.Default()
}

// What bounds a group of calls that are booked together, and those that wait for the next.
const (
	maxGroup   = 256
	maxWaiting = 20_000
)

// Service books what calls tell. All calls that wait are booked in one transaction, and then
// all are answered. Safe for concurrent use.
type Service struct {
	o     Options
	group *group.Committer[*pending, Result]
	fault atomic.Pointer[error]

	dropped atomic.Int64 // refused events that went for newer ones
}

// pending is a call that waits to be booked, or something that was refused and waits to be kept,
// or to be told again.
type pending struct {
	call    *Call
	touch   touch
	refusal *book.RefusedEvent
	retell  int64 // id of a refused event; 0: none
	now     int64 // Unix seconds

	answer group.Answer[Result]
}

// New starts a service.
func New(o Options) *Service {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &Service{o: o}
	s.group = group.New(group.Options[*pending, Result]{Commit: s.book, MaxBatch: maxGroup, MaxWaiting: maxWaiting})
	return s
}

// Submit returns when what c tells is on disk, or found to be nothing to book. With an
// error nothing of it was booked, or nobody knows whether it was: the call may be made
// again, and is booked once.
func (s *Service) Submit(ctx context.Context, c *Call) (Result, error) {
	return s.group.Submit(ctx, &pending{call: c, touch: s.readTouch(c), now: s.o.Now().Unix()})
}

// Fault is what went wrong the last time that events were to be booked; nil when they
// were.
func (s *Service) Fault() error {
	if err := s.fault.Load(); err != nil {
		return *err
	}
	return nil
}

// Close books what waits and ends; it gives up with ctx.
func (s *Service) Close(ctx context.Context) error { return s.group.Close(ctx) }

// maxFailed is how many calls of one group may fail one by one; with more it is the book itself
// that fails.
const maxFailed = 3

// book books calls in one transaction. A call that cannot be booked does not keep the others
// out: they are booked without it.
func (s *Service) book(calls []*pending) []group.Answer[Result] {
	began := time.Now()
	var failed []*pending
	rest := calls
	bad, err := s.commit(rest)
	for bad >= 0 && len(rest) > 1 && len(failed) < maxFailed {
		p := rest[bad]
		p.answer.Err = err
		failed = append(failed, p)
		rest = slices.Delete(slices.Clone(rest), bad, bad+1)
		bad, err = s.commit(rest)
	}
	if err != nil {
		if s.fault.Swap(&err) == nil {
			s.o.Logger.Error("events cannot be booked; whoever sent them is told to send them again", "err", err)
		}
	} else {
		for _, p := range failed {
			kind, id := "refused", strconv.FormatInt(p.retell, 10)
			if p.call != nil {
				kind, id = p.call.Kind, p.call.EventID
			}
			s.o.Logger.Error("an event cannot be booked, others can; whoever sent it is told to send it again",
				"kind", kind, "event_id", id, "err", p.answer.Err)
		}
		if s.fault.Swap(nil) != nil {
			s.o.Logger.Info("events are booked again")
		}
		if s.o.Committed != nil {
			s.o.Committed(len(rest), time.Since(began))
		}
	}
	for _, p := range rest {
		p.answer.Err = err
	}
	answers := make([]group.Answer[Result], len(calls))
	for i, p := range calls {
		answers[i] = p.answer
	}
	return answers
}

// commit books all of calls, or nothing. bad is the call that it failed with; -1: none, it was
// the book.
func (s *Service) commit(calls []*pending) (bad int, err error) {
	bad = -1
	err = s.o.Book.Track(func(t *book.Tracking) error {
		for i, p := range calls {
			var err error
			switch {
			case p.refusal != nil:
				err = s.addRefused(t, p.refusal)
			case p.retell != 0:
				p.answer.Result, err = s.recoverBooking(func() (Result, error) { return s.retellByID(t, p.retell, p.now) })
			default:
				d := booking{s: s, t: t, call: p.call, touch: p.touch, now: p.now}
				p.answer.Result, err = s.recoverBooking(d.book)
			}
			if err != nil {
				bad = i
				return err
			}
		}
		return nil
	})
	return bad, err
}
