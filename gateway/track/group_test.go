package track

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"carryover/gateway/group"
	"carryover/mapping/book"
)

// groupFixture is a fixture whose first commit lasts until it is let go, so that calls gather
// behind it and are booked together.
type groupFixture struct {
	*fixture
	log        *bytes.Buffer
	commits    []int         // how many events each of them booked
	committing chan struct{} // the first one has
	release    chan struct{}
}

func newGroupFixture(t *testing.T) *groupFixture {
	t.Helper()
	c := &groupFixture{log: &bytes.Buffer{}, committing: make(chan struct{}), release: make(chan struct{})}
	c.fixture = newFixture(t, func(o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(c.log, nil))
		o.Committed = func(events int, took time.Duration) {
			c.commits = append(c.commits, events)
			if len(c.commits) == 1 {
				close(c.committing)
				<-c.release
			}
		}
	})
	return c
}

// submitResult is what became of a call that waited.
type submitResult struct {
	Result
	err error
}

// enqueue submits a call behind those that wait already.
func (c *groupFixture) enqueue(call Call) <-chan submitResult {
	c.Helper()
	done := make(chan submitResult, 1)
	before := c.group.Waiting()
	go func() {
		r, err := c.Submit(context.Background(), &call)
		done <- submitResult{r, err}
	}()
	for c.group.Waiting() == before {
		select {
		case <-c.Context().Done():
			c.Fatal("the call does not come to wait")
		case <-time.After(time.Millisecond):
		}
	}
	return done
}

// submitFirst occupies the service.
func (c *groupFixture) submitFirst() <-chan submitResult {
	c.Helper()
	done := make(chan submitResult, 1)
	go func() {
		r, err := c.Submit(context.Background(), &Call{Kind: book.EventSignup, Email: "first@mail.test", RefID: "anna"})
		done <- submitResult{r, err}
	}()
	<-c.committing
	return done
}

// One call that cannot be booked does not keep out those that came with it: it alone is told
// so, and nothing of it is booked. Where it is alone there is a fault until something is
// booked again.
func TestOneThatCannotBeBooked(t *testing.T) {
	c := newGroupFixture(t)
	first := c.submitFirst()
	signup := Call{Kind: book.EventSignup, Email: "new@mail.test", UID: "u-new", RefID: "anna"}
	sale := Call{Kind: book.EventSale, UID: "u-new", EventID: "1", Amount: 10000}
	gift := Call{Kind: "gift", Email: "new@mail.test"}
	group := []<-chan submitResult{c.enqueue(signup), c.enqueue(sale), c.enqueue(gift),
		c.enqueue(Call{Kind: book.EventSignup, Email: "after@mail.test", RefID: "ben"})}
	close(c.release)
	if r := <-first; r.err != nil || r.Outcome != Booked {
		t.Errorf("the one before: %+v", r)
	}
	for i, done := range group {
		if r := <-done; (r.err != nil) != (i == 2) || r.err == nil && (r.Outcome != Booked || r.Event.ID == 0) {
			t.Errorf("call %d: %+v", i, r)
		}
	}
	if c.Fault() != nil || c.balance(1) != 2500 {
		t.Errorf("fault %v, balance %d", c.Fault(), c.balance(1))
	}
	if _, err := c.Submit(t.Context(), &gift); err == nil || c.Fault() == nil {
		t.Errorf("alone: %v, fault %v", err, c.Fault())
	}
	c.submit(Call{Kind: book.EventSignup, Email: "other@mail.test", UID: "u-other", RefID: "ben"}).check(t, Booked, "ben")
	if c.Fault() != nil {
		t.Errorf("fault %v", c.Fault())
	}
	c.submit(sale).check(t, Duplicate, "")
	c.submit(signup).check(t, AlreadySignedUp, "")
	for _, uid := range []string{"u-new", "u-other"} {
		if known, err := c.book.TrackedCustomers(t.Context(), "", uid); err != nil || len(known) != 1 {
			t.Errorf("%s: %+v, %v", uid, known, err)
		}
	}
	if text := c.log.String(); strings.Count(text, "others can") != 1 || strings.Count(text, "booked again") != 1 {
		t.Errorf("log:\n%s", text)
	}
}

// When many cannot be booked it is the book: none is, all are told so, and each may be made
// again. What was read in between is forgotten.
func TestTogetherOrNotAtAll(t *testing.T) {
	c := newGroupFixture(t)
	first := c.submitFirst()
	signup := Call{Kind: book.EventSignup, Email: "new@mail.test", UID: "u-new", RefID: "anna"}
	group := []<-chan submitResult{c.enqueue(signup)}
	for range maxFailed + 1 {
		group = append(group, c.enqueue(Call{Kind: "gift", Email: "new@mail.test"}))
	}
	group = append(group, c.enqueue(Call{Kind: book.EventSignup, Email: "after@mail.test", RefID: "ben"}))
	close(c.release)
	<-first
	for i, done := range group {
		if r := <-done; r.err == nil {
			t.Errorf("call %d: %+v", i, r.Result)
		}
	}
	if c.Fault() == nil {
		t.Error("no fault")
	}
	// The numbers that the customers had are given to others.
	c.submit(Call{Kind: book.EventSignup, Email: "other@mail.test", UID: "u-other", RefID: "ben"}).check(t, Booked, "ben")
	c.submit(Call{Kind: book.EventSale, UID: "u-new", EventID: "1", Amount: 10000}).check(t, NotReferred, "")
	c.submit(signup).check(t, Booked, "anna")
	if text := c.log.String(); strings.Count(text, "cannot be booked") != 1 || strings.Count(text, "booked again") != 1 {
		t.Errorf("log:\n%s", text)
	}
}

// Whatever goes wrong within a call ends that call, not the goroutine that books for all.
func TestPanics(t *testing.T) {
	c := newGroupFixture(t)
	defer close(c.release)
	d := booking{s: c.Service, call: &Call{Kind: book.EventSale, EventID: "1"}} // without a transaction
	if r, err := c.recoverBooking(d.book); err == nil || !strings.Contains(err.Error(), "BUG") || r.Outcome != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if text := c.log.String(); !strings.Contains(text, "Service).recoverBooking") {
		t.Errorf("log:\n%s", text)
	}
}

// Calls that came while others were booked are booked in one go.
func TestGathered(t *testing.T) {
	c := newGroupFixture(t)
	first := c.submitFirst()
	var group []<-chan submitResult
	for _, email := range []string{"a@mail.test", "b@mail.test", "c@mail.test"} {
		group = append(group, c.enqueue(Call{Kind: book.EventSignup, Email: email, RefID: "anna"}))
	}
	close(c.release)
	for _, done := range append(group, first) {
		if r := <-done; r.err != nil || r.Outcome != Booked {
			t.Errorf("%+v", r)
		}
	}
	if len(c.commits) != 2 || c.commits[0] != 1 || c.commits[1] != 3 {
		t.Errorf("commits of %v events", c.commits)
	}
}

// Too many that wait are sent away; whoever gives up waiting is let go, and booked.
func TestTooManyWait(t *testing.T) {
	c := newGroupFixture(t)
	first := c.submitFirst()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	submit := func(email string) error {
		_, err := c.Submit(gone, &Call{Kind: book.EventSignup, Email: email, RefID: "anna"})
		return err
	}
	for i := range maxWaiting {
		if err := submit("gone@mail.test"); !errors.Is(err, context.Canceled) {
			t.Fatalf("call %d, given up: %v", i, err)
		}
	}
	if err := submit("many@mail.test"); !errors.Is(err, group.ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	close(c.release)
	<-first
	for c.group.Waiting() > 0 {
		time.Sleep(time.Millisecond)
	}
	c.signup("many@mail.test", "", "anna").check(t, Booked, "anna")
	c.signup("gone@mail.test", "", "anna").check(t, AlreadySignedUp, "") // it had been taken
}

// What came before the end is booked, what comes after it is refused.
func TestClosing(t *testing.T) {
	c := newGroupFixture(t)
	first := c.submitFirst()
	last := c.enqueue(Call{Kind: book.EventSignup, Email: "a@mail.test", RefID: "anna"})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Close(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if _, err := c.Submit(t.Context(), &Call{Kind: book.EventSignup, Email: "b@mail.test", RefID: "anna"}); !errors.Is(err, group.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	close(c.release)
	for range 2 {
		if err := c.Close(t.Context()); err != nil {
			t.Errorf("closed twice: %v", err)
		}
	}
	for _, done := range []<-chan submitResult{first, last} {
		if r := <-done; r.err != nil || r.Outcome != Booked {
			t.Errorf("%+v", r)
		}
	}
}

// Whatever is booked goes to FirstPromoter, once; whose the customer is it is told with
// every sign-up, and with a sale that itself brought the customer.
func TestWhatIsForwarded(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Forward = true })
	f.signup("a@mail.test", "", "ANNA").check(t, Booked, "anna")
	f.sale("a@mail.test", 1000, "pro").check(t, Booked, "anna")
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "pay-1", Amount: 1000}).check(t, Duplicate, "")
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "zero"}).check(t, Acknowledged, "anna")
	f.signup("nobody@mail.test", "", "").check(t, NotReferred, "")
	f.submit(Call{Kind: book.EventSale, Email: "b@mail.test", EventID: "own", Amount: 1000, PromoCode: "ANNA20"}).check(t, Booked, "anna")
	f.sale("carried@mail.test", 1000, "pro").check(t, Booked, "ben")
	f.signup("carried@mail.test", "", "anna").check(t, Booked, "ben")
	f.refund("a@mail.test", 500, "pay-1").check(t, Booked, "anna")
	f.submit(Call{Kind: book.EventCancellation, Email: "a@mail.test"}).check(t, Booked, "anna")
	var got []string
	if err := f.book.Forwards(t.Context(), "", func(e book.Forward) error {
		ref := "-"
		if _, rest, ok := strings.Cut(e.Body, `"ref_id":"`); ok {
			ref, _, _ = strings.Cut(rest, `"`)
		}
		got = append(got, e.Kind+" "+ref)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if want := "signup anna, sale -, sale anna, sale -, signup ben, refund -, cancellation -"; strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
	quiet := newFixture(t, nil)
	quiet.signup("a@mail.test", "", "anna").check(t, Booked, "anna")
	if err := quiet.book.Forwards(t.Context(), "", func(e book.Forward) error {
		t.Errorf("without forwarding: %+v", e)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
