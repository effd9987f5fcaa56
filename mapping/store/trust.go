package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"carryover/mapping"
	"carryover/mapping/secret"
)

// ErrSignature says that a map is not signed with the program's secret: whoever can write to the
// store may have put it there. [ErrOtherSecret] is the case in which that is most likely a mistake
// of whoever set up the machines; [ErrPutBack] is a map that was live once and is brought again.
var (
	ErrSignature   = errors.New("the map is not believed")
	ErrOtherSecret = fmt.Errorf("%w: it is signed with another secret", ErrSignature)
	ErrPutBack     = fmt.Errorf("%w: an older state was put back in the place of a newer one", ErrSignature)
)

// Trust says which maps are believed. A map in Redis and one on disk must be signed with the
// program's secret. One in the book is not signed: whoever can write there can change what is
// published from it. All are bound by what the configuration at hand allows.
type Trust struct {
	// Program is the program whose maps they are. Empty: any.
	Program string

	// Secret signs maps and says which are believed. Nil without NoSecret: none is signed, and
	// each is believed.
	Secret *secret.Secret

	// NoSecret is why there is no secret, though there should be: no map that must be signed is
	// believed then. MakeSecret makes one for the first that is published.
	NoSecret   error
	MakeSecret func() (*secret.Secret, error)

	// Own gives the policy that bounds what a map may do, by [mapping.Policy.Allows]; it is asked
	// for every map. Nil: nothing does.
	Own func() (*mapping.Policy, error)
}

// prepareToSign makes the secret when there is none.
func (t *Trust) prepareToSign() (err error) {
	if t.NoSecret == nil {
		return nil
	}
	if t.MakeSecret == nil {
		return t.NoSecret
	}
	if t.Secret, err = t.MakeSecret(); err == nil {
		t.NoSecret = nil
	}
	return err
}

// Trusting makes a store sign what it publishes, and give only maps that t believes.
func Trusting(t Trust) Option {
	return func(o *options) { o.trust = t }
}

// What a signature is made for: one kind of thing is never taken for another.
const (
	signedMap        = "carryover published map 1"
	signedActivation = "carryover live map 1"
	signedSnapshot   = "carryover map snapshot 1"
)

// sign gives the signature of e, "<key id>.<HMAC-SHA256 in hex>": over the checksum, which covers
// policy and entries, and over all else that is said about the epoch.
func (t *Trust) sign(what, program string, e *Epoch) string {
	if t.Secret == nil {
		return ""
	}
	key := t.Secret.Key(secret.Maps)
	return keyID(key) + "." + hex.EncodeToString(seal(key, what, program, e))
}

func seal(key []byte, what, program string, e *Epoch) []byte {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s %q %d %q %d %q %d %d %d %d %d", what, program, e.ID, e.Checksum, e.PublishedAt.Unix(), e.PlanID,
		e.Links, e.Partners, e.IDs, e.Paths, e.Bytes)
	return mac.Sum(nil)
}

// keyID says which key signed, without telling anything about it.
func keyID(key []byte) string {
	sum := sha256.Sum256(append([]byte("carryover key id "), key...))
	return hex.EncodeToString(sum[:4])
}

// verify says why a signature of [Trust.sign] is not believed; the error wraps [ErrSignature].
func (t *Trust) verify(what, program string, e *Epoch, signature string) error {
	return t.check(signature, func(key []byte) []byte { return seal(key, what, program, e) })
}

// check is verify for what sum gives the HMAC of.
func (t *Trust) check(signature string, sum func(key []byte) []byte) error {
	if t.NoSecret != nil {
		return fmt.Errorf("%w: %w", ErrSignature, t.NoSecret)
	}
	if t.Secret == nil {
		return nil
	}
	if signature == "" {
		return fmt.Errorf("%w: it is not signed; it was put there by something else than a carryover of this program, "+
			"or by an older one: \"carryover map publish\" signs it", ErrSignature)
	}
	id, text, _ := strings.Cut(signature, ".")
	got, err := hex.DecodeString(text)
	for _, key := range t.Secret.Keys(secret.Maps) {
		if keyID(key) != id {
			continue
		}
		if err != nil || !hmac.Equal(got, sum(key)) {
			return fmt.Errorf("%w: it was changed after it was signed: \"carryover map publish\" publishes it anew", ErrSignature)
		}
		return nil
	}
	return fmt.Errorf("%w than %s: set %s to one text on all machines of the program, or copy the file %s of the data folder from the "+
		"machine that publishes; where that is this one, \"carryover map publish\" signs the map anew",
		ErrOtherSecret, t.Secret.From(), secret.Variable, secret.FileName)
}

// current says whether a signature is that of the present secret.
func (t *Trust) current(signature string) bool {
	if t.Secret == nil {
		return true
	}
	id, _, _ := strings.Cut(signature, ".")
	return id == keyID(t.Secret.Key(secret.Maps))
}

// allowPolicy says what of a policy, in JSON, the own configuration does not allow: before any
// table is read.
func (t *Trust) allowPolicy(policyJSON string) error {
	var p mapping.Policy
	if err := json.Unmarshal([]byte(policyJSON), &p); err != nil {
		return fmt.Errorf("%w (policy: %w)", ErrChecksum, err)
	}
	return t.allow(p.Program, func(own *mapping.Policy) error { return own.AllowsPolicy(&p) })
}

// allowMap says what a map does that the own configuration does not allow.
func (t *Trust) allowMap(m *mapping.Map) error {
	return t.allow(m.Policy.Program, func(own *mapping.Policy) error { return own.Allows(m) })
}

func (t *Trust) allow(program string, by func(own *mapping.Policy) error) error {
	if t.Program != "" && program != t.Program {
		return fmt.Errorf("%w: it is of the program %q, not of %q", mapping.ErrNotAllowed, program, t.Program)
	}
	if t.Own == nil {
		return nil
	}
	own, err := t.Own()
	if err != nil {
		return fmt.Errorf("what a map may do cannot be read from the configuration: %w", err)
	}
	if err := by(own); err != nil {
		return fmt.Errorf("%w. If it should, put that into the configuration of this machine; "+
			"if not, \"carryover map publish\" publishes what the configuration says", err)
	}
	return nil
}

// LiveRefused says why the live map of s is not believed; empty: it is, or cannot be asked for.
func LiveRefused(ctx context.Context, s Store) string {
	epochs, _ := s.Epochs(ctx)
	for _, e := range epochs {
		if e.Live {
			return e.Refused
		}
	}
	return ""
}

// refuses says whether err is a map that was read and is not believed.
func refuses(err error) bool {
	return errors.Is(err, ErrChecksum) || errors.Is(err, ErrSignature) || errors.Is(err, mapping.ErrNotAllowed)
}
