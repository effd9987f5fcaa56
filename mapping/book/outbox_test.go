package book

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
)

// outboxBook is a book with events of customers in its outbox: customer of each.
func outboxBook(t testing.TB, customers ...int64) *Book {
	t.Helper()
	b, err := Open(filepath.Join(t.TempDir(), "book.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	if err := b.Track(func(k *Tracking) error {
		for i, customer := range customers {
			e := Event{Kind: EventSale, ExternalID: fmt.Sprint("p", i+1), CustomerID: customer, At: int64(i),
				ReceivedAt: 1000 + int64(i), Currency: "USD"}
			if err := k.AddEvent(&e, nil); err != nil {
				return err
			}
			if err := k.AddOutbox(e.ID, customer, 1000, "{}"); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

// due lists the ids of what may be sent.
func due(t testing.TB, b *Book, now int64, limit int) (ids []int64) {
	t.Helper()
	list, err := b.DueForwards(context.Background(), now, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		ids = append(ids, f.EventID)
	}
	return ids
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Of each customer the earliest event that waits is due, and nothing else.
func TestForwardsDue(t *testing.T) {
	ctx := t.Context()
	b := outboxBook(t, 1, 2, 1, 2, 3)
	f := func(now int64, limit int, want ...int64) {
		t.Helper()
		if got := due(t, b, now, limit); !slices.Equal(got, want) {
			t.Errorf("due at %d: %v, want %v", now, got, want)
		}
	}
	f(999, 10)
	f(1000, 10, 1, 2, 5)
	f(1000, 2, 1, 2)
	must(t, b.FinishForward(ctx, 1, ForwardSent, 200, "", 1001))
	f(1001, 10, 2, 3, 5)
	must(t, b.FinishForward(ctx, 1, ForwardRefused, 400, "too late", 1002)) // it was sent
	must(t, b.PostponeForward(ctx, &Forward{EventID: 2, CustomerID: 2}, 1060, 503, "busy"))
	f(1059, 10, 3, 5)
	f(1060, 10, 3, 5, 2)
	must(t, b.FinishForward(ctx, 2, ForwardRefused, 400, "no", 1061))
	f(1061, 10, 3, 5, 4)

	list, err := b.ForwardsByID(ctx, []int64{1, 2, 99})
	must(t, err)
	if len(list) != 2 || list[0].State != ForwardSent || list[0].Answer != "" || list[1].State != ForwardRefused ||
		list[1].Tries != 2 || list[1].Status != 400 || list[1].DoneAt != 1061 || list[1].ExternalID != "p2" {
		t.Errorf("%+v", list)
	}
	counts, err := b.ForwardCounts(ctx)
	must(t, err)
	if got := fmt.Sprint(counts); got != "[{refused 1 1001} {sent 1 1000} {waiting 3 1002}]" {
		t.Errorf("counts: %s", got)
	}
	if said, err := b.LastForwardAnswer(ctx, ForwardRefused); said != "no" || err != nil {
		t.Errorf("said: %q, %v", said, err)
	}

	// What is put back goes before what its customer has waiting since.
	if n, err := b.RetryForwards(ctx, []int64{1, 3}, []string{ForwardRefused, ForwardSent}, 1070); n != 1 || err != nil {
		t.Errorf("put back: %d, %v", n, err)
	}
	f(1070, 10, 3, 5, 2)
}

// What events earned in a range, whatever became of them on their way.
func TestEarnedFrom(t *testing.T) {
	ctx := t.Context()
	b := outboxBook(t, 1)
	must(t, b.Track(func(k *Tracking) error {
		sale := Event{Kind: EventSale, ExternalID: "x", CustomerID: 2, At: 500, Currency: "USD"}
		if err := k.AddEvent(&sale, []EventLine{
			{Kind: KindCommission, PromoterID: 7, At: 500, Month: 202303, Amount: 100, Currency: "USD"},
			{Kind: KindCommission, PromoterID: 7, At: 500, Month: 202303, Amount: 50, Currency: "USD"},
		}); err != nil {
			return err
		}
		if err := k.AddOutbox(sale.ID, 2, 500, "{}"); err != nil {
			return err
		}
		refund := Event{Kind: EventRefund, ExternalID: "x", CustomerID: 2, At: 600, Currency: "USD"}
		return k.AddEvent(&refund, []EventLine{{Kind: KindRefund, PromoterID: 7, At: 600, Month: 202303, Amount: -30, Currency: "USD"}})
	}))
	f := func(from, to int64, want string) {
		t.Helper()
		list, err := b.EventEarnings(ctx, from, to)
		must(t, err)
		got := ""
		for _, e := range list {
			got += fmt.Sprintf("%s %s %d %d %q;", e.Kind, e.ExternalID, e.PromoterID, e.Amount, e.State)
		}
		if got != want {
			t.Errorf("%d to %d: %s, want %s", from, to, got, want)
		}
	}
	f(0, 1000, `sale x 7 150 "waiting";refund x 7 -30 "";`)
	f(500, 600, `sale x 7 150 "waiting";`)
	f(501, 601, `refund x 7 -30 "";`)
	f(0, 500, ``)
	named, err := b.EventsByExternalIDs(ctx, []string{"x", "p1", "none", ""})
	if len(named) != 3 || err != nil {
		t.Errorf("%v, %v", named, err)
	}
}

// A long outage leaves a long queue: looking into it stays quick, for it is done all day.
func BenchmarkForwardsDue(b *testing.B) {
	const waiting = 200_000
	customers := make([]int64, waiting)
	for i := range customers {
		customers[i] = int64(i % 50_000)
	}
	bk := outboxBook(b, customers...)
	for b.Loop() {
		due(b, bk, 2000, 64)
	}
}
