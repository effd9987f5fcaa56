package gateway

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits of forms. A person who errs sends a few; many sit behind one address of an
// office. Together they are what an operator can still look through after a night.
const (
	visitorBurst = 20
	visitorEvery = 20 * time.Second

	everybodyBurst = 100
	everybodyEvery = time.Second

	maxVisitors = 10_000 // that are remembered
)

// joinLimits bounds how many forms are taken: of one address, and of all.
type joinLimits struct {
	mu       sync.Mutex
	visitors map[netip.Prefix]*rate.Limiter
	all      *rate.Limiter
}

func newJoinLimits() *joinLimits {
	return &joinLimits{visitors: map[netip.Prefix]*rate.Limiter{}, all: rate.NewLimiter(rate.Every(everybodyEvery), everybodyBurst)}
}

// visitor reports whether one more form of addr is taken. Who has an IPv6 address has a
// whole network of them. An address that the internet does not know is a proxy whose
// visitors are not told apart, or the office next door: there the limit of all is enough.
func (l *joinLimits) visitor(addr netip.Addr, now time.Time) bool {
	if addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() {
		return true
	}
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	from, _ := addr.Prefix(bits) // of no address: one for all of these
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.visitors[from]
	if one == nil {
		l.makeRoom(now)
		one = rate.NewLimiter(rate.Every(visitorEvery), visitorBurst)
		l.visitors[from] = one
	}
	return one.AllowN(now, 1)
}

// makeRoom forgets those who may send as many as anybody; when that is too few, a tenth
// of all, whoever they are: the limit of all holds whoever is forgotten.
func (l *joinLimits) makeRoom(now time.Time) {
	if len(l.visitors) < maxVisitors {
		return
	}
	for from, one := range l.visitors {
		if one.TokensAt(now) >= visitorBurst {
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

func (l *joinLimits) everybody(now time.Time) bool { return l.all.AllowN(now, 1) }
