package migrate_test

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"carryover/migrate"
	"carryover/migrate/keap"
)

// money writes exports of two partners and one customer; a kind without rows gets no
// file, and one whose only row is "-" a file without rows.
func (d *env) money(dir string, rows map[string][]string) string {
	d.Helper()
	d.write(dir+"/partners.csv", "Affiliate Id,Contact Id,Aff Code,Status", "1,11,Alpha,Active", "2,12,beta,Active")
	d.write(dir+"/contacts.csv", "Id,Email", "11,ann@mail.test", "12,bob@mail.test", "101,kim@shop.test", "102,lee@shop.test")
	d.write(dir+"/links.csv", "Id,Code,Website Address", "1,course,https://carrot.test/course")
	for kind, list := range rows {
		header := map[string]string{
			keap.Orders:        "Id,ContactId,Order Date,Order Total,Product Name,Affiliate Id",
			keap.Subscriptions: "Id,ContactId,SubscriptionPlanId,Product Name,AffiliateId,BillingAmt,Status,StartDate,EndDate",
		}[kind]
		if header == "" {
			header = "Affiliate Id," + moneyHeaders[kind]
		}
		d.write(dir+"/"+kind+".csv",
			append([]string{header}, slices.DeleteFunc(slices.Clone(list), func(row string) bool { return row == "-" })...)...)
	}
	return d.path(dir)
}

// reconciled are exports whose ledger agrees with its rows, but for the changes.
func reconciled(changes map[string][]string) map[string][]string {
	rows := map[string][]string{
		keap.Referrals: {
			"1,501,101,2022-01-05 09:00:00,,COOKIE,course,",
			"2,502,102,2022-06-01 09:00:00,,MANUAL,,",
		},
		keap.Commissions: {
			"1,2022-06-02,70001,101,Agency Membership,Sale,1,74.26",
			"2,2022-06-02,70001,101,Agency Membership,Level 2,1,14.85",
			"1,2023-02-10,70002,102,Evergreen Webinar,Sale,1,49.98",
		},
		keap.Clawbacks: {"1,2023-03-15,70002,102,Evergreen Webinar,Refund,1,49.98"},
		keap.Payments:  {"1,901,2022-08-12,Cash,,50.00"},
		keap.Ledger:    {"1,10.00,124.24,49.98,50.00,34.26", "2,0.00,14.85,0.00,0.00,14.85"},
	}
	for kind, list := range changes {
		if rows[kind] = list; list == nil {
			delete(rows, kind)
		}
	}
	return rows
}

// without is reconciled without some kinds.
func without(kinds ...string) map[string][]string {
	changes := map[string][]string{}
	for _, kind := range kinds {
		changes[kind] = nil
	}
	return reconciled(changes)
}

// A ledger that is missing, or that tells of rows that are, is a question.
func TestUnprovenMoney(t *testing.T) {
	f := func(rows map[string][]string, conflicts []string, alpha, beta int64) {
		t.Helper()
		d := newEnv(t, carrot())
		exports := d.money("exports", rows)
		p := d.plan(exports)
		var open []string
		for _, c := range p.Open() {
			open = append(open, c.ID)
			if c.Recommended != migrate.Accept {
				t.Errorf("%s recommends %q", c.ID, c.Recommended)
			}
		}
		same(t, "open", open, conflicts)
		if len(conflicts) > 0 {
			if _, err := d.tryApply(nil); err == nil {
				t.Error("apply without a decision: no error")
			}
			d.unchanged()
		}
		_, err := d.try(d.decide("decided.csv", recommended), exports)
		d.must(err)
		d.apply()
		d.owe("accepted", map[account]int64{{1, "USD"}: alpha, {2, "USD"}: beta})
		if differences, _, decided, said := d.verify(); differences != 0 || decided < len(conflicts) || decided > 0 && len(conflicts) == 0 {
			t.Errorf("verify: %d differences, %d decided, want %d and the differences that were booked for them: %s",
				differences, decided, len(conflicts), said)
		}
		if res := d.apply(); res.Run != 0 || res.Changed != 0 {
			t.Errorf("the second apply: %+v", res)
		}
	}
	f(reconciled(nil), nil, 3426, 1485)
	f(without(keap.Ledger), []string{"no_ledger:ledger"}, 2426, 1485) // without a beginning
	f(without(keap.Commissions), []string{"no_rows:commissions"}, 3426, 1485)
	f(without(keap.Clawbacks), []string{"no_rows:clawbacks"}, 3426, 1485)
	f(without(keap.Payments), []string{"no_rows:payments"}, 3426, 1485)
	f(without(keap.Commissions, keap.Clawbacks, keap.Payments), []string{"no_rows:commissions", "no_rows:clawbacks", "no_rows:payments"},
		3426, 1485)
	// A file without rows is there: what the ledger tells of it does not agree.
	f(reconciled(map[string][]string{keap.Clawbacks: {"-"}}), []string{"unbalanced_ledger:Alpha"}, 3426, 1485)
	// Who is missing in the ledger, and whose row does not add up.
	f(reconciled(map[string][]string{keap.Ledger: {"1,10.00,124.24,49.98,50.00,34.26"}}), []string{"unbalanced_ledger:beta"}, 3426, 1485)
	f(reconciled(map[string][]string{keap.Ledger: {"1,10.00,124.24,49.98,50.00,34.27", "2,,14.85,,,14.85"}}),
		[]string{"unbalanced_ledger:Alpha"}, 3427, 1485)
	// A ledger that only tells endings.
	f(reconciled(map[string][]string{keap.Ledger: {"2,0,14.85,0,0,14.85", "1,0,124.24,49.98,50.00,24.26"}}), nil, 2426, 1485)
}

// A cent wherever it can be too much, what is said of it, and the balances that the
// decisions lead to.
func TestCent(t *testing.T) {
	f := func(kind string, row int, old, new string, accepted, fixed int64, wants ...string) {
		t.Helper()
		rows := reconciled(nil)
		if !strings.Contains(rows[kind][row], old) {
			t.Fatalf("%s %q does not hold %s", kind, rows[kind][row], old)
		}
		rows[kind][row] = strings.Replace(rows[kind][row], old, new, 1)
		for decision, alpha := range map[string]int64{migrate.Accept: accepted, migrate.Fix: fixed, migrate.Exclude: 0} {
			d := newEnv(t, carrot())
			exports := d.money("exports", rows)
			p := d.plan(exports)
			open := slices.DeleteFunc(p.Open(), func(c migrate.Conflict) bool { return c.Kind == migrate.KindRejected })
			lost := len(p.Open()) - len(open)
			if len(open) != 1 || open[0].ID != "unbalanced_ledger:Alpha" || open[0].Recommended != migrate.Accept {
				t.Fatalf("open: %+v", open)
			}
			for _, want := range wants {
				if !strings.Contains(open[0].Detail, want) {
					t.Errorf("%q is not said in: %s", want, open[0].Detail)
				}
			}
			_, err := d.try(d.write("decided.csv", "id,decision", "unbalanced_ledger:Alpha,"+decision), exports)
			d.must(err)
			d.apply()
			balances := map[account]int64{{1, "USD"}: alpha, {2, "USD"}: 1485}
			if decision == migrate.Exclude {
				delete(balances, account{1, "USD"})
			}
			d.owe(fmt.Sprintf("%s %s, %s", kind, new, decision), balances)
			if differences, _, decided, said := d.verify(); differences != 0 || decided != 1+lost || !strings.Contains(said, "decided: "+decision) {
				t.Errorf("verify: %d differences, %d decided: %s", differences, decided, said)
			}
		}
	}
	f(keap.Ledger, 0, "10.00", "10.01", 3426, 3427, "Alpha (1)", "ledger.csv, line 2", "the ledger itself does not add up",
		"difference -0.01 USD")
	f(keap.Ledger, 0, "124.24", "124.25", 3426, 3426, "commissions come to 124.24 USD", "to 124.25 USD in the ledger", "difference 0.01 USD")
	f(keap.Ledger, 0, "49.98", "49.99", 3426, 3426, "clawbacks come to 49.98 USD", "to 49.99 USD in the ledger", "difference 0.01 USD")
	f(keap.Ledger, 0, "50.00", "50.01", 3426, 3426, "payments come to 50.00 USD", "to 50.01 USD in the ledger", "difference 0.01 USD")
	f(keap.Ledger, 0, "34.26", "34.27", 3427, 3426, "ending 34.27 USD", "the ledger itself does not add up",
		"comes to 34.26 USD, difference 0.01 USD")
	f(keap.Commissions, 0, "74.26", "74.27", 3426, 3427, "commissions come to 124.25 USD", "to 124.24 USD in the ledger",
		"difference -0.01 USD")
	f(keap.Clawbacks, 0, "49.98", "49.99", 3426, 3425, "clawbacks come to 49.99 USD", "to 49.98 USD in the ledger", "difference -0.01 USD")
	f(keap.Payments, 0, "50.00", "50.01", 3426, 3425, "payments come to 50.01 USD", "to 50.00 USD in the ledger", "difference -0.01 USD")
	// A row that was rejected is named.
	f(keap.Commissions, 0, "74.26", "74.265", 3426, -4000, "difference 74.26 USD", "commissions.csv line 2 (rejected, bad_money)")
}

func TestDecisionsOnMoney(t *testing.T) {
	running := map[string][]string{
		keap.Subscriptions: {
			"301,101,7,Agency Membership,2,$297.02,Active,6/2/2022,",
			"302,102,7,Agency Membership,1,$297.02,Active,6/2/2022,3/30/2023", // ended
		},
	}
	f := func(choose func(id, recommended string) string, wants ...string) {
		t.Helper()
		d := newEnv(t, carrot())
		exports := d.money("exports", reconciled(running))
		p := d.plan(exports)
		same(t, "conflicts", has(p, migrate.KindSubscription), []string{"kim@shop.test"})
		if open := p.Open(); len(open) > 0 {
			t.Errorf("open: %+v", open)
		}
		_, err := d.try(d.decide("decided.csv", choose), exports)
		d.must(err)
		d.apply()
		same(t, "owners", owned(d), wants)
		d.proven()
	}
	f(func(_, _ string) string { return "" }, "kim@shop.test 1 only", "lee@shop.test 2 only")
	f(recommended, "kim@shop.test 1 only", "lee@shop.test 2 only")
	f(func(string, string) string { return migrate.KeepSubscription }, "kim@shop.test 2 subscription", "lee@shop.test 2 only")

	// One that nobody referred belongs to nobody, or is given to the seller.
	running[keap.Referrals] = []string{"2,502,102,2022-06-01 09:00:00,,MANUAL,,"}
	f(recommended, "lee@shop.test 2 only")
	f(func(string, string) string { return migrate.KeepSubscription }, "kim@shop.test 2 subscription", "lee@shop.test 2 only")
	running[keap.Referrals] = []string{"1,501,101,2021-01-05 09:00:00,2022-01-05,COOKIE,course,", "2,502,102,2022-06-01 09:00:00,,MANUAL,,"}
	f(recommended, "kim@shop.test 0 expired", "lee@shop.test 2 only")
	f(func(string, string) string { return migrate.KeepSubscription }, "kim@shop.test 2 subscription", "lee@shop.test 2 only")

	d := newEnv(t, carrot())
	exports := d.money("exports", reconciled(running))
	_, err := d.try(d.write("wrong.csv", "id,decision", "subscription_partner:kim@shop.test,beta"), exports)
	if err == nil || !strings.Contains(err.Error(), "wrong.csv:2") || !strings.Contains(err.Error(), "referral, subscription") {
		t.Errorf("a decision that there is not: %v", err)
	}
}

// Who decided stands in the plan.
func TestDecidedBy(t *testing.T) {
	d := newEnv(t, carrot())
	exports := d.money("exports", without(keap.Ledger))
	d.plan(exports)
	_, err := d.try(d.write("decided.csv", "id,decision,decided_by", "no_ledger:ledger,accept,Ann of Finance"), exports)
	d.must(err)
	var plan struct {
		Conflicts []struct {
			ID, Decision string
			By           string `json:"decided_by"`
		}
	}
	text, err := os.ReadFile(d.path("plan", "plan.json"))
	d.must(err)
	d.must(json.Unmarshal(text, &plan))
	found := false
	for _, c := range plan.Conflicts {
		if c.ID == "no_ledger:ledger" {
			found = c.Decision == migrate.Accept && c.By == "Ann of Finance"
		}
	}
	if !found {
		t.Errorf("plan.json: %+v", plan.Conflicts)
	}
	for _, c := range readCSV(t, d.path("plan", "conflicts.csv")) {
		if c["id"] == "no_ledger:ledger" && c["decided_by"] != "Ann of Finance" {
			t.Errorf("conflicts.csv: %v", c)
		}
	}
	d.apply()
}

// The n-th of equal rows of one file is the n-th of another's: a commission may be earned
// twice, and is never carried over twice.
func TestEqualRows(t *testing.T) {
	const row, other = "1,2023-02-10,70002,102,Evergreen Webinar,Sale,1,10.00", "Alpha,02/10/2023,070002,102,Evergreen Webinar,Sale,1,$10.00"
	f := func(n int, files ...int) { // how many rows each file has
		t.Helper()
		for kind, ledger := range map[string]string{keap.Commissions: "1,0,%d,0,0,%d", keap.Clawbacks: "1,0,0,%d,0,-%d",
			keap.Payments: "1,0,0,0,%d,-%d"} {
			cents, table, row, other := int64(1000*n), "commission", row, other
			if kind != keap.Commissions {
				cents = -cents
			}
			if kind == keap.Payments { // without an id
				table, row, other = "payout", "1,,2023-02-10,Cash,,10.00", "Alpha,,02/10/2023,Cash,,$10.00"
			}
			d := newEnv(t, carrot())
			rows := map[string][]string{keap.Commissions: {"-"}, keap.Clawbacks: {"-"}, keap.Payments: {"-"},
				keap.Ledger: {fmt.Sprintf(ledger, 10*n, 10*n)}}
			exports := d.money("exports", rows)
			total := 0
			for i, equal := range files {
				header, line := "Affiliate Id,", row
				if i%2 == 1 {
					header, line = "Aff Code,", other
				}
				d.write(fmt.Sprintf("exports/%s%d.csv", kind, i),
					append([]string{header + moneyHeaders[kind]}, slices.Repeat([]string{line}, equal)...)...)
				total += equal
			}
			p := d.migrate(exports)
			loaded, skipped := 0, 0
			for _, file := range p.Files {
				if file.Kind == kind {
					loaded += file.Loaded
					skipped += file.SkippedBy["duplicate"]
				}
			}
			if loaded != n || skipped != total-n || p.Tables[table].Create != n {
				t.Errorf("%s in files of %v: %d loaded, %d skipped, %d created; want %d and %d", kind, files, loaded, skipped, p.Tables[table].Create,
					n, total-n)
			}
			d.owe(fmt.Sprintf("%s in files of %v", kind, files), map[account]int64{{1, "USD"}: cents})
			d.proven()
		}
	}
	f(1, 1)
	f(1, 1, 1)
	f(2, 2)
	f(2, 2, 1)
	f(2, 1, 2)
	f(2, 2, 2)
	f(3, 1, 3, 2)
	f(3, 3, 0, 3)
}

// Rows that differ in anything that a commission is known by are two, whatever files
// they stand in.
func TestNearlyEqualRows(t *testing.T) {
	const row = "1,2023-02-10,70002,102,Evergreen Webinar,Sale,1,10.00"
	for _, other := range []string{
		"2,2023-02-10,70002,102,Evergreen Webinar,Sale,1,10.00", "1,2023-02-11,70002,102,Evergreen Webinar,Sale,1,10.00",
		"1,2023-02-10,70003,102,Evergreen Webinar,Sale,1,10.00",
		"1,2023-02-10,,102,Evergreen Webinar,Sale,1,10.00", "1,2023-02-10,70002,102,Agency Membership,Sale,1,10.00",
		"1,2023-02-10,70002,102,Evergreen Webinar,Level 2,1,10.00",
		"1,2023-02-10,70002,102,Evergreen Webinar,Sale,1,10.01", "1,2023-02-10,70002,102,Evergreen Webinar,Sale,1,-10.00",
		"1,2023-02-10,70002,102,Evergreen Webinar,Sale,1,AUD 10.00",
	} {
		for _, kind := range []string{keap.Commissions, keap.Clawbacks} {
			d := newEnv(t, carrot())
			exports := d.money("exports", map[string][]string{kind: {row}})
			d.write("exports/"+kind+"-other.csv", "Affiliate Id,"+moneyHeaders[kind], other)
			want := 2
			if kind == keap.Clawbacks && strings.HasSuffix(other, ",-10.00") { // the sign says nothing
				want = 1
			}
			if p := d.plan(exports); p.Tables["commission"].Create != want {
				t.Errorf("%s %q beside %q: %d are created, want %d", kind, other, row, p.Tables["commission"].Create, want)
			}
		}
	}
}

// A code of several people names none of them, in any file of money; an id does, and so
// does a code of one person's partners.
func TestCodeOfSeveral(t *testing.T) {
	f := func(partners []string, rejects int, wants map[account]int64) {
		t.Helper()
		d := newEnv(t, carrot())
		exports := d.money("exports", without(keap.Ledger, keap.Clawbacks, keap.Payments, keap.Referrals))
		d.partners("exports", partners...)
		for _, kind := range []string{keap.Clawbacks, keap.Payments, keap.Referrals} {
			row := map[string]string{keap.Clawbacks: "2023-03-15,70002,102,Evergreen Webinar,Refund,1,1.00",
				keap.Payments: "901,2022-08-12,Cash,,2.00", keap.Referrals: "501,101,2022-01-05 09:00:00,,COOKIE,course,"}[kind]
			d.write("exports/"+kind+".csv", "Aff Code,"+moneyHeaders[kind], "Alpha,"+row)
		}
		p := d.plan(exports)
		for _, r := range p.Rejects {
			if r.Reason != "unknown_partner" || r.Value != "Alpha" {
				t.Errorf("%+v", r)
			}
		}
		if len(p.Rejects) != rejects {
			t.Errorf("%d rejects, want %d", len(p.Rejects), rejects)
		}
		_, err := d.try(d.decide("decided.csv", recommended), exports)
		d.must(err)
		d.apply()
		d.owe(strings.Join(partners, "; "), wants)
	}
	f([]string{"1,11,Alpha,Active", "2,12,Alpha,Active"}, 3, map[account]int64{{1, "USD"}: 12424, {2, "USD"}: 1485})
	f([]string{"1,11,Alpha,Active", "2,12,alpha,Active"}, 0, map[account]int64{{1, "USD"}: 12124, {2, "USD"}: 1485}) // capital letters count
	f([]string{"1,11,Alpha,Active", "2,11,Alpha,Active"}, 0, map[account]int64{{1, "USD"}: 12124, {2, "USD"}: 1485}) // one person
	f([]string{"1,11,other,Active", "2,12,beta,Active"}, 3, map[account]int64{{1, "USD"}: 12424, {2, "USD"}: 1485})
}

// What verify must notice of money that was tampered with.
func TestVerifyMoney(t *testing.T) {
	rows := reconciled(map[string][]string{
		keap.Orders:        {"4001,101,2022-06-02,297.02,Agency Membership,1"},
		keap.Subscriptions: {"301,101,7,Agency Membership,1,$297.02,Active,6/2/2022,"},
	})
	f := func(statement string, isMoney bool, wants ...string) {
		t.Helper()
		d := newEnv(t, carrot())
		d.migrate(d.money("exports", rows))
		d.proven()
		db, err := sql.Open("sqlite", d.book.Path())
		d.must(err)
		defer db.Close()
		res, err := db.Exec(statement)
		d.must(err)
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			t.Fatalf("%s: %d rows, %v", statement, n, err)
		}
		differences, money, _, said := d.verify()
		if differences == 0 || (money > 0) != isMoney {
			t.Errorf("%s: %d differences, %d of money: %s", statement, differences, money, said)
		}
		for _, want := range wants {
			if !slices.ContainsFunc(strings.Split(said, "\n"), func(line string) bool {
				return !slices.ContainsFunc(strings.Split(want, "|"), func(part string) bool { return !strings.Contains(line, part) })
			}) {
				t.Errorf("%s: no line says %q:\n%s", statement, want, said)
			}
		}
	}
	f(`UPDATE commission SET amount = amount + 1 WHERE invoice = '70001' AND partner_id = 1`, true,
		"alpha|commission|2022-06|74.26 USD|74.27 USD|difference -0.01 USD", "Alpha (1)|alpha|difference -0.01 USD")
	f(`UPDATE commission SET amount = amount - 1 WHERE invoice = '70001' AND partner_id = 2`, true,
		"beta|commission|2022-06|difference 0.01 USD")
	f(`UPDATE commission SET amount = amount + 1 WHERE kind = 'clawback'`, true, "alpha|clawback|2023-03|difference -0.01 USD")
	f(`UPDATE commission SET amount = amount + 1 WHERE kind = 'opening'`, true, "alpha|Alpha (1)|difference -0.01 USD")
	f(`UPDATE commission SET month = 202207 WHERE invoice = '70001' AND partner_id = 2`, true, "beta|commission|2022-06|difference 14.85 USD",
		"beta|commission|2022-07|difference -14.85 USD")
	f(`UPDATE commission SET partner_id = 2 WHERE kind = 'clawback'`, true, "alpha|clawback|2023-03|difference -49.98 USD",
		"beta|clawback|2023-03|difference 49.98 USD")
	f(`UPDATE commission SET currency = 'AUD' WHERE invoice = '70001' AND partner_id = 2`, true,
		"beta|commission|2022-06|difference 14.85 USD", "beta|commission|2022-06|difference -14.85 AUD")
	f(`UPDATE commission SET kind = 'commission' WHERE kind = 'clawback'`, true, "alpha|clawback|2023-03|difference -49.98 USD",
		"alpha|commission|2023-03|difference 49.98 USD")
	f(`DELETE FROM commission WHERE invoice = '70001' AND partner_id = 1`, true, "alpha|commission|2022-06|difference 74.26 USD")
	f(`DELETE FROM commission WHERE kind = 'clawback'`, true, "alpha|clawback|2023-03|difference -49.98 USD")
	f(`DELETE FROM commission WHERE kind = 'opening'`, true, "alpha|Alpha (1)|difference 10.00 USD")
	f(`UPDATE payout SET amount = amount + 1`, true, "alpha|payment|2022-08|difference -0.01 USD")
	f(`UPDATE payout SET partner_id = 2`, true, "alpha|payment|2022-08|difference 50.00 USD", "beta|payment|2022-08|difference -50.00 USD")
	f(`DELETE FROM payout`, true, "alpha|payment|2022-08|difference 50.00 USD")
	f(`INSERT INTO payout SELECT 'k-00000000000000000000000000000000', import_id, partner_id, 999, paid_at, month, 100, currency, type, note,
		source_id, source_line FROM payout`, true, "alpha|payment|2022-08|difference -1.00 USD")
	f(`INSERT INTO commission SELECT 'k-00000000000000000000000000000000', import_id, kind, partner_id, seller_id, contact_id, invoice,
		earned_at, month, 1, currency, product, description, source_id, source_line FROM commission WHERE kind = 'clawback'`, true, "alpha|clawback|2023-03|difference -0.01 USD")
	f(`UPDATE referral SET partner_id = 2 WHERE customer = 'kim@shop.test'`, false, "kim@shop.test|beta|alpha")
	f(`UPDATE referral SET partner_id = 0, rule = 'expired' WHERE customer = 'kim@shop.test'`, false,
		"kim@shop.test|nobody (expired)|alpha (only)")
	f(`DELETE FROM referral WHERE customer = 'kim@shop.test'`, false, "kim@shop.test|alpha|missing")
	f(`UPDATE referral_row SET set_at = set_at + 60 WHERE id = 501`, false, "referral 501")
	f(`UPDATE sale SET total = total + 1`, false, "order 4001")
	f(`DELETE FROM sale`, false, "order 4001|missing")
	f(`UPDATE subscription SET active = 0`, false, "subscription 301")
	f(`UPDATE contact SET email = 'x@shop.test' WHERE id = 101`, false, "contact 101")
}

// A difference that a person accepted hides no other one.
func TestVerifyAcceptedDifference(t *testing.T) {
	for _, statement := range []string{
		`DELETE FROM commission WHERE kind = 'difference'`,
		`UPDATE commission SET amount = amount + 1 WHERE invoice = '70001' AND partner_id = 1`,
	} {
		d := newEnv(t, carrot())
		exports := d.money("exports",
			reconciled(map[string][]string{keap.Ledger: {"1,10.00,124.24,49.98,50.00,34.30", "2,0.00,14.85,0.00,0.00,14.85"}}))
		d.plan(exports)
		_, err := d.try(d.decide("decided.csv", recommended), exports)
		d.must(err)
		d.apply()
		if differences, _, decided, said := d.verify(); differences != 0 || decided != 1 {
			t.Fatalf("%d differences, %d decided: %s", differences, decided, said)
		}
		db, err := sql.Open("sqlite", d.book.Path())
		d.must(err)
		_, err = db.Exec(statement)
		d.must(cmp.Or(err, db.Close()))
		if _, money, _, said := d.verify(); money == 0 {
			t.Errorf("%s: verify finds no difference: %s", statement, said)
		}
	}
}
