package report

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"carryover/mapping/book"
	"carryover/migrate"
	"carryover/migrate/keap"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew); got:\n%s", name, got)
	}
}

// plans are the plans that the tests report.
func plans() map[string]*migrate.Plan {
	return map[string]*migrate.Plan{"blocked": blocked(), "ready": ready(), "settled": settled(), "crowded": crowded(), "empty": {}}
}

const hostile = `<script>alert("x")</script>`

// blocked is a plan with questions, and with everything that a hostile or careless
// export can put into the texts.
func blocked() *migrate.Plan {
	p := &migrate.Plan{
		PlanID: "3f1c9a52b7d04e6688aa01c2d3e4f506", InputsID: "a1b2c3d4e5f60718293a4b5c6d7e8f90",
		WorkDir: "/home/ops", Args: []string{"exports/old crm", "partners=more.csv"},
		Files: []migrate.FilePlan{
			{
				Path: "exports/old crm/referral-partners.csv", Kind: "partners", Rows: 1042, Loaded: 1037, Rejected: 3, Skipped: 2,
				SkippedBy: map[string]int{"blank": 1, "totals": 1}, Encoding: "utf-8-bom", Delimiter: "comma", LineEnd: "crlf", HeaderLine: 1,
				DateLayout:    map[string]string{"Date Created": "month_first"},
				NotUnderstood: []string{"Lieblingsfarbe", hostile, "好きな色"}, Dropped: []string{"Password", "SSN"},
				Bytes: 183_211, Took: 12*time.Millisecond + 400*time.Microsecond,
			},
			{
				Path: "exports/old crm/contacts.csv", Kind: "contacts", Rows: 1_204_310, Loaded: 1_204_288, Rejected: 1, Skipped: 21,
				SkippedBy: map[string]int{"blank": 2, "duplicate": 17, "superseded": 2}, Encoding: "utf-16le", Delimiter: "tab", LineEnd: "lf",
				HeaderLine: 3,
				DateLayout: map[string]string{"Last Updated": "day_first", "Date Created": "day_first"},
				Bytes:      212_004_118, Took: 8*time.Second + 420*time.Millisecond,
			},
			{
				Path: "exports/old crm/zips/連結.csv", Kind: "links", Rows: 7, Loaded: 4, Rejected: 2, Skipped: 1,
				SkippedBy: map[string]int{"repeated_header": 1}, Encoding: "windows-1252", Delimiter: "semicolon", LineEnd: "cr", HeaderLine: 1,
				Bytes: 812, Took: 300 * time.Microsecond,
			},
			money(keap.Commissions), money(keap.Clawbacks), money(keap.Payments), money(keap.Ledger), money(keap.Orders),
		},
		Unread: []migrate.Unread{
			{Path: "exports/old crm/orders.csv", Kind: "orders",
				Reason: "recognised as orders (240 rows), which this version does not carry over yet"},
			{Path: "exports/old crm/\x1b[31mscan.pdf", Reason: "exports/old crm/\x1b[31mscan.pdf: is a PDF, not a CSV"},
		},
		Rejects: []migrate.RejectLine{
			{File: "exports/old crm/referral-partners.csv", Line: 17, Reason: "bad_id", Column: "Id", Value: "1.23E+05",
				Hint: "a spreadsheet has rounded the number away; export the list again"},
			{File: "exports/old crm/referral-partners.csv", Line: 88, Reason: "bad_id", Column: "Id", Value: hostile,
				Hint: "an id is a whole number"},
			{File: "exports/old crm/referral-partners.csv", Line: 90, Reason: "too_many_cells", Hint: "a comma inside a cell must be quoted"},
			{File: "exports/old crm/contacts.csv", Line: 1_000_204, Reason: "missing_value", Column: "Id",
				Hint: "fill it in; a row without it cannot be loaded"},
			{File: "exports/old crm/zips/連結.csv", Line: 3, Reason: "unsafe_destination", Column: "Website Address",
				Value: "javascript:alert(1)", Hint: "it is not http or https"},
			{File: "exports/old crm/zips/連結.csv", Line: 4, Reason: "unsafe_destination", Column: "Website Address",
				Value: "https://go.carrot.test/go/home/\u202egnp.exe", Hint: "it leads back to the old links"},
		},
		Conflicts: []migrate.Conflict{
			informs(migrate.KindRenamed, "JOHN SMITH", "partner 1012 gets the ref token john-smith; its old codes and ids keep working"),
			informs(migrate.KindRenamed, "日本語コード", "partner 1099 gets the ref token ------; its old codes and ids keep working"),
			informs(migrate.KindNeedsEmail, hostile,
				"partner 1014: its contact 77 has the e-mail \"none\"; it becomes a promoter that needs one, its links work"),
			informs(migrate.KindMerged, "anna",
				"anna (1001), anna2 (1020), anna-old (1031) share a contact or an address: one promoter, anna, for all of them"),
			informs(migrate.KindUnsafeLink, "promo", `exports/old crm/zips/連結.csv, line 3: "javascript:alert(1)" is rejected, `+
				"it is not http or https; the code is unknown to the gateway"),
			informs(migrate.KindAmbiguousCode, "Bob",
				"Bob, bob differ only by case and are different promoters: each is honoured as it is spelled, any other spelling credits nobody"),
			informs("of_a_later_version", "x", "a kind that has no words yet"),
			informs(migrate.KindNoCustomerEmail, "4711", "contact 4711 was referred and has no usable e-mail address: it is kept under its Keap "+
				"id, and the new platform will not know it until it has one"),
			informs(migrate.KindSubscription, "ann@acme.test",
				"its running subscription 12 (\"Pro\") was sold by Bob (1013); by its referrals the customer belongs to anna (1001)"),
			asks(migrate.KindUnbalanced, "anna", migrate.Accept, "", "anna (1001), exports/old crm/ledger.csv, line 4, ending 100.01 USD: the "+
				"ledger itself does not add up: 0.00 USD + 100.00 USD - 0.00 USD - 0.00 USD comes to 100.00 USD, difference 0.01 USD"),
			decided(asks(migrate.KindUnbalanced, hostile, migrate.Accept, migrate.Fix, "its payments come to 12.50 USD in their rows and to "+
				"50.00 USD in the ledger, difference 37.50 USD; look at exports/old crm/payments.csv line 9 (rejected, bad_money)"), "Ann Lee"),
			decided(asks(migrate.KindUnbalanced, "連結", migrate.Accept, migrate.Exclude,
				"its commissions come to 5.00 USD in their rows and to 0.00 USD in the ledger, difference -5.00 USD"), hostile),
			asks(migrate.KindDuplicate, "partners:1015", migrate.KeepFirst, migrate.KeepLater, "1015 stands in exports/old "+
				"crm/referral-partners.csv, line 20, and in more.csv, line 4, and the two differ in code, e-mail, without dates that tell which is "+
				"newer: \"first\" keeps the one named first, \"later\" the other"),
			asks(migrate.KindDuplicate, "partners:1016", migrate.KeepLater, "", "1016 stands in exports/old crm/referral-partners.csv, line 21, "+
				"and in more.csv, line 5, and the two differ in status, without dates that tell which is newer: \"first\" keeps the one named "+
				"first, \"later\" the other"),
			asks(migrate.KindDateOrder, "exports/old crm/contacts.csv:created_at", migrate.DayFirst, migrate.DayFirst,
				`exports/old crm/contacts.csv, line 9, column "Date Created": "13/08/2022" is a date only with the day first, and no value of `+
					"the column needs the month first (412 fit only day first, 600 fit both): is the column day first?"),
		},
		Tables: map[string]migrate.TableCount{
			"promoter": {Create: 1030, Update: 1, Unchanged: 2}, "promoter_alias": {Create: 2071}, "link": {Create: 4},
			"payout_line": {Unchanged: 12},
			"commission":  {Create: 40_100, Unchanged: 12}, "payout": {Create: 12_001}, "referral": {Create: 40_200, Update: 10},
			"referral_row": {Create: 61_002}, "sale": {}, "subscription": {}, "contact": {Create: 40_911},
		},
		Totals: migrate.Totals{
			Partners: 1037, House: 1, Promoters: 1033, Active: 812, Inactive: 221, NeedEmail: 1, Merged: 3, Contacts: 1_204_288,
			Links: 4, Codes: 1038, KeapIDs: 1037, Rejected: 6, Skipped: 24, OpenBlocking: 1,
		},
		BaseRun:   4,
		AsOf:      "2023-03-31",
		Customers: migrate.CustomerTotals{Customers: 40_210, Owned: 38_001, House: 12, Expired: 2_190, Later: 7, NoEmail: 31, Self: 2},
		Money: []migrate.Reconciliation{{
			Currency: "USD", Accounts: 1037, Beginning: 1_204_417, Commissions: 98_411_202, Clawbacks: 1_003_377, Payments: 90_120_050,
			Ending:         8_492_193,
			RowCommissions: 98_411_702, RowClawbacks: 1_003_377, RowPayments: 90_116_300, Book: 8_495_943, Promoters: 8_495_502,
		}},
		Differences: []migrate.Difference{
			{Conflict: "unbalanced_ledger:" + hostile, Partner: 1014, Code: hostile, Token: "script", Currency: "USD", Amount: -3750,
				Decision: migrate.Fix},
			{Conflict: "unbalanced_ledger:連結", Partner: 1099, Code: "連結", Token: "------", Currency: "USD", Amount: -500,
				Decision: migrate.Exclude},
			{Conflict: "unbalanced_ledger:anna", Partner: 1001, Code: "anna", Token: "anna", Currency: "USD", Amount: 1},
		},
		Months: months(2021, 1, 27, "USD"),
		Balances: []migrate.Balance{
			{Token: "anna", Name: "Anna " + hostile, Status: "active", Currency: "USD", Amount: 8_419_701, Held: 2_100_000},
			{Token: "bob", Status: "active", Currency: "USD", Amount: 80_801, Held: 90_000},
			{Token: "script", Name: "連結", Status: "inactive", Currency: "USD", Amount: 0},
			{Token: "debtor", Name: "A debtor", Status: "active", Currency: "USD", Amount: -5_000},
		},
		FindingsBy: map[string]int{migrate.FindingNoCommission: 2, migrate.FindingRate: 1, "of_a_later_version": 1},
		Compared:   1_234,
		Uncompared: 66,
		Findings: []migrate.Finding{
			{Kind: migrate.FindingNoCommission, Day: "2023-02-01", ContactID: 77, PartnerID: 1001, Orders: "5001 5002",
				Products: "Evergreen Webinar; " + hostile, Total: 49_700, Expected: 24_850, Currency: "USD",
				Explanation: "a sale of this partner, and no commission of this customer and day"},
			{Kind: migrate.FindingNoCommission, Day: "2023-02-02", ContactID: 78, PartnerID: 4242, Orders: "5003", Products: "Pro Membership",
				Total: 99_900, Expected: 24_975, Currency: "USD", Explanation: "a sale of this partner, and no commission of this customer and day"},
			{Kind: migrate.FindingRate, Day: "2023-02-03", ContactID: 79, PartnerID: 1001, Orders: "5004", Invoices: "70001",
				Products: "Pro Membership", Total: 10_000, Expected: 2_500, Found: 3_000, Currency: "USD", Explanation: "25% of 100.00 is 25.00"},
			{Kind: "of_a_later_version", Day: "2023-02-03", ContactID: 79, PartnerID: 1001, Currency: "USD",
				Explanation: "a kind that has no words yet"},
		},
		After: book.Content{
			Promoters: []book.Promoter{{ID: 1, Token: "anna", KeapID: 1001}},
			Aliases: []book.Alias{{Kind: book.AliasCode, Value: "Bob", State: book.StateAmbiguous},
				{Kind: book.AliasCode, Value: "anna", PromoterID: 1}, {Kind: book.AliasKeapID, Value: "1001", PromoterID: 1}},
		},
		Changes: book.Changes{KeapRecords: book.KeapRecords{Entries: []book.Commission{{Kind: book.KindOpening}, {Kind: book.KindOpening},
			{Kind: book.KindDifference}}}},
	}
	return p
}

func informs(kind, subject, detail string) migrate.Conflict {
	return migrate.Conflict{ID: kind + ":" + subject, Kind: kind, Subject: subject, Detail: detail, Recommended: migrate.Accept}
}

func asks(kind, subject, recommended, decision, detail string) migrate.Conflict {
	return migrate.Conflict{ID: kind + ":" + subject, Kind: kind, Subject: subject, Detail: detail, Recommended: recommended, Blocking: true,
		Decision: decision}
}

// money is an export of one of the kinds that have to do with money.
func money(kind string) migrate.FilePlan {
	return migrate.FilePlan{
		Path: "exports/old crm/" + kind + ".csv", Kind: kind, Rows: 2400, Loaded: 2400, Encoding: "utf-8", Delimiter: "comma", LineEnd: "lf",
		HeaderLine: 1,
		Bytes:      312_000, Took: 21 * time.Millisecond,
	}
}

func decided(c migrate.Conflict, by string) migrate.Conflict {
	c.DecidedBy = by
	return c
}

// ready is a small plan that nothing stands in the way of.
func ready() *migrate.Plan {
	return &migrate.Plan{
		PlanID: "00112233445566778899aabbccddeeff", InputsID: "ffeeddccbbaa99887766554433221100", Args: []string{"exports"},
		Files: []migrate.FilePlan{{Path: "partners.csv", Kind: "partners", Rows: 1, Loaded: 1, Encoding: "utf-8", Delimiter: "comma",
			LineEnd: "lf", HeaderLine: 1, Bytes: 90, Took: 3 * time.Millisecond}},
		Tables: map[string]migrate.TableCount{"promoter": {Create: 1}, "promoter_alias": {Create: 2}, "link": {}},
		Totals: migrate.Totals{Partners: 1, Promoters: 1, Active: 1, Codes: 1, KeapIDs: 1},
	}
}

// settled is a plan whose money is proven in one currency; in the other a person has
// decided to go on without the rows of the payments.
func settled() *migrate.Plan {
	p := ready()
	p.Files = append(p.Files, money(keap.Ledger), money(keap.Commissions), money(keap.Clawbacks), money(keap.Orders))
	p.AsOf, p.Customers = "2023-03-31", migrate.CustomerTotals{Customers: 1, Owned: 1}
	p.Money = []migrate.Reconciliation{
		{Currency: "JPY", Accounts: 1, Commissions: 125_000, Ending: 120_000, RowCommissions: 125_000, RowClawbacks: 5_000, Book: 120_000,
			Promoters: 120_000},
		{Currency: "USD", Accounts: 12, Beginning: 3_344_75, Commissions: 11_293_61, Clawbacks: 432_52, Payments: 11_526_01, Ending: 2_679_83,
			RowCommissions: 11_293_61, RowClawbacks: 432_52, Book: 2_679_83, Promoters: 2_679_83},
	}
	p.Months = append(months(2023, 3, 1, "JPY"), months(2012, 4, 132, "USD")...)
	p.Balances = []migrate.Balance{{Token: "anna", Name: "Anna", Status: "active", Currency: "JPY", Amount: 120_000, Held: 120_000}}
	for i := range 12 {
		p.Balances = append(p.Balances, migrate.Balance{Token: fmt.Sprintf("promoter-%d", i), Name: "Someone with a name that is rather long",
			Status: "active", Currency: "USD", Amount: int64(86_356 / (i + 1)), Held: int64(14_000 * (i % 2))})
	}
	p.Compared, p.Uncompared = 2_397, 3
	p.Conflicts = []migrate.Conflict{
		decided(asks(migrate.KindNoRows, keap.Payments, migrate.Accept, migrate.Accept,
			"the ledger has payments for 12 partners, and there is no file of them among the exports"), "Ann Lee"),
		asks(migrate.KindDateOrder, "contacts.csv:created_at", migrate.DayFirst, migrate.DayFirst, "is the column day first?"),
		informs(migrate.KindProduct, "Mystery Box",
			`the product "Mystery Box" (3 orders or subscriptions, 1 commission or clawback) matches no pattern in [products]`),
	}
	return p
}

// crowded is the plan of a program in which everything went wrong thousands of times.
func crowded() *migrate.Plan {
	p := blocked()
	p.Conflicts, p.Rejects = nil, nil
	for i := range 5000 {
		p.Conflicts = append(p.Conflicts, informs(migrate.KindNeedsEmail, fmt.Sprintf("code-%04d", i),
			fmt.Sprintf("partner %d: its contact is in no file; it becomes a promoter that needs one, its links work", 1000+i)))
		if i < 1200 {
			p.Conflicts = append(p.Conflicts, asks(migrate.KindDuplicate, fmt.Sprintf("partners:%d", 1000+i), migrate.KeepFirst, "",
				fmt.Sprintf("%d stands in a.csv, line %d, and in b.csv, line %d, and the two differ in code", 1000+i, i, i)))
		}
		p.Rejects = append(p.Rejects,
			migrate.RejectLine{File: "a.csv", Line: i + 2, Reason: "bad_id", Column: "Id", Value: "1E+05", Hint: "an id is a whole number"})
	}
	p.Differences, p.Findings, p.Balances = nil, nil, nil
	for i := range 10_000 {
		code, decision := fmt.Sprintf("code-%04d", i), ""
		if i >= 4_000 {
			decision = migrate.Accept
		}
		c := asks(migrate.KindUnbalanced, code, migrate.Accept, decision, "the ledger itself does not add up")
		if i >= 5_000 {
			c.DecidedBy = fmt.Sprintf("person %d", i%40)
		}
		p.Conflicts = append(p.Conflicts, c)
		p.Differences = append(p.Differences, migrate.Difference{Conflict: c.ID, Partner: int64(i), Code: code, Token: code, Currency: "USD",
			Amount: int64(i - 5000), Decision: decision})
		p.Findings = append(p.Findings, migrate.Finding{Kind: migrate.FindingRate, Day: "2023-02-03", ContactID: int64(i), PartnerID: int64(i),
			Orders: "5004", Invoices: "70001", Products: "Pro Membership", Total: 10_000, Expected: 2_500, Found: int64(i), Currency: "USD",
			Explanation: "25% of 100.00 is 25.00"})
		p.Balances = append(p.Balances,
			migrate.Balance{Token: code, Name: "Somebody", Status: "active", Currency: "USD", Amount: int64(900_000 - 100*i), Held: 5000})
	}
	p.FindingsBy = map[string]int{migrate.FindingRate: 10_000}
	p.Months = months(1993, 1, 400, "USD")
	p.Customers = migrate.CustomerTotals{Customers: 1_200_000, Owned: 1_190_000, Expired: 10_000, NoEmail: 10_000}
	p.Totals.Rejected, p.Totals.OpenBlocking, p.Totals.NeedEmail = 5000, 1200, 5000
	return p
}
