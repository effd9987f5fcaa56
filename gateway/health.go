package gateway

import (
	"encoding/json"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Health is what /readyz answers: 200 when Ready, else 503. A gateway that drops clicks
// is not ready, though it goes on answering: another one should take its place, and
// where there is none its reason is an alarm. Warnings tell of what loses nothing. Errors
// are told on the admin listener only: they name machines.
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

// fail adds a reason why the gateway is not ready, with the error behind it; nil: none.
func (h *Health) fail(reason string, err error) {
	h.Reasons = append(h.Reasons, reason)
	h.addError(err)
}

// warn adds what ops should look at all the same, with the error behind it; nil: none.
func (h *Health) warn(warning string, err error) {
	h.Warnings = append(h.Warnings, warning)
	h.addError(err)
}

func (h *Health) addError(err error) {
	if err != nil {
		h.Errors = append(h.Errors, err.Error())
	}
}

// Health says how the gateway is.
func (a *App) Health() Health {
	h := Health{Reasons: []string{}, Clicks: "ok"}
	a.maps.report(&h)
	if a.stopping.Load() {
		h.fail("the gateway is stopping", nil)
	}
	if f := a.recorder.Fault(); f != nil {
		h.Clicks = "dropping"
		h.fail("clicks are answered but not recorded: the disk cannot take them", f.Err)
	}
	if f := a.drainer.Fault(); f != nil {
		h.warn("recorded clicks do not move on to the book; they are safe on disk", f.Err)
	}
	if f := a.drainer.CollectFault(); f != nil {
		h.warn("some clicks of other gateways do not get into the book; they wait in Redis", f.Err)
	}
	if err := a.tracking.fault(); err != nil {
		h.warn("events of the billing system cannot be booked: it is told to send them again", err)
	}
	if a.tracking.forwarder != nil {
		if err := a.tracking.forwarder.Fault(); err != nil {
			h.warn("events do not get through to FirstPromoter; they wait in the book", err)
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

func handleLive(c *fiber.Ctx) error {
	ctx := c.Context()
	ctx.Response.Header.SetContentType("text/plain; charset=utf-8")
	ctx.Response.Header.SetCanonical(headerCacheControl, privateNoStore)
	ctx.Response.SetBodyString("ok\n")
	return nil
}
