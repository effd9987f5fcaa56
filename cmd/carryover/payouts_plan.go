package main

import (
	"fmt"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping/payout"
)

type payoutsPlanCmd struct {
	tableFlags
	Month string `placeholder:"MONTH" help:"In which it is paid, such as 2023-03; this month when left out."`
}

func (payoutsPlanCmd) Help() string {
	return `Who is paid in a month, and who is held with the reason: what was earned through the month before the hold, less
what was taken back, paid, or approved already. Gross is what was earned in the last month that is paid, refunds is what was taken
back from it, or booked since the last run from earlier ones; carried is the rest, rolled forward from before. A correction counts
in its month: gross above zero, a refund below it. Payable, held, what is in approved runs, what is still inside the hold and
the program's own sum to the ledger, to the cent, or the command fails. Held for: negative (a debt), blocked, flagged
(commissions that a person must look at), below_minimum, no_w9, no_payout_method, and currency (not the program's: never
added). Changes nothing.

Example: carryover payouts plan --month 2023-03`
}

func (c *payoutsPlanCmd) Run(a *app) error {
	return a.withPayouts(func(cfg *config.Config, s *payout.Service) error {
		month, err := payoutMonth(cfg, c.Month)
		if err != nil {
			return err
		}
		plan, err := s.Plan(a.ctx, month)
		if err != nil {
			return err
		}
		if a.Form == console.JSON {
			return a.Object(plan)
		}
		return writePlan(a, cfg, plan)
	})
}

// writePlan writes the lines as CSV, or the whole plan for a person.
func writePlan(a *app, cfg *config.Config, plan *payout.Plan) error {
	if a.Form == console.CSV {
		return console.Print(a.Console, &console.Table[payout.PlanLine]{}, plan.Lines())
	}
	a.Say("Payouts of %s: what was earned through %s, paid from %s to %s (%s).",
		plan.Month, plan.EarnedThrough, plan.FirstDay, plan.LastDay, cfg.Zone)
	for _, id := range plan.Approved {
		a.Say("Run %d of this month was approved already: \"carryover payouts show %d\".", id, id)
	}
	if len(plan.Payable) > 0 {
		a.Say("\nPayable")
		if err := writePayable(a, cfg, plan.Payable); err != nil {
			return err
		}
	}
	if len(plan.Held) > 0 {
		a.Say("\nHeld")
		if err := writeHeld(a, cfg, plan.Held); err != nil {
			return err
		}
	}
	amount := func(minor int64) string { return cfg.Amount(minor, cfg.Currency) }
	t := &plan.Totals
	a.Say("\nPayable %s + held %s = due %s %s", amount(t.Payable), amount(t.Held), amount(t.Due), cfg.Currency)
	for _, o := range plan.Others {
		a.Say("Held besides: %s", cfg.Amount(o.Due, o.Currency))
	}
	if t.InPayment != 0 {
		a.Say("In approved runs, neither paid nor failed yet: %s", amount(t.InPayment))
	}
	if len(plan.Payable) > 0 {
		fmt.Fprintf(a.Out, "Next: carryover payouts approve --month %s\n", plan.Month)
	}
	return nil
}

func writePayable(a *app, cfg *config.Config, lines []payout.PayableLine) error {
	table := view.PayableLines(cfg)
	rows := console.NewRows(a.Console, table)
	for i := range lines {
		if err := rows.Add(&lines[i]); err != nil {
			return err
		}
	}
	sum := payout.SumLines(lines)
	sum.RefToken, sum.Currency = "together", cfg.Currency
	if err := rows.Extra(table.Cells(&sum)...); err != nil {
		return err
	}
	return rows.End()
}

func writeHeld(a *app, cfg *config.Config, lines []payout.HeldLine) error {
	return console.Print(a.Console, view.HeldLines(cfg), lines)
}
