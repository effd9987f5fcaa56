package migrate

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// resolveParentCodes finds the parents that are named by their code.
func resolveParentCodes(all []*partner) {
	var byCode map[string]int64
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

// partnersByCode are the Keap ids of partners; ambiguousCode where several have the code.
func partnersByCode(all []*partner) map[string]int64 {
	byCode := make(map[string]int64, len(all))
	for _, exported := range []bool{false, true} { // these exports have the last word
		seen := map[string]bool{}
		for _, m := range all {
			switch {
			case m.exported != exported:
			case seen[m.code]:
				byCode[m.code] = ambiguousCode
			default:
				seen[m.code] = true
				byCode[m.code] = m.id
			}
		}
	}
	return byCode
}

// setParents sets who brought whom: the promoter of the primary's parent.
func (r *peopleResolver) setParents() {
	for _, g := range r.groups {
		m := g.primary
		if m.parentID == m.id || r.house[m.parentID] != nil || m.parentID == 0 && !m.parentLost {
			continue
		}
		switch parent := r.byPartner[m.parentID]; {
		case parent == nil && m.exported:
			named := strconv.FormatInt(m.parentID, 10)
			if m.parentLost {
				named = strconv.Quote(m.parentCode)
			}
			r.conflicts.inform(KindUnknownParent, m.code, "partner %d names the parent %s, who is in no file: it gets none", m.id, named)
		case parent != nil && parent != g:
			g.promoter.ParentID = parent.promoter.ID
		}
	}
}

// breakCycles takes the parent from the member of every cycle with the lowest primary
// Keap id.
func (r *peopleResolver) breakCycles() {
	byPromoter := make(map[int64]*group, len(r.groups))
	for _, g := range r.groups {
		byPromoter[g.promoter.ID] = g
	}
	const onPath, done = 1, 2
	state := make(map[*group]int, len(r.groups))
	for _, start := range r.groups { // ascending Keap id
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
			r.conflicts.inform(KindCycle, lowest.primary.code, "%s: %d promoters are each other's parents in a ring, and %s loses its parent",
				strings.Join(tokens, ", "), len(cycle), lowest.promoter.Token)
		}
		for _, c := range path {
			state[c] = done
		}
	}
}

// tokens gives each ref token once.
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

// disjointSets is a forest over indexes.
type disjointSets struct{ parent []int }

func newDisjointSets(n int) *disjointSets {
	u := &disjointSets{make([]int, n)}
	for i := range u.parent {
		u.parent[i] = i
	}
	return u
}

func (u *disjointSets) find(i int) int {
	for u.parent[i] != i {
		u.parent[i] = u.parent[u.parent[i]]
		i = u.parent[i]
	}
	return i
}

func (u *disjointSets) join(i, j int) { u.parent[u.find(i)] = u.find(j) }
