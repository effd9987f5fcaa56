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
	maxText       = 255 // bytes
	maxTID        = 512 // bytes: the whole value of our cookie
	maxQuantity   = 1_000_000
	maxItems      = 100
	maxClockAhead = 5 * time.Minute // by which the clock of a billing system may be ahead
)

// earliest is the oldest time that is believed of an event: 1990.
const earliest = 631_152_000

// fieldError is a mistake in a field. The message follows the field's name in a sentence.
type fieldError struct{ field, message string }

// reader reads fields of a call and collects all mistakes in them. Every method returns a
// value within bounds: the zero value where the field is not there, or wrong.
type reader struct {
	fields
	prefix string // of names in messages
	now    time.Time
	errs   *[]fieldError
}

// fail adds a mistake in a field.
func (r *reader) fail(name, format string, args ...any) {
	*r.errs = append(*r.errs, fieldError{r.prefix + name, fmt.Sprintf(format, args...)})
}

// lookup finds a field, without blanks around its text. ok is false when it is not there, or
// empty.
func (r *reader) lookup(name string) (v value, ok bool) {
	v, ok = r.fields[name]
	v.text = strings.Trim(v.text, " ")
	return v, ok && v.text != ""
}

// text reads a text of at most max bytes. A whole number is taken for its digits, since ids
// are often sent so.
func (r *reader) text(name string, max int) string {
	v, ok := r.lookup(name)
	switch {
	case !ok:
		return ""
	case v.typ == numberValue && !isWhole(v.text) || v.typ == boolValue || v.typ == compositeValue:
		r.fail(name, "must be text")
	case len(v.text) > max:
		r.fail(name, "must be at most %d bytes long", max)
	case strings.ContainsFunc(v.text, unicode.IsControl):
		r.fail(name, "must have no control characters")
	default:
		return v.text
	}
	return ""
}

// requiredText reads a text that must be there.
func (r *reader) requiredText(name string) string {
	if _, ok := r.lookup(name); !ok {
		r.fail(name, "can't be blank")
	}
	return r.text(name, maxText)
}

// email reads an address as an e-mail key.
func (r *reader) email(name string) string {
	v, ok := r.lookup(name)
	if !ok || strings.TrimSpace(v.text) == "" {
		return ""
	}
	key, ok := terms.EmailKey(v.text)
	switch {
	case !ok || v.typ != textValue:
		r.fail(name, "must be one e-mail address such as \"ann@shop.test\", without blanks or commas in it")
	case len(key) > maxText:
		r.fail(name, "must be at most %d bytes long", maxText)
	case strings.ContainsFunc(key, unicode.IsControl):
		r.fail(name, "must have no control characters")
	default:
		return key
	}
	return ""
}

// number reads a whole number from low to high; whole says what one is. Of a JSON number it
// takes one decimal that is zero, since some languages write 9900.0, but not 99.00.
func (r *reader) number(name string, low, high int64, whole string) (n int64, ok bool) {
	v, given := r.lookup(name)
	if !given {
		return 0, false
	}
	text := v.text
	if v.typ == numberValue {
		text = strings.TrimSuffix(text, ".0")
	}
	switch n, err := strconv.ParseInt(text, 10, 64); {
	case v.typ > numberValue || !isWhole(text):
		r.fail(name, "must be %s", whole)
	case err != nil && text[0] == '-', err == nil && n < low:
		r.fail(name, "must be %d or more", low)
	case err != nil, n > high:
		r.fail(name, "must be at most %d", high)
	default:
		return n, true
	}
	return 0, false
}

// isWhole reports whether text is digits, with or without a minus.
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
		r.fail(name, "must be three letters such as USD")
		return ""
	}
	return strings.ToUpper(text)
}

// timestamp reads a time in RFC 3339, as "2023-03-04 10:00:00" in UTC, or in Unix seconds.
func (r *reader) timestamp(name string) int64 {
	v, ok := r.lookup(name)
	if !ok {
		return 0
	}
	var at int64
	t, err := time.Parse(time.RFC3339, v.text)
	if err != nil {
		t, err = time.Parse(time.DateTime, v.text)
	}
	switch {
	case v.typ <= numberValue && isWhole(v.text):
		at, err = strconv.ParseInt(v.text, 10, 64)
	case v.typ == textValue:
		at = t.Unix()
	}
	switch {
	case err != nil || v.typ > numberValue:
		r.fail(name, "must be a time such as 2023-03-04T10:00:00Z")
	case at < earliest:
		r.fail(name, "must not be before 1990")
	case at > r.now.Add(maxClockAhead).Unix():
		r.fail(name, "must not be in the future (a number is a time in seconds)")
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
		r.fail(name, "must be an IP address")
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

func (r *reader) flag(name string) bool {
	v, ok := r.lookup(name)
	if !ok {
		return false
	}
	switch {
	case v.typ == compositeValue:
	case v.text == "1" || strings.EqualFold(v.text, "true"):
		return true
	case v.text == "0" || strings.EqualFold(v.text, "false"):
		return false
	}
	r.fail(name, "must be true or false")
	return false
}

// items reads the products of a sale.
func (r *reader) items(name string) []Item {
	v, ok := r.lookup(name)
	if !ok {
		return nil
	}
	var list []json.RawMessage
	if v.typ != compositeValue || json.Unmarshal([]byte(v.text), &list) != nil || len(list) == 0 || len(list) > maxItems {
		r.fail(name, "must be a JSON list of 1 to %d products such as [{\"plan\": \"pro\", \"amount\": 9900}]", maxItems)
		return nil
	}
	items := make([]Item, len(list))
	for i, text := range list {
		f, err := readObject(text)
		if err != nil {
			r.fail(name, "must be a list of objects such as {\"plan\": \"pro\", \"amount\": 9900}")
			return nil
		}
		one := reader{f, fmt.Sprintf("%s[%d].", name, i), r.now, r.errs}
		items[i].Plan = one.requiredText("plan")
		amount, ok := one.amount("amount")
		if _, given := one.lookup("amount"); !ok && !given {
			one.fail("amount", "can't be blank")
		}
		items[i].Amount, items[i].Quantity = amount, one.quantity("quantity")
	}
	return items
}
