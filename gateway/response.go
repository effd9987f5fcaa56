package gateway

import (
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"carryover/gateway/pages"
)

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

// page answers with a page of our own.
func page(ctx *fasthttp.RequestCtx, status int, p *pages.Page) {
	h := &ctx.Response.Header
	ctx.Response.SetStatusCode(status)
	h.SetContentType("text/html; charset=utf-8")
	h.SetCanonical(headerCacheControl, privateNoStore)
	h.SetCanonical(headerRobots, noindex)
	h.SetCanonical(headerNoSniff, nosniff)
	h.SetCanonical(headerCSP, []byte(p.CSP))
	ctx.Response.SetBodyRaw(p.HTML)
}

// plain answers a request that no browser of a visitor makes.
func plain(ctx *fasthttp.RequestCtx, status int, text string) {
	ctx.Response.SetStatusCode(status)
	ctx.Response.Header.SetContentType("text/plain; charset=utf-8")
	ctx.Response.Header.SetCanonical(headerCacheControl, privateNoStore)
	ctx.Response.SetBodyString(text + "\n")
}

// handleRobots lets crawlers in: they must see that redirects are not to be indexed.
func handleRobots(c *fiber.Ctx) error {
	c.Context().Response.SetBodyRaw(robotsTxt)
	c.Context().Response.Header.SetContentType("text/plain; charset=utf-8")
	return nil
}

func handleFavicon(c *fiber.Ctx) error {
	c.Context().Response.SetStatusCode(fasthttp.StatusNotFound)
	return nil
}
