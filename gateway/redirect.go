package gateway

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"carryover/gateway/click"
	"carryover/gateway/pages"
	"carryover/gateway/track"
	"carryover/mapping"
	"carryover/mapping/book"
)

// cookieAge is the longest that browsers keep a cookie; each visit begins it anew.
const cookieAge = 400 * 24 * time.Hour

// Header names and values as bytes, in canonical form: set without being rewritten.
var (
	headerLocation     = []byte("Location")
	headerCacheControl = []byte("Cache-Control")
	headerRobots       = []byte("X-Robots-Tag")
	headerCSP          = []byte("Content-Security-Policy")
	headerNoSniff      = []byte("X-Content-Type-Options")
	headerSetCookie    = []byte("Set-Cookie")
	headerRetryAfter   = []byte("Retry-After")
	headerAllow        = []byte("Allow")

	privateNoStore = []byte("private, no-store")
	noindex        = []byte("noindex")
	nosniff        = []byte("nosniff")
	oneSecond      = []byte("1")
	oneMinute      = []byte("60")
	getAndHead     = []byte("GET, HEAD")
	robotsTxt      = []byte("User-agent: *\nAllow: /\n")
)

// serve answers every public request. Strings taken from the request are views that the
// next request overwrites: what is kept is copied, by the recorder or by hand.
func (a *App) serve(c *fiber.Ctx) (err error) {
	ctx := c.Context()
	defer func() {
		if p := recover(); p != nil {
			a.o.Logger.Error("a request could not be answered", "panic", p)
			ctx.Response.Reset()
			a.page(ctx, fasthttp.StatusInternalServerError, &a.failed)
			err = nil
		}
		a.metrics.answered(ctx.Response.StatusCode())
	}()
	path, query, ok := splitTarget(view(ctx.Request.Header.RequestURI()))
	if !ok {
		plain(ctx, fasthttp.StatusBadRequest, "The request must name a path.")
		return nil
	}
	if ctx.IsPost() && a.applies(ctx, path, query) {
		return nil
	}
	if strings.HasPrefix(path, track.APIPath) {
		a.serveAPI(ctx, path, query)
		return nil
	}
	get := ctx.IsGet()
	if !get && !ctx.IsHead() {
		ctx.Response.Header.SetCanonical(headerAllow, getAndHead)
		plain(ctx, fasthttp.StatusMethodNotAllowed, "Links are followed with GET.")
		return nil
	}
	switch path {
	case "/livez":
		a.answerLive(ctx)
		return nil
	case "/readyz":
		a.answerReady(ctx, false)
		return nil
	case "/robots.txt": // crawlers must be let in to see that redirects are not to be indexed
		ctx.Response.SetBodyRaw(robotsTxt)
		ctx.Response.Header.SetContentType("text/plain; charset=utf-8")
		return nil
	case "/favicon.ico":
		ctx.Response.SetStatusCode(fasthttp.StatusNotFound)
		return nil
	}
	l := a.maps.live.Load()
	if l == nil {
		ctx.Response.Header.SetCanonical(headerRetryAfter, oneSecond)
		a.page(ctx, fasthttp.StatusServiceUnavailable, &a.unavailable)
		return nil
	}
	a.follows(ctx, l, path, query, get)
	return nil
}

// follows answers a request for a link: resolve, make the click safe, answer.
func (a *App) follows(ctx *fasthttp.RequestCtx, l *liveMap, path, query string, get bool) {
	header := &ctx.Request.Header
	now := a.o.Now()
	host := view(header.Host())
	d := l.resolve(host, path, query, now)
	a.metrics.requests[d.Outcome].Inc()

	addr := a.visitorAddr(ctx)
	signals := headersOf(header).Signals(addr)
	var mark click.Mark
	if value := header.Cookie(click.CookieName); get && len(value) > 0 {
		var valid bool
		if mark, valid = a.keys.Verify(view(value)); valid {
			signals |= click.Returning
		}
	}
	if _, after := thanksIn(query); get && !(d.Form && after) {
		id, err := a.record(&book.Click{
			At: now, Host: printable(host, maxHost), Path: printable(path, maxPath), Params: paramNames(query, l.params),
			Outcome: d.Outcome.String(), Token: d.Token, Link: d.Link, Ad: d.Ad, Miss: d.Miss, Expired: d.Expired,
			Referrer: origin(view(header.Referer())), UserAgent: printable(view(header.UserAgent()), maxUserAgent),
			Visitor: a.visitors.Hash(addr, now), Signals: uint32(signals), Epoch: l.epoch.ID,
		})
		if d.Credited() {
			visit := click.Visit{Token: d.Token, At: now}
			if err == nil {
				visit.Click = id
			}
			mark = mark.Then(visit)
		}
	}
	if signals.Has(click.Speculative) && !a.o.ServePrefetch {
		// An error is not kept by the browser: when the visitor clicks, it asks again.
		ctx.Response.Header.SetCanonical(headerCacheControl, privateNoStore)
		ctx.Response.Header.SetCanonical(headerRobots, noindex)
		ctx.Response.SetStatusCode(fasthttp.StatusServiceUnavailable)
		return
	}
	if get && mark.Token != "" && signals.TopLevel() {
		a.setCookie(ctx, mark)
	}
	switch {
	case d.Form:
		a.showForm(ctx, l, d.Outcome == mapping.ToRejoin, query)
	case d.Page:
		a.page(ctx, d.Status(), &l.pages.Expired)
	case d.Location == "":
		a.page(ctx, fasthttp.StatusNotFound, &l.pages.NotFound)
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
		SecPurpose: view(h.Peek("Sec-Purpose")), Purpose: view(h.Peek("Purpose")), XPurpose: view(h.Peek("X-Purpose")), XMoz: view(h.Peek("X-Moz")),
		FetchMode: view(h.Peek("Sec-Fetch-Mode")), FetchDest: view(h.Peek("Sec-Fetch-Dest")), FetchUser: view(h.Peek("Sec-Fetch-User")),
		Accept: view(h.Peek("Accept")), GPC: view(h.Peek("Sec-Gpc")),
	}
}

func (a *App) visitorAddr(ctx *fasthttp.RequestCtx) netip.Addr {
	tcp, ok := ctx.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	remote := tcp.AddrPort().Addr().Unmap()
	if !isTrusted(remote, a.trusted) {
		return remote
	}
	var lists []string
	for _, value := range ctx.Request.Header.PeekAll("X-Forwarded-For") {
		lists = append(lists, view(value))
	}
	return clientAddr(remote, lists, a.trusted)
}

// setCookie gives the browser mark for another 400 days.
func (a *App) setCookie(ctx *fasthttp.RequestCtx, mark click.Mark) {
	value := a.keys.Sign(mark)
	if value == "" {
		return
	}
	b := make([]byte, 0, 640)
	b = append(append(append(b, click.CookieName...), '='), value...)
	ctx.Response.Header.SetCanonical(headerSetCookie, append(b, a.cookieTail...))
}

// cookieTail is what follows the value of every cookie.
func cookieTail(domain string) string {
	tail := "; Max-Age=" + strconv.Itoa(int(cookieAge/time.Second)) + "; Path=/"
	if domain != "" {
		tail += "; Domain=" + domain
	}
	return tail + "; HttpOnly; Secure; SameSite=Lax"
}

// page answers with a page of our own.
func (a *App) page(ctx *fasthttp.RequestCtx, status int, p *pages.Page) {
	h := &ctx.Response.Header
	ctx.Response.SetStatusCode(status)
	h.SetContentType("text/html; charset=utf-8")
	h.SetCanonical(headerCacheControl, privateNoStore)
	h.SetCanonical(headerRobots, noindex)
	h.SetCanonical(headerNoSniff, nosniff)
	h.SetCanonical(headerCSP, []byte(p.CSP))
	ctx.Response.SetBodyRaw(p.HTML)
}

// plain answers what no browser of a visitor sends.
func plain(ctx *fasthttp.RequestCtx, status int, text string) {
	ctx.Response.SetStatusCode(status)
	ctx.Response.Header.SetContentType("text/plain; charset=utf-8")
	ctx.Response.Header.SetCanonical(headerCacheControl, privateNoStore)
	ctx.Response.SetBodyString(text + "\n")
}
