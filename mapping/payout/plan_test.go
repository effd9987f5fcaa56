package payout

import (
	"errors"
	"testing"

	"carryover/mapping/terms"
)

// A plan whose sums do not agree is none.
func TestReconcile(t *testing.T) {
	f := func(about string, balanced bool, change func(plan *Plan, accounts *accounts, ledger map[string]int64)) {
		t.Helper()
		plan := &Plan{
			Currency: "USD",
			Payable:  []PayableLine{{RefToken: "ann", Gross: 100, Refunds: -10, Carried: 5, Net: 95, Currency: "USD"}},
			Held:     []HeldLine{{RefToken: "bo", Amount: 30, Currency: "USD", Reason: terms.HoldNoW9}, {RefToken: "bo", Amount: 7, Currency: "AUD", Reason: terms.HoldCurrency}},
		}
		accounts := &accounts{
			byOwner: map[accountKey]*terms.Account{
				{nil, "USD"}: {Earned: []terms.Earning{{Month: 202302, Amount: 1000}}, Reversals: []terms.Reversal{{Month: 202302, Amount: -400}}, Approved: 5000},
				{nil, "AUD"}: {CarriedForward: []terms.Earning{{Month: 202303, Amount: 80}}},
			},
			house: map[string]int64{"USD": 20_000},
		}
		ledger := map[string]int64{"USD": 125 + 600 + 5000 + 20_000, "AUD": 7 + 80}
		change(plan, accounts, ledger)
		if err := plan.reconcile(accounts, ledger, 202301); (err == nil) != balanced || err != nil && !errors.Is(err, ErrUnbalanced) {
			t.Errorf("%s: %v", about, err)
		}
	}
	f("as it should be", true, func(*Plan, *accounts, map[string]int64) {})
	f("a cent more is in the ledger", false, func(_ *Plan, _ *accounts, ledger map[string]int64) { ledger["USD"]++ })
	f("a cent less is there in another currency", false, func(_ *Plan, _ *accounts, ledger map[string]int64) { ledger["AUD"]-- })
	f("the ledger has a currency that nobody is owed", false, func(_ *Plan, _ *accounts, ledger map[string]int64) { ledger["CAD"] = 1 })
	f("a line is missing", false, func(plan *Plan, _ *accounts, _ map[string]int64) { plan.Held = plan.Held[:1] })
	f("the program's own is missing", false, func(_ *Plan, accounts *accounts, _ map[string]int64) { accounts.house["USD"] = 0 })
	f("what is in approved runs is missing", false, func(_ *Plan, accounts *accounts, _ map[string]int64) {
		accounts.byOwner[accountKey{nil, "USD"}].Approved = 0
	})
	f("what is inside the hold is missing", false, func(_ *Plan, accounts *accounts, _ map[string]int64) {
		accounts.byOwner[accountKey{nil, "USD"}].Earned = nil
	})
	f("columns that do not sum", false, func(plan *Plan, _ *accounts, _ map[string]int64) { plan.Payable[0].Carried-- })
}
