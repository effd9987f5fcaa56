package book_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"carryover/mapping/book"
)

// What takes back is new from the month on that is paid, or once it was booked after the
// newest run in that currency; what came in the second of the approval was seen by it.
func TestWhatIsNewSinceARun(t *testing.T) {
	const begin, approved = 1_678_000_000, 1_678_900_000
	b, _ := openBook(t)
	sale := commission(7, begin-9000, 202301, 10_000)
	id := addEvent(t, b, book.EventSale, begin-9000, sale)[0]
	back := func(at, amount int64) {
		addEvent(t, b, book.EventRefund, at, reversal(book.KindRefund, sale, id, at, amount))
	}
	isNew := func(about, currency string, want int64) {
		t.Helper()
		d, err := b.PayoutInputs(t.Context(), currency, begin)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range d.Totals {
			if s.Kind == book.KindRefund {
				if s.New != want {
					t.Errorf("%s: %d of %d are new, want %d", about, s.New, s.Amount, want)
				}
				return
			}
		}
		t.Errorf("%s: there is no refund", about)
	}
	approve := func(currency string, at int64) {
		t.Helper()
		if err := b.ApprovePayouts(t.Context(), &book.PayoutBatch{Month: 202303, EarnedThrough: 202301, Currency: currency,
			ApprovedAt: at}, []book.PayoutLine{{PromoterID: 7, Net: 1}}, stateOf(t, b)); err != nil {
			t.Fatal(err)
		}
	}
	back(begin-1, 1)
	back(begin, 10)
	isNew("before any run", "USD", -10)
	back(approved, 100)
	back(approved+1, 1000)
	approve("USD", approved)
	isNew("after a run", "USD", -1000)
	approve("AUD", approved+500)
	isNew("after another currency's run", "USD", -1000)
	isNew("of that currency", "AUD", 0)
	approve("USD", approved+900)
	isNew("after the next run", "USD", 0)
}

// What a person has decided is not flagged any more; a run that was undone meanwhile moves
// what was added up.
func TestDecidedAndUndoneMeanwhile(t *testing.T) {
	b, _ := openBook(t)
	applyAll(t, b, 0, sampleChanges())
	ids := addEvent(t, b, book.EventSale, 100, commission(7, 100, 202301, 900), commission(7, 100, 202301, 800), commission(7, 100, 202301, 700))
	addReviews(t, b, 200, ids...)
	if _, err := b.Decide(t.Context(), []book.ReviewDecision{{LineID: ids[0], Decision: book.ReviewAccept},
		{LineID: ids[1], Decision: book.ReviewDeny}}); err != nil {
		t.Fatal(err)
	}
	d, err := b.PayoutInputs(t.Context(), "USD", 0)
	if err != nil || len(d.Flagged) != 1 || d.Flagged[0].LineID != ids[2] {
		t.Errorf("flagged: %+v, %v", d.Flagged, err)
	}
	second := applyAll(t, b, 1, &book.Changes{})
	seen := stateOf(t, b)
	if _, err := b.Rollback(t.Context(), second, time.Unix(300, 0)); err != nil {
		t.Fatal(err)
	}
	if err := b.ApprovePayouts(t.Context(), &book.PayoutBatch{Month: 202303, Currency: "USD"},
		[]book.PayoutLine{{PromoterID: 7, Net: 1}}, seen); !errors.Is(err, book.ErrPayoutsStale) {
		t.Errorf("approved over a run that was undone: %v", err)
	}
}

// Only what was paid can come back.
func TestWhatFailedDoesNotComeBack(t *testing.T) {
	b, _ := openBook(t)
	if err := b.ApprovePayouts(t.Context(), &book.PayoutBatch{Month: 202303, Currency: "USD"},
		[]book.PayoutLine{{PromoterID: 7, Net: 100}}, stateOf(t, b)); err != nil {
		t.Fatal(err)
	}
	record := func(status string) error {
		_, err := b.RecordPayouts(t.Context(), []book.PayoutRecord{{LineID: 1, Status: status, Reference: "R"}})
		return err
	}
	if err := record(book.PayoutFailed); err != nil {
		t.Fatal(err)
	}
	for _, status := range []string{book.PayoutReturned, book.PayoutPaid} {
		if err := record(status); !errors.Is(err, book.ErrRecordConflict) || !strings.Contains(err.Error(), `failed, with the reference "R"`) {
			t.Errorf("%s: %v", status, err)
		}
	}
	all, err := b.Payouts(t.Context())
	if err != nil || len(all.Records) != 1 {
		t.Errorf("%+v, %v", all.Records, err)
	}
}
