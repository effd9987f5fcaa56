package book_test

import (
	"testing"
	"time"

	"carryover/mapping/book"
)

// What was booked since an instant begins with its first line, whatever late lines of older
// events came in between.
func TestLinesSince(t *testing.T) {
	b, _ := openBook(t)
	since := func(at int64) int64 {
		t.Helper()
		id, err := b.LineBefore(t.Context(), time.Unix(at, 0))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	if id := since(100); id != 0 {
		t.Errorf("of an empty book: %d", id)
	}
	first := commission(7, 100, 202301, 900)
	old := addEvent(t, b, book.EventSale, 100, first)
	fresh := addEvent(t, b, book.EventSale, 200, commission(7, 200, 202301, 900))
	addReviews(t, b, 210, old...)
	if n, err := b.Decide(t.Context(), []book.ReviewDecision{{LineID: old[0], Decision: book.ReviewDeny, DecidedAt: 220,
		DecidedBy: "kim"}}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if id := since(150); id != fresh[0]-1 {
		t.Errorf("since the second sale: %d, want %d", id, fresh[0]-1)
	}
	if id := since(100); id != old[0]-1 {
		t.Errorf("since the first sale: %d, want %d", id, old[0]-1)
	}
	if id := since(1000); id <= fresh[0] {
		t.Errorf("since the end: %d", id)
	}
}
