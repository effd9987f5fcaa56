package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"carryover/mapping/terms"
	"carryover/migrate"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// none stands where there is no figure.
const none = "–"

// amount writes minor units with their currency: 1,234.50 USD.
func amount(minor int64, currency string) string {
	return sheet.Money{Minor: minor, Currency: visible(currency)}.String()
}

// joinWords joins words: "a", "a and b", "a, b and c".
func joinWords(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// magnitude is how far n is from 0; the smallest number is one off.
func magnitude(n int64) int64 { return max(n, -max(n, -math.MaxInt64)) }

// hasExport reports whether rows of an export of that kind could be read.
func hasExport(p *migrate.Plan, kind string) bool {
	return p.HasExport(kind)
}

// hasMoney reports whether the exports say what was earned, paid or owed.
func hasMoney(p *migrate.Plan) bool {
	for _, kind := range []string{keap.Commissions, keap.Clawbacks, keap.Payments, keap.Ledger} {
		if slices.ContainsFunc(p.Files, func(f migrate.FilePlan) bool { return f.Kind == kind }) {
			return true
		}
	}
	return false
}

// currencies are the reconciliations in the order in which they are shown: the program's
// own currency has the most ledgers.
func currencies(p *migrate.Plan) []migrate.Reconciliation {
	if !hasMoney(p) {
		return nil
	}
	list := slices.Clone(p.Money)
	slices.SortStableFunc(list, func(a, b migrate.Reconciliation) int { return cmp.Compare(b.Accounts, a.Accounts) })
	return list
}

// owedAmounts is what promoters are owed, in each currency.
func owedAmounts(p *migrate.Plan) []string {
	var owed []string
	for _, r := range currencies(p) {
		if r.Promoters != 0 {
			owed = append(owed, amount(r.Promoters, r.Currency))
		}
	}
	return owed
}

// differencesIn are the differences of one currency: undecided first, then the largest.
func differencesIn(p *migrate.Plan, currency string) []migrate.Difference {
	var list []migrate.Difference
	for _, d := range p.Differences {
		if d.Currency == currency {
			list = append(list, d)
		}
	}
	decided := func(d migrate.Difference) int { return min(1, len(d.Decision)) }
	slices.SortStableFunc(list, func(a, b migrate.Difference) int {
		return cmp.Or(cmp.Compare(decided(a), decided(b)), cmp.Compare(magnitude(b.Amount), magnitude(a.Amount)))
	})
	return list
}

// totalGap is how far ledgers and rows are from each other, all differences together;
// those of opposite signs do not hide each other.
func totalGap(list []migrate.Difference) int64 {
	sum := int64(0)
	for _, d := range list {
		sum += magnitude(d.Amount)
	}
	return sum
}

// sum is one line of a reconciliation: what the ledger says and what its rows come to.
type sum struct {
	Sign, Name               string
	Ledger, Rows, Difference string // [none] where there is nothing to say
	Rejected                 string // what rejected rows come to; [none] where there are none
	Off                      bool   // there is a difference
}

// sums are the lines of a currency, the last one the ending.
func sums(p *migrate.Plan, r migrate.Reconciliation) []sum {
	text := func(minor int64) string { return terms.FormatMinor(minor, r.Currency) }
	told, complete := hasExport(p, keap.Ledger), true
	agrees := len(differencesIn(p, r.Currency)) == 0
	line := func(sign, name, kind string, ledger, rows int64) sum {
		s := sum{sign, name, none, none, none, rejectedText(r, kind), false}
		// A ledger that has not this column, and still agrees, comes as 0.
		if told && (ledger != 0 || rows == 0 || !agrees) {
			s.Ledger = text(ledger)
		}
		switch {
		case hasExport(p, kind):
			s.Rows = text(rows)
		case ledger != 0:
			complete = false
		}
		if s.Ledger != none && s.Rows != none {
			s.Difference, s.Off = text(ledger-rows), ledger != rows
		}
		return s
	}
	list := []sum{{"", "beginning", none, none, none, none, false},
		line("+", "commissions", keap.Commissions, r.Commissions, r.RowCommissions),
		line("-", "clawbacks", keap.Clawbacks, r.Clawbacks, r.RowClawbacks),
		line("-", "payments", keap.Payments, r.Payments, r.RowPayments),
	}
	ending := sum{"=", "ending", none, none, none, rejectedText(r, keap.Ledger), false}
	rows := rowsEnding(r)
	if complete {
		ending.Rows = text(rows)
	}
	if told {
		list[0].Ledger, ending.Ledger = text(r.Beginning), text(r.Ending)
	}
	if told && complete {
		ending.Difference, ending.Off = text(r.Ending-rows), r.Ending != rows
	}
	return append(list, ending)
}

// rejectedText is what the rejected rows of a kind come to in a currency, as far as their
// amounts can be read.
func rejectedText(r migrate.Reconciliation, kind string) string {
	if sum, ok := r.Rejected[kind]; ok {
		return terms.FormatMinor(sum, r.Currency)
	}
	return none
}

// rowsEnding is what the beginning of the ledger and the rows come to.
func rowsEnding(r migrate.Reconciliation) int64 {
	return r.Beginning + r.RowCommissions - r.RowClawbacks - r.RowPayments
}

// proof says whether the money of a currency is proven, and if not, why.
type proof struct {
	Class string // good, warn: not proven, or only but for what a person has decided, bad: undecided
	Text  string
}

func proofOf(p *migrate.Plan, r migrate.Reconciliation) proof {
	if r.Accounts == 0 && r.RowCommissions == 0 && r.RowClawbacks == 0 && r.RowPayments == 0 && r.RowsRejected == 0 && r.RowsMissing == 0 {
		return proof{"good", "These exports hold nothing in this currency: what the book has stays as it is."}
	}
	d := doubtsOf(p, r)
	open, decided := strings.Join(d.open, "; "), strings.Join(d.decided, "; ")
	class := "good"
	switch {
	case open != "":
		class = "bad"
	case len(d.missing) > 0 || decided != "":
		class = "warn"
	}
	switch {
	case len(d.missing) > 0: // what nothing was compared with is proven by no decision
		text := fmt.Sprintf("Not proven: %s.", strings.Join(d.missing, "; "))
		if open != "" {
			text += fmt.Sprintf(" Nobody has decided yet: %s.", open)
		}
		if decided != "" {
			text += fmt.Sprintf(" A person has decided: %s.", decided)
		}
		return proof{class, text}
	case open != "" && decided != "":
		return proof{class, fmt.Sprintf("Not proven, and undecided: %s. Decided: %s.", open, decided)}
	case open != "":
		return proof{class, fmt.Sprintf("Not proven, and nobody has decided yet: %s.", open)}
	case decided != "":
		if d.unlisted != "" {
			return proof{class, fmt.Sprintf("Not all proven: %s. A person has decided: %s.", d.unlisted, decided)}
		}
		return proof{class, fmt.Sprintf("Proven to the cent, but for what a person has decided: %s.", decided)}
	}
	agree := quantity(r.Accounts, "ledger agrees with its rows", "ledgers agree with their rows")
	if d.unlisted != "" {
		return proof{"warn", fmt.Sprintf("Not all proven: %s, one by one, but %s.", agree, d.unlisted)}
	}
	return proof{class, fmt.Sprintf("Proven to the cent: %s, one by one.%s", agree, rowsText(r))}
}

// rowsText says of which rows a proof speaks.
func rowsText(r migrate.Reconciliation) string {
	if r.RowsRead == 0 {
		return ""
	}
	text := fmt.Sprintf(" Of %s of money, %s loaded", quantity(r.RowsRead, "row", "rows"), Count(r.RowsLoaded))
	if skipped := r.RowsRead - r.RowsLoaded; skipped > 0 {
		text += fmt.Sprintf(", %s skipped", Count(skipped))
	}
	return text + ", none rejected."
}

// doubts are why the money of a currency is not proven, in words.
type doubts struct {
	missing       []string // that nothing could be compared with
	open, decided []string // what a person has to decide, or has decided
	unlisted      string   // balances that the ledger does not list; empty: none
}

func doubtsOf(p *migrate.Plan, r migrate.Reconciliation) (d doubts) {
	add := func(decision, what string) {
		if decision == "" {
			d.open = append(d.open, what)
		} else {
			d.decided = append(d.decided, what)
		}
	}
	if r.Accounts == 0 && hasExport(p, keap.Ledger) {
		d.missing = append(d.missing, "the ledger among the exports has nothing in this currency")
	}
	var lost []string
	undecided := false
	for i := range p.Rejected {
		if x := &p.Rejected[i]; x.HoldsMoney() && slices.Contains(x.Currencies(p.Currency), r.Currency) {
			lost = append(lost, visible(x.String()))
			undecided = undecided || x.Decision != migrate.Accept
		}
	}
	if len(lost) > 0 {
		d.missing = append(d.missing, "these are in none of the sums: "+strings.Join(lost, "; "))
		decision := migrate.Accept
		if undecided {
			decision = ""
		}
		add(decision, "to go on without the rejected rows")
	}
	var missing []string
	for i := range p.Missing {
		if x := &p.Missing[i]; x.HoldsMoney() && slices.Contains(x.Currencies(p.Currency), r.Currency) {
			missing = append(missing, visible(x.String()))
		}
	}
	if len(missing) > 0 {
		d.missing = append(d.missing, "an earlier run left out, and nothing has brought since: "+strings.Join(missing, "; "))
	}
	ledgers := map[string]int64{keap.Commissions: r.Commissions, keap.Clawbacks: r.Clawbacks, keap.Payments: r.Payments}
	for _, c := range p.Conflicts {
		switch {
		case c.Kind == migrate.KindOlder && c.Decision != migrate.Accept:
			d.missing = append(d.missing, "these exports are older than the book, and their ledger was not compared")
			add(c.Decision, "to keep what the book holds")
		case c.Kind == migrate.KindNoLedger:
			d.missing = append(d.missing, "there is no ledger among the exports")
			add(c.Decision, "to go on without the ledger")
		case c.Kind == migrate.KindNoRows && ledgers[c.Subject] != 0:
			d.missing = append(d.missing, fmt.Sprintf("there are no rows of %s, and the ledger has %s of them",
				visible(c.Subject), amount(ledgers[c.Subject], r.Currency)))
			add(c.Decision, "to go on without the rows of "+visible(c.Subject))
		}
	}
	var of [2][]migrate.Difference // undecided, decided
	for _, difference := range differencesIn(p, r.Currency) {
		i := min(1, len(difference.Decision))
		of[i] = append(of[i], difference)
	}
	for _, list := range of {
		if len(list) == 0 {
			continue
		}
		what := quantity(len(list), "ledger does", "ledgers do") + " not agree with the rows"
		if by := totalGap(list); by != 0 {
			what += fmt.Sprintf(", by %s", amount(by, r.Currency))
			if len(list) > 1 {
				what += " together"
			}
		}
		add(list[0].Decision, what)
	}
	if of := standingIn(p, r.Currency); len(of) > 0 {
		sum := int64(0)
		for _, s := range of {
			sum += magnitude(s.Amount)
		}
		add(migrate.Accept, fmt.Sprintf("%s in the balances, of %s, which an earlier run booked",
			quantity(len(of), "difference stays", "differences stay"), amount(sum, r.Currency)))
	}
	if n := len(p.Earlier); n > 0 {
		add(migrate.Accept, quantity(n, "question about money was decided", "questions about money were decided")+
			" in earlier runs, and nothing has settled "+pronoun(n)+" since")
	}
	if of := unlistedIn(p, r.Currency); len(of) > 0 {
		sum := int64(0)
		for _, u := range of {
			sum += magnitude(u.Amount)
		}
		d.unlisted = fmt.Sprintf("nothing proves %s that the ledger does not list, of %s",
			quantity(len(of), "balance", "balances"), amount(sum, r.Currency))
	}
	return d
}

func pronoun(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// standingIn are the differences of earlier runs that stand in a currency, the largest first.
func standingIn(p *migrate.Plan, currency string) []migrate.Standing {
	list := slices.DeleteFunc(slices.Clone(p.Standing), func(s migrate.Standing) bool { return s.Currency != currency })
	slices.SortStableFunc(list, func(a, b migrate.Standing) int { return cmp.Compare(magnitude(b.Amount), magnitude(a.Amount)) })
	return list
}

// unlistedIn are the balances in a currency that the ledger does not list, the largest first.
func unlistedIn(p *migrate.Plan, currency string) []migrate.Unlisted {
	list := slices.DeleteFunc(slices.Clone(p.Unlisted), func(u migrate.Unlisted) bool { return u.Currency != currency })
	slices.SortStableFunc(list, func(a, b migrate.Unlisted) int { return cmp.Compare(magnitude(b.Amount), magnitude(a.Amount)) })
	return list
}

// balanceText says what will be owed, and how that relates to the ledger's ending.
func balanceText(p *migrate.Plan, r migrate.Reconciliation) string {
	decided, unexplained := map[string]bool{}, r.Book-r.Ending
	for _, d := range differencesIn(p, r.Currency) {
		decided[d.Decision] = true
		if d.Decision == migrate.Fix {
			unexplained += d.Amount
		}
	}
	text := "Once this is applied"
	if decided[""] {
		text += " as recommended"
	}
	text += fmt.Sprintf(", promoters are owed %s in all", amount(r.Promoters, r.Currency))
	together := ""
	if house := r.Book - r.Promoters; house != 0 {
		text += fmt.Sprintf(", and %s is on the program's own partners", amount(house, r.Currency))
		together = "together "
	}
	if r.Accounts == 0 {
		return text + "."
	}
	if r.Book == r.Ending {
		return fmt.Sprintf("%s: %sthe ledger's ending.", text, together)
	}
	var why []string
	if decided[migrate.Exclude] {
		why = append(why, "what a person left out")
	}
	if decided[migrate.Fix] {
		why = append(why, "ledgers that a person found wrong")
	}
	if unexplained != 0 && p.BaseRun > 0 {
		why = append(why, "accounts that only the book has")
	}
	if unexplained != 0 && !decided[migrate.Exclude] {
		why = append(why, "partners whom the ledger does not list, or the program's own")
	}
	than := "more"
	if r.Book < r.Ending {
		than = "less"
	}
	return fmt.Sprintf("%s. That is %s%s %s than the ledger's ending, for: %s.", text, together,
		amount(magnitude(r.Book-r.Ending), r.Currency), than, strings.Join(why, "; "))
}

// otherDifferences explains what the totals differ by beyond the differences that were asked about;
// empty: nothing.
func otherDifferences(p *migrate.Plan, r migrate.Reconciliation) string {
	ending := sums(p, r)[4]
	left := r.Ending - rowsEnding(r)
	for _, d := range differencesIn(p, r.Currency) {
		left -= d.Amount
	}
	if ending.Difference == none || left == 0 {
		return ""
	}
	where := "the program's own partners, about whom nothing is asked"
	if p.BaseRun > 0 {
		where = "rows that the book holds already, or of " + where
	}
	return fmt.Sprintf("Of the difference in the ending, %s is of %s.", amount(left, r.Currency), where)
}
