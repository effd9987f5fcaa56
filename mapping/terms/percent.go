package terms

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Percent is a share of 0 to 100 percent, in ten-thousandths of a percent: 12.5% is 125000.
type Percent int32

const percentUnit Percent = 10_000 // 1%

// OneHundredPercent is 100%.
const OneHundredPercent = 100 * percentUnit

// ParsePercent reads a share such as 25, 12.5 or 12.5%. It has up to four decimals and
// is never rounded.
func ParsePercent(s string) (Percent, error) {
	wrong := fmt.Errorf("%q is no percentage: write a number from 0 to 100 with up to four decimals, such as 25 or 12.5", s)
	text := strings.TrimSpace(s)
	text = strings.TrimSpace(strings.TrimSuffix(text, "%"))
	whole, fraction, dot := strings.Cut(text, ".")
	if whole == "" || dot && fraction == "" || len(fraction) > 4 || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, wrong
	}
	n, err := strconv.ParseUint(whole+fraction+strings.Repeat("0", 4-len(fraction)), 10, 31)
	if err != nil || Percent(n) > OneHundredPercent {
		return 0, wrong
	}
	return Percent(n), nil
}

// String is the share as people write it: 12.5%.
func (p Percent) String() string {
	return strconv.FormatFloat(float64(p)/float64(percentUnit), 'f', -1, 64) + "%"
}

// Share is a percent of an amount in whole minor units. What lies half-way between two
// goes to the even one: 25% of 10 is 2, and of 14 is 4. A negative amount has the share
// of the positive one, negative.
func Share(amount int64, percent Percent) int64 {
	n := uint64(amount)
	if amount < 0 {
		n = -n
	}
	hi, lo := bits.Mul64(n, uint64(percent))
	share, rest := bits.Div64(hi, lo, uint64(OneHundredPercent))
	if half := uint64(OneHundredPercent) / 2; rest > half || rest == half && share%2 == 1 {
		share++
	}
	if amount < 0 {
		share = -share
	}
	return int64(share)
}
