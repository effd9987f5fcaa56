package main

import (
	"errors"
	"testing"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Before the first run what was taken back is a refund from the month on that is paid; what
// was taken back earlier is in what is carried.
func TestColumnsOfTheFirstRun(t *testing.T) {
	d := newPayDesk(t)
	d.handIn("ann")
	d.sale("november", "ann", "2022-11-10", 10_000)
	d.sale("december", "ann", "2022-12-10", 10_000)
	d.back(book.KindRefund, "november", "2022-12-31", 1000)
	d.back(book.KindRefund, "december", "2023-01-01", 400)
	d.plansTo("2023-03", "ann 186.00 (2022-11 2022-12: 0.00 -4.00 190.00)")
	d.plansTo("2023-02", "ann 186.00 (2022-11 2022-12: 100.00 -14.00 100.00)")
}

// A plan whose sums do not agree is none.
func TestReconcile(t *testing.T) {
	f := func(about string, balanced bool, change func(plan *payoutPlan, accounts *payoutAccounts, ledger map[string]int64)) {
		t.Helper()
		plan := &payoutPlan{
			Currency: "USD",
			Payable:  []payableLine{{RefToken: "ann", Gross: 100, Refunds: -10, Carried: 5, Net: 95, Currency: "USD"}},
			Held:     []heldLine{{RefToken: "bo", Amount: 30, Currency: "USD", Reason: terms.HoldNoW9}, {RefToken: "bo", Amount: 7, Currency: "AUD", Reason: terms.HoldCurrency}},
		}
		accounts := &payoutAccounts{
			byKey: map[dueKey]*terms.Account{
				{nil, "USD"}: {Earned: []terms.Earning{{Month: 202302, Amount: 1000}}, Reversals: []terms.Reversal{{Month: 202302, Amount: -400}}, Approved: 5000},
				{nil, "AUD"}: {CarriedForward: []terms.Earning{{Month: 202303, Amount: 80}}},
			},
			house: map[string]int64{"USD": 20_000},
		}
		ledger := map[string]int64{"USD": 125 + 600 + 5000 + 20_000, "AUD": 7 + 80}
		change(plan, accounts, ledger)
		if err := plan.reconcile(accounts, ledger, 202301); (err == nil) != balanced || err != nil && !errors.Is(err, terms.ErrUnbalanced) {
			t.Errorf("%s: %v", about, err)
		}
	}
	f("as it should be", true, func(*payoutPlan, *payoutAccounts, map[string]int64) {})
	f("a cent more is in the ledger", false, func(_ *payoutPlan, _ *payoutAccounts, ledger map[string]int64) { ledger["USD"]++ })
	f("a cent less is there in another currency", false, func(_ *payoutPlan, _ *payoutAccounts, ledger map[string]int64) { ledger["AUD"]-- })
	f("the ledger has a currency that nobody is owed", false, func(_ *payoutPlan, _ *payoutAccounts, ledger map[string]int64) { ledger["CAD"] = 1 })
	f("a line is missing", false, func(plan *payoutPlan, _ *payoutAccounts, _ map[string]int64) { plan.Held = plan.Held[:1] })
	f("the program's own is missing", false, func(_ *payoutPlan, accounts *payoutAccounts, _ map[string]int64) { accounts.house["USD"] = 0 })
	f("what is in approved runs is missing", false, func(_ *payoutPlan, accounts *payoutAccounts, _ map[string]int64) {
		accounts.byKey[dueKey{nil, "USD"}].Approved = 0
	})
	f("what is inside the hold is missing", false, func(_ *payoutPlan, accounts *payoutAccounts, _ map[string]int64) {
		accounts.byKey[dueKey{nil, "USD"}].Earned = nil
	})
	f("columns that do not sum", false, func(plan *payoutPlan, _ *payoutAccounts, _ map[string]int64) { plan.Payable[0].Carried-- })
}
