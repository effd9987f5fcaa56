package sheet

import (
	"math"
	"strings"
	"unicode/utf8"
)

// NumberFormat is which mark stands before the decimals of the amounts of a column. The other
// mark, a blank or an apostrophe may part the thousands.
type NumberFormat uint8

const (
	eitherFormat NumberFormat = iota // of a text without a column: only what cannot mean two things
	DecimalPoint                     // 1,234.50  1 234.50  1'234.50
	DecimalComma                     // 1.234,50  1 234,50  1'234,50
)

// String returns the name that config, decisions and reports use.
func (f NumberFormat) String() string {
	if f == DecimalComma {
		return "decimal_comma"
	}
	return "decimal_point"
}

// groupMark returns what s begins with when that can stand between groups of digits, and its
// length in bytes: a dot, a comma, ' ' for a blank of any width, '\” for an apostrophe of any
// shape; 0 for anything else.
func groupMark(s string) (mark byte, size int) {
	switch c := s[0]; {
	case c == '.' || c == ',' || c == ' ' || c == '\'':
		return c, 1
	case c < utf8.RuneSelf:
		return 0, 0
	}
	switch r, size := utf8.DecodeRuneInString(s); r {
	case '\u00a0', '\u2007', '\u2008', '\u2009', '\u200a', '\u202f', '\u205f':
		return ' ', size
	case '\u2018', '\u2019', '\u02bc', '\u2032', '\u00b4':
		return '\'', size
	}
	return 0, 0
}

// minorUnits reads digits with marks between them.
func (f NumberFormat) minorUnits(s string, decimals int) (int64, error) {
	either := f == eitherFormat
	if either {
		f = formatOf(s)
	}
	whole, fraction := s, ""
	point := byte('.')
	if f == DecimalComma {
		point = ','
	}
	if i := strings.IndexByte(s, point); i >= 0 {
		if whole, fraction = s[:i], s[i+1:]; fraction == "" || !allDigits(fraction) {
			return 0, errBadMoney
		}
	}
	n, err := wholeUnits(whole)
	switch {
	case err != nil:
		return 0, err
	case len(fraction) > decimals:
		return 0, errTooManyDecimals
	case either && f == DecimalComma && len(fraction) != decimals:
		return 0, errBadMoney
	}
	for i := range decimals {
		digit := uint64(0)
		if i < len(fraction) {
			digit = uint64(fraction[i] - '0')
		}
		if n > (math.MaxInt64-digit)/10 {
			return 0, errTooLarge
		}
		n = n*10 + digit
	}
	if n > math.MaxInt64 {
		return 0, errTooLarge
	}
	return int64(n), nil
}

// wholeUnits reads the part before the decimals: digits, or groups of three with one kind of
// mark between them, of which the first may be shorter and does not begin with a zero.
func wholeUnits(s string) (uint64, error) {
	n, digits, group := uint64(0), 0, byte(0)
	for i := 0; i < len(s); {
		if c := s[i]; '0' <= c && c <= '9' {
			if n > math.MaxInt64/10 {
				return 0, errTooLarge
			}
			n = n*10 + uint64(c-'0')
			digits++
			i++
			continue
		}
		mark, size := groupMark(s[i:])
		switch {
		case group == 0 && (digits == 0 || digits > 3 || s[0] == '0'), group != 0 && (mark != group || digits != 3):
			return 0, errBadMoney
		}
		digits, group = 0, mark
		i += size
	}
	if group != 0 && digits != 3 {
		return 0, errBadMoney
	}
	return n, nil
}

// formatOf is the format of a number that no column stands behind: the decimals come after
// a dot, unless another mark is before a comma.
func formatOf(s string) NumberFormat {
	comma := strings.IndexByte(s, ',')
	if comma < 0 {
		return DecimalPoint
	}
	for i := 0; i < comma; i++ {
		if s[i] < '0' || s[i] > '9' {
			return DecimalComma
		}
	}
	return DecimalPoint
}

// NumberColumn is what the cells of one column of amounts say about its format.
type NumberColumn struct {
	Field  string
	Header string // as written in the file

	PointOnly int // cells that cannot be a number with a decimal comma
	CommaOnly int // cells that cannot be a number with a decimal point
	// Cells that have too many decimals for their currency one way and are whole thousands
	// the other: 1,234 and 1.234 in a currency with two.
	PointThousands, CommaThousands int
	Ambiguous                      int // cells that are two different amounts

	Line  int    // of the first cell that the default format, the decimal point, does not read; 0 for none
	Value string // its text

	Fits    NumberFormat // that of more of the cells
	Format  NumberFormat // in which the column is read
	Asked   bool         // the cells do not settle the format, and the config does not either
	Decided bool         // a person has settled it
}

// NeedsDecision says whether a person must confirm the format: nobody has, and the cells
// read both ways, or some need the one and as many or more the other. Until then the column is
// read in the format that fits more of them.
func (c *NumberColumn) NeedsDecision() bool { return c.Asked && !c.Decided }

// observe counts one cell, in a program whose currency is own. Its bytes may be of any encoding.
func (c *NumberColumn) observe(line int, cell []byte, own string) {
	last, dots, commas, after, plain := byte(0), 0, 0, 0, true
	for _, b := range cell {
		switch {
		case '0' <= b && b <= '9':
			after++
			continue
		case b == '.':
			dots++
			last, after = b, 0
		case b == ',':
			commas++
			last, after = b, 0
		case b == '$' || b == '(' || b == ')' || b == '-' || b == ' ':
		default:
			plain = false
		}
	}
	switch {
	case last == 0: // whole units say nothing
	case plain && last == '.' && dots == 1 && (after == 1 || after == 2):
		c.PointOnly++ // nearly all cells of nearly all files
	default:
		c.compare(line, decodeCell(cell), own)
	}
}

// compare reads a cell both ways.
func (c *NumberColumn) compare(line int, cell, own string) {
	point, pointErr := DecimalPoint.ParseAmount(cell, own)
	comma, commaErr := DecimalComma.ParseAmount(cell, own)
	switch {
	case pointErr == nil && commaErr == nil:
		if point == comma {
			return
		}
		c.Ambiguous++
	case pointErr == nil && commaErr == errTooManyDecimals:
		c.PointThousands++
		return
	case pointErr == nil:
		c.PointOnly++
		return
	case commaErr == nil && pointErr == errTooManyDecimals:
		c.CommaThousands++
	case commaErr == nil:
		c.CommaOnly++
	default:
		return
	}
	if c.Line == 0 {
		c.Line, c.Value = line, cell
	}
}

// decide settles the format: what the config says of all files, else the cells, else what was
// decided about this one.
func (c *NumberColumn) decide(config, decision string) {
	c.Format = DecimalPoint
	fitsComma := c.CommaOnly > c.PointOnly || c.CommaOnly == c.PointOnly && c.CommaThousands > c.PointThousands
	if fitsComma {
		c.Format = DecimalComma
	}
	c.Fits = c.Format
	switch {
	case config == DecimalPoint.String():
		c.Format = DecimalPoint
		return
	case config == DecimalComma.String():
		c.Format = DecimalComma
		return
	case c.PointOnly > 0 && c.CommaOnly > 0: // no format fits all
		c.Asked = fitsComma || c.CommaOnly == c.PointOnly || c.Ambiguous > 0
	case c.PointOnly == 0 && c.CommaOnly == 0:
		c.Asked = c.CommaThousands > 0 || c.Ambiguous > 0
	}
	if !c.Asked {
		return
	}
	switch decision {
	case DecimalPoint.String():
		c.Format, c.Decided = DecimalPoint, true
	case DecimalComma.String():
		c.Format, c.Decided = DecimalComma, true
	}
}
