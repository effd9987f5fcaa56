package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"carryover/cmd/carryover/internal/config"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

type promotersShowCmd struct {
	Promoter string `arg:"" help:"A ref token, a code or a Keap id."`
}

func (promotersShowCmd) Help() string {
	return `Everything that is known of a promoter: ref token, codes, balance and what of it is held (on which day, it says), what
holds now, and each thing that was recorded with the day since when it holds, when it was recorded and by whom. Changes nothing.

Example: carryover promoters show coachdesk`
}

// promoterShown is a promoter with all that was recorded, as --json tells it.
type promoterShown struct {
	promoterLine
	Name     string            `json:"name"`
	JoinedAt string            `json:"joined_at"` // empty: not known
	Details  map[string]string `json:"details"`   // what holds now, by field
	History  []detailShown     `json:"history"`   // in the order of recording
}

// detailShown is one thing that was recorded.
type detailShown struct {
	Field      string `json:"field"`
	Value      string `json:"value"` // empty: taken back
	From       string `json:"from"`
	RecordedAt string `json:"recorded_at"`
	RecordedBy string `json:"recorded_by"`
}

func (c *promotersShowCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		content, err := b.Content(a.ctx)
		if err != nil {
			return err
		}
		dir := book.NewDirectory(content)
		promoter, err := a.findPromoter(dir, c.Promoter)
		if err != nil {
			return err
		}
		lines := promoterLines(content, dir)
		held, err := a.addBalances(cfg, b, dir, lines, "")
		if err != nil {
			return err
		}
		shown := promoterShown{Name: promoter.Name, JoinedAt: terms.FormatTime(promoter.JoinedAt, cfg.Zone), Details: map[string]string{}, History: []detailShown{}}
		for i := range lines {
			if lines[i].RefToken == promoter.Token {
				lines[i].CarriedFrom = []string{}
				shown.promoterLine = lines[i]
			}
		}
		for _, field := range book.SettingFields() {
			if value := promoter.Setting(field); value != "" {
				shown.Details[field] = value
			}
		}
		for _, d := range content.Settings {
			if dir.ByID(d.PromoterID).Promoter == promoter {
				shown.History = append(shown.History, detailShown{d.Field, d.Value, terms.FormatTime(d.From, cfg.Zone), terms.FormatTime(d.RecordedAt, cfg.Zone), d.RecordedBy})
			}
		}
		if a.JSON {
			return a.Object(shown)
		}
		return shown.write(a, cfg, held)
	})
}

func (s *promoterShown) write(a *app, cfg *config.Config, held string) error {
	ids := make([]string, len(s.KeapIDs))
	for i, id := range s.KeapIDs {
		ids[i] = strconv.FormatInt(id, 10)
	}
	status := s.Standing
	if s.Standing != s.Status {
		status += " (Keap: " + s.Status + ")"
	}
	rows := [][]string{
		{"ref token", s.RefToken}, {"name", s.Name}, {"e-mail", s.Email}, {"status", status}, {"joined", strings.SplitN(s.JoinedAt, "T", 2)[0]},
		{"Keap ids", strings.Join(ids, " ")}, {"codes", strings.Join(s.Codes, " ")}, {"parent", s.ParentRefToken},
		{"balance", cfg.Amount(s.Balance, s.Currency)}, {held, cfg.Amount(s.Held, s.Currency)},
	}
	for _, o := range s.Others {
		rows = append(rows, []string{"balance", cfg.Amount(o.Balance, o.Currency)})
	}
	for _, field := range book.SettingFields() {
		if value := s.Details[field]; value != "" && field != book.SettingStatus {
			rows = append(rows, []string{field, value})
		}
	}
	for _, row := range rows {
		if row[1] != "" {
			fmt.Fprintf(a.Out, "%-20s %s\n", row[0], row[1])
		}
	}
	if len(s.History) == 0 {
		_, err := fmt.Fprintf(a.Out, "\nNothing was recorded of it yet: carryover promoters set %s w9=yes\n", s.RefToken)
		return err
	}
	rows = nil
	for _, d := range s.History {
		rows = append(rows, []string{d.Field, cmp.Or(d.Value, "(taken back)"), strings.SplitN(d.From, "T", 2)[0], d.RecordedAt, d.RecordedBy})
	}
	fmt.Fprintln(a.Out)
	return a.table(a.Out, []string{"recorded", "value", "from", "at", "by"}, rows)
}
