package main

import (
	"errors"
	"fmt"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/store"
)

type resolveCmd struct {
	At  string `placeholder:"TIME" help:"The moment of the click, as RFC 3339, a date, or a time in the program's zone; now when left out."`
	URL string `arg:"" help:"An old link, or - to read TIME<tab>URL lines from standard input."`
}

func (resolveCmd) Help() string {
	return `Asks the published link map, with the same function that the gateway answers with. Changes nothing and
counts no click. With - it reads lines of "TIME<tab>URL" (an empty TIME is now) and answers each, in order;
with --json one object a line.

Example: carryover resolve https://go.carrot.com/go/course/coachdesk --at 2023-04-01T00:00:00-07:00`
}

func (c *resolveCmd) Run(a *app) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	now := time.Now().In(cfg.Zone).Truncate(time.Millisecond)
	if c.At != "" {
		if now, err = console.ParseTime(c.At, cfg.Zone); err != nil {
			return console.UsageError("--at: %v", err)
		}
	}
	table, err := a.publishedTable(cfg)
	if err != nil {
		return err
	}
	if c.URL == "-" {
		a.uncatch() // a read of a terminal or pipe does not notice that the context ended
		return view.AnswerLines(a.Console, table, cfg.Zone, now)
	}
	ans := table.Answer(c.URL, now)
	if a.JSON {
		return a.Object(ans)
	}
	where := ans.Location
	if where == "" {
		where = "a page of the gateway's own"
	}
	fmt.Fprintf(a.Out, "%s %d\n  %s\n", ans.Outcome, ans.Status, where)
	for _, r := range ans.Reasons {
		a.Say("  - %s", r)
	}
	if ans.Note != "" {
		a.Say("  note: %s", ans.Note)
	}
	return nil
}

// publishedTable loads the live map from where the gateway gets it.
func (a *app) publishedTable(cfg *config.Config) (*mapping.Table, error) {
	b, err := a.readBook(cfg)
	if err == nil {
		defer b.Close()
	} else if !errors.Is(err, book.ErrNoBook) || a.redisURL(cfg) == "" {
		return nil, err
	}
	s, err := a.openStore(cfg, b)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	m, _, err := s.Load(a.ctx)
	if err != nil {
		return nil, unpublished(err)
	}
	return mapping.New(m)
}

// unpublished says what to do when there is no map yet.
func unpublished(err error) error {
	if errors.Is(err, store.ErrNoMap) {
		return fmt.Errorf("%w: run \"carryover apply\" first", err)
	}
	return err
}
