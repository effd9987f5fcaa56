package book_test

import (
	"errors"
	"fmt"
	"testing"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

func reserved() *terms.ReservedNames {
	return terms.NewReservedNames([]string{"carrot"}, []string{"go"}, []string{"carrot.test"})
}

// With nobody to decide, only who is new joins at once, under a name that is free and taken for
// nobody else's. What a name may have is the same for every address.
func TestWhoJoinsWithoutAPerson(t *testing.T) {
	rules := book.JoinRules{Auto: true, Reserved: reserved()}
	f := func(name, email, reason, token string) {
		t.Helper()
		l := newApplicationBook(t)
		l.now += 60
		a := book.Application{Name: name, Email: email, Site: "https://www.google.test", AppliedAt: l.now, Visitor: "v"}
		d, err := l.SubmitApplication(t.Context(), a, rules)
		if err != nil {
			t.Fatal(err)
		}
		if d.Application.Reason != reason || (d.Outcome == book.AdmissionJoined) != (reason == "") || d.Offered != token {
			t.Errorf("%q, %s: %+v", name, email, d)
		}
		if reason == "" && d.Promoter.Token != token {
			t.Errorf("%q, %s has %q", name, email, d.Promoter.Token)
		}
		for _, known := range []string{"anna@post.test", "old@post.test", "bad@post.test"} {
			b := newApplicationBook(t)
			a.Email = known
			if other, err := b.SubmitApplication(t.Context(), a, rules); err != nil || other.Offered != token {
				t.Errorf("%q is offered %q to %s, and %q to %s: %v", name, token, email, other.Offered, known, err)
			}
		}
		// A person may say yes to all of it.
		if reason != "" {
			if done := l.approve(d.Application.ID); done[0].Promoter.Token == "" {
				t.Errorf("%q, approved: %+v", name, done)
			}
		}
	}
	f("Zoe Lane", "zoe@post.test", "", "zoe-lane")
	f("Zoë Ångström", "zoe@post.test", "", "zoe-angstrom")
	f("Kim 李", "zoe@post.test", "", "kim")
	f("Oscar Otto", "zoe@post.test", "", "oscar-otto")
	// the address
	f("Zoe Lane", "anna@post.test", book.HoldActive, "zoe-lane")
	f("Zoe Lane", "old@post.test", book.HoldInactive, "zoe-lane")
	f("Zoe Lane", "second@post.test", book.HoldInactive, "zoe-lane")
	f("Zoe Lane", "bad@post.test", book.HoldBlocked, "zoe-lane")
	f("Zoe Lane", "anna+1@post.test", book.HoldMailbox+" anna", "zoe-lane")
	f("Zoe Lane", "second+x@post.test", book.HoldMailbox+" old", "zoe-lane")
	f("Zoe Lane", "sam@post.test", book.HoldMailbox+" the program's own partner", "zoe-lane")
	f("Zoe Lane", "zoe@carrot.test", book.HoldAddress+" carrot.test", "zoe-lane")
	f("Zoe Lane", "zoe@gооgle.test", book.HoldAlphabets, "zoe-lane")
	f("Zoe Lane", "ａnna@post.test", book.HoldAlphabets, "zoe-lane")
	// the name
	f("Carrot Test", "zoe@post.test", book.HoldReserved+" carrot", "")
	f("саrrоt", "zoe@post.test", book.HoldAlphabets, "")
	f("Cárrót", "zoe@post.test", book.HoldReserved+" carrot", "")
	f("Go", "zoe@post.test", book.HoldReserved+" go", "")
	f("Google.com", "zoe@post.test", book.HoldDomain+" com", "")
	f("google com", "zoe@post.test", book.HoldDomain+" com", "")
	f("bbc.co.uk", "zoe@post.test", book.HoldDomain+" uk", "")
	f("Visit spam.shop soon", "zoe@post.test", book.HoldDomain+" shop", "")
	f("https://spam.shop/now Zoe", "zoe@post.test", book.HoldDomain+" shop", "")
	f("Zoe zoe@mail.net Lane", "zoe@post.test", book.HoldDomain+" net", "")
	f("Zoe ｓｐａｍ．ｃｏｍ Lane", "zoe@post.test", book.HoldDomain+" com", "")
	f("Mary-Jo Lane", "zoe@post.test", "", "mary-jo-lane")
	f("J. R. R. Lane", "zoe@post.test", "", "j-r-r-lane")
	f("Zoe St.John Lane", "zoe@post.test", "", "zoe-st-john-lane")
	f("李 101", "zoe@post.test", book.HoldNoToken, "") // a Keap id
	f("Zoe Test", "zoe@post.test", book.HoldDomain+" test", "")
	f("Maria Green", "zoe@post.test", book.HoldDomain+" green", "")
	f("Anna", "zoe@post.test", book.HoldTaken+" anna", "")
	f("Former", "zoe@post.test", book.HoldTaken+" former", "")
	f("Second", "zoe@post.test", book.HoldTaken+" SECOND", "") // a code of an old link
	f("Secønd", "zoe@post.test", book.HoldLookAlike+" SECOND", "")
	f("Ann-a", "zoe@post.test", book.HoldLookAlike+" anna", "")
	f("A n n a", "zoe@post.test", book.HoldLookAlike+" anna", "")
	f("Anna 2", "zoe@post.test", book.HoldLookAlike+" anna", "")
	f("0ld", "zoe@post.test", book.HoldLookAlike+" old", "")
	f("Sam Site Test", "zoe@post.test", book.HoldDomain+" test", "")
	f("Kelvin", "zoe@post.test", "", "kelvin")
	f("李明", "zoe@post.test", book.HoldNoToken, "")
	f("Анна", "zoe@post.test", book.HoldNoToken, "")
	f("Ana", "zoe@post.test", book.HoldLookAlike+" anna", "")
}

// Who joined since is known, also who joined in another process, and after a rollback nobody
// of it is.
func TestNamesOfThoseWhoJoinedSince(t *testing.T) {
	l := newApplicationBook(t)
	other, err := book.Open(l.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	f := func(b *book.Book, name, email, reason string) {
		t.Helper()
		l.now += 60
		d, err := b.SubmitApplication(t.Context(), book.Application{Name: name, Email: email, AppliedAt: l.now}, book.JoinRules{Auto: true})
		if err != nil || d.Application.Reason != reason {
			t.Errorf("%s: %+v, %v; want %q", name, d, err, reason)
		}
	}
	f(l.Book, "Zoe Lane", "zoe@post.test", "")
	f(l.Book, "Z0e Lane", "a@post.test", book.HoldLookAlike+" zoe-lane")
	f(other, "Zoe Iane", "b@post.test", book.HoldLookAlike+" zoe-lane")
	f(other, "Pat Moor", "pat@post.test", "")
	f(l.Book, "Pat Mo0r", "c@post.test", book.HoldLookAlike+" pat-moor")
	f(l.Book, "Pit Moor", "p.at+1@post.test", "")
	f(l.Book, "Pet Moor", "pat+1@post.test", book.HoldMailbox+" pat-moor")
}

// However many come, a person has to look through a bounded number, and the book is not filled.
func TestApplicationsAreBounded(t *testing.T) {
	l := newApplicationBook(t)
	rules := book.JoinRules{Auto: true, MaxPerHour: 3, MaxWaiting: 4, Reserved: reserved()}
	names := []string{"Ada", "Bea", "Cora", "Dora", "Edda", "Fay", "Gwen", "Hope", "Iris", "June", "Kaya", "Carrot", "Lara"}
	n := 0
	f := func(outcome book.AdmissionOutcome, reason string) {
		t.Helper()
		a := book.Application{Name: names[n], Email: fmt.Sprintf("n%d@post.test", n), AppliedAt: l.now}
		if d, err := l.SubmitApplication(t.Context(), a, rules); err != nil || d.Outcome != outcome || d.Application.Reason != reason {
			t.Errorf("application %d: %+v, %v", n, d, err)
		}
		n++
	}
	for range 3 {
		f(book.AdmissionJoined, "")
	}
	for range 3 {
		f(book.AdmissionPending, book.HoldMany)
	}
	l.now += 3601
	f(book.AdmissionJoined, "") // an hour later
	l.now += 3601
	n = 11
	f(book.AdmissionPending, book.HoldReserved+" carrot")
	n = 7
	f(book.AdmissionFull, "")
	// Nobody is told whose applications wait.
	d, err := l.SubmitApplication(t.Context(), book.Application{Name: "Fay", Email: "n5@post.test", AppliedAt: l.now}, rules)
	if err != nil || d.Outcome != book.AdmissionFull {
		t.Errorf("one that waits: %+v, %v", d, err)
	}
	if _, err := l.Reject(t.Context(), []int64{4}, "kim", l.now); err != nil {
		t.Fatal(err)
	}
	f(book.AdmissionJoined, "")
	if all, err := l.Applications(t.Context(), true); err != nil || len(all) != 9 {
		t.Errorf("%d are kept, %v", len(all), err)
	}
}

func TestApprovingUnderAToken(t *testing.T) {
	l := newApplicationBook(t)
	a, old := l.apply("new@post.test", false).Application.ID, l.apply("old@post.test", false).Application.ID
	f := func(id int64, token string, want error) {
		t.Helper()
		before := l.content()
		d, err := l.ApproveAs(t.Context(), id, token, "kim", l.now)
		if !errors.Is(err, want) {
			t.Errorf("%d as %q: %+v, %v", id, token, d, err)
		}
		if after := l.content(); err != nil && len(after.Promoters)+len(after.Settings) != len(before.Promoters)+len(before.Settings) {
			t.Errorf("%d as %q is refused, and the book changed", id, token)
		}
		if err == nil && d.Promoter.Token != token {
			t.Errorf("%d as %q is %q", id, token, d.Promoter.Token)
		}
	}
	for _, token := range []string{"", "-", "Zoe", "zoe lane", "zoé", "zoe/lane", "a123456789b123456789c123456789d123456789e"} {
		f(a, token, book.ErrTokenForm)
	}
	f(a, "anna", book.ErrTokenTaken)
	f(a, "second", book.ErrTokenTaken) // in other letters, a code
	f(old, "zoe", book.ErrTokenKept)
	f(99, "zoe", book.ErrNoApplication)
	f(a, "zoe_1", nil)
	f(old, "old", nil)
	d, err := l.ApproveAs(t.Context(), a, "other", "kim", l.now)
	if err != nil || d.Outcome != book.AdmissionUnchanged || d.Promoter.Token != "zoe_1" {
		t.Errorf("approved twice: %+v, %v", d, err)
	}
}
