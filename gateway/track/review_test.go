package track

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"carryover/gateway/click"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// A promoter's own purchase is booked, and waits for a person.
func TestReviews(t *testing.T) {
	f := newFixture(t, nil)
	ctx := context.Background()
	list := func(all bool) (out []string) {
		t.Helper()
		reviews, err := f.book.Reviews(ctx, all)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range reviews {
			for _, v := range r.Reasons {
				out = append(out, fmt.Sprintf("%s %s", r.Event.ExternalID, v.Reason))
			}
		}
		return out
	}
	f.signup("anna@promoters.test", "", "anna").check(t, Booked, "anna")
	own := f.sale("anna@promoters.test", 10000, "")
	f.sale("anna@promoters.test", 10000, "")
	f.signup("b@mail.test", "", "ben")
	f.sale("b@mail.test", 10000, "a mug")
	f.signup("c@mail.test", f.keys.Sign(click.Mark{Visit: click.Visit{Token: "ben", At: f.now.Add(-3 * time.Second)}}), "")
	f.sale("c@mail.test", 10000, "")
	if got := fmt.Sprint(list(false)); got != "[pay-1 self_referral pay-2 self_referral pay-3 unknown_product pay-4 fast_sale]" {
		t.Fatal(got)
	}
	decide := func(decision string, line int64) error {
		_, err := f.book.Decide(ctx, []book.ReviewDecision{{LineID: line, Decision: decision, DecidedAt: f.now.Unix(), DecidedBy: "ops"}})
		return err
	}
	if err := decide(book.ReviewAccept, own.Lines[0].ID); err != nil {
		t.Fatal(err)
	}
	fifth := f.sale("anna@promoters.test", 10000, "") // accepted was that one commission, and nothing else
	if got := fmt.Sprint(list(false)); got != "[pay-2 self_referral pay-3 unknown_product pay-4 fast_sale pay-5 self_referral]" {
		t.Error(got)
	}
	if err := decide(book.ReviewTrust, fifth.Lines[0].ID); err != nil {
		t.Fatal(err)
	}
	f.sale("anna@promoters.test", 10000, "") // a person trusts this customer despite that reason,
	f.signup("ben@promoters.test", "", "ben")
	f.sale("ben@promoters.test", 10000, "")       // no other customer
	f.sale("anna@promoters.test", 10000, "a mug") // and despite no other reason
	if got := fmt.Sprint(list(false)); got != "[pay-2 self_referral pay-3 unknown_product pay-4 fast_sale "+
		"pay-7 self_referral pay-8 unknown_product]" {
		t.Error(got)
	}
	second := own.Lines[0].ID + 1
	f.refund("anna@promoters.test", 4000, "pay-2")
	if err := decide(book.ReviewDeny, second); err != nil || f.balance(1) != 7500 {
		t.Errorf("denied: %v, balance %d", err, f.balance(1))
	}
	f.refund("anna@promoters.test", 6000, "pay-2") // nothing is left to take back
	if err := decide(book.ReviewDeny, second); err != nil || f.balance(1) != 7500 {
		t.Errorf("denied again: %v, balance %d", err, f.balance(1))
	}
	if err := decide(book.ReviewAccept, second); err == nil {
		t.Error("what was denied was accepted")
	}
	if got := len(list(true)); got != 7 {
		t.Errorf("%d in all", got)
	}
}

// Customers of one promoter from one address within a day, and the promoter's own address,
// are worth a look; the sales of other customers are not.
func TestSharedAddresses(t *testing.T) {
	f := newFixture(t, nil)
	home, office := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("203.0.113.8")
	signup := func(email, ref string, from netip.Addr) {
		t.Helper()
		f.submit(Call{Kind: book.EventSignup, Email: email, RefID: ref, Address: from}).check(t, Booked, ref)
	}
	sale := func(email, want string) {
		t.Helper()
		before := f.reviewReasons()
		r := f.sale(email, 10000, "")
		var got []string
		for _, reason := range f.reviewReasons()[len(before):] {
			_, reason, _ = strings.Cut(reason, " ")
			reason, _, _ = strings.Cut(reason, ":")
			got = append(got, reason)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want || (len(r.Flagged) > 0) != (want != "") || len(r.Flagged) > 0 && r.Flagged[0] != r.Lines[0].ID {
			t.Errorf("%s: %q (flagged %d), want %q", email, got, r.Flagged, want)
		}
	}
	signup("a1@mail.test", "anna", home)
	signup("a2@mail.test", "anna", home)
	signup("b1@mail.test", "ben", home)
	signup("a3@mail.test", "anna", office)
	sale("a2@mail.test", "")
	signup("a4@mail.test", "anna", home)
	sale("a4@mail.test", book.ReasonShared) // the third
	sale("a3@mail.test", "")
	sale("b1@mail.test", "")
	signup("n1@mail.test", "anna", netip.Addr{}) // three of whom no address is known
	signup("n2@mail.test", "anna", netip.Addr{})
	signup("n3@mail.test", "anna", netip.Addr{})
	sale("n3@mail.test", "")
	f.now = f.now.Add(24 * time.Hour)
	signup("a5@mail.test", "anna", home) // another day
	sale("a5@mail.test", "")

	// Whoever applied from that address on that day.
	if _, err := f.book.SubmitApplication(context.Background(),
		book.Application{Email: "new@promoters.test", Name: "New Body", AppliedAt: f.now.Unix(), Visitor: f.o.Visitors.Hash(office, f.now)},
		book.JoinRules{Auto: true}); err != nil {
		t.Fatal(err)
	}
	signup("self@mail.test", "new-body", office)
	signup("other@mail.test", "new-body", home)
	signup("unknown@mail.test", "new-body", netip.Addr{})
	signup("bens@mail.test", "ben", office)
	sale("self@mail.test", book.ReasonSelf)
	sale("other@mail.test", "")
	sale("unknown@mail.test", "")
	sale("bens@mail.test", "")

	// The owner of old, by the e-mail.
	f.applyImport(book.KeapRecords{
		Contacts: book.Rows[book.Contact]{Create: []book.Contact{{ID: 301, Email: "zoe@promoters.test"}}},
		Referrals: book.Rows[book.Referral]{Create: []book.Referral{{Customer: "zoe@promoters.test", Email: "zoe@promoters.test", ContactID: 301,
			PartnerID: 6, Rule: terms.RuleOnly, Self: true}}},
	})
	sale("zoe@promoters.test", book.ReasonSelf)
	for _, reason := range f.reviewReasons() {
		if strings.Contains(reason, "203.0.113") {
			t.Errorf("an address is in the reason: %s", reason)
		}
	}
}

// A first sale within seconds of the click is worth a look; what earned nothing is not.
func TestFastSales(t *testing.T) {
	f := newFixture(t, nil)
	sale := func(email string, seconds time.Duration, want bool) {
		t.Helper()
		at := day("2023-01-09").Add(seconds * time.Second)
		f.n++
		r := f.submit(Call{Kind: book.EventSale, Email: email, EventID: fmt.Sprint("f", f.n), Amount: 10000, CreatedAt: at.Unix(),
			TID: f.cookie("anna 2023-01-09")})
		r.check(t, Booked, "anna")
		if got := len(r.Flagged) > 0; got != want {
			t.Errorf("%s, %d seconds after the click: flagged is %v", email, seconds, got)
		}
	}
	sale("a@mail.test", 14, true)
	sale("a@mail.test", 14, false) // not the first
	sale("b@mail.test", 15, false)
	f.submit(Call{Kind: book.EventSignup, Email: "c@mail.test", CreatedAt: day("2023-01-09").Unix(),
		TID: f.cookie("anna 2023-01-09")}).check(t, Booked, "anna")
	sale("c@mail.test", 14, true)
	r := f.submit(Call{Kind: book.EventSale, Email: "d@mail.test", EventID: "mug", Amount: 10000, Plan: "a mug",
		CreatedAt: day("2023-01-09").Unix(), TID: f.cookie("anna 2023-01-09")})
	if got := f.reviewReasons(); len(r.Flagged) != 1 || !strings.HasPrefix(got[len(got)-1], "mug "+book.ReasonProduct) {
		t.Errorf("a mug, at once: %q", got)
	}
}

// A sale that is dated long before the sign-up, or names two customers at once, is booked
// and looked at.
func TestSuspiciousSales(t *testing.T) {
	f := newFixture(t, nil)
	f.submit(Call{Kind: book.EventSignup, Email: "a@mail.test", UID: "u-a", RefID: "anna"})
	f.submit(Call{Kind: book.EventSignup, Email: "b@mail.test", UID: "u-b", RefID: "ben"})
	f.submit(Call{Kind: book.EventSale, UID: "u-a", EventID: "early", Amount: 1000,
		CreatedAt: f.now.AddDate(0, 0, -10).Unix()}).check(t, Booked, "anna")
	f.submit(Call{Kind: book.EventSale, UID: "u-a", Email: "b@mail.test", EventID: "two", Amount: 1000}).check(t, Booked, "anna")
	f.submit(Call{Kind: book.EventSale, UID: "u-a", Email: "a@mail.test", EventID: "fine", Amount: 1000}).check(t, Booked, "anna")
	reviews, err := f.book.Reviews(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range reviews {
		for _, v := range r.Reasons {
			got = append(got, r.Event.ExternalID+" "+v.Reason)
		}
	}
	if fmt.Sprint(got) != "[early back_dated early early_sale two two_customers fine two_customers]" { // the customer stays flagged
		t.Error(got)
	}
}

// A reason despite which a person trusts a customer is not given again of that customer; one
// for which something was accepted or denied is, and so is another reason.
func TestTrustedReasons(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("anna@promoters.test", "", "anna").check(t, Booked, "anna")
	decide := func(r Result, decision string) {
		t.Helper()
		if _, err := f.book.Decide(t.Context(),
			[]book.ReviewDecision{{LineID: r.Lines[0].ID, Decision: decision, DecidedAt: f.now.Unix(), DecidedBy: "ops"}}); err != nil {
			t.Fatal(err)
		}
	}
	sale := func(plan string, flagged bool) Result {
		t.Helper()
		r := f.sale("anna@promoters.test", 10000, plan)
		if got := len(r.Flagged) > 0; got != flagged {
			t.Errorf("%s: flagged is %v, want %v", plan, got, flagged)
		}
		return r
	}
	decide(sale("pro", true), book.ReviewDeny)
	decide(sale("pro", true), book.ReviewAccept)
	decide(sale("pro", true), book.ReviewTrust)
	sale("pro", false)
	sale("a mug", true)

	f.signup("ben@promoters.test", "", "ben").check(t, Booked, "ben")
	if r := f.sale("ben@promoters.test", 10000, "pro"); len(r.Flagged) != 1 {
		t.Errorf("another customer: %v", r.Flagged)
	}
}
