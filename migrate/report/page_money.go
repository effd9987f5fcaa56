package report

import (
	_ "embed"
	"slices"
	"strings"

	"carryover/mapping/terms"
	"carryover/migrate"
)

const (
	shownDifferences = 100 // of each currency; conflicts.csv has all
	shownFindings    = 100 // of each kind; findings.csv has all
	shownDecisions   = 100 // conflicts.csv has all
	maxExamples      = 10  // examples in a sentence
)

//go:embed money.html
var moneySource string

// moneyPage is what the page shows of customers and money.
type moneyPage struct {
	Owed       []owedTile
	Customers  *customersView // nil: there are none
	Money      []moneyView    // by currency
	Compared   string         // how many orders with commissions; empty: none
	Unplaced   int            // products that could not be compared
	Findings   []findingsOf
	Decided    *decidedView // nil: nothing was
	Unresolved []openItem
}

// owedTile is a tile: what promoters are owed in one currency.
type owedTile struct{ Amount, Currency string }

// customersView is whose the customers are.
type customersView struct {
	migrate.CustomerTotals
	AsOf  string
	Bar   []share
	Lines []customerLine
	Notes []customerLine
}

// customerLine counts some of the customers; its class is that of its part of the bar.
type customerLine struct {
	Class, What string
	N           int
}

// moneyView is one currency.
type moneyView struct {
	Index           int
	Currency        string
	Proof           proof
	Sums            []sum
	Rejected        int // rows of money in this currency
	Notes           []string
	Open            int // differences that nobody has decided
	Differences     []differenceView
	MoreDifferences int
	Chart           *chart
	Spread          string
	Largest         []balanceView
}

// differenceView is a ledger that does not agree with its rows.
type differenceView struct {
	Partner, Token, Amount, Decision, By string
}

// balanceView is one of the largest balances, and the parts of its bar.
type balanceView struct {
	migrate.Balance
	AmountText, HeldText string // HeldText is empty when nothing is held
	Free, Within         float64
}

// decidedView is what was decided, and by whom.
type decidedView struct {
	By   []reasonCount // the most decisions first; its Reason is a name
	List []decision
	More int
}

// decision is a conflict that was decided.
type decision struct {
	Title, Subject, Value, Meaning, By string
}

// openItem is something that stays open, or stays as it is although it is not right.
type openItem struct {
	Must  bool // apply waits for it
	What  string
	N     int
	Which string // the first of them
	Do    string
}

func newMoneyPage(p *migrate.Plan) moneyPage {
	v := moneyPage{
		Customers: viewCustomers(p), Compared: comparedOrders(p), Unplaced: countKind(p, migrate.KindProduct),
		Findings: findingsBy(p, shownFindings), Decided: viewDecided(p), Unresolved: openItems(p),
	}
	for i, r := range currencies(p) {
		if r.Promoters != 0 {
			v.Owed = append(v.Owed, owedTile{terms.FormatMinor(r.Promoters, r.Currency), visible(r.Currency)})
		}
		v.Money = append(v.Money, viewMoney(p, r, i))
	}
	return v
}

func countKind(p *migrate.Plan, kind string) int {
	n := 0
	for i := range p.Conflicts {
		if p.Conflicts[i].Kind == kind {
			n++
		}
	}
	return n
}

func viewCustomers(p *migrate.Plan) *customersView {
	c := p.Customers
	if c.Customers == 0 {
		return nil
	}
	v := &customersView{CustomerTotals: c, AsOf: visible(p.AsOf)}
	v.Lines = []customerLine{{"earned", "belong to a promoter", c.Owned}}
	add := func(to *[]customerLine, class, what string, n int) {
		if n > 0 {
			*to = append(*to, customerLine{class, what, n})
		}
	}
	add(&v.Lines, "skipped", "belong to nobody: every referral has expired", c.Expired)
	add(&v.Lines, "house", "belong to nobody: the program’s own partner won", c.House)
	add(&v.Lines, "later", "belong to nobody yet: referred after that day, so that a later run carries them over", c.Later)
	var parts []share
	var counts []int
	for _, l := range v.Lines {
		parts, counts = append(parts, share{Class: l.Class}), append(counts, l.N)
	}
	v.Bar = divide(parts, counts)
	add(&v.Notes, "", "without a usable e-mail address: kept under their Keap id", c.NoEmail)
	add(&v.Notes, "", "bought through themselves: they stay their own promoter, as in Keap", c.Self)
	add(&v.Notes, "", "with a running subscription that another partner sold", countKind(p, migrate.KindSubscription))
	add(&v.Notes, "", "with another owner than in the book", countKind(p, migrate.KindMovedCustomer))
	return v
}

func viewMoney(p *migrate.Plan, r migrate.Reconciliation, index int) moneyView {
	v := moneyView{
		Index: index, Currency: visible(r.Currency), Proof: proofOf(p, r), Sums: sums(p, r), Rejected: r.RowsRejected,
		Chart: drawMonths(p.Months, r.Currency),
	}
	for _, note := range []string{otherDifferences(p, r), balanceText(p, r)} {
		if note != "" {
			v.Notes = append(v.Notes, note)
		}
	}
	by := map[string]string{}
	for _, c := range p.Conflicts {
		if c.Kind == migrate.KindUnbalanced {
			by[c.ID] = decider(c)
		}
	}
	differences := differencesIn(p, r.Currency)
	for _, d := range differences {
		if d.Decision == "" {
			v.Open++
		}
	}
	for _, d := range differences[:min(len(differences), shownDifferences)] {
		v.Differences = append(v.Differences,
			differenceView{partnerOf(d), visible(d.Token), amount(d.Amount, r.Currency), decisionWords(d.Decision), by[d.Conflict]})
	}
	v.MoreDifferences = len(differences) - len(v.Differences)
	s := spreadOf(p, r.Currency)
	v.Spread = s.sentence(r.Currency)
	for _, b := range s.Largest {
		line := balanceView{Balance: b, AmountText: amount(b.Amount, r.Currency)}
		all := 100 * float64(b.Amount) / float64(s.Largest[0].Amount)
		if b.Held > 0 {
			line.HeldText = amount(b.Held, r.Currency)
			line.Within = round(all * float64(min(b.Held, b.Amount)) / float64(b.Amount))
		}
		line.Free = round(all - line.Within)
		v.Largest = append(v.Largest, line)
	}
	return v
}

// decider is who decided a conflict; empty when nobody did.
func decider(c migrate.Conflict) string {
	switch {
	case c.Decision == "":
		return ""
	case c.DecidedBy == "":
		return "not said"
	}
	return visible(c.DecidedBy)
}

func viewDecided(p *migrate.Plan) *decidedView {
	v := &decidedView{}
	by := map[string]int{}
	for _, g := range groupConflicts(p.Conflicts) {
		for _, c := range g.List {
			if c.Decision == "" {
				continue
			}
			by[decider(c)]++
			if len(v.List) == shownDecisions {
				v.More++
				continue
			}
			d := decision{Title: visible(g.Title), Subject: visible(c.Subject), Value: visible(c.Decision), By: decider(c)}
			if i := slices.IndexFunc(g.Options, func(o option) bool { return o.Value == c.Decision }); i >= 0 {
				d.Meaning = g.Options[i].Meaning
			}
			v.List = append(v.List, d)
		}
	}
	if len(v.List) == 0 {
		return nil
	}
	v.By = byCount(by)
	if others := v.By[min(len(v.By), maxExamples):]; len(others) > 0 {
		n := 0
		for _, o := range others {
			n += o.N
		}
		v.By = append(v.By[:maxExamples:maxExamples], reasonCount{quantity(len(others), "other", "others"), n})
	}
	return v
}

// examples joins the first of n names.
func examples(n int, name func(i int) string) string {
	var list []string
	for i := range min(n, maxExamples) {
		list = append(list, clip(visible(name(i)), 60))
	}
	text := strings.Join(list, ", ")
	if n > maxExamples {
		text += " and " + Count(n-maxExamples) + " more"
	}
	return text
}

// openItems gathers what remains: questions, differences that were decided and not
// mended, customers without an address, promoters who owe.
func openItems(p *migrate.Plan) []openItem {
	var list []openItem
	for _, g := range groupConflicts(p.Conflicts) {
		if g.Open > 0 {
			list = append(list, openItem{true, visible(g.Title), g.Open, examples(g.Open, func(i int) string { return g.List[i].Subject }),
				"Mend the exports and plan again, or fill in the column “decision” of conflicts.csv. Nothing can be applied before."})
		}
	}
	var remain []migrate.Difference
	for _, r := range currencies(p) {
		for _, d := range differencesIn(p, r.Currency) {
			if d.Decision != "" {
				remain = append(remain, d)
			}
		}
	}
	if n := len(remain); n > 0 {
		list = append(list, openItem{false, "Differences that were decided, and are still there", n,
			examples(n, func(i int) string { return partnerOf(remain[i]) + " " + amount(remain[i].Amount, remain[i].Currency) }),
			"Ask Keap or the partner for the rows that are missing. The command carryover verify names each of them, and exits with 3, until the " +
				"exports agree."})
	}
	if n := len(p.Standing); n > 0 {
		list = append(list, openItem{false, "Differences that earlier runs booked as decided, still in the balances", n,
			examples(n, func(i int) string {
				d := p.Standing[i]
				return namePartner(d.Code, d.Partner) + " " + amount(d.Amount, d.Currency)
			}),
			"Ask Keap or the partner for the rows that explain them. Until they come, every plan and carryover verify name them."})
	}
	if n := len(p.Unlisted); n > 0 {
		list = append(list, openItem{false, "Balances that the ledger does not list", n,
			examples(n, func(i int) string {
				d := p.Unlisted[i]
				return namePartner(d.Code, d.Partner) + " " + amount(d.Amount, d.Currency)
			}),
			"Export a ledger that lists every partner. Nothing of these exports proves what earlier runs carried over for them."})
	}
	if n := len(p.Earlier); n > 0 {
		list = append(list, openItem{false, "Decided about money before, and nothing has settled it since", n,
			examples(n, func(i int) string { return p.Earlier[i] }), "Export the ledger and its rows again."})
	}
	var lost []string
	for i := range p.Rejected {
		if x := &p.Rejected[i]; x.Decision == migrate.Accept {
			lost = append(lost, x.String())
		}
	}
	for i := range p.Missing {
		lost = append(lost, p.Missing[i].String())
	}
	if n := len(lost); n > 0 {
		list = append(list, openItem{false, "Rejected rows that were left out", n, examples(n, func(i int) string { return lost[i] }),
			"Mend them in rejects/, name the folder beside the exports and plan again. The command carryover verify names them, and exits " +
				"with 3, until they are loaded."})
	}
	if n := p.Customers.NoEmail; n > 0 {
		subjects := subjectsOf(p, migrate.KindNoCustomerEmail)
		which := ""
		if len(subjects) > 0 {
			which = "contacts " + examples(len(subjects), func(i int) string { return subjects[i] })
		}
		list = append(list, openItem{false, "Customers without an e-mail address", n, which,
			"Add the address to the contact in Keap and export again, before the customers are pushed to FirstPromoter: it knows them by " +
				"nothing else."})
	}
	var owing []migrate.Balance
	for _, b := range p.Balances {
		if b.Amount < 0 && hasMoney(p) {
			owing = append(owing, b)
		}
	}
	if n := len(owing); n > 0 {
		slices.Reverse(owing) // they end with those who owe most
		list = append(list, openItem{false, "Promoters who owe money", n,
			examples(n, func(i int) string { return owing[i].Token + " " + amount(owing[i].Amount, owing[i].Currency) }),
			"Nothing has to be done: later earnings fill the balance before anything is paid. Whoever is not going to earn again can be asked, " +
				"or the debt forgiven with an entry in Keap before the last export."})
	}
	return list
}

func subjectsOf(p *migrate.Plan, kind string) []string {
	var list []string
	for i := range p.Conflicts {
		if p.Conflicts[i].Kind == kind {
			list = append(list, p.Conflicts[i].Subject)
		}
	}
	return list
}
