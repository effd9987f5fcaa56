package migrate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/store"
)

// Undo is a rollback that is to be made, so that it can be named before it is.
type Undo struct {
	Run book.Import // that is undone
	// Interrupted says that a former rollback has undone the run in the book and was stopped
	// before it had told that the link map is published: only that is left to do.
	Interrupted bool
}

// PlanRollback finds what a rollback of a run (0: the newest) undoes. A rollback that was
// interrupted is finished first: it is found before the newest run is, and nothing else is undone
// with it.
func PlanRollback(ctx context.Context, b *book.Book, run int64) (Undo, error) {
	p, err := b.Publication(ctx)
	if err != nil {
		return Undo{}, err
	}
	if p.UndoneImport != 0 && (run == 0 || run == p.UndoneImport) {
		undone, err := b.Import(ctx, p.UndoneImport)
		return Undo{Run: undone, Interrupted: true}, err
	}
	newest, err := b.LastImport(ctx)
	switch {
	case errors.Is(err, book.ErrNoImport):
		return Undo{}, errors.New("there is no run to undo: nothing was applied, or all of it is undone")
	case err != nil, run == 0 || run == newest.ID:
		return Undo{Run: newest}, err
	}
	asked, err := b.Import(ctx, run)
	switch {
	case errors.Is(err, book.ErrNoImport):
		return Undo{}, fmt.Errorf("there is no run %d: the newest is %d", run, newest.ID)
	case err != nil:
		return Undo{}, err
	case !asked.RolledBack.IsZero():
		return Undo{}, fmt.Errorf("run %d was undone already", run)
	}
	return Undo{}, fmt.Errorf("run %d is not the newest: undo run %d first", run, newest.ID)
}

// Rollback undoes what [PlanRollback] finds and publishes what the book holds then. Killed
// anywhere and started again with the number of the run, it ends in the same state; without a
// number it at least completes what was interrupted, and undoes nothing beside. It is over only
// when told has told that it is: nobody who did not hear of it, and repeats it, undoes the next run.
func Rollback(
	ctx context.Context, run int64, s *Settings, b *book.Book, to store.Publisher, progress Progress, now time.Time,
	told func(book.Import, store.Epoch) error,
) error {
	u, err := PlanRollback(ctx, b, run)
	if err != nil {
		return err
	}
	if !u.Interrupted {
		if u.Run, err = b.Rollback(ctx, u.Run.ID, now); err != nil {
			return err
		}
	}
	epoch, _, err := Republish(ctx, s, b, to, progress)
	if err != nil {
		return fmt.Errorf("run %d is undone in the book, but the link map was not published: %w; run \"carryover rollback %[1]d\" again", u.Run.ID, err)
	}
	if err := told(u.Run, epoch); err != nil {
		return err
	}
	return b.RollbackTold(ctx, u.Run.ID)
}
