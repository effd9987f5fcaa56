package track

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Origin is where a call came from.
type Origin struct {
	Caller string // fingerprint of the key, see [Keys.Fingerprint]; empty: not known
	Path   string
	V1     bool // told to version 1 of the API
}

// knownFields are the fields that calls have. Of a body nothing else is kept: it may hold
// anything. The customer's network address is kept as a hash only.
var knownFields = []string{
	"email", "uid", "event_id", "amount", "currency", "quantity", "plan", "items", "tid", "ref_id", "promoter_id", "promoter_email",
	"promo_code", "sale_event_id", "created_at", "skip_email_notification",
}

// Bounds of what is kept of what is no call, in bytes.
const (
	maxKeptField = 2048
	maxKeptBody  = 2048
)

// newRefusal makes the record of something that was refused, without its body.
func newRefusal(o Origin, kind string, status int, reason string, now int64) *book.RefusedEvent {
	return &book.RefusedEvent{
		At: now, LastAt: now, Times: 1, Status: int64(status), Reason: reason, Caller: o.Caller, Path: cut(o.Path), Kind: kind,
		State: book.RefusedOpen,
	}
}

// keepFields keeps the known fields of a body, as they came.
func keepFields(e *book.RefusedEvent, f fields) {
	kept, whole := map[string]json.RawMessage{}, e.Kind != ""
	for _, name := range knownFields {
		v, ok := f[name]
		switch {
		case !ok:
		case len(v.text) > maxKeptField:
			whole = false
		case v.typ == textValue:
			kept[name] = jsonOf(v.text)
		default:
			kept[name] = json.RawMessage(v.text)
		}
	}
	key, _ := terms.EmailKey(f["email"].text)
	setBody(e, string(jsonOf(kept)), whole)
	e.ExternalID, e.UID, e.Email = cut(f["event_id"].text), cut(f["uid"].text), cut(key)
}

// keepCall keeps a call that was understood, in the words of the API.
func keepCall(e *book.RefusedEvent, c *Call, zone *time.Location) {
	type item struct {
		Plan     string `json:"plan"`
		Amount   int64  `json:"amount"`
		Quantity int64  `json:"quantity,omitempty"`
	}
	var items []item
	for _, i := range c.Items {
		items = append(items, item(i))
	}
	var amount *int64
	if c.Kind == book.EventSale || c.Kind == book.EventRefund {
		amount = &c.Amount
	}
	var at any
	if at = c.CreatedAt; c.CreatedAt == 0 {
		at = nil
	} else if c.OnDay {
		at = time.Unix(c.CreatedAt, 0).In(zone).Format(time.DateOnly)
	}
	body := jsonOf(struct {
		Email         string `json:"email,omitempty"`
		UID           string `json:"uid,omitempty"`
		EventID       string `json:"event_id,omitempty"`
		Amount        *int64 `json:"amount,omitempty"`
		Currency      string `json:"currency,omitempty"`
		Quantity      int64  `json:"quantity,omitempty"`
		Plan          string `json:"plan,omitempty"`
		Items         []item `json:"items,omitempty"`
		TID           string `json:"tid,omitempty"`
		RefID         string `json:"ref_id,omitempty"`
		PromoterID    string `json:"promoter_id,omitempty"`
		PromoterEmail string `json:"promoter_email,omitempty"`
		PromoCode     string `json:"promo_code,omitempty"`
		SaleEventID   string `json:"sale_event_id,omitempty"`
		CreatedAt     any    `json:"created_at,omitempty"`
		SkipEmail     bool   `json:"skip_email_notification,omitempty"`
	}{c.Email, c.UID, c.EventID, amount, c.Currency, c.Quantity, c.Plan, items, c.TID, c.RefID, c.PromoterID, c.PromoterEmail, c.PromoCode,
		c.SaleEventID, at, c.SkipEmail})
	setBody(e, string(body), true)
	e.ExternalID, e.Email, e.UID = c.EventID, c.Email, c.UID
}

// keepText keeps the beginning of a body that is no call, with what looks like a secret masked.
func keepText(e *book.RefusedEvent, body string) {
	text := body
	if len(text) > maxKeptBody {
		text = text[:maxKeptBody]
	}
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "\ufffd"))
	setBody(e, maskSecrets(text), false)
}

// setBody sets what is kept of a body, and the name of what was told: the same again is the same
// event, whatever it is answered and however its path is written.
func setBody(e *book.RefusedEvent, body string, whole bool) {
	e.Body, e.Whole = body, whole
	what := e.Kind
	if what == "" {
		what = e.Path
	}
	sum := sha256.Sum256([]byte(what + "\x00" + body))
	e.Digest = hex.EncodeToString(sum[:16])
}

var (
	secretNames = regexp.MustCompile(
		`(?i)([\w-]*(?:passw|kennwort|secret|token|api[_-]?key|auth|card|cvv|cvc|ssn|iban|account[_-]?n|routing|\bpin\b)[\w -]*["']?\s*[:=>]\s*)` +
			`("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,&;}<]+)`)
	longNumbers = regexp.MustCompile(`\d(?:[ -]?\d){11,}`)
)

// maskSecrets replaces the values of what is named like a secret, and numbers as long as those of
// cards.
func maskSecrets(text string) string {
	return longNumbers.ReplaceAllString(secretNames.ReplaceAllString(text, "${1}***"), "***")
}

func jsonOf(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic("BUG: " + err.Error()) // texts, numbers and JSON can be written
	}
	return text
}

// cut is a text of at most maxText bytes.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "")
}

// readRefused makes a call of a refused event, dated when it was told first unless it says when
// it happened. wrong says why it cannot be told again.
func (s *Service) readRefused(e *book.RefusedEvent) (c *Call, wrong string) {
	if !e.Whole {
		return nil, "only a part of it was kept: send it again"
	}
	f, err := readObject([]byte(e.Body))
	if err != nil {
		return nil, "what was kept of it cannot be read: send it again"
	}
	c, mistakes := readCall(e.Kind, f, clock{time.Unix(e.At, 0), s.o.Zone})
	if len(mistakes) > 0 {
		return nil, newValidationResponse(mistakes).Message
	}
	if c.CreatedAt == 0 {
		c.CreatedAt = e.At
	}
	return c, ""
}
