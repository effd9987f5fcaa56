package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// publishRetryAfter is the pause after a publication that failed.
const publishRetryAfter = time.Minute

var errNoPublisher = errors.New("this gateway cannot publish the link map")

// publisher publishes the link map for promoters who joined: once for all who joined while the
// last publication was under way.
type publisher struct {
	publish func(context.Context) error
	log     *slog.Logger

	mu        sync.Mutex
	next      *publication // nil: nobody waits for one
	requested chan struct{}
}

// publication is one round of publishing. err is set when done is closed.
type publication struct {
	done chan struct{}
	err  error
}

func newPublisher(publish func(context.Context) error, log *slog.Logger) *publisher {
	if publish == nil {
		publish = func(context.Context) error { return errNoPublisher }
	}
	return &publisher{publish: publish, log: log, requested: make(chan struct{}, 1)}
}

// request asks for a publication that begins after this moment.
func (p *publisher) request() *publication {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == nil {
		p.next = &publication{done: make(chan struct{})}
	}
	select {
	case p.requested <- struct{}{}:
	default:
	}
	return p.next
}

// run publishes on request until ctx ends. A failed publication is tried again.
func (p *publisher) run(ctx context.Context) {
	retry := time.NewTimer(0)
	retry.Stop()
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.requested:
		case <-retry.C:
			p.request()
			continue
		}
		p.mu.Lock()
		current := p.next
		p.next = nil
		p.mu.Unlock()
		if current == nil {
			continue
		}
		retry.Stop()
		current.err = p.publish(ctx)
		close(current.done)
		if current.err != nil && ctx.Err() == nil {
			p.log.Warn("a promoter joined, and the link map could not be published: "+
				"its link counts from the next publication; run \"carryover map publish\"", "err", current.err)
			if !errors.Is(current.err, errNoPublisher) {
				retry.Reset(publishRetryAfter)
			}
		}
	}
}
