package history_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Customers of Keap and those who were bound since are one list, in the order of addresses.
func TestOwnedCustomers(t *testing.T) {
	f := newKeapFixture(t)
	list := func(owner string, all bool) (lines []string, leftOut int) {
		customers, leftOut := f.customers(owner, all)
		for _, c := range customers {
			lines = append(lines, strings.Join([]string{c.BoundBy, c.Email + "/" + c.UID, strconv.FormatInt(c.ContactID, 10), c.RefToken,
				c.ReferredAt, c.Rule,
				strconv.FormatInt(c.ReferralID, 10), strconv.FormatInt(c.PartnerID, 10), strconv.FormatBool(c.Self)}, " "))
		}
		return lines, leftOut
	}
	check := func(want []string, wantOut int, owner string, all bool) {
		t.Helper()
		if got, out := list(owner, all); !slices.Equal(got, want) || out != wantOut {
			t.Errorf("%q, all %t: leaves %d out, want %d:\n%s\nwant:\n%s", owner, all, out, wantOut, strings.Join(got, "\n"), strings.Join(want,
				"\n"))
		}
	}
	ann := "keap ann@mail.test/ 11 alpha 2021-02-01T17:00:00Z only 541 1 true"
	max := "keap / 104 beta 2023-02-01T17:00:00Z only 521 2 false"
	kim := "keap kim@shop.test/ 101 gamma-x 2022-06-01T16:00:00Z id 504 5 false"
	lee := "keap lee@shop.test/ 103  2023-02-01T17:00:00Z house 511 0 false"
	check([]string{ann, kim}, 4, "", false)
	check([]string{kim}, 0, "gamma.x", false)
	check(nil, 1, "beta", false)
	check([]string{max}, 0, "beta", true)
	check([]string{ann, max, kim, lee, "keap ola@shop.test/ 106   expired 0 0 false", "keap pia@shop.test/ 107   later 0 0 false"}, 0, "",
		true)
	customers, _ := f.customers("", false)
	const members = "customer_email uid bound_by keap_contact_id ref_token referred_at first_referred_at " +
		"source rule keap_referral_id keap_partner_id self_referred"
	if o := object(t, customers[0]); names(o) != sorted(members) || customers[0].Owner != "alpha" ||
		customers[0].Since != instant("2021-02-01 09:00") {
		t.Errorf("%v, %+v", names(o), customers[0])
	}

	// Who signed up or bought since stays with whom it was bound to, whatever the referrals say.
	bind := func(c *book.Customer, when, kind string, by terms.Candidate) {
		f.track(c, event{when: when, kind: kind, candidates: []terms.Candidate{by}})
	}
	bind(&book.Customer{Email: "dot@mail.test", UID: "c-1"}, "2023-05-01 03:00", book.EventSignup, named("gamma-x", 5))
	bind(&book.Customer{Email: "ola@shop.test"}, "2023-05-01 04:00", book.EventSignup, named("beta", 2))
	bind(&book.Customer{Email: "pia@shop.test"}, "2023-05-01 05:00", book.EventSignup,
		terms.Candidate{By: terms.ByHistory, Promoter: 2, At: instant("2023-04-02 09:00")})
	bind(&book.Customer{Email: "bob@mail.test", Suspicion: book.ReasonSelf}, "2023-05-01 07:00", book.EventSale, named("beta", 2))
	bind(&book.Customer{UID: "c-6"}, "2023-05-01 08:00", book.EventSale, named("beta", 2))
	bob := "live bob@mail.test/ 0 beta 2023-05-01T14:00:00Z ref_token 0 2 true"
	ola := "live ola@shop.test/ 106 beta 2023-05-01T11:00:00Z ref_token 0 2 false"
	pia := "live pia@shop.test/ 107 beta 2023-05-01T12:00:00Z history 0 2 false"
	dot := "live dot@mail.test/c-1 0 gamma-x 2023-05-01T10:00:00Z ref_token 0 5 false"
	bare := "live /c-6 0 beta 2023-05-01T15:00:00Z ref_token 0 2 false"
	check([]string{bare, ann, bob, dot, kim, ola, pia}, 2, "", false)
	check([]string{bare, bob, ola, pia}, 1, "beta", false)
	check([]string{dot, kim}, 0, "gamma-x", false)
	check([]string{bare, bob, max, ola, pia}, 0, "beta", true)
}
