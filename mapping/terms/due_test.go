package terms

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// describeDue writes what is due as "gross refunds carried = amount (months) flagged".
func describeDue(d Due) string {
	text := fmt.Sprintf("%d %d %d = %d", d.Gross, d.Refunds, d.Carried, d.Amount)
	if len(d.Months) > 0 {
		var months []string
		for _, m := range d.Months {
			months = append(months, m.String())
		}
		text += " (" + strings.Join(months, " ") + ")"
	}
	if d.Flagged != 0 {
		text += fmt.Sprintf(" flagged %d", d.Flagged)
	}
	return text
}

// Who is due what in March 2023, which pays what was earned through January.
func TestAmountDue(t *testing.T) {
	f := func(about string, a Account, want string) {
		t.Helper()
		if got := describeDue(DefaultConfig().AmountDue(202303, &a)); got != want {
			t.Errorf("%s: %s, want %s", about, got, want)
		}
	}
	january, february := Earning{202301, 5000}, Earning{202302, 9000}
	f("nothing", Account{}, "0 0 0 = 0")
	f("the month of the page", Account{Earned: []Earning{january, february}}, "5000 0 0 = 5000 (2023-01)")
	f("still held", Account{Earned: []Earning{february}}, "0 0 0 = 0")
	f("rolled forward", Account{Earned: []Earning{{202211, 1000}, january, {202212, 500}}}, "5000 0 1500 = 6500 (2022-11 2022-12 2023-01)")
	f("a balance of Keap's", Account{CarriedForward: []Earning{{202012, 700}}, Earned: []Earning{january}},
		"5000 0 700 = 5700 (2020-12 2023-01)")
	f("paid before", Account{Earned: []Earning{{202212, 1000}, january}, Paid: 1000}, "5000 0 0 = 5000 (2023-01)")
	f("paid in part: the oldest first", Account{Earned: []Earning{{202211, 300}, {202212, 1000}, january}, Paid: 500},
		"5000 0 800 = 5800 (2022-12 2023-01)")
	f("in an approved batch", Account{Earned: []Earning{january}, Approved: 5000}, "5000 0 -5000 = 0")

	f("refunded inside the hold", Account{Earned: []Earning{january}, Reversals: []Reversal{{202301, -5000, -5000}}}, "5000 -5000 0 = 0")
	f("refunded in part", Account{Earned: []Earning{january}, Reversals: []Reversal{{202301, -1500, 0}}}, "5000 -1500 0 = 3500 (2023-01)")
	f("a refund of what is still held is not seen yet",
		Account{Earned: []Earning{january, february}, Reversals: []Reversal{{202302, -9000, -9000}}}, "5000 0 0 = 5000 (2023-01)")
	f("refunded after it was paid", Account{Earned: []Earning{{202212, 4000}}, Reversals: []Reversal{{202212, -4000, -4000}}, Paid: 4000},
		"0 -4000 0 = -4000")
	f("later earnings fill that",
		Account{Earned: []Earning{{202212, 4000}, january}, Reversals: []Reversal{{202212, -4000, -4000}}, Paid: 4000},
		"5000 -4000 0 = 1000 (2023-01)")
	f("a debt of the batch before is carried",
		Account{Earned: []Earning{{202212, 4000}, january}, Reversals: []Reversal{{202212, -4000, 0}}, Paid: 4000},
		"5000 0 -4000 = 1000 (2023-01)")

	f("flagged stands apart", Account{Earned: []Earning{{202301, 8000}}, Flagged: []Earning{{202301, 3000}}},
		"5000 0 0 = 5000 (2023-01) flagged 3000")
	f("flagged of an earlier month", Account{Earned: []Earning{{202212, 3000}, january}, Flagged: []Earning{{202212, 3000}}},
		"5000 0 0 = 5000 (2023-01) flagged 3000")
	f("flagged and still held", Account{Earned: []Earning{january, february}, Flagged: []Earning{february}}, "5000 0 0 = 5000 (2023-01)")
	f("all of it flagged", Account{Earned: []Earning{january}, Flagged: []Earning{january}}, "0 0 0 = 0 flagged 5000")
	f("debts take from what is flagged",
		Account{Earned: []Earning{january}, Flagged: []Earning{january}, Reversals: []Reversal{{202301, -2000, -2000}}},
		"0 0 0 = 0 flagged 3000")
	f("and leave nothing", Account{Earned: []Earning{january}, Flagged: []Earning{january}, Reversals: []Reversal{{202301, -6000, -6000}}},
		"5000 -6000 0 = -1000")
	f("what is flagged waits while later months are paid",
		Account{Earned: []Earning{{202211, 3000}, {202212, 4000}, january}, Flagged: []Earning{{202211, 3000}}, Paid: 4000},
		"5000 0 0 = 5000 (2023-01) flagged 3000")
}

// However money came and went: the columns sum to the amount, payable and held to what is
// due, nothing is 0, and only what is above 0 and unflagged is paid.
func TestAmountDueSums(t *testing.T) {
	months := rapid.IntRange(0, 8)
	rapid.Check(t, func(t *rapid.T) {
		terms := DefaultConfig()
		terms.HoldMonths = rapid.IntRange(0, 2).Draw(t, "hold")
		earning := rapid.Custom(func(t *rapid.T) Earning {
			return Earning{Month(202207).Add(months.Draw(t, "month")), rapid.Int64Range(0, 9000).Draw(t, "amount")}
		})
		a := Account{
			Earned:         rapid.SliceOfN(earning, 0, 8).Draw(t, "earned"),
			CarriedForward: rapid.SliceOfN(earning, 0, 2).Draw(t, "carried forward"),
			Reversals: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Reversal {
				k := Reversal{Month: Month(202207).Add(months.Draw(t, "of")), Amount: -rapid.Int64Range(1, 5000).Draw(t, "taken")}
				k.New = rapid.SampledFrom([]int64{0, k.Amount, k.Amount / 2}).Draw(t, "new")
				return k
			}), 0, 4).Draw(t, "reversals"),
			Paid:     rapid.Int64Range(-500, 20000).Draw(t, "paid"),
			Approved: rapid.SampledFrom([]int64{0, 0, 4000}).Draw(t, "approved"),
		}
		for _, e := range a.Earned {
			if rapid.IntRange(0, 4).Draw(t, "flag") == 0 {
				a.Flagged = append(a.Flagged, Earning{e.Month, e.Amount - e.Amount/3})
			}
		}
		const payout = 202301
		last := terms.LastEarningMonth(payout)
		want := -a.Paid - a.Approved
		for _, e := range slices.Concat(a.Earned, a.CarriedForward) {
			if e.Month <= last {
				want += e.Amount
			}
		}
		for _, k := range a.Reversals {
			if k.Month <= last {
				want += k.Amount
			}
		}
		d := terms.AmountDue(payout, &a)
		if d.Total() != want || d.Gross+d.Refunds+d.Carried != d.Amount || d.Refunds > 0 || d.Flagged < 0 {
			t.Fatalf("%s, want %d in all", describeDue(d), want)
		}
		if (d.Amount > 0) != (len(d.Months) > 0) || !slices.IsSorted(d.Months) || len(d.Months) > 0 && d.Months[len(d.Months)-1] > last {
			t.Fatalf("%s", describeDue(d))
		}
		payable, held := terms.SplitPayable(d, Eligibility{rapid.Bool().Draw(t, "blocked"), rapid.Bool().Draw(t, "w9"),
			rapid.Bool().Draw(t, "method"), rapid.Bool().Draw(t, "foreign")})
		sum := payable.Amount
		for _, h := range held {
			sum += h.Amount
			if h.Amount == 0 || len(h.Reasons) == 0 {
				t.Fatalf("held: %v", held)
			}
		}
		if sum != want || payable.Amount < 0 || payable.Amount > 0 && payable.Amount < terms.Minimum || payable.Amount > max(want, 0) {
			t.Fatalf("%s pays %d and holds %v", describeDue(d), payable.Amount, held)
		}
	})
}

// A clawback of Keap's takes back what was earned last before it, and what finds nothing is
// a debt of its own month.
func TestAllocateUnmatched(t *testing.T) {
	f := func(about string, a Account, unknown []Reversal, want ...Reversal) {
		t.Helper()
		known := len(a.Reversals)
		a.AllocateUnmatched(unknown)
		if got := a.Reversals[known:]; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", about, got, want)
		}
	}
	earned := []Earning{{202301, 5000}, {202302, 3000}}
	f("nothing", Account{Earned: earned}, nil)
	f("the newest month", Account{Earned: earned}, []Reversal{{202303, -2000, -2000}}, Reversal{202302, -2000, -2000})
	f("then the one before", Account{Earned: earned}, []Reversal{{202302, -4000, 0}}, Reversal{202302, -3000, 0}, Reversal{202301, -1000, 0})
	f("not what is earned later", Account{Earned: earned}, []Reversal{{202301, -2000, 0}}, Reversal{202301, -2000, 0})
	f("what finds nothing is a debt", Account{Earned: earned}, []Reversal{{202303, -9000, 0}}, Reversal{202302, -3000, 0},
		Reversal{202301, -5000, 0}, Reversal{202303, -1000, 0})
	f("old ones first, and part of one is new", Account{Earned: earned}, []Reversal{{202303, -3500, -1000}}, Reversal{202302, -2500, 0},
		Reversal{202302, -500, -500}, Reversal{202301, -500, -500})
	f("what is taken back already is not there", Account{Earned: earned, Reversals: []Reversal{{202302, -2500, 0}}},
		[]Reversal{{202302, -1000, 0}}, Reversal{202302, -500, 0}, Reversal{202301, -500, 0})
	f("beginnings too", Account{CarriedForward: []Earning{{202201, 700}}}, []Reversal{{202302, -700, 0}}, Reversal{202201, -700, 0})
}

// What is allocated sums to what was unmatched, and leaves open in each month what [OpenBalances]
// leaves.
func TestAllocateUnmatchedLikeOpenBalances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a Account
		var unknown []Reversal
		nets := map[Month]int64{}
		for i := range 8 {
			m := Month(202207).Add(i)
			if amount := rapid.Int64Range(-5000, 9000).Draw(t, "amount"); amount >= 0 {
				a.Earned = append(a.Earned, Earning{m, amount})
				nets[m] = amount
			} else {
				unknown = append(unknown, Reversal{m, amount, 0})
				nets[m] = amount
			}
		}
		var months []Earning
		for i := range 8 {
			m := Month(202207).Add(i)
			months = append(months, Earning{m, nets[m]})
		}
		a.AllocateUnmatched(unknown)
		left, sum := map[Month]int64{}, int64(0)
		for _, e := range a.Earned {
			left[e.Month] += e.Amount
		}
		for _, k := range a.Reversals {
			left[k.Month] += k.Amount
			sum += k.Amount
		}
		for _, k := range unknown {
			sum -= k.Amount
		}
		if sum != 0 {
			t.Fatalf("%v were allocated as %v", unknown, a.Reversals)
		}
		debt := false // of which OpenBalances makes one amount at the end
		for _, amount := range left {
			debt = debt || amount < 0
		}
		for _, e := range OpenBalances(months, 0) {
			if !debt && left[e.Month] != e.Amount {
				t.Fatalf("%v: %d is left of %s, OpenBalances leaves %d", months, left[e.Month], e.Month, e.Amount)
			}
		}
	})
}
