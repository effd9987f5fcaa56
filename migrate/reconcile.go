package migrate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"carryover/mapping/book"
	"carryover/migrate/keap"
)

// reconciliation is how the ledger and its rows agree, and what is to be written of the
// money for it.
type reconciliation struct {
	statements  map[account]statement // what the ledger says
	tallies     map[account]tally     // what its rows come to
	differences []Difference

	commissions []book.Commission // rows that the book lacks and nobody left out, ascending by id
	payouts     []book.Payout     // the same of the payments
	entries     []book.Commission // beginnings of accounts that are new to the book, and differences that a person accepted

	standing []Standing      // differences of earlier runs
	unlisted []Unlisted      // balances that the ledger does not list
	compared map[string]bool // subjects of the accounts that the ledger lists, unless it is left aside

	skipped skips
}

// Difference is an account whose ledger and rows do not agree.
type Difference struct {
	Conflict string `json:"conflict"`
	Partner  int64  `json:"keap_partner_id"`
	Code     string `json:"code"`
	Token    string `json:"ref_token"`
	Currency string `json:"currency"`
	Amount   int64  `json:"difference_cents"` // the ledger less the rows
	Decision string `json:"decision"`         // empty: nobody has decided yet
}

// reconcile compares the ledger with the rows of every account.
func reconcile(in *ledgerInput, l *ledger, conflicts *conflictList) *reconciliation {
	r := &reconciler{in: in, ledger: l, conflicts: conflicts, excluded: map[account]bool{}}
	r.tallies = l.tallies()
	r.commissions, r.payouts = l.newRows, l.newPayouts
	if !in.kinds[keap.Ledger] {
		if len(r.tallies) > 0 {
			conflicts.add(question(KindNoLedger, "ledger", fmt.Sprintf("there are commissions, clawbacks or payments of %s "+
				"and no ledger among the exports: their sums cannot be proven", quantity(len(r.tallies), "partner", "partners")), Accept, Accept))
		}
		r.sumAccounts()
		r.findUnproven()
		return &r.reconciliation
	}
	r.statements = settleStatements(in.rows.ledger, r.tallies, &r.skipped)
	r.reportMissingRows()
	r.sumAccounts()
	r.openedAt = r.beginning()
	accounts := map[account]bool{}
	for a := range r.statements {
		accounts[a] = true
	}
	for a := range r.tallies {
		accounts[a] = true
	}
	for _, a := range slices.SortedFunc(maps.Keys(accounts), compareAccounts) {
		if s, ok := r.statements[a]; ok {
			r.reconcileAccount(&s)
		} else {
			r.reportMissingStatement(a)
		}
	}
	r.leaveOut()
	r.findUnproven()
	return &r.reconciliation
}

// reconciler is [reconcile] under way.
type reconciler struct {
	in        *ledgerInput
	ledger    *ledger
	conflicts *conflictList

	sums      []accountSums // by number of the account
	corrected map[book.EntryID]bool
	openedAt  int64             // when beginnings count as earned
	byPartner map[int64][]int32 // indexes of commissions; nil until asked for
	excluded  map[account]bool  // a person left their money out

	reconciliation
}

// accountSums are the sums of an account.
type accountSums struct {
	booked, added int64 // by the book, and by rows that it does not hold yet
	differences   int64 // of booked: accepted, or taken back again
	entries       int   // that the book has
	corrections   int   // of them those of differences
}

// sumAccounts adds up what the book holds and what it lacks.
func (r *reconciler) sumAccounts() {
	r.sums = make([]accountSums, len(r.ledger.accounts.list))
	r.corrected = map[book.EntryID]bool{}
	before := r.in.before
	for i := range before.Posted {
		e := &before.Posted[i]
		n := r.sumsOf(e.PartnerID, e.Currency)
		n.booked += e.Amount
		n.entries++
		if e.Kind == book.KindDifference {
			r.corrected[e.ID] = true
			n.differences += e.Amount
			n.corrections++
		}
	}
	for i := range before.Payouts {
		n := r.sumsOf(before.Payouts[i].PartnerID, before.Payouts[i].Currency)
		n.booked -= before.Payouts[i].Amount
		n.entries++
	}
	for i := range r.commissions {
		r.sumsOf(r.commissions[i].PartnerID, r.commissions[i].Currency).added += r.commissions[i].Amount
	}
	for i := range r.payouts {
		r.sumsOf(r.payouts[i].PartnerID, r.payouts[i].Currency).added -= r.payouts[i].Amount
	}
}

// sumsOf is good until it is called again.
func (r *reconciler) sumsOf(partner int64, currency string) *accountSums {
	i := int(r.ledger.accounts.number(partner, currency))
	for i >= len(r.sums) {
		r.sums = append(r.sums, accountSums{})
	}
	return &r.sums[i]
}

// beginning is when balances from before the rows count as earned: before all of them.
func (r *reconciler) beginning() int64 {
	first := r.in.asOfStart
	for i := range r.ledger.commissions {
		first = min(first, r.ledger.commissions[i].EarnedAt)
	}
	for i := range r.in.before.Posted {
		first = min(first, r.in.before.Posted[i].EarnedAt+1)
	}
	return first - 1
}

// reconcileAccount compares an account's statement with its rows, asks about what does not
// agree, and adds the entries that follow from it.
func (r *reconciler) reconcileAccount(s *statement) {
	a := s.account
	n := r.sumsOf(a.partner, a.currency)
	isNew := n.entries == 0
	opening := amountOr(s.opening, 0)
	total := n.booked + n.added
	if isNew {
		total += opening
	}
	// The ending is proven by the rows, or by them and differences that were accepted.
	open := s.closing - total
	decision := r.decision(s, *n, total, isNew)
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
		r.excluded[a] = true
		correction, why = -n.booked, "Left out by decision"
	}
	if isNew && opening != 0 && !r.excluded[a] {
		id := entryKey(nil).text(book.KindOpening).int(a.partner).text(a.currency).id()
		r.addEntry(s, book.KindOpening, id, opening, r.openedAt, "Beginning balance of the ledger")
	}
	if correction != 0 {
		r.addEntry(s, book.KindDifference, s.correctionID(decision, n.corrections), correction, r.in.asOfStart, why)
	}
}

// decision is what is to be done about an account: [Accept] also where there is nothing to
// decide; empty for nothing. total is its balance by the rows and by what the book holds.
func (r *reconciler) decision(s *statement, n accountSums, total int64, isNew bool) string {
	a, t := s.account, r.tallies[s.account]
	noRows := int64(0) // of the difference: columns that there are no rows for
	for _, c := range s.columns() {
		if !r.in.kinds[c.kind] {
			noRows += c.sign * amountOr(c.amount, 0)
		}
	}
	open := s.closing - total
	byRows := open + n.differences - noRows
	accepted := false // a difference from just this ledger
	for k := range n.corrections {
		accepted = accepted || r.corrected[s.correctionID(Accept, k)]
	}
	asks := isNew || open != 0 || accepted
	switch why := r.disagreement(s, t, asks, total-n.differences, byRows); {
	case r.in.house[a.partner] != nil:
		return ""
	case why != "":
		asked := r.askUnbalanced(a, why, cmp.Or(s.difference(t, r.in.kinds), byRows), s.key(), t)
		if asked.Decision == "" && !r.in.remade { // shown as it is recommended
			return asked.Recommended
		}
		return asked.Decision
	case open != 0 && n.differences != 0:
		r.conflicts.inform(KindExplained, r.subject(a),
			"%s: rows have come that explain the difference of %s that was accepted: it is taken back, and the balance is the ledger's ending, %s",
			r.label(a), a.format(n.differences), a.format(s.closing))
	}
	return Accept
}

// key is what the statement says.
func (s *statement) key() entryKey {
	k := entryKey(nil).int(amountOr(s.opening, 0))
	for _, c := range s.columns() {
		k = k.int(amountOr(c.amount, 0))
	}
	return k.int(s.closing)
}

// correctionID is the id of the n-th correction of an account after a decision about
// what the statement says.
func (s *statement) correctionID(decision string, n int) book.EntryID {
	key := entryKey(nil).text(book.KindDifference).int(s.partner).text(s.currency)
	return key.text(string(s.key())).text(decision).int(int64(n)).id()
}

func (r *reconciler) addEntry(s *statement, kind string, id book.EntryID, amount, at int64, description string) {
	r.entries = append(r.entries, book.Commission{
		ID: id, Kind: kind, PartnerID: s.partner, EarnedAt: at, Month: monthOf(at, r.in.settings.Zone), Amount: amount,
		Currency: s.currency, Description: description, Origin: s.at.where(),
	})
}

// reportMissingStatement asks about an account with rows that the ledger does not have.
func (r *reconciler) reportMissingStatement(a account) {
	t := r.tallies[a]
	if r.in.house[a.partner] != nil || t == (tally{}) || r.in.keepNewer && r.sumsOf(a.partner, a.currency).entries > 0 {
		return
	}
	sum := t.commissions - t.clawbacks - t.payments
	c := r.askUnbalanced(a, fmt.Sprintf("%s is in no row of the ledger in %s, and its rows come to %s: difference %s",
		r.label(a), a.currency, a.format(sum), a.format(-sum)), -sum, entryKey(nil), t)
	if c.Decision == Exclude {
		r.excluded[a] = true
	}
}

// reportMissingRows reports columns of the ledger that no file of these exports explains.
func (r *reconciler) reportMissingRows() {
	n := map[string]int{}
	for _, s := range r.statements {
		for _, c := range s.columns() {
			if amountOr(c.amount, 0) != 0 {
				n[c.kind]++
			}
		}
	}
	for _, kind := range []string{keap.Commissions, keap.Clawbacks, keap.Payments} {
		if n[kind] > 0 && !r.in.kinds[kind] {
			r.conflicts.add(question(KindNoRows, kind,
				fmt.Sprintf("the ledger has %s for %s, and there is no file of them among the exports: the ledger's endings are carried over, "+
					"and what they owe to %s cannot be proven", kind, quantity(n[kind], "partner", "partners"), kind), Accept, Accept))
		}
	}
}

// leaveOut takes the rows of the accounts out whose money a person left out: they are
// skipped.
func (r *reconciler) leaveOut() {
	if len(r.excluded) == 0 {
		return
	}
	leave := func(a account, where book.Origin) bool {
		if r.excluded[a] {
			r.skipped.add(positionIn(where), skippedExcluded)
		}
		return r.excluded[a]
	}
	added := r.commissions
	r.commissions = nil
	for i := range added {
		if e := &added[i]; !leave(account{e.PartnerID, e.Currency}, e.Origin) {
			r.commissions = append(r.commissions, *e)
		}
	}
	r.payouts = slices.DeleteFunc(r.payouts, func(p book.Payout) bool { return leave(account{p.PartnerID, p.Currency}, p.Origin) })
}
