package main

import (
	"fmt"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/payout"
)

type payoutsApproveCmd struct {
	Month string `required:"" placeholder:"MONTH" help:"In which it is paid, such as 2023-03."`
	By    string `placeholder:"NAME" help:"Who approves; the user when left out."`
	Early bool   `help:"Approve before the first day of the month's payouts."`
}

func (payoutsApproveCmd) Help() string {
	return `Freezes what "payouts plan" lists as payable as a run: the lines with their amounts, methods and addresses never change.
What is in a run is no longer due, until a line fails or comes back. Approving a month again makes a run of what became payable
since, such as that of a promoter whose W-9 came; when there is nothing of the kind it fails. Refused before the first day of the
month's payouts without --early; after the last one it only says so. Adds the run
and its lines to the book; nothing else is changed, and no money moves: export the run, pay it, record it.

Example: carryover payouts approve --month 2023-03 --by kim`
}

func (c *payoutsApproveCmd) Run(a *app) error {
	return a.withPayouts(func(cfg *config.Config, s *payout.Service) error {
		month, err := payoutMonth(cfg, c.Month)
		if err != nil {
			return err
		}
		done, err := s.Approve(a.ctx, payout.Approval{Month: month, At: time.Now(), By: console.User(c.By), Early: c.Early})
		if err != nil {
			return err
		}
		switch {
		case done.BeforeFirstDay:
			a.Note("approved before %s, the first day of these payouts", done.Plan.FirstDay)
		case done.AfterLastDay:
			a.Note("the payouts of %s were to be made until %s", month, done.Plan.LastDay)
		}
		if a.Form == console.JSON {
			return a.Object(done)
		}
		amount := func(minor int64) string { return cfg.Amount(minor, cfg.Currency) }
		a.Say("Run %d is approved by %s: %d payouts of %s, %s %s together. Held: %s.",
			done.ID, done.ApprovedBy, done.LineCount, done.Month, amount(done.Net), cfg.Currency, amount(done.Plan.Totals.Held))
		_, err = fmt.Fprintf(a.Out, "Next: carryover payouts export %d --format paypal|check-register|csv\n"+
			"Then: carryover payouts record %d --status paid --reference REF\n", done.ID, done.ID)
		return err
	})
}
