package console

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	_ "carryover/mapping/book" // the driver
)

// A book that another program writes to is not the caller's mistake, and the message says
// what to do.
func TestBusyBook(t *testing.T) {
	path := "file:" + filepath.Join(t.TempDir(), "book.db") + "?_txlock=immediate"
	open := func() *sql.DB {
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	holder, waiter := open(), open()
	tx, err := holder.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	_, busy := waiter.Begin()
	if busy == nil {
		t.Fatal("two write at once")
	}
	f := func(err error, want ...string) {
		t.Helper()
		var said strings.Builder
		c := &Console{Err: &said}
		code := c.ExitCode(context.Background(), err)
		for _, w := range append(want, "another program is writing to the book", "try") {
			if code != ExitFailed || !strings.Contains(strings.ToLower(said.String()), strings.ToLower(w)) {
				t.Errorf("exit %d, %q does not say %q", code, said.String(), w)
			}
		}
		if done := strings.Contains(err.Error(), "it is recorded"); done == strings.Contains(said.String(), "Nothing was changed") {
			t.Errorf("%q", said.String())
		}
	}
	f(fmt.Errorf("booking a correction: %w", busy), "Nothing was changed", "a large \"apply\"", "a gateway that hangs")
	f(fmt.Errorf("it is recorded, but the link map was not published: %w; run \"carryover map publish\"", busy), "carryover map publish")
}
