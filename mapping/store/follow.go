package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"carryover/mapping"
)

// wakeEvery is the shortest time between two hints that are heeded; what is said meanwhile waits
// in the connection.
const wakeEvery = 50 * time.Millisecond

// maxPause is the longest wait between two tries of a Follow that fails.
const maxPause = 10 * time.Second

// follower is what Follow needs of a store.
type follower struct {
	live func(context.Context) (Epoch, error) // ErrNoMap when there is none
	load func(context.Context) (*mapping.Map, Epoch, error)
	wake <-chan struct{} // a hint that something changed; may be nil
	poll time.Duration
}

// follow is [Feed.Follow] for any store.
func (f follower) follow(ctx context.Context, have int64, swap func(*mapping.Map, Epoch), onError func(error)) error {
	seen := Epoch{ID: have}
	known := false   // seen is a whole observation, not a number alone
	refused := false // the last live one could not be had
	pause := f.poll
	for {
		err := func() error {
			live, err := f.live(ctx)
			switch {
			case errors.Is(err, ErrNoMap) && seen.ID == 0:
				return nil // the first publish is still to come
			case err != nil:
				return err
			case known && live.same(seen) && !refused:
				return nil
			case !known && live.ID == seen.ID && !refused:
				seen, known = live, true
				return nil
			}
			m, e, err := f.load(ctx)
			if err != nil {
				return err
			}
			if known && e.same(seen) && !refused {
				return nil
			}
			seen, known, refused = e, true, false
			swap(m, e)
			return nil
		}()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			refused = refused || refuses(err)
			if onError != nil {
				onError(fmt.Errorf("following the link map: %w", err))
			}
			pause = min(2*pause, max(maxPause, f.poll))
		} else {
			pause = f.poll
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.wake:
		case <-time.After(pause):
		}
	}
}

// Follow stays with the live map; see [Feed]. It hears of a flip by channel at once, and
// by polling when the message was lost.
func (r *Redis) Follow(ctx context.Context, have int64, swap func(*mapping.Map, Epoch), onError func(error)) error {
	client, release := cutWith(ctx, redis.NewClient(clone(r.opt)))
	defer release()
	ctx, cancel := context.WithCancel(ctx)
	wake := make(chan struct{}, 1)
	var wg sync.WaitGroup
	wg.Go(func() { r.listen(ctx, client, wake) })
	defer wg.Wait()
	defer cancel()
	return follower{
		live: func(ctx context.Context) (Epoch, error) {
			e, err := r.live(ctx, client)
			return e.Epoch, r.explain(ctx, "asking for the live epoch", err)
		},
		load: r.Load,
		wake: wake,
		poll: r.poll,
	}.follow(ctx, have, swap, onError)
}

// listen wakes for every flip, and for every time that it could subscribe (again), until
// ctx ends. What it cannot hear, polling finds.
func (r *Redis) listen(ctx context.Context, client *redis.Client, wake chan<- struct{}) {
	changes := client.Subscribe(ctx, r.key("changed"))
	stop := context.AfterFunc(ctx, func() { changes.Close() })
	defer stop()
	for ctx.Err() == nil {
		if _, err := changes.Receive(ctx); err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(time.Second): // the next receive connects anew
			}
			continue
		}
		select {
		case wake <- struct{}{}:
		default:
		}
		select { // who floods the channel waits for us
		case <-ctx.Done():
		case <-time.After(wakeEvery):
		}
	}
	changes.Close()
}
