package history_test

import (
	"strings"
	"testing"
)

// What became of an order, an invoice and an entry of the ledger.
func TestOrdersAndEntries(t *testing.T) {
	f := newKeapFixture(t)
	f.explain("order:4001",
		"Order 4001 of 2022-06-02, 297.02 USD (Agency Membership), was sold by beta (Keap id 2); "+
			"on orders of this customer, day and seller 89.11 USD was earned, and 14.85 USD taken back.",
		"commission, sold by beta", "clawback", "kim@shop.test belongs to gamma-x")
	f.explain("order:4002", "was sold without a partner.", "kim@shop.test belongs to gamma-x")
	f.explain("order:4003", "sold by alpha", "no commission of this customer, day and seller", "lee@shop.test belongs to nobody")
	f.explain("invoice:70001", "On invoice 70001 89.11 USD was earned, and 14.85 USD taken back.", "kim@shop.test belongs")
	f.explain("invoice:70005", "On invoice 70005 12.00 AUD was earned.", "other@shop.test belongs to nobody")

	f.explain(secondLevel,
		"14.85 USD was earned by alpha (Keap id 1) on 2022-06-02, on invoice 70001 (Agency Membership), "+
			"on the second level: beta (Keap id 2) made the sale; "+
			"the hold on it ends with 2022-07; run 1 read it in exports/commissions.csv, line 3.",
		"kim@shop.test belongs to gamma-x")
	f.explain(clawback, "14.85 USD was taken back from alpha")
	f.explain(payment,
		"90.00 USD was paid to alpha (Keap id 1) on 2023-02-12 (Commission); run 1 read it in exports/payments.csv, line 2.")
	f.explain(opening, "40.00 USD was the beginning balance of beta (Keap id 2)", "ledger.csv, line 3.")
	f.explain(ofHouse, "5.00 USD was earned by the program's own partner (Keap id 3)")

	for what, members := range map[string]string{
		payment: "about answer entries", "invoice:70005": "about answer entries", "order:4001": "about answer entries",
		"order:4002": "about answer",
	} {
		o := object(t, f.explain(what))
		for name := range strings.FieldsSeq(members) {
			if o[name] == nil {
				t.Errorf("%s: no %s in %v", what, name, o)
			}
		}
	}
	f.refuses("order:x", true, `"x" is no order id`, "order:4002")
	f.refuses("order:9", false, "there is no such order: 9", "carryover explain CUSTOMER")
	f.refuses("invoice:9", false, `no entry of the ledger names the invoice "9"`, "order:9")
	f.refuses("invoice:", false, `names the invoice ""`)
	f.refuses("k-00000000000000000000000000000000", false, "the ledger has no such entry", `"carryover ledger --promoter TOKEN"`)
}
