package history_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Whose a customer is and why, and what became of every referral that competed.
func TestCustomer(t *testing.T) {
	f := newKeapFixture(t)
	e := f.explain("kim@shop.test")
	kim := object(t, e)
	const members = "about why customer_email customer_name keap_contact_ids ref_token keap_partner_id rule " +
		"referred_at first_referred_at keap_referral_id self_referred as_of owner_rule other_rule timeline"
	if names(kim) != sorted(members) {
		t.Errorf("an explanation has %s", names(kim))
	}
	for name, want := range map[string]any{
		"about": "customer", "customer_email": "kim@shop.test", "customer_name": "Kim Lane", "ref_token": "gamma-x", "keap_partner_id": 5.0,
		"rule":        "id",
		"referred_at": "2022-06-01T16:00:00Z", "first_referred_at": "2022-01-05T17:00:00Z", "keap_referral_id": 504.0,
		"self_referred": false, "as_of": "2023-03-31", "owner_rule": "latest",
		"why": "kim@shop.test belongs to gamma-x (Keap id 5): its referral of 2022-06-01 09:00 " +
			"has the highest id of those of that minute and type.",
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
	var timeline []string
	for _, m := range kim["timeline"].([]any) {
		m := m.(map[string]any)
		what := m["outcome"]
		if m["amount_cents"] != nil {
			what = m["amount_cents"]
		}
		timeline = append(timeline, fmt.Sprintf("%.10s %s %s %v", m["at"], m["kind"], m["ref_token"], what))
	}
	want := []string{
		"2022-01-05 referral alpha lost: earlier", "2022-06-01 referral beta lost: type", "2022-06-01 referral alpha lost: lower id",
		"2022-06-01 referral gamma-x won",
		"2022-06-02 order beta 29702", "2022-06-02 subscription beta 29702", "2022-06-02 commission alpha 1485",
		"2022-06-02 commission beta 7426", "2022-06-20 clawback alpha -1485",
		"2022-07-02 order  29702", "2022-12-01 referral gamma-x expired", "2023-04-02 referral alpha set after as_of",
	}
	if !slices.Equal(timeline, want) {
		t.Errorf("timeline:\n%s\nwant:\n%s", strings.Join(timeline, "\n"), strings.Join(want, "\n"))
	}

	f.explain("KIM@shop.test", "belongs to gamma-x", `With owner = "first" in [import] it would be of alpha (Keap id 1).`,
		"lost: lower id", "set after as_of",
		"order 4001", "subscription 301", "ends 2022-08-02", "second level: sold by beta", "by course")
	for _, what := range []string{"101", "102", "contact:101", "kim lane", " Kim  LANE"} {
		if !reflect.DeepEqual(f.explain(what), e) {
			t.Errorf("%q is not explained as kim@shop.test is", what)
		}
	}
}

func TestCustomerOfNobody(t *testing.T) {
	f := newKeapFixture(t)
	f.explain("lee@shop.test", "belongs to nobody: its referral of 2023-02-01 09:00 wins, and it is of the program's own partner",
		"(the program's own)", "house", "lost: earlier", `owner = "first"`, "alpha")
	f.explain("ola@shop.test", "belongs to nobody: all of its referrals had expired on 2023-03-31", "expires 2021-03-01")
	f.explain("pia@shop.test", "belongs to nobody yet: what has not expired was set after 2023-03-31")
	f.explain("other@shop.test", "belongs to nobody: no promoter ever referred it", "invoice 70004", "-20.00", "12.00 AUD")
	f.explain("104", "contact 104 Max North belongs to beta (Keap id 2)", "is the only one that counted on 2023-03-31")
	f.explain("ann@mail.test", "ann@mail.test belongs to alpha (Keap id 1), and is that promoter")

	f.refuses("Kim", true, `"Kim" could be any of these`, "101  Kim Lane  kim@shop.test", "105  Kim Other  other@shop.test")
	for _, what := range []string{"nobody@shop.test", "No Body", "999", "0"} {
		f.refuses(what, false, fmt.Sprintf("the book knows no customer %q", what), "order:ID")
	}
}

// The rule that the import decided by is told, also when the configuration has changed.
func TestCustomerUnderTheOtherRule(t *testing.T) {
	f := newKeapFixture(t)
	f.OwnerRule = terms.OwnerFirst
	f.explain("kim@shop.test", "belongs to gamma-x", "won", `With owner = "first" in [import] it would be of alpha`)
	kim := referral("kim@shop.test", 101, 1, 501, "2022-01-05 09:00", "2022-01-05 09:00", "course", terms.RuleFirst, false)
	f.apply(1, &book.Changes{KeapRecords: book.KeapRecords{Referrals: book.Rows[book.Referral]{Update: []book.Referral{kim}}}})
	f.explain("kim@shop.test",
		"belongs to alpha (Keap id 1): its referral of 2022-01-05 09:00 (by course) is the earliest of the 4 that counted on 2023-03-31",
		"lost: later", `With owner = "latest" in [import] it would be of gamma-x`)
}

// A customer whom a person gave to the partner of its running subscription.
func TestCustomerOfASubscription(t *testing.T) {
	content := keapProgram()
	m := &content.KeapRecords
	m.Subscriptions.Create[0].Active, m.Subscriptions.Create[0].EndedAt = true, 0
	other := m.Subscriptions.Create[0]
	other.ID, other.ContactID, other.SellerID = 302, 105, 5
	m.Subscriptions.Create = append(m.Subscriptions.Create, other)
	for i := range m.Referrals.Create {
		if r := &m.Referrals.Create[i]; r.Customer == "kim@shop.test" {
			r.PartnerID, r.Rule = 2, terms.RuleSubscription
		}
	}
	m.Referrals.Create = append(m.Referrals.Create, book.Referral{Customer: "other@shop.test", Email: "other@shop.test", ContactID: 105,
		PartnerID: 5, Rule: terms.RuleSubscription})
	slices.SortFunc(m.Referrals.Create, func(x, y book.Referral) int { return strings.Compare(x.Customer, y.Customer) })
	f := newFixture(t, content)
	kim := f.explain("kim@shop.test", "belongs to beta (Keap id 2): a person decided for the partner of its running subscription.",
		"active", "lost: lower id")
	if kim.Other != nil || len(f.OtherOutcomes(kim.CustomerHistory)) > 0 {
		t.Errorf("the other rule would change nothing: %+v", kim.Other)
	}
	f.explain("other@shop.test", "belongs to gamma-x (Keap id 5): a person decided")
}
