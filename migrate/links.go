package migrate

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// linkRow is a row of the tracking links.
type linkRow struct {
	book.Link
	formerCodes []string
	at          position
}

// linkReader reads the tracking links.
type linkReader struct {
	policy *mapping.Policy
	paths  filePaths
	rows   versions[string, *linkRow] // by their own id, or by code where they have none
	unsafe []unsafeLink
}

// unsafeLink is a row that was rejected for its destination.
type unsafeLink struct {
	kind, code, destination string
	at                      position
	err                     error
}

func (r *linkReader) load(f *exportFile) (sheet.Count, error) {
	return keap.ReadLinks(f.File, func(line int, l *keap.Link) error {
		return cmp.Or(f.count(), r.add(l, f.at(line)))
	}, f.onReject)
}

// add loads a link, unless its destination is unsafe.
func (r *linkReader) add(row *keap.Link, at position) error {
	if err := r.policy.CheckDestination(row.Destination); err != nil {
		return r.reject(row, at, err)
	}
	l := &linkRow{
		Link: book.Link{
			Code: row.Code, KeapID: row.ID.Number, Name: row.Name, Destination: row.Destination, CreatedAt: unix(row.CreatedAt),
		},
		at: at,
	}
	id := "id " + strconv.FormatInt(l.KeapID, 10)
	if l.KeapID == 0 {
		id = "code " + l.Code
	}
	if !r.rows.add(id, l, (*linkRow).merge) {
		return &sheet.Skip{Reason: skippedDuplicate}
	}
	return nil
}

// reject rejects a link whose destination is unsafe.
func (r *linkReader) reject(row *keap.Link, at position, err error) error {
	kind, remedy := KindUnsafeLink, "correct the address"
	switch {
	case errors.Is(err, mapping.ErrLoop):
		kind, remedy = KindLoopingLink, "correct the address to the page where visitors are to arrive"
	case errors.Is(err, mapping.ErrForeign):
		remedy = "correct the address, or add its host to allowed_hosts when it is yours"
	}
	r.unsafe = append(r.unsafe, unsafeLink{kind, strings.Clone(row.Code), strings.Clone(row.Destination), at, err})
	return &sheet.Reject{Reason: sheet.UnsafeDestination, Field: "destination", Hint: err.Error() + "; " + remedy}
}

// reportUnsafe reports the links that were rejected, but for those whose code leads
// somewhere by another row, as by one that was mended. links are those of these exports, known
// are the destinations of the book's, both by code.
func (r *linkReader) reportUnsafe(links map[string]book.Link, known map[string]string, conflicts *conflictList) {
	reported := map[string]bool{}
	for i := range r.unsafe {
		u := &r.unsafe[i]
		// A row that stands in a file of rejects as well is one thing to know.
		if link := u.code + " " + u.destination; links[u.code].Code != "" || reported[link] {
			continue
		} else {
			reported[link] = true
		}
		then := "the code is unknown to the gateway"
		if to, ok := known[u.code]; ok {
			then = "the code leads where the book has it, to " + clip(to)
		}
		conflicts.inform(u.kind, u.code, "%s: %q is rejected, %v; %s", r.paths.line(u.at), clip(u.destination), u.err, then)
	}
}

// foreignHosts are the hosts of rejected links that allowed_hosts lacks, in order.
func (r *linkReader) foreignHosts() (hosts []string) {
	for i := range r.unsafe {
		if to, err := url.Parse(r.unsafe[i].destination); err == nil && errors.Is(r.unsafe[i].err, mapping.ErrForeign) && to.Host != "" {
			if host := strings.ToLower(to.Host); !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
		}
	}
	slices.Sort(hosts)
	return hosts
}

// merge completes l with what only m says. ok is false, and nothing changes, when they
// contradict each other.
func (l *linkRow) merge(m *linkRow) (ok bool) {
	if l.Code != m.Code || l.Destination != m.Destination || l.Name != m.Name && l.Name != "" && m.Name != "" {
		return false
	}
	l.Name, l.CreatedAt = cmp.Or(l.Name, m.Name), cmp.Or(l.CreatedAt, m.CreatedAt)
	return true
}

// settle decides which row of every link id holds, then which link every code means. A
// link that was renamed answers to its former codes as well, and they lead where it leads
// now. known are the destinations of the book's links, by code.
func (r *linkReader) settle(d *duplicates, known map[string]string) map[string]book.Link {
	choose := func(id string, rows []*linkRow) int {
		candidates, recommended := make([]candidate, len(rows)), -1
		for i, l := range rows {
			candidates[i] = candidate{l.at, l.CreatedAt, fmt.Sprintf("code %q, leads to %s", l.Code, l.Destination)}
			if recommended < 0 && known[l.Code] == l.Destination {
				recommended = i
			}
		}
		_, id, _ = strings.Cut(id, " ")
		return d.choose(keap.Links, id, candidates, recommended)
	}
	r.rows.settle(choose, func(winner, loser *linkRow) {
		d.skipped.add(loser.at, skippedSuperseded)
		if loser.Code != winner.Code {
			winner.formerCodes = append(winner.formerCodes, loser.Code)
		}
	})
	byCode := versions[string, *linkRow]{rows: make(map[string]*linkRow, len(r.rows.rows))}
	inOrder := slices.SortedFunc(maps.Values(r.rows.rows), func(a, b *linkRow) int { return comparePositions(a.at, b.at) })
	for _, l := range inOrder {
		if !byCode.add("code "+l.Code, l, func(old, l *linkRow) bool { return old.Destination == l.Destination }) {
			d.skipped.add(l.at, skippedDuplicate)
		}
	}
	byCode.settle(choose, func(_, loser *linkRow) { d.skipped.add(loser.at, skippedSuperseded) })
	links := make(map[string]book.Link, len(byCode.rows))
	for _, l := range byCode.rows {
		links[l.Code] = l.Link
	}
	for _, l := range inOrder {
		for _, code := range l.formerCodes {
			if _, taken := links[code]; !taken {
				former := l.Link
				former.Code = code
				links[code] = former
			}
		}
	}
	return links
}
