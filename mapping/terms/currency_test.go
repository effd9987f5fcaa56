package terms

import (
	"math/big"
	"testing"
)

func TestExchangeRate(t *testing.T) {
	f := func(text string, amount int64, from string, want int64, to string) {
		t.Helper()
		r, err := ParseExchangeRate(text)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := r.Convert(amount, from, to)
		if back, _ := r.Convert(-amount, from, to); got != want || ok != (want != 0 || amount < 1000) || back != -want {
			t.Errorf("%d %s at %s: %d %s, %v, want %d", amount, from, text, got, to, ok, want)
		}
		if again, err := ParseExchangeRate(r.String()); err != nil || again != r {
			t.Errorf("%s comes back as %s, %v", text, r, err)
		}
	}
	f("1.0825", 10000, "EUR", 10825, "USD")
	f("1.5", 1, "EUR", 2, "USD")
	f("0.5", 1, "EUR", 0, "USD") // half-way: to the even one
	f("0.5", 3, "EUR", 2, "USD")
	f("0.00000001", 100_000_000, "EUR", 1, "USD")
	f("99999.99999999", 10_000_000_000_000, "EUR", 999_999_999_999_900_000, "USD")
	f("0.0067", 1000, "JPY", 670, "USD") // yen have no cents
	f("149.25", 670, "USD", 1000, "JPY")
	f("3.25", 1234, "KWD", 401, "USD") // and dinars three decimals
	f("99999.99999999", 10_000_000_000_000, "JPY", 0, "KWD")
	for _, s := range []string{"", "0", "0.0", "-1", "1,1", ".5", "5.", "1.123456789", "100000", "1e3", "x"} {
		if _, err := ParseExchangeRate(s); err == nil {
			t.Errorf("%q is taken for a rate", s)
		}
	}
}

// An amount beyond what 64 bits hold is none, and nothing breaks at the edge.
func TestExchangeRateAtTheEdge(t *testing.T) {
	f := func(amount int64, rate ExchangeRate, from, to string, want int64, fits bool) {
		t.Helper()
		if got, ok := rate.Convert(amount, from, to); ok != fits || got != want {
			t.Errorf("%d at %s: %d, %v; want %d, %v", amount, rate, got, ok, want, fits)
		}
	}
	f(1<<62, 4*exchangeRateUnit, "EUR", "USD", 0, false) // 2 to the 64th
	f(1<<62, 2*exchangeRateUnit, "EUR", "USD", 0, false)
	f(1<<62, exchangeRateUnit, "EUR", "USD", 1<<62, true)
	f(-1<<62, exchangeRateUnit, "EUR", "USD", -1<<62, true)
	f(-1<<62, 4*exchangeRateUnit, "EUR", "USD", 0, false)
}

// A rate that can be read comes back as it was meant, and turns no amount into a cent too
// much.
func FuzzParseExchangeRate(f *testing.F) {
	f.Add("1.0825", int64(9900))
	f.Fuzz(func(t *testing.T, text string, amount int64) {
		r, err := ParseExchangeRate(text)
		if err != nil {
			return
		}
		if again, err := ParseExchangeRate(r.String()); err != nil || again != r || r <= 0 {
			t.Fatalf("%q is %d and comes back as %d, %v", text, r, again, err)
		}
		got, ok := r.Convert(amount, "EUR", "USD")
		if !ok {
			return
		}
		off := new(big.Int).Mul(big.NewInt(amount), big.NewInt(int64(r)))
		off.Sub(off, new(big.Int).Mul(big.NewInt(got), big.NewInt(exchangeRateUnit)))
		if off.CmpAbs(big.NewInt(exchangeRateUnit/2)) > 0 {
			t.Fatalf("%d at %s is %d", amount, text, got)
		}
	})
}
