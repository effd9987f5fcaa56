package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"carryover/mapping/secret"
)

// activation is who made which epoch live, and when: "<epoch> <checksum> <at> <signature>". Every
// publication and every rollback writes a new one with a later at, so that a gateway tells an
// older state of the store, whose maps are signed as well as any, from a rollback that a
// carryover made.
type activation struct {
	id       int64
	checksum string
	at       int64 // ms since 1970; later than that of the one before
}

func (a *activation) seal(key []byte, program string) []byte {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s %q %d %q %d", signedActivation, program, a.id, a.checksum, a.at)
	return mac.Sum(nil)
}

// signs says whether an activation is to be signed, and must be to be believed.
func (t *Trust) signs() bool { return t.Secret != nil || t.NoSecret != nil }

// readActivation reads the activation of the store; its error wraps [ErrSignature] when it is not
// one that is believed.
func (r *Redis) readActivation(ctx context.Context, c redis.Cmdable) (a activation, err error) {
	text, err := c.Get(ctx, r.key("activation")).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return activation{}, wrongType(err, r.key("activation"))
	}
	id, rest, _ := strings.Cut(text, " ")
	checksum, rest, _ := strings.Cut(rest, " ")
	at, signature, _ := strings.Cut(rest, " ")
	a.checksum = checksum
	a.id, _ = strconv.ParseInt(id, 10, 64)
	a.at, _ = strconv.ParseInt(at, 10, 64)
	return a, r.trust.check(signature, func(key []byte) []byte { return a.seal(key, r.program) })
}

// activated says since when m is the live epoch. Its error wraps [ErrSignature] when no carryover
// of the program made it that.
func (r *Redis) activated(ctx context.Context, c redis.Cmdable, m *meta) (time.Time, error) {
	if !r.trust.signs() {
		return time.Time{}, nil
	}
	a, err := r.readActivation(ctx, c)
	switch {
	case errors.Is(err, ErrSignature):
		return time.Time{}, fmt.Errorf("epoch %d: %w", m.ID, err)
	case err != nil:
		return time.Time{}, err
	case a.id != m.ID || a.checksum != m.Checksum:
		return time.Time{}, fmt.Errorf("epoch %d: %w: it was not a carryover of this program that made it the live one: "+
			"\"carryover map publish\" or \"carryover map rollback\" does", m.ID, ErrSignature)
	}
	return time.UnixMilli(a.at).UTC(), nil
}

// activate gives the activation that makes m live. The time that stands in one that is not
// believed does not count: gateways take nothing earlier than what they have seen.
func (r *Redis) activate(ctx context.Context, c redis.Cmdable, m *meta) (string, error) {
	former, err := r.readActivation(ctx, c)
	switch {
	case refuses(err):
		former.at = 0
	case err != nil:
		return "", err
	}
	a := activation{m.ID, m.Checksum, max(time.Now().UnixMilli(), former.at+1)}
	signature := ""
	if r.trust.Secret != nil {
		key := r.trust.Secret.Key(secret.Maps)
		signature = keyID(key) + "." + hex.EncodeToString(a.seal(key, r.program))
	}
	return fmt.Sprintf("%d %s %d %s", a.id, a.checksum, a.at, signature), nil
}
