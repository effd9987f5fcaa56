package click

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"carryover/gateway/group"
	"carryover/mapping/book"
)

func newRecorder(t *testing.T, o RecorderOptions) *Recorder {
	t.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "clicks.db")
	}
	r := NewRecorder(o)
	t.Cleanup(func() { closeRecorder(t, r) })
	return r
}

func closeRecorder(t *testing.T, r *Recorder) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		t.Error(err)
	}
}

// What visitors did is readable by the owner of the gateway only.
func TestSpoolIsPrivate(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t, RecorderOptions{Path: filepath.Join(dir, "clicks.db")})
	if _, err := r.Record(aClick()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		if at, err := e.Info(); err != nil || at.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), at.Mode(), err)
		}
	}
}

func aClick() *book.Click {
	c := fullClick()
	c.At, c.Verdict, c.Reason, c.Rules = time.Now(), "", "", 0
	return &c
}

// until polls for a condition that must come.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

func openBook(t *testing.T) *book.Book {
	t.Helper()
	b, err := book.Open(filepath.Join(t.TempDir(), "book.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// spooledIDs reads a spool as another process would.
func spooledIDs(t *testing.T, path string) []int64 {
	t.Helper()
	src, err := openSpoolReader(context.Background(), path)
	if err != nil || src == nil {
		t.Fatal(src, err)
	}
	defer src.close()
	rows, err := src.conn.QueryContext(context.Background(), "SELECT seq FROM click ORDER BY seq")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var seq int64
		if err := rows.Scan(&seq); err != nil {
			t.Fatal(err)
		}
		out = append(out, seq)
	}
	return out
}

func TestEveryRecordedClickIsInTheSpoolOnce(t *testing.T) {
	for _, durability := range []string{DurabilityNormal, DurabilityFull} {
		path := filepath.Join(t.TempDir(), "clicks.db")
		r := newRecorder(t, RecorderOptions{Path: path, Durability: durability})
		var mu sync.Mutex
		seen := map[int64]bool{}
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				for range 50 {
					id, err := r.Record(aClick())
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if seen[id.Seq] || id.Node != r.Node() {
						t.Errorf("%v was given twice, or not by %s", id, r.Node())
					}
					seen[id.Seq] = true
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		ids := spooledIDs(t, path)
		if len(ids) != len(seen) || len(ids) != 2000 {
			t.Fatalf("%d answered, %d spooled", len(seen), len(ids))
		}
		for _, id := range ids {
			if !seen[id] {
				t.Errorf("%d was answered with another number", id)
			}
		}
		if recorded, dropped, late := r.Counts(); recorded != 2000 || dropped+late != 0 {
			t.Error(recorded, dropped, late)
		}
	}
}

func TestNumbersAreNeverUsedTwice(t *testing.T) {
	path, b := filepath.Join(t.TempDir(), "clicks.db"), openBook(t)
	var last int64
	next := func(r *Recorder) {
		t.Helper()
		id, err := r.Record(aClick())
		if err != nil || id.Seq <= last {
			t.Fatalf("%v after %d: %v", id, last, err)
		}
		last = id.Seq
	}
	for range 3 {
		r := newRecorder(t, RecorderOptions{Path: path, Node: "web1"})
		next(r)
		if n, err := Drain(context.Background(), path, b); n == 0 || err != nil {
			t.Fatal(n, err)
		}
		next(r) // the spool is empty: its largest number is gone
		closeRecorder(t, r)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	os.Remove(path + "-wal")
	os.Remove(path + "-shm")
	next(newRecorder(t, RecorderOptions{Path: path, Node: "web1"})) // even when the file was lost
}

// A file that was copied, or that is an older one brought back, has the same node and the same
// numbers behind it. What is recorded over either from then on has others, and so is counted;
// what is in both is counted once.
func TestCopiedSpoolGivesOtherNumbers(t *testing.T) {
	path, b := filepath.Join(t.TempDir(), "clicks.db"), openBook(t)
	r := newRecorder(t, RecorderOptions{Path: path, Node: "web1"})
	record := func(r *Recorder) {
		t.Helper()
		if _, err := r.Record(aClick()); err != nil {
			t.Fatal(err)
		}
	}
	record(r)
	older := filepath.Join(t.TempDir(), "clicks.db")
	if err := book.CopyDatabase(t.Context(), path, older); err != nil {
		t.Fatal(err)
	}
	record(r) // after the copy, and drained: the book is ahead of the copy
	if n, err := Drain(t.Context(), path, b); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	clone := newRecorder(t, RecorderOptions{Path: older, Node: "web1"})
	for range 3 {
		record(clone)
		record(r)
	}
	drainer := NewDrainer(DrainOptions{Spool: older, Book: b})
	src, err := openSpoolReader(t.Context(), older)
	if err != nil {
		t.Fatal(err)
	}
	drainer.measure(src)
	src.close()
	if _, n := drainer.Lag(); n != 4 {
		t.Errorf("%d clicks are said to wait, want 4: one of the former numbers and three", n)
	}
	for _, want := range []struct {
		path string
		n    int
	}{{older, 3}, {path, 3}} {
		if n, err := Drain(t.Context(), want.path, b); n != want.n || err != nil {
			t.Errorf("%d clicks of %s were new, want %d: %v", n, want.path, want.n, err)
		}
	}
	if n := len(clicksOf(t, b)); n != 8 {
		t.Errorf("the book has %d clicks, want 8", n)
	}
}

func TestNodeIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clicks.db")
	r := newRecorder(t, RecorderOptions{Path: path})
	node := r.Node()
	if node == "" {
		t.Fatal("no name was made")
	}
	closeRecorder(t, r)
	if r := newRecorder(t, RecorderOptions{Path: path, Node: "other"}); r.Node() != node {
		t.Errorf("%q became %q", node, r.Node())
	}
	if r := newRecorder(t, RecorderOptions{Node: "web1"}); r.Node() != "web1" {
		t.Errorf("%q", r.Node())
	}
}

func TestRecorderCopies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clicks.db")
	r := newRecorder(t, RecorderOptions{Path: path})
	shared := []byte("/go/demo/ANNA")
	c := aClick()
	c.Path = view(shared)
	if _, err := r.Record(c); err != nil {
		t.Fatal(err)
	}
	copy(shared, "overwritten!!")
	b := openBook(t)
	if _, err := Drain(context.Background(), path, b); err != nil {
		t.Fatal(err)
	}
	for _, c := range clicksOf(t, b) {
		if c.Path != "/go/demo/ANNA" {
			t.Errorf("%q", c.Path)
		}
	}
}

// A full disk as SQLite sees it: no page more than there are.
func fill(t *testing.T, r *Recorder) {
	t.Helper()
	if err := r.Do(context.Background(), func(c *sql.Conn) error {
		_, err := c.ExecContext(context.Background(), "PRAGMA max_page_count = 1")
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestFullDiskDropsCountsAndRecovers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clicks.db")
	r := newRecorder(t, RecorderOptions{Path: path})
	fill(t, r)
	var dropped uint64
	until(t, "the disk is full", func() bool {
		_, err := r.Record(aClick())
		if err != nil {
			dropped++
			var f *Fault
			if !errors.As(err, &f) {
				t.Fatal(err)
			}
		}
		return err != nil
	})
	// The recorder opens the file anew, and with that the limit is gone: there is room.
	until(t, "there is room again", func() bool {
		_, err := r.Record(aClick())
		if err != nil {
			dropped++
		}
		return err == nil
	})
	if r.Fault() != nil {
		t.Error(r.Fault())
	}
	recorded, n, _ := r.Counts()
	if n != dropped || int(recorded) != len(spooledIDs(t, path)) {
		t.Errorf("%d dropped, counted %d; %d recorded, %d spooled", dropped, n, recorded, len(spooledIDs(t, path)))
	}
}

func TestDiskThatDoesNotAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clicks.db")
	r := newRecorder(t, RecorderOptions{Path: path, Bound: 20 * time.Millisecond})
	hangs, ends := make(chan struct{}), make(chan struct{})
	go r.Do(context.Background(), func(*sql.Conn) error { close(hangs); <-ends; return nil })
	<-hangs
	for range 3 {
		if _, err := r.Record(aClick()); !errors.Is(err, errNoAnswer) {
			t.Fatal(err)
		}
	}
	if f := r.Fault(); f == nil {
		t.Error("nothing is said about it")
	}
	close(ends)
	until(t, "the disk answers", func() bool { _, err := r.Record(aClick()); return err == nil })
	recorded, dropped, late := r.Counts()
	if spooled := len(spooledIDs(t, path)); uint64(spooled) != recorded+late || dropped < 3 {
		t.Errorf("%d recorded, %d dropped, %d late, %d spooled", recorded, dropped, late, spooled)
	}
}

func TestDamagedSpoolIsSetAside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "clicks.db")
	text := "this was a database before the disk died, and it is long enough to be looked at"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRecorder(t, RecorderOptions{Path: path})
	if _, err := r.Record(aClick()); err != nil {
		t.Fatal(err)
	}
	aside, _ := filepath.Glob(path + ".damaged-*")
	if len(aside) != 1 {
		t.Errorf("%v", aside)
	}
}

func TestDirectoryThatIsNotThereYet(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "data")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil { // where the folder should be
		t.Fatal(err)
	}
	r := newRecorder(t, RecorderOptions{Path: filepath.Join(blocked, "clicks.db")})
	if _, err := r.Record(aClick()); err == nil {
		t.Fatal("recorded nowhere")
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	until(t, "the folder can be made", func() bool { _, err := r.Record(aClick()); return err == nil })
}

func TestClosedRecorder(t *testing.T) {
	r := newRecorder(t, RecorderOptions{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for {
				if _, err := r.Record(aClick()); err != nil {
					if !errors.Is(err, group.ErrClosed) {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	closeRecorder(t, r)
	closeRecorder(t, r)
	wg.Wait()
	recorded, _, _ := r.Counts()
	if spooled := len(spooledIDs(t, r.o.Path)); uint64(spooled) != recorded {
		t.Errorf("%d answered, %d spooled", recorded, spooled)
	}
}
