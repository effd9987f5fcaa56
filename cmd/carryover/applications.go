package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/mapping/terms"
)

type applicationsCmd struct {
	List    applicationsListCmd    `cmd:"" default:"withargs" help:"Those that wait for a decision."`
	Approve applicationsApproveCmd `cmd:"" help:"Let them take part."`
	Reject  applicationsRejectCmd  `cmd:"" help:"Say no to them."`
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
	return `Who wants to take part, in the order in which they came, and what the book knows of the address: nothing, or the
promoter that it was, and whether that one is inactive or blocked. Nobody is written to: tell them yourself. Changes
nothing.

Example: carryover applications --all --json`
}

// applicationLine is an application as --json tells it.
type applicationLine struct {
	ID        int64  `json:"id"`
	Kind      string `json:"kind"` // join or rejoin
	Name      string `json:"name"`
	Email     string `json:"email"`
	Site      string `json:"site"`
	Terms     string `json:"terms"`      // what was agreed to
	AppliedAt string `json:"applied_at"` // RFC 3339, in the program's zone
	Visitor   string `json:"visitor"`    // equal for one network address on one day
	State     string `json:"state"`      // waiting, approved or rejected
	RefToken  string `json:"ref_token"`  // of the promoter that it is, or was; empty: none
	Standing  string `json:"standing"`   // of that promoter now
	DecidedAt string `json:"decided_at"`
	DecidedBy string `json:"decided_by"`
}

func (c *applicationsListCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		list, err := b.Applications(a.ctx, c.All)
		if err != nil {
			return err
		}
		dir, err := b.Directory(a.ctx)
		if err != nil {
			return err
		}
		lines := make([]applicationLine, len(list))
		for i := range list {
			lines[i] = newApplicationLine(&list[i], dir, cfg.Zone)
		}
		table := console.Table[applicationLine]{
			Titles: []string{"id", "applied", "kind", "name", "e-mail", "site", "in the book"},
			Cells: func(l *applicationLine) []string {
				return []string{strconv.FormatInt(l.ID, 10), l.AppliedAt[:10], l.Kind, l.Name, l.Email, l.Site, said(l), l.State, l.DecidedBy}
			},
			Below: []string{"site"},
			Empty: "No application waits; --all lists those that were decided.",
		}
		if c.All {
			table.Titles, table.Empty = append(table.Titles, "state", "by"), "Nobody has applied."
		}
		return console.Print(a.Console, &table, lines)
	})
}

// said is what the book knows of an applicant, for a person.
func said(l *applicationLine) string {
	if l.RefToken == "" {
		return ""
	}
	return l.RefToken + ", " + l.Standing
}

func newApplicationLine(ap *book.Application, dir *book.Directory, zone *time.Location) applicationLine {
	l := applicationLine{
		ID: ap.ID, Kind: ap.Kind, Name: ap.Name, Email: ap.Email, Site: ap.Site, Terms: ap.Terms,
		AppliedAt: terms.FormatTime(ap.AppliedAt, zone), Visitor: ap.Visitor, State: ap.State,
		DecidedAt: terms.FormatTime(ap.DecidedAt, zone), DecidedBy: ap.DecidedBy,
	}
	owner := dir.ByEmail(ap.Email)
	if ap.PromoterID != 0 {
		owner = dir.ByID(ap.PromoterID)
	}
	if p := owner.Promoter; p != nil {
		l.RefToken, l.Standing = p.Token, string(p.Status)
	}
	return l
}

type applicationsApproveCmd struct {
	IDs []int64 `arg:"" name:"id" help:"As \"carryover applications\" lists them."`
	By  string  `placeholder:"NAME" help:"Who approves; the user when left out."`
}

func (applicationsApproveCmd) Help() string {
	return `Makes a promoter of each, with a ref token of its own; one who was a promoter before takes part again, also one who
was blocked, with its codes, customers, history and token. All or none, and what was approved before is not changed.
The link map is published, so that their links count at once. Nobody is written to: tell them yourself.

Example: carryover applications approve 12 13 --by kim`
}

// decisionLine is a decision as --json tells it.
type decisionLine struct {
	ID       int64  `json:"id"`
	Email    string `json:"email"`
	State    string `json:"state"`
	Outcome  string `json:"outcome"` // joined, rejoined, takes part, rejected or unchanged
	RefToken string `json:"ref_token"`
	Link     string `json:"link"` // to share
}

func (c *applicationsApproveCmd) Run(a *app) error {
	return a.withMap(func(cfg *config.Config, b *book.Book, s store.Store) error {
		if err := s.Ping(a.ctx); err != nil { // before the book is changed, not after
			return err
		}
		done, err := b.Approve(a.ctx, c.IDs, by(c.By), time.Now().Unix())
		if err != nil {
			return decided(err)
		}
		for _, d := range done {
			l := decisionLine{ID: d.Application.ID, Email: d.Application.Email, State: d.Application.State, Outcome: outcomes[d.Outcome], RefToken: d.Promoter.Token}
			if l.RefToken != "" {
				l.Link = "https://" + cfg.Policy.LegacyHosts[0] + "/r/" + l.RefToken
			}
			if a.JSON {
				err = a.Object(l)
			} else {
				_, err = fmt.Fprintf(a.Out, "%d %s: %s as %s, %s\n", l.ID, l.Email, approvals[d.Outcome], l.RefToken, l.Link)
			}
			if err != nil {
				return err
			}
		}
		e, err := publishJoined(a.ctx, cfg, b, s)
		if err != nil {
			return fmt.Errorf("they are approved, but the link map was not published: %w; run \"carryover map publish\"", err)
		}
		if a.JSON {
			return nil
		}
		return a.tellEpoch(e, "is live")
	})
}

var (
	outcomes  = map[book.AdmissionOutcome]string{book.Joined: "joined", book.Rejoined: "rejoined", book.TakesPart: "takes part", book.Settled: "unchanged", book.Rejected: "rejected"}
	approvals = map[book.AdmissionOutcome]string{book.Joined: "takes part", book.Rejoined: "takes part again", book.TakesPart: "took part already", book.Settled: "was approved before"}
)

type applicationsRejectCmd struct {
	IDs []int64 `arg:"" name:"id" help:"As \"carryover applications\" lists them."`
	By  string  `placeholder:"NAME" help:"Who rejects; the user when left out."`
}

func (applicationsRejectCmd) Help() string {
	return `Says no to each, all or none. They may apply again, and a person decides then, also with [join] approval = "auto".
Nothing else changes, and nobody is written to. "applications approve" takes a no back; one that was approved cannot be rejected any more.

Example: carryover applications reject 14`
}

func (c *applicationsRejectCmd) Run(a *app) error {
	return a.withBook(func(_ *config.Config, b *book.Book) error {
		done, err := b.Reject(a.ctx, c.IDs, by(c.By), time.Now().Unix())
		if err != nil {
			return decided(err)
		}
		for _, d := range done {
			if a.JSON {
				err = a.Object(decisionLine{ID: d.Application.ID, Email: d.Application.Email, State: d.Application.State, Outcome: outcomes[d.Outcome]})
			} else {
				_, err = fmt.Fprintf(a.Out, "%d %s: %s\n", d.Application.ID, d.Application.Email, map[bool]string{true: "was rejected before", false: "rejected"}[d.Outcome == book.Settled])
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
	case errors.Is(err, book.ErrApproved):
		return fmt.Errorf("%w: \"carryover promoters set TOKEN status=inactive\" ends that; nothing was changed", err)
	}
	return fmt.Errorf("deciding: %w; nothing was changed", err)
}
