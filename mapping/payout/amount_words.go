package payout

import (
	"fmt"
	"strconv"
	"strings"
)

var (
	smallWords = strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
	tenWords   = strings.Fields("- - twenty thirty forty fifty sixty seventy eighty ninety")
	scaleWords = []struct {
		unit int64
		word string
	}{{1e18, "quintillion"}, {1e15, "quadrillion"}, {1e12, "trillion"}, {1e9, "billion"}, {1e6, "million"}, {1e3, "thousand"}, {100, "hundred"}}
)

// amountInWords is an amount as it is written on a check: "One thousand two hundred thirty-four
// and 50/100". It is not below 0.
func amountInWords(minor int64, currency string) string {
	whole, fraction, has := strings.Cut(PlainAmount(minor, currency), ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 {
		return ""
	}
	text := numberWords(n)
	text = strings.ToUpper(text[:1]) + text[1:]
	if has {
		text += fmt.Sprintf(" and %s/1%s", fraction, strings.Repeat("0", len(fraction)))
	}
	return text
}

func numberWords(n int64) string {
	for _, s := range scaleWords {
		if n >= s.unit {
			return strings.TrimSuffix(numberWords(n/s.unit)+" "+s.word+" "+restWords(n%s.unit), " ")
		}
	}
	if n < 20 {
		return smallWords[n]
	}
	return strings.TrimSuffix(tenWords[n/10]+"-"+restWords(n%10), "-")
}

// restWords leaves a zero out.
func restWords(n int64) string {
	if n == 0 {
		return ""
	}
	return numberWords(n)
}
