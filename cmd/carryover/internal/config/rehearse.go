package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"carryover/gateway/click"
	"carryover/mapping/backup"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/migrate"
)

// RehearseOn copies a data folder with its book into the folder dir, to rehearse there, and
// makes c a configuration for that: the map is published in the copy's book, and no Redis is
// named, so that nothing live is touched. Afterwards the copy is for rehearsals.
func (c *Config) RehearseOn(ctx context.Context, from backup.Source, dir string) error {
	if _, err := os.Stat(from.Book); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("nothing to rehearse on: %w at %s", book.ErrNoBook, from.Book)
	}
	if err := backup.CopyData(ctx, from, dir); err != nil {
		return err
	}
	c.BookDSN, c.RedisURL = "", ""
	b, err := book.OpenExisting(filepath.Join(dir, "book.db"))
	if err != nil {
		return err
	}
	defer b.Close()
	if err := click.MarkRehearsal(filepath.Join(dir, "clicks.db")); err != nil {
		return err
	}
	trust, err := c.Trust(dir)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Wish{Book: b, Program: c.Program, Store: book.StoreBook}, store.Trusting(trust))
	if err != nil {
		return err
	}
	defer s.Close()
	_, _, err = migrate.Republish(ctx, c.Settings(), b, s, migrate.NoProgress{})
	return err
}
