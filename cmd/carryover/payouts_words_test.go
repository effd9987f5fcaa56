package main

import (
	"fmt"
	"testing"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
)

// What came back of a run is what was paid; of the rest it says that it was left. The run's
// sums tell each apart.
func TestReturnedRun(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.handIn("ann", "bo", "cy")
	d.sale("a", "ann", "2023-01-05", 5000)
	d.sale("b", "bo", "2023-01-05", 4000)
	d.sale("c", "cy", "2023-01-05", 3000)
	d.approve("2023-03")
	d.ok("payouts", "record", "R1-1", "--status", "paid", "--reference", "A")
	d.ok("payouts", "record", "R1-2", "--status", "failed")
	d.contains(d.ok("payouts", "record", "1", "--status", "returned", "--reference", "BACK"), "Recorded: 1 of 3 lines.", "Left as they are: 2.")
	run := d.objects(d.ok("payouts", "list", "--json"))[0]
	if got := fmt.Sprint(run["net_cents"], run["paid_cents"], run["failed_cents"], run["returned_cents"], run["open_cents"]); got != "12000 0 4000 5000 3000" {
		t.Errorf("net, paid, failed, returned, open: %s", got)
	}

	// A line is named with its own run.
	d.write("results.csv", "Line,Status,Reference\nR1-3,paid,C\nR2-3,paid,D\n")
	d.fails(console.ExitFailed, []string{"results.csv:3: ", `there is no payout line "R2-3"`}, "payouts", "record", "--file", d.path("results.csv"))

	// Of two columns of one name the first counts.
	d.write("results.csv", "Line,Status,Reference,Ref\nR1-3,paid,C,other\n")
	d.ok("payouts", "record", "--file", d.path("results.csv"))
	if shown := d.objects(d.ok("payouts", "show", "R1-3", "--json"))[0]["lines"].([]any)[0].(map[string]any); shown["reference"] != "C" {
		t.Errorf("%v", shown)
	}
}

// Payments in other currencies are named, and never added.
func TestForm1099OfOtherCurrencies(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.ok("promoters", "set", "ann", "country=US")
	d.inBook(func(b *book.Book) error {
		at := d.at("2023-05-05 12:00").Unix()
		payout := func(n byte, amount int64, currency string) book.Payout {
			return book.Payout{ID: book.EntryID{15: n}, PartnerID: 1, Amount: amount, Currency: currency, PaidAt: at, Month: 202305}
		}
		run, err := b.LastImport(t.Context())
		if err != nil {
			return err
		}
		_, err = b.Apply(t.Context(), book.Import{PlanID: "q", AppliedAt: d.at("2023-06-01 00:00")}, run.ID,
			&book.Changes{KeapRecords: book.KeapRecords{Payouts: []book.Payout{payout(1, 60_000, "USD"), payout(2, 70_000, "AUD"), payout(3, 1, "AUD")}}}, nil, func(int) {})
		return err
	})
	got := d.objects(d.ok("payouts", "1099", "--year", "2023", "--json"))[0]
	payees := got["payees"].([]any)
	if len(payees) != 1 || payees[0].(map[string]any)["paid_cents"] != 60_000.0 || fmt.Sprint(got["other_currencies"]) != "[AUD]" {
		t.Errorf("%v", got)
	}
	d.contains(d.ok("payouts", "1099", "--year", "2023"), "Payments in other currencies (AUD) are not in these sums.")
}
