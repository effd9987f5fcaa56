package keap

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carryover/migrate/sheet"
)

// reading is what reading a text as one kind of export gave: a line for each row.
func reading[T any](t *testing.T, kind, text string, read func(*sheet.File, func(int, *T) error,
	func(*sheet.Reject) error) (sheet.Count, error), show func(*T) string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f := probe(t, path)
	if f.Kind != kind {
		t.Errorf("a file of %s was taken for %s", kind, f.Kind)
	}
	var got []string
	loaded := 0
	count, err := read(f, func(line int, row *T) error {
		loaded++
		got = append(got, fmt.Sprint(line, " ", show(row)))
		return nil
	}, func(r *sheet.Reject) error {
		if r.Hint == "" {
			t.Errorf("%v: no hint", r)
		}
		got = append(got, fmt.Sprintf("%d %s %s %q", r.Line, r.Reason, r.Column, r.Value))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count.Rows != count.Loaded+count.Rejected+count.Skipped || count.Loaded != loaded {
		t.Errorf("%+v", count)
	}
	return strings.Join(got, "\n")
}

// in gives a Read function the program's currency.
func in[T any](currency string, read func(*sheet.File, string, func(int, *T) error,
	func(*sheet.Reject) error) (sheet.Count, error)) func(*sheet.File, func(int, *T) error, func(*sheet.Reject) error) (sheet.Count, error) {
	return func(f *sheet.File, fn func(int, *T) error, onReject func(*sheet.Reject) error) (sheet.Count, error) {
		return read(f, currency, fn, onReject)
	}
}

func showID(id sheet.ID) string {
	if !id.Valid {
		return "-"
	}
	return fmt.Sprint(id.Number)
}

func showDate(d sheet.Date) string {
	if !d.Valid {
		return "-"
	}
	return d.Time.Format(time.DateOnly)
}

func equal(t *testing.T, got string, want ...string) {
	t.Helper()
	if w := strings.Join(want, "\n"); got != w {
		t.Errorf("got\n%s\nwant\n%s", got, w)
	}
}

func TestReferrals(t *testing.T) {
	show := func(r *Referral) string {
		return fmt.Sprint(showID(r.ID), " ", showID(r.ContactID), " by ", showID(r.PartnerID), r.PartnerCode, " ",
			showDate(r.SetAt), " to ", showDate(r.ExpiresAt), " ", r.Type, " ", r.Source, r.Note)
	}
	equal(t, reading(t, Referrals, "Id,ContactId,AffiliateId,DateSet,DateExpires,Type,IPAddress,Source,Info\n"+
		"0501,78,057,11/19/2020 2:08 PM,12/19/2020,cookie,192.0.2.1,ABC,\n"+
		",78,0,2020-11-19,,0,,,by hand\n"+
		"503,78,57,11/19/2020,0000-00-00,,,,\n"+
		"504,78,57,11/19/2020,0000-00-00 00:00:00,Permanent,,,\n"+
		"505,78,57,11/19/2020,,manual,,,\n"+
		"506,78,57,11/19/2020,,vip,,,\n"+
		"507,,57,11/19/2020,,,,,\n"+
		"508,78,,11/19/2020,,,,,\n"+
		"509,78,57,,,,,,\n"+
		"510,78,57,0000-00-00,,,,,\n"+
		"511,78,57,soon,,,,,\n"+
		"512,78,57,11/19/2020,never,,,,\n"+
		"1.23E+05,78,57,11/19/2020,,,,,\n"+
		"514,78,ann,11/19/2020,,,,,\n", ReadReferrals, show),
		"2 501 78 by 57 2020-11-19 to 2020-12-19 COOKIE ABC",
		"3 - 78 by 0 2020-11-19 to - COOKIE by hand",
		"4 503 78 by 57 2020-11-19 to - COOKIE ",
		"5 504 78 by 57 2020-11-19 to - PERMANENT ",
		"6 505 78 by 57 2020-11-19 to - MANUAL ",
		"7 506 78 by 57 2020-11-19 to - VIP ",
		`8 missing_value ContactId ""`,
		`9 missing_value AffiliateId ""`,
		`10 bad_date DateSet ""`,
		`11 bad_date DateSet "0000-00-00"`,
		`12 bad_date DateSet "soon"`,
		`13 bad_date DateExpires "never"`,
		`14 bad_id Id "1.23E+05"`,
		`15 bad_id AffiliateId "ann"`)

	// By code, without ids; a column of contacts is one of ids.
	equal(t, reading(t, Referrals, "Contact;Referral Partner;Referral Date\n12;ann;3/4/2023\n12;;3/4/2023\n12;ann;\n", ReadReferrals, show),
		"2 - 12 by -ann 2023-03-04 to - COOKIE ",
		`3 missing_value Referral Partner ""`,
		`4 bad_date Referral Date ""`)
	// With both: one is enough.
	equal(t, reading(t, Referrals, "Contact Id,Lead Affiliate Id,Code,Date Set\n12,7,,3/4/2023\n12,,ann,3/4/2023\n12,,,"+
		"3/4/2023\n", ReadReferrals, show),
		"2 - 12 by 7 2023-03-04 to - COOKIE ",
		"3 - 12 by -ann 2023-03-04 to - COOKIE ",
		`4 missing_value Lead Affiliate Id ""`)
}

func TestOrders(t *testing.T) {
	show := func(o *Order) string {
		return fmt.Sprint(showID(o.ID), " ", showID(o.ContactID), " ", showDate(o.OrderedAt), " ", o.Total, " ",
			showID(o.SalePartnerID), "/", showID(o.LeadPartnerID),
			" ", strings.Join([]string{o.Products, o.Type}, "|"))
	}
	equal(t, reading(t, Orders, "Invoice Id,Id,ContactId,Contact,First Name,Last Name,Email,Title,Order Type,Promo Code,"+
		"Order Title,Order Date,Product Ids,Product Name,Order Total,Pay Status,Affiliate Id,Lead Affiliate Id\n"+
		"9,4001,12,Ann Lee,Ann,Lee,a@b.test,Dr,Online,MAY,An order,3/31/2023,\"25,26\",One;Two,\"$1,299.00\",Paid,105,0\n"+
		"9,4002,12,,,,,,,,,3/31/2023,,,0,,,7\n"+
		"9,4003,12,,,,,,,,,3/31/2023,,,EUR 5.00,,,\n"+
		"9,,12,,,,,,,,,3/31/2023,,,5,,,\n"+
		"9,4005,,,,,,,,,,3/31/2023,,,5,,,\n"+
		"9,4006,12,,,,,,,,,,,,5,,,\n"+
		"9,4007,12,,,,,,,,,3/31/2023,,,,,,\n"+
		"9,4008,12,,,,,,,,,3/31/2023,,,5.001,,,\n"+
		"9,4009,12,,,,,,,,,3/31/2023,,,5,,x,\n", in("USD", ReadOrders), show),
		"2 4001 12 2023-03-31 1,299.00 USD 105/0 One;Two|Online",
		"3 4002 12 2023-03-31 0.00 USD -/7 |",
		"4 4003 12 2023-03-31 5.00 EUR -/- |",
		`5 missing_value Id ""`,
		`6 missing_value ContactId ""`,
		`7 bad_date Order Date ""`,
		`8 missing_value Order Total ""`,
		`9 bad_money Order Total "5.001"`,
		`10 bad_id Affiliate Id "x"`)

	// A column that may hold ids or codes is what most of its cells are.
	show = func(o *Order) string {
		return fmt.Sprint(showID(o.SalePartnerID), o.SalePartnerCode, " ", showID(o.LeadPartnerID), o.LeadPartnerCode)
	}
	f := func(columns, cells, want string) {
		t.Helper()
		equal(t, reading(t, Orders, "Id,ContactId,Order Date,Order Total,"+columns+"\n1,12,3/31/2023,5,"+cells+"\n",
			in("USD", ReadOrders), show), "2 "+want)
	}
	for _, column := range []string{"Sale Affiliate", "Sales Affiliate", "Sale Partner", "Referral Partner", "Affiliate", "Partner"} {
		f(column, "105", "105 -")
		f(column, "ann", "-ann -")
	}
	for _, column := range []string{"Code", "Aff Code", "AffCode", "Affiliate Code", "Partner Code",
		"Referral Partner Code", "Sale Affiliate Code"} {
		f(column, "105", "-105 -")
		f("Affiliate Id,"+column, "7,ann", "7ann -")
	}
	f("Lead Affiliate,Sale Affiliate", "7,105", "105 7")
	f("Lead Partner,Code", "bo,ann", "-ann -bo")
	f("Affiliate Id,Referral Partner", "7,Ann Lee", "7Ann Lee -")
}

// No sum of amounts may run over.
func TestLargeAmounts(t *testing.T) {
	limit := func(kind, header, row string, read func(text string) string) {
		t.Helper()
		f := func(amount, want string) {
			t.Helper()
			if got := read(header + "\n" + fmt.Sprintf(row, amount) + "\n"); !strings.HasPrefix(got, want) {
				t.Errorf("%s of %s: %s, want %s", kind, amount, got, want)
			}
		}
		f("100000000000.00", "2 ok")
		f("-100000000000.00", "2 ok")
		f("100000000000.01", "2 bad_money")
		f("-100000000000.01", "2 bad_money")
		f("92233720368547758.07", "2 bad_money")
	}
	limit(Orders, "Id,ContactId,Order Date,Order Total", "1,12,3/31/2023,%s", func(text string) string {
		return reading(t, Orders, text, in("USD", ReadOrders), func(*Order) string { return "ok" })
	})
	limit(Subscriptions, "Id,ContactId,BillingAmt", "1,12,%s", func(text string) string {
		return reading(t, Subscriptions, text, in("USD", ReadSubscriptions), func(*Subscription) string { return "ok" })
	})
	limit(Commissions, "Affiliate Id,DateEarned,Invoice Id,AmtEarned", "1,3/31/2023,7,%s", func(text string) string {
		return reading(t, Commissions, text, in("USD", ReadCommissions), func(*Commission) string { return "ok" })
	})
	limit(Clawbacks, "Affiliate Id,DateEarned,Invoice Id,Clawback", "1,3/31/2023,7,%s", func(text string) string {
		return reading(t, Clawbacks, text, in("USD", ReadClawbacks), func(*Commission) string { return "ok" })
	})
	limit(Payments, "Affiliate Id,Pay Date,Pay Amt", "1,3/31/2023,%s", func(text string) string {
		return reading(t, Payments, text, in("USD", ReadPayments), func(*Payment) string { return "ok" })
	})
	limit(Ledger, "Affiliate Id,Commissions,Ending Balance", "1,%s,0", func(text string) string {
		return reading(t, Ledger, text, in("USD", ReadLedger), func(*LedgerRow) string { return "ok" })
	})
	equal(t, reading(t, Payments, "Affiliate Id,Pay Date,Pay Amt\n1,3/31/2023,10000000000000\n1,3/31/2023,10000000000001\n"+
		"", in("JPY", ReadPayments), func(*Payment) string { return "ok" }),
		"2 ok", `3 bad_money Pay Amt "10000000000001"`)
}

func TestSubscriptions(t *testing.T) {
	show := func(s *Subscription) string {
		return fmt.Sprint(showID(s.ID), " ", showID(s.ContactID), " ", showID(s.SalePartnerID), "/", showID(s.LeadPartnerID),
			" ", s.PlanID, "|", s.Product,
			" ", s.Amount, " ", s.Status == sheet.Active, s.HasStatus, " ", showDate(s.StartedAt), " to ", showDate(s.EndedAt))
	}
	equal(t, reading(t, Subscriptions, "Id,ContactId,SubscriptionPlanId,ProductId,Product Name,LeadAffiliateId,AffiliateId,"+
		"BillingAmt,Status,StartDate,EndDate,PaidThruDate,NextBillDate\n"+
		"303,96,101,11,Pro,57,58,$87.30,Active,3/24/2023,,4/23/2023,4/24/2023\n"+
		",96,,,,,,5,,,1/2/2023,,\n"+
		"305,,,,,,,5,,,,,\n"+
		"306,96,,,,,,,,,,,\n"+
		"307,96,,,,,,a lot,,,,,\n"+
		"308,96,,,,,,5,,soon,,,\n", in("USD", ReadSubscriptions), show),
		"2 303 96 58/57 101|Pro 87.30 USD true true 2023-03-24 to -",
		"3 - 96 -/- | 5.00 USD false true - to 2023-01-02",
		`4 missing_value ContactId ""`,
		`5 missing_value BillingAmt ""`,
		`6 bad_money BillingAmt "a lot"`,
		`7 bad_date StartDate "soon"`)
	equal(t, reading(t, Subscriptions, "Infusionsoft's Contact Id,Infusionsoft's Sale Affiliate Id,Price,Cycle\n96,58,5\n",
		in("JPY", ReadSubscriptions), show),
		"2 - 96 58/- | 5 JPY false false - to -")
}

func TestCommissionsAndClawbacks(t *testing.T) {
	show := func(c *Commission) string {
		return fmt.Sprint(showID(c.PartnerID), c.PartnerCode, " ", showDate(c.EarnedAt), " ", c.Amount, " #", c.Invoice, " ",
			showID(c.ContactID), " ", c.Product, "|", c.Description, " ", showID(c.SellerID))
	}
	equal(t, reading(t, Commissions, "Code,Referral Partner,INVOICE #,contact_id,amtearned,DATE EARNED,sales_affiliate_id,"+
		"CONTACTLASTNAME,description,contact_first_name,Product_Name\n"+
		"ann,Ann Lee,70002,103,649.50,2023-03-31,105,Lee,Sale: Two,Jo,Two\n"+
		"ann,,007,,($1.00),3/31/2023,,,,,\n"+
		"ann,,,,A$1,3/31/2023,,,,,\n"+
		",Ann Lee,70002,,5,3/31/2023,,,,,\n"+
		"ann,,70002,,5,,,,,,\n"+
		"ann,,70002,,,3/31/2023,,,,,\n"+
		"ann,,70002,,5.555,3/31/2023,,,,,\n"+
		"ann,,7.00E+04,,5,3/31/2023,,,,,\n"+
		"ann,,70002,x,5,3/31/2023,,,,,\n", in("USD", ReadCommissions), show),
		"2 -ann 2023-03-31 649.50 USD #70002 103 Two|Sale: Two 105",
		"3 -ann 2023-03-31 -1.00 USD #7 - | -",
		"4 -ann 2023-03-31 1.00 AUD # - | -",
		`5 missing_value Code ""`,
		`6 bad_date DATE EARNED ""`,
		`7 missing_value amtearned ""`,
		`8 bad_money amtearned "5.555"`,
		`9 bad_id INVOICE # "7.00E+04"`,
		`10 bad_id contact_id "x"`)

	// The sign of a clawback says nothing.
	equal(t, reading(t, Clawbacks, "Affiliate Id,Clawback Amount,DateEarned,InvoiceId,ContactId,FirstName,LastName,"+
		"ProductName,Description,SaleAffId,subscription_plan_name\n"+
		"44,$88.66,8/13/2021,70015,110,Di,Vale,Leads,Refund,44,\n"+
		"44,(88.66),8/13/2021,70015,,,,,,,\n"+
		"44,-88.66,8/13/2021,70015,,,,,,,\n"+
		"0,0.00,8/13/2021,,,,,,,,\n"+
		",1,8/13/2021,70015,,,,,,,\n"+
		"44,1,,70015,,,,,,,\n"+
		"44,,8/13/2021,70015,,,,,,,\n"+
		"44,1..0,8/13/2021,70015,,,,,,,\n", in("USD", ReadClawbacks), show),
		"2 44 2021-08-13 88.66 USD #70015 110 Leads|Refund 44",
		"3 44 2021-08-13 88.66 USD #70015 - | -",
		"4 44 2021-08-13 88.66 USD #70015 - | -",
		"5 0 2021-08-13 0.00 USD # - | -",
		`6 missing_value Affiliate Id ""`,
		`7 bad_date DateEarned ""`,
		`8 missing_value Clawback Amount ""`,
		`9 bad_money Clawback Amount "1..0"`)
}

func TestPayments(t *testing.T) {
	show := func(p *Payment) string {
		return fmt.Sprint(showID(p.ID), " ", showID(p.PartnerID), p.PartnerCode, " ", showDate(p.PaidAt), " ", p.Amount, " ",
			p.Type, "|", p.Note)
	}
	equal(t, reading(t, Payments, "Id,Batch Id,Affiliate Id,Aff Code,Pay Date,Pay Amt,Pay Type,Notes\n"+
		"901,B1,44,,1/13/2023,$49.98,Cash,\"Commission, 1/2023\"\n"+
		",,,ann,1/13/2023,(10.00),Refund,\n"+
		"903,,,,1/13/2023,1,,\n"+
		"904,,44,,,1,,\n"+
		"905,,44,,1/13/2023,,,\n"+
		"906,,44,,1/13/2023,\"12,50\",,\n"+
		"9-7,,44,,1/13/2023,1,,\n", in("USD", ReadPayments), show),
		"2 901 44 2023-01-13 49.98 USD Cash|Commission, 1/2023",
		"3 - -ann 2023-01-13 -10.00 USD Refund|",
		`4 missing_value Affiliate Id ""`,
		`5 bad_date Pay Date ""`,
		`6 missing_value Pay Amt ""`,
		`7 bad_money Pay Amt "12,50"`,
		`8 bad_id Id "9-7"`)
}

func TestLedger(t *testing.T) {
	show := func(r *LedgerRow) string {
		text := fmt.Sprint(showID(r.PartnerID), r.PartnerCode)
		for _, a := range []LedgerAmount{r.Opening, r.Commissions, r.Clawbacks, r.Payments, r.Closing} {
			text += " " + a.String()
			if !a.Given {
				text += "?"
			}
		}
		return text
	}
	equal(t, reading(t, Ledger, "Referral Partner,Id,Beginning Balance,Commissions,Clawbacks,Payments,Ending Balance\n"+
		"Ann Lee,044,$0.00,$153.64,$88.66,-49.98,$15.00\n"+
		"Ann Lee,44,,,(88.66),,(15.00)\n"+
		"Ann Lee,44,,,-88.66,,\n"+
		"Ann Lee,44,,EUR 1.00,,€2.00,3.00 EUR\n"+
		"Ann Lee,44,,EUR 1.00,,,3.00\n"+
		"Ann Lee,,,,,,3.00\n"+
		"Ann Lee,44,,,x,,3.00\n"+
		"Ann Lee,44,,,,,3.001\n"+
		"Ann Lee,0,,,,,3.00\n", in("USD", ReadLedger), show),
		"2 44 0.00 USD 153.64 USD 88.66 USD -49.98 USD 15.00 USD",
		"3 44 0.00 USD 0.00 USD 88.66 USD 0.00 USD -15.00 USD",
		"4 44 0.00 USD 0.00 USD 88.66 USD 0.00 USD 0.00 USD",
		"5 44 0.00 EUR 1.00 EUR 0.00 EUR 2.00 EUR 3.00 EUR",
		`6 bad_money Ending Balance "3.00"`,
		`7 missing_value Id ""`,
		`8 bad_money Clawbacks "x"`,
		`9 bad_money Ending Balance "3.001"`,
		"10 0 0.00 USD 0.00 USD 0.00 USD 0.00 USD 3.00 USD")
	equal(t, reading(t, Ledger, "Code,Balance,Amount Earned\nann,1,2\n,1,2\n", in("AUD", ReadLedger), show),
		"2 -ann 0.00 AUD? 2.00 AUD 0.00 AUD? 0.00 AUD? 1.00 AUD",
		`3 missing_value Code ""`)
}

// A row is rejected once, and always for the same of its cells.
func TestRowsWithSeveralBadCells(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	f(reading(t, Partners, "Id,Aff Code,Contact Id,Date Created\nx,a,y,never\nx,a,y,1/2/2023\n1,,y,\n", ReadPartners,
		func(p *Partner) string { return showID(p.ID) }),
		"2 bad_date Date Created \"never\"\n3 bad_id Id \"x\"\n4 bad_id Contact Id \"y\"")
	f(reading(t, Contacts, "Id,Email,Date Created,Last Updated\nx,,never,soon\nx,,,soon\nx,,,\n", ReadContacts,
		func(c *Contact) string { return showID(c.ID) }),
		"2 bad_date Date Created \"never\"\n3 bad_date Last Updated \"soon\"\n4 bad_id Id \"x\"")
	f(reading(t, Referrals, "Id,ContactId,AffiliateId,DateSet\nx,,y,never\n1,,y,never\n1,,2,never\n1,,2,\n", ReadReferrals,
		func(r *Referral) string { return showID(r.ID) }),
		"2 bad_id Id \"x\"\n3 bad_id AffiliateId \"y\"\n4 bad_date DateSet \"never\"\n5 missing_value ContactId \"\"")
	f(reading(t, Commissions, "Affiliate Id,Date Earned,Amt Earned,Invoice #,Contact Id\ny,never,z,w,v\n1,never,z,w,v\n1,"+
		"1/2/2023,z,w,v\n1,1/2/2023,z,w,\n1,1/2/2023,1,w,\n",
		in("USD", ReadCommissions), func(c *Commission) string { return showID(c.PartnerID) }),
		"2 bad_id Affiliate Id \"y\"\n3 bad_date Date Earned \"never\"\n4 bad_id Contact Id \"v\"\n5 bad_money Amt Earned "+
			"\"z\"\n6 bad_id Invoice # \"w\"")
	f(reading(t, Subscriptions, "Id,ContactId,BillingAmt,Frequency,Start Date,End Date\nx,,z,1,never,soon\nx,,z,1,,soon\nx,"+
		",z,1,,\n1,,z,1,,\n1,2,z,1,,\n",
		in("USD", ReadSubscriptions), func(s *Subscription) string { return showID(s.ID) }),
		"2 bad_date Start Date \"never\"\n3 bad_date End Date \"soon\"\n4 bad_id Id \"x\"\n5 missing_value ContactId \"\"\n6 "+
			"bad_money BillingAmt \"z\"")
}

// The samples' README files state these.
func TestReadMoneySamples(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	got, _ := outcome(t, "small/referrals.csv", ReadReferrals)
	f(got, "246 read, 245 loaded, map[blank:1] skipped")
	got, _ = outcome(t, "small/orders.csv", in("USD", ReadOrders))
	f(got, `240 read, 238 loaded, map[blank:1] skipped; 10 bad_money Order Total "#VALUE!"`)
	got, _ = outcome(t, "small/subscriptions.csv", in("USD", ReadSubscriptions))
	f(got, "59 read, 58 loaded, map[blank:1] skipped")
	got, _ = outcome(t, "small/commissions.csv", in("USD", ReadCommissions))
	f(got, `204 read, 202 loaded, map[blank:1] skipped; 11 bad_money amtearned "#REF!"`)
	got, _ = outcome(t, "small/clawbacks.csv", in("USD", ReadClawbacks))
	f(got, "9 read, 8 loaded, map[blank:1] skipped")
	got, _ = outcome(t, "small/partner-payments.csv", in("USD", ReadPayments))
	f(got, "74 read, 73 loaded, map[blank:1] skipped")
	got, rows := outcome(t, "small/ledger.csv", in("USD", ReadLedger))
	f(got, "43 read, 40 loaded, map[blank:2 totals:1] skipped")
	var sums [5]int64
	for _, r := range rows {
		for i, a := range []LedgerAmount{r.Opening, r.Commissions, r.Clawbacks, r.Payments, r.Closing} {
			sums[i] += a.Minor
		}
	}
	if sums != [5]int64{334475, 1129361, 43252, 1152601, 267983} {
		t.Errorf("the ledger's columns sum to %v", sums)
	}
}
