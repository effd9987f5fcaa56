package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// peopleInput is what partners become promoters by.
type peopleInput struct {
	rows      map[int64]*partner // of these exports, by Keap id
	known     map[int64]*book.Alias
	contacts  *contacts
	before    *book.Content
	directory *book.Directory // of before
	exclude   []string        // codes of the program's own partners
	paths     filePaths
}

// people are the partners, and the promoters that they are.
type people struct {
	partners  []*partner // ascending Keap id, the program's own left out
	house     map[int64]*partner
	groups    []*group         // ascending Keap id of their primary
	byPartner map[int64]*group // by Keap id

	promoters []book.Promoter // of the book after the plan
	aliases   []book.Alias
	directory *book.Directory // of these
}

// group is one promoter to be: the partners that are one person.
type group struct {
	members  []*partner // ascending Keap id
	primary  *partner
	existing *book.Promoter   // the promoter of the book that it goes on being
	absorbed []*book.Promoter // others of the book that turned out to be the same person
	promoter book.Promoter
}

// exported reports whether these exports say anything about the group.
func (g *group) exported() bool {
	return slices.ContainsFunc(g.members, func(m *partner) bool { return m.exported })
}

// resolvePeople turns partners into promoters: who is one person, with which ref token,
// and brought by whom.
func resolvePeople(in peopleInput, conflicts *conflictList) *people {
	all := withKnown(in.rows, in.known)
	resolveParentCodes(all)
	for _, m := range all {
		if m.otherStatus {
			conflicts.inform(KindOtherStatus, m.code,
				"partner %d, %s: its status says neither active nor inactive: it is read as inactive", m.id, in.paths.line(m.at))
		}
	}
	r := &peopleResolver{in, conflicts, &people{house: housePartners(all, in.exclude, conflicts)}}
	for _, m := range all {
		if r.house[m.id] == nil {
			r.people.partners = append(r.people.partners, m)
		}
	}
	for _, m := range r.partners {
		m.email = r.emailOf(m)
	}
	r.group()
	r.makePromoters()
	r.setParents()
	r.breakCycles()
	r.promoters = r.allPromoters()
	r.aliases = r.allAliases(all)
	r.people.directory = book.NewDirectory(&book.Content{Promoters: r.promoters, Aliases: r.aliases, Settings: in.before.Settings})
	return r.people
}

// peopleResolver is [resolvePeople] under way.
type peopleResolver struct {
	in        peopleInput
	conflicts *conflictList
	*people
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

// housePartners finds the program's own partners: by exact code, else by its lower case
// when that means one partner only.
func housePartners(all []*partner, codes []string, conflicts *conflictList) map[int64]*partner {
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
		if inAnyCase := folded[strings.ToLower(code)]; len(found) == 0 && len(inAnyCase) == 1 {
			found = inAnyCase
		}
		for _, m := range found {
			house[m.id] = m
		}
		if len(found) == 0 {
			conflicts.inform(KindNoHouse, code,
				"[partners] exclude names it, and no partner has that code, or several have it in other letter cases: spell it exactly")
		}
	}
	return house
}

// emailOf is a partner's address: its contact's, else the one in its own row. What the
// book remembers counts only while the contact is in none of these exports.
func (r *peopleResolver) emailOf(m *partner) string {
	contact, exported := r.in.contacts.person(m.contactID)
	if key, ok := terms.EmailKey(contact.email); ok {
		return key
	}
	if key, ok := terms.EmailKey(m.ownEmail); ok {
		return key
	}
	if a := r.in.known[m.id]; a != nil && !exported && a.ContactID == m.contactID {
		return a.Email
	}
	return ""
}

// bookPromoter is the promoter of the book that a partner belongs to; nil when there is
// none. A partner that was the program's own may have been a promoter before that.
func (r *peopleResolver) bookPromoter(m *partner) *book.Promoter {
	o := r.in.directory.ByPartner(m.id)
	if o.House {
		o = r.in.directory.ByID(m.id)
	}
	if o.Promoter == nil {
		return nil
	}
	return o.Promoter.Promoter
}

// group joins partners that share a contact or an address, transitively. Partners that
// were published as one promoter stay one: to part them would move old links from one
// person to another.
func (r *peopleResolver) group() {
	sets := newDisjointSets(len(r.partners))
	byContact, byEmail := map[int64]int{}, make(map[string]int, len(r.partners))
	for i, m := range r.partners {
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
	byPromoter, split := make(map[int64]int, len(r.in.before.Promoters)), map[int64]bool{}
	for i, m := range r.partners {
		q := r.bookPromoter(m)
		if q == nil {
			continue
		}
		if j, seen := byPromoter[q.ID]; seen && sets.find(i) != sets.find(j) {
			if !split[q.ID] {
				split[q.ID] = true
				other := r.partners[j]
				r.conflicts.inform(KindSplit, q.Token,
					"%s (%d) and %s (%d) no longer share a contact or an address; they were published as one promoter, %s, and stay it",
					other.code, other.id, m.code, m.id, q.Token)
			}
			sets.join(i, j)
		}
		byPromoter[q.ID] = i
	}

	bySet := make([]*group, len(r.partners))
	r.byPartner = make(map[int64]*group, len(r.partners))
	for i, m := range r.partners { // ascending ids: members come out ascending
		root := sets.find(i)
		g := bySet[root]
		if g == nil {
			g = &group{}
			bySet[root] = g
			r.groups = append(r.groups, g)
		}
		g.members = append(g.members, m)
		r.byPartner[m.id] = g
	}
	for _, g := range r.groups {
		r.choosePrimary(g)
	}
	slices.SortFunc(r.groups, func(a, b *group) int { return cmp.Compare(a.primary.id, b.primary.id) })
}

// choosePrimary chooses the group's primary (active partners first, then the lowest Keap
// id; one who joined without Keap only when there is no other) and the promoter of the book
// that it goes on being: the primary's, else the oldest. Others are taken over by that one.
func (r *peopleResolver) choosePrimary(g *group) {
	fromKeap := g.members[max(0, slices.IndexFunc(g.members, func(m *partner) bool { return m.id > 0 })):]
	g.primary = fromKeap[max(0, slices.IndexFunc(fromKeap, func(m *partner) bool { return m.active }))]
	g.existing = r.bookPromoter(g.primary)
	seen := map[*book.Promoter]bool{nil: true}
	for _, m := range g.members {
		if q := r.bookPromoter(m); !seen[q] {
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

// makePromoters fills in the promoters: token, address, status. Tokens of the book are kept,
// and never given a second time; the others are given in ascending order of primary Keap ids.
func (r *peopleResolver) makePromoters() {
	tokens := tokens{taken: make(map[string]bool, len(r.groups)+len(r.in.before.Promoters)), next: map[string]int{}}
	for i := range r.in.before.Promoters {
		tokens.taken[r.in.before.Promoters[i].Token] = true
	}
	for _, g := range r.groups {
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
		contact, _ := r.in.contacts.person(g.primary.contactID)
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
			q.Token = tokens.take(terms.RefToken(g.primary.code))
		}
		g.promoter = q
		if g.exported() {
			r.report(g)
		}
	}
}

// report says what is unusual about a promoter.
func (r *peopleResolver) report(g *group) {
	q, code, id := g.promoter, g.primary.code, g.primary.id
	if q.Email == "" {
		var why string
		switch contact, found := r.in.contacts.person(g.primary.contactID); {
		case g.primary.contactID == 0:
			why = "it names no contact"
		case !found:
			why = fmt.Sprintf("its contact %d could be read from no file", g.primary.contactID)
		case contact.email == "":
			why = "its contact has no e-mail address"
		default:
			why = fmt.Sprintf("its contact's address reads %q", clip(contact.email))
		}
		r.conflicts.inform(KindNeedsEmail, code, "partner %d: %s; it becomes a promoter that needs one, its links work", id, why)
	}
	if q.Token != strings.ToLower(code) {
		r.conflicts.inform(KindRenamed, code, "partner %d gets the ref token %s; its old codes and ids keep working", id, q.Token)
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
		r.conflicts.inform(KindMerged, code, "%s", detail)
	}
}

// allPromoters lists the promoters of the groups, those that were taken over, and those of
// the book that no partner belongs to any more.
func (r *peopleResolver) allPromoters() []book.Promoter {
	before := r.in.before.Promoters
	after := make([]book.Promoter, 0, len(r.groups)+len(before)/8)
	listed := make(map[int64]bool, len(before))
	list := func(q book.Promoter) {
		listed[q.ID] = true
		after = append(after, q)
	}
	for _, g := range r.groups {
		list(g.promoter)
		for _, a := range g.absorbed {
			taken := *a
			taken.MergedInto, taken.ParentID = g.promoter.ID, 0
			list(taken)
		}
	}
	for _, q := range before {
		if !listed[q.ID] {
			if q.MergedInto == 0 { // all its partners are excluded now
				q.Status, q.ParentID = book.StatusInactive, 0
			}
			after = append(after, q)
		}
	}
	slices.SortFunc(after, comparePromoters)
	return after
}
