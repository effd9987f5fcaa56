package migrate

import (
	"cmp"
	"maps"
	"slices"

	"carryover/migrate/keap"
)

// ledgerRow is one row of Keap's ledger: opening + commissions - clawbacks - payments =
// closing. A column that its file does not have is nil.
type ledgerRow struct {
	account
	opening, commissions, clawbacks, payments *int64
	closing                                   int64
	at                                        position
}

func amountOr(p *int64, otherwise int64) int64 {
	if p == nil {
		return otherwise
	}
	return *p
}

func (r *ledgerRow) same(s *ledgerRow) bool {
	equal := func(a, b *int64) bool { return (a == nil) == (b == nil) && amountOr(a, 0) == amountOr(b, 0) }
	return r.closing == s.closing && equal(r.opening, s.opening) && equal(r.commissions, s.commissions) &&
		equal(r.clawbacks, s.clawbacks) && equal(r.payments, s.payments)
}

// activity grows with what a row has seen happen.
func (r *ledgerRow) activity() int64 {
	return abs(amountOr(r.commissions, 0)) + abs(amountOr(r.clawbacks, 0)) + abs(amountOr(r.payments, 0))
}

// agrees reports whether a row says what the rows of its account come to.
func (r *ledgerRow) agrees(t tally) bool {
	return amountOr(r.commissions, t.commissions) == t.commissions && amountOr(r.clawbacks, t.clawbacks) == t.clawbacks &&
		amountOr(r.payments, t.payments) == t.payments && amountOr(r.opening, 0)+t.commissions-t.clawbacks-t.payments == r.closing
}

// statement is what the ledger says of an account: one row, or the rows of several
// periods of which each begins where another ends.
type statement struct {
	ledgerRow
	rows   []position
	others []ledgerRow // that say something else
}

// settleStatements settles the ledger rows of every account. Of several that are no chain
// of periods, the one that agrees with the rows holds; else the one that has seen most.
func settleStatements(ledger []ledgerRow, rows map[account]tally, skipped *skips) map[account]statement {
	byAccount := map[account][]ledgerRow{}
	for i := range ledger {
		r := &ledger[i]
		if slices.ContainsFunc(byAccount[r.account], func(s ledgerRow) bool { return r.same(&s) }) {
			skipped.add(r.at, skippedDuplicate)
			continue
		}
		byAccount[r.account] = append(byAccount[r.account], *r)
	}
	out := make(map[account]statement, len(byAccount))
	for _, a := range slices.SortedFunc(maps.Keys(byAccount), compareAccounts) {
		candidates := byAccount[a]
		if len(candidates) == 1 {
			out[a] = statement{ledgerRow: candidates[0], rows: []position{candidates[0].at}}
			continue
		}
		out[a] = chooseStatement(candidates, rows[a], skipped)
	}
	return out
}

func chooseStatement(rows []ledgerRow, t tally, skipped *skips) statement {
	slices.SortFunc(rows, func(r, s ledgerRow) int {
		return cmp.Or(cmp.Compare(s.activity(), r.activity()), cmp.Compare(s.closing, r.closing),
			cmp.Compare(amountOr(s.opening, 0), amountOr(r.opening, 0)))
	})
	candidates := make([]statement, 0, len(rows)+1)
	if whole, ok := joinPeriods(rows); ok {
		candidates = append(candidates, whole)
	}
	for i := range rows {
		candidates = append(candidates, statement{ledgerRow: rows[i], rows: []position{rows[i].at}})
	}
	s := candidates[max(0, slices.IndexFunc(candidates, func(s statement) bool { return s.agrees(t) }))]
	for i := range rows {
		if !slices.Contains(s.rows, rows[i].at) {
			skipped.add(rows[i].at, skippedSuperseded)
			s.others = append(s.others, rows[i])
		}
	}
	return s
}

// difference is by how much the statement and the rows of these exports do not agree: in
// the ending, else in a column, else with another row of the ledger.
func (s *statement) difference(t tally, kinds map[string]bool) int64 {
	rows := func(kind string, stated *int64, sum int64) int64 {
		if kinds[kind] {
			return sum
		}
		return amountOr(stated, 0)
	}
	c := rows(keap.Commissions, s.commissions, t.commissions)
	k := rows(keap.Clawbacks, s.clawbacks, t.clawbacks)
	p := rows(keap.Payments, s.payments, t.payments)
	other := int64(0)
	if len(s.others) > 0 {
		other = s.others[0].closing - s.closing
	}
	return cmp.Or(s.closing-(amountOr(s.opening, 0)+c-k-p),
		amountOr(s.commissions, c)-c, amountOr(s.clawbacks, k)-k, amountOr(s.payments, p)-p, other)
}

// ledgerColumn is a column of the ledger that has rows of its own.
type ledgerColumn struct {
	kind   string // of the export of its rows
	amount *int64
	sign   int64 // in the ending
}

func (r *ledgerRow) columns() [3]ledgerColumn {
	return [...]ledgerColumn{{keap.Commissions, r.commissions, 1}, {keap.Clawbacks, r.clawbacks, -1}, {keap.Payments, r.payments, -1}}
}

// joinPeriods joins rows of periods that follow each other: each begins with the balance
// that another one ended with. ok is false when they do not, or when it is not clear which
// is the first.
func joinPeriods(rows []ledgerRow) (whole statement, ok bool) {
	first, last, ok := periodEnds(rows)
	if !ok {
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
	slices.SortFunc(whole.rows, comparePositions)
	return whole, true
}

// periodEnds are the balances that the first of the periods begins and the last ends with.
func periodEnds(rows []ledgerRow) (first, last *int64, ok bool) {
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
			return nil, nil, false
		}
		degree[*r.opening]++
		degree[r.closing]--
		joined[root(*r.opening)] = root(r.closing)
	}
	for _, balance := range slices.Sorted(maps.Keys(degree)) {
		if root(balance) != root(rows[0].closing) {
			return nil, nil, false
		}
		switch degree[balance] {
		case 0:
		case 1:
			first = &balance
		case -1:
			last = &balance
		default:
			return nil, nil, false
		}
	}
	switch {
	case first != nil && last != nil:
		return first, last, true
	case len(degree) == 1: // every period ended with what it began with
		return rows[0].opening, &rows[0].closing, true
	}
	return nil, nil, false
}
