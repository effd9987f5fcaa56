package track

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"carryover/mapping/book"
	"carryover/mapping/retry"
)

const (
	// DefaultForwardURL is where FirstPromoter's API is.
	DefaultForwardURL = "https://v2.firstpromoter.com"

	// ForwardKeyVariable names the environment variable that holds FirstPromoter's API key.
	ForwardKeyVariable = "FIRSTPROMOTER_API_KEY"

	// DefaultPerMinute is how many requests a minute are sent at most: FirstPromoter takes
	// 400 from an account, and bursts come on top.
	DefaultPerMinute = 380

	forwardBurst   = 10
	forwardWorkers = 4  // as many customers are served at once
	forwardBatch   = 64 // as many events are held in memory

	callTimeout = 30 * time.Second
	callGrace   = 5 * time.Second // for a call that is under way when Run is told to end
	keyPause    = time.Minute     // after a refused key
	bookPause   = 5 * time.Second
	outagePause = time.Minute // longest pause of all work while nothing gets through
	outageAfter = 4           // failures in a row, of whichever customers
)

// backoff is how long an event waits between two tries.
var backoff = retry.Backoff{First: 2 * time.Second, Max: 15 * time.Minute}

// ForwardOptions are what a [Forwarder] needs to know.
type ForwardOptions struct {
	Book      *book.Book        // required
	BaseURL   string            // empty: DefaultForwardURL
	AccountID string            // required
	Key       string            // required; never told to anyone else
	PerMinute int               // 0: DefaultPerMinute
	Every     time.Duration     // pause between two looks into an empty outbox; 0: 1 s
	Logger    *slog.Logger      // nil: slog.Default
	Now       func() time.Time  // of what the book keeps; nil: time.Now
	Transport http.RoundTripper // nil: one of its own
}

// Forwarder sends the events of the outbox to FirstPromoter: those of one customer one after
// the other, several customers at once. Its state is in the book, so that it may be killed at
// any moment: an event that was sent and not marked is sent once more, and FirstPromoter
// answers that it has it.
type Forwarder struct {
	o        ForwardOptions
	trackURL string // the kind of an event is appended to it
	client   *http.Client
	limit    *rate.Limiter
	redact   func(string) string

	mu          sync.Mutex
	pausedUntil time.Time // by time.Now
	failures    int       // in a row
	fault       error
}

// NewForwarder checks the options. Nothing is sent before [Forwarder.Run].
func NewForwarder(o ForwardOptions) (*Forwarder, error) {
	if o.BaseURL == "" {
		o.BaseURL = DefaultForwardURL
	}
	base, err := url.Parse(o.BaseURL)
	unprintable := func(r rune) bool { return r <= ' ' || r > '~' }
	switch {
	case o.Book == nil:
		return nil, errors.New("forwarding: there is no book to take events from")
	case o.Key == "":
		return nil, fmt.Errorf("forwarding: [firstpromoter] forward = true needs FirstPromoter's API key: "+
			"put it into the environment variable %s", ForwardKeyVariable)
	case strings.ContainsFunc(o.Key, unprintable):
		return nil, fmt.Errorf("forwarding: the environment variable %s holds more than a key: "+
			"blanks or other characters that no key has", ForwardKeyVariable)
	case o.AccountID == "" || strings.ContainsFunc(o.AccountID, unprintable):
		return nil, errors.New("forwarding: [firstpromoter] account_id is missing or has blanks in it: " +
			"FirstPromoter shows it in its settings, under integrations")
	case err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" ||
		base.Scheme != "https" && !(base.Scheme == "http" && loopback(base.Hostname())):
		return nil, fmt.Errorf("forwarding: [firstpromoter] base_url must be an https address such as %q: the key goes there", DefaultForwardURL)
	}
	if o.PerMinute <= 0 {
		o.PerMinute = DefaultPerMinute
	}
	if o.Every <= 0 {
		o.Every = time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = forwardWorkers
		o.Transport = t
	}
	return &Forwarder{
		o: o, trackURL: strings.TrimRight(o.BaseURL, "/") + "/api/v2/track/",
		client: &http.Client{
			Transport: o.Transport,
			// The key must not follow to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		limit:  rate.NewLimiter(rate.Limit(float64(o.PerMinute)/60), forwardBurst),
		redact: redactor(o.Key),
	}, nil
}

// loopback reports whether a host is this machine: a key may go there without TLS.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// Run sends what is in the outbox until ctx ends; then it completes the calls that are under
// way, within seconds. Faults do not end it, see [Forwarder.Fault].
func (f *Forwarder) Run(ctx context.Context) error {
	jobs := make(chan book.Forward)
	done := make(chan int64) // customers
	var workers sync.WaitGroup
	for range forwardWorkers {
		workers.Go(func() {
			for e := range jobs {
				f.forward(ctx, &e)
				select {
				case done <- e.CustomerID:
				case <-ctx.Done():
				}
			}
		})
	}
	defer workers.Wait()
	defer close(jobs)

	poll := time.NewTicker(f.o.Every)
	defer poll.Stop()
	busy := map[int64]bool{} // customers of whom an event is under way
	var batch []book.Forward
	for {
		var to chan<- book.Forward
		var next book.Forward
		if !f.isPaused() {
			if len(batch) == 0 && len(busy) < forwardWorkers {
				batch = f.dueEvents(ctx, busy)
			}
			if len(batch) > 0 {
				to, next = jobs, batch[0]
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case to <- next:
			busy[next.CustomerID] = true
			batch = batch[1:]
		case customer := <-done:
			delete(busy, customer)
		case <-poll.C:
		}
	}
}

// dueEvents lists the events that may be sent now, without those of busy customers.
func (f *Forwarder) dueEvents(ctx context.Context, busy map[int64]bool) []book.Forward {
	list, err := f.o.Book.DueForwards(ctx, f.o.Now().Unix(), forwardBatch+len(busy))
	if err != nil {
		if ctx.Err() == nil {
			f.pauseAll(bookPause, fmt.Errorf("the outbox cannot be read: %w", err))
		}
		return nil
	}
	free := list[:0]
	for _, e := range list {
		if !busy[e.CustomerID] {
			free = append(free, e)
		}
	}
	return free
}

// forward sends one event and records in the book what became of it.
func (f *Forwarder) forward(ctx context.Context, e *book.Forward) {
	if f.limit.Wait(ctx) != nil {
		return // told to end
	}
	res := f.call(ctx, e)
	if res.err != nil && ctx.Err() != nil {
		return // given up because of the end, not because of what it is
	}
	// The record is made even so, or the next start would send once more.
	ctx = context.WithoutCancel(ctx)
	now := f.o.Now()
	d := classify(e.Kind, res)
	message := f.redact(d.message)
	var err error
	switch {
	case d.accountFault:
		f.pauseAll(keyPause, errors.New(message))
		return
	case d.retry:
		wait := backoff.Delay(e.Tries, d.after, rand.Int64N)
		f.recordFailure(wait, d.pauseAll, message)
		err = f.o.Book.PostponeForward(ctx, e, now.Add(wait).Unix()+1, res.status, message)
	default:
		if d.state == book.ForwardRefused {
			f.o.Logger.Warn("FirstPromoter refused an event: \"carryover outbox --state refused\" lists it",
				"event", e.EventID, "kind", e.Kind, "status", res.status, "said", message)
		}
		if err = f.o.Book.FinishForward(ctx, e.EventID, d.state, res.status, message, now.Unix()); err == nil {
			f.recordSuccess()
		}
	}
	if err != nil {
		f.pauseAll(bookPause, fmt.Errorf("what became of an event cannot be recorded: %w", err))
	}
}

// pauseAll stops all work for a while, because of a fault that no event can help.
func (f *Forwarder) pauseAll(pause time.Duration, fault error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pause(pause)
	f.setFault(fault)
}

// recordFailure counts an event that did not get through. When none does, or FirstPromoter asks
// for fewer requests, all work stops for a while: the queue stays in the book.
func (f *Forwarder) recordFailure(wait time.Duration, pauseAll bool, message string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures++
	if pauseAll {
		f.pause(wait)
	}
	if f.failures >= outageAfter {
		f.pause(min(backoff.Delay(int64(f.failures-outageAfter), 0, rand.Int64N), outagePause))
		f.setFault(fmt.Errorf("FirstPromoter does not take events, they wait in the outbox: %s", message))
	}
}

// recordSuccess ends an outage: an event got through.
func (f *Forwarder) recordSuccess() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = 0
	if f.fault != nil {
		f.o.Logger.Info("events go to FirstPromoter again")
		f.fault = nil
	}
}

func (f *Forwarder) pause(d time.Duration) {
	if until := time.Now().Add(d); until.After(f.pausedUntil) {
		f.pausedUntil = until
	}
}

// setFault keeps the fault, and logs the first of a row.
func (f *Forwarder) setFault(fault error) {
	if f.fault == nil {
		f.o.Logger.Warn("events do not go to FirstPromoter; they are safe in the book", "err", fault)
	}
	f.fault = fault
}

func (f *Forwarder) isPaused() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Before(f.pausedUntil)
}

// Fault is why events do not move on; nil while they do.
func (f *Forwarder) Fault() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fault
}

// Waiting is how many events wait, and the age of the oldest.
func (f *Forwarder) Waiting(ctx context.Context) (count int64, age time.Duration, err error) {
	count, oldest, err := f.o.Book.WaitingForwards(ctx)
	if err != nil || count == 0 {
		return 0, 0, err
	}
	return count, max(0, f.o.Now().Sub(time.Unix(oldest, 0))), nil
}

// isTimeout reports whether a call took too long.
func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout() || errors.Is(err, context.DeadlineExceeded)
}
