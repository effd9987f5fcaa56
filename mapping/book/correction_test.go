package book_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"carryover/mapping/book"
)

// A correction is an entry of the ledger and of what is due in its month, either way, and
// the same one is booked once.
func TestCorrect(t *testing.T) {
	const march = 1_678_000_000
	b, _ := openBook(t)
	ctx := context.Background()
	if live, err := b.IsLive(ctx); live || err != nil {
		t.Errorf("an empty book is live: %v", err)
	}
	sale := commission(7, march, 202301, 900)
	addEvent(t, b, book.EventSale, march, sale)
	correct := func(amount int64, month int32, note string) (book.Correction, error) {
		c := book.Correction{PromoterID: 7, Month: month, Amount: amount, Currency: "USD", Note: note, RecordedAt: march + amount,
			RecordedBy: "kim"}
		err := b.Correct(ctx, &c)
		return c, err
	}
	var made []book.Correction
	for _, want := range []struct {
		amount int64
		note   string
	}{{-250, "paid twice"}, {-250, "paid three times"}, {400, "a sale that was not told"}} {
		c, err := correct(want.amount, 202301, want.note)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, c)
	}
	if again, err := correct(-250, 202301, "paid twice"); !errors.Is(err, book.ErrDuplicateCorrection) || again != made[0] {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	if _, err := correct(-250, 202302, "paid twice"); err != nil {
		t.Errorf("in another month: %v", err)
	}
	if c, err := b.Correction(ctx, made[2].LineID); err != nil || c != made[2] || c.LineID != 4 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := b.Correction(ctx, 1); !errors.Is(err, book.ErrNoCorrection) {
		t.Errorf("a commission: %v", err)
	}
	e, err := b.Entry(ctx, "t-2")
	if err != nil || e.Kind != book.KindCorrection || e.Amount != -250 || e.Description != "paid twice" || e.Month != 202301 ||
		e.At != march-250 || e.CustomerID != 0 {
		t.Errorf("%+v, %v", e, err)
	}
	d, err := b.PayoutInputs(ctx, "USD", march-249)
	if err != nil {
		t.Fatal(err)
	}
	sums := slices.DeleteFunc(d.Totals, func(s book.LedgerTotal) bool { return s.Kind != book.KindCorrection })
	want := []book.LedgerTotal{ // below zero and above it apart; new since a moment
		{live(7), book.KindCorrection, "USD", 202301, 400, 0},
		{live(7), book.KindCorrection, "USD", 202301, -500, 0},
		{live(7), book.KindCorrection, "USD", 202302, -250, 0},
	}
	slices.SortFunc(sums, func(x, y book.LedgerTotal) int { return int(x.Month-y.Month)*10_000 + int(y.Amount-x.Amount) })
	if !slices.Equal(sums, want) {
		t.Errorf("got  %v\nwant %v", sums, want)
	}
	if d, err = b.PayoutInputs(ctx, "USD", march-250); err != nil {
		t.Fatal(err)
	}
	for _, s := range d.Totals {
		if s.Kind == book.KindCorrection && s.Amount < 0 && s.New != s.Amount {
			t.Errorf("not new: %v", s)
		}
	}
	if live, err := b.IsLive(ctx); !live || err != nil {
		t.Errorf("not live: %v", err)
	}
	// Corrections have no event: the watch looks at commissions from where it stopped.
	if id, err := b.LineBefore(ctx, time.Unix(march, 0)); err != nil || id != 0 {
		t.Errorf("the watch begins after line %d, %v", id, err)
	}

	// Of many at once one is booked.
	var wg sync.WaitGroup
	booked := make([]bool, 8)
	for i := range booked {
		wg.Go(func() {
			_, err := correct(1, 202301, "a cent")
			if booked[i] = err == nil; err != nil && !errors.Is(err, book.ErrDuplicateCorrection) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(slices.DeleteFunc(booked, func(yes bool) bool { return !yes })); n != 1 {
		t.Errorf("booked %d times", n)
	}
}
