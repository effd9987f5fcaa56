package track

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// What was told with somebody's name and credited to nobody is kept, once, with why.
func TestCreditedToNobodyIsKept(t *testing.T) {
	f := newFixture(t, nil)
	call := Call{Kind: book.EventSale, Email: "x@mail.test", EventID: "p", Amount: 100, RefID: "jonjai", PromoCode: "WRONG", TID: f.cookie("bad 2023-01-05")}
	for range 2 {
		r := f.submit(call)
		r.check(t, NotReferred, "")
		if r.Message != "the customer is no promoter's (tid bad: blocked, ref_id jonjai: of nobody, promo_code WRONG: of nobody)" {
			t.Error(r.Message)
		}
	}
	f.submit(Call{Kind: book.EventSale, Email: "x@mail.test", EventID: "q", Amount: 100}).check(t, NotReferred, "")
	kept, err := f.book.UnattributedOf(context.Background(), "x@mail.test", "")
	if err != nil || len(kept) != 1 || kept[0].ExternalID != "p" {
		t.Fatalf("%+v, %v", kept, err)
	}
	var v book.Evidence
	if err := json.Unmarshal([]byte(kept[0].Evidence), &v); err != nil || len(v.Candidates) != 3 || v.Candidates[1].Outcome != terms.OutcomeNobody {
		t.Errorf("%+v, %v", v, err)
	}
}

// Clocks may differ by minutes; a click that is later than that was not before the sign-up.
func TestClocksThatDiffer(t *testing.T) {
	f := newFixture(t, nil)
	at := day("2023-01-05")
	sign := func(email string, after time.Duration) Result {
		return f.submit(Call{Kind: book.EventSignup, Email: email, TID: f.cookie("ben 2023-01-05"), CreatedAt: at.Add(-after).Unix()})
	}
	sign("a@mail.test", time.Second).check(t, Booked, "ben")
	sign("b@mail.test", 5*time.Minute).check(t, Booked, "ben")
	sign("c@mail.test", 5*time.Minute+time.Second).check(t, NotReferred, "")
}

// A training that earned at Keap does not earn again, unless it was clawed back there.
func TestTrainingsEarnedAtKeap(t *testing.T) {
	f := newFixture(t, nil)
	commission := func(n byte, contact int64, kind string, amount int64) book.Commission {
		return book.Commission{EventID: book.EventID{n}, Kind: kind, PartnerID: 2, ContactID: contact, Month: 202201, Amount: amount, Currency: "USD", Product: "Evergreen Webinar"}
	}
	var c book.Changes
	c.Money.Commissions = []book.Commission{commission(1, 101, book.KindCommission, 6450), commission(2, 105, book.KindCommission, 6450), commission(3, 105, book.KindClawback, -6450)}
	if _, err := f.book.Apply(context.Background(), book.Import{PlanID: "q", AppliedAt: f.now, Inputs: []byte("{}"), Tables: []byte("{}")}, 1, &c, nil, func(int) {}); err != nil {
		t.Fatal(err)
	}
	if got := describeLines(f.sale("carried@mail.test", 12900, "evergreen webinar ")); got != "0% 0 of 12900" {
		t.Error(got)
	}
	if got := describeLines(f.sale("merged@mail.test", 12900, "Evergreen Webinar")); got != "50% 6450 of 12900" {
		t.Error(got)
	}
}

// A sale that is dated long before the sign-up, or names two customers at once, is booked
// and looked at.
func TestOddSalesAreLookedAt(t *testing.T) {
	f := newFixture(t, nil)
	f.submit(Call{Kind: book.EventSignup, Email: "a@mail.test", UID: "u-a", RefID: "anna"})
	f.submit(Call{Kind: book.EventSignup, Email: "b@mail.test", UID: "u-b", RefID: "ben"})
	f.submit(Call{Kind: book.EventSale, UID: "u-a", EventID: "early", Amount: 1000, CreatedAt: f.now.AddDate(0, 0, -10).Unix()}).check(t, Booked, "anna")
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
	if fmt.Sprint(got) != "[early early_sale two two_customers]" {
		t.Error(got)
	}
}

// A sale that earned nothing, since its customer's owner was blocked, takes nothing back
// when it is refunded later.
func TestRefundOfWhatEarnedNothing(t *testing.T) {
	f := newFixture(t, nil)
	f.recordSetting(2, book.SettingStatus, "blocked")
	f.submit(Call{Kind: book.EventSale, Email: "carried@mail.test", EventID: "z1", Amount: 10000}).check(t, NotReferred, "")
	f.recordSetting(2, book.SettingStatus, "")
	f.refund("carried@mail.test", 10000, "z1").check(t, NotReferred, "")
	if f.balance(2) != 0 {
		t.Errorf("balance %d", f.balance(2))
	}
	f.refund("carried@mail.test", 10000, "at Keap").check(t, Booked, "ben")
}
