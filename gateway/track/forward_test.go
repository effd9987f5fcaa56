package track

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"carryover/mapping/book"
)

const (
	forwardKey     = "fp-key-0123456789"
	forwardAccount = "acct-7"
)

// fakeTracker is a FirstPromoter that knows the rules by which events are told twice, and nothing
// of money. It is called without a network, so that a test's clock can stand still.
type fakeTracker struct {
	mu     sync.Mutex
	seen   map[string]bool // kind, customer and event id
	order  map[string][]string
	starts []time.Time
	bodies []string

	// answer overrides what is answered; status 0: by the rules. lost: the event is taken and
	// the answer never arrives.
	answer func(n int, kind, eventID string) (status int, body string, lost bool)
}

func newFakeTracker() *fakeTracker {
	return &fakeTracker{seen: map[string]bool{}, order: map[string][]string{}}
}

func (s *fakeTracker) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var event struct {
		UID     string `json:"uid"`
		EventID string `json:"event_id"`
	}
	if err := json.Unmarshal(raw, &event); err != nil {
		return nil, err
	}
	kind := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts = append(s.starts, time.Now())
	s.bodies = append(s.bodies, string(raw))
	status, body, lost := 0, "", false
	if s.answer != nil {
		status, body, lost = s.answer(len(s.starts), kind, event.EventID)
	}
	if status == 0 {
		status, body = s.rules(kind, event.UID, event.EventID)
	}
	if lost {
		return nil, errors.New("connection reset by 192.0.2.99:443 for " + event.UID + "@shop.test with " + forwardKey)
	}
	w := httptest.NewRecorder()
	w.WriteHeader(status)
	w.WriteString(body)
	return w.Result(), nil
}

func (s *fakeTracker) rules(kind, uid, eventID string) (int, string) {
	name := kind + " " + uid + " " + eventID
	if s.seen[name] && kind != book.EventCancellation {
		if kind == book.EventSignup {
			return 422, `{"transaction_id":"there is already a signup event registered on this lead"}`
		}
		return 409, `{"message":"The event already exists."}`
	}
	s.seen[name] = true
	s.order[uid] = append(s.order[uid], kind+eventID)
	return 200, `{"id":1}`
}

func (s *fakeTracker) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.starts)
}

// outboxFixture is a book with an outbox.
type outboxFixture struct {
	*testing.T
	book *book.Book
	n    int64
}

func newOutboxFixture(t *testing.T) *outboxFixture {
	t.Helper()
	return &outboxFixture{T: t, book: openBook(t, filepath.Join(t.TempDir(), "book.db"))}
}

func openBook(t *testing.T, path string) *book.Book {
	t.Helper()
	b, err := book.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// addEvent books an event of a customer and puts it into the outbox.
func (d *outboxFixture) addEvent(kind string, customer int64) int64 {
	d.Helper()
	d.n++
	at := time.Now().Unix()
	e := book.Event{Kind: kind, CustomerID: customer, At: at, ReceivedAt: at, Amount: 4900, Currency: "USD"}
	c := &Call{Kind: kind, UID: fmt.Sprintf("u%d", customer)}
	if kind == book.EventSale || kind == book.EventRefund {
		e.ExternalID = fmt.Sprintf("-%d", d.n)
	}
	if err := d.book.Track(func(t *book.Tracking) error {
		if err := t.AddEvent(&e, nil); err != nil {
			return err
		}
		return t.AddOutbox(e.ID, customer, at, forwardBody(c, &e, "anna"))
	}); err != nil {
		d.Fatal(err)
	}
	return e.ID
}

func (d *outboxFixture) forwarder(s http.RoundTripper, log io.Writer) *Forwarder {
	d.Helper()
	f, err := NewForwarder(ForwardOptions{
		Book: d.book, AccountID: forwardAccount, Key: forwardKey, Transport: s,
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		d.Fatal(err)
	}
	return f
}

// states lists the states of the outbox, in the order of the events.
func (d *outboxFixture) states() (list []string) {
	d.Helper()
	if err := d.book.Forwards(context.Background(), "", func(f book.Forward) error {
		list = append(list, f.State)
		return nil
	}); err != nil {
		d.Fatal(err)
	}
	return list
}

func (d *outboxFixture) event(id int64) book.Forward {
	d.Helper()
	list, err := d.book.ForwardsByID(context.Background(), []int64{id})
	if err != nil || len(list) != 1 {
		d.Fatalf("event %d: %v, %v", id, list, err)
	}
	return list[0]
}

// runFor lets a forwarder work for a time, and ends it.
func runFor(t *testing.T, f *Forwarder, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	time.Sleep(d) // of the bubble's clock
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run ended with %v", err)
	}
}

// withFakeClock runs fn with a clock that moves when everybody waits.
func withFakeClock(t *testing.T, fn func(d *outboxFixture)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		fn(&outboxFixture{T: t, book: openBook(t, filepath.Join(dir, "book.db"))})
	})
}

func TestEventsArrive(t *testing.T) {
	withFakeClock(t, func(d *outboxFixture) {
		d.addEvent(book.EventSignup, 1)
		d.addEvent(book.EventSale, 1)
		d.addEvent(book.EventRefund, 1)
		d.addEvent(book.EventCancellation, 1)
		d.addEvent(book.EventSignup, 2)
		s := newFakeTracker()
		f := d.forwarder(s, io.Discard)
		if n, _, err := f.Waiting(d.Context()); n != 5 || err != nil {
			d.Errorf("waiting before: %d, %v", n, err)
		}
		runFor(d.T, f, 10*time.Second)
		if got := d.states(); !slices.Equal(got, []string{"sent", "sent", "sent", "sent", "sent"}) {
			d.Errorf("states: %v", got)
		}
		if got := s.order["u1"]; !slices.Equal(got, []string{"signup", "sale-2", "refund-3", "cancellation"}) {
			d.Errorf("order: %v", got)
		}
		if n, age, err := f.Waiting(d.Context()); n != 0 || age != 0 || err != nil {
			d.Errorf("waiting after: %d, %s, %v", n, age, err)
		}
		if f.Fault() != nil {
			d.Errorf("fault: %v", f.Fault())
		}
	})
}

// What FirstPromoter is told is the event and who tells it, and nothing besides.
func TestForwardedRequest(t *testing.T) {
	var got *http.Request
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		got, body = r, string(raw)
		w.Write([]byte(`{"id":1}`))
	}))
	defer server.Close()
	d := newOutboxFixture(t)
	id := d.addEvent(book.EventSale, 1)
	f, err := NewForwarder(ForwardOptions{Book: d.book, BaseURL: server.URL + "/", AccountID: forwardAccount, Key: forwardKey})
	if err != nil {
		t.Fatal(err)
	}
	e := d.event(id)
	f.forward(t.Context(), &e)
	if got == nil {
		t.Fatal("nothing was sent")
	}
	if got.Method != "POST" || got.URL.Path != "/api/v2/track/sale" || got.Header.Get("Authorization") != "Bearer "+forwardKey ||
		got.Header.Get("Account-ID") != forwardAccount || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s %v", got.Method, got.URL, got.Header)
	}
	if body != `{"uid":"u1","ref_id":"anna","event_id":"-1","amount":4900,"currency":"USD","skip_email_notification":true}` {
		t.Errorf("body: %s", body)
	}
	if s := d.event(id); s.State != book.ForwardSent || s.Tries != 1 || s.Status != 200 || s.DoneAt == 0 {
		t.Errorf("noted: %+v", s)
	}
}

func TestForwardBody(t *testing.T) {
	call := &Call{
		Email: "cat@shop.test", UID: "u-9", Plan: "A&B", TID: "gw1.17", RefID: "told", PromoCode: "SPRING", SaleEventID: "pay-1",
		Quantity: 2, Items: []Item{{Plan: "first", Amount: 1}, {Plan: "second", Amount: 2}},
	}
	f := func(kind, token, want string) {
		t.Helper()
		e := &book.Event{Kind: kind, ExternalID: "pay-2", At: 1680332399, Amount: 9900, Currency: "EUR", Quantity: 2, Plan: "joined"}
		if kind == book.EventSignup || kind == book.EventCancellation {
			e.ExternalID, e.Amount, e.Quantity = "", 0, 0
		}
		want = `{"email":"cat@shop.test","uid":"u-9"` + want + `,"skip_email_notification":true}`
		if got := forwardBody(call, e, token); got != want {
			t.Errorf("%s:\n %s\nwant\n %s", kind, got, want)
		}
	}
	f("signup", "anna", `,"ref_id":"anna","created_at":"2023-04-01T06:59:59Z"`)
	f("sale", "", `,"event_id":"pay-2","amount":9900,"currency":"EUR","quantity":2,"plan":"A&B"`)
	f("sale", "anna", `,"ref_id":"anna","event_id":"pay-2","amount":9900,"currency":"EUR","quantity":2,"plan":"A&B"`)
	f("refund", "", `,"event_id":"pay-2","amount":9900,"currency":"EUR","quantity":2,"sale_event_id":"pay-1"`)
	f("cancellation", "", ``)
	call.Plan = ""
	f("sale", "", `,"event_id":"pay-2","amount":9900,"currency":"EUR","quantity":2,"plan":"first"`)
}

// Whatever goes wrong, a customer's events arrive in their order, and each once.
func TestOrderUnderFaults(t *testing.T) {
	withFakeClock(t, func(d *outboxFixture) {
		const customers, events = 8, 12
		for i := range events {
			for c := range int64(customers) {
				kind := book.EventSale
				if i == 0 {
					kind = book.EventSignup
				}
				d.addEvent(kind, c+1)
			}
		}
		s := newFakeTracker()
		s.answer = func(n int, _, _ string) (int, string, bool) {
			switch {
			case n%3 == 0:
				return 503, "busy", false
			case n%7 == 0:
				return 0, "", true // taken, and the answer lost
			case n%11 == 0:
				return 429, "", false
			case n%13 == 0:
				return 502, "<html>", false
			}
			return 0, "", false
		}
		runFor(d.T, d.forwarder(s, io.Discard), 2*time.Hour)
		for _, state := range d.states() {
			if state != book.ForwardSent && state != book.ForwardAlready {
				d.Errorf("an event is %s", state)
			}
		}
		for c := range int64(customers) {
			got := s.order[fmt.Sprintf("u%d", c+1)]
			if len(got) != events || got[0] != "signup" {
				d.Fatalf("customer %d: %v", c+1, got)
			}
			for i := 2; i < events; i++ { // "-9", "-17", "-25", ...: longer ones are later
				if len(got[i-1]) > len(got[i]) || len(got[i-1]) == len(got[i]) && got[i-1] >= got[i] {
					d.Errorf("customer %d: %v", c+1, got)
				}
			}
		}
	})
}

// An event that waits holds back its own customer only; one that is refused nobody.
func TestOneCustomersTroubleIsItsOwn(t *testing.T) {
	withFakeClock(t, func(d *outboxFixture) {
		stuck := d.addEvent(book.EventSale, 1)
		behind := d.addEvent(book.EventSale, 1)
		bad := d.addEvent(book.EventSale, 2)
		after := d.addEvent(book.EventSale, 2)
		other := d.addEvent(book.EventSale, 3)
		unknown := d.addEvent(book.EventSale, 4)
		s := newFakeTracker()
		s.answer = func(_ int, _, id string) (int, string, bool) {
			switch id {
			case "-1":
				return 500, "", false
			case "-3":
				return 400, `{"message":"amount of cat@shop.test from 203.0.113.9 is wrong","code":"invalid_params"}`, false
			case "-6":
				return 404, `{"message":"Lead not found","code":"not_found"}`, false
			}
			return 0, "", false
		}
		var log bytes.Buffer
		runFor(d.T, d.forwarder(s, &log), time.Hour)
		f := func(id int64, state string, status int64) book.Forward {
			d.Helper()
			e := d.event(id)
			if e.State != state || e.Status != status {
				d.Errorf("event %d: %s, %d (%s); want %s, %d", id, e.State, e.Status, e.Answer, state, status)
			}
			return e
		}
		if e := f(stuck, "waiting", 500); e.Tries < 6 || e.Tries > 40 || e.NextAt-time.Now().Unix() > 15*60+1 {
			d.Errorf("after an hour: %d tries, the next in %d s", e.Tries, e.NextAt-time.Now().Unix())
		}
		f(behind, "waiting", 0)
		if e := f(bad, "refused", 400); e.Answer != "amount of (e-mail) from (address) is wrong" {
			d.Errorf("said: %q", e.Answer)
		}
		f(after, "sent", 200)
		f(other, "sent", 200)
		f(unknown, "not_referred", 404)
		text := log.String()
		if !strings.Contains(text, "refused an event") || strings.Contains(text, "shop.test") || strings.Contains(text, "203.0.113.9") {
			d.Errorf("log:\n%s", &log)
		}

		// A person puts it back, once the reason is gone.
		if n, err := d.book.RetryForwards(d.Context(), []int64{bad}, nil, time.Now().Unix()); n != 1 || err != nil {
			d.Errorf("put back: %d, %v", n, err)
		}
		if n, err := d.book.RetryForwards(d.Context(), []int64{other, after}, []string{"refused"}, time.Now().Unix()); n != 0 || err != nil {
			d.Errorf("put back what was sent: %d, %v", n, err)
		}
		s.answer = nil
		runFor(d.T, d.forwarder(s, io.Discard), time.Hour)
		for _, id := range []int64{stuck, behind, bad} {
			f(id, "sent", 200)
		}
		if got := s.order["u1"]; !slices.Equal(got, []string{"sale-1", "sale-2"}) {
			d.Errorf("order: %v", got)
		}
	})
}

// The process dies between the answer and the note of it, and starts again on the same book.
func TestKilledBetweenCallAndMark(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(dir, "book.db")
		b, err := book.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		d := &outboxFixture{T: t, book: b}
		signup, sale := d.addEvent(book.EventSignup, 1), d.addEvent(book.EventSale, 2)
		s := newFakeTracker()
		s.answer = func(n int, _, _ string) (int, string, bool) {
			if n == 2 {
				b.Close() // no more can be written
			}
			return 0, "", n > 2
		}
		f := d.forwarder(s, io.Discard)
		runFor(t, f, 30*time.Second)
		if f.Fault() == nil {
			t.Error("a book that cannot be written is no fault")
		}
		d.book, s.answer = openBook(t, path), nil
		calls := s.calls()
		runFor(t, d.forwarder(s, io.Discard), time.Minute)
		for _, id := range []int64{signup, sale} {
			if e := d.event(id); e.State != book.ForwardAlready && e.State != book.ForwardSent {
				t.Errorf("event %d: %+v", id, e)
			}
		}
		if s.calls() == calls || len(s.order["u1"]) != 1 || len(s.order["u2"]) != 1 {
			t.Errorf("%d calls and then %d, taken: %v", calls, s.calls(), s.order)
		}
	})
}

// A thousand events that all may go at once leave no faster than FirstPromoter takes them.
func TestFewerThan400AMinute(t *testing.T) {
	withFakeClock(t, func(d *outboxFixture) {
		for i := range int64(1000) {
			d.addEvent(book.EventSale, i+1)
		}
		s := newFakeTracker()
		runFor(d.T, d.forwarder(s, io.Discard), 5*time.Minute)
		if len(s.starts) != 1000 {
			d.Fatalf("%d calls", len(s.starts))
		}
		for i := range s.starts {
			within := 0
			for _, at := range s.starts[i:] {
				if at.Sub(s.starts[i]) < time.Minute {
					within++
				}
			}
			if within > 400 {
				d.Fatalf("%d calls in the minute from %s", within, s.starts[i])
			}
		}
		if took := s.starts[999].Sub(s.starts[0]); took > 3*time.Minute {
			d.Errorf("a thousand events took %s", took)
		}
	})
}

// Nothing gets through for six hours: hardly anybody is asked, nothing is lost, memory holds no
// more than a batch, and soon after the end everything is there.
func TestOutageAndRecovery(t *testing.T) {
	withFakeClock(t, func(d *outboxFixture) {
		for i := range int64(300) {
			d.addEvent(book.EventSale, i%100+1)
		}
		s := newFakeTracker()
		s.answer = func(int, string, string) (int, string, bool) { return 503, "", false }
		var log bytes.Buffer
		f := d.forwarder(s, &log)
		ctx, cancel := context.WithCancel(d.Context())
		ended := make(chan error, 1)
		go func() { ended <- f.Run(ctx) }()
		time.Sleep(6 * time.Hour)
		if f.Fault() == nil || !strings.Contains(f.Fault().Error(), "wait in the outbox: FirstPromoter answered 503") {
			d.Errorf("fault: %v", f.Fault())
		}
		if n, age, err := f.Waiting(d.Context()); n != 300 || age < 6*time.Hour || err != nil {
			d.Errorf("waiting: %d, %s, %v", n, age, err)
		}
		if n := s.calls(); n > 5_000 {
			d.Errorf("%d calls in an outage of six hours", n)
		}
		if n := strings.Count(log.String(), "do not go to FirstPromoter"); n != 1 {
			d.Errorf("the outage is logged %d times", n)
		}
		s.mu.Lock()
		s.answer = nil
		s.mu.Unlock()
		time.Sleep(40 * time.Minute)
		if f.Fault() != nil {
			d.Errorf("fault after the outage: %v", f.Fault())
		}
		cancel()
		<-ended
		for _, state := range d.states() {
			if state != book.ForwardSent {
				d.Fatalf("states: %v", d.states())
			}
		}
	})
}

// A key that is refused is a fault of the account: events keep their tries, and go on when it
// is taken again.
func TestRefusedKeyBurnsNoEvents(t *testing.T) {
	for _, status := range []int{401, 403, 302, 307} {
		withFakeClock(t, func(d *outboxFixture) {
			id := d.addEvent(book.EventSale, 1)
			for i := range int64(20) {
				d.addEvent(book.EventSale, i+2)
			}
			s := newFakeTracker()
			s.answer = func(int, string, string) (int, string, bool) { return status, "", false }
			f := d.forwarder(s, io.Discard)
			runFor(d.T, f, 10*time.Minute+time.Second)
			if n := s.calls(); n < 10 || n > 50 {
				d.Errorf("%d: %d calls in ten minutes", status, n)
			}
			if e := d.event(id); e.State != "waiting" || e.Tries != 0 {
				d.Errorf("%d: %+v", status, e)
			}
			if f.Fault() == nil || strings.Contains(f.Fault().Error(), forwardKey) {
				d.Errorf("%d: fault %v", status, f.Fault())
			}
			s.answer = nil
			runFor(d.T, f, 2*time.Minute)
			if f.Fault() != nil || d.event(id).State != "sent" {
				d.Errorf("%d: fault %v, %+v", status, f.Fault(), d.event(id))
			}
		})
	}
}

// The key follows no redirect.
func TestNoRedirectIsFollowed(t *testing.T) {
	followed := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed++ }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	d := newOutboxFixture(t)
	e := d.event(d.addEvent(book.EventSale, 1))
	f, err := NewForwarder(ForwardOptions{
		Book: d.book, BaseURL: server.URL, AccountID: forwardAccount, Key: forwardKey, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.forward(t.Context(), &e)
	if followed != 0 || f.Fault() == nil || d.event(e.EventID).State != "waiting" {
		t.Errorf("followed %d times, fault %v", followed, f.Fault())
	}
}

// Every answer, and what it makes of an event.
func TestClassify(t *testing.T) {
	json := `{"message":"Lead not found","code":"not_found"}`
	f := func(kind string, status int, body, want string) {
		t.Helper()
		v := classify(kind, forwardResponse{status: status, body: []byte(body)})
		got := v.state
		if v.retry {
			got = "later"
		}
		if v.pauseAll {
			got = "later, everyone"
		}
		if v.accountFault {
			got = "account"
		}
		if got != want {
			t.Errorf("%s %d %q: %q, want %q", kind, status, body, got, want)
		}
	}
	f("sale", 200, `{"id":1}`, "sent")
	f("sale", 201, ``, "sent")
	f("sale", 204, ``, "not_referred")
	f("sale", 404, json, "not_referred")
	f("signup", 404, json, "not_referred")
	f("sale", 409, `{"message":"The 'sale' event with the id 'pay-1' already exists."}`, "already")
	f("sale", 409, ``, "already")
	f("signup", 422, `{"transaction_id":"there is already a signup event registered on this lead"}`, "already")
	f("sale", 422, `{"transaction_id":"there is already a signup event registered on this lead"}`, "refused")
	f("signup", 422, `{"message":"invalid"}`, "refused")
	f("sale", 400, json, "refused")
	f("sale", 413, ``, "refused")
	f("sale", 401, ``, "account")
	f("sale", 403, json, "account")
	f("sale", 301, ``, "account")
	f("sale", 429, ``, "later, everyone")
	f("sale", 408, ``, "later")
	f("sale", 500, json, "later")
	f("sale", 503, `<html>`, "later")
	// Another server than FirstPromoter's: a wrong address must not burn events.
	f("sale", 200, `<!doctype html>`, "later")
	f("sale", 404, `<!doctype html>`, "later")
	f("sale", 404, ``, "later")
	f("sale", 405, `Method Not Allowed`, "later")
}

// What is kept and told of an answer holds no key and nobody's address.
func TestAnswersAreClean(t *testing.T) {
	clean := redactor(forwardKey)
	f := func(text, want string) {
		t.Helper()
		if got := clean(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	f("Lead not found", "Lead not found")
	f("lead cat@shop.test\nnot\x1b[31m found", "lead (e-mail) not [31m found")
	f("token "+forwardKey+" is wrong", "token (key) is wrong")
	f("dial tcp 192.0.2.1:443: connect: refused", "dial tcp (address) connect: refused")
	f("from [2001:db8::1]:8080, ip=203.0.113.9.", "from (address) (address)")
	f("ip:192.0.2.7 at 12:30", "(address) at 12:30")
	f(`{"ip":"192.0.2.7","x":1}`, "(address)")
	f("email=cat%40shop.test", "(e-mail)")
	if got := clean(strings.Repeat("é", 1000)); len([]rune(got)) != 300 {
		t.Errorf("%d characters", len([]rune(got)))
	}
}

func TestNothingSecretIsTold(t *testing.T) {
	withFakeClock(t, func(d *outboxFixture) {
		for i := range int64(6) {
			d.addEvent(book.EventSale, i+1)
		}
		s := newFakeTracker()
		s.answer = func(n int, _, _ string) (int, string, bool) {
			return 0, "", true
		}
		var log bytes.Buffer
		f := d.forwarder(s, &log)
		runFor(d.T, f, time.Hour)
		if err := d.book.Forwards(d.Context(), "", func(e book.Forward) error {
			fmt.Fprintln(&log, e.Answer)
			return nil
		}); err != nil {
			d.Fatal(err)
		}
		fmt.Fprintln(&log, f.Fault())
		text := log.String()
		for _, secret := range []string{forwardKey, "192.0.2.99", "shop.test"} {
			if strings.Contains(text, secret) {
				d.Errorf("%q is told:\n%s", secret, text)
			}
		}
		if !strings.Contains(text, "cannot be reached") {
			d.Errorf("it does not say what is wrong:\n%s", text)
		}
	})
}

func TestForwarderSaysWhatIsMissing(t *testing.T) {
	b := newOutboxFixture(t).book
	f := func(change func(*ForwardOptions), want string) {
		t.Helper()
		o := ForwardOptions{Book: b, AccountID: forwardAccount, Key: forwardKey}
		change(&o)
		switch _, err := NewForwarder(o); {
		case want == "" && err != nil:
			t.Error(err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "fp-key")):
			t.Errorf("%v, want %q", err, want)
		}
	}
	f(func(*ForwardOptions) {}, "")
	f(func(o *ForwardOptions) { o.Key = "" }, "FIRSTPROMOTER_API_KEY")
	f(func(o *ForwardOptions) { o.Key = "fp-key\n" }, "more than a key")
	f(func(o *ForwardOptions) { o.AccountID = "" }, "account_id")
	f(func(o *ForwardOptions) { o.BaseURL = "http://fp.test" }, "https")
	f(func(o *ForwardOptions) { o.BaseURL = "http://127.0.0.1:8080" }, "")
	f(func(o *ForwardOptions) { o.BaseURL = "https://fp-key:x@fp.test" }, "base_url")
	f(func(o *ForwardOptions) { o.BaseURL = "fp.test" }, "base_url")
	f(func(o *ForwardOptions) { o.Book = nil }, "no book")
}
