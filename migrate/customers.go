package migrate

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// dayEnd is the first second after a day.
func dayEnd(day string, zone *time.Location) int64 { return dayAfter(day, 1, zone) }

// dayStart is the first second of a day.
func dayStart(day string, zone *time.Location) int64 { return dayAfter(day, 0, zone) }

func dayAfter(day string, days int, zone *time.Location) int64 {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic("BUG: not a day: " + day) // it was checked when it was read
	}
	return terms.DayStart(d.Year(), d.Month(), d.Day()+days, zone).Unix()
}

// listed are rows and where each of them stands.
type listed[T any] struct {
	rows []T
	at   []place
}

func (l *listed[T]) add(row T, at place) {
	l.rows, l.at = append(l.rows, row), append(l.at, at)
}

func (l *listed[T]) grow(n int) {
	l.rows, l.at = slices.Grow(l.rows, n), slices.Grow(l.at, n)
}

// byID sorts rows by their ids, and those of one id as they stand.
type byID[T any] struct {
	*listed[T]
	id func(*T) int64
}

func (s byID[T]) Len() int { return len(s.rows) }

func (s byID[T]) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(s.id(&s.rows[i]), s.id(&s.rows[j])), comparePlaces(s.at[i], s.at[j])) < 0
}

func (s byID[T]) Swap(i, j int) {
	s.rows[i], s.rows[j] = s.rows[j], s.rows[i]
	s.at[i], s.at[j] = s.at[j], s.at[i]
}

// referral loads a row of the referral list.
func (m *money) referral(row *keap.Referral, at place) error {
	partner, err := m.payees.find(row.PartnerID, row.PartnerCode)
	if err != nil {
		return err
	}
	if !m.knowsContact(row.ContactID.Number) {
		return &sheet.Reject{Reason: sheet.UnknownContact, Field: "contact_id", Hint: "no contact of these exports or of the book has this id: add the contact list that holds it"}
	}
	r := book.ReferralRow{
		ID: row.ID.Number, ContactID: row.ContactID.Number, PartnerID: partner, SetAt: row.SetAt.Time.Unix(),
		Type: m.words.text(row.Type), Source: m.words.text(row.Source), Note: m.words.text(row.Note),
	}
	if row.ExpiresAt.Valid {
		r.ExpiresOn = m.words.text(row.ExpiresAt.Time.In(m.settings.Zone).Format(time.DateOnly))
	}
	if r.Type != "PERMANENT" && r.Type != "MANUAL" && r.Type != "COOKIE" {
		m.otherTypes[r.Type]++
		r.Type = "COOKIE"
	}
	if !row.ID.Valid {
		r.ID = madeID(r.ContactID, r.PartnerID, r.SetAt, r.ExpiresOn, r.Type, r.Source, r.Note)
	}
	m.referrals.add(r, at)
	return nil
}

// madeID is an id below 0 for a row that has none: equal rows have the same.
func madeID(parts ...any) int64 {
	sum := sha256.Sum256(fmt.Appendln(nil, parts...))
	return -int64(binary.BigEndian.Uint64(sum[:])>>1) - 1
}

// oneOfEach leaves one row of every id: copies are skipped, and of rows that differ the
// one with the later date holds, or a person decides. The rows come out in ascending
// order of their ids.
func oneOfEach[T comparable](m *money, kind string, l *listed[T], id func(*T) int64, date func(*T) int64, says func(*T) string, known func(id int64) (T, bool)) {
	if sorted := (byID[T]{l, id}); !sort.IsSorted(sorted) {
		sort.Sort(sorted)
	}
	kept := 0
	for i := 0; i < len(l.rows); {
		n := i + 1
		for n < len(l.rows) && id(&l.rows[n]) == id(&l.rows[i]) {
			n++
		}
		holds := i
		if n > i+1 {
			holds = i + m.oneOf(kind, id(&l.rows[i]), l.at[i:n], func(a, b int) bool { return l.rows[i+a] == l.rows[i+b] },
				func(j int) candidate { return candidate{l.at[i+j], date(&l.rows[i+j]), says(&l.rows[i+j])} },
				func(j int) bool {
					before, inBook := known(id(&l.rows[i]))
					return inBook && l.rows[i+j] == before
				})
		}
		l.rows[kept], l.at[kept] = l.rows[holds], l.at[holds]
		kept++
		i = n
	}
	clear(l.rows[kept:])
	l.rows, l.at = l.rows[:kept], l.at[:kept]
}

// oneOf chooses one of several rows of an id; the others are skipped.
func (m *money) oneOf(kind string, id int64, at []place, same func(i, j int) bool, say func(i int) candidate, inBook func(i int) bool) int {
	different := []int{0}
	for i := 1; i < len(at); i++ {
		if slices.ContainsFunc(different[:min(len(different), maxCompared)], func(j int) bool { return same(i, j) }) {
			m.supersede(at[i], skippedDuplicate)
		} else {
			different = append(different, i)
		}
	}
	if len(different) == 1 {
		return 0
	}
	candidates, recommended := make([]candidate, len(different)), 0
	for n, i := range different {
		candidates[n] = say(i)
		if inBook(i) {
			recommended = n
		}
	}
	holds := different[m.choose(kind, strconv.FormatInt(id, 10), candidates, recommended)]
	for _, i := range different {
		if i != holds {
			m.supersede(at[i], skippedSuperseded)
		}
	}
	return holds
}

// customerOf is the key that a contact's customer has.
func (m *money) customerOf(contact int64) string {
	if c, _ := m.contactOf(contact); c.Email != "" {
		return c.Email
	}
	return contactKey(contact)
}

func contactKey(contact int64) string { return "contact:" + strconv.FormatInt(contact, 10) }

// owners decides for every customer whom it belongs to. rows are all referral rows that
// there are, of these exports and of the book, by id.
func (m *money) owners(rows []book.ReferralRow) []book.Referral {
	index := map[string]int32{}      // by customer
	ofContact := map[int64]int32{}   // the same, by contact
	next := make([]int32, len(rows)) // rows of one customer, as a list that ends with 0
	var first []int32                // of each customer: 1 + its last row
	var keys []string
	for i := range rows {
		contact := rows[i].ContactID
		c, seen := ofContact[contact]
		if !seen {
			key := m.customerOf(contact)
			if c, seen = index[key]; !seen {
				c = int32(len(keys))
				index[key] = c
				keys, first = append(keys, key), append(first, 0)
			}
			ofContact[contact] = c
		}
		next[i], first[c] = first[c], int32(i)+1
	}
	customers := make([]book.Referral, 0, len(keys))
	var own []book.ReferralRow
	var competing []terms.KeapReferral
	for c, key := range keys {
		own = own[:0]
		for i := first[c]; i > 0; i = next[i-1] {
			own = append(own, rows[i-1])
		}
		competing = book.KeapReferrals(competing[:0], own)
		customers = append(customers, m.owner(key, own, competing))
	}
	customers = m.bySubscription(customers)
	slices.SortFunc(customers, func(a, b book.Referral) int { return strings.Compare(a.Customer, b.Customer) })
	m.tellCustomers(customers)
	return customers
}

// owner decides for one customer: competing are its rows as attribution sees them.
func (m *money) owner(key string, rows []book.ReferralRow, competing []terms.KeapReferral) book.Referral {
	r := m.newCustomer(key)
	r.ContactID, r.FirstAt = rows[0].ContactID, rows[0].SetAt
	for i := range rows {
		r.ContactID, r.FirstAt = min(r.ContactID, rows[i].ContactID), min(r.FirstAt, rows[i].SetAt)
	}
	c := terms.AttributeKeap(competing, m.asOf, m.settings.Owner, m.settings.Zone)
	r.Rule = c.Rule
	if c.Winner < 0 {
		return r
	}
	won := &rows[c.Winner]
	r.ContactID, r.ReferralID, r.ReferredAt, r.Source = won.ContactID, won.ID, won.SetAt, won.Source
	if m.house[won.PartnerID] {
		r.Rule = terms.RuleHouse
		m.add(newConflict(KindHouseOwner, key, fmt.Sprintf("the referral that wins (%d, of %s) is the program's own partner's: the customer belongs to nobody, and the next referral does not inherit", won.ID, m.day(won.SetAt))))
		return r
	}
	r.PartnerID = won.PartnerID
	return r
}

func (m *money) newCustomer(key string) book.Referral {
	r := book.Referral{Customer: key}
	if !strings.HasPrefix(key, "contact:") {
		r.Email = key
	}
	return r
}

// bySubscription compares the owners with the partners of running subscriptions, and
// lets a person who decided so give a customer to that one.
func (m *money) bySubscription(customers []book.Referral) []book.Referral {
	byKey := make(map[string]int, len(customers))
	for i := range customers {
		byKey[customers[i].Customer] = i
	}
	for i := range m.allSubscriptions { // ascending ids
		s := &m.allSubscriptions[i]
		if !s.Active || s.SellerID == 0 || s.EndedAt != 0 && s.EndedAt < m.asOfStart {
			continue
		}
		key := m.customerOf(s.ContactID)
		at, referred := byKey[key]
		var owner int64
		if referred {
			owner = customers[at].PartnerID
		}
		if m.promoterOf(owner) == m.promoterOf(s.SellerID) {
			continue
		}
		belongs := "to nobody"
		if owner != 0 {
			belongs = "to " + m.partnerName(owner)
		}
		c := m.add(Conflict{
			ID: KindSubscription + ":" + key, Kind: KindSubscription, Subject: key, Recommended: KeepReferral, options: []string{KeepReferral, KeepSubscription},
			Detail: fmt.Sprintf("its running subscription %d (%s) was sold by %s; by its referrals the customer belongs %s", s.ID, clip(s.Product), m.partnerName(s.SellerID), belongs),
		})
		if c.Decision != KeepSubscription || m.promoterOf(s.SellerID) == "" {
			continue
		}
		if !referred {
			at = len(customers)
			byKey[key] = at
			r := m.newCustomer(key)
			r.ContactID, r.FirstAt, r.ReferredAt = s.ContactID, s.StartedAt, s.StartedAt
			customers = append(customers, r)
		}
		customers[at].PartnerID, customers[at].Rule = s.SellerID, terms.RuleSubscription
	}
	return customers
}

// tellCustomers flags buyers who are their own promoter and reports what is unusual.
func (m *money) tellCustomers(customers []book.Referral) {
	for i := range customers {
		r := &customers[i]
		t := &m.customers
		t.Customers++
		switch {
		case r.PartnerID != 0:
			t.Owned++
		case r.Rule == terms.RuleHouse:
			t.House++
		case r.Rule == terms.RuleLater:
			t.Later++
		default:
			t.Expired++
		}
		if r.Email == "" {
			t.NoEmail++
			m.add(newConflict(KindNoCustomerEmail, strconv.FormatInt(r.ContactID, 10), fmt.Sprintf("contact %d was referred and has no usable e-mail address: it is kept under its Keap id, and the new platform will not know it until it has one", r.ContactID)))
		}
		if g := m.who.byPartner[r.PartnerID]; g != nil && m.isSelf(r, g) {
			r.Self = true
			t.Self++
			m.add(newConflict(KindSelfReferral, cmp.Or(r.Email, r.Customer), fmt.Sprintf("the customer is the partner %s: it belongs to its own promoter, as in Keap", g.promoter.Token)))
		}
	}
}

// isSelf reports whether the buyer is one of the partners of the promoter.
func (m *money) isSelf(r *book.Referral, g *group) bool {
	return slices.ContainsFunc(g.members, func(p *partner) bool {
		return p.contactID == r.ContactID || p.email != "" && p.email == r.Email
	})
}

func (m *money) day(at int64) string {
	return time.Unix(at, 0).In(m.settings.Zone).Format(time.DateOnly)
}
