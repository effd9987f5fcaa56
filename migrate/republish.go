package migrate

import (
	"context"

	"carryover/mapping/book"
	"carryover/mapping/store"
)

// Republish makes what the book holds now the live link map, as of the newest import. changed is
// false when an equal map was live already.
func Republish(ctx context.Context, s *Settings, b *book.Book, to store.Publisher, progress Progress) (epoch store.Epoch, changed bool, err error) {
	planID := ""
	if last, err := b.LastImport(ctx); err == nil {
		planID = last.PlanID
	}
	return Publish(ctx, s, b, to, planID, progress)
}

// RepublishUntilCurrent republishes until that changes nothing: who publishes at the same moment
// may have read the book before it changed, and be the last to flip the map.
func RepublishUntilCurrent(ctx context.Context, s *Settings, b *book.Book, to store.Publisher) (epoch store.Epoch, err error) {
	const tries = 5
	changed := true
	for try := 0; err == nil && changed && try < tries; try++ {
		epoch, changed, err = Republish(ctx, s, b, to, NoProgress{})
	}
	return epoch, err
}
