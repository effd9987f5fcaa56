package track

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carryover/gateway/click"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

var losAngeles = func() *time.Location {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		panic(err)
	}
	return zone
}()

// day is noon of a day in the program's zone.
func day(text string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, text, losAngeles)
	if err != nil {
		panic(err)
	}
	return t.Add(12 * time.Hour)
}

// fixture is a service over a book of its own, with promoters anna (1, active), ben (2, active),
// old (3, inactive), bad (4, blocked) and zoe (5, active, merged of 5 and 6).
type fixture struct {
	*testing.T
	*Service
	book *book.Book
	keys *click.Keyring
	now  time.Time
	n    int // events and clicks so far
}

// newFixture starts a service; change may adapt its options.
func newFixture(t *testing.T, change func(*Options)) *fixture {
	t.Helper()
	f := openFixture(t, filepath.Join(t.TempDir(), "book.db"), change)
	t.Cleanup(f.close)
	return f
}

// openFixture is [newFixture] on a book of its own file; it must be closed.
func openFixture(t *testing.T, path string, change func(*Options)) *fixture {
	t.Helper()
	b, err := book.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := click.NewKeyring([]byte("a key of the cookie"))
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{T: t, book: b, keys: keys, now: day("2023-01-10")}
	var c book.Changes
	for _, p := range []book.Promoter{
		{ID: 1, Token: "anna", Email: "anna@promoters.test"}, {ID: 2, Token: "ben", Email: "ben@promoters.test"},
		{ID: 3, Token: "old", Email: "old@promoters.test", Status: book.StatusInactive}, {ID: 4, Token: "bad", Email: "bad@promoters.test"},
		{ID: 5, Token: "zoe", Email: "zoe@promoters.test"}, {ID: 6, Token: "zoe-2", MergedInto: 5},
	} {
		p.KeapID = p.ID
		if p.Status == "" {
			p.Status = book.StatusActive
		}
		c.Promoters = append(c.Promoters, p)
		c.Aliases = append(c.Aliases,
			book.Alias{Kind: book.AliasKeapID, Value: fmt.Sprint(p.ID), PromoterID: p.ID, Code: strings.ToUpper(p.Token)})
	}
	c.Aliases = append(c.Aliases, book.Alias{Kind: book.AliasKeapID, Value: "99", State: book.StateHouse, Code: "HOUSE"})
	contact := func(id int64, email string) {
		c.KeapRecords.Contacts.Create = append(c.KeapRecords.Contacts.Create, book.Contact{ID: id, Email: email, Name: "Some One"})
	}
	referral := func(email string, contactID, partner int64, rule string) {
		contact(contactID, email)
		c.KeapRecords.Referrals.Create = append(c.KeapRecords.Referrals.Create,
			book.Referral{Customer: email, Email: email, ContactID: contactID, PartnerID: partner, Rule: rule})
	}
	referral("carried@mail.test", 101, 2, terms.RuleLatest)
	referral("expired@mail.test", 102, 0, terms.RuleExpired)
	referral("house@mail.test", 103, 0, terms.RuleHouse)
	referral("later@mail.test", 104, 0, terms.RuleLater)
	referral("merged@mail.test", 105, 6, terms.RuleOnly)
	referral("of-old@mail.test", 106, 3, terms.RuleOnly)
	c.KeapRecords.ReferralRows.Create = []book.ReferralRow{{ID: 1, ContactID: 104, PartnerID: 1, SetAt: day("2023-01-05").Unix(), Type: "COOKIE"}}
	imp := book.Import{PlanID: "p", AppliedAt: f.now, Inputs: []byte("{}"), Tables: []byte("{}")}
	if _, err := b.Apply(context.Background(), imp, 0, &c, nil, func(int) {}); err != nil {
		t.Fatal(err)
	}
	f.recordSetting(4, book.SettingStatus, "blocked")
	f.recordSetting(1, book.SettingCoupon, "ANNA20")
	o := Options{
		Book: b, Terms: terms.DefaultConfig(),
		Products: terms.Products{Membership: []string{"*Membership*", "plan:pro"}, Training: []string{"Evergreen Webinar", "3 Leads Per Day"}},
		Currency: "USD", CreditPolicy: terms.CreditPolicy{InactiveEarn: true}, Zone: losAngeles, Now: func() time.Time { return f.now },
		Keys: keys, Visitors: click.NewVisitors(filepath.Join(t.TempDir(), "visitor.keys")), Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	f.Service = New(o)
	return f
}

func (f *fixture) close() {
	f.Helper()
	if err := f.Close(context.Background()); err != nil {
		f.Error(err)
	}
	f.book.Close()
}

// reopen starts the service again on the same book.
func (f *fixture) reopen() {
	f.Helper()
	o := f.o
	f.close()
	var err error
	if f.book, err = book.Open(f.book.Path()); err != nil {
		f.Fatal(err)
	}
	o.Book = f.book
	f.Service = New(o)
}

func (f *fixture) recordSetting(promoter int64, field, value string) {
	f.Helper()
	s := book.Setting{PromoterID: promoter, Field: field, Value: value, RecordedAt: f.now.Unix(), RecordedBy: "ops"}
	if err := f.book.RecordSettings(context.Background(), []book.Setting{s}); err != nil {
		f.Fatal(err)
	}
}

// applyImport applies an import that changes what was carried over.
func (f *fixture) applyImport(m book.KeapRecords) {
	f.Helper()
	last, err := f.book.LastImport(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	imp := book.Import{PlanID: "later", AppliedAt: f.now, Inputs: []byte("{}"), Tables: []byte("{}")}
	if _, err := f.book.Apply(context.Background(), imp, last.ID, &book.Changes{KeapRecords: m}, nil, func(int) {}); err != nil {
		f.Fatal(err)
	}
}

// cookie is the value that a browser has after clicks such as "anna 2023-01-05".
func (f *fixture) cookie(clicks ...string) string {
	var m click.Mark
	for _, text := range clicks {
		token, on, _ := strings.Cut(text, " ")
		m = m.WithVisit(click.Visit{Token: token, Click: book.ClickID{Node: "web1", Seq: int64(len(text))}, At: day(on)})
	}
	return f.keys.Sign(m)
}

func (f *fixture) submit(c Call) Result {
	f.Helper()
	r, err := f.Submit(context.Background(), &c)
	if err != nil {
		f.Fatal(err)
	}
	return r
}

// signup, sale and refund submit a call with the fields that most tests need.
func (f *fixture) signup(email, tid, refID string) Result {
	f.Helper()
	return f.submit(Call{Kind: book.EventSignup, Email: email, TID: tid, RefID: refID})
}

func (f *fixture) sale(email string, amount int64, plan string) Result {
	f.Helper()
	f.n++
	return f.submit(Call{Kind: book.EventSale, Email: email, EventID: fmt.Sprintf("pay-%d", f.n), Amount: amount, Plan: plan})
}

func (f *fixture) refund(email string, amount int64, of string) Result {
	f.Helper()
	f.n++
	return f.submit(Call{Kind: book.EventRefund, Email: email, EventID: fmt.Sprintf("back-%d", f.n), Amount: amount, SaleEventID: of})
}

// evidence reads why an event credits whom it does.
func (f *fixture) evidence(r Result) (v book.Evidence) {
	f.Helper()
	if err := json.Unmarshal([]byte(r.Event.Evidence), &v); err != nil {
		f.Fatal(err)
	}
	return v
}

// balance sums the ledger of a promoter.
func (f *fixture) balance(promoter int64) (sum int64) {
	f.Helper()
	earners := []book.Earner{{PromoterID: promoter}, {PartnerID: promoter}}
	if err := f.book.Ledger(context.Background(), earners, func(e book.Entry) error { sum += e.Amount; return nil }); err != nil {
		f.Fatal(err)
	}
	return sum
}

// reviewReasons lists why commissions must be reviewed: "pay-7 click_velocity: why".
func (f *fixture) reviewReasons() (list []string) {
	f.Helper()
	reviews, err := f.book.Reviews(context.Background(), true)
	if err != nil {
		f.Fatal(err)
	}
	for _, r := range reviews {
		for _, v := range r.Reasons {
			list = append(list, r.Event.ExternalID+" "+v.Reason+": "+v.Detail)
		}
	}
	return list
}

// promoterToken is the ref token of a result's promoter.
func promoterToken(r Result) string {
	if r.Promoter == nil {
		return ""
	}
	return r.Promoter.Token
}

// describeLines writes the lines of a result: "25% 2475 of 9900".
func describeLines(r Result) string {
	var s []string
	for _, l := range r.Lines {
		s = append(s, fmt.Sprintf("%s %d of %d", l.Percent, l.Amount, l.SaleAmount))
	}
	return strings.Join(s, ", ")
}

func (r Result) check(t *testing.T, want Outcome, owns string) {
	t.Helper()
	if r.Outcome != want || promoterToken(r) != owns {
		t.Errorf("outcome %d of %q, want %d of %q (%s %s)", r.Outcome, promoterToken(r), want, owns, r.Field, r.Message)
	}
}
