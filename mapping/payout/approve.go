package payout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Approval is what a person approves.
type Approval struct {
	Month terms.Month // in which it is paid
	At    time.Time
	By    string
	Early bool // also before the first day of the month's payouts
}

// Approved is a batch as it was approved.
type Approved struct {
	ApprovedAt    string `json:"approved_at"`
	ApprovedBy    string `json:"approved_by"`
	Currency      string `json:"currency"`
	EarnedThrough string `json:"earned_through"`
	LineCount     int    `json:"lines"`
	Month         string `json:"month"`
	Net           int64  `json:"net_cents"`
	ID            int64  `json:"run"`

	Plan *Plan `json:"-"` // that was frozen

	// Approved outside of the days of the month's payouts.
	BeforeFirstDay, AfterLastDay bool `json:"-"`
}

// staleTries is how often a plan is made anew when the book changes beneath it.
const staleTries = 5

// Approve freezes what is payable in a month as a batch. It fails before the first day of the
// month's payouts, unless it may be early, and when nothing is payable; nothing is approved
// then.
func (s *Service) Approve(ctx context.Context, a Approval) (*Approved, error) {
	from, to := s.Terms.PayoutWindow(a.Month, s.Zone)
	first, _ := s.Terms.PayoutDays(a.Month)
	if a.At.Before(from) && !a.Early {
		return nil, fmt.Errorf("the payouts of %s begin on %s (%s): refunds may still come in; --early approves them all the same",
			a.Month, dayOf(a.Month, first), s.Zone)
	}
	for try := 1; ; try++ {
		plan, err := s.Plan(ctx, a.Month)
		if err != nil {
			return nil, err
		}
		lines, err := plan.lines()
		if err != nil {
			return nil, err
		}
		batch := &book.PayoutBatch{
			Month: int32(a.Month), EarnedThrough: int32(s.Terms.LastEarningMonth(a.Month)), Currency: s.Currency,
			ApprovedAt: a.At.Unix(), ApprovedBy: a.By,
		}
		err = s.Book.ApprovePayouts(ctx, batch, lines, plan.state)
		if errors.Is(err, book.ErrPayoutsStale) && try < staleTries {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("approving the payouts of %s: %w; nothing was approved, try again", a.Month, err)
		}
		return &Approved{
			ID: batch.ID, Month: plan.Month, EarnedThrough: plan.EarnedThrough, Currency: s.Currency, LineCount: len(lines), Net: plan.Totals.Payable,
			ApprovedAt: terms.FormatTime(batch.ApprovedAt, s.Zone), ApprovedBy: a.By, Plan: plan,
			BeforeFirstDay: a.At.Before(from), AfterLastDay: !a.At.Before(to),
		}, nil
	}
}

// lines are what a batch of the plan freezes. Without any there is nothing to approve.
func (plan *Plan) lines() ([]book.PayoutLine, error) {
	if len(plan.Payable) == 0 && len(plan.Approved) > 0 {
		return nil, fmt.Errorf("the payouts of %s were approved already as run %d, and nothing more is payable: \"carryover payouts plan --month %s\" says what is held",
			plan.Month, plan.Approved[len(plan.Approved)-1], plan.Month)
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
