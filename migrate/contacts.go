package migrate

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// contactRow is what is remembered of every contact: what tells its copies from changes,
// and who it is. Its texts stand elsewhere, one behind the other: there may be millions of
// contacts, and only an export that was read to its end tells which of them a referral or
// an order names.
type contactRow struct {
	date        int64 // last change, Unix seconds; 0: not known
	at          position
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

// contactReader reads the contact lists.
type contactReader struct {
	rows  versions[int64, contactRow]
	texts []byte // addresses and names
}

func (r *contactReader) load(f *exportFile) (sheet.Count, error) {
	named := slices.ContainsFunc([]string{"first_name", "last_name", "full_name", "company"}, func(field string) bool {
		_, found := f.Column(field)
		return found
	})
	if len(r.rows.rows) == 0 {
		r.rows.rows = make(map[int64]contactRow, f.Rows) // a million of them: no growing
	}
	return keap.ReadContacts(f.File, func(line int, c *keap.Contact) error {
		return cmp.Or(f.count(), r.add(c, named, f.at(line)))
	}, f.onReject)
}

func (r *contactReader) add(row *keap.Contact, named bool, at position) error {
	id := row.ID.Number
	name := cmp.Or(fullName(row.FirstName, row.LastName), row.FullName, row.Company)
	now := contactRow{date: cmp.Or(unix(row.UpdatedAt), unix(row.CreatedAt)), at: at, name: noName}
	now.text, now.email = r.store(row.Email)
	if named {
		_, now.name = r.store(name)
	}
	if r.rows.add(id, now, r.same) {
		return nil
	}
	r.texts = r.texts[:now.text]
	if old := r.rows.rows[id]; old.name == noName && named { // it completes the row that is kept
		old.text, old.email = r.store(row.Email)
		_, old.name = r.store(name)
		r.rows.rows[id] = old
	}
	return &sheet.Skip{Reason: skippedDuplicate}
}

// store appends a text and tells where; what is too long to be a name or an address is cut.
func (r *contactReader) store(s string) (at uint32, length uint16) {
	s = s[:min(len(s), noName-1)]
	at = uint32(len(r.texts))
	r.texts = append(r.texts, s...)
	return at, uint16(len(s))
}

// same reports whether two rows of a contact say the same; a file without names does not
// contradict any.
func (r *contactReader) same(c, d contactRow) bool {
	cEnd, dEnd := c.text+uint32(c.email), d.text+uint32(d.email)
	if a, b := r.texts[c.text:cEnd], r.texts[d.text:dEnd]; !bytes.Equal(a, b) && terms.LowerEmail(string(a)) != terms.LowerEmail(string(b)) {
		return false
	}
	return c.name == noName || d.name == noName || bytes.Equal(r.texts[cEnd:cEnd+uint32(c.name)], r.texts[dEnd:dEnd+uint32(d.name)])
}

// settle decides which row of every contact holds. known are the partners of the book.
func (r *contactReader) settle(d *duplicates, known map[int64]*book.Alias) contacts {
	settled := contacts{rows: r.rows.rows, texts: string(r.texts)}
	emails := map[int64]string{} // of the book's partners, by contact
	if len(r.rows.more) > 0 {
		for _, a := range known {
			emails[a.ContactID] = cmp.Or(emails[a.ContactID], a.Email)
		}
	}
	r.rows.settle(func(id int64, rows []contactRow) int {
		candidates, recommended := make([]candidate, len(rows)), -1
		for i, row := range rows {
			p := settled.personIn(row)
			candidates[i] = candidate{row.at, row.date, fmt.Sprintf("e-mail %q, name %q", p.email, p.name)}
			if key, ok := terms.EmailKey(p.email); ok && key == emails[id] && recommended < 0 {
				recommended = i
			}
		}
		return d.choose(keap.Contacts, strconv.FormatInt(id, 10), candidates, recommended)
	}, func(_, loser contactRow) { d.skipped.add(loser.at, skippedSuperseded) })
	return settled
}

// contacts are the contacts of the exports, one row of each.
type contacts struct {
	rows  map[int64]contactRow
	texts string
}

// person returns what the contact with that id tells; ok is false when it is in no file.
func (c *contacts) person(id int64) (p person, ok bool) {
	row, ok := c.rows[id]
	if !ok || id == 0 {
		return person{}, false
	}
	return c.personIn(row), true
}

func (c *contacts) personIn(row contactRow) person {
	end := row.text + uint32(row.email)
	p := person{email: c.texts[row.text:end]}
	if row.name != noName {
		p.name = c.texts[end : end+uint32(row.name)]
	}
	return p
}

// keep lets contacts that the book has say what it says of them.
func (c *contacts) keep(known []book.Contact) {
	texts := []byte(c.texts)
	for i := range known {
		k := &known[i]
		row, ok := c.rows[k.ID]
		if !ok {
			continue
		}
		row.text, row.email, row.name = uint32(len(texts)), uint16(len(k.Email)), uint16(len(k.Name))
		texts = append(append(texts, k.Email...), k.Name...)
		c.rows[k.ID] = row
	}
	c.texts = string(texts)
}

// contact is what a row says, as the book writes it.
func (c *contacts) contact(id int64, row contactRow) book.Contact {
	p := c.personIn(row)
	email, _ := terms.EmailKey(p.email)
	return book.Contact{ID: id, Email: email, Name: p.name}
}

// knownContacts are the contacts of the exports, and those that only the book has.
type knownContacts struct {
	exported *contacts
	book     map[int64]book.Contact
}

func newKnownContacts(exported *contacts, before []book.Contact) knownContacts {
	k := knownContacts{exported, make(map[int64]book.Contact, len(before))}
	for _, c := range before {
		k.book[c.ID] = c
	}
	return k
}

func (k *knownContacts) has(id int64) bool {
	if _, ok := k.exported.rows[id]; ok {
		return id != 0
	}
	_, ok := k.book[id]
	return ok && id != 0
}

// email is the key of a contact's address, as these exports say, else as the book does;
// empty when it has none.
func (k *knownContacts) email(id int64) string {
	if row, ok := k.exported.rows[id]; ok && id != 0 {
		return k.exported.contact(id, row).Email
	}
	if id == 0 {
		return ""
	}
	return k.book[id].Email
}

// customer is the key that the customer has who is a contact.
func (k *knownContacts) customer(id int64) string {
	if email := k.email(id); email != "" {
		return email
	}
	return contactKey(id)
}

func contactID(c *book.Contact) int64 { return c.ID }

const contactPrefix = "contact:"

func contactKey(id int64) string { return contactPrefix + strconv.FormatInt(id, 10) }
