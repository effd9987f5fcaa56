package migrate

import (
	"context"
	"fmt"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/store"
)

// Publish makes the book's content, under these settings, the live link map. An equal
// map that is live already is left alone.
func Publish(
	ctx context.Context, s *Settings, b *book.Book, to store.Publisher, planID string, progress Progress,
) (store.Epoch, bool, error) {
	content, err := b.Content(ctx)
	if err != nil {
		return store.Epoch{}, false, err
	}
	m, err := s.Project(content)
	if err != nil {
		return store.Epoch{}, false, err
	}
	if _, err := mapping.New(m); err != nil {
		return store.Epoch{}, false, err
	}
	var bar Bar = noBar{}
	last := 0
	epoch, changed, err := to.Publish(ctx, m, planID, func(done, total int) {
		if last == 0 {
			bar = progress.Bar("publishing the link map", int64(total))
		}
		bar.Add(int64(done - last))
		last = done
	})
	bar.Done()
	return epoch, changed, err
}

// Rollback undoes a run (0: the newest) and publishes what the book holds then.
func Rollback(
	ctx context.Context, run int64, s *Settings, b *book.Book, to store.Publisher, progress Progress, now time.Time,
) (book.Import, store.Epoch, error) {
	undone, err := b.Rollback(ctx, run, now)
	if err != nil {
		return undone, store.Epoch{}, err
	}
	epoch, _, err := Republish(ctx, s, b, to, progress)
	if err != nil {
		err = fmt.Errorf("run %d is undone in the book, but the link map was not published: %w; run \"carryover map publish\"", undone.ID, err)
	}
	return undone, epoch, err
}

// Republish makes what the book holds now the live link map, as of the newest import.
// changed is false when an equal map was live already.
func Republish(
	ctx context.Context, s *Settings, b *book.Book, to store.Publisher, progress Progress,
) (epoch store.Epoch, changed bool, err error) {
	planID := ""
	if last, err := b.LastImport(ctx); err == nil {
		planID = last.PlanID
	}
	return Publish(ctx, s, b, to, planID, progress)
}

// RepublishUntilCurrent republishes until that changes nothing: who publishes at the same
// moment may have read the book before it changed, and be the last to flip the map.
func RepublishUntilCurrent(ctx context.Context, s *Settings, b *book.Book, to store.Publisher) (epoch store.Epoch, err error) {
	const tries = 5
	changed := true
	for try := 0; err == nil && changed && try < tries; try++ {
		epoch, changed, err = Republish(ctx, s, b, to, NoProgress{})
	}
	return epoch, err
}
