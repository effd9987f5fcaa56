package track

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"strconv"
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
	if e == OtherEndpoint {
		writeError(ctx, 404, "not_found",
			"Path not found: there are signup, sale, refund and cancellation below /api/v2/track/ and /api/v1/track/")
		return e
	}
	if !ctx.IsPost() {
		ctx.Response.Header.Set("Allow", "POST")
		writeError(ctx, 405, "method_not_allowed", "Events are told with POST")
		return e
	}
	now := a.o.Now()
	if !a.authorize(ctx, v1, addr, now) {
		return e
	}
	if a.o.Submit == nil {
		writeError(ctx, 503, "unavailable", "This gateway has no book to track in: send events to the gateway that has it")
		return e
	}
	c, ok := a.readCallOrAnswer(ctx, Endpoints[e], query, now)
	if !ok {
		return e
	}
	a.logWarnings(c)
	if a.callers.add(addr); a.callers.has(c.Address) {
		c.Address = netip.Addr{} // of the billing system, and not of the customer
	}
	// The answer waits for the book whatever happens to the connection: only then is it
	// known what to answer.
	r, err := a.o.Submit.Submit(context.Background(), c)
	if err != nil {
		a.o.Logger.Debug("an event was not booked", "kind", c.Kind, "event_id", c.EventID) // the service logs why
		ctx.Response.Header.Set("Retry-After", "1")
		writeError(ctx, 503, "unavailable", "The event was not booked: send it again in a second")
		return e
	}
	a.o.Logger.Debug("event", "kind", c.Kind, "event_id", c.EventID, "outcome", r.Outcome)
	a.answer(ctx, v1, c, &r, now)
	return e
}

// Refuse answers a request that the server refused before it looked at its path.
func (a *API) Refuse(ctx *fasthttp.RequestCtx, status int, text string) {
	code := "bad_request"
	if status == errTooLarge.status {
		text, code = errTooLarge.message, "invalid_params"
	}
	writeError(ctx, status, code, text)
}

// authorize checks key, account and limits, and answers when the call may not go on.
func (a *API) authorize(ctx *fasthttp.RequestCtx, v1 bool, addr netip.Addr, now time.Time) bool {
	key, refusal := a.findKey(&ctx.Request.Header, v1)
	if refusal != "" {
		a.logRefusal(refusal, now)
		if wait := a.wrongKeys.add(addr, now); wait > 0 {
			writeTooManyRequests(ctx, "Too many calls with a wrong key", wait)
			return false
		}
		ctx.Response.SetStatusCode(401) // without a body, as FirstPromoter does
		return false
	}
	if wait := a.limits.take(key, now); wait > 0 {
		writeTooManyRequests(ctx, "Too many calls with this key", wait)
		return false
	}
	return true
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

func writeTooManyRequests(ctx *fasthttp.RequestCtx, reason string, wait time.Duration) {
	seconds := strconv.Itoa(retryAfterSeconds(wait))
	ctx.Response.Header.Set("Retry-After", seconds)
	writeError(ctx, 429, "too_many_requests", reason+": try again in "+seconds+" s")
}

// readCallOrAnswer makes a call of a request, or answers what is wrong with it.
func (a *API) readCallOrAnswer(ctx *fasthttp.RequestCtx, kind, query string, now time.Time) (*Call, bool) {
	f, err := readRequest(ctx, query)
	if invalid := (*bodyError)(nil); errors.As(err, &invalid) {
		writeError(ctx, invalid.status, "invalid_params", invalid.message)
		return nil, false
	}
	c, errs := readCall(kind, f, clock{now, a.o.Zone})
	if len(errs) > 0 {
		writeJSON(ctx, 400, newValidationResponse(errs))
		return nil, false
	}
	return c, true
}

// readRequest reads the fields of a request's body and address; those of the body go before
// them.
func readRequest(ctx *fasthttp.RequestCtx, query string) (fields, error) {
	body := ctx.Request.Body()
	switch encoding := ctx.Request.Header.ContentEncoding(); {
	case len(body) > maxBody:
		return nil, errTooLarge
	case len(encoding) > 0 && !strings.EqualFold(string(encoding), "identity"):
		return nil, errCompressed
	}
	f, err := readBody(body, string(ctx.Request.Header.ContentType()))
	if err != nil || query == "" {
		return f, err
	}
	all := fields{}
	all.readForm(strings.Clone(query))
	maps.Copy(all, f)
	return all, nil
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
