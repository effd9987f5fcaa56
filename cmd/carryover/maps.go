package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/migrate"
)

type mapCmd struct {
	List     mapListCmd     `cmd:"" help:"List the versions that are kept."`
	Diff     mapDiffCmd     `cmd:"" help:"Show what differs between two versions."`
	Publish  mapPublishCmd  `cmd:"" help:"Publish the book again, under the configuration as it is now."`
	Rollback mapRollbackCmd `cmd:"" help:"Make an older version live, at once."`
}

func (mapCmd) Help() string {
	return `Every apply publishes the link map as a version of its own (an epoch); the last five are kept.

Example: carryover map diff 3 4`
}

type mapListCmd struct{ tableFlags }

func (mapListCmd) Help() string {
	return `The versions of the link map that are kept, the newest first, and which of them is live. Changes nothing.

Example: carryover map list`
}

func (mapListCmd) Run(a *app) error {
	return a.withMap(func(_ *config.Config, _ *book.Book, s store.Store) error {
		epochs, err := s.Epochs(a.ctx)
		if err != nil {
			return err
		}
		return console.Print(a.Console, view.Epochs(s), epochs)
	})
}

type mapDiffCmd struct {
	tableFlags
	A int64 `arg:"" help:"One epoch."`
	B int64 `arg:"" help:"The other."`
}

func (mapDiffCmd) Help() string {
	return `What the second version says that the first did not: + added, - removed, ~ changed. Changes nothing.

Example: carryover map diff 3 4`
}

func (c *mapDiffCmd) Run(a *app) error {
	return a.withMap(func(_ *config.Config, _ *book.Book, s store.Store) error {
		from, _, err := s.LoadEpoch(a.ctx, c.A)
		if err != nil {
			return notKept(err, c.A, s)
		}
		to, _, err := s.LoadEpoch(a.ctx, c.B)
		if err != nil {
			return notKept(err, c.B, s)
		}
		if a.Form != console.Text {
			return console.Print(a.Console, &console.Table[mapping.Change]{}, slices.Collect(mapping.Diff(from, to)))
		}
		n := 0
		for change := range mapping.Diff(from, to) {
			n++
			sign := map[string]string{mapping.Added: "+", mapping.Removed: "-", mapping.Changed: "~"}[change.Change]
			arrow := map[bool]string{true: "-> "}[change.Change == mapping.Changed]
			if _, err = fmt.Fprintln(a.Out, sign, change.Table, change.Key, strings.TrimSpace(change.From+" "+arrow+change.To)); err != nil {
				return err
			}
		}
		if n == 0 {
			a.Say("Epochs %d and %d mean the same.", c.A, c.B)
		}
		return nil
	})
}

type mapPublishCmd struct{}

func (mapPublishCmd) Help() string {
	return `Makes a new version of the link map from the book and the configuration as they are now, and makes it live
at once: after a change of the cutoff, the pages or the hosts. An equal map that is live is left alone. The
book is not changed.

Example: carryover map publish`
}

func (mapPublishCmd) Run(a *app) error {
	return a.withMap(func(cfg *config.Config, b *book.Book, s store.Store) error {
		before := store.LiveRefused(a.ctx, s)
		e, changed, err := migrate.Republish(a.ctx, cfg.Settings(), b, s, a.Progress())
		if err != nil {
			return err
		}
		if before != "" {
			a.Note("The map that was live before was not believed here, and whoever published it may not believe this one: %s", before)
		}
		if !changed {
			return a.tellEpoch(e, "is live already: the book and the configuration say nothing new")
		}
		return a.tellEpoch(e, "is live now")
	})
}

type mapRollbackCmd struct {
	Epoch int64 `arg:"" help:"The version to make live; \"carryover map list\" shows them."`
}

func (mapRollbackCmd) Help() string {
	return `Gateways serve the older version from the next moment on. The book is not changed: the next apply or
"map publish" publishes what it holds.

Example: carryover map rollback 3`
}

func (c *mapRollbackCmd) Run(a *app) error {
	return a.withMap(func(_ *config.Config, _ *book.Book, s store.Store) error {
		before, err := liveEpoch(a, s)
		if err != nil && !errors.Is(err, store.ErrForeign) { // which this mends
			return err
		}
		e, err := s.Activate(a.ctx, c.Epoch)
		if err != nil {
			return notKept(err, c.Epoch, s)
		}
		if e.ID == before {
			return a.tellEpoch(e, "is live already")
		}
		return a.tellEpoch(e, "is live now")
	})
}

// notKept says what to do about an epoch that is not there.
func notKept(err error, epoch int64, s store.Store) error {
	if errors.Is(err, store.ErrNoEpoch) {
		return fmt.Errorf("epoch %d is not kept in %s: \"carryover map list\" shows those that are", epoch, s)
	}
	return err
}

// tellEpoch writes which map is live; state is what became of it.
func (a *app) tellEpoch(e store.Epoch, state string) error {
	if a.JSON {
		return a.Object(e)
	}
	return a.Say("Link map %d %s (%d links, %d codes, %d Keap ids).", e.ID, state, e.Links, e.Partners, e.IDs)
}
