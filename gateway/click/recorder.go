package click

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"carryover/gateway/group"
	"carryover/mapping/book"
)

// RecorderOptions say where and how clicks are made safe.
type RecorderOptions struct {
	Path       string                               // of the spool, an SQLite file; made when missing
	Node       string                               // names this gateway in a new spool; empty: host name and a random part
	Durability string                               // DurabilityNormal (the default) or DurabilityFull
	Bound      time.Duration                        // longest that an answer waits for the disk; 0: 2 s
	Committed  func(clicks int, took time.Duration) // called after each commit that held clicks; may be nil
	Logger     *slog.Logger                         // nil: slog.Default()
	Now        func() time.Time                     // nil: time.Now
	Rehearsal  bool                                 // clicks do not bear the real time
}

// Recorder makes clicks safe: all that wait are committed at once, and then all are
// answered. When the disk cannot take them (full, read-only, damaged, not answering
// within the bound) they are dropped at once and counted, and the recorder tries the
// disk again until it works. Safe for concurrent use.
//
// Only the committer's goroutine touches the disk.
type Recorder struct {
	o     RecorderOptions
	group *group.Committer[[]byte, book.ClickID] // of clicks in their stored form

	diskBusy atomic.Pointer[time.Time] // since when the disk is in use; nil: it is not
	fault    atomic.Pointer[Fault]
	trying   atomic.Bool           // the disk is tried, or about to be
	spool    atomic.Pointer[spool] // the committer's; others read its node only

	recorded, dropped, late atomic.Uint64
	watch                   sync.WaitGroup
}

// NewRecorder opens the spool and begins. It does not fail for a disk that cannot be
// written: that is a [Fault], and may pass.
func NewRecorder(o RecorderOptions) *Recorder {
	if o.Durability == "" {
		o.Durability = DurabilityNormal
	}
	if o.Bound <= 0 {
		o.Bound = 2 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Recorder{o: o}
	r.group = group.New(group.Options[[]byte, book.ClickID]{Commit: r.commit, Late: r.countLate})
	opened := make(chan struct{})
	r.group.Do(func() {
		defer close(opened)
		if err := r.useDisk(r.reopen); err != nil {
			r.setFault(err)
		}
	})
	r.watch.Go(r.watchdog)
	select {
	case <-opened:
	case <-time.After(o.Bound): // the watchdog says so
	}
	return r
}

// Record returns when c is safe, with its id, or at once with a [Fault] when it cannot be
// recorded. Nothing of c is kept: its strings may be reused afterwards.
func (r *Recorder) Record(c *book.Click) (book.ClickID, error) {
	if f := r.fault.Load(); f != nil {
		r.dropped.Add(1)
		return book.ClickID{}, f
	}
	var stored [512]byte // long enough for most
	id, err := r.group.Submit(context.Background(), bytes.Clone(Append(stored[:0], c)))
	if err != nil {
		r.dropped.Add(1)
	} else {
		r.recorded.Add(1)
	}
	return id, err
}

// Do runs fn on the spool's one writing connection, in a transaction, between two
// commits: so that deleting delivered clicks never makes a visitor wait for a lock.
func (r *Recorder) Do(ctx context.Context, fn func(*sql.Conn) error) error {
	done := make(chan error, 1)
	if !r.group.Do(func() {
		s := r.spool.Load()
		if s == nil { // and so there is a fault
			done <- r.fault.Load()
			return
		}
		done <- r.useDisk(func() error {
			return s.transact(func() error { return fn(s.conn) })
		})
	}) {
		return group.ErrClosed
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Fault is nil while clicks are recorded.
func (r *Recorder) Fault() *Fault { return r.fault.Load() }

// Counts says how many clicks were recorded and dropped since the start, and how many of
// the dropped ones reached the disk after all, too late for their answer.
func (r *Recorder) Counts() (recorded, dropped, late uint64) {
	return r.recorded.Load(), r.dropped.Load(), r.late.Load()
}

// Node is the name of this gateway; empty until the spool could be opened once.
func (r *Recorder) Node() string {
	if s := r.spool.Load(); s != nil {
		return s.node
	}
	return ""
}

// Close commits what waits and closes the spool; it gives up with ctx.
func (r *Recorder) Close(ctx context.Context) error {
	if err := r.group.Close(ctx); err != nil {
		return fmt.Errorf("closing the click spool: %w", err)
	}
	r.watch.Wait()
	return nil
}

// commit stores a batch of clicks, or says of each why it was dropped.
func (r *Recorder) commit(clicks [][]byte) []group.Answer[book.ClickID] {
	answers := make([]group.Answer[book.ClickID], len(clicks))
	fail := func(f *Fault) []group.Answer[book.ClickID] {
		for i := range answers {
			answers[i].Err = f
		}
		return answers
	}
	if f := r.fault.Load(); f != nil {
		return fail(f)
	}
	var first int64
	var node string
	began := time.Now()
	if err := r.useDisk(func() (err error) {
		if r.spool.Load() == nil { // clicks may come before the spool was opened once
			if err := r.reopen(); err != nil {
				return err
			}
		}
		s := r.spool.Load()
		node = s.node
		first, err = s.insertAll(clicks)
		return err
	}); err != nil {
		r.setFault(err)
		return fail(r.fault.Load())
	}
	if f := r.fault.Load(); f != nil { // set while the disk did not answer; it has
		r.clearFault(f)
	}
	if r.o.Committed != nil {
		r.o.Committed(len(clicks), time.Since(began))
	}
	for i := range answers {
		answers[i].Result = book.ClickID{Node: node, Seq: first + int64(i)}
	}
	return answers
}

// countLate counts the clicks that were stored after all when their visitors had been answered
// without.
func (r *Recorder) countLate(answers []group.Answer[book.ClickID]) {
	for _, a := range answers {
		if a.Err == nil {
			r.late.Add(1)
		}
	}
}

// useDisk marks the disk as busy while fn runs, for the watchdog.
func (r *Recorder) useDisk(fn func() error) error {
	r.diskBusy.Store(new(time.Now()))
	defer r.diskBusy.Store(nil)
	return fn()
}
