package sheet

import (
	"unicode"
	"unicode/utf8"
)

// amountParts is an amount taken apart.
type amountParts struct {
	negative bool
	number   string    // digits, dots and commas; begins with a digit
	names    [2]string // symbols and codes in the order of the text; empty for none
	dash     bool      // there is a dash that is no sign of a number
	closed   bool      // the text was read to its end, and no parenthesis is in it
}

// splitAmount takes an amount apart. What the parts mean is left to others.
func splitAmount(s string) (a amountParts, ok bool) {
	inParens, parens, named, ended := false, false, 0, 0
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			if a.number != "" {
				return a, false
			}
			end := numberEnd(s, i+1)
			a.number, i = s[i:end], end
		case c == ' ':
			i++
		case c == '-' || c == '(':
			if a.negative || c == '(' && a.number != "" {
				return a, false
			}
			a.negative, inParens, parens = true, c == '(', parens || c == '('
			i++
		case c == ')':
			if !inParens || a.number == "" {
				return a, false
			}
			inParens = false
			i++
		case c == '.' && named > 0 && i == ended && (i+1 == len(s) || s[i+1] < '0' || s[i+1] > '9'):
			i++ // of an abbreviation, as in 12,00 kr.
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
				ended = i
				break
			}
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == '\u2212' && !a.negative: // the minus sign of some spreadsheets
				a.negative = true
			case isLongDash(r) && !a.dash:
				a.dash = true
			case isWideBlank(r):
			default:
				return a, false
			}
			i += n
		}
	}
	a.closed = !parens
	return a, a.number != "" && !a.dash && !inParens
}

// isDash says whether there is nothing but a dash and names: an amount of zero, as accounting
// formats write it.
func (a *amountParts) isDash() bool { return a.number == "" && a.closed && a.negative != a.dash }

// numberEnd is where the number ends that goes on at s[i]: behind its last digit or mark. A
// blank or an apostrophe is a mark only before another digit.
func numberEnd(s string, i int) int {
	for i < len(s) {
		if c := s[i]; '0' <= c && c <= '9' || c == '.' || c == ',' {
			i++
			continue
		}
		mark, size := groupMark(s[i:])
		if mark == 0 || i+size >= len(s) || s[i+size] < '0' || s[i+size] > '9' {
			break
		}
		i += size
	}
	return i
}

// isWideBlank says whether r is a blank that is not ASCII.
func isWideBlank(r rune) bool { return r >= utf8.RuneSelf && unicode.IsSpace(r) || r == '\u200b' }

// isLongDash says whether r is a dash or hyphen that is not ASCII and no minus sign.
func isLongDash(r rune) bool { return '\u2010' <= r && r <= '\u2015' }

// nameLength is how many bytes at the start of s belong to a symbol or a code.
func nameLength(s string) int {
	for i, r := range s {
		switch {
		case r < utf8.RuneSelf && (r|0x20 >= 'a' && r|0x20 <= 'z' || r == '$'):
		case r < utf8.RuneSelf, r == '\u2212', isWideBlank(r), isLongDash(r), r == utf8.RuneError:
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
	if len(cell) > 40 {
		return false
	}
	a, ok := splitAmount(string(cell))
	if !ok && !a.isDash() {
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
	if a.number == "" {
		return true
	}
	for _, decimals := range []int{4, 3, 2} {
		for _, f := range []NumberFormat{DecimalPoint, DecimalComma} {
			if _, err := f.minorUnits(a.number, decimals); err == nil {
				return true
			}
		}
	}
	return false
}
