package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/terms"
)

// A correction is an entry like the others: it is paid, or taken back, in its month.
func TestCorrect(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.handIn("ann", "bo")
	d.sale("a", "ann", "2023-01-10", 5000)
	d.sale("b", "bo", "2023-01-10", 6000)
	correct := func(promoter, amount, note string, more ...string) string {
		d.Helper()
		return d.ok(append([]string{"ledger", "correct", "--promoter", promoter, "--amount", amount, "--note", note, "--by", "kim"}, more...)...)
	}
	if got := correct("ann", "-12.50", "paid twice  by\ncheck", "--month", "2023-01"); got != "t-3: -12.50 USD for ann in 2023-01, booked by kim: paid twice by check\n" {
		t.Errorf("%q", got)
	}
	correct("bo", "$1,000.00", "a sale that nobody told", "--month", "2023-01")
	correct("bo", "($10.00)", "inside the hold", "--month", "2023-02")
	d.plansTo("2023-03", "ann 37.50 (2023-01: 50.00 -12.50 0.00); bo 1060.00 (2023-01: 1060.00 0.00 0.00)")
	d.plansTo("2023-04", "ann 37.50 (2023-01: 0.00 -12.50 50.00); bo 1050.00 (2023-01: 0.00 -10.00 1060.00)")
	d.approve("2023-03")
	d.ok("payouts", "record", "1", "--status", "paid", "--reference", "T", "--date", "2023-03-12")
	correct("ann", "-5.00", "after it was paid", "--month", "2023-01")
	d.plansTo("2023-04", "held ann -5.00 negative; held bo -10.00 negative")

	// Twice by mistake is once; what was wrong is corrected again.
	same := []string{"ledger", "correct", "--promoter", "1", "--amount=-12.5", "--note", "paid twice by check", "--month", "2023-01"}
	if r := d.run(slices.Replace(slices.Clone(same), 4, 5, "--amount=-12.50")...); r.code != console.ExitFailed || !strings.Contains(r.err, "booked just so before, as t-3 on ") || !strings.Contains(r.err, "by kim: nothing was booked") {
		t.Errorf("the same again: exit %d, %s", r.code, r.err)
	}
	correct("ann", "12.50", "t-3 was wrong", "--month", "2023-01")
	d.plansTo("2023-04", "held ann 7.50 below_minimum; held bo -10.00 negative")

	d.contains(d.ok("ledger"), "corrections", "together", "985.00")
	d.contains(d.ok("ledger", "--promoter", "ann"), "correction", "paid twice by check", "t-3", "corrections", "Balance of all entries: 7.50")
	if n := len(d.objects(d.ok("ledger", "--kind", "correction", "--json"))); n != 5 {
		t.Errorf("%d corrections", n)
	}
	d.contains(d.ok("explain", "t-3"), "12.50 USD was taken back by a correction from ann (Keap id 1) on ", "(paid twice by check); it counts in 2023-01, kim has booked it.")
	d.contains(d.ok("explain", "t-4"), "1,000.00 USD was given by a correction to bo (Keap id 2) on ")
	for _, p := range d.objects(d.ok("promoters", "--json")) {
		if want := map[string]float64{"ann": 750, "bo": -1000}[p["ref_token"].(string)]; p["balance_cents"] != want {
			t.Errorf("%v", p)
		}
	}
	year := fmt.Sprint(time.Now().In(d.zone).Year())
	s := d.objects(d.ok("payouts", "statement", "ann", "--year", year, "--json"))[0]["currencies"].([]any)[0].(map[string]any)
	if s["earned_cents"] != 1250.0 || s["taken_back_cents"] != -1750.0 || s["brought_over_cents"] != 0.0 {
		t.Errorf("%v", s)
	}
	d.contains(d.ok("payouts", "statement", "ann", "--year", year, "--format", "csv"), "Correction,paid twice by check,2023-01,-12.50")
	one := d.objects(correct("cy", "1", "today", "--json"))[0]
	this := terms.MonthOf(time.Now(), d.zone)
	if one["month"] != this.String() || one["ref_token"] != "cy" || one["amount_cents"] != 100.0 || one["recorded_by"] != "kim" || one["event_id"] != "t-8" {
		t.Errorf("%v", one)
	}

	refused := func(code int, want string, args ...string) {
		t.Helper()
		d.fails(code, []string{want}, append([]string{"ledger", "correct"}, args...)...)
	}
	refused(console.ExitUsage, "2999-01 has not come yet", "--promoter", "ann", "--amount", "1", "--note", "n", "--month", "2999-01")
	refused(console.ExitUsage, this.Add(1).String()+" has not come yet", "--promoter", "ann", "--amount", "1", "--note", "n", "--month", this.Add(1).String())
	refused(console.ExitUsage, `"March" is no month`, "--promoter", "ann", "--amount", "1", "--note", "n", "--month", "March")
	refused(console.ExitUsage, `"0.00" changes nothing`, "--promoter", "ann", "--amount", "0.00", "--note", "n")
	refused(console.ExitUsage, "more decimals than the currency", "--promoter", "ann", "--amount", "-1.005", "--note", "n")
	refused(console.ExitUsage, "unexpected argument n", "--promoter", "ann", "--amount", "--note", "n")
	refused(console.ExitUsage, "in the program's currency", "--promoter", "ann", "--amount", "EUR 1", "--note", "n")
	refused(console.ExitUsage, "--note is empty", "--promoter", "ann", "--amount", "1", "--note", "  ")
	refused(console.ExitUsage, "at most 300", "--promoter", "ann", "--amount", "1", "--note", strings.Repeat("x", 301))
	refused(console.ExitUsage, "--note", "--promoter", "ann", "--amount", "1")
	refused(console.ExitUsage, "--amount", "--promoter", "ann", "--note", "n")
	refused(console.ExitFailed, `"nobody"`, "--promoter", "nobody", "--amount", "1", "--note", "n")
	if n := len(d.objects(d.ok("ledger", "--kind", "correction", "--json"))); n != 6 {
		t.Errorf("after what was refused: %d corrections", n)
	}
}
