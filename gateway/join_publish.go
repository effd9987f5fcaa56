package gateway

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// How often the link map is published for those who join: the first at once, then with a pause of
// minPublishPause and of publishShare times what the last publication took, so that it needs no
// more than about a tenth of a processor, with what following the map takes. After one that failed
// the pause is retryPublishAfter.
const (
	minPublishPause   = 3 * time.Second
	publishShare      = 9
	retryPublishAfter = time.Minute

	lastPublishWithin = 8 * time.Second // when the gateway stops
)

var errNoPublisher = errors.New("this gateway cannot publish the link map")

// publisher publishes the link map for promoters who joined: once for all who joined while the
// last publication was under way, or rested.
type publisher struct {
	publish   func(context.Context) (changed bool, err error)
	log       *slog.Logger
	requested chan struct{} // holds one: there are promoters whom the map lacks
}

func newPublisher(publish func(context.Context) (bool, error), log *slog.Logger) *publisher {
	if publish == nil {
		publish = func(context.Context) (bool, error) { return false, errNoPublisher }
	}
	return &publisher{publish: publish, log: log, requested: make(chan struct{}, 1)}
}

// request asks for a publication that begins after this moment.
func (p *publisher) request() {
	select {
	case p.requested <- struct{}{}:
	default:
	}
}

// run publishes on request until ctx ends, and then what was requested last. After a map that
// changed it looks once more: who publishes at the same moment may have read the book before it
// changed, and be the last to flip the map.
func (p *publisher) run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			continue
		case <-p.requested:
		}
		began := time.Now()
		changed, err := p.publish(ctx)
		pause := max(minPublishPause, publishShare*time.Since(began))
		switch {
		case err == nil:
			if changed {
				p.request()
			}
		case ctx.Err() != nil:
			p.request()
		default:
			p.warn(err)
			if pause = max(pause, retryPublishAfter); !errors.Is(err, errNoPublisher) {
				p.request()
			}
		}
		rest := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-rest.C:
		}
		rest.Stop()
	}
	select {
	case <-p.requested:
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastPublishWithin)
		defer cancel()
		if _, err := p.publish(last); err != nil {
			p.warn(err)
		}
	default:
	}
}

func (p *publisher) warn(err error) {
	p.log.Warn("a promoter joined, and the link map could not be published: "+
		"its link counts from the next publication; run \"carryover map publish\"", "err", err)
}
