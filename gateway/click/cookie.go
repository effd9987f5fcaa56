package click

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"carryover/mapping/book"
)

// CookieName is the gateway's own cookie. FirstPromoter's _fprom_* are never written:
// when one is there before its script runs, the script loses the sale.
const CookieName = "carryover_click"

// maxCookie bounds the cookie's value, in bytes.
const maxCookie = 512

// Mark is what the cookie holds: the last credited click of this browser, and its first.
type Mark struct {
	Visit
	First Visit // zero: the last is the first
}

// Visit is a credited click.
type Visit struct {
	Token string       // ref token of the promoter
	Click book.ClickID // zero when the click could not be recorded
	At    time.Time    // second precision
}

// WithVisit is the mark after one more credited click.
func (m Mark) WithVisit(v Visit) Mark {
	switch {
	case m.Token == "":
		return Mark{Visit: v}
	case m.First.Token == "":
		return Mark{v, m.Visit}
	}
	return Mark{v, m.First}
}

// NewerThan reports whether v was made after o: by the second, and within one by the number that
// one gateway gave to its clicks. Of two that cannot be told apart neither is newer.
func (v Visit) NewerThan(o Visit) bool {
	if !v.At.Equal(o.At) {
		return v.At.After(o.At)
	}
	return v.Click.Node == o.Click.Node && v.Click.Seq > o.Click.Seq
}

// Why a value is not believed; [Keyring.Read] wraps one.
var (
	// ErrNoMark: the value is none that a gateway gives, or was cut or changed on its way.
	ErrNoMark = errors.New("it is no cookie of a gateway, or was changed on its way")

	// ErrUnknownKey: the value has the form of a gateway's, and was signed with a key that is not
	// on the ring. That is no fault of whoever brings it: two machines do not share the secret, or
	// it was changed without leaving the former one beside.
	ErrUnknownKey = errors.New("the cookie's signature is unknown: it was signed with another secret than this gateway's")
)

// Keyring signs marks with its first key and believes those of any key. Safe for
// concurrent use.
type Keyring struct{ keys []signingKey }

type signingKey struct {
	id     string // says which key signed, without telling anything about it
	secret []byte
}

// NewKeyring makes a keyring of keys of at least 16 bytes, such as those that the program's
// secret gives for a purpose: the one that signs, then those that are believed besides.
func NewKeyring(keys ...[]byte) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("there is no key to sign cookies with")
	}
	k := &Keyring{}
	for _, secret := range keys {
		if len(secret) < 16 {
			return nil, errors.New("a key that signs cookies needs at least 16 bytes")
		}
		sum := sha256.Sum256(append([]byte("carryover cookie key id\x00"), secret...))
		k.keys = append(k.keys, signingKey{hex.EncodeToString(sum[:3]), bytes.Clone(secret)})
	}
	return k, nil
}

// Sign gives the cookie's value, "1.<key id>.<mark>.<signature>", or "2.…" when the mark
// tells of a first click too; at most 512 bytes. A first click that does not fit is left
// out. It is empty when the last one does not (a cookie that is cut names somebody else).
func (k *Keyring) Sign(m Mark) string {
	if strings.Contains(m.Token, "\n") {
		return ""
	}
	if m.First.Token != "" && !strings.Contains(m.First.Token, "\n") {
		if value := k.sign("2", m.Visit.text()+"\n"+m.First.text()); len(value) <= maxCookie {
			return value
		}
	}
	if value := k.sign("1", m.Visit.text()); len(value) <= maxCookie {
		return value
	}
	return ""
}

func (k *Keyring) sign(version, body string) string {
	head := version + "." + k.keys[0].id + "." + base64.RawURLEncoding.EncodeToString([]byte(body))
	return head + "." + base64.RawURLEncoding.EncodeToString(k.keys[0].sum(head))
}

func (v Visit) text() string {
	return v.Token + "\n" + v.Click.String() + "\n" + strconv.FormatInt(v.At.Unix(), 10)
}

// Verify reads a value that [Keyring.Sign] gave. ok is false for anything else.
func (k *Keyring) Verify(value string) (m Mark, ok bool) {
	m, err := k.Read(value)
	return m, err == nil
}

// Read is [Keyring.Verify] that says why: [ErrNoMark] or [ErrUnknownKey].
func (k *Keyring) Read(value string) (Mark, error) {
	cut := strings.LastIndexByte(value, '.')
	if cut < 0 || len(value) > maxCookie {
		return Mark{}, ErrNoMark
	}
	head := value[:cut]
	sum, err := base64.RawURLEncoding.Strict().DecodeString(value[cut+1:])
	if err != nil || len(sum) != signatureSize {
		return Mark{}, ErrNoMark
	}
	parts := strings.Split(head, ".")
	if len(parts) != 3 || parts[0] != "1" && parts[0] != "2" {
		return Mark{}, ErrNoMark
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return Mark{}, ErrNoMark
	}
	fields := strings.Split(string(body), "\n")
	if parts[0] == "1" && len(fields) != 3 || parts[0] == "2" && len(fields) != 6 {
		return Mark{}, ErrNoMark
	}
	var m Mark
	ok := false
	if m.Visit, ok = parseVisit(fields[:3]); ok && parts[0] == "2" {
		m.First, ok = parseVisit(fields[3:])
	}
	if !ok {
		return Mark{}, ErrNoMark
	}
	switch key := k.find(parts[1]); {
	case key == nil && isKeyID(parts[1]):
		return Mark{}, ErrUnknownKey
	case key == nil || !hmac.Equal(sum, key.sum(head)):
		return Mark{}, ErrNoMark
	}
	return m, nil
}

// parseVisit reads what text gives, cut into lines.
func parseVisit(fields []string) (v Visit, ok bool) {
	at, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return Visit{}, false
	}
	id, err := book.ParseClickID(fields[1])
	if err != nil && fields[1] != "" {
		return Visit{}, false
	}
	return Visit{Token: fields[0], Click: id, At: time.Unix(at, 0).UTC()}, true
}

func (k *Keyring) find(id string) *signingKey {
	for i := range k.keys {
		if k.keys[i].id == id {
			return &k.keys[i]
		}
	}
	return nil
}

// isKeyID says whether id has the form that NewKeyring gives.
func isKeyID(id string) bool {
	raw, err := hex.DecodeString(id)
	return err == nil && len(raw) == 3
}

// signatureSize is 16 bytes of HMAC-SHA256: more than anybody can guess, less to carry.
const signatureSize = 16

func (k signingKey) sum(head string) []byte {
	mac := hmac.New(sha256.New, k.secret)
	mac.Write([]byte(CookieName + "\x00" + head))
	return mac.Sum(nil)[:signatureSize]
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return b
}
