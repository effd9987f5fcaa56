package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Who signed up or bought since is listed beside the customers of Keap, and stays with whom
// it was bound to, whatever the referrals say.
func TestReferralsSince(t *testing.T) {
	t.Setenv("CARRYOVER_API_KEYS", storyKey)
	d := newMoneyDesk(t)
	g := d.gateway("--at", "2023-05-02T12:00:00Z")
	for call, body := range map[string]string{
		"signup 1": `{"email":"Dot@mail.test","uid":"c-1","ref_id":"gamma-x","created_at":"2023-05-01T10:00:00Z"}`,
		"signup 2": `{"email":"ola@shop.test","ref_id":"beta","created_at":"2023-05-01T11:00:00Z"}`,
		"signup 3": `{"email":"pia@shop.test","created_at":"2023-05-01T12:00:00Z"}`,
		"signup 4": `{"email":"kim@shop.test","ref_id":"beta","created_at":"2023-05-01T13:00:00Z"}`,
		"sale 5":   `{"email":"bob@mail.test","ref_id":"beta","event_id":"5","amount":100,"created_at":"2023-05-01T14:00:00Z"}`,
		"sale 6":   `{"uid":"c-6","ref_id":"beta","event_id":"6","amount":100,"created_at":"2023-05-01T15:00:00Z"}`,
	} {
		if status, answer := g.tell(d, strings.Fields(call)[0], body); status != 200 {
			t.Fatalf("%s: %d %v", call, status, answer)
		}
	}
	if code := g.stop(); code != 0 {
		t.Fatalf("the gateway ended with %d:\n%s", code, g.err)
	}
	list := func(want []string, args ...string) {
		t.Helper()
		var got []string
		for _, r := range d.objects(d.ok(append([]string{"referrals", "--json"}, args...)...)) {
			got = append(got, fmt.Sprintf("%s %s/%s %v %s %s %s %v %v", r["bound_by"], r["customer_email"], r["uid"], r["keap_contact_id"],
				r["ref_token"], r["referred_at"], r["rule"], r["keap_partner_id"], r["self_referred"]))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v:\n%s\nwant:\n%s", args, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	bob := "live bob@mail.test/ 0 beta 2023-05-01T14:00:00Z ref_token 2 true"
	ola := "live ola@shop.test/ 106 beta 2023-05-01T11:00:00Z ref_token 2 false"
	pia := "live pia@shop.test/ 107 beta 2023-05-01T12:00:00Z history 2 false"
	dot := "live dot@mail.test/c-1 0 gamma-x 2023-05-01T10:00:00Z ref_token 5 false"
	kim := "keap kim@shop.test/ 101 gamma-x 2022-06-01T16:00:00Z id 5 false"
	bare := "live /c-6 0 beta 2023-05-01T15:00:00Z ref_token 2 false"
	list([]string{bare, "keap ann@mail.test/ 11 alpha 2021-02-01T17:00:00Z only 1 true", bob, dot, kim, ola, pia})
	list([]string{bare, bob, ola, pia}, "--promoter", "beta")
	list([]string{dot, kim}, "--promoter", "gamma-x")
	list([]string{bare, bob, "keap / 104 beta 2023-02-01T17:00:00Z only 2 false", ola, pia}, "--promoter", "beta", "--all")
	d.contains(d.ok("referrals", "--promoter", "beta"), "bob@mail.test", "uid:c-6", "live", "ref_token, self", "2023-05-01",
		"\n1 more has no e-mail address or belongs to nobody: --all\n")
}
