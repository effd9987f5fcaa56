package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// partner is one referral partner as Keap's exports tell it, or as the book remembers
// one that these exports do not hold.
type partner struct {
	id, contactID, parentID int64
	parentCode              string
	code                    string
	formerCodes             []string // of rows of the same id that lost
	name                    string   // of the partner
	owner                   string   // of the person, where the partner list has it
	ownEmail                string   // of its own row, in lower case
	email                   string   // the key that the person is known by; empty: none
	active                  bool
	otherStatus             bool  // its status says neither active nor inactive
	parentLost              bool  // it names a parent by a code that nobody has
	joined                  int64 // Unix seconds, 0: not known

	has      columns // what its file has columns for
	exported bool    // in these exports, not only in the book
	at       place
}

// group is one promoter to be: the partners that are one person.
type group struct {
	members  []*partner // ascending Keap id
	primary  *partner
	existing *book.Promoter   // the promoter of the book that it continues
	absorbed []*book.Promoter // others of the book that turned out to be the same person
	promoter book.Promoter
}

// exported reports whether these exports say anything about the group.
func (g *group) exported() bool {
	return slices.ContainsFunc(g.members, func(m *partner) bool { return m.exported })
}

// EmailKey is what makes two people one: the address trimmed and in lower case. ok is
// false for what is no address: no or several "@", blanks, commas, no local part, no
// dot in the domain. Plus tags are kept.
func EmailKey(raw string) (key string, ok bool) { return terms.EmailKey(raw) }

// Token is the ref token that a code asks for: lower case, and one "-" for every
// character outside a-z, 0-9, "_" and "-".
func Token(code string) string { return terms.RefToken(code) }

// people turns partners into promoters.
type people struct {
	partners  []*partner // ascending Keap id, house partners left out
	house     map[int64]*partner
	person    func(contactID int64) (person, bool)
	known     map[int64]*book.Alias // what the book says of partners, by Keap id
	before    *book.Content
	conflicts *conflictList

	promoters map[int64]*book.Promoter // of the book
	groups    []*group                 // ascending Keap id of their primary
	byPartner map[int64]*group         // by Keap id
}

// resolve runs the whole of it: groups, tokens, parents.
func (p *people) resolve() {
	p.promoters = make(map[int64]*book.Promoter, len(p.before.Promoters))
	for i := range p.before.Promoters {
		p.promoters[p.before.Promoters[i].ID] = &p.before.Promoters[i]
	}
	for _, m := range p.partners {
		m.email = p.emailOf(m)
	}
	p.group()
	p.name()
	p.parents()
	p.breakCycles()
}

// emailOf is a partner's address: its contact's, else the one in its own row. What the
// book remembers counts only while the contact is in none of these exports.
func (p *people) emailOf(m *partner) string {
	contact, told := p.person(m.contactID)
	if key, ok := EmailKey(contact.email); ok {
		return key
	}
	if key, ok := EmailKey(m.ownEmail); ok {
		return key
	}
	if a := p.known[m.id]; a != nil && !told && a.ContactID == m.contactID {
		return a.Email
	}
	return ""
}

// continues is the promoter of the book that a partner belongs to; nil when there is
// none. A partner that was the program's own may have been a promoter before that.
func (p *people) continues(m *partner) *book.Promoter {
	a := p.known[m.id]
	if a == nil {
		return nil
	}
	q := p.promoters[cmp.Or(a.PromoterID, m.id)]
	for n := 0; q != nil && q.MergedInto != 0 && n < len(p.promoters); n++ {
		q = p.promoters[q.MergedInto]
	}
	return q
}

// group joins partners that share a contact or an address, transitively. Partners that
// were published as one promoter stay one: to part them would move old links from one
// person to another.
func (p *people) group() {
	sets := newUnion(len(p.partners))
	byContact, byEmail := map[int64]int{}, make(map[string]int, len(p.partners))
	for i, m := range p.partners {
		if m.contactID != 0 {
			if j, seen := byContact[m.contactID]; seen {
				sets.join(i, j)
			}
			byContact[m.contactID] = i
		}
		if m.email != "" {
			if j, seen := byEmail[m.email]; seen {
				sets.join(i, j)
			}
			byEmail[m.email] = i
		}
	}
	byPromoter, split := make(map[int64]int, len(p.promoters)), map[int64]bool{}
	for i, m := range p.partners {
		q := p.continues(m)
		if q == nil {
			continue
		}
		if j, seen := byPromoter[q.ID]; seen && sets.find(i) != sets.find(j) {
			if !split[q.ID] {
				split[q.ID] = true
				p.conflicts.add(newConflict(KindSplit, q.Token, fmt.Sprintf("%s (%d) and %s (%d) no longer share a contact or an address; they were published as one promoter, %s, and stay it", p.partners[j].code, p.partners[j].id, m.code, m.id, q.Token)))
			}
			sets.join(i, j)
		}
		byPromoter[q.ID] = i
	}

	bySet := make([]*group, len(p.partners))
	p.byPartner = make(map[int64]*group, len(p.partners))
	for i, m := range p.partners { // ascending ids: members come out ascending
		root := sets.find(i)
		g := bySet[root]
		if g == nil {
			g = &group{}
			bySet[root] = g
			p.groups = append(p.groups, g)
		}
		g.members = append(g.members, m)
		p.byPartner[m.id] = g
	}
	for _, g := range p.groups {
		p.adopt(g)
	}
	slices.SortFunc(p.groups, func(a, b *group) int { return cmp.Compare(a.primary.id, b.primary.id) })
}

// adopt chooses the group's primary (active partners first, then the lowest Keap id; one
// who joined without Keap only when there is no other) and the promoter of the book that
// it continues: the primary's, else the oldest. Others are taken over by that one.
func (p *people) adopt(g *group) {
	fromKeap := g.members[max(0, slices.IndexFunc(g.members, func(m *partner) bool { return m.id > 0 })):]
	g.primary = fromKeap[max(0, slices.IndexFunc(fromKeap, func(m *partner) bool { return m.active }))]
	g.existing = p.continues(g.primary)
	seen := map[*book.Promoter]bool{nil: true}
	for _, m := range g.members {
		if q := p.continues(m); !seen[q] {
			seen[q] = true
			g.absorbed = append(g.absorbed, q)
		}
	}
	slices.SortFunc(g.absorbed, func(a, b *book.Promoter) int { return cmp.Compare(a.ID, b.ID) })
	if g.existing == nil && len(g.absorbed) > 0 {
		g.existing = g.absorbed[0]
	}
	g.absorbed = slices.DeleteFunc(g.absorbed, func(q *book.Promoter) bool { return q == g.existing })
}

// name fills in the promoters: token, address, status. Tokens of the book are kept, and
// never given a second time; the others are given in ascending order of primary Keap ids.
func (p *people) name() {
	tokens := tokens{taken: make(map[string]bool, len(p.groups)+len(p.promoters)), next: map[string]int{}}
	for _, q := range p.promoters {
		tokens.taken[q.Token] = true
	}
	for _, g := range p.groups {
		q := book.Promoter{ID: g.primary.id, KeapID: g.primary.id, Status: book.StatusInactive, Email: g.primary.email}
		for _, m := range g.members {
			if m.active {
				q.Status = book.StatusActive
			}
			if m.joined != 0 && (q.JoinedAt == 0 || m.joined < q.JoinedAt) {
				q.JoinedAt = m.joined
			}
			q.Email = cmp.Or(q.Email, m.email)
		}
		contact, _ := p.person(g.primary.contactID)
		q.Name = cmp.Or(g.primary.name, g.primary.owner, contact.name)
		if old := g.existing; old != nil {
			q.ID, q.Token = old.ID, old.Token
			if !g.primary.exported {
				q.Name = cmp.Or(q.Name, old.Name)
			}
			missing := slices.ContainsFunc(g.members, func(m *partner) bool { return !m.exported })
			if missing && old.JoinedAt != 0 && (q.JoinedAt == 0 || old.JoinedAt < q.JoinedAt) {
				q.JoinedAt = old.JoinedAt
			}
		}
		if q.Token == "" {
			q.Token = tokens.take(Token(g.primary.code))
		}
		g.promoter = q
		if g.exported() {
			p.tell(g)
		}
	}
}

// tokens gives each token once.
type tokens struct {
	taken map[string]bool
	next  map[string]int // where to go on after a natural token that many want
}

func (t *tokens) take(natural string) string {
	token := natural
	n := max(t.next[natural], 2)
	for ; t.taken[token]; n++ {
		token = natural + "-" + strconv.Itoa(n)
	}
	t.next[natural] = n
	t.taken[token] = true
	return token
}

// tell reports what is unusual about a promoter.
func (p *people) tell(g *group) {
	q, code, id := g.promoter, g.primary.code, g.primary.id
	if q.Email == "" {
		var why string
		switch contact, found := p.person(g.primary.contactID); {
		case g.primary.contactID == 0:
			why = "it names no contact"
		case !found:
			why = fmt.Sprintf("its contact %d could be read from no file", g.primary.contactID)
		case contact.email == "":
			why = "its contact has no e-mail address"
		default:
			why = fmt.Sprintf("its contact's address reads %q", clip(contact.email))
		}
		p.conflicts.add(newConflict(KindNeedsEmail, code, fmt.Sprintf("partner %d: %s; it becomes a promoter that needs one, its links work", id, why)))
	}
	if q.Token != strings.ToLower(code) {
		p.conflicts.add(newConflict(KindRenamed, code, fmt.Sprintf("partner %d gets the ref token %s; its old codes and ids keep working", id, q.Token)))
	}
	if len(g.members) > 1 {
		var parts []string
		for _, m := range g.members[:min(len(g.members), 20)] {
			if m.id < 0 {
				parts = append(parts, "one who joined here")
				continue
			}
			parts = append(parts, fmt.Sprintf("%s (%d)", m.code, m.id))
		}
		if more := len(g.members) - len(parts); more > 0 {
			parts = append(parts, fmt.Sprintf("and %d more", more))
		}
		detail := fmt.Sprintf("%s share a contact or an address: one promoter, %s, for all of them", strings.Join(parts, ", "), q.Token)
		for _, a := range g.absorbed {
			detail += fmt.Sprintf("; %s, which was published, goes on working for it", a.Token)
		}
		p.conflicts.add(newConflict(KindMerged, code, detail))
	}
}

// parents sets who brought whom: the promoter of the primary's parent.
func (p *people) parents() {
	for _, g := range p.groups {
		m := g.primary
		if m.parentID == m.id || p.house[m.parentID] != nil || m.parentID == 0 && !m.parentLost {
			continue
		}
		switch parent := p.byPartner[m.parentID]; {
		case parent == nil && m.exported:
			named := strconv.FormatInt(m.parentID, 10)
			if m.parentLost {
				named = strconv.Quote(m.parentCode)
			}
			p.conflicts.add(newConflict(KindUnknownParent, m.code, fmt.Sprintf("partner %d names the parent %s, who is in no file: it gets none", m.id, named)))
		case parent != nil && parent != g:
			g.promoter.ParentID = parent.promoter.ID
		}
	}
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
			lowest := slices.MinFunc(cycle, func(a, b *group) int { return cmp.Compare(a.primary.id, b.primary.id) })
			var tokens []string
			for _, c := range cycle[:min(len(cycle), 20)] {
				tokens = append(tokens, c.promoter.Token)
			}
			lowest.promoter.ParentID = 0
			p.conflicts.add(newConflict(KindCycle, lowest.primary.code, fmt.Sprintf("%s: %d promoters are each other's parents in a ring, and %s loses its parent", strings.Join(tokens, ", "), len(cycle), lowest.promoter.Token)))
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
