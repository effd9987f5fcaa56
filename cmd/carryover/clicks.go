package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/gateway/click"
	"carryover/mapping/book"
	"carryover/migrate/report"
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
		if out.From, err = parseInstant(f.Since, zone); err != nil {
			return out, usage("--since: %v", err)
		}
	}
	if f.Until != "" {
		if out.To, err = parseInstant(f.Until, zone); err != nil {
			return out, usage("--until: %v", err)
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
				fmt.Fprintf(a.errOut, "carryover: the newest clicks are not in this report: %v\n", err)
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
		out := bufio.NewWriter(a.out)
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		if c.Raw {
			err := b.Clicks(a.ctx, filter, func(k book.Click) error {
				if a.JSON {
					return enc.Encode(clickLine{k.At, k.Node, k.Seq, k.Host, k.Path, k.Outcome, k.Token, k.Link, k.Ad, k.Verdict, k.Reason, k.Referrer, k.UserAgent})
				}
				_, err := fmt.Fprintf(out, "%s  %-18s %-10s %s%s  %s\n", k.At.In(zone).Format("2006-01-02 15:04:05.000 MST"), k.Outcome, k.Verdict, k.Host, k.Path, k.Reason)
				return err
			})
			return errors.Join(err, out.Flush())
		}
		counts, err := b.ClickCounts(a.ctx, filter, c.By, zone)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, n := range counts {
			if a.JSON {
				if err := enc.Encode(map[string]any{c.By: n.Key, "human": n.Human, "total": n.Total}); err != nil {
					return err
				}
			}
			key := n.Key
			if key == "" {
				key = "(none)"
			}
			rows = append(rows, []string{key, fmt.Sprint(n.Human), fmt.Sprint(n.Total)})
		}
		if len(rows) == 0 && !a.JSON {
			_, err := fmt.Fprintln(a.out, "No clicks so far.")
			return err
		}
		if !a.JSON {
			if err := report.Table(out, []string{c.By, "human", "all"}, rows); err != nil {
				return err
			}
		}
		return out.Flush()
	})
}

type missesCmd struct {
	clickFlags
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
		var rows [][]string
		for _, m := range misses {
			if a.JSON {
				if err := a.line(missLine{m.Host, m.Path, m.Outcome, m.Human, m.Total, m.First, m.Last, m.TopReferrer}); err != nil {
					return err
				}
			}
			rows = append(rows, []string{m.Host + m.Path, m.Outcome, fmt.Sprint(m.Human), fmt.Sprint(m.Total), m.Last.In(zone).Format("2006-01-02 15:04 MST"), m.TopReferrer})
		}
		if a.JSON {
			return nil
		}
		if len(rows) == 0 {
			_, err := fmt.Fprintln(a.out, "No misses so far: every address that was asked for is known.")
			return err
		}
		return report.Table(a.out, []string{"address", "answered", "human", "all", "last", "mostly from"}, rows)
	})
}
