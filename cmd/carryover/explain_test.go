package main

import (
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/console"
)

// Explanations of what was imported from exports, as people and programs read them. What they
// say of every case is tested in mapping/history.
func TestExplain(t *testing.T) {
	t.Parallel()
	d := newMoneyDesk(t)
	kim := d.objects(d.ok("explain", "kim@shop.test", "--json"))[0]
	const names = "about why customer_email customer_name keap_contact_ids ref_token keap_partner_id rule referred_at " +
		"first_referred_at keap_referral_id self_referred as_of owner_rule other_rule timeline"
	if fields(kim) != sorted(names) {
		t.Errorf("explain --json has %s", fields(kim))
	}
	const why = "kim@shop.test belongs to gamma-x (Keap id 5): " +
		"its referral of 2022-06-01 09:00 has the highest id of those of that minute and type."
	if timeline := kim["timeline"].([]any); kim["why"] != why || kim["as_of"] != "2023-03-31" || kim["owner_rule"] != "latest" ||
		len(timeline) != 12 {
		t.Errorf("%v", kim)
	}
	text := d.ok("explain", "KIM@shop.test")
	d.contains(text, why, `With owner = "first" in [import] it would be of alpha (Keap id 1).`, "lost: lower id", "set after as_of",
		"order 4001", "subscription 301", "ends 2022-08-02", "second level: sold by beta", "by course")
	if d.ok("explain", " Kim  LANE") != text {
		t.Error("its name is not explained as its address is")
	}
	d.contains(d.ok("explain", "lee@shop.test"), "(the program's own)", "house", "lost: earlier")

	d.contains(d.ok("explain", "order:4001"), "Order 4001 of 2022-06-02, 297.02 USD (Agency Membership), was sold by beta (Keap id 2); "+
		"on orders of this customer, day and seller 89.11 USD was earned, and 14.85 USD taken back.",
		"commission, sold by beta", "clawback", "kim@shop.test belongs to gamma-x")
	event := d.objects(d.ok("ledger", "--json", "--promoter", "alpha", "--year", "2022"))[0]["event_id"].(string)
	d.contains(d.ok("explain", event), "14.85 USD was earned by alpha (Keap id 1) on 2022-06-02, on invoice 70001 (Agency Membership), "+
		"on the second level: beta (Keap id 2) made the sale; the hold on it ends with 2022-07; "+
		"run 1 read it in exports/commissions.csv, line 3.")

	r := d.fails(console.ExitUsage, []string{`"Kim" could be any of these`, "101  Kim Lane  kim@shop.test",
		"105  Kim Other  other@shop.test"},
		"explain", "Kim")
	if r.out != "" {
		t.Errorf("standard output holds %q", r.out)
	}
	d.fails(console.ExitUsage, nil, "explain", "Kim", "--json")
	d.fails(console.ExitUsage, []string{"<what>"}, "explain")
	d.fails(console.ExitUsage, []string{`"x" is no order id`, "order:4002"}, "explain", "order:x")
	d.fails(console.ExitFailed, []string{`the book knows no customer "999"`, "order:ID"}, "explain", "999")
	d.fails(console.ExitFailed, []string{"there is no such order: 9", "carryover explain CUSTOMER"}, "explain", "order:9")

	// The rule that the run was made by is told, also when the configuration has changed.
	d.write("carryover.toml", strings.Replace(d.read("carryover.toml"), "[import]", "[import]\nowner = \"first\"", 1))
	d.contains(d.ok("explain", "kim@shop.test"), "belongs to gamma-x", "won", `With owner = "first" in [import] it would be of alpha`)
	d.ok("plan", "exports")
	d.ok("apply")
	d.contains(d.ok("explain", "kim@shop.test"),
		"belongs to alpha (Keap id 1): its referral of 2022-01-05 09:00 (by course) is the earliest of the 4 that counted on 2023-03-31",
		"lost: later", `With owner = "latest" in [import] it would be of gamma-x`)
}
