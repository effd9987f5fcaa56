package main

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/migrate/report"
)

type examplesCmd struct{}

func (examplesCmd) Help() string {
	return `Picks a few old links of the published map, one of each kind, and shows what they do on either side of
the cutoff, and how to try them on a gateway on this machine. Changes nothing.

Example: carryover examples`
}

func (examplesCmd) Run(a *app) error {
	return a.withMap(func(cfg *config.Config, _ *book.Book, s store.Store) error {
		m, _, err := s.Load(a.ctx)
		if err != nil {
			return unpublished(err)
		}
		table, err := mapping.New(m)
		if err != nil {
			return err
		}
		day := func(t time.Time) string { return t.In(cfg.Zone).Format(time.DateOnly) }
		before, after := m.Policy.Cutoff.Add(-time.Second), m.Policy.Cutoff
		examples := mapping.Examples(m)
		if !a.JSON {
			fmt.Fprintf(a.Out, "A few old links of %s to try, by the address of the gateway on this machine:\n\n", m.Policy.LegacyHosts[0])
		}
		for _, e := range examples {
			req := mapping.ParseTarget("", e.Target)
			if a.JSON {
				if err := a.Object(map[string]any{
					"old_link": "https://" + m.Policy.LegacyHosts[0] + e.Target, "what": e.Shows,
					"before": outcome(table.Resolve(req, before)), "after": outcome(table.Resolve(req, after)),
				}); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(a.Out, "http://%s%s  (%s)\n  on %s  %s\n  on %s  %s\n", cfg.Gateway.Listen, e.Target, e.Shows,
				day(before), told(table.Resolve(req, before)), day(after), told(table.Resolve(req, after)))
		}
		if a.JSON {
			return nil
		}
		fmt.Fprintf(a.Out, "\nSee an answer: curl -sI 'http://%s%s'\nAsk why:       %s resolve '%s' --at %s\n\n",
			cfg.Gateway.Listen, examples[0].Target, a.invocation(), "https://"+m.Policy.LegacyHosts[0]+examples[0].Target, day(before))
		return nil
	})
}

// invocation is how this program was called, with the flags that choose the program it
// speaks of: what a person can copy. A Redis that the environment names, or one with a
// password, is left out.
func (a *app) invocation() string {
	words := []string{os.Args[0]}
	if a.Config != "carryover.toml" {
		words = append(words, "--config", a.Config)
	}
	if a.Data != "data" {
		words = append(words, "--data", a.Data)
	}
	if u, err := url.Parse(a.Redis); err == nil && a.Redis != os.Getenv("REDIS_URL") && u.User == nil {
		words = append(words, "--redis", a.Redis)
	}
	return report.Command(words...)
}

func outcome(d mapping.Decision) map[string]any {
	return map[string]any{"outcome": d.Outcome.String(), "status": d.Status(), "location": d.Location}
}

func told(d mapping.Decision) string {
	return strings.TrimSpace(fmt.Sprintf("%d %-18s %s", d.Status(), d.Outcome, d.Location))
}
