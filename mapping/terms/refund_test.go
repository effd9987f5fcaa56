package terms

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// refundLedger is a customer's sales, the newest first, and what was taken back of them.
type refundLedger struct {
	rates map[string]ExchangeRate
	names []string
	sales []Sale
}

// sell adds the newest sale: each product as its amount and its percentage, amounts in cents
// of a currency with as many decimals as dollars.
func (b *refundLedger) sell(name, currency string, products ...[2]int64) {
	s := Sale{ID: int64(len(b.sales)) + 1, Currency: currency}
	for i, p := range products {
		amount, percent := b.convert(p[0], currency), Percent(p[1])*percentUnit
		s.Amount += p[0]
		s.Lines = append(s.Lines, SaleLine{ID: s.ID*10 + int64(i), Amount: amount, Percent: percent, Earned: Share(amount, percent)})
	}
	b.names, b.sales = slices.Insert(b.names, 0, name), slices.Insert(b.sales, 0, s)
}

// rate is the [Convert] of the rates.
func (b *refundLedger) rate(amount int64, currency string) (int64, bool) {
	r, ok := b.rates[currency]
	if !ok {
		return 0, false
	}
	return r.Convert(amount, currency, "USD")
}

func (b *refundLedger) convert(amount int64, currency string) int64 {
	if currency != "USD" {
		amount, _ = b.rates[currency].Convert(amount, currency, "USD")
	}
	return amount
}

// refund books a refund of the sale of that name, or of any, and gives what AllocateRefund
// says.
func (b *refundLedger) refund(t rapid.TB, amount int64, currency, name string) RefundAllocation {
	t.Helper()
	list := b.sales
	if name != "" {
		i := slices.Index(b.names, name)
		list = b.sales[i : i+1]
	}
	a, err := AllocateRefund(Refund{Amount: amount, Currency: currency}, "USD", b.rate, readable(list))
	if err != nil {
		t.Fatal(err)
	}
	for i := range b.sales {
		s := &b.sales[i]
		if a.Parts == nil && s.ID == a.SaleID && s.Currency == a.Currency {
			s.Refunded += amount
		}
		for _, part := range a.Parts {
			if part.SaleID == s.ID {
				s.Refunded += part.Amount
			}
		}
		for j := range s.Lines {
			for _, v := range a.Lines {
				if l := &s.Lines[j]; v.LineID == l.ID {
					l.Refunded += v.SaleAmount
					l.Reversed += v.Amount
				}
			}
		}
	}
	return a
}

// readable gives sales as AllocateRefund reads them.
func readable(sales []Sale) iter.Seq2[Sale, error] {
	return func(yield func(Sale, error) bool) {
		for _, s := range sales {
			if !yield(s, nil) {
				return
			}
		}
	}
}

// describe names the sales that a refund takes from: "jan -2500 of -10000, feb -10 of -40".
func (b *refundLedger) describe(a RefundAllocation) string {
	var parts []string
	for _, v := range a.Lines {
		for i, s := range b.sales {
			if s.ID == v.LineID/10 {
				parts = append(parts, fmt.Sprintf("%s %d of %d", b.names[i], -v.Amount, -v.SaleAmount))
			}
		}
	}
	return strings.Join(parts, ", ")
}

func (b *refundLedger) name(id int64) string {
	return b.names[slices.IndexFunc(b.sales, func(s Sale) bool { return s.ID == id })]
}

// balance is what is left of what the sales earned.
func (b *refundLedger) balance() (sum int64) {
	for _, s := range b.sales {
		for _, l := range s.Lines {
			sum += l.Earned - l.Reversed
		}
	}
	return sum
}

// check books a refund and compares what it takes, of which sale it is, and what is not
// matched.
func (b *refundLedger) check(t *testing.T, amount int64, currency, name, want, of string, unmatched int64) {
	t.Helper()
	a := b.refund(t, amount, currency, name)
	if got := b.describe(a); got != want || b.name(a.SaleID) != of || a.Unmatched != unmatched {
		t.Errorf("a refund of %d %s of %q: %q of %s, %d unmatched; want %q of %s, %d unmatched",
			amount, currency, name, got, b.name(a.SaleID), a.Unmatched, want, of, unmatched)
	}
}

// A refund that names no sale is of the newest one of its amount, else of the newest that
// has as much left, else of the newest ones together.
func TestSaleOfARefund(t *testing.T) {
	var b refundLedger
	for _, s := range []struct {
		name   string
		amount int64
	}{{"late", 400}, {"jan", 400}, {"feb", 2000}, {"mar", 400}, {"apr", 1000}} {
		b.sell(s.name, "USD", [2]int64{s.amount, 25})
	}
	f := func(amount int64, want, of string, unmatched int64) {
		t.Helper()
		b.check(t, amount, "USD", "", want, of, unmatched)
	}
	f(400, "mar -100 of -400", "mar", 0) // the newest of its amount, though april has as much left
	f(400, "jan -100 of -400", "jan", 0) // the next of that amount
	f(600, "apr -150 of -600", "apr", 0) // the newest with as much left
	f(400, "apr -100 of -400", "apr", 0) // what is left of april is just that
	f(500, "feb -125 of -500", "feb", 0)
	f(1600, "feb -375 of -1500, late -25 of -100", "feb", 0) // the newest first
	f(350, "late -75 of -300", "late", 50)
	f(1, "", "apr", 1)
	if b.balance() != 0 {
		t.Errorf("%d are left", b.balance())
	}
}

// In parts, and never more than was earned; of two products by what is left of each.
func TestRefundOfANamedSale(t *testing.T) {
	var b refundLedger
	b.sell("jan", "USD", [2]int64{9995, 25})
	b.sell("feb", "USD", [2]int64{9995, 25})
	b.sell("two", "USD", [2]int64{10000, 25}, [2]int64{10000, 50})
	b.sell("odd", "USD", [2]int64{1, 50}, [2]int64{1, 50}, [2]int64{1, 50})
	f := func(amount int64, sale, want string, unmatched int64) {
		t.Helper()
		b.check(t, amount, "USD", sale, want, sale, unmatched)
	}
	f(9995, "feb", "feb -2499 of -9995", 0)
	f(1, "jan", "jan 0 of -1", 0)
	f(4999, "jan", "jan -1250 of -4999", 0)
	f(4995, "jan", "jan -1249 of -4995", 0)
	f(500, "jan", "", 500)
	f(10000, "two", "two -1250 of -5000, two -2500 of -5000", 0)
	f(15000, "two", "two -1250 of -5000, two -2500 of -5000", 5000)
	f(2, "odd", "odd 0 of -1, odd 0 of -1", 0) // what does not go evenly: the first lines
	f(1, "odd", "odd 0 of -1", 0)
	if b.balance() != 0 {
		t.Errorf("%d are left", b.balance())
	}
}

// In the sale's own currency a refund is as much of the sale as was told, whatever rates
// have become; in another one it is what it is worth now.
func TestRefundInAnotherCurrency(t *testing.T) {
	rate := func(text string) ExchangeRate {
		t.Helper()
		r, err := ParseExchangeRate(text)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	b := refundLedger{rates: map[string]ExchangeRate{"EUR": rate("1.0825"), "GBP": rate("1.25")}}
	f := func(amount int64, currency, sale, want, of string, unmatched int64) {
		t.Helper()
		b.check(t, amount, currency, sale, want, of, unmatched)
	}
	b.sell("s1", "EUR", [2]int64{10000, 25})
	b.rates["EUR"] = rate("2")
	f(5000, "EUR", "s1", "s1 -1353 of -5412", "s1", 0) // half of it
	f(1000, "GBP", "s1", "s1 -313 of -1250", "s1", 0)  // as today
	f(1000, "USD", "s1", "s1 -250 of -1000", "s1", 0)
	f(5000, "EUR", "s1", "s1 -790 of -3163", "s1", 0) // the rest, now that all of it was refunded
	f(5000, "EUR", "s1", "", "s1", 10000)
	if b.balance() != 0 {
		t.Errorf("%d are left", b.balance())
	}
	b.rates["EUR"] = rate("1.0825")
	b.sell("third", "EUR", [2]int64{3333, 25})
	for _, want := range []string{"third -301 of -1203", "third -300 of -1202", "third -301 of -1203"} { // 902 of 3608
		f(1111, "EUR", "third", want, "third", 0)
	}
	b.sell("s3", "EUR", [2]int64{1000, 25})
	f(100, "USD", "s3", "s3 -25 of -100", "s3", 0)
	f(100, "EUR", "s3", "s3 -27 of -108", "s3", 0) // beside the dollars, not instead of them
	f(100, "EUR", "s3", "s3 -27 of -108", "s3", 0)
	// A newer sale that is smaller is not the one, in whatever currency.
	b.sell("s4", "EUR", [2]int64{1000, 25})
	b.sell("s5", "EUR", [2]int64{100, 25})
	f(500, "EUR", "", "s4 -135 of -541", "s4", 0)
	f(500, "EUR", "s5", "s5 -27 of -108", "s5", 433)

	delete(b.rates, "EUR") // in the sale's own currency it needs no rate
	f(500, "EUR", "s4", "s4 -135 of -541", "s4", 0)
	f(1, "EUR", "s4", "", "s4", 1)
}

// What a person denied is not taken back again: the sale is refunded, and nothing is left
// of what it earned.
func TestRefundOfWhatWasDenied(t *testing.T) {
	var b refundLedger
	b.sell("jan", "USD", [2]int64{10000, 25})
	b.check(t, 4000, "USD", "jan", "jan -1000 of -4000", "jan", 0)
	b.sales[0].Lines[0].Reversed = 2500
	b.check(t, 6000, "USD", "jan", "jan 0 of -6000", "jan", 0)
	b.sales[0].Lines[0].Reversed = 2501
	b.sales[0].Lines[0].Refunded = 0
	if _, err := AllocateRefund(Refund{Amount: 100, Currency: "USD"}, "USD", b.rate, readable(b.sales)); err == nil || !strings.Contains(err.Error(), "BUG") {
		t.Errorf("more was taken back than was earned: %v", err)
	}
}

// Sales are read no further than to the one of just that amount; what goes wrong with
// reading them is told.
func TestSalesAreReadAsNeeded(t *testing.T) {
	var b refundLedger
	b.sell("jan", "USD", [2]int64{400, 25})
	b.sell("feb", "USD", [2]int64{500, 25})
	away := errors.New("the disk is away")
	failing := func(yield func(Sale, error) bool) {
		_ = yield(b.sales[0], nil) && yield(b.sales[1], nil) && yield(Sale{}, away)
	}
	a, err := AllocateRefund(Refund{Amount: 400, Currency: "USD"}, "USD", b.rate, failing)
	if err != nil || b.describe(a) != "jan -100 of -400" {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := AllocateRefund(Refund{Amount: 300, Currency: "USD"}, "USD", b.rate, failing); !errors.Is(err, away) {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := AllocateRefund(Refund{Amount: 300, Currency: "USD"}, "USD", b.rate, readable(nil)); err != nil || a.Unmatched != 300 || a.SaleID != 0 {
		t.Errorf("of no sales: %+v, %v", a, err)
	}
}

// Where a refund takes back from, by what is known of it.
func TestRefundSource(t *testing.T) {
	names := map[RefundSource]string{RefundOfNothing: "nothing", RefundOfSales: "sales", RefundOfCarried: "carried",
		RefundOfPending: "pending"}
	owner, carried := Attribution{Promoter: 1, By: ByOwner}, Attribution{Promoter: 2, By: ByCarried}
	f := func(about string, facts RefundFacts, want string) {
		t.Helper()
		if got := names[facts.Source()]; got != want {
			t.Errorf("%s: %s, want %s", about, got, want)
		}
	}
	f("of a customer that nobody knows", RefundFacts{}, "nothing")
	f("of one that nobody knows, with a name", RefundFacts{SaleNamed: true, Attribution: owner}, "nothing")
	f("of a customer of nobody's", RefundFacts{SaleNamed: true, CustomerKnown: true}, "nothing")
	f("of a customer without sales", RefundFacts{CustomerKnown: true, Attribution: owner}, "nothing")
	f("of a sale that is told later", RefundFacts{SaleNamed: true, CustomerKnown: true, Attribution: owner}, "pending")
	f("of a sale that was credited to nobody", RefundFacts{SaleNamed: true, SaleUnattributed: true, CustomerKnown: true, Attribution: owner},
		"nothing")
	f("of such a sale of a customer of Keap's", RefundFacts{SaleNamed: true, SaleUnattributed: true, Attribution: carried}, "nothing")
	f("of a customer of Keap's", RefundFacts{Attribution: carried}, "carried")
	f("of a sale at Keap, by a name", RefundFacts{SaleNamed: true, CustomerKnown: true, Attribution: carried}, "carried")
	f("of a sale that is booked", RefundFacts{SalesBooked: true, CustomerKnown: true, Attribution: carried}, "sales")
	f("of a sale whose promoter is blocked now", RefundFacts{SaleNamed: true, SalesBooked: true, CustomerKnown: true}, "sales")
}

// Of a sale at Keap the share of the day's terms is taken back.
func TestReverseCarried(t *testing.T) {
	terms := DefaultConfig()
	own := []RateChange{{From: 100, Kind: Membership, Percent: 30 * percentUnit}}
	f := func(kind ProductKind, at int64, want string) {
		t.Helper()
		reversed, percent := terms.ReverseCarried(9900, kind, at, own)
		if got := fmt.Sprint(reversed, " ", percent); got != want {
			t.Errorf("%s at %d: %s, want %s", kind, at, got, want)
		}
	}
	f(Membership, 99, "2475 25%")
	f(Membership, 100, "2970 30%")
	f(Training, 100, "4950 50%")
	f(UnknownProduct, 100, "0 0%")
}

// However a sale is refunded, in whatever parts, what is taken back comes to what was
// earned, and never to more.
func TestRefundsInParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(1, 1_000_000).Draw(t, "amount")
		percent := Percent(rapid.Int32Range(0, int32(OneHundredPercent)).Draw(t, "percent"))
		l := SaleLine{Amount: amount, Percent: percent, Earned: Share(amount, percent)}
		refunded, taken := int64(0), int64(0)
		for refunded < amount {
			part := rapid.Int64Range(1, amount-refunded).Draw(t, "part")
			back := l.reversedAt(refunded+part) - l.reversedAt(refunded)
			if back < 0 || taken+back > l.Earned {
				t.Fatalf("a refund of %d takes %d after %d of %d", part, back, taken, l.Earned)
			}
			refunded, taken = refunded+part, taken+back
		}
		if taken != l.Earned {
			t.Fatalf("%d of %d were taken back", taken, l.Earned)
		}
	})
}

// drawLedger is some sales of one to three products, in dollars and euros.
func drawLedger(t *rapid.T) *refundLedger {
	rate := rapid.Custom(func(t *rapid.T) ExchangeRate {
		return ExchangeRate(rapid.Int64Range(1_000_000, 500_000_000).Draw(t, "rate"))
	})
	b := &refundLedger{rates: map[string]ExchangeRate{"EUR": rate.Draw(t, "EUR"), "GBP": rate.Draw(t, "GBP")}}
	for i := range rapid.IntRange(1, 5).Draw(t, "sales") {
		var products [][2]int64
		for range rapid.IntRange(1, 3).Draw(t, "products") {
			products = append(products, [2]int64{rapid.Int64Range(1, 100_000).Draw(t, "amount"), rapid.Int64Range(0, 100).Draw(t, "percent")})
		}
		b.sell(fmt.Sprint("s", i), rapid.SampledFrom([]string{"USD", "USD", "EUR"}).Draw(t, "currency"), products...)
	}
	return b
}

// Whatever is refunded of whatever sales, in whatever currencies and at whatever rates: no
// line gives back more than was sold or earned, one of which nothing is left has given back
// all that it earned, what is taken and what is not matched sum to the refund, and a sale
// that was not named is left alone.
func TestRefundsNeverTakeMoreThanWasEarned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawLedger(t)
		for range rapid.IntRange(1, 12).Draw(t, "refunds") {
			if rapid.Bool().Draw(t, "rates change") {
				b.rates["EUR"] = ExchangeRate(rapid.Int64Range(1_000_000, 500_000_000).Draw(t, "EUR"))
			}
			amount, currency := rapid.Int64Range(100, 150_000).Draw(t, "refund"),
				rapid.SampledFrom([]string{"USD", "EUR", "GBP"}).Draw(t, "currency")
			name := rapid.SampledFrom(append([]string{""}, b.names...)).Draw(t, "of")
			converted := b.convert(amount, currency)
			a := b.refund(t, amount, currency, name)
			if name != "" && b.name(a.SaleID) != name {
				t.Fatalf("a refund of %s is taken from %s", name, b.name(a.SaleID))
			}
			sum := int64(0)
			for _, v := range a.Lines {
				sum += v.SaleAmount
				if v.SaleAmount <= 0 || v.Amount < 0 || v.Amount > v.SaleAmount || name != "" && v.LineID/10 != a.SaleID {
					t.Fatalf("a refund of %d %s of %q: %+v", amount, currency, name, a)
				}
			}
			// Of a sale in its own currency it is as much as of the amount that was told.
			scaled := currency == "EUR" && slices.ContainsFunc(b.sales, func(s Sale) bool { return s.Currency == "EUR" })
			if !scaled && sum+a.Unmatched != converted {
				t.Fatalf("%d %s are %d: %+v", amount, currency, converted, a)
			}
			for _, s := range b.sales {
				for _, l := range s.Lines {
					if l.Refunded > l.Amount || l.Reversed > l.Earned || l.Refunded == l.Amount && l.Reversed != l.Earned {
						t.Fatalf("line %d: %+v after %+v", l.ID, l, a)
					}
				}
			}
			left := slices.ContainsFunc(b.sales, func(s Sale) bool { return (name == "" || s.ID == a.SaleID) && s.remaining() > 0 })
			if left && a.Unmatched > 0 {
				t.Fatalf("something is left, and %d are not matched: %+v", a.Unmatched, a)
			}
		}
	})
}

// In whatever order the refunds of a sale come, what they take back is the same; so it is
// with refunds of whole sales that do not say which.
func TestRefundsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type refund struct {
			amount int64
			name   string
		}
		var one, other refundLedger
		var refunds []refund
		sell := func(name string, amount, percent int64) {
			one.sell(name, "USD", [2]int64{amount, percent})
			other.sell(name, "USD", [2]int64{amount, percent})
		}
		for i, amount := range rapid.SliceOfNDistinct(rapid.Int64Range(100, 100_000), 1, 5, rapid.ID).Draw(t, "whole sales") {
			sell(fmt.Sprint("whole", i), amount, rapid.Int64Range(0, 100).Draw(t, "percent"))
			refunds = append(refunds, refund{amount, ""})
		}
		sell("parts", 99, rapid.Int64Range(0, 100).Draw(t, "percent")) // less than any of the others
		for _, amount := range rapid.SliceOfN(rapid.Int64Range(1, 40), 0, 6).Draw(t, "parts") {
			refunds = append(refunds, refund{amount, "parts"})
		}
		for _, r := range refunds {
			one.refund(t, r.amount, "USD", r.name)
		}
		for _, r := range rapid.Permutation(refunds).Draw(t, "order") {
			other.refund(t, r.amount, "USD", r.name)
		}
		for i := range one.sales {
			if a, b := one.sales[i].Lines[0], other.sales[i].Lines[0]; a != b {
				t.Fatalf("%s: %+v, and in another order %+v", one.names[i], a, b)
			}
		}
	})
}
