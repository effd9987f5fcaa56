package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/mapping/book"
	"carryover/mapping/terms"
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
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		month, err := payoutMonth(cfg, c.Month)
		if err != nil {
			return err
		}
		now := time.Now()
		from, to := cfg.Terms.PayoutWindow(month, cfg.Zone)
		first, last := cfg.Terms.PayoutDays(month)
		switch {
		case now.Before(from) && !c.Early:
			return fmt.Errorf("the payouts of %s begin on %s (%s): refunds may still come in; --early approves them all the same", month, dayOf(month, first), cfg.Zone)
		case now.Before(from):
			fmt.Fprintf(a.Err, "carryover: approved before %s, the first day of these payouts\n", dayOf(month, first))
		case !now.Before(to):
			fmt.Fprintf(a.Err, "carryover: the payouts of %s were to be made until %s\n", month, dayOf(month, last))
		}
		for try := 1; ; try++ {
			plan, err := a.planPayouts(cfg, b, month)
			if err != nil {
				return err
			}
			run := &book.PayoutBatch{Month: int32(month), EarnedThrough: int32(cfg.Terms.LastEarningMonth(month)), Currency: cfg.Currency, ApprovedAt: now.Unix(), ApprovedBy: by(c.By)}
			lines, err := plan.lines()
			if err != nil {
				return err
			}
			err = b.ApprovePayouts(a.ctx, run, lines, plan.state)
			if errors.Is(err, book.ErrPayoutsStale) && try < 5 {
				continue
			}
			if err != nil {
				return fmt.Errorf("approving the payouts of %s: %w; nothing was approved, try again", month, err)
			}
			return c.tell(a, cfg, plan, run)
		}
	})
}

// lines are what a run of the plan freezes. Without any there is nothing to approve.
func (plan *payoutPlan) lines() ([]book.PayoutLine, error) {
	if len(plan.Payable) == 0 && len(plan.Runs) > 0 {
		return nil, fmt.Errorf("the payouts of %s were approved already as run %d, and nothing more is payable: \"carryover payouts plan --month %s\" says what is held", plan.Month, plan.Runs[len(plan.Runs)-1], plan.Month)
	}
	if len(plan.Payable) == 0 {
		return nil, fmt.Errorf("nothing is payable in %s: \"carryover payouts plan --month %s\" says what is held and why", plan.Month, plan.Month)
	}
	lines := make([]book.PayoutLine, len(plan.Payable))
	for i, l := range plan.Payable {
		lines[i] = book.PayoutLine{
			PromoterID: l.PromoterID, Months: strings.Join(l.Months, " "), Gross: l.Gross, Refunds: l.Refunds, Carried: l.Carried, Net: l.Net,
			Method: l.Method, Address: l.Address, Name: l.Name,
		}
	}
	return lines, nil
}

func (c *payoutsApproveCmd) tell(a *app, cfg *config.Config, plan *payoutPlan, run *book.PayoutBatch) error {
	if a.JSON {
		return a.Object(map[string]any{
			"run": run.ID, "month": plan.Month, "earned_through": plan.Earned, "currency": run.Currency, "lines": len(plan.Payable), "net_cents": plan.Totals.Payable,
			"approved_at": terms.FormatTime(run.ApprovedAt, cfg.Zone), "approved_by": run.ApprovedBy,
		})
	}
	_, err := fmt.Fprintf(a.Out, "Run %d is approved by %s: %d payouts of %s, %s %s together. Held: %s.\nNext: carryover payouts export %d --format paypal|check-register|csv\nThen: carryover payouts record %d --status paid --reference REF\n",
		run.ID, run.ApprovedBy, len(plan.Payable), plan.Month, cfg.Amount(plan.Totals.Payable, cfg.Currency), cfg.Currency, cfg.Amount(plan.Totals.Held, cfg.Currency), run.ID, run.ID)
	return err
}
