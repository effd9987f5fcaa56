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

// What no gateway of this program can have made is refused: counted, named, set aside, and no
// reason for the others to wait.
func TestStreamIsCheckedLikeAnyInput(t *testing.T) {
	ctx := context.Background()
	url, _ := storetest.StartRedis(t)
	b := openBook(t)
	s, sender := openStream(t, url), openStream(t, url)
	key, former := []byte("the key of clicks, 32 bytes long"), []byte("a former key of clicks, 32 bytes")
	s.Sign(key, former)
	sender.Sign(key)
	good := fullClick()
	good.Node = "web1"
	seq := int64(0)
	send := func(by *Stream, change func(c *bookClick)) {
		t.Helper()
		seq++
		c := good
		c.Seq = seq
		change(&c)
		if err := by.Send(ctx, []bookClick{c}); err != nil {
			t.Fatal(err)
		}
	}
	wanted := 0
	refuse := func(words string) {
		t.Helper()
		wanted++
		before, _ := s.Refused()
		send(sender, func(*bookClick) {}) // behind it, and not held up
		n, err := s.Collect(ctx, b)
		now, why := s.Refused()
		if n != 1 || err != nil || now != before+1 || why == nil || !strings.Contains(why.Error(), words) || strings.ContainsAny(why.Error(), "\x1b\n\x00") {
			t.Errorf("%s: %d collected, %v; %d refused, %v", words, n, err, now-before, why)
		}
		if left := s.client.XLen(ctx, s.key("web1")).Val(); left != 0 {
			t.Errorf("%s: %d entries are left", words, left)
		}
	}
	f := func(words string, change func(c *bookClick)) {
		t.Helper()
		send(sender, change)
		refuse(words)
	}
	f("its time is 292278994", func(c *bookClick) { c.At = time.UnixMilli(1<<63 - 1) })
	f("its time is 1970", func(c *bookClick) { c.At = time.UnixMilli(0) })
	f("its time is", func(c *bookClick) { c.At = time.Now().Add(48 * time.Hour) })
	f("its number is \"0\"", func(c *bookClick) { c.Seq = 0 })
	f("its number is \"-7\"", func(c *bookClick) { c.Seq = -7 })
	f("its path holds what is not printable", func(c *bookClick) { c.Path = "/go/\x1b[2J" })
	f("its path holds what is not printable", func(c *bookClick) { c.Path = "/go/\xff" })
	f("its user agent holds what is not printable", func(c *bookClick) { c.UserAgent = "a\nb" })
	f("its host holds what is not printable", func(c *bookClick) { c.Host = "go.carrot.test\u0085" })
	f("its token holds what is not printable", func(c *bookClick) { c.Token = "an\x00na" })
	f("its path has 5000 bytes", func(c *bookClick) { c.Path = "/" + strings.Repeat("x", 4999) })
	f("bytes", func(c *bookClick) { c.Path = "/" + strings.Repeat("x", 100_000) })
	f("its outcome is \"owned\"", func(c *bookClick) { c.Outcome = "owned" })
	f("its verdict is \"\"", func(c *bookClick) { c.Verdict = "" })
	f("its verdict is \"god\"", func(c *bookClick) { c.Verdict = "god" })
	f("its visitor is", func(c *bookClick) { c.Visitor = "203.0.113.7" })
	f("its epoch is -1", func(c *bookClick) { c.Epoch = -1 })

	send(openStream(t, url), func(*bookClick) {}) // unsigned
	refuse("not signed with the program's secret")
	entries := func(values ...any) {
		t.Helper()
		if err := s.client.XAdd(ctx, &redis.XAddArgs{Stream: s.key("web1"), Values: values}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	entries("x", "y")
	refuse("its number is")
	entries("seq", "1e9", "click", "\x01")
	refuse("its number is \"1e9\"")
	// A signed click under another number, or another gateway's name, is none.
	body := Append(nil, &good)
	entries("seq", 77, "click", body, "sig", signature(key, "web1", 78, body))
	refuse("not signed")
	entries("seq", 77, "click", body, "sig", signature(key, "web2", 77, body))
	refuse("not signed")
	entries("seq", 77, "click", "\x01junk", "sig", signature(key, "web1", 77, []byte("\x01junk")))
	refuse("not the stored form")
	entries("seq", 1, "click", strings.Repeat("x", 6<<20)) // larger than any answer may be
	refuse("more than")

	// One of a machine with another secret is as good as any, most likely: it waits.
	strangersKey := []byte("the key of somebody else's clicks")
	stranger := openStream(t, url)
	stranger.Sign(strangersKey)
	send(stranger, func(*bookClick) {})
	send(sender, func(*bookClick) {})
	if n, err := s.Collect(ctx, b); n != 1 || err == nil || !strings.Contains(err.Error(), "set CARRYOVER_SECRET to one text") {
		t.Errorf("a click of another secret: %d, %v", n, err)
	}
	sharing := openStream(t, url)
	sharing.Sign(key, strangersKey)
	if n, err := sharing.Collect(ctx, b); n != 1 || err != nil {
		t.Errorf("a click that waited: %d, %v", n, err)
	}

	old := openStream(t, url)
	old.Sign(former)
	send(old, func(*bookClick) {})
	s = openStream(t, url)
	s.Sign(key, former)
	if n, err := s.Collect(ctx, b); n != 1 || err != nil {
		t.Errorf("a click of the former secret: %d, %v", n, err)
	}

	// Names of gateways come from there too; each wrong one goes, the right ones are looked at.
	s.client.SAdd(ctx, s.nodesKey(), "a:b", "\x1b[2J", strings.Repeat("n", 65), "", "web1/../x")
	s.client.Set(ctx, s.key("odd"), "of another type", 0)
	s.client.SAdd(ctx, s.nodesKey(), "odd")
	send(sender, func(*bookClick) {})
	n, err := s.Collect(ctx, b)
	if n != 1 || err == nil || !strings.Contains(err.Error(), "WRONGTYPE") || !strings.Contains(err.Error(), "odd") {
		t.Errorf("%d, %v", n, err)
	}
	if nodes := s.client.SMembers(ctx, s.nodesKey()).Val(); len(nodes) != 2 {
		t.Errorf("%q", nodes)
	}
	kept := s.client.XRange(ctx, s.prefix+"clicks_refused", "-", "+").Val()
	if len(kept) != wanted-1 || kept[0].Values["node"] != "web1" || kept[0].Values["why"] == "" || kept[0].Values["click"] == "" {
		t.Errorf("%d entries are kept, want %d", len(kept), wanted-1) // the large one is not
	}
	for _, c := range clicksOf(t, b) {
		if c.Path != good.Path || c.Verdict != good.Verdict {
			t.Errorf("in the book: %+v", c)
		}
	}
}

// Entries that stay are not read again in every pass, and are told in every one.
func TestStreamGoesOnBehindWhatStays(t *testing.T) {
	ctx := context.Background()
	url, _ := storetest.StartRedis(t)
	b, s := openBook(t), openStream(t, url)
	for i := range 3 {
		s.client.XAdd(ctx, &redis.XAddArgs{Stream: s.key("web1"), Values: []any{"seq", i + 1, "click", "\x02 of a newer version"}})
	}
	c := fullClick()
	c.Node = "web1"
	for seq := range int64(2 * lookAgainAfter) {
		c.Seq = 10 + seq
		if err := s.Send(ctx, []bookClick{c}); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Collect(ctx, b); n != 1 || err == nil || !strings.Contains(err.Error(), "3 entries of") {
			t.Fatalf("pass %d: %d, %v", seq, n, err)
		}
	}
	if left := s.client.XLen(ctx, s.key("web1")).Val(); left != 3 {
		t.Errorf("%d entries are left", left)
	}
}
