package book_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"

	"pgregory.net/rapid"
)

func TestEventID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := book.EntryID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		if got, err := book.ParseEntryID(id.String()); err != nil || got != id {
			t.Fatalf("%s came back as %s, %v", id, got, err)
		}
	})
	for _, s := range []string{"", "k", "k-", "k-00", "x-00112233445566778899aabbccddeeff", "k-00112233445566778899aabbccddeef",
		"k-00112233445566778899aabbccddeeffaa", "k-zz112233445566778899aabbccddeeff"} {
		if id, err := book.ParseEntryID(s); err == nil {
			t.Errorf("%q is the event id %s", s, id)
		}
	}
}

func entryID(n byte) book.EntryID { return book.EntryID{15: n} }

// sampleChanges is a program of a few rows.
func sampleChanges() *book.Changes {
	const march = 1_678_000_000
	return &book.Changes{
		Content: book.Content{
			Promoters: []book.Promoter{{ID: 7, Token: "ada", KeapID: 7, Email: "ada@mail.test", Name: "Ada", Status: book.StatusActive}},
			Aliases: []book.Alias{{Kind: book.AliasCode, Value: "ada", PromoterID: 7},
				{Kind: book.AliasKeapID, Value: "7", PromoterID: 7, Code: "ada", Active: true}},
			Links: []book.Link{{Code: "webinar", Destination: "https://carrot.test/webinar"}},
		},
		KeapRecords: book.KeapRecords{
			Sources: []book.Source{{Path: "exports/commissions.csv", Kind: "commissions"}, {Path: "exports/payments.csv", Kind: "payments"}},
			Contacts: book.Rows[book.Contact]{Create: []book.Contact{
				{ID: 1, Email: "bo@mail.test", Name: "Bo Young"}, {ID: 2, Email: "bo@mail.test", Name: "Bo  Young Jr"},
				{ID: 3, Name: "Émile Zola"}, {ID: 44, Email: "cy@mail.test", Name: "Cy"},
			}},
			Referrals: book.Rows[book.Referral]{Create: []book.Referral{
				{Customer: "bo@mail.test", Email: "bo@mail.test", ContactID: 2, PartnerID: 7, ReferralID: 12, ReferredAt: march + 60,
					FirstAt: march, Source: "webinar", Rule: terms.RuleLatest, Self: true},
				{Customer: "contact:3", ContactID: 3, Rule: terms.RuleExpired, FirstAt: march},
			}},
			ReferralRows: book.Rows[book.ReferralRow]{Create: []book.ReferralRow{
				{ID: -9, ContactID: 1, PartnerID: 9, SetAt: march + 120, Type: "COOKIE", Note: "no id"},
				{ID: 11, ContactID: 1, PartnerID: 9, SetAt: march, Type: "MANUAL", ExpiresOn: "2023-03-31"},
				{ID: 12, ContactID: 2, PartnerID: 7, SetAt: march + 60, Type: "COOKIE", Source: "webinar"},
			}},
			Sales: book.Rows[book.Sale]{Create: []book.Sale{
				{ID: 500, ContactID: 2, OrderedAt: march + 100, Total: 6900, Currency: "USD", Products: "Core;Pro", SellerID: 7,
					LeadID: 9, Type: "Online"},
				{ID: 501, ContactID: 1, OrderedAt: march, Total: 0, Currency: "USD"},
			}},
			Subscriptions: book.Rows[book.Subscription]{Create: []book.Subscription{
				{ID: -3, ContactID: 2, Product: "Core", PlanID: "5", Amount: 6900, Currency: "USD", SellerID: 7, Active: true,
					StartedAt: march, EndedAt: march + 1},
			}},
			Commissions: []book.Commission{
				{ID: entryID(1), Kind: book.KindCommission, PartnerID: 7, SellerID: 8, ContactID: 2, Invoice: "500", EarnedAt: march + 100,
					Month: 202303, Amount: 1725, Currency: "USD", Product: "Core", Description: "25%", Origin: book.Origin{Source: 1, Line: 2}},
				{ID: entryID(2), Kind: book.KindClawback, PartnerID: 7, ContactID: 2, Invoice: "500", EarnedAt: march + 200, Month: 202304,
					Amount: -1725, Currency: "USD", Product: "Core", Origin: book.Origin{Source: 1, Line: 3}},
				{ID: entryID(3), Kind: book.KindOpening, PartnerID: 7, EarnedAt: march, Month: 202303, Amount: math.MaxInt64 - 5000, Currency: "USD"},
				{ID: entryID(4), Kind: book.KindCommission, PartnerID: 3, ContactID: 1, EarnedAt: march, Month: 202303, Amount: 1,
					Currency: "JPY", Origin: book.Origin{Source: 1, Line: 4}},
			},
			Payouts: []book.Payout{
				{ID: entryID(5), PartnerID: 7, KeapID: 900, PaidAt: march + 100, Month: 202303, Amount: 1000, Currency: "USD",
					Type: "PayPal", Note: "January", Origin: book.Origin{Source: 2, Line: 2}},
				{ID: entryID(6), PartnerID: 7, PaidAt: march + 300, Month: 202304, Amount: -40, Currency: "USD"},
			},
		},
	}
}

func TestMoney(t *testing.T) {
	b, _ := openBook(t)
	ctx := context.Background()
	if m, err := b.KeapRecords(ctx); err != nil || m.Len() != 0 {
		t.Errorf("an empty book: %+v, %v", m, err)
	}
	c := sampleChanges()
	applyAll(t, b, 0, c)
	want := sampleChanges().KeapRecords
	for i := range want.Sources {
		want.Sources[i].ID = int64(i + 1)
	}
	for i := range want.Commissions {
		want.Posted = append(want.Posted, want.Commissions[i].Posted())
	}
	want.Commissions = nil
	if m, err := b.KeapRecords(ctx); err != nil || !reflect.DeepEqual(*m, want) {
		t.Errorf("got  %+v, %v\nwant %+v", m, err, want)
	}
	if content, err := b.Content(ctx); err != nil || !reflect.DeepEqual(*content, c.Content) {
		t.Errorf("the model came back as %+v, %v", content, err)
	}
}

func TestLedger(t *testing.T) {
	b, _ := openBook(t)
	ctx := context.Background()
	run := applyAll(t, b, 0, sampleChanges())
	const march = 1_678_000_000
	commission := book.Entry{ID: entryID(1).String(), Kind: book.KindCommission, Earner: partner(7), SellerID: 8, ContactID: 2,
		At: march + 100, Month: 202303, Amount: 1725, Currency: "USD",
		Invoice: "500", Product: "Core", Description: "25%", Source: "exports/commissions.csv", Line: 2, ImportID: run}
	payment := book.Entry{ID: entryID(5).String(), Kind: book.KindPayment, Earner: partner(7), At: march + 100, Month: 202303,
		Amount: -1000, Currency: "USD",
		Description: "January", Type: "PayPal", KeapID: 900, Source: "exports/payments.csv", Line: 2, ImportID: run}
	for _, want := range []book.Entry{commission, payment} {
		if got, err := b.Entry(ctx, want.ID); err != nil || got != want {
			t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
		}
	}
	if _, err := b.Entry(ctx, entryID(99).String()); !errors.Is(err, book.ErrNoEntry) || !strings.Contains(err.Error(), entryID(99).String()) {
		t.Errorf("an unknown entry: %v", err)
	}
	ids := func(list []book.Entry, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var s []string
		for _, e := range list {
			s = append(s, strings.TrimLeft(e.ID, "k-0"))
		}
		return strings.Join(s, " ")
	}
	ledger := func(of []book.Earner) (list []book.Entry, err error) {
		err = b.Ledger(ctx, of, func(e book.Entry) error {
			list = append(list, e)
			return nil
		})
		return list, err
	}
	for _, c := range []struct{ about, got, want string }{
		{"everybody's ledger", ids(ledger(nil)), "4 3 1 5 2 6"},
		{"one partner's, named twice", ids(ledger([]book.Earner{partner(7), partner(99), partner(7), live(7)})), "3 1 5 2 6"},
		{"nobody's", ids(ledger([]book.Earner{})), ""},
		{"contacts", ids(b.EntriesOf(ctx, []int64{2, 1, 2})), "4 1 2"},
		{"no contacts", ids(b.EntriesOf(ctx, nil)), ""},
		{"an invoice", ids(b.EntriesByInvoice(ctx, "500")), "1 2"},
		{"no invoice", ids(b.EntriesByInvoice(ctx, "")), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: entries %q, want %q", c.about, c.got, c.want)
		}
	}
	stop := errors.New("enough")
	n := 0
	if err := b.Ledger(ctx, nil, func(book.Entry) error { n++; return stop }); err != stop || n != 1 {
		t.Errorf("stopped after %d entries with %v", n, err)
	}
	want := []book.Sum{
		{partner(3), book.KindCommission, "JPY", 202303, 1, 1},
		{partner(7), book.KindClawback, "USD", 202304, -1725, 1},
		{partner(7), book.KindCommission, "USD", 202303, 1725, 1},
		{partner(7), book.KindOpening, "USD", 202303, math.MaxInt64 - 5000, 1},
		{partner(7), book.KindPayment, "USD", 202303, -1000, 1},
		{partner(7), book.KindPayment, "USD", 202304, 40, 1},
	}
	if sums, err := b.Sums(ctx); err != nil || !slices.Equal(sums, want) {
		t.Errorf("sums %+v, %v", sums, err)
	}
	applyAll(t, b, run, &book.Changes{KeapRecords: book.KeapRecords{Commissions: []book.Commission{
		{ID: entryID(7), Kind: book.KindOpening, PartnerID: 7, Month: 202303, Amount: 5001, Currency: "USD"},
	}}})
	if sums, err := b.Sums(ctx); err == nil {
		t.Errorf("a sum beyond 64 bits: %+v", sums)
	}
}

func TestCustomers(t *testing.T) {
	b, _ := openBook(t)
	ctx := context.Background()
	c := sampleChanges()
	applyAll(t, b, 0, c)
	var all []book.Referral
	if err := b.Customers(ctx, func(f book.Referral) error {
		all = append(all, f)
		return nil
	}); err != nil || !slices.Equal(all, c.KeapRecords.Referrals.Create) {
		t.Errorf("customers %+v, %v", all, err)
	}
	for _, want := range all {
		if got, err := b.Customer(ctx, want.Customer); err != nil || got != want {
			t.Errorf("customer %+v, %v", got, err)
		}
	}
	if _, err := b.Customer(ctx, "nobody@mail.test"); !errors.Is(err, book.ErrNoCustomer) {
		t.Errorf("an unknown customer: %v", err)
	}
	if s, err := b.Sale(ctx, 500); err != nil || s != c.KeapRecords.Sales.Create[0] {
		t.Errorf("sale %+v, %v", s, err)
	}
	if _, err := b.Sale(ctx, 1); !errors.Is(err, book.ErrNoSale) {
		t.Errorf("an unknown sale: %v", err)
	}
	both := []int64{1, 2}
	if rows, err := b.ReferralRowsOf(ctx, both); err != nil || len(rows) != 3 || rows[0].ID != 11 || rows[1].ID != 12 || rows[2].ID != -9 {
		t.Errorf("referral rows %+v, %v", rows, err)
	}
	if sales, err := b.SalesOf(ctx, both); err != nil || len(sales) != 2 || sales[0].ID != 501 || sales[1] != c.KeapRecords.Sales.Create[0] {
		t.Errorf("sales %+v, %v", sales, err)
	}
	if subs, err := b.SubscriptionsOf(ctx, both); err != nil || !slices.Equal(subs, c.KeapRecords.Subscriptions.Create) {
		t.Errorf("subscriptions %+v, %v", subs, err)
	}

	found := func(about string, list []book.Contact, err error, want ...int64) {
		t.Helper()
		var got []int64
		for _, c := range list {
			got = append(got, c.ID)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: contacts %v, %v; want %v", about, got, err, want)
		}
	}
	for _, f := range []struct {
		text string
		want []int64
	}{
		{"44", []int64{44}}, {" 0044 ", []int64{44}}, {"45", nil}, {"99999999999999999999", nil},
		{"Bo@Mail.test", []int64{1, 2}}, {"no@mail.test", nil},
		{"bo young", []int64{1}}, {"young bo", []int64{1, 2}}, {"jr BO", []int64{2}}, {"émile zola", []int64{3}}, {"ÉMILE", []int64{3}},
		{"", nil}, {"  ", nil}, {"nobody", nil},
	} {
		list, err := b.FindContacts(ctx, f.text)
		found(f.text, list, err, f.want...)
	}
	for _, f := range []struct {
		customer string
		want     []int64
	}{
		{"bo@mail.test", []int64{1, 2}}, {"contact:3", []int64{3}}, {"contact:x", nil}, {"contact:", nil}, {"", nil},
	} {
		list, err := b.ContactsOf(ctx, f.customer)
		found("customer "+f.customer, list, err, f.want...)
	}
}

func TestFindContactsAtMost50(t *testing.T) {
	b, _ := openBook(t)
	var c book.Changes
	for i := range 60 {
		c.KeapRecords.Contacts.Create = append(c.KeapRecords.Contacts.Create, book.Contact{ID: int64(i + 1), Email: "x@mail.test",
			Name: fmt.Sprintf("Sam %d", i/52)})
	}
	applyAll(t, b, 0, &c)
	for _, text := range []string{"sam 0", "sam", "x@mail.test"} {
		if list, err := b.FindContacts(context.Background(), text); err != nil || len(list) != 50 || list[49].ID != 50 {
			t.Errorf("%s: %d contacts, %v", text, len(list), err)
		}
	}
}

// dump is the whole book but for its list of runs: every table's rows and the schema.
func dump(t testing.TB, path string) map[string][]string {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lines := func(query string) (list []string) {
		rows, err := db.Query(query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		columns, _ := rows.Columns()
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(any)
		}
		for rows.Next() {
			if err := rows.Scan(cells...); err != nil {
				t.Fatal(err)
			}
			var line strings.Builder
			for _, c := range cells {
				fmt.Fprintf(&line, "%#v|", *c.(*any))
			}
			list = append(list, line.String())
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(list)
		return list
	}
	out := map[string][]string{"": lines(`SELECT type, name, sql FROM sqlite_master`)}
	names := lines(`SELECT name FROM sqlite_master WHERE type = 'table'
		AND name NOT IN ('import', 'book_schema', 'reject', 'publication', 'chain', 'chain_head')`)
	for _, name := range names {
		name = strings.Trim(name, `"|`)
		out[name] = lines(`SELECT * FROM ` + name)
	}
	return out
}

func sameDump(t interface {
	Helper()
	Errorf(string, ...any)
}, about string, got, want map[string][]string) {
	t.Helper()
	for name := range want {
		if !slices.Equal(got[name], want[name]) {
			t.Errorf("%s: table %q is\n%s\nwant\n%s", about, name, strings.Join(got[name], "\n"), strings.Join(want[name], "\n"))
		}
	}
}

// What a run created goes with it, what it updated is as before; table after table.
func TestRollbackMoney(t *testing.T) {
	b, path := openBook(t)
	ctx := context.Background()
	empty := dump(t, path)
	first := applyAll(t, b, 0, sampleChanges())
	before := dump(t, path)
	next := &book.Changes{KeapRecords: book.KeapRecords{
		Sources: []book.Source{{Path: "later/commissions.csv", Kind: "commissions"}},
		Contacts: book.Rows[book.Contact]{Create: []book.Contact{{ID: 100, Name: "New"}},
			Update: []book.Contact{{ID: 3, Email: "zola@mail.test", Name: "E. Zola"}}},
		Referrals: book.Rows[book.Referral]{Create: []book.Referral{{Customer: "zola@mail.test"}},
			Update: []book.Referral{{Customer: "contact:3", Rule: terms.RuleHouse}}},
		ReferralRows: book.Rows[book.ReferralRow]{Create: []book.ReferralRow{{ID: 13, ContactID: 3}},
			Update: []book.ReferralRow{{ID: -9, ContactID: 1, Type: "PERMANENT"}}},
		Sales:         book.Rows[book.Sale]{Create: []book.Sale{{ID: 502, ContactID: 3}}, Update: []book.Sale{{ID: 500, ContactID: 2, Total: 1}}},
		Subscriptions: book.Rows[book.Subscription]{Create: []book.Subscription{{ID: 1}}, Update: []book.Subscription{{ID: -3, Active: false}}},
		Commissions:   []book.Commission{{ID: entryID(50), Kind: book.KindDifference, PartnerID: 7, Origin: book.Origin{Source: 1, Line: 9}}},
		Payouts:       []book.Payout{{ID: entryID(51), PartnerID: 7}},
	}}
	second := applyAll(t, b, first, next)
	got, err := b.KeapRecords(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Sources) != 3 || got.Sources[2].ID != 3 || len(got.Posted) != 5 || len(got.Payouts) != 3 ||
		got.Contacts.Create[2] != next.KeapRecords.Contacts.Update[0] ||
		got.Referrals.Create[1] != next.KeapRecords.Referrals.Update[0] ||
		got.ReferralRows.Create[0] != next.KeapRecords.ReferralRows.Update[0] ||
		got.Sales.Create[0] != next.KeapRecords.Sales.Update[0] || got.Subscriptions.Create[0] != next.KeapRecords.Subscriptions.Update[0] {
		t.Errorf("after the second run: %+v", got)
	}
	if e, err := b.Entry(ctx, entryID(50).String()); err != nil || e.Source != "later/commissions.csv" || e.Line != 9 || e.ImportID != second {
		t.Errorf("the second run's commission: %+v, %v", e, err)
	}
	if _, err := b.Apply(ctx, book.Import{PlanID: "late"}, first, next, nil, func(int) {}); !errors.Is(err, book.ErrStale) {
		t.Errorf("a plan that was made before the second run: %v, want ErrMoved", err)
	}
	if run, err := b.Rollback(ctx, 0, time.Now()); err != nil || run.ID != second {
		t.Fatalf("undone %d, %v", run.ID, err)
	}
	sameDump(t, "without the second run", dump(t, path), before)
	if _, err := b.Rollback(ctx, first, time.Now()); err != nil {
		t.Fatal(err)
	}
	sameDump(t, "without any run", dump(t, path), empty)
	again := applyAll(t, b, 0, sampleChanges())
	if e, err := b.Entry(ctx, entryID(1).String()); err != nil || e.Source != "exports/commissions.csv" || e.ImportID != again {
		t.Errorf("applied once more: %+v, %v", e, err)
	}
}

// A book that somebody else has changed, or a plan that contradicts itself, is refused
// with the row's name, and nothing is written.
func TestApplyRefuses(t *testing.T) {
	for _, c := range []struct {
		about  string
		change func(*book.KeapRecords)
		want   string
	}{
		{"a commission again", func(m *book.KeapRecords) { m.Commissions = sampleChanges().KeapRecords.Commissions[1:2] },
			"the commission " + entryID(2).String() + " is there already"},
		{"a payout again", func(m *book.KeapRecords) { m.Payouts = sampleChanges().KeapRecords.Payouts },
			"the payout " + entryID(5).String() + " is there already"},
		{"a contact again", func(m *book.KeapRecords) { m.Contacts.Create = []book.Contact{{ID: 200}, {ID: 3}, {ID: 201}} },
			"the contact 3 is there already"},
		{"a customer again", func(m *book.KeapRecords) { m.Referrals.Create = sampleChanges().KeapRecords.Referrals.Create[1:] },
			"the referral contact:3 is there already"},
		{"a sale twice", func(m *book.KeapRecords) { m.Sales.Create = []book.Sale{{ID: 600}, {ID: 600}} }, "the sale 600 is there already"},
		{"no such subscription", func(m *book.KeapRecords) { m.Subscriptions.Update = []book.Subscription{{ID: 77}} },
			"the subscription 77 is not there any more"},
		{"no such kind", func(m *book.KeapRecords) { m.Commissions = []book.Commission{{ID: entryID(60), Kind: "gift"}} },
			"commission " + entryID(60).String()},
		{"no such source", func(m *book.KeapRecords) {
			m.Commissions = []book.Commission{{ID: entryID(61), Kind: book.KindOpening, Origin: book.Origin{Source: 3}}}
		}, "source 3 of 2"},
	} {
		t.Run(c.about, func(t *testing.T) {
			b, path := openBook(t)
			base := applyAll(t, b, 0, sampleChanges())
			before := dump(t, path)
			next := &book.Changes{}
			next.KeapRecords.Sources = sampleChanges().KeapRecords.Sources
			next.KeapRecords.ReferralRows.Create = []book.ReferralRow{{ID: 1000}}
			c.change(&next.KeapRecords)
			_, err := b.Apply(context.Background(), book.Import{PlanID: "plan"}, base, next, nil, func(int) {})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasSuffix(err.Error(), "nothing was changed") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			sameDump(t, c.about, dump(t, path), before)
		})
	}
}

// A large run drops indexes and builds them again; stopped anywhere it leaves nothing.
func TestApplyIsOneStep(t *testing.T) {
	b, path := openBook(t)
	before := dump(t, path)
	c := largeChanges(200)
	for _, at := range []int{1000, 3000, 7000, c.Len()} {
		ctx, cancel := context.WithCancel(context.Background())
		_, err := b.Apply(ctx, book.Import{PlanID: "plan"}, 0, c, nil, func(done int) {
			if done >= at {
				cancel()
			}
		})
		if cancel(); !errors.Is(err, context.Canceled) {
			t.Errorf("stopped after %d rows: %v", at, err)
		}
		sameDump(t, fmt.Sprintf("stopped after %d rows", at), dump(t, path), before)
	}
	last := 0
	rejects := []book.Reject{{File: "a.csv", Line: 3, Reason: "bad_money", Cells: []string{"1", "x"}}}
	run, err := b.Apply(context.Background(), book.Import{PlanID: "plan"}, 0, c, rejects, func(done int) { last = done })
	if err != nil || last != c.Len() {
		t.Fatalf("%d of %d rows, %v", last, c.Len(), err)
	}
	full := dump(t, path)
	if !slices.Equal(full[""], before[""]) {
		t.Errorf("the schema is now\n%s", strings.Join(full[""], "\n"))
	}
	// A second large run over the first: its rows go one by one, the indexes with them.
	more := &book.Changes{}
	for i := range 3000 {
		more.KeapRecords.Commissions = append(more.KeapRecords.Commissions, book.Commission{ID: hashedID(1_000_000 + i),
			Kind: book.KindCommission, PartnerID: 5, ContactID: 6})
	}
	applyAll(t, b, run, more)
	if list, err := b.EntriesOf(context.Background(), []int64{6}); err != nil || len(list) < 3000 {
		t.Errorf("%d entries, %v", len(list), err)
	}
	for _, want := range []map[string][]string{full, before} {
		if _, err := b.Rollback(context.Background(), 0, time.Now()); err != nil {
			t.Fatal(err)
		}
		sameDump(t, "undone", dump(t, path), want)
	}
}

// Money is of one moment, although it is read over two connections.
func TestMoneyIsOfOneMoment(t *testing.T) {
	b, path := openBook(t)
	reader, err := book.OpenExisting(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	c := sampleChanges()
	done := make(chan error, 1)
	go func() {
		done <- func() error {
			for range 60 {
				if _, err := b.Apply(context.Background(), book.Import{PlanID: "plan"}, 0, c, nil, func(int) {}); err != nil {
					return err
				}
				if _, err := b.Rollback(context.Background(), 0, time.Now()); err != nil {
					return err
				}
			}
			return nil
		}()
	}()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
		m, err := reader.KeapRecords(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if n := m.Len(); n != 0 && n != c.KeapRecords.Len() || len(m.Posted) == 0 != (len(m.Payouts) == 0) {
			t.Fatalf("%d of %d rows were read: %d commissions, %d payouts", n, c.KeapRecords.Len(), len(m.Posted), len(m.Payouts))
		}
	}
}

// Whatever runs change, undoing them leads back through every state.
func TestRollbackProperty(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprintf("book%d.db", n))
		b, err := book.Open(path)
		if err != nil {
			rt.Fatal(err)
		}
		defer b.Close()
		ctx := context.Background()
		states := []map[string][]string{dump(t, path)}
		base := int64(0)
		text := rapid.SampledFrom([]string{"", "a", "Ünï 'x' \"y\" <z>", "USD", "\u2028|,\n"})
		number := rapid.OneOf(rapid.Int64Range(-3, 3), rapid.SampledFrom([]int64{math.MaxInt64, math.MinInt64, 1 << 53, 1<<53 + 1}))
		for range rapid.IntRange(1, 4).Draw(rt, "runs") {
			was, err := b.KeapRecords(ctx)
			if err != nil {
				rt.Fatal(err)
			}
			c := randomChanges(rt, was, text, number)
			if base, err = b.Apply(ctx, book.Import{PlanID: "plan"}, base, c, nil, func(int) {}); err != nil {
				rt.Fatal(err)
			}
			now, err := b.KeapRecords(ctx)
			if err != nil {
				rt.Fatal(err)
			}
			checkRows(rt, "contacts", was.Contacts.Create, c.KeapRecords.Contacts, now.Contacts.Create, func(r book.Contact) any { return r.ID })
			checkRows(rt, "referrals", was.Referrals.Create, c.KeapRecords.Referrals, now.Referrals.Create,
				func(r book.Referral) any { return r.Customer })
			checkRows(rt, "referral rows", was.ReferralRows.Create, c.KeapRecords.ReferralRows, now.ReferralRows.Create,
				func(r book.ReferralRow) any { return r.ID })
			checkRows(rt, "sales", was.Sales.Create, c.KeapRecords.Sales, now.Sales.Create, func(r book.Sale) any { return r.ID })
			checkRows(rt, "subscriptions", was.Subscriptions.Create, c.KeapRecords.Subscriptions, now.Subscriptions.Create,
				func(r book.Subscription) any { return r.ID })
			if len(now.Posted) != len(was.Posted)+len(c.KeapRecords.Commissions) || len(now.Payouts) != len(was.Payouts)+len(c.KeapRecords.Payouts) {
				rt.Fatalf("%d commissions and %d payouts", len(now.Posted), len(now.Payouts))
			}
			for i, s := range now.Sources {
				if s.ID != int64(i+1) {
					rt.Fatalf("source %d has the id %d", i, s.ID)
				}
			}
			states = append(states, dump(t, path))
			proven(rt, b)
		}
		for i := len(states) - 2; i >= 0; i-- {
			if _, err := b.Rollback(ctx, 0, time.Now()); err != nil {
				rt.Fatal(err)
			}
			sameDump(rt, fmt.Sprintf("after undoing run %d", i+1), dump(t, path), states[i])
			proven(rt, b)
		}
	})
}

// randomChanges draws a run over what the book holds. Keys are few, so that runs meet.
func randomChanges(t *rapid.T, was *book.KeapRecords, text *rapid.Generator[string], number *rapid.Generator[int64]) *book.Changes {
	var c book.Changes
	key := rapid.Int64Range(1, 9)
	txt := func() string { return text.Draw(t, "text") }
	num := func() int64 { return number.Draw(t, "number") }
	id := func() int64 { return key.Draw(t, "key") }
	yes := func() bool { return rapid.Bool().Draw(t, "yes") }
	some := func(what string) int { return rapid.IntRange(0, 4).Draw(t, what) }
	taken := map[string]bool{}
	first := func(key string) bool { // whether it is not yet in this run
		again := taken[key]
		taken[key] = true
		return !again
	}
	for range some("promoters") {
		if id := id(); first(fmt.Sprint("promoter", id)) {
			c.Promoters = append(c.Promoters, book.Promoter{ID: id, Token: fmt.Sprint("token", id), KeapID: num(), Name: txt(),
				Status: book.StatusActive, ParentID: num()})
		}
	}
	for range some("aliases") {
		if id := id(); first(fmt.Sprint("alias", id)) {
			c.Aliases = append(c.Aliases, book.Alias{Kind: book.AliasKeapID, Value: fmt.Sprint(id), PromoterID: num(), Email: txt(), Active: yes()})
		}
	}
	for range some("links") {
		if id := id(); first(fmt.Sprint("link", id)) {
			c.Links = append(c.Links, book.Link{Code: fmt.Sprint(id), Name: txt(), KeapID: num()})
		}
	}
	m := &c.KeapRecords
	for range some("sources") {
		m.Sources = append(m.Sources, book.Source{Path: txt(), Kind: txt()})
	}
	where := func() book.Origin {
		return book.Origin{Source: rapid.Int64Range(0, int64(len(m.Sources))).Draw(t, "source"), Line: num()}
	}
	for range some("contacts") {
		if id := id(); first(fmt.Sprint("contact", id)) {
			addRow(&m.Contacts, was.Contacts.Create, book.Contact{ID: id, Email: txt(), Name: txt()}, func(r book.Contact) any { return r.ID })
		}
	}
	for range some("referrals") {
		if id := id(); first(fmt.Sprint("referral", id)) {
			addRow(&m.Referrals, was.Referrals.Create, book.Referral{Customer: fmt.Sprint(id), Email: txt(), PartnerID: num(),
				FirstAt: num(), Rule: txt(), Self: yes()}, func(r book.Referral) any { return r.Customer })
		}
	}
	for range some("referral rows") {
		if id := id(); first(fmt.Sprint("row", id)) {
			addRow(&m.ReferralRows, was.ReferralRows.Create, book.ReferralRow{ID: -id, ContactID: num(), SetAt: num(), Note: txt(),
				ExpiresOn: txt()}, func(r book.ReferralRow) any { return r.ID })
		}
	}
	for range some("sales") {
		if id := id(); first(fmt.Sprint("sale", id)) {
			addRow(&m.Sales, was.Sales.Create, book.Sale{ID: id, Total: num(), Currency: txt(), Products: txt()},
				func(r book.Sale) any { return r.ID })
		}
	}
	for range some("subscriptions") {
		if id := id(); first(fmt.Sprint("subscription", id)) {
			addRow(&m.Subscriptions, was.Subscriptions.Create, book.Subscription{ID: id, Amount: num(), Active: yes(), Product: txt()},
				func(r book.Subscription) any { return r.ID })
		}
	}
	used := map[book.EntryID]bool{}
	for _, e := range was.Posted {
		used[e.ID] = true
	}
	for _, p := range was.Payouts {
		used[p.ID] = true
	}
	for range some("entries") {
		e := entryID(byte(rapid.IntRange(0, 255).Draw(t, "event")))
		switch {
		case used[e]:
		case yes():
			m.Commissions = append(m.Commissions, book.Commission{ID: e, Kind: book.KindCommission, PartnerID: num(), Amount: num(),
				Currency: txt(), Description: txt(), Origin: where()})
		default:
			m.Payouts = append(m.Payouts, book.Payout{ID: e, PartnerID: num(), Amount: num(), Note: txt(), Origin: where()})
		}
		used[e] = true
	}
	return &c
}

// addRow puts a row where it belongs: what the book has is updated.
func addRow[T any](rows *book.Rows[T], was []T, row T, key func(T) any) {
	if slices.ContainsFunc(was, func(r T) bool { return key(r) == key(row) }) {
		rows.Update = append(rows.Update, row)
	} else {
		rows.Create = append(rows.Create, row)
	}
}

// checkRows compares what is now there with what was and what a run wrote.
func checkRows[T comparable](t *rapid.T, about string, was []T, rows book.Rows[T], now []T, key func(T) any) {
	want := map[any]T{}
	for _, list := range [][]T{was, rows.Create, rows.Update} {
		for _, r := range list {
			want[key(r)] = r
		}
	}
	for _, r := range now {
		if want[key(r)] != r {
			t.Fatalf("%s: %+v, want %+v", about, r, want[key(r)])
		}
	}
	if len(now) != len(want) {
		t.Fatalf("%d %s, want %d", len(now), about, len(want))
	}
}

// A file that somebody has edited is told from an empty one.
func TestDamagedBook(t *testing.T) {
	b, path := openBook(t)
	applyAll(t, b, 0, sampleChanges())
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`UPDATE commission SET id = 'mine' WHERE id = ?`, entryID(2).String()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.KeapRecords(context.Background()); err == nil || !strings.Contains(err.Error(),
		"table commission is damaged: not an event id: mine") {
		t.Errorf("got %v", err)
	}
}
