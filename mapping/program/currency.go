package program

import (
	"fmt"
	"strconv"
	"strings"
)

// Rate is how many minor units of the program's currency one minor unit of another is, in
// hundred-millionths: 1.0825 is 108250000.
type Rate int64

const rateUnit = 100_000_000

// ParseRate reads a rate such as 1.0825: above 0, below 100,000, up to eight decimals,
// never rounded. Where the two currencies have not the same number of decimals, it is
// the rate between their minor units.
func ParseRate(s string) (Rate, error) {
	wrong := fmt.Errorf("%q is no rate: write a number above 0 with up to eight decimals, such as 1.0825", s)
	whole, fraction, dot := strings.Cut(strings.TrimSpace(s), ".")
	if whole == "" || dot && fraction == "" || len(whole) > 5 || len(fraction) > 8 || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, wrong
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", 8-len(fraction)), 10, 64)
	if err != nil || n == 0 {
		return 0, wrong
	}
	return Rate(n), nil
}

// String is the rate as people write it.
func (r Rate) String() string {
	text := fmt.Sprintf("%d.%08d", r/rateUnit, r%rateUnit)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// Of is an amount in the program's currency, half-even.
func (r Rate) Of(amount int64) int64 { return Scale(amount, int64(r), rateUnit) }
