package view

import (
	"fmt"
	"strings"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/migrate"
	"carryover/migrate/firstpromoter"
)

// Checks is what was compared.
func Checks() *console.Table[migrate.Check] {
	return &console.Table[migrate.Check]{
		Titles: []string{"check", "compared", "differences", "note"},
		Cells: func(check *migrate.Check) []string {
			note := check.Note
			if check.Decided > 0 {
				note = strings.TrimPrefix(note+"; "+Count(check.Decided, "difference")+" that a person decided about", "; ")
			}
			if check.Unproven > 0 {
				note = strings.TrimPrefix(note+"; "+Count(check.Unproven, "balance")+" proven by nothing", "; ")
			}
			return []string{check.Name, fmt.Sprint(check.Compared), fmt.Sprint(check.Differences), note}
		},
		Alert: func(check *migrate.Check, title string) bool { return title == "differences" && check.Differences > 0 },
	}
}

// ParityLines is two ledgers side by side, promoter by promoter.
func ParityLines(cfg *config.Config) *console.Table[firstpromoter.Line] {
	amount := func(minor int64) string { return cfg.Amount(minor, cfg.Currency) }
	return &console.Table[firstpromoter.Line]{
		Titles: []string{"promoter", "ours", "theirs", "difference", "likely reason"},
		Cells: func(l *firstpromoter.Line) []string {
			var reasons []string
			for _, why := range l.Reasons {
				text := why.Text
				if why.Amount != 0 && len(l.Reasons) > 1 {
					text += " (" + amount(why.Amount) + ")"
				}
				reasons = append(reasons, text)
			}
			return []string{l.Token, amount(l.Ours), amount(l.Theirs), amount(l.Difference), strings.Join(reasons, "; ")}
		},
		Alert: func(l *firstpromoter.Line, title string) bool { return title == "difference" && !l.Agrees() },
	}
}
