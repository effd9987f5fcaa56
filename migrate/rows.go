package migrate

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// Reasons for which a row is skipped, beside those of package sheet.
const (
	skippedDuplicate  = "duplicate"
	skippedSuperseded = "superseded" // another row of its id holds
	skippedLeftOut    = "excluded"   // a person left it, or its partner's money, out
)

// place is where a row stands.
type place struct {
	file int32 // index in the plan's files
	line int32
}

func placeOf(file, line int) place { return place{int32(file), int32(min(line, math.MaxInt32))} }

// versions are the rows of one kind by id. A copy of a row is not kept; rows of one id
// that say different things are, until it is settled which of them holds: only then
// does the order of files and rows not matter.
type versions[K cmp.Ordered, V any] struct {
	rows map[K]V
	more map[K][]V // the second and later different rows of an id, in the order read
}

// maxCompared bounds how many different rows of one id a copy is looked for among: an
// export with one id on every row must not take for ever.
const maxCompared = 64

// add keeps row unless it is a copy of one that is kept. same may complete the old row
// with what the new one adds.
func (v *versions[K, V]) add(id K, row V, same func(old, row V) bool) (kept bool) {
	first, again := v.rows[id]
	if !again {
		v.rows[id] = row
		return true
	}
	others := v.more[id]
	if same(first, row) || slices.ContainsFunc(others[:min(len(others), maxCompared)], func(old V) bool { return same(old, row) }) {
		return false
	}
	if v.more == nil {
		v.more = map[K][]V{}
	}
	v.more[id] = append(others, row)
	return true
}

// settle leaves one row of every id: the one that choose names. lost is told the others.
func (v *versions[K, V]) settle(choose func(id K, rows []V) int, lost func(winner, loser V)) {
	for _, id := range slices.Sorted(maps.Keys(v.more)) {
		rows := append([]V{v.rows[id]}, v.more[id]...)
		i := choose(id, rows)
		v.rows[id] = rows[i]
		for j, row := range rows {
			if j != i {
				lost(rows[i], row)
			}
		}
	}
	v.more = nil
}

// candidate is one of several different rows of one id.
type candidate struct {
	at   place
	date int64  // Unix seconds, 0: not known
	says string // what it says, for a person, and what it is known by
}

// choose says which of several different rows of one id holds: the one with the latest
// date. When dates do not tell, a person decides, and until then what is recommended;
// a negative recommended leaves that to choose. The rows are named in the order of what
// they say, wherever they were read: a decision means the same row in exports of any
// order, and counts only for the rows that it was made about.
func (x *exports) choose(kind, id string, rows []candidate, recommended int) int {
	newest, dated := slices.MaxFunc(rows, func(a, b candidate) int { return cmp.Compare(a.date, b.date) }).date, true
	holds, ties := 0, 0
	for i, r := range rows {
		dated = dated && r.date != 0
		if r.date == newest {
			holds = i
			ties++
		}
	}
	if dated && ties == 1 {
		return holds
	}
	order := x.inOrder(rows)
	names := make([]string, min(len(rows), 9))
	best := max(0, slices.Index(order, recommended))
	if last := len(names) - 1; best > last { // what is recommended can be named
		order[last], order[best] = order[best], order[last]
		best = last
	}
	var list strings.Builder
	for i := range names {
		switch i {
		case 0:
			names[i] = KeepOne
		case len(names) - 1:
			names[i] = KeepNew
		default:
			names[i] = strconv.Itoa(i + 1)
		}
		r := rows[order[i]]
		fmt.Fprintf(&list, "; %q: %s, line %d", names[i], x.files[r.at.file].Path, r.at.line)
		if r.says != "" {
			list.WriteString(", " + clip(r.says))
		}
	}
	if more := len(rows) - len(names); more > 0 {
		fmt.Fprintf(&list, "; and %d more", more)
	}
	q := question(KindDuplicate, kind+":"+id,
		fmt.Sprintf("%d rows have the id %s and differ, and no date tells which is the newest%s", len(rows), id, list.String()),
		names[best], names...)
	q.about = fingerprint(rows, order)
	c := x.conflicts.add(q)
	return order[max(0, slices.Index(names, cmp.Or(c.Decision, c.Recommended)))]
}

// inOrder are the indices of rows by what they say, then date, then where they stand.
func (x *exports) inOrder(rows []candidate) []int {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	dir := currentDir()
	path := func(r candidate) string { return absolutePath(dir, x.files[r.at.file].Path) }
	slices.SortFunc(order, func(i, j int) int {
		a, b := rows[i], rows[j]
		if c := cmp.Or(cmp.Compare(a.says, b.says), cmp.Compare(a.date, b.date)); c != 0 || a.at.file == b.at.file {
			return cmp.Or(c, cmp.Compare(a.at.line, b.at.line))
		}
		return cmp.Compare(path(a), path(b))
	})
	return order
}

// fingerprint tells rows that a decision was made about from others: what they say and
// their dates, not where they stand.
func fingerprint(rows []candidate, order []int) string {
	h := sha256.New()
	for _, i := range order {
		fmt.Fprintf(h, "%q %d\n", rows[i].says, rows[i].date)
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}

// supersede turns a row that was loaded into one that is skipped.
func (x *exports) supersede(at place, reason string) {
	f := &x.files[at.file]
	f.Loaded--
	f.Skipped++
	f.addSkips(map[string]int{reason: 1})
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

// partner loads a row of the partner list.
func (x *exports) partner(row *keap.Partner, has columns, at place) error {
	p := &partner{
		id: row.ID.Number, contactID: row.ContactID.Number, parentID: row.ParentID.Number, parentCode: row.ParentCode,
		code: row.Code, name: row.Name, owner: cmp.Or(fullName(row.FirstName, row.LastName), row.Company),
		ownEmail: strings.ToLower(row.Email), active: row.Status == sheet.Active, otherStatus: row.Status == sheet.OtherStatus, joined: unix(row.CreatedAt),
		has: has, exported: true, at: at,
	}
	if !x.partners.add(p.id, p, (*partner).takes) {
		return &sheet.Skip{Reason: skippedDuplicate}
	}
	return nil
}

// takes reports whether q says the same as p as far as both have the columns for it,
// and completes p with those that only q has.
func (p *partner) takes(q *partner) bool {
	both := p.has & q.has
	differs := func(c columns, same bool) bool { return both&c != 0 && !same }
	if p.code != q.code || differs(hasContact, p.contactID == q.contactID) || differs(hasParentID, p.parentID == q.parentID) ||
		differs(hasParentCode, p.parentCode == q.parentCode) || differs(hasStatus, p.active == q.active) || differs(hasName, p.name == q.name) ||
		differs(hasOwner, p.owner == q.owner) || differs(hasEmail, p.ownEmail == q.ownEmail) || p.joined != 0 && q.joined != 0 && p.joined != q.joined {
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

// settlePartners decides which row of every partner id holds. The codes of the others
// were given out too and go on working.
func (x *exports) settlePartners() {
	x.partners.settle(func(id int64, rows []*partner) int {
		candidates := make([]candidate, len(rows))
		best, recommended := 0, -1
		for i, p := range rows {
			candidates[i] = candidate{p.at, p.joined, p.String()}
			if n := p.agrees(x.known[id]); n > best {
				best, recommended = n, i
			}
		}
		return x.choose(keap.Partners, strconv.FormatInt(id, 10), candidates, recommended)
	}, func(winner, loser *partner) {
		x.supersede(loser.at, skippedSuperseded)
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
	for _, same := range [...]bool{p.code == known.Code, p.contactID == known.ContactID, p.active == known.Active, p.parentID == known.ParentID} {
		if same {
			n++
		}
	}
	return n
}

func fullName(first, last string) string { return strings.TrimSpace(first + " " + last) }

// seenContact is what is remembered of every contact: what tells its copies from changes,
// and who it is. Its texts stand in exports.texts, one behind the other: there may be
// millions of contacts, and only an export that was read to its end tells which of them
// a referral or an order names.
type seenContact struct {
	date        int64 // last change, Unix seconds; 0: not known
	at          place
	text        uint32 // where its e-mail begins; its name follows
	email, name uint16 // their lengths in bytes
}

// noName stands for the name of a contact whose file has no names.
const noName = math.MaxUint16

// person is what a contact tells about someone.
type person struct {
	email string // as written
	name  string
}

// contact loads a row of the contact list.
func (x *exports) contact(row *keap.Contact, named bool, at place) error {
	id := row.ID.Number
	name := cmp.Or(fullName(row.FirstName, row.LastName), row.FullName, row.Company)
	now := seenContact{date: cmp.Or(unix(row.UpdatedAt), unix(row.CreatedAt)), at: at, name: noName}
	now.text, now.email = x.keep(row.Email)
	if named {
		_, now.name = x.keep(name)
	}
	if x.contacts.add(id, now, x.sameContact) {
		return nil
	}
	x.texts = x.texts[:now.text]
	if old := x.contacts.rows[id]; old.name == noName && named { // it completes the row that is kept
		old.text, old.email = x.keep(row.Email)
		_, old.name = x.keep(name)
		x.contacts.rows[id] = old
	}
	return &sheet.Skip{Reason: skippedDuplicate}
}

// keep stores a text and tells where; what is too long to be a name or an address is cut.
func (x *exports) keep(s string) (at uint32, length uint16) {
	s = s[:min(len(s), noName-1)]
	at = uint32(len(x.texts))
	x.texts = append(x.texts, s...)
	return at, uint16(len(s))
}

func (x *exports) personOf(c seenContact) person {
	end := c.text + uint32(c.email)
	p := person{email: string(x.texts[c.text:end])}
	if c.name != noName {
		p.name = string(x.texts[end : end+uint32(c.name)])
	}
	return p
}

// sameContact reports whether two rows of a contact say the same; a file without names
// does not contradict any.
func (x *exports) sameContact(c, d seenContact) bool {
	cEnd, dEnd := c.text+uint32(c.email), d.text+uint32(d.email)
	if !bytes.EqualFold(x.texts[c.text:cEnd], x.texts[d.text:dEnd]) {
		return false
	}
	return c.name == noName || d.name == noName || bytes.Equal(x.texts[cEnd:cEnd+uint32(c.name)], x.texts[dEnd:dEnd+uint32(d.name)])
}

func contactNames(f *sheet.File) bool {
	return slices.ContainsFunc([]string{"first_name", "last_name", "full_name", "company"}, func(field string) bool {
		_, found := f.Column(field)
		return found
	})
}

func (x *exports) settleContacts() {
	emails := map[int64]string{} // of the book's partners, by contact
	if len(x.contacts.more) > 0 {
		for _, a := range x.known {
			emails[a.ContactID] = cmp.Or(emails[a.ContactID], a.Email)
		}
	}
	x.contacts.settle(func(id int64, rows []seenContact) int {
		candidates, recommended := make([]candidate, len(rows)), -1
		for i, r := range rows {
			p := x.personOf(r)
			candidates[i] = candidate{at: r.at, date: r.date, says: fmt.Sprintf("e-mail %q, name %q", p.email, p.name)}
			if key, ok := EmailKey(p.email); ok && key == emails[id] && recommended < 0 {
				recommended = i
			}
		}
		return x.choose(keap.Contacts, strconv.FormatInt(id, 10), candidates, recommended)
	}, func(_, loser seenContact) { x.supersede(loser.at, skippedSuperseded) })
}

// person returns what the contact with that id tells; ok is false when it is in no file.
func (x *exports) person(id int64) (p person, ok bool) {
	c, ok := x.contacts.rows[id]
	if !ok || id == 0 {
		return person{}, false
	}
	return x.personOf(c), true
}

type linkRow struct {
	book.Link
	formerCodes []string
	at          place
}

// link loads a row of the tracking link list, unless its destination is unsafe.
func (x *exports) link(row *keap.Link, at place) error {
	if err := x.settings.Policy.CheckDestination(row.Destination); err != nil {
		kind, remedy := KindUnsafeLink, "correct the address"
		switch {
		case errors.Is(err, mapping.ErrLoop):
			kind, remedy = KindLoopingLink, "correct the address to the page where visitors are to arrive"
		case errors.Is(err, mapping.ErrForeign):
			remedy = "correct the address, or add its host to allowed_hosts when it is yours"
		}
		// A row that stands in a file of rejects as well is one thing to know.
		if said := row.Code + " " + row.Destination; !x.unsafe[said] {
			x.unsafe[said] = true
			x.conflicts.add(newConflict(kind, row.Code, fmt.Sprintf("%s, line %d: %q is rejected, %v; the code is unknown to the gateway", x.files[at.file].Path, at.line, clip(row.Destination), err)))
		}
		return &sheet.Reject{Reason: sheet.UnsafeDestination, Field: "destination", Hint: err.Error() + "; " + remedy}
	}
	l := &linkRow{Link: book.Link{Code: row.Code, KeapID: row.ID.Number, Name: row.Name, Destination: row.Destination, CreatedAt: unix(row.CreatedAt)}, at: at}
	id := "id " + strconv.FormatInt(l.KeapID, 10)
	if l.KeapID == 0 {
		id = "code " + l.Code
	}
	if !x.links.add(id, l, (*linkRow).takes) {
		return &sheet.Skip{Reason: skippedDuplicate}
	}
	return nil
}

// takes reports whether m says the same as l, and completes l with what only m says.
func (l *linkRow) takes(m *linkRow) bool {
	if l.Code != m.Code || l.Destination != m.Destination || l.Name != m.Name && l.Name != "" && m.Name != "" {
		return false
	}
	l.Name, l.CreatedAt = cmp.Or(l.Name, m.Name), cmp.Or(l.CreatedAt, m.CreatedAt)
	return true
}

// settleLinks decides which row of every link id holds, then which link every code
// means. A link that was renamed answers to its former codes as well, and they lead
// where it leads now.
func (x *exports) settleLinks() {
	chooseLink := func(id string, rows []*linkRow) int {
		candidates, recommended := make([]candidate, len(rows)), -1
		for i, l := range rows {
			candidates[i] = candidate{l.at, l.CreatedAt, fmt.Sprintf("code %q, leads to %s", l.Code, l.Destination)}
			if recommended < 0 && x.knownLinks[l.Code] == l.Destination {
				recommended = i
			}
		}
		_, id, _ = strings.Cut(id, " ")
		return x.choose(keap.Links, id, candidates, recommended)
	}
	x.links.settle(chooseLink, func(winner, loser *linkRow) {
		x.supersede(loser.at, skippedSuperseded)
		if loser.Code != winner.Code {
			winner.formerCodes = append(winner.formerCodes, loser.Code)
		}
	})
	byCode := versions[string, *linkRow]{rows: make(map[string]*linkRow, len(x.links.rows))}
	inOrder := slices.SortedFunc(maps.Values(x.links.rows), func(a, b *linkRow) int { return comparePlaces(a.at, b.at) })
	for _, l := range inOrder {
		if !byCode.add("code "+l.Code, l, func(old, l *linkRow) bool { return old.Destination == l.Destination }) {
			x.supersede(l.at, skippedDuplicate)
		}
	}
	byCode.settle(chooseLink, func(_, loser *linkRow) { x.supersede(loser.at, skippedSuperseded) })
	x.byCode = make(map[string]book.Link, len(byCode.rows))
	for _, l := range byCode.rows {
		x.byCode[l.Code] = l.Link
	}
	for _, l := range inOrder {
		for _, code := range l.formerCodes {
			if _, taken := x.byCode[code]; !taken {
				former := l.Link
				former.Code = code
				x.byCode[code] = former
			}
		}
	}
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
}

// unix is the date in seconds, 0 when it is not known.
func unix(d sheet.Date) int64 {
	if !d.Valid {
		return 0
	}
	return d.Time.Unix()
}
