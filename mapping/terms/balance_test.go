package terms

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestOpenBalances(t *testing.T) {
	f := func(earnings []Earning, paid int64, want ...Earning) {
		t.Helper()
		given := slices.Clone(earnings)
		if got := OpenBalances(earnings, paid); !slices.Equal(got, want) {
			t.Errorf("%v less %d: %v, want %v", earnings, paid, got, want)
		}
		if !slices.Equal(earnings, given) {
			t.Errorf("%v was changed to %v", given, earnings)
		}
	}
	three := []Earning{{202301, 1000}, {202302, 500}, {202303, 700}}
	f(three, 0, three...)
	f(three, 400, Earning{202301, 600}, Earning{202302, 500}, Earning{202303, 700})
	f(three, 1000, Earning{202302, 500}, Earning{202303, 700})
	f(three, 1600, Earning{202303, 600})
	f(three, 2200)
	f(three, 2500, Earning{202303, -300})
	f(three, -100, Earning{202301, 1100}, Earning{202302, 500}, Earning{202303, 700})

	// Refunds take back what was earned last before them.
	f([]Earning{{202301, 1000}, {202302, -300}, {202303, 700}}, 0, Earning{202301, 700}, Earning{202303, 700})
	f([]Earning{{202301, 1000}, {202302, 500}, {202303, -700}}, 0, Earning{202301, 800})
	f([]Earning{{202301, 1000}, {202302, 500}, {202303, -700}}, 800)
	f([]Earning{{202301, 1000}, {202302, -1900}, {202303, 700}}, 0, Earning{202303, -200})
	f([]Earning{{202301, 1000}, {202302, -900}, {202303, 700}}, 1000, Earning{202303, -200})
	f([]Earning{{202301, -50}, {202302, 20}, {202303, 20}, {202304, 20}}, 0, Earning{202304, 10})
	f([]Earning{{202301, 0}}, 0)

	f(nil, 0)
	f(nil, 700, Earning{0, -700})
	f(nil, -700, Earning{0, 700})
}

// Whatever was earned and paid, what is open sums to the difference, in months that are
// there, in order; only the last amount can be below 0; and nothing is open in a month
// that payments have passed by.
func TestOpenBalancesSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOfN(rapid.Int64Range(-1_000_000, 1_000_000), 0, 30).Draw(t, "amounts")
		paid := rapid.Int64Range(-500_000, 10_000_000).Draw(t, "paid")
		var earnings []Earning
		sum, month := -paid, Month(202011)
		for _, a := range amounts {
			earnings = append(earnings, Earning{month, a})
			sum += a
			month = month.Add(rapid.IntRange(1, 5).Draw(t, "gap"))
		}
		open := OpenBalances(earnings, paid)
		for i, o := range open {
			sum -= o.Amount
			if o.Amount == 0 || o.Amount < 0 && i < len(open)-1 {
				t.Fatalf("%v less %d: %v", earnings, paid, open)
			}
			if i > 0 && o.Month <= open[i-1].Month {
				t.Fatalf("%v is not in order", open)
			}
			if len(earnings) > 0 && !slices.ContainsFunc(earnings, func(e Earning) bool { return e.Month == o.Month }) {
				t.Fatalf("%v names a month that is not in %v", open, earnings)
			}
		}
		if sum != 0 {
			t.Fatalf("%v less %d: %v is off by %d", earnings, paid, open, sum)
		}
		// One more paid takes one from the oldest that is open, and leaves the rest alone.
		more := OpenBalances(earnings, paid+1)
		if len(open) > 0 && open[0].Amount > 1 && (more[0] != Earning{open[0].Month, open[0].Amount - 1} || !slices.Equal(more[1:], open[1:])) {
			t.Fatalf("%v with one more paid is %v", open, more)
		}
	})
}
