package gateway

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits of one network. A person who errs sends a few forms, and an office has one address for
// many; more applications than an office has people are kept of none on a day.
const (
	visitorBurst = 20
	visitorEvery = 20 * time.Second

	dailyBurst = 50
	dailyEvery = 24 * time.Hour / dailyBurst

	// So many of a day may join without a person.
	atOnceBurst = 5
	atOnceEvery = 24 * time.Hour / atOnceBurst

	maxVisitors = 10_000 // networks that are remembered
)

// joinLimits bounds how many forms are accepted from one network, and how many applications are
// kept of it. There is no limit of all: who sends from many networks would lock everybody out.
type joinLimits struct {
	mu       sync.Mutex
	visitors map[netip.Prefix]*visitorLimit
}

type visitorLimit struct{ forms, applications, atOnce *rate.Limiter }

func newJoinLimits() *joinLimits { return &joinLimits{visitors: map[netip.Prefix]*visitorLimit{}} }

// allowVisitor reports whether one more form from addr is accepted.
func (l *joinLimits) allowVisitor(addr netip.Addr, now time.Time) bool {
	if isShared(addr) {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of(addr, now).forms.AllowN(now, 1)
}

// allowApplication reports whether one more application from addr is kept.
func (l *joinLimits) allowApplication(addr netip.Addr, now time.Time) bool {
	if isShared(addr) {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of(addr, now).applications.AllowN(now, 1)
}

// allowAtOnce reports whether one more application from addr may be approved without a person.
func (l *joinLimits) allowAtOnce(addr netip.Addr, now time.Time) bool {
	if isShared(addr) {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of(addr, now).atOnce.AllowN(now, 1)
}

// isShared reports whether an address is a proxy's whose visitors are not told apart, or that of
// the office next door: no limit of one network holds there.
func isShared(addr netip.Addr) bool {
	return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast()
}

// of returns the limits of an address. An IPv6 address counts as its /64 network, which belongs
// to one subscriber; unknown addresses share the zero prefix.
func (l *joinLimits) of(addr netip.Addr, now time.Time) *visitorLimit {
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	from, _ := addr.Prefix(bits)
	v := l.visitors[from]
	if v == nil {
		l.evict(now)
		v = &visitorLimit{
			forms:        rate.NewLimiter(rate.Every(visitorEvery), visitorBurst),
			applications: rate.NewLimiter(rate.Every(dailyEvery), dailyBurst),
			atOnce:       rate.NewLimiter(rate.Every(atOnceEvery), atOnceBurst),
		}
		l.visitors[from] = v
	}
	return v
}

// evict makes room: it forgets networks that have their full allowance of forms again and sent
// hardly an application, and when these are too few, a tenth of all.
func (l *joinLimits) evict(now time.Time) {
	if len(l.visitors) < maxVisitors {
		return
	}
	for from, v := range l.visitors {
		if v.forms.TokensAt(now) >= visitorBurst && v.applications.TokensAt(now) > dailyBurst-3 {
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
