package track

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	keyInUse = "key-in-use-0123456789"
	keyNext  = "key-that-comes-after-it"
)

// apiFixture is an API behind a listener of its own.
type apiFixture struct {
	*testing.T
	api  *API
	addr string
	logs *logBuffer
}

// logBuffer keep what is logged.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// submitFunc books nothing and answers always the same.
type submitFunc func(*Call) (Result, error)

func (a submitFunc) Submit(_ context.Context, c *Call) (Result, error) { return a(c) }

// serveAPI serves what submit books, with the key in use and the account "carrot"; change
// may adapt that.
func serveAPI(t *testing.T, submit Submitter, change func(*APIOptions)) *apiFixture {
	t.Helper()
	logs := &logBuffer{}
	o := APIOptions{Submit: submit, Accounts: []string{"carrot"}, Zone: losAngeles,
		Logger: slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	var err error
	if o.Keys, err = ParseKeys(keyInUse); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&o)
	}
	api := NewAPI(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &fasthttp.Server{
		CloseOnShutdown: true, NoDefaultContentType: true, NoDefaultServerHeader: true, ReadTimeout: 5 * time.Second, ReadBufferSize: 16 << 10,
		Handler: func(ctx *fasthttp.RequestCtx) {
			addr, _ := netip.ParseAddr(string(ctx.Request.Header.Peek("X-Test-Address")))
			api.Serve(ctx, string(ctx.URI().PathOriginal()), string(ctx.URI().QueryString()), addr)
		},
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return &apiFixture{t, api, l.Addr().String(), logs}
}

// reply is an answer with its body read.
type reply struct {
	*http.Response
	body string
}

// send sends a request with header lines such as "Account-ID: carrot".
func (c *apiFixture) send(method, target, body string, headers ...string) reply {
	c.Helper()
	req, err := http.NewRequest(method, "http://"+c.addr+target, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	req.Header.Set("User-Agent", "billing")
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header[name] = append(req.Header[name], value) // as it is written
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.Fatal(err)
	}
	return reply{res, string(text)}
}

// v2 and v1 send a body as a billing system does that was written for FirstPromoter.
func (c *apiFixture) v2(kind, body string, headers ...string) reply {
	c.Helper()
	return c.send("POST", "/api/v2/track/"+kind, body,
		append([]string{"Authorization: Bearer " + keyInUse, "Account-ID: carrot", "Content-Type: application/json"}, headers...)...)
}

func (c *apiFixture) v1(kind, form string, headers ...string) reply {
	c.Helper()
	return c.send("POST", "/api/v1/track/"+kind, form,
		append([]string{"X-API-KEY: " + keyInUse, "Content-Type: application/x-www-form-urlencoded"}, headers...)...)
}

// check checks status and body; a body that is JSON is compared as such.
func (r reply) check(t *testing.T, status int, want string) {
	t.Helper()
	if r.StatusCode != status || !sameJSON(r.body, want) {
		t.Errorf("%d %s\nwant %d %s", r.StatusCode, r.body, status, want)
	}
	if r.body != "" && r.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("content type %q", r.Header.Get("Content-Type"))
	}
}

func sameJSON(a, b string) bool {
	if a == "" || b == "" {
		return a == b
	}
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return string(p) == string(q)
}
