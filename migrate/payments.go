package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/keap"
)

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

func paymentID(p *payment) int64 { return p.id }

// settlePayments leaves one row of every payment.
func (in *ledgerInput) settlePayments(d *duplicates) {
	payments := &in.rows.payments
	numberPayments(payments)
	settleRows(d, payments, rowKind[payment]{
		name: keap.Payments, id: paymentID, date: func(p *payment) int64 { return p.paidAt }, text: in.paymentText,
	})
}

// numberPayments tells equal payments without an id apart, as [settleCommissions] does
// commissions.
func numberPayments(payments *rowList[payment]) {
	type key struct {
		id   int64
		file int32
	}
	n := map[key]int{}
	for i := range payments.rows { // in the order they were read: file by file
		p := &payments.rows[i]
		if p.id >= 0 {
			continue
		}
		k := key{p.id, payments.at[i].file}
		if n[k]++; n[k] > 1 {
			p.id = derivedID(p.id, n[k])
		}
	}
}

// newPayouts makes the payments that the book does not hold yet its own. A payment that the
// book tells otherwise gets entries for the difference: nothing is ever edited.
func (in *ledgerInput) newPayouts(conflicts *conflictList) []book.Payout {
	held, entries := map[int64]map[account]int64{}, map[int64]int64{} // of the book, by Keap's id of the payment
	for i := range in.before.Payouts {
		q := &in.before.Payouts[i]
		if held[q.KeapID] == nil {
			held[q.KeapID] = map[account]int64{}
		}
		held[q.KeapID][account{q.PartnerID, q.Currency}] += q.Amount
		entries[q.KeapID]++
	}
	var out []book.Payout
	for i := range in.rows.payments.rows {
		p, at := &in.rows.payments.rows[i], in.rows.payments.at[i]
		owed, again := held[p.id]
		if owed == nil {
			owed = map[account]int64{}
		}
		for k := range owed {
			owed[k] = -owed[k]
		}
		owed[account{p.partner, p.currency}] += p.amount // what is to be added now
		changed := slices.ContainsFunc(slices.Collect(maps.Values(owed)), func(d int64) bool { return d != 0 })
		if again && !changed {
			continue
		}
		if again {
			conflicts.inform(KindChangedPayment, strconv.FormatInt(p.id, 10),
				"%s: payment %d is now %s; the book has it otherwise, and gets an entry with the difference",
				in.paths.line(at), p.id, in.paymentText(p))
		}
		for _, k := range slices.SortedFunc(maps.Keys(owed), compareAccounts) {
			if owed[k] == 0 && again {
				continue
			}
			id := entryKey(nil).text(book.KindPayment).int(p.id).int(k.partner).int(owed[k]).text(k.currency).int(p.paidAt).int(entries[p.id]).id()
			out = append(out, book.Payout{
				ID: id, PartnerID: k.partner, KeapID: p.id, PaidAt: p.paidAt, Month: monthOf(p.paidAt, in.settings.Zone),
				Amount: owed[k], Currency: k.currency, Type: p.kind, Note: p.note, Origin: at.where(),
			})
		}
	}
	slices.SortFunc(out, func(a, b book.Payout) int { return compareIDs(a.ID, b.ID) })
	return out
}

func (in *ledgerInput) paymentText(p *payment) string {
	return fmt.Sprintf("%s to %s on %s",
		terms.FormatMoney(p.amount, p.currency), partnerLabel(in.directory, p.partner), day(p.paidAt, in.settings.Zone))
}
