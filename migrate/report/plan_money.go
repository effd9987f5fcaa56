package report

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"carryover/mapping/terms"
	"carryover/migrate"
	"carryover/migrate/keap"
)

// undecidedText stands where a decision is missing.
const undecidedText = "UNDECIDED"

// maxDifferences is how many differences the terminal lists of each currency.
const maxDifferences = 10

// customers says whose the customers are.
func (t *text) customers(p *migrate.Plan, outDir string) {
	c := p.Customers
	if c.Customers == 0 {
		if text := lostReferrals(p); text != "" {
			t.line("\nNo customer is carried over: %s", text)
		}
		return
	}
	t.line("\nWhose the customers are on %s (all of them in %s)", visible(p.AsOf), visible(filepath.Join(outDir, "owners.csv")))
	rows := [][]string{{"customers", Count(c.Customers), ""}, {"  of a promoter", Count(c.Owned), ""}}
	row := func(name string, n int, note string) {
		if n > 0 {
			rows = append(rows, []string{name, Count(n), note})
		}
	}
	row("  of nobody", c.Expired, "every referral has expired")
	row("  of nobody", c.House, "the program's own partner won")
	row("  of nobody yet", c.Later, "referred after that day: a later run carries them over")
	row("without an e-mail", c.NoEmail, "kept under their Keap id")
	row("own promoter", c.Self, "bought through themselves, as in Keap")
	t.rows(rows)
	if text := lostReferrals(p); text != "" {
		t.line("  not among them: %s", text)
	}
}

// lostReferrals says which rows that say whose a customer is were rejected; empty: none.
func lostReferrals(p *migrate.Plan) string {
	var list []string
	for i := range p.Rejected {
		if x := &p.Rejected[i]; x.Kind == keap.Referrals {
			list = append(list, x.String())
		}
	}
	return joinWords(list)
}

// money shows for each currency how the ledger and its rows agree.
func (t *text) money(p *migrate.Plan) {
	for _, r := range currencies(p) {
		t.line("\nThe money, in %s", visible(r.Currency))
		titles := []string{"", "ledger", "rows", "difference"}
		if r.RowsRejected > 0 {
			titles = append(titles, "rejected")
		}
		var rows [][]string
		for _, s := range sums(p, r) {
			row := []string{strings.TrimLeft(s.Sign+" "+s.Name, " "), s.Ledger, s.Rows, s.Difference, s.Rejected}
			rows = append(rows, row[:len(titles)])
		}
		t.table(titles, rows)
		for _, sentence := range []string{proofOf(p, r).Text, otherDifferences(p, r), balanceText(p, r),
			spreadOf(p, r.Currency).sentence(r.Currency)} {
			if sentence == "" {
				continue
			}
			t.paragraph("  ", sentence, 96)
		}
		t.differences(differencesIn(p, r.Currency), r.Currency)
	}
	t.earlier(p)
}

// earlier names what earlier runs leave unproven.
func (t *text) earlier(p *migrate.Plan) {
	list := func(title string, n int, row func(i int) []string) {
		if n == 0 {
			return
		}
		t.line("\n%s", title)
		var rows [][]string
		for i := range min(n, maxDifferences) {
			rows = append(rows, row(i))
		}
		t.rows(rows)
		if more := n - len(rows); more > 0 {
			t.line("  … and %s more", Count(more))
		}
	}
	list("Differences that earlier runs booked as a person had decided, still in the balances", len(p.Standing), func(i int) []string {
		d := p.Standing[i]
		return []string{namePartner(d.Code, d.Partner), amount(d.Amount, d.Currency)}
	})
	list("Balances that the ledger among these exports does not list: nothing proves them", len(p.Unlisted), func(i int) []string {
		d := p.Unlisted[i]
		return []string{namePartner(d.Code, d.Partner), amount(d.Amount, d.Currency)}
	})
	list("Decided about money before, and nothing has settled it since", len(p.Earlier), func(i int) []string {
		return []string{visible(p.Earlier[i])}
	})
}

func (t *text) differences(list []migrate.Difference, currency string) {
	if len(list) == 0 {
		return
	}
	t.line("  Where the ledger and its rows do not agree:")
	var rows [][]string
	for _, d := range list[:min(len(list), maxDifferences)] {
		rows = append(rows, []string{partnerOf(d), terms.FormatMinor(d.Amount, currency), cmp.Or(decisionWords(d.Decision), undecidedText)})
	}
	t.alerts([]string{"partner", "difference", "decision"}, rows, func(row int, title string) bool {
		return title == "decision" && rows[row][2] == undecidedText
	})
	if more := len(list) - len(rows); more > 0 {
		t.line("  … and %s more in conflicts.csv, kind %s", Count(more), migrate.KindUnbalanced)
	}
}

// partnerOf names the partner of a difference.
func partnerOf(d migrate.Difference) string { return namePartner(d.Code, d.Partner) }

func namePartner(code string, partner int64) string {
	if code == "" {
		return fmt.Sprintf("partner %d", partner)
	}
	return fmt.Sprintf("%s (%d)", visible(code), partner)
}

// decisionWords say what a decision about a ledger does; empty for none.
func decisionWords(decision string) string {
	switch decision {
	case migrate.Accept:
		return "accept: the ledger holds"
	case migrate.Fix:
		return "fix: the rows hold"
	case migrate.Exclude:
		return "exclude: left out"
	}
	return visible(decision)
}

// findings counts what orders and commissions do not agree on.
func (t *text) findings(p *migrate.Plan, outDir string) {
	compared, found := comparedOrders(p), findingCount(p)
	switch {
	case compared == "" && found == 0:
		return
	case found == 0:
		t.line("\nOrders against commissions")
		t.line("  %s", compared)
		return
	}
	t.line("\nOrders against commissions (all of it in %s)", visible(filepath.Join(outDir, "findings.csv")))
	if compared != "" {
		t.line("  %s", compared)
	}
	var rows [][]string
	for _, g := range findingsBy(p, 0) {
		rows = append(rows, []string{visible(g.Kind), Count(g.Total), g.Title})
	}
	t.table([]string{"kind", "count", "what it is"}, rows)
}
