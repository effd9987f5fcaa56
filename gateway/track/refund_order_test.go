package track

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carryover/mapping/book"
)

// saleStory draws sales and refunds of one customer, in the order in which they happened: in two
// currencies, of memberships and of trainings in instalments, refunded by name and without, in
// full and in parts.
func saleStory(t *rapid.T, email string) (calls []Call) {
	at := day("2023-01-03")
	amounts := rapid.SampledFrom([]int64{3000, 5000, 10000, 3333})
	var sold []Call
	for n := range rapid.IntRange(2, 7).Draw(t, "events") {
		at = at.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "hours")) * time.Hour)
		c := Call{Kind: book.EventSale, Email: email, EventID: fmt.Sprint("e", n), CreatedAt: at.Unix(),
			Amount: amounts.Draw(t, "amount"), Plan: rapid.SampledFrom([]string{"pro", "Evergreen Webinar"}).Draw(t, "plan"),
			Currency: rapid.SampledFrom([]string{"", "EUR"}).Draw(t, "currency")}
		if len(sold) > 0 && rapid.Bool().Draw(t, "refund") {
			of := rapid.SampledFrom(sold).Draw(t, "of")
			c.Kind, c.Plan = book.EventRefund, ""
			switch rapid.IntRange(0, 3).Draw(t, "how") {
			case 0: // of that sale, by its name, in part or in full, in its currency or in none
				c.SaleEventID, c.Currency = of.EventID, rapid.SampledFrom([]string{"", of.Currency}).Draw(t, "told in")
			case 1, 2: // as much as that sale, whichever it is of
				c.Amount, c.Currency = of.Amount, rapid.SampledFrom([]string{"", of.Currency}).Draw(t, "told in")
			}
		} else {
			sold = append(sold, c)
		}
		calls = append(calls, c)
	}
	return calls
}

// describeSales writes what each sale has earned in the end, beside the balances of promoters.
func (f *fixture) describeSales(calls []Call) string {
	f.Helper()
	left, names := map[int64]int64{}, map[int64]string{}
	var refunds []book.EventLine
	for _, c := range calls {
		e, ok := f.event(c.Kind, c.EventID)
		if !ok {
			continue
		}
		lines, err := f.book.LinesOf(f.Context(), []int64{e.ID})
		if err != nil {
			f.Fatal(err)
		}
		for _, l := range lines {
			if l.Kind == book.KindCommission {
				left[l.ID], names[l.ID] = l.Amount, c.EventID
			} else {
				refunds = append(refunds, l)
			}
		}
	}
	for _, l := range refunds {
		if names[l.ReversesLineID] != "" {
			left[l.ReversesLineID] += l.Amount
		}
	}
	var list []string
	for id, amount := range left {
		list = append(list, fmt.Sprintf("%s: %d", names[id], amount))
	}
	slices.Sort(list)
	for promoter := range int64(7) {
		list = append(list, fmt.Sprintf("promoter %d: %d", promoter, f.balance(promoter)))
	}
	return strings.Join(list, "\n")
}

// In whatever order sales and refunds are told, and however often, what each sale has earned is
// that of the order in which they happened: also in two currencies, where refunds name no sale, of
// customers carried over from Keap, and of promoters who are inactive or blocked. But what was
// refunded beyond what was sold by then is of a sale that is dated later, where that was told first.
func TestRefundsInAnyOrder(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		email := rapid.SampledFrom([]string{"a@mail.test", "carried@mail.test", "merged@mail.test", "of-old@mail.test"}).Draw(rt, "customer")
		calls := saleStory(rt, email)
		told := rapid.Permutation(calls).Draw(rt, "order")
		again := rapid.SliceOfN(rapid.SampledFrom(calls), 0, 3).Draw(rt, "again")
		restart := rapid.IntRange(0, len(told)).Draw(rt, "restart")
		var ends []string
		for _, order := range [][]Call{calls, slices.Concat(told, again)} {
			n++
			f := openFixture(t, filepath.Join(dir, fmt.Sprint(n, ".db")), euros)
			f.now = day("2023-01-30")
			if email == "a@mail.test" {
				f.submit(Call{Kind: book.EventSignup, Email: email, RefID: "anna", CreatedAt: day("2023-01-01").Unix()})
			}
			for i, c := range order {
				if i == restart {
					f.reopen()
				}
				f.submit(c)
			}
			for _, c := range calls {
				e, _ := f.event(c.Kind, c.EventID)
				if len(ends) == 0 && strings.Contains(e.Evidence, "more was refunded than was left") {
					f.close()
					return
				}
			}
			ends = append(ends, f.describeSales(calls))
			f.close()
		}
		if ends[0] != ends[1] {
			rt.Fatalf("told in order:\n%s\ntold in another:\n%s", ends[0], ends[1])
		}
	})
}
