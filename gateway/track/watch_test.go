package track

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"carryover/gateway/click"
	"carryover/mapping/book"
)

// addClicks books so many clicks of a promoter within the hour that begins at an instant.
func (f *fixture) addClicks(token string, hour time.Time, n int) {
	f.Helper()
	list := make([]book.Click, n)
	for i := range list {
		f.n++
		list[i] = book.Click{Node: "web1", Seq: int64(f.n), At: hour.Add(time.Duration(i) * time.Second), Host: "go.shop.test", Path: "/go/demo",
			Outcome: "forward", Token: token, Verdict: "human"}
	}
	if _, err := f.book.AddClicks(context.Background(), list); err != nil {
		f.Fatal(err)
	}
}

// signupByClick signs a customer up who came by a click of a promoter.
func (f *fixture) signupByClick(email, token string, at time.Time) {
	f.Helper()
	f.signup(email, f.keys.Sign(click.Mark{Visit: click.Visit{Token: token, At: at}}), "").check(f.T, Booked, token)
}

// scan lets a watch look, and gives what is to be reviewed since: "pay-7 click_velocity: why".
func (f *fixture) scan(w *commissionWatch) (found []string) {
	f.Helper()
	before := f.reviewReasons()
	if err := w.scan(context.Background()); err != nil {
		f.Fatal(err)
	}
	return slices.DeleteFunc(f.reviewReasons(), func(s string) bool { return slices.Contains(before, s) })
}

// A customer who came by one of far more clicks than the promoter usually has in an hour is
// worth a look, for as long as the click says something about its sales.
func TestBurstsOfClicks(t *testing.T) {
	f := newFixture(t, nil)
	f.now = day("2023-01-20")
	hour := time.Date(2023, 1, 19, 3, 0, 0, 0, time.UTC)
	week := func(token string, n int) { f.addClicks(token, hour.AddDate(0, 0, -7), n) } // the first hour of the week before
	for _, c := range []struct {
		token          string
		before, within int
		want           string
	}{
		{"anna", 0, 99, ""}, // few, however unusual
		// ten times 10, rounded down
		{"ben", 1847, 100, "100 clicks in the hour of the one that brought the customer, 10 in an hour of the week before"},
		{"zoe", 1848, 109, ""}, // less than ten times 11
	} {
		week(c.token, c.before)
		f.addClicks(c.token, hour.AddDate(0, 0, -7).Add(-time.Hour), 500) // before that week
		f.addClicks(c.token, hour, c.within)
		f.addClicks(c.token, hour.Add(time.Hour), 50) // after that hour
	}
	f.addClicks("anna", hour.Add(-40*time.Hour), 100)
	w := &commissionWatch{s: f.Service}
	f.scan(w)
	sale := func(email, token string, clicked, sold time.Time, want string) {
		t.Helper()
		f.signupByClick(email, token, clicked)
		f.n++
		id := fmt.Sprint("sale of ", email)
		f.submit(Call{Kind: book.EventSale, Email: email, EventID: id, Amount: 10000, CreatedAt: sold.Unix()}).check(t, Booked, token)
		if want != "" {
			want = id + " click_velocity: " + want
		}
		if got := strings.Join(f.scan(w), "; "); got != want {
			t.Errorf("%s of %s: %q, want %q", email, token, got, want)
		}
	}
	busy := "100 clicks in the hour of the one that brought the customer, 10 in an hour of the week before"
	last := hour.Add(59*time.Minute + 59*time.Second)
	sale("few@mail.test", "anna", last, f.now, "")
	sale("usual@mail.test", "zoe", last, f.now, "")
	sale("first@mail.test", "ben", hour, f.now, busy)
	sale("last@mail.test", "ben", last, f.now, busy)
	sale("next@mail.test", "ben", hour.Add(time.Hour), f.now, "")
	// 500 of them
	sale("other@mail.test", "anna", hour.Add(-40*time.Hour), f.now,
		"100 clicks in the hour of the one that brought the customer, 2 in an hour of the week before")
	f.now = day("2023-01-27")
	sale("week@mail.test", "ben", last, last.AddDate(0, 0, 7), busy)
	sale("later@mail.test", "ben", last, last.AddDate(0, 0, 7).Add(time.Second), "")

	// Of several promoters at once each is judged by its own clicks.
	f.now = day("2023-01-20")
	f.signupByClick("zoes@mail.test", "zoe", last)
	f.signupByClick("bens@mail.test", "ben", last)
	f.sale("zoes@mail.test", 10000, "").check(t, Booked, "zoe")
	f.sale("bens@mail.test", 10000, "").check(t, Booked, "ben")
	if got, want := f.scan(w), []string{fmt.Sprint("pay-", f.n, " click_velocity: ", busy)}; !slices.Equal(got, want) {
		t.Errorf("two promoters: %q, want %q", got, want)
	}

	f.signup("ref@mail.test", "", "ben").check(t, Booked, "ben") // by no click
	f.sale("ref@mail.test", 10000, "").check(t, Booked, "ben")
	f.signupByClick("mug@mail.test", "ben", last)
	f.sale("mug@mail.test", 10000, "a mug").check(t, Booked, "ben") // nothing was earned
	if got := f.scan(w); len(got) > 0 {
		t.Errorf("found %q", got)
	}
}

// Every sale of a promoter of whose sales many are refunded is worth a look.
func TestManyRefunds(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("a@mail.test", "", "anna").check(t, Booked, "anna")
	f.signup("b@mail.test", "", "ben").check(t, Booked, "ben")
	w := &commissionWatch{s: f.Service}
	sales := func(email string, n int) (last string) {
		for range n {
			f.sale(email, 10000, "pro")
			last = fmt.Sprint("pay-", f.n)
		}
		return last
	}
	nothing := func(when string) {
		t.Helper()
		if got := f.scan(w); len(got) > 0 {
			t.Errorf("%s: found %q", when, got)
		}
	}
	// Too long ago to say anything: three sales, all taken back.
	f.now = day("2022-10-01")
	for range 3 {
		f.refund("a@mail.test", 10000, sales("a@mail.test", 1))
	}
	f.now = day("2023-01-10")
	for range 3 {
		f.refund("a@mail.test", 5000, sales("a@mail.test", 1))
	}
	sales("a@mail.test", 6)
	nothing("three of nine sales")

	f.sale("a@mail.test", 10000, "a mug") // earns nothing, and is no sale to count
	nothing("three of nine sales, and a mug")

	tenth := sales("a@mail.test", 1)
	want := []string{tenth + " refund_rate: 3 of the promoter's 10 sales in 90 days were refunded"}
	if got := f.scan(w); !slices.Equal(got, want) {
		t.Errorf("three of ten: %q, want %q", got, want)
	}
	nothing("the same again") // what was looked at is not looked at twice

	eleventh := sales("a@mail.test", 1)
	nothing("three of eleven: " + eleventh)

	// A refund in two parts is one; what a person has denied is none.
	mine := sales("b@mail.test", 10)
	f.refund("b@mail.test", 10, mine)
	f.refund("b@mail.test", 20, mine)
	if err := f.book.AddReviews([]book.ReviewReason{{LineID: 1, Reason: book.ReasonVelocity}}); err != nil {
		t.Fatal(err)
	}
	reviews := f.reviewReasons()
	lines, err := f.book.CommissionsAfter(context.Background(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var ofBen []int64
	for _, l := range lines {
		if l.PromoterID == 2 {
			ofBen = append(ofBen, l.ID)
		}
	}
	for _, id := range ofBen[:4] {
		if err := f.book.AddReviews([]book.ReviewReason{{LineID: id, Reason: book.ReasonVelocity}}); err != nil {
			t.Fatal(err)
		}
		if _, err := f.book.Decide(context.Background(),
			[]book.ReviewDecision{{LineID: id, Decision: book.ReviewDeny, DecidedAt: f.now.Unix(), DecidedBy: "ops"}}); err != nil {
			t.Fatal(err)
		}
	}
	nothing("one of ten, and four that were denied")
	if len(f.reviewReasons()) != len(reviews)+4 {
		t.Errorf("reasons: %q", f.reviewReasons())
	}
}

// A watch that begins looks at the lines of two days again, and from then on at each once.
func TestWatchBegins(t *testing.T) {
	f := newFixture(t, nil)
	hour := day("2023-01-10")
	f.addClicks("anna", hour, 100)
	f.now = hour.Add(20 * time.Minute)
	f.signupByClick("a@mail.test", "anna", hour.Add(10*time.Minute))
	f.sale("a@mail.test", 10000, "") // pay-101
	began := f.now
	f.now = began.Add(time.Second)
	f.sale("a@mail.test", 10000, "") // pay-102
	f.now = began.Add(48*time.Hour + time.Second)
	w := &commissionWatch{s: f.Service}
	why := " click_velocity: 100 clicks in the hour of the one that brought the customer, 0 in an hour of the week before"
	if got, want := f.scan(w), []string{"pay-102" + why}; !slices.Equal(got, want) {
		t.Errorf("after a start: %q, want %q", got, want)
	}
	// Of more lines than are looked at at once, each is looked at.
	f.sale("a@mail.test", 10000, "")
	var lines []book.EventLine
	for range watchPageSize + 5 {
		lines = append(lines, book.EventLine{Kind: book.KindCommission, PromoterID: 1, CustomerID: 1, At: f.now.Unix(), Month: 202301, Amount: 5,
			Currency: "USD", SaleAmount: 20, Percent: 250_000})
	}
	if err := f.book.Track(func(tr *book.Tracking) error {
		return tr.AddEvent(&book.Event{Kind: book.EventSale, ExternalID: "many", CustomerID: 1, At: f.now.Unix(), ReceivedAt: f.now.Unix(),
			Currency: "USD"}, lines)
	}); err != nil {
		t.Fatal(err)
	}
	f.scan(w)
	if got := len(f.reviewReasons()); got != 2+watchPageSize+5 {
		t.Errorf("%d lines have a reason", got)
	}
}

// While events are booked a watch looks all the same: it waits for the book only when it has
// found something.
func TestWatchOnlyReads(t *testing.T) {
	f := newFixture(t, nil)
	f.signupByClick("a@mail.test", "anna", day("2023-01-10"))
	f.sale("a@mail.test", 10000, "")
	w := &commissionWatch{s: f.Service}
	if err := f.book.Track(func(*book.Tracking) error { return w.scan(t.Context()) }); err != nil {
		t.Fatal(err)
	}
	if w.after == 0 {
		t.Error("it has not looked at the sale")
	}
}

// The watch looks by itself, every half minute; what is wrong with the book it says once.
func TestWatchGoesOn(t *testing.T) {
	f := newFixture(t, nil)
	f.addClicks("anna", day("2023-01-10"), 100)
	f.signupByClick("a@mail.test", "anna", day("2023-01-10"))
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := &Service{o: f.o}
		s.o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Watch(ctx); close(done) }()
		synctest.Wait()
		tell := func(id string) {
			t.Helper()
			if err := f.book.Track(func(tr *book.Tracking) error {
				return tr.AddEvent(&book.Event{Kind: book.EventSale, ExternalID: id, CustomerID: 1, At: f.now.Unix(), ReceivedAt: f.now.Unix(),
					Currency: "USD"},
					[]book.EventLine{{Kind: book.KindCommission, PromoterID: 1, CustomerID: 1, At: f.now.Unix(), Month: 202301, Amount: 5,
						Currency: "USD", SaleAmount: 20, Percent: 250_000}})
			}); err != nil {
				t.Fatal(err)
			}
		}
		tell("first")
		time.Sleep(watchInterval + time.Second)
		synctest.Wait()
		tell("second")
		if got := f.reviewReasons(); len(got) != 1 || !strings.HasPrefix(got[0], "first click_velocity") {
			t.Errorf("after half a minute: %q", got)
		}
		time.Sleep(watchInterval)
		synctest.Wait()
		if got := f.reviewReasons(); len(got) != 2 {
			t.Errorf("after a minute: %q", got)
		}
		if log.Len() > 0 {
			t.Errorf("it says %s", log.String())
		}
		if err := f.book.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * watchInterval)
		synctest.Wait()
		if n := strings.Count(log.String(), "level=WARN"); n != 1 {
			t.Errorf("a book that cannot be read is told of %d times:\n%s", n, log.String())
		}
		cancel()
		<-done
		if err := ctx.Err(); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
