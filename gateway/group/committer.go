package group

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
)

// ErrBusy says that too many items wait already. Nothing of the item was kept.
var ErrBusy = errors.New("too many wait to be stored")

// ErrClosed is what a committer says after Close. Nothing of the item was kept.
var ErrClosed = errors.New("closed: nothing more is stored")

// Answer is what became of an item.
type Answer[R any] struct {
	Result R
	Err    error
}

// Options say how items are committed.
type Options[T, R any] struct {
	// Commit makes a batch safe and says what became of each item, in the order of the items,
	// which is the order in which they came. It is never called twice at the same time.
	// Required.
	Commit func(items []T) []Answer[R]

	// Late takes what a batch came to that [Committer.Fail] had answered before. Nil: nobody
	// wants to know.
	Late func(answers []Answer[R])

	// MaxBatch bounds the items of one commit. 0: any number.
	MaxBatch int

	// MaxWaiting bounds the items that wait for a commit, beside those that are being
	// committed. Further ones are refused with [ErrBusy]. 0: any number.
	MaxWaiting int
}

// Committer commits all items that wait at once, and then answers all of them. Safe for
// concurrent use.
type Committer[T, R any] struct {
	o Options[T, R]

	mu         sync.Mutex
	batches    []*batch[T, R] // that wait, the oldest first; only the last takes more items
	waiting    int            // items in them
	tasks      []func()
	committing *batch[T, R]
	closed     bool

	wake chan struct{} // something waits; holds one signal
	stop chan struct{}
	done chan struct{}
}

// batch is items that share a commit. answers or err are set before done is closed.
type batch[T, R any] struct {
	items    []T
	answers  []Answer[R]
	err      error // of all of them
	answered bool  // under Committer.mu
	done     chan struct{}
}

// New starts a committer: one goroutine, which ends with [Committer.Close].
func New[T, R any](o Options[T, R]) *Committer[T, R] {
	c := &Committer[T, R]{o: o, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go c.run()
	return c
}

// Submit hands in an item and waits for its answer. With [ErrBusy] and [ErrClosed] the item was
// not taken. When ctx ends first its error is returned, and the item is committed all the same.
func (c *Committer[T, R]) Submit(ctx context.Context, item T) (R, error) {
	b, i, err := c.add(item)
	if err == nil {
		select {
		case <-b.done:
			if b.err == nil {
				return b.answers[i].Result, b.answers[i].Err
			}
			err = b.err
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	var none R
	return none, err
}

// add puts item into the youngest batch that has room, and says where.
func (c *Committer[T, R]) add(item T) (b *batch[T, R], i int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, 0, ErrClosed
	case c.o.MaxWaiting > 0 && c.waiting >= c.o.MaxWaiting:
		return nil, 0, ErrBusy
	}
	if n := len(c.batches); n > 0 && (c.o.MaxBatch == 0 || len(c.batches[n-1].items) < c.o.MaxBatch) {
		b = c.batches[n-1]
	} else {
		b = &batch[T, R]{done: make(chan struct{})}
		c.batches = append(c.batches, b)
	}
	b.items = append(b.items, item)
	if c.waiting++; c.waiting == 1 {
		c.signal()
	}
	return b, len(b.items) - 1, nil
}

// Do has fn called between two commits, by the goroutine that commits, and does not wait for it.
// It reports false, and fn is not called, when the committer was closed.
func (c *Committer[T, R]) Do(fn func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.tasks = append(c.tasks, fn)
	c.signal()
	return true
}

// Fail answers everybody who waits with err: for when a commit takes longer than anybody should
// wait for it. Items that are being committed may end up stored: [Options] Late tells of them.
func (c *Committer[T, R]) Fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.committing != nil {
		c.committing.answer(nil, err)
	}
	for _, b := range c.batches {
		b.answer(nil, err)
	}
	c.batches, c.waiting = nil, 0
}

// Waiting is how many items wait for a commit, without those that are being committed.
func (c *Committer[T, R]) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting
}

// Close refuses further items, commits those that wait and ends; it gives up with ctx. It may
// be called again.
func (c *Committer[T, R]) Close(ctx context.Context) error {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	if first {
		close(c.stop)
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Done is closed when the committer has ended.
func (c *Committer[T, R]) Done() <-chan struct{} { return c.done }

func (c *Committer[T, R]) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run is the one goroutine that commits.
func (c *Committer[T, R]) run() {
	defer close(c.done)
	for {
		closing := false
		select {
		case <-c.wake:
		case <-c.stop:
			closing = true
		}
		for c.round() {
		}
		if closing {
			return
		}
	}
}

// round commits the oldest batch and calls the tasks that wait; false: there was nothing to do.
func (c *Committer[T, R]) round() bool {
	c.coalesce()
	b, tasks := c.take()
	if b != nil {
		c.finish(b, c.o.Commit(b.items))
	}
	for _, fn := range tasks {
		fn()
	}
	return b != nil || len(tasks) > 0
}

// coalesceRounds bounds the waiting of those who came first.
const coalesceRounds = 16

// coalesce lets the goroutines that are ready to run come first, for as long as items keep
// coming: on a busy machine a commit then serves many, on an idle one nothing is waited for.
func (c *Committer[T, R]) coalesce() {
	for seen, round := 0, 0; round < coalesceRounds; round++ {
		runtime.Gosched()
		n := c.Waiting()
		if n == seen || c.o.MaxBatch > 0 && n >= c.o.MaxBatch {
			return
		}
		seen = n
	}
}

// take begins with the oldest batch; nil: none waits.
func (c *Committer[T, R]) take() (b *batch[T, R], tasks []func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	tasks, c.tasks = c.tasks, nil
	if len(c.batches) == 0 {
		return nil, tasks
	}
	b = c.batches[0]
	c.batches = slices.Delete(c.batches, 0, 1)
	c.waiting -= len(b.items)
	c.committing = b
	return b, tasks
}

// finish tells those who wait for b what became of it.
func (c *Committer[T, R]) finish(b *batch[T, R], answers []Answer[R]) {
	c.mu.Lock()
	c.committing = nil
	inTime := b.answer(answers, nil)
	c.mu.Unlock()
	if !inTime && c.o.Late != nil {
		c.o.Late(answers)
	}
}

// answer wakes those who wait for b, once; false: they had been answered. Under Committer.mu.
func (b *batch[T, R]) answer(answers []Answer[R], err error) bool {
	if b.answered {
		return false
	}
	b.answered, b.answers, b.err = true, answers, err
	close(b.done)
	return true
}
