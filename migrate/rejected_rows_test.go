package migrate_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"carryover/migrate"
	"carryover/migrate/report"
)

// oneLedger writes a small program: two partners with a ledger of one row each, a commission
// and a referral. Files are replaced by name.
func oneLedger(d *env, changes map[string][]string) string {
	d.Helper()
	files := map[string][]string{
		"partners.csv":    {partnersHeader, "101,2001,0,Apostle,1", "102,2002,0,bluewren,1"},
		"contacts.csv":    {"Id,First Name,Last Name,Email", "2001,Ann,Apostle,ann@post.test", "2002,Bob,Wren,bob@post.test", "3001,Cat,Cust,cat@mail.test"},
		"links.csv":       {"Id,Name,Link Code,Website Address", "1,Bare,bare,https://carrot.test"},
		"referrals.csv":   {"Id,Contact Id,Affiliate Id,Date Set,Type", "1,3001,101,2023-01-15,COOKIE"},
		"commissions.csv": {"Affiliate Id,Invoice Id,Date,Product,Commission Amount", "101,8001,2023-01-15,Membership,12.25"},
		"ledger.csv": {"Affiliate Id,AffCode,Beginning Balance,Commissions,Clawbacks,Payments,Ending Balance",
			"101,Apostle,0.00,12.25,0.00,0.00,12.25", "102,bluewren,1012.25,0.00,0.00,0.00,1012.25"},
	}
	for name, lines := range changes {
		files[name] = lines
	}
	for name, lines := range files {
		if lines == nil {
			os.Remove(d.path("exports", name))
			continue
		}
		d.write("exports/"+name, lines...)
	}
	return d.path("exports")
}

// ledgerWith is a ledger of oneLedger with another second row.
func ledgerWith(row string) map[string][]string {
	return map[string][]string{"ledger.csv": {"Affiliate Id,AffCode,Beginning Balance,Commissions,Clawbacks,Payments,Ending Balance",
		"101,Apostle,0.00,12.25,0.00,0.00,12.25", row}}
}

// text is what the terminal says of a plan.
func (d *env) text(p *migrate.Plan) string {
	d.Helper()
	var b strings.Builder
	d.must(report.Plan(&b, report.Terminal{}, p, "out", "carryover"))
	return strings.Join(strings.Fields(b.String()), " ")
}

// Rows that cannot be loaded are a question with their sum: nothing is called proven that
// lacks them, nothing is applied before somebody has decided, and what was decided is named
// for ever after.
func TestRejectedRows(t *testing.T) {
	f := func(what string, changes map[string][]string, id string, wants ...string) {
		t.Helper()
		t.Run(what, func(t *testing.T) {
			t.Helper()
			d := newEnv(t, carrot())
			exports := oneLedger(d, changes)
			p := d.plan(exports)
			// Not of the program's currency, in which all is read, nor of what is no money.
			isMoney := what != "another currency" && !strings.Contains(id, "referrals") && !strings.Contains(id, "links")
			var detail string
			for _, c := range p.Open() {
				if c.ID == id {
					detail = c.Detail
				}
				if c.Recommended == "" {
					t.Errorf("%s recommends nothing", c.ID)
				}
			}
			if detail == "" {
				t.Fatalf("%s is not asked: %+v", id, p.Open())
			}
			for _, want := range wants {
				if !strings.Contains(detail, want) {
					t.Errorf("%q is not said in: %s", want, detail)
				}
			}
			if text := d.text(p); strings.Contains(text, "Proven") && isMoney {
				t.Errorf("proven, with undecided rows: %s", text)
			}
			if _, err := d.tryApply(nil); err == nil || !strings.Contains(err.Error(), "no decision") {
				t.Errorf("apply without a decision: %v", err)
			}
			_, err := d.try(d.decide("mend.csv", func(id, recommended string) string {
				if strings.HasPrefix(id, migrate.KindRejected+":") {
					return migrate.Mend
				}
				return recommended
			}), exports)
			d.must(err)
			if _, err := d.tryApply(nil); err == nil || !strings.Contains(err.Error(), `"mend" waits until its rows are mended`) {
				t.Errorf("apply of what is to be mended: %v", err)
			}
			p, err = d.try(d.decide("decided.csv", recommended), exports)
			d.must(err)
			if open := p.Open(); len(open) > 0 {
				t.Errorf("open with every recommendation taken: %+v", open)
			}
			if text := d.text(p); strings.Contains(text, "Proven") && isMoney {
				t.Errorf("proven, with rows that were left out: %s", text)
			}
			d.apply()
			differences, _, decided, said := d.verify()
			if differences != 0 || decided == 0 || !strings.Contains(said, "rejected row") || !strings.Contains(said, "decided: accept") {
				t.Errorf("verify: %d differences, %d decided: %s", differences, decided, said)
			}
		})
	}
	const ledger = "rejected_rows:ledger.csv"
	f("a cell of a ledger row", ledgerWith("102,bluewren,1012.25,0.00,1012.255,0.00,1012.25"), ledger,
		"ledger.csv: 1 of 2 rows rejected, with endings of 1,012.25 USD", `line 3, bad_money, Clawbacks "1012.255"`)
	f("its ending", ledgerWith("102,bluewren,1012.25,0.00,0.00,0.00,1012.255"), ledger, "with endings of 1,012.25 USD")
	f("its ending and beginning", ledgerWith("102,bluewren,#REF!,0.00,0.00,0.00,#REF!"), ledger,
		`endings of 1 amount that cannot be read ("#REF!")`)
	f("a cell too many", ledgerWith("102,bluewren,1012.25,0.00,0.00,0.00,1012.25,x"), ledger, "with endings of 1,012.25 USD", "too_many_cells",
		"102,bluewren")
	f("a comma in an amount", ledgerWith("102,bluewren,0.00,1,012.25,0.00,0.00,1012.25"), ledger, "with endings of 1,012.25 USD")
	f("an unknown partner", ledgerWith("109,nobody,1012.25,0.00,0.00,0.00,1012.25"), ledger, "1,012.25 USD",
		`unknown_partner, Affiliate Id "109"`)
	f("no partner", ledgerWith(",,1012.25,0.00,0.00,0.00,1012.25"), ledger, "1,012.25 USD", "missing_value")
	f("another currency", ledgerWith("109,nobody,EUR 1012.25,0,0,0,EUR 1012.25"), ledger, "1,012.25 EUR")
	f("every row of the ledger", map[string][]string{"ledger.csv": {"Affiliate Id,Commissions,Ending Balance", "101,12.2551,12.2551",
		"102,0,1012.255"}}, ledger, "every row was rejected (2 rows), which is as good as no file", "2 amounts that cannot be read")
	f("a commission", map[string][]string{"commissions.csv": {"Affiliate Id,Invoice Id,Date,Product,Commission Amount",
		"101,8001,2023-01-15,Membership,12.25", "102,8002,2023-02-31,Membership,7.00"}}, "rejected_rows:commissions.csv",
		"1 of 2 rows rejected, with commissions of 7.00 USD", "bad_date")
	f("a clawback", map[string][]string{"clawbacks.csv": {"Affiliate Id,Invoice Id,Date,Clawback Amount", "109,8001,2023-01-15,($3.00)"}},
		"rejected_rows:clawbacks.csv", "clawbacks of 3.00 USD")
	f("a payment", map[string][]string{"payments.csv": {"Payment Id,Affiliate Id,Pay Date,Pay Amount", "7,109,2023-01-15,3.00"}},
		"rejected_rows:payments.csv", "payments of 3.00 USD")
	f("every referral", map[string][]string{"referrals.csv": {"Id,Contact Id,Affiliate Id,Date Set,Type", "1,3001,101,last week,COOKIE"}},
		"rejected_rows:referrals.csv", "every row was rejected (1 row), which is as good as no file", `bad_date, Date Set "last week"`)
	f("one referral", map[string][]string{"referrals.csv": {"Id,Contact Id,Affiliate Id,Date Set,Type", "1,3001,101,2023-01-15,COOKIE",
		"2,4711,101,2023-01-16,COOKIE"}}, "rejected_rows:referrals.csv", "1 of 2 rows rejected", "unknown_contact")
	f("every link", map[string][]string{"links.csv": {"Id,Name,Link Code,Website Address", "1,Bare,bare,https://shop.carrot.test/a",
		"2,Blog,blog,https://Blog.test/", "3,Blog,blog2,https://blog.test/2"}}, "rejected_rows:links.csv",
		"every row was rejected (3 rows)", "missing from allowed_hosts: blog.test, shop.carrot.test")
}

// A kind of which every row was rejected is as good as missing, whatever the report calls it.
func TestKindThatWasRejected(t *testing.T) {
	f := func(changes map[string][]string, wants ...string) {
		t.Helper()
		d := newEnv(t, carrot())
		p := d.plan(oneLedger(d, changes))
		var open []string
		for _, c := range p.Open() {
			open = append(open, c.ID)
		}
		same(t, "open", open, wants)
		if text := d.text(p); changes["referrals.csv"] != nil && len(wants) > 0 && !strings.Contains(text, "No customer is carried over: referrals.csv, 1 rejected row") {
			t.Errorf("the report does not say where the customers are: %s", text)
		}
	}
	f(map[string][]string{"ledger.csv": {"Affiliate Id,Commissions,Ending Balance", "101,12.2551,12.2551"}}, "no_ledger:ledger",
		"rejected_rows:ledger.csv")
	f(map[string][]string{"commissions.csv": {"Affiliate Id,Invoice Id,Date,Product,Commission Amount", "101,8001,soon,Membership,12.25"}},
		"no_rows:commissions", "rejected_rows:commissions.csv")
	f(map[string][]string{"referrals.csv": {"Id,Contact Id,Affiliate Id,Date Set,Type", "1,3001,101,soon,COOKIE"}}, "rejected_rows:referrals.csv")
	// A file without rows is one.
	f(map[string][]string{"referrals.csv": {"Id,Contact Id,Affiliate Id,Date Set,Type"},
		"clawbacks.csv": {"Affiliate Id,Invoice Id,Date,Clawback Amount"}})
}

// Of kinds without money a share may be rejected.
func TestTolerateRejects(t *testing.T) {
	f := func(share *float64, contacts, rejected int, asks bool) {
		t.Helper()
		d := newEnv(t, carrot())
		d.settings.TolerateRejects = share
		rows := []string{"Id,First Name,Last Name,Email", "2001,Ann,Apostle,ann@post.test", "2002,Bob,Wren,bob@post.test", "3001,Cat,Cust,cat@mail.test"}
		for i := len(rows) - 1; i < contacts; i++ {
			if i >= contacts-rejected {
				rows = append(rows, "1.2E+05,Eve,Excel,eve@mail.test")
			} else {
				rows = append(rows, fmt.Sprintf("%d,Cat,Cust,cat%d@mail.test", 4000+i, i))
			}
		}
		p := d.plan(oneLedger(d, map[string][]string{"contacts.csv": rows}))
		if open := p.Open(); (len(open) > 0) != asks {
			t.Errorf("%d of %d: open %+v, want a question: %t", rejected, contacts, open, asks)
		}
	}
	one, none, ten := 0.01, 0.0, 0.1
	f(nil, 10, 1, false)
	f(nil, 10, 2, true)
	f(nil, 400, 4, false)
	f(nil, 400, 5, true)
	f(&one, 10, 1, true)
	f(&one, 100, 1, false)
	f(&none, 400, 1, true)
	f(&ten, 100, 10, false)
	f(&ten, 100, 11, true)
}

// A decision is about just these rows: about others it is asked again.
func TestOtherRejectedRows(t *testing.T) {
	d := newEnv(t, carrot())
	exports := oneLedger(d, ledgerWith("102,bluewren,1012.25,0.00,1012.255,0.00,1012.25"))
	d.plan(exports)
	decided := d.decide("decided.csv", recommended)
	oneLedger(d, ledgerWith("102,bluewren,1012.25,0.00,1012.257,0.00,1012.25"))
	p, err := d.try(decided, exports)
	d.must(err)
	if open := p.Open(); len(open) != 1 || !strings.HasPrefix(open[0].Detail, "asked again") {
		t.Errorf("open: %+v", open)
	}
}

// What was mended counts as loaded, and once.
func TestMendedRows(t *testing.T) {
	d := newEnv(t, carrot())
	exports := oneLedger(d, map[string][]string{
		"ledger.csv": {"Affiliate Id,AffCode,Beginning Balance,Commissions,Clawbacks,Payments,Ending Balance",
			"101,Apostle,0.00,12.25,0.00,0.00,12.25", "102,bluewren,1012.25,0.00,1012.255,0.00,1012.25"},
		"links.csv": {"Id,Name,Link Code,Website Address", "1,Bare,bare,https://carrot.test", "2,Shop,shop,https://elsewhere.test/shop",
			"3,Blog,blog,https://elsewhere.test/blog"},
	})
	d.plan(exports)
	d.mend(d.path("plan", "rejects", "ledger.csv"), map[string]string{"1012.255": "0.00"})
	d.mend(d.path("plan", "rejects", "links.csv"), map[string]string{"https://elsewhere.test/shop": "https://carrot.test/shop"})
	for range 2 { // planned again, and again
		p := d.plan(exports, d.path("plan", "rejects"))
		if len(p.Open()) > 0 || p.Totals.Rejected != 1 || len(p.Unread) > 0 {
			t.Errorf("open %+v, %d rejected, unread %+v", p.Open(), p.Totals.Rejected, p.Unread)
		}
		same(t, "links that are rejected", has(p, migrate.KindUnsafeLink), []string{"blog"})
		if text := d.text(p); !strings.Contains(text, "Proven to the cent: 2 ledgers agree with their rows, one by one. "+
			"Of 4 rows of money, 3 loaded, 1 skipped, none rejected.") {
			t.Errorf("the report: %s", text)
		}
		rows := 0
		for _, f := range p.Files {
			if f.Rows != f.Loaded+f.Rejected+f.Skipped {
				t.Errorf("%+v", f)
			}
			rows += f.SkippedBy["mended"]
		}
		if rows != 2 {
			t.Errorf("%d rows count as mended", rows)
		}
	}
	d.apply()
	d.owe("mended", map[account]int64{{101, "USD"}: 1225, {102, "USD"}: 101225})
	same(t, "verify", d.differences(), nil)
	if got := d.token("/go/shop/Apostle"); got != "apostle" {
		t.Errorf("the mended link credits %q", got)
	}
}

// What was left out once is named by every later plan and verification, until it is loaded.
func TestLeftOutForEverAfter(t *testing.T) {
	f := func(what string, later func(d *env) []string, missing bool) {
		t.Helper()
		t.Run(what, func(t *testing.T) {
			t.Helper()
			d := newEnv(t, carrot())
			exports := oneLedger(d, ledgerWith("102,bluewren,1012.25,0.00,1012.255,0.00,1012.25"))
			d.plan(exports)
			_, err := d.try(d.decide("decided.csv", recommended), exports)
			d.must(err)
			d.apply()
			var p *migrate.Plan
			for i, args := range [][]string{later(d), {d.write("third/partners.csv", partnersHeader, "103,2003,0,Third,1")}} {
				p = d.migrate(args...)
				if len(p.Missing) > 0 != missing {
					t.Errorf("plan %d: missing %+v", i+2, p.Missing)
				}
				_, _, decided, said := d.verify()
				if named := strings.Contains(said, "1 rejected row (1,012.25 USD) of an earlier run; decided: accept"); named != missing || missing && decided == 0 {
					t.Errorf("verify after run %d: %d decided, %s", i+2, decided, said)
				}
			}
			if text := d.text(p); missing && (strings.Contains(text, "Proven") ||
				!strings.Contains(text, "left out by an earlier run, and nothing has brought since: ledger.csv, 1 rejected row (1,012.25 USD)")) {
				t.Errorf("the report: %s", text)
			}
		})
	}
	f("another export", func(d *env) []string {
		return []string{d.write("later/partners.csv", partnersHeader, "104,2004,0,Fourth,1")}
	}, true)
	f("a ledger with others", func(d *env) []string {
		d.write("later/commissions.csv", "Affiliate Id,Invoice Id,Date,Product,Commission Amount", "101,8001,2023-01-15,Membership,12.25")
		return []string{d.write("later/ledger.csv", "Affiliate Id,Commissions,Ending Balance", "101,12.25,12.25"), d.path("later", "commissions.csv")}
	}, true)
	f("its mended copy", func(d *env) []string {
		d.mend(d.path("plan", "rejects", "ledger.csv"), map[string]string{"1012.255": "0.00"})
		d.must(os.Rename(d.path("plan", "rejects", "ledger.csv"), d.path("mended.csv")))
		return []string{d.path("mended.csv")}
	}, false)
	f("its mended copy beside the export", func(d *env) []string {
		d.mend(d.path("plan", "rejects", "ledger.csv"), map[string]string{"1012.255": "0.00"})
		return []string{d.path("exports"), d.path("plan", "rejects")}
	}, false)
	f("the ledger without the mistake", func(d *env) []string {
		return []string{oneLedger(d, nil)}
	}, false)
}

// A partner may have the code Total: its rows are none of totals, by id or by code.
func TestPartnerCalledTotal(t *testing.T) {
	f := func(ledger ...string) {
		t.Helper()
		d := newEnv(t, carrot())
		d.migrate(oneLedger(d, map[string][]string{
			"partners.csv": {partnersHeader, "101,2001,0,Apostle,1", "102,,0,Total,1"}, "ledger.csv": ledger,
		}))
		d.owe(ledger[0], map[account]int64{{101, "USD"}: 1225, {102, "USD"}: 101225})
		d.proven()
	}
	f("Affiliate Id,AffCode,Beginning Balance,Commissions,Ending Balance", "101,Apostle,0.00,12.25,12.25", "102,Total,1012.25,0,1012.25",
		",Totals,1012.25,12.25,1024.50")
	f("AffCode,Beginning Balance,Commissions,Ending Balance", "Apostle,0.00,12.25,12.25", "Total,1012.25,0,1012.25",
		"Grand Total,1012.25,12.25,1024.50")
}

// The same row mended in two ways would count twice: that is asked. Mended in one way, wherever
// the copies lie, it counts once.
func TestMendedTwice(t *testing.T) {
	f := func(second string, open ...string) {
		t.Helper()
		d := newEnv(t, carrot())
		exports := oneLedger(d, map[string][]string{"commissions.csv": {"Affiliate Id,Invoice Id,Date,Product,Commission Amount",
			"101,8001,2023-01-15,Membership,12.255", "101,8002,2023-02-15,Membership,0.00"}})
		d.plan(exports)
		rejects := d.path("plan", "rejects", "commissions.csv")
		text, err := os.ReadFile(rejects)
		d.must(err)
		copied := d.write("copy/commissions.csv", strings.TrimSuffix(string(text), "\n"))
		d.mend(rejects, map[string]string{"12.255": "12.25"})
		d.mend(copied, map[string]string{"12.255": second})
		p := d.plan(exports, d.path("plan", "rejects"), d.path("copy"))
		var ids []string
		for _, c := range p.Open() {
			ids = append(ids, c.ID)
		}
		same(t, "open", ids, open)
		if p.Totals.Rejected != 0 {
			t.Errorf("%d rows are rejected", p.Totals.Rejected)
		}
	}
	f("12.25")
	f("12.26", "rejected_rows:commissions.csv:2", "unbalanced_ledger:Apostle")
}

// A rejected row that another file tells of is not lost, without the columns of rejects too.
func TestRejectedRowToldElsewhere(t *testing.T) {
	f := func(changes map[string][]string, other []string, asks bool) {
		t.Helper()
		d := newEnv(t, carrot())
		exports := oneLedger(d, changes)
		d.write("exports/other.csv", other...)
		p := d.plan(exports)
		if lost := len(p.Open()) > 0; lost != asks || p.Totals.Rejected > 0 != asks {
			t.Errorf("%q: open %+v, %d rejected; want a question: %t", other, p.Open(), p.Totals.Rejected, asks)
		}
	}
	const header = "Affiliate Id,AffCode,Beginning Balance,Commissions,Clawbacks,Payments,Ending Balance"
	broken := ledgerWith("102,bluewren,1012.25,0.00,1012.255,0.00,1012.25")
	f(broken, []string{header, "102,bluewren,1012.25,0.00,0.00,0.00,1012.25"}, false)
	f(broken, []string{"AffCode,Beginning Balance,Ending Balance", "bluewren,1012.25,1012.25"}, false)
	f(broken, []string{header, "102,bluewren,1012.20,0.00,0.00,0.00,1012.20"}, true)
	const referrals = "Id,Contact Id,Affiliate Id,Date Set,Type"
	unread := map[string][]string{"referrals.csv": {referrals, "1,3001,101,2023-01-15,COOKIE", "2,2002,101,soon,COOKIE"}}
	f(unread, []string{referrals, "2,2002,101,2023-01-16,COOKIE"}, false)
	f(unread, []string{referrals, "3,2002,101,2023-01-16,COOKIE"}, true)
}
