package main

import (
	"testing"

	"carryover/mapping/book"
)

// Who takes part no more is paid what was earned; who is blocked is not. Where the program
// does not ask how to pay, only a way that leads nowhere holds a payout.
func TestWhoIsPaid(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	for _, p := range []string{"ann", "bo", "cy", "dee"} {
		d.sale(p, p, "2023-01-05", 5000)
		d.ok("promoters", "set", p, "w9=yes", "--by", "kim")
	}
	d.inBook(func(b *book.Book) error {
		return b.RecordSettings(t.Context(), []book.Setting{
			{PromoterID: payPromoters["bo"], Field: book.SettingPayoutMethod, Value: book.MethodPayPal},
			{PromoterID: payPromoters["bo"], Field: book.SettingPayoutAddress, Value: "by the door"},
			{PromoterID: payPromoters["cy"], Field: book.SettingStatus, Value: book.StatusInactive},
			{PromoterID: payPromoters["cy"], Field: book.SettingPayoutMethod, Value: book.MethodCheck},
			{PromoterID: payPromoters["dee"], Field: book.SettingStatus, Value: "blocked"},
			{PromoterID: payPromoters["dee"], Field: book.SettingPayoutMethod, Value: book.MethodCheck},
		})
	})
	const cy = "cy 50.00 (2023-01: 50.00 0.00 0.00)"
	d.plansTo("2023-03", cy+"; held ann 50.00 no_payout_method; held bo 50.00 no_payout_method; held dee 50.00 blocked")
	d.write("carryover.toml", d.read("carryover.toml")+"\n[terms]\nrequires = [\"w9\"]\n")
	d.plansTo("2023-03", "ann 50.00 (2023-01: 50.00 0.00 0.00); "+cy+"; held bo 50.00 no_payout_method; held dee 50.00 blocked")
}
