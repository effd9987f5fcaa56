package migrate_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carryover/mapping/book"
	"carryover/migrate"
	"carryover/migrate/keap"
)

// tracked is what the live program has booked of one event.
type tracked struct {
	kind     string // empty: a sale
	event    string // empty: the billing system gave no id
	promoter int64
	email    string // empty: only a uid
	at       string // in the program's zone
	amount   int64  // what it does to the balance
	currency string // empty: the program's
	denied   bool
}

// kimsSale is as Keap's newer exports tell it: a sale of Kim's, by Alpha.
var kimsSale = tracked{event: "pay-4", promoter: 1, email: "kim@shop.test", at: "2023-04-02 14:30", amount: 7426}

func (d *env) unix(at string) int64 {
	d.Helper()
	when, err := time.ParseInLocation("2006-01-02 15:04", at, d.settings.Zone)
	d.must(err)
	return when.Unix()
}

// customer is the one that the live program has by that address, or a new one.
func (d *env) customer(tr *book.Tracking, email, uid string) book.Customer {
	d.Helper()
	c, ok, err := tr.CustomerByEmail(email)
	d.must(err)
	if !ok || email == "" {
		c = book.Customer{Email: email, UID: uid, CreatedAt: 1}
		d.must(tr.AddCustomer(&c))
	}
	return c
}

// track books events as the gateway does.
func (d *env) track(list ...tracked) {
	d.Helper()
	d.must(d.book.Track(func(tr *book.Tracking) error {
		for i, s := range list {
			c := d.customer(tr, s.email, fmt.Sprint("c-", i))
			kind, does := book.EventSale, book.KindCommission
			if s.kind == book.EventRefund {
				kind, does = book.EventRefund, book.KindRefund
			}
			at, currency := d.unix(s.at), cmp.Or(s.currency, "USD")
			e := book.Event{Kind: kind, ExternalID: s.event, CustomerID: c.ID, At: at, ReceivedAt: at, Amount: 4 * s.amount, Currency: currency,
				Quantity: 1, Plan: "Agency Membership", PromoterID: s.promoter, Evidence: "{}"}
			lines := []book.EventLine{{Kind: does, PromoterID: s.promoter, CustomerID: c.ID, At: at, Month: 202304, Amount: s.amount,
				Currency: currency, SaleAmount: 4 * s.amount, Product: e.Plan, ProductKind: "membership", Quantity: 1}}
			if err := tr.AddEvent(&e, lines); err != nil {
				return err
			}
			if s.denied {
				if err := tr.AddReview(lines[0].ID, "self", "in a test", at); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	for i, s := range list {
		if s.denied {
			_,
				err := d.book.Decide(d.ctx(), []book.ReviewDecision{{LineID: int64(i) + 1, Decision: book.ReviewDeny, DecidedAt: 1, DecidedBy: "kim"}})
			d.must(err)
		}
	}
}

// bind gives a customer to a promoter for life.
func (d *env) bind(email string, promoter int64, at string) {
	d.Helper()
	d.must(d.book.Track(func(tr *book.Tracking) error {
		c := d.customer(tr, email, "")
		c.PromoterID, c.BoundAt = promoter, d.unix(at)
		return tr.BindCustomer(&c)
	}))
}

// conflict is the one of a plan with that id.
func conflict(t tb, p *migrate.Plan, id string) migrate.Conflict {
	t.Helper()
	i := slices.IndexFunc(p.Conflicts, func(c migrate.Conflict) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("there is no conflict %s", id)
	}
	return p.Conflicts[i]
}

// A row that the live program has booked as well is told of and carried over, once.
func TestAlsoTracked(t *testing.T) {
	d := march(t)
	d.track(kimsSale)
	exports := d.money("april", april(nil))
	p := d.plan(exports)
	if len(p.Open()) > 0 || p.Tables["commission"].Create != 4 {
		t.Errorf("open %+v, commissions %+v", p.Open(), p.Tables["commission"])
	}
	same(t, "told of", has(p, migrate.KindAlsoTracked), []string{"70003"}) // one of two equal rows
	c := conflict(t, p, "also_tracked:70003")
	for _, says := range []string{"april/commissions.csv, line 5", "Alpha (1)", "74.26", "kim@shop.test", `event "pay-4" of 2023-04-02 (t-1)`,
		"skip"} {
		if !strings.Contains(c.Detail, says) {
			t.Errorf("the detail does not say %q: %s", says, c.Detail)
		}
	}
	if c.Blocking || c.Recommended != migrate.KeepRow {
		t.Errorf("blocking %t, recommended %q", c.Blocking, c.Recommended)
	}
	_, err := d.try(d.decide("decided.csv", recommended), exports)
	d.must(err)
	d.apply()
	d.owe("both count", map[account]int64{{1, "USD"}: 14852 + 7426, {2, "USD"}: 1585})
	d.proven()
	again := d.plan(exports)
	d.settled(again)
	same(t, "told again", has(again, migrate.KindAlsoTracked), nil)
}

// A row that a person skips is left out, now and when the exports are read again; a
// ledger that counts it asks, and recommends what keeps it out.
func TestAlsoTrackedIsSkipped(t *testing.T) {
	skip := func(id, recommended string) string {
		if strings.HasPrefix(id, migrate.KindAlsoTracked) {
			return migrate.SkipRow
		}
		return recommended
	}
	d := march(t)
	d.track(kimsSale)
	exports := d.money("april", april(nil))
	d.plan(exports)
	p, err := d.try(d.decide("skip.csv", skip), exports)
	d.must(err)
	if n := p.Tables["commission"].Create; n != 3 {
		t.Errorf("%d commissions are created, want 3", n)
	}
	for _, f := range p.Files {
		if f.Kind == keap.Commissions && (f.Loaded != 5 || f.Skipped != 1 || f.SkippedBy["excluded"] != 1) {
			t.Errorf("commissions: %+v", f)
		}
	}
	open := p.Open()
	if len(open) != 1 || open[0].ID != "unbalanced_ledger:Alpha" || open[0].Recommended != migrate.Fix ||
		!strings.Contains(open[0].Detail, "left out because it was tracked as well") {
		t.Fatalf("open: %+v", open)
	}
	if _, err := d.tryApply(nil); err == nil {
		t.Error("apply while the ledger asks: no error")
	}
	decisions := d.decide("decided.csv", skip)
	_, err = d.try(decisions, exports)
	d.must(err)
	d.apply()
	d.owe("it counts once", inApril)
	if differences, _, decided, said := d.verify(); differences != 0 || decided != 1 {
		t.Errorf("verify: %d differences, %d decided: %s", differences, decided, said)
	}
	p, err = d.try(decisions, exports)
	d.must(err)
	d.settled(p)
	if len(p.Open()) > 0 || len(p.Unused) > 0 {
		t.Errorf("planned again: open %+v, not used %v", p.Open(), p.Unused)
	}
	// Accepting the ledger would bring the money back.
	accepted, err := d.try(d.decide("accepted.csv", func(id, recommended string) string {
		if id == "unbalanced_ledger:Alpha" {
			return migrate.Accept
		}
		return skip(id, recommended)
	}), exports)
	d.must(err)
	if n := accepted.Tables["commission"].Create; n != 1 {
		t.Errorf("accepted: %d entries are created, want the ledger's", n)
	}

	// Without a ledger that counts the row nothing else is asked.
	d = march(t)
	d.track(kimsSale)
	rows := april(nil)
	rows[keap.Ledger] = []string{"1,10.00,198.50,49.98,84.26,74.26", "2,0.00,29.70,14.85,-1.00,15.85"}
	exports = d.money("april", rows)
	d.plan(exports)
	p, err = d.try(d.decide("skip.csv", skip), exports)
	d.must(err)
	if len(p.Open()) > 0 {
		t.Errorf("open: %+v", p.Open())
	}
	d.apply()
	d.owe("it counts once", inApril)
	d.proven()
}

// A skipped row stays out although the rows beside it are in the book by then.
func TestAlsoTrackedOneOfTwo(t *testing.T) {
	d := march(t)
	other := kimsSale
	other.event, other.at = "pay-5", "2023-04-03 08:00"
	d.track(kimsSale, other)
	rows := april(nil)
	delete(rows, keap.Ledger)
	exports := d.money("april", rows)
	p := d.plan(exports)
	told := has(p, migrate.KindAlsoTracked)
	if len(told) != 2 || !strings.HasPrefix(told[0], "k-") || told[0] == told[1] { // one invoice does not tell them apart
		t.Fatalf("told of %v", told)
	}
	decisions := d.decide("decided.csv", func(id, recommended string) string {
		if id == "also_tracked:"+told[1] {
			return migrate.SkipRow
		}
		return recommended
	})
	_, err := d.try(decisions, exports)
	d.must(err)
	d.apply()
	// What was due before was paid: one of the two, and both that were tracked.
	d.owe("one of two", map[account]int64{{1, "USD"}: 3 * 7426, {2, "USD"}: 1585})
	if differences, _, _, said := d.verify(); differences != 0 {
		t.Errorf("verify: %d differences: %s", differences, said)
	}
	p, err = d.try(decisions, exports)
	d.must(err)
	d.settled(p)
	same(t, "told again", has(p, migrate.KindAlsoTracked), told[1:])
}

// What tells of one thing: the same promoter, customer, amount and currency, and at most
// a day apart.
func TestWhatIsAlsoTracked(t *testing.T) {
	f := func(what string, change func(s *tracked), want ...string) {
		t.Helper()
		d := march(t)
		s := kimsSale
		change(&s)
		d.track(s)
		exports := d.money("april", april(nil))
		if what == "a promoter who is one with it by now" {
			d.partners("april", "1,11,Alpha,Active", "2,11,beta,Active")
		}
		same(t, what, has(d.plan(exports), migrate.KindAlsoTracked), want)
	}
	f("the same day", func(*tracked) {}, "70003")
	f("without an id", func(s *tracked) { s.event = "" }, "70003")
	f("the first minute of the day before", func(s *tracked) { s.at = "2023-04-01 00:00" }, "70003")
	f("the last minute of the day after", func(s *tracked) { s.at = "2023-04-03 23:59" }, "70003")
	f("two days before", func(s *tracked) { s.at = "2023-03-31 23:59" })
	f("two days after", func(s *tracked) { s.at = "2023-04-04 00:00" })
	f("a cent more", func(s *tracked) { s.amount++ })
	f("another currency", func(s *tracked) { s.currency = "AUD" })
	f("another customer", func(s *tracked) { s.email = "lee@shop.test" })
	f("a customer without an address", func(s *tracked) { s.email = "" })
	f("another promoter", func(s *tracked) { s.promoter = 2 })
	f("a promoter who is one with it by now", func(s *tracked) { s.promoter = 2 }, "70003")
	f("denied", func(s *tracked) { s.denied = true })
	f("what the book holds already", func(s *tracked) { s.at, s.amount, s.email, s.promoter = "2023-02-10 09:00", 4998, "lee@shop.test", 1 })
	f("a refund", func(s *tracked) { s.kind, s.promoter, s.amount = book.EventRefund, 2, -1485 }, "70003")
	f("a refund of nothing that Keap takes back", func(s *tracked) { s.kind, s.amount = book.EventRefund, -7426 })
}

// Who was bound by the live program stays whose it is, and the plan says so.
func TestLiveBindingsWin(t *testing.T) {
	d := march(t)
	d.bind("kim@shop.test", 1, "2023-04-01 23:30")
	d.bind("bob@mail.test", 2, "2023-04-03 10:00") // Keap says Alpha, and the book did not know it
	rows := april(nil)
	rows[keap.Referrals] = append(rows[keap.Referrals], "2,504,101,2023-04-06 09:00:00,,COOKIE,,", "1,505,102,2023-04-06 09:00:00,,COOKIE,,")
	p := d.migrate(d.money("april", rows))
	same(t, "moved", has(p, migrate.KindMovedCustomer), []string{"kim@shop.test", "lee@shop.test"})
	f := func(id, want string) {
		t.Helper()
		if c := conflict(t, p, id); !strings.HasSuffix(c.Detail, want) {
			t.Errorf("%s does not end with %q: %s", id, want, c.Detail)
		}
	}
	f("moved_customer:kim@shop.test",
		"by these exports to beta (2) (latest); but the live program has bound it to alpha on 2023-04-01, and it stays alpha's")
	f("moved_customer:lee@shop.test", "by these exports to Alpha (1) (latest), and so it does from now on")
	var owners []string
	for _, row := range readCSV(t, d.path("plan", "owners.csv")) {
		owners = append(owners, fmt.Sprintf("%s %s %s %s", row["customer"], row["promoter"], row["why"], row["live_ref_token"]))
	}
	same(t, "owners.csv", owners, []string{"bob@mail.test alpha only beta", "kim@shop.test beta latest alpha", "lee@shop.test alpha latest "})
	d.proven()
}

// What has nothing to do with newer exports changes nothing of their plan; owners.csv
// keeps its columns in their order.
func TestPlanWithoutLiveData(t *testing.T) {
	d := march(t)
	exports := d.money("april", april(nil))
	written := func() map[string]string {
		d.plan(exports)
		files := map[string]string{}
		for _, name := range []string{"plan.json", "conflicts.csv", "owners.csv", "findings.csv"} {
			text, err := os.ReadFile(d.path("plan", name))
			d.must(err)
			files[name] = string(text)
		}
		return files
	}
	before := written()
	header, _, _ := strings.Cut(before["owners.csv"], "\n")
	want := "customer,keap_partner,keap_partner_code,promoter,why,keap_contact_id,keap_referral_id,referred_at,live_ref_token"
	if strings.TrimSpace(header) != want {
		t.Errorf("owners.csv begins with %s, want %s", header, want)
	}
	for _, row := range readCSV(t, d.path("plan", "owners.csv")) {
		if row["live_ref_token"] != "" {
			t.Errorf("%s is %s's", row["customer"], row["live_ref_token"])
		}
	}
	d.track(tracked{event: "pay-1", promoter: 1, email: "ned@mail.test", at: "2023-04-02 10:00", amount: 7426},
		tracked{promoter: 2, email: "kim@shop.test", at: "2023-05-02 10:00", amount: 1})
	d.bind("ned@mail.test", 1, "2023-04-02 10:00")
	after := written()
	for name := range before {
		if before[name] != after[name] {
			t.Errorf("%s is not what it was", name)
		}
	}
}

// A promoter stays who it is live when the partner that it has its id from is the program's
// own by now, while another partner is still one with it.
func TestTrackedPromoterOfExcludedPartner(t *testing.T) {
	d := newEnv(t, carrot())
	merged := []string{"1,11,Alpha,Active", "2,11,beta,Active"}
	d.money("march", reconciled(nil))
	d.partners("march", merged...)
	d.migrate(d.path("march"))
	sale := kimsSale
	d.track(sale)
	d.bind("kim@shop.test", 1, "2023-04-02 14:30")

	d.settings.Exclude = []string{"Alpha"}
	rows := april(nil)
	for i, row := range rows[keap.Commissions] {
		rows[keap.Commissions][i] = "2," + strings.SplitN(row, ",", 2)[1] // all of it is beta's
	}
	delete(rows, keap.Ledger)
	d.money("april", rows)
	d.partners("april", merged...)
	p := d.plan(d.path("april"))
	same(t, "told of", has(p, migrate.KindAlsoTracked), []string{"70003"})
	var live []string
	for _, row := range readCSV(t, d.path("plan", "owners.csv")) {
		if row["live_ref_token"] != "" {
			live = append(live, row["customer"]+" "+row["live_ref_token"])
		}
	}
	same(t, "live owners", live, []string{"kim@shop.test alpha"})
}

// Whatever newer exports and the configuration decide about partners, what was tracked stays
// its promoter's, and all that anybody has is the ledger's sum.
func TestTrackedProperty(t *testing.T) {
	check(t, func(t *rapid.T, w world, newEnv func(book bool) *env) {
		d := newEnv(true)
		d.migrate(w.write(d, t, "first", false))
		var sales []tracked
		for _, q := range d.content().Promoters {
			sales = append(sales, tracked{
				event: fmt.Sprint("e-", q.ID), promoter: q.ID, email: fmt.Sprintf("buyer-%d@shop.test", q.ID), at: "2023-04-02 14:30",
				amount: 100 + q.ID,
			})
		}
		d.track(sales...)
		d.balanced()
		var next []worldPartner
		for _, p := range w.partners {
			if rapid.Bool().Draw(t, "excluded") {
				d.settings.Exclude = append(d.settings.Exclude, p.code)
			}
			if rapid.Bool().Draw(t, "exported again") {
				p.contact = rapid.IntRange(0, len(w.contacts)).Draw(t, "contact of "+p.code)
				next = append(next, p)
			}
		}
		if w.partners, w.older = next, nil; len(next) == 0 {
			return
		}
		d.migrate(w.write(d, t, "next", false))
		dir, err := d.book.Directory(d.ctx())
		d.must(err)
		for _, s := range sales {
			if dir.ByEarner(book.Earner{PromoterID: s.promoter}).Promoter == nil {
				t.Errorf("what was tracked for promoter %d is nobody's", s.promoter)
			}
		}
	})
}

// What was credited live is handed to nobody else by an import, also where only a sale says
// whose the customer is; without one the newer exports hold.
func TestCreditedCustomerStays(t *testing.T) {
	moved := april(map[string][]string{keap.Referrals: {
		"1,501,101,2022-01-05 09:00:00,,COOKIE,course,", "2,502,102,2022-06-01 09:00:00,,MANUAL,,", "2,504,101,2023-04-05 09:00:00,,MANUAL,,",
	}})
	expired := april(map[string][]string{keap.Referrals: {
		"1,501,101,2022-01-05 09:00:00,2023-04-01,COOKIE,course,", "2,502,102,2022-06-01 09:00:00,,MANUAL,,",
	}})
	f := func(rows map[string][]string, sold bool, want, said string) {
		t.Helper()
		d := march(t)
		if sold {
			d.track(kimsSale)
		}
		p := d.migrate(d.money("april", rows))
		_, owners := d.owners()
		if i := slices.IndexFunc(owners, func(o string) bool { return strings.HasPrefix(o, "kim@shop.test") }); i < 0 || owners[i] != want {
			t.Errorf("owners %q, want %q", owners, want)
		}
		if c := conflict(t, p, "moved_customer:kim@shop.test"); !strings.Contains(c.Detail, said) {
			t.Errorf("%q is not said in %q", said, c.Detail)
		}
		if differences, _, _, said := d.verify(); differences != 0 {
			t.Errorf("verify: %s", said)
		}
		if again := d.plan(d.path("april")); again.Changes.Len() != 0 {
			t.Errorf("planned again, it changes %+v", again.Changes.KeapRecords.Referrals)
		}
	}
	f(moved, false, "kim@shop.test beta latest", "by these exports to beta (2)")
	f(moved, true, "kim@shop.test alpha only", "belongs to beta (2) (latest); but the live program has credited it to Alpha (1), and it stays Alpha (1)'s")
	f(expired, false, "kim@shop.test - expired", "to nobody")
	f(expired, true, "kim@shop.test alpha only", "belongs to nobody (expired); but the live program")
}
