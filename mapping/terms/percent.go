package terms

import (
	"fmt"
	"strconv"
	"strings"
)

// Percent is a share of 0 to 100 percent, in ten-thousandths of a percent: 12.5% is 125000.
type Percent int32

const percentUnit Percent = 10_000 // 1%

// OneHundredPercent is the largest share, the whole amount.
const OneHundredPercent = 100 * percentUnit

// ParsePercent reads a share such as 25, 12.5 or 12.5%. It has up to four decimals and
// is never rounded.
func ParsePercent(s string) (Percent, error) {
	invalid := fmt.Errorf("%q is no percentage: write a number from 0 to 100 with up to four decimals, such as 25 or 12.5", s)
	text := strings.TrimSpace(s)
	text = strings.TrimSpace(strings.TrimSuffix(text, "%"))
	whole, fraction, dot := strings.Cut(text, ".")
	if whole == "" || dot && fraction == "" || len(fraction) > 4 || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, invalid
	}
	n, err := strconv.ParseUint(whole+fraction+strings.Repeat("0", 4-len(fraction)), 10, 31)
	if err != nil || Percent(n) > OneHundredPercent {
		return 0, invalid
	}
	return Percent(n), nil
}

// String writes a share as people do: 12.5%.
func (p Percent) String() string {
	return strconv.FormatFloat(float64(p)/float64(percentUnit), 'f', -1, 64) + "%"
}
