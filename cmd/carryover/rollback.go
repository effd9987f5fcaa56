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
	Yes   bool  `short:"y" help:"Do not ask at a terminal."`
	RunID int64 `arg:"" name:"run" optional:"" help:"Number of the run; the newest when left out."`
}

func (rollbackCmd) Help() string {
	return `Puts back every row that the run changed and takes out what it added, entries of the ledger too, in one
transaction; then publishes the link map of what the book holds. Only the newest run can be undone; older
ones after it. Names the run and asks first, at a terminal.

Stopped before it has said that the run is undone, and started again, it publishes what is not published yet
and undoes nothing beside: a script names the run.

Example: carryover rollback 2`
}

func (c *rollbackCmd) Run(a *app) error {
	return a.withMap(func(cfg *config.Config, b *book.Book, s store.Store) error {
		if err := s.Ping(a.ctx); err != nil { // before the book is changed, not after
			return err
		}
		undo, err := migrate.PlanRollback(a.ctx, b, c.RunID)
		if err != nil {
			return err
		}
		what := fmt.Sprintf("run %d, applied %s from plan %s", undo.Run.ID, undo.Run.AppliedAt.In(cfg.Zone).Format("2006-01-02 15:04 MST"), undo.Run.PlanID)
		if !undo.Interrupted && !c.Yes {
			if yes, asked := a.Confirm("Undo " + what + "?"); asked && !yes {
				return errors.New("nothing was undone")
			}
		}
		return migrate.Rollback(a.ctx, undo.Run.ID, cfg.Settings(), b, s, a.Progress(), time.Now(), func(run book.Import, epoch store.Epoch) error {
			if a.JSON {
				return a.Object(map[string]any{
					"run": run.ID, "plan_id": run.PlanID, "rolled_back": run.RolledBack, "interrupted": undo.Interrupted, "epoch": epoch,
				})
			}
			if undo.Interrupted {
				a.Say("A rollback of %s, was stopped before it said that the link map was published. It is, and nothing else was undone.", what)
			}
			a.Say("Run %d is undone. Link map %d is live: %d links, %d codes.", run.ID, epoch.ID, epoch.Links, epoch.Partners)
			if epoch.Partners == 0 {
				a.Say("The book is empty now: old links lead nowhere until a plan is applied, or \"carryover map rollback EPOCH\".")
			}
			return nil
		})
	})
}
