package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carryover/mapping/book"
	"carryover/migrate"
	"carryover/migrate/report"
	"carryover/migrate/sheet"
)

type promotersCmd struct{}

func (promotersCmd) Help() string {
	return `One line a promoter: ref token, address, status, every Keap id and code that names it, its parent.
Changes nothing.

Example: carryover promoters --json`
}

// promoterLine is a promoter as --json tells it.
type promoterLine struct {
	RefToken       string   `json:"ref_token"`
	Email          string   `json:"email"`
	Status         string   `json:"status"`
	KeapIDs        []int64  `json:"keap_ids"`
	Codes          []string `json:"codes"`
	ParentRefToken string   `json:"parent_ref_token"`
	NeedsEmail     bool     `json:"needs_email"`
}

func (promotersCmd) Run(a *app) error {
	return a.withBook(func(_ *program, b *book.Book) error {
		c, err := b.Content(a.ctx)
		if err != nil {
			return err
		}
		out := bufio.NewWriter(a.out)
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		var rows [][]string
		for _, l := range promoterLines(c) {
			if a.JSON {
				if err := enc.Encode(l); err != nil {
					return err
				}
				continue
			}
			ids := make([]string, len(l.KeapIDs))
			for i, id := range l.KeapIDs {
				ids[i] = strconv.FormatInt(id, 10)
			}
			email := l.Email
			if l.NeedsEmail {
				email = "(needs one)"
			}
			rows = append(rows, []string{l.RefToken, l.Status, email, strings.Join(ids, " "), strings.Join(l.Codes, " "), l.ParentRefToken})
		}
		if !a.JSON {
			if err := report.Table(out, []string{"ref token", "status", "e-mail", "Keap ids", "codes", "parent"}, rows); err != nil {
				return err
			}
		}
		return out.Flush()
	})
}

// promoterLines lists the promoters in the order of their primary Keap ids.
func promoterLines(c *book.Content) []promoterLine {
	promoters := slices.Clone(c.Promoters)
	slices.SortFunc(promoters, func(a, b book.Promoter) int { return cmp.Compare(a.KeapID, b.KeapID) })
	index := make(map[int64]int, len(promoters))
	tokens := make(map[int64]string, len(promoters))
	lines := make([]promoterLine, 0, len(promoters))
	for _, p := range promoters {
		tokens[p.ID] = p.Token
	}
	for _, p := range promoters {
		if p.MergedInto != 0 {
			continue
		}
		index[p.ID] = len(lines)
		lines = append(lines, promoterLine{
			RefToken: p.Token, Email: p.Email, Status: p.Status, KeapIDs: []int64{}, Codes: []string{},
			ParentRefToken: tokens[p.ParentID], NeedsEmail: p.Email == "",
		})
	}
	for _, alias := range c.Aliases {
		i, ok := index[alias.PromoterID]
		if !ok || alias.PromoterID == 0 {
			continue
		}
		if alias.Kind == book.AliasCode {
			lines[i].Codes = append(lines[i].Codes, alias.Value)
		} else if id, err := strconv.ParseInt(alias.Value, 10, 64); err == nil {
			lines[i].KeapIDs = append(lines[i].KeapIDs, id)
		}
	}
	for i := range lines {
		slices.Sort(lines[i].KeapIDs)
		slices.Sort(lines[i].Codes)
	}
	return lines
}

type linksCmd struct {
	Promoter string `placeholder:"TOKEN" help:"Only the links of this ref token."`
}

func (linksCmd) Help() string {
	return `Streams one line for every old link of every promoter, with the new link that takes its place: made
from two small tables, never stored. As CSV, or with --json one object a line. Changes nothing.

Example: carryover links --promoter coachdesk > coachdesk.csv`
}

func (c *linksCmd) Run(a *app) error {
	return a.withBook(func(p *program, b *book.Book) error {
		content, err := b.Content(a.ctx)
		if err != nil {
			return err
		}
		if c.Promoter != "" && !slices.ContainsFunc(content.Promoters, func(q book.Promoter) bool { return q.Token == c.Promoter }) {
			return fmt.Errorf("no promoter has the ref token %q: \"carryover promoters\" lists them", c.Promoter)
		}
		out := bufio.NewWriterSize(a.out, 1<<18)
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		sheetOut := sheet.NewWriter(out)
		write := func(l migrate.SheetLink) error {
			if err := a.ctx.Err(); err != nil { // there may be millions
				return err
			}
			if a.JSON {
				return enc.Encode(l)
			}
			return sheetOut.Write(l.OldLink, l.NewLink, l.Link, l.Code, l.Token, l.Email, l.Status)
		}
		if !a.JSON {
			if err := sheetOut.Write("old_link", "new_link", "link", "code", "ref_token", "email", "status"); err != nil {
				return err
			}
		}
		err = migrate.SheetLinks(&p.settings.Policy, content, content.Links, c.Promoter, write)
		return errors.Join(err, sheetOut.Flush(), out.Flush())
	})
}
