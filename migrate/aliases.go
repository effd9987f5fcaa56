package migrate

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"carryover/mapping/book"
)

// codeClaim is what a code means: a promoter, the program's own, or several.
type codeClaim struct {
	group   *group // nil: the program's own
	former  bool   // it was the code of rows that others superseded
	several bool
}

// allAliases are all codes and Keap ids that ever named a promoter.
func (r *peopleResolver) allAliases(all []*partner) []book.Alias {
	old := map[string]*book.Alias{} // codes of the book
	for i := range r.in.before.Aliases {
		if a := &r.in.before.Aliases[i]; a.Kind == book.AliasCode {
			old[a.Value] = a
		}
	}
	owner := r.bookOwner()
	claims := r.claimCodes(all, old)
	after := codeAliases(claims, old, owner, len(claims)+len(all))
	r.reportCodes(after, claims, old, owner)
	for _, m := range all {
		a := book.Alias{
			Kind: book.AliasKeapID, Value: strconv.FormatInt(m.id, 10), Code: m.code,
			ContactID: m.contactID, ParentID: m.parentID, Email: m.email, Active: m.active,
		}
		if g := r.byPartner[m.id]; g != nil {
			a.PromoterID = g.promoter.ID
		} else {
			a.State = book.StateHouse
		}
		after = append(after, a)
	}
	slices.SortFunc(after, compareAliases)
	return after
}

// bookOwner returns a function that says which group is by now the promoter that an alias
// of the book names; nil for none.
func (r *peopleResolver) bookOwner() func(*book.Alias) *group {
	byPromoter := make(map[int64]*group, len(r.groups))
	for _, g := range r.groups {
		byPromoter[g.promoter.ID] = g
		for _, q := range g.absorbed {
			byPromoter[q.ID] = g
		}
	}
	return func(a *book.Alias) *group {
		p := r.in.directory.ByID(a.PromoterID).Promoter
		if p == nil {
			return nil
		}
		return byPromoter[p.ID]
	}
}

// codeAliases are the codes that somebody claims, and those of the book that nobody does any
// more. There is room for n aliases in what it returns.
func codeAliases(claims map[string]codeClaim, old map[string]*book.Alias, owner func(*book.Alias) *group, n int) []book.Alias {
	after := make([]book.Alias, 0, n)
	for code, c := range claims {
		a := book.Alias{Kind: book.AliasCode, Value: code}
		switch {
		case c.several:
			a.State = book.StateAmbiguous
		case c.group == nil:
			a.State = book.StateHouse
		default:
			a.PromoterID = c.group.promoter.ID
		}
		after = append(after, a)
	}
	for code, a := range old {
		if _, claimed := claims[code]; claimed {
			continue
		}
		kept := *a
		if kept.State == "" {
			if g := owner(a); g != nil {
				kept.PromoterID = g.promoter.ID
			} else {
				kept.PromoterID, kept.State = 0, book.StateHouse
			}
		}
		after = append(after, kept)
	}
	slices.SortFunc(after, compareAliases)
	return after
}

// reportCodes reports codes that several claim, and those that another promoter had.
func (r *peopleResolver) reportCodes(
	codes []book.Alias, claims map[string]codeClaim, old map[string]*book.Alias, owner func(*book.Alias) *group,
) {
	for i := range codes {
		a := &codes[i]
		c, claimed := claims[a.Value]
		if !claimed {
			continue
		}
		was := old[a.Value]
		switch {
		case a.State == book.StateAmbiguous:
			r.conflicts.inform(KindAmbiguousCode, a.Value,
				"several promoters claim this very code: nobody is credited through it, only through their ids, ref tokens and other codes")
		case was != nil && was.State == "" && owner(was) != c.group:
			now := "the program's own"
			if c.group != nil {
				now = c.group.promoter.Token
			}
			before := "one that is excluded now"
			if g := owner(was); g != nil {
				before = g.promoter.Token
			}
			r.conflicts.inform(KindMovedCode, a.Value,
				"in the book it names %s; in these exports it is the code of %s, and so it is from now on", before, now)
		}
	}
}

// claimCodes collects what the codes of the partners mean. A code that a partner has now
// is stronger than one that it had; what these exports say is stronger than what the
// book remembers of partners that they do not hold.
func (r *peopleResolver) claimCodes(all []*partner, old map[string]*book.Alias) map[string]codeClaim {
	claims := make(map[string]codeClaim, len(all))
	add := func(code string, m *partner, former bool) {
		if code == "" { // who joined without Keap has none
			return
		}
		g := r.byPartner[m.id] // nil for the program's own
		switch c, ok := claims[code]; {
		case !ok:
			claims[code] = codeClaim{group: g, former: former}
		case c.former == former && c.group != g:
			c.several = true
			claims[code] = c
		}
	}
	for _, m := range all {
		a := old[m.code]
		// What the book says of a code stands, unless it is to be weighed again.
		if m.exported || a == nil || a.State != "" || r.byPartner[m.id] == nil && r.in.known[m.id].PromoterID == a.PromoterID {
			add(m.code, m, false)
		}
	}
	for _, m := range all {
		for _, code := range m.formerCodes {
			add(code, m, true)
		}
	}
	return claims
}

// The order in which the book reads its rows.
func comparePromoters(a, b book.Promoter) int { return cmp.Compare(a.ID, b.ID) }
func compareLinks(a, b book.Link) int         { return strings.Compare(a.Code, b.Code) }
func compareAliases(a, b book.Alias) int {
	return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Value, b.Value))
}
