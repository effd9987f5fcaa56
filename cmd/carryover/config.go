package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping"
	"carryover/mapping/terms"
)

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Say what is wrong with the configuration, or what it comes to."`
}

func (configCmd) Help() string {
	return `Works on the file that --config names.

Example: carryover config check`
}

type configCheckCmd struct{}

func (configCheckCmd) Help() string {
	return `Reads the configuration as every command does and says all that is wrong with it: file, line, key and what would
be right. When nothing is wrong it says what the main keys come to, with the defaults of those that are left out.
Exits 1 when something is wrong. With --json one object; "mistakes" is empty when there are none. Changes nothing.

Example: carryover config check --config carryover.toml`
}

// configReport is what a configuration comes to, as --json tells it.
type configReport struct {
	Config   string   `json:"config"` // the file
	Mistakes []string `json:"mistakes"`

	*configFacts // nil when there are mistakes
}

type configFacts struct {
	Program           string            `json:"program"`
	Currency          string            `json:"currency"`
	Timezone          string            `json:"timezone"`
	Cutoff            string            `json:"cutoff"` // the first moment at which old links are not honoured
	AfterCutoff       string            `json:"after_cutoff"`
	LegacyHosts       []string          `json:"legacy_hosts"`
	AllowedHosts      []string          `json:"allowed_hosts"` // beside those of the pages
	Pages             mapping.Pages     `json:"pages"`
	MembershipPercent string            `json:"membership_percent"`
	TrainingPercent   string            `json:"training_percent"`
	HoldMonths        int               `json:"hold_months"`
	PayoutDays        [2]int            `json:"payout_days"`
	Minimum           int64             `json:"minimum_cents"`
	Requires          []string          `json:"requires"`
	Rates             map[string]string `json:"currencies"` // others that sales may be in
	Join              string            `json:"join"`       // "page" or "builtin"
	Listen            string            `json:"listen"`
	AdminListen       string            `json:"admin_listen"`
	Forward           bool              `json:"forward"` // to FirstPromoter
	Book              string            `json:"book"`
	LinkMap           string            `json:"link_map"` // kept in "redis" or "book"
}

func (configCheckCmd) Run(a *app) error {
	cfg, err := a.loadConfig()
	var wrong *config.Error
	switch {
	case errors.As(err, &wrong) && a.Form == console.JSON:
		err = a.Object(configReport{Config: a.Config, Mistakes: wrong.Mistakes})
		return errors.Join(err, &console.ExitError{Code: console.ExitFailed})
	case err != nil:
		return err
	}
	facts := a.configFacts(cfg)
	if a.Form == console.JSON {
		return a.Object(configReport{Config: a.Config, Mistakes: []string{}, configFacts: facts})
	}
	a.Say("Nothing is wrong with %s.\n", cfg.Path)
	return a.Facts(facts.rows(cfg))
}

func (a *app) configFacts(cfg *config.Config) *configFacts {
	t := &cfg.Terms
	f := &configFacts{
		Program: cfg.Program, Currency: cfg.Currency, Timezone: cfg.Zone.String(), Cutoff: cfg.Policy.Cutoff.In(cfg.Zone).Format(time.RFC3339),
		AfterCutoff: cfg.Policy.AfterCutoff, LegacyHosts: cfg.Policy.LegacyHosts, AllowedHosts: cfg.Policy.AllowedHosts, Pages: cfg.Policy.Pages,
		MembershipPercent: t.MembershipPercent.String(), TrainingPercent: t.TrainingPercent.String(), HoldMonths: t.HoldMonths,
		PayoutDays: [2]int{t.PayoutFirstDay, t.PayoutLastDay}, Minimum: t.Minimum, Requires: t.Requires,
		Rates: map[string]string{}, Join: "page", Listen: cfg.Gateway.Listen, AdminListen: cfg.Gateway.AdminListen,
		Forward: cfg.FirstPromoter.Forward, Book: a.bookPath(cfg), LinkMap: "book",
	}
	for code, rate := range cfg.Tracking.Rates {
		f.Rates[code] = rate.String()
	}
	if cfg.Join.Builtin {
		f.Join = "builtin"
	}
	if a.redisURL(cfg) != "" {
		f.LinkMap = "redis"
	}
	return f
}

// rows are the facts for a person.
func (f *configFacts) rows(cfg *config.Config) [][]string {
	forward := map[bool]string{true: "yes", false: "no"}[f.Forward]
	rows := [][]string{
		{"program", f.Program}, {"old links end", f.Cutoff + " (" + f.Timezone + ")"}, {"legacy hosts", strings.Join(f.LegacyHosts, " ")},
		{"allowed hosts", strings.Join(f.AllowedHosts, " ")}, {"landing page", f.Pages.Landing}, {"login page", f.Pages.Login},
		{"rejoin page", f.Pages.Rejoin}, {"memberships pay", f.MembershipPercent}, {"trainings pay", f.TrainingPercent},
		{"held for", view.Count(f.HoldMonths, "month")}, {"paid on days", fmt.Sprintf("%d to %d", f.PayoutDays[0], f.PayoutDays[1])},
		{"minimum", terms.FormatMoney(f.Minimum, f.Currency)}, {"payees need", strings.Join(f.Requires, " ")},
	}
	for _, code := range slices.Sorted(maps.Keys(f.Rates)) {
		rows = append(rows, []string{"one " + code + " is", f.Rates[code] + " " + f.Currency})
	}
	return append(rows, []string{"forms to join", f.Join}, []string{"visitors", f.Listen}, []string{"ops", f.AdminListen},
		[]string{"forwards events", forward}, []string{"book", f.Book}, []string{"link map in", f.LinkMap})
}
