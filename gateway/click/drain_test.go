package click

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestDrainBringsEachClickToTheBook(t *testing.T) {
	path, b := filepath.Join(t.TempDir(), "clicks.db"), openBook(t)
	if n, err := Drain(context.Background(), path, b); n != 0 || err != nil {
		t.Fatalf("a missing spool: %d %v", n, err)
	}
	r := newRecorder(t, RecorderOptions{Path: path, Node: "web1"})
	want := fullClick()
	want.Verdict, want.Reason, want.Rules = "", "", 0
	id, err := r.Record(&want)
	if err != nil {
		t.Fatal(err)
	}
	want.Node, want.Seq = id.Node, id.Seq
	want.Verdict, want.Reason = Verdict(want.UserAgent, Signal(want.Signals))
	want.Rules = Rules
	for _, n := range []int{1, 0} {
		if got, err := Drain(context.Background(), path, b); got != n || err != nil {
			t.Fatalf("%d %v, want %d", got, err, n)
		}
	}
	if got := clicksOf(t, b); len(got) != 1 || got[0] != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if left := spooledIDs(t, path); len(left) != 0 {
		t.Errorf("%v is still spooled", left)
	}
}

// A drain that was killed between the book and the deletion delivers twice.
func TestSecondDeliveryCountsNothing(t *testing.T) {
	ctx, b := context.Background(), openBook(t)
	c := fullClick()
	c.Node, c.Seq = "web1", 7
	for i, want := range []int{1, 0, 0} {
		if n, err := b.AddClicks(ctx, []bookClick{c}); n != want || err != nil {
			t.Errorf("delivery %d: %d %v", i, n, err)
		}
	}
	if n := counted(t, b); n != 1 {
		t.Errorf("counted %d times", n)
	}
}

func TestUnreadableClicksAreKeptApart(t *testing.T) {
	ctx, path, b := context.Background(), filepath.Join(t.TempDir(), "clicks.db"), openBook(t)
	r := newRecorder(t, RecorderOptions{Path: path})
	record := func() {
		if _, err := r.Record(aClick()); err != nil {
			t.Fatal(err)
		}
	}
	record()
	if err := r.Do(ctx, func(c *sql.Conn) error {
		_, err := c.ExecContext(ctx, "INSERT INTO click (body) VALUES (x'ff00')")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	record()
	if n, err := Drain(ctx, path, b); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	src, err := openSpoolReader(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.close()
	var kept int
	err = src.conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM unreadable").Scan(&kept)
	if err != nil || kept != 1 || len(spooledIDs(t, path)) != 0 {
		t.Error(kept, err)
	}
}

func TestDrainerRunsBehindTheRecorder(t *testing.T) {
	path, b := filepath.Join(t.TempDir(), "clicks.db"), openBook(t)
	r := newRecorder(t, RecorderOptions{Path: path})
	d := NewDrainer(DrainOptions{Spool: path, Recorder: r, Book: b, Every: time.Millisecond, Settle: -1})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { d.Run(ctx) })
	for range 500 {
		if _, err := r.Record(aClick()); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "all are in the book", func() bool { return len(clicksOf(t, b)) == 500 })
	until(t, "nothing lags", func() bool { age, n := d.Lag(); return age == 0 && n == 0 })
	cancel()
	wg.Wait()
	if n := counted(t, b); n != 500 {
		t.Errorf("%d counted", n)
	}
}

func TestClicksSettleBeforeTheyAreJudged(t *testing.T) {
	ctx, path, b := context.Background(), filepath.Join(t.TempDir(), "clicks.db"), openBook(t)
	r := newRecorder(t, RecorderOptions{Path: path})
	now := time.Now()
	d := NewDrainer(DrainOptions{Spool: path, Recorder: r, Book: b, Now: func() time.Time { return now }})
	c := aClick()
	c.At = now
	if _, err := r.Record(c); err != nil {
		t.Fatal(err)
	}
	if n, err := d.drain(ctx, d.o.Settle, true); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	if _, n := d.Lag(); n != 1 {
		t.Errorf("%d wait", n)
	}
	now = now.Add(d.o.Settle + time.Second)
	if n, err := d.drain(ctx, d.o.Settle, true); n != 1 || err != nil {
		t.Fatal(n, err)
	}
}

func TestOldRawClicksGoAndCountsStay(t *testing.T) {
	ctx, b := context.Background(), openBook(t)
	old, young := fullClick(), fullClick()
	old.Node, old.Seq, young.Node, young.Seq = "web1", 1, "web1", 2
	young.At = old.At.AddDate(0, 1, 0)
	if _, err := b.AddClicks(ctx, []bookClick{old, young}); err != nil {
		t.Fatal(err)
	}
	now := young.At.AddDate(0, 0, 1)
	d := NewDrainer(DrainOptions{
		Spool: filepath.Join(t.TempDir(), "none"), Book: b, KeepClicks: 7 * 24 * time.Hour, Now: func() time.Time { return now },
	})
	run, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { d.Run(run) })
	until(t, "the old click is gone", func() bool { return len(clicksOf(t, b)) == 1 })
	cancel()
	wg.Wait()
	if left := clicksOf(t, b); left[0].Seq != 2 || counted(t, b) != 2 {
		t.Errorf("%+v, %d counted", left, counted(t, b))
	}
}

// Two other processes and the recorder's own drainer drain one spool while it is written.
func TestDrainsFromSeveralProcesses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "clicks.db")
	r := newRecorder(t, RecorderOptions{Path: path, Bound: time.Minute})
	b := openBook(t)
	type other struct {
		cmd    *exec.Cmd
		stdin  interface{ Close() error }
		out    bytes.Buffer
		errors bytes.Buffer
	}
	var others []*other
	for range 2 {
		o := &other{cmd: exec.Command(os.Args[0])}
		o.cmd.Env = append(os.Environ(), "CARRYOVER_TEST_DRAIN="+path, "CARRYOVER_TEST_BOOK="+b.Path())
		o.cmd.Stdout, o.cmd.Stderr = &o.out, &o.errors
		in, err := o.cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		o.stdin = in
		if err := o.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		others = append(others, o)
	}
	d := NewDrainer(DrainOptions{Spool: path, Recorder: r, Book: b})
	const clicks = 3000
	mine := 0
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range clicks / 10 {
				if _, err := r.Record(aClick()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 20 {
		n, err := d.DrainAll(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		mine += n
	}
	wg.Wait()
	sum := 0
	for _, o := range others {
		o.stdin.Close()
		if err := o.cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, o.errors.String())
		}
		n, err := strconv.Atoi(strings.TrimSpace(o.out.String()))
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	n, err := d.DrainAll(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	mine += n
	if got := len(clicksOf(t, b)); got != clicks || counted(t, b) != clicks || sum+mine != clicks {
		t.Errorf("%d of %d clicks are in the book, %d counted; others say %d, this process %d", got, clicks, counted(t, b), sum, mine)
	}
}
