package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/gateway"
	"carryover/mapping/book"
	"carryover/mapping/secret"
	"carryover/migrate"
)

type gatewayCmd struct {
	Listen      string `placeholder:"ADDR" help:"Where visitors are served, instead of [gateway] listen; port 0 takes a free one."`
	AdminListen string `placeholder:"ADDR" help:"Where ops are served, instead of [gateway] admin_listen."`
	At          string `placeholder:"TIME" help:"Rehearsal: start the clock at this moment instead of now, to see the day after the cutoff."`
	CopyTo      string `placeholder:"DIR" help:"With --at: copy the data folder to DIR first, also while it is in use, and rehearse there."`
}

func (gatewayCmd) Help() string {
	return `Serves the published link map and follows it: a new map goes live without a dropped request. Without a
store it starts from the last good map on disk. Each click is on disk before it is answered. Stops on
SIGTERM or Ctrl-C after finishing what it has accepted. Also answers the tracking API that billing systems
tell sign-ups, sales and refunds to, below /api/v2/track/ and /api/v1/track/: with one or two keys in
CARRYOVER_API_KEYS. Writes clicks, and what the billing system tells; with --at they bear the rehearsal's
time: that is refused on data in which anything was recorded under the real clock. --copy-to DIR copies the
data first, and serves the copy without any Redis; "--at TIME --data DIR" rehearses on it again.

Example: carryover gateway --config carryover.toml`
}

func (c *gatewayCmd) Run(a *app) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	if err := c.copyData(a, cfg); err != nil {
		return err
	}
	o := gateway.Options{
		Listen: cfg.Gateway.Listen, AdminListen: cfg.Gateway.AdminListen, AdminHosts: cfg.Gateway.AdminHosts, DataDir: a.Data,
		RedisURL: a.redisURL(cfg), Program: cfg.Program, Durability: cfg.Gateway.Durability,
		CookieDomain:   cfg.Gateway.CookieDomain,
		TrustedProxies: cfg.Gateway.TrustedProxies, Node: cfg.Gateway.Node, Zone: cfg.Zone,
		ServePrefetch: cfg.Gateway.ServePrefetch, KeepClicks: cfg.Gateway.KeepClicks, Logger: a.ServiceLog(),
	}
	config.WarnOfVariables(o.Logger)
	if c.Listen != "" {
		o.Listen = c.Listen
	}
	if c.AdminListen != "" {
		o.AdminListen = c.AdminListen
	}
	if c.At != "" {
		start, err := console.ParseTime(c.At, cfg.Zone)
		if err != nil {
			return console.UsageError("--at: %v", err)
		}
		o.Now, o.Rehearsal = console.ClockFrom(start), true
		o.Logger.Warn("rehearsal: the clock does not show the real time", "clock", start.Format(time.RFC3339))
	}
	// With Redis this may be a machine without a book. Without it the book is the store: one
	// that is not there is somewhere else, and an empty one in its place would hide that.
	o.Book, err = a.readBook(cfg)
	switch {
	case err == nil:
		defer o.Book.Close()
	case !errors.Is(err, book.ErrNoBook):
		return err
	case o.RedisURL == "":
		return fmt.Errorf("nothing to serve: %w, or name the Redis that holds the link map with --redis", err)
	}
	if o.Tracking, err = cfg.TrackingOptions(); err != nil {
		return err
	}
	if o.Secret, err = secret.Open(a.Data); err != nil {
		return err
	}
	trust, err := cfg.Trust(a.Data)
	if err != nil {
		return err
	}
	o.Own = trust.Own
	s, err := a.openStore(cfg, o.Book)
	if err != nil {
		return err
	}
	defer s.Close()
	o.Feed = s
	o.Tracking.Forward = forwarding(cfg, &o)
	o.Join = gateway.Join{Auto: cfg.Join.Auto, TermsURL: cfg.Join.TermsURL, Reserved: cfg.Join.Reserved}
	if o.Book != nil {
		o.Join.Publish = func(ctx context.Context) (changed bool, err error) {
			_, changed, err = migrate.Republish(ctx, cfg.Settings(), o.Book, s, migrate.NoProgress{})
			return changed, err
		}
	}
	g, err := gateway.New(o)
	if err != nil {
		return err
	}
	if err := g.Start(); err != nil {
		return err
	}
	if a.AtTerminal() {
		fmt.Fprintf(a.Err, "carryover gateway: visitors on http://%s, ops on http://%s\n", g.Addr(), g.AdminAddr())
	} else {
		o.Logger.Info("serving", "visitors", "http://"+g.Addr(), "ops", "http://"+g.AdminAddr())
	}
	return g.Wait(a.ctx)
}

// copyData makes the copy of --copy-to, and lets the command go on with it.
func (c *gatewayCmd) copyData(a *app, cfg *config.Config) error {
	switch _, err := console.ParseTime(c.At, cfg.Zone); {
	case c.CopyTo == "":
		return nil
	case err != nil:
		return console.UsageError("--copy-to is for rehearsals: --at: %v", err)
	}
	from := a.backupSource(cfg)
	a.Data, a.Redis, a.Store = c.CopyTo, "", ""
	return cfg.RehearseOn(a.ctx, from, c.CopyTo)
}
