package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/console"
)

// Whose a customer is and why, and what became of every referral that competed.
func TestExplainCustomer(t *testing.T) {
	d := newMoneyDesk(t)
	kim := d.objects(d.ok("explain", "kim@shop.test", "--json"))[0]
	const names = "about why customer_email customer_name keap_contact_ids ref_token keap_partner_id rule referred_at first_referred_at keap_referral_id self_referred as_of owner_rule other_rule timeline"
	if fields(kim) != sorted(names) {
		t.Errorf("explain --json has %s", fields(kim))
	}
	for name, want := range map[string]any{
		"about": "customer", "customer_email": "kim@shop.test", "customer_name": "Kim Lane", "ref_token": "gamma-x", "keap_partner_id": 5.0, "rule": "id",
		"referred_at": "2022-06-01T16:00:00Z", "first_referred_at": "2022-01-05T17:00:00Z", "keap_referral_id": 504.0, "self_referred": false, "as_of": "2023-03-31", "owner_rule": "latest",
		"why": "kim@shop.test belongs to gamma-x (Keap id 5): its referral of 2022-06-01 09:00 has the highest id of those of that minute and type.",
	} {
		if kim[name] != want {
			t.Errorf("%s: %v, want %v", name, kim[name], want)
		}
	}
	if ids := fmt.Sprint(kim["keap_contact_ids"]); ids != "[101 102]" {
		t.Errorf("contacts %s", ids)
	}
	if o := kim["other_rule"].(map[string]any); o["owner_rule"] != "first" || o["ref_token"] != "alpha" || o["keap_referral_id"] != 501.0 {
		t.Errorf("the other rule: %v", o)
	}
	var story []string
	for _, m := range kim["timeline"].([]any) {
		m := m.(map[string]any)
		what := m["outcome"]
		if m["amount_cents"] != nil {
			what = m["amount_cents"]
		}
		story = append(story, fmt.Sprintf("%.10s %s %s %v", m["at"], m["kind"], m["ref_token"], what))
	}
	want := []string{
		"2022-01-05 referral alpha lost: earlier", "2022-06-01 referral beta lost: type", "2022-06-01 referral alpha lost: lower id", "2022-06-01 referral gamma-x won",
		"2022-06-02 order beta 29702", "2022-06-02 subscription beta 29702", "2022-06-02 commission alpha 1485", "2022-06-02 commission beta 7426", "2022-06-20 clawback alpha -1485",
		"2022-07-02 order  29702", "2022-12-01 referral gamma-x expired", "2023-04-02 referral alpha set after as_of",
	}
	slices.Sort(story[6:8]) // in the order of their event ids
	if !slices.Equal(story, want) {
		t.Errorf("timeline:\n%s\nwant:\n%s", strings.Join(story, "\n"), strings.Join(want, "\n"))
	}

	text := d.ok("explain", "KIM@shop.test")
	d.contains(text, "belongs to gamma-x", `With owner = "first" in [import] it would be of alpha (Keap id 1).`, "lost: lower id", "set after as_of", "order 4001", "subscription 301", "ends 2022-08-02", "second level: sold by beta", "by course")
	for _, what := range []string{"101", "102", "contact:101", "kim lane", " Kim  LANE"} {
		if d.ok("explain", what) != text {
			t.Errorf("%q is not explained as kim@shop.test is", what)
		}
	}

	f := func(what string, want ...string) {
		t.Helper()
		d.contains(d.ok("explain", what), want...)
	}
	f("lee@shop.test", "belongs to nobody: its referral of 2023-02-01 09:00 wins, and it is of the program's own partner", "(the program's own)", "house", "lost: earlier", `owner = "first"`, "alpha")
	f("ola@shop.test", "belongs to nobody: all of its referrals had expired on 2023-03-31", "expires 2021-03-01")
	f("pia@shop.test", "belongs to nobody yet: what has not expired was set after 2023-03-31")
	f("other@shop.test", "belongs to nobody: no promoter ever referred it", "invoice 70004", "-20.00", "12.00 AUD")
	f("104", "contact 104 Max North belongs to beta (Keap id 2)", "is the only one that counted on 2023-03-31")
	f("ann@mail.test", "ann@mail.test belongs to alpha (Keap id 1), and is that promoter")

	r := d.fails(console.ExitUsage, []string{`"Kim" could be any of these`, "101  Kim Lane  kim@shop.test", "105  Kim Other  other@shop.test"}, "explain", "Kim")
	if r.out != "" {
		t.Errorf("standard output holds %q", r.out)
	}
	d.fails(console.ExitUsage, nil, "explain", "Kim", "--json")
	for _, what := range []string{"nobody@shop.test", "No Body", "999", "0"} {
		d.fails(console.ExitFailed, []string{fmt.Sprintf("the book knows no customer %q", what), "order:ID"}, "explain", what)
	}
	d.fails(console.ExitUsage, []string{"<what>"}, "explain")
}

// The rule that the run was made by is told, also when the configuration has changed.
func TestExplainOtherRule(t *testing.T) {
	d := newMoneyDesk(t)
	d.write("carryover.toml", strings.Replace(d.read("carryover.toml"), "[import]", "[import]\nowner = \"first\"", 1))
	d.contains(d.ok("explain", "kim@shop.test"), "belongs to gamma-x", "won", `With owner = "first" in [import] it would be of alpha`)
	d.ok("plan", "exports")
	d.ok("apply")
	d.contains(d.ok("explain", "kim@shop.test"), "belongs to alpha (Keap id 1): its referral of 2022-01-05 09:00 (by course) is the earliest of the 4 that counted on 2023-03-31",
		"lost: later", `With owner = "latest" in [import] it would be of gamma-x`)
}

func TestExplainMoney(t *testing.T) {
	d := newMoneyDesk(t)
	order := d.ok("explain", "order:4001")
	d.contains(order, "Order 4001 of 2022-06-02, 297.02 USD (Agency Membership), was sold by beta (Keap id 2); on orders of this customer, day and seller 89.11 USD was earned, and 14.85 USD taken back.",
		"commission, sold by beta", "clawback", "kim@shop.test belongs to gamma-x")
	d.contains(d.ok("explain", "order:4002"), "was sold without a partner.", "kim@shop.test belongs to gamma-x")
	d.contains(d.ok("explain", "order:4003"), "sold by alpha", "no commission of this customer, day and seller", "lee@shop.test belongs to nobody")
	d.contains(d.ok("explain", "invoice:70001"), "On invoice 70001 89.11 USD was earned, and 14.85 USD taken back.", "kim@shop.test belongs")
	d.contains(d.ok("explain", "invoice:70005"), "On invoice 70005 12.00 AUD was earned.", "other@shop.test belongs to nobody")

	event := func(args ...string) string {
		t.Helper()
		return d.objects(d.ok(append([]string{"ledger", "--json"}, args...)...))[0]["event_id"].(string)
	}
	d.contains(d.ok("explain", event("--promoter", "alpha", "--year", "2022")),
		"14.85 USD was earned by alpha (Keap id 1) on 2022-06-02, on invoice 70001 (Agency Membership), on the second level: beta (Keap id 2) made the sale; the hold on it ends with 2022-07; run 1 read it in exports/commissions.csv, line 3.",
		"kim@shop.test belongs to gamma-x")
	d.contains(d.ok("explain", event("--kind", "clawback")), "14.85 USD was taken back from alpha")
	d.contains(d.ok("explain", event("--kind", "payment")), "90.00 USD was paid to alpha (Keap id 1) on 2023-02-12 (Commission); run 1 read it in exports/payments.csv, line 2.")
	d.contains(d.ok("explain", event("--kind", "opening")), "40.00 USD was the beginning balance of beta (Keap id 2)", "ledger.csv, line 3.")
	d.contains(d.ok("explain", event("--promoter", "House")), "5.00 USD was earned by the program's own partner (Keap id 3)")

	for what, names := range map[string]string{
		event("--kind", "payment"): "about answer entries", "invoice:70005": "about answer entries",
		"order:4001": "about answer entries", "order:4002": "about answer",
	} {
		e := d.objects(d.ok("explain", what, "--json"))[0]
		for name := range strings.FieldsSeq(names) {
			if e[name] == nil {
				t.Errorf("%s: no %s in %v", what, name, e)
			}
		}
	}
	d.fails(console.ExitUsage, []string{`"x" is no order id`, "order:4002"}, "explain", "order:x")
	d.fails(console.ExitFailed, []string{"there is no such order: 9", "carryover explain CUSTOMER"}, "explain", "order:9")
	d.fails(console.ExitFailed, []string{`no entry of the ledger names the invoice "9"`, "order:9"}, "explain", "invoice:9")
	d.fails(console.ExitFailed, []string{`names the invoice ""`}, "explain", "invoice:")
	d.fails(console.ExitFailed, []string{"the ledger has no such entry", `"carryover ledger --promoter TOKEN"`}, "explain", "k-00000000000000000000000000000000")
}

// A customer whom a person gave to the partner of its running subscription.
func TestExplainSubscription(t *testing.T) {
	d := newMoneyDesk(t)
	d.write("exports/subscriptions.csv", `Id,ContactId,SubscriptionPlanId,Product Name,AffiliateId,BillingAmt,Status,StartDate,EndDate
301,101,7,Agency Membership,2,$297.02,Active,6/2/2022,
302,105,7,Agency Membership,5,$297.02,Active,6/2/2022,
`)
	d.write("decided.csv", "id,decision\nsubscription_partner:kim@shop.test,subscription\nsubscription_partner:other@shop.test,subscription\n")
	d.ok("plan", "exports", "--decisions", "decided.csv")
	d.ok("apply")
	kim := d.ok("explain", "kim@shop.test")
	d.contains(kim, "belongs to beta (Keap id 2): a person decided for the partner of its running subscription.", "active", "lost: lower id")
	if strings.Contains(kim, "With owner =") {
		t.Errorf("the other rule would change nothing:\n%s", kim)
	}
	d.contains(d.ok("explain", "other@shop.test"), "belongs to gamma-x (Keap id 5): a person decided")
}
