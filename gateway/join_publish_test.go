package gateway

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// publications is a publisher on a clock of its own, and when it published.
type publications struct {
	*publisher
	began []time.Duration // since the start
	takes time.Duration
	err   error
	joins int // so far; published: how many of them a map has
	has   int
}

func startPublications(ctx context.Context, takes time.Duration) *publications {
	start := time.Now()
	p := &publications{takes: takes}
	p.publisher = newPublisher(func(ctx context.Context) (changed bool, err error) {
		p.began = append(p.began, time.Since(start))
		joins := p.joins
		work := time.NewTimer(p.takes)
		defer work.Stop()
		select {
		case <-work.C:
		case <-ctx.Done():
			return false, ctx.Err()
		}
		if p.err == nil {
			changed, p.has = p.has != joins, joins
		}
		return changed, p.err
	}, slog.New(slog.DiscardHandler))
	go p.run(ctx)
	return p
}

func (p *publications) join() { p.joins++; p.request() }

// However many join, the first is published at once, and publishing takes a tenth of the time at
// most; the last of a burst is published, too.
func TestPublicationsRest(t *testing.T) {
	for _, takes := range []time.Duration{time.Millisecond, 200 * time.Millisecond, 2 * time.Second, 40 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			p := startPublications(ctx, takes)
			const burst = 10 * time.Minute
			for began := time.Now(); time.Since(began) < burst; time.Sleep(100 * time.Millisecond) {
				p.join()
			}
			if p.began[0] != 0 {
				t.Errorf("the first is published after %s", p.began[0])
			}
			for i := 1; i < len(p.began); i++ {
				if pause := p.began[i] - p.began[i-1] - takes; pause < minPublishPause || pause < publishShare*takes {
					t.Errorf("after one that takes %s the next is published %s later", takes, pause)
				}
			}
			if busy := time.Duration(len(p.began)) * takes; busy > burst/10+takes {
				t.Errorf("publications of %s take %s of %s", takes, busy, burst)
			}
			time.Sleep(2*minPublishPause + 25*takes)
			if p.has != p.joins {
				t.Errorf("the map has %d of %d", p.has, p.joins)
			}
			n := len(p.began)
			time.Sleep(time.Hour)
			if len(p.began) != n {
				t.Error("it publishes when nobody joined")
			}
		})
	}
}

// Who joined is not forgotten when the gateway stops: not while the last publication rests, and
// not while one is under way.
func TestLastPublication(t *testing.T) {
	for _, after := range []time.Duration{0, time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			p := startPublications(ctx, time.Second)
			p.join()
			time.Sleep(after)
			p.join()
			stop()
			time.Sleep(3 * time.Second)
			if p.has != 2 {
				t.Errorf("stopped after %s, the map has %d of 2", after, p.has)
			}
		})
	}
}

func TestPublicationIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		p := startPublications(ctx, time.Second)
		p.err = errors.New("the disk is full")
		p.join()
		time.Sleep(10 * time.Minute)
		if n := len(p.began); n < 5 || n > 11 {
			t.Errorf("tried %d times in ten minutes", n)
		}
		p.err = nil
		time.Sleep(2 * time.Minute)
		if p.has != 1 {
			t.Error("it is not published at last")
		}
		stop()
		synctest.Wait()
		none := newPublisher(nil, slog.New(slog.DiscardHandler))
		none.request()
		ended, end := context.WithCancel(t.Context())
		end()
		none.run(ended)
	})
}
