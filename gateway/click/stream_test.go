package click

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"carryover/mapping/book"
	"carryover/mapping/store/storetest"
)

type bookClick = book.Click

func openStream(t *testing.T, url string) *Stream {
	t.Helper()
	s, err := OpenStream(url, "carrot")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Two gateways without a book ship, one with a book collects, all at once.
func TestTwoNodesIntoOneBook(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	b := openBook(t)
	ctx, cancel := context.WithCancel(context.Background())
	var behind, front sync.WaitGroup
	const each = 1500
	for _, node := range []string{"web1", "web2"} {
		path := filepath.Join(t.TempDir(), "clicks.db")
		r := newRecorder(t, RecorderOptions{Path: path, Node: node})
		d := NewDrainer(DrainOptions{Spool: path, Recorder: r, Stream: openStream(t, url), Every: time.Millisecond, Settle: -1})
		behind.Go(func() { d.Run(ctx) })
		front.Go(func() {
			for range each {
				if _, err := r.Record(aClick()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	own := filepath.Join(t.TempDir(), "clicks.db")
	r := newRecorder(t, RecorderOptions{Path: own, Node: "main"})
	d := NewDrainer(DrainOptions{Spool: own, Recorder: r, Book: b, Stream: openStream(t, url), Every: time.Millisecond, Settle: -1})
	behind.Go(func() { d.Run(ctx) })
	if _, err := r.Record(aClick()); err != nil {
		t.Fatal(err)
	}
	front.Wait()
	until(t, "all clicks are in the book", func() bool { return counted(t, b) >= 2*each+1 })
	cancel()
	behind.Wait()
	nodes := map[string]int{}
	for _, c := range clicksOf(t, b) {
		nodes[c.Node]++
	}
	if nodes["web1"] != each || nodes["web2"] != each || nodes["main"] != 1 || counted(t, b) != 2*each+1 {
		t.Errorf("%v, %d counted", nodes, counted(t, b))
	}
}

func TestShippedTwiceCountsOnce(t *testing.T) {
	ctx := context.Background()
	url, _ := storetest.StartRedis(t)
	b := openBook(t)
	s := openStream(t, url)
	c := fullClick()
	c.Node, c.Seq = "web1", 7
	for range 3 {
		if err := s.Send(ctx, []bookClick{c, c}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{1, 0} {
		if n, err := s.Collect(ctx, b); n != want || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := clicksOf(t, b); len(got) != 1 || got[0] != c || counted(t, b) != 1 {
		t.Errorf("%+v", got)
	}
	if left := s.client.XLen(ctx, s.key("web1")).Val(); left != 0 {
		t.Errorf("%d entries are left", left)
	}
}

func TestStreamEntriesThatCannotBeReadStay(t *testing.T) {
	ctx := context.Background()
	url, _ := storetest.StartRedis(t)
	b := openBook(t)
	s := openStream(t, url)
	c := fullClick()
	c.Node, c.Seq = "web1", 7
	s.client.XAdd(ctx, &redis.XAddArgs{Stream: s.key("web1"), Values: []any{"seq", 6, "click", "of a newer version"}})
	if err := s.Send(ctx, []bookClick{c}); err != nil {
		t.Fatal(err)
	}
	n, err := s.Collect(ctx, b)
	if n != 1 || err == nil || !strings.Contains(err.Error(), "web1") {
		t.Errorf("%d %v", n, err)
	}
	if left := s.client.XLen(ctx, s.key("web1")).Val(); left != 1 {
		t.Errorf("%d entries are left", left)
	}
}

// Clicks wait in the spool while Redis is gone or hangs, and move on when it is back.
func TestRedisThatIsAway(t *testing.T) {
	url, server := storetest.StartRedis(t)
	path := filepath.Join(t.TempDir(), "clicks.db")
	r := newRecorder(t, RecorderOptions{Path: path, Node: "web1"})
	s := openStream(t, url)
	d := NewDrainer(DrainOptions{Spool: path, Recorder: r, Stream: s, Every: time.Millisecond, Settle: -1})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { d.Run(ctx) })
	record := func() {
		t.Helper()
		for range 20 {
			if _, err := r.Record(aClick()); err != nil {
				t.Fatal(err)
			}
		}
	}
	record()
	until(t, "clicks are shipped", func() bool { return s.client.XLen(ctx, s.key("web1")).Val() >= 20 })
	server.Stop()
	record()
	until(t, "the drainer says so", func() bool { return d.Fault() != nil })
	server.Restart()
	until(t, "clicks are shipped again", func() bool { _, n := d.Lag(); return n == 0 && d.Fault() == nil })
	server.Pause()
	record()
	until(t, "the drainer says so", func() bool { return d.Fault() != nil })
	server.Resume()
	until(t, "clicks are shipped again", func() bool { _, n := d.Lag(); return n == 0 && d.Fault() == nil })
	cancel()
	wg.Wait()
	b := openBook(t)
	if _, err := s.Collect(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	recorded, dropped, _ := r.Counts()
	if got := clicksOf(t, b); len(got) != 60 || recorded != 60 || dropped != 0 {
		t.Errorf("%d in the book, %d recorded, %d dropped", len(got), recorded, dropped)
	}
}
