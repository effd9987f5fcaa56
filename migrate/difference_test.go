package migrate_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"

	"carryover/mapping/book"
	"carryover/migrate"
	"carryover/migrate/keap"
)

// accepting takes what is recommended.
func (d *env) accepting(exports ...string) *migrate.Plan {
	d.Helper()
	d.plan(exports...)
	p, err := d.try(d.decide("decided.csv", recommended), exports...)
	d.must(err)
	d.apply()
	return p
}

// aCentMore is a ledger that ends with a cent more than Alpha's rows.
func aCentMore() map[string][]string {
	return reconciled(map[string][]string{keap.Ledger: {"1,10.00,124.24,49.98,50.00,34.27", "2,0.00,14.85,0.00,0.00,14.85"}})
}

// An accepted difference that was tampered with is found.
func TestVerifyDifference(t *testing.T) {
	d := newEnv(t, carrot())
	d.accepting(d.money("exports", aCentMore()))
	db, err := sql.Open("sqlite", d.book.Path())
	d.must(err)
	defer db.Close()
	_, err = db.Exec(`UPDATE commission SET amount = amount + 1 WHERE kind = 'difference'`)
	d.must(err)
	if _, money, _, said := d.verify(); money == 0 || !strings.Contains(said, "difference -0.01 USD") {
		t.Errorf("verify: %d differences of money: %s", money, said)
	}
}

// Rows that come after their sum was accepted take the place of what was accepted.
func TestRowsAfterTheirSum(t *testing.T) {
	for _, kind := range []string{keap.Commissions, keap.Clawbacks, keap.Payments} {
		d := newEnv(t, carrot())
		d.accepting(d.money("fewer", without(kind)))
		d.owe("without "+kind, map[account]int64{{1, "USD"}: 3426, {2, "USD"}: 1485})
		d.accepting(d.money("all", reconciled(nil)))
		d.owe("with "+kind, map[account]int64{{1, "USD"}: 3426, {2, "USD"}: 1485})
		d.proven()
	}
}

// Whatever was accepted before, the balance is the ending that is accepted now.
func TestAcceptedAgain(t *testing.T) {
	d := newEnv(t, carrot())
	off, right := d.money("off", aCentMore()), d.money("right", reconciled(nil))
	for i := range 3 {
		d.settings.ConfigHash = strings.Repeat("again ", i)
		d.accepting(off)
		d.owe("a cent more", map[account]int64{{1, "USD"}: 3427, {2, "USD"}: 1485})
		d.settled(d.plan(off))
		d.accepting(right)
		d.owe("mended", map[account]int64{{1, "USD"}: 3426, {2, "USD"}: 1485})
		d.settled(d.plan(right))
	}
}

// A decision is about the amounts that it was made about, and about one partner.
func TestDecisionOnAnotherDifference(t *testing.T) {
	d := newEnv(t, carrot())
	d.plan(d.money("exports", aCentMore()))
	decided := d.decide("decided.csv", recommended)
	d.money("exports", reconciled(map[string][]string{keap.Ledger: {"1,10.00,124.24,49.98,50.00,99934.27", "2,0.00,14.85,0.00,0.00,14.85"}}))
	p, err := d.try(decided, d.path("exports"))
	d.must(err)
	if open := p.Open(); len(open) != 1 || open[0].Kind != migrate.KindUnbalanced {
		t.Errorf("decided about 0.01 and taken for another difference: %+v", p.Differences)
	}

	// Two partners with one code.
	d = newEnv(t, carrot())
	both := func(alpha, beta string) string {
		exports := d.money("exports",
			reconciled(map[string][]string{keap.Ledger: {"1,10.00,124.24,49.98,50.00," + alpha, "2,0.00,14.85,0.00,0.00," + beta}}))
		d.partners("exports", "1,11,Alpha,Active", "2,12,Alpha,Active")
		return exports
	}
	p = d.plan(both("34.27", "14.86"))
	decided = d.decide("decided.csv", func(id, recommended string) string {
		if id == p.Differences[0].Conflict {
			return migrate.Exclude
		}
		return recommended
	})
	p, err = d.try(decided, both("34.26", "14.86"))
	d.must(err)
	if len(p.Differences) != 1 || p.Differences[0].Partner != 2 || p.Differences[0].Decision == migrate.Exclude {
		t.Errorf("what was decided about partner 1 is taken for partner 2: %+v", p.Differences)
	}
}

// A newer ledger that begins where the former one ended agrees with exports that tell
// everything from the beginning.
func TestDeltaOfALaterLedger(t *testing.T) {
	d := march(t)
	p := d.plan(d.money("april",
		april(map[string][]string{keap.Ledger: {"1,34.26,148.52,0,34.26,148.52", "2,14.85,14.85,14.85,-1.00,15.85"}})))
	if open := p.Open(); len(open) > 0 {
		t.Fatalf("open: %+v", open)
	}
	d.apply()
	d.owe("April", inApril)
	d.proven()
}

// Of two copies of a commission the one that says more holds, whatever its file is called.
func TestCopyWithFewerColumns(t *testing.T) {
	for _, names := range [][2]string{{"a", "b"}, {"b", "a"}} {
		d := newEnv(t, carrot())
		exports := d.money("exports", without(keap.Commissions))
		d.write("exports/commissions-"+names[0]+".csv",
			append([]string{"Affiliate Id," + moneyHeaders[keap.Commissions]}, reconciled(nil)[keap.Commissions]...)...)
		fewer := []string{"Affiliate Id,date_earned,invoice_id,product_name,description,amount_earned"}
		for _, row := range reconciled(nil)[keap.Commissions] {
			c := strings.Split(row, ",")
			fewer = append(fewer, strings.Join(slices.Concat(c[:3], c[4:6], c[7:]), ","))
		}
		d.write("exports/commissions-"+names[1]+".csv", fewer...)
		for _, e := range d.plan(exports).Changes.KeapRecords.Commissions {
			if e.Kind == book.KindCommission && (e.ContactID == 0 || e.SellerID == 0) {
				t.Errorf("whole file %q: invoice %s has no customer or seller", names[0], e.Invoice)
			}
		}
	}
}
