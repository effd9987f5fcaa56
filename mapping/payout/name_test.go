package payout

import (
	"fmt"
	"testing"
)

// How runs and lines are named, where money can be sent, and large amounts in words.
func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		"3": "3 0", "R3": "3 0", " r3-17 ": "3 17", "3-17": "3 17",
		"": "no", "R": "no", "0": "no", "-3": "no", "3-": "no", "3-0": "no", "3-x": "no", "3-1-7": "no", "+3": "no", "R3-+1": "no", "9223372036854775808": "no",
	} {
		got := "no"
		if run, line, ok := ParseName(text); ok {
			got = fmt.Sprint(run, line)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for address, want := range map[string]bool{"ann@pay.test": true, "": false, "ann": false, "=cmd@pay.test": false, "+ann@pay.test": false, "-ann@pay.test": false, "a=b@pay.test": true} {
		if got := IsPayableEmail(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
	if got, want := amountInWords(2_000_000_001_00, "USD"), "Two billion one and 00/100"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
