package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"carryover/gateway/admin"
	"carryover/gateway/click"
	"carryover/gateway/pages"
	"carryover/gateway/track"
	"carryover/mapping/book"
)

// stopWithin bounds the stop of [App.Run].
const stopWithin = 15 * time.Second

// App is one gateway: a public listener, an admin listener, and what works behind them.
type App struct {
	o          Options
	trusted    []netip.Prefix
	cookieTail string

	maps     *mapFollower
	stopping atomic.Bool

	keys     *click.Keyring
	visitors *click.Visitors
	recorder *click.Recorder
	drainer  *click.Drainer
	stream   *click.Stream
	record   func(*book.Click) (book.ClickID, error)
	metrics  *metrics

	join                *joinDesk
	unavailable, failed pages.Page

	tracker   *track.Service // nil: events cannot be tracked here
	api       *track.API
	forwarder *track.Forwarder // nil: events go nowhere else

	public, ops     *fiber.App
	publicL, adminL net.Listener

	addr, adminAddr atomic.Pointer[string] // read while Run is starting, too
	serving         sync.WaitGroup
	broken          chan error // a listener that ended by itself

	background context.CancelFunc
	working    sync.WaitGroup
	stopOnce   sync.Once
	stopErr    error
}

// New wires a gateway; nothing runs and nothing is written before [App.Start].
func New(o Options) (*App, error) {
	trusted, err := o.check()
	if err != nil {
		return nil, err
	}
	a := &App{
		o: o, trusted: trusted, cookieTail: cookieTail(o.CookieDomain),
		visitors:    click.NewVisitors(filepath.Join(o.DataDir, "visitor.keys")),
		metrics:     newMetrics(),
		unavailable: pages.Unavailable(), failed: pages.Failed(),
		broken: make(chan error, 2),
	}
	if o.RedisURL != "" {
		if a.stream, err = click.OpenStream(o.RedisURL, o.Program); err != nil {
			return nil, err
		}
	}
	a.maps = newMapFollower(&a.o, a.metrics.storeErrors)
	a.join = a.newJoinDesk()
	a.public = fiber.New(a.settings(false))
	a.public.Server().CloseOnShutdown = true
	a.public.Use(a.serve)
	if o.AdminListen != "" {
		a.ops = admin.New(admin.Options{
			Settings: a.settings(true),
			Live:     func(c *fiber.Ctx) error { a.answerLive(c.Context()); return nil },
			Ready:    func(c *fiber.Ctx) error { a.answerReady(c.Context(), true); return nil },
			Metrics:  a.metrics.registry,
			Status:   a.status,
		})
		a.ops.Server().CloseOnShutdown = true
	}
	return a, nil
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
	if ctx := c.Context(); strings.HasPrefix(view(ctx.Request.Header.RequestURI()), track.APIPath) {
		a.api.Refuse(ctx, status, text)
	} else {
		plain(ctx, status, text)
	}
	a.metrics.answered(status)
	return nil
}

// Start listens, takes the live map (or the last good one, or none) and serves. When it
// fails nothing is left running.
func (a *App) Start() error {
	if err := a.start(); err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		return errors.Join(fmt.Errorf("gateway: %w", err), a.Stop(ctx))
	}
	return nil
}

func (a *App) start() (err error) {
	if err := os.MkdirAll(a.o.DataDir, 0o755); err != nil {
		return fmt.Errorf("the data directory cannot be made: %w; choose another with --data", err)
	}
	if a.o.CookieKey != nil {
		a.keys, err = click.NewKeyring(a.o.CookieKey)
	} else {
		a.keys, err = click.LoadKeyring(filepath.Join(a.o.DataDir, "cookie.key"))
	}
	if err != nil {
		return err
	}
	if a.publicL, err = net.Listen("tcp", a.o.Listen); err != nil {
		return fmt.Errorf("the public address cannot be listened on: %w; choose another with --listen or [gateway] listen", err)
	}
	a.addr.Store(new(a.publicL.Addr().String()))
	if a.ops != nil {
		if a.adminL, err = net.Listen("tcp", a.o.AdminListen); err != nil {
			return fmt.Errorf("the admin address cannot be listened on: %w; choose another with --admin-listen or [gateway] admin_listen", err)
		}
		a.adminAddr.Store(new(a.adminL.Addr().String()))
	}
	spool := filepath.Join(a.o.DataDir, "clicks.db")
	a.recorder = click.NewRecorder(click.RecorderOptions{
		Path: spool, Node: a.o.Node, Durability: a.o.Durability, Bound: a.o.DiskBound,
		Committed: a.metrics.committed, Logger: a.o.Logger,
	})
	if a.record == nil {
		a.record = a.recorder.Record
	}
	a.drainer = click.NewDrainer(click.DrainOptions{
		Spool: spool, Recorder: a.recorder, Book: a.o.Book, Stream: a.stream,
		Every: a.o.DrainEvery, KeepClicks: a.o.KeepClicks, Logger: a.o.Logger, Now: a.o.Now,
	})
	if err := a.startTracking(); err != nil {
		return err
	}
	a.metrics.observe(a)

	ctx, cancel := context.WithCancel(context.Background())
	a.background = cancel
	answered := make(chan struct{})
	a.working.Go(func() { a.maps.followMap(ctx, answered) })
	a.working.Go(func() { a.maps.checkStore(ctx) })
	a.working.Go(func() { a.drainer.Run(ctx) })
	a.track(ctx)
	a.working.Go(func() { a.join.publish.run(ctx) })
	a.maps.takeFirstMap(ctx, answered)

	a.listen(a.public, a.publicL)
	if a.ops != nil {
		a.listen(a.ops, a.adminL)
	}
	return nil
}

func (a *App) listen(app *fiber.App, l net.Listener) {
	a.serving.Go(func() {
		if err := app.Listener(l); err != nil && !a.stopping.Load() {
			a.broken <- fmt.Errorf("gateway: serving %s: %w", l.Addr(), err)
		}
	})
}

// Addr is the public address, with the port that was taken; empty before Start.
func (a *App) Addr() string { return text(a.addr.Load()) }

// AdminAddr is the admin address; empty when there is none.
func (a *App) AdminAddr() string { return text(a.adminAddr.Load()) }

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Drain brings every click that is recorded by now to the book, or on its way there.
func (a *App) Drain(ctx context.Context) (int, error) { return a.drainer.All(ctx) }

// Stop takes no new requests, finishes those that it accepted, moves recorded clicks on
// and closes. What cannot be moved on stays safe in clicks.db. It gives up with ctx. Only
// the first call does anything; all return its error.
func (a *App) Stop(ctx context.Context) error {
	a.stopOnce.Do(func() { a.stopErr = a.stop(ctx) })
	return a.stopErr
}

func (a *App) stop(ctx context.Context) error {
	a.stopping.Store(true)
	errs := []error{a.shut(ctx, a.public, a.publicL)}
	if a.tracker != nil {
		errs = append(errs, a.tracker.Close(ctx))
	}
	if a.background != nil {
		a.background()
		errs = append(errs, wait(ctx, &a.working, "the work behind the answers"))
		last, cancel := context.WithTimeout(ctx, stopWithin/3)
		if _, err := a.drainer.All(last); err != nil {
			a.o.Logger.Warn("some clicks stay in clicks.db until the next start", "err", err)
		}
		cancel()
	}
	if a.recorder != nil {
		errs = append(errs, a.recorder.Close(ctx))
	}
	if a.stream != nil {
		errs = append(errs, a.stream.Close())
	}
	errs = append(errs, a.shut(ctx, a.ops, a.adminL), wait(ctx, &a.serving, "the listeners"))
	return errors.Join(errs...)
}

// shut closes a listener and waits for the requests that came over it.
func (a *App) shut(ctx context.Context, app *fiber.App, l net.Listener) error {
	if app == nil || l == nil {
		return nil
	}
	err := app.ShutdownWithContext(ctx)
	l.Close() // also when it was never served
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("gateway: finishing requests: %w", err)
	}
	return nil
}

func wait(ctx context.Context, wg *sync.WaitGroup, what string) error {
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("gateway: waiting for %s: %w", what, ctx.Err())
	}
}

// Run starts, serves until ctx ends or a listener breaks, and stops.
func (a *App) Run(ctx context.Context) error {
	if err := a.Start(); err != nil {
		return err
	}
	return a.Wait(ctx)
}

// Wait is what [App.Run] does after the start: for callers that tell the addresses first.
func (a *App) Wait(ctx context.Context) error {
	var broken error
	select {
	case <-ctx.Done():
	case broken = <-a.broken:
	}
	a.o.Logger.Info("stopping: requests that were accepted are finished first")
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	err := errors.Join(broken, a.Stop(last))
	recorded, dropped, _ := a.recorder.Counts()
	a.o.Logger.Info("stopped", "clicks_recorded", recorded, "clicks_dropped", dropped)
	return err
}
