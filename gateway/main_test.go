package gateway

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/store"
)

// TestMain is also the gateways that the crash tests kill.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CARRYOVER_TEST_SERVE"); dir != "" {
		serveUntilKilled(dir)
		return
	}
	if dir := os.Getenv("CARRYOVER_TEST_TRACK"); dir != "" {
		trackUntilKilled(dir)
		return
	}
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),    // one for the process, ticks for ever
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2")) // ends up to 10 s after its server
}

var (
	losAngeles   = time.FixedZone("PDT", -7*3600)
	cutoff       = time.Date(2023, 4, 1, 0, 0, 0, 0, losAngeles)
	beforeCutoff = cutoff.Add(-time.Hour)
	afterCutoff  = cutoff.Add(time.Hour)
)

const (
	host    = "go.carrot.test"
	browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)

func smallMap() *mapping.Map {
	return &mapping.Map{
		Policy: mapping.Policy{
			Program: "carrot", KeapApp: "xy123", LegacyHosts: []string{host, "www.old.test"}, AllowedHosts: []string{"carrot.test"},
			Cutoff: cutoff, AfterCutoff: mapping.AfterRedirect, Inactive: mapping.InactiveUncredited,
			Pages: mapping.Pages{
				Landing: "https://carrot.test/", Login: "https://carrot.test/login", Join: "https://carrot.test/join",
				Rejoin: "https://carrot.test/rejoin", PasswordReset: "https://carrot.test/reset", Guide: "https://carrot.test/guide",
			},
			TokenParam: "fpr", SubIDParam: "fp_sid", CodeParams: []string{"aff", "affcode"}, IDParams: []string{"affiliate"},
		},
		Links: []mapping.Link{
			{Code: "demo", Destination: "https://carrot.test/demo?x=1#top"}, {Code: "trial", Destination: "https://carrot.test/trial"}},
		Partners: []mapping.Partner{
			{Code: "ANNA", Token: "anna", Status: mapping.Active}, {Code: "BEN", Token: "ben", Status: mapping.Active},
			{Code: "OLD", Token: "old", Status: mapping.Inactive}, {Code: "HOUSE", Status: mapping.House},
		},
		IDs: []mapping.ID{{KeapID: 11, Code: "ANNA"}, {KeapID: 12, Code: "OLD"}},
	}
}

// fixture is a gateway with a book, a store in it, and a clock.
type fixture struct {
	*App
	t     *testing.T
	book  *book.Book
	store *store.InBook
	now   atomic.Pointer[time.Time]
	logs  *logs
}

func (w *fixture) setNow(t time.Time) { w.now.Store(&t) }

// logs keeps what the gateway logs, for tests to read and for failures to show.
type logs struct {
	buf bytes.Buffer
	mu  chan struct{}
}

func newLogs() *logs { return &logs{mu: make(chan struct{}, 1)} }

func (l *logs) Write(p []byte) (int, error) {
	l.mu <- struct{}{}
	defer func() { <-l.mu }()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu <- struct{}{}
	defer func() { <-l.mu }()
	return l.buf.String()
}

func openBook(t testing.TB) *book.Book {
	t.Helper()
	b, err := book.Open(filepath.Join(t.TempDir(), "book.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// newFixture makes a fixture that is not started; change may adapt its options.
func newFixture(t *testing.T, m *mapping.Map, change func(*Options)) *fixture {
	t.Helper()
	w := &fixture{t: t, book: openBook(t), logs: newLogs()}
	w.setNow(beforeCutoff)
	w.store = store.OpenBook(w.book, store.PollEvery(5*time.Millisecond))
	if m != nil {
		w.publish(m)
	}
	o := Options{
		Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", DataDir: t.TempDir(), Feed: w.store, Book: w.book, Program: "carrot", Node: "web1",
		Zone: losAngeles, Now: func() time.Time { return *w.now.Load() }, Logger: slog.New(slog.NewTextHandler(w.logs, nil)),
	}
	if change != nil {
		change(&o)
	}
	var err error
	if w.App, err = New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop(t, w.App)
		if t.Failed() {
			t.Log(w.logs)
		}
	})
	return w
}

func startFixture(t *testing.T, m *mapping.Map, change func(*Options)) *fixture {
	t.Helper()
	w := newFixture(t, m, change)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *fixture) publish(m *mapping.Map) store.Epoch {
	w.t.Helper()
	e, _, err := w.store.Publish(context.Background(), m, "plan", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func stop(t testing.TB, a *App) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := a.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// response is a response with its body read.
type response struct {
	*http.Response
	body string
}

// sendRaw sends request as it is over a connection of its own.
func sendRaw(t testing.TB, addr, request string) response {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%.200q: %v", request, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return response{res, string(body)}
}

// get asks for target on host, with header lines such as "Cookie: a=b".
func (w *fixture) get(target string, headers ...string) response {
	w.t.Helper()
	return w.send("GET", host, target, headers...)
}

func (w *fixture) send(method, host, target string, headers ...string) response {
	w.t.Helper()
	lines := append([]string{method + " " + target + " HTTP/1.1", "Host: " + host, "User-Agent: " + browser, "Connection: close"}, headers...)
	return sendRaw(w.t, w.Addr(), strings.Join(lines, "\r\n")+"\r\n\r\n")
}

// clicks drains and gives all clicks of the book.
func (w *fixture) clicks() (out []book.Click) {
	w.t.Helper()
	if _, err := w.Drain(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	collect := func(c book.Click) error { out = append(out, c); return nil }
	if err := w.book.Clicks(context.Background(), book.ClickFilter{}, collect); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// lastClick drains and gives the click that was recorded last.
func (w *fixture) lastClick() book.Click {
	w.t.Helper()
	var last book.Click
	for _, c := range w.clicks() {
		if c.Seq > last.Seq {
			last = c
		}
	}
	return last
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// serveUntilKilled is the gateway of the crash test. It prints its address.
func serveUntilKilled(dir string) {
	b, err := book.Open(filepath.Join(dir, "book.db"))
	if err != nil {
		panic(err)
	}
	s := store.OpenBook(b)
	if _, _, err := s.Publish(context.Background(), smallMap(), "plan", nil); err != nil {
		panic(err)
	}
	a, err := New(Options{
		Listen: "127.0.0.1:0", DataDir: dir, Feed: s, Book: b, Now: func() time.Time { return beforeCutoff }, DrainEvery: 50 * time.Millisecond,
	})
	if err != nil {
		panic(err)
	}
	if err := a.Start(); err != nil {
		panic(err)
	}
	fmt.Println(a.Addr())
	select {}
}

func epochOf(id int64) store.Epoch { return store.Epoch{ID: id, PublishedAt: beforeCutoff} }
