package history_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// newLiveFixture is a book with the promoters ann (1), bo (2), cy (3) and dee, who joined here.
func newLiveFixture(t *testing.T) *fixture {
	t.Helper()
	var c book.Changes
	for i, name := range []string{"ann", "bo", "cy", "dee"} {
		id := int64(i + 1)
		if name == "dee" {
			id = -1
		}
		c.Promoters = append(c.Promoters, book.Promoter{ID: id, Token: name, KeapID: id, Email: name + "@mail.test",
			Status: book.StatusActive})
		c.Aliases = append(c.Aliases, book.Alias{Kind: book.AliasCode, Value: name, PromoterID: id}, book.Alias{Kind: book.AliasKeapID,
			Value: strconv.FormatInt(id, 10), PromoterID: id, Code: name, Active: true})
	}
	return newFixture(t, &c)
}

// Customers whom only the billing system knows: clicks, sign-up, sales, refunds and what a
// person decided, with who would have won under first click.
func TestLiveCustomer(t *testing.T) {
	f := newLiveFixture(t)
	ofCy := named("cy", 3)
	first := clickOn("bo", 2, "web1.1", "2022-12-20 10:00")
	kim := &book.Customer{Email: "kim@shop.test", UID: "u-1"}
	f.track(kim, event{when: "2023-01-05 09:00", kind: book.EventSignup, first: &first,
		candidates: []terms.Candidate{clickOn("ann", 1, "web1.2", "2023-01-01 11:00"), ofCy, {By: terms.ByCoupon, Named: "none"}}})
	sale := f.track(kim, event{when: "2023-01-06 09:00", kind: book.EventSale, id: "pay-1", amount: 10000, plan: "Agency Membership",
		candidates: []terms.Candidate{ofCy}, lines: []book.EventLine{earning(10000)}})
	f.track(kim, event{when: "2023-01-07 09:00", kind: book.EventSale, id: "pay-2", amount: 2000, plan: "a mug",
		note:  `no pattern of [products] says what "a mug" is: it earns nothing`,
		lines: []book.EventLine{{Kind: book.KindCommission, SaleAmount: 2000, Product: "a mug", ProductKind: terms.UnknownProduct.String()}}})
	back := earning(-4000)
	back.Kind, back.Month, back.ReversesLineID = book.KindRefund, 202301, 1
	f.track(kim, event{when: "2023-02-01 09:00", kind: book.EventRefund, id: "back-1", amount: 4000, sale: sale,
		lines: []book.EventLine{back}})
	f.track(kim, event{when: "2023-02-02 09:00", kind: book.EventCancellation, id: "gone-1"})
	if err := f.Book.AddReviews([]book.ReviewReason{{LineID: 2, Reason: book.ReasonProduct, Detail: "no pattern",
		At: instant("2023-01-07")}}); err != nil {
		t.Fatal(err)
	}

	e := f.explain("kim@shop.test",
		"kim@shop.test belongs to ann (Keap id 1) for life: the last click before its sign-up of 2023-01-05 09:00 "+
			"was on a link of ann (2023-01-01 11:00, click web1.2).",
		"Under first click it would be of bo (2022-12-20T10:00:00-08:00).", "the first one that is known, web1.1",
		"the last one that is known, web1.2",
		"ref_token of cy: changes nothing", "by click", "by owner", "25% of 100.00", "Agency Membership, of 2023-01, t-3", "-10.00",
		"-40.00", "of sale pay-1", "cancellation", "unknown_product", "to review",
		`no pattern of [products] says what "a mug" is`)
	if text := f.text(e); strings.Contains(text, "ref_token of ann") || strings.Contains(text, "coupon none: changes") {
		t.Errorf("what was not in question is told:\n%s", text)
	}
	for _, what := range []string{"uid:u-1", "uid: u-1 ", "u-1"} {
		if !reflect.DeepEqual(f.explain(what), e) {
			t.Errorf("%s is not explained as its e-mail address is", what)
		}
	}
	if b := e.Bound; e.Email != "kim@shop.test" || e.UID != "u-1" || e.RefToken != "ann" || e.PartnerID != 1 || e.Rule != "click" ||
		b.By != "click" || b.Click != "web1.2" || b.Event != "#1" || b.At != "2023-01-05T09:00:00-08:00" || b.FirstClick.RefToken != "bo" ||
		b.FirstClick.Click != "web1.1" {
		t.Errorf("%+v, %+v", e.CustomerHistory, b)
	}
	var kinds []string
	for _, m := range e.Timeline {
		kinds = append(kinds, m.Kind)
		if m.Amount != nil {
			kinds[len(kinds)-1] += " " + strconv.FormatInt(*m.Amount, 10)
		}
	}
	if got, want := strings.Join(kinds, ", "),
		"click, click, signup, sale 10000, commission 2500, sale 2000, commission 0, refund -4000, refund -1000, cancellation"; got != want {
		t.Errorf("timeline: %s\nwant %s", got, want)
	}

	// Of an event, and of an entry.
	f.explain("event:pay-1", "Event pay-1 is a sale of 2023-01-06 09:00 over 100.00, credited to ann (Keap id 1).",
		"kim@shop.test belongs to ann", "t-1")
	f.explain("event:back-1", "Event back-1 is a refund of 2023-02-01 09:00 over 40.00, credited to ann", "kim@shop.test belongs to ann")
	f.explain("event:gone-1", "Event gone-1 is a cancellation of 2023-02-02 09:00, credited to ann (Keap id 1).",
		"kim@shop.test belongs to ann")
	f.explain("t-1", "25.00 USD was earned by ann (Keap id 1) on 2023-01-06", "the hold on it ends with 2023-02")
	f.explain("t-3", "10.00 USD was taken back for a refund from ann (Keap id 1) on 2023-02-01")
	f.refuses("event:pay-9", false, `the billing system has told of no event "pay-9"`)
	f.refuses("event:", false, `no event ""`)
	f.refuses("uid:u-9", false, "told of no customer uid:u-9")
	f.refuses("t-99", false, "the ledger has no such entry")

	// What a person decides stands on the timeline.
	if _, err := f.Book.Decide(t.Context(), []book.ReviewDecision{{LineID: 2, Decision: book.ReviewDeny, DecidedAt: instant("2023-02-03"),
		DecidedBy: "Jo"}}); err != nil {
		t.Fatal(err)
	}
	f.explain("kim@shop.test", "unknown_product, decided by Jo", "denied")
}

// What binds a customer: a ref token, a coupon, one click that is the first and the last,
// or nothing that may be credited.
func TestBinding(t *testing.T) {
	f := newLiveFixture(t)
	late := clickOn("ann", 1, "web1.1", "2023-01-20 10:00")
	signup := func(c *book.Customer, when string, first *terms.Candidate, candidates ...terms.Candidate) {
		t.Helper()
		f.track(c, event{when: when, kind: book.EventSignup, first: first, candidates: candidates})
	}
	sale := func(c *book.Customer, when, id string, candidates ...terms.Candidate) {
		t.Helper()
		f.track(c, event{
			when: when, kind: book.EventSale, id: id, amount: 4000, plan: "Agency Membership",
			candidates: candidates, lines: []book.EventLine{earning(4000)},
		})
	}

	// Without an address, by a ref token, a click that came too late beside it.
	bare := &book.Customer{UID: "u-2"}
	signup(bare, "2023-01-08 09:00", nil, late, named("bo", 2))
	sale(bare, "2023-01-09 09:00", "pay-3")
	f.explain("uid:u-2",
		"customer uid:u-2 belongs to bo (Keap id 2) for life: its sign-up of 2023-01-08 09:00 named the ref token bo.",
		"click ann: after the signup", "Who clicked first is not known.", "10.00")
	f.explain("event:pay-3", "credited to bo (Keap id 2)", "customer uid:u-2 belongs to bo")

	// By its first sale, and a coupon.
	sale(&book.Customer{Email: "lee@shop.test"}, "2023-01-10 09:00", "pay-4", late,
		terms.Candidate{By: terms.ByCoupon, Named: "cy20", Promoter: 3})
	f.explain("lee@shop.test",
		"lee@shop.test belongs to cy (Keap id 3) for life: its first sale of 2023-01-10 09:00 named the coupon cy20.")

	// One click alone is the first and the last; a ref token that says the same is not told.
	click := clickOn("ann", 1, "web1.3", "2023-01-11 08:00")
	signup(&book.Customer{Email: "max@shop.test"}, "2023-01-11 09:00", &click, click, named("ann", 1))
	one := f.text(f.explain("max@shop.test", "Under first click it would be the same promoter's."))
	if strings.Count(one, "that is known") != 1 || strings.Contains(one, "changes nothing") {
		t.Errorf("one click is told twice, or a token that says the same:\n%s", one)
	}

	// A sale that was told late, of a day before the sign-up, is not what bound the customer.
	nia := &book.Customer{Email: "nia@shop.test"}
	signup(nia, "2023-01-12 09:00", nil, named("bo", 2))
	sale(nia, "2023-01-11 09:00", "pay-5")
	f.explain("nia@shop.test",
		"nia@shop.test belongs to bo (Keap id 2) for life: its sign-up of 2023-01-12 09:00 named the ref token bo.")

	// Who joined here has no Keap id.
	signup(&book.Customer{Email: "ida@shop.test"}, "2023-01-13 09:00", nil, named("dee", -1))
	if e := f.explain("ida@shop.test", "ida@shop.test belongs to dee for life: "); e.PartnerID != 0 || e.RefToken != "dee" {
		t.Errorf("%+v", e.CustomerHistory)
	}

	// What nobody was credited for is on the timeline of who it names.
	if err := f.Book.Track(func(tr *book.Tracking) error {
		_, err := tr.AddRefused(&book.RefusedEvent{Kind: book.EventSale, ExternalID: "pay-6", Email: "una@shop.test",
			At: instant("2023-01-14 09:00"), Status: 404, State: book.RefusedOpen,
			Evidence: `{"promoter_id":0,"by":"","candidates":[{"by":"ref_token","named":"gone","promoter_id":0,"outcome":"of nobody"}]}`})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	f.explain("una@shop.test", "una@shop.test belongs to nobody: what was told of it named no promoter who may be credited.",
		"credited to nobody", "ref_token gone: of nobody", "pay-6")
}

// A customer of Keap's whose referral no import has counted is bound by it.
func TestBoundByHistory(t *testing.T) {
	f := newLiveFixture(t)
	f.apply(1, &book.Changes{KeapRecords: book.KeapRecords{
		Contacts: book.Rows[book.Contact]{Create: []book.Contact{{ID: 11, Email: "pia@shop.test", Name: "Pia"}}},
		Referrals: book.Rows[book.Referral]{Create: []book.Referral{{Customer: "pia@shop.test", Email: "pia@shop.test", ContactID: 11,
			Rule: terms.RuleLater}}},
		ReferralRows: book.Rows[book.ReferralRow]{Create: []book.ReferralRow{row(501, 11, 3, "2023-04-02 09:00", "", "COOKIE", "")}},
	}})
	f.explain("pia@shop.test", "belongs to nobody yet")
	f.track(&book.Customer{Email: "pia@shop.test"}, event{when: "2023-04-05 09:00", kind: book.EventSale, id: "pay-1",
		amount: 4000, plan: "Agency Membership",
		candidates: []terms.Candidate{{By: terms.ByHistory, Promoter: 3, At: instant("2023-04-02 09:00")}},
		lines:      []book.EventLine{earning(4000)}})
	f.explain("pia@shop.test",
		"pia@shop.test belongs to cy (Keap id 3) for life: "+
			"nothing else was known at its first sale of 2023-04-05 09:00 than Keap's referral of 2023-04-02 09:00.",
		"by history", "10.00")
}

// A click is told with its answer, if the book has it, and the customers that it brought.
func TestClick(t *testing.T) {
	f := newLiveFixture(t)
	f.refuses("web1.7", false, "the book has no click web1.7", "[gateway] keep_clicks")
	click := clickOn("ann", 1, "web1.2", "2023-01-01 11:00")
	f.track(&book.Customer{Email: "kim@shop.test"}, event{when: "2023-01-05 09:00", kind: book.EventSignup,
		candidates: []terms.Candidate{click}})
	f.explain("web1.2", "It brought a signup on 2023-01-05 09:00, credited to ann (Keap id 1).", "kim@shop.test belongs to ann")
	at := func(text string) time.Time { return time.Unix(instant(text), 0) }
	if _, err := f.Book.AddClicks(t.Context(), []book.Click{
		{Node: "web1", Seq: 2, At: at("2023-01-01 11:00"), Host: "go.carrot.test", Path: "/go/course/ann", Outcome: "forward", Token: "ann",
			Verdict: "human", Reason: "a browser"},
		{Node: "web1", Seq: 5, At: at("2023-01-01 12:00"), Host: "go.carrot.test", Path: "/go/gone", Outcome: "not_found", Verdict: "bot"},
	}); err != nil {
		t.Fatal(err)
	}
	f.explain("web1.2",
		"Click web1.2 of 2023-01-01 11:00:00 PST on go.carrot.test/go/course/ann "+
			"was answered with forward, of the promoter ann; judged human (a browser).",
		"It brought a signup")
	f.explain("web1.5", "was answered with not_found; judged bot.", "No customer was bound by it.")
}

// A correction is told with who has booked it and the month in which it counts.
func TestCorrection(t *testing.T) {
	f := newLiveFixture(t)
	for i, amount := range []int64{500, -700} {
		c := &book.Correction{PromoterID: 2, Month: 202301, Amount: amount, Currency: "USD", Note: "counted twice",
			RecordedAt: instant("2023-02-01 09:00") + int64(i), RecordedBy: "kim"}
		if err := f.Book.Correct(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	f.explain("t-1", "5.00 USD was given by a correction to bo (Keap id 2)", "; it counts in 2023-01, kim has booked it.")
	f.explain("t-2", "7.00 USD was taken back by a correction from bo (Keap id 2)")
}
