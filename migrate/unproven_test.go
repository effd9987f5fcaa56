package migrate_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"carryover/migrate"
	"carryover/migrate/keap"
	"carryover/migrate/report"
)

// checks runs verify, and says what its two answers are.
func (d *env) checks() (checks []migrate.Check, links, money string) {
	d.Helper()
	checks, _, err := migrate.Verify(d.ctx(), d.settings, d.book, d.store, migrate.NoProgress{})
	d.must(err)
	links, money = migrate.Answers(checks)
	return checks, links, money
}

// names fails unless plan and verify of exports name each of wants, and neither calls the money
// proven.
func (d *env) names(about string, p *migrate.Plan, wants ...string) {
	d.Helper()
	var said bytes.Buffer
	d.must(report.Plan(&said, report.Terminal{}, p, "plan", "carryover"))
	checks, links, money := d.checks()
	var all []string
	for _, c := range checks {
		all = append(append(all, c.Note), c.Examples...)
		if c.Differences > 0 {
			d.Errorf("%s: %s: %v", about, c.Name, c.Examples)
		}
	}
	if err := migrate.Verdict(checks); !errors.Is(err, migrate.ErrUnproven) {
		d.Errorf("%s: verify comes to %v", about, err)
	}
	if !strings.HasPrefix(links, "links: GO") || !strings.HasPrefix(money, "money: all proven but for this: ") &&
		!strings.HasPrefix(money, "money: not proven, the newest exports have no ledger, ") {
		d.Errorf("%s: %q, %q", about, links, money)
	}
	if strings.Contains(said.String(), "Proven to the cent: ") {
		d.Errorf("%s: the plan says that all is proven:\n%s", about, said.String())
	}
	for _, want := range wants {
		if !strings.Contains(said.String(), want) {
			d.Errorf("%s: plan names no %q:\n%s", about, want, said.String())
		}
		if !strings.Contains(strings.Join(all, "\n"), want) {
			d.Errorf("%s: verify names no %q: %q", about, want, all)
		}
	}
}

// A cent that a person accepted is named by every later plan and verify: of a ledger that goes
// on from it, and of exports without any money; until a person takes it back.
func TestAcceptedDifferenceStands(t *testing.T) {
	d := newEnv(t, carrot())
	d.accepting(d.money("march", aCentMore()))
	d.settings.AsOf, d.settings.ConfigHash = "2023-04-30", "carrot in April"
	later := d.money("april", map[string][]string{
		keap.Commissions: {"1,2023-04-02,70003,101,Agency Membership,Sale,1,74.26"},
		keap.Ledger:      {"1,34.27,74.26,0,0,108.53", "2,14.85,0,0,0,14.85"},
	})
	p := d.plan(later)
	if len(p.Differences) > 0 || len(p.Open()) > 0 || len(p.Standing) != 1 || p.Standing[0].Amount != 1 || p.Standing[0].Partner != 1 {
		t.Fatalf("differences %+v, open %+v, standing %+v", p.Differences, p.Open(), p.Standing)
	}
	d.apply()
	d.owe("April", map[account]int64{{1, "USD"}: 10853, {2, "USD"}: 1485})
	d.names("a ledger that goes on", d.plan(later), "Alpha (1)", "0.01 USD")

	d.settings.ConfigHash = "links in May"
	links := d.money("may", map[string][]string{})
	d.plan(links)
	d.apply()
	d.names("links alone", d.plan(links), "Alpha (1)", "0.01 USD")
	checks, _, _ := d.checks()
	for _, c := range checks {
		if strings.Contains(c.Name, "endings") && (c.Compared != 0 || !strings.Contains(c.Note, "no balance was compared")) ||
			strings.Contains(c.Note, "prove") {
			t.Errorf("%+v", c)
		}
	}

	// All from the beginning, and the ledger mended.
	d.settings.ConfigHash = "mended"
	mended := d.money("mended", april(nil))
	d.accepting(mended)
	if p := d.plan(mended); len(p.Standing) > 0 {
		t.Errorf("mended, and %+v stands", p.Standing)
	}
	d.proven()
}

// A partner whom the newest ledger does not list is named, and its balance is not proven.
func TestUnlistedBalance(t *testing.T) {
	d := march(t)
	exports := d.money("april", april(map[string][]string{
		keap.Commissions: {"1,2023-04-02,70003,101,Agency Membership,Sale,1,74.26"}, keap.Clawbacks: nil,
		keap.Payments: nil, keap.Ledger: {"1,34.26,74.26,0,0,108.52"},
	}))
	p := d.plan(exports)
	if len(p.Open()) > 0 || len(p.Unlisted) != 1 || p.Unlisted[0].Code != "beta" || p.Unlisted[0].Amount != 1485 {
		t.Fatalf("open %+v, unlisted %+v", p.Open(), p.Unlisted)
	}
	same(t, "told", has(p, migrate.KindUnlisted), []string{"beta"})
	d.apply()
	d.names("beta is not listed", d.plan(exports), "beta (2)", "14.85 USD")
	checks, _, _ := d.checks()
	for _, c := range checks {
		if c.Name == "money: sums of the exports = sums of the book, by promoter, kind and month" &&
			!strings.Contains(c.Note, "1 in balances that were compared with nothing") {
			t.Errorf("%+v", c)
		}
	}
}

// That there was no ledger is named until there is one.
func TestNoLedgerStands(t *testing.T) {
	d := newEnv(t, carrot())
	d.accepting(d.money("march", without(keap.Ledger)))
	d.settings.ConfigHash = "links in May"
	links := d.money("may", map[string][]string{})
	d.plan(links)
	d.apply()
	d.names("links alone", d.plan(links), "no_ledger:ledger", "run 1")
	d.settings.ConfigHash = "a ledger"
	all := d.money("all", reconciled(nil))
	d.accepting(all)
	if p := d.plan(all); len(p.Earlier) > 0 {
		t.Errorf("%v", p.Earlier)
	}
}

// Money that a person left out, or a ledger that he did not believe, is named by every later plan
// and verify, also of a ledger that lists others only, until a ledger lists the partner.
func TestDecidedAgainstLedgerStands(t *testing.T) {
	for _, decision := range []string{migrate.Exclude, migrate.Fix} {
		d := newEnv(t, carrot())
		march := d.money("march", aCentMore())
		d.plan(march)
		_, err := d.try(d.decide("decided.csv", func(id, recommended string) string {
			if strings.HasPrefix(id, migrate.KindUnbalanced) {
				return decision
			}
			return recommended
		}), march)
		d.must(err)
		d.apply()
		for i, exports := range []map[string][]string{
			{}, {}, // links alone, twice: a run hands on what it did not settle
			{keap.Ledger: {"2,14.85,0,0,0,14.85"}},
			{},
		} {
			d.settings.ConfigHash = fmt.Sprint("later ", i)
			later := d.money(fmt.Sprint("later", i), exports)
			d.plan(later)
			d.apply()
			p := d.plan(later)
			if len(p.Earlier) != 1 || len(p.Open()) > 0 {
				t.Fatalf("%s, %d: %q, open %+v", decision, i, p.Earlier, p.Open())
			}
			d.names(decision, p, "unbalanced_ledger:Alpha was decided in run 1: "+decision)
		}
		d.settings.ConfigHash = "mended"
		all := d.money("all", reconciled(nil))
		d.accepting(all)
		if p := d.plan(all); len(p.Earlier) > 0 {
			t.Errorf("%s: a ledger lists the partner, and %q", decision, p.Earlier)
		}
		d.proven()
	}
}

// What a plan books itself, because rows are missing, no earlier run has booked.
func TestNoRowsAreNoEarlierRuns(t *testing.T) {
	d := newEnv(t, carrot())
	exports := d.money("links and a ledger", map[string][]string{keap.Ledger: {"2,0,14.85,0,0,14.85"}})
	p := d.plan(exports)
	if len(p.Standing) > 0 || len(p.Conflicts) == 0 || p.Conflicts[0].Kind != migrate.KindNoRows {
		t.Fatalf("%+v, %+v", p.Standing, p.Conflicts)
	}
	d.accepting(exports)
	d.settings.ConfigHash = "later"
	if p := d.plan(exports); len(p.Standing) != 1 {
		t.Errorf("%+v", p.Standing)
	}
}

// One answer does not hide the other.
func TestAnswers(t *testing.T) {
	d := newEnv(t, carrot())
	d.accepting(d.money("march", aCentMore()))
	_, links, money := d.checks()
	const remains = "money: all proven but for this: 1 difference that a person decided about remains"
	if !strings.HasPrefix(links, "links: GO, all ") || money != remains {
		t.Errorf("%q, %q", links, money)
	}
	m, _, err := d.store.Load(d.ctx())
	d.must(err)
	m.Partners[0].Token = "thief"
	_, _, err = d.store.Publish(d.ctx(), m, "", nil)
	d.must(err)
	if _, links, _ = d.checks(); !strings.HasPrefix(links, "links: NO GO, 1 difference among ") {
		t.Errorf("%q", links)
	}
	e := newEnv(t, carrot())
	e.migrate(e.money("march", reconciled(nil)))
	if _, links, money = e.checks(); !strings.HasPrefix(links, "links: GO") || !strings.HasPrefix(money, "money: proven to the cent, all ") {
		t.Errorf("%q, %q", links, money)
	}
}
