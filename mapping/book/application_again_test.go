package book_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"carryover/mapping/book"
)

// Whoever applies is the promoter whose own address it is, before one that once had it as a
// partner; a no stands until somebody says otherwise, and a form that a person has approved
// is not shown again as new.
func TestWhoApplies(t *testing.T) {
	l := newApplicationBook(t)
	run, err := l.LastImport(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := l.content()
	later := book.Changes{Content: book.Content{Promoters: c.Promoters, Aliases: c.Aliases, Links: c.Links}}
	later.Promoters = append(later.Promoters, book.Promoter{ID: 20, KeapID: 20, Token: "second", Email: "second@post.test",
		Status: book.StatusInactive})
	later.Aliases = append(later.Aliases, book.Alias{Kind: book.AliasKeapID, Value: "20", PromoterID: 20, Code: "TWENTY",
		Email: "second@post.test"})
	slices.SortFunc(later.Aliases, func(a, b book.Alias) int { return strings.Compare(a.Kind+a.Value, b.Kind+b.Value) })
	applyAll(t, l.Book, run.ID, &later)
	if d := l.apply("second@post.test", false); d.Promoter.ID != 20 || d.Application.Kind != book.ApplyRejoin {
		t.Errorf("%+v", d)
	}

	a := l.apply("no@post.test", false).Application.ID
	for i, want := range []book.AdmissionOutcome{book.AdmissionRejected, book.AdmissionUnchanged} {
		done, err := l.Reject(t.Context(), []int64{a}, fmt.Sprint("kim", i), l.now+int64(i))
		if err != nil || done[0].Outcome != want || done[0].Application.DecidedBy != "kim0" || done[0].Application.DecidedAt != l.now {
			t.Errorf("no for the %d. time: %+v, %v", i+1, done, err)
		}
	}
	if all, err := l.Applications(t.Context(), true); err != nil || all[1].DecidedBy != "kim0" || all[1].DecidedAt != l.now {
		t.Errorf("%+v, %v", all, err)
	}

	form := book.Application{Name: "Zoe", Email: "zoe@post.test", AppliedAt: 1000, Visitor: "v1"}
	asked := l.submit(form, false)
	l.approve(asked.Application.ID)
	if d := l.submit(form, true); d.Outcome != book.AdmissionPending || d.Application.Reason != book.HoldActive {
		t.Errorf("a form that kim approved, once more: %+v", d)
	}
	form = book.Application{Name: "Yan", Email: "yan@post.test", AppliedAt: 1000, Visitor: "v1"}
	l.submit(form, true)
	for _, s := range []struct {
		after int64
		want  book.AdmissionOutcome
	}{{15 * 60, book.AdmissionJoined}, {15*60 + 1, book.AdmissionPending}} {
		again := form
		again.AppliedAt += s.after
		if d := l.submit(again, true); d.Outcome != s.want {
			t.Errorf("after %d seconds: %+v", s.after, d)
		}
	}
}
