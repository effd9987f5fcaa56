package track

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// describeReversals names the sales that a refund took from, with what it took: "jan -2500, feb -10".
func (f *fixture) describeReversals(r Result) string {
	f.Helper()
	var texts []string
	for _, l := range r.Lines {
		line, err := f.book.LineByID(f.Context(), l.ReversesLineID)
		if err != nil {
			f.Fatal(err)
		}
		e, err := f.book.EventByID(f.Context(), line.EventID)
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, fmt.Sprintf("%s %d", e.ExternalID, l.Amount))
	}
	return strings.Join(texts, ", ")
}

// A refund that names no sale is of the newest one of its amount, else of the newest that
// has as much left, else of the newest ones together.
func TestWhichSaleIsRefunded(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("a@mail.test", "", "anna").check(t, Booked, "anna")
	for _, s := range []struct {
		id     string
		amount int64
		on     string
	}{{"jan", 400, "2023-01-05"}, {"feb", 2000, "2023-02-05"}, {"mar", 400, "2023-03-05"}, {"apr", 1000, "2023-04-05"}, {"late", 400, "2023-01-01"}} {
		f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: s.id, Amount: s.amount, CreatedAt: day(s.on).Unix()}).check(t, Booked, "anna")
	}
	f.now = day("2023-05-01")
	back := func(amount int64, want, sale, note string) {
		t.Helper()
		r := f.refund("a@mail.test", amount, "")
		r.check(t, Booked, "anna")
		told, err := f.book.EventByID(t.Context(), r.Event.SaleEventID)
		if err != nil {
			t.Fatal(err)
		}
		if got, said := f.describeReversals(r), f.evidence(r).Note; got != want || told.ExternalID != sale || (said != "") != (note != "") || !strings.Contains(said, note) {
			t.Errorf("a refund of %d: %q of %s (%s), want %q of %s (%s)", amount, got, told.ExternalID, said, want, sale, note)
		}
	}
	back(400, "mar -100", "mar", "")            // the newest of its amount, though april has as much left
	back(400, "jan -100", "jan", "")            // the next; of the one that was told last the date is the oldest
	back(600, "apr -150", "apr", "")            // the newest with as much left
	back(400, "apr -100", "apr", "")            // what is left of april is just that
	back(500, "feb -125", "feb", "")            //
	back(1600, "feb -375, late -25", "feb", "") // the newest first
	back(350, "late -75", "late", "more was refunded than was left")
	back(1, "", "apr", "more was refunded than was left")
	if f.balance(1) != 0 {
		t.Errorf("%d are left", f.balance(1))
	}
	if r := f.refund("a@mail.test", 0, ""); r.Outcome != Acknowledged || promoterToken(r) != "anna" || len(r.Lines) != 0 || r.Event.ID != 0 {
		t.Errorf("nothing was refunded: %+v", r)
	}
}

// Whoever earned on the sale loses by its refund, whatever he is now.
func TestRefundsOfTheBlocked(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("a@mail.test", "", "ben").check(t, Booked, "ben")
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "1", Amount: 1000}).check(t, Booked, "ben")
	f.recordSetting(2, book.SettingStatus, "blocked")
	r := f.refund("a@mail.test", 1000, "1")
	r.check(t, Booked, "ben")
	if f.balance(2) != 0 || r.Event.PromoterID != 2 || f.evidence(r).By != terms.ByOwner {
		t.Errorf("balance %d, %+v", f.balance(2), r.Event)
	}
	// Of a sale at Keap nothing is known but its owner, who may not earn and does not lose.
	f.refund("carried@mail.test", 1000, "").check(t, NotReferred, "")
}

// In the sale's own currency a refund is as much of the sale as was told, whatever rates
// have become; in another one it is what it is worth now.
func TestRefundsInOtherCurrencies(t *testing.T) {
	rates := map[string]terms.ExchangeRate{}
	rate := func(currency, text string) {
		t.Helper()
		r, err := terms.ParseExchangeRate(text)
		if err != nil {
			t.Fatal(err)
		}
		rates[currency] = r
	}
	rate("EUR", "1.0825")
	rate("GBP", "1.25")
	f := newFixture(t, func(o *Options) { o.Rates = rates })
	f.signup("a@mail.test", "", "anna").check(t, Booked, "anna")
	tell := func(kind, id, of string, amount int64, currency, want, note string) {
		t.Helper()
		r := f.submit(Call{Kind: kind, Email: "a@mail.test", EventID: id, SaleEventID: of, Amount: amount, Currency: currency})
		r.check(t, Booked, "anna")
		v := f.evidence(r)
		wantRate := ""
		if currency != "USD" {
			wantRate = currency + " " + rates[currency].String()
		}
		if describeLines(r) != want || v.Rate != wantRate || (v.Note != "") != (note != "") || !strings.Contains(v.Note, note) {
			t.Errorf("%s: %s (rate %q, %s), want %s (rate %q, %s)", id, describeLines(r), v.Rate, v.Note, want, wantRate, note)
		}
		if r.Event.Amount != amount || r.Event.Currency != currency {
			t.Errorf("%s: the event has %d %s", id, r.Event.Amount, r.Event.Currency)
		}
	}
	tell(book.EventSale, "s1", "", 10000, "EUR", "25% 2706 of 10825", "")
	rate("EUR", "2")
	tell(book.EventRefund, "r1", "s1", 5000, "EUR", "25% -1353 of -5412", "") // half of it
	tell(book.EventRefund, "r2", "s1", 1000, "GBP", "25% -313 of -1250", "")  // as today
	tell(book.EventRefund, "r3", "s1", 1000, "USD", "25% -250 of -1000", "")
	tell(book.EventRefund, "r4", "s1", 5000, "EUR", "25% -790 of -3163", "") // the rest, now that all of it was refunded
	tell(book.EventRefund, "r5", "s1", 5000, "EUR", "", "more was refunded than was left")
	if f.balance(1) != 0 {
		t.Errorf("%d are left", f.balance(1))
	}
	rate("EUR", "1.0825")
	tell(book.EventSale, "s3", "", 1000, "EUR", "25% 270 of 1082", "")
	tell(book.EventRefund, "r7", "s3", 100, "USD", "25% -25 of -100", "")
	tell(book.EventRefund, "r8", "s3", 100, "EUR", "25% -27 of -108", "") // beside the dollars, not instead of them
	tell(book.EventRefund, "r9", "s3", 100, "EUR", "25% -27 of -108", "")
	// A newer sale that is smaller is not the one, in whatever currency.
	tell(book.EventSale, "s4", "", 1000, "EUR", "25% 270 of 1082", "")
	tell(book.EventSale, "s5", "", 100, "EUR", "25% 27 of 108", "")
	tell(book.EventRefund, "r10", "", 500, "EUR", "25% -135 of -541", "")
	tell(book.EventRefund, "r11", "s5", 500, "EUR", "25% -27 of -108", "more was refunded than was left")
	if r := f.submit(Call{Kind: book.EventRefund, Email: "a@mail.test", EventID: "r6", Amount: 100, Currency: "CHF"}); r.Outcome != Invalid || r.Field != "currency" {
		t.Errorf("a currency without a rate: %+v", r)
	}
	rate("EUR", "99999")
	if r := f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "s2", Amount: MaxAmount, Currency: "EUR"}); r.Outcome != Invalid || r.Field != "amount" {
		t.Errorf("more than is believed: %+v", r)
	}
}

// An event keeps when it happened and when it was told; addresses are compared as of the day
// on which they were told.
func TestEventsThatAreToldLate(t *testing.T) {
	f := newFixture(t, nil)
	for i := range 3 {
		r := f.submit(Call{Kind: book.EventSignup, Email: fmt.Sprintf("c%d@mail.test", i), RefID: "anna", Address: netip.MustParseAddr("203.0.113.7"), CreatedAt: day("2023-01-02").AddDate(0, 0, i).Unix()})
		r.check(t, Booked, "anna")
		if r.Event.At != day("2023-01-02").AddDate(0, 0, i).Unix() || r.Event.ReceivedAt != f.now.Unix() || r.Customer.BoundAt != r.Event.At || r.Customer.CreatedAt != f.now.Unix() {
			t.Errorf("%+v of %+v", r.Event, r.Customer)
		}
		if got := r.Customer.Suspicion == book.ReasonShared; got != (i == 2) {
			t.Errorf("customer %d: %q", i, r.Customer.Suspicion)
		}
	}
}

// A cancellation with an id of its own is booked once; without one, once until something
// else is told.
func TestCancellationsOnce(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("a@mail.test", "", "anna").check(t, Booked, "anna")
	gone := func(id string, want Outcome) {
		t.Helper()
		f.submit(Call{Kind: book.EventCancellation, Email: "a@mail.test", EventID: id}).check(t, want, map[Outcome]string{Booked: "anna", Acknowledged: "anna"}[want])
	}
	gone("", Booked)
	gone("", Acknowledged)
	gone("x1", Booked)
	gone("x1", Duplicate)
	gone("x2", Booked)
	gone("", Acknowledged)
	f.sale("a@mail.test", 100, "")
	gone("", Booked)
	f.recordSetting(1, book.SettingStatus, "blocked")
	gone("x3", NotReferred)
}
