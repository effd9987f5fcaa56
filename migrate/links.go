package migrate

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
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
	policy    *mapping.Policy
	paths     filePaths
	conflicts *conflictList
	rows      versions[string, *linkRow] // by their own id, or by code where they have none
	unsafe    map[string]bool            // rejected: code and destination
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

// reject reports a link whose destination is unsafe.
func (r *linkReader) reject(row *keap.Link, at position, err error) error {
	kind, remedy := KindUnsafeLink, "correct the address"
	switch {
	case errors.Is(err, mapping.ErrLoop):
		kind, remedy = KindLoopingLink, "correct the address to the page where visitors are to arrive"
	case errors.Is(err, mapping.ErrForeign):
		remedy = "correct the address, or add its host to allowed_hosts when it is yours"
	}
	// A row that stands in a file of rejects as well is one thing to know.
	if link := row.Code + " " + row.Destination; !r.unsafe[link] {
		r.unsafe[link] = true
		r.conflicts.inform(kind, row.Code, "%s: %q is rejected, %v; the code is unknown to the gateway",
			r.paths.line(at), clip(row.Destination), err)
	}
	return &sheet.Reject{Reason: sheet.UnsafeDestination, Field: "destination", Hint: err.Error() + "; " + remedy}
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
