package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/gateway/click"
	"carryover/mapping/book"
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
		if err := a.knowsToken(b, filter.Token); err != nil {
			return err
		}
		return fn(b, filter, cfg.Zone)
	})
}

// knowsToken fails when nobody has the ref token and no click ever named it: it is mistyped.
func (a *app) knowsToken(b *book.Book, token string) error {
	if token == "" {
		return nil
	}
	clicks, err := b.ClickCounts(a.ctx, book.ClickFilter{Token: token}, book.ByPromoter, nil)
	if err != nil || len(clicks) > 0 {
		return err
	}
	content, err := b.Content(a.ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(content.Promoters, func(p book.Promoter) bool { return p.Token == token }) {
		return fmt.Errorf("no promoter has the ref token %q: \"carryover promoters\" lists them", token)
	}
	return nil
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

// clickLine is a click as --raw --json tells it.
type clickLine struct {
	At        time.Time `json:"at"`
	Node      string    `json:"node"`
	Seq       int64     `json:"seq"`
	Host      string    `json:"host"`
	Path      string    `json:"path"`
	Outcome   string    `json:"outcome"`
	RefToken  string    `json:"ref_token"`
	Link      string    `json:"link"`
	Ad        string    `json:"ad"`
	Verdict   string    `json:"verdict"`
	Reason    string    `json:"reason"`
	Referrer  string    `json:"referrer"`
	UserAgent string    `json:"user_agent"`
}

func (c *clicksCmd) Run(a *app) error {
	return a.withClicks(&c.clickFlags, func(b *book.Book, filter book.ClickFilter, zone *time.Location) error {
		if c.Raw {
			return c.list(a, b, filter, zone)
		}
		counts, err := b.ClickCounts(a.ctx, filter, c.By, zone)
		if err != nil {
			return err
		}
		lines := make([]clickCount, len(counts))
		for i, n := range counts {
			lines[i] = clickCount{n.Key, n.Human, n.Total}
		}
		return console.Print(a.Console, &console.Table[clickCount]{
			Titles: []string{c.By, "human", "all"},
			Cells: func(n *clickCount) []string {
				return []string{cmp.Or(n.Key, "(none)"), strconv.FormatInt(n.Human, 10), strconv.FormatInt(n.Total, 10)}
			},
			Names: map[string]string{"key": c.By},
			Empty: "No clicks so far.",
		}, lines)
	})
}

// clickCount is a count; its key is named for what was counted by.
type clickCount struct {
	Key   string `json:"key"`
	Human int64  `json:"human"`
	Total int64  `json:"total"`
}

// list writes each click.
func (c *clicksCmd) list(a *app, b *book.Book, filter book.ClickFilter, zone *time.Location) error {
	rows := console.NewRows(a.Console, &console.Table[clickLine]{
		Titles: []string{"at", "answered", "verdict", "address", "reason"},
		Cells: func(k *clickLine) []string {
			return []string{k.At.In(zone).Format("2006-01-02 15:04:05.000 MST"), k.Outcome, k.Verdict, k.Host + k.Path, k.Reason}
		},
		Empty: "No clicks so far.",
	})
	err := b.Clicks(a.ctx, filter, func(k book.Click) error {
		return rows.Add(&clickLine{k.At, k.Node, k.Seq, k.Host, k.Path, k.Outcome, k.Token, k.Link, k.Ad, k.Verdict, k.Reason, k.Referrer, k.UserAgent})
	})
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

// missLine is a miss as --json tells it.
type missLine struct {
	Host     string    `json:"host"`
	Path     string    `json:"path"`
	Outcome  string    `json:"outcome"`
	Human    int64     `json:"human"`
	Total    int64     `json:"total"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Referrer string    `json:"top_referrer"`
}

func (c *missesCmd) Run(a *app) error {
	return a.withClicks(&c.clickFlags, func(b *book.Book, filter book.ClickFilter, zone *time.Location) error {
		misses, err := b.Misses(a.ctx, filter, c.Limit)
		if err != nil {
			return err
		}
		lines := make([]missLine, len(misses))
		for i, m := range misses {
			lines[i] = missLine{m.Host, m.Path, m.Outcome, m.Human, m.Total, m.First, m.Last, m.TopReferrer}
		}
		return console.Print(a.Console, &console.Table[missLine]{
			Titles: []string{"address", "answered", "human", "all", "last", "mostly from"},
			Cells: func(m *missLine) []string {
				return []string{
					m.Host + m.Path, m.Outcome, strconv.FormatInt(m.Human, 10), strconv.FormatInt(m.Total, 10),
					m.Last.In(zone).Format("2006-01-02 15:04 MST"), m.Referrer,
				}
			},
			Below: []string{"last", "mostly from"},
			Empty: "No misses so far: every address that was asked for is known.",
		}, lines)
	})
}
