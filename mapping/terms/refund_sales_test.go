package terms

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A refund is in the currency of its sale: of 100 dollars and 50 euros, 100 are dollars.
func TestRefundInTheCurrencyOfItsSale(t *testing.T) {
	f := func(name, sales string, amount int64, currency, want string, unmatched int64) {
		t.Helper()
		b := refundLedger{rates: map[string]ExchangeRate{"EUR": 108250000, "GBP": 125000000}}
		for sale := range strings.FieldsSeq(sales) { // the oldest first
			var of string
			var total int64
			if _, err := fmt.Sscanf(sale, "%3s%d", &of, &total); err != nil {
				t.Fatal(err)
			}
			b.sell(sale, of, [2]int64{total, 25})
		}
		if currency == "CHF" {
			b.rates = nil
		}
		a := b.refund(t, amount, currency, "")
		if got := b.describe(a); got != want || a.Unmatched != unmatched {
			t.Errorf("%s: %q, %d unmatched; want %q, %d", name, got, a.Unmatched, want, unmatched)
		}
	}
	const dollars, euros = "USD10000", "EUR5000"
	f("as much as the older one", dollars+" "+euros, 10000, "", "USD10000 -2500 of -10000", 0)
	f("as much as the newer one", dollars+" "+euros, 5000, "", "EUR5000 -1353 of -5412", 0)
	f("a part of the older one", dollars+" "+euros, 6000, "", "USD10000 -1500 of -6000", 0)
	f("a part of either", dollars+" "+euros, 1000, "", "EUR5000 -270 of -1082", 0)
	f("said to be dollars", dollars+" "+euros, 5000, "USD", "USD10000 -1250 of -5000", 0)
	f("said to be euros, and only dollars are as much", dollars+" "+euros, 8000, "EUR", "USD10000 -2165 of -8660", 0)
	f("the newest of that amount, in whatever currency", "EUR5000 USD5000 GBP100", 5000, "", "USD5000 -1250 of -5000", 0)
	f("two of one currency together", "USD5000 USD4000 EUR1000", 9000, "", "USD4000 -1000 of -4000, USD5000 -1250 of -5000", 0)
	f("two of one currency in part", "EUR5000 EUR5000 USD100", 7000, "", "EUR5000 -1353 of -5412, EUR5000 -541 of -2165", 0)
	f("said to be pounds, of which there are none", "USD5000 EUR1000", 800, "GBP", "EUR1000 -250 of -1000", 0)
	f("more than everything", "USD5000 EUR1000", 900000, "", "EUR1000 -270 of -1082, USD5000 -1250 of -5000", 968168)
	f("more than everything, in dollars", "USD5000 EUR1000", 900000, "USD", "USD5000 -1250 of -5000, EUR1000 -270 of -1082", 893918)
}

// A sale that is dated after the refund is not the one, as long as there is another.
func TestRefundsOfSalesBeforeThem(t *testing.T) {
	sale := func(id, at, amount int64) Sale {
		return Sale{ID: id, At: at, Amount: amount, Currency: "USD",
			Lines: []SaleLine{{ID: id * 10, Amount: amount, Percent: 25 * percentUnit, Earned: amount / 4}}}
	}
	sales := []Sale{sale(3, 30000, 400), sale(2, 20000, 400), sale(1, 10000, 900)}
	f := func(at, amount int64, want string) {
		t.Helper()
		a, err := AllocateRefund(Refund{Amount: amount, At: at}, "USD", nil, readable(sales))
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(a.SaleID)
		for _, l := range a.Lines {
			got += fmt.Sprint(" ", l.LineID, ":", l.SaleAmount)
		}
		if got != want {
			t.Errorf("a refund of %d at %d: %s, want %s", amount, at, got, want)
		}
	}
	f(0, 400, "3 30:400") // nobody knows when it was
	f(40000, 400, "3 30:400")
	f(25000, 400, "2 20:400")
	f(15000, 400, "1 10:400")                  // a part of the one that there was
	f(30000-ClockSkew, 400, "3 30:400")        // clocks differ
	f(5000, 400, "3 30:400")                   // before all of them: it must be one of them
	f(25000, 1300, "2 20:400 10:900")          // all that was sold by then
	f(15000, 1000, "1 10:900 30:100")          // more than was sold by then
	f(40000, 1700, "3 30:400 20:400 10:900")   // all of it
	f(40000, 999999, "3 30:400 20:400 10:900") // and more
}

// modelRefunds is a customer's sales as a child would keep them: what is left of each, in the
// currency that was told.
type modelRefunds struct {
	currency []string // the newest first
	left     []int64
}

// refund takes a refund from the sales that it is of, and gives their indexes and what is too
// much.
func (m *modelRefunds) refund(amount int64) (of []int, over bool) {
	for i, left := range m.left {
		if left == amount {
			m.left[i] = 0
			return []int{i}, false
		}
	}
	for i, left := range m.left {
		if left > amount {
			m.left[i] -= amount
			return []int{i}, false
		}
	}
	for i := range m.left {
		sum := int64(0)
		for j := range m.left {
			if m.currency[j] == m.currency[i] {
				sum += m.left[j]
			}
		}
		if m.left[i] == 0 || sum < amount {
			continue
		}
		for j := range m.left {
			if part := min(m.left[j], amount); m.currency[j] == m.currency[i] && part > 0 {
				m.left[j] -= part
				amount -= part
				of = append(of, j)
			}
		}
		return of, false
	}
	return nil, true
}

// Refunds that name neither a sale nor a currency are of the sales that the model says, in
// whatever currencies they are, and what is left of each is the same share of what it earned.
func TestRefundsWithoutNamesLikeTheirModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := refundLedger{rates: map[string]ExchangeRate{"EUR": 108250000, "GBP": 125000000}}
		var m modelRefunds
		for i := range rapid.IntRange(1, 6).Draw(t, "sales") {
			currency := rapid.SampledFrom([]string{"USD", "EUR", "GBP"}).Draw(t, "currency")
			amount := rapid.Int64Range(1, 8).Draw(t, "amount") * 1000
			b.sell(fmt.Sprint("s", i), currency, [2]int64{amount, 25})
			m.currency, m.left = slices.Insert(m.currency, 0, currency), slices.Insert(m.left, 0, amount)
		}
		for range rapid.IntRange(1, 8).Draw(t, "refunds") {
			amount := rapid.Int64Range(1, 12).Draw(t, "refund") * 500
			before := slices.Clone(m.left)
			of, over := m.refund(amount)
			if over {
				continue // what becomes of it then, others say
			}
			a := b.refund(t, amount, "", "")
			var got []int
			for _, l := range a.Lines {
				got = append(got, slices.IndexFunc(b.sales, func(s Sale) bool { return s.ID == l.LineID/10 }))
			}
			if !slices.Equal(got, of) || a.Unmatched != 0 {
				t.Fatalf("a refund of %d of %v %v: of %v, want %v (%+v)", amount, before, m.currency, got, of, a)
			}
			if a.Currency != m.currency[of[0]] {
				t.Fatalf("a refund of %s is read as %q", m.currency[of[0]], a.Currency)
			}
			for i, s := range b.sales {
				worth := b.convert(m.left[i], s.Currency)
				if left := s.remaining(); max(left-worth, worth-left) > 2 || (left == 0) != (m.left[i] == 0) {
					t.Fatalf("%d are left of %s, want %d (%+v)", left, b.names[i], worth, s)
				}
			}
		}
	})
}
