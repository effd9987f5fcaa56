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

	// Up to so many forms that come in, and so many applications that are kept, there is no work.
	calmPerMinute = 400
	calmPerHour   = 3000

	// A form whose browser has done some work is good so long, also when more is asked for by now.
	workHolds = 10 * time.Minute
)

// formLoad counts the forms of the last minute, and the applications of the last hour.
type formLoad struct {
	mu      sync.Mutex
	seconds [60]counted
	minutes [60]counted
}

// counted is how many there were in one second, or one minute.
type counted struct {
	at    int64 // Unix seconds or minutes
	times int
}

func count(ring *[60]counted, at int64) {
	c := &ring[at%60]
	if c.at != at {
		c.at, c.times = at, 0
	}
	c.times++
}

func sum(ring *[60]counted, at int64) (times int) {
	for _, c := range ring {
		if at-c.at < 60 {
			times += c.times
		}
	}
	return times
}

// add counts a form, and returns how many bits of work forms need now; 0: none.
func (l *formLoad) add(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	count(&l.seconds, now.Unix())
	return l.neededBits(now)
}

// keep counts an application that was kept.
func (l *formLoad) keep(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	count(&l.minutes, now.Unix()/60)
}

// workBits is how many bits of work forms need now; 0: none.
func (l *formLoad) workBits(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.neededBits(now)
}

// neededBits is one bit more for each time that the forms, or the applications, double.
func (l *formLoad) neededBits(now time.Time) int {
	forms, kept := sum(&l.seconds, now.Unix()), sum(&l.minutes, now.Unix()/60)
	if forms <= calmPerMinute && kept <= calmPerHour {
		return 0
	}
	return min(minWorkBits+bits.Len(uint(max(forms/calmPerMinute, kept/calmPerHour)))-1, maxWorkBits)
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
