package terms

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestShare(t *testing.T) {
	f := func(amount int64, percent string, want int64) {
		t.Helper()
		p, err := ParsePercent(percent)
		if err != nil {
			t.Fatal(err)
		}
		if got := Share(amount, p); got != want {
			t.Errorf("%s of %d: %d, want %d", p, amount, got, want)
		}
		if got := Share(-amount, p); got != -want {
			t.Errorf("%s of %d: %d, want %d", p, -amount, got, -want)
		}
	}
	// Half-way goes to the even one.
	f(2930, "25", 732)  // 732.5
	f(2926, "25", 732)  // 731.5
	f(2934, "25", 734)  // 733.5
	f(10, "25", 2)      // 2.5
	f(14, "25", 4)      // 3.5
	f(1, "50", 0)       // 0.5
	f(3, "50", 2)       // 1.5
	f(9995, "50", 4998) // 4997.5
	f(20, "12.5", 2)    // 2.5
	f(28, "12.5", 4)    // 3.5
	f(5000, "0.01", 0)  // 0.5
	f(15000, "0.01", 2) // 1.5

	// What is nearer to one goes to that one.
	f(1998, "25", 500)  // 499.5: even
	f(1999, "25", 500)  // 499.75
	f(1997, "25", 499)  // 499.25
	f(8730, "25", 2182) // 2182.5
	f(129900, "50", 64950)
	f(1, "49.9999", 0)
	f(1, "50.0001", 1)
	f(5001, "0.01", 1)

	f(0, "25", 0)
	f(12345, "0", 0)
	f(12345, "100", 12345)
	f(math.MaxInt64, "100", math.MaxInt64)
	f(math.MaxInt64, "50", 1<<62) // half-way between 2^62-1 and 2^62
	if got := Share(math.MinInt64, OneHundredPercent); got != math.MinInt64 {
		t.Error(got)
	}
}

// A share is exact to within half a unit, even where it is half-way, and odd in the amount.
func TestShareOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64().Draw(t, "amount")
		percent := Percent(rapid.Int32Range(0, int32(OneHundredPercent)).Draw(t, "percent"))
		share := Share(amount, percent)

		whole := big.NewInt(int64(OneHundredPercent))
		rest := new(big.Int).Mul(big.NewInt(amount), big.NewInt(int64(percent)))
		rest.Sub(rest, new(big.Int).Mul(big.NewInt(share), whole))
		switch twice := new(big.Int).Lsh(rest, 1); twice.CmpAbs(whole) {
		case 1:
			t.Fatalf("%s of %d: %d is not the nearest", percent, amount, share)
		case 0:
			if share%2 != 0 {
				t.Fatalf("%s of %d: %d is half-way and odd", percent, amount, share)
			}
		}
		if amount != math.MinInt64 && Share(-amount, percent) != -share {
			t.Fatalf("%s of %d: %d, and of %d: %d", percent, amount, share, -amount, Share(-amount, percent))
		}
		if back, err := ParsePercent(percent.String()); err != nil || back != percent {
			t.Fatalf("%s comes back as %s, %v", percent, back, err)
		}
	})
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
