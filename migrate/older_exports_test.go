package migrate_test

import (
	"slices"
	"strings"
	"testing"

	"carryover/migrate"
	"carryover/migrate/keap"
)

// Older exports on top of newer ones are a question: an earlier as_of, an older ledger, or
// both. What is recommended changes nothing that the book holds.
func TestOlderExports(t *testing.T) {
	// What April changed: a partner is inactive, a link leads elsewhere, a customer has moved.
	newer := func(d *env) string {
		dir := d.money("april", april(map[string][]string{keap.Referrals: {
			"1,501,101,2022-01-05 09:00:00,,COOKIE,course,", "2,502,102,2022-06-01 09:00:00,,MANUAL,,", "2,504,101,2023-04-05 09:00:00,,MANUAL,,",
		}}))
		d.write("april/partners.csv", "Affiliate Id,Contact Id,Aff Code,Status", "1,11,Alpha,Active", "2,12,beta,Inactive")
		d.write("april/contacts.csv", "Id,Email", "11,ann.new@mail.test", "12,bob@mail.test", "101,kim@shop.test", "102,lee@shop.test")
		d.write("april/links.csv", "Id,Code,Website Address", "1,course,https://carrot.test/new-course")
		return dir
	}
	f := func(what, asOf string, older map[string][]string, id string, wants ...string) {
		t.Helper()
		t.Run(what, func(t *testing.T) {
			t.Helper()
			d := march(t)
			d.migrate(newer(d))
			dump := func() []string {
				return slices.DeleteFunc(d.dump(false), func(row string) bool { return strings.HasPrefix(row, "source ") })
			}
			before := dump()
			d.settings.AsOf = asOf
			exports := d.money("older", older)
			p := d.plan(exports)
			i := slices.IndexFunc(p.Open(), func(c migrate.Conflict) bool { return c.ID == id })
			if i < 0 || len(p.Open()) != 1 || p.Open()[i].Recommended != migrate.KeepNewer {
				t.Fatalf("open %+v, want %s", p.Open(), id)
			}
			for _, want := range wants {
				if !strings.Contains(p.Open()[i].Detail, want) {
					t.Errorf("%q is not said in %q", want, p.Open()[i].Detail)
				}
			}
			if text := d.text(p); strings.Contains(text, "Proven") {
				t.Errorf("proven by an older ledger: %s", text)
			}
			if _, err := d.tryApply(nil); err == nil {
				t.Error("applied without a decision")
			}
			p, err := d.try(d.decide("decided.csv", recommended), exports)
			d.must(err)
			if len(p.Open()) > 0 {
				t.Errorf("open with every recommendation: %+v", p.Open())
			}
			if p.AsOf != "2023-04-30" {
				t.Errorf("as of %s", p.AsOf)
			}
			if p.Changes.Len() > 0 {
				t.Errorf("it changes %+v", p.Changes)
			}
			d.apply()
			same(t, "the book", dump(), before)
			differences, _, decided, said := d.verify()
			if differences != 0 || decided == 0 || !strings.Contains(said, "older than what the book holds") {
				t.Errorf("verify: %d differences, %d decided: %s", differences, decided, said)
			}
			// Applied once more, and planned once more with the newer exports: nothing to ask.
			d.settings.AsOf = "2023-04-30"
			p = d.plan(d.path("april"))
			if len(p.Open()) > 0 || p.Changes.Len() > 0 {
				t.Errorf("the newer exports again: open %+v, changes %+v", p.Open(), p.Changes)
			}
		})
	}
	f("an earlier as_of and an older ledger", "2023-03-31", reconciled(nil), "older_exports:as_of",
		"the customers of 2023-03-31, and run 2 those of 2023-04-30", "their ledger is from before 2023-04-02", "Alpha (1)")
	f("an older ledger", "2023-04-30", reconciled(nil), "older_exports:ledger", "their ledger is from before 2023-04-02")
	f("an earlier as_of", "2023-03-31", april(map[string][]string{keap.Referrals: nil}), "older_exports:as_of", "the customers of 2023-03-31")
	f("an older ledger alone", "2023-04-30", map[string][]string{keap.Ledger: reconciled(nil)[keap.Ledger]}, "older_exports:ledger")
}

// Whoever wants to go back may.
func TestOlderExportsAccepted(t *testing.T) {
	d := march(t)
	d.migrate(d.money("april", april(nil)))
	d.settings.AsOf = "2023-03-31"
	p, err := d.try(d.write("decided.csv", "id,decision", "older_exports:as_of,accept"), d.money("older", reconciled(nil)))
	d.must(err)
	if p.AsOf != "2023-03-31" || len(p.Open()) == 0 || p.Open()[0].Kind != migrate.KindUnbalanced {
		t.Errorf("as of %s, open %+v", p.AsOf, p.Open())
	}
}

// What is new, or differs for another reason, does not look old.
func TestNewerExportsAreNotOlder(t *testing.T) {
	f := func(change func(rows map[string][]string), open ...string) {
		t.Helper()
		d := march(t)
		d.migrate(d.money("april", april(nil)))
		rows := april(nil)
		change(rows)
		var ids []string
		for _, c := range d.plan(d.money("may", rows)).Open() {
			ids = append(ids, c.ID)
		}
		same(t, "open", ids, open)
	}
	f(func(map[string][]string) {})
	// The newest rows are there, and a partner's ending lacks them.
	f(func(rows map[string][]string) {
		rows[keap.Ledger] = []string{"1,10.00,124.24,49.98,50.00,34.26", "2,0.00,29.70,14.85,-1.00,15.85"}
	},
		"unbalanced_ledger:Alpha")
	// A period that follows.
	f(func(rows map[string][]string) {
		rows[keap.Commissions] = []string{"1,2023-05-02,70005,101,Agency Membership,Sale,1,74.26"}
		rows[keap.Clawbacks], rows[keap.Payments] = []string{"-"}, []string{"-"}
		rows[keap.Ledger] = []string{"1,148.52,74.26,0,0,222.78", "2,15.85,0,0,0,15.85"}
	})
}
