package main

import (
	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping/payout"
)

type payoutsListCmd struct{ tableFlags }

func (payoutsListCmd) Help() string {
	return `Lists the approved runs, the oldest first: what they pay, and how much of it was paid, failed, came back or is still open.
With --json one object a run. Changes nothing.

Example: carryover payouts list`
}

func (payoutsListCmd) Run(a *app) error {
	return a.withPayouts(func(cfg *config.Config, s *payout.Service) error {
		batches, err := s.Batches(a.ctx)
		if err != nil {
			return err
		}
		return console.Print(a.Console, view.Batches(cfg), batches)
	})
}

type payoutsShowCmd struct {
	tableFlags
	Target string `arg:"" name:"run" help:"A run, such as 3; or one of its lines, such as R3-17."`
}

func (payoutsShowCmd) Help() string {
	return `Shows the lines of a run as they were frozen, and what became of each: open, paid, failed or returned, with the reference of
the payment, when, and who recorded it. Changes nothing.

Example: carryover payouts show 1`
}

func (c *payoutsShowCmd) Run(a *app) error {
	id, line, ok := payout.ParseName(c.Target)
	if !ok {
		return console.UsageError("%q names no run and no line: write 3 for a run, R3-17 for a line of it", c.Target)
	}
	return a.withPayouts(func(cfg *config.Config, s *payout.Service) error {
		b, err := s.Batch(a.ctx, id, line)
		if err != nil {
			return err
		}
		if a.Form == console.JSON {
			return a.Object(b)
		}
		if a.Form == console.Text {
			a.Say("Run %d, paid in %s: what was earned through %s. Approved %s by %s.\n",
				b.ID, b.Month, b.EarnedThrough, b.ApprovedOn(), b.ApprovedBy)
		}
		if err := console.Print(a.Console, view.BatchLines(cfg), b.Lines); err != nil || a.Form == console.CSV {
			return err
		}
		amount := func(minor int64) string { return cfg.Amount(minor, b.Currency) }
		a.Say("\n%d lines, %s %s: paid %s, failed %s, returned %s, open %s", b.LineCount, amount(b.Net), b.Currency,
			amount(b.Paid), amount(b.Failed), amount(b.Returned), amount(b.Open))
		return nil
	})
}
