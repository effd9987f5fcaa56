package main

import (
	"context"

	"carryover/cmd/carryover/internal/config"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/migrate"
)

// publishJoined makes the book's promoters the live link map. It publishes until that says
// nothing new: who publishes at the same moment may have read the book before it changed,
// and be the last to flip the map.
func publishJoined(ctx context.Context, cfg *config.Config, b *book.Book, s store.Store) (store.Epoch, error) {
	planID := ""
	if run, err := b.LastImport(ctx); err == nil {
		planID = run.PlanID
	}
	for try := 1; ; try++ {
		e, changed, err := migrate.Publish(ctx, cfg.Settings(), b, s, planID, migrate.NoProgress{})
		if err != nil || !changed || try == 5 {
			return e, err
		}
	}
}
