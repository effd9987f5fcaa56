package migrate_test

import (
	"fmt"
	"testing"

	"carryover/migrate"
)

// Who an order or a subscription credits, however it names them: an id holds, known or
// not; a code that is nobody's, or of several people, is nobody.
func TestCredited(t *testing.T) {
	f := func(columns string, orders ...string) {
		t.Helper()
		d := newEnv(t, carrot())
		rows, want := []string{"Id,ContactId,Product Name,BillingAmt,StartDate,Order Date,Order Total," + columns}, []string{}
		for i, order := range orders {
			var cells, credited string
			if _, err := fmt.Sscanf(order, "%s %s", &cells, &credited); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, fmt.Sprintf("%d,5,Membership,10.00,1/2/2023,1/2/2023,10.00,%s", i+1, cells))
			want = append(want, fmt.Sprintf("%d %s", i+1, credited))
		}
		d.write("exports/orders.csv", rows...)
		d.write("exports/subscriptions.csv", rows...)
		d.export("exports", []string{"1,5,0,ann,Active", "2,6,0,bo,Active", "3,7,0,two,Active", "4,8,0,two,Active"},
			[]string{"5,A,B,a@carrot.test,", "6,C,D,c@carrot.test,", "7,E,F,e@carrot.test,", "8,G,H,g@carrot.test,"})
		d.plan("orders="+d.path("exports", "orders.csv"), "subscriptions="+d.path("exports", "subscriptions.csv"), d.path("exports"))
		if _, err := d.tryApply(migrate.Decisions{}); err != nil {
			t.Fatal(err)
		}
		m, err := d.book.KeapRecords(d.ctx())
		if err != nil {
			t.Fatal(err)
		}
		var sales, subscriptions []string
		for _, s := range m.Sales.Create {
			sales = append(sales, fmt.Sprintf("%d %d/%d", s.ID, s.SellerID, s.LeadID))
		}
		for _, s := range m.Subscriptions.Create {
			subscriptions = append(subscriptions, fmt.Sprintf("%d %d/%d", s.ID, s.SellerID, s.LeadID))
		}
		same(t, "orders with "+columns, sales, want)
		same(t, "subscriptions with "+columns, subscriptions, want)
	}
	f("Affiliate Id,Lead Affiliate Id", "1,2 1/2", "0,0 0/0", ", 0/0", "77,78 77/78")
	f("Sale Affiliate,Lead Affiliate", "1,2 1/2", "2, 2/0")
	f("Sale Partner,Lead Partner", "ann,bo 1/2", "bo, 2/0", "nosuch,Ann 0/0", "two,two 0/0")
	f("Aff Code,Lead Affiliate Code", "bo,ann 2/1")
	f("Affiliate Id,Code", "1,bo 1/0", ",bo 2/0", "77,bo 77/0", "0,bo 0/0")
	for _, column := range []string{"Referral Partner", "Affiliate", "Partner", "Code", "Affiliate Code", "Referral Partner Code"} {
		f(column, "ann 1/0", "nosuch 0/0")
	}
}
