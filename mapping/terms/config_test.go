package terms

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMonth(t *testing.T) {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2023, 4, 1, 6, 59, 59, 0, time.UTC)
	if got := MonthOf(at, zone); got != 202303 || got.String() != "2023-03" {
		t.Error(got)
	}
	if got := MonthOf(at, time.UTC); got != 202304 {
		t.Error(got)
	}
	f := func(m Month, n int, want Month) {
		t.Helper()
		if got := m.Add(n); got != want {
			t.Errorf("%s and %d months: %s, want %s", m, n, got, want)
		}
	}
	f(202303, 0, 202303)
	f(202303, 9, 202312)
	f(202303, 10, 202401)
	f(202312, 1, 202401)
	f(202301, -1, 202212)
	f(202303, -15, 202112)
	f(202303, 240, 204303)
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(rapid.IntRange(1900, 2100).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), 1, 0, 0, 0, 0, time.UTC)
		n := rapid.IntRange(-1000, 1000).Draw(t, "n")
		if got, want := MonthOf(start, time.UTC).Add(n), MonthOf(start.AddDate(0, n, 0), time.UTC); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}

func TestDefaultTerms(t *testing.T) {
	terms := DefaultConfig()
	got := fmt.Sprint(terms.MembershipPercent, terms.TrainingPercent, terms.HoldMonths, terms.PayoutFirstDay, terms.PayoutLastDay, terms.Minimum, terms.Requires)
	if got != "25% 50% 1 10 15 2500 [w9 payout_method]" {
		t.Error(got)
	}
}

func TestHeld(t *testing.T) {
	f := func(hold int, earned, on Month, want bool) {
		t.Helper()
		terms := DefaultConfig()
		terms.HoldMonths = hold
		if got := terms.OnHold(earned, on); got != want {
			t.Errorf("earned in %s, held for %d, in %s: %v", earned, hold, on, got)
		}
	}
	f(1, 202211, 202211, true)
	f(1, 202211, 202212, true)
	f(1, 202211, 202301, false)
	f(1, 202212, 202301, true)
	f(0, 202212, 202212, true)
	f(0, 202212, 202301, false)
	f(2, 202212, 202302, true)
	f(1, 202212, 202211, true) // not earned yet
}

func TestOpen(t *testing.T) {
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
func TestOpenSums(t *testing.T) {
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
