package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/console"
)

// Customers as people and programs read them; whose they are is tested in mapping/history.
func TestReferrals(t *testing.T) {
	t.Parallel()
	d := newMoneyDesk(t)
	const names = "customer_email uid bound_by keap_contact_id ref_token referred_at first_referred_at " +
		"source rule keap_referral_id keap_partner_id self_referred"
	list := func(args ...string) (lines []string) {
		t.Helper()
		text := func(v any) string { return cmp.Or(v.(string), "-") }
		for _, r := range d.objects(d.ok(append([]string{"referrals", "--json"}, args...)...)) {
			if fields(r) != sorted(names) {
				t.Fatalf("%v: %s", args, fields(r))
			}
			lines = append(lines, fmt.Sprintf("%s %v %s %s %v %v %v", text(r["customer_email"]), r["keap_contact_id"], text(r["ref_token"]),
				text(r["referred_at"]), r["rule"], r["keap_referral_id"], r["self_referred"]))
		}
		return lines
	}
	f := func(want []string, args ...string) {
		t.Helper()
		if got := list(args...); !slices.Equal(got, want) {
			t.Errorf("%v:\n%s\nwant:\n%s", args, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	ann := "ann@mail.test 11 alpha 2021-02-01T17:00:00Z only 541 true"
	kim := "kim@shop.test 101 gamma-x 2022-06-01T16:00:00Z id 504 false"
	f([]string{ann, kim})
	f([]string{kim}, "--promoter", "gamma.x")
	d.fails(console.ExitFailed, []string{`"nobody"`}, "referrals", "--promoter", "nobody")
	d.contains(d.ok("referrals"), "customer", "kim@shop.test", "gamma-x", "2022-06-01", "only, self",
		"\n4 more have no e-mail address or belong to nobody: --all\n")
	d.contains(d.ok("referrals", "--promoter", "beta"), "No customers.", "\n1 more has no e-mail address or belongs to nobody: --all\n")
	all := d.ok("referrals", "--all")
	d.contains(all, "(needs an e-mail)", "expired", "later", "house")
	for _, out := range []string{all, d.ok("referrals", "--json"), d.ok("referrals", "--promoter", "gamma.x")} {
		if strings.Contains(out, " more ha") {
			t.Errorf("nothing was left out:\n%s", out)
		}
	}
}
