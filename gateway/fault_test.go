package gateway

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"carryover/gateway/click"
	"carryover/mapping/book"
	"carryover/mapping/secret"
	"carryover/mapping/store"
	"carryover/mapping/store/storetest"
)

// Every redirect that was answered is in the book afterwards, however the gateway ended.
func TestKillUnderLoadLosesNoClick(t *testing.T) {
	for range 3 {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "CARRYOVER_TEST_SERVE="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		addr, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		answered := map[string]bool{} // by the click ids in the cookies
		lock := make(chan struct{}, 1)
		s, err := secret.Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := click.NewKeyring(s.Keys(secret.Cookies)...)
		if err != nil {
			t.Fatal(err)
		}
		d := startLoad(strings.TrimSpace(addr), 32, func(res *http.Response) error {
			if err := isRedirect(res); err != nil {
				return err
			}
			mark, _ := keys.Verify(res.Cookies()[0].Value)
			lock <- struct{}{}
			answered[mark.Click.String()] = true
			<-lock
			return nil
		})
		until(t, "there is load", func() bool { return d.answered.Load() > 2000 })
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		d.wg.Wait() // each connection broke
		b, err := book.Open(filepath.Join(dir, "book.db"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := click.Drain(context.Background(), filepath.Join(dir, "clicks.db"), b); err != nil {
			t.Fatal(err)
		}
		var rows, counted int64
		if err := b.Clicks(context.Background(), book.ClickFilter{}, func(c book.Click) error {
			rows++
			delete(answered, book.ClickID{Node: c.Node, Seq: c.Seq}.String())
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		counts, err := b.ClickCounts(context.Background(), book.ClickFilter{}, book.ByOutcome, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range counts {
			counted += c.Total
		}
		b.Close()
		t.Logf("%d answered, %d recorded", d.answered.Load(), rows)
		if len(answered) != 0 || rows < d.answered.Load() || counted != rows {
			t.Errorf("%d of %d answered clicks are missing; %d recorded, %d counted", len(answered), d.answered.Load(), rows, counted)
		}
	}
}

// fullDisk gives a data directory and the ways to fill its disk and to make room again. It is a disk of
// its own where one can be mounted; elsewhere SQLite is told that there are no more pages.
func fullDisk(t *testing.T) (dir string, fill func(*App), free func()) {
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Logf("no disk of its own (%v)", err)
		var stop atomic.Bool
		fill = func(a *App) {
			go func() { // again and again: the recorder opens the file anew
				for !stop.Load() {
					a.recorder.Do(context.Background(), func(c *sql.Conn) error {
						_, err := c.ExecContext(context.Background(), "PRAGMA max_page_count = 1")
						return err
					})
				}
			}()
		}
		return dir, fill, func() { stop.Store(true) }
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	return dir, func(*App) {
			f, err := os.Create(ballast)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for {
				if _, err := f.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}, func() {
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
		}
}

func TestFullDisk(t *testing.T) {
	dir, fill, free := fullDisk(t)
	w := startFixture(t, smallMap(), func(o *Options) { o.DataDir = dir })
	d := startLoad(w.Addr(), 8, isRedirect)
	d.waitFor(t, 100)
	fill(w.App)
	until(t, "readiness says so", func() bool { h, _ := health(t, w.Addr()); return h.Clicks == "dropping" })
	d.waitFor(t, 100) // visitors are redirected all the same
	h, status := health(t, w.Addr())
	_, dropped, _ := w.recorder.Counts()
	// The disk may take a click now and then while it is full: then it says ready again.
	if h.Clicks == "dropping" && (status != 503 || h.Ready || len(h.Reasons) == 0) || dropped == 0 {
		t.Errorf("%d %+v, %d dropped", status, h, dropped)
	}
	if !strings.Contains(w.logs.String(), "clicks cannot be recorded") {
		t.Error("the log does not say so")
	}
	free()
	until(t, "clicks are recorded again", func() bool { h, _ := health(t, w.Addr()); return h.Clicks == "ok" })
	before, _, _ := w.recorder.Counts()
	d.waitFor(t, 100)
	until(t, "they are counted", func() bool { n, _, _ := w.recorder.Counts(); return n > before })
	n := d.finish(t)
	recorded, dropped, late := w.recorder.Counts()
	if got := len(w.clicks()); uint64(got) != recorded+late || recorded+dropped != uint64(n) {
		t.Errorf("%d answered: %d recorded, %d dropped, %d late; %d in the book", n, recorded, dropped, late, got)
	}
}

// The map comes from Redis and clicks leave over Redis, while Redis stops, hangs and
// comes back: no visitor notices.
func TestRedisGoesAndComesUnderLoad(t *testing.T) {
	url, server := storetest.StartRedis(t)
	feed, err := store.OpenRedis(url, "carrot", store.PollEvery(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { feed.Close() })
	if _, _, err := feed.Publish(context.Background(), smallMap(), "plan", nil); err != nil {
		t.Fatal(err)
	}
	shared := parseSecret(t, "a-secret-that-two-gateways-share")
	edge := startFixture(t, nil, func(o *Options) {
		o.Feed, o.RedisURL, o.Book, o.Node, o.DrainEvery, o.Secret = feed, url, nil, "edge", 10*time.Millisecond, shared
	})
	home := startFixture(t, nil, func(o *Options) {
		o.Feed, o.RedisURL, o.Node, o.DrainEvery, o.Secret = feed, url, "home", 10*time.Millisecond, shared
	})
	edgeLoad, homeLoad := startLoad(edge.Addr(), 4, isRedirect), startLoad(home.Addr(), 4, isRedirect)
	both := func() {
		t.Helper()
		edgeLoad.waitFor(t, 100)
		homeLoad.waitFor(t, 100)
	}
	noticed := func() {
		t.Helper()
		until(t, "readiness tells of it", func() bool { h, _ := health(t, edge.Addr()); return len(h.Warnings) > 0 && h.Ready })
		both()
	}
	both()
	server.Stop()
	noticed()
	server.Restart()
	both()
	until(t, "all is well", func() bool { h, _ := health(t, edge.Addr()); return len(h.Warnings) == 0 })
	server.Pause()
	noticed()
	server.Resume()
	changed := smallMap()
	changed.Links[1].Destination = "https://carrot.test/trial2"
	if _, _, err := feed.Publish(context.Background(), changed, "plan", nil); err != nil {
		t.Fatal(err)
	}
	until(t, "both follow again", func() bool {
		return edge.maps.live.Load().epoch.ID == 2 && home.maps.live.Load().epoch.ID == 2
	})
	both()
	answered := edgeLoad.finish(t) + homeLoad.finish(t)
	for _, w := range []*fixture{edge, home} {
		w.setNow(beforeCutoff.Add(time.Hour)) // everything has settled
		if _, dropped, _ := w.recorder.Counts(); dropped != 0 {
			t.Errorf("%d dropped", dropped)
		}
	}
	until(t, "all clicks are in the book", func() bool {
		n := int64(0)
		counts, err := home.book.ClickCounts(context.Background(), book.ClickFilter{}, book.ByOutcome, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range counts {
			n += c.Total
		}
		return n == answered
	})
	if got := len(home.clicks()); int64(got) != answered {
		t.Errorf("%d answered, %d in the book", answered, got)
	}
}

func TestStopFinishesWhatWasAccepted(t *testing.T) {
	w := startFixture(t, smallMap(), nil)
	inside, goOn := make(chan struct{}), make(chan struct{})
	record := w.links.record
	var slow atomic.Bool
	w.links.record = func(c *book.Click) (book.ClickID, error) {
		if slow.CompareAndSwap(false, true) {
			close(inside)
			<-goOn
		}
		return record(c)
	}
	answers := make(chan response)
	go func() { answers <- w.get("/go/demo/ANNA") }()
	<-inside
	idle, err := net.Dial("tcp", w.Addr()) // says nothing: nobody waits for it for long
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	stopped := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		stopped <- w.Stop(ctx)
	}()
	until(t, "no new connection is taken", func() bool {
		conn, err := net.Dial("tcp", w.Addr())
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	close(goOn)
	if a := <-answers; a.StatusCode != 302 {
		t.Error(a.StatusCode)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	stop(t, w.App) // again: nothing happens
	n := 0
	if err := w.book.Clicks(context.Background(), book.ClickFilter{}, func(book.Click) error { n++; return nil }); err != nil || n != 1 {
		t.Errorf("%d clicks reached the book before the stop was over (%v)", n, err)
	}
}

func TestStartFailsCleanly(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(change func(*Options), wanted string) {
		t.Helper()
		w := newFixture(t, smallMap(), change)
		err := w.Start()
		if err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("%v, want %q", err, wanted)
		}
	}
	f(func(o *Options) { o.Listen = taken.Addr().String() }, "[gateway] listen")
	f(func(o *Options) { o.AdminListen = taken.Addr().String() }, "[gateway] admin_listen")
	f(func(o *Options) { o.DataDir = filepath.Join(file, "data") }, "--data")
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{Listen: "127.0.0.1:0", DataDir: "x", Feed: &downFeed{}, Logger: slog.Default()}
	f := func(wanted string, change func(*Options)) {
		t.Helper()
		o := good
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("%v, want %q", err, wanted)
		}
	}
	f("listen", func(o *Options) { o.Listen = "" })
	f("--data", func(o *Options) { o.DataDir = "" })
	f("store", func(o *Options) { o.Feed = nil })
	f("program", func(o *Options) { o.RedisURL = "redis://127.0.0.1" })
	f("Redis", func(o *Options) { o.RedisURL, o.Program = "http://x:secret@y", "p" })
	f("cookie_domain", func(o *Options) { o.CookieDomain = "a; Secure" })
	f("durability", func(o *Options) { o.Durability = "none" })
	f("trusted_proxies", func(o *Options) { o.TrustedProxies = []string{"proxy.example"} })
}

func TestRunEndsWithItsContext(t *testing.T) {
	w := newFixture(t, smallMap(), nil)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	until(t, "it serves", func() bool {
		conn, err := net.Dial("tcp", w.Addr())
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// The cookies of gateways that share a secret are good at each; a weak or damaged secret ends the
// start with a sentence, and nothing is written over it.
func TestGatewaysShareTheSecret(t *testing.T) {
	shared := parseSecret(t, "a-secret-that-two-gateways-share")
	first := startFixture(t, smallMap(), func(o *Options) { o.Secret = shared })
	second := startFixture(t, smallMap(), func(o *Options) { o.Secret = shared })
	stranger := startFixture(t, smallMap(), nil)
	cookie := first.get("/go/demo/ANNA").Cookies()[0].Value
	if _, err := second.links.cookie.keys.Read(cookie); err != nil {
		t.Error(err)
	}
	if _, err := stranger.links.cookie.keys.Read(cookie); !errors.Is(err, click.ErrUnknownKey) {
		t.Errorf("a gateway with a secret of its own: %v", err)
	}
	if sealed := first.join.keys.Seal("x", "text"); sealed == first.links.cookie.keys.Seal("x", "text") {
		t.Error("pages and cookies have one key")
	}
	damaged := newFixture(t, smallMap(), nil)
	path := filepath.Join(damaged.o.DataDir, secret.FileName)
	if err := os.WriteFile(path, []byte("0123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := damaged.Start(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "0123\n" {
		t.Errorf("%q, %v", text, err)
	}
}
