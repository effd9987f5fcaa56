package main

import (
	"strings"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping/book"
	"carryover/mapping/payout"
)

type promotersShowCmd struct {
	tableFlags
	Promoter string `arg:"" help:"A ref token, a code or a Keap id."`
}

func (promotersShowCmd) Help() string {
	return `Everything that is known of a promoter: ref token, codes, balance and what of it is held (on which day, it says), what
holds now, and each thing that was recorded with the day since when it holds, when it was recorded and by whom. Changes nothing.

Example: carryover promoters show coachdesk`
}

func (c *promotersShowCmd) Run(a *app) error {
	return a.withPayouts(func(cfg *config.Config, s *payout.Service) error {
		directory, err := s.Book.Directory(a.ctx)
		if err != nil {
			return err
		}
		promoter, err := a.findPromoter(directory, c.Promoter)
		if err != nil {
			return err
		}
		hold, err := a.holdDate(cfg, s, "")
		if err != nil {
			return err
		}
		detail, err := s.PromoterDetail(a.ctx, promoter.ID, hold)
		if err != nil {
			return err
		}
		if a.Form == console.JSON {
			return a.Object(detail)
		}
		if a.Form == console.CSV {
			return console.Print(a.Console, view.RecordedSettings(), detail.History)
		}
		return writePromoter(a, cfg, detail, hold.Label)
	})
}

func writePromoter(a *app, cfg *config.Config, s *payout.PromoterDetail, held string) error {
	status := s.Status
	if s.Status != s.ImportStatus {
		status += " (Keap: " + s.ImportStatus + ")"
	}
	rows := [][]string{
		{"ref token", s.RefToken}, {"name", s.Name}, {"e-mail", s.Email}, {"status", status}, {"joined", strings.SplitN(s.JoinedAt, "T", 2)[0]},
		{"Keap ids", view.JoinIDs(s.KeapIDs)}, {"codes", strings.Join(s.Codes, " ")}, {"parent", s.ParentRefToken},
		{"balance", cfg.Amount(s.Balance, s.Currency)}, {held, cfg.Amount(s.Held, s.Currency)},
	}
	for _, o := range s.Others {
		rows = append(rows, []string{"balance", cfg.Amount(o.Balance, o.Currency)})
	}
	for _, field := range book.SettingFields() {
		if value := s.Settings[field]; value != "" && field != book.SettingStatus {
			rows = append(rows, []string{field, value})
		}
	}
	if err := a.Facts(rows); err != nil {
		return err
	}
	if len(s.History) == 0 {
		err := a.Say("\nNothing was recorded of it yet: carryover promoters set %s w9=yes", s.RefToken)
		return err
	}
	a.Say("")
	return console.Print(a.Console, view.RecordedSettings(), s.History)
}
