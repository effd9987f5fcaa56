package main

import (
	"errors"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/migrate"
)

type verifyCmd struct {
	tableFlags
	Against string `placeholder:"URL" help:"A live gateway to ask, such as http://127.0.0.1:8080. Its answers are not counted as clicks."`
	At      string `placeholder:"TIME" help:"With --against: the moment that a rehearsal (gateway --at) has about now."`
	Seed    uint64 `default:"1" help:"Chooses the sample of links that are asked for when there are too many for all."`
}

func (verifyCmd) Help() string {
	return `Compares every row of the book with what was written, by imports and live; reads the exports of the newest
run again and compares them with the book, the book with the published link map and, with --against, the map
with the answers of a live gateway. Of money it compares the sums by promoter, kind and month and the
ledger's endings, to the cent, and every customer's owner. Changes nothing.

Exits 0 when all agrees, 1 when something differs, and 3 when all that is left are differences that a person
has decided about.

Example: carryover verify --against http://127.0.0.1:8080`
}

// liveEpoch is the number of the live map; 0 when there is none.
func liveEpoch(a *app, s store.Store) (int64, error) {
	epochs, err := s.Epochs(a.ctx)
	for _, e := range epochs {
		if e.Live {
			return e.ID, err
		}
	}
	return 0, err
}

func (c *verifyCmd) Run(a *app) error {
	return a.withMap(func(cfg *config.Config, b *book.Book, s store.Store) error {
		now := time.Now
		if c.At != "" {
			start, err := console.ParseTime(c.At, cfg.Zone)
			if err != nil {
				return console.UsageError("--at: %v", err)
			}
			now = console.ClockFrom(start)
		}
		progress := a.Progress()
		checks, published, err := migrate.Verify(a.ctx, cfg.Settings(), b, s, progress)
		if err != nil {
			return errors.Join(printChecks(a, checks), err)
		}
		if c.Against != "" {
			epoch, err := liveEpoch(a, s)
			if err != nil {
				return err
			}
			live, err := migrate.Against(a.ctx, c.Against, published, epoch, now, c.Seed, progress)
			if err != nil {
				return err
			}
			checks = append(checks, live)
		}
		if err := printChecks(a, checks); err != nil {
			return err
		}
		if err := printAnswers(a, checks); err != nil {
			return err
		}
		err = migrate.Verdict(checks)
		if errors.Is(err, migrate.ErrUnproven) {
			return console.Decide(err)
		}
		return err
	})
}

// printChecks writes what was compared, and for a person some of what differs.
func printChecks(a *app, checks []migrate.Check) error {
	err := console.Print(a.Console, view.Checks(), checks)
	if err != nil || a.Form != console.Text {
		return err
	}
	for _, check := range checks {
		for _, e := range check.Examples {
			if err := a.Say("  %s", e); err != nil {
				return err
			}
		}
		if more := check.Untold(); more > 0 {
			if err := a.Say("  … and %d more in \"%s\"", more, check.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// printAnswers writes for a person what the checks come to.
func printAnswers(a *app, checks []migrate.Check) error {
	if a.Form != console.Text {
		return nil
	}
	links, money := migrate.Answers(checks)
	return errors.Join(a.Say("%s", links), a.Say("%s", money))
}
