package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// publishAgainAfter is the pause after a publication that failed.
const publishAgainAfter = time.Minute

var errNoPublisher = errors.New("this gateway cannot publish the link map")

// publisher publishes the link map for promoters who joined: once for all who came while
// the last publication was under way.
type publisher struct {
	publish func(context.Context) error
	log     *slog.Logger

	mu    sync.Mutex
	next  *publication // nil: nobody waits for one
	asked chan struct{}
}

// publication is one that somebody waits for. err is set when done is closed.
type publication struct {
	done chan struct{}
	err  error
}

func newPublisher(publish func(context.Context) error, log *slog.Logger) *publisher {
	if publish == nil {
		publish = func(context.Context) error { return errNoPublisher }
	}
	return &publisher{publish: publish, log: log, asked: make(chan struct{}, 1)}
}

// ask wants a publication that begins after this moment.
func (p *publisher) ask() *publication {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == nil {
		p.next = &publication{done: make(chan struct{})}
	}
	select {
	case p.asked <- struct{}{}:
	default:
	}
	return p.next
}

// run publishes until ctx ends. What fails is tried again after a while.
func (p *publisher) run(ctx context.Context) {
	again := time.NewTimer(0)
	again.Stop()
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.asked:
		case <-again.C:
			p.ask()
			continue
		}
		p.mu.Lock()
		round := p.next
		p.next = nil
		p.mu.Unlock()
		if round == nil {
			continue
		}
		again.Stop()
		round.err = p.publish(ctx)
		close(round.done)
		if round.err != nil && ctx.Err() == nil {
			p.log.Warn("a promoter joined, and the link map could not be published: its link counts from the next publication; run \"carryover map publish\"", "err", round.err)
			if !errors.Is(round.err, errNoPublisher) {
				again.Reset(publishAgainAfter)
			}
		}
	}
}
