package gateway

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits of forms. One address: a person who errs sends a few, and an office has one address for
// many. All together: what an operator can still look through after a night.
const (
	visitorBurst = 20
	visitorEvery = 20 * time.Second

	totalBurst = 100
	totalEvery = time.Second

	maxVisitors = 10_000 // addresses that are remembered
)

// joinLimits bounds how many forms are accepted: from one address, and from all.
type joinLimits struct {
	mu       sync.Mutex
	visitors map[netip.Prefix]*rate.Limiter
	all      *rate.Limiter
}

func newJoinLimits() *joinLimits {
	return &joinLimits{visitors: map[netip.Prefix]*rate.Limiter{}, all: rate.NewLimiter(rate.Every(totalEvery), totalBurst)}
}

// allowVisitor reports whether one more form from addr is accepted. An IPv6 address counts as its
// /64 network, which belongs to one subscriber. A private address is a proxy whose visitors are
// not told apart, or the office next door: there the limit of all is enough.
func (l *joinLimits) allowVisitor(addr netip.Addr, now time.Time) bool {
	if addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() {
		return true
	}
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	from, _ := addr.Prefix(bits) // unknown addresses share the zero prefix
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.visitors[from]
	if limiter == nil {
		l.evict(now)
		limiter = rate.NewLimiter(rate.Every(visitorEvery), visitorBurst)
		l.visitors[from] = limiter
	}
	return limiter.AllowN(now, 1)
}

// evict makes room: it forgets addresses that have their full allowance again, and when these are
// too few, a tenth of all. The limit of all holds whoever is forgotten.
func (l *joinLimits) evict(now time.Time) {
	if len(l.visitors) < maxVisitors {
		return
	}
	for from, limiter := range l.visitors {
		if limiter.TokensAt(now) >= visitorBurst {
			delete(l.visitors, from)
		}
	}
	for from := range l.visitors {
		if len(l.visitors) <= maxVisitors*9/10 {
			return
		}
		delete(l.visitors, from)
	}
}

// allowAnybody reports whether one more form is accepted at all.
func (l *joinLimits) allowAnybody(now time.Time) bool { return l.all.AllowN(now, 1) }
