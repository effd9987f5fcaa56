package book_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"carryover/mapping/book"
)

// The day of the newest import that stands; where it does not say, another one.
func TestAsOf(t *testing.T) {
	b, _ := openBook(t)
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	f := func(want string) {
		t.Helper()
		day, err := b.AsOf(t.Context(), "2023-01-15", zone)
		if got := day.Format(time.RFC3339); err == nil && got != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	base := int64(0)
	apply := func(inputs string) {
		t.Helper()
		run := book.Import{PlanID: fmt.Sprint("plan ", base), AppliedAt: time.Unix(1_680_000_000+base, 0), Inputs: []byte(inputs)}
		if base, err = b.Apply(t.Context(), run, base, &book.Changes{}, nil, func(int) {}); err != nil {
			t.Fatal(err)
		}
	}
	f("2023-01-15T00:00:00-08:00")
	apply(`{"as_of":"2023-03-31"}`)
	f("2023-03-31T00:00:00-07:00")
	apply(`{}`)
	f("2023-01-15T00:00:00-08:00")
	apply(`{"as_of":"March"}`)
	f(`run 3 was made for "March", which is no day: plan and apply again`)
	apply(`[]`)
	f("run 4 does not say what it read")
	if _, err := b.Rollback(t.Context(), base, time.Unix(1_690_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	f(`run 3 was made for "March"`)
}
