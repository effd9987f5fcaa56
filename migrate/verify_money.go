package migrate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// verifyOwners says which customers the book gives to somebody else than the exports do,
// and which orders and referrals it lacks or has otherwise.
func verifyOwners(p *Plan, e *evidence) Check {
	m := &p.Changes.KeapRecords
	check := Check{Name: "customers: owner before = owner after", Compared: len(p.Owners)}
	name := func(partner int64) string { return cmp.Or(e.directory.ByPartner(partner).Token(), "nobody") }
	held := map[string]*book.Referral{}
	for i := range e.held.Referrals.Create {
		held[e.held.Referrals.Create[i].Customer] = &e.held.Referrals.Create[i]
	}
	for i := range m.Referrals.Create {
		r := &m.Referrals.Create[i]
		check.mismatch("customer %s, who belongs to %s, is missing in the book", r.Customer, name(r.PartnerID))
	}
	for i := range m.Referrals.Update {
		r := &m.Referrals.Update[i]
		check.mismatch("customer %s: the book gives it to %s (%s), the exports to %s (%s)",
			r.Customer, name(held[r.Customer].PartnerID), held[r.Customer].Rule, name(r.PartnerID), r.Rule)
	}
	differRows(&check, "referral", m.ReferralRows, referralRowID)
	differRows(&check, "order", m.Sales, saleID)
	differRows(&check, "subscription", m.Subscriptions, subscriptionID)
	differRows(&check, "contact", m.Contacts, func(c *book.Contact) int64 { return c.ID })
	return check
}

func differRows[T any](check *Check, what string, rows book.Rows[T], id func(*T) int64) {
	for i := range rows.Create {
		check.mismatch("%s %d is missing in the book", what, id(&rows.Create[i]))
	}
	for i := range rows.Update {
		check.mismatch("%s %d: the book does not say what the exports say", what, id(&rows.Update[i]))
	}
}

// sumKey is what sums are compared by.
type sumKey struct {
	partner        int64
	kind, currency string
	month          int32
}

// verifySums compares the sums of the exports with those of the book, by promoter, kind
// and month. With earlier runs the book holds rows that these exports need not.
func verifySums(p *Plan, e *evidence, earlier bool) Check {
	check := Check{Name: "money: sums of the exports = sums of the book, by promoter, kind and month", Money: true}
	// Entries that say the same on both sides need not be added up; when some do not, the
	// sums that they are part of are.
	differ := map[sumKey]bool{}
	ended, alone := 0, 0 // entries of earlier runs: of accounts that the ledger has, and of others
	e.eachEntry(p, earlier, func(k sumKey, exports, inBook int64) {
		if check.Compared++; exports != inBook {
			differ[k] = true
		}
	}, func(a account) {
		if e.listed[a] {
			ended++
		} else {
			alone++
		}
	})
	check.Note = outsideNote(ended, alone)
	if len(differ) == 0 {
		return check
	}
	exports, inBook := map[sumKey]int64{}, map[sumKey]int64{}
	e.eachEntry(p, earlier, func(k sumKey, want, got int64) {
		if differ[k] {
			exports[k] += want
			inBook[k] += got
		}
	}, func(account) {})
	for _, k := range slices.SortedFunc(maps.Keys(differ), func(a, b sumKey) int {
		return cmp.Or(cmp.Compare(a.partner, b.partner), cmp.Compare(a.month, b.month),
			strings.Compare(a.kind, b.kind), strings.Compare(a.currency, b.currency))
	}) {
		a := account{k.partner, k.currency}
		check.mismatch("%s, partner %s, %s of %s: the exports come to %s, the book to %s, difference %s",
			cmp.Or(e.directory.ByPartner(k.partner).Token(), "no promoter"), partnerLabel(e.directory, k.partner),
			k.kind, terms.Month(k.month), a.format(exports[k]), a.format(inBook[k]), a.format(exports[k]-inBook[k]))
	}
	return check
}

// outsideNote says what became of entries that these exports do not hold.
func outsideNote(ended, alone int) string {
	if ended+alone == 0 {
		return ""
	}
	text := quantity(ended+alone, "entry of earlier runs is", "entries of earlier runs are") + " in none of these exports"
	if ended > 0 {
		text += fmt.Sprintf("; %d in balances that were compared with the ledger's endings", ended)
	}
	if alone > 0 {
		text += fmt.Sprintf("; %d in balances that were compared with nothing", alone)
	}
	return text
}

// eachEntry tells of every entry that these exports mean what they and the book have of
// it. Entries of earlier runs that these exports need not hold are told to outside.
func (e *evidence) eachEntry(p *Plan, earlier bool, fn func(k sumKey, exports, inBook int64), outside func(account)) {
	left := map[account]bool{} // whose money a person left out
	for _, d := range p.Differences {
		if d.Decision == Exclude {
			left[account{d.Partner, d.Currency}] = true
		}
	}
	key := func(e *book.Commission) sumKey { return sumKey{e.PartnerID, e.Kind, e.Currency, e.Month} }
	keyOf := func(e *book.PostedCommission) sumKey { return sumKey{e.PartnerID, e.Kind, e.Currency, e.Month} }
	compareEntries(e.commissions, e.held.Posted, func(row *book.Commission, entry *book.PostedCommission) {
		if row != nil && len(left) > 0 && left[account{row.PartnerID, row.Currency}] {
			row = nil
		}
		switch {
		case row != nil && entry != nil && key(row) == keyOf(entry):
			fn(key(row), row.Amount, entry.Amount)
			return
		case row != nil:
			fn(key(row), row.Amount, 0)
		}
		switch {
		case entry == nil:
		case row == nil && (entry.Kind == book.KindOpening || entry.Kind == book.KindDifference): // as they were booked
			fn(keyOf(entry), entry.Amount, entry.Amount)
		case row == nil && earlier:
			outside(account{entry.PartnerID, entry.Currency})
		default:
			fn(keyOf(entry), 0, entry.Amount)
		}
	})
	for i := range p.Changes.KeapRecords.Entries { // that the book lacks
		if entry := &p.Changes.KeapRecords.Entries[i]; !left[account{entry.PartnerID, entry.Currency}] {
			fn(key(entry), entry.Amount, 0)
		}
	}
	e.eachPayment(p, earlier, fn, outside)
}

// eachPayment does the same for payments.
func (e *evidence) eachPayment(p *Plan, earlier bool, fn func(k sumKey, exports, inBook int64), outside func(account)) {
	named := make(map[int64]bool, len(e.payments))
	for i := range e.payments {
		named[e.payments[i].id] = true
	}
	payment := func(p *book.Payout) sumKey { return sumKey{p.PartnerID, book.KindPayment, p.Currency, p.Month} }
	for i := range e.held.Payouts {
		q := &e.held.Payouts[i]
		switch {
		case named[q.KeapID]:
			fn(payment(q), q.Amount, q.Amount)
		case earlier:
			outside(account{q.PartnerID, q.Currency})
		default:
			fn(payment(q), 0, q.Amount)
		}
	}
	for i := range p.Changes.KeapRecords.Payouts { // what the book lacks of the exports' payments
		q := &p.Changes.KeapRecords.Payouts[i]
		fn(payment(q), q.Amount, 0)
	}
}

// compareEntries pairs entries by id; both lists ascend.
func compareEntries(want []book.Commission, got []book.PostedCommission, fn func(want *book.Commission, got *book.PostedCommission)) {
	for len(want) > 0 || len(got) > 0 {
		switch {
		case len(got) == 0 || len(want) > 0 && compareIDs(want[0].ID, got[0].ID) < 0:
			fn(&want[0], nil)
			want = want[1:]
		case len(want) == 0 || compareIDs(got[0].ID, want[0].ID) < 0:
			fn(nil, &got[0])
			got = got[1:]
		default:
			fn(&want[0], &got[0])
			want, got = want[1:], got[1:]
		}
	}
}

// verifyLedger says which accounts of the ledger do not agree with their rows in the book,
// which a person has decided about, now or before an earlier run, and which balances the
// ledger does not list.
func verifyLedger(p *Plan, e *evidence) Check {
	check := Check{Name: "money: the ledger's endings = balances in the book", Money: true, Compared: len(e.listed)}
	for _, d := range p.Differences {
		what := fmt.Sprintf("%s: the ledger and its rows do not agree, difference %s",
			describePartner(d.Code, d.Partner, d.Token), terms.FormatMoney(d.Amount, d.Currency))
		if d.Decision == "" {
			check.mismatch("%s", what)
		} else {
			check.decided("%s; decided: %s", what, d.Decision)
		}
	}
	for _, d := range p.Standing {
		check.decided("%s: its balance holds a difference of %s that was booked as a person had decided",
			describePartner(d.Code, d.Partner, d.Token), terms.FormatMoney(d.Amount, d.Currency))
	}
	for _, c := range p.Conflicts {
		if c.Kind == KindNoLedger || c.Kind == KindNoRows || c.Kind == KindOlder && c.Decision != Accept {
			check.decided("%s; decided: %s", c.Detail, cmp.Or(c.Decision, "nothing"))
		}
	}
	for _, text := range p.Earlier {
		check.decided("%s", text)
	}
	for _, u := range p.Unlisted {
		check.unproven("%s: the newest ledger does not list it: its balance of %s is proven by nothing",
			describePartner(u.Code, u.Partner, u.Token), terms.FormatMoney(u.Amount, u.Currency))
	}
	if len(e.listed) == 0 && len(e.held.Posted)+len(e.held.Payouts) > 0 {
		check.Note, check.noLedger = "there is no ledger among these exports: no balance was compared", true
	}
	return check
}
