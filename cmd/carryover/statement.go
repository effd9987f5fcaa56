package main

import (
	"bytes"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/payout"
	"carryover/migrate/sheet"
)

type statementCmd struct {
	Promoter string `arg:"" help:"A ref token, a code or a Keap id."`
	Year     int    `required:"" placeholder:"YEAR" help:"The year, such as 2023."`
	Format   string `enum:"html,csv" default:"html" placeholder:"FORMAT" help:"html (a page to read, print and send; as usual) or csv."`
	Out      string `placeholder:"FILE" help:"Write to this file instead of standard output. One that is there is not overwritten."`
}

func (statementCmd) Help() string {
	return `A promoter's year for the promoter: every entry on the day on which it happened with what it was, the product (of a payout
or a correction: its note), the amount and the balance after it; what each month came to; the payouts; and the balance at the
beginning and the end. What the migration brought over without rows stands apart from what was earned. Customers are not named.
Currencies stand apart. Changes nothing.

Example: carryover payouts statement coachdesk --year 2023 --out coachdesk-2023.html`
}

func (c *statementCmd) Run(a *app) error {
	if c.Year < 1000 || c.Year > 9999 {
		return console.UsageError("--year: %d is no year: write it like 2023", c.Year)
	}
	return a.withPayouts(func(cfg *config.Config, s *payout.Service) error {
		directory, err := s.Book.Directory(a.ctx)
		if err != nil {
			return err
		}
		promoter, err := a.findPromoter(directory, c.Promoter)
		if err != nil {
			return err
		}
		statement, err := s.Statement(a.ctx, promoter, c.Year)
		if err != nil {
			return err
		}
		if a.Form == console.JSON {
			return a.Object(statement)
		}
		var text bytes.Buffer
		if c.Format == "csv" {
			err = sheet.Write(sheet.NewWriter(&text), statement.Rows())
		} else {
			err = statement.WriteHTML(&text, cfg.Today())
		}
		if err != nil {
			return err
		}
		if c.Out == "" {
			_, err := a.Out.Write(text.Bytes())
			return err
		}
		if err := console.WriteNew(c.Out, text.Bytes()); err != nil {
			return err
		}
		err = a.Say("%s is the statement of %s for %d.", c.Out, promoter.Token, c.Year)
		return err
	})
}
