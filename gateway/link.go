package gateway

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"carryover/gateway/click"
	"carryover/gateway/pages"
	"carryover/mapping"
	"carryover/mapping/book"
)

// linkHandler answers requests for links: it asks the live map what they mean, makes the
// click safe and answers.
type linkHandler struct {
	maps     *mapFollower
	join     *joinHandler // shows the form where the map says that there is one
	record   func(*book.Click) (book.ClickID, error)
	cookie   clickCookie
	visitors *click.Visitors
	proxies  trustedProxies
	metrics  *metrics
	now      func() time.Time

	servePrefetch bool
	unavailable   pages.Page // there is no map yet
}

// handle answers requests for whatever is no path of the gateway's own.
func (h *linkHandler) handle(c *fiber.Ctx) error {
	ctx := c.Context()
	if !ctx.IsGet() && !ctx.IsHead() {
		ctx.Response.Header.SetCanonical(headerAllow, getAndHead)
		plain(ctx, fasthttp.StatusMethodNotAllowed, "Links are followed with GET.")
		return nil
	}
	l := h.maps.live.Load()
	if l == nil {
		ctx.Response.Header.SetCanonical(headerRetryAfter, oneSecond)
		page(ctx, fasthttp.StatusServiceUnavailable, &h.unavailable)
		return nil
	}
	path, query := targetOf(ctx)
	h.serveLink(ctx, l, path, query)
	return nil
}

// serveLink resolves the link by l, makes the click safe and answers.
func (h *linkHandler) serveLink(ctx *fasthttp.RequestCtx, l *liveMap, path, query string) {
	header := &ctx.Request.Header
	get := ctx.IsGet()
	now := h.now()
	host := view(header.Host())
	d := l.resolve(host, path, query, now)
	h.metrics.requests[d.Outcome].Inc()

	addr := h.proxies.visitorAddr(ctx)
	signals := headersOf(header).Signals(addr)
	var mark click.Mark
	several := false
	if get {
		if mark, several = h.cookie.newest(header); mark.Token != "" {
			signals |= click.Returning
		}
	}
	if _, after := sealedThanks(query); get && !(d.Form && after) {
		id, err := h.record(&book.Click{
			At: now, Host: printable(host, maxHost), Path: printable(path, maxPath), Params: paramNames(query, l.params),
			Outcome: d.Outcome.String(), Token: d.Token, Link: d.Link, Ad: d.Ad, Miss: d.Miss, Expired: d.Expired,
			Referrer: originOf(view(header.Referer())), UserAgent: printable(view(header.UserAgent()), maxUserAgent),
			Visitor: h.visitors.Hash(addr, now), Signals: uint32(signals), Epoch: l.epoch.ID,
		})
		if d.Credited() {
			visit := click.Visit{Token: d.Token, At: now}
			if err == nil {
				visit.Click = id
			}
			mark = mark.WithVisit(visit)
		}
	}
	if signals.Has(click.Speculative) && !h.servePrefetch {
		// An error is not kept by the browser: when the visitor clicks, it asks again.
		ctx.Response.Header.SetCanonical(headerCacheControl, privateNoStore)
		ctx.Response.Header.SetCanonical(headerRobots, noindex)
		ctx.Response.SetStatusCode(fasthttp.StatusServiceUnavailable)
		return
	}
	if get && mark.Token != "" && signals.TopLevel() {
		h.cookie.set(ctx, mark, several)
	}
	switch {
	case d.Form:
		h.join.showForm(ctx, l, d.Outcome == mapping.ToRejoin, query)
	case d.Page:
		page(ctx, d.Status(), &l.pages.Expired)
	case d.Location == "":
		page(ctx, fasthttp.StatusNotFound, &l.pages.NotFound)
	default:
		// By hand: helpers rewrite the URL, and its bytes are the destination's.
		ctx.Response.SetStatusCode(fasthttp.StatusFound)
		ctx.Response.Header.SetCanonical(headerLocation, []byte(d.Location))
		ctx.Response.Header.SetCanonical(headerCacheControl, privateNoStore)
		ctx.Response.Header.SetCanonical(headerRobots, noindex)
	}
}

func headersOf(h *fasthttp.RequestHeader) click.Headers {
	return click.Headers{
		SecPurpose: view(h.Peek("Sec-Purpose")), Purpose: view(h.Peek("Purpose")),
		XPurpose: view(h.Peek("X-Purpose")), XMoz: view(h.Peek("X-Moz")),
		FetchMode: view(h.Peek("Sec-Fetch-Mode")), FetchDest: view(h.Peek("Sec-Fetch-Dest")), FetchUser: view(h.Peek("Sec-Fetch-User")),
		Accept: view(h.Peek("Accept")), GPC: view(h.Peek("Sec-Gpc")),
	}
}
