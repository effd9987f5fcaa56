package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/gateway/click"
	"carryover/mapping/book"
	"carryover/mapping/history"
)

// clickFlags choose the clicks of a report.
type clickFlags struct {
	Since    string `placeholder:"TIME" help:"Only clicks from this moment or date on."`
	Until    string `placeholder:"TIME" help:"Only clicks before this moment or date."`
	Promoter string `placeholder:"TOKEN" help:"Only clicks on links of this ref token."`
	Link     string `placeholder:"CODE" help:"Only clicks on this link."`
}

func (f *clickFlags) filter(zone *time.Location) (book.ClickFilter, error) {
	out := book.ClickFilter{Token: f.Promoter, Link: f.Link}
	var err error
	if f.Since != "" {
		if out.From, err = console.ParseTime(f.Since, zone); err != nil {
			return out, console.UsageError("--since: %v", err)
		}
	}
	if f.Until != "" {
		if out.To, err = console.ParseTime(f.Until, zone); err != nil {
			return out, console.UsageError("--until: %v", err)
		}
	}
	return out, nil
}

// withClicks opens the book with every click in it that was answered so far.
func (a *app) withClicks(f *clickFlags, fn func(b *book.Book, filter book.ClickFilter, zone *time.Location) error) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	filter, err := f.filter(cfg.Zone)
	if err != nil {
		return err
	}
	return a.inBook(cfg, func(cfg *config.Config, b *book.Book) error {
		spool := filepath.Join(a.Data, "clicks.db")
		if _, err := os.Stat(spool); err == nil {
			if _, err := click.Drain(a.ctx, spool, b); err != nil {
				if errors.Is(err, context.Canceled) {
					return err
				}
				a.Note("the newest clicks are not in this report: %v", err)
			}
		}
		if err := history.CheckClickToken(a.ctx, b, filter.Token); err != nil {
			return err
		}
		return fn(b, filter, cfg.Zone)
	})
}

type clicksCmd struct {
	clickFlags
	tableFlags
	By  string `enum:"day,promoter,link,verdict,outcome" default:"day" help:"Count by day, promoter, link, verdict or outcome."`
	Raw bool   `help:"List each click instead of counting."`
}

func (clicksCmd) Help() string {
	return `Counts come from hourly rollups; a verdict (human, preview, bot, scanner, prefetch, frame) changes counts,
never an answer. The newest clicks of a gateway on this machine are brought into the book first; nothing else
changes.

Example: carryover clicks --by promoter --since 2023-03-01`
}

func (c *clicksCmd) Run(a *app) error {
	return a.withClicks(&c.clickFlags, func(b *book.Book, filter book.ClickFilter, zone *time.Location) error {
		if c.Raw {
			return c.list(a, b, filter, zone)
		}
		counts, err := history.ClickCounts(a.ctx, b, filter, c.By, zone)
		if err != nil {
			return err
		}
		return console.Print(a.Console, view.ClickCounts(c.By), counts)
	})
}

// list writes each click.
func (c *clicksCmd) list(a *app, b *book.Book, filter book.ClickFilter, zone *time.Location) error {
	rows := console.NewRows(a.Console, view.Clicks(zone))
	err := history.EachClick(a.ctx, b, filter, rows.Add)
	return errors.Join(err, rows.End())
}

type missesCmd struct {
	clickFlags
	tableFlags
	Limit int `default:"50" help:"How many addresses; 0 for all."`
}

func (missesCmd) Help() string {
	return `Addresses that did not resolve to all that they seem to name: unknown links, unknown or ambiguous
partners, foreign hosts. The ones that most people want come first. Brings the newest clicks into the book, as
"clicks" does, and changes nothing else.

Example: carryover misses --since 2023-03-01`
}

func (c *missesCmd) Run(a *app) error {
	return a.withClicks(&c.clickFlags, func(b *book.Book, filter book.ClickFilter, zone *time.Location) error {
		misses, err := history.Misses(a.ctx, b, filter, c.Limit)
		if err != nil {
			return err
		}
		return console.Print(a.Console, view.Misses(zone), misses)
	})
}
