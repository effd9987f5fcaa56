package gateway

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"carryover/gateway/click"
	"carryover/gateway/pages"
	"carryover/mapping/secret"
)

// stopWithin bounds the stop of [App.Run].
const stopWithin = 15 * time.Second

// App is one gateway: a public and an admin server, and what works behind them.
type App struct {
	o       Options
	proxies trustedProxies
	metrics *metrics

	public *server
	admin  *server // nil: there is none
	broken chan error

	maps     *mapFollower
	links    *linkHandler
	join     *joinHandler
	tracking *trackingHandler
	failed   pages.Page // a request could not be answered

	recorder *click.Recorder
	drainer  *click.Drainer
	stream   *click.Stream // nil: clicks do not go over Redis

	background context.CancelFunc
	working    sync.WaitGroup // behind the answers
	serving    sync.WaitGroup
	stopping   atomic.Bool
	stopOnce   sync.Once
	stopErr    error
}

// New wires a gateway; nothing runs and nothing is written before [App.Start].
func New(o Options) (*App, error) {
	proxies, err := o.check()
	if err != nil {
		return nil, err
	}
	a := &App{o: o, proxies: proxies, metrics: newMetrics(), public: &server{}, broken: make(chan error, 2), failed: pages.Failed()}
	if o.AdminListen != "" {
		a.admin = &server{}
	}
	if o.RedisURL != "" {
		if a.stream, err = click.OpenStream(o.RedisURL, o.Program); err != nil {
			return nil, err
		}
	}
	a.maps = newMapFollower(&a.o, a.metrics.storeErrors)
	return a, nil
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

func (a *App) start() error {
	if err := os.MkdirAll(a.o.DataDir, 0o755); err != nil {
		return fmt.Errorf("the data directory cannot be made: %w; choose another with --data", err)
	}
	if a.o.Secret == nil {
		s, err := secret.Open(a.o.DataDir)
		if err != nil {
			return err
		}
		a.o.Secret, a.maps.trust.Secret = s, s
	}
	if a.stream != nil {
		a.stream.Sign(a.o.Secret.Keys(secret.Clicks)...)
	}
	if err := a.public.listen(a.o.Listen); err != nil {
		return fmt.Errorf("the public address cannot be listened on: %w; choose another with --listen or [gateway] listen", err)
	}
	if a.admin != nil {
		if err := a.admin.listen(a.o.AdminListen); err != nil {
			return fmt.Errorf("the admin address cannot be listened on: %w; choose another with --admin-listen or [gateway] admin_listen", err)
		}
	}
	if err := a.o.checkRehearsal(context.Background()); err != nil {
		return err
	}
	a.openSpool()
	if err := a.openHandlers(); err != nil {
		return err
	}
	a.metrics.registerGauges(a)

	ctx, cancel := context.WithCancel(context.Background())
	a.background = cancel
	answered := make(chan struct{})
	a.working.Go(func() { a.maps.followMap(ctx, answered) })
	a.working.Go(func() { a.maps.checkStore(ctx) })
	a.working.Go(func() { a.drainer.Run(ctx) })
	a.tracking.run(ctx, &a.working)
	a.join.publishBehind(ctx)
	a.working.Go(func() { a.join.publisher.run(ctx) })
	a.maps.takeFirstMap(ctx, answered)

	a.serve(a.public)
	if a.admin != nil {
		a.serve(a.admin)
	}
	return nil
}

// openSpool opens what makes clicks safe, and what moves them on.
func (a *App) openSpool() {
	spool := a.o.spoolPath()
	a.recorder = click.NewRecorder(click.RecorderOptions{
		Path: spool, Node: a.o.Node, Durability: a.o.Durability, Bound: a.o.DiskBound, Rehearsal: a.o.Rehearsal,
		Committed: a.metrics.observeCommit, Logger: a.o.Logger,
	})
	a.drainer = click.NewDrainer(click.DrainOptions{
		Spool: spool, Recorder: a.recorder, Book: a.o.Book, Stream: a.stream,
		Every: a.o.DrainEvery, KeepClicks: a.o.KeepClicks, Logger: a.o.Logger, Now: a.o.Now,
	})
}

// openHandlers makes what answers requests, and the applications that lead there.
func (a *App) openHandlers() error {
	keys, err := click.NewKeyring(a.o.Secret.Keys(secret.Cookies)...)
	if err != nil {
		return err
	}
	pageKeys, err := click.NewKeyring(a.o.Secret.Keys(secret.Pages)...)
	if err != nil {
		return err
	}
	visitors := click.NewVisitors(filepath.Join(a.o.DataDir, "visitor.keys"))
	a.join = &joinHandler{
		book: a.o.Book, rules: a.o.Join.rules(), answerAfter: answerAfter, termsURL: a.o.Join.TermsURL,
		maps: a.maps, keys: pageKeys, visitors: visitors, proxies: a.proxies,
		limits: newJoinLimits(), used: newUsedForms(), publisher: newPublisher(a.o.Join.Publish, a.o.Logger),
		now: a.o.Now, log: a.o.Logger, failed: a.failed,
	}
	for _, l := range []*countedLog{&a.join.dropped, &a.join.busy, &a.join.full} {
		l.write.Interval = time.Minute
	}
	a.links = &linkHandler{
		maps: a.maps, join: a.join, record: a.recorder.Record, visitors: visitors, proxies: a.proxies, metrics: a.metrics,
		now: a.o.Now, cookie: newClickCookie(keys, a.o.CookieDomain), servePrefetch: a.o.ServePrefetch, unavailable: pages.Unavailable(),
	}
	a.tracking = &trackingHandler{
		book: a.o.Book, proxies: a.proxies, metrics: a.metrics, log: a.o.Logger,
	}
	if err := a.tracking.open(&a.o, keys, visitors); err != nil {
		return err
	}
	a.public.app = a.newPublicApp()
	if a.admin != nil {
		a.admin.app = a.newAdminApp()
	}
	return nil
}

func (a *App) serve(s *server) {
	a.serving.Go(func() {
		if err := s.serve(); err != nil && !a.stopping.Load() {
			a.broken <- err
		}
	})
}

// Addr is the public address, with the port that was taken; empty before Start.
func (a *App) Addr() string { return a.public.address() }

// AdminAddr is the admin address; empty when there is none.
func (a *App) AdminAddr() string { return a.admin.address() }

// Drain brings every click that is recorded by now to the book, or on its way there.
func (a *App) Drain(ctx context.Context) (int, error) { return a.drainer.DrainAll(ctx) }

// Stop takes no new requests, finishes those that it accepted, moves recorded clicks on
// and closes. What cannot be moved on stays safe in clicks.db. It gives up with ctx. Only
// the first call does anything; all return its error.
func (a *App) Stop(ctx context.Context) error {
	a.stopOnce.Do(func() { a.stopErr = a.stop(ctx) })
	return a.stopErr
}

func (a *App) stop(ctx context.Context) error {
	a.stopping.Store(true)
	errs := []error{a.public.shutDown(ctx)}
	if a.tracking != nil && a.tracking.service != nil {
		errs = append(errs, a.tracking.service.Close(ctx))
	}
	if a.background != nil {
		a.background()
		errs = append(errs, waitFor(ctx, &a.working, "the work behind the answers"))
		last, cancel := context.WithTimeout(ctx, stopWithin/3)
		if _, err := a.drainer.DrainAll(last); err != nil {
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
	errs = append(errs, a.admin.shutDown(ctx), waitFor(ctx, &a.serving, "the listeners"))
	return errors.Join(errs...)
}

func waitFor(ctx context.Context, wg *sync.WaitGroup, what string) error {
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

// Wait is what [App.Run] does after the start: for callers that print the addresses first.
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
