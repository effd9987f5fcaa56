package track

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"carryover/mapping/terms"
)

// Bounds of single fields.
const (
	maxText     = 255 // bytes
	maxTID      = 512 // bytes: the whole value of our cookie
	maxQuantity = 1_000_000
	maxItems    = 100
)

// fieldError is a mistake in a field. The message follows the field's name in a sentence.
type fieldError struct{ field, message string }

// reader reads fields of a call and collects all mistakes in them. Every method returns a
// value within bounds: the zero value where the field is not there, or wrong.
type reader struct {
	fields
	prefix   string // of names in messages
	clock    clock
	errs     *[]fieldError
	warnings *[]fieldError
	hint     bool // a wrong field is left out
}

// hints reads fields that a call does not need: one that is wrong is warned of, and counts as
// not given.
func (r *reader) hints() *reader {
	h := *r
	h.errs, h.hint = r.warnings, true
	return &h
}

// leftOut ends the message about a field that the call does without.
const leftOut = ": it was left out"

// fail adds a mistake in a field.
func (r *reader) fail(name, format string, args ...any) {
	if r.hint {
		format += leftOut
	}
	*r.errs = append(*r.errs, fieldError{r.prefix + name, fmt.Sprintf(format, args...)})
}

// nothings are texts that programs write where they have nothing to write.
var nothings = []string{"undefined", "null", "NaN", "None", "nil", "[object Object]"}

// lookup finds a field, without blanks around its text. ok is false when it is not there, empty,
// or says that its sender had nothing: an id of "undefined" would be everybody's.
func (r *reader) lookup(name string) (v value, ok bool) {
	v, ok = r.fields[name]
	v.text = strings.Trim(v.text, " ")
	return v, ok && v.text != "" && !(v.typ == textValue && slices.Contains(nothings, v.text))
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
	case v.broken:
		r.fail(name, "must have no half characters")
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
	case !ok || v.typ != textValue || v.broken:
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

// plan reads a product, on which the share of the payment hangs: it is never left out, nor does
// it refuse a payment. What is no text is taken as it is written, and what is too long is cut.
func (r *reader) plan(name string) string {
	v, ok := r.lookup(name)
	if !ok {
		return ""
	}
	text := v.text
	if strings.ContainsFunc(text, unicode.IsControl) {
		text = strings.Join(strings.FieldsFunc(text, func(c rune) bool { return unicode.IsControl(c) || unicode.IsSpace(c) }), " ")
	}
	if len(text) > maxText {
		text = strings.TrimRight(strings.ToValidUTF8(text[:maxText], ""), " ")
	}
	if text != v.text || v.typ > numberValue {
		const message = "must be text of at most %d bytes without control characters: it was read as %q"
		*r.warnings = append(*r.warnings, fieldError{r.prefix + name, fmt.Sprintf(message, maxText, text)})
	}
	return text
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
	if v.typ <= numberValue {
		text = roundNoise(text)
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

// roundNoise is the whole number that a binary fraction has just missed: 19.99 * 100 is
// 1998.9999999999998 in most languages. Any other text stays as it is.
func roundNoise(text string) string {
	const noise = 1e-6
	whole, fraction, _ := strings.Cut(text, ".")
	if len(fraction) < 7 || len(text) > 24 || !isWhole(whole) || !isWhole("0"+fraction) || strings.Trim(fraction, "0") == "" {
		return text
	}
	n, err := strconv.ParseFloat(text, 64)
	if rounded := math.Round(n); err == nil && math.Abs(n-rounded) < noise {
		return strconv.FormatFloat(rounded, 'f', 0, 64)
	}
	return text
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

func (r *reader) flag(name string) bool {
	v, ok := r.lookup(name)
	if !ok {
		return false
	}
	switch {
	case v.typ == compositeValue:
	case slices.Contains([]string{"1", "true", "yes", "y", "on", "t"}, strings.ToLower(v.text)):
		return true
	case slices.Contains([]string{"0", "false", "no", "n", "off", "f"}, strings.ToLower(v.text)):
		return false
	}
	r.fail(name, "must be true or false")
	return false
}

// isEmptyList reports whether a value is a list or an object of nothing.
func isEmptyList(v value) bool {
	text := strings.Join(strings.Fields(v.text), "")
	return v.typ == compositeValue && (text == "[]" || text == "{}")
}

// items reads the products of a sale.
func (r *reader) items(name string) []Item {
	v, ok := r.lookup(name)
	if !ok {
		return nil
	}
	if isEmptyList(v) { // there is nothing that could be read wrongly
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
		one := reader{f, fmt.Sprintf("%s[%d].", name, i), r.clock, r.errs, r.warnings, false}
		items[i].Plan = one.requiredText("plan")
		amount, ok := one.amount("amount")
		if _, given := one.lookup("amount"); !ok && !given {
			one.fail("amount", "can't be blank")
		}
		items[i].Amount, items[i].Quantity = amount, one.hints().quantity("quantity")
	}
	return items
}
