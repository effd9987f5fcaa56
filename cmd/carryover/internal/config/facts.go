package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"carryover/mapping"
	"carryover/mapping/terms"
)

// Facts is what the main keys of a configuration come to, with the defaults of those left out.
type Facts struct {
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
	TrainingOnce      bool              `json:"training_once"` // of a customer's first sale alone
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

// Facts are what the configuration comes to. The book's path and where the link map is kept
// may be said on the command line: they are left for the caller.
func (cfg *Config) Facts() *Facts {
	t := &cfg.Terms
	f := &Facts{
		Program: cfg.Program, Currency: cfg.Currency, Timezone: cfg.Zone.String(), Cutoff: cfg.Policy.Cutoff.In(cfg.Zone).Format(time.RFC3339),
		AfterCutoff: cfg.Policy.AfterCutoff, LegacyHosts: cfg.Policy.LegacyHosts, AllowedHosts: cfg.Policy.AllowedHosts, Pages: cfg.Policy.Pages,
		MembershipPercent: t.MembershipPercent.String(), TrainingPercent: t.TrainingPercent.String(),
		TrainingOnce: t.TrainingOnce, HoldMonths: t.HoldMonths,
		PayoutDays: [2]int{t.PayoutFirstDay, t.PayoutLastDay}, Minimum: t.Minimum, Requires: t.Requires,
		Rates: map[string]string{}, Join: "page", Listen: cfg.Gateway.Listen, AdminListen: cfg.Gateway.AdminListen,
		Forward: cfg.FirstPromoter.Forward, LinkMap: "book",
	}
	for code, rate := range cfg.Tracking.Rates {
		f.Rates[code] = rate.String()
	}
	if cfg.Join.Builtin {
		f.Join = "builtin"
	}
	return f
}

// Rows are the facts for a person.
func (f *Facts) Rows(cfg *Config) [][]string {
	forward := map[bool]string{true: "yes", false: "no"}[f.Forward]
	trainings := f.TrainingPercent
	if f.TrainingOnce {
		trainings += ", once"
	}
	rows := [][]string{
		{"program", f.Program}, {"old links end", f.Cutoff + " (" + f.Timezone + ")"}, {"legacy hosts", strings.Join(f.LegacyHosts, " ")},
		{"allowed hosts", strings.Join(f.AllowedHosts, " ")}, {"landing page", f.Pages.Landing}, {"login page", f.Pages.Login},
		{"rejoin page", f.Pages.Rejoin}, {"memberships pay", f.MembershipPercent}, {"trainings pay", trainings},
		{"held for", months(f.HoldMonths)}, {"paid on days", fmt.Sprintf("%d to %d", f.PayoutDays[0], f.PayoutDays[1])},
		{"minimum", terms.FormatMoney(f.Minimum, f.Currency)}, {"payees need", strings.Join(f.Requires, " ")},
	}
	for _, code := range slices.Sorted(maps.Keys(f.Rates)) {
		rows = append(rows, []string{"one " + code + " is", f.Rates[code] + " " + f.Currency})
	}
	return append(rows, []string{"forms to join", f.Join}, []string{"visitors", f.Listen}, []string{"ops", f.AdminListen},
		[]string{"forwards events", forward}, []string{"book", f.Book}, []string{"link map in", f.LinkMap})
}

func months(n int) string {
	if n == 1 {
		return "1 month"
	}
	return fmt.Sprintf("%d months", n)
}
