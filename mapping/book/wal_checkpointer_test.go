package book_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"carryover/mapping/book"
)

// While somebody tends the book its log moves into the file behind the writers, and what
// they have booked is all there.
func TestTend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	b, err := book.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithCancel(context.Background())
	tended := make(chan error, 1)
	go func() { tended <- b.RunWALCheckpointer(ctx) }()
	size := func(name string) int64 {
		info, err := os.Stat(name)
		if err != nil {
			return 0
		}
		return info.Size()
	}
	before, booked := size(path), 0
	for deadline := time.Now().Add(time.Minute); size(path) == before; { // nothing else moves 8 MB
		if err := b.Track(func(tr *book.Tracking) error {
			for range 200 {
				booked++
				if err := tr.AddEvent(&book.Event{Kind: book.EventSale, ExternalID: fmt.Sprint("e", booked), Evidence: "{}"}, nil); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %d events the log has %d bytes and the file %d", booked, size(path+"-wal"), size(path))
		}
	}
	cancel()
	if err := <-tended; err != nil {
		t.Fatal(err)
	}
	if told, err := b.EventsByExternalID(context.Background(), fmt.Sprint("e", booked)); err != nil || len(told) != 1 {
		t.Errorf("the last event: %v, %v", told, err)
	}
}

// What was booked is in the book's own file seconds later, however little it is: a file that is
// copied alone, against advice, lacks no more than that.
func TestLogOfAnIdleBook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	b, err := book.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithCancel(context.Background())
	tended := make(chan error, 1)
	go func() { tended <- b.RunWALCheckpointer(ctx) }()
	defer func() { cancel(); <-tended }()
	for _, id := range []string{"first", "second"} {
		if err := b.Track(func(tr *book.Tracking) error {
			return tr.AddEvent(&book.Event{Kind: book.EventSale, ExternalID: id, Evidence: "{}"}, nil)
		}); err != nil {
			t.Fatal(err)
		}
		booked := func() bool {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			copied := filepath.Join(t.TempDir(), "book.db")
			if err := os.WriteFile(copied, text, 0o600); err != nil {
				t.Fatal(err)
			}
			alone, err := book.OpenExisting(copied)
			if err != nil {
				return false // copied in the midst of a checkpoint, or before the first
			}
			defer alone.Close()
			told, err := alone.EventsByExternalID(context.Background(), id)
			return err == nil && len(told) == 1
		}
		for deadline := time.Now().Add(time.Minute); !booked(); time.Sleep(200 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the file alone lacks the event %q", id)
			}
		}
	}
}
