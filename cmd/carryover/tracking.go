package main

import (
	"errors"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/gateway"
	"carryover/mapping/book"
)

type trackingCmd struct {
	Refused trackingRefusedCmd `cmd:"" default:"withargs" help:"List the refused events."`
	Retell  trackingRetellCmd  `cmd:"" help:"Tell refused events again."`
}

func (trackingCmd) Help() string { return "Example: carryover tracking refused" }

type trackingRefusedCmd struct {
	tableFlags
	All bool `help:"Also those that were booked since."`
}

func (trackingRefusedCmd) Help() string {
	return `Whatever the tracking API refuses of a caller with a valid key is kept for [tracking] remember: when, why and by which key, as
the first digits of its SHA-256; --json: what was told, without secrets. What came before its sign-up is booked then. Changes nothing.

Example: carryover tracking refused --json`
}

func (c *trackingRefusedCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		list, err := view.ListRefusedEvents(a.ctx, b, c.All, cfg.Zone)
		return errors.Join(err, console.Print(a.Console, view.RefusedEvents(), list))
	})
}

type trackingRetellCmd struct {
	tableFlags
	IDs []int64 `arg:"" optional:"" name:"id" help:"Ids as \"carryover tracking refused\" lists them."`
	All bool    `help:"All that are open."`
}

func (trackingRetellCmd) Help() string {
	return `Tells refused events again by the configuration and the secret of now, once their cause is mended there. Each is booked
once, and counts from when it was told first. Writes the book, also while a gateway serves.

Example: carryover tracking retell 12 13`
}

func (c *trackingRetellCmd) Run(a *app) error {
	if (len(c.IDs) == 0) != c.All {
		return console.UsageError("say which events: ids, or --all")
	}
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		tracking, err := cfg.TrackingOptions()
		if err != nil {
			return err
		}
		o := gateway.Options{DataDir: a.Data, Book: b, Tracking: tracking, Zone: cfg.Zone, Logger: a.ServiceLog()}
		o.Tracking.Forward = forwarding(cfg, &o)
		list, err := gateway.Retell(a.ctx, o, c.IDs)
		return errors.Join(err, console.Print(a.Console, view.Retold(), list))
	})
}
