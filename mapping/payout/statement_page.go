package payout

import (
	_ "embed"
	"html/template"
	"io"
	"time"

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

// WriteHTML writes a page that needs nothing beside it: no script, no font, no picture. made
// is the day on which it was made.
func (s *Statement) WriteHTML(w io.Writer, made string) error {
	return statementPage.Execute(w, struct {
		*Statement
		Made string
	}{s, made})
}
