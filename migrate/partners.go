package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
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
	at       position
}

// columns are the cells that a file has for a row: what a file has no column for it does
// not contradict.
type columns uint8

const (
	hasContact columns = 1 << iota
	hasParentID
	hasParentCode
	hasStatus
	hasName
	hasOwner
	hasEmail
)

func partnerColumns(f *sheet.File) columns {
	var has columns
	for field, c := range map[string]columns{
		"contact_id": hasContact, "parent_id": hasParentID, "parent_code": hasParentCode, "status": hasStatus, "name": hasName,
		"first_name": hasOwner, "last_name": hasOwner, "company": hasOwner, "email": hasEmail,
	} {
		if _, found := f.Column(field); found {
			has |= c
		}
	}
	return has
}

// partnerReader reads the partner lists.
type partnerReader struct{ rows versions[int64, *partner] }

func (r *partnerReader) load(f *exportFile) (sheet.Count, error) {
	has := partnerColumns(f.File)
	return keap.ReadPartners(f.File, func(line int, p *keap.Partner) error {
		return cmp.Or(f.count(), r.add(p, has, f.at(line)))
	}, f.onReject)
}

func (r *partnerReader) add(row *keap.Partner, has columns, at position) error {
	p := &partner{
		id: row.ID.Number, contactID: row.ContactID.Number, parentID: row.ParentID.Number, parentCode: row.ParentCode,
		code: row.Code, name: row.Name, owner: cmp.Or(fullName(row.FirstName, row.LastName), row.Company),
		ownEmail: terms.LowerEmail(row.Email), active: row.Status == sheet.Active, otherStatus: row.Status == sheet.OtherStatus,
		joined: unix(row.CreatedAt), has: has, exported: true, at: at,
	}
	if !r.rows.add(p.id, p, (*partner).merge) {
		return &sheet.Skip{Reason: skippedDuplicate}
	}
	return nil
}

// merge completes p with the columns that only q has. ok is false, and nothing changes, when
// they contradict each other in those that both have.
func (p *partner) merge(q *partner) (ok bool) {
	both := p.has & q.has
	differs := func(c columns, same bool) bool { return both&c != 0 && !same }
	if p.code != q.code || p.joined != 0 && q.joined != 0 && p.joined != q.joined ||
		differs(hasContact, p.contactID == q.contactID) || differs(hasParentID, p.parentID == q.parentID) ||
		differs(hasParentCode, p.parentCode == q.parentCode) || differs(hasStatus, p.active == q.active) ||
		differs(hasName, p.name == q.name) || differs(hasOwner, p.owner == q.owner) || differs(hasEmail, p.ownEmail == q.ownEmail) {
		return false
	}
	adds := func(c columns) bool { return q.has&^p.has&c != 0 }
	if adds(hasContact) {
		p.contactID = q.contactID
	}
	if adds(hasParentID) {
		p.parentID = q.parentID
	}
	if adds(hasParentCode) {
		p.parentCode = q.parentCode
	}
	if adds(hasStatus) {
		p.active, p.otherStatus = q.active, q.otherStatus
	}
	if adds(hasName) {
		p.name = q.name
	}
	if adds(hasOwner) {
		p.owner = q.owner
	}
	if adds(hasEmail) {
		p.ownEmail = q.ownEmail
	}
	p.joined = cmp.Or(p.joined, q.joined)
	p.has |= q.has
	return true
}

// settle decides which row of every partner id holds. The codes of the others were given
// out too and go on working. known are the partners of the book.
func (r *partnerReader) settle(d *duplicates, known map[int64]*book.Alias) map[int64]*partner {
	return r.rows.settle(func(id int64, rows []*partner) int {
		candidates := make([]candidate, len(rows))
		best, recommended := 0, -1
		for i, p := range rows {
			candidates[i] = candidate{p.at, p.joined, p.String()}
			if n := p.agrees(known[id]); n > best {
				best, recommended = n, i
			}
		}
		return d.choose(keap.Partners, strconv.FormatInt(id, 10), candidates, recommended)
	}, func(winner, loser *partner) {
		d.skipped.add(loser.at, skippedSuperseded)
		if loser.code != winner.code && !slices.Contains(winner.formerCodes, loser.code) {
			winner.formerCodes = append(winner.formerCodes, loser.code)
		}
	})
}

// String says what a row says, for a person who has to choose.
func (p *partner) String() string {
	status := book.StatusInactive
	if p.active {
		status = book.StatusActive
	}
	parent := cmp.Or(p.parentCode, strconv.FormatInt(p.parentID, 10))
	said := fmt.Sprintf("code %q, contact %d, parent %s, %s, name %q", p.code, p.contactID, parent, status, cmp.Or(p.name, p.owner))
	if p.ownEmail != "" {
		said += fmt.Sprintf(", e-mail %q", p.ownEmail)
	}
	return said
}

// agrees counts in how much p says what the book knows of its partner: the row that is
// recommended is the one that changes least.
func (p *partner) agrees(known *book.Alias) int {
	n := 0
	if known == nil {
		return n
	}
	for _, same := range [...]bool{
		p.code == known.Code, p.contactID == known.ContactID, p.active == known.Active, p.parentID == known.ParentID,
	} {
		if same {
			n++
		}
	}
	return n
}

func fullName(first, last string) string { return strings.TrimSpace(first + " " + last) }

// unix is the date in seconds, 0 when it is not known.
func unix(d sheet.Date) int64 {
	if !d.Valid {
		return 0
	}
	return d.Time.Unix()
}
