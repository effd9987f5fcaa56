package sheet

import (
	"bytes"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Reasons why a row is rejected.
const (
	BadID             = "bad_id"
	MissingValue      = "missing_value"
	BadMoney          = "bad_money"
	BadDate           = "bad_date"
	TooManyCells      = "too_many_cells"
	UnknownPartner    = "unknown_partner"
	UnknownContact    = "unknown_contact"
	UnsafeDestination = "unsafe_destination"
)

// CellError says why one cell cannot be read: a reason for machines and a sentence
// for people. It never holds the cell itself.
type CellError struct{ Reason, Hint string }

func (e *CellError) Error() string { return e.Reason + ": " + e.Hint }

// Key is what headers compare by: lower-case ASCII letters and digits, all else dropped.
func Key(header string) string {
	var b strings.Builder
	for i := 0; i < len(header); i++ {
		switch c := header[i]; {
		case 'A' <= c && c <= 'Z':
			b.WriteByte(c + 'a' - 'A')
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Clean returns a cell's text as it is read: without surrounding blanks and without
// what spreadsheets put around it, a leading apostrophe or ="...".
func Clean(s string) string { return string(clean([]byte(s))) }

func clean(b []byte) []byte {
	b = trim(b)
	if len(b) > 0 && b[0] == '\'' {
		b = trim(b[1:])
	}
	if len(b) >= 3 && b[0] == '=' && b[1] == '"' && b[len(b)-1] == '"' {
		b = trim(b[2 : len(b)-1])
		if bytes.Contains(b, []byte(`""`)) {
			b = bytes.ReplaceAll(b, []byte(`""`), []byte(`"`))
		}
		if len(b) > 0 && b[0] == '\'' {
			b = trim(b[1:])
		}
	}
	return b
}

// trim cuts Unicode blanks and zero-width marks off both ends. A lone byte 0xA0 is
// the no-break space of Windows-1252, met before the encoding is known.
func trim(b []byte) []byte {
	for len(b) > 0 {
		if c := b[0]; c > ' ' && c < 0x7f {
			break
		}
		r, n := utf8.DecodeRune(b)
		if !isBlankRune(r, b[0], n) {
			break
		}
		b = b[n:]
	}
	for len(b) > 0 {
		if c := b[len(b)-1]; c > ' ' && c < 0x7f {
			break
		}
		r, n := utf8.DecodeLastRune(b)
		if !isBlankRune(r, b[len(b)-1], n) {
			break
		}
		b = b[:len(b)-n]
	}
	return b
}

func isBlankRune(r rune, c byte, n int) bool {
	return unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' || n == 1 && c == 0xA0
}

// ID is a number that names something: digits only, leading zeros do not count.
// A blank cell has Valid false.
type ID struct {
	Number int64
	Valid  bool
}

// UnmarshalCSV reads a cell. Its error is a [CellError] with the reason bad_id.
func (id *ID) UnmarshalCSV(s string) (err error) {
	*id, err = readID(s)
	return err
}

var (
	errBadID error = &CellError{BadID, "an id is digits only; a spreadsheet may have changed it, so copy it from the " +
		"original and keep the column as text"}
	errLongID error = &CellError{BadID, "the id is longer than any that was issued"}
)

func readID[S string | []byte](s S) (ID, error) {
	n := int64(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < '0' || c > '9' {
			return ID{}, errBadID
		}
		d := int64(c - '0')
		if n > (math.MaxInt64-d)/10 {
			return ID{}, errLongID
		}
		n = n*10 + d
	}
	return ID{Number: n, Valid: len(s) > 0}, nil
}

// Date is a cell of a date column. A blank cell, or 0000-00-00, has Valid false.
type Date struct {
	Time  time.Time // in UTC; a date without a zone was read in the zone of [Options]
	Clock bool      // the cell named a time of day as well
	Valid bool
}

// readDateCell reads a cell of a column whose order is known.
func readDateCell(s string, order Order, loc *time.Location) (Date, error) {
	t, kind, err := ParseDate(s, order, loc)
	if err != nil {
		return Date{}, err
	}
	return Date{Time: t.UTC(), Clock: kind == DateTime, Valid: kind != NoDate}, nil
}
