package main

import (
	"fmt"
	"testing"

	"carryover/mapping/book"
)

// What is flagged after it was approved was paid already, and takes nothing from what comes
// later. What the run did not pay, since it was still held or was told only afterwards, waits
// for a person.
func TestFlaggedAfterARun(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.handIn("ann", "bo")
	paid := d.sale("paid", "ann", "2023-01-05", 5000)
	inHold := d.sale("in hold", "ann", "2023-02-05", 6000)
	atOnce := d.sale("at once", "bo", "2023-02-06", 3000)
	d.sale("bo's", "bo", "2023-01-06", 2500)
	tie := d.sale("cy's", "cy", "2023-01-06", 2500)
	d.sale("cy's later", "cy", "2023-02-06", 3000)
	d.handIn("cy")
	d.approve("2023-03")
	approved := int64(0)
	d.inBook(func(b *book.Book) error {
		all, err := b.Payouts(t.Context())
		approved = all.Batches[0].ApprovedAt
		return err
	})
	flag := func(at int64, lines ...book.EventLine) {
		t.Helper()
		d.inBook(func(b *book.Book) error {
			var list []book.ReviewReason
			for _, l := range lines {
				list = append(list, book.ReviewReason{LineID: l.ID, Reason: book.ReasonVelocity, Detail: "many", At: at})
			}
			return b.AddReviews(list)
		})
	}
	d.plansTo("2023-04", "ann 60.00 (2023-02: 60.00 0.00 0.00); bo 30.00 (2023-02: 30.00 0.00 0.00); cy 30.00 (2023-02: 30.00 0.00 0.00)")
	flag(approved+10, paid)
	d.plansTo("2023-04", "ann 60.00 (2023-02: 60.00 0.00 0.00); bo 30.00 (2023-02: 30.00 0.00 0.00); cy 30.00 (2023-02: 30.00 0.00 0.00)")
	flag(approved, tie) // perhaps before the run was planned: nobody knows whether it was paid
	d.plansTo("2023-04", "ann 60.00 (2023-02: 60.00 0.00 0.00); bo 30.00 (2023-02: 30.00 0.00 0.00); held cy 5.00 below_minimum; held cy 25.00 flagged")
	d.ok("review", "accept", fmt.Sprint("t-", tie.ID))
	flag(approved+10, inHold)
	flag(approved, atOnce)
	d.plansTo("2023-04", "cy 30.00 (2023-02: 30.00 0.00 0.00); held ann 60.00 flagged; held bo 30.00 flagged")

	// Told after the run, of a month that it has paid.
	late := []book.EventLine{{Kind: book.KindCommission, PromoterID: 1, CustomerID: 1, At: paid.At, Month: 202301, Amount: 4000, Currency: "USD", SaleAmount: 16000, Percent: paid.Percent, ProductKind: "membership"}}
	d.inBook(func(b *book.Book) error {
		return b.Track(func(tr *book.Tracking) error {
			return tr.AddEvent(&book.Event{Kind: book.EventSale, ExternalID: "late", CustomerID: 1, At: paid.At, ReceivedAt: approved + 5, Currency: "USD"}, late)
		})
	})
	d.plansTo("2023-04", "ann 40.00 (2023-01: 0.00 0.00 40.00); cy 30.00 (2023-02: 30.00 0.00 0.00); held ann 60.00 flagged; held bo 30.00 flagged")
	flag(approved+10, late[0])
	d.plansTo("2023-04", "cy 30.00 (2023-02: 30.00 0.00 0.00); held ann 100.00 flagged; held bo 30.00 flagged")
	d.ok("review", "accept", fmt.Sprint("t-", late[0].ID), fmt.Sprint("t-", inHold.ID))
	d.plansTo("2023-04", "ann 100.00 (2023-01 2023-02: 60.00 0.00 40.00); cy 30.00 (2023-02: 30.00 0.00 0.00); held bo 30.00 flagged")

	// Once the payment has failed it is due again, and now it waits, too.
	d.ok("payouts", "record", "R1-1", "--status", "failed")
	d.plansTo("2023-04", "ann 100.00 (2023-01 2023-02: 60.00 0.00 40.00); cy 30.00 (2023-02: 30.00 0.00 0.00); held ann 50.00 flagged; held bo 30.00 flagged")
}
