package terms

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A row is a list of candidates, "by:promoter:standing[:at]", and who wins how.
func TestAttribute(t *testing.T) {
	f := func(candidates string, c CreditPolicy, want, outcomes string) {
		t.Helper()
		var list []Candidate
		for _, text := range strings.Fields(candidates) {
			p := strings.Split(text+":0", ":")
			k := Candidate{By: p[0], Status: PromoterStatus(p[2])}
			fmt.Sscan(p[1], &k.Promoter)
			fmt.Sscan(p[3], &k.At)
			list = append(list, k)
		}
		a := Attribute(100, list, nil, c)
		var got []string
		for _, k := range a.Candidates {
			got = append(got, strings.ReplaceAll(k.Outcome, " ", "-"))
		}
		if s := fmt.Sprintf("%d %s", a.Promoter, a.By); s != want || strings.Join(got, " ") != outcomes {
			t.Errorf("%s: %s (%s), want %s (%s)", candidates, s, strings.Join(got, " "), want, outcomes)
		}
	}
	usual := CreditPolicy{InactiveEarn: true}
	f("", usual, "0 ", "")
	f("click:1:active ref_token:2:active coupon:3:active", usual, "1 click", "won not-asked not-asked")
	f("click:0: ref_token:2:active", usual, "2 ref_token", "of-nobody won")
	f("click:1:blocked ref_token:2:inactive coupon:3:active", usual, "3 coupon", "blocked inactive won")
	f("click:1:active:401 click:2:active:99", usual, "2 click", "after-the-signup won")
	f("click:1:active:400", usual, "1 click", "won")
	f("click:1:inactive", CreditPolicy{InactiveWin: true}, "1 click", "won")
	f("owner:1:inactive click:2:active", usual, "1 owner", "won not-asked")
	f("owner:1:inactive click:2:active", CreditPolicy{InactiveWin: true}, "0 ", "inactive not-asked")
	f("owner:1:blocked click:2:active", usual, "0 ", "blocked not-asked")
	f("carried:1:active:500 click:2:active", usual, "1 carried", "won not-asked")
	f("carried:0: click:2:active", usual, "0 ", "of-nobody not-asked")
}

func TestPercentOn(t *testing.T) {
	terms := DefaultConfig()
	terms.RateChanges = []RateChange{{200, Membership, 200_000}, {100, Membership, 300_000}, {100, Training, 400_000}}
	own := []RateChange{{150, Membership, 350_000}}
	f := func(kind ProductKind, at int64, own []RateChange, want string) {
		t.Helper()
		if got := terms.CommissionPercent(kind, at, own); got.String() != want {
			t.Errorf("%s at %d: %s, want %s", kind, at, got, want)
		}
	}
	f(Membership, 99, nil, "25%")
	f(Membership, 100, nil, "30%")
	f(Membership, 200, nil, "20%")
	f(Membership, 149, own, "30%")
	f(Membership, 150, own, "35%")
	f(Membership, 999, own, "35%")
	f(Training, 99, own, "50%")
	f(Training, 100, own, "40%")
	f(UnknownProduct, 999, own, "0%")
}

func TestRate(t *testing.T) {
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

// Parts sum to the amount, or to all that remains when that is less, and no part is more than
// what remains.
func TestAllocate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		remaining := rapid.SliceOfN(rapid.Int64Range(0, 1_000_000), 1, 6).Draw(t, "remaining")
		amount := rapid.Int64Range(0, 4_000_000).Draw(t, "amount")
		whole, sum := int64(0), int64(0)
		for i, part := range Allocate(amount, remaining) {
			if part < 0 || part > remaining[i] {
				t.Fatalf("%d of %v: part %d is %d", amount, remaining, i, part)
			}
			sum += part
			whole += remaining[i]
		}
		if sum != min(amount, whole) {
			t.Fatalf("%d of %v: the parts sum to %d", amount, remaining, sum)
		}
	})
}

// A rate that can be read comes back as it was meant, and turns no amount into a cent too
// much.
func FuzzParseRate(f *testing.F) {
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
