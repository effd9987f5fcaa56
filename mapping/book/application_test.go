package book_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// applicationBook is a book with promoters of every kind, to which people apply.
type applicationBook struct {
	*testing.T
	*book.Book
	now int64
}

func newApplicationBook(t *testing.T) *applicationBook {
	t.Helper()
	b, err := book.Open(filepath.Join(t.TempDir(), "book.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	var c book.Changes
	for _, p := range []book.Promoter{
		{ID: 1, Token: "anna", Email: "anna@post.test", Status: book.StatusActive},
		{ID: 2, Token: "old", Email: "old@post.test", Status: book.StatusInactive},
		{ID: 3, Token: "bad", Email: "bad@post.test", Status: book.StatusActive},
		{ID: 4, Token: "former", Email: "former@post.test", Status: book.StatusInactive, MergedInto: 2},
	} {
		p.KeapID = p.ID
		c.Promoters = append(c.Promoters, p)
		c.Aliases = append(c.Aliases,
			book.Alias{Kind: book.AliasKeapID, Value: fmt.Sprint(p.ID), PromoterID: p.ID, Code: strings.ToUpper(p.Token), Email: p.Email},
			book.Alias{Kind: book.AliasCode, Value: strings.ToUpper(p.Token), PromoterID: p.ID})
	}
	c.Aliases = append(c.Aliases,
		book.Alias{Kind: book.AliasKeapID, Value: "9", PromoterID: 2, Code: "SECOND", Email: "second@post.test"},
		book.Alias{Kind: book.AliasCode, Value: "Sam-Site-Test", State: book.StateHouse},
		book.Alias{Kind: book.AliasKeapID, Value: "8", Code: "Sam-Site-Test", Email: "sam@post.test", State: book.StateHouse},
		book.Alias{Kind: book.AliasCode, Value: "\u212Aelvin-test", PromoterID: 1}) // folds to "kelvin-test"
	slices.SortFunc(c.Aliases, func(a, b book.Alias) int { return strings.Compare(a.Kind+a.Value, b.Kind+b.Value) })
	if _, err := b.Apply(context.Background(), book.Import{PlanID: "p", AppliedAt: time.Unix(1, 0), Inputs: []byte("{}"),
		Tables: []byte("{}")}, 0, &c, nil, func(int) {}); err != nil {
		t.Fatal(err)
	}
	l := &applicationBook{t, b, 1_680_000_000}
	if err := b.RecordSettings(context.Background(), []book.Setting{{PromoterID: 3, Field: book.SettingStatus,
		Value: string(terms.Blocked), From: 5, RecordedAt: 5, RecordedBy: "ops"}}); err != nil {
		t.Fatal(err)
	}
	return l
}

// apply sends the application of an address, a minute later than the last one.
func (l *applicationBook) apply(email string, admit bool) book.Admission {
	l.Helper()
	l.now += 60
	return l.submit(book.Application{Kind: book.ApplyJoin, Name: "Some Body", Email: email, Terms: "the terms", AppliedAt: l.now,
		Visitor: "v"}, admit)
}

func (l *applicationBook) submit(a book.Application, admit bool) book.Admission {
	l.Helper()
	d, err := l.SubmitApplication(context.Background(), a, book.JoinRules{Auto: admit})
	if err != nil {
		l.Fatal(err)
	}
	return d
}

func (l *applicationBook) approve(ids ...int64) []book.Admission {
	l.Helper()
	done, err := l.Approve(context.Background(), ids, "kim", l.now)
	if err != nil {
		l.Fatal(err)
	}
	return done
}

func (l *applicationBook) content() *book.Content {
	l.Helper()
	c, err := l.Content(context.Background())
	if err != nil {
		l.Fatal(err)
	}
	return c
}

func (l *applicationBook) status(id int64) terms.PromoterStatus {
	l.Helper()
	return book.NewDirectory(l.content()).ByID(id).Promoter.Status
}

func TestWhatBecomesOfAnApplication(t *testing.T) {
	f := func(email string, admit bool, outcome book.AdmissionOutcome, kind, state string, promoter int64) {
		t.Helper()
		l := newApplicationBook(t)
		d := l.apply(email, admit)
		if d.Outcome != outcome || d.Application.Kind != kind || d.Application.State != state || d.Promoter.ID != promoter {
			t.Errorf("%s, at once %t: %+v", email, admit, d)
		}
		if all, err := l.Applications(context.Background(), true); err != nil || len(all) > 0 != (kind != "") {
			t.Errorf("%s, at once %t: the book keeps %v, %v", email, admit, all, err)
		}
	}
	// a person decides
	f("new@post.test", false, book.AdmissionPending, book.ApplyJoin, book.ApplicationWaiting, 0)
	f("anna@post.test", false, book.AdmissionPending, book.ApplyRejoin, book.ApplicationWaiting, 1)
	f("old@post.test", false, book.AdmissionPending, book.ApplyRejoin, book.ApplicationWaiting, 2)
	f("bad@post.test", false, book.AdmissionPending, book.ApplyRejoin, book.ApplicationWaiting, 3)
	// nobody has to
	f("new@post.test", true, book.AdmissionJoined, book.ApplyJoin, book.ApplicationApproved, -1)
	// but of who takes part, took part or was turned away
	f("anna@post.test", true, book.AdmissionPending, book.ApplyRejoin, book.ApplicationWaiting, 1)
	f("old@post.test", true, book.AdmissionPending, book.ApplyRejoin, book.ApplicationWaiting, 2)
	f("bad@post.test", true, book.AdmissionPending, book.ApplyRejoin, book.ApplicationWaiting, 3)
	f("former@post.test", true, book.AdmissionPending, book.ApplyRejoin, book.ApplicationWaiting, 2) // merged since
	f("second@post.test", true, book.AdmissionPending, book.ApplyRejoin, book.ApplicationWaiting, 2) // of another partner of his
}

func TestANewcomerIsAPromoter(t *testing.T) {
	l := newApplicationBook(t)
	l.now += 60
	d := l.submit(book.Application{Name: "Zoë Ångström", Email: "zoe@post.test", AppliedAt: l.now}, true)
	want := book.Promoter{ID: -1, KeapID: -1, Token: "zoe-angstrom", Email: "zoe@post.test", Name: "Zoë Ångström",
		Status: book.StatusActive, JoinedAt: l.now}
	if d.Promoter != want {
		t.Errorf("%+v, want %+v", d.Promoter, want)
	}
	c := l.content()
	if !slices.Contains(c.Promoters, want) {
		t.Errorf("the book has %v", c.Promoters)
	}
	alias := book.Alias{Kind: book.AliasKeapID, Value: "-1", PromoterID: -1, Email: "zoe@post.test", Active: true}
	if !slices.Contains(c.Aliases, alias) {
		t.Errorf("the book has the aliases %v", c.Aliases)
	}
	if next := l.apply("next@post.test", true); next.Promoter.ID != -2 || next.Promoter.Token != "some-body" {
		t.Errorf("the next one: %+v", next.Promoter)
	}
	if again := l.apply("zoe@post.test", true); again.Outcome != book.AdmissionPending || again.Promoter.ID != -1 {
		t.Errorf("applying again: %+v", again)
	}
	err := l.Track(func(tr *book.Tracking) error {
		if p := tr.Directory().ByToken("zoe-angstrom").Promoter; p == nil || p.ID != -1 || p.Status != terms.Active {
			t.Errorf("tracking knows %+v", p)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A person's approval takes the host of a site of one's own, and the next number where the token
// is taken.
func TestTokensOfNewcomers(t *testing.T) {
	f := func(name, site, want string) {
		t.Helper()
		l := newApplicationBook(t)
		d := l.submit(book.Application{Name: name, Site: site, Email: "n@post.test", AppliedAt: 10}, false)
		if got := l.approve(d.Application.ID)[0].Promoter.Token; got != want {
			t.Errorf("%q, %q: %q, want %q", name, site, got, want)
		}
	}
	f("Kim Lane", "", "kim-lane")
	f("Kim Lane", "https://www.lane.test", "lane-test")
	f("Kim Lane", "https://Lane.test:8443/", "lane-test")
	f("Kim Lane", "https://social.test/@kim", "kim-lane") // somebody else's site
	f("  O'Neil -- Jr. ", "", "o-neil-jr")
	f("李明", "", "partner")
	f("李明", "https://social.test/liming", "social-test")
	f("李明", "https://明.test", "test")
	f(strings.Repeat("long name ", 20), "", "long-name-long-name-long-name-long-name")
	// taken
	f("Anna", "", "anna-2")
	f("Former", "", "former-2")                          // of one who was merged
	f("Second", "", "second-2")                          // a code in capitals, of a partner
	f("Sam", "https://sam-site.test", "sam-site-test-2") // the program's own code
	f("Kim", "https://kelvin.test", "kelvin-test-2")
	f("Ann", "", "ann")
}

func TestOneApplicationWaitsAtATime(t *testing.T) {
	l := newApplicationBook(t)
	first := l.apply("new@post.test", false)
	if second := l.apply("new@post.test", false); second.Application != first.Application {
		t.Errorf("the second: %+v, the first %+v", second.Application, first.Application)
	}
	if _, err := l.Reject(context.Background(), []int64{first.Application.ID}, "kim", l.now); err != nil {
		t.Fatal(err)
	}
	// Who was rejected may ask again, and a person decides again, in either mode.
	third := l.apply("new@post.test", true)
	if third.Outcome != book.AdmissionPending || third.Application.ID == first.Application.ID {
		t.Errorf("after a no: %+v", third)
	}
	if fourth := l.apply("new@post.test", true); fourth.Outcome != book.AdmissionPending || fourth.Application.ID != third.Application.ID {
		t.Errorf("and again: %+v", fourth)
	}
	// One that waits for a person goes on waiting when nobody has to decide any more.
	waiting := l.apply("patient@post.test", false)
	if done := l.apply("patient@post.test", true); done.Outcome != book.AdmissionPending || done.Application != waiting.Application {
		t.Errorf("sent again: %+v", done)
	}
}

// A form that is sent twice shows both times what became of it; another form of a person
// who takes part does not.
func TestAFormSentTwice(t *testing.T) {
	l := newApplicationBook(t)
	form := book.Application{Name: "Zoe", Email: "zoe@post.test", Site: "https://zoe.test", AppliedAt: 1000, Visitor: "v1"}
	f := func(want book.AdmissionOutcome, change func(a *book.Application)) {
		t.Helper()
		a := form
		change(&a)
		if d := l.submit(a, true); d.Outcome != want || d.Promoter.ID != -1 {
			t.Errorf("%+v: %+v", a, d)
		}
	}
	f(book.AdmissionJoined, func(*book.Application) {})
	f(book.AdmissionJoined, func(a *book.Application) { a.AppliedAt += 60 })
	f(book.AdmissionPending, func(a *book.Application) { a.Visitor = "v2" })
	f(book.AdmissionPending, func(a *book.Application) { a.Visitor = "" })
	f(book.AdmissionPending, func(a *book.Application) { a.Name = "Other" })
	f(book.AdmissionJoined, func(a *book.Application) { a.AppliedAt += 60 }) // others have asked in between
	f(book.AdmissionPending, func(a *book.Application) { a.AppliedAt += 3600 })
	if all, _ := l.Applications(context.Background(), true); len(all) != 2 {
		t.Errorf("the book keeps %v", all)
	}
}

func TestApprovingTwice(t *testing.T) {
	l := newApplicationBook(t)
	a, b := l.apply("new@post.test", false).Application.ID, l.apply("old@post.test", false).Application.ID
	done := l.approve(a, b, a)
	var got []book.AdmissionOutcome
	for _, d := range done {
		got = append(got, d.Outcome)
	}
	if !slices.Equal(got, []book.AdmissionOutcome{book.AdmissionJoined, book.AdmissionRejoined, book.AdmissionUnchanged}) ||
		done[2].Promoter.ID != -1 || done[1].Promoter.ID != 2 {
		t.Errorf("%+v", done)
	}
	if l.status(2) != terms.Active {
		t.Error("a promoter of old is not active again")
	}
	before := l.content()
	l.approve(a, b)
	if after := l.content(); len(after.Promoters) != len(before.Promoters) || len(after.Settings) != len(before.Settings) {
		t.Errorf("approving once more changed the book: %v", after)
	}
	if _, err := l.Reject(context.Background(), []int64{a}, "kim", l.now); !errors.Is(err, book.ErrAlreadyApproved) {
		t.Errorf("rejecting one that was approved: %v", err)
	}
	// All or none.
	c := l.apply("third@post.test", false).Application.ID
	if _, err := l.Approve(context.Background(), []int64{c, 99}, "kim", l.now); !errors.Is(err, book.ErrNoApplication) {
		t.Errorf("approving one that is not there: %v", err)
	}
	if waiting, _ := l.Applications(context.Background(), false); len(waiting) != 1 || waiting[0].ID != c {
		t.Errorf("after a failed approval wait %v", waiting)
	}
	// A person may say yes after a no, and to somebody who is blocked.
	if _, err := l.Reject(context.Background(), []int64{c}, "kim", l.now); err != nil {
		t.Fatal(err)
	}
	blocked := l.apply("bad@post.test", true).Application.ID
	if done := l.approve(c, blocked); done[0].Outcome != book.AdmissionJoined || done[1].Outcome != book.AdmissionRejoined ||
		l.status(3) != terms.Active {
		t.Errorf("%+v", done)
	}
}

// However many say yes at once, also in two processes, there is one promoter.
func TestApprovalsAtOnce(t *testing.T) {
	l := newApplicationBook(t)
	id := l.apply("new@post.test", false).Application.ID
	other, err := book.Open(l.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var wg sync.WaitGroup
	var mu sync.Mutex
	count := map[book.AdmissionOutcome]int{}
	for i := range 16 {
		wg.Go(func() {
			var outcome book.AdmissionOutcome
			switch b := []*book.Book{l.Book, other}[i%2]; {
			case i < 8:
				done, err := b.Approve(context.Background(), []int64{id}, "kim", l.now)
				if err != nil {
					t.Error(err)
					return
				}
				outcome = done[0].Outcome
			default:
				d, err := b.SubmitApplication(context.Background(), book.Application{Name: "New", Email: "twin@post.test",
					AppliedAt: int64(10_000 * i)}, book.JoinRules{Auto: true})
				if err != nil {
					t.Error(err)
				}
				outcome = d.Outcome
			}
			mu.Lock()
			defer mu.Unlock()
			count[outcome]++
		})
	}
	wg.Wait()
	if count[book.AdmissionJoined] != 2 || count[book.AdmissionUnchanged] != 7 || count[book.AdmissionPending] != 7 {
		t.Errorf("outcomes %v", count)
	}
	joined := 0
	for _, p := range l.content().Promoters {
		if p.ID < 0 {
			joined++
		}
	}
	if joined != 2 {
		t.Errorf("%d promoters joined, want 2", joined)
	}
}
