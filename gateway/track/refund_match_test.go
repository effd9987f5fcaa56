package track

import (
	"context"
	"fmt"
	"testing"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// euros are a program that also sells in them.
func euros(o *Options) { o.Rates = map[string]terms.ExchangeRate{"EUR": 108250000} }

// A refund that names neither its sale nor a currency is of the newest sale of its amount, in the
// currency of that sale.
func TestRefundInTheCurrencyOfItsSale(t *testing.T) {
	f := newFixture(t, euros)
	f.signup("a@mail.test", "", "anna")
	sell := func(id string, amount int64, currency string) {
		t.Helper()
		f.now = f.now.Add(time.Hour)
		f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: id, Amount: amount, Currency: currency}).check(t, Booked, "anna")
	}
	back := func(amount int64, currency, want, read string) {
		t.Helper()
		f.n++
		r := f.submit(Call{Kind: book.EventRefund, Email: "a@mail.test", EventID: fmt.Sprint("r", f.n), Amount: amount, Currency: currency})
		if got := f.describeReversals(r); got != want || r.Event.Currency != read || r.Event.Amount != amount {
			t.Errorf("%d %s: %q as %s, want %q as %s", amount, currency, got, r.Event.Currency, want, read)
		}
		if rate := f.evidence(r).Rate; (rate == "EUR 1.0825") != (read == "EUR") {
			t.Errorf("%d %s: the rate %q", amount, currency, rate)
		}
	}
	sell("usd", 10000, "")
	sell("eur", 5000, "EUR")
	back(10000, "", "usd -2500", "USD")
	back(2000, "", "eur -541", "EUR")
	back(3000, "", "eur -812", "EUR")
	if f.balance(1) != 0 {
		t.Errorf("balance %d", f.balance(1))
	}
	// What came of several sales together is taken off each of them.
	sell("e1", 4000, "EUR")
	sell("e2", 1000, "EUR")
	sell("u1", 500, "")
	back(4500, "", "e2 -270, e1 -947", "EUR")
	back(500, "EUR", "e1 -135", "EUR")
	back(500, "EUR", "u1 -125", "EUR")
	if f.balance(1) != 0 {
		t.Errorf("balance %d", f.balance(1))
	}
	// Without a rate, in a sale's own currency.
	sell("e3", 4000, "EUR")
	delete(f.o.Rates, "EUR")
	f.n++
	r := f.submit(Call{Kind: book.EventRefund, Email: "a@mail.test", EventID: "no-rate", Amount: 4000, Currency: "EUR"})
	if f.describeReversals(r) != "e3 -1082" || f.evidence(r).Rate != "" {
		t.Errorf("%s, %s", f.describeReversals(r), r.Event.Evidence)
	}
}

// A refund that is told late is of a sale that there was by then.
func TestRefundsDatedBeforeASale(t *testing.T) {
	f := newFixture(t, nil)
	f.now = day("2023-03-20")
	f.submit(Call{Kind: book.EventSignup, Email: "a@mail.test", RefID: "anna", CreatedAt: day("2023-01-01").Unix()})
	for _, on := range []string{"2023-01-05", "2023-02-05", "2023-03-05"} {
		f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: on, Amount: 9700, CreatedAt: day(on).Unix()}).check(t, Booked, "anna")
	}
	r := f.submit(Call{Kind: book.EventRefund, Email: "a@mail.test", EventID: "r", Amount: 9700, CreatedAt: day("2023-02-20").Unix()})
	if got := f.describeReversals(r); got != "2023-02-05 -2425" {
		t.Error(got)
	}
}

// A refund may come before its sale, in whatever currency that turns out to be, also of a
// customer who was carried over from Keap, whose owner it took back from meanwhile; told in
// order, all of it comes to the same.
func TestRefundsBeforeTheirSale(t *testing.T) {
	type event struct {
		kind, id, of, currency, plan string
		amount                       int64
		at                           string
	}
	f := func(name, email string, promoter int64, change func(*Options), want int64, events ...event) {
		t.Helper()
		balances := map[string]int64{}
		for _, order := range []string{"in order", "the last first"} {
			s := newFixture(t, func(o *Options) {
				euros(o)
				if change != nil {
					change(o)
				}
			})
			if email == "a@mail.test" {
				s.submit(Call{Kind: book.EventSignup, Email: email, RefID: "anna", CreatedAt: day("2023-01-01").Unix()})
			}
			for i := range events {
				e := events[i]
				if order == "the last first" {
					e = events[len(events)-1-i]
				}
				at := int64(0)
				if e.at != "" {
					at = day(e.at).Unix()
				}
				s.submit(Call{Kind: e.kind, Email: email, EventID: e.id, SaleEventID: e.of, Amount: e.amount, Currency: e.currency, Plan: e.plan,
					CreatedAt: at})
				for range 2 { // told again, nothing changes
					s.submit(Call{Kind: e.kind, Email: email, EventID: e.id, SaleEventID: e.of, Amount: e.amount, Currency: e.currency,
						Plan: e.plan, CreatedAt: at})
				}
			}
			balances[order] = s.balance(promoter)
			waiting, err := s.book.UnmatchedRefunds(context.Background())
			if err != nil || len(waiting) != 0 {
				t.Errorf("%s, %s: %d wait, %v", name, order, len(waiting), err)
			}
		}
		if balances["in order"] != want || balances["the last first"] != want {
			t.Errorf("%s: %v, want %d", name, balances, want)
		}
	}
	const sale, refund, webinar = book.EventSale, book.EventRefund, "Evergreen Webinar"
	for _, c := range []struct {
		email    string
		promoter int64
	}{{"a@mail.test", 1}, {"carried@mail.test", 2}, {"merged@mail.test", 5}, {"of-old@mail.test", 3}} {
		f("a training refunded in full", c.email, c.promoter, nil, 0,
			event{sale, "s", "", "", webinar, 10000, ""}, event{refund, "r", "s", "", "", 10000, ""})
		f("a training refunded in part", c.email, c.promoter, nil, 3000,
			event{sale, "s", "", "", webinar, 10000, ""}, event{refund, "r", "s", "", "", 4000, ""})
		f("in euros, which the refund does not say", c.email, c.promoter, nil, 2706-1353,
			event{sale, "s", "", "EUR", "pro", 10000, ""}, event{refund, "r", "s", "", "", 5000, ""})
		f("in euros, refunded in two parts", c.email, c.promoter, nil, 0,
			event{sale, "s", "", "EUR", webinar, 3333, ""}, event{refund, "r1", "s", "", "", 1111, ""}, event{refund, "r2", "s", "EUR", "", 2222, ""})
		f("more than was paid", c.email, c.promoter, nil, 0,
			event{sale, "s", "", "", "pro", 5000, ""}, event{refund, "r", "s", "", "", 9000, ""})
		f("two parts in dollars", c.email, c.promoter, nil, 0,
			event{sale, "s", "", "", webinar, 9999, ""}, event{refund, "r1", "s", "", "", 3333, ""}, event{refund, "r2", "s", "", "", 6666, ""})
	}
	// Of one carried over, also without a name, when it is just as much and dated no earlier.
	f("without a name", "carried@mail.test", 2, nil, 0,
		event{sale, "s", "", "", webinar, 10000, "2023-01-08"}, event{refund, "r", "", "", "", 10000, "2023-01-09"})
	f("without a name, in euros", "carried@mail.test", 2, nil, 0,
		event{sale, "s", "", "EUR", webinar, 10000, "2023-01-08"}, event{refund, "r", "", "", "", 10000, "2023-01-09"})
	f("of a customer whose owner earns nothing", "of-old@mail.test", 3, func(o *Options) { o.CreditPolicy.InactiveEarn = false }, 0,
		event{sale, "s", "", "", webinar, 10000, ""}, event{refund, "r", "s", "", "", 10000, ""})
}

// A sale that is told after a refund is not the one when it is dated after it, or when the refund
// names another. What it comes to is what it had come to in order.
func TestRefundsOfOtherSales(t *testing.T) {
	f := func(name string, want int64, calls ...Call) {
		t.Helper()
		s := newFixture(t, nil)
		for i, c := range calls {
			c.Email = "carried@mail.test"
			if c.EventID == "" {
				c.EventID = fmt.Sprint("e", i)
			}
			s.submit(c).check(t, Booked, "ben")
		}
		if got := s.balance(2); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	on := func(date string) int64 { return day(date).Unix() }
	refund := Call{Kind: book.EventRefund, Amount: 10000, CreatedAt: on("2023-01-05")}
	named := refund
	named.SaleEventID = "at Keap"
	sale := func(amount int64, date string) Call {
		return Call{Kind: book.EventSale, Amount: amount, Plan: "Evergreen Webinar", CreatedAt: on(date)}
	}
	f("nothing comes", -2500, refund)
	f("the sale", 0, refund, sale(10000, "2023-01-04"))
	f("dated later", 5000-2500, refund, sale(10000, "2023-01-06"))
	f("of another amount", 6000-5000, refund, sale(12000, "2023-01-04"))
	f("of another name", 5000-2500, named, sale(10000, "2023-01-04"))
	f("two refunds, one sale", 0, refund, refund, sale(10000, "2023-01-04"))
	f("one refund, two sales", 5000, refund, sale(10000, "2023-01-04"), sale(10000, "2023-01-03"))
}

// What a refund took back as one of a sale at Keap, and then gave back, is in its event: the
// months agree, and nothing of it is a row that Keap's could be compared with.
func TestGivenBackRefunds(t *testing.T) {
	f := newFixture(t, nil)
	f.refund("carried@mail.test", 10000, "s").check(t, Booked, "ben")
	f.now = day("2023-02-10")
	f.submit(Call{Kind: book.EventSale, Email: "carried@mail.test", EventID: "s", Amount: 10000, Plan: "Evergreen Webinar"}).check(t, Booked, "ben")
	events, err := f.book.EventsByExternalID(t.Context(), "back-1")
	if err != nil || len(events) != 1 || events[0].SaleEventID == 0 {
		t.Fatalf("%+v, %v", events, err)
	}
	lines, err := f.book.LinesOf(t.Context(), []int64{events[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range lines {
		got = append(got, fmt.Sprint(l.Month, " ", l.Amount, " of ", l.SaleAmount))
	}
	if want := "[202301 -2500 of -10000 202301 2500 of 10000 202302 -5000 of -10000]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	tracked, err := f.book.TrackedBetween(t.Context(), 0, f.now.Unix())
	if err != nil || len(tracked) != 2 || tracked[0].Amount+tracked[1].Amount != 0 {
		t.Errorf("%+v, %v", tracked, err)
	}
}

// A refund that names no sale, of an amount that no sale here has, is of the order at Keap that
// came to just that; once for each.
func TestRefundsOfOrdersAtKeap(t *testing.T) {
	f := newFixture(t, nil)
	f.applyImport(book.KeapRecords{Sales: book.Rows[book.Sale]{Create: []book.Sale{
		{ID: 1, ContactID: 101, OrderedAt: day("2022-11-05").Unix(), Total: 12900, Currency: "USD", Products: "Evergreen Webinar", SellerID: 2},
	}}})
	sale := Call{Kind: book.EventSale, Email: "carried@mail.test", EventID: "s", Amount: 3000}
	f.submit(sale).check(t, Booked, "ben")
	back := func(amount int64, want string, balance int64) {
		t.Helper()
		r := f.refund("carried@mail.test", amount, "")
		if got := describeLines(r); got != want || f.balance(2) != balance {
			t.Errorf("a refund of %d: %s, balance %d; want %s, %d", amount, got, f.balance(2), want, balance)
		}
	}
	back(12900, "25% -3225 of -12900", 750-3225)
	back(3000, "25% -750 of -3000", -3225)
	sale.EventID = "s2"
	f.submit(sale).check(t, Booked, "ben")
	back(12900, "25% -750 of -3000", -3225) // it was refunded already
	sale.EventID, sale.Amount = "s3", 20000
	f.submit(sale).check(t, Booked, "ben")
	back(12900, "25% -3225 of -12900", 5000-2*3225) // a part of a sale here
}
