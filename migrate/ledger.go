package migrate

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// account is what is owed to one partner in one currency: currencies are never added.
type account struct {
	partner  int64
	currency string
}

func compareAccounts(a, b account) int {
	return cmp.Or(cmp.Compare(a.partner, b.partner), strings.Compare(a.currency, b.currency))
}

// accounts numbers the accounts that there are.
type accounts struct {
	own    string          // the program's currency, which nearly all are in
	inOwn  map[int64]int32 // by partner
	others map[account]int32
	list   []account
}

func newAccounts(own string) accounts {
	return accounts{own: own, inOwn: map[int64]int32{}, others: map[account]int32{}}
}

func (a *accounts) of(partner int64, currency string) int32 {
	k := account{partner, currency}
	if currency == a.own {
		i, ok := a.inOwn[partner]
		if !ok {
			i = a.add(k)
			a.inOwn[partner] = i
		}
		return i
	}
	i, ok := a.others[k]
	if !ok {
		i = a.add(k)
		a.others[k] = i
	}
	return i
}

func (a *accounts) add(k account) int32 {
	a.list = append(a.list, k)
	return int32(len(a.list) - 1)
}

// ledgerRow is one row of Keap's ledger: opening + commissions - clawbacks - payments =
// closing. A column that its file does not have is nil.
type ledgerRow struct {
	account
	opening, commissions, clawbacks, payments *int64
	closing                                   int64
	at                                        place
}

// ledgerRow loads a row of the ledger.
func (m *money) ledgerRow(row *keap.LedgerRow, at place) error {
	partner, err := m.payees.find(row.PartnerID, row.PartnerCode)
	if err != nil {
		return err
	}
	r := ledgerRow{account: account{partner, m.words.text(row.Closing.Currency)}, closing: row.Closing.Minor, at: at}
	for _, c := range []struct {
		to   **int64
		cell *keap.LedgerAmount
	}{{&r.opening, &row.Opening}, {&r.commissions, &row.Commissions}, {&r.clawbacks, &row.Clawbacks}, {&r.payments, &row.Payments}} {
		if c.cell.Given {
			amount := c.cell.Minor
			*c.to = &amount
		}
	}
	m.ledgers = append(m.ledgers, r)
	return nil
}

func amountOr(p *int64, otherwise int64) int64 {
	if p == nil {
		return otherwise
	}
	return *p
}

func (r *ledgerRow) same(s *ledgerRow) bool {
	equal := func(a, b *int64) bool { return (a == nil) == (b == nil) && amountOr(a, 0) == amountOr(b, 0) }
	return r.closing == s.closing && equal(r.opening, s.opening) && equal(r.commissions, s.commissions) && equal(r.clawbacks, s.clawbacks) && equal(r.payments, s.payments)
}

// tally is what the rows of an account come to; all of them count as they are written,
// clawbacks and payments take away.
type tally struct{ commissions, clawbacks, payments int64 }

// statement is what the ledger says of an account: one row, or the rows of several
// periods of which each begins where another ends.
type statement struct {
	ledgerRow
	rows   []place
	others []ledgerRow // that say something else
}

// statements settles the ledger rows of every account. Of several that are no chain of
// periods, the one that agrees with the rows holds; else the one that has seen most.
func (m *money) statements(rows map[account]tally) map[account]statement {
	byAccount := map[account][]ledgerRow{}
	for i := range m.ledgers {
		r := &m.ledgers[i]
		if slices.ContainsFunc(byAccount[r.account], func(s ledgerRow) bool { return r.same(&s) }) {
			m.supersede(r.at, skippedDuplicate)
			continue
		}
		byAccount[r.account] = append(byAccount[r.account], *r)
	}
	out := make(map[account]statement, len(byAccount))
	for _, a := range slices.SortedFunc(maps.Keys(byAccount), compareAccounts) {
		told := byAccount[a]
		if len(told) == 1 {
			out[a] = statement{ledgerRow: told[0], rows: []place{told[0].at}}
			continue
		}
		slices.SortFunc(told, func(r, s ledgerRow) int {
			return cmp.Or(cmp.Compare(s.seen(), r.seen()), cmp.Compare(s.closing, r.closing), cmp.Compare(amountOr(s.opening, 0), amountOr(r.opening, 0)))
		})
		candidates := make([]statement, 0, len(told)+1)
		if whole, ok := chain(told); ok {
			candidates = append(candidates, whole)
		}
		for i := range told {
			candidates = append(candidates, statement{ledgerRow: told[i], rows: []place{told[i].at}})
		}
		holds := max(0, slices.IndexFunc(candidates, func(s statement) bool { return s.agrees(rows[a]) }))
		holding := candidates[holds]
		for i := range told {
			if !slices.Contains(holding.rows, told[i].at) {
				m.supersede(told[i].at, skippedSuperseded)
				holding.others = append(holding.others, told[i])
			}
		}
		out[a] = holding
	}
	return out
}

// seen grows with what a row has seen happen.
func (r *ledgerRow) seen() int64 {
	return abs(amountOr(r.commissions, 0)) + abs(amountOr(r.clawbacks, 0)) + abs(amountOr(r.payments, 0))
}

func abs(n int64) int64 { return max(n, -n) }

// differs is by how much the statement and the rows of these exports do not agree: in the
// ending, else in a column, else with another row of the ledger.
func (s *statement) differs(t tally, hasFile map[string]bool) int64 {
	rows := func(kind string, told *int64, sum int64) int64 {
		if hasFile[kind] {
			return sum
		}
		return amountOr(told, 0)
	}
	c, k, p := rows(keap.Commissions, s.commissions, t.commissions), rows(keap.Clawbacks, s.clawbacks, t.clawbacks), rows(keap.Payments, s.payments, t.payments)
	other := int64(0)
	if len(s.others) > 0 {
		other = s.others[0].closing - s.closing
	}
	return cmp.Or(s.closing-(amountOr(s.opening, 0)+c-k-p), amountOr(s.commissions, c)-c, amountOr(s.clawbacks, k)-k, amountOr(s.payments, p)-p, other)
}

func (r *ledgerRow) agrees(t tally) bool {
	return amountOr(r.commissions, t.commissions) == t.commissions && amountOr(r.clawbacks, t.clawbacks) == t.clawbacks &&
		amountOr(r.payments, t.payments) == t.payments && amountOr(r.opening, 0)+t.commissions-t.clawbacks-t.payments == r.closing
}

// chain joins rows of periods that follow each other: each begins with the balance that
// another one ended with. ok is false when they do not, or when it is not clear which is
// the first.
func chain(rows []ledgerRow) (whole statement, ok bool) {
	degree, joined := map[int64]int{}, map[int64]int64{}
	var root func(b int64) int64
	root = func(b int64) int64 {
		if up, ok := joined[b]; ok && up != b {
			return root(up)
		}
		return b
	}
	for i := range rows {
		r := &rows[i]
		if r.opening == nil {
			return whole, false
		}
		degree[*r.opening]++
		degree[r.closing]--
		joined[root(*r.opening)] = root(r.closing)
	}
	var first, last *int64
	for _, balance := range slices.Sorted(maps.Keys(degree)) {
		if root(balance) != root(rows[0].closing) {
			return whole, false
		}
		switch degree[balance] {
		case 0:
		case 1:
			first = &balance
		case -1:
			last = &balance
		default:
			return whole, false
		}
	}
	switch {
	case first != nil && last != nil:
	case len(degree) == 1: // every period ended with what it began with
		first, last = rows[0].opening, &rows[0].closing
	default:
		return whole, false
	}
	whole.account, whole.opening, whole.closing, whole.at = rows[0].account, first, *last, rows[0].at
	sum := func(column func(*ledgerRow) *int64) *int64 {
		total := int64(0)
		for i := range rows {
			if column(&rows[i]) == nil {
				return nil
			}
			total += *column(&rows[i])
		}
		return &total
	}
	whole.commissions = sum(func(r *ledgerRow) *int64 { return r.commissions })
	whole.clawbacks = sum(func(r *ledgerRow) *int64 { return r.clawbacks })
	whole.payments = sum(func(r *ledgerRow) *int64 { return r.payments })
	for i := range rows {
		whole.rows = append(whole.rows, rows[i].at)
	}
	slices.SortFunc(whole.rows, comparePlaces)
	return whole, true
}

// reconcile compares the ledger with the rows of every account, and returns the entries
// that it asks for beside them: beginnings of accounts that are new to the book, and
// differences that a person accepted. left are accounts whose money a person left out.
//
// added are the rows of these exports that the book does not hold yet.
func (m *money) reconcile(added []book.Commission, paid []book.Payout) (entries []book.Commission, left map[account]bool) {
	m.tallied = m.tallies()
	rows := m.tallied
	hasFile := map[string]bool{}
	for _, f := range m.files {
		hasFile[f.Kind] = true
	}
	left = map[account]bool{}
	if !hasFile[keap.Ledger] {
		if len(rows) > 0 {
			m.add(question(KindNoLedger, "ledger", fmt.Sprintf("there are commissions, clawbacks or payments of %s and no ledger among the exports: their sums cannot be proven", quantity(len(rows), "partner", "partners")), Accept, Accept))
		}
		return nil, left
	}
	m.told = m.statements(rows)
	m.missingRows(hasFile)

	type sums struct {
		booked, added int64 // by the book, and by rows that it does not hold yet
		differences   int64 // of booked: accepted, or taken back again
		entries, told int   // how many of each the book has
	}
	all := make([]sums, len(m.accounts.list))
	of := func(partner int64, currency string) *sums {
		i := int(m.accounts.of(partner, currency))
		for i >= len(all) {
			all = append(all, sums{})
		}
		return &all[i]
	}
	corrected := map[book.EventID]bool{} // entries of differences that the book has
	for i := range m.before.Booked {
		e := &m.before.Booked[i]
		n := of(e.PartnerID, e.Currency)
		n.booked += e.Amount
		n.entries++
		if e.Kind == book.KindDifference {
			corrected[e.EventID] = true
			n.differences += e.Amount
			n.told++
		}
	}
	for i := range m.before.Payouts {
		n := of(m.before.Payouts[i].PartnerID, m.before.Payouts[i].Currency)
		n.booked -= m.before.Payouts[i].Amount
		n.entries++
	}
	for i := range added {
		of(added[i].PartnerID, added[i].Currency).added += added[i].Amount
	}
	for i := range paid {
		of(paid[i].PartnerID, paid[i].Currency).added -= paid[i].Amount
	}

	beginning := m.beginning()
	accounts := map[account]bool{}
	for a := range m.told {
		accounts[a] = true
	}
	for a := range rows {
		accounts[a] = true
	}
	for _, a := range slices.SortedFunc(maps.Keys(accounts), compareAccounts) {
		t := rows[a]
		s, told := m.told[a]
		if !told {
			if !m.house[a.partner] && t != (tally{}) {
				sum := t.commissions - t.clawbacks - t.payments
				c := m.unbalanced(a, fmt.Sprintf("%s is in no row of the ledger in %s, and its rows come to %s: difference %s", m.partnerName(a.partner), a.currency, m.amount(a, sum), m.amount(a, -sum)), -sum, identity(nil), t)
				if c.Decision == Exclude {
					left[a] = true
				}
			}
			continue
		}
		n := of(a.partner, a.currency)
		isNew := n.entries == 0
		opening := amountOr(s.opening, 0)
		total := n.booked + n.added
		if isNew {
			total += opening
		}
		noRows := int64(0) // of the difference: columns that there are no rows for
		for _, c := range []struct {
			kind   string
			column *int64
			sign   int64
		}{{keap.Commissions, s.commissions, 1}, {keap.Clawbacks, s.clawbacks, -1}, {keap.Payments, s.payments, -1}} {
			if !hasFile[c.kind] {
				noRows += c.sign * amountOr(c.column, 0)
			}
		}
		// The ending is proven by the rows, or by them and differences that were accepted.
		open := s.closing - total
		byRows := open + n.differences - noRows
		says := identity(nil).int(opening).int(amountOr(s.commissions, 0)).int(amountOr(s.clawbacks, 0)).int(amountOr(s.payments, 0)).int(s.closing)
		correctionID := func(decision string, n int) book.EventID {
			return identity(nil).text(book.KindDifference).int(a.partner).text(a.currency).text(string(says)).text(decision).int(int64(n)).id()
		}
		accepted := false // a difference from just this ledger
		for k := range n.told {
			accepted = accepted || corrected[correctionID(Accept, k)]
		}

		decision := Accept
		asks := isNew || open != 0 || accepted
		switch why := m.compare(&s, t, hasFile, asks, total-n.differences, byRows); {
		case m.house[a.partner]:
			decision = ""
		case why != "":
			asked := m.unbalanced(a, why, cmp.Or(s.differs(t, hasFile), byRows), says, t)
			decision = asked.Decision
			if decision == "" && !m.remade { // shown as it is recommended
				decision = asked.Recommended
			}
		case open != 0 && n.differences != 0:
			m.add(newConflict(KindExplained, cmp.Or(m.payees.codes[a.partner], fmt.Sprint(a.partner)), fmt.Sprintf("%s: rows have come that explain the difference of %s that was accepted: it is taken back, and the balance is the ledger's ending, %s",
				m.partnerName(a.partner), m.amount(a, n.differences), m.amount(a, s.closing))))
		}
		entry := func(kind string, id book.EventID, amount, at int64, description string) {
			entries = append(entries, book.Commission{
				EventID: id, Kind: kind, PartnerID: a.partner, EarnedAt: at, Month: monthOf(at, m.settings.Zone), Amount: amount,
				Currency: a.currency, Description: description, Where: whereOf(s.at),
			})
		}
		correction, why := int64(0), ""
		switch decision {
		case Accept:
			correction, why = open, "The ledger's ending less its rows, accepted"
			if n.differences != 0 {
				why = "An accepted difference, brought up to date"
			}
		case Fix:
			correction, why = -n.differences, "An accepted difference, taken back: the rows are right"
		case Exclude:
			left[a] = true
			correction, why = -n.booked, "Left out by decision"
		}
		if isNew && opening != 0 && !left[a] {
			entry(book.KindOpening, identity(nil).text(book.KindOpening).int(a.partner).text(a.currency).id(), opening, beginning, "Beginning balance of the ledger")
		}
		if correction != 0 {
			entry(book.KindDifference, correctionID(decision, n.told), correction, m.asOfStart, why)
		}
	}
	return entries, left
}

// tallies adds up the rows of these exports by account.
func (m *money) tallies() map[account]tally {
	sums := make([]tally, len(m.accounts.list))
	for i := range m.earnings {
		if e := &m.earnings[i]; e.Kind == book.KindClawback {
			sums[m.ofRow[i]].clawbacks -= e.Amount
		} else {
			sums[m.ofRow[i]].commissions += e.Amount
		}
	}
	for i := range m.payments.rows {
		p := &m.payments.rows[i]
		a := m.accounts.of(p.partner, p.currency)
		for int(a) >= len(sums) {
			sums = append(sums, tally{})
		}
		sums[a].payments += p.amount
	}
	rows := make(map[account]tally, len(sums))
	for i, t := range sums {
		rows[m.accounts.list[i]] = t
	}
	return rows
}

// missingRows reports columns of the ledger that no file of these exports explains.
func (m *money) missingRows(hasFile map[string]bool) {
	for _, c := range []struct {
		kind   string
		column func(*statement) *int64
	}{
		{keap.Commissions, func(s *statement) *int64 { return s.commissions }},
		{keap.Clawbacks, func(s *statement) *int64 { return s.clawbacks }},
		{keap.Payments, func(s *statement) *int64 { return s.payments }},
	} {
		n := 0
		for _, s := range m.told {
			if amountOr(c.column(&s), 0) != 0 {
				n++
			}
		}
		if n > 0 && !hasFile[c.kind] {
			m.add(question(KindNoRows, c.kind, fmt.Sprintf("the ledger has %s for %s, and there is no file of them among the exports: the ledger's endings are carried over, and what they owe to %s cannot be proven", c.kind, quantity(n, "partner", "partners"), c.kind), Accept, Accept))
		}
	}
}

// beginning is when balances from before the rows count as earned: before all of them.
func (m *money) beginning() int64 {
	first := m.asOfStart
	for i := range m.earnings {
		first = min(first, m.earnings[i].EarnedAt)
	}
	for i := range m.before.Booked {
		first = min(first, m.before.Booked[i].EarnedAt+1)
	}
	return first - 1
}

// compare says what does not agree in an account; empty: all does.
// The columns say nothing about a ledger of other days than the rows' where the book
// proves its ending: asks tells whether it does not.
func (m *money) compare(s *statement, t tally, hasFile map[string]bool, asks bool, sum, byRows int64) string {
	var wrong []string
	a := s.account
	for _, other := range s.others {
		wrong = append(wrong, fmt.Sprintf("another row of the ledger (%s, line %d) ends with %s, difference %s; this one %s", m.files[other.at.file].Path, other.at.line,
			m.amount(a, other.closing), m.amount(a, other.closing-s.closing), cmp.Or(map[bool]string{true: "agrees with its rows"}[s.agrees(t)], "has seen more")))
	}
	if s.opening != nil && s.commissions != nil && s.clawbacks != nil && s.payments != nil {
		if comes := *s.opening + *s.commissions - *s.clawbacks - *s.payments; comes != s.closing {
			wrong = append(wrong, fmt.Sprintf("the ledger itself does not add up: %s + %s - %s - %s comes to %s, difference %s",
				m.amount(a, *s.opening), m.amount(a, *s.commissions), m.amount(a, *s.clawbacks), m.amount(a, *s.payments), m.amount(a, comes), m.amount(a, s.closing-comes)))
		}
	}
	column := func(kind string, told *int64, rows int64) {
		if told == nil || *told == rows || !hasFile[kind] || !asks {
			return
		}
		text := fmt.Sprintf("its %s come to %s in their rows and to %s in the ledger, difference %s", kind, m.amount(a, rows), m.amount(a, *told), m.amount(a, *told-rows))
		wrong = append(wrong, text+m.culprits(kind, a, abs(*told-rows)))
	}
	column(keap.Commissions, s.commissions, t.commissions)
	column(keap.Clawbacks, s.clawbacks, t.clawbacks)
	column(keap.Payments, s.payments, t.payments)
	if byRows != 0 && asks && len(wrong) == 0 {
		wrong = append(wrong, fmt.Sprintf("with what the book holds its rows come to %s, difference %s", m.amount(a, sum), m.amount(a, byRows)))
	}
	if len(wrong) == 0 {
		return ""
	}
	return fmt.Sprintf("%s, %s, line %d, ending %s: %s", m.partnerName(a.partner), m.files[s.at.file].Path, s.at.line, m.amount(a, s.closing), strings.Join(wrong, "; "))
}

// unbalanced asks what to do about an account whose ledger and rows do not agree.
//
// says and t are what a decision is about: about other figures it is asked again.
func (m *money) unbalanced(a account, why string, difference int64, says identity, t tally) *Conflict {
	subject := cmp.Or(m.payees.codes[a.partner], fmt.Sprint(a.partner))
	c := question(KindUnbalanced, subject, why, Accept, Accept, Exclude, Fix)
	m.explainLeftOut(&c, a, difference)
	about := says.text(a.currency).int(t.commissions).int(t.clawbacks).int(t.payments).id()
	c.about = hex.EncodeToString(about[:4])
	c = *m.add(c)
	m.differences = append(m.differences, Difference{Conflict: c.ID, Partner: a.partner, Code: m.payees.codes[a.partner], Token: m.promoterOf(a.partner), Currency: a.currency, Amount: difference, Decision: c.Decision})
	return &c
}

func (m *money) amount(a account, minor int64) string {
	return sheet.Money{Minor: minor, Currency: a.currency}.String()
}

// culprits names rows of an account that may make a difference: those that were
// rejected, and those of just that amount.
func (m *money) culprits(kind string, a account, amount int64) string {
	var found []string
	note := func(at place, what string) {
		if len(found) < 5 {
			found = append(found, fmt.Sprintf("%s line %d (%s)", m.files[at.file].Path, at.line, what))
		}
	}
	for _, r := range slices.Concat(m.rejectedCommissions, m.rejected) {
		if r.kind == kind && r.partner == a.partner {
			note(r.at, "rejected, "+r.reason)
		}
	}
	if kind == keap.Payments {
		for i := range m.payments.rows {
			if p := &m.payments.rows[i]; p.partner == a.partner && p.currency == a.currency && abs(p.amount) == amount {
				note(m.payments.at[i], "of that amount")
			}
		}
	} else {
		for _, i := range m.earningsOf(a.partner) {
			e := &m.earnings[i]
			if e.Currency == a.currency && abs(e.Amount) == amount && (e.Kind == book.KindClawback) == (kind == keap.Clawbacks) {
				note(place{int32(e.Where.Source - 1), int32(e.Where.Line)}, "of that amount")
			}
		}
	}
	if len(found) == 0 {
		return ""
	}
	return "; look at " + strings.Join(found, ", ")
}

// earningsOf lists the rows of a partner; only a ledger that does not agree asks for it.
func (m *money) earningsOf(partner int64) []int32 {
	if m.byPartner == nil {
		m.byPartner = map[int64][]int32{}
		for i := range m.earnings {
			m.byPartner[m.earnings[i].PartnerID] = append(m.byPartner[m.earnings[i].PartnerID], int32(i))
		}
	}
	return m.byPartner[partner]
}

func quantity(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
