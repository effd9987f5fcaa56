package track

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"carryover/mapping/book"
)

// scriptedTransport is a FirstPromoter that answers as it is told, after a while.
type scriptedTransport struct {
	calls  atomic.Int64
	answer func(n int64, r *http.Request) (*http.Response, error)
}

func (s *scriptedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return s.answer(s.calls.Add(1), r)
}

// newResponse is an answer with a status, and when to come again.
func newResponse(status int, retryAfter string) *http.Response {
	w := httptest.NewRecorder()
	if retryAfter != "" {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(status)
	w.WriteString(`{}`)
	return w.Result()
}

// start runs a forwarder until the function that it gives back is called, which says how
// long the end took.
func start(f *Forwarder) (end func() time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	return func() time.Duration {
		at := time.Now()
		cancel()
		<-done
		return time.Since(at)
	}
}

// "Too many requests" is said to everyone: no customer's event goes before the time that
// FirstPromoter names. When it is busy it is one event's matter, and its time holds as well.
func TestFirstPromoterNamesATime(t *testing.T) {
	f := func(status int, others int64) {
		withFakeClock(t, func(d *outboxFixture) {
			s := &scriptedTransport{answer: func(n int64, _ *http.Request) (*http.Response, error) {
				if n == 1 {
					return newResponse(status, "600"), nil
				}
				return newResponse(200, ""), nil
			}}
			first := d.addEvent(book.EventSale, 1)
			end := start(d.forwarder(s, io.Discard))
			time.Sleep(10 * time.Second)
			d.addEvent(book.EventSale, 2)
			time.Sleep(580 * time.Second)
			if n := s.calls.Load(); n != 1+others || d.event(first).Tries != 1 {
				d.Errorf("%d: %d calls before the time, %+v", status, n, d.event(first))
			}
			time.Sleep(30 * time.Second)
			if n := s.calls.Load(); n != 3 || d.event(first).State != book.ForwardSent {
				d.Errorf("%d: %d calls after it, %+v", status, n, d.event(first))
			}
			end()
		})
	}
	f(429, 0)
	f(503, 1)
}

// At the end calls that are under way get a little longer, and what they came to is noted;
// those that take too long count for nothing.
func TestCallsUnderWayAtTheEnd(t *testing.T) {
	withFakeClock(t, func(d *outboxFixture) {
		s := &scriptedTransport{answer: func(_ int64, r *http.Request) (*http.Response, error) {
			time.Sleep(3 * time.Second)
			return newResponse(200, ""), nil
		}}
		id := d.addEvent(book.EventSale, 1)
		f := d.forwarder(s, io.Discard)
		end := start(f)
		time.Sleep(2 * time.Second)
		if took := end(); took > callGrace {
			d.Errorf("the end took %s", took)
		}
		if e := d.event(id); e.State != book.ForwardSent || f.Fault() != nil {
			d.Errorf("%+v, fault %v", e, f.Fault())
		}
	})
	withFakeClock(t, func(d *outboxFixture) {
		s := &scriptedTransport{answer: func(_ int64, r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}}
		id := d.addEvent(book.EventSale, 1)
		end := start(d.forwarder(s, io.Discard))
		time.Sleep(2 * time.Second)
		if took := end(); took > callGrace+time.Second {
			d.Errorf("the end took %s", took)
		}
		if e := d.event(id); e.State != book.ForwardWaiting || e.Tries != 0 || e.Answer != "" {
			d.Errorf("%+v", e)
		}
	})
}

// Failures are an outage when they come one after the other; a longer pause is not cut short.
func TestWhatAnOutageIs(t *testing.T) {
	withFakeClock(t, func(d *outboxFixture) {
		f := d.forwarder(&scriptedTransport{}, io.Discard)
		miss := func(times int) {
			for range times {
				f.recordFailure(time.Second, false, "busy")
			}
		}
		for range 3 {
			miss(outageAfter - 1)
			if f.Fault() != nil || f.isPaused() {
				d.Fatalf("a few failures are a fault: %v", f.Fault())
			}
			f.recordSuccess()
		}
		miss(outageAfter)
		if f.Fault() == nil || !f.isPaused() {
			d.Errorf("fault %v, pausing %v", f.Fault(), f.isPaused())
		}
		f.recordSuccess()
		time.Sleep(outagePause)
		f.pauseAll(keyPause, errors.New("the key is refused"))
		f.recordFailure(time.Second, true, "busy")
		time.Sleep(keyPause - time.Second)
		if !f.isPaused() {
			d.Error("the pause after a refused key was cut short")
		}
		time.Sleep(2 * time.Second)
		if f.isPaused() {
			d.Error("the pause does not end")
		}
	})
	if v := classify(book.EventSale, forwardResponse{status: 409, body: []byte("exists")}); v.state != book.ForwardAlready {
		t.Errorf("409 in other words: %+v", v)
	}
}
