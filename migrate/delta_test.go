package migrate_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/migrate"
	"carryover/migrate/keap"
)

// april is reconciled with what came after March; nothing of it has gone.
func april(changes map[string][]string) map[string][]string {
	rows := reconciled(nil)
	rows[keap.Referrals] = append(rows[keap.Referrals], "1,503,12,2023-04-05 09:00:00,,COOKIE,,")
	rows[keap.Commissions] = append(rows[keap.Commissions],
		"1,2023-04-02,70003,101,Agency Membership,Sale,1,74.26",
		"1,2023-04-02,70003,101,Agency Membership,Sale,1,74.26",
		"2,2023-04-02,70003,101,Agency Membership,Level 2,1,14.85")
	rows[keap.Clawbacks] = append(rows[keap.Clawbacks], "2,2023-04-03,70003,101,Agency Membership,Refund,1,14.85")
	rows[keap.Payments] = append(rows[keap.Payments], "1,902,2023-04-12,Cash,,34.26", "2,903,2023-04-12,Cash,,-1.00")
	rows[keap.Ledger] = []string{"1,10.00,272.76,49.98,84.26,148.52", "2,0.00,29.70,14.85,-1.00,15.85"}
	maps.Copy(rows, changes)
	return rows
}

// march applies exports until March 31 and says for which day the next plan is.
func march(t *testing.T) *env {
	t.Helper()
	d := newEnv(t, carrot())
	d.migrate(d.money("march", reconciled(nil)))
	d.proven()
	d.settings.AsOf, d.settings.ConfigHash = "2023-04-30", "carrot in April"
	return d
}

var inApril = map[account]int64{{1, "USD"}: 14852, {2, "USD"}: 1585}

// Newer exports bring what is new and nothing else; undone, they leave what was there.
func TestDelta(t *testing.T) {
	f := func(exports func(d *env) []string) {
		t.Helper()
		d := march(t)
		before := d.dump(false)
		args := exports(d)
		p := d.plan(args...)
		if open := openBut(p); len(open) > 0 {
			t.Fatalf("open: %+v", open)
		}
		for table, want := range map[string]migrate.TableCount{
			"commission": {Create: 4, Unchanged: 5}, // with a beginning
			"payout":     {Create: 2, Unchanged: 1}, "referral_row": {Create: 1, Unchanged: 2}, "referral": {Create: 1, Unchanged: 2},
			"contact": {Unchanged: 4}, "promoter": {Unchanged: 2}, "link": {Unchanged: 1}, "promoter_alias": {Unchanged: 4},
			"sale": {}, "subscription": {},
		} {
			if p.Tables[table] != want {
				t.Errorf("%s: %+v, want %+v", table, p.Tables[table], want)
			}
		}
		d.apply()
		d.owe("April", inApril)
		d.proven()
		same(t, "owners", owned(d), []string{"bob@mail.test 1 only", "kim@shop.test 1 only", "lee@shop.test 2 only"})
		d.settled(d.plan(args...))
		if res := d.apply(); res.Run != 0 || res.Changed != 0 {
			t.Errorf("the second apply: %+v", res)
		}
		if err := migrate.Rollback(d.ctx(), 0, d.settings, d.book, d.store, migrate.NoProgress{}, applied, quietly); err != nil {
			t.Fatal(err)
		}
		same(t, "undone", d.dump(false), before)
		d.owe("undone", map[account]int64{{1, "USD"}: 3426, {2, "USD"}: 1485})
	}
	// All from the beginning.
	f(func(d *env) []string { return []string{d.money("april", april(nil))} })
	// Beside the old rows.
	f(func(d *env) []string {
		return []string{d.money("overlapping", without(keap.Ledger)), d.money("april", april(nil))}
	})
	// What is newer alone: the ledger begins where the former one ended.
	newer := func() map[string][]string {
		rows := april(map[string][]string{keap.Ledger: {"1,34.26,148.52,0,34.26,148.52", "2,14.85,14.85,14.85,-1.00,15.85"}})
		for kind, old := range reconciled(nil) {
			if kind != keap.Ledger && kind != keap.Referrals {
				rows[kind] = rows[kind][len(old):]
			}
		}
		return rows
	}
	f(func(d *env) []string { return []string{d.money("april", newer())} })
	// The ledgers of both months, each with its own rows.
	f(func(d *env) []string { return []string{d.path("march"), d.money("april", newer())} })
}

// Of a partner's ledger rows of two exports, neither of which goes on where the other ends,
// a person says that the one which agrees with the rows holds.
func TestDeltaOfTwoLedgers(t *testing.T) {
	d := march(t)
	args := []string{d.path("march"), d.money("april", april(nil))}
	p := d.plan(args...)
	var open []string
	for _, c := range p.Open() {
		open = append(open, c.ID)
		if !strings.Contains(c.Detail, "april/ledger.csv") || !strings.Contains(c.Detail, "march/ledger.csv") {
			t.Errorf("%s does not name both files: %s", c.ID, c.Detail)
		}
	}
	same(t, "open", open, []string{"unbalanced_ledger:Alpha", "unbalanced_ledger:beta"})
	_, err := d.try(d.decide("decided.csv", recommended), args...)
	d.must(err)
	d.apply()
	d.owe("accepted", inApril)
	if differences, _, decided, said := d.verify(); differences != 0 || decided != 2 {
		t.Errorf("verify: %d differences, %d decided: %s", differences, decided, said)
	}
}

// One cent that the newer ledger and the book do not agree on is found, whether the
// ledger goes on or begins anew.
func TestDeltaOffByOne(t *testing.T) {
	f := func(said string, changes map[string][]string) {
		t.Helper()
		d := march(t)
		before := d.dump(false)
		p := d.plan(d.money("april", april(changes)))
		open := p.Open()
		if len(open) != 1 || open[0].ID != "unbalanced_ledger:Alpha" || !strings.Contains(open[0].Detail, "difference "+said) {
			t.Fatalf("open: %+v", open)
		}
		if _, err := d.tryApply(nil); err == nil {
			t.Error("apply without a decision: no error")
		}
		same(t, "without a decision", d.dump(false), before)
		_, err := d.try(d.decide("decided.csv", recommended), d.path("april"))
		d.must(err)
		d.apply()
		d.owe("accepted", map[account]int64{{1, "USD"}: 14853, {2, "USD"}: 1585})
		if differences, _, decided, text := d.verify(); differences != 0 || decided != 1 {
			t.Errorf("verify: %d differences, %d decided: %s", differences, decided, text)
		}
	}
	f("0.01 USD", map[string][]string{keap.Ledger: {"1,10.00,272.76,49.98,84.26,148.53", "2,0.00,29.70,14.85,-1.00,15.85"}})
	// begins otherwise than the book
	f("0.01 USD", map[string][]string{keap.Ledger: {"1,10.01,272.76,49.98,84.26,148.53", "2,0.00,29.70,14.85,-1.00,15.85"}})
	rows := april(nil)
	rows[keap.Commissions][0] = "1,2022-06-02,70001,101,Agency Membership,Sale,1,74.27" // told otherwise: the book keeps both
	f("0.01 USD", map[string][]string{keap.Commissions: rows[keap.Commissions][1:],
		keap.Ledger: {"1,10.00,198.51,49.98,84.26,148.53", "2,0.00,29.70,14.85,-1.00,15.85"}})
}

// A payment that is told otherwise becomes an entry with the difference.
func TestDeltaOfChangedPayments(t *testing.T) {
	f := func(payment, ledger string, entries []string, alpha, beta int64) {
		t.Helper()
		d := march(t)
		exports := d.money("april", reconciled(map[string][]string{keap.Payments: {payment}, keap.Ledger: strings.Split(ledger, "; ")}))
		p := d.migrate(exports)
		same(t, "conflicts", has(p, migrate.KindChangedPayment), []string{"901"})
		var got []string
		d.must(d.book.Ledger(d.ctx(), nil, func(e book.Entry) error {
			if e.Kind == book.KindPayment {
				got = append(got, fmt.Sprintf("run %d: %d of %d to %d in %d", e.ImportID, e.Amount, e.KeapID, e.PartnerID, e.Month))
			}
			return nil
		}))
		same(t, payment, got, append(entries, "run 1: -5000 of 901 to 1 in 202208"))
		d.owe(payment, map[account]int64{{1, "USD"}: alpha, {2, "USD"}: beta})
		d.proven()
		d.settled(d.plan(exports))
		// And back again.
		d.settings.ConfigHash = "carrot in May"
		back := d.migrate(d.path("march"))
		same(t, "back", has(back, migrate.KindChangedPayment), []string{"901"})
		d.owe("back", map[account]int64{{1, "USD"}: 3426, {2, "USD"}: 1485})
		d.proven()
		d.settled(d.plan(d.path("march")))
		// Another time: what comes to nothing for a partner is no entry.
		d.settings.ConfigHash = "carrot in June"
		d.migrate(d.money("june", reconciled(map[string][]string{keap.Payments: {"1,901,2022-08-12,Cash,,50.02"},
			keap.Ledger: {"1,10.00,124.24,49.98,50.02,34.24", "2,0.00,14.85,0.00,0.00,14.85"}})))
		d.owe("another time", map[account]int64{{1, "USD"}: 3424, {2, "USD"}: 1485})
		d.must(d.book.Ledger(d.ctx(), nil, func(e book.Entry) error {
			if e.Amount == 0 {
				t.Errorf("an entry of nothing: %+v", e)
			}
			return nil
		}))
		d.proven()
	}
	f("1,901,2022-08-12,Cash,,50.01", "1,10.00,124.24,49.98,50.01,34.25; 2,0,14.85,0,0,14.85", []string{"run 2: -1 of 901 to 1 in 202208"},
		3425, 1485)
	f("1,901,2022-08-12,Cash,,0.00", "1,10.00,124.24,49.98,0,84.26; 2,0,14.85,0,0,14.85", []string{"run 2: 5000 of 901 to 1 in 202208"}, 8426,
		1485)
	f("2,901,2022-08-12,Cash,,50.00", "1,10.00,124.24,49.98,0,84.26; 2,0,14.85,0,50.00,-35.15",
		[]string{"run 2: 5000 of 901 to 1 in 202208", "run 2: -5000 of 901 to 2 in 202208"}, 8426, -3515)
}

// What newer exports do not hold any more is reported, and stays.
func TestDeltaOfVanished(t *testing.T) {
	rows := reconciled(map[string][]string{
		keap.Orders:        {"4001,101,2022-06-02,297.02,Agency Membership,1", "4002,102,2023-02-10,99.95,Evergreen Webinar,1"},
		keap.Subscriptions: {"301,101,7,Agency Membership,1,$297.02,Active,6/2/2022,", "302,102,7,Agency Membership,2,$297.02,Active,6/2/2022,"},
		keap.Clawbacks: {
			"1,2023-03-15,70002,102,Evergreen Webinar,Refund,1,49.98", "2,2023-03-16,70001,101,Agency Membership,Refund,1,14.85",
			"2,2023-03-17,70001,101,Agency Membership,Refund,1,1.00",
		},
		keap.Ledger: {"1,10.00,124.24,49.98,50.00,34.26", "2,0,14.85,15.85,0,-1.00"},
	})
	d := newEnv(t, carrot())
	d.migrate(d.money("first", rows))
	before := d.dump(true)
	fewer := maps.Clone(rows)
	for _, kind := range []string{keap.Referrals, keap.Orders, keap.Subscriptions} {
		fewer[kind] = rows[kind][1:]
	}
	for _, kind := range []string{keap.Commissions, keap.Clawbacks} { // between two others
		fewer[kind] = []string{rows[kind][0], rows[kind][2]}
	}
	fewer[keap.Ledger] = []string{"1,10.00,124.24,49.98,50.00,34.26", "2,0,0,1.00,0,-1.00"}
	exports := d.money("second", fewer)
	d.partners("second", "1,11,Alpha,Active")
	p := d.plan(exports)
	same(t, "vanished", has(p, migrate.KindVanished),
		[]string{keap.Partners, keap.Referrals, keap.Orders, keap.Subscriptions, keap.Commissions, keap.Clawbacks})
	_, err := d.try(d.decide("decided.csv", recommended), exports)
	d.must(err)
	d.apply()
	same(t, "the book", d.dump(true), before)

	// Kinds that the newer exports have no file of are not missed.
	d = newEnv(t, carrot())
	d.migrate(d.money("first", rows))
	if gone := has(d.plan(d.money("second", map[string][]string{keap.Ledger: rows[keap.Ledger]})), migrate.KindVanished); len(gone) > 0 {
		t.Errorf("vanished: %v", gone)
	}
}

// A payment that newer exports do not hold any more is reported.
func TestVanishedPayment(t *testing.T) {
	rows := reconciled(map[string][]string{
		keap.Payments: {"1,901,2022-08-12,Cash,,50.00", "2,902,2022-08-13,Cash,,1.00", "2,903,2022-08-14,Cash,,2.00"},
		keap.Ledger:   {"1,10.00,124.24,49.98,50.00,34.26", "2,0,14.85,0,3.00,11.85"},
	})
	d := newEnv(t, carrot())
	d.migrate(d.money("first", rows))
	rows[keap.Payments] = slices.Delete(slices.Clone(rows[keap.Payments]), 1, 2)
	p := d.plan(d.money("second", rows))
	same(t, "vanished", has(p, migrate.KindVanished), []string{keap.Payments})
}

// partners replaces the partners of some exports.
func (d *env) partners(dir string, rows ...string) {
	d.Helper()
	d.write(dir+"/partners.csv", append([]string{"Affiliate Id,Contact Id,Aff Code,Status"}, rows...)...)
}

// Customers move when a later referral says so, expire and come to be as the day moves
// on, and each of it is reported.
func TestDeltaOfCustomers(t *testing.T) {
	referrals := []string{
		"1,501,101,2022-01-05 09:00:00,,COOKIE,course,",
		"2,502,102,2022-06-01 09:00:00,2023-04-15,MANUAL,,",
		"1,504,11,2023-04-02 09:00:00,,COOKIE,,",
	}
	f := func(asOf string, more []string, moved []string, want ...string) {
		t.Helper()
		d := newEnv(t, carrot())
		d.migrate(d.money("march", reconciled(map[string][]string{keap.Referrals: referrals})))
		same(t, "in March", owned(d), []string{"ann@mail.test 0 later", "kim@shop.test 1 only", "lee@shop.test 2 only"})
		before := d.dump(false)
		d.settings.AsOf, d.settings.ConfigHash = asOf, asOf
		p := d.migrate(d.money("next", reconciled(map[string][]string{keap.Referrals: slices.Concat(referrals, more)})))
		if p.AsOf != asOf {
			t.Errorf("the plan is for %s, want %s", p.AsOf, asOf)
		}
		same(t, "moved", has(p, migrate.KindMovedCustomer), moved)
		same(t, asOf, owned(d), want)
		d.proven()
		d.settled(d.plan(d.path("next")))
		// Rows of the book compete, whether or not newer exports hold them.
		d.settings.ConfigHash = "the new ones alone"
		d.settled(d.plan(d.money("alone", reconciled(map[string][]string{keap.Referrals: append([]string{"-"}, more...)}))))
		err := migrate.Rollback(d.ctx(), 0, d.settings, d.book, d.store, migrate.NoProgress{}, applied, quietly)
		d.must(err)
		same(t, "undone", d.dump(false), before)
	}
	f("2023-04-01", nil, nil, "ann@mail.test 0 later", "kim@shop.test 1 only", "lee@shop.test 2 only")
	f("2023-04-02", nil, []string{"ann@mail.test"}, "ann@mail.test 1 only", "kim@shop.test 1 only", "lee@shop.test 2 only")
	f("2023-04-16", nil, []string{"ann@mail.test", "lee@shop.test"}, "ann@mail.test 1 only", "kim@shop.test 1 only",
		"lee@shop.test 0 expired")
	f("2023-04-02", []string{"2,505,101,2023-04-01 10:00:00,,COOKIE,,"}, []string{"ann@mail.test", "kim@shop.test"}, "ann@mail.test 1 only",
		"kim@shop.test 2 latest", "lee@shop.test 2 only")
	// older: stays
	f("2023-04-01", []string{"2,505,101,2021-04-01 10:00:00,,PERMANENT,,"}, nil, "ann@mail.test 0 later", "kim@shop.test 1 latest",
		"lee@shop.test 2 only")
}

// A contact's address changes: the customer of the former one stays with its owner, and
// the new one belongs to the same.
func TestDeltaOfAnAddress(t *testing.T) {
	d := march(t)
	exports := d.money("april", april(nil))
	d.write("april/contacts.csv", "Id,Email", "11,ann@mail.test", "12,bob@mail.test", "101,kim@home.test", "102,lee@shop.test")
	p := d.migrate(exports)
	same(t, "moved", has(p, migrate.KindMovedCustomer), nil)
	if n := p.Tables["referral"]; n != (migrate.TableCount{Create: 2, Unchanged: 2}) {
		t.Errorf("customers: %+v", n)
	}
	same(t, "owners", owned(d), []string{"bob@mail.test 1 only", "kim@home.test 1 only", "kim@shop.test 1 only", "lee@shop.test 2 only"})
	d.proven()
	d.settled(d.plan(exports))
}

// A partner's code changes; rows that name it by the old one are still its own, and what
// the book has of them is not carried over again.
func TestDeltaOfARenamedPartner(t *testing.T) {
	byCode := func(d *env, dir, code string, rows map[string][]string) {
		for _, kind := range []string{keap.Commissions, keap.Clawbacks, keap.Payments, keap.Ledger} {
			lines := []string{"Aff Code," + moneyHeaders[kind]}
			for _, row := range rows[kind] {
				id, rest, _ := strings.Cut(row, ",")
				lines = append(lines, map[string]string{"1": code, "2": "beta"}[id]+","+rest)
			}
			d.write(dir+"/"+kind+".csv", lines...)
		}
	}
	f := func(code string) {
		t.Helper()
		d := march(t)
		exports := d.money("april", april(nil))
		d.partners("april", "1,11,Omega,Active", "2,12,beta,Active")
		byCode(d, "april", code, april(nil))
		p := d.plan(exports)
		if len(p.Rejects) > 0 || len(p.Open()) > 0 {
			t.Fatalf("%s: rejects %+v, open %+v", code, p.Rejects, p.Open())
		}
		if n := p.Tables["commission"]; n != (migrate.TableCount{Create: 4, Unchanged: 5}) {
			t.Errorf("%s: commissions %+v", code, n)
		}
		d.apply()
		d.owe(code, inApril)
		d.proven()
	}
	f("Omega")
	f("Alpha")

	// Both at once: the overlapping file still has the old code.
	d := march(t)
	exports := d.money("april", april(nil))
	d.partners("april", "1,11,Omega,Active", "2,12,beta,Active")
	byCode(d, "april/old", "Alpha", reconciled(nil))
	d.must(os.Remove(d.path("april/old/ledger.csv")))
	if p := d.migrate(exports); p.Tables["commission"].Create != 4 || p.Tables["payout"].Create != 2 {
		t.Errorf("both codes: %+v", p.Tables)
	}
	d.owe("both codes", inApril)
	d.proven()

	// The old code has gone to somebody else: rows of the book stay with whom they were.
	d = march(t)
	exports = d.money("april", april(nil))
	d.partners("april", "1,11,Omega,Active", "2,12,beta,Active", "3,102,Alpha,Active")
	byCode(d, "april", "Omega", april(nil))
	d.migrate(exports)
	d.owe("the old code is another's", inApril)
	d.proven()
}

// Whatever the first exports held, newer ones, of everything or of what is newer alone,
// bring the book to their ledger and create nothing twice; undone, the first are restored.
func TestDeltaProperty(t *testing.T) {
	check(t, func(t *rapid.T, w world, newEnv func(book bool) *env) {
		b := drawBusiness(t, w)
		first := b.clone()
		// The first exports hold rows until some day, and the ledger of that day.
		day := rapid.SampledFrom([]string{"2022-11-30", "2022-12-01", "2023-02-10"}).Draw(t, "first until")
		until := func(row moneyRow) bool {
			return slices.ContainsFunc(strings.Split(row.cells, ","),
				func(cell string) bool { return len(cell) == len(day) && strings.Count(cell, "-") == 2 && cell <= day })
		}
		for i := range first.rows[keap.Ledger] {
			line := &first.rows[keap.Ledger][i]
			line.amounts = [5]int64{beginning: line.amounts[beginning]}
			for column, kind := range map[int]string{earned: keap.Commissions, clawedBack: keap.Clawbacks, paid: keap.Payments} {
				for _, row := range b.rows[kind] {
					if b.account(row) == b.account(*line) && until(row) {
						line.amounts[column] += row.amounts[0]
					}
				}
			}
			line.amounts[ending] = line.amounts[beginning] + line.amounts[earned] - line.amounts[clawedBack] - line.amounts[paid]
		}
		later := b.clone() // each row that the first exports lack, and the ledger from then on
		for _, kind := range []string{keap.Commissions, keap.Clawbacks, keap.Payments} {
			first.rows[kind] = slices.DeleteFunc(first.rows[kind], func(row moneyRow) bool { return !until(row) })
			later.rows[kind] = slices.DeleteFunc(later.rows[kind], until)
		}
		for i := range later.rows[keap.Ledger] {
			line, old := &later.rows[keap.Ledger][i].amounts, first.rows[keap.Ledger][i].amounts
			for column := range line {
				switch column {
				case beginning:
					line[column] = old[ending]
				case ending:
				default:
					line[column] -= old[column]
				}
			}
		}

		d := newEnv(true)
		d.migrate(first.write(d, t, "first", false))
		d.owe("first", only(first.endings(), d.sums()))
		before := d.dump(false)
		next := later
		incremental := rapid.Bool().Draw(t, "what is newer alone")
		if !incremental {
			next = b
		}
		exports := next.write(d, t, "next", rapid.Bool().Draw(t, "scattered"))
		p := d.plan(exports)
		if open := openBut(p); len(open) > 0 {
			t.Fatalf("open: %+v", open)
		}
		created := p.Tables["commission"].Create + p.Tables["payout"].Create
		if want := len(later.rows[keap.Commissions]) + len(later.rows[keap.Clawbacks]) + len(later.rows[keap.Payments]); created < want ||
			created > want+len(b.rows[keap.Ledger]) {
			t.Errorf("%d entries are created, want %d and beginnings of accounts that are new", created, want)
		}
		d.apply()
		d.owe("next", only(b.endings(), d.sums()))
		d.proven()
		d.settled(d.plan(exports))
		if p.Changes.Len() > 0 {
			err := migrate.Rollback(d.ctx(), 0, d.settings, d.book, d.store, migrate.NoProgress{}, applied, quietly)
			d.must(err)
			same(t, "undone", d.dump(false), before)
		}
	})
}

// quietly is told that a rollback is over.
func quietly(book.Import, store.Epoch) error { return nil }
