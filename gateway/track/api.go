package track

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"carryover/mapping/book"
)

// APIPath is where the API begins: everything below it is the API's.
const APIPath = "/api/"

// Submitter books what calls tell; [Service] is one. An error says that nothing was booked,
// or that nobody knows: the call may be made again.
type Submitter interface {
	Submit(context.Context, *Call) (Result, error)
}

// Faulty is a [Submitter] that knows whether it can book; nil: it can.
type Faulty interface{ Fault() error }

// APIOptions are what an [API] is served with.
type APIOptions struct {
	Submit    Submitter        // nil: there is no book here, and events are refused
	Keys      Keys             // none: nobody is let in
	Accounts  []string         // what Account-ID may be in version 2
	Campaign  int64            // of commissions, as answers name it; 0: 1
	PerMinute int              // calls a minute of each key; 0: any number
	Now       func() time.Time // nil: time.Now
	Logger    *slog.Logger     // nil: slog.Default()
}

// API is the tracking API over HTTP, versions 1 and 2.
type API struct {
	o      APIOptions
	limits keyLimits
	wrong  *wrongKeys
	told   atomic.Int64 // when the log was last told of a refused call, Unix seconds
}

// NewAPI makes an API; it holds nothing that must be closed.
func NewAPI(o APIOptions) *API {
	if o.Campaign == 0 {
		o.Campaign = 1
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &API{o: o, limits: newKeyLimits(len(o.Keys), o.PerMinute), wrong: newWrongKeys()}
}

// Endpoint is what of the API was called, for counting.
type Endpoint uint8

// OtherEndpoint is a path that the API does not have.
const OtherEndpoint Endpoint = 0

// Endpoints names them, by number.
var Endpoints = [...]string{"other", book.EventSignup, book.EventSale, book.EventRefund, book.EventCancellation}

// endpoint finds what a path below APIPath calls. One slash at its end does no harm.
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
			writeJSON(ctx, 500, &failure{Message: "The event could not be answered; it is safe to send it again", Code: "internal_error"})
		}
	}()
	e, v1 := endpoint(path)
	if e == OtherEndpoint {
		writeJSON(ctx, 404, &failure{Message: "Path not found: there are signup, sale, refund and cancellation below /api/v2/track/ and /api/v1/track/", Code: "not_found"})
		return e
	}
	if !ctx.IsPost() {
		ctx.Response.Header.Set("Allow", "POST")
		writeJSON(ctx, 405, &failure{Message: "Events are told with POST", Code: "method_not_allowed"})
		return e
	}
	now := a.o.Now()
	if !a.admits(ctx, v1, addr, now) {
		return e
	}
	if a.o.Submit == nil {
		writeJSON(ctx, 503, &failure{Message: "This gateway has no book to track in: send events to the gateway that has it", Code: "unavailable"})
		return e
	}
	c, ok := read(ctx, Endpoints[e], v1, query, now)
	if !ok {
		return e
	}
	// The answer waits for the book whatever happens to the connection: only then is it
	// known what to answer.
	r, err := a.o.Submit.Submit(context.Background(), c)
	if err != nil {
		a.o.Logger.Debug("an event was not booked", "kind", c.Kind, "event_id", c.EventID) // why, the service says
		ctx.Response.Header.Set("Retry-After", "1")
		writeJSON(ctx, 503, &failure{Message: "The event was not booked: send it again in a second", Code: "unavailable"})
		return e
	}
	a.o.Logger.Debug("event", "kind", c.Kind, "event_id", c.EventID, "outcome", r.Outcome)
	a.answer(ctx, v1, c, &r, now)
	return e
}

// Refuse answers a request that was refused before anybody looked at its path.
func (a *API) Refuse(ctx *fasthttp.RequestCtx, status int, text string) {
	code := "bad_request"
	if status == errTooLarge.status {
		text, code = errTooLarge.message, "invalid_params"
	}
	writeJSON(ctx, status, &failure{Message: text, Code: code})
}

// admits checks key, account and limits, and answers when the call may not go on.
func (a *API) admits(ctx *fasthttp.RequestCtx, v1 bool, addr netip.Addr, now time.Time) bool {
	h := &ctx.Request.Header
	key, whole, missing := string(h.Peek("X-Api-Key")), true, "the key is not sent as a bearer"
	if !v1 {
		key, whole = cutFold(string(h.Peek("Authorization")), "Bearer ")
		account := 0
		for _, id := range a.o.Accounts {
			account |= subtle.ConstantTimeCompare(h.Peek("Account-Id"), []byte(id))
		}
		if account == 0 {
			whole, missing = false, "the Account-ID is missing or another one's"
		}
	}
	n := a.o.Keys.find(strings.TrimSpace(key))
	if n < 0 {
		missing = "the key is missing or wrong"
	}
	if n < 0 || !whole {
		a.tellRefused(missing, now)
		if wait := a.wrong.note(addr, now); wait > 0 {
			tooMany(ctx, "Too many calls with a wrong key", wait)
			return false
		}
		ctx.Response.SetStatusCode(401) // without a body, as FirstPromoter does
		return false
	}
	if wait := a.limits.take(n, now); wait > 0 {
		tooMany(ctx, "Too many calls with this key", wait)
		return false
	}
	return true
}

// tellRefused says in the log that calls are not let in, and why; not for each of many.
func (a *API) tellRefused(why string, now time.Time) {
	last := a.told.Load()
	if now.Unix()-last >= tellEvery && a.told.CompareAndSwap(last, now.Unix()) {
		a.o.Logger.Warn("a call of the tracking API was not let in (401)", "why", why)
	}
}

// tellEvery is how many seconds lie between two such lines.
const tellEvery = 10

func tooMany(ctx *fasthttp.RequestCtx, why string, wait time.Duration) {
	n := seconds(wait)
	ctx.Response.Header.Set("Retry-After", strconv.Itoa(n))
	writeJSON(ctx, 429, &failure{Message: why + ": try again in " + strconv.Itoa(n) + " s", Code: "too_many_requests"})
}

// read makes a call of a request, or answers what is wrong with it. The first version of
// the API also takes its fields in the address; those of the body go before them.
func read(ctx *fasthttp.RequestCtx, kind string, v1 bool, query string, now time.Time) (*Call, bool) {
	f, err := readRequest(ctx, v1, query)
	if bad := (*badBody)(nil); errors.As(err, &bad) {
		writeJSON(ctx, bad.status, &failure{Message: bad.message, Code: "invalid_params"})
		return nil, false
	}
	c, wrongs := readCall(kind, f, now)
	if len(wrongs) > 0 {
		writeJSON(ctx, 400, invalid(wrongs))
		return nil, false
	}
	return c, true
}

func readRequest(ctx *fasthttp.RequestCtx, v1 bool, query string) (fields, error) {
	body := ctx.Request.Body()
	switch packed := ctx.Request.Header.ContentEncoding(); {
	case len(body) > maxBody:
		return nil, errTooLarge
	case len(packed) > 0 && !strings.EqualFold(string(packed), "identity"):
		return nil, errPacked
	}
	f, err := readBody(body, string(ctx.Request.Header.ContentType()), v1)
	if err != nil || !v1 || query == "" {
		return f, err
	}
	all := fields{}
	if err := all.readForm(strings.Clone(query)); err != nil {
		return nil, err
	}
	for name, v := range f {
		all[name] = v
	}
	return all, nil
}
