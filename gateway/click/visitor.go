package click

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Visitors turns addresses into keyed hashes. Each UTC day has a key of its own; the day
// before's is kept one day for continuity and then destroyed, and with it the last way
// from a hash back to an address. Safe for concurrent use.
type Visitors struct {
	path    string
	mu      sync.Mutex // makes keys
	current atomic.Pointer[dayKeys]
}

type dayKey struct {
	day    string // 2006-01-02
	secret []byte
}

type dayKeys struct {
	from, until int64 // Unix seconds of the day that keys[0] is for
	keys        []dayKey
}

// NewVisitors keeps its keys in the file at path, so that a restart does not make new
// visitors of everybody. A file that cannot be read or written costs just that.
func NewVisitors(path string) *Visitors { return &Visitors{path: path} }

// Hash is 16 hex digits that are equal for equal addresses on one UTC day, and empty for
// no address.
func (v *Visitors) Hash(addr netip.Addr, now time.Time) string {
	if !addr.IsValid() {
		return ""
	}
	k := v.current.Load()
	if at := now.Unix(); k == nil || at < k.from || at >= k.until {
		k = v.rotate(now)
	}
	mac := hmac.New(sha256.New, k.keys[0].secret)
	raw := addr.As16()
	mac.Write(raw[:])
	var sum [sha256.Size]byte
	var digits [16]byte
	hex.Encode(digits[:], mac.Sum(sum[:0])[:8])
	return string(digits[:])
}

// rotate makes the key of now's day the current one, and destroys those that are too old.
func (v *Visitors) rotate(now time.Time) *dayKeys {
	v.mu.Lock()
	defer v.mu.Unlock()
	begin := now.UTC().Truncate(24 * time.Hour)
	if k := v.current.Load(); k != nil && k.from == begin.Unix() {
		return k
	}
	dayOf := func(offset int) string { return begin.AddDate(0, 0, offset).Format(time.DateOnly) }
	day, before, after := dayOf(0), dayOf(-1), dayOf(1)
	next := &dayKeys{from: begin.Unix(), until: begin.Unix() + 24*3600, keys: []dayKey{{day: day}}}
	for _, k := range v.loadKeys() {
		switch k.day {
		case day:
			next.keys[0] = k
		case before, after: // after: around midnight, requests of both days are under way
			next.keys = append(next.keys, k)
		}
	}
	if next.keys[0].secret == nil {
		next.keys[0].secret = randomBytes(32)
	}
	v.current.Store(next)
	v.saveKeys(next.keys)
	return next
}

func (v *Visitors) loadKeys() []dayKey {
	if k := v.current.Load(); k != nil {
		return k.keys
	}
	text, _ := os.ReadFile(v.path)
	var keys []dayKey
	for line := range strings.Lines(string(text)) {
		day, digits, _ := strings.Cut(strings.TrimSpace(line), " ")
		if secret, err := hex.DecodeString(digits); err == nil && len(secret) == 32 {
			keys = append(keys, dayKey{day, secret})
		}
	}
	return keys
}

func (v *Visitors) saveKeys(keys []dayKey) {
	var text strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&text, "%s %x\n", k.day, k.secret)
	}
	f, err := os.CreateTemp(filepath.Dir(v.path), ".visitor-*") // made 0600
	if err != nil {
		return
	}
	_, err = f.WriteString(text.String())
	if f.Close() != nil || err != nil || os.Rename(f.Name(), v.path) != nil {
		os.Remove(f.Name())
	}
}
