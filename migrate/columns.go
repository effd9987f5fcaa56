package migrate

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"carryover/mapping/book"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// columnOptions say how the columns of the exports are read: by the settings, by what a
// person has decided about a file, and by their cells.
func columnOptions(s *Settings, names map[string]string, decisions Decisions) sheet.Options {
	return sheet.Options{
		Headers: s.Headers, Dates: s.Dates, Numbers: s.Numbers, Location: s.Zone, Currency: s.Currency,
		DateDecision:   func(path, field string) string { return decisions[KindDateOrder+":"+names[path]+":"+field].Value },
		NumberDecision: func(path string) string { return decisions[KindNumberFormat+":"+names[path]].Value },
		StatusDecision: func(path string) string { return decisions[KindStatusWords+":"+names[path]].Value },
	}
}

// questionNames gives every input the name that questions about its columns use. It leaves the
// folder out, which apply may name from another one.
func questionNames(inputs []sheet.Input) map[string]string {
	names, seen := make(map[string]string, len(inputs)), map[string]int{}
	for _, in := range inputs {
		name := filepath.Base(in.Path)
		if seen[name]++; seen[name] > 1 {
			name = fmt.Sprintf("%s#%d", name, seen[name])
		}
		names[in.Path] = name
	}
	return names
}

// askColumns asks what the cells of the columns do not settle.
func (x *exports) askColumns(currency string, conflicts *conflictList) {
	for _, f := range x.found {
		name := x.names[f.Path]
		for i := range f.Dates {
			askDates(f.Path, name, &f.Dates[i], conflicts)
		}
		if i := slices.IndexFunc(f.Numbers, func(c sheet.NumberColumn) bool { return c.Asked }); i >= 0 {
			askNumbers(f.Path, name, &f.Numbers[i], currency, conflicts)
		}
		for i := range f.Statuses {
			askStatuses(f, name, &f.Statuses[i], conflicts)
		}
	}
}

func askDates(path, name string, d *sheet.DateColumn, conflicts *conflictList) {
	subject := name + ":" + d.Field
	if !d.NeedsDecision() && conflicts.decisions[KindDateOrder+":"+subject].Value == "" {
		return
	}
	conflicts.add(question(KindDateOrder, subject,
		fmt.Sprintf("%s, line %d, column %q: %q is a date only with the day first, and no value of the column needs the month first "+
			"(%d fit only day first, %d fit both): is the column day first?",
			path, d.DayOnlyLine, d.Header, d.DayOnlyValue, d.DayOnly, d.Ambiguous),
		DayFirst, DayFirst, MonthFirst))
}

// askNumbers asks once about a file; the decision is of all its columns that are not settled.
func askNumbers(path, name string, c *sheet.NumberColumn, currency string, conflicts *conflictList) {
	read := func(f sheet.NumberFormat) string {
		if m, err := f.ParseAmount(c.Value, currency); err == nil {
			return m.String()
		}
		return "no amount"
	}
	conflicts.add(question(KindNumberFormat, name,
		fmt.Sprintf("%s, line %d, column %q: %q is %s with a decimal comma and %s with a decimal point, and the column does not settle "+
			"which it is (%d amounts fit only the comma, %d only the point, %d fit both): how are the amounts of this file written?",
			path, c.Line, c.Header, c.Value, read(sheet.DecimalComma), read(sheet.DecimalPoint),
			c.CommaOnly+c.CommaThousands, c.PointOnly+c.PointThousands, c.Ambiguous),
		c.Fits.String(), DecimalPoint, DecimalComma))
}

// askStatuses asks about words that say neither active nor inactive. Of subscriptions, whose
// status moves nothing, only a column that is not understood at all is asked about.
func askStatuses(f *sheet.File, name string, c *sheet.StatusColumn, conflicts *conflictList) {
	if c.Other == 0 || f.Kind != keap.Partners && c.Active > 0 {
		return
	}
	words := make([]string, len(c.Words))
	for i, w := range c.Words {
		words[i] = strconv.Quote(clip(w))
	}
	conflicts.add(question(KindStatusWords, name,
		fmt.Sprintf("%s, line %d, column %q: %d of its cells say neither active nor inactive (%s), beside %d active and %d inactive ones: "+
			"they count as inactive, unless you decide that they mean active; if some mean one and some the other, correct the cells",
			f.Path, c.OtherLine, c.Header, c.Other, strings.Join(words, ", "), c.Active, c.Inactive),
		Accept, Accept, ReadActive))
}

// askNobodyActive asks about lists of partners that name nobody active, unless somebody of the
// book still is: no old link would credit anybody.
func (x *exports) askNobodyActive(promoters []book.Promoter, conflicts *conflictList) {
	if slices.ContainsFunc(promoters, func(p book.Promoter) bool { return p.Status == book.StatusActive }) {
		return
	}
	var lists []*sheet.File
	for _, f := range x.found {
		for i := range f.Statuses {
			switch c := &f.Statuses[i]; {
			case f.Kind != keap.Partners:
			case c.Active > 0:
				return
			case c.Other == 0 && c.Inactive > 0: // other words have been asked about
				lists = append(lists, f)
			}
		}
	}
	for _, f := range lists {
		header, _ := f.Column("status")
		conflicts.add(question(KindStatusWords, x.names[f.Path],
			fmt.Sprintf("%s, column %q: none of its %d partners is active, and no old link would credit anybody: is that so? "+
				"If another column holds the status, name it in [import.headers.partners]", f.Path, header, f.Statuses[0].Inactive),
			Accept, Accept))
	}
}
