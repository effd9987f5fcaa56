package migrate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"carryover/mapping/book"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// moneyKinds are the exports that need to know first who the promoters are. What one list
// names is read one after the other, beside the next list.
var moneyKinds = [][]string{{keap.Commissions}, {keap.Referrals, keap.Orders, keap.Subscriptions, keap.Clawbacks, keap.Payments, keap.Ledger}}

// rejectedRow is a row of money that could not be loaded: it may be what a ledger and its
// rows do not agree on.
type rejectedRow struct {
	kind    string
	partner int64
	at      place
	reason  string
}

// maxRejected bounds how many of them are remembered.
const maxRejected = 10_000

// rows loads one file; each is called for every row.
func (m *money) rows(f *sheet.File, index int, each func() error, onReject func(*sheet.Reject) error) (sheet.Count, error) {
	currency := m.settings.Currency
	at := func(line int) place { return placeOf(index, line) }
	switch f.Kind {
	case keap.Referrals:
		m.referrals.grow(f.Rows)
		return keap.ReadReferrals(f, func(line int, r *keap.Referral) error { return cmp.Or(each(), m.referral(r, at(line))) }, onReject)
	case keap.Orders:
		m.sales.grow(f.Rows)
		return keap.ReadOrders(f, currency, func(line int, r *keap.Order) error { return cmp.Or(each(), m.order(r, at(line))) }, onReject)
	case keap.Subscriptions:
		return keap.ReadSubscriptions(f, currency, func(line int, r *keap.Subscription) error { return cmp.Or(each(), m.subscription(r, at(line))) }, onReject)
	case keap.Commissions:
		m.earnings = slices.Grow(m.earnings, f.Rows+f.Rows/16) // clawbacks come to them
		return keap.ReadCommissions(f, currency, func(line int, r *keap.Commission) error {
			e, err := m.earning(book.KindCommission, m.commissionWords, r, at(line))
			if err == nil {
				m.earnings = append(m.earnings, e)
			}
			return cmp.Or(each(), err)
		}, m.noted(f, index, &m.rejectedCommissions, onReject))
	case keap.Clawbacks:
		return keap.ReadClawbacks(f, currency, func(line int, r *keap.Commission) error {
			e, err := m.earning(book.KindClawback, m.words, r, at(line))
			if err == nil {
				m.clawbacks = append(m.clawbacks, e)
			}
			return cmp.Or(each(), err)
		}, m.noted(f, index, &m.rejected, onReject))
	case keap.Payments:
		return keap.ReadPayments(f, currency, func(line int, r *keap.Payment) error { return cmp.Or(each(), m.payment(r, at(line))) }, m.noted(f, index, &m.rejected, onReject))
	default:
		return keap.ReadLedger(f, currency, func(line int, r *keap.LedgerRow) error { return cmp.Or(each(), m.ledgerRow(r, at(line))) }, m.noted(f, index, &m.rejected, onReject))
	}
}

// noted remembers the rejected rows of a file in list.
func (m *money) noted(f *sheet.File, index int, list *[]rejectedRow, onReject func(*sheet.Reject) error) func(*sheet.Reject) error {
	return func(r *sheet.Reject) error {
		if len(*list) < maxRejected {
			if partner, err := m.partnerIn(f, r.Cells); err == nil {
				*list = append(*list, rejectedRow{f.Kind, partner, placeOf(index, r.Line), r.Reason})
			}
		}
		return onReject(r)
	}
}

// partnerIn is the partner that the cells of a rejected row name.
func (m *money) partnerIn(f *sheet.File, cells []string) (int64, error) {
	cell := func(field string) string {
		header, found := f.Column(field)
		if i := slices.Index(f.Header, header); found && i < len(cells) {
			return sheet.Clean(cells[i])
		}
		return ""
	}
	var id sheet.ID
	if err := id.UnmarshalCSV(cell("partner_id")); err != nil {
		return 0, err
	}
	return m.payees.find(id, cell("partner_code"))
}

// carry works out what the money rows mean and what must be written for it.
func (p *Plan) carry(m *money) {
	p.money = m
	changes := &p.Changes.Money
	for _, f := range m.files {
		changes.Sources = append(changes.Sources, book.Source{Path: f.Path, Kind: f.Kind})
	}
	m.tellTypes()
	// The two sides touch different files and different tables.
	ledger := inBackground(func() (*ledgerSide, error) { return m.carryLedger(), nil })
	customers := m.carryCustomers(changes, p.Tables)
	money, _ := ledger()
	changes.Commissions, changes.Entries, changes.Payouts = money.commissions, money.entries, money.payouts
	p.Tables["commission"] = TableCount{Create: len(money.commissions) + len(money.entries), Unchanged: len(m.before.Booked)}
	p.Tables["payout"] = TableCount{Create: len(money.payouts), Unchanged: len(m.before.Payouts)}

	findings := func() ([]Finding, error) { return nil, nil }
	if !m.remade { // nobody reads those of a plan that is made again
		findings = inBackground(func() ([]Finding, error) { return m.findings(), nil })
	}
	changes.Contacts, p.Tables["contact"] = m.contactsAfter()
	m.products()
	m.vanished()
	if hasReferrals := slices.ContainsFunc(m.files, func(f FilePlan) bool { return f.Kind == keap.Referrals }); !hasReferrals &&
		len(m.before.ReferralRows.Create) == 0 && len(m.earnings)+len(m.sales.rows)+len(m.payments.rows) > 0 {
		m.add(newConflict(KindNoReferrals, "referrals", "there are orders or money and no list of referrals, neither among these exports nor in the book: no customer is carried over, and nobody will be credited for one"))
	}
	p.totalMoney(m, customers)
	p.Findings, _ = findings()
	p.Compared, p.Uncompared = m.compared, m.uncompared
	p.FindingsBy = map[string]int{}
	for i := range p.Findings {
		p.FindingsBy[p.Findings[i].Kind]++
	}
}

// carryCustomers settles referrals, orders and subscriptions, and returns all customers
// with their owners.
func (m *money) carryCustomers(changes *book.Money, tables map[string]TableCount) []book.Referral {
	known := func(id int64) (book.ReferralRow, bool) { return find(m.before.ReferralRows.Create, id, referralRowID) }
	oneOfEach(m, keap.Referrals, &m.referrals, referralRowID, func(r *book.ReferralRow) int64 { return r.SetAt }, m.sayReferral, known)
	rows := merge(m.before.ReferralRows.Create, m.referrals.rows, referralRowID)
	changes.ReferralRows, tables["referral_row"] = split(m.before.ReferralRows.Create, rows, func(a, b *book.ReferralRow) int { return cmp.Compare(a.ID, b.ID) })

	knownSale := func(id int64) (book.Sale, bool) { return find(m.before.Sales.Create, id, saleID) }
	oneOfEach(m, keap.Orders, &m.sales, saleID, func(s *book.Sale) int64 { return s.OrderedAt }, m.saySale, knownSale)
	sales := merge(m.before.Sales.Create, m.sales.rows, saleID)
	changes.Sales, tables["sale"] = split(m.before.Sales.Create, sales, func(a, b *book.Sale) int { return cmp.Compare(a.ID, b.ID) })

	knownSubscription := func(id int64) (book.Subscription, bool) {
		return find(m.before.Subscriptions.Create, id, subscriptionID)
	}
	oneOfEach(m, keap.Subscriptions, &m.subscriptions, subscriptionID, func(s *book.Subscription) int64 { return s.StartedAt }, saySubscription, knownSubscription)
	m.allSubscriptions = merge(m.before.Subscriptions.Create, m.subscriptions.rows, subscriptionID)
	changes.Subscriptions, tables["subscription"] = split(m.before.Subscriptions.Create, m.allSubscriptions, func(a, b *book.Subscription) int { return cmp.Compare(a.ID, b.ID) })

	customers := mergeCustomers(m.before.Referrals.Create, m.owners(rows))
	changes.Referrals, tables["referral"] = split(m.before.Referrals.Create, customers, func(a, b *book.Referral) int { return strings.Compare(a.Customer, b.Customer) })
	m.tellMoved(changes.Referrals.Update)
	return customers
}

// ledgerSide is what is to be written of the ledger.
type ledgerSide struct {
	commissions, entries []book.Commission
	payouts              []book.Payout
}

// carryLedger settles commissions, clawbacks and payments, and reconciles them.
func (m *money) carryLedger() *ledgerSide {
	m.earnings = append(m.earnings, m.clawbacks...)
	m.clawbacks = nil
	m.sortEarnings()
	m.settleEarnings()
	m.alsoTracked()
	side := &ledgerSide{commissions: notIn(m.earnings, m.before.Booked), payouts: m.payouts()}
	entries, left := m.reconcile(side.commissions, side.payouts)
	m.entries, side.entries = entries, entries
	if len(left) > 0 {
		added := side.commissions
		side.commissions = nil
		for i := range added {
			if e := &added[i]; !m.leave(left, e.PartnerID, e.Currency, e.Where) {
				side.commissions = append(side.commissions, *e)
			}
		}
		side.payouts = slices.DeleteFunc(side.payouts, func(e book.Payout) bool { return m.leave(left, e.PartnerID, e.Currency, e.Where) })
	}
	return side
}

// leave reports whether a person left the money of an account out; its row is skipped.
func (m *money) leave(left map[account]bool, partner int64, currency string, where book.Where) bool {
	if !left[account{partner, currency}] {
		return false
	}
	m.supersede(placeOf(int(where.Source)-1, int(where.Line)), skippedLeftOut)
	return true
}

func referralRowID(r *book.ReferralRow) int64   { return r.ID }
func saleID(s *book.Sale) int64                 { return s.ID }
func subscriptionID(s *book.Subscription) int64 { return s.ID }

// find looks an id up in rows that ascend by it.
func find[T any](rows []T, id int64, idOf func(*T) int64) (row T, ok bool) {
	i, ok := slices.BinarySearchFunc(rows, id, func(r T, id int64) int { return cmp.Compare(idOf(&r), id) })
	if !ok {
		return row, false
	}
	return rows[i], true
}

// merge puts now over before; both ascend by id.
func merge[T any](before, now []T, idOf func(*T) int64) []T {
	if len(before) == 0 {
		return now
	}
	out := make([]T, 0, max(len(before), len(now)))
	for len(before) > 0 || len(now) > 0 {
		switch {
		case len(now) == 0 || len(before) > 0 && idOf(&before[0]) < idOf(&now[0]):
			out = append(out, before[0])
			before = before[1:]
			continue
		case len(before) > 0 && idOf(&before[0]) == idOf(&now[0]):
			before = before[1:]
		}
		out = append(out, now[0])
		now = now[1:]
	}
	return out
}

// split tells the rows of after that are new from those that before holds otherwise. Both
// are in the order of compare.
func split[T comparable](before, after []T, compare func(a, b *T) int) (rows book.Rows[T], n TableCount) {
	if len(before) == 0 {
		return book.Rows[T]{Create: after}, TableCount{Create: len(after)}
	}
	for i := range after {
		for len(before) > 0 && compare(&before[0], &after[i]) < 0 {
			before = before[1:]
		}
		switch {
		case len(before) == 0 || compare(&before[0], &after[i]) != 0:
			rows.Create = append(rows.Create, after[i])
		case before[0] != after[i]:
			rows.Update = append(rows.Update, after[i])
		default:
			n.Unchanged++
		}
	}
	n.Create, n.Update = len(rows.Create), len(rows.Update)
	return rows, n
}

// notIn lists the rows that the book does not hold; both ascend by event id.
func notIn(rows []book.Commission, before []book.PostedCommission) []book.Commission {
	if len(before) == 0 {
		return rows // there may be millions: not twice
	}
	var out []book.Commission
	for i := range rows {
		for len(before) > 0 && compareIDs(before[0].EventID, rows[i].EventID) < 0 {
			before = before[1:]
		}
		if len(before) == 0 || before[0].EventID != rows[i].EventID {
			out = append(out, rows[i])
		}
	}
	return out
}

// mergeCustomers keeps customers of the book that no contact stands for any more: an
// address that was given up still belongs to its owner.
func mergeCustomers(before, now []book.Referral) []book.Referral {
	if len(before) == 0 {
		return now
	}
	have := make(map[string]bool, len(now))
	for i := range now {
		have[now[i].Customer] = true
	}
	for i := range before {
		if !have[before[i].Customer] {
			now = append(now, before[i])
		}
	}
	slices.SortFunc(now, func(a, b book.Referral) int { return strings.Compare(a.Customer, b.Customer) })
	return now
}

// tellMoved reports customers whose owner is another than in the book.
func (m *money) tellMoved(changed []book.Referral) {
	old := make(map[string]int64, len(changed))
	for i := range changed {
		old[changed[i].Customer] = 0
	}
	for i := range m.before.Referrals.Create {
		if r := &m.before.Referrals.Create[i]; len(old) > 0 {
			if _, ok := old[r.Customer]; ok {
				old[r.Customer] = r.PartnerID
			}
		}
	}
	name := func(partner int64) string {
		if partner == 0 {
			return "nobody"
		}
		return m.partnerName(partner)
	}
	for i := range changed {
		r := &changed[i]
		was := old[r.Customer]
		if m.promoterOf(was) == m.promoterOf(r.PartnerID) {
			continue
		}
		and := ", and so it does from now on"
		if _, owner, since, ok := m.boundTo(r.Email); ok {
			and = fmt.Sprintf("; but the live program has bound it to %s on %s, and it stays %s's", owner, m.day(since), owner)
		}
		m.add(newConflict(KindMovedCustomer, r.Customer, fmt.Sprintf("in the book the customer belongs to %s; by these exports to %s (%s)%s", name(was), name(r.PartnerID), r.Rule, and)))
	}
}

// contactsAfter are all contacts: those of the book, and those of these exports, of which
// a later referral may name any.
func (m *money) contactsAfter() (book.Rows[book.Contact], TableCount) {
	now := make([]book.Contact, 0, len(m.exports.contacts.rows))
	for id, c := range m.exports.contacts.rows {
		if id != 0 {
			now = append(now, m.contactIn(id, c))
		}
	}
	byID := func(a, b book.Contact) int { return cmp.Compare(a.ID, b.ID) }
	slices.SortFunc(now, byID)
	after := merge(m.before.Contacts.Create, now, func(c *book.Contact) int64 { return c.ID })
	return split(m.before.Contacts.Create, after, func(a, b *book.Contact) int { return byID(*a, *b) })
}

// tellTypes reports referral types that Keap does not have.
func (m *money) tellTypes() {
	for _, t := range slices.Sorted(maps.Keys(m.otherTypes)) {
		m.add(newConflict(KindReferralType, clip(t), fmt.Sprintf("%s the type %q, which Keap does not have: read as COOKIE, the weakest", quantity(m.otherTypes[t], "referral has", "referrals have"), clip(t))))
	}
}

// vanished reports records of the book that these exports, which hold their kind, do not:
// nothing is deleted for it.
func (m *money) vanished() {
	hasFile := map[string]bool{}
	for _, f := range m.files {
		hasFile[f.Kind] = true
	}
	tell := func(kind string, gone []string) {
		if !hasFile[kind] || len(gone) == 0 {
			return
		}
		shown := gone[:min(len(gone), 10)]
		more := ""
		if len(gone) > len(shown) {
			more = fmt.Sprintf(" and %d more", len(gone)-len(shown))
		}
		m.add(newConflict(KindVanished, kind, fmt.Sprintf("%d %s of the book are in none of these exports: %s%s. They stay in the book as they are", len(gone), kind, strings.Join(shown, ", "), more)))
	}
	var gone []string
	for _, id := range slices.Sorted(maps.Keys(m.known)) {
		if id > 0 && m.partners.rows[id] == nil {
			gone = append(gone, fmt.Sprintf("%s (%d)", m.known[id].Code, id))
		}
	}
	tell(keap.Partners, gone)
	gone = nil
	for _, code := range slices.Sorted(maps.Keys(m.knownLinks)) {
		if _, there := m.byCode[code]; !there {
			gone = append(gone, code)
		}
	}
	tell(keap.Links, gone)
	tell(keap.Referrals, absent(m.before.ReferralRows.Create, m.referrals.rows, referralRowID))
	tell(keap.Orders, absent(m.before.Sales.Create, m.sales.rows, saleID))
	tell(keap.Subscriptions, absent(m.before.Subscriptions.Create, m.subscriptions.rows, subscriptionID))
	held, first, last := make([]payment, 0, len(m.before.Payouts)), int64(1<<62), int64(-1<<62)
	for i := range m.payments.rows {
		first, last = min(first, m.payments.rows[i].paidAt), max(last, m.payments.rows[i].paidAt)
	}
	for i := range m.before.Payouts { // payments are exported for some days: only these count
		if p := &m.before.Payouts[i]; p.PaidAt >= first && p.PaidAt <= last {
			held = append(held, payment{id: p.KeapID})
		}
	}
	paymentID := func(p *payment) int64 { return p.id }
	slices.SortFunc(held, func(a, b payment) int { return cmp.Compare(a.id, b.id) })
	tell(keap.Payments, absent(slices.Compact(held), m.payments.rows, paymentID))
	m.vanishedEarnings(keap.Commissions, book.KindCommission, tell)
	m.vanishedEarnings(keap.Clawbacks, book.KindClawback, tell)
}

// absent lists the ids of before that now lacks; both ascend.
func absent[T any](before []T, now []T, idOf func(*T) int64) []string {
	var ids []string
	for i := range before {
		id := idOf(&before[i])
		for len(now) > 0 && idOf(&now[0]) < id {
			now = now[1:]
		}
		if len(now) == 0 || idOf(&now[0]) != id {
			ids = append(ids, strconv.FormatInt(id, 10))
		}
	}
	return ids
}

// vanishedEarnings does the same for rows without an id: only days that the exports
// cover count.
func (m *money) vanishedEarnings(export, kind string, tell func(kind string, gone []string)) {
	first, last := int64(1<<62), int64(-1<<62)
	for i := range m.earnings {
		if e := &m.earnings[i]; e.Kind == kind {
			first, last = min(first, e.EarnedAt), max(last, e.EarnedAt)
		}
	}
	var gone []string
	now := m.earnings
	for i := range m.before.Booked {
		e := &m.before.Booked[i]
		for len(now) > 0 && compareIDs(now[0].EventID, e.EventID) < 0 {
			now = now[1:]
		}
		if (len(now) == 0 || now[0].EventID != e.EventID) && e.Kind == kind && e.EarnedAt >= first && e.EarnedAt <= last {
			gone = append(gone, e.EventID.String())
		}
	}
	tell(export, gone)
}

func (m *money) sayReferral(r *book.ReferralRow) string {
	return fmt.Sprintf("contact %d, partner %d, set %s, %s", r.ContactID, r.PartnerID, m.day(r.SetAt), r.Type)
}

func (m *money) saySale(s *book.Sale) string {
	return fmt.Sprintf("contact %d, %s, %s, sold by %d", s.ContactID, m.day(s.OrderedAt), sheet.Money{Minor: s.Total, Currency: s.Currency}, s.SellerID)
}

func saySubscription(s *book.Subscription) string {
	return fmt.Sprintf("contact %d, %q, %s, sold by %d, active: %t", s.ContactID, clip(s.Product), sheet.Money{Minor: s.Amount, Currency: s.Currency}, s.SellerID, s.Active)
}
