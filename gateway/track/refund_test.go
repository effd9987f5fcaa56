package track

import (
	"context"
	"fmt"
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
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "two", Amount: 20000,
		Items: []Item{{"pro", 10000, 1}, {"Evergreen Webinar", 10000, 1}}})
	check(f.refund("a@mail.test", 10000, "two"), "25% -1250 of -5000, 50% -2500 of -5000", 3750)
	check(f.refund("a@mail.test", 10000, "two"), "25% -1250 of -5000, 50% -2500 of -5000", 0)

	// In the sale's own currency it is as much of the sale as of its amount.
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
	// A refund of a sale that comes later waits for it.
	early := f.refund("a@mail.test", 100, "later")
	early.check(t, Booked, "anna")
	if waiting, err := f.book.UnmatchedRefunds(context.Background()); err != nil || len(waiting) != 1 || len(early.Lines) != 0 ||
		f.balance(1) != 0 {
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
	// One that names its sale has taken back at once: not once more when the sale comes.
	f.refund("merged@mail.test", 9900, "of-merged").check(t, Booked, "zoe")
	f.submit(Call{Kind: book.EventSale, Email: "merged@mail.test", EventID: "of-merged", Amount: 9900}).check(t, Booked, "zoe")
	if f.balance(5) != 0 {
		t.Errorf("taken back twice: %d", f.balance(5))
	}
}

// A refund that names no sale is of the newest one of its amount, else of the newest that
// has as much left, else of the newest ones together.
func TestSaleOfARefund(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("a@mail.test", "", "anna").check(t, Booked, "anna")
	for _, s := range []struct {
		id     string
		amount int64
		on     string
	}{{"jan", 400, "2023-01-05"}, {"feb", 2000, "2023-02-05"}, {"mar", 400, "2023-03-05"}, {"apr", 1000, "2023-04-05"},
		{"late", 400, "2023-01-01"}} {
		f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: s.id, Amount: s.amount,
			CreatedAt: day(s.on).Unix()}).check(t, Booked, "anna")
	}
	f.now = day("2023-05-01")
	back := func(amount int64, want, sale, note string) {
		t.Helper()
		r := f.refund("a@mail.test", amount, "")
		r.check(t, Booked, "anna")
		of, err := f.book.EventByID(t.Context(), r.Event.SaleEventID)
		if err != nil {
			t.Fatal(err)
		}
		if got, said := f.describeReversals(r), f.evidence(r).Taken; got != want || of.ExternalID != sale || (said != "") != (note != "") ||
			!strings.Contains(said, note) {
			t.Errorf("a refund of %d: %q of %s (%s), want %q of %s (%s)", amount, got, of.ExternalID, said, want, sale, note)
		}
	}
	back(400, "mar -100", "mar", "")            // the newest of its amount, though april has as much left
	back(400, "jan -100", "jan", "")            // the next; the one that came last has the oldest date
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
func TestRefundsOfABlockedPromoter(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("a@mail.test", "", "ben").check(t, Booked, "ben")
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "1", Amount: 1000}).check(t, Booked, "ben")
	f.recordSetting(2, book.SettingStatus, "blocked")
	r := f.refund("a@mail.test", 1000, "1")
	r.check(t, Booked, "ben")
	if f.balance(2) != 0 || r.Event.PromoterID != 2 || f.evidence(r).By != terms.ByOwner {
		t.Errorf("balance %d, %+v", f.balance(2), r.Event)
	}
	// So does the owner of whom a sale at Keap was carried over, blocked or inactive.
	f.refund("carried@mail.test", 1000, "").check(t, Booked, "ben")
	f.refund("of-old@mail.test", 1000, "at Keap").check(t, Booked, "old")
	strict := newFixture(t, func(o *Options) { o.CreditPolicy.InactiveEarn = false })
	strict.refund("of-old@mail.test", 1000, "").check(t, Booked, "old")
	if f.balance(2) != -250 || f.balance(3) != -250 || strict.balance(3) != -250 {
		t.Errorf("balances %d, %d and %d", f.balance(2), f.balance(3), strict.balance(3))
	}
	strict.sale("of-old@mail.test", 1000, "").check(t, NotReferred, "") // who earns nothing for all that
	strict.refund("house@mail.test", 1000, "").check(t, NotReferred, "")
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

// In the sale's own currency a refund is as much of the sale as of its amount, whatever rates
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
		if describeLines(r) != want || v.Rate != wantRate || (v.Taken != "") != (note != "") || !strings.Contains(v.Taken, note) {
			t.Errorf("%s: %s (rate %q, %s), want %s (rate %q, %s)", id, describeLines(r), v.Rate, v.Taken, want, wantRate, note)
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
	if r := f.submit(Call{Kind: book.EventRefund, Email: "a@mail.test", EventID: "r6", Amount: 100, Currency: "CHF"}); r.Outcome != Invalid ||
		r.Field != "currency" {
		t.Errorf("a currency without a rate: %+v", r)
	}
	rate("EUR", "99999")
	if r := f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "s2", Amount: MaxAmount,
		Currency: "EUR"}); r.Outcome != Invalid || r.Field != "amount" {
		t.Errorf("more than is believed: %+v", r)
	}
}
