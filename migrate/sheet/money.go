package sheet

import (
	"math"
	"strings"
	"unicode/utf8"

	"carryover/mapping/terms"
)

// Money is an amount in minor units of a currency: 123450 USD is $1,234.50.
type Money struct {
	Minor    int64
	Currency string // ISO 4217, upper case
}

// String is the amount and its currency: 1,234.50 USD.
func (m Money) String() string { return terms.FormatMoney(m.Minor, m.Currency) }

// ParseAmount reads an amount of up to 2^63-1 minor units either way:
//
//	1234  1234.5  1,234.50       groups of three, a dot before the decimals
//	1.234,56                     the other way round; it needs a group and all decimals, for
//	                             1.234 and 12,50 could mean two things
//	-12.00  12.00-  (12.00)      below zero; so are -$12.00, $-12.00 and ($12.00)
//	$12.00  A$12.00  12.00 €     with a symbol
//	AUD 12.00  12.00AUD          with a code, in any case; $12.00 AUD with both
//
// own is the program's currency (ISO 4217). An amount that names no currency is in it, and
// so is one whose symbol it shares with others: a bare $ is CAD in a program in CAD, and
// USD in one in EUR. The currency says how many decimals there are. More of them, be they
// zeros, are an error and never rounded; so are blanks. The error is a [CellError] with
// the reason bad_money.
func ParseAmount(s, own string) (Money, error) {
	a, ok := splitAmount(s)
	if !ok {
		return Money{}, errBadMoney
	}
	currency := own
	if a.names[0] != "" {
		if currency, ok = a.currency(own); !ok {
			return Money{}, errUnclearCurrency
		}
	}
	n, err := minorUnits(a.number, terms.Decimals(currency))
	if err != nil {
		return Money{}, err
	}
	if a.negative {
		n = -n
	}
	return Money{n, currency}, nil
}

var (
	errBadMoney        error = &CellError{BadMoney, "write the amount as 1234.50, $1,234.50, -12.00, (12.00) or AUD 12.00"}
	errTooManyDecimals error = &CellError{BadMoney,
		"the amount has more decimals than the currency; it is never rounded, so write it out exactly"}
	errUnclearCurrency error = &CellError{BadMoney, "the currency is not clear; write its code beside the amount, such as AUD 12.00"}
	errTooLarge        error = &CellError{BadMoney,
		"the amount is larger than any that can be kept; look for digits that do not belong to it"}
)

// amountParts is an amount taken apart.
type amountParts struct {
	negative bool
	number   string    // digits, dots and commas; begins with a digit
	names    [2]string // symbols and codes in the order of the text; empty for none
}

// splitAmount takes an amount apart. What the parts mean is left to others.
func splitAmount(s string) (a amountParts, ok bool) {
	inParens, named := false, 0
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			if a.number != "" {
				return a, false
			}
			end := i + 1
			for end < len(s) && ('0' <= s[end] && s[end] <= '9' || s[end] == '.' || s[end] == ',') {
				end++
			}
			a.number, i = s[i:end], end
		case c == ' ':
			i++
		case c == '-' || c == '(':
			if a.negative || c == '(' && a.number != "" {
				return a, false
			}
			a.negative, inParens = true, c == '('
			i++
		case c == ')':
			if !inParens || a.number == "" {
				return a, false
			}
			inParens = false
			i++
		case c == '.' || c == ',' || c == '+':
			return a, false
		default:
			n := nameLength(s[i:])
			if n > 0 {
				if named == len(a.names) {
					return a, false
				}
				a.names[named] = s[i : i+n]
				named++
				i += n
				break
			}
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == '\u2212' && !a.negative: // the minus sign of some spreadsheets
				a.negative = true
			case r != '\u00a0' && r != '\u202f': // blanks that do not break the line
				return a, false
			}
			i += n
		}
	}
	return a, a.number != "" && !inParens
}

// nameLength is how many bytes at the start of s belong to a symbol or a code.
func nameLength(s string) int {
	for i, r := range s {
		switch {
		case r < utf8.RuneSelf && (r|0x20 >= 'a' && r|0x20 <= 'z' || r == '$'):
		case r < utf8.RuneSelf, r == '\u2212', r == '\u00a0', r == '\u202f', r == utf8.RuneError:
			return i
		}
	}
	return len(s)
}

// currency is what the names in an amount agree on, in a program whose currency is own.
func (a *amountParts) currency(own string) (string, bool) {
	first, ok := lookupCurrency(a.names[0])
	if !ok {
		return "", false
	}
	if a.names[1] == "" {
		return first.currencyIn(own)
	}
	second, ok := lookupCurrency(a.names[1])
	switch {
	case !ok:
		return "", false
	case first.isCode && !second.isCode:
		return first.standard, second.canMean(first.standard)
	case second.isCode && !first.isCode:
		return second.standard, first.canMean(second.standard)
	}
	return first.standard, first.standard == second.standard && first.isCode
}

// isAmount says whether a cell, which is not empty, is an amount of whatever currency.
func isAmount(cell []byte) bool {
	// Most cells are ids or words, and every row is asked.
	if len(cell) <= 15 && allDigits(cell) {
		return true
	}
	letters := 0
	for letters < len(cell) && 'a' <= cell[letters]|0x20 && cell[letters]|0x20 <= 'z' {
		if letters++; letters > 3 { // longer than any symbol or code
			return false
		}
	}
	if last := cell[len(cell)-1]; len(cell) > 40 || cell[0] > '9' && (last < '0' || last > '9') && last != ')' && last != '-' {
		return false
	}
	a, ok := splitAmount(string(cell))
	if !ok {
		return false
	}
	for _, name := range a.names {
		if name == "" {
			break
		}
		if _, known := lookupCurrency(name); !known {
			return false
		}
	}
	for _, decimals := range []int{4, 3, 2} {
		if _, err := minorUnits(a.number, decimals); err == nil {
			return true
		}
	}
	return false
}

// minorUnits reads digits with dots and commas.
func minorUnits(s string, decimals int) (int64, error) {
	group, point := byte(','), byte('.')
	if comma := strings.IndexByte(s, ','); comma >= 0 && strings.IndexByte(s[:comma], '.') >= 0 {
		group, point = '.', ','
	}
	whole, fraction, pointed := s, "", false
	if i := strings.IndexByte(s, point); i >= 0 {
		whole, fraction, pointed = s[:i], s[i+1:], true
	}
	switch {
	case strings.IndexByte(fraction, '.') >= 0 || strings.IndexByte(fraction, ',') >= 0 || pointed && fraction == "":
		return 0, errBadMoney
	case len(fraction) > decimals:
		return 0, errTooManyDecimals
	case point == ',' && len(fraction) != decimals:
		return 0, errBadMoney
	}

	n, digits, grouped := uint64(0), 0, false
	for i := 0; i < len(whole); i++ {
		if whole[i] == group {
			if digits == 0 || digits > 3 || grouped && digits != 3 {
				return 0, errBadMoney
			}
			digits, grouped = 0, true
			continue
		}
		digits++
		if n = n*10 + uint64(whole[i]-'0'); n > math.MaxInt64/10 && i+1 < len(whole) {
			return 0, errTooLarge
		}
	}
	if grouped && digits != 3 {
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
