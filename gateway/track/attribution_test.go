package track

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// evidence is what an event keeps of why it credits whom.
func (f *fixture) evidence(r Result) (v book.Evidence) {
	f.Helper()
	if err := json.Unmarshal([]byte(r.Event.Evidence), &v); err != nil {
		f.Fatal(err)
	}
	return v
}

// applyImport applies a run that changes what was carried over.
func (f *fixture) applyImport(m book.Money) {
	f.Helper()
	run, err := f.book.LastImport(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	if _, err := f.book.Apply(context.Background(), book.Import{PlanID: "later", AppliedAt: f.now, Inputs: []byte("{}"), Tables: []byte("{}")}, run.ID, &book.Changes{Money: m}, nil, func(int) {}); err != nil {
		f.Fatal(err)
	}
}

// What a later call tells of a customer is kept, unless it is another customer's.
func TestCustomersAreNamedLater(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("a@mail.test", "", "anna").check(t, Booked, "anna")
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", UID: "u-a", EventID: "1", Amount: 100}).check(t, Booked, "anna")
	f.submit(Call{Kind: book.EventSale, UID: "u-a", EventID: "2", Amount: 100}).check(t, Booked, "anna")

	// Its uid goes before an address that is another customer's, which stays the other's.
	f.submit(Call{Kind: book.EventSignup, UID: "u-b", RefID: "ben"}).check(t, Booked, "ben")
	r := f.submit(Call{Kind: book.EventSale, UID: "u-b", Email: "a@mail.test", EventID: "3", Amount: 100})
	r.check(t, Booked, "ben")
	if r.Customer.Email != "" {
		t.Errorf("it took the address of another: %+v", r.Customer)
	}
	f.sale("a@mail.test", 100, "").check(t, Booked, "anna")

	// What was told first holds: neither name is ever changed.
	r = f.submit(Call{Kind: book.EventSale, UID: "u-a", Email: "new@mail.test", EventID: "4", Amount: 100})
	r.check(t, Booked, "anna")
	if r.Customer.Email != "a@mail.test" {
		t.Errorf("%+v", r.Customer)
	}
	r = f.submit(Call{Kind: book.EventSale, UID: "u-new", Email: "a@mail.test", EventID: "5", Amount: 100})
	if r.check(t, Booked, "anna"); r.Customer.UID != "u-a" {
		t.Errorf("%+v", r.Customer)
	}
	f.submit(Call{Kind: book.EventSale, UID: "u-new", EventID: "6", Amount: 100}).check(t, NotReferred, "")

	// An address may come with a cancellation or a refund.
	f.submit(Call{Kind: book.EventCancellation, UID: "u-b", Email: "b@mail.test"}).check(t, Booked, "ben")
	f.sale("b@mail.test", 100, "").check(t, Booked, "ben")
	f.submit(Call{Kind: book.EventSignup, UID: "u-c", RefID: "zoe"}).check(t, Booked, "zoe")
	f.submit(Call{Kind: book.EventSale, UID: "u-c", EventID: "7", Amount: 100}).check(t, Booked, "zoe")
	f.submit(Call{Kind: book.EventRefund, UID: "u-c", Email: "c@mail.test", EventID: "8", Amount: 100}).check(t, Booked, "zoe")
	f.sale("c@mail.test", 100, "").check(t, Booked, "zoe")
}

// The last click before the sign-up is the one that counts: when its promoter may not earn,
// the first click does not win instead.
func TestLastClickIsNotPassedToTheFirst(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("a@mail.test", f.cookie("anna 2023-01-01", "bad 2023-01-05"), "").check(t, NotReferred, "")
	f.signup("b@mail.test", f.cookie("anna 2023-01-01", "ben 2023-01-05"), "").check(t, Booked, "ben")

	// Who would have won under first click is kept beside.
	first := func(want string, r Result) {
		t.Helper()
		got := ""
		if k := f.evidence(r).First; k != nil {
			got = fmt.Sprint(k.Promoter, " ", time.Unix(k.At, 0).In(losAngeles).Format(time.DateOnly))
		}
		if r.Outcome != Booked || got != want {
			t.Errorf("first click: %q, want %q (%+v)", got, want, r)
		}
	}
	first("1 2023-01-01", f.signup("c@mail.test", f.cookie("anna 2023-01-01", "zoe 2023-01-03", "ben 2023-01-05"), ""))
	first("2 2023-01-05", f.signup("d@mail.test", f.cookie("ben 2023-01-05"), ""))
	first("", f.signup("e@mail.test", f.cookie("nobody 2023-01-05"), "anna"))
	first("", f.signup("f@mail.test", "", "anna"))
	first("", f.submit(Call{Kind: book.EventSignup, Email: "g@mail.test", TID: f.cookie("ben 2023-01-05"), RefID: "anna", CreatedAt: day("2023-01-04").Unix()})) // clicked only afterwards
}

// A click's id names who brought the customer as the cookie does, with its time.
func TestClickByItsID(t *testing.T) {
	id := book.ClickID{Node: "web1", Seq: 42}
	f := newFixture(t, func(o *Options) {
		o.FindClick = func(k book.ClickID) (Click, bool, error) { return Click{"anna", day("2023-01-05")}, k == id, nil }
	})
	call := Call{Kind: book.EventSignup, Email: "a@mail.test", TID: id.String()}
	r := f.submit(call)
	r.check(t, Booked, "anna")
	if r.Customer.ClickedAt != day("2023-01-05").Unix() || f.evidence(r).Click != id.String() {
		t.Errorf("%+v", r)
	}
	call.Email, call.CreatedAt = "b@mail.test", day("2023-01-04").Unix()
	f.submit(call).check(t, NotReferred, "") // the click came later
	call.Email, call.TID = "c@mail.test", book.ClickID{Node: "web1", Seq: 43}.String()
	f.submit(call).check(t, NotReferred, "")
	call.RefID = "ben"
	f.submit(call).check(t, Booked, "ben")
	if r = f.submit(Call{Kind: book.EventSignup, Email: "d@mail.test", TID: f.cookie("bad 2023-01-09"), RefID: "ben"}); r.Customer.ClickedAt != 0 {
		t.Errorf("a click that did not win: %+v", r.Customer)
	}
}

// While a click cannot be looked up nothing is decided: it would be for life, and without it.
func TestClickThatCannotBeLookedUp(t *testing.T) {
	id, away := book.ClickID{Node: "web1", Seq: 42}, errors.New("the disk is away")
	f := newFixture(t, func(o *Options) {
		o.FindClick = func(book.ClickID) (Click, bool, error) { return Click{"anna", day("2023-01-05")}, away == nil, away }
	})
	call := Call{Kind: book.EventSignup, Email: "a@mail.test", TID: id.String(), RefID: "ben"}
	if r, err := f.Submit(t.Context(), &call); !errors.Is(err, away) {
		t.Errorf("%+v, %v", r, err)
	}
	away = nil
	f.submit(call).check(t, Booked, "anna")
}

// A referral of Keap's that no run has counted counts while it is set and not expired, in
// the program's days.
func TestHistoryOfKeap(t *testing.T) {
	f := newFixture(t, nil)
	var m book.Money
	for i, row := range []struct {
		email, set, expires string
		partner             int64
	}{
		{"set@mail.test", "2023-01-20", "", 1},
		{"expires@mail.test", "2023-01-05", "2023-01-10", 1},
		{"newest@mail.test", "2023-01-05", "", 1},
		{"then@mail.test", "2023-01-05", "", 1},
		{"newest@mail.test", "2023-01-06", "", 2},
		{"then@mail.test", "2023-01-06", "", 2},
	} {
		id := int64(200 + i)
		m.Contacts.Create = append(m.Contacts.Create, book.Contact{ID: id, Email: row.email, Name: "Some One"})
		if i < 4 {
			m.Referrals.Create = append(m.Referrals.Create, book.Referral{Customer: row.email, Email: row.email, ContactID: id, Rule: terms.RuleLater})
		}
		m.ReferralRows.Create = append(m.ReferralRows.Create, book.ReferralRow{ID: id, ContactID: id, PartnerID: row.partner, SetAt: day(row.set).Unix(), ExpiresOn: row.expires, Type: "COOKIE"})
	}
	f.applyImport(m)
	at := func(email string, when time.Time) Result {
		t.Helper()
		return f.submit(Call{Kind: book.EventSignup, Email: email, CreatedAt: when.Unix()})
	}
	at("set@mail.test", day("2023-01-19")).check(t, NotReferred, "")
	at("set@mail.test", day("2023-01-21")).check(t, Booked, "anna")
	night := day("2023-01-10").Add(11*time.Hour + 59*time.Minute) // it is the 11th in London
	at("expires@mail.test", night.Add(time.Minute)).check(t, NotReferred, "")
	at("expires@mail.test", night).check(t, Booked, "anna")
	at("newest@mail.test", day("2023-01-05").Add(time.Hour)).check(t, Booked, "anna")
	at("then@mail.test", day("2023-01-10")).check(t, Booked, "ben")
	// Nobody has heard of this customer: it has nothing to cancel.
	f.submit(Call{Kind: book.EventCancellation, Email: "later@mail.test"}).check(t, NotReferred, "")
	f.submit(Call{Kind: book.EventCancellation, Email: "carried@mail.test"}).check(t, Booked, "ben")
}

// Whose a customer of Keap's is stays a matter of Keap's: a later run may say otherwise,
// and only a promoter of today's is bound for life.
func TestCarriedCustomersFollowTheRuns(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("carried@mail.test", "", "anna").check(t, Booked, "ben")
	f.signup("expired@mail.test", "", "anna").check(t, Booked, "anna")
	f.applyImport(book.Money{Referrals: book.Rows[book.Referral]{Update: []book.Referral{
		{Customer: "carried@mail.test", Email: "carried@mail.test", ContactID: 101, PartnerID: 5, Rule: terms.RuleLatest},
		{Customer: "expired@mail.test", Email: "expired@mail.test", ContactID: 102, PartnerID: 5, Rule: terms.RuleLatest},
	}}})
	f.sale("carried@mail.test", 100, "").check(t, Booked, "zoe")
	f.sale("expired@mail.test", 100, "").check(t, Booked, "anna")

	// Once Keap's owner is none, whoever brings the customer has it.
	f.applyImport(book.Money{Referrals: book.Rows[book.Referral]{Update: []book.Referral{{Customer: "carried@mail.test", Email: "carried@mail.test", ContactID: 101, Rule: terms.RuleExpired}}}})
	f.sale("carried@mail.test", 100, "").check(t, NotReferred, "")
	f.submit(Call{Kind: book.EventSale, Email: "carried@mail.test", EventID: "brought", Amount: 100, RefID: "anna"}).check(t, Booked, "anna")
	f.submit(Call{Kind: book.EventSale, Email: "carried@mail.test", EventID: "after", Amount: 100, RefID: "ben"}).check(t, Booked, "anna")
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
			t.Errorf("%s: %q (doubted %d), want %q", email, got, r.Flagged, want)
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
	if _, err := f.book.TakeApplication(context.Background(), book.Application{Email: "new@promoters.test", Name: "New One", AppliedAt: f.now.Unix(), Visitor: f.o.Visitors.Hash(office, f.now)}, true); err != nil {
		t.Fatal(err)
	}
	signup("self@mail.test", "new-one", office)
	signup("other@mail.test", "new-one", home)
	signup("unknown@mail.test", "new-one", netip.Addr{})
	signup("bens@mail.test", "ben", office)
	sale("self@mail.test", book.ReasonSelf)
	sale("other@mail.test", "")
	sale("unknown@mail.test", "")
	sale("bens@mail.test", "")

	// The owner of old, by the e-mail.
	f.applyImport(book.Money{
		Contacts:  book.Rows[book.Contact]{Create: []book.Contact{{ID: 301, Email: "zoe@promoters.test"}}},
		Referrals: book.Rows[book.Referral]{Create: []book.Referral{{Customer: "zoe@promoters.test", Email: "zoe@promoters.test", ContactID: 301, PartnerID: 6, Rule: terms.RuleOnly, Self: true}}},
	})
	sale("zoe@promoters.test", book.ReasonSelf)
	for _, reason := range f.reviewReasons() {
		if strings.Contains(reason, "203.0.113") {
			t.Errorf("an address is told: %s", reason)
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
		r := f.submit(Call{Kind: book.EventSale, Email: email, EventID: fmt.Sprint("f", f.n), Amount: 10000, CreatedAt: at.Unix(), TID: f.cookie("anna 2023-01-09")})
		r.check(t, Booked, "anna")
		if got := len(r.Flagged) > 0; got != want {
			t.Errorf("%s, %d seconds after the click: doubted is %v", email, seconds, got)
		}
	}
	sale("a@mail.test", 14, true)
	sale("a@mail.test", 14, false) // not the first
	sale("b@mail.test", 15, false)
	f.submit(Call{Kind: book.EventSignup, Email: "c@mail.test", CreatedAt: day("2023-01-09").Unix(), TID: f.cookie("anna 2023-01-09")}).check(t, Booked, "anna")
	sale("c@mail.test", 14, true)
	r := f.submit(Call{Kind: book.EventSale, Email: "d@mail.test", EventID: "mug", Amount: 10000, Plan: "a mug", CreatedAt: day("2023-01-09").Unix(), TID: f.cookie("anna 2023-01-09")})
	if got := f.reviewReasons(); len(r.Flagged) != 1 || !strings.HasPrefix(got[len(got)-1], "mug "+book.ReasonProduct) {
		t.Errorf("a mug, at once: %q", got)
	}
}

// What no pattern names, what two patterns name, and where nobody wrote any.
func TestWhatAPlanIs(t *testing.T) {
	kinds := func(products terms.Products, trainingEvery bool, plans ...string) string {
		t.Helper()
		f := newFixture(t, func(o *Options) { o.Products, o.Terms.TrainingEverySale = products, trainingEvery })
		f.signup("a@mail.test", "", "anna").check(t, Booked, "anna")
		var got []string
		for _, plan := range plans {
			got = append(got, strings.TrimSuffix(describeLines(f.sale("a@mail.test", 100, plan)), " of 100"))
		}
		return strings.Join(got, ", ")
	}
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	f(kinds(terms.Products{}, false, "", "anything"), "25% 25, 25% 25")
	f(kinds(terms.Products{Training: []string{"*Webinar"}}, false, "a mug", "Big Webinar", " big  webinar", "Other Webinar"), "25% 25, 50% 50, 50% 50, 50% 50")
	f(kinds(terms.Products{Membership: []string{"pro"}}, false, " ", "a mug"), "25% 25, 0% 0")
	f(kinds(terms.Products{Membership: []string{"*"}, Training: []string{"*"}}, false, "", "both"), "0% 0, 0% 0")
	f(kinds(terms.Products{Membership: []string{"pro"}, Training: []string{"Webinar"}}, true, "webinar", "webinar"), "50% 50, 50% 50")

	// A training that earned nothing, because the customer had it, is no earlier sale of it.
	o := newFixture(t, nil)
	o.signup("a@mail.test", "", "anna")
	o.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "t1", Amount: 100, Plan: "3 Leads Per Day"})
	f(describeLines(o.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "t2", Amount: 100, Plan: " 3 leads per day "})), "0% 0 of 100")
	o.refund("a@mail.test", 100, "t1")
	f(describeLines(o.sale("a@mail.test", 100, "3 Leads Per Day")), "50% 50 of 100")

	// A product that cost nothing has no line.
	f(describeLines(o.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "free", Amount: 100, Items: []Item{{"pro", 100, 1}, {"pro gift", 0, 1}}})), "25% 25 of 100")
}

// A reason that a person has accepted is not told again of that customer; one for which
// something was denied is, and so is another reason.
func TestReasonsAreClearedByAcceptingThem(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("anna@promoters.test", "", "anna").check(t, Booked, "anna")
	decide := func(r Result, decision string) {
		t.Helper()
		if _, err := f.book.Decide(t.Context(), []book.ReviewDecision{{LineID: r.Lines[0].ID, Decision: decision, DecidedAt: f.now.Unix(), DecidedBy: "ops"}}); err != nil {
			t.Fatal(err)
		}
	}
	sale := func(plan string, doubted bool) Result {
		t.Helper()
		r := f.sale("anna@promoters.test", 10000, plan)
		if got := len(r.Flagged) > 0; got != doubted {
			t.Errorf("%s: doubted is %v, want %v", plan, got, doubted)
		}
		return r
	}
	decide(sale("pro", true), book.ReviewDeny)
	decide(sale("pro", true), book.ReviewAccept)
	sale("pro", false)
	sale("a mug", true)

	f.signup("ben@promoters.test", "", "ben").check(t, Booked, "ben")
	if r := f.sale("ben@promoters.test", 10000, "pro"); len(r.Flagged) != 1 {
		t.Errorf("another customer: %v", r.Flagged)
	}
}
