package click

import (
	"context"
	"fmt"
	"os"
	"testing"
	"unsafe"

	"go.uber.org/goleak"

	"carryover/mapping/book"
)

// TestMain is also the program that drains from another process.
func TestMain(m *testing.M) {
	if spool := os.Getenv("CARRYOVER_TEST_DRAIN"); spool != "" {
		drainElsewhere(spool, os.Getenv("CARRYOVER_TEST_BOOK"))
		return
	}
	goleak.VerifyTestMain(m)
}

// drainElsewhere drains until its input ends, once more after that, and prints the sum.
func drainElsewhere(spool, path string) {
	b, err := book.Open(path)
	if err != nil {
		panic(err)
	}
	defer b.Close()
	ended := make(chan struct{})
	go func() { os.Stdin.Read(make([]byte, 1)); close(ended) }()
	sum := 0
	for last := false; ; {
		n, err := Drain(context.Background(), spool, b)
		if err != nil {
			panic(err)
		}
		sum += n
		if last {
			fmt.Println(sum)
			return
		}
		select {
		case <-ended:
			last = true
		default:
		}
	}
}

func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func clicksOf(t *testing.T, b *book.Book) (out []book.Click) {
	t.Helper()
	if err := b.Clicks(context.Background(), book.ClickFilter{}, func(c book.Click) error { out = append(out, c); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// counted is the sum over the book's hourly counts.
func counted(t *testing.T, b *book.Book) (n int64) {
	t.Helper()
	counts, err := b.ClickCounts(context.Background(), book.ClickFilter{}, book.ByVerdict, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counts {
		n += c.Total
	}
	return n
}
