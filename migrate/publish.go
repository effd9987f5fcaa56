package migrate

import (
	"context"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/store"
)

// Publish makes the book's content, under these settings, the live link map. An equal
// map that is live already is left alone.
func Publish(
	ctx context.Context, s *Settings, b *book.Book, to store.Publisher, planID string, progress Progress,
) (store.Epoch, bool, error) {
	before, err := b.Publication(ctx) // first: what is changed meanwhile may be in the content or not
	if err != nil {
		return store.Epoch{}, false, err
	}
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
	if err != nil {
		return epoch, changed, err
	}
	return epoch, changed, b.MapCurrent(ctx, before.Changes)
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
