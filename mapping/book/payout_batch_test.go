package book_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"carryover/mapping/book"
)

// addEvent books one event with the given lines, and returns the lines' ids.
func addEvent(t testing.TB, b *book.Book, kind string, receivedAt int64, lines ...book.EventLine) (ids []int64) {
	t.Helper()
	if err := b.Track(func(tr *book.Tracking) error {
		e := book.Event{Kind: kind, CustomerID: 1, At: lines[0].At, ReceivedAt: receivedAt, Currency: "USD"}
		if err := tr.AddEvent(&e, lines); err != nil {
			return err
		}
		for _, l := range lines {
			ids = append(ids, l.ID)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return ids
}

// addReviews puts lines on the list of those to be reviewed.
func addReviews(t testing.TB, b *book.Book, at int64, lines ...int64) {
	t.Helper()
	if err := b.Track(func(tr *book.Tracking) error {
		for _, l := range lines {
			if err := errors.Join(tr.AddReview(l, "velocity", "many at once", at), tr.AddReview(l, "address", "shared", at+1)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func commission(promoter, at int64, month int32, amount int64) book.EventLine {
	return book.EventLine{Kind: book.KindCommission, PromoterID: promoter, CustomerID: 1, At: at, Month: month, Amount: amount,
		Currency: "USD"}
}

func reversal(kind string, from book.EventLine, of, at, amount int64) book.EventLine {
	return book.EventLine{Kind: kind, PromoterID: from.PromoterID, CustomerID: 1, At: at, Month: from.Month, Amount: -amount,
		Currency: "USD", ReversesLineID: of}
}

// The ledger is added up by partner, kind and month, what takes back also by whether it is
// new since the last run.
func TestDues(t *testing.T) {
	const march = 1_678_000_000 // as in small
	b, _ := openBook(t)
	ctx := context.Background()
	c := sampleChanges()
	c.KeapRecords.Commissions[2].Amount = 4000
	applyAll(t, b, 0, c)
	first, second := commission(7, march, 202301, 900), commission(-3, march, 202302, 400)
	ids := addEvent(t, b, book.EventSale, march, first, commission(7, march, 202301, 100), second, commission(-3, march, 202301, 50))
	foreign := commission(7, march, 202301, 60)
	foreign.Currency = "AUD"
	ids = append(ids, addEvent(t, b, book.EventSale, march, foreign)...)
	addEvent(t, b, book.EventRefund, march+1000, reversal(book.KindRefund, first, ids[0], march-5000, 300)) // told later than it happened
	addEvent(t, b, book.EventRefund, march-2000, reversal(book.KindRefund, first, ids[0], march-5000, 30))
	addEvent(t, b, book.EventRefund, march-2000, reversal(book.KindDenied, second, ids[2], march+2000,
		400)) // decided later than it was told
	addEvent(t, b, book.EventRefund, march+500, reversal(book.KindRefund, commission(7, march, 202303, 0), 0, march+500, 20)) // of a sale at Keap
	addReviews(t, b, march+10, ids[0], ids[2])

	d, err := b.PayoutInputs(ctx, "USD", march)
	if err != nil {
		t.Fatal(err)
	}
	want := []book.LedgerTotal{
		{live(-3), book.KindCommission, "USD", 202301, 50, 0},
		{live(-3), book.KindCommission, "USD", 202302, 400, 0},
		{live(-3), book.KindDenied, "USD", 202302, -400, -400},
		{partner(3), book.KindCommission, "JPY", 202303, 1, 0},
		{partner(7), book.KindClawback, "USD", 202304, -1725, -1725},
		{live(7), book.KindCommission, "AUD", 202301, 60, 0},
		{live(7), book.KindCommission, "USD", 202301, 1000, 0},
		{partner(7), book.KindCommission, "USD", 202303, 1725, 0},
		{partner(7), book.KindOpening, "USD", 202303, 4000, 0},
		{partner(7), book.KindPayment, "USD", 0, -960, 0},
		{live(7), book.KindClawback, "USD", 202303, -20, -20}, // a refund of a sale that was not tracked
		{live(7), book.KindRefund, "USD", 202301, -330, -300},
	}
	for _, list := range [][]book.LedgerTotal{d.Totals, want} {
		slices.SortFunc(list, func(x, y book.LedgerTotal) int {
			return cmp.Or(cmp.Compare(x.PartnerID, y.PartnerID), cmp.Compare(x.PromoterID, y.PromoterID), cmp.Compare(x.Kind, y.Kind),
				cmp.Compare(x.Currency, y.Currency), cmp.Compare(x.Month, y.Month))
		})
	}
	if !slices.Equal(d.Totals, want) {
		t.Errorf("got  %v\nwant %v", d.Totals, want)
	}
	flagged := []book.FlaggedCommission{{ids[0], 7, "USD", 202301, 570, march, march + 10}, {ids[2], -3, "USD", 202302, 0, march, march + 10}}
	if !slices.Equal(d.Flagged, flagged) {
		t.Errorf("flagged %v, want %v", d.Flagged, flagged)
	}

	// After a run nothing of that is new.
	run := book.PayoutBatch{Month: 202303, EarnedThrough: 202301, Currency: "USD", ApprovedAt: march + 5_000_000, ApprovedBy: "kim"}
	if err := b.ApprovePayouts(ctx, &run, []book.PayoutLine{{PromoterID: 7, Net: 100}}, d.State); err != nil {
		t.Fatal(err)
	}
	if d, err = b.PayoutInputs(ctx, "USD", march); err != nil {
		t.Fatal(err)
	}
	for _, s := range d.Totals {
		if s.New != 0 {
			t.Errorf("new: %v", s)
		}
	}
}

// Approving freezes what was added up, or nothing: not when something else was approved,
// recorded or applied meanwhile.
func TestApprovePayouts(t *testing.T) {
	b, _ := openBook(t)
	ctx := context.Background()
	run := applyAll(t, b, 0, sampleChanges())
	approve := func(state string) (book.PayoutBatch, []book.PayoutLine, error) {
		r := book.PayoutBatch{Month: 202303, EarnedThrough: 202301, Currency: "USD", ApprovedAt: 1_678_500_000, ApprovedBy: "kim"}
		lines := []book.PayoutLine{
			{PromoterID: 7, Months: "2022-12 2023-01", Gross: 100, Refunds: -10, Carried: 20, Net: 110, Method: "paypal",
				Address: "ada@mail.test", Name: "Ada"},
			{PromoterID: 3, Months: "2023-01", Gross: 50, Net: 50, Method: "check", Name: "Cy"},
		}
		err := b.ApprovePayouts(ctx, &r, lines, state)
		return r, lines, err
	}
	state := func() string {
		d, err := b.PayoutInputs(ctx, "USD", 0)
		if err != nil {
			t.Fatal(err)
		}
		return d.State
	}
	before := state()
	first, lines, err := approve(before)
	if err != nil {
		t.Fatal(err)
	}
	all, err := b.Payouts(ctx)
	if err != nil || !slices.Equal(all.Batches, []book.PayoutBatch{first}) || !slices.Equal(all.Lines, lines) || first.ID != 1 ||
		lines[1].ID != 2 {
		t.Errorf("%+v, %v", all, err)
	}
	if _, _, err := approve(before); !errors.Is(err, book.ErrPayoutsStale) {
		t.Errorf("approved twice from one sum: %v", err)
	}
	seen := state()
	if _, err := b.RecordPayouts(ctx, []book.PayoutRecord{{LineID: 1, Status: book.PayoutFailed, Reference: "x"}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := approve(seen); !errors.Is(err, book.ErrPayoutsStale) {
		t.Errorf("approved over a record: %v", err)
	}
	seen = state()
	applyAll(t, b, run, &book.Changes{})
	if _, _, err := approve(seen); !errors.Is(err, book.ErrPayoutsStale) {
		t.Errorf("approved over a migration: %v", err)
	}
	seen = state()
	if err := b.RecordSettings(ctx, []book.Setting{{PromoterID: 7, Field: book.SettingStatus, Value: "blocked"}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := approve(seen); !errors.Is(err, book.ErrPayoutsStale) {
		t.Errorf("approved over a block: %v", err)
	}

	// Of many at once from the same sum one is approved.
	seen = state()
	var wg sync.WaitGroup
	results := make([]error, 8)
	for i := range results {
		wg.Go(func() { _, _, results[i] = approve(seen) })
	}
	wg.Wait()
	approved := 0
	for _, err := range results {
		if err == nil {
			approved++
		} else if !errors.Is(err, book.ErrPayoutsStale) {
			t.Error(err)
		}
	}
	if all, err = b.Payouts(ctx); err != nil || approved != 1 || len(all.Batches) != 2 || len(all.Lines) != 4 {
		t.Errorf("%d approved, %d runs, %d lines, %v", approved, len(all.Batches), len(all.Lines), err)
	}
}

// A record is there once; what contradicts it is refused, and nothing of the rest is kept.
func TestRecordPayouts(t *testing.T) {
	b, _ := openBook(t)
	ctx := context.Background()
	run := book.PayoutBatch{Month: 202303, Currency: "USD"}
	if err := b.ApprovePayouts(ctx, &run, []book.PayoutLine{{PromoterID: 7, Net: 100}, {PromoterID: 8, Net: 50},
		{PromoterID: 9, Net: 70}}, stateOf(t, b)); err != nil {
		t.Fatal(err)
	}
	record := func(line int64, status, reference string) book.PayoutRecord {
		return book.PayoutRecord{LineID: line, Status: status, Reference: reference, At: 5, Month: 202303}
	}
	f := func(again int, lacks string, list ...book.PayoutRecord) {
		t.Helper()
		n, err := b.RecordPayouts(ctx, list)
		if lacks == "" && (err != nil || n != again) {
			t.Errorf("%v: %d again, %v", list, n, err)
		}
		if lacks != "" && (!errors.Is(err, book.ErrRecordConflict) || !strings.Contains(err.Error(), lacks)) {
			t.Errorf("%v: %v", list, err)
		}
	}
	f(0, "", record(1, book.PayoutPaid, "A"))
	f(1, "", record(1, book.PayoutPaid, "A"))
	f(0, `paid already, with the reference "A"`, record(1, book.PayoutPaid, "B"))
	f(0, `paid, with the reference "A"`, record(1, book.PayoutFailed, "A"))
	f(0, `"A" is that of another line`, record(2, book.PayoutPaid, "A"))
	f(0, "cannot come back", record(2, book.PayoutReturned, "R"))
	f(0, "cannot come back", record(2, book.PayoutFailed, "F"), record(3, book.PayoutReturned, "R")) // both or none
	f(0, "", record(2, book.PayoutFailed, "F"))
	f(0, `failed, with the reference "F"`, record(2, book.PayoutPaid, "C"))
	f(0, "cannot come back", record(3, book.PayoutReturned, "R"))
	f(1, "", record(1, book.PayoutPaid, "A"), record(1, book.PayoutReturned, "A")) // one payment has one reference, both ways
	f(1, "", record(1, book.PayoutReturned, "A"))
	f(1, "", record(1, book.PayoutPaid, "A"))
	f(0, `returned already`, record(1, book.PayoutReturned, "B"))
	f(0, "", record(3, book.PayoutPaid, "D"), record(3, book.PayoutReturned, "E"))

	// A day or a note that was named is the one that is there.
	told := func(at, end int64, note string) book.PayoutRecord {
		r := record(1, book.PayoutPaid, "A")
		r.At, r.DayEnd, r.Note = at, end, note
		return r
	}
	f(1, "", told(5, 6, ""))
	f(1, "", told(0, 6, ""))
	f(1, "", told(99, 0, "")) // now
	f(0, "on another day or with another note", told(6, 9, ""))
	f(0, "on another day or with another note", told(0, 5, ""))
	f(0, "on another day or with another note", told(99, 0, "by hand"))
	var other *book.RecordMismatchError
	if _, err := b.RecordPayouts(ctx, []book.PayoutRecord{told(6, 9, "")}); !errors.As(err, &other) || other.Booked.At != 5 {
		t.Errorf("%v", err)
	}

	var one *book.PayoutRecordError
	if _, err := b.RecordPayouts(ctx, []book.PayoutRecord{record(1, book.PayoutPaid, "A"),
		record(2, book.PayoutPaid, "Z")}); !errors.As(err, &one) || one.Index != 1 {
		t.Errorf("the second of two: %v", err)
	}
	all, err := b.Payouts(ctx)
	if err != nil || len(all.Records) != 5 {
		t.Errorf("%v, %v", all.Records, err)
	}
	got := map[int64]string{}
	for line, r := range all.Outcomes() {
		got[line] = r.Status + " " + r.Reference
	}
	if len(got) != 3 || got[1] != "returned A" || got[2] != "failed F" || got[3] != "returned E" {
		t.Errorf("%v", got)
	}

	// Many at once: one is kept.
	if err := b.ApprovePayouts(ctx, &run, []book.PayoutLine{{PromoterID: 7, Net: 100}}, stateOf(t, b)); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	kept := make([]bool, 8)
	for i := range kept {
		wg.Go(func() {
			again, err := b.RecordPayouts(ctx, []book.PayoutRecord{record(4, book.PayoutPaid, "M")})
			if err != nil {
				t.Error(err)
			}
			kept[i] = again == 0
		})
	}
	wg.Wait()
	if n := len(slices.DeleteFunc(kept, func(k bool) bool { return !k })); n != 1 {
		t.Errorf("kept %d times", n)
	}
}

func stateOf(t testing.TB, b *book.Book) string {
	t.Helper()
	d, err := b.PayoutInputs(context.Background(), "USD", 0)
	if err != nil {
		t.Fatal(err)
	}
	return d.State
}

// What was paid is in the ledger once it is recorded, and what came back or failed is not
// missing there.
func TestPaidInYear(t *testing.T) {
	b, _ := openBook(t)
	ctx := context.Background()
	const march = 1_678_000_000 // that of sampleChanges
	c := sampleChanges()
	c.KeapRecords.Commissions[2].Amount = 4000
	applyAll(t, b, 0, c) // was paid 10.00 by PayPal, and gave 0.40 back, in 2023
	run := book.PayoutBatch{Month: 202303, Currency: "USD"}
	if err := b.ApprovePayouts(ctx, &run, []book.PayoutLine{{PromoterID: 7, Net: 100, Method: "check"},
		{PromoterID: 7, Net: 50, Method: "paypal"}, {PromoterID: 7, Net: 70, Method: "check"},
		{PromoterID: 7, Net: 9, Method: "check"}}, stateOf(t, b)); err == nil {
		t.Fatal("two lines of one promoter in a run")
	}
	for i, net := range []int64{100, 70, 9, 3} {
		if err := b.ApprovePayouts(ctx, &run, []book.PayoutLine{{PromoterID: 7, Net: net, Method: "check"}}, stateOf(t, b)); err != nil {
			t.Fatal(i, err)
		}
	}
	if _, err := b.RecordPayouts(ctx, []book.PayoutRecord{
		{LineID: 1, Status: book.PayoutPaid, Reference: "1", At: march + 500, Month: 202303},
		{LineID: 2, Status: book.PayoutPaid, Reference: "2", At: march + 999, Month: 202312},
		{LineID: 2, Status: book.PayoutReturned, Reference: "2", At: march + 1000, Month: 202401},
		{LineID: 3, Status: book.PayoutFailed, Reference: "3", At: 8, Month: 202303},
	}); err != nil {
		t.Fatal(err)
	}
	f := func(from, to int64, want ...book.PaidTotal) {
		t.Helper()
		if got, err := b.PaidTotals(ctx, from, to); err != nil || !slices.Equal(got, want) {
			t.Errorf("%d to %d: %v, %v", from, to, got, err)
		}
	}
	f(0, march)
	f(march, march+1000, book.PaidTotal{partner(7), "USD", "", -40}, book.PaidTotal{partner(7), "USD", "PayPal", 1000},
		book.PaidTotal{live(7), "USD", "check", 170})
	f(march+1000, march+2000, book.PaidTotal{live(7), "USD", "check", -70})
	var balance int64
	sums, err := b.Sums(ctx)
	for _, s := range sums {
		if s.Currency == "USD" {
			balance += s.Amount
		}
	}
	if err != nil || balance != 4000-1000+40-100 { // its commission was clawed back
		t.Errorf("balance %d, %v", balance, err)
	}
}
