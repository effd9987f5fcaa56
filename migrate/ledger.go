package migrate

import (
	"cmp"
	"strings"

	"carryover/mapping/book"
)

// ledgerInput is what the ledger stage and the reconciliation work on. They own the rows.
type ledgerInput struct {
	settings  *Settings
	asOfStart int64           // first second of the day whose customers are carried over
	directory *book.Directory // of the promoters after the plan
	house     map[int64]*partner
	contacts  *knownContacts
	rows      ledgerRows
	before    *book.KeapRecords
	tracked   []book.TrackedLine // of the days that the rows cover
	kinds     map[string]bool    // of exports that there is a file of
	paths     filePaths
	keepNewer bool // these exports are older than the book, whose balances hold
	remade    bool // the plan was made before: nobody looks at what is undecided
}

// ledger is the money of these exports: of several rows with one id the one that holds.
type ledger struct {
	commissions []book.Commission // with the clawbacks, ascending by id
	payments    rowList[payment]  // ascending by id
	newRows     []book.Commission // of the commissions those that the book does not hold
	newPayouts  []book.Payout     // what the book lacks of the payments, ascending by id

	accounts  *accounts
	accountOf []int32           // of each of the commissions
	leftOut   map[account]int64 // sums of rows that a person left out because they were tracked as well

	skipped skips
}

// settleLedger settles commissions, clawbacks and payments.
func settleLedger(in *ledgerInput, conflicts *conflictList) *ledger {
	d := &duplicates{paths: in.paths, conflicts: conflicts}
	l := &ledger{accounts: newAccounts(in.settings.Currency), leftOut: map[account]int64{}}
	l.commissions = settleCommissions(in.rows.commissions, &d.skipped)
	l.accountOf = make([]int32, len(l.commissions))
	for i := range l.commissions {
		l.accountOf[i] = l.accounts.number(l.commissions[i].PartnerID, l.commissions[i].Currency)
	}
	l.skipTracked(in, conflicts, &d.skipped)
	in.settlePayments(d)
	l.payments = in.rows.payments
	l.newRows, l.newPayouts = missingIn(in.before.Posted, l.commissions), in.newPayouts(conflicts)
	l.skipped = d.skipped
	return l
}

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

func newAccounts(own string) *accounts {
	return &accounts{own: own, inOwn: map[int64]int32{}, others: map[account]int32{}}
}

// number is the index of an account in the list.
func (a *accounts) number(partner int64, currency string) int32 {
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

// tally is what the rows of an account come to; all of them count as they are written,
// clawbacks and payments take away.
type tally struct{ commissions, clawbacks, payments int64 }

// tallies adds up the rows of these exports by account.
func (l *ledger) tallies() map[account]tally {
	sums := make([]tally, len(l.accounts.list))
	for i := range l.commissions {
		if e := &l.commissions[i]; e.Kind == book.KindClawback {
			sums[l.accountOf[i]].clawbacks -= e.Amount
		} else {
			sums[l.accountOf[i]].commissions += e.Amount
		}
	}
	for i := range l.payments.rows {
		p := &l.payments.rows[i]
		a := l.accounts.number(p.partner, p.currency)
		for int(a) >= len(sums) {
			sums = append(sums, tally{})
		}
		sums[a].payments += p.amount
	}
	rows := make(map[account]tally, len(sums))
	for i, t := range sums {
		rows[l.accounts.list[i]] = t
	}
	return rows
}

// dropRows leaves out commissions by their index.
func (l *ledger) dropRows(dropped map[int]bool) {
	if len(dropped) == 0 {
		return
	}
	kept := 0
	for i := range l.commissions {
		if !dropped[i] {
			l.commissions[kept], l.accountOf[kept] = l.commissions[i], l.accountOf[i]
			kept++
		}
	}
	clear(l.commissions[kept:])
	l.commissions, l.accountOf = l.commissions[:kept], l.accountOf[:kept]
}

func abs(n int64) int64 { return max(n, -n) }
