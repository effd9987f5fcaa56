package track

import (
	"context"
	"crypto/subtle"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"carryover/mapping/book"
)

// APIPath is the path below which everything is the API's.
const APIPath = "/api/"

// Submitter books calls; [Service] is one. An error says that nothing was booked, or that
// nobody knows: the call may be made again.
type Submitter interface {
	Submit(context.Context, *Call) (Result, error)
}

// RefusalKeeper is a [Submitter] that keeps what was refused before it could be booked.
type RefusalKeeper interface {
	Keep(context.Context, *book.RefusedEvent) error
}

// FaultReporter is a [Submitter] that knows why it cannot book; nil: it can.
type FaultReporter interface{ Fault() error }

// APIOptions configure an [API].
type APIOptions struct {
	Submit    Submitter        // nil: there is no book here, and events are refused
	Keys      Keys             // none: nobody is let in
	Accounts  []string         // what Account-ID may be in version 2
	Campaign  int64            // of commissions, as answers name it; 0: 1
	Zone      *time.Location   // the program's, for times that name none; nil: UTC
	PerMinute int              // calls a minute of each key; 0: any number
	Now       func() time.Time // nil: time.Now
	Logger    *slog.Logger     // nil: slog.Default()
}

// API is the tracking API over HTTP, versions 1 and 2.
type API struct {
	o             APIOptions
	limits        keyLimits
	wrongKeys     *wrongKeyLimiter
	callers       callers
	refusalLogged atomic.Int64 // when a refused call was last logged, Unix seconds
	warned        sync.Map     // fields of which it was logged that they are left out: "sale ip"
}

// NewAPI makes an API; it holds nothing that must be closed.
func NewAPI(o APIOptions) *API {
	if o.Campaign == 0 {
		o.Campaign = 1
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &API{o: o, limits: newKeyLimits(len(o.Keys), o.PerMinute), wrongKeys: newWrongKeyLimiter()}
}

// Endpoint is a part of the API, for counting calls.
type Endpoint uint8

// OtherEndpoint is a path that the API does not have.
const OtherEndpoint Endpoint = 0

// Endpoints names them, by number.
var Endpoints = [...]string{"other", book.EventSignup, book.EventSale, book.EventRefund, book.EventCancellation}

// CleanPath is a path of the API without the slashes that repeat others, as a base address that
// ends with one brings them; ok is false for any other path.
func CleanPath(path string) (clean string, ok bool) {
	if !strings.Contains(path, "//") {
		return path, strings.HasPrefix(path, APIPath)
	}
	if !strings.HasPrefix(strings.TrimLeft(path, "/"), APIPath[1:]) {
		return path, false
	}
	clean = "/" + strings.Join(strings.FieldsFunc(path, func(c rune) bool { return c == '/' }), "/")
	if strings.HasSuffix(path, "/") {
		clean += "/"
	}
	return clean, true
}

// endpoint finds the endpoint of a path below APIPath, which may end with a slash.
func endpoint(path string) (e Endpoint, v1 bool) {
	version, name, ok := strings.Cut(strings.TrimPrefix(path, APIPath), "/track/")
	if !ok || version != "v1" && version != "v2" {
		return OtherEndpoint, false
	}
	name = strings.TrimSuffix(name, "/")
	for i, known := range Endpoints[1:] {
		if name == known {
			return Endpoint(i + 1), version == "v1"
		}
	}
	return OtherEndpoint, false
}

// Serve answers a request for a path below [APIPath]; path and query are as they were sent,
// addr is who sent it.
func (a *API) Serve(ctx *fasthttp.RequestCtx, path, query string, addr netip.Addr) (e Endpoint) {
	defer func() {
		if p := recover(); p != nil {
			a.o.Logger.Error("a call of the tracking API could not be answered", "panic", p)
			ctx.Response.Reset()
			writeError(ctx, 500, "internal_error", "The event could not be answered; it is safe to send it again")
		}
	}()
	path, _ = CleanPath(path)
	e, v1 := endpoint(path)
	in := incoming{API: a, ctx: ctx, Origin: Origin{Path: path, V1: v1}, query: query, now: a.o.Now()}
	if e != OtherEndpoint {
		in.kind = Endpoints[e]
	}
	switch {
	case e == OtherEndpoint:
		in.V1 = strings.HasPrefix(path, APIPath+"v1/")
		if in.identify() {
			in.refuse(404, "not_found", noSuchCall)
		} else {
			writeError(ctx, 404, "not_found", noSuchCall)
		}
		return e
	case !ctx.IsPost():
		const message = "Events are told with POST"
		if in.identify() {
			in.refuse(405, "method_not_allowed", message)
		} else {
			writeError(ctx, 405, "method_not_allowed", message)
		}
		ctx.Response.Header.Set("Allow", "POST")
		return e
	}
	if !in.authorize(addr) {
		return e
	}
	if a.o.Submit == nil {
		writeError(ctx, 503, "unavailable", "This gateway has no book to track in: send events to the gateway that has it")
		return e
	}
	c, ok := in.readCallOrAnswer()
	if !ok {
		return e
	}
	c.Origin = in.Origin
	if a.callers.add(addr); a.callers.has(c.Address) {
		c.Address = netip.Addr{} // of the billing system, and not of the customer
	}
	a.logWarnings(c)
	// The answer waits for the book whatever happens to the connection: only then is it
	// known what to answer.
	r, err := a.o.Submit.Submit(context.Background(), c)
	if err != nil {
		a.o.Logger.Debug("an event was not booked", "kind", c.Kind, "event_id", c.EventID) // the service logs why
		writeUnavailable(ctx)
		return e
	}
	a.o.Logger.Debug("event", "kind", c.Kind, "event_id", c.EventID, "outcome", r.Outcome)
	a.answer(ctx, v1, c, &r, in.now)
	return e
}

const noSuchCall = "Path not found: there are signup, sale, refund and cancellation below /api/v2/track/ and /api/v1/track/"

func writeUnavailable(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.Set("Retry-After", "1")
	writeError(ctx, 503, "unavailable", "The event was not booked: send it again in a second")
}

// Refuse answers a request that the server refused before it looked at its path or read its
// body.
func (a *API) Refuse(ctx *fasthttp.RequestCtx, status int, text string) {
	code := "bad_request"
	if status == errTooLarge.status {
		text, code = errTooLarge.message, "invalid_params"
	}
	path, _, _ := strings.Cut(string(ctx.Request.Header.RequestURI()), "?")
	path, _ = CleanPath(path)
	e, v1 := endpoint(path)
	in := incoming{API: a, ctx: ctx, Origin: Origin{Path: path, V1: v1}, unread: true, now: a.o.Now()}
	if e != OtherEndpoint {
		in.kind = Endpoints[e]
	}
	if status < 500 && in.identify() {
		in.refuse(status, code, text)
		return
	}
	writeError(ctx, status, code, text)
}

// findKey finds the number of the key that a request was sent with. refusal says why it is
// refused; empty: it is not. Version 2 also names an account.
func (a *API) findKey(h *fasthttp.RequestHeader, v1 bool) (n int, refusal string) {
	key := string(h.Peek("X-Api-Key"))
	if !v1 {
		var bearer bool
		if key, bearer = cutFold(string(h.Peek("Authorization")), "Bearer "); !bearer {
			refusal = "the key is not sent as a bearer"
		}
		account := 0
		for _, id := range a.o.Accounts {
			account |= subtle.ConstantTimeCompare(h.Peek("Account-Id"), []byte(id))
		}
		if account == 0 {
			refusal = "the Account-ID is missing or another one's"
		}
	}
	if n = a.o.Keys.find(strings.TrimSpace(key)); n < 0 {
		refusal = "the key is missing or wrong"
	}
	return n, refusal
}

// refusalLogInterval is the time in seconds between two log lines of refused calls.
const refusalLogInterval = 10

// logRefusal logs why a call was not let in, now and then.
func (a *API) logRefusal(reason string, now time.Time) {
	last := a.refusalLogged.Load()
	if now.Unix()-last >= refusalLogInterval && a.refusalLogged.CompareAndSwap(last, now.Unix()) {
		a.o.Logger.Warn("a call of the tracking API was not let in (401)", "why", reason)
	}
}

// logWarnings logs, once a kind, which fields of calls are left out.
func (a *API) logWarnings(c *Call) {
	for _, w := range c.Warnings {
		name, _, _ := strings.Cut(w.Field, "[") // of items all are one kind
		if _, before := a.warned.LoadOrStore(c.Kind+" "+name, true); !before {
			a.o.Logger.Warn("a field of calls is left out, and the call booked without it; this is logged once a kind",
				"kind", c.Kind, "event_id", c.EventID, "field", w.Field, "why", w.Message)
		}
	}
}
