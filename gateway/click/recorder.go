package click

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

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
}

// Recorder makes clicks safe: all that wait are committed at once, and then all are
// answered. When the disk cannot take them (full, read-only, damaged, not answering
// within the bound) they are dropped at once and counted, and the recorder tries the
// disk again until it works. Safe for concurrent use.
type Recorder struct {
	o    RecorderOptions
	wake chan struct{} // to the writer: there is something to do

	mu     sync.Mutex
	batch  *batch // takes clicks until the writer takes it
	tasks  []*task
	closed bool

	writing atomic.Pointer[commit] // what the disk is busy with; nil: nothing
	fault   atomic.Pointer[Fault]
	spool   atomic.Pointer[spool] // the writer's; others read its node only

	recorded, dropped, late atomic.Uint64
	stop, done              chan struct{}
	watch                   sync.WaitGroup
}

// batch is clicks that share a commit. first and err are set before done is closed.
type batch struct {
	arena []byte
	ends  []int // of each click's stored form in arena
	done  chan struct{}
	over  bool // done is closed; under Recorder.mu
	node  string
	first int64
	err   error
}

// task is work on the spool's file that the writer does between two batches.
type task struct {
	fn   func(*sql.Conn) error
	done chan error
}

// commit is one visit to the disk.
type commit struct {
	began time.Time
	batch *batch // nil for a task
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
	r := &Recorder{o: o, batch: newBatch(), wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	opened := make(chan struct{})
	go r.write(opened)
	r.watch.Go(r.watchdog)
	select {
	case <-opened:
	case <-time.After(o.Bound): // the watchdog says so
	}
	return r
}

func newBatch() *batch { return &batch{done: make(chan struct{})} }

// Record returns when c is safe, with its id, or at once with a [Fault] when it cannot be
// recorded. Nothing of c is kept: its strings may be reused afterwards.
func (r *Recorder) Record(c *book.Click) (book.ClickID, error) {
	if f := r.fault.Load(); f != nil {
		r.dropped.Add(1)
		return book.ClickID{}, f
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		r.dropped.Add(1)
		return book.ClickID{}, ErrClosed
	}
	b := r.batch
	i := len(b.ends)
	b.arena = Append(b.arena, c)
	b.ends = append(b.ends, len(b.arena))
	r.mu.Unlock()
	if i == 0 {
		r.poke()
	}
	<-b.done
	if b.err != nil {
		return book.ClickID{}, b.err
	}
	return book.ClickID{Node: b.node, Seq: b.first + int64(i)}, nil
}

// Do runs fn on the spool's one writing connection, in a transaction, between two
// commits: so that deleting delivered clicks never makes a visitor wait for a lock.
func (r *Recorder) Do(ctx context.Context, fn func(*sql.Conn) error) error {
	t := &task{fn, make(chan error, 1)}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return ErrClosed
	}
	r.tasks = append(r.tasks, t)
	r.mu.Unlock()
	r.poke()
	select {
	case err := <-t.done:
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
	r.mu.Lock()
	first := !r.closed
	r.closed = true
	r.mu.Unlock()
	if first {
		close(r.stop)
	}
	select {
	case <-r.done:
		r.watch.Wait()
		return nil
	case <-ctx.Done():
		return fmt.Errorf("closing the click spool: %w", ctx.Err())
	}
}

func (r *Recorder) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// write is the one goroutine that touches the disk.
func (r *Recorder) write(opened chan<- struct{}) {
	defer close(r.done)
	if err := r.visit(nil, r.reopen); err != nil {
		r.setFault(err)
	}
	close(opened)
	retry := time.NewTicker(retryEvery)
	defer retry.Stop()
	for {
		closing := false
		select {
		case <-r.wake:
		case <-retry.C:
			if r.fault.Load() == nil {
				continue
			}
			r.mend()
		case <-r.stop:
			closing = true
		}
		r.serve()
		if closing {
			if s := r.spool.Load(); s != nil {
				s.close()
			}
			return
		}
	}
}

// gather lets the handlers that are ready to run come first, for as long as clicks keep
// coming: on a busy machine a commit then serves many, on an idle one nothing is waited for.
func (r *Recorder) gather() {
	for seen, round := 0, 0; round < gatherRounds; round++ {
		runtime.Gosched()
		r.mu.Lock()
		n := len(r.batch.ends)
		r.mu.Unlock()
		if n == seen {
			return
		}
		seen = n
	}
}

// gatherRounds bounds the waiting of those who came first.
const gatherRounds = 16

// serve takes all that waits.
func (r *Recorder) serve() {
	r.gather()
	r.mu.Lock()
	tasks := r.tasks
	r.tasks = nil
	var b *batch // nil: no clicks wait
	if len(r.batch.ends) > 0 {
		b, r.batch = r.batch, newBatch()
		r.batch.arena = make([]byte, 0, len(b.arena)) // about as many will come next
	}
	r.mu.Unlock()
	s, fault := r.spool.Load(), r.fault.Load()
	switch {
	case b == nil:
	case fault != nil:
		r.finish(b, 0, "", fault)
	default:
		r.commit(s, b)
	}
	for _, t := range tasks {
		if s == nil { // and so there is a fault
			t.done <- fault
			continue
		}
		r.visit(nil, func() error {
			t.done <- s.transact(func() error { return t.fn(s.conn) })
			return nil
		})
	}
}

func (r *Recorder) commit(s *spool, b *batch) {
	bodies := make([][]byte, len(b.ends))
	from := 0
	for i, end := range b.ends {
		bodies[i] = b.arena[from:end:end]
		from = end
	}
	var first int64
	began := time.Now()
	err := r.visit(b, func() (err error) {
		first, err = s.add(bodies)
		return err
	})
	if err != nil {
		r.setFault(err)
		r.finish(b, 0, "", r.fault.Load())
		return
	}
	if f := r.fault.Load(); f != nil { // set while the disk did not answer; it has
		r.clearFault(f)
	}
	if r.o.Committed != nil {
		r.o.Committed(len(bodies), time.Since(began))
	}
	r.finish(b, first, s.node, nil)
}

// visit marks the time that fn spends on the disk, for the watchdog.
func (r *Recorder) visit(b *batch, fn func() error) error {
	r.writing.Store(&commit{time.Now(), b})
	defer r.writing.Store(nil)
	return fn()
}

// finish wakes those who wait for b, once.
func (r *Recorder) finish(b *batch, first int64, node string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := uint64(len(b.ends))
	if b.over {
		if err == nil { // its visitors were answered without
			r.late.Add(n)
		}
		return
	}
	if err != nil {
		r.dropped.Add(n)
	} else {
		r.recorded.Add(n)
	}
	b.over, b.first, b.node, b.err = true, first, node, err
	close(b.done)
}
