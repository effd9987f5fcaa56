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
	lastCall    = 5 * time.Second // what a call under way gets once Run is told to end
	keyPause    = time.Minute     // after a refused key
	bookPause   = 5 * time.Second
	outagePause = time.Minute // longest pause of all work while nothing gets through
	outageAfter = 4           // failures one after the other, of whichever customers
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

// Forwarder brings the events of the outbox to FirstPromoter: those of one customer one
// after the other, several customers at once. All that it knows is in the book, so that it
// may be killed at any moment: an event that was sent and not marked is sent once more,
// and FirstPromoter says that it has it.
type Forwarder struct {
	o      ForwardOptions
	track  string // what a kind of event is added to
	client *http.Client
	limit  *rate.Limiter
	clean  func(string) string

	mu       sync.Mutex
	paused   time.Time // no call before; by time.Now
	failures int       // one after the other, for want of an answer
	fault    error
}

// NewForwarder checks the options. Nothing is sent before [Forwarder.Run].
func NewForwarder(o ForwardOptions) (*Forwarder, error) {
	if o.BaseURL == "" {
		o.BaseURL = DefaultForwardURL
	}
	base, err := url.Parse(o.BaseURL)
	switch {
	case o.Book == nil:
		return nil, errors.New("forwarding: there is no book to take events from")
	case o.Key == "":
		return nil, fmt.Errorf("forwarding: [firstpromoter] forward = true needs FirstPromoter's API key: put it into the environment variable %s", ForwardKeyVariable)
	case strings.ContainsFunc(o.Key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, fmt.Errorf("forwarding: the environment variable %s holds more than a key: blanks or other characters that no key has", ForwardKeyVariable)
	case o.AccountID == "" || strings.ContainsFunc(o.AccountID, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, errors.New("forwarding: [firstpromoter] account_id is missing or has blanks in it: FirstPromoter shows it in its settings, under integrations")
	case err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Scheme != "https" && !(base.Scheme == "http" && loopback(base.Hostname())):
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
		o: o, track: strings.TrimRight(o.BaseURL, "/") + "/api/v2/track/",
		client: &http.Client{
			Transport: o.Transport,
			// The key must not follow to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		limit: rate.NewLimiter(rate.Limit(float64(o.PerMinute)/60), forwardBurst),
		clean: cleaner(o.Key),
	}, nil
}

// loopback says whether a host is this machine: a key may go there without TLS.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// Run works the outbox until ctx ends; then it finishes the calls that are under way, within
// seconds. Faults do not end it, see [Forwarder.Fault].
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

	look := time.NewTicker(f.o.Every)
	defer look.Stop()
	busy := map[int64]bool{} // customers of whom an event is under way
	var batch []book.Forward
	for {
		var to chan<- book.Forward
		var next book.Forward
		if !f.pausing() {
			if len(batch) == 0 && len(busy) < forwardWorkers {
				batch = f.due(ctx, busy)
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
		case <-look.C:
		}
	}
}

// due lists what may be sent now.
func (f *Forwarder) due(ctx context.Context, busy map[int64]bool) []book.Forward {
	list, err := f.o.Book.DueForwards(ctx, f.o.Now().Unix(), forwardBatch+len(busy))
	if err != nil {
		if ctx.Err() == nil {
			f.stumble(bookPause, fmt.Errorf("the outbox cannot be read: %w", err))
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

// forward sends one event and notes in the book what became of it.
func (f *Forwarder) forward(ctx context.Context, e *book.Forward) {
	if f.limit.Wait(ctx) != nil {
		return // told to end
	}
	a := f.call(ctx, e)
	if a.err != nil && ctx.Err() != nil {
		return // given up because of the end, not because of what it is
	}
	// The note outlives the end, or the next start would send once more.
	ctx = context.WithoutCancel(ctx)
	now := f.o.Now()
	v := judge(e.Kind, a)
	said := f.clean(v.said)
	var err error
	switch {
	case v.account:
		f.stumble(keyPause, errors.New(said))
		return
	case v.later:
		wait := backoff.Delay(e.Tries, v.after, rand.Int64N)
		f.missed(wait, v.everyone, said)
		err = f.o.Book.PostponeForward(ctx, e, now.Add(wait).Unix()+1, a.status, said)
	default:
		if v.state == book.ForwardRefused {
			f.o.Logger.Warn("FirstPromoter refused an event: \"carryover outbox --state refused\" lists it",
				"event", e.EventID, "kind", e.Kind, "status", a.status, "said", said)
		}
		if err = f.o.Book.FinishForward(ctx, e.EventID, v.state, a.status, said, now.Unix()); err == nil {
			f.recovered()
		}
	}
	if err != nil {
		f.stumble(bookPause, fmt.Errorf("what became of an event cannot be noted: %w", err))
	}
}

// stumble stops all work for a while.
func (f *Forwarder) stumble(pause time.Duration, fault error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pause(pause)
	f.say(fault)
}

// missed notes that an event did not get through. When nothing does, or FirstPromoter wants
// less from everyone, all work stops for a while: the queue stays in the book.
func (f *Forwarder) missed(wait time.Duration, everyone bool, said string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures++
	if everyone {
		f.pause(wait)
	}
	if f.failures >= outageAfter {
		f.pause(min(backoff.Delay(int64(f.failures-outageAfter), 0, rand.Int64N), outagePause))
		f.say(fmt.Errorf("FirstPromoter does not take events, they wait in the outbox: %s", said))
	}
}

// recovered notes that an event got through.
func (f *Forwarder) recovered() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = 0
	if f.fault != nil {
		f.o.Logger.Info("events go to FirstPromoter again")
		f.fault = nil
	}
}

func (f *Forwarder) pause(d time.Duration) {
	if until := time.Now().Add(d); until.After(f.paused) {
		f.paused = until
	}
}

// say keeps the fault, and logs it once for as long as there is one.
func (f *Forwarder) say(fault error) {
	if f.fault == nil {
		f.o.Logger.Warn("events do not go to FirstPromoter; they are safe in the book", "err", fault)
	}
	f.fault = fault
}

func (f *Forwarder) pausing() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Before(f.paused)
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

// isTimeout says whether an error is one of time.
func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout() || errors.Is(err, context.DeadlineExceeded)
}
