package track

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"carryover/gateway/click"
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
	FindClick    FindClick                     // nil: there are none
	Forward      bool                          // events also go to FirstPromoter

	Committed func(events int, took time.Duration) // called after each commit; may be nil
	Logger    *slog.Logger                         // nil: slog.Default()
}

// FindClick finds a click by its id. With an error nobody knows whether there is one.
type FindClick func(book.ClickID) (c Click, ok bool, err error)

// Click is what tracking needs of a click.
type Click struct {
	Token string // credited
	At    time.Time
}

// What bounds a group of calls that are booked together, and those that wait for the next.
const (
	maxGroup   = 256
	maxWaiting = 20_000
)

// ErrBusy says that too many calls wait for the disk.
var ErrBusy = errors.New("too many events wait to be booked")

// ErrClosed is what a service says after Close.
var ErrClosed = errors.New("the tracker is closed")

// Service books what calls tell. All calls that wait are booked in one transaction, and then
// all are answered. Safe for concurrent use.
type Service struct {
	o Options

	mu      sync.Mutex
	waiting []*pending
	closed  bool
	wake    chan struct{}
	stop    chan struct{}
	done    chan struct{}

	fault atomic.Pointer[error]
}

// pending is a call that waits to be booked.
type pending struct {
	call  *Call
	touch touch
	now   int64 // Unix seconds

	result Result
	err    error
	done   chan struct{}
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
	s := &Service{o: o, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go s.work()
	return s
}

// Submit returns when what c tells is on disk, or found to be nothing to book. With an
// error nothing of it was booked, or nobody knows whether it was: the call may be made
// again, and is booked once.
func (s *Service) Submit(ctx context.Context, c *Call) (Result, error) {
	t, err := s.touchOf(c)
	if err != nil { // whose the customer is would be decided for life without its click
		return Result{}, err
	}
	p := &pending{call: c, touch: t, now: s.o.Now().Unix(), done: make(chan struct{})}
	s.mu.Lock()
	switch {
	case s.closed:
		s.mu.Unlock()
		return Result{}, ErrClosed
	case len(s.waiting) >= maxWaiting:
		s.mu.Unlock()
		return Result{}, ErrBusy
	}
	s.waiting = append(s.waiting, p)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	select {
	case <-p.done:
		return p.result, p.err
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
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
func (s *Service) Close(ctx context.Context) error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if first {
		close(s.stop)
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// work is the one goroutine that books.
func (s *Service) work() {
	defer close(s.done)
	for {
		closing := false
		select {
		case <-s.wake:
		case <-s.stop:
			closing = true
		}
		for {
			group := s.take()
			if len(group) == 0 {
				break
			}
			s.book(group)
		}
		if closing {
			return
		}
	}
}

// take gives the calls that wait, at most maxGroup. It lets handlers that are ready to run
// come first: on a busy machine a commit then serves many.
func (s *Service) take() []*pending {
	for seen, round := 0, 0; round < 16; round++ {
		runtime.Gosched()
		s.mu.Lock()
		n := len(s.waiting)
		s.mu.Unlock()
		if n == seen || n >= maxGroup {
			break
		}
		seen = n
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.waiting), maxGroup)
	group := s.waiting[:n:n]
	if s.waiting = s.waiting[n:]; len(s.waiting) == 0 {
		s.waiting = nil
	}
	return group
}

// maxSpoiling is how many calls of one group may turn out to be what it cannot be booked
// with; after that it is the book itself.
const maxSpoiling = 3

// book books a group in one transaction. A call that cannot be booked does not keep the
// others out: they are booked without it.
func (s *Service) book(group []*pending) {
	began := time.Now()
	var spoiling []*pending
	bad, err := s.commit(group)
	for bad >= 0 && len(group) > 1 && len(spoiling) < maxSpoiling {
		p := group[bad]
		p.err = err
		spoiling = append(spoiling, p)
		group = slices.Delete(slices.Clone(group), bad, bad+1)
		bad, err = s.commit(group)
	}
	if err != nil {
		if s.fault.Swap(&err) == nil {
			s.o.Logger.Error("events cannot be booked; whoever sent them is told to send them again", "err", err)
		}
	} else {
		for _, p := range spoiling {
			s.o.Logger.Error("an event cannot be booked, others can; whoever sent it is told to send it again", "kind", p.call.Kind, "event_id", p.call.EventID, "err", p.err)
		}
		if s.fault.Swap(nil) != nil {
			s.o.Logger.Info("events are booked again")
		}
		if s.o.Committed != nil {
			s.o.Committed(len(group), time.Since(began))
		}
	}
	for _, p := range group {
		p.err = err
		close(p.done)
	}
	for _, p := range spoiling {
		close(p.done)
	}
}

// commit books all of a group, or nothing. bad is the call that it failed with; -1: none,
// it was the book.
func (s *Service) commit(group []*pending) (bad int, err error) {
	bad = -1
	err = s.o.Book.Track(func(t *book.Tracking) error {
		for i, p := range group {
			d := desk{s: s, t: t, call: p.call, touch: p.touch, now: p.now}
			var err error
			if p.result, err = d.safely(); err != nil {
				bad = i
				return err
			}
		}
		return nil
	})
	return bad, err
}
