package track

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carryover/gateway/click"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

var losAngeles = func() *time.Location {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		panic(err)
	}
	return zone
}()

// day is noon of a day in the program's zone.
func day(text string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, text, losAngeles)
	if err != nil {
		panic(err)
	}
	return t.Add(12 * time.Hour)
}

// fixture is a service over a book of its own, with promoters anna (1, active), ben (2, active),
// old (3, inactive), bad (4, blocked) and zoe (5, active, merged of 5 and 6).
type fixture struct {
	*testing.T
	*Service
	book *book.Book
	keys *click.Keyring
	now  time.Time
	n    int
}

func newFixture(t *testing.T, change func(*Options)) *fixture {
	t.Helper()
	b, err := book.Open(filepath.Join(t.TempDir(), "book.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	keys, err := click.NewKeyring([]byte("a key of the cookie"))
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{T: t, book: b, keys: keys, now: day("2023-01-10")}
	var c book.Changes
	for _, p := range []book.Promoter{
		{ID: 1, Token: "anna", Email: "anna@promoters.test"}, {ID: 2, Token: "ben", Email: "ben@promoters.test"},
		{ID: 3, Token: "old", Email: "old@promoters.test", Status: book.StatusInactive}, {ID: 4, Token: "bad", Email: "bad@promoters.test"},
		{ID: 5, Token: "zoe", Email: "zoe@promoters.test"}, {ID: 6, Token: "zoe-2", MergedInto: 5},
	} {
		p.KeapID = p.ID
		if p.Status == "" {
			p.Status = book.StatusActive
		}
		c.Promoters = append(c.Promoters, p)
		c.Aliases = append(c.Aliases, book.Alias{Kind: book.AliasKeapID, Value: fmt.Sprint(p.ID), PromoterID: p.ID, Code: strings.ToUpper(p.Token)})
	}
	c.Aliases = append(c.Aliases, book.Alias{Kind: book.AliasKeapID, Value: "99", State: book.StateHouse, Code: "HOUSE"})
	contact := func(id int64, email string) {
		c.Money.Contacts.Create = append(c.Money.Contacts.Create, book.Contact{ID: id, Email: email, Name: "Some One"})
	}
	referral := func(email string, contactID, partner int64, rule string) {
		contact(contactID, email)
		c.Money.Referrals.Create = append(c.Money.Referrals.Create, book.Referral{Customer: email, Email: email, ContactID: contactID, PartnerID: partner, Rule: rule})
	}
	referral("carried@mail.test", 101, 2, terms.RuleLatest)
	referral("expired@mail.test", 102, 0, terms.RuleExpired)
	referral("house@mail.test", 103, 0, terms.RuleHouse)
	referral("later@mail.test", 104, 0, terms.RuleLater)
	referral("merged@mail.test", 105, 6, terms.RuleOnly)
	referral("of-old@mail.test", 106, 3, terms.RuleOnly)
	c.Money.ReferralRows.Create = []book.ReferralRow{{ID: 1, ContactID: 104, PartnerID: 1, SetAt: day("2023-01-05").Unix(), Type: "COOKIE"}}
	if _, err := b.Apply(context.Background(), book.Import{PlanID: "p", AppliedAt: f.now, Inputs: []byte("{}"), Tables: []byte("{}")}, 0, &c, nil, func(int) {}); err != nil {
		t.Fatal(err)
	}
	f.recordSetting(4, book.SettingStatus, "blocked")
	f.recordSetting(1, book.SettingCoupon, "ANNA20")
	o := Options{
		Book: b, Terms: terms.DefaultConfig(), Products: terms.Products{Membership: []string{"*Membership*", "plan:pro"}, Training: []string{"Evergreen Webinar", "3 Leads Per Day"}},
		Currency: "USD", CreditPolicy: terms.CreditPolicy{InactiveEarn: true}, Zone: losAngeles, Now: func() time.Time { return f.now },
		Keys: keys, Visitors: click.NewVisitors(filepath.Join(t.TempDir(), "visitor.keys")), Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	f.Service = New(o)
	t.Cleanup(func() {
		if err := f.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *fixture) recordSetting(promoter int64, field, value string) {
	f.Helper()
	if err := f.book.RecordSettings(context.Background(), []book.Setting{{PromoterID: promoter, Field: field, Value: value, RecordedAt: f.now.Unix(), RecordedBy: "ops"}}); err != nil {
		f.Fatal(err)
	}
}

// cookie is the value that a browser has after clicks of promoters, at their days.
func (f *fixture) cookie(clicks ...string) string {
	var m click.Mark
	for _, text := range clicks {
		token, on, _ := strings.Cut(text, " ")
		m = m.Then(click.Visit{Token: token, Click: book.ClickID{Node: "web1", Seq: int64(len(text))}, At: day(on)})
	}
	return f.keys.Sign(m)
}

func (f *fixture) submit(c Call) Result {
	f.Helper()
	r, err := f.Submit(context.Background(), &c)
	if err != nil {
		f.Fatal(err)
	}
	return r
}

// told submits a call and gives its event's id beside the result, as "told" ones have it.
func (f *fixture) signup(email, tid, refID string) Result {
	f.Helper()
	return f.submit(Call{Kind: book.EventSignup, Email: email, TID: tid, RefID: refID})
}

func (f *fixture) sale(email string, amount int64, plan string) Result {
	f.Helper()
	f.n++
	return f.submit(Call{Kind: book.EventSale, Email: email, EventID: fmt.Sprintf("pay-%d", f.n), Amount: amount, Plan: plan})
}

func (f *fixture) refund(email string, amount int64, of string) Result {
	f.Helper()
	f.n++
	return f.submit(Call{Kind: book.EventRefund, Email: email, EventID: fmt.Sprintf("back-%d", f.n), Amount: amount, SaleEventID: of})
}

// promoterToken is the ref token of a result's promoter.
func promoterToken(r Result) string {
	if r.Promoter == nil {
		return ""
	}
	return r.Promoter.Token
}

// describeLines are what the lines of a result do: "25% 2475 of 9900".
func describeLines(r Result) string {
	var s []string
	for _, l := range r.Lines {
		s = append(s, fmt.Sprintf("%s %d of %d", l.Percent, l.Amount, l.SaleAmount))
	}
	return strings.Join(s, ", ")
}

func (r Result) check(t *testing.T, want Outcome, owns string) {
	t.Helper()
	if r.Outcome != want || promoterToken(r) != owns {
		t.Errorf("outcome %d of %q, want %d of %q (%s %s)", r.Outcome, promoterToken(r), want, owns, r.Field, r.Message)
	}
}

// balance is what the ledger holds of a promoter.
func (f *fixture) balance(promoter int64) (sum int64) {
	f.Helper()
	if err := f.book.Ledger(context.Background(), []book.Earner{{PromoterID: promoter}, {PartnerID: promoter}}, func(e book.Entry) error { sum += e.Amount; return nil }); err != nil {
		f.Fatal(err)
	}
	return sum
}

// The last click before the sign-up wins; afterwards nothing changes whose the customer is.
func TestWhoseCustomer(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("a@mail.test", f.cookie("anna 2023-01-01", "ben 2023-01-05"), "").check(t, Booked, "ben")
	f.sale("a@mail.test", 9900, "Agency Membership").check(t, Booked, "ben")
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "later", Amount: 100, TID: f.cookie("anna 2023-01-08"), RefID: "anna", PromoCode: "ANNA20"}).check(t, Booked, "ben")
	f.signup("a@mail.test", f.cookie("anna 2023-01-01"), "").check(t, AlreadySignedUp, "")

	t.Run("candidates in order", func(t *testing.T) {
		f.submit(Call{Kind: book.EventSignup, Email: "o1@mail.test", TID: f.cookie("ben 2023-01-01"), RefID: "anna", PromoCode: "ANNA20"}).check(t, Booked, "ben")
		f.submit(Call{Kind: book.EventSignup, Email: "o2@mail.test", TID: "no cookie of ours", RefID: "ben", PromoCode: "ANNA20"}).check(t, Booked, "ben")
		f.submit(Call{Kind: book.EventSignup, Email: "o3@mail.test", RefID: "nobody", PromoCode: "anna20 "}).check(t, Booked, "anna")
		f.submit(Call{Kind: book.EventSignup, Email: "o4@mail.test", RefID: "ZOE-2"}).check(t, Booked, "zoe")
		f.submit(Call{Kind: book.EventSignup, Email: "o5@mail.test", RefID: "nobody"}).check(t, NotReferred, "")
		f.submit(Call{Kind: book.EventSignup, Email: "o6@mail.test"}).check(t, NotReferred, "")
	})
	t.Run("clicks after the sign-up do not count", func(t *testing.T) {
		c := Call{Kind: book.EventSignup, Email: "t1@mail.test", TID: f.cookie("anna 2023-01-01", "ben 2023-01-05"), CreatedAt: day("2023-01-03").Unix()}
		f.submit(c).check(t, Booked, "anna")
		c = Call{Kind: book.EventSignup, Email: "t2@mail.test", TID: f.cookie("ben 2023-01-05"), CreatedAt: day("2023-01-03").Unix()}
		f.submit(c).check(t, NotReferred, "")
	})
	t.Run("standing", func(t *testing.T) {
		f.signup("s1@mail.test", f.cookie("bad 2023-01-05"), "").check(t, NotReferred, "")
		f.signup("s2@mail.test", f.cookie("bad 2023-01-05"), "anna").check(t, Booked, "anna")
		f.signup("s3@mail.test", f.cookie("old 2023-01-05"), "").check(t, NotReferred, "")
		f.sale("of-old@mail.test", 9900, "pro").check(t, Booked, "old")
		f.signup("s4@mail.test", f.cookie("ben 2023-01-05"), "").check(t, Booked, "ben")
		f.recordSetting(2, book.SettingStatus, "blocked")
		f.sale("s4@mail.test", 9900, "pro").check(t, NotReferred, "")
		f.recordSetting(2, book.SettingStatus, "")
		f.sale("s4@mail.test", 9900, "pro").check(t, Booked, "ben")
	})
	t.Run("carried over from Keap", func(t *testing.T) {
		f.signup("carried@mail.test", f.cookie("anna 2023-01-05"), "anna").check(t, Booked, "ben")
		f.sale("carried@mail.test", 9900, "pro").check(t, Booked, "ben")
		f.sale("merged@mail.test", 9900, "pro").check(t, Booked, "zoe")
		f.signup("expired@mail.test", "", "").check(t, NotReferred, "")
		f.signup("expired@mail.test", "", "anna").check(t, Booked, "anna")
		f.signup("house@mail.test", f.cookie("anna 2023-01-05"), "anna").check(t, NotReferred, "")
		f.sale("later@mail.test", 9900, "pro").check(t, Booked, "anna")
	})
	t.Run("a sale binds whom nobody has heard of", func(t *testing.T) {
		f.sale("x@mail.test", 9900, "pro").check(t, NotReferred, "")
		f.submit(Call{Kind: book.EventSale, UID: "u-1", EventID: "u-1-1", Amount: 9900, RefID: "anna"}).check(t, Booked, "anna")
		f.submit(Call{Kind: book.EventSale, UID: "u-1", Email: "u1@mail.test", EventID: "u-1-2", Amount: 9900, RefID: "ben"}).check(t, Booked, "anna")
		f.sale("u1@mail.test", 9900, "pro").check(t, Booked, "anna") // by the address that the second one told
		f.signup("u1@mail.test", "", "ben").check(t, Booked, "anna")
	})
}

func TestWhatIsEarned(t *testing.T) {
	eur, err := terms.ParseExchangeRate("1.0825")
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(o *Options) {
		o.Rates = map[string]terms.ExchangeRate{"EUR": eur}
		o.Terms.RateChanges = []terms.RateChange{{From: day("2023-06-01").Unix(), Kind: terms.Membership, Percent: 200_000}}
	})
	for _, email := range []string{"a@mail.test", "b@mail.test", "c@mail.test"} {
		f.signup(email, "", "anna").check(t, Booked, "anna")
	}
	check := func(r Result, want string) {
		t.Helper()
		if r.Outcome != Booked || describeLines(r) != want {
			t.Errorf("%d: %s, want %s", r.Outcome, describeLines(r), want)
		}
	}
	check(f.sale("a@mail.test", 9900, "Agency Membership"), "25% 2475 of 9900")
	check(f.sale("a@mail.test", 2930, "pro"), "25% 732 of 2930") // half-way: to the even one
	check(f.sale("a@mail.test", 9900, ""), "25% 2475 of 9900")   // FirstPromoter's plan is optional
	check(f.sale("a@mail.test", 9900, "a mug"), "0% 0 of 9900")
	check(f.sale("a@mail.test", 12900, "Evergreen Webinar"), "50% 6450 of 12900")
	again := f.sale("a@mail.test", 12900, "evergreen webinar")
	check(again, "0% 0 of 12900") // trainings earn once
	check(f.sale("b@mail.test", 12900, "Evergreen Webinar"), "50% 6450 of 12900")
	f.refund("b@mail.test", 12900, "")
	check(f.sale("b@mail.test", 12900, "Evergreen Webinar"), "50% 6450 of 12900") // the first one was taken back

	two := f.submit(Call{Kind: book.EventSale, Email: "c@mail.test", EventID: "two", Amount: 19995, Items: []Item{{"pro", 10000, 2}, {"3 Leads Per Day", 9995, 1}}})
	check(two, "25% 2500 of 10000, 50% 4998 of 9995")
	if two.Lines[0].Quantity != 2 {
		t.Errorf("the quantity: %+v", two.Lines[0])
	}
	if r := f.submit(Call{Kind: book.EventSale, Email: "c@mail.test", EventID: "zero"}); r.Outcome != Acknowledged || len(r.Lines) > 0 {
		t.Errorf("nothing was paid: %+v", r)
	}
	check(f.submit(Call{Kind: book.EventSale, Email: "c@mail.test", EventID: "zero", Amount: 100}), "25% 25 of 100") // and nothing was booked

	check(f.submit(Call{Kind: book.EventSale, Email: "c@mail.test", EventID: "eur", Amount: 10000, Currency: "EUR"}), "25% 2706 of 10825")
	if r := f.submit(Call{Kind: book.EventSale, Email: "c@mail.test", EventID: "gbp", Amount: 10000, Currency: "GBP"}); r.Outcome != Invalid || r.Field != "currency" || !strings.Contains(r.Message, "GBP") {
		t.Errorf("a currency without a rate: %+v", r)
	}
	// A rate holds from its date on, and a promoter's own goes before the program's.
	on := func(date string) Result {
		f.n++
		return f.submit(Call{Kind: book.EventSale, Email: "c@mail.test", EventID: fmt.Sprint("d", f.n), Amount: 1000, CreatedAt: day(date).Unix()})
	}
	check(on("2023-05-31"), "25% 250 of 1000")
	check(on("2023-06-02"), "20% 200 of 1000")
	if err := f.book.RecordSettings(context.Background(), []book.Setting{{PromoterID: 1, Field: book.SettingMembershipPercent, Value: "30", From: day("2023-07-01").Unix()}}); err != nil {
		t.Fatal(err)
	}
	check(on("2023-06-30"), "20% 200 of 1000")
	check(on("2023-07-02"), "30% 300 of 1000")
}

func TestRefunds(t *testing.T) {
	eur, err := terms.ParseExchangeRate("1.0825")
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(o *Options) { o.Rates = map[string]terms.ExchangeRate{"EUR": eur} })
	f.signup("a@mail.test", "", "anna")
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "jan", Amount: 9995, Plan: "pro"})
	f.now = day("2023-02-10")
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "feb", Amount: 9995, Plan: "pro"})
	if f.balance(1) != 2*2499 {
		t.Fatalf("balance %d", f.balance(1))
	}
	check := func(r Result, want string, balance int64) {
		t.Helper()
		if r.Outcome != Booked || describeLines(r) != want || f.balance(1) != balance {
			t.Errorf("%d: %s, want %s; balance %d, want %d", r.Outcome, describeLines(r), want, f.balance(1), balance)
		}
	}
	// Without an id the newest of that amount; in the month of its commission.
	full := f.refund("a@mail.test", 9995, "")
	check(full, "25% -2499 of -9995", 2499)
	if full.Lines[0].Month != 202302 || full.Event.SaleEventID == 0 {
		t.Errorf("taken back from %+v", full.Lines[0])
	}
	// In parts, and never more than was earned.
	part := f.refund("a@mail.test", 1, "jan")
	check(part, "25% 0 of -1", 2499)
	if part.Lines[0].Month != 202301 {
		t.Errorf("taken back from %+v", part.Lines[0])
	}
	check(f.refund("a@mail.test", 4999, "jan"), "25% -1250 of -4999", 1249)
	check(f.refund("a@mail.test", 4995, "jan"), "25% -1249 of -4995", 0)
	check(f.refund("a@mail.test", 500, "jan"), "", 0)
	check(f.refund("a@mail.test", 500, ""), "", 0)

	// Two products: by what is left of each.
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "two", Amount: 20000, Items: []Item{{"pro", 10000, 1}, {"Evergreen Webinar", 10000, 1}}})
	check(f.refund("a@mail.test", 10000, "two"), "25% -1250 of -5000, 50% -2500 of -5000", 3750)
	check(f.refund("a@mail.test", 10000, "two"), "25% -1250 of -5000, 50% -2500 of -5000", 0)

	// In the sale's own currency it is as much of the sale as of what was told.
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "eur", Amount: 3333, Currency: "EUR"})
	before := f.balance(1)
	third := Call{Kind: book.EventRefund, Email: "a@mail.test", Amount: 1111, Currency: "EUR", SaleEventID: "eur"}
	for _, id := range []string{"e1", "e2", "e3"} {
		third.EventID = id
		f.submit(third)
	}
	if before != 902 || f.balance(1) != 0 {
		t.Errorf("902 were earned in euros (%d), %d are left", before, f.balance(1))
	}

	f.refund("nobody@mail.test", 100, "").check(t, NotReferred, "")
	// Of a sale that is told later, it waits for it.
	early := f.refund("a@mail.test", 100, "later")
	early.check(t, Booked, "anna")
	if waiting, err := f.book.UnmatchedRefunds(context.Background()); err != nil || len(waiting) != 1 || len(early.Lines) != 0 || f.balance(1) != 0 {
		t.Errorf("%d refunds wait, %v: %+v", len(waiting), err, early)
	}
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "later", Amount: 1000})
	if waiting, err := f.book.UnmatchedRefunds(context.Background()); err != nil || len(waiting) != 0 || f.balance(1) != 250-25 {
		t.Errorf("%d refunds wait, %v; balance %d", len(waiting), err, f.balance(1))
	}
	check(f.refund("a@mail.test", 900, "later"), "25% -225 of -900", 0)
	// A refund that names no currency is in the sale's.
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "eur-2", Amount: 1000, Currency: "EUR"})
	check(f.refund("a@mail.test", 1000, "eur-2"), "25% -270 of -1082", 0) // half-way, twice: to the even one
	f.signup("b@mail.test", "", "ben")
	if r := f.refund("b@mail.test", 100, "jan"); r.Outcome != Invalid || r.Field != "sale_event_id" {
		t.Errorf("the sale of another customer: %+v", r)
	}
	// Of a sale at Keap, whose commission was carried over.
	carried := f.refund("carried@mail.test", 9900, "")
	if describeLines(carried) != "25% -2475 of -9900" || promoterToken(carried) != "ben" || carried.Lines[0].Month != 202302 {
		t.Errorf("of a sale that was not tracked: %s of %s", describeLines(carried), promoterToken(carried))
	}
	// One that names its sale has taken back at once: it does not again when the sale is told.
	f.refund("merged@mail.test", 9900, "of-merged").check(t, Booked, "zoe")
	f.submit(Call{Kind: book.EventSale, Email: "merged@mail.test", EventID: "of-merged", Amount: 9900}).check(t, Booked, "zoe")
	if f.balance(5) != 0 {
		t.Errorf("taken back twice: %d", f.balance(5))
	}
}

// The same event twice is one, also when both arrive at once; a cancellation takes nothing.
func TestOnce(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("a@mail.test", "", "anna")
	results := make(chan Result, 100)
	for range cap(results) {
		go func() {
			r, err := f.Submit(context.Background(), &Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "one", Amount: 10000})
			if err != nil {
				t.Error(err)
			}
			results <- r
		}()
	}
	booked := 0
	for range cap(results) {
		if r := <-results; r.Outcome == Booked {
			booked++
		} else if r.Outcome != Duplicate {
			t.Errorf("%+v", r)
		}
	}
	if booked != 1 || f.balance(1) != 2500 {
		t.Errorf("booked %d times, balance %d", booked, f.balance(1))
	}
	cancel := Call{Kind: book.EventCancellation, Email: "a@mail.test"}
	f.submit(cancel).check(t, Booked, "anna")
	f.submit(cancel).check(t, Acknowledged, "anna")
	f.submit(Call{Kind: book.EventCancellation, Email: "nobody@mail.test"}).check(t, NotReferred, "")
	if f.balance(1) != 2500 {
		t.Errorf("after the cancellation %d", f.balance(1))
	}
	f.sale("a@mail.test", 10000, "").check(t, Booked, "anna")
}

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
	mug := f.signup("b@mail.test", "", "ben")
	_ = mug
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
	f.sale("anna@promoters.test", 10000, "") // a person has accepted that reason for this customer
	if got := fmt.Sprint(list(false)); got != "[pay-2 self_referral pay-3 unknown_product pay-4 fast_sale]" {
		t.Error(got)
	}
	second := own.Lines[0].ID + 1
	f.refund("anna@promoters.test", 4000, "pay-2")
	if err := decide(book.ReviewDeny, second); err != nil || f.balance(1) != 5000 {
		t.Errorf("denied: %v, balance %d", err, f.balance(1))
	}
	f.refund("anna@promoters.test", 6000, "pay-2") // nothing is left to take back
	if err := decide(book.ReviewDeny, second); err != nil || f.balance(1) != 5000 {
		t.Errorf("denied again: %v, balance %d", err, f.balance(1))
	}
	if err := decide(book.ReviewAccept, second); err == nil {
		t.Error("what was denied was accepted")
	}
	if got := len(list(true)); got != 4 {
		t.Errorf("%d in all", got)
	}
}
