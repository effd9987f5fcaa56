package main

import (
	"fmt"
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/console"
)

// The threshold is that of the year, and what went over PayPal is told apart.
func TestForm1099(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.ok("promoters", "set", "ann", "w9=yes", "payout_method=check", "country=US", "legal_name=Ann Ltd")
	d.ok("promoters", "set", "bo", "w9=yes", "payout_method=paypal", "country=US")
	d.ok("promoters", "set", "cy", "w9=yes", "payout_method=wire")
	d.ok("promoters", "set", "dee", "w9=yes", "payout_method=check", "country=DE")
	pay := func(month, day string, amounts map[string]int64) {
		t.Helper()
		for _, p := range []string{"ann", "bo", "cy", "dee"} {
			if amounts[p] != 0 {
				d.sale(p+month, p, month+"-05", amounts[p])
			}
		}
		run := int(d.approve(day[:7]))
		d.ok("payouts", "record", fmt.Sprint(run), "--status", "paid", "--reference", "P"+day, "--date", day)
	}
	pay("2023-01", "2023-03-12", map[string]int64{"ann": 30_000, "bo": 60_000, "cy": 60_000, "dee": 90_000})
	pay("2023-10", "2023-12-31", map[string]int64{"ann": 30_000})
	pay("2023-11", "2024-01-01", map[string]int64{"ann": 59_999})
	pay("2025-11", "2026-01-12", map[string]int64{"ann": 199_999, "bo": 200_000})
	f := func(year, want string) {
		t.Helper()
		got := d.objects(d.ok("payouts", "1099", "--year", year, "--json"))[0]
		said := []string{fmt.Sprint(got["threshold_cents"])}
		for _, list := range []string{"payees", "country_not_recorded"} {
			for _, p := range got[list].([]any) {
				p := p.(map[string]any)
				said = append(said, fmt.Sprint(p["ref_token"], " ", p["name"], " ", p["paid_cents"], " ", p["via_paypal_cents"], " ", p["file_1099_nec"], " ", p["country"]))
			}
		}
		if s := strings.Join(said, "; "); s != want {
			t.Errorf("%s: %s, want %s", year, s, want)
		}
	}
	f("2023", "60000; ann Ann Ltd 60000 0 true US; bo Bo Payee 60000 60000 false US; cy Cy Payee 60000 0 true ")
	f("2024", "60000")
	f("2026", "200000; bo Bo Payee 200000 200000 false US")
	d.contains(d.ok("payouts", "1099", "--year", "2023"), "PayPal's 1099-K", "1099-NEC", "Country not recorded")

	// Money that came back was not paid.
	d.ok("payouts", "record", "2", "--status", "returned", "--reference", "BACK", "--date", "2023-12-31")
	f("2023", "60000; bo Bo Payee 60000 60000 false US; cy Cy Payee 60000 0 true ")

	d.fails(console.ExitFailed, []string{"no threshold for 2012", "begins with 2013"}, "payouts", "1099", "--year", "2012")
	d.fails(console.ExitUsage, []string{"--year"}, "payouts", "1099", "--year", "23")
	config := d.read("carryover.toml")
	d.write("carryover.toml", config+"\n[terms]\nform_1099 = { 2000 = \"1\", 2023 = \"599.99\" }\n")
	f("2024", "59999; ann Ann Ltd 59999 0 true US")
	d.write("carryover.toml", config+"\n[terms]\nform_1099 = { soon = \"600.00\" }\n")
	d.fails(console.ExitFailed, []string{"terms.form_1099.soon", "a year such as"}, "payouts", "1099", "--year", "2023")
	d.write("carryover.toml", config+"\n[terms]\nform_1099 = { 2023 = \"much\" }\n")
	d.fails(console.ExitFailed, []string{"terms.form_1099.2023", "an amount in quotes"}, "payouts", "1099", "--year", "2023")
}
