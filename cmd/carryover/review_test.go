package main

import (
	"fmt"
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/console"
	"carryover/gateway/track"
	"carryover/mapping/book"
)

// What a person should look at: with the reasons, until somebody has decided; a decision
// stands, is kept with who, when and why, and is of all that were named or of none.
func TestReview(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.contains(d.ok("review"), "Nothing to review.")
	if out := d.ok("review", "--json"); out != "" {
		t.Errorf("nothing to review, as JSON: %q", out)
	}
	d.tells(func(s *teller) {
		s.tell("2023-01-05 09:00", track.Call{Kind: book.EventSignup, Email: "ann@mail.test", RefID: "ann"})
		s.tell("2023-01-06 09:00", track.Call{Kind: book.EventSale, Email: "ann@mail.test", EventID: "pay-1", Amount: 10000, Plan: "Agency Membership"})
		s.tell("2023-01-07 09:00", track.Call{Kind: book.EventSale, Email: "ann@mail.test", EventID: "pay-2", Amount: 20000, Plan: "Agency Membership"})
		s.tell("2023-01-08 23:30", track.Call{Kind: book.EventSale, UID: "u-1", EventID: "pay-3", Amount: 4000, Plan: "a mug", RefID: "bo"})
		s.tell("2023-01-09 09:00", track.Call{Kind: book.EventSale, UID: "u-1", EventID: "pay-4", Amount: 4000, Plan: "Agency Membership"})
	})
	list := d.objects(d.ok("review", "--json"))
	if len(list) != 3 || fields(list[0]) != sorted("id ref_token customer_email customer_uid event_id at amount_cents currency product reasons decision note decided_at decided_by") {
		t.Fatalf("%v", list)
	}
	said := func(v map[string]any) string {
		var why []string
		for _, r := range v["reasons"].([]any) {
			why = append(why, fmt.Sprint(r.(map[string]any)["reason"]))
		}
		return fmt.Sprint(v["id"], " ", v["ref_token"], " ", v["customer_email"], " ", v["customer_uid"], " ", v["event_id"], " ", v["at"], " ", v["amount_cents"], " ", strings.Join(why, " "), " [", v["decision"], " ", v["note"], " ", v["decided_by"], "]")
	}
	for i, want := range []string{
		"t-1 ann ann@mail.test  pay-1 2023-01-06T09:00:00-08:00 2500 self_referral [  ]",
		"t-2 ann ann@mail.test  pay-2 2023-01-07T09:00:00-08:00 5000 self_referral [  ]",
		"t-3 bo  u-1 pay-3 2023-01-08T23:30:00-08:00 0 unknown_product [  ]",
	} {
		if got := said(list[i]); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	d.contains(d.ok("review"), "t-1", "2023-01-06", "ann@mail.test", "25.00", "Agency Membership", "self_referral: the customer has the promoter's own e-mail or address", "2023-01-08", "u-1")
	ids := func(want string, args ...string) {
		t.Helper()
		var got []string
		for _, v := range d.objects(d.ok(append([]string{"review", "--json"}, args...)...)) {
			got = append(got, v["id"].(string))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("review %v: %q, want %q", args, got, want)
		}
	}
	ids("t-1 t-2", "--promoter", "ann")
	ids("t-3", "--promoter", "2")
	ids("", "--promoter", "cy")
	ids("t-1 t-2 t-3", "list")
	d.fails(console.ExitFailed, nil, "review", "--promoter", "nobody")

	// Nothing of it is paid meanwhile.
	d.handIn("ann", "bo")
	d.plansTo("2023-03", "held ann 75.00 flagged; held bo 10.00 below_minimum")

	d.fails(console.ExitUsage, []string{`"17" is no entry of the review list: write it like t-17`}, "review", "accept", "17")
	for _, id := range []string{"t-0", "t-", "t--1", "t-x", "p-1"} {
		d.fails(console.ExitUsage, []string{"is no entry of the review list"}, "review", "deny", id)
	}
	d.fails(console.ExitUsage, nil, "review", "accept")
	d.fails(console.ExitFailed, []string{"t-99", "nothing was changed"}, "review", "accept", "t-1", "t-99")
	d.fails(console.ExitFailed, []string{"t-4 has no reason to be reviewed", "nothing was changed"}, "review", "deny", "t-1", "t-4")
	ids("t-1 t-2 t-3")

	d.contains(d.ok("review", "accept", "t-1", "--by", "Jo", "--note", " a friend "), "1 accepted.")
	ids("t-2 t-3")
	d.contains(d.ok("review", "accept", "t-1", "t-3", "--by", "Kim"), "1 accepted, 1 had been before.")
	if v := d.objects(d.ok("review", "deny", "t-2", "--by", "Jo", "--json"))[0]; v["decision"] != "deny" || v["decided"] != 1.0 {
		t.Errorf("%v", v)
	}
	d.contains(d.ok("review", "deny", "t-2"), "0 denied, 1 had been before.")
	d.fails(console.ExitFailed, []string{"it was decided before: t-2, deny", "review --all"}, "review", "accept", "t-2")
	d.fails(console.ExitFailed, []string{"it was decided before: t-1, accept"}, "review", "deny", "t-1")
	ids("")
	ids("t-1 t-2 t-3", "--all")
	all := d.objects(d.ok("review", "--all", "--json"))
	for i, want := range []string{"[accept a friend Jo]", "[deny  Jo]", "[accept  Kim]"} {
		if got := said(all[i]); !strings.HasSuffix(got, want) || all[i]["decided_at"] == "" {
			t.Errorf("%s, want %s", got, want)
		}
	}
	d.contains(d.ok("review", "--all"), "accept by Jo", "deny by Jo", "accept by Kim")

	// What was denied is taken back, in its month; the rest is paid.
	d.contains(d.ok("ledger", "--promoter", "ann"), "-50.00", "Balance of all entries: 25.00")
	d.contains(d.ok("explain", "ann@mail.test"), "a person has denied it", "self_referral, decided by Jo", "accepted", "denied")
	d.plansTo("2023-03", "ann 25.00 (2023-01: 75.00 -50.00 0.00); held bo 10.00 below_minimum")

	// To trust a customer is a decision of its own.
	d.tells(func(s *teller) {
		s.tell("2023-01-20 09:00", track.Call{Kind: book.EventSale, Email: "ann@mail.test", EventID: "pay-5", Amount: 100, Plan: "Agency Membership"})
		s.tell("2023-01-21 09:00", track.Call{Kind: book.EventSale, Email: "ann@mail.test", EventID: "pay-6", Amount: 100, Plan: "Agency Membership"})
	})
	ids("t-6 t-7")
	d.fails(console.ExitFailed, []string{"it was decided before: t-1, accept"}, "review", "trust", "t-1")
	d.contains(d.ok("review", "trust", "t-6", "--by", "Jo"), "1 trusted.")
	d.tells(func(s *teller) {
		s.tell("2023-01-22 09:00", track.Call{Kind: book.EventSale, Email: "ann@mail.test", EventID: "pay-7", Amount: 100, Plan: "Agency Membership"})
	})
	ids("t-7")
	d.ok("review", "deny", "t-7")
}
