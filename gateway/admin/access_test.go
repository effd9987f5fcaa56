package admin

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// startAdmin serves the admin application on a free port.
func startAdmin(t *testing.T) (addr string, app *fiber.App) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fine := func(c *fiber.Ctx) error { return c.SendString("fine") }
	app = New(Options{
		Settings: fiber.Config{DisableStartupMessage: true, WriteTimeout: time.Second}, // shorter than a profile
		Listen:   "gw7.internal:0", Hosts: []string{"ops.internal"}, Live: fine, Ready: fine, Metrics: prometheus.NewRegistry(),
		Status: func(context.Context) Status { return Status{Program: "carrot"} },
	})
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(ln) }()
	t.Cleanup(func() {
		if err := app.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String(), app
}

// A page that leads its own name to this machine's loopback, or that asks across sites, learns
// nothing; a person who follows a link sees the page.
func TestAccess(t *testing.T) {
	addr, _ := startAdmin(t)
	f := func(method, path, host string, status int, headers ...string) {
		t.Helper()
		r, err := http.NewRequest(method, "http://"+addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Set(name, value)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("%s %s of %q %v: %d, not %d", method, path, host, headers, res.StatusCode, status)
		}
		if res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may be read by other sites", path)
		}
	}
	for _, host := range []string{addr, "localhost", "LOCALHOST:8081", "localhost.", "127.0.0.1", "[::1]:8081", "10.1.2.3:8081", "ops.internal", "Ops.Internal:8081", "gw7.internal"} {
		f("GET", "/", host, 200)
		f("GET", "/metrics", host, 200)
	}
	for _, host := range []string{"evil.test", "evil.test:8081", "localhost.evil.test", "127.0.0.1.evil.test", "1.evil.test", "xlocalhost", "ops.internal.evil.test", "2130706433"} {
		for _, path := range []string{"/", "/readyz", "/metrics", "/debug/pprof/", "/debug/pprof/goroutine", "/nothing"} {
			f("GET", path, host, 421)
		}
		f("GET", "/livez", host, 200) // tells nothing
	}
	person := []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}
	f("GET", "/", addr, 200, person...)
	f("GET", "/debug/pprof/profile", addr, 403, person...)
	f("GET", "/debug/pprof/heap", addr, 403, person...)
	for _, site := range []string{"cross-site", "same-site", "CROSS-SITE", "what comes next"} {
		f("GET", "/", addr, 403, "Sec-Fetch-Site: "+site, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image")
		f("GET", "/", addr, 403, "Sec-Fetch-Site: "+site, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe")
		f("GET", "/metrics", addr, 403, "Sec-Fetch-Site: "+site, "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty")
	}
	f("GET", "/metrics", addr, 200, "Sec-Fetch-Site: none")
	f("GET", "/debug/pprof/heap", addr, 200, "Sec-Fetch-Site: same-origin")
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		f(method, "/", addr, 405)
	}
	f("HEAD", "/", addr, 200)
}
