package gateway

import (
	"strings"
	"testing"
	"time"
)

func TestAdmin(t *testing.T) {
	w := startFixture(t, smallMap(), nil)
	w.get("/go/demo/ANNA")
	w.get("/go/nothing/NOBODY", "Referer: https://blog.example/x")
	w.get("/go/<script>alert(1)</script>")
	w.clicks()
	admin := func(path string, status int, wanted ...string) {
		t.Helper()
		a := sendRaw(t, w.AdminAddr(), "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		if a.StatusCode != status || a.Header.Get("Server") != "" {
			t.Errorf("%s: %d %v", path, a.StatusCode, a.Header)
		}
		for _, s := range wanted {
			if !strings.Contains(a.body, s) {
				t.Errorf("%s lacks %q:\n%s", path, s, a.body)
			}
		}
		if strings.Contains(a.body, "<script") {
			t.Errorf("%s is not escaped", path)
		}
	}
	admin("/livez", 200, "ok")
	admin("/readyz", 200, `"ready":true`, `"clicks":"ok"`)
	admin("/", 200, "is ready", "<td>forward</td>", "<td>human</td>", "go.carrot.test/go/nothing/NOBODY", "https://blog.example", "web1")
	admin("/metrics", 200, `carryover_requests_total{outcome="forward"} 1`,
		`carryover_requests_total{outcome="not_found"} 2`,
		`carryover_requests_total{outcome="rejoin"} 0`,
		`carryover_responses_total{class="3xx"} 1`, `carryover_responses_total{class="4xx"} 2`,
		`carryover_clicks_total{result="recorded"} 3`, `carryover_clicks_total{result="dropped"} 0`,
		"carryover_map_epoch 1", "carryover_map_entries 8", "carryover_drain_lag_seconds 0",
		"carryover_click_batch_clicks_count", "carryover_click_commit_seconds_bucket",
		"carryover_store_errors_total 0", "carryover_ready 1", "go_goroutines", "process_open_fds")
	admin("/debug/pprof/", 200, "goroutine")
	admin("/debug/pprof/goroutine?debug=1", 200, "goroutine profile")
	admin("/nothing", 404)
	admin("/go/demo/ANNA", 404)
}

// A gateway on another clock says so to whoever looks at its status.
func TestRehearsal(t *testing.T) {
	zone := time.FixedZone("PDT", -7*3600)
	for _, rehearsal := range []bool{false, true} {
		w := startFixture(t, smallMap(), func(o *Options) {
			o.Now, o.Rehearsal, o.Zone = func() time.Time { return time.Date(2023, 4, 1, 7, 0, 1, 0, time.UTC) }, rehearsal, zone
		})
		page := sendRaw(t, w.AdminAddr(), "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").body
		if strings.Contains(page, "This is a rehearsal") != rehearsal ||
			rehearsal && !strings.Contains(page, "Its clock shows 2023-04-01 00:00:01 PDT") {
			t.Errorf("rehearsal %v:\n%s", rehearsal, page)
		}
	}
}

func TestNoAdmin(t *testing.T) {
	w := startFixture(t, smallMap(), func(o *Options) { o.AdminListen = "" })
	if w.AdminAddr() != "" {
		t.Error(w.AdminAddr())
	}
	if _, status := health(t, w.Addr()); status != 200 {
		t.Error(status)
	}
}
