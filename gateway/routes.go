package gateway

import (
	"errors"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"carryover/gateway/admin"
	"carryover/gateway/track"
)

// newPublicApp is what visitors, affiliates and the billing system reach. Whatever is none of
// its paths is a link.
func (a *App) newPublicApp() *fiber.App {
	app := fiber.New(a.settings(false))
	app.Server().CloseOnShutdown = true
	app.Use(a.guard)
	app.Post("/*", a.join.handleFormPost)
	app.Use(track.APIPath, a.tracking.handle)
	app.Get("/livez", handleLive)
	app.Get("/readyz", func(c *fiber.Ctx) error { a.answerReady(c.Context(), false); return nil })
	app.Get("/robots.txt", handleRobots)
	app.Get("/favicon.ico", handleFavicon)
	app.Use(a.links.handle)
	return app
}

// newAdminApp is what ops reaches.
func (a *App) newAdminApp() *fiber.App {
	app := admin.New(admin.Options{
		Settings: a.settings(true), Listen: a.o.AdminListen, Hosts: a.o.AdminHosts,
		Live:    handleLive,
		Ready:   func(c *fiber.Ctx) error { a.answerReady(c.Context(), true); return nil },
		Metrics: a.metrics.registry,
		Status:  a.status,
	})
	app.Server().CloseOnShutdown = true
	return app
}

// guard is around every public request: it counts the answer, answers what panics, and refuses
// a target that names no path. Strings taken from the request are views that the next request
// overwrites: what is kept is copied, by the recorder or by hand.
func (a *App) guard(c *fiber.Ctx) (err error) {
	ctx := c.Context()
	defer func() {
		if p := recover(); p != nil {
			a.o.Logger.Error("a request could not be answered", "panic", p)
			ctx.Response.Reset()
			page(ctx, fasthttp.StatusInternalServerError, &a.failed)
			err = nil
		}
		a.metrics.countResponse(ctx.Response.StatusCode())
	}()
	path, _, ok := splitTarget(view(ctx.Request.Header.RequestURI()))
	if !ok {
		plain(ctx, fasthttp.StatusBadRequest, "The request must name a path.")
		return nil
	}
	if strings.HasPrefix(path, "//") {
		path, _ = track.CleanPath(path)
	}
	if c.Path() != path { // fasthttp takes "//a/b?u=http://c" for an address with a host
		c.Path(path)
	}
	return c.Next()
}

// settings are what both listeners are served with. The admin pages may keep strings of a
// request; the redirect handler copies what it keeps.
func (a *App) settings(immutable bool) fiber.Config {
	return fiber.Config{
		CaseSensitive: true, StrictRouting: true, DisableStartupMessage: true,
		EnableTrustedProxyCheck: true, // with nobody trusted: fiber's own reading of X-Forwarded-* is off
		Immutable:               immutable,
		Network:                 "tcp",
		ReadTimeout:             5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 60 * time.Second,
		ReadBufferSize: 16 << 10, BodyLimit: 1 << 20,
		DisableDefaultContentType: true,
		ErrorHandler:              a.answerError,
	}
}

// answerError answers what was refused before a handler saw it. It never repeats the
// inner text.
func (a *App) answerError(c *fiber.Ctx, err error) error {
	status := fiber.StatusInternalServerError
	var known *fiber.Error
	if errors.As(err, &known) {
		status = known.Code
	}
	text := "The request could not be answered."
	switch status {
	case fiber.StatusBadRequest:
		text = "The request could not be understood."
	case fiber.StatusNotFound:
		text = "There is nothing here."
	case fiber.StatusRequestEntityTooLarge:
		text = "The body is too large."
	case fiber.StatusRequestHeaderFieldsTooLarge:
		text = "The address or its headers are too long."
	}
	ctx := c.Context()
	if _, ok := track.CleanPath(view(ctx.Request.Header.RequestURI())); ok {
		a.tracking.api.Refuse(ctx, status, text)
	} else {
		plain(ctx, status, text)
	}
	a.metrics.countResponse(status)
	return nil
}
