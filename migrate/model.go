package migrate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"carryover/mapping/book"
	"carryover/migrate/keap"
)

// build works out the model after the plan and what must be written for it.
func (p *Plan) build(s *Settings, x *exports, before *book.Content) *people {
	all := withKnown(x.partners.rows, x.known)
	resolveParentCodes(all)
	for _, m := range all {
		if m.otherStatus {
			x.conflicts.add(newConflict(KindOtherStatus, m.code, fmt.Sprintf("partner %d, %s, line %d: its status says neither active nor inactive: it is read as inactive", m.id, x.files[m.at.file].Path, m.at.line)))
		}
	}
	house := excluded(all, s.Exclude, x.conflicts)
	who := &people{house: house, person: x.person, known: x.known, before: before, conflicts: x.conflicts}
	for _, m := range all {
		if house[m.id] == nil {
			who.partners = append(who.partners, m)
		}
	}
	who.resolve()

	p.After = book.Content{Promoters: who.content(), Aliases: aliases(who, all), Links: linksAfter(x, before), Settings: before.Settings}
	p.Changes.Promoters, p.Tables["promoter"] = changed(before.Promoters, p.After.Promoters, comparePromoters)
	p.Changes.Aliases, p.Tables["promoter_alias"] = changed(before.Aliases, p.After.Aliases, compareAliases)
	p.Changes.Links, p.Tables["link"] = changed(before.Links, p.After.Links, compareLinks)

	for _, code := range slices.Sorted(maps.Keys(x.byCode)) {
		if names := s.Policy.ReservedIn(x.byCode[code].Destination); len(names) > 0 {
			x.conflicts.add(newConflict(KindReservedName, code, fmt.Sprintf("its destination holds %s, which the new platform would read as a promoter: removed when visitors are forwarded", strings.Join(names, ", "))))
		}
	}
	foldedCodes(&p.After, x.conflicts)
	p.checkGrace(s, x.conflicts)
	return who
}

// withKnown returns the partners of the exports and those that only the book knows, in
// ascending order of their ids: an export of some partners means the same as if it held
// all of them.
func withKnown(rows map[int64]*partner, known map[int64]*book.Alias) []*partner {
	all := make([]*partner, 0, max(len(rows), len(known)))
	for _, m := range rows {
		all = append(all, m)
	}
	for id, a := range known {
		if rows[id] == nil {
			all = append(all, &partner{id: id, code: a.Code, contactID: a.ContactID, parentID: a.ParentID, ownEmail: a.Email, active: a.Active})
		}
	}
	slices.SortFunc(all, func(a, b *partner) int { return cmp.Compare(a.id, b.id) })
	return all
}

// resolveParentCodes finds the parents that are named by their code.
func resolveParentCodes(all []*partner) {
	var byCode map[string]int64 // -1: several have the code
	for _, m := range all {
		if m.parentID != 0 || m.parentCode == "" || m.parentCode == "0" {
			continue
		}
		if byCode == nil {
			byCode = partnersByCode(all)
		}
		m.parentID = max(0, byCode[m.parentCode])
		m.parentLost = m.parentID == 0
	}
}

func partnersByCode(all []*partner) map[string]int64 {
	byCode := make(map[string]int64, len(all))
	for _, exported := range []bool{false, true} { // these exports have the last word
		seen := map[string]bool{}
		for _, m := range all {
			switch {
			case m.exported != exported:
			case seen[m.code]:
				byCode[m.code] = -1
			default:
				seen[m.code] = true
				byCode[m.code] = m.id
			}
		}
	}
	return byCode
}

// excluded finds the program's own partners: by exact code, else by its lower case
// when that means one partner only.
func excluded(all []*partner, codes []string, conflicts *conflictList) map[int64]*partner {
	house := map[int64]*partner{}
	exact, folded := map[string][]*partner{}, map[string][]*partner{}
	for _, code := range codes {
		exact[code], folded[strings.ToLower(code)] = nil, nil
	}
	for _, m := range all {
		if _, ok := exact[m.code]; ok {
			exact[m.code] = append(exact[m.code], m)
		}
		if lower := strings.ToLower(m.code); len(codes) > 0 {
			if _, ok := folded[lower]; ok {
				folded[lower] = append(folded[lower], m)
			}
		}
	}
	for _, code := range codes {
		found := exact[code]
		if alike := folded[strings.ToLower(code)]; len(found) == 0 && len(alike) == 1 {
			found = alike
		}
		for _, m := range found {
			house[m.id] = m
		}
		if len(found) == 0 {
			conflicts.add(newConflict(KindNoHouse, code, "[partners] exclude names it, and no partner has that code, or several have it in other letter cases: spell it exactly"))
		}
	}
	return house
}

// content lists the promoters of the groups, those that were taken over, and those of
// the book that no partner stands for any more.
func (p *people) content() []book.Promoter {
	after := make([]book.Promoter, 0, len(p.groups)+len(p.promoters)/8)
	placed := make(map[int64]bool, len(p.promoters))
	place := func(q book.Promoter) {
		placed[q.ID] = true
		after = append(after, q)
	}
	for _, g := range p.groups {
		place(g.promoter)
		for _, a := range g.absorbed {
			taken := *a
			taken.MergedInto, taken.ParentID = g.promoter.ID, 0
			place(taken)
		}
	}
	for i := range p.before.Promoters {
		if q := p.before.Promoters[i]; !placed[q.ID] {
			if q.MergedInto == 0 { // all its partners are excluded now
				q.Status, q.ParentID = book.StatusInactive, 0
			}
			after = append(after, q)
		}
	}
	slices.SortFunc(after, comparePromoters)
	return after
}

// claim is what a code means: a promoter, the program's own, or several.
type claim struct {
	group   *group // nil: the program's own
	former  bool   // it was the code of rows that others superseded
	several bool
}

// aliases are all codes and Keap ids that ever named a promoter.
func aliases(who *people, all []*partner) []book.Alias {
	old := map[string]*book.Alias{} // codes of the book
	for i := range who.before.Aliases {
		if a := &who.before.Aliases[i]; a.Kind == book.AliasCode {
			old[a.Value] = a
		}
	}
	claims := claimCodes(who, all, old)
	byPromoter := make(map[int64]*group, len(who.groups))
	for _, g := range who.groups {
		for _, q := range append([]*book.Promoter{&g.promoter}, g.absorbed...) {
			byPromoter[q.ID] = g
		}
	}
	owner := func(a *book.Alias) *group { // through promoters that were taken over in earlier runs
		q := who.promoters[a.PromoterID]
		for n := 0; q != nil && q.MergedInto != 0 && n < len(who.promoters); n++ {
			q = who.promoters[q.MergedInto]
		}
		if q == nil {
			return nil
		}
		return byPromoter[q.ID]
	}

	after := make([]book.Alias, 0, len(claims)+len(all))
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
	for i := range after {
		a := &after[i]
		c, claimed := claims[a.Value]
		if !claimed {
			continue
		}
		was := old[a.Value]
		switch {
		case a.State == book.StateAmbiguous:
			who.conflicts.add(newConflict(KindAmbiguousCode, a.Value, "several promoters claim this very code: nobody is credited through it, only through their ids, ref tokens and other codes"))
		case was != nil && was.State == "" && owner(was) != c.group:
			now := "the program's own"
			if c.group != nil {
				now = c.group.promoter.Token
			}
			before := "one that is excluded now"
			if g := owner(was); g != nil {
				before = g.promoter.Token
			}
			who.conflicts.add(newConflict(KindMovedCode, a.Value, fmt.Sprintf("in the book it names %s; in these exports it is the code of %s, and so it is from now on", before, now)))
		}
	}

	for _, m := range all {
		a := book.Alias{
			Kind: book.AliasKeapID, Value: strconv.FormatInt(m.id, 10), Code: m.code,
			ContactID: m.contactID, ParentID: m.parentID, Email: m.email, Active: m.active,
		}
		if g := who.byPartner[m.id]; g != nil {
			a.PromoterID = g.promoter.ID
		} else {
			a.State = book.StateHouse
		}
		after = append(after, a)
	}
	slices.SortFunc(after, compareAliases)
	return after
}

// claimCodes collects what the codes of the partners mean. A code that a partner has now
// is stronger than one that it had; what these exports say is stronger than what the
// book remembers of partners that they do not hold.
func claimCodes(who *people, all []*partner, old map[string]*book.Alias) map[string]claim {
	claims := make(map[string]claim, len(all))
	add := func(code string, m *partner, former bool) {
		if code == "" { // who joined without Keap has none
			return
		}
		g := who.byPartner[m.id] // nil for the program's own
		switch c, ok := claims[code]; {
		case !ok:
			claims[code] = claim{group: g, former: former}
		case c.former == former && c.group != g:
			c.several = true
			claims[code] = c
		}
	}
	for _, m := range all {
		a := old[m.code]
		// What the book says of a code stands, unless it is to be weighed again.
		if m.exported || a == nil || a.State != "" || who.byPartner[m.id] == nil && who.known[m.id].PromoterID == a.PromoterID {
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

// linksAfter are the links of the book with those of the exports on top. A link that
// was renamed since answers to its former code too, and leads where it leads now.
func linksAfter(x *exports, before *book.Content) []book.Link {
	after := make([]book.Link, 0, len(before.Links)+len(x.byCode))
	byID := make(map[int64]string, len(x.byCode))
	for _, code := range slices.Sorted(maps.Keys(x.byCode)) {
		l := x.byCode[code]
		after = append(after, l)
		if l.KeapID != 0 {
			byID[l.KeapID] = l.Destination
		}
	}
	for _, l := range before.Links {
		if _, again := x.byCode[l.Code]; !again {
			if to, renamed := byID[l.KeapID]; renamed {
				l.Destination = to
			}
			after = append(after, l)
		}
	}
	slices.SortFunc(after, compareLinks)
	return after
}

// The order in which the book reads its rows.
func comparePromoters(a, b book.Promoter) int { return cmp.Compare(a.ID, b.ID) }
func compareLinks(a, b book.Link) int         { return strings.Compare(a.Code, b.Code) }
func compareAliases(a, b book.Alias) int {
	return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Value, b.Value))
}

// changed lists the rows of after that before does not hold as they are. Both are in
// the order of compare, and after lacks none of before.
func changed[T comparable](before, after []T, compare func(a, b T) int) (rows []T, n TableCount) {
	if len(before) == 0 {
		return after, TableCount{Create: len(after)}
	}
	for _, row := range after {
		for len(before) > 0 && compare(before[0], row) < 0 {
			before = before[1:]
		}
		switch {
		case len(before) == 0 || compare(before[0], row) != 0:
			n.Create++
		case before[0] != row:
			n.Update++
		default:
			n.Unchanged++
			continue
		}
		rows = append(rows, row)
	}
	return rows, n
}

// foldedCodes reports codes that differ only by case and mean different promoters or
// links: only their exact spelling is honoured.
func foldedCodes(c *book.Content, conflicts *conflictList) {
	codes := c.Aliases
	if i := slices.IndexFunc(codes, func(a book.Alias) bool { return a.Kind != book.AliasCode }); i >= 0 {
		codes = codes[:i]
	}
	for _, alike := range sameFold(len(codes), func(i int) string { return codes[i].Value }) {
		var spelled []string
		differ := false
		for _, i := range alike {
			spelled = append(spelled, codes[i].Value)
			differ = differ || codes[i].PromoterID != codes[alike[0]].PromoterID || codes[i].State != codes[alike[0]].State
		}
		if differ {
			conflicts.add(newConflict(KindAmbiguousCode, spelled[0], fmt.Sprintf("%s differ only by case and are different promoters: each is honoured as it is spelled, any other spelling credits nobody", strings.Join(spelled, ", "))))
		}
	}
	for _, alike := range sameFold(len(c.Links), func(i int) string { return c.Links[i].Code }) {
		var spelled []string
		for _, i := range alike {
			spelled = append(spelled, c.Links[i].Code)
		}
		conflicts.add(newConflict(KindAmbiguousLink, spelled[0], fmt.Sprintf("%s differ only by case: each is honoured as it is spelled, any other spelling is an unknown link", strings.Join(spelled, ", "))))
	}
}

// sameFold returns the indexes of codes that have their lower case in common with
// another one, in order.
func sameFold(n int, code func(i int) string) [][]int {
	first := make(map[string]int, n)
	groups := map[int][]int{} // by the first index
	for i := range n {
		lower := strings.ToLower(code(i))
		j, again := first[lower]
		if !again {
			first[lower] = i
			continue
		}
		if groups[j] == nil {
			groups[j] = []int{j}
		}
		groups[j] = append(groups[j], i)
	}
	var out [][]int
	for _, j := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, groups[j])
	}
	return out
}

// checkGrace reports grace dates for codes that name nobody for certain.
func (p *Plan) checkGrace(s *Settings, conflicts *conflictList) {
	partners, links := p.After.UnknownGrace(s.Grace)
	for _, code := range partners {
		conflicts.add(newConflict(KindNoGrace, code, "[partners.grace] names it, and no promoter has that code, or several have it in other letter cases: spell it exactly"))
	}
	for _, code := range links {
		conflicts.add(newConflict(KindNoGrace, code, "[links.grace] names it, and no link has that code, or several have it in other letter cases: spell it exactly"))
	}
}

func (p *Plan) total(x *exports, who *people) {
	t := &p.Totals
	t.Partners, t.House = len(who.partners)+len(who.house), len(who.house)
	t.Merged = len(who.partners) - len(who.groups)
	t.Promoters = len(who.groups)
	for _, g := range who.groups {
		if g.promoter.Status == book.StatusActive {
			t.Active++
		} else {
			t.Inactive++
		}
		if g.promoter.Email == "" {
			t.NeedEmail++
		}
	}
	for _, f := range x.files {
		t.Rejected += f.Rejected
		t.Skipped += f.Skipped
		if f.Kind == keap.Contacts {
			t.Contacts += f.Loaded
		}
	}
	t.Links = len(p.After.Links)
	for _, a := range p.After.Aliases {
		if a.Kind == book.AliasCode {
			t.Codes++
		} else {
			t.KeapIDs++
		}
	}
}
