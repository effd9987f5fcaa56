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

// example is an old link that shows something.
type example struct{ what, target string }

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
		examples := pickExamples(m)
		if !a.JSON {
			fmt.Fprintf(a.Out, "A few old links of %s to try, by the address of the gateway on this machine:\n\n", m.Policy.LegacyHosts[0])
		}
		for _, e := range examples {
			req := mapping.ParseTarget("", e.target)
			if a.JSON {
				if err := a.Object(map[string]any{
					"old_link": "https://" + m.Policy.LegacyHosts[0] + e.target, "what": e.what,
					"before": outcome(table.Resolve(req, before)), "after": outcome(table.Resolve(req, after)),
				}); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(a.Out, "http://%s%s  (%s)\n  on %s  %s\n  on %s  %s\n", cfg.Gateway.Listen, e.target, e.what,
				day(before), told(table.Resolve(req, before)), day(after), told(table.Resolve(req, after)))
		}
		if a.JSON {
			return nil
		}
		fmt.Fprintf(a.Out, "\nSee an answer: curl -sI 'http://%s%s'\nAsk why:       %s resolve '%s' --at %s\n\n",
			cfg.Gateway.Listen, examples[0].target, a.invocation(), "https://"+m.Policy.LegacyHosts[0]+examples[0].target, day(before))
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

// pickExamples finds one old link of every kind that the map has.
func pickExamples(m *mapping.Map) []example {
	link, shortest := "unknown", 0
	for i, l := range m.Links {
		if i == 0 {
			link = l.Code
		}
		if n := len(l.Destination); plain(l.Code) && (shortest == 0 || n < shortest) {
			link, shortest = l.Code, n
		}
	}
	policy := &m.Policy
	path := func(code string) string {
		return mapping.ParseURL(policy.OldLink(link, code)).Path
	}
	var out []example
	add := func(what string, match func(p mapping.Partner) bool) {
		for _, p := range m.Partners {
			if match(p) && plain(p.Code) {
				out = append(out, example{what, path(p.Code)})
				return
			}
		}
	}
	add("an active promoter", func(p mapping.Partner) bool { return p.Status == mapping.Active && p.Until.IsZero() })
	add("with a grace date", func(p mapping.Partner) bool { return p.Status == mapping.Active && !p.Until.IsZero() })
	add("an inactive promoter", func(p mapping.Partner) bool { return p.Status == mapping.Inactive })
	add("the program's own", func(p mapping.Partner) bool { return p.Status == mapping.House })
	out = append(out, example{"nobody we know", path("nobody-we-know")})
	if firstActive(m) != 0 {
		out = append(out, example{"re-pointed at Keap", fmt.Sprintf("/k/%s?affiliate=%d", url.PathEscape(link), firstActive(m))})
	}
	for _, p := range m.Partners {
		if p.Status == mapping.Active && plain(p.Code) {
			out = append(out, example{"the new link", mapping.ParseURL(policy.NewLink(p.Token, link)).Path})
			break
		}
	}
	return append(out, example{"an unknown link", "/go/no-such-link"}, example{"the old sign-in", "/app/authentication/login"})
}

// plain reports whether a code reads well in an example: a few letters.
func plain(code string) bool {
	return len(code) <= 16 && strings.IndexFunc(code, func(r rune) bool { return r < 'A' || r > 'z' || r > 'Z' && r < 'a' }) < 0
}

// firstActive is the Keap id of an active promoter; 0 when there is none.
func firstActive(m *mapping.Map) int64 {
	active := map[string]bool{}
	for _, p := range m.Partners {
		active[p.Code] = p.Status == mapping.Active
	}
	for _, id := range m.IDs {
		if active[id.Code] {
			return id.KeapID
		}
	}
	return 0
}
