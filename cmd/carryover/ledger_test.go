package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// newMoneyDesk is a desk with a program of a few people whose customers, orders and money
// are easily overlooked. Alpha is the parent of Beta, who has two partners; House is the
// program's own.
func newMoneyDesk(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, strings.Replace(readFile(t, "testdata/samples.toml"), "carrot-house", "House", 1))
	d.write("exports/partners.csv", `Id,AffName,AffCode,Status,ContactId,ParentId,Email
1,Ann Alpha,Alpha,1,11,0,ann@mail.test
2,Bob Beta,Beta,1,12,1,bob@mail.test
3,The House,House,1,13,0,house@mail.test
4,Bob Beta,beta-old,0,12,0,bob@mail.test
5,Cy Gamma,gamma.x,1,15,0,cy@mail.test
6,Di Twin,Twin,1,16,0,di@mail.test
7,Ed Twin,TWIN,1,17,0,ed@mail.test
`)
	d.write("exports/contacts.csv", `Id,First Name,Last Name,Email
11,Ann,Alpha,ann@mail.test
12,Bob,Beta,bob@mail.test
101,Kim,Lane,Kim@Shop.test
102,Kim,Lane,kim@shop.test
103,Lee,Moor,lee@shop.test
104,Max,North,
105,Kim,Other,other@shop.test
106,Ola,Park,ola@shop.test
107,Pia,Quay,pia@shop.test
`)
	d.write("exports/referrals.csv", `Id,ContactId,AffiliateId,DateSet,DateExpires,Type,Source
501,101,1,1/5/2022 9:00 AM,,COOKIE,course
502,102,2,6/1/2022 9:00 AM,,COOKIE,shop
503,102,1,6/1/2022 9:00 AM,,MANUAL,
504,101,5,6/1/2022 9:00 AM,,MANUAL,
505,101,5,12/1/2022 9:00 AM,1/1/2023,COOKIE,course
506,101,1,4/2/2023 9:00 AM,,COOKIE,course
511,103,3,2/1/2023 9:00 AM,,COOKIE,
512,103,1,1/1/2023 9:00 AM,,COOKIE,
521,104,2,2/1/2023 9:00 AM,,COOKIE,course
531,106,1,2/1/2021 9:00 AM,3/1/2021,COOKIE,course
541,11,1,2/1/2021 9:00 AM,,COOKIE,course
551,107,2,4/2/2023 9:00 AM,,COOKIE,course
`)
	d.write("exports/orders.csv", `Id,ContactId,Order Type,Order Date,Product Name,Order Total,Affiliate Id
4001,101,Online,6/2/2022,Agency Membership,$297.02,2
4002,101,Online,7/2/2022,Agency Membership,$297.02,0
4003,103,Online,7/2/2022,Evergreen Webinar,$100.00,1
`)
	d.write("exports/subscriptions.csv", `Id,ContactId,SubscriptionPlanId,Product Name,AffiliateId,BillingAmt,Status,StartDate,EndDate
301,101,7,Agency Membership,2,$297.02,Inactive,6/2/2022,8/2/2022
`)
	d.write("exports/commissions.csv", `Affiliate Id,date_earned,amount_earned,invoice_id,contact_id,product_name,description,sales_affiliate_id
2,6/2/2022,$74.26,70001,101,Agency Membership,Sale,2
1,6/2/2022,$14.85,70001,101,Agency Membership,Level 2,2
1,1/10/2023,$100.00,70002,105,Evergreen Webinar,Sale,1
1,2/10/2023,$40.00,70003,105,Evergreen Webinar,Sale,1
1,3/10/2023,$30.00,70004,105,Evergreen Webinar,Sale,1
4,3/11/2023,AUD 12.00,70005,105,Evergreen Webinar,Sale,4
3,3/11/2023,$5.00,70006,105,Evergreen Webinar,Sale,3
`)
	d.write("exports/clawbacks.csv", `Affiliate Id,Amount,DateEarned,InvoiceId,ContactId,ProductName,Description,SaleAffId
1,$14.85,6/20/2022,70001,101,Agency Membership,Refund,2
1,$20.00,3/15/2023,70004,105,Evergreen Webinar,Refund,1
`)
	d.write("exports/payments.csv", `id,Affiliate Id,date,amount,type,notes
901,1,2/12/2023,$90.00,Cash,Commission
902,2,2/12/2023,$100.00,PayPal,Commission
903,2,2/14/2023,($10.00),PayPal,came back
`)
	d.write("exports/ledger.csv", `Affiliate Id,Beginning Balance,Commissions,Clawbacks,Payments,Ending Balance
1,$0.00,$184.85,$34.85,$90.00,$60.00
2,$40.00,$74.26,$0.00,$90.00,$24.26
3,$0.00,$5.00,$0.00,$0.00,$5.00
4,AUD 0.00,AUD 12.00,AUD 0.00,AUD 0.00,AUD 12.00
`)
	if r := d.run("plan", "exports"); r.code != console.ExitDone {
		t.Fatalf("plan: exit %d\n%s%s", r.code, r.out, r.err)
	}
	d.ok("apply")
	return d
}

func TestLedger(t *testing.T) {
	t.Parallel()
	d := newMoneyDesk(t)
	const names = "event_id kind ref_token keap_partner_id at month amount_cents currency invoice product description customer_email customer_name keap_contact_id seller_ref_token level type source_file source_line run"
	entries := func(args ...string) []map[string]any {
		t.Helper()
		list := d.objects(d.ok(append([]string{"ledger", "--json"}, args...)...))
		for _, e := range list {
			if fields(e) != sorted(names) {
				t.Fatalf("%v: %s", args, fields(e))
			}
		}
		return list
	}
	f := func(n int, sum float64, args ...string) {
		t.Helper()
		total := 0.0
		list := entries(args...)
		for _, e := range list {
			total += e["amount_cents"].(float64)
		}
		if len(list) != n || total != sum {
			t.Errorf("%v: %d entries of %v, want %d of %v", args, len(list), total, n, sum)
		}
	}
	f(13, 6000+2426+500+1200) // in two currencies
	f(7, 6000, "--promoter", "alpha")
	f(7, 6000, "--promoter", "Alpha")
	f(7, 6000, "--promoter", "ALPHA")
	f(7, 6000, "--promoter", "001")
	f(5, 2426+1200, "--promoter", "beta-old") // a code of one of two partners
	f(5, 2426+1200, "--promoter", "4")
	f(0, 0, "--promoter", "gamma.x")
	f(1, 500, "--promoter", "House")
	f(2, 0, "--promoter", "alpha", "--year", "2022")
	f(5, 6000, "--promoter", "alpha", "--year", "2023")
	f(3, -18000, "--kind", "payment", "--year", "2023")
	f(1, 4000, "--kind", "opening")
	d.fails(console.ExitFailed, []string{`no promoter has the ref token, code or Keap id "nobody"`, `"carryover promoters"`}, "ledger", "--promoter", "nobody")
	d.fails(console.ExitFailed, []string{`"tWin" could mean several promoters: twin by its ref token and code, twin-2 by its code`, "write a Keap id: --promoter 6 for twin, --promoter 7 for twin-2"}, "ledger", "--promoter", "tWin")
	d.fails(console.ExitUsage, []string{"--year: 22 is no year", "2022"}, "ledger", "--year", "22")
	d.fails(console.ExitUsage, []string{`--kind: "bonus" is no kind: write commission, clawback, payment, opening or difference`}, "ledger", "--kind", "bonus")
	d.fails(console.ExitUsage, []string{`--kind: "payments" is no kind`}, "ledger", "--promoter", "alpha", "--kind", "payments", "--json")

	second := entries("--promoter", "alpha", "--year", "2022")[0]
	for name, want := range map[string]any{
		"kind": "commission", "ref_token": "alpha", "keap_partner_id": 1.0, "at": "2022-06-02T00:00:00-07:00", "month": "2022-06", "amount_cents": 1485.0, "currency": "USD",
		"invoice": "70001", "product": "Agency Membership", "description": "Level 2", "customer_email": "kim@shop.test", "customer_name": "Kim Lane", "keap_contact_id": 101.0,
		"seller_ref_token": "beta", "level": 2.0, "type": "", "source_line": 3.0, "run": 1.0,
	} {
		if second[name] != want {
			t.Errorf("%s: %v, want %v", name, second[name], want)
		}
	}
	if !strings.HasSuffix(second["source_file"].(string), "commissions.csv") || !strings.HasPrefix(second["event_id"].(string), "k-") {
		t.Errorf("%v", second)
	}
	paid := entries("--kind", "payment", "--promoter", "alpha")[0]
	if paid["amount_cents"] != -9000.0 || paid["type"] != "Cash" || paid["level"] != 1.0 || paid["seller_ref_token"] != "" {
		t.Errorf("payment: %v", paid)
	}

	d.contains(d.ok("ledger"), "beginning", "alpha", "(the program's own)", "-34.85", "together", "AUD", "--promoter TOKEN")
	d.contains(d.ok("ledger", "--year", "2022"), "together")
	d.contains(d.ok("ledger", "--kind", "opening"), "40.00")
	d.contains(d.ok("ledger", "--year", "1999"), "No entries.")
	statement := d.ok("ledger", "--promoter", "alpha", "--year", "2023")
	d.contains(statement, "Keap id 1 (Alpha)", "brought forward", "payment, Cash", "payments.csv:2", second["event_id"].(string)[:2], "Balance at the end of 2023: 60.00")
	d.contains(d.ok("ledger", "--promoter", "alpha"), "commission, sold by beta", "of the second level", "14.85", "2022", "2023")
	d.contains(d.ok("ledger", "--promoter", "beta"), "Keap id 2 (Beta), Keap id 4 (beta-old)", "12.00 AUD", "Balance of all entries: 24.26", "Balance of all entries: 12.00 AUD")
	d.contains(d.ok("ledger", "--promoter", "gamma-x"), "No entries.")
	if lines := strings.Split(statement, "\n"); !strings.HasSuffix(strings.Join(strings.Fields(lines[4])[:7], " "), "Evergreen Webinar other@shop.test 100.00") {
		t.Errorf("statement:\n%s", statement)
	}
}

// A word that is the token of one promoter and the old code of another means the token, and
// says so; in other letter case it names neither.
func TestLedgerOfAmbiguousName(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.write("exports/partners.csv", `Id,AffName,AffCode,Status,ContactId,ParentId,Email
1,Ann Lee,ann.lee,1,11,0,ann@mail.test
2,Anna Lee,ann-lee,1,12,0,anna@mail.test
3,Bo Digits,1,1,13,0,bo@mail.test
`)
	if r := d.run("plan", "exports"); r.code != console.ExitDone {
		t.Fatalf("plan: exit %d\n%s%s", r.code, r.out, r.err)
	}
	d.ok("apply")
	for _, command := range []string{"ledger", "referrals"} {
		const both, say = "ann-lee by its ref token, ann-lee-2 by its code", "--promoter 01 for ann-lee, --promoter 2 for ann-lee-2"
		d.fails(console.ExitFailed, []string{both, say}, command, "--promoter", "ANN-LEE")
		if r := d.run(command, "--promoter", "ann-lee"); r.code != console.ExitDone || !strings.Contains(r.err, both) || !strings.Contains(r.err, say) {
			t.Errorf("%s of the ref token: exit %d\n%s", command, r.code, r.err)
		}
	}
	for who, want := range map[string]string{"01": "ann-lee, Keap id 1 (ann.lee)", "ann.lee": "ann-lee, Keap id 1 (ann.lee)", "2": "ann-lee-2, Keap id 2 (ann-lee)", "ann-lee-2": "ann-lee-2, Keap id 2 (ann-lee)"} {
		d.contains(d.ok("ledger", "--promoter", who), want)
	}
}

// The table by year, the statement of one year and the summary of it say the same.
func TestLedgerYearsAgree(t *testing.T) {
	t.Parallel()
	d := newMoneyDesk(t)
	says := func(want []string, args ...string) {
		t.Helper()
		var lines []string
		for line := range strings.Lines(d.ok(append([]string{"ledger"}, args...)...)) {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
		for _, w := range want {
			if !slices.Contains(lines, w) {
				t.Errorf("%v does not say %q:\n%s", args, w, strings.Join(lines, "\n"))
			}
		}
		if last := lines[len(lines)-1]; last != want[len(want)-1] {
			t.Errorf("%v ends with %q", args, last)
		}
	}
	const header = "year brought forward opening entries commissions second level clawbacks payments differences balance"
	first, second := "2022 0.00 40.00 74.26 0.00 0.00 0.00 0.00 114.26", "2023 114.26 0.00 0.00 0.00 0.00 -90.00 0.00 24.26"
	says([]string{header, first, second, "opening entries 1 40.00", "Balance of all entries: 24.26"}, "--promoter", "beta")
	says([]string{header, first, "Balance at the end of 2022: 114.26"}, "--promoter", "beta", "--year", "2022")
	says([]string{"brought forward 114.26", header, second, "Balance at the end of 2023: 12.00 AUD", "Balance at the end of 2023: 24.26"}, "--promoter", "beta", "--year", "2023")
	says([]string{"brought forward 24.26", "No entries.", "Balance at the end of 2024: 24.26"}, "--promoter", "beta", "--year", "2024")
	// The entries of one kind make no balance.
	says([]string{"year opening entries commissions second level clawbacks payments differences", "2023 0.00 0.00 0.00 0.00 -90.00 0.00", "Balance of all entries: 24.26"}, "--promoter", "beta", "--kind", "payment")
	d.contains(d.ok("ledger", "--year", "2023"), "114.26", "24.26")
}

// The ledger is written in pieces; none is lost between them.
func TestLongLedger(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	b, err := book.Open(d.path("data/book.db"))
	if err != nil {
		t.Fatal(err)
	}
	const n = 2*1000 + 7 // tables and look-ups go by thousands
	c := book.Changes{Content: book.Content{
		Promoters: []book.Promoter{{ID: 1, Token: "old", KeapID: 1, Status: book.StatusActive, MergedInto: 2}, {ID: 2, Token: "new", KeapID: 2, Status: book.StatusActive}},
		Aliases:   []book.Alias{{Kind: book.AliasKeapID, Value: "1", PromoterID: 1, Code: "one"}, {Kind: book.AliasKeapID, Value: "2", PromoterID: 2, Code: "two"}},
	}}
	start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for i := range n {
		id := int64(i + 1)
		key := fmt.Sprintf("c%05d@mail.test", id)
		c.KeapRecords.Contacts.Create = append(c.KeapRecords.Contacts.Create, book.Contact{ID: id, Email: key, Name: "C"})
		c.KeapRecords.Referrals.Create = append(c.KeapRecords.Referrals.Create, book.Referral{Customer: key, Email: key, ContactID: id, PartnerID: 1 + id%2, ReferredAt: start, Rule: terms.RuleOnly})
		c.KeapRecords.Commissions = append(c.KeapRecords.Commissions, book.Commission{
			ID: book.EntryID{byte(i >> 8), byte(i)}, Kind: book.KindCommission, PartnerID: 1 + id%2, ContactID: id, EarnedAt: start + id*3600, Month: 202001, Amount: 1, Currency: "USD",
		})
	}
	slices.SortFunc(c.KeapRecords.Commissions, func(x, y book.Commission) int { return slices.Compare(x.ID[:], y.ID[:]) })
	if _, err := b.Apply(context.Background(), book.Import{PlanID: "p", AppliedAt: time.Unix(start, 0)}, 0, &c, nil, func(int) {}); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"new", "old", "2", "1"} { // who was merged stands for the other
		seen := map[any]bool{}
		for _, e := range d.objects(d.ok("ledger", "--promoter", who, "--json")) {
			seen[e["customer_email"]] = true
			if e["ref_token"] != "new" {
				t.Fatalf("%v", e)
			}
		}
		if len(seen) != n {
			t.Errorf("%s: %d entries, want %d", who, len(seen), n)
		}
	}
	for _, args := range [][]string{{"ledger", "--promoter", "new"}, {"referrals"}} {
		out := d.ok(args...)
		last := 0
		for line := range strings.Lines(out) {
			if _, at, ok := strings.Cut(line, "c0"); ok {
				var id int
				fmt.Sscanf(at, "%d@", &id)
				if id != last+1 {
					t.Fatalf("%v: %d after %d", args, id, last)
				}
				last = id
			}
		}
		if last != n {
			t.Errorf("%v ends with %d", args, last)
		}
	}
	// A run of an earlier carryover does not say for which day it was.
	p := d.objects(d.ok("promoters", "--json"))
	if len(p) != 1 || p[0]["balance_cents"] != float64(n) || p[0]["held_cents"] != 0.0 {
		t.Errorf("promoters: %v", p)
	}
}
