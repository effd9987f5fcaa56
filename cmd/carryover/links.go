package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/migrate"
	"carryover/migrate/sheet"
)

type linksCmd struct {
	Promoter string `placeholder:"TOKEN" help:"Only the links of this ref token."`
}

func (linksCmd) Help() string {
	return `Streams one line for every old link of every promoter, with the new link that takes its place: made
from two small tables, never stored. As CSV, or with --json one object a line. Changes nothing.

Example: carryover links --promoter coachdesk > coachdesk.csv`
}

func (c *linksCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		content, err := b.Content(a.ctx)
		if err != nil {
			return err
		}
		if c.Promoter != "" && !slices.ContainsFunc(content.Promoters, func(q book.Promoter) bool { return q.Token == c.Promoter }) {
			return fmt.Errorf("no promoter has the ref token %q: \"carryover promoters\" lists them", c.Promoter)
		}
		out := bufio.NewWriterSize(a.Out, 1<<18)
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		sheetOut := sheet.NewEncoder[migrate.SheetLink](sheet.NewWriter(out))
		err = migrate.SheetLinks(&cfg.Policy, content, content.Links, cfg.Paths, c.Promoter, func(l migrate.SheetLink) error {
			if err := a.ctx.Err(); err != nil { // there may be millions
				return err
			}
			if a.Form == console.JSON {
				return enc.Encode(l)
			}
			return sheetOut.Encode(l)
		})
		if a.Form != console.JSON {
			err = errors.Join(err, sheetOut.Flush())
		}
		return errors.Join(err, out.Flush())
	})
}
