package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/migrate"
)

// headline says in one sentence what the plan makes of the program.
func headline(p *migrate.Plan) string {
	t := p.Totals
	verb := "become"
	if t.Partners == 1 {
		verb = "becomes"
	}
	var who []string
	keep, are := "keep", "are"
	if t.Promoters == 1 {
		keep, are = "keeps", "is"
	}
	if n := p.Customers.Owned; n > 0 {
		who = append(who, keep+" "+quantity(n, "customer", "customers"))
	}
	if owed := owedAmounts(p); len(owed) > 0 {
		who = append(who, are+" owed "+joinWords(owed))
	}
	end := "."
	if len(who) > 0 {
		end = ", who " + joinWords(who) + "."
	}
	return fmt.Sprintf("%s %s %s%s", quantity(t.Partners, "partner", "partners"), verb, quantity(t.Promoters, "promoter", "promoters"), end)
}

// codesText says what becomes of the old codes and ids, and names the codes that will credit
// nobody because several promoters have them.
func codesText(p *migrate.Plan) string {
	t := p.Totals
	var b strings.Builder
	fmt.Fprintf(&b, "Every one of %s and %s keeps working", quantity(t.Codes, "old code", "old codes"),
		quantity(t.KeapIDs, "Keap id", "Keap ids"))
	shared := 0
	for _, a := range p.After.Aliases {
		if a.State == book.StateAmbiguous {
			shared++
		}
	}
	switch {
	case shared == 1:
		b.WriteString("; 1 code is shared by several promoters and leads on without crediting any")
	case shared > 1:
		fmt.Fprintf(&b, "; %s codes are shared by several promoters and lead on without crediting any", Count(shared))
	}
	b.WriteString(".")
	return b.String()
}

// partnersText says what happened to the partners that are not promoters of their own.
func partnersText(p *migrate.Plan) string {
	t := p.Totals
	var parts []string
	if t.Merged == 1 {
		parts = append(parts, "1 partner is a person who has another code already")
	} else if t.Merged > 1 {
		parts = append(parts, fmt.Sprintf("%s partners are people who have another code already", Count(t.Merged)))
	}
	if t.House > 0 {
		parts = append(parts, fmt.Sprintf("%s %s the program’s own and never credited", Count(t.House), isOrAre(t.House)))
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ", ") + "."
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// need is something that a person should look at. Must: apply waits for it.
type need struct {
	Must bool
	What string
	Do   string
}

// needs lists what a person has to do, what must be done first.
func needs(p *migrate.Plan) []need {
	var list []need
	open := len(p.Open())
	if open > 0 {
		list = append(list, need{true, quantity(open, "question must", "questions must") + " be answered first",
			"Fill in the column “decision” of conflicts.csv. Nothing can be applied before."})
	}
	if n := p.Totals.Rejected; n > 0 {
		list = append(list, need{false, fmt.Sprintf("%s could not be loaded", quantity(n, "row", "rows")),
			"They are kept word for word in rejects/, each with its reason; the codes and links in them stay unknown. Mend them there and plan " +
				"again with that folder added, or leave them behind."})
	}
	byKind := map[string]int{}
	for _, c := range p.Conflicts {
		byKind[c.Kind]++
	}
	if n := byKind[migrate.KindUnsafeLink] + byKind[migrate.KindLoopingLink]; n > 0 {
		list = append(list, need{false, fmt.Sprintf("%s will not be carried over", quantity(n, "tracking link", "tracking links")),
			"Nobody is forwarded to a destination that is not allowed. Until it is mended, visitors see a page that helps."})
	}
	if n := p.Totals.NeedEmail; n > 0 {
		verb := "need"
		if n == 1 {
			verb = "needs"
		}
		list = append(list, need{false, fmt.Sprintf("%s %s an e-mail address", quantity(n, "promoter", "promoters"), verb),
			"The links work without one. An invitation needs it."})
	}
	if n := p.Customers.NoEmail; n > 0 {
		have := "have"
		if n == 1 {
			have = "has"
		}
		list = append(list, need{false, fmt.Sprintf("%s %s no e-mail address", quantity(n, "customer", "customers"), have),
			"They are kept under their Keap id. FirstPromoter will not know them before they have one."})
	}
	if n := findingCount(p); n > 0 {
		list = append(list, need{false, fmt.Sprintf("Orders and commissions do not agree in %s", quantity(n, "case", "cases")),
			"Nothing is corrected for it: what Keap paid is carried over. Look through findings.csv before promoters do."})
	}
	if n := len(p.Unread); n > 0 {
		list = append(list, need{false, fmt.Sprintf("%s not read", quantity(n, "file was", "files were")),
			"Make sure that nothing in there is missed."})
	}
	return list
}

// countReasons counts rejected rows by reason, most frequent first.
func countReasons(rejects []migrate.RejectLine) []reasonCount {
	counts := map[string]int{}
	for _, r := range rejects {
		counts[r.Reason]++
	}
	return byCount(counts)
}

type reasonCount struct {
	Reason string
	N      int
}

func byCount(counts map[string]int) []reasonCount {
	var list []reasonCount
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, reasonCount{reason, counts[reason]})
	}
	slices.SortStableFunc(list, func(a, b reasonCount) int { return b.N - a.N })
	return list
}

// change is what the plan does to one table, in words.
type change struct {
	Name string
	migrate.TableCount
}

// entriesNote says what the entries of the ledger are, the new ones of each rare kind
// counted; empty when there are none.
func entriesNote(p *migrate.Plan) string {
	if (p.Tables[ledgerTable] == migrate.TableCount{}) {
		return ""
	}
	beginnings, differences := 0, 0
	for _, e := range p.Changes.KeapRecords.Entries {
		if e.Kind == book.KindOpening {
			beginnings++
		} else {
			differences++
		}
	}
	text := "Ledger entries are commissions, clawbacks, beginnings and differences"
	var parts []string
	if beginnings > 0 {
		parts = append(parts, quantity(beginnings, "is a beginning", "are beginnings"))
	}
	if differences > 0 {
		parts = append(parts, quantity(differences, "is a difference", "are differences"))
	}
	if len(parts) > 0 {
		text += "; of the new ones " + joinWords(parts)
	}
	return text + "."
}

// changes lists the tables of the plan, those that have words first.
func changes(p *migrate.Plan) []change {
	var list []change
	known := map[string]bool{}
	for _, t := range tables {
		known[t.name] = true
		if n, ok := p.Tables[t.name]; ok && (!t.money || n != migrate.TableCount{}) {
			list = append(list, change{t.words, n})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Tables)) {
		if !known[name] {
			list = append(list, change{strings.ReplaceAll(name, "_", " "), p.Tables[name]})
		}
	}
	return list
}
