package main

import (
	"testing"

	"carryover/mapping/book"
)

// Before the first run what was taken back is a refund from the month on that is paid; what
// was taken back earlier is in what is carried.
func TestColumnsOfTheFirstRun(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.handIn("ann")
	d.sale("november", "ann", "2022-11-10", 10_000)
	d.sale("december", "ann", "2022-12-10", 10_000)
	d.back(book.KindRefund, "november", "2022-12-31", 1000)
	d.back(book.KindRefund, "december", "2023-01-01", 400)
	d.plansTo("2023-03", "ann 186.00 (2022-11 2022-12: 0.00 -4.00 190.00)")
	d.plansTo("2023-02", "ann 186.00 (2022-11 2022-12: 100.00 -14.00 100.00)")
}
