package main

import (
	"cmp"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping/book"
	"carryover/mapping/payout"
)

type promotersCmd struct {
	List promotersListCmd `cmd:"" default:"withargs" help:"List the promoters in the book."`
	Show promotersShowCmd `cmd:"" help:"Show everything that is known of a promoter, and who recorded it."`
	Set  promotersSetCmd  `cmd:"" help:"Record a W-9, how a promoter is paid, its status, a grace date, its own percentage."`
}

func (promotersCmd) Help() string {
	return `Without a word after it, it lists the promoters.

Example: carryover promoters set coachdesk w9=yes payout_method=paypal payout_address=kim@mail.test`
}

type promotersListCmd struct {
	tableFlags
	Month string `placeholder:"MONTH" help:"Hold as the payouts of this month do, such as 2023-03."`
}

func (promotersListCmd) Help() string {
	return `One line a promoter: ref token, address, status, every Keap id and code that names it, its parent, what
is owed to it and how much of that is still inside the hold: today, once something was booked here (a sale, a refund,
a correction); before that on the day that the newest run was made for ([import] as_of). The column says which day it is.
With --json also the rows that the balance was carried over from. The status is what a person recorded, else what Keap
said. Changes nothing.

Example: carryover promoters --json`
}

func (c promotersListCmd) Run(a *app) error {
	return a.withPayouts(func(cfg *config.Config, s *payout.Service) error {
		hold, err := a.holdDate(cfg, s, c.Month)
		if err != nil {
			return err
		}
		list, err := s.PromoterAccounts(a.ctx, hold, a.Form != console.Text)
		if err != nil {
			return err
		}
		return console.Print(a.Console, view.Promoters(cfg, hold.Label), list)
	})
}

// holdDate is when what is held is looked at: as --month says, else now.
func (a *app) holdDate(cfg *config.Config, s *payout.Service, month string) (payout.HoldDate, error) {
	if month != "" {
		m, err := payoutMonth(cfg, month)
		return payout.HoldInMonth(m), err
	}
	imported, err := a.asOf(cfg, s.Book)
	if err != nil {
		return payout.HoldDate{}, err
	}
	return s.HoldNow(a.ctx, imported, time.Now())
}

// asOf is the beginning of the day whose customers the newest run carried over; without
// one, of the day that the next plan would be made for.
func (a *app) asOf(cfg *config.Config, b *book.Book) (time.Time, error) {
	return b.AsOf(a.ctx, cmp.Or(cfg.Import.AsOf, cfg.Today()), cfg.Zone)
}
