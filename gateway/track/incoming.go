package track

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// incoming is a request to the API.
type incoming struct {
	*API
	Origin
	ctx    *fasthttp.RequestCtx
	kind   string // of the event; empty: the path is of none
	query  string
	unread bool // the server has not read the body
	key    int  // index of the key, once it is known
	now    time.Time
}

// identify reports whether the caller has a valid key, without answering.
func (in *incoming) identify() bool {
	key, refusal := in.findKey(&in.ctx.Request.Header, in.V1)
	if refusal != "" {
		return false
	}
	in.key, in.Caller = key, in.o.Keys.Fingerprint(key)
	return true
}

// authorize checks key, account and limits, and answers when the call may not go on.
func (in *incoming) authorize(addr netip.Addr) bool {
	key, refusal := in.findKey(&in.ctx.Request.Header, in.V1)
	if refusal != "" {
		in.logRefusal(refusal, in.now)
		if wait := in.wrongKeys.add(addr, in.now); wait > 0 {
			in.refuseFor(wait, "Too many calls with a wrong key")
			return false
		}
		in.ctx.Response.SetStatusCode(401) // without a body, as FirstPromoter does
		return false
	}
	in.key, in.Caller = key, in.o.Keys.Fingerprint(key)
	if wait := in.limits.take(key, in.now); wait > 0 {
		in.refuseFor(wait, "Too many calls with this key")
		return false
	}
	return true
}

// refuseFor answers that a call must wait. One with a valid key is kept: not every caller comes
// again.
func (in *incoming) refuseFor(wait time.Duration, reason string) {
	seconds := strconv.Itoa(retryAfterSeconds(wait))
	message := reason + ": try again in " + seconds + " s"
	if in.Caller == "" {
		writeError(in.ctx, 429, "too_many_requests", message)
	} else {
		in.refuse(429, "too_many_requests", message)
	}
	in.ctx.Response.Header.Set("Retry-After", seconds)
}

// refuse keeps a call of a caller with a valid key, and answers why it is refused.
func (in *incoming) refuse(status int, code, message string) {
	if in.keep(status, message) {
		writeError(in.ctx, status, code, message)
	}
}

// keep keeps the request among the refused. When that fails it is answered that the event must
// come again.
func (in *incoming) keep(status int, reason string) bool {
	k, ok := in.o.Submit.(RefusalKeeper)
	if !ok {
		return true
	}
	e := newRefusal(in.Origin, in.kind, status, reason, in.now.Unix())
	switch f, err := in.readFields(); {
	case in.unread:
		keepText(e, "(the body was not read)")
	case err == nil:
		keepFields(e, f)
	default:
		keepText(e, string(in.ctx.Request.Body()))
	}
	if err := k.Keep(context.Background(), e); err != nil {
		writeUnavailable(in.ctx)
		return false
	}
	return true
}

// readCallOrAnswer makes a call of a request, or answers what is wrong with it.
func (in *incoming) readCallOrAnswer() (*Call, bool) {
	f, err := in.readFields()
	if invalid := (*bodyError)(nil); errors.As(err, &invalid) {
		in.refuse(invalid.status, "invalid_params", invalid.message)
		return nil, false
	}
	c, errs := readCall(in.kind, f, clock{in.now, in.o.Zone})
	if len(errs) > 0 {
		answer := newValidationResponse(errs)
		if in.keep(400, answer.Message) {
			writeJSON(in.ctx, 400, answer)
		}
		return nil, false
	}
	return c, true
}

// readFields reads the fields of a request's body and address; those of the body go before
// them.
func (in *incoming) readFields() (fields, error) {
	if in.unread {
		return nil, errTooLarge
	}
	body := in.ctx.Request.Body()
	switch encoding := in.ctx.Request.Header.ContentEncoding(); {
	case len(body) > maxBody:
		return nil, errTooLarge
	case len(encoding) > 0 && !strings.EqualFold(string(encoding), "identity"):
		return nil, errCompressed
	}
	f, err := readBody(body, string(in.ctx.Request.Header.ContentType()))
	if err != nil || in.query == "" {
		return f, err
	}
	all := fields{}
	all.readForm(strings.Clone(in.query))
	maps.Copy(all, f)
	return all, nil
}
