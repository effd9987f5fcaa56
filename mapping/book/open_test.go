package book_test

import (
	"path/filepath"
	"sync"
	"testing"

	"carryover/mapping/book"
)

// Whoever opens a book while others create it waits for them.
func TestOpenAtOnce(t *testing.T) {
	for range 40 {
		path := filepath.Join(t.TempDir(), "book.db")
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				b, err := book.Open(path)
				if err != nil {
					t.Error(err)
					return
				}
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}
