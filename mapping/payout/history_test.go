package payout

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// historyPromoters are the ids of promoters: the last one joined here.
var historyPromoters = []int64{1, 2, 3, -1}

// emptyBook is the file of a book with the promoters and nothing else.
func emptyBook(t *testing.T, path string) []byte {
	t.Helper()
	b, err := book.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var c book.Changes
	for _, id := range historyPromoters {
		token := fmt.Sprintf("promoter%d", id)
		c.Promoters = append(c.Promoters, book.Promoter{ID: id, Token: token, KeapID: id, Email: token + "@mail.test", Name: token, Status: book.StatusActive})
		c.Aliases = append(c.Aliases, book.Alias{Kind: book.AliasKeapID, Value: fmt.Sprint(id), PromoterID: id, Code: token, Active: true})
	}
	_, err = b.Apply(t.Context(), book.Import{PlanID: "p", AppliedAt: time.Unix(1, 0), Inputs: []byte("{}"), Tables: []byte("{}")}, 0, &c, nil, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Over any history of sales, refunds, reviews, approvals and records: every plan balances,
// and what was paid is never more than what was earned and, when it was approved, due.
func TestPayoutHistories(t *testing.T) {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	empty := emptyBook(t, filepath.Join(dir, "empty.db"))
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprintf("history-%d.db", n))
		if err := os.WriteFile(path, empty, 0o600); err != nil {
			rt.Fatal(err)
		}
		defer os.Remove(path)
		b, err := book.Open(path)
		if err != nil {
			rt.Fatal(err)
		}
		defer b.Close()
		h := payoutHistory{T: rt, s: &Service{Book: b, Program: "carrot", Currency: "USD", Zone: zone, Terms: terms.DefaultConfig()}, b: b, now: time.Date(2023, 1, 5, 12, 0, 0, 0, zone)}
		for _, id := range historyPromoters {
			h.must(b.RecordSettings(t.Context(), []book.Setting{{PromoterID: id, Field: book.SettingW9, Value: book.SettingYes}, {PromoterID: id, Field: book.SettingPayoutMethod, Value: book.MethodCheck}}))
		}
		rt.Repeat(map[string]func(*rapid.T){
			"": h.balances, "sale": h.sale, "refund": h.refund, "correct": h.correct, "flag": h.flag, "days": h.days, "approve": h.approve, "record": h.record, "years": h.years,
		})
	})
}

// payoutHistory is what happened in a program, and what the test knows of it.
type payoutHistory struct {
	*rapid.T
	s     *Service
	b     *book.Book
	now   time.Time
	sales []book.EventLine
	left  map[int64]int64 // of each sale's commission

	corrections []book.Correction

	lines []book.PayoutLine
	paid  map[int64]string // what became of each line
}

func (h *payoutHistory) must(err error) {
	if err != nil {
		h.Fatal(err)
	}
}

func (h *payoutHistory) month() terms.Month { return terms.MonthOf(h.now, h.s.Zone) }

func (h *payoutHistory) days(t *rapid.T) {
	h.now = h.now.AddDate(0, 0, rapid.IntRange(1, 40).Draw(t, "days"))
}

func (h *payoutHistory) track(kind string, line book.EventLine) book.EventLine {
	lines := []book.EventLine{line}
	h.must(h.b.Track(func(tr *book.Tracking) error {
		return tr.AddEvent(&book.Event{Kind: kind, CustomerID: 1, At: line.At, ReceivedAt: line.At, Currency: "USD"}, lines)
	}))
	return lines[0]
}

func (h *payoutHistory) sale(t *rapid.T) {
	id := rapid.SampledFrom([]int64{1, 2, 3, -1}).Draw(t, "promoter")
	l := h.track(book.EventSale, book.EventLine{Kind: book.KindCommission, PromoterID: id, CustomerID: 1, At: h.now.Unix(), Month: int32(h.month()), Amount: rapid.Int64Range(1, 6000).Draw(t, "amount"), Currency: "USD"})
	h.sales = append(h.sales, l)
	if h.left == nil {
		h.left = map[int64]int64{}
	}
	h.left[l.ID] = l.Amount
}

// pick is one of the sales; ok is false while there are none.
func (h *payoutHistory) pick(t *rapid.T) (l book.EventLine, ok bool) {
	if len(h.sales) == 0 {
		return l, false
	}
	return rapid.SampledFrom(h.sales).Draw(t, "sale"), true
}

func (h *payoutHistory) refund(t *rapid.T) {
	l, ok := h.pick(t)
	if !ok || h.left[l.ID] == 0 {
		return
	}
	amount := rapid.Int64Range(1, h.left[l.ID]).Draw(t, "amount")
	h.left[l.ID] -= amount
	l.Kind, l.At, l.Amount, l.ReversesLineID = rapid.SampledFrom([]string{book.KindRefund, book.KindDenied}).Draw(t, "kind"), h.now.Unix(), -amount, l.ID
	h.track(book.EventRefund, l)
}

func (h *payoutHistory) correct(t *rapid.T) {
	c := book.Correction{
		PromoterID: rapid.SampledFrom([]int64{1, 2, 3, -1}).Draw(t, "promoter"), Month: int32(h.month().Add(-rapid.IntRange(0, 4).Draw(t, "months ago"))),
		Amount: rapid.Int64Range(-4000, 4000).Filter(func(n int64) bool { return n != 0 }).Draw(t, "amount"), Currency: "USD",
		Note: fmt.Sprint("correction ", len(h.corrections)), RecordedAt: h.now.Unix(), RecordedBy: "kim",
	}
	h.must(h.b.Correct(context.Background(), &c))
	h.corrections = append(h.corrections, c)
}

func (h *payoutHistory) flag(t *rapid.T) {
	l, ok := h.pick(t)
	if !ok {
		return
	}
	h.must(h.b.Track(func(tr *book.Tracking) error { return tr.AddReview(l.ID, "velocity", "", h.now.Unix()) }))
}

func (h *payoutHistory) approve(t *rapid.T) {
	plan, err := h.s.Plan(context.Background(), h.month())
	h.must(err)
	lines, err := plan.lines()
	if len(plan.Payable) == 0 {
		return
	}
	h.must(err)
	run := book.PayoutBatch{Month: int32(h.month()), EarnedThrough: int32(h.s.Terms.LastEarningMonth(h.month())), Currency: "USD", ApprovedAt: h.now.Unix(), ApprovedBy: "kim"}
	h.must(h.b.ApprovePayouts(context.Background(), &run, lines, plan.state))
	h.lines = append(h.lines, lines...)
}

func (h *payoutHistory) record(t *rapid.T) {
	if len(h.lines) == 0 {
		return
	}
	l := rapid.SampledFrom(h.lines).Draw(t, "line")
	status := rapid.SampledFrom([]string{book.PayoutPaid, book.PayoutPaid, book.PayoutFailed, book.PayoutReturned}).Draw(t, "status")
	_, err := h.b.RecordPayouts(context.Background(), []book.PayoutRecord{{LineID: l.ID, Status: status, Reference: fmt.Sprint(status, l.ID), At: h.now.Unix(), Month: int32(h.month())}})
	if h.paid == nil {
		h.paid = map[int64]string{}
	}
	before := h.paid[l.ID]
	fits := before == status || before == "" && status != book.PayoutReturned || before == book.PayoutPaid && status == book.PayoutReturned || before == book.PayoutReturned && status == book.PayoutPaid
	if fits != (err == nil) {
		t.Fatalf("a line that was %q is recorded as %s: %v", before, status, err)
	}
	if err == nil && before != book.PayoutReturned {
		h.paid[l.ID] = status
	}
}

// balances compares the plan, which has added up by itself, with what the test knows.
func (h *payoutHistory) balances(t *rapid.T) {
	plan, err := h.s.Plan(context.Background(), h.month())
	h.must(err)
	last := int32(h.s.Terms.LastEarningMonth(h.month()))
	want := map[int64]int64{}
	all := int64(0) // of everything, held or not
	for _, l := range h.sales {
		all += h.left[l.ID]
		if l.Month <= last {
			want[l.PromoterID] += h.left[l.ID]
		}
	}
	for _, c := range h.corrections {
		all += c.Amount
		if c.Month <= last {
			want[c.PromoterID] += c.Amount
		}
	}
	inRuns := int64(0)
	for _, l := range h.lines {
		switch h.paid[l.ID] {
		case book.PayoutPaid:
			all -= l.Net
		case "":
			inRuns += l.Net
		default:
			continue
		}
		want[l.PromoterID] -= l.Net
	}
	got := map[int64]int64{}
	for _, l := range plan.Payable {
		got[l.PromoterID] += l.Net
		if l.Net < h.s.Terms.Minimum {
			t.Fatalf("pays %+v", l)
		}
	}
	for _, l := range plan.Held {
		got[l.PromoterID] += l.Amount
	}
	for _, id := range historyPromoters {
		if got[id] != want[id] {
			t.Fatalf("promoter %d is due %d, the plan has %d", id, want[id], got[id])
		}
	}
	if plan.Totals.InPayment != inRuns {
		t.Fatalf("%d in payment, want %d", plan.Totals.InPayment, inRuns)
	}
	sums, err := h.b.Sums(context.Background())
	h.must(err)
	for _, s := range sums {
		all -= s.Amount
	}
	if all != 0 {
		t.Fatalf("the ledger is off by %d", -all)
	}
	if slices.ContainsFunc(plan.Payable, func(l PayableLine) bool { return l.Refunds > 0 || len(l.Months) == 0 }) {
		t.Fatalf("%+v", plan.Payable)
	}
}

// years compares what the ledger, the summary of all ledgers, the statement and the list for
// tax forms say of each year: entries are of the year of their day.
func (h *payoutHistory) years(t *rapid.T) {
	ctx := context.Background()
	directory, err := h.b.Directory(ctx)
	h.must(err)
	year := rapid.IntRange(2022, h.now.Year()+1).Draw(t, "year")
	summary, err := h.s.LedgerSummary(ctx, Filter{Year: int32(year)})
	h.must(err)
	from, to := terms.YearSpan(year, h.s.Zone)
	paid, err := h.b.PaidTotals(ctx, from, to)
	h.must(err)
	payees, _ := taxPayees(directory, "USD", paid)
	for _, id := range historyPromoters {
		p := directory.ByID(id).Promoter
		var opening, closing, payments int64
		var ids []string
		h.must(h.b.Ledger(ctx, p.Earners(), func(e book.Entry) error {
			switch of := time.Unix(e.At, 0).In(h.s.Zone).Year(); {
			case of < year:
				opening += e.Amount
			case of == year:
				ids = append(ids, e.ID)
				if e.Kind == book.KindPayment {
					payments -= e.Amount
				}
			default:
				return nil
			}
			closing += e.Amount
			return nil
		}))
		slices.Sort(ids)
		account, err := h.s.AccountLedger(ctx, p.Earners(), Filter{Year: int32(year)})
		h.must(err)
		statement, err := h.s.Statement(ctx, p, year)
		h.must(err)
		s := statement.Currencies[0]
		var listed []string
		for _, e := range account.Entries {
			listed = append(listed, e.ID)
		}
		slices.Sort(listed)
		if !slices.Equal(listed, ids) || account.Opening["USD"] != opening || account.Closing["USD"] != closing {
			t.Fatalf("%s in %d: the ledger has %v between %d and %d, want %v between %d and %d", p.Token, year, listed, account.Opening["USD"],
				account.Closing["USD"], ids, opening, closing)
		}
		if s.Opening != opening || s.Closing != closing || len(s.Entries) != len(ids) || s.Opening+s.CarriedForward+s.Earned+s.Reversed-s.Paid != closing {
			t.Fatalf("%s in %d: the statement has %+v, want %d entries between %d and %d", p.Token, year, s, len(ids), opening, closing)
		}
		if n := len(account.Entries); n > 0 && account.BalanceAfter(n-1) != closing {
			t.Fatalf("%s in %d: %d after the last entry, and %d at the end", p.Token, year, account.BalanceAfter(n-1), closing)
		}
		of := slices.IndexFunc(summary.Owners, func(o OwnerTotals) bool { return o.Name == p.Token })
		if of >= 0 && summary.Owners[of].Balance() != closing || of < 0 && closing != 0 {
			t.Fatalf("%s in %d: the summary has %+v, want %d", p.Token, year, summary.Owners, closing)
		}
		payee := slices.IndexFunc(payees, func(x TaxPayee) bool { return x.RefToken == p.Token })
		if payee >= 0 && payees[payee].Paid != payments || payee < 0 && payments != 0 || s.Paid != payments {
			t.Fatalf("%s in %d: %d were paid; the forms have %+v, the statement %d", p.Token, year, payments, payees, s.Paid)
		}
	}
}
