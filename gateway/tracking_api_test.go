package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"carryover/gateway/click"
	"carryover/gateway/track"
	"carryover/mapping"
	"carryover/mapping/book"
)

// trackingMap is smallMap with promoters of applyPromoters.
func trackingMap() *mapping.Map {
	m := smallMap()
	m.Partners = []mapping.Partner{{Code: "ANNA", Token: "p0", Status: mapping.Active}, {Code: "BEN", Token: "p1", Status: mapping.Active}}
	m.IDs = nil
	return m
}

// post posts an event to a path below /api/ on any host.
func (w *fixture) post(path, body string, headers ...string) response {
	w.t.Helper()
	lines := append([]string{
		"POST /api/" + path + " HTTP/1.1", "Host: anything.test",
		"Authorization: Bearer " + strings.ReplaceAll(apiKey, " ", "-"), "Account-ID: carrot",
		"Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(body)), "Connection: close"}, headers...)
	return sendRaw(w.t, w.Addr(), strings.Join(lines, "\r\n")+"\r\n\r\n"+body)
}

// A visitor who clicked a link signs up; whoever had the link is credited by the cookie, also
// right after the click, and not by what anybody can guess.
func TestTrackingFollowsClicks(t *testing.T) {
	w := newFixture(t, trackingMap(), func(o *Options) { o.Tracking = trackingOptions(); o.DrainEvery = time.Hour })
	applyPromoters(t, w.book, 2, 0)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	cookies := w.get("/go/demo/ANNA", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document").Cookies()
	if len(cookies) != 1 || cookies[0].Name != click.CookieName {
		t.Fatalf("cookies %v", cookies)
	}
	mark, ok := w.links.cookie.keys.Verify(cookies[0].Value)
	if !ok {
		t.Fatal("the cookie is not ours")
	}
	credited := func(event, tid string, status int, owner string) {
		t.Helper()
		a := w.post("v2/track/sale", `{"email":"`+event+`@mail.test","event_id":"`+event+`","amount":10000,"tid":"`+tid+`"}`)
		if a.StatusCode != status || owner != "" && !strings.Contains(a.body, `"amount":2500,`) || !strings.Contains(a.body, owner) {
			t.Errorf("%s: %d %s", event, a.StatusCode, a.body)
		}
	}
	credited("cookie", cookies[0].Value, 200, `"promoter_id":1}`)
	credited("id", mark.Click.String(), 404, "") // its signature is missing
	credited("unknown", book.ClickID{Node: mark.Click.Node, Seq: mark.Click.Seq + 1000}.String(), 404, "")
	credited("elsewhere", "web7.5", 404, "")
	credited("forged", strings.Replace(cookies[0].Value, ".", ".x", 1), 404, "")
}

// The API is served on any host, whether or not there is a link map, and takes nothing from
// links.
func TestTrackingBesideLinks(t *testing.T) {
	w := newFixture(t, nil, func(o *Options) { o.Tracking = trackingOptions() })
	applyPromoters(t, w.book, 1, 1)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	const sale = `{"email":"c00000@mail.test","event_id":"%s","amount":10000}`
	if a := w.post("v2/track/sale", fmt.Sprintf(sale, "before")); a.StatusCode != 200 {
		t.Errorf("without a map: %d %s", a.StatusCode, a.body)
	}
	w.publish(trackingMap())
	until(t, "the map", func() bool { return w.maps.live.Load() != nil })
	if a := w.post("v2/track/sale", fmt.Sprintf(sale, "after")); a.StatusCode != 200 {
		t.Errorf("with a map: %d %s", a.StatusCode, a.body)
	}
	if a := w.post("v2/track/sale", fmt.Sprintf(sale, "after")); a.StatusCode != 409 {
		t.Errorf("again: %d %s", a.StatusCode, a.body)
	}
	if a := w.get("/api/v2/track/sale"); a.StatusCode != 405 || a.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d %v", a.StatusCode, a.Header)
	}
	if a := w.get("/api/v2/promoters"); a.StatusCode != 404 || !strings.Contains(a.body, `"code":"not_found"`) {
		t.Errorf("an unknown path: %d %s", a.StatusCode, a.body)
	}
	if a := w.send("POST", host, "/go/demo/ANNA", "Content-Length: 0"); a.StatusCode != 405 {
		t.Errorf("POST to a link: %d", a.StatusCode)
	}
	for _, path := range []string{"/v2/track/sale", "//v2//track/sale"} {
		if a := w.post(path, fmt.Sprintf(sale, "after")); a.StatusCode != 409 {
			t.Errorf("below /api/%s: %d %s", path, a.StatusCode, a.body)
		}
	}
	const slashes = "POST //api/v2/track/sale HTTP/1.1\r\nHost: anything.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	before := sendRaw(t, w.Addr(), slashes)
	if before.StatusCode != 401 {
		t.Errorf("slashes before it: %d %s", before.StatusCode, before.body)
	}
	if a := w.get("/apiary"); a.StatusCode != 404 || strings.HasPrefix(a.body, "{") {
		t.Errorf("a path that only looks so: %d %.60s", a.StatusCode, a.body)
	}
	admin := sendRaw(t, w.AdminAddr(), "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").body
	for _, want := range []string{
		`carryover_tracking_calls_total{class="2xx",endpoint="sale"} 2`, `carryover_tracking_calls_total{class="4xx",endpoint="sale"} 5`,
		`carryover_tracking_calls_total{class="4xx",endpoint="other"} 1`, `carryover_tracking_calls_total{class="5xx",endpoint="refund"} 0`,
		"carryover_tracking_booked_total 5", "carryover_tracking_failing 0",
	} {
		if !strings.Contains(admin, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(w.logs.String(), "mail.test") {
		t.Errorf("the log tells of customers:\n%s", w.logs)
	}
}

// More than the listener reads is refused as the API refuses, and nothing of it is booked.
func TestTrackingHugeBody(t *testing.T) {
	w := newFixture(t, nil, func(o *Options) { o.Tracking = trackingOptions() })
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", w.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /api/v2/track/sale HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n{", 5<<20)
	got, _ := io.ReadAll(conn)
	head, body, _ := strings.Cut(string(got), "\r\n\r\n")
	want := "{\"message\":\"The body is larger than 64 kB\",\"code\":\"invalid_params\"}\n"
	if !strings.HasPrefix(head, "HTTP/1.1 413 ") || body != want {
		t.Errorf("%s", got)
	}
	if a := w.post("v2/track/sale", `{"uid":"`+strings.Repeat("u", 500_000)+`"}`); a.StatusCode != 413 || !strings.Contains(a.body, "64 kB") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// A gateway without a book, and one without keys, say so in their answers.
func TestTrackingSwitchedOff(t *testing.T) {
	w := startFixture(t, smallMap(), func(o *Options) { o.Tracking = trackingOptions(); o.Book = nil })
	if a := w.post("v2/track/sale", `{}`); a.StatusCode != 503 || !strings.Contains(a.body, "send events to the gateway that has it") {
		t.Errorf("without a book: %d %s", a.StatusCode, a.body)
	}
	w = startFixture(t, smallMap(), nil)
	if a := w.post("v2/track/sale", `{}`); a.StatusCode != 401 || a.body != "" {
		t.Errorf("without keys: %d %s", a.StatusCode, a.body)
	}
}

// What forwarding needs is asked for before anything is served.
func TestTrackingForwardNeedsKey(t *testing.T) {
	w := newFixture(t, smallMap(), nil)
	w.o.Tracking = trackingOptions()
	w.o.Tracking.Forward = &track.ForwardOptions{Book: w.book, AccountID: "a"}
	if err := w.Start(); err == nil || !strings.Contains(err.Error(), "FIRSTPROMOTER_API_KEY") {
		t.Errorf("%v", err)
	}
}

// failingSubmitter is a book that takes nothing while it is told so.
type failingSubmitter struct{ on atomic.Bool }

func (f *failingSubmitter) Fault() error {
	if f.on.Load() {
		return errors.New("the disk is full")
	}
	return nil
}

func (f *failingSubmitter) Submit(context.Context, *track.Call) (track.Result, error) {
	return track.Result{Outcome: track.Acknowledged}, f.Fault()
}

// While events cannot be booked the billing system is told to come again, and ops is told.
func TestTrackingFault(t *testing.T) {
	f := &failingSubmitter{}
	w := startFixture(t, smallMap(), func(o *Options) { o.Tracking = trackingOptions(); o.Tracking.submit = f })
	const warning = "events of the billing system cannot be booked"
	state := func(status int, warned bool) {
		t.Helper()
		a := w.post("v2/track/sale", `{"uid":"u","event_id":"e","amount":1}`)
		if a.StatusCode != status || (a.Header.Get("Retry-After") == "1") != warned {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		h, ready := health(t, w.Addr())
		if ready != 200 || strings.Contains(strings.Join(h.Warnings, "\n"), warning) != warned || len(h.Errors) != 0 {
			t.Errorf("readiness: %d %+v", ready, h)
		}
	}
	state(200, false)
	f.on.Store(true)
	state(503, true)
	f.on.Store(false)
	state(200, false)
}
