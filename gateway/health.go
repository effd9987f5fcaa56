package gateway

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/valyala/fasthttp"

	"carryover/mapping/store"
)

// Health is what /readyz answers: 200 when Ready, else 503. A gateway that drops clicks
// is not ready, though it goes on answering: another one should take its place, and
// where there is none its reason is an alarm. Warnings tell of what loses nothing. Errors are told on the admin listener only:
// they name machines.
type Health struct {
	Ready    bool     `json:"ready"`
	Reasons  []string `json:"reasons"`            // why it is not ready
	Warnings []string `json:"warnings,omitempty"` // what ops should look at all the same
	Epoch    int64    `json:"epoch"`              // of the live map; 0: there is none
	MapAge   float64  `json:"map_age"`            // seconds since it was published
	Source   string   `json:"source,omitempty"`   // "store", or "snapshot" while the store is away
	Clicks   string   `json:"clicks"`             // "ok", or "dropping" while the disk cannot take them
	Errors   []string `json:"errors,omitempty"`
}

// Health says how the gateway is.
func (a *App) Health() Health {
	h := Health{Reasons: []string{}, Clicks: "ok"}
	fail := func(list *[]string, sentence string, err error) {
		*list = append(*list, sentence)
		if err != nil {
			h.Errors = append(h.Errors, err.Error())
		}
	}
	l := a.live.Load()
	if l == nil {
		fail(&h.Reasons, "there is no link map yet, and none is kept on disk", nil)
	} else {
		h.Epoch, h.Source = l.epoch.ID, l.from
		h.MapAge = max(a.o.Now().Sub(l.epoch.PublishedAt).Truncate(time.Millisecond).Seconds(), 0)
		if l.empty() {
			fail(&h.Warnings, "the link map is empty: old links lead nowhere until a plan is applied", nil)
		}
		if l.from == fromSnapshot {
			fail(&h.Warnings, "the link map is the last good one from disk", nil)
		}
	}
	if a.stopping.Load() {
		fail(&h.Reasons, "the gateway is stopping", nil)
	}
	if f := a.storeFault.Load(); f != nil {
		switch {
		case errors.Is(f.err, store.ErrNoMap):
			fail(&h.Warnings, "no link map was published in the store", f.err)
		case errors.Is(f.err, store.ErrChecksum):
			fail(&h.Warnings, "the link map in the store is damaged", f.err)
		default:
			fail(&h.Warnings, "the store of the link map does not answer", f.err)
		}
	}
	if f := a.refused.Load(); f != nil {
		fail(&h.Warnings, "the newest published map cannot be served; the former one is", f.err)
	}
	if f := a.unsaved.Load(); f != nil {
		fail(&h.Warnings, "the link map could not be kept on disk", f.err)
	}
	if f := a.recorder.Fault(); f != nil {
		h.Clicks = "dropping"
		fail(&h.Reasons, "clicks are answered but not recorded: the disk cannot take them", f.Err)
	}
	if f := a.drainer.Fault(); f != nil {
		fail(&h.Warnings, "recorded clicks do not move on to the book; they are safe on disk", f.Err)
	}
	if err := a.trackFault(); err != nil {
		fail(&h.Warnings, "events of the billing system cannot be booked: it is told to send them again", err)
	}
	if a.forwarder != nil {
		if err := a.forwarder.Fault(); err != nil {
			fail(&h.Warnings, "events do not get through to FirstPromoter; they wait in the book", err)
		}
	}
	h.Ready = len(h.Reasons) == 0
	return h
}

func (a *App) answerReady(ctx *fasthttp.RequestCtx, withErrors bool) {
	h := a.Health()
	if !withErrors {
		h.Errors = nil
	}
	status := fasthttp.StatusOK
	if !h.Ready {
		status = fasthttp.StatusServiceUnavailable
	}
	body, err := json.Marshal(h)
	if err != nil { // of strings, numbers and bools: cannot be
		status, body = fasthttp.StatusInternalServerError, nil
	}
	ctx.Response.SetStatusCode(status)
	ctx.Response.Header.SetContentType("application/json")
	ctx.Response.Header.SetCanonical(headerCacheControl, privateNoStore)
	ctx.Response.SetBodyRaw(append(body, '\n'))
}

func (a *App) answerLive(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.SetContentType("text/plain; charset=utf-8")
	ctx.Response.Header.SetCanonical(headerCacheControl, privateNoStore)
	ctx.Response.SetBodyString("ok\n")
}
