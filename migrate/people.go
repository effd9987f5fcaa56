package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carryover/mapping/book"
)

// partner is one referral partner as Keap's exports tell it, after duplicates of its
// id were settled.
type partner struct {
	id, contactID, parentID int64
	parentCode              string
	code, name, ownEmail    string
	formerCodes             []string // of rows of the same id that lost
	active                  bool
	joined                  int64 // Unix seconds, 0: not known
	at                      place
}

// place is where a row stands.
type place struct {
	file int // index in the plan's files
	line int
}

// person is what a contact tells about a partner.
type person struct {
	email string // as written
	name  string
}

// group is one promoter to be: the partners that are one person.
type group struct {
	members  []*partner // ascending Keap id; empty for a promoter that is only in the book
	primary  *partner
	keapID   int64 // of the primary
	existing *book.Promoter
	promoter book.Promoter
	absorbed []*book.Promoter // promoters of the book that turned out to be the same person
}

// EmailKey is what makes two people one: the address trimmed and in lower case. ok is
// false for what is no address: no or several "@", blanks, commas, no local part, no
// dot in the domain. Plus tags are kept.
func EmailKey(raw string) (key string, ok bool) {
	key = strings.ToLower(strings.TrimSpace(raw))
	local, domain, found := strings.Cut(key, "@")
	if !found || local == "" || strings.Contains(domain, "@") || !strings.Contains(domain, ".") || strings.ContainsAny(key, ", \t\r\n\u00a0") {
		return "", false
	}
	return key, true
}

// Token is the ref token that a code asks for: lower case, and one "-" for every
// character outside a-z, 0-9, "_" and "-".
func Token(code string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(code))
}

// people turns partners into promoters.
type people struct {
	partners  []*partner // ascending Keap id, house partners left out
	house     map[int64]*partner
	contacts  map[int64]person
	before    *book.Content
	conflicts *conflictList

	groups  []*group
	byID    map[int64]*group // Keap id -> promoter
	byCode  map[string][]*group
	aliases map[string]book.Alias // of the book, by kind and value
	held    map[int64][]int64     // promoter of the book -> its Keap ids
	inBook  map[int64]*group      // promoter of the book -> the group that continues it
}

func aliasKey(kind, value string) string { return kind + "\x00" + value }

// emailOf is a partner's address: its contact's, else the one in its own row.
func (p *people) emailOf(m *partner) (string, bool) {
	if c, ok := p.contacts[m.contactID]; ok && m.contactID != 0 {
		if key, ok := EmailKey(c.email); ok {
			return key, true
		}
	}
	return EmailKey(m.ownEmail)
}

// resolve runs the whole of it: groups, tokens, parents, codes.
func (p *people) resolve() {
	p.aliases = make(map[string]book.Alias, len(p.before.Aliases))
	p.held = make(map[int64][]int64, len(p.before.Promoters))
	for _, a := range p.before.Aliases {
		p.aliases[aliasKey(a.Kind, a.Value)] = a
		if id, err := strconv.ParseInt(a.Value, 10, 64); a.Kind == book.AliasKeapID && err == nil {
			p.held[a.PromoterID] = append(p.held[a.PromoterID], id)
		}
	}
	p.group()
	p.name()
	p.parents()
	p.breakCycles()
}

// group joins partners that share a contact or an address, transitively, and the
// promoters of the book that are the same people.
func (p *people) group() {
	old := make(map[int64]*book.Promoter, len(p.before.Promoters))
	for i := range p.before.Promoters {
		old[p.before.Promoters[i].ID] = &p.before.Promoters[i]
	}
	live := func(id int64) *book.Promoter {
		for q := old[id]; q != nil; q = old[q.MergedInto] {
			if q.MergedInto == 0 {
				return q
			}
		}
		return nil
	}
	inExport := map[int64]bool{} // promoters of the book of which a partner is in the exports
	for _, m := range p.partners {
		if q := live(p.aliases[aliasKey(book.AliasKeapID, fmt.Sprint(m.id))].PromoterID); q != nil {
			inExport[q.ID] = true
		}
	}

	sets := newUnion(len(p.partners))
	byContact, byEmail := map[int64]int{}, map[string]int{}
	join := func(i, j int, seen bool) {
		if seen {
			sets.join(i, j)
		}
	}
	for i, m := range p.partners {
		if m.contactID != 0 {
			j, seen := byContact[m.contactID]
			join(i, j, seen)
			byContact[m.contactID] = i
		}
		if key, ok := p.emailOf(m); ok {
			j, seen := byEmail[key]
			join(i, j, seen)
			byEmail[key] = i
		}
	}

	bySet := map[int]*group{}
	for i, m := range p.partners { // ascending ids: members come out ascending
		root := sets.find(i)
		g := bySet[root]
		if g == nil {
			g = &group{}
			bySet[root] = g
			p.groups = append(p.groups, g)
		}
		g.members = append(g.members, m)
	}
	p.adopt(live, inExport, byEmail, sets, bySet)
	for i := range p.before.Promoters { // whom the exports no longer name lives on as it is
		q := &p.before.Promoters[i]
		if q.MergedInto == 0 && !inExport[q.ID] {
			p.groups = append(p.groups, &group{existing: q, keapID: q.KeapID})
		}
	}
	slices.SortFunc(p.groups, func(a, b *group) int { return cmp.Compare(a.keapID, b.keapID) })

	p.byID = make(map[int64]*group, len(p.partners))
	p.byCode = make(map[string][]*group, len(p.partners))
	for _, g := range p.groups {
		for _, m := range g.members {
			p.byID[m.id] = g
			for _, code := range append([]string{m.code}, m.formerCodes...) {
				if !slices.Contains(p.byCode[code], g) {
					p.byCode[code] = append(p.byCode[code], g)
				}
			}
		}
	}
}

// adopt gives every group the promoter of the book that it continues: the one that has
// any of its Keap ids, or its address. Of several, the oldest is kept and the others
// are taken over by it.
func (p *people) adopt(live func(int64) *book.Promoter, inExport map[int64]bool, byEmail map[string]int, sets *union, bySet map[int]*group) {
	claims := map[*group][]*book.Promoter{}
	claimed := map[int64]*group{}
	claim := func(g *group, q *book.Promoter) {
		if other, ok := claimed[q.ID]; ok {
			if other != g && !slices.Contains(claims[g], q) {
				// What was one person is two now: the promoter stays with the group it
				// was created from, or with the one that came first.
				if slices.ContainsFunc(g.members, func(m *partner) bool { return m.id == q.ID }) {
					claims[other] = slices.DeleteFunc(claims[other], func(x *book.Promoter) bool { return x == q })
					claims[g] = append(claims[g], q)
					claimed[q.ID] = g
				}
				p.conflicts.add(newConflict(KindSplit, q.Token, fmt.Sprintf("the partners of promoter %s no longer share a contact or an address: the others become promoters of their own", q.Token)))
			}
			return
		}
		claimed[q.ID] = g
		claims[g] = append(claims[g], q)
	}
	for _, g := range p.groups {
		for _, m := range g.members {
			if q := live(p.aliases[aliasKey(book.AliasKeapID, fmt.Sprint(m.id))].PromoterID); q != nil {
				claim(g, q)
			}
		}
	}
	for i := range p.before.Promoters {
		q := &p.before.Promoters[i]
		if q.MergedInto != 0 || inExport[q.ID] || q.Email == "" {
			continue
		}
		if j, ok := byEmail[q.Email]; ok {
			claim(bySet[sets.find(j)], q)
			inExport[q.ID] = true
		}
	}
	for _, g := range p.groups {
		own := claims[g]
		slices.SortFunc(own, func(a, b *book.Promoter) int { return cmp.Compare(a.ID, b.ID) })
		if len(own) > 0 {
			g.existing, g.absorbed = own[0], own[1:]
		}
		g.choosePrimary()
	}
}

// choosePrimary: active partners first, then the lowest Keap id.
func (g *group) choosePrimary() {
	g.primary = g.members[0]
	for _, m := range g.members {
		if m.active {
			g.primary = m
			break
		}
	}
	g.keapID = g.primary.id
}

// name fills in the promoters: token, address, status. Tokens of the book are kept;
// the rest are given in ascending order of primary Keap ids.
func (p *people) name() {
	taken := make(map[string]bool, len(p.groups)+len(p.before.Promoters))
	for _, q := range p.before.Promoters {
		taken[q.Token] = true
	}
	for _, g := range p.groups {
		if g.primary == nil {
			g.promoter = *g.existing
			continue
		}
		q := book.Promoter{ID: g.keapID, KeapID: g.keapID, Status: book.StatusInactive, Name: g.primary.name}
		if g.existing != nil {
			q.ID, q.Token = g.existing.ID, g.existing.Token
			// A partner that this export does not hold may be what keeps it active.
			if g.existing.Status == book.StatusActive && p.holdsOthers(g) {
				q.Status = book.StatusActive
			}
		}
		for _, m := range g.members {
			if m.active {
				q.Status = book.StatusActive
			}
			if m.joined != 0 && (q.JoinedAt == 0 || m.joined < q.JoinedAt) {
				q.JoinedAt = m.joined
			}
		}
		if key, ok := p.emailOf(g.primary); ok {
			q.Email = key
		}
		for _, m := range g.members {
			if key, ok := p.emailOf(m); ok && q.Email == "" {
				q.Email = key
			}
		}
		if q.Email == "" && g.existing != nil {
			q.Email = g.existing.Email
		}
		if q.Name == "" {
			q.Name = p.contacts[g.primary.contactID].name
		}
		if q.Token == "" {
			q.Token = freeToken(Token(g.primary.code), taken)
			taken[q.Token] = true
		}
		g.promoter = q
		p.tell(g)
	}
}

// holdsOthers reports whether the promoter of the book has a Keap id that is not among
// the group's members.
func (p *people) holdsOthers(g *group) bool {
	return slices.ContainsFunc(p.held[g.existing.ID], func(id int64) bool {
		return !slices.ContainsFunc(g.members, func(m *partner) bool { return m.id == id })
	})
}

func freeToken(natural string, taken map[string]bool) string {
	token := natural
	for n := 2; taken[token]; n++ {
		token = fmt.Sprintf("%s-%d", natural, n)
	}
	return token
}

// tell reports what is unusual about a promoter.
func (p *people) tell(g *group) {
	q, code := g.promoter, g.primary.code
	if q.Email == "" {
		why := "its contact has no e-mail address"
		if c, ok := p.contacts[g.primary.contactID]; !ok {
			why = fmt.Sprintf("its contact %d is in no file", g.primary.contactID)
			if g.primary.contactID == 0 {
				why = "it names no contact"
			}
		} else if c.email != "" {
			why = fmt.Sprintf("its contact's address reads %q", c.email)
		}
		p.conflicts.add(newConflict(KindNeedsEmail, code, fmt.Sprintf("partner %d: %s; it becomes a promoter that needs one, its links work", g.keapID, why)))
	}
	if q.Token != strings.ToLower(code) {
		p.conflicts.add(newConflict(KindRenamed, code, fmt.Sprintf("partner %d gets the ref token %s; its old codes and ids keep working", g.keapID, q.Token)))
	}
	if len(g.members) > 1 || len(g.absorbed) > 0 {
		var parts []string
		for _, m := range g.members {
			parts = append(parts, fmt.Sprintf("%s (%d)", m.code, m.id))
		}
		for _, a := range g.absorbed {
			parts = append(parts, "promoter "+a.Token)
		}
		p.conflicts.add(newConflict(KindMerged, code, fmt.Sprintf("%s share a contact or an address: one promoter, %s, for all of them", strings.Join(parts, ", "), q.Token)))
	}
}

// parents sets who brought whom: the promoter of the primary's parent.
func (p *people) parents() {
	p.inBook = make(map[int64]*group, len(p.before.Promoters))
	for _, g := range p.groups {
		if g.existing != nil {
			p.inBook[g.existing.ID] = g
		}
		for _, a := range g.absorbed {
			p.inBook[a.ID] = g
		}
	}
	for _, g := range p.groups {
		if g.primary == nil {
			continue
		}
		parent, named := p.parentOf(g.primary)
		switch {
		case parent != nil && parent != g:
			g.promoter.ParentID = parent.promoter.ID
		case named && parent == nil:
			p.conflicts.add(newConflict(KindUnknownParent, g.primary.code, fmt.Sprintf("partner %d names a parent that is in no file: it gets none", g.keapID)))
		}
	}
}

// parentOf finds the promoter that a partner's parent belongs to. named is false when
// there is nothing to find: no parent, itself, an excluded one.
func (p *people) parentOf(m *partner) (g *group, named bool) {
	id := m.parentID
	if id == 0 && m.parentCode != "" && m.parentCode != "0" {
		if gs := p.byCode[m.parentCode]; len(gs) == 1 {
			return gs[0], true
		}
		for _, h := range p.house {
			if h.code == m.parentCode {
				return nil, false
			}
		}
		return nil, true
	}
	if id == 0 || id == m.id {
		return nil, false
	}
	if _, ok := p.house[id]; ok {
		return nil, false
	}
	if g := p.byID[id]; g != nil {
		return g, true
	}
	a := p.aliases[aliasKey(book.AliasKeapID, fmt.Sprint(id))]
	if a.State == book.StateHouse {
		return nil, false
	}
	return p.inBook[a.PromoterID], true
}

// breakCycles takes the parent from the member of every cycle with the lowest primary
// Keap id.
func (p *people) breakCycles() {
	byPromoter := make(map[int64]*group, len(p.groups))
	for _, g := range p.groups {
		byPromoter[g.promoter.ID] = g
	}
	const onPath, done = 1, 2
	state := make(map[*group]int, len(p.groups))
	for _, start := range p.groups { // ascending Keap id
		var path []*group
		g := start
		for g != nil && state[g] == 0 {
			state[g] = onPath
			path = append(path, g)
			g = byPromoter[g.promoter.ParentID]
		}
		if g != nil && state[g] == onPath {
			cycle := path[slices.Index(path, g):]
			lowest := slices.MinFunc(cycle, func(a, b *group) int { return cmp.Compare(a.keapID, b.keapID) })
			var codes []string
			for _, c := range cycle {
				codes = append(codes, c.promoter.Token)
			}
			lowest.promoter.ParentID = 0
			subject := lowest.promoter.Token
			if lowest.primary != nil {
				subject = lowest.primary.code
			}
			p.conflicts.add(newConflict(KindCycle, subject, fmt.Sprintf("%s are each other's parents: %s loses its parent", strings.Join(codes, ", "), lowest.promoter.Token)))
		}
		for _, c := range path {
			state[c] = done
		}
	}
}

// union is a disjoint-set forest over indexes.
type union struct{ parent []int }

func newUnion(n int) *union {
	u := &union{make([]int, n)}
	for i := range u.parent {
		u.parent[i] = i
	}
	return u
}

func (u *union) find(i int) int {
	for u.parent[i] != i {
		u.parent[i] = u.parent[u.parent[i]]
		i = u.parent[i]
	}
	return i
}

func (u *union) join(i, j int) { u.parent[u.find(i)] = u.find(j) }
