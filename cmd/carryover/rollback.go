package main

import (
	"errors"
	"fmt"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/migrate"
)

type rollbackCmd struct {
	RunID int64 `arg:"" name:"run" optional:"" help:"Number of the run; the newest when left out."`
}

func (rollbackCmd) Help() string {
	return `Puts back every row that the run changed and takes out what it added, entries of the ledger too, in one
transaction; then publishes the link map of what the book holds. Only the newest run can be undone; older
ones after it.

Example: carryover rollback`
}

func (c *rollbackCmd) Run(a *app) error {
	return a.withMap(func(cfg *config.Config, b *book.Book, s store.Store) error {
		if err := s.Ping(a.ctx); err != nil { // before the book is changed, not after
			return err
		}
		run, epoch, err := migrate.Rollback(a.ctx, c.RunID, cfg.Settings(), b, s, a.Progress(), time.Now())
		if errors.Is(err, book.ErrNoImport) {
			newest, err := b.LastImport(a.ctx)
			if err != nil {
				return errors.New("there is no run to undo: nothing was applied, or all of it is undone")
			}
			return fmt.Errorf("there is no run %d: the newest is %d", c.RunID, newest.ID)
		}
		if err != nil {
			return err
		}
		if a.JSON {
			return a.Object(map[string]any{"run": run.ID, "plan_id": run.PlanID, "rolled_back": run.RolledBack, "epoch": epoch})
		}
		a.Say("Run %d is undone. Link map %d is live: %d links, %d codes.", run.ID, epoch.ID, epoch.Links, epoch.Partners)
		if epoch.Partners == 0 {
			a.Say("The book is empty now: old links lead nowhere until a plan is applied, or \"carryover map rollback EPOCH\".")
		}
		return nil
	})
}
