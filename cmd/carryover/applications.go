package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/history"
	"carryover/mapping/store"
	"carryover/migrate"
)

type applicationsCmd struct {
	List    applicationsListCmd    `cmd:"" default:"withargs" help:"List the applications that wait for a decision."`
	Approve applicationsApproveCmd `cmd:"" help:"Let applicants take part."`
	Reject  applicationsRejectCmd  `cmd:"" help:"Turn applicants down."`
}

func (applicationsCmd) Help() string {
	return `Applications come over the form at /join and /rejoin, with [join] mode = "builtin". Without another word those that
wait are listed, which changes nothing.

Example: carryover applications`
}

type applicationsListCmd struct {
	tableFlags
	All bool `help:"Also those that were decided."`
}

func (applicationsListCmd) Help() string {
	return `Who wants to take part, in the order in which they came, what the book knows of the address (nothing, or the
promoter that it is or was, and whether that one is active, inactive or blocked), and why a person decides: with
[join] approval = "auto" because the address is not new, or the name is taken, reserved, or taken for another's. Nobody
has shown that the address is theirs: write to it before you let somebody take part again. Nobody is written to: tell
them yourself. Changes nothing.

Example: carryover applications --all --json`
}

func (c *applicationsListCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		list, err := history.Applications(a.ctx, b, c.All, cfg.Zone)
		if err != nil {
			return err
		}
		table := console.Table[history.Application]{
			Titles: []string{"id", "applied", "kind", "name", "e-mail", "site", "in the book", "why it waits"},
			Cells: func(l *history.Application) []string {
				return []string{strconv.FormatInt(l.ID, 10), l.AppliedAt[:10], l.Kind, l.Name, l.Email, l.Site, said(l), l.ReasonText(),
					l.State, l.DecidedBy}
			},
			Below: []string{"site", "why it waits"},
			Empty: "No application waits; --all lists those that were decided.",
		}
		if c.All {
			table.Titles, table.Empty = append(table.Titles, "state", "by"), "Nobody has applied."
		}
		return console.Print(a.Console, &table, list)
	})
}

// said is what the book knows of an applicant, for a person.
func said(l *history.Application) string {
	if l.RefToken == "" {
		return ""
	}
	return l.RefToken + ", " + l.Standing
}

type applicationsApproveCmd struct {
	IDs   []int64 `arg:"" name:"id" help:"As \"carryover applications\" lists them."`
	By    string  `placeholder:"NAME" help:"Who approves; the user when left out."`
	Token string  `placeholder:"TOKEN" help:"The ref token of one who is new; else that of the site's host, or of the name."`
}

func (applicationsApproveCmd) Help() string {
	return `Makes a promoter of each, with a ref token of its own; one who was a promoter before takes part again, also one who
was blocked, with its codes, customers, history and token. All or none, and what was approved before is not changed.
The link map is published, so that their links count at once. Nobody is written to: tell them yourself. The ref token of
one who is new is the host of the site or, where that is a page on somebody else's, the name; --token gives another one:
a free one of up to 40 small letters, digits, "-" and "_".

Example: carryover applications approve 12 13 --by kim`
}

func (c *applicationsApproveCmd) Run(a *app) error {
	if c.Token != "" && len(c.IDs) != 1 {
		return console.UsageError("--token is of one applicant: approve each in a call of its own")
	}
	return a.withMap(func(cfg *config.Config, b *book.Book, s store.Store) error {
		if err := s.Ping(a.ctx); err != nil { // before the book is changed, not after
			return err
		}
		done, err := c.approve(a.ctx, b)
		if err != nil {
			return decided(err)
		}
		for i := range done {
			d := history.NewApplicationDecision(&done[i], &cfg.Policy)
			if a.JSON {
				err = a.Object(d)
			} else {
				_, err = fmt.Fprintf(a.Out, "%d %s: %s as %s, %s\n", d.ID, d.Email, d.Text, d.RefToken, d.Link)
			}
			if err != nil {
				return err
			}
		}
		e, err := migrate.RepublishUntilCurrent(a.ctx, cfg.Settings(), b, s)
		if err != nil {
			return fmt.Errorf("they are approved, but the link map was not published: %w; run \"carryover map publish\"", err)
		}
		if a.JSON {
			return nil
		}
		return a.tellEpoch(e, "is live")
	})
}

func (c *applicationsApproveCmd) approve(ctx context.Context, b *book.Book) ([]book.Admission, error) {
	if c.Token == "" {
		return b.Approve(ctx, c.IDs, console.User(c.By), time.Now().Unix())
	}
	d, err := b.ApproveAs(ctx, c.IDs[0], c.Token, console.User(c.By), time.Now().Unix())
	return []book.Admission{d}, err
}

type applicationsRejectCmd struct {
	IDs     []int64 `arg:"" optional:"" name:"id" help:"As \"carryover applications\" lists them."`
	By      string  `placeholder:"NAME" help:"Who rejects; the user when left out."`
	Visitor string  `placeholder:"VISITOR" help:"All that wait of one network address on one day, as --json tells it."`
}

func (applicationsRejectCmd) Help() string {
	return `Says no to each, all or none. They may apply again, and a person decides then, also with [join] approval = "auto".
Nothing else changes, and nobody is written to. "applications approve" takes a no back; one that was approved cannot be
rejected any more. After a flood, --visitor rejects what one network address sent on one day ("visitor" in --json).

Example: carryover applications reject 14`
}

func (c *applicationsRejectCmd) Run(a *app) error {
	if (len(c.IDs) == 0) == (c.Visitor == "") {
		return console.UsageError("name the applications, or with --visitor all of one network address")
	}
	return a.withBook(func(_ *config.Config, b *book.Book) (err error) {
		var done []book.Admission
		if c.Visitor != "" {
			done, err = b.RejectVisitor(a.ctx, c.Visitor, console.User(c.By), time.Now().Unix())
		} else {
			done, err = b.Reject(a.ctx, c.IDs, console.User(c.By), time.Now().Unix())
		}
		if err != nil {
			return decided(err)
		}
		for i := range done {
			d := history.NewApplicationDecision(&done[i], nil)
			if a.JSON {
				err = a.Object(d)
			} else {
				_, err = fmt.Fprintf(a.Out, "%d %s: %s\n", d.ID, d.Email, d.Text)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// decided says what to do about a decision that could not be made.
func decided(err error) error {
	switch {
	case errors.Is(err, book.ErrNoApplication):
		return fmt.Errorf("%w: \"carryover applications --all\" lists them; nothing was changed", err)
	case errors.Is(err, book.ErrAlreadyApproved):
		return fmt.Errorf("%w: \"carryover promoters set TOKEN status=inactive\" ends that; nothing was changed", err)
	case errors.Is(err, book.ErrTokenForm):
		return fmt.Errorf("%w: it is of up to 40 small letters, digits, \"-\" and \"_\"; nothing was changed", err)
	case errors.Is(err, book.ErrTokenTaken):
		return fmt.Errorf("%w, by a promoter or as a partner's code: choose another; nothing was changed", err)
	case errors.Is(err, book.ErrTokenKept):
		return fmt.Errorf("%w: leave --token out; nothing was changed", err)
	}
	return fmt.Errorf("deciding: %w; nothing was changed", err)
}
