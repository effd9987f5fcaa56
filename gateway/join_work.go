package gateway

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A form carries a proof of work while more forms come in than people send: for each of workParts
// numbered parts a number, so that the SHA-256 of "<nonce>.<part>.<number>" begins with so many
// zero bits. At most that is a quarter of a million hashes, a second or two of a telephone.
// Several parts take everybody about the same time, where one would take some people four times
// as long as others.
const (
	workParts   = 8
	minWorkBits = 11
	maxWorkBits = 15

	calmPerMinute = 400 // forms that come in, up to which there is no work

	// A form whose browser has done some work is good so long, also when more is asked for by now.
	workHolds = 10 * time.Minute
)

// formLoad counts the forms of the last minute.
type formLoad struct {
	mu      sync.Mutex
	seconds [60]struct {
		at    int64 // Unix seconds
		forms int
	}
}

// add counts a form, and returns how many bits of work forms need now; 0: none.
func (l *formLoad) add(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := now.Unix()
	s := &l.seconds[at%60]
	if s.at != at {
		s.at, s.forms = at, 0
	}
	s.forms++
	return l.neededBits(at)
}

// workBits is how many bits of work forms need now; 0: none.
func (l *formLoad) workBits(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.neededBits(now.Unix())
}

// neededBits is one bit more for each time that the forms double.
func (l *formLoad) neededBits(at int64) int {
	forms := 0
	for _, s := range l.seconds {
		if at-s.at < 60 {
			forms += s.forms
		}
	}
	if forms <= calmPerMinute {
		return 0
	}
	return min(minWorkBits+bits.Len(uint(forms/calmPerMinute))-1, maxWorkBits)
}

// isProven reports whether work is that of a token, "1.20.3…", a number for each part.
func (t *formToken) isProven(work string) bool {
	numbers := strings.Split(work, ".")
	if t.bits <= 0 || len(numbers) != workParts || len(work) > 11*workParts {
		return false
	}
	for part, number := range numbers {
		if _, err := strconv.ParseUint(number, 10, 32); err != nil {
			return false
		}
		sum := sha256.Sum256([]byte(t.nonce + "." + strconv.Itoa(part) + "." + number))
		if bits.LeadingZeros32(binary.BigEndian.Uint32(sum[:])) < t.bits {
			return false
		}
	}
	return true
}

// needsWork reports whether a form must come again with the work of its browser, when forms need
// so many bits.
func (t *formToken) needsWork(work string, needed int, now time.Time) bool {
	if needed == 0 {
		return false
	}
	enough := t.bits >= needed || t.bits > 0 && now.Sub(t.at) <= workHolds
	return !enough || !t.isProven(work)
}
