package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"carryover/gateway/track"
	"carryover/mapping/book"
	"carryover/mapping/payout"
)

// What was earned live stays owed to its promoter, whatever an import decides about partners
// later. What was carried over for a partner that is excluded is the program's own.
func TestEarnedLiveStaysOwed(t *testing.T) {
	t.Parallel()
	const excludes = `exclude = ["carrot-house"]`
	config := readFile(t, "testdata/samples.toml")
	d := &payDesk{desk: newDesk(t, config), zone: losAngeles(t), sales: map[string][]book.EventLine{}}
	d.write("exports/partners.csv", "Id,AffName,AffCode,Status,ContactId,ParentId\n1,Ann,ANN,1,11,0\n2,Ann Again,ANN2,1,11,0\n3,Bo,BO,1,13,0\n")
	d.write("exports/contacts.csv", "Id,First Name,Last Name,Email\n11,Ann,Alpha,ann@mail.test\n13,Bo,Beta,bo@mail.test\n101,Kim,Lane,kim@shop.test\n")
	d.write("exports/commissions.csv", "Affiliate Id,date_earned,amount_earned,invoice_id,contact_id,product_name,description,sales_affiliate_id\n"+
		"1,12/2/2022,$7.00,70001,101,Agency Membership,Sale,1\n2,12/3/2022,$3.00,70002,101,Agency Membership,Sale,2\n")
	d.write("exports/ledger.csv", "Affiliate Id,Beginning Balance,Commissions,Clawbacks,Payments,Ending Balance\n1,$0.00,$7.00,$0.00,$0.00,$7.00\n2,$0.00,$3.00,$0.00,$0.00,$3.00\n")
	carry := func(exclude string) {
		t.Helper()
		d.write("carryover.toml", strings.Replace(config, excludes, exclude, 1))
		d.ok("plan", "exports")
		d.ok("apply")
	}
	// is checks what every command says of the balance, and what of it is whose.
	is := func(about, balance, planned string, house int64) {
		t.Helper()
		d.plansTo("2023-03", planned)
		var plan payout.Plan
		if err := json.Unmarshal([]byte(d.ok("payouts", "plan", "--month", "2023-03", "--json")), &plan); err != nil {
			t.Fatal(err)
		}
		if tt := plan.Totals; tt.House != house || tt.Ledger != tt.Due+tt.InPayment+tt.InsideHold+tt.House {
			t.Errorf("%s: totals %+v", about, tt)
		}
		for _, who := range []string{"ann", "ANN2"} {
			if got := d.objects(d.ok("promoters", "show", who, "--json"))[0]["balance_cents"]; fmt.Sprint(got) != strings.Replace(balance, ".", "", 1) {
				t.Errorf("%s: promoters show %s: %v", about, who, got)
			}
			d.contains(d.ok("ledger", "--promoter", who), "Balance of all entries: "+balance+"\n")
		}
		for _, l := range d.objects(d.ok("promoters", "--json")) {
			if l["ref_token"] == "ann" && fmt.Sprint(l["balance_cents"]) != strings.Replace(balance, ".", "", 1) {
				t.Errorf("%s: promoters: %v", about, l)
			}
		}
		d.contains(d.ok("payouts", "statement", "ann", "--year", "2023", "--format", "csv"), "2023-12-31,Closing balance,,,,"+balance+",USD")
	}
	sale := func(id, when string, want track.Outcome) {
		t.Helper()
		d.tells(func(s *teller) {
			s.now = s.at(when)
			call := track.Call{Kind: book.EventSale, Email: "lee@shop.test", EventID: id, Amount: 200_00, RefID: "ann"}
			if r, err := s.s.Submit(t.Context(), &call); err != nil || r.Outcome != want {
				t.Fatalf("%s: %+v, %v", id, r, err)
			}
		})
	}

	carry("exclude = []")
	sale("pay-1", "2023-01-10 09:00", track.Booked)
	d.handIn("ann")
	is("before", "60.00", "ann 60.00 (2022-12 2023-01: 50.00 0.00 10.00)", 0)

	carry(`exclude = ["ANN"]`)
	is("one partner is excluded", "53.00", "ann 53.00 (2022-12 2023-01: 50.00 0.00 3.00)", 700)
	sale("pay-2", "2023-01-20 09:00", track.Booked) // the other is not
	is("and sold", "103.00", "ann 103.00 (2022-12 2023-01: 100.00 0.00 3.00)", 700)

	carry(`exclude = ["ANN", "ANN2"]`)
	sale("pay-3", "2023-01-30 09:00", track.NotReferred) // nothing new
	d.plansTo("2023-03", "ann 100.00 (2023-01: 100.00 0.00 0.00)")
	d.contains(d.ok("ledger", "--promoter", "ann"), "Balance of all entries: 100.00\n")
	d.contains(d.ok("promoters"), "100.00")
	d.contains(d.ok("payouts", "statement", "ann", "--year", "2023", "--format", "csv"), "100.00,USD")
	d.contains(d.ok("ledger"), "ann", "(the program's own)", "together")

	// What was paid counts for the tax form.
	d.ok("promoters", "set", "ann", "country=US", "--by", "kim")
	run := d.approve("2023-03")
	d.ok("payouts", "record", fmt.Sprint(run), "--status", "paid", "--reference", "B1", "--date", "2023-03-12")
	d.write("carryover.toml", d.read("carryover.toml")+"\n[terms]\nform_1099 = { 2023 = \"100.00\" }\n")
	d.contains(d.ok("payouts", "1099", "--year", "2023"), "ann", "100.00")
	d.plansTo("2023-03", "")
}
