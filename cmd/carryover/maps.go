package main

import (
	"fmt"
	"strings"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/migrate"
	"carryover/migrate/report"
)

type mapCmd struct {
	List     mapListCmd     `cmd:"" help:"The versions that are kept."`
	Diff     mapDiffCmd     `cmd:"" help:"What differs between two versions."`
	Publish  mapPublishCmd  `cmd:"" help:"Publish the book again, under the configuration as it is now."`
	Rollback mapRollbackCmd `cmd:"" help:"Make an older version live, at once."`
}

func (mapCmd) Help() string {
	return `Every apply publishes the link map as a version of its own (an epoch); the last five are kept.

Example: carryover map diff 3 4`
}

type mapListCmd struct{}

func (mapListCmd) Run(a *app) error {
	return a.withMap(func(_ *program, _ *book.Book, s store.Store) error {
		epochs, err := s.Epochs(a.ctx)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, e := range epochs {
			if a.JSON {
				if err := a.line(e); err != nil {
					return err
				}
			}
			live := ""
			if e.Live {
				live = "live"
			}
			rows = append(rows, []string{fmt.Sprint(e.ID), live, e.PublishedAt.Format(time.RFC3339), fmt.Sprint(e.Links), fmt.Sprint(e.Partners), fmt.Sprint(e.IDs), fmt.Sprint(e.Paths), e.PlanID})
		}
		if a.JSON {
			return nil
		}
		return report.Table(a.out, []string{"epoch", "", "published", "links", "codes", "Keap ids", "paths", "plan"}, rows)
	})
}

type mapDiffCmd struct {
	A int64 `arg:"" help:"One epoch."`
	B int64 `arg:"" help:"The other."`
}

// mapChange is one entry that differs between two epochs.
type mapChange struct {
	Table  string `json:"table"`
	Key    string `json:"key"`
	Change string `json:"change"` // added, removed or changed
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
}

func (c *mapDiffCmd) Run(a *app) error {
	return a.withMap(func(_ *program, _ *book.Book, s store.Store) error {
		from, _, err := s.LoadEpoch(a.ctx, c.A)
		if err != nil {
			return err
		}
		to, _, err := s.LoadEpoch(a.ctx, c.B)
		if err != nil {
			return err
		}
		n := 0
		for change := range diffMaps(from, to) {
			n++
			if a.JSON {
				err = a.line(change)
			} else {
				sign := map[string]string{"added": "+", "removed": "-", "changed": "~"}[change.Change]
				_, err = fmt.Fprintln(a.out, sign, change.Table, change.Key, strings.TrimSpace(change.From+" "+map[bool]string{true: "-> "}[change.Change == "changed"]+change.To))
			}
			if err != nil {
				return err
			}
		}
		if n == 0 && !a.JSON {
			fmt.Fprintf(a.out, "Epochs %d and %d mean the same.\n", c.A, c.B)
		}
		return nil
	})
}

// diffMaps yields what differs, in the order of the tables and keys.
func diffMaps(from, to *mapping.Map) func(func(mapChange) bool) {
	return func(yield func(mapChange) bool) {
		before, after := map[[2]string]string{}, map[[2]string]string{}
		for _, e := range from.Entries() {
			before[[2]string{e.Kind.String(), e.Key}] = e.Value
		}
		for _, e := range to.Entries() {
			after[[2]string{e.Kind.String(), e.Key}] = e.Value
		}
		if x, y := mapping.Checksum(from.Policy, nil), mapping.Checksum(to.Policy, nil); x != y {
			if !yield(mapChange{"policy", "", "changed", fmt.Sprintf("%+v", from.Policy), fmt.Sprintf("%+v", to.Policy)}) {
				return
			}
		}
		for _, e := range from.Entries() {
			key := [2]string{e.Kind.String(), e.Key}
			switch now, ok := after[key]; {
			case !ok:
				if !yield(mapChange{key[0], key[1], "removed", e.Value, ""}) {
					return
				}
			case now != e.Value:
				if !yield(mapChange{key[0], key[1], "changed", e.Value, now}) {
					return
				}
			}
		}
		for _, e := range to.Entries() {
			key := [2]string{e.Kind.String(), e.Key}
			if _, ok := before[key]; !ok && !yield(mapChange{key[0], key[1], "added", "", e.Value}) {
				return
			}
		}
	}
}

type mapPublishCmd struct{}

func (mapPublishCmd) Run(a *app) error {
	return a.withMap(func(p *program, b *book.Book, s store.Store) error {
		planID := ""
		if run, err := b.LastRun(a.ctx); err == nil {
			planID = run.PlanID
		}
		e, changed, err := migrate.Publish(a.ctx, &p.settings, b, s, planID, a.progress())
		if err != nil {
			return err
		}
		return a.tellEpoch(e, changed)
	})
}

type mapRollbackCmd struct {
	Epoch int64 `arg:"" help:"The version to make live; \"carryover map list\" shows them."`
}

func (c *mapRollbackCmd) Run(a *app) error {
	return a.withMap(func(_ *program, _ *book.Book, s store.Store) error {
		e, err := s.Activate(a.ctx, c.Epoch)
		if err != nil {
			return err
		}
		return a.tellEpoch(e, true)
	})
}

func (a *app) tellEpoch(e store.Epoch, changed bool) error {
	if a.JSON {
		return a.line(e)
	}
	word := "is live now"
	if !changed {
		word = "is live already: the book and the configuration say nothing new"
	}
	_, err := fmt.Fprintf(a.out, "Link map %d %s (%d links, %d codes, %d Keap ids).\n", e.ID, word, e.Links, e.Partners, e.IDs)
	return err
}
