package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/migrate"
	"carryover/migrate/report"
)

type planCmd struct {
	Out       string   `placeholder:"DIR" help:"Where the plan is written (default: plan in the folder that --data names)."`
	Decisions string   `placeholder:"FILE" help:"A conflicts.csv with its decision column filled."`
	Exports   []string `arg:"" help:"Folders, zips or files of Keap exports; kind=FILE says what a file is."`
}

func (planCmd) Help() string {
	return `Reads Keap's ten kinds of export in whatever shape they were made: partners, contacts, tracking links,
referrals, orders, subscriptions, commissions, clawbacks, payments and the ledger. Finds out whose every
customer is and compares the ledger with its rows, to the cent. Decides nothing silently and changes nothing:
it only writes the plan's folder, with report.html to read, conflicts.csv to decide, owners.csv, findings.csv,
links.csv, rejects/ and plan.json.

A file whose header does not say what it is can be named with its kind, as in ledger=old.csv: partners, contacts,
links, referrals, orders, subscriptions, commissions, clawbacks, payments or ledger.

Exits 3 when a conflict needs a decision first. Decisions that were filled into the folder's conflicts.csv
are kept; --decisions comes before them. Newer exports are planned in the same way, on top of what was applied.

Example: carryover plan exports/ --decisions data/plan/conflicts.csv`
}

// planDir is where plan writes and apply looks when nothing else is said.
func (a *app) planDir() string { return filepath.Join(a.Data, "plan") }

// pingStore asks the store that is to hold the map for a sign of life: before the book is
// written, or even made.
func (a *app) pingStore(cfg *config.Config) error {
	b, err := a.readBook(cfg)
	switch {
	case err == nil:
		defer b.Close()
	case !errors.Is(err, book.ErrNoBook):
		return err
	case a.Store == book.StoreBook || a.Store == "" && a.redisURL(cfg) == "":
		return nil // in the book that is to be made
	}
	s, err := a.openStore(cfg, b)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Ping(a.ctx)
}

func (c *planCmd) Run(a *app) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	decisions, err := migrate.ReadDecisions(c.Decisions)
	if err != nil {
		return err
	}
	var b *book.Book
	if _, err := os.Stat(a.bookPath(cfg)); err == nil {
		if b, err = a.readBook(cfg); err != nil {
			return err
		}
		defer b.Close()
	}
	out := cmp.Or(c.Out, a.planDir())
	folder, err := migrate.NewFolder(out)
	if err != nil {
		return err
	}
	defer folder.Discard()
	decisions, kept, err := migrate.KeepDecisions(out, decisions)
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	plan, err := migrate.Make(a.ctx, migrate.Request{
		Settings: cfg.Settings(), Args: c.Exports, WorkDir: dir, Decisions: decisions, Book: b, Progress: a.Progress(), Sink: folder.Sink,
	})
	if err != nil {
		return err
	}
	plan.Decisions, plan.Kept = c.Decisions, kept
	if err := folder.Write(plan, func(w io.Writer) error { return report.HTML(w, plan, cfg.Program) }); err != nil {
		return err
	}
	report.KeptDecisions(a.Err, plan, out)
	for _, note := range folder.Notes() {
		fmt.Fprintln(a.Err, note)
	}
	if a.JSON {
		err = a.Object(plan)
	} else {
		err = report.Plan(a.Out, a.Terminal, plan, out, a.invocation())
	}
	if err != nil {
		return err
	}
	if len(plan.Open()) > 0 {
		return console.Decide(nil)
	}
	return nil
}

type applyCmd struct {
	Decisions string `placeholder:"FILE" help:"A conflicts.csv with its decision column filled, to complete the plan's decisions."`
	Dir       string `arg:"" optional:"" help:"Folder of the plan (default: plan in the folder that --data names)."`
}

func (applyCmd) Help() string {
	return `Makes the plan again from the same exports and carries it out: writes promoters, links, customers and the
ledger to the book in one transaction, then the link map as a new version that goes live at once. Refused when an
export, the configuration or a decision has changed since the plan; exits 3, and changes nothing, while a question
that blocks has no decision. Killed anywhere and started again it ends in the same state; applied twice, nothing
changes.

Example: carryover apply data/plan`
}

func (c *applyCmd) Run(a *app) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	dir := cmp.Or(c.Dir, a.planDir())
	plan, err := migrate.ReadPlan(dir)
	if err != nil {
		return err
	}
	var extra migrate.Decisions
	if c.Decisions != "" {
		if extra, err = migrate.ReadDecisions(c.Decisions); err != nil {
			return err
		}
	}
	if err := a.pingStore(cfg); err != nil {
		return err
	}
	b, err := book.Open(a.bookPath(cfg))
	if err != nil {
		return err
	}
	defer b.Close()
	s, err := a.openStore(cfg, b)
	if err != nil {
		return err
	}
	defer s.Close()
	res, err := migrate.Apply(a.ctx, plan, dir, extra, cfg.Settings(), b, s, a.Progress(), time.Now())
	if err != nil {
		return err
	}
	if a.JSON {
		return a.Object(res)
	}
	switch {
	case res.Run == 0:
		a.Say("The book already holds all of this plan: nothing was changed.")
	case res.Changed == 0:
		a.Say("Run %d: these exports say nothing new; the book is as it was.", res.Run)
	default:
		a.Say("Run %d: %d rows written to %s.", res.Run, res.Changed, b.Path())
	}
	state := "is live already"
	if res.Flipped {
		state = "is live now"
	}
	a.Say("Link map %d %s in %s: %d links, %d codes, %d Keap ids.",
		res.Epoch.ID, state, s, res.Epoch.Links, res.Epoch.Partners, res.Epoch.IDs)
	fmt.Fprintf(a.Out, "Next: %[1]s verify\nThen: %[1]s gateway\n", a.invocation())
	return nil
}
