package track

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carryover/mapping/book"
)

// storyCalls draws what a billing system tells of two customers, in the order in which it happened:
// one that signs up, and one whose first sale brings a promoter.
func storyCalls(t *rapid.T) (calls []Call) {
	at := day("2023-01-03")
	add := func(c Call) {
		at = at.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "hours")) * time.Hour)
		c.CreatedAt = at.Unix()
		calls = append(calls, c)
	}
	names := func(customer int, c Call) Call {
		email, uid := fmt.Sprintf("c%d@mail.test", customer), fmt.Sprintf("u%d", customer)
		switch rapid.IntRange(0, 2).Draw(t, "names") {
		case 0:
			c.Email = email
		case 1:
			c.UID = uid
		default:
			c.Email, c.UID = email, uid
		}
		return c
	}
	for customer := range 2 {
		email, uid := fmt.Sprintf("c%d@mail.test", customer), fmt.Sprintf("u%d", customer)
		if customer == 0 {
			add(Call{Kind: book.EventSignup, Email: email, UID: uid, RefID: "anna"})
		} else {
			add(Call{Kind: book.EventSale, Email: email, UID: uid, RefID: "ben", EventID: "first", Amount: 5000})
		}
		var sold []Call
		for n := range rapid.IntRange(1, 3).Draw(t, "sales") {
			sale := names(customer, Call{Kind: book.EventSale, EventID: fmt.Sprintf("s%d-%d", customer, n),
				Amount: int64(1000*(n+1) + rapid.IntRange(0, 900).Draw(t, "cents"))})
			add(sale)
			sold = append(sold, sale)
		}
		for n, sale := range sold {
			back := names(customer, Call{Kind: book.EventRefund, EventID: fmt.Sprintf("r%d-%d", customer, n), Amount: sale.Amount})
			switch rapid.IntRange(0, 2).Draw(t, "refund") {
			case 0:
				continue
			case 1:
				back.SaleEventID = sale.EventID
				back.Amount = rapid.Int64Range(1, sale.Amount+500).Draw(t, "back")
			}
			add(back)
		}
		if rapid.Bool().Draw(t, "cancels") {
			add(names(customer, Call{Kind: book.EventCancellation, EventID: fmt.Sprintf("x%d", customer)}))
		}
	}
	return calls
}

// describeLedger writes what the events of calls have earned and taken back, line by line.
func (f *fixture) describeLedger(calls []Call) string {
	f.Helper()
	var list []string
	for _, c := range calls {
		e, ok := f.event(c.Kind, c.EventID)
		if !ok || c.EventID == "" {
			continue
		}
		lines, err := f.book.LinesOf(f.Context(), []int64{e.ID})
		if err != nil {
			f.Fatal(err)
		}
		list = append(list, fmt.Sprintf("%s %s of %d at %d", c.Kind, c.EventID, e.PromoterID, e.At))
		sort := func(x, y book.EventLine) int { return cmp.Compare(x.Amount, y.Amount) }
		for _, l := range slices.SortedFunc(maps.Values(netLines(lines)), sort) {
			list = append(list, fmt.Sprintf("%s %s: %d has %d of %d in %d", c.Kind, c.EventID, l.PromoterID, l.Amount, l.SaleAmount, l.Month))
		}
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// In whatever order the sign-ups, sales, refunds and cancellations of customers are told, and
// however often, the ledger is that of the order in which they happened.
func TestAnyOrderGivesTheSameLedger(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		calls := storyCalls(rt)
		told := rapid.Permutation(calls).Draw(rt, "order")
		again := rapid.SliceOfN(rapid.SampledFrom(calls), 0, 4).Draw(rt, "again")
		var ledgers []string
		for _, order := range [][]Call{calls, slices.Concat(told, again)} {
			n++
			f := openFixture(t, filepath.Join(dir, fmt.Sprint(n, ".db")), nil)
			f.now = day("2023-01-30")
			for i, c := range order {
				if i == len(calls) { // the gateway is started again
					f.reopen()
				}
				f.submit(c)
			}
			if open := f.refusedList(); open != "" {
				rt.Errorf("still refused: %s", open)
			}
			ledgers = append(ledgers, f.describeLedger(calls))
			f.close()
		}
		if ledgers[0] != ledgers[1] {
			rt.Fatalf("told in order:\n%s\ntold in another:\n%s", ledgers[0], ledgers[1])
		}
	})
}

// A refund that names no sale is of the newest one that was before it, also when that is told later:
// what it took back of another is given back, and its event says so. A commission that a person has
// denied meanwhile earns nothing for that.
func TestRefundsAreMatchedAgain(t *testing.T) {
	for _, denied := range []bool{false, true} {
		f := newFixture(t, nil)
		f.now = day("2023-02-20")
		f.signup("x@mail.test", "", "anna").check(t, Booked, "anna")
		sale := func(id, on string) Result {
			return f.submit(Call{Kind: book.EventSale, Email: "x@mail.test", EventID: id, Amount: 10000, CreatedAt: day(on).Unix()})
		}
		first := sale("s1", "2023-02-01")
		f.submit(Call{Kind: book.EventRefund, Email: "x@mail.test", EventID: "r", Amount: 10000, CreatedAt: day("2023-02-10").Unix()}).
			check(t, Booked, "anna")
		want := int64(2500)
		if denied {
			d := book.ReviewDecision{LineID: first.Lines[0].ID, Decision: book.ReviewDeny, DecidedAt: f.now.Unix(), DecidedBy: "test"}
			if _, err := f.book.Decide(t.Context(), []book.ReviewDecision{d}); err != nil {
				t.Fatal(err)
			}
			want = 0
		}
		second := sale("s2", "2023-02-05")
		e, _ := f.event(book.EventRefund, "r")
		if e.SaleEventID != second.Event.ID || !strings.Contains(e.Evidence, "matched again, as what was before it was told after it") ||
			f.balance(1) != want {
			t.Errorf("denied %t: of sale %d, %d; %s", denied, e.SaleEventID, f.balance(1), e.Evidence)
		}
		sales, refunded, err := f.book.CountSalesAndRefunds(t.Context(), 1, day("2023-01-01"))
		if err != nil || sales != 2 || refunded != 1 {
			t.Errorf("denied %t: %d of %d sales were refunded, %v", denied, refunded, sales, err)
		}
		tracked, err := f.book.TrackedBetween(t.Context(), 0, f.now.Unix())
		left := int64(0)
		for _, l := range tracked {
			left += l.Amount
		}
		if err != nil || len(tracked) != map[bool]int{false: 3, true: 4}[denied] || left != want {
			t.Errorf("denied %t: %d lines of %d, %v", denied, len(tracked), left, err)
		}
	}
}
