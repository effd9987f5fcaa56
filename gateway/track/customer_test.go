package track

import (
	"fmt"
	"net/netip"
	"testing"

	"carryover/mapping/book"
)

// What a later call tells of a customer is kept, unless it is another customer's.
func TestCustomersAreCompletedLater(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("a@mail.test", "", "anna").check(t, Booked, "anna")
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", UID: "u-a", EventID: "1", Amount: 100}).check(t, Booked, "anna")
	f.submit(Call{Kind: book.EventSale, UID: "u-a", EventID: "2", Amount: 100}).check(t, Booked, "anna")

	// Its uid goes before an address that is another customer's, which stays the other's.
	f.submit(Call{Kind: book.EventSignup, UID: "u-b", RefID: "ben"}).check(t, Booked, "ben")
	r := f.submit(Call{Kind: book.EventSale, UID: "u-b", Email: "a@mail.test", EventID: "3", Amount: 100})
	r.check(t, Booked, "ben")
	if r.Customer.Email != "" {
		t.Errorf("it took the address of another: %+v", r.Customer)
	}
	f.sale("a@mail.test", 100, "").check(t, Booked, "anna")

	// What came first holds: neither name is ever changed.
	r = f.submit(Call{Kind: book.EventSale, UID: "u-a", Email: "new@mail.test", EventID: "4", Amount: 100})
	r.check(t, Booked, "anna")
	if r.Customer.Email != "a@mail.test" {
		t.Errorf("%+v", r.Customer)
	}
	r = f.submit(Call{Kind: book.EventSale, UID: "u-new", Email: "a@mail.test", EventID: "5", Amount: 100})
	if r.check(t, Booked, "anna"); r.Customer.UID != "u-a" {
		t.Errorf("%+v", r.Customer)
	}
	f.submit(Call{Kind: book.EventSale, UID: "u-new", EventID: "6", Amount: 100}).check(t, NotReferred, "")

	// An address may come with a cancellation or a refund.
	f.submit(Call{Kind: book.EventCancellation, UID: "u-b", Email: "b@mail.test"}).check(t, Booked, "ben")
	f.sale("b@mail.test", 100, "").check(t, Booked, "ben")
	f.submit(Call{Kind: book.EventSignup, UID: "u-c", RefID: "zoe"}).check(t, Booked, "zoe")
	f.submit(Call{Kind: book.EventSale, UID: "u-c", EventID: "7", Amount: 100}).check(t, Booked, "zoe")
	f.submit(Call{Kind: book.EventRefund, UID: "u-c", Email: "c@mail.test", EventID: "8", Amount: 100}).check(t, Booked, "zoe")
	f.sale("c@mail.test", 100, "").check(t, Booked, "zoe")
}

// An event keeps when it happened and when it came; addresses are compared as of the day on
// which they came.
func TestLateEvents(t *testing.T) {
	f := newFixture(t, nil)
	for i := range 3 {
		r := f.submit(Call{Kind: book.EventSignup, Email: fmt.Sprintf("c%d@mail.test", i), RefID: "anna",
			Address: netip.MustParseAddr("203.0.113.7"), CreatedAt: day("2023-01-02").AddDate(0, 0, i).Unix()})
		r.check(t, Booked, "anna")
		if r.Event.At != day("2023-01-02").AddDate(0, 0, i).Unix() || r.Event.ReceivedAt != f.now.Unix() || r.Customer.BoundAt != r.Event.At ||
			r.Customer.CreatedAt != f.now.Unix() {
			t.Errorf("%+v of %+v", r.Event, r.Customer)
		}
		if got := r.Customer.Suspicion == book.ReasonShared; got != (i == 2) {
			t.Errorf("customer %d: %q", i, r.Customer.Suspicion)
		}
	}
}

// A cancellation with an id of its own is booked once; without one, once until something
// else comes.
func TestCancellationsOnce(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("a@mail.test", "", "anna").check(t, Booked, "anna")
	gone := func(id string, want Outcome) {
		t.Helper()
		f.submit(Call{Kind: book.EventCancellation, Email: "a@mail.test", EventID: id}).check(t, want,
			map[Outcome]string{Booked: "anna", Acknowledged: "anna"}[want])
	}
	gone("", Booked)
	gone("", Acknowledged)
	gone("x1", Booked)
	gone("x1", Duplicate)
	gone("x2", Booked)
	gone("", Acknowledged)
	f.sale("a@mail.test", 100, "")
	gone("", Booked)
	f.recordSetting(1, book.SettingStatus, "blocked")
	gone("x3", NotReferred)
}
