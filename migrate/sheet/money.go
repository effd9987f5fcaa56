package sheet

import (
	"math"
	"strings"
)

// ParseMoney reads an amount into minor units of a currency with the given number
// of decimals: $1,234.50, 1,234.50, 1234.5, 1234, (12.00), ($12.00), -12.00, -$12.00.
// Commas group by three. More decimals than the currency has are an error, never
// rounded; so are blanks, other symbols and amounts beyond int64. The error is a
// [CellError] with the reason bad_money.
func ParseMoney(s string, decimals int) (int64, error) {
	rest, negative := s, false
	if inner, ok := strings.CutPrefix(rest, "("); ok {
		if inner, ok = strings.CutSuffix(inner, ")"); !ok {
			return 0, badMoney
		}
		rest, negative = inner, true
	} else if inner, ok := strings.CutPrefix(rest, "-"); ok {
		rest, negative = inner, true
	}
	rest = strings.TrimPrefix(rest, "$")

	whole, fraction, dot := strings.Cut(rest, ".")
	if dot && fraction == "" {
		return 0, badMoney
	}
	if len(fraction) > decimals {
		if strings.Trim(fraction, "0123456789") != "" {
			return 0, badMoney
		}
		return 0, &CellError{BadMoney, "the amount has more decimals than the currency; it is never rounded, so write it out exactly"}
	}
	n, ok := digits(whole, 0)
	if !ok {
		return 0, badMoney
	}
	if n, ok = fractionDigits(n, fraction, decimals); !ok {
		return 0, badMoney
	}
	if negative {
		n = -n
	}
	return n, nil
}

var badMoney error = &CellError{BadMoney, "write the amount as 1234.50, $1,234.50, -12.00 or (12.00)"}

// digits reads digits with or without commas by three.
func digits(s string, n int64) (int64, bool) {
	first, rest, grouped := strings.Cut(s, ",")
	if first == "" || grouped && len(first) > 3 {
		return 0, false
	}
	n, ok := appendDigits(n, first)
	for ok && grouped {
		var group string
		group, rest, grouped = strings.Cut(rest, ",")
		if len(group) != 3 {
			return 0, false
		}
		n, ok = appendDigits(n, group)
	}
	return n, ok
}

func fractionDigits(n int64, fraction string, decimals int) (int64, bool) {
	n, ok := appendDigits(n, fraction)
	for i := len(fraction); ok && i < decimals; i++ {
		n, ok = appendDigits(n, "0")
	}
	return n, ok
}

func appendDigits(n int64, s string) (int64, bool) {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		d := int64(s[i] - '0')
		if n > (math.MaxInt64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}
