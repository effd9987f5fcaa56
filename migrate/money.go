package migrate

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// money carries over what was earned and who is whose customer: everything that needs to
// know first who the promoters are.
type money struct {
	*exports
	who     *people
	house   map[int64]bool // partners of the program's own
	payees  payees
	before  *book.Money // what the book holds
	tracked tracked
	asOf    string // a day such as 2023-03-31

	asOfStart int64                  // its first second
	remade    bool                   // the plan was made before: nobody looks at what is undecided
	contacts  map[int64]book.Contact // of the book
	people    string                 // texts of the contacts of these exports

	// Commissions are read beside all others.
	commissionWords     words
	earnings            []book.Commission // with the clawbacks, once all are read; Where.Source is 1 + the index of the file
	rejectedCommissions []rejectedRow

	words         words
	referrals     listed[book.ReferralRow]
	sales         listed[book.Sale]
	subscriptions listed[book.Subscription]
	payments      listed[payment]
	clawbacks     []book.Commission
	ledgers       []ledgerRow
	rejected      []rejectedRow  // of clawbacks, payments and ledgers
	otherTypes    map[string]int // referral types that Keap does not have

	accounts accounts
	ofRow    []int32 // account of each of earnings

	allSubscriptions []book.Subscription // of the exports and of the book
	told             map[account]statement
	tallied          map[account]tally
	entries          []book.Commission // beginnings and differences
	leftOut          map[account]int64 // rows that a person left out because they were tracked as well
	byPartner        map[int64][]int32 // indexes in earnings; nil until asked for
	customers        CustomerTotals

	compared, uncompared int // orders, with commissions
	differences          []Difference
	negative             []Balance
}

func newMoney(x *exports, who *people, before *book.Money, asOf string) *money {
	m := &money{
		exports: x, who: who, before: before, asOf: asOf, house: map[int64]bool{},
		asOfStart: dayStart(asOf, x.settings.Zone), words: words{}, commissionWords: words{}, otherTypes: map[string]int{}, leftOut: map[account]int64{},
		contacts: make(map[int64]book.Contact, len(before.Contacts.Create)), people: string(x.texts),
	}
	for id := range who.house {
		m.house[id] = true
	}
	for _, c := range before.Contacts.Create {
		m.contacts[c.ID] = c
	}
	m.payees = newPayees(who)
	return m
}

// words are texts of which many rows hold the same.
type words map[string]string

// maxWords bounds how many are remembered: a column that never repeats must not be.
const maxWords = 1 << 16

// text is s without the row that it was cut from, shared with equal ones.
func (w words) text(s string) string {
	if s == "" {
		return ""
	}
	if t, ok := w[s]; ok {
		return t
	}
	s = strings.Clone(s)
	if len(w) < maxWords {
		w[s] = s
	}
	return s
}

func (m *money) add(c Conflict) *Conflict { return m.conflicts.add(c) }

// contactOf is what these exports say of a contact, else what the book does.
func (m *money) contactOf(id int64) (book.Contact, bool) {
	if c, ok := m.exports.contacts.rows[id]; ok && id != 0 {
		return m.contactIn(id, c), true
	}
	c, ok := m.contacts[id]
	return c, ok && id != 0
}

// contactIn is what a row of the contacts says. Its texts are shared.
func (m *money) contactIn(id int64, c seenContact) book.Contact {
	end := c.text + uint32(c.email)
	contact := book.Contact{ID: id}
	contact.Email, _ = EmailKey(m.people[c.text:end])
	if c.name != noName {
		contact.Name = m.people[end : end+uint32(c.name)]
	}
	return contact
}

// knowsContact reports whether these exports or the book have a contact.
func (m *money) knowsContact(id int64) bool {
	if _, ok := m.exports.contacts.rows[id]; ok {
		return id != 0
	}
	_, ok := m.contacts[id]
	return ok && id != 0
}

// promoterOf is the ref token of a partner's promoter; empty for nobody and the house.
func (m *money) promoterOf(partner int64) string {
	if g := m.who.byPartner[partner]; g != nil {
		return g.promoter.Token
	}
	return ""
}

// partnerName names a partner for a person.
func (m *money) partnerName(id int64) string {
	if code := m.payees.codes[id]; code != "" {
		return fmt.Sprintf("%s (%d)", code, id)
	}
	return fmt.Sprintf("partner %d", id)
}

// payees finds the partners that rows of money name: by id, or by exact code.
type payees struct {
	codes  map[int64]string // of every partner
	byCode map[string]int64 // several: more than one person has the code
}

const several = -1

func newPayees(who *people) payees {
	p := payees{codes: map[int64]string{}, byCode: map[string]int64{}}
	claim := func(code string, id int64) {
		other, taken := p.byCode[code]
		switch {
		case !taken:
			p.byCode[code] = id
		case other != several && who.byPartner[other] != who.byPartner[id]:
			p.byCode[code] = several
		}
	}
	all := slices.Clone(who.partners)
	for _, m := range who.house {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *partner) int { return cmp.Compare(a.id, b.id) })
	for _, exported := range []bool{true, false} { // what these exports say of a code comes first
		names := map[string]bool{}
		for _, m := range all {
			p.codes[m.id] = m.code
			if _, taken := p.byCode[m.code]; m.exported == exported && (!taken || names[m.code]) {
				names[m.code] = true
				claim(m.code, m.id)
			}
		}
	}
	former := map[string]bool{}
	for _, m := range all {
		for _, code := range m.formerCodes {
			if _, taken := p.byCode[code]; !taken || former[code] {
				former[code] = true
				claim(code, m.id)
			}
		}
	}
	for i := range who.before.Aliases { // codes of earlier exports
		a := &who.before.Aliases[i]
		if _, taken := p.byCode[a.Value]; taken || a.Kind != book.AliasCode || a.State != "" {
			continue
		}
		if q := who.promoters[a.PromoterID]; q != nil {
			p.byCode[a.Value] = q.KeapID
		}
	}
	return p
}

// find returns the Keap id of the partner that a row names.
func (p *payees) find(id sheet.ID, code string) (int64, error) {
	if id.Valid {
		if _, known := p.codes[id.Number]; known {
			return id.Number, nil
		}
		return 0, &sheet.Reject{Reason: sheet.UnknownPartner, Field: "partner_id", Hint: "no partner of these exports or of the book has this id: add the partner list that holds it"}
	}
	switch found, ok := p.byCode[code]; {
	case !ok:
		return 0, &sheet.Reject{Reason: sheet.UnknownPartner, Field: "partner_code", Hint: "no partner of these exports or of the book has this code (capital letters count): add the partner list that holds it"}
	case found == several:
		return 0, &sheet.Reject{Reason: sheet.UnknownPartner, Field: "partner_code", Hint: "several partners have this code: name the partner by its Keap id"}
	default:
		return found, nil
	}
}

// earning makes an entry of a row of the commissions, or with kind book.KindClawback of
// the clawbacks.
func (m *money) earning(kind string, words words, row *keap.Commission, at place) (book.Commission, error) {
	partner, err := m.payees.find(row.PartnerID, row.PartnerCode)
	if err != nil {
		return book.Commission{}, err
	}
	e := book.Commission{
		Kind: kind, PartnerID: partner, SellerID: row.SellerID.Number, ContactID: row.ContactID.Number,
		Invoice: strings.Clone(row.Invoice), EarnedAt: row.EarnedAt.Time.Unix(), Month: int32(terms.MonthOf(row.EarnedAt.Time, m.settings.Zone)),
		Amount: row.Amount.Minor, Currency: words.text(row.Amount.Currency), Product: words.text(row.Product), Description: words.text(row.Description),
		Where: whereOf(at),
	}
	if kind == book.KindClawback {
		e.Amount = -e.Amount
	}
	var buffer [256]byte // enough for all but the longest descriptions
	e.EventID = identity(buffer[:0]).text(kind).int(e.PartnerID).text(e.Invoice).int(e.EarnedAt).text(e.Product).text(e.Description).int(e.Amount).text(e.Currency).id()
	return e, nil
}

// identity gathers what makes an entry this one and no other. Lengths are part of it, so
// that no two lists of parts read the same.
type identity []byte

func (f identity) text(s string) identity {
	return append(binary.AppendUvarint(f, uint64(len(s))), s...)
}

func (f identity) int(n int64) identity { return binary.BigEndian.AppendUint64(f, uint64(n)) }

// id is a hash of it.
func (f identity) id() book.EventID {
	sum := sha256.Sum256(f)
	return book.EventID(sum[:16])
}

// sortEarnings puts the rows in ascending order of their event ids, and equal ones in the
// order they were read.
func (m *money) sortEarnings() {
	type key struct {
		high, low uint64
		row       int32
	}
	keys := make([]key, len(m.earnings))
	for i := range m.earnings {
		id := &m.earnings[i].EventID
		keys[i] = key{binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:]), int32(i)}
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.high, b.high), cmp.Compare(a.low, b.low), cmp.Compare(a.row, b.row))
	})
	// The rows are large: each is moved once, round the rings of the permutation.
	const done = -1
	for start := range keys {
		if keys[start].row == done || int(keys[start].row) == start {
			continue
		}
		first := m.earnings[start]
		for to := start; ; {
			from := int(keys[to].row)
			keys[to].row = done
			if from == start {
				m.earnings[to] = first
				break
			}
			m.earnings[to] = m.earnings[from]
			to = from
		}
	}
}

// settleEarnings gives equal rows of one file their ordinals, and leaves one of the rows
// that are the same in several: the n-th equal row of a file is the n-th of another
// (Keap gives commissions no id). What is left is ascending by event id.
func (m *money) settleEarnings() {
	out := m.earnings[:0]
	sorted := true
	for i := 0; i < len(m.earnings); {
		id := m.earnings[i].EventID
		known, ordinal, file := 0, 0, int64(0) // ordinals that earlier files have
		first := len(out)
		for ; i < len(m.earnings) && m.earnings[i].EventID == id; i++ {
			e := &m.earnings[i]
			if e.Where.Source != file {
				file, ordinal = e.Where.Source, 0
			}
			if ordinal++; ordinal <= known {
				m.supersede(placeOf(int(file)-1, int(e.Where.Line)), skippedDuplicate)
				kept := &out[first+ordinal-1] // its file may have fewer columns
				kept.ContactID, kept.SellerID = cmp.Or(kept.ContactID, e.ContactID), cmp.Or(kept.SellerID, e.SellerID)
				continue
			}
			known = ordinal
			sorted = sorted && ordinal == 1
			if len(out) == i { // it stands where it belongs
				out = out[:i+1]
			} else {
				out = append(out, *e)
			}
			out[len(out)-1].EventID = nth(id, ordinal)
		}
	}
	clear(m.earnings[len(out):])
	if m.earnings = out; !sorted {
		m.sortEarnings()
	}
	m.accounts = newAccounts(m.settings.Currency)
	m.ofRow = make([]int32, len(m.earnings))
	for i := range m.earnings {
		m.ofRow[i] = m.accounts.of(m.earnings[i].PartnerID, m.earnings[i].Currency)
	}
}

func compareIDs(a, b book.EventID) int {
	return cmp.Or(
		cmp.Compare(binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(b[:8])),
		cmp.Compare(binary.BigEndian.Uint64(a[8:]), binary.BigEndian.Uint64(b[8:])))
}

// nth is the event id of the n-th row of those that are equal.
func nth(id book.EventID, n int) book.EventID {
	if n == 1 {
		return id
	}
	return identity(nil).text("nth").text(string(id[:])).int(int64(n)).id()
}

// payment is one payment to a partner as Keap tells it.
type payment struct {
	id       int64 // below 0 where the export gave none
	partner  int64
	paidAt   int64
	amount   int64
	currency string
	kind     string
	note     string
}

// payment loads a row of the payments to partners.
func (m *money) payment(row *keap.Payment, at place) error {
	partner, err := m.payees.find(row.PartnerID, row.PartnerCode)
	if err != nil {
		return err
	}
	p := payment{
		id: row.ID.Number, partner: partner, paidAt: row.PaidAt.Time.Unix(), amount: row.Amount.Minor,
		currency: m.words.text(row.Amount.Currency), kind: m.words.text(row.Type), note: m.words.text(row.Note),
	}
	if !row.ID.Valid || row.ID.Number == 0 {
		p.id = madeID(p.partner, p.paidAt, p.amount, p.currency, p.kind, p.note)
	}
	m.payments.add(p, at)
	return nil
}

// numberPayments tells equal payments without an id apart, as [money.settleEarnings]
// does commissions.
func (m *money) numberPayments() {
	type key struct {
		id   int64
		file int32
	}
	n := map[key]int{}
	for i := range m.payments.rows { // in the order they were read: file by file
		p := &m.payments.rows[i]
		if p.id >= 0 {
			continue
		}
		k := key{p.id, m.payments.at[i].file}
		if n[k]++; n[k] > 1 {
			p.id = madeID(p.id, n[k])
		}
	}
}

// payouts makes the payments that the book does not hold yet its own. A payment that the
// book tells otherwise gets entries for the difference: nothing is ever edited.
func (m *money) payouts() []book.Payout {
	m.numberPayments()
	oneOfEach(m, keap.Payments, &m.payments, func(p *payment) int64 { return p.id }, func(p *payment) int64 { return p.paidAt },
		m.sayPayment, func(int64) (payment, bool) { return payment{}, false })
	type payee struct {
		partner  int64
		currency string
	}
	held, entries := map[int64]map[payee]int64{}, map[int64]int64{} // of the book, by Keap's id of the payment
	for i := range m.before.Payouts {
		q := &m.before.Payouts[i]
		if held[q.KeapID] == nil {
			held[q.KeapID] = map[payee]int64{}
		}
		held[q.KeapID][payee{q.PartnerID, q.Currency}] += q.Amount
		entries[q.KeapID]++
	}
	var out []book.Payout
	for i := range m.payments.rows {
		p, at := &m.payments.rows[i], m.payments.at[i]
		owed, again := held[p.id]
		if owed == nil {
			owed = map[payee]int64{}
		}
		for k := range owed {
			owed[k] = -owed[k]
		}
		owed[payee{p.partner, p.currency}] += p.amount // what is to be added now
		changed := slices.ContainsFunc(slices.Collect(maps.Values(owed)), func(d int64) bool { return d != 0 })
		if again && !changed {
			continue
		}
		if again {
			m.add(newConflict(KindChangedPayment, strconv.FormatInt(p.id, 10), fmt.Sprintf("%s, line %d: payment %d is now %s; the book has it otherwise, and gets an entry with the difference", m.files[at.file].Path, at.line, p.id, m.sayPayment(p))))
		}
		for _, k := range slices.SortedFunc(maps.Keys(owed), func(a, b payee) int {
			return cmp.Or(cmp.Compare(a.partner, b.partner), strings.Compare(a.currency, b.currency))
		}) {
			if owed[k] == 0 && again {
				continue
			}
			out = append(out, book.Payout{
				EventID: identity(nil).text(book.KindPayment).int(p.id).int(k.partner).int(owed[k]).text(k.currency).int(p.paidAt).int(entries[p.id]).id(), PartnerID: k.partner, KeapID: p.id,
				PaidAt: p.paidAt, Month: int32(terms.MonthOf(time.Unix(p.paidAt, 0), m.settings.Zone)), Amount: owed[k], Currency: k.currency,
				Type: p.kind, Note: p.note, Where: whereOf(at),
			})
		}
	}
	slices.SortFunc(out, func(a, b book.Payout) int { return compareIDs(a.EventID, b.EventID) })
	return out
}

// whereOf is a place as the book writes it.
func whereOf(at place) book.Where {
	return book.Where{Source: int64(at.file) + 1, Line: int64(at.line)}
}

func (m *money) sayPayment(p *payment) string {
	return fmt.Sprintf("%s to %s on %s", sheet.Money{Minor: p.amount, Currency: p.currency}, m.partnerName(p.partner), m.day(p.paidAt))
}
