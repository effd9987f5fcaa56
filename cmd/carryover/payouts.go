package main

import (
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/payout"
	"carryover/mapping/terms"
)

type payoutsCmd struct {
	Plan      payoutsPlanCmd    `cmd:"" help:"Say who is paid in a month, who is held and why. Changes nothing."`
	Approve   payoutsApproveCmd `cmd:"" help:"Approve what is payable in a month, and freeze it as a run."`
	List      payoutsListCmd    `cmd:"" help:"List the approved runs, and what became of them."`
	Show      payoutsShowCmd    `cmd:"" help:"Show the lines of a run, and what became of each."`
	Export    payoutsExportCmd  `cmd:"" help:"Write a run for PayPal, as a check register or as CSV."`
	Record    payoutsRecordCmd  `cmd:"" help:"Mark lines as paid, failed or returned."`
	Form1099  payouts1099Cmd    `cmd:"" name:"1099" help:"List who in the US was paid enough in a year for a tax form."`
	Statement statementCmd      `cmd:"" help:"Write a promoter's year: entries, months, payouts, balances."`
}

func (payoutsCmd) Help() string {
	return `What was earned in a month is held through [terms] hold (as usual the month after) and paid in the next one: plan,
approve, export, pay, record. Nothing here moves money: it writes who is to be paid, and keeps what became of it.

Example: carryover payouts plan --month 2023-03`
}

// payoutMonth reads --month; empty is the month that it is now in the program's zone.
func payoutMonth(cfg *config.Config, text string) (terms.Month, error) {
	if text == "" {
		return terms.MonthOf(time.Now(), cfg.Zone), nil
	}
	month, ok := terms.ParseMonth(strings.TrimSpace(text))
	if !ok {
		return 0, console.UsageError("--month: %q is no month: write the one in which it is paid, like 2023-03", text)
	}
	return month, nil
}

// payouts is what answers for the payouts of the program.
func (a *app) payouts(cfg *config.Config, b *book.Book) *payout.Service {
	return &payout.Service{Book: b, Program: cfg.Program, Currency: cfg.Currency, Zone: cfg.Zone, Terms: cfg.Terms, Forms: cfg.Form1099}
}

// withPayouts gives it to fn, with the book, which must be there.
func (a *app) withPayouts(fn func(cfg *config.Config, s *payout.Service) error) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error { return fn(cfg, a.payouts(cfg, b)) })
}
