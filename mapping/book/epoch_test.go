package book_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
)

// mapVersion is the content of an epoch: n partners that all carry version.
func mapVersion(version, n int) (book.MapEpoch, []mapping.Entry) {
	var entries []mapping.Entry
	for i := range n {
		entries = append(entries, mapping.Entry{Kind: mapping.Partners, Key: fmt.Sprintf("p%06d", i), Value: fmt.Sprintf(`"v%d"`, version)})
	}
	return book.MapEpoch{
		PublishedAt: time.Date(2023, 3, 1, 0, 0, version, 0, time.UTC), PlanID: "plan", Policy: "{}",
		Checksum: fmt.Sprintf("sum-%d-%d", version, n), Partners: n,
	}, entries
}

func publishMap(t *testing.T, b *book.Book, version, n int) book.MapEpoch {
	t.Helper()
	e, entries := mapVersion(version, n)
	e, changed, err := b.PublishMap(context.Background(), e, entries, 5, func(int) {})
	if err != nil || !changed {
		t.Fatalf("version %d: changed %v, %v", version, changed, err)
	}
	return e
}

func openBook(t *testing.T) (*book.Book, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "book.db")
	b, err := book.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b, path
}

func TestPublishMap(t *testing.T) {
	b, _ := openBook(t)
	ctx := context.Background()
	if _, err := b.LiveMapEpoch(ctx); !errors.Is(err, book.ErrNoEpoch) {
		t.Errorf("an empty book: %v, want ErrNoEpoch", err)
	}
	want := publishMap(t, b, 1, 2500)
	_, entries := mapVersion(1, 2500)
	for _, id := range []int64{0, want.ID} {
		e, got, err := b.ReadMap(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if e != want || !slices.Equal(got, entries) {
			t.Errorf("epoch %d came back as %+v with %d entries, want %+v", id, e, len(got), want)
		}
	}
	if live, err := b.LiveMapEpoch(ctx); err != nil || live != want || !live.Live {
		t.Errorf("live %+v, %v", live, err)
	}
	e, entries := mapVersion(1, 2500)
	again, changed, err := b.PublishMap(ctx, e, entries, 5, func(int) {})
	if err != nil || changed || again != want {
		t.Errorf("the same again: %+v, changed %v, %v", again, changed, err)
	}
}

func TestActivateMap(t *testing.T) {
	b, _ := openBook(t)
	ctx := context.Background()
	first := publishMap(t, b, 1, 3)
	second := publishMap(t, b, 2, 3)
	if e, err := b.ActivateMap(ctx, first.ID); err != nil || e != first {
		t.Errorf("activated %+v, %v; want %+v", e, err, first)
	}
	if _, err := b.ActivateMap(ctx, 99); !errors.Is(err, book.ErrNoEpoch) {
		t.Errorf("an unknown epoch: %v, want ErrNoEpoch", err)
	}
	second.Live = false
	list, err := b.MapEpochs(ctx)
	if err != nil || !slices.Equal(list, []book.MapEpoch{second, first}) {
		t.Errorf("epochs %+v, %v", list, err)
	}
}

// A publish that fails or is cancelled on the way leaves nothing behind.
func TestPublishMapIsOneStep(t *testing.T) {
	b, path := openBook(t)
	want := publishMap(t, b, 1, 3)
	check := func(doing string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: no error", doing)
		}
		if live, err := b.LiveMapEpoch(context.Background()); err != nil || live != want {
			t.Errorf("%s: live %+v, %v", doing, live, err)
		}
		if n := countEntries(t, path); n != 3 {
			t.Errorf("%s: %d entries in the book, want 3", doing, n)
		}
	}
	e, entries := mapVersion(2, 3000)
	_, _, err := b.PublishMap(context.Background(), e, append(entries, entries[0]), 5, func(int) {})
	check("a key twice", err)

	ctx, cancel := context.WithCancel(context.Background())
	_, _, err = b.PublishMap(ctx, e, entries, 5, func(n int) {
		if n >= 1000 {
			cancel()
		}
	})
	check("cancelled", err)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if next := publishMap(t, b, 3, 3); next.ID != want.ID+1 {
		t.Errorf("epoch %d after %d", next.ID, want.ID)
	}
}

func TestPublishMapPrunes(t *testing.T) {
	b, path := openBook(t)
	first := publishMap(t, b, 1, 10)
	for v := 2; v <= 6; v++ {
		publishMap(t, b, v, 10)
	}
	if _, _, err := b.ReadMap(context.Background(), first.ID); !errors.Is(err, book.ErrNoEpoch) {
		t.Errorf("a pruned epoch: %v, want ErrNoEpoch", err)
	}
	if n := countEntries(t, path); n != 50 {
		t.Errorf("%d entries in the book, want 50", n)
	}
}

// A publish that is going on holds no reader up, and shows it nothing.
func TestReadMapDuringPublish(t *testing.T) {
	b, _ := openBook(t)
	old := publishMap(t, b, 1, 10)
	e, entries := mapVersion(2, 3000)
	reads := 0
	if _, _, err := b.PublishMap(context.Background(), e, entries, 5, func(int) {
		reads++
		if e, got, err := b.ReadMap(context.Background(), 0); err != nil || e != old || len(got) != 10 {
			t.Errorf("read %+v with %d entries, %v", e, len(got), err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if reads == 0 {
		t.Error("nothing was read meanwhile")
	}
}

// countEntries looks into the file, past the methods of the book.
func countEntries(t *testing.T, path string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`SELECT count(*) FROM map_entry`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
