package terms

import (
	"fmt"
	"testing"
)

// Where two things are equal the rules still say one thing.
func TestTies(t *testing.T) {
	f := func(about, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", about, got, want)
		}
	}
	terms := DefaultConfig()
	terms.RateChanges = []RateChange{{From: 100, Kind: Membership, Percent: 100_000}, {From: 100, Kind: Membership, Percent: 200_000},
		{From: 50, Kind: Membership, Percent: 300_000}}
	f("two rates of one instant: the later in the list", terms.CommissionPercent(Membership, 100, nil).String(), "20%")
	f("the instant before", terms.CommissionPercent(Membership, 99, nil).String(), "30%")
	f("two of the promoter's own", terms.CommissionPercent(Membership, 100,
		[]RateChange{{From: 10, Kind: Membership, Percent: 400_000}, {From: 10, Kind: Membership, Percent: 500_000}}).String(), "50%")

	// A line that earned other than its share, as by hand, gives back what it earned.
	less, more := SaleLine{Amount: 100, Percent: 250_000, Earned: 20}, SaleLine{Amount: 100, Percent: 250_000, Earned: 30}
	f("in parts", fmt.Sprint(less.reversedAt(60), less.reversedAt(90), less.reversedAt(100), more.reversedAt(60), more.reversedAt(99),
		more.reversedAt(100), more.reversedAt(101)), "15 20 20 15 25 30 30")

	// What is flagged comes to just what is due.
	january := []Earning{{202301, 5000}}
	f("all that is left is flagged",
		describeDue(DefaultConfig().AmountDue(202303, &Account{Earned: january, Flagged: []Earning{{202301, 3000}}, Paid: 2000})),
		"0 0 0 = 0 flagged 3000")
	f("nothing is left of what was flagged",
		describeDue(DefaultConfig().AmountDue(202303, &Account{Earned: january, Flagged: []Earning{{202301, 0}}})), "5000 0 0 = 5000 (2023-01)")
	f("the older month is in an approved batch",
		describeDue(DefaultConfig().AmountDue(202303, &Account{Earned: []Earning{{202212, 4000}, {202301, 5000}}, Approved: 4000})),
		"5000 0 0 = 5000 (2023-01)")

	// The minimum is of the program's currency; what is paid has nothing flagged in it.
	_,
		held := DefaultConfig().SplitPayable(Due{Amount: 10, Gross: 10}, Eligibility{W9OnFile: true, PayoutMethod: true, ForeignCurrency: true})
	f("little, in another currency", fmt.Sprint(held), "[{10 [currency]}]")
	all := Eligibility{W9OnFile: true, PayoutMethod: true}
	payable, held := DefaultConfig().SplitPayable(Due{Amount: 2500, Gross: 2500, Flagged: 700}, all)
	f("just the minimum", fmt.Sprint(payable.Amount, payable.Flagged, held), "2500 0 [{700 [flagged]}]")
}
