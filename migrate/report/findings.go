package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate"
	"carryover/migrate/keap"
)

// findingWords say what a kind of finding is, and what to do about it.
type findingWords struct{ Kind, Title, Meaning, Do string }

var findingKinds = []findingWords{
	{
		migrate.FindingNoCommission, "Sales of a partner without a commission",
		"An order names a partner as its seller, and that partner has no commission for this customer on this day.",
		"Find out whether one was due: a refunded order, a partner who was not approved yet and a product without a commission earn none. " +
			"What was due is added in Keap before the last export, or paid by hand.",
	},
	{
		migrate.FindingNoOrder, "Commissions without a sale",
		"A commission names a customer, and no order of this customer, day and seller is in the exports.",
		"Look whether the order export is whole, and whether the order was deleted or dated otherwise. The commission is carried over as it " +
			"is: a clawback in Keap takes it back, if it was paid by mistake.",
	},
	{
		migrate.FindingRate, "Commissions at another rate than the terms give",
		"The commissions of an order are not the share that the program's terms say.",
		"Special agreements and old rates look like this, and stand. Where many differ alike, check the percentages in [terms] and the names " +
			"in [products], and plan again.",
	},
}

// findingsOf are the findings of one kind.
type findingsOf struct {
	findingWords
	Total, More int
	List        []findingLine
}

// findingLine is a finding as it is shown.
type findingLine struct {
	migrate.Finding
	Who                                     string // the promoter's ref token, else the partner's Keap id
	TotalText, ExpectedText, FoundText, Gap string
}

func findingCount(p *migrate.Plan) int {
	n := 0
	for _, k := range p.FindingsBy {
		n += k
	}
	return n
}

// comparedOrders says how many orders were compared with commissions, and whether they
// agree; empty when there was nothing to compare.
func comparedOrders(p *migrate.Plan) string {
	n, all := p.Compared, p.Compared+p.Uncompared
	switch {
	case n > 0:
		text := fmt.Sprintf("%s compared", quantity(all, "order", "orders"))
		if n < all {
			text = fmt.Sprintf("%s of %s compared", Count(n), quantity(all, "order", "orders"))
		}
		switch {
		case findingCount(p) > 0:
		case n == 1:
			text += ", and it agrees"
		default:
			text += ", all agree"
		}
		return text
	case all > 0:
		return "No order was compared: [products] names none of their products"
	case hasExport(p, keap.Orders) && hasExport(p, keap.Commissions):
		return "No order was compared: none was sold by a partner, or nothing was earned"
	}
	return ""
}

// findingsBy lists the findings by kind, of each the shown ones with the largest gap.
func findingsBy(p *migrate.Plan, shown int) []findingsOf {
	words := slices.Clone(findingKinds)
	for kind := range p.FindingsBy {
		if !slices.ContainsFunc(words, func(w findingWords) bool { return w.Kind == kind }) {
			words = append(words, findingWords{Kind: kind, Title: visible(kind)})
		}
	}
	slices.SortStableFunc(words[len(findingKinds):], func(a, b findingWords) int { return strings.Compare(a.Kind, b.Kind) })
	directory := sync.OnceValue(func() *book.Directory { return book.NewDirectory(&p.After) })
	var groups []findingsOf
	for _, w := range words {
		if p.FindingsBy[w.Kind] == 0 {
			continue
		}
		g := findingsOf{findingWords: w, Total: p.FindingsBy[w.Kind]}
		for _, i := range largestGaps(p.Findings, w.Kind, shown) {
			f := p.Findings[i]
			text := func(minor int64) string { return terms.FormatMinor(minor, f.Currency) }
			l := findingLine{
				Finding: f, Who: cmp.Or(directory().ByPartner(f.PartnerID).Token(), "partner "+strconv.FormatInt(f.PartnerID, 10)),
				TotalText: text(f.Total), ExpectedText: text(f.Expected), FoundText: text(f.Found), Gap: amount(f.Found-f.Expected, f.Currency),
			}
			if f.Kind == migrate.FindingNoOrder { // there is no order that anything could be expected of
				l.TotalText, l.ExpectedText = none, none
			}
			g.List = append(g.List, l)
		}
		g.More = g.Total - len(g.List)
		groups = append(groups, g)
	}
	return groups
}

// largestGaps are the indexes of the n findings of a kind with the largest gap between what
// was expected and what was found.
func largestGaps(findings []migrate.Finding, kind string, n int) []int {
	var list []int
	for i := range findings {
		if n > 0 && findings[i].Kind == kind {
			list = append(list, i)
		}
	}
	gap := func(i int) int64 { return magnitude(findings[i].Expected - findings[i].Found) }
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(gap(b), gap(a)) })
	return list[:min(len(list), n)]
}
