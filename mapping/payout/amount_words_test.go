package payout

import "testing"

func TestAmountInWords(t *testing.T) {
	f := func(minor int64, currency, want string) {
		t.Helper()
		if got := amountInWords(minor, currency); got != want {
			t.Errorf("%d %s: %q, want %q", minor, currency, got, want)
		}
	}
	f(0, "USD", "Zero and 00/100")
	f(5, "USD", "Zero and 05/100")
	f(1900, "USD", "Nineteen and 00/100")
	f(2000, "USD", "Twenty and 00/100")
	f(2199, "USD", "Twenty-one and 99/100")
	f(10000, "USD", "One hundred and 00/100")
	f(100001, "USD", "One thousand and 01/100")
	f(11542180, "USD", "One hundred fifteen thousand four hundred twenty-one and 80/100")
	f(200000007, "USD", "Two million and 07/100")
	f(1234, "JPY", "One thousand two hundred thirty-four")
	f(1005, "KWD", "One and 005/1000")
}
