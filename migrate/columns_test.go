package migrate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"carryover/migrate"
)

// sheets writes a program of two partners and one customer, and what else is given, file by
// file: the lines, of which the first is the header.
func (d *env) sheets(name string, files map[string][]string) string {
	d.Helper()
	d.write(name+"/partners.csv", "Affiliate Id,Contact Id,AffCode,Aff Name,Status,ParentId",
		"101,2001,plum,Pat Plum,1,0", "102,2002,wren,Will Wren,1,0")
	d.write(name+"/contacts.csv", "Id,First Name,Last Name,Email",
		"2001,Pat,Plum,pat@post.test", "2002,Will,Wren,will@post.test", "3001,Cleo,Quill,cleo@mail.test")
	d.write(name+"/links.csv", "Id,Name,Link Code,Website Address", "1,Course,course,https://carrot.test/course")
	for file, lines := range files {
		d.write(name+"/"+file, lines...)
	}
	return d.path(name)
}

// readLedger is what the ledger of the plan says of partner 102, and what is asked and rejected.
func readLedger(p *migrate.Plan) string {
	var out []string
	for _, b := range p.Balances {
		if b.Token == "wren" {
			out = append(out, fmt.Sprint(b.Amount))
		}
	}
	for _, r := range p.Rejects {
		out = append(out, fmt.Sprintf("%s:%d %s", r.File[strings.LastIndexByte(r.File, '/')+1:], r.Line, r.Reason))
	}
	for _, c := range p.Open() {
		if c.Kind == migrate.KindNumberFormat || c.Kind == migrate.KindDateOrder || c.Kind == migrate.KindStatusWords {
			out = append(out, c.ID)
		}
	}
	return strings.Join(out, " ")
}

const ledgerHeader = "Affiliate Id,AffCode,Beginning Balance,Commissions,Clawbacks,Payments,Ending Balance"

// What accounting formats write for zero, and decimal commas, are amounts.
func TestLedgerOfSpreadsheets(t *testing.T) {
	f := func(name string, ledger []string, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			d := newEnv(t, carrot())
			p := d.plan(d.sheets("exports", map[string][]string{
				"ledger.csv":      ledger,
				"commissions.csv": {"Affiliate Id,Invoice Id,Date,Product,Commission Amount", "101,8001,2023-01-15,Membership,12.25"},
			}))
			if got := readLedger(p); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
	first := "101,plum,0.00,12.25,0.00,0.00,12.25"
	f("a dash", []string{ledgerHeader, first, "102,wren,1012.25,0.00,-,0.00,1012.25"}, "101225")
	f("accounting", []string{ledgerHeader, first, `102,wren,"$ 1,012.25 ", $ -   ,-, $ - ," $ 1,012.25"`}, "101225")
	f("a long dash", []string{ledgerHeader, first, "102,wren,1012.25,–,—,–,1012.25"}, "101225")
	semicolons := strings.ReplaceAll(ledgerHeader, ",", ";")
	f("in euros", []string{semicolons, "101;plum;0,00;12,25;0,00;0,00;12,25", "102;wren;1.012,25 €;0,00;-;0,00;1.012,25 €"}, "101225")
	f("in dollars", []string{semicolons, "101;plum;0,00;12,25;0,00;0,00;12,25", "102;wren;1.012,25;0,00;-;0,00;1 012,25"}, "101225")
	f("apostrophes", []string{semicolons, "101;plum;0.00;12.25;0.00;0.00;12.25", "102;wren;1'012.25;0;-;0;1’012.25"}, "101225")
	f("a column that fits two readings", []string{semicolons, "101;plum;0;12,25;0;0;12,25", "102;wren;1.012;0;-;0;1.012,00"},
		"101200 number_format:ledger.csv")
	f("one that is mixed", []string{semicolons, "101;plum;0;12.25;0;0;12.25", "102;wren;1012,25;0;-;0;1012,25"},
		"ledger.csv:3 bad_money number_format:ledger.csv")
}

// The decision is about the file, and what it makes of the amounts is what is carried over.
func TestNumberFormatIsDecided(t *testing.T) {
	files := map[string][]string{"payments.csv": {"Affiliate Id;Pay Date;Pay Amt", "102;2023-01-15;1.234", "102;2023-02-15;5"}}
	f := func(decision, want string) {
		t.Helper()
		d := newEnv(t, carrot())
		exports := d.sheets("exports", files)
		d.plan(exports)
		decided := d.decide("decided.csv", func(id, recommended string) string {
			if id == "number_format:payments.csv" {
				if recommended != migrate.DecimalComma {
					t.Errorf("recommended is %q", recommended)
				}
				return decision
			}
			return ""
		})
		p, err := d.try(decided, exports)
		d.must(err)
		if got := readLedger(p); got != want {
			t.Errorf("%q: %s, want %s", decision, got, want)
		}
	}
	f("", "-123900 number_format:payments.csv")
	f(migrate.DecimalComma, "-123900")
	f(migrate.DecimalPoint, "-500 payments.csv:2 bad_money")

	d := newEnv(t, carrot())
	d.settings.Numbers = migrate.DecimalPoint
	if got := readLedger(d.plan(d.sheets("exports", files))); got != "-500 payments.csv:2 bad_money" {
		t.Error(got)
	}
}

func TestStatusWords(t *testing.T) {
	f := func(name, decision string, statuses []string, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			d := newEnv(t, carrot())
			lines := []string{"Id,Code,Status"}
			for i, s := range statuses {
				lines = append(lines, fmt.Sprintf("%d,p%d,%s", i+1, i+1, s))
			}
			exports := d.write("partners.csv", lines...)
			p, err := d.try("", exports)
			d.must(err)
			if decision != "" {
				p, err = d.try(d.decide("decided.csv", func(id, _ string) string {
					if id == "status_words:partners.csv" {
						return decision
					}
					return ""
				}), exports)
				d.must(err)
			}
			got := fmt.Sprint(p.Totals.Active, " of ", p.Totals.Promoters)
			for _, c := range p.Open() {
				got += " " + c.ID
			}
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
	f("all words that are known", "", []string{"1", "1.0", "active", "YES", "y", "True", "Enabled", "approved",
		"0", "0.0", "inactive", "No", "n", "FALSE", "Disabled", ""}, "8 of 16")
	f("another word", "", []string{"Active", "Pending"}, "1 of 2 status_words:partners.csv")
	f("another word is inactive", migrate.Accept, []string{"Active", "Pending"}, "1 of 2")
	f("another word is active", migrate.ReadActive, []string{"Running", "Inactive", "running"}, "2 of 3")
	f("nobody is active", "", []string{"0", "No", ""}, "0 of 3 status_words:partners.csv")
	f("nobody is active, and that is so", migrate.Accept, []string{"0", "No", ""}, "0 of 3")
}

// Dates as spreadsheets write them make their customers somebody's.
func TestReferralsOfSpreadsheets(t *testing.T) {
	f := func(date, want string) {
		t.Helper()
		t.Run(date, func(t *testing.T) {
			d := newEnv(t, carrot())
			p := d.migrate(d.sheets("exports", map[string][]string{
				"referrals.csv": {"Id\tContact Id\tAffiliate Id\tDate Set\tType", "1\t3001\t101\t" + date + "\tCOOKIE"},
			}))
			got := fmt.Sprint(len(p.Rejects), " rejected")
			for _, r := range p.Owners {
				got += fmt.Sprint(" ", r.Customer, " of ", r.PartnerID, " since ", time.Unix(r.ReferredAt, 0).UTC().Format(time.DateTime))
			}
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
	const midnight = "0 rejected cleo@mail.test of 101 since 2023-01-15 08:00:00"
	for _, date := range []string{"15-Jan-23", "Jan 15, 2023", "15.01.2023", "2023/01/15", "44941", "15. Januar 2023"} {
		f(date, midnight)
	}
	const afternoon = "0 rejected cleo@mail.test of 101 since 2023-01-15 23:04:00"
	for _, date := range []string{"1/15/2023 3:04\u202fPM", "1/15/2023 3:04\u00a0PM PST", "44941.6277777778", "2023-01-15 23:04 UTC"} {
		f(date, afternoon)
	}
	f("15-Foo-23", "1 rejected")
}
