package click

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
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

// Keyring signs marks with its first key and believes those of any key. Safe for
// concurrent use.
type Keyring struct{ keys []signingKey }

type signingKey struct {
	id     string // says which key signed, without telling anything about it
	secret []byte
}

// NewKeyring makes a keyring; to change the key, put a new one before the old ones, and
// leave these for as long as their cookies should count.
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

// LoadKeyring reads the keys of the file at path, one in hex a line, the one that signs
// first. A missing file is made with a random key, readable by its owner alone.
func LoadKeyring(path string) (*Keyring, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(hex.EncodeToString(randomBytes(32)) + "\n")
		var f *os.File
		if f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			_, err = f.Write(text)
			err = errors.Join(err, f.Sync(), f.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the key of the cookie: %w", err)
	}
	var keys [][]byte
	for n, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		key, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: a key is written in hex", path, n+1)
		}
		keys = append(keys, key)
	}
	k, err := NewKeyring(keys...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
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
	cut := strings.LastIndexByte(value, '.')
	if cut < 0 || len(value) > maxCookie {
		return Mark{}, false
	}
	head := value[:cut]
	sum, err := base64.RawURLEncoding.Strict().DecodeString(value[cut+1:])
	if err != nil {
		return Mark{}, false
	}
	parts := strings.Split(head, ".")
	if len(parts) != 3 || parts[0] != "1" && parts[0] != "2" || !k.signed(parts[1], head, sum) {
		return Mark{}, false
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return Mark{}, false
	}
	fields := strings.Split(string(body), "\n")
	if parts[0] == "1" && len(fields) != 3 || parts[0] == "2" && len(fields) != 6 {
		return Mark{}, false
	}
	if m.Visit, ok = parseVisit(fields[:3]); ok && parts[0] == "2" {
		m.First, ok = parseVisit(fields[3:])
	}
	if !ok {
		return Mark{}, false
	}
	return m, true
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

func (k *Keyring) signed(id, head string, sum []byte) bool {
	for _, key := range k.keys {
		if key.id == id {
			return hmac.Equal(sum, key.sum(head))
		}
	}
	return false
}

// sum is 16 bytes of HMAC-SHA256: more than anybody can guess, less to carry.
func (k signingKey) sum(head string) []byte {
	mac := hmac.New(sha256.New, k.secret)
	mac.Write([]byte(CookieName + "\x00" + head))
	return mac.Sum(nil)[:16]
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return b
}
