package gateway

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// formToken is what a form carries that the gateway made. It is sealed, and good for one
// application.
type formToken struct {
	at    time.Time // when the form was shown
	nonce string    // 22 characters of a-z, A-Z, 0-9, "-" and "_"
	bits  int       // of work that its browser does; 0: none
}

func newFormToken(now time.Time, bits int) formToken {
	raw := make([]byte, 16)
	rand.Read(raw) // never fails: crypto/rand ends the program instead
	return formToken{at: now, nonce: base64.RawURLEncoding.EncodeToString(raw), bits: bits}
}

func (h *joinHandler) sealToken(t *formToken) string {
	return h.keys.Seal(sealForm, fmt.Sprintf("%d\n%s\n%d", t.at.UnixMilli(), t.nonce, t.bits))
}

// openToken reads a token; ok is false for one that the gateway did not make.
func (h *joinHandler) openToken(sealed string) (t formToken, ok bool) {
	text, ok := h.keys.Open(sealForm, sealed)
	fields := strings.Split(text, "\n")
	if !ok || len(fields) != 3 {
		return t, false
	}
	at, err := strconv.ParseInt(fields[0], 10, 64)
	bits, err2 := strconv.Atoi(fields[2])
	return formToken{time.UnixMilli(at), fields[1], bits}, err == nil && err2 == nil
}

// maxUsedForms bounds how many used tokens are remembered, some 15 MB. Of more, those that were
// used first are forgotten, and with them all forms that were shown before the last of these.
const maxUsedForms = 50_000

// usedForms remembers which forms became an application, for as long as they would be good.
type usedForms struct {
	mu      sync.Mutex
	forms   map[string]*usedForm // by the token's nonce
	order   []*usedForm          // as they were used
	horizon time.Time            // forms that were shown until then are not good any more
}

// usedForm is a form that became an application, or is about to.
type usedForm struct {
	token    formToken
	usedAt   time.Time
	entry    [sha256.Size]byte // of what was entered
	done     chan struct{}     // closed when location is set
	location string            // of the page after it; empty: it was not kept after all
}

func newUsedForms() *usedForms { return &usedForms{forms: map[string]*usedForm{}} }

// find returns the form of a token, if it was used.
func (u *usedForms) find(t *formToken) *usedForm {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.forms[t.nonce]
}

// isForgotten reports whether nobody remembers any more whether a token was used.
func (u *usedForms) isForgotten(t *formToken) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return !t.at.After(u.horizon)
}

// claim uses a token; mine is false when it was used before.
func (u *usedForms) claim(t *formToken, entry [sha256.Size]byte, now time.Time) (f *usedForm, mine bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if f := u.forms[t.nonce]; f != nil {
		return f, false
	}
	for len(u.order) > 0 && (len(u.order) >= maxUsedForms || now.Sub(u.order[0].usedAt) > maxFormAge) {
		first := u.order[0]
		u.order[0], u.order = nil, u.order[1:]
		if u.forms[first.token.nonce] != first {
			continue
		}
		delete(u.forms, first.token.nonce)
		if now.Sub(first.token.at) <= maxFormAge && first.token.at.After(u.horizon) {
			u.horizon = first.token.at
		}
	}
	f = &usedForm{token: *t, usedAt: now, entry: entry, done: make(chan struct{})}
	u.forms[t.nonce], u.order = f, append(u.order, f)
	return f, true
}

// locationOf is the address of the page after a form; empty: there is none, or not yet.
func (u *usedForms) locationOf(f *usedForm) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return f.location
}

// finish says what became of a form that was claimed. With no location its token is good again.
func (u *usedForms) finish(f *usedForm, location string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f.location = location
	if location == "" && u.forms[f.token.nonce] == f {
		delete(u.forms, f.token.nonce)
	}
	close(f.done)
}
