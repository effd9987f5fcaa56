package payout

import (
	"testing"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// A balance is never held twice, nor more of it than was earned inside the hold.
func TestHeld(t *testing.T) {
	f := func(want int64, on terms.Month, sums ...book.Sum) {
		t.Helper()
		var b account
		for i := range sums {
			b.add(&sums[i])
		}
		if got := terms.DefaultConfig().HeldAmount(b.earned, b.paid, on); got != want {
			t.Errorf("%v on %s: held %d, want %d", sums, on, got, want)
		}
	}
	earned := func(month int32, amount int64) book.Sum {
		return book.Sum{Kind: book.KindCommission, Month: month, Amount: amount}
	}
	clawback := func(month int32, amount int64) book.Sum {
		return book.Sum{Kind: book.KindClawback, Month: month, Amount: -amount}
	}
	paid := func(month int32, amount int64) book.Sum {
		return book.Sum{Kind: book.KindPayment, Month: month, Amount: -amount}
	}
	opening := book.Sum{Kind: book.KindOpening, Month: 202012, Amount: 500}

	f(0, 202303)
	f(0, 202303, earned(202301, 100))
	f(100, 202303, earned(202302, 100))
	f(100, 202303, earned(202303, 100))
	f(0, 202303, opening)
	f(100, 202303, opening, earned(202303, 100), paid(202303, 500))
	f(60, 202303, opening, earned(202303, 100), paid(202303, 500), clawback(202303, 40))
	f(60, 202303, opening, earned(202303, 100), clawback(202303, 40)) // a refund takes back what was earned last
	f(0, 202303, earned(202303, 100), paid(202303, 300))              // who owes has nothing held
	f(0, 202303, clawback(202303, 40))
}
