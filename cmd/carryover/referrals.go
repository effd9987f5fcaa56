package main

import (
	"errors"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping/book"
	"carryover/mapping/history"
)

type referralsCmd struct {
	tableFlags
	Promoter string `placeholder:"WHO" help:"Only the customers of this promoter: a ref token, a code or a Keap id."`
	All      bool   `help:"Also customers who belong to nobody, and those without an e-mail address."`
}

func (referralsCmd) Help() string {
	return `One line for every customer who belongs to a promoter and has an e-mail address, or an id of the billing system's: whose it
is, since when, and by which rule that promoter won it. Whoever signed up or bought here since is bound for life, whatever
Keap's referrals say: its source is live, and the rule click, ref_token, promoter_id, promoter_email, coupon or history (a
referral of Keap's that no run has counted). The rule of a customer who belongs to nobody says why: house (the referral that wins is of the program's
own partner), expired (all of them were on the day of the newest run), later (they were set after it). "carryover
explain CUSTOMER" tells the whole story of one. Changes nothing.

Example: carryover referrals --promoter coachdesk`
}

func (c *referralsCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		directory, err := b.Directory(a.ctx)
		if err != nil {
			return err
		}
		filter := history.CustomerFilter{All: c.All}
		if c.Promoter != "" {
			owner, err := a.findOwner(directory, c.Promoter)
			if err != nil {
				return err
			}
			filter.Owner = &owner
		}
		rows := console.NewRows(a.Console, view.OwnedCustomers(cfg))
		leftOut, err := history.OwnedCustomers(a.ctx, b, directory, filter, rows.Add)
		if err = errors.Join(err, rows.End()); err != nil || a.Form != console.Text {
			return err
		}
		switch {
		case leftOut == 1:
			err = a.Say("\n1 more has no e-mail address or belongs to nobody: --all")
		case leftOut > 1:
			err = a.Say("\n%d more have no e-mail address or belong to nobody: --all", leftOut)
		}
		return err
	})
}
