package track

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"

	"carryover/mapping/terms"
)

// Bounds of single fields.
const (
	maxText     = 255 // bytes
	maxTID      = 512 // bytes: the whole value of our cookie
	maxQuantity = 1_000_000
	maxItems    = 100
	maxAhead    = 5 * time.Minute // that another clock may be fast
)

// earliest is before any event that a billing system tells: 1990.
const earliest = 631_152_000

// wrong is what is the matter with a field. Message goes on where the field's name ends.
type wrong struct{ field, message string }

// reader reads fields of a call and notes all that is wrong with them. Every read gives a
// value within bounds, the zero value where there is none or a wrong one.
type reader struct {
	fields
	prefix string // before names in messages
	now    time.Time
	wrong  *[]wrong
}

func (r *reader) say(name, format string, args ...any) {
	*r.wrong = append(*r.wrong, wrong{r.prefix + name, fmt.Sprintf(format, args...)})
}

// given is a field's text without blanks around it. ok is false when the field is not
// there, empty, or neither text nor a number.
func (r *reader) given(name string) (v value, ok bool) {
	v, ok = r.fields[name]
	v.text = strings.Trim(v.text, " ")
	return v, ok && v.text != ""
}

// text reads a text of at most max bytes. A whole number is taken for its digits: ids are
// often sent so.
func (r *reader) text(name string, max int) string {
	v, ok := r.given(name)
	switch {
	case !ok:
		return ""
	case v.is == isNumber && !isWhole(v.text) || v.is == isBool || v.is == isOther:
		r.say(name, "must be text")
	case len(v.text) > max:
		r.say(name, "must be at most %d bytes long", max)
	case strings.ContainsFunc(v.text, unicode.IsControl):
		r.say(name, "must have no control characters")
	default:
		return v.text
	}
	return ""
}

// needed is a text that must be there.
func (r *reader) needed(name string) string {
	if _, ok := r.given(name); !ok {
		r.say(name, "can't be blank")
	}
	return r.text(name, maxText)
}

func (r *reader) email(name string) string {
	v, ok := r.given(name)
	if !ok || strings.TrimSpace(v.text) == "" {
		return ""
	}
	key, ok := terms.EmailKey(v.text)
	switch {
	case !ok || v.is != isText:
		r.say(name, "must be one e-mail address such as \"ann@shop.test\", without blanks or commas in it")
	case len(key) > maxText:
		r.say(name, "must be at most %d bytes long", maxText)
	case strings.ContainsFunc(key, unicode.IsControl):
		r.say(name, "must have no control characters")
	default:
		return key
	}
	return ""
}

// number reads a whole number from low to high. One decimal that is zero is believed of a
// JSON number, since some languages write 9900.0; what looks like 99.00 is not.
func (r *reader) number(name string, low, high int64, whole string) (n int64, ok bool) {
	v, given := r.given(name)
	if !given {
		return 0, false
	}
	text := v.text
	if v.is == isNumber {
		text = strings.TrimSuffix(text, ".0")
	}
	switch n, err := strconv.ParseInt(text, 10, 64); {
	case v.is > isNumber || !isWhole(text):
		r.say(name, "must be %s", whole)
	case err != nil && text[0] == '-', err == nil && n < low:
		r.say(name, "must be %d or more", low)
	case err != nil, n > high:
		r.say(name, "must be at most %d", high)
	default:
		return n, true
	}
	return 0, false
}

// isWhole says whether text is digits, with or without a minus.
func isWhole(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

func (r *reader) amount(name string) (int64, bool) {
	return r.number(name, 0, MaxAmount, "a whole number of cents, such as 9900 for 99.00")
}

func (r *reader) quantity(name string) int64 {
	n, _ := r.number(name, 1, maxQuantity, "a whole number")
	return n
}

func (r *reader) currency(name string) string {
	text := r.text(name, maxText)
	if text == "" {
		return ""
	}
	if len(text) != 3 || strings.ContainsFunc(text, func(c rune) bool { return c > unicode.MaxASCII || !unicode.IsLetter(c) }) {
		r.say(name, "must be three letters such as USD")
		return ""
	}
	return strings.ToUpper(text)
}

// moment reads a time as RFC 3339, as "2023-03-04 10:00:00" in UTC, or in Unix seconds.
func (r *reader) moment(name string) int64 {
	v, ok := r.given(name)
	if !ok {
		return 0
	}
	var at int64
	t, err := time.Parse(time.RFC3339, v.text)
	if err != nil {
		t, err = time.Parse(time.DateTime, v.text)
	}
	switch {
	case v.is <= isNumber && isWhole(v.text):
		at, err = strconv.ParseInt(v.text, 10, 64)
	case v.is == isText:
		at = t.Unix()
	}
	switch {
	case err != nil || v.is > isNumber:
		r.say(name, "must be a time such as 2023-03-04T10:00:00Z")
	case at < earliest:
		r.say(name, "must not be before 1990")
	case at > r.now.Add(maxAhead).Unix():
		r.say(name, "must not be in the future (a number is a time in seconds)")
	default:
		return at
	}
	return 0
}

func (r *reader) address(name string) netip.Addr {
	text := r.text(name, maxText)
	if text == "" {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		r.say(name, "must be an IP address")
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

func (r *reader) flag(name string) bool {
	v, ok := r.given(name)
	if !ok {
		return false
	}
	switch {
	case v.is == isOther:
	case v.text == "1" || strings.EqualFold(v.text, "true"):
		return true
	case v.text == "0" || strings.EqualFold(v.text, "false"):
		return false
	}
	r.say(name, "must be true or false")
	return false
}

// items reads the products of a sale.
func (r *reader) items(name string) []Item {
	v, ok := r.given(name)
	if !ok {
		return nil
	}
	var list []json.RawMessage
	if v.is != isOther || json.Unmarshal([]byte(v.text), &list) != nil || len(list) == 0 || len(list) > maxItems {
		r.say(name, "must be a JSON list of 1 to %d products such as [{\"plan\": \"pro\", \"amount\": 9900}]", maxItems)
		return nil
	}
	items := make([]Item, len(list))
	for i, text := range list {
		f, err := readObject(text)
		if err != nil {
			r.say(name, "must be a list of objects such as {\"plan\": \"pro\", \"amount\": 9900}")
			return nil
		}
		one := reader{f, fmt.Sprintf("%s[%d].", name, i), r.now, r.wrong}
		items[i].Plan = one.needed("plan")
		amount, ok := one.amount("amount")
		if _, given := one.given("amount"); !ok && !given {
			one.say("amount", "can't be blank")
		}
		items[i].Amount, items[i].Quantity = amount, one.quantity("quantity")
	}
	return items
}
