package track

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

func TestCommissions(t *testing.T) {
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
	check(f.sale("a@mail.test", 12900, "evergreen webinar"), "50% 6450 of 12900") // every payment of a training earns
	check(f.sale("b@mail.test", 12900, "Evergreen Webinar"), "50% 6450 of 12900")

	two := f.submit(Call{Kind: book.EventSale, Email: "c@mail.test", EventID: "two", Amount: 19995,
		Items: []Item{{"pro", 10000, 2}, {"3 Leads Per Day", 9995, 1}}})
	check(two, "25% 2500 of 10000, 50% 4998 of 9995")
	if two.Lines[0].Quantity != 2 {
		t.Errorf("the quantity: %+v", two.Lines[0])
	}
	if r := f.submit(Call{Kind: book.EventSale, Email: "c@mail.test", EventID: "zero"}); r.Outcome != Acknowledged || len(r.Lines) > 0 {
		t.Errorf("nothing was paid: %+v", r)
	}
	check(f.submit(Call{Kind: book.EventSale, Email: "c@mail.test", EventID: "zero", Amount: 100}), "25% 25 of 100") // and nothing was booked

	check(f.submit(Call{Kind: book.EventSale, Email: "c@mail.test", EventID: "eur", Amount: 10000, Currency: "EUR"}), "25% 2706 of 10825")
	if r := f.submit(Call{Kind: book.EventSale, Email: "c@mail.test", EventID: "gbp", Amount: 10000,
		Currency: "GBP"}); r.Outcome != Invalid || r.Field != "currency" || !strings.Contains(r.Message, "GBP") {
		t.Errorf("a currency without a rate: %+v", r)
	}
	// A rate holds from its date on, and a promoter's own goes before the program's.
	on := func(date string) Result {
		f.n++
		return f.submit(Call{Kind: book.EventSale, Email: "c@mail.test", EventID: fmt.Sprint("d", f.n), Amount: 1000,
			CreatedAt: day(date).Unix()})
	}
	check(on("2023-05-31"), "25% 250 of 1000")
	check(on("2023-06-02"), "20% 200 of 1000")
	if err := f.book.RecordSettings(context.Background(),
		[]book.Setting{{PromoterID: 1, Field: book.SettingMembershipPercent, Value: "30", From: day("2023-07-01").Unix()}}); err != nil {
		t.Fatal(err)
	}
	check(on("2023-06-30"), "20% 200 of 1000")
	check(on("2023-07-02"), "30% 300 of 1000")
}

// What no pattern names, what two patterns name, and where nobody wrote any.
func TestProductKinds(t *testing.T) {
	kinds := func(products terms.Products, once bool, plans ...string) string {
		t.Helper()
		f := newFixture(t, func(o *Options) { o.Products, o.Terms.TrainingOnce = products, once })
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
	f(kinds(terms.Products{Training: []string{"*Webinar"}}, false, "a mug", "Big Webinar", " big  webinar", "Other Webinar"),
		"25% 25, 50% 50, 50% 50, 50% 50")
	f(kinds(terms.Products{Membership: []string{"pro"}}, false, " ", "a mug"), "25% 25, 0% 0")
	f(kinds(terms.Products{Membership: []string{"*"}, Training: []string{"*"}}, false, "", "both"), "0% 0, 0% 0")
	f(kinds(terms.Products{Membership: []string{"pro"}, Training: []string{"Webinar"}}, false, "webinar", "webinar"), "50% 50, 50% 50")
	f(kinds(terms.Products{Membership: []string{"pro"}, Training: []string{"Webinar"}}, true, "webinar", "Webinar "), "50% 50, 0% 0")

	// A product that cost nothing has no line.
	o := newFixture(t, nil)
	o.signup("a@mail.test", "", "anna")
	f(describeLines(o.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "free", Amount: 100,
		Items: []Item{{"pro", 100, 1}, {"pro gift", 0, 1}}})), "25% 25 of 100")
}

// The same event twice is one, also when both arrive at once; a cancellation takes nothing.
func TestDuplicateSales(t *testing.T) {
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

// A sale that is dated into a month that is over counts, and is held, from when it was told, and
// a person looks at it. One that is told late within a month counts when it happened.
func TestBackDatedSales(t *testing.T) {
	f := newFixture(t, nil) // it is 2023-01-10
	f.signup("a@mail.test", "", "anna").check(t, Booked, "anna")
	for text, want := range map[string]struct {
		month  int32
		counts string
		dated  bool
	}{
		"1990-01-02": {202301, "2023-01-10", true},
		"2022-12-31": {202301, "2023-01-10", true},
		"2023-01-01": {202301, "2023-01-01", false},
		"2023-01-09": {202301, "2023-01-09", false},
		"2023-01-10": {202301, "2023-01-10", false},
	} {
		r := f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: text, Amount: 10000, CreatedAt: day(text).Unix()})
		r.check(t, Booked, "anna")
		l := r.Lines[0]
		if l.Month != want.month || l.At != day(want.counts).Unix() || r.Event.At != day(text).Unix() {
			t.Errorf("%s: %+v of %+v", text, l, r.Event)
		}
		dated := slices.ContainsFunc(f.reviewReasons(), func(s string) bool { return strings.HasPrefix(s, text+" "+book.ReasonDated) })
		if dated != want.dated || want.dated && len(r.Flagged) == 0 {
			t.Errorf("%s: flagged is %v", text, dated)
		}
	}
	// What is taken back counts from then on too.
	r := f.submit(Call{Kind: book.EventRefund, Email: "a@mail.test", EventID: "back", SaleEventID: "2023-01-09", Amount: 10000,
		CreatedAt: day("1990-01-02").Unix()})
	if r.check(t, Booked, "anna"); r.Lines[0].At != f.now.Unix() || r.Lines[0].Month != 202301 {
		t.Errorf("a refund: %+v", r.Lines)
	}
	// A clock that is behind by minutes is none of that, also where a month ends.
	f.now = day("2023-02-01").Add(-12 * time.Hour)
	r = f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "end", Amount: 10000, CreatedAt: f.now.Unix() - 299})
	if r.check(t, Booked, "anna"); r.Lines[0].Month != 202301 {
		t.Errorf("%+v", r.Lines)
	}
}
