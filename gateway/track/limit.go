package track

import (
	"hash/maphash"
	"math"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// minBurst is how many calls may come at once, whatever the limit.
const minBurst = 100

// keyLimits has the rate limit of each key.
type keyLimits []*rate.Limiter

// newKeyLimits allows perMinute calls a minute with each of n keys, a second's worth of them at
// once; 0 or less: any number.
func newKeyLimits(n, perMinute int) keyLimits {
	limit, burst := rate.Inf, 0
	if perMinute > 0 {
		limit, burst = rate.Limit(float64(perMinute)/60), max(minBurst, perMinute/60)
	}
	all := make(keyLimits, n)
	for i := range all {
		all[i] = rate.NewLimiter(limit, burst)
	}
	return all
}

// take counts a call with a key, and says how long it must wait; 0: it may go on.
func (l keyLimits) take(key int, now time.Time) time.Duration {
	if l[key].AllowN(now, 1) {
		return 0
	}
	missing := 1 - l[key].TokensAt(now)
	return time.Duration(missing / float64(l[key].Limit()) * float64(time.Second))
}

// Limits of addresses that send wrong keys.
const (
	wrongKeysPerMinute = 60
	wrongKeySlots      = 1024
)

// wrongKeyLimiter counts wrong keys by address, in a table of fixed size. It keeps no address:
// those that share a slot are slowed down together, which harms nobody, since valid keys are
// let in from everywhere.
type wrongKeyLimiter struct {
	seed  maphash.Seed
	mu    sync.Mutex
	slots [wrongKeySlots]struct{ minute, count int64 }
}

func newWrongKeyLimiter() *wrongKeyLimiter { return &wrongKeyLimiter{seed: maphash.MakeSeed()} }

// add counts a wrong key, and says how long its sender must wait; 0: not at all.
func (w *wrongKeyLimiter) add(addr netip.Addr, now time.Time) time.Duration {
	if addr.Is6() { // a sender has a whole network of these
		p, _ := addr.Prefix(64)
		addr = p.Addr()
	}
	slot := &w.slots[maphash.Comparable(w.seed, addr)%wrongKeySlots]
	minute := now.Unix() / 60
	w.mu.Lock()
	defer w.mu.Unlock()
	if slot.minute != minute {
		slot.minute, slot.count = minute, 0
	}
	if slot.count++; slot.count <= wrongKeysPerMinute {
		return 0
	}
	return time.Unix((minute+1)*60, 0).Sub(now)
}

// retryAfterSeconds is a wait as Retry-After has it: at least 1.
func retryAfterSeconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }
