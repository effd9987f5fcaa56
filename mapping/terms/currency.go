package terms

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Decimals is how many decimals a currency has: 2 unless ISO 4217 says otherwise.
func Decimals(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

// ExchangeRate is how many units of the program's currency one unit of another is worth, in
// hundred-millionths: 1.0825 is 108250000.
type ExchangeRate int64

const exchangeRateUnit = 100_000_000

// ParseExchangeRate reads a rate such as 1.0825: above 0, below 100,000, up to eight decimals,
// never rounded.
func ParseExchangeRate(s string) (ExchangeRate, error) {
	invalid := fmt.Errorf("%q is no rate: write a number above 0 with up to eight decimals, such as 1.0825", s)
	whole, fraction, dot := strings.Cut(strings.TrimSpace(s), ".")
	if whole == "" || dot && fraction == "" || len(whole) > 5 || len(fraction) > 8 || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, invalid
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", 8-len(fraction)), 10, 64)
	if err != nil || n == 0 {
		return 0, invalid
	}
	return ExchangeRate(n), nil
}

// String writes a rate as people do: 1.0825.
func (r ExchangeRate) String() string {
	text := fmt.Sprintf("%d.%08d", r/exchangeRateUnit, r%exchangeRateUnit)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// Convert turns minor units of one currency into those of another, rounded half to even. ok is
// false when that is more than 64 bits hold.
func (r ExchangeRate) Convert(amount int64, from, to string) (converted int64, ok bool) {
	part, whole := uint64(r), uint64(exchangeRateUnit)
	for range Decimals(to) {
		part *= 10
	}
	for range Decimals(from) {
		whole *= 10
	}
	if hi, lo := bits.Mul64(uint64(max(amount, -amount)), part); hi >= whole {
		return 0, false
	} else if n, _ := bits.Div64(hi, lo, whole); n >= math.MaxInt64 {
		return 0, false
	}
	return Scale(amount, int64(part), int64(whole)), true
}
