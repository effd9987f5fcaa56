package main

import (
	"bytes"
	_ "embed"
	"html/template"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/mapping/terms"
)

//go:embed statement.html
var statementText string

var statementPage = template.Must(template.New("statement").Funcs(template.FuncMap{
	"amount": terms.FormatMinor,
	"paid":   func(entry int64) int64 { return -entry }, // what a payout's entry does to the balance, from the payee's side
	"month": func(text string) string { // January 2023
		m, ok := terms.ParseMonth(text)
		if !ok {
			return text
		}
		year, month := m.Date()
		return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Format("January 2006")
	},
	"date": func(text string) string { // Mar 10, 2023
		d, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return text
		}
		return d.Format("Jan 2, 2006")
	},
}).Parse(statementText))

// html writes a page that needs nothing beside it: no script, no font, no picture.
func (s *statement) html(to *bytes.Buffer, cfg *config.Config) error {
	return statementPage.Execute(to, struct {
		*statement
		Made string
	}{s, cfg.Today()})
}
