package track

import (
	"hash/maphash"
	"math"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// leastBurst is how many calls may come at once under any limit.
const leastBurst = 100

// keyLimits are the limits of the keys, one each.
type keyLimits []*rate.Limiter

// newKeyLimits allows perMinute calls a minute of each of n keys, and a second's worth at
// once; 0 or less: any number.
func newKeyLimits(n, perMinute int) keyLimits {
	limit, burst := rate.Inf, 0
	if perMinute > 0 {
		limit, burst = rate.Limit(float64(perMinute)/60), max(leastBurst, perMinute/60)
	}
	all := make(keyLimits, n)
	for i := range all {
		all[i] = rate.NewLimiter(limit, burst)
	}
	return all
}

// take says how long to wait before the next call of a key; 0: it may go on.
func (l keyLimits) take(key int, now time.Time) time.Duration {
	if l[key].AllowN(now, 1) {
		return 0
	}
	missing := 1 - l[key].TokensAt(now)
	return time.Duration(missing / float64(l[key].Limit()) * float64(time.Second))
}

// What is held against addresses that send wrong keys.
const (
	wrongPerMinute = 60
	wrongSlots     = 1024
)

// wrongKeys counts wrong keys by address in a table of one size. It keeps no address:
// those that fall into one slot are slowed down together, which harms nobody, since right
// keys are let in from everywhere.
type wrongKeys struct {
	seed  maphash.Seed
	mu    sync.Mutex
	slots [wrongSlots]struct{ minute, count int64 }
}

func newWrongKeys() *wrongKeys { return &wrongKeys{seed: maphash.MakeSeed()} }

// note counts a wrong key, and says how long its sender should wait; 0: it need not.
func (w *wrongKeys) note(addr netip.Addr, now time.Time) time.Duration {
	if addr.Is6() { // who has one address there has a network of them
		p, _ := addr.Prefix(64)
		addr = p.Addr()
	}
	slot := &w.slots[maphash.Comparable(w.seed, addr)%wrongSlots]
	minute := now.Unix() / 60
	w.mu.Lock()
	defer w.mu.Unlock()
	if slot.minute != minute {
		slot.minute, slot.count = minute, 0
	}
	if slot.count++; slot.count <= wrongPerMinute {
		return 0
	}
	return time.Unix((minute+1)*60, 0).Sub(now)
}

// seconds is a wait as Retry-After tells it: at least 1.
func seconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }
