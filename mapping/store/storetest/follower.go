package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/store"
)

// Publish makes a small map of the given version live, one that a [Follower] takes.
func Publish(t *testing.T, s store.Store, version int) store.Epoch {
	t.Helper()
	return publish(t, s, version, 50)
}

// Follower runs the Follow of a store and remembers what it was given. Only whole maps
// made by this package's sample pass.
type Follower struct {
	t      *testing.T
	cancel context.CancelFunc
	done   chan error
	notify chan struct{} // capacity 1: seen or failed has grown

	mu     sync.Mutex
	seen   []store.Epoch
	failed []error
}

// Follow starts following; it ends with the test at the latest.
func Follow(t *testing.T, s store.Store, have int64) *Follower {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	f := &Follower{t: t, cancel: cancel, done: make(chan error, 1), notify: make(chan struct{}, 1)}
	go func() {
		f.done <- s.Follow(ctx, have, func(m *mapping.Map, e store.Epoch) {
			if v, ok := versionOf(m); !ok {
				t.Errorf("followed to epoch %d, a mixture (version %d)", e.ID, v)
			}
			f.record(func() { f.seen = append(f.seen, e) })
		}, func(err error) {
			f.record(func() { f.failed = append(f.failed, err) })
		})
	}()
	t.Cleanup(f.End)
	return f
}

func (f *Follower) record(change func()) {
	f.mu.Lock()
	change()
	f.mu.Unlock()
	select {
	case f.notify <- struct{}{}:
	default:
	}
}

// Expect waits until the newest epoch followed to is the one numbered id.
func (f *Follower) Expect(id int64) {
	f.t.Helper()
	f.wait(func() bool { return len(f.seen) > 0 && f.seen[len(f.seen)-1].ID == id }, "epoch", id)
}

// ExpectCount waits until n maps were followed to.
func (f *Follower) ExpectCount(n int) {
	f.t.Helper()
	f.wait(func() bool { return len(f.seen) >= n }, "maps:", n)
}

// ExpectError waits until something failed that was not seen at the last call.
func (f *Follower) ExpectError() error {
	f.t.Helper()
	f.mu.Lock()
	before := len(f.failed)
	f.mu.Unlock()
	f.wait(func() bool { return len(f.failed) > before }, "an error", "")
	return f.Errors()[before]
}

func (f *Follower) wait(ok func() bool, what string, which any) {
	f.t.Helper()
	deadline := time.After(patience)
	for {
		f.mu.Lock()
		met, seen, failed := ok(), f.seen, f.failed
		f.mu.Unlock()
		if met {
			return
		}
		select {
		case <-f.notify:
		case <-deadline:
			f.t.Fatalf("waiting for %s %v in vain: followed to %+v, errors %v", what, which, seen, failed)
		}
	}
}

// Seen lists the epochs followed to.
func (f *Follower) Seen() []store.Epoch {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen)
}

// Errors lists what failed on the way.
func (f *Follower) Errors() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.failed)
}

// End stops following and waits until Follow has returned.
func (f *Follower) End() {
	f.t.Helper()
	f.cancel()
	select {
	case err := <-f.done:
		if !errors.Is(err, context.Canceled) {
			f.t.Errorf("follow ended with %v", err)
		}
		f.done <- err // End may be called again
	case <-time.After(patience):
		f.t.Error("follow does not end")
	}
}
