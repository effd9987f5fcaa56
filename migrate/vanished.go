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
)

// vanishedInput is what the book holds, and what these exports do.
type vanishedInput struct {
	kinds     map[string]bool // of exports that there is a file of
	known     map[int64]*book.Alias
	links     []book.Link
	money     *book.KeapRecords
	model     *modelRows
	ownership *ownership
	ledger    *ledger
}

// reportVanished reports records of the book that these exports, which hold their kind, do
// not: nothing is deleted for it.
func reportVanished(in vanishedInput, conflicts *conflictList) {
	report := func(kind string, gone []string) {
		if !in.kinds[kind] || len(gone) == 0 {
			return
		}
		shown := gone[:min(len(gone), 10)]
		more := ""
		if len(gone) > len(shown) {
			more = fmt.Sprintf(" and %d more", len(gone)-len(shown))
		}
		conflicts.inform(KindVanished, kind,
			"%d %s of the book are in none of these exports: %s%s. They stay in the book as they are",
			len(gone), kind, strings.Join(shown, ", "), more)
	}
	var gone []string
	for _, id := range slices.Sorted(maps.Keys(in.known)) {
		if id > 0 && in.model.partners[id] == nil {
			gone = append(gone, fmt.Sprintf("%s (%d)", in.known[id].Code, id))
		}
	}
	report(keap.Partners, gone)
	gone = nil
	for _, l := range in.links { // by code
		if _, there := in.model.links[l.Code]; !there {
			gone = append(gone, l.Code)
		}
	}
	report(keap.Links, gone)
	report(keap.Referrals, absentIDs(in.money.ReferralRows.Create, in.ownership.referrals, referralRowID))
	report(keap.Orders, absentIDs(in.money.Sales.Create, in.ownership.orders, saleID))
	report(keap.Subscriptions, absentIDs(in.money.Subscriptions.Create, in.ownership.subscriptions, subscriptionID))
	report(keap.Payments, in.payments())
	report(keap.Commissions, in.commissions(book.KindCommission))
	report(keap.Clawbacks, in.commissions(book.KindClawback))
}

// reportNoReferrals reports money of which no list says whose the customers are.
func reportNoReferrals(kinds map[string]bool, before *book.KeapRecords, own *ownership, l *ledger, conflicts *conflictList) {
	if !kinds[keap.Referrals] && len(before.ReferralRows.Create) == 0 && len(l.commissions)+len(own.orders)+len(l.payments.rows) > 0 {
		conflicts.inform(KindNoReferrals, "referrals",
			"there are orders or money and no list of referrals, neither among these exports nor in the book: no customer is carried over, "+
				"and nobody will be credited for one")
	}
}

// payments are those of the book that these exports lack. Payments are exported for some
// days: only these count.
func (in *vanishedInput) payments() []string {
	now := in.ledger.payments.rows
	held, first, last := make([]payment, 0, len(in.money.Payouts)), int64(1<<62), int64(-1<<62)
	for i := range now {
		first, last = min(first, now[i].paidAt), max(last, now[i].paidAt)
	}
	for i := range in.money.Payouts {
		if p := &in.money.Payouts[i]; p.PaidAt >= first && p.PaidAt <= last {
			held = append(held, payment{id: p.KeapID})
		}
	}
	slices.SortFunc(held, func(a, b payment) int { return cmp.Compare(a.id, b.id) })
	return absentIDs(slices.Compact(held), now, paymentID)
}

// commissions does the same for rows without an id.
func (in *vanishedInput) commissions(kind string) (gone []string) {
	first, last := int64(1<<62), int64(-1<<62)
	for i := range in.ledger.commissions {
		if e := &in.ledger.commissions[i]; e.Kind == kind {
			first, last = min(first, e.EarnedAt), max(last, e.EarnedAt)
		}
	}
	now := in.ledger.commissions
	for i := range in.money.Posted {
		e := &in.money.Posted[i]
		for len(now) > 0 && compareIDs(now[0].ID, e.ID) < 0 {
			now = now[1:]
		}
		if (len(now) == 0 || now[0].ID != e.ID) && e.Kind == kind && e.EarnedAt >= first && e.EarnedAt <= last {
			gone = append(gone, e.ID.String())
		}
	}
	return gone
}

// absentIDs lists the ids of before that now lacks; both ascend.
func absentIDs[T any](before []T, now []T, idOf func(*T) int64) []string {
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
