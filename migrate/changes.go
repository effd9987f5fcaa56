package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"carryover/mapping/book"
)

// changesInput is what the book holds, and what it is to hold.
type changesInput struct {
	before      *book.Content
	after       *book.Content
	beforeMoney *book.KeapRecords
	files       []FilePlan
	contacts    *contacts
	ownership   *ownership
	ledger      *reconciliation
	directory   *book.Directory // of after
	live        *liveBook
	zone        *time.Location
}

// changes are what must be written.
type changes struct {
	rows      book.Changes
	tables    map[string]TableCount
	customers []book.Referral // all that the book will have
}

// TableCount says what a plan does to one table of the model.
type TableCount struct {
	Create    int `json:"create"`
	Update    int `json:"update"`
	Unchanged int `json:"unchanged"`
}

// makeChanges works out what must be written, and reports customers whose owner it changes.
func makeChanges(in changesInput, conflicts *conflictList) *changes {
	c := &changes{tables: map[string]TableCount{}}
	c.rows.Promoters, c.tables["promoter"] = changedRows(in.before.Promoters, in.after.Promoters, comparePromoters)
	c.rows.Aliases, c.tables["promoter_alias"] = changedRows(in.before.Aliases, in.after.Aliases, compareAliases)
	c.rows.Links, c.tables["link"] = changedRows(in.before.Links, in.after.Links, compareLinks)

	to, held, own := &c.rows.KeapRecords, in.beforeMoney, in.ownership
	for _, f := range in.files {
		to.Sources = append(to.Sources, book.Source{Path: f.Path, Kind: f.Kind})
	}
	to.Contacts, c.tables["contact"] = splitRows(held.Contacts.Create, in.contactsAfter(), compareBy(contactID))
	to.ReferralRows, c.tables["referral_row"] = splitRows(held.ReferralRows.Create, own.allReferrals, compareBy(referralRowID))
	orders := mergeRows(held.Sales.Create, own.orders, saleID)
	to.Sales, c.tables["sale"] = splitRows(held.Sales.Create, orders, compareBy(saleID))
	to.Subscriptions, c.tables["subscription"] = splitRows(held.Subscriptions.Create, own.allSubscriptions, compareBy(subscriptionID))
	c.customers = mergeCustomers(held.Referrals.Create, own.customers)
	to.Referrals, c.tables["referral"] = splitRows(held.Referrals.Create, c.customers, func(a, b *book.Referral) int {
		return strings.Compare(a.Customer, b.Customer)
	})
	in.reportMoved(to.Referrals.Update, conflicts)

	to.Commissions, to.Entries, to.Payouts = in.ledger.commissions, in.ledger.entries, in.ledger.payouts
	c.tables["commission"] = TableCount{Create: len(to.Commissions) + len(to.Entries), Unchanged: len(held.Posted)}
	c.tables["payout"] = TableCount{Create: len(to.Payouts), Unchanged: len(held.Payouts)}
	return c
}

// contactsAfter are all contacts: those of the book, and those of these exports, of which
// a later referral may name any.
func (in *changesInput) contactsAfter() []book.Contact {
	now := make([]book.Contact, 0, len(in.contacts.rows))
	for id, row := range in.contacts.rows {
		if id != 0 {
			now = append(now, in.contacts.contact(id, row))
		}
	}
	slices.SortFunc(now, func(a, b book.Contact) int { return cmp.Compare(a.ID, b.ID) })
	return mergeRows(in.beforeMoney.Contacts.Create, now, contactID)
}

// reportMoved reports customers whose owner is another than in the book.
func (in *changesInput) reportMoved(changed []book.Referral, conflicts *conflictList) {
	old := make(map[string]int64, len(changed))
	for i := range changed {
		old[changed[i].Customer] = 0
	}
	for i := range in.beforeMoney.Referrals.Create {
		if r := &in.beforeMoney.Referrals.Create[i]; len(old) > 0 {
			if _, ok := old[r.Customer]; ok {
				old[r.Customer] = r.PartnerID
			}
		}
	}
	name := func(partner int64) string {
		if partner == 0 {
			return "nobody"
		}
		return partnerLabel(in.directory, partner)
	}
	for i := range changed {
		r := &changed[i]
		was := old[r.Customer]
		if in.directory.ByPartner(was).Promoter == in.directory.ByPartner(r.PartnerID).Promoter {
			continue
		}
		and := ", and so it does from now on"
		if c := in.live.owner(r.Email); c != nil {
			owner := in.directory.Name(book.Earner{PromoterID: c.PromoterID})
			and = fmt.Sprintf("; but the live program has bound it to %s on %s, and it stays %s's", owner, day(c.BoundAt, in.zone), owner)
		}
		conflicts.inform(KindMovedCustomer, r.Customer,
			"in the book the customer belongs to %s; by these exports to %s (%s)%s", name(was), name(r.PartnerID), r.Rule, and)
	}
}

// changedRows lists the rows of after that before does not hold as they are. Both are in
// the order of compare, and after lacks none of before.
func changedRows[T comparable](before, after []T, compare func(a, b T) int) (rows []T, n TableCount) {
	if len(before) == 0 {
		return after, TableCount{Create: len(after)}
	}
	for _, row := range after {
		for len(before) > 0 && compare(before[0], row) < 0 {
			before = before[1:]
		}
		switch {
		case len(before) == 0 || compare(before[0], row) != 0:
			n.Create++
		case before[0] != row:
			n.Update++
		default:
			n.Unchanged++
			continue
		}
		rows = append(rows, row)
	}
	return rows, n
}

// splitRows tells the rows of after that are new from those that before holds otherwise.
// Both are in the order of compare.
func splitRows[T comparable](before, after []T, compare func(a, b *T) int) (rows book.Rows[T], n TableCount) {
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

// compareBy compares rows by an id.
func compareBy[T any](id func(*T) int64) func(a, b *T) int {
	return func(a, b *T) int { return cmp.Compare(id(a), id(b)) }
}

// mergeRows puts now over before; both ascend by id.
func mergeRows[T any](before, now []T, idOf func(*T) int64) []T {
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

// mergeCustomers keeps customers of the book whom no contact is any more: an address that
// was given up still belongs to its owner.
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
