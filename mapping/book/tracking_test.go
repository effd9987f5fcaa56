package book_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

func recordSetting(t testing.TB, b *book.Book, promoter int64, field, value string) {
	t.Helper()
	if err := b.RecordSettings(t.Context(), []book.Setting{{PromoterID: promoter, Field: field, Value: value, RecordedAt: 1,
		RecordedBy: "kim"}}); err != nil {
		t.Fatal(err)
	}
}

// What another process writes is seen by the next transaction: nobody earns on what was
// true before.
func TestDirectoryOfAnotherProcess(t *testing.T) {
	b, path := openBook(t)
	applyAll(t, b, 0, sampleChanges())
	if got := directory(t, b).ByToken("ada").Promoter.Status; got != terms.Active {
		t.Fatal(got)
	}
	other, err := book.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	recordSetting(t, other, 7, book.SettingStatus, string(terms.Blocked))
	if got := directory(t, b).ByToken("ada").Promoter.Status; got != terms.Blocked {
		t.Errorf("after another process has blocked her: %s", got)
	}
	recordSetting(t, b, 7, book.SettingStatus, "")
	if got := directory(t, b).ByToken("ada").Promoter.Status; got != terms.Active {
		t.Errorf("after this one has taken it back: %s", got)
	}
	read := func() (owner int64) {
		t.Helper()
		if err := b.Track(func(tr *book.Tracking) error {
			c, _, err := tr.Referral("bo@mail.test")
			owner = c.PartnerID
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return owner
	}
	if got := read(); got != 7 {
		t.Fatal(got)
	}
	run, err := other.LastImport(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Rollback(t.Context(), run.ID, time.Unix(2, 0)); err != nil {
		t.Fatal(err)
	}
	if got := read(); got != 0 {
		t.Errorf("after another process has undone the run bo is of %d", got)
	}
}

// A run is not undone while money or a customer stands on a promoter that it brought.
func TestRollbackLeavesNobodyBehind(t *testing.T) {
	f := func(about string, stands bool, came func(b *book.Book) error) {
		t.Helper()
		b, _ := openBook(t)
		id := applyAll(t, b, 0, sampleChanges())
		if err := came(b); err != nil {
			t.Fatalf("%s: %v", about, err)
		}
		_, err := b.Rollback(t.Context(), id, time.Unix(2, 0))
		if stands && err != nil {
			t.Errorf("%s: %v", about, err)
		}
		if stands {
			return
		}
		if err == nil || !strings.Contains(err.Error(), "promoter 7") || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("%s: %v", about, err)
		}
		if c, err := b.Content(t.Context()); err != nil || len(c.Promoters) != 1 {
			t.Errorf("%s: %v, %v", about, c.Promoters, err)
		}
		if run, err := b.LastImport(t.Context()); err != nil || run.ID != id {
			t.Errorf("%s: the run that stands is %d, %v", about, run.ID, err)
		}
	}
	tracked := func(fn func(tr *book.Tracking) error) func(b *book.Book) error {
		return func(b *book.Book) error { return b.Track(fn) }
	}
	f("nothing came", true, func(*book.Book) error { return nil })
	f("a customer of nobody's yet", true, tracked(func(tr *book.Tracking) error {
		return tr.AddCustomer(&book.Customer{Email: "cy@mail.test"})
	}))
	f("a customer", false, tracked(func(tr *book.Tracking) error {
		return tr.AddCustomer(&book.Customer{Email: "cy@mail.test", PromoterID: 7})
	}))
	f("a sale", false, tracked(func(tr *book.Tracking) error {
		return tr.AddEvent(&book.Event{Kind: book.EventSale, ExternalID: "1", CustomerID: 1, Currency: "USD"},
			[]book.EventLine{commission(7, 5, 202301, 5)})
	}))
	f("a payout", false, func(b *book.Book) error {
		d, err := b.PayoutInputs(t.Context(), "USD", 0)
		if err != nil {
			return err
		}
		return b.ApprovePayouts(t.Context(), &book.PayoutBatch{Month: 202303, EarnedThrough: 202301, Currency: "USD"},
			[]book.PayoutLine{{PromoterID: 7, Net: 5}}, d.State)
	})
	f("somebody who joined here, and a sale of theirs", true, func(b *book.Book) error {
		joined, err := b.SubmitApplication(t.Context(), book.Application{Email: "new@mail.test", Name: "New"}, book.JoinRules{Auto: true})
		if err != nil {
			return err
		}
		return b.Track(func(tr *book.Tracking) error {
			c := book.Customer{Email: "cy@mail.test", PromoterID: joined.Promoter.ID}
			return errors.Join(tr.AddCustomer(&c), tr.AddEvent(&book.Event{Kind: book.EventSale, ExternalID: "1", CustomerID: c.ID,
				Currency: "USD"}, []book.EventLine{commission(c.PromoterID, 5, 202301, 5)}))
		})
	})
}

// A coupon is one promoter's, in any case, until it is given up.
func TestCoupons(t *testing.T) {
	b, _ := openBook(t)
	applyAll(t, b, 0, &book.Changes{Content: book.Content{Promoters: []book.Promoter{
		{ID: 1, Token: "ann", Status: book.StatusActive}, {ID: 2, Token: "ben", Status: book.StatusActive},
		{ID: 3, Token: "cy", Status: book.StatusActive},
	}}})
	f := func(promoter int64, coupon string, taken bool) {
		t.Helper()
		err := b.RecordSettings(t.Context(), []book.Setting{{PromoterID: promoter, Field: book.SettingCoupon, Value: coupon}})
		if taken != errors.Is(err, book.ErrCouponTaken) || !taken && err != nil {
			t.Errorf("%d takes %q: %v", promoter, coupon, err)
		}
	}
	f(1, "SPRING", false)
	f(2, "spring", true)
	f(1, "Spring", false)
	f(2, "", false) // nobody has none
	f(3, "", false)
	f(1, "", false)
	f(2, "spring", false)
	f(1, "SUMMER", false)
	f(1, "Spring", true)
	if d := directory(t, b); d.ByCoupon("Summer") != d.ByID(1) || d.ByCoupon("spring") != d.ByID(2) {
		t.Errorf("%+v, %+v", d.ByCoupon("Summer"), d.ByCoupon("spring"))
	}
}

// What a person decides of commissions under review: for all of them or for none, once; to
// deny takes back what is left, and nothing where nothing is left.
func TestDecide(t *testing.T) {
	b, _ := openBook(t)
	applyAll(t, b, 0, sampleChanges())
	var first []book.EventLine
	for i := range 4 {
		first = append(first, commission(7, 100, 202301, int64(1000+i)))
	}
	ids := addEvent(t, b, book.EventSale, 100, first...)
	addEvent(t, b, book.EventRefund, 200, reversal(book.KindRefund, first[1], ids[1], 200, 401), reversal(book.KindRefund, first[2], ids[2], 200, 1002))
	addReviews(t, b, 300, ids[:3]...)
	decide := func(want int, wrong error, decision string, lines ...int64) {
		t.Helper()
		var list []book.ReviewDecision
		for _, id := range lines {
			list = append(list, book.ReviewDecision{LineID: id, Decision: decision, Note: " why ", DecidedAt: 400, DecidedBy: "kim"})
		}
		n, err := b.Decide(t.Context(), list)
		if n != want || (wrong == nil) != (err == nil) || !errors.Is(err, wrong) {
			t.Errorf("%s %v: %d, %v; want %d, %v", decision, lines, n, err, want, wrong)
		}
	}
	open := func(want ...int64) {
		t.Helper()
		reviews, err := b.Reviews(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, r := range reviews {
			got = append(got, r.Line.ID)
			if len(r.Reasons) != 2 || r.Decision.Decision != "" || r.Event.Kind != book.EventSale {
				t.Errorf("%+v", r)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("still open: %v, want %v", got, want)
		}
	}
	open(ids[:3]...)
	decide(0, book.ErrNoEntry, book.ReviewDeny, ids[0], 99)
	if n, err := b.Decide(t.Context(), []book.ReviewDecision{{LineID: ids[0], Decision: book.ReviewDeny},
		{LineID: ids[3], Decision: book.ReviewDeny}}); n != 0 || err == nil || !strings.Contains(err.Error(), "no reason to be reviewed") {
		t.Errorf("a line without a reason: %d, %v", n, err)
	}
	open(ids[:3]...)
	decide(1, nil, book.ReviewAccept, ids[0])
	open(ids[1], ids[2])
	decide(2, nil, book.ReviewDeny, ids[1], ids[2])
	open()
	decide(0, nil, book.ReviewDeny, ids[1], ids[2])
	decide(0, book.ErrAlreadyDecided, book.ReviewAccept, ids[1])
	decide(0, book.ErrAlreadyDecided, book.ReviewDeny, ids[0])

	var denied []book.EventLine
	last := int64(0)
	for id := ids[0]; ; id++ {
		l, err := b.LineByID(t.Context(), id)
		if errors.Is(err, book.ErrNoEntry) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if last = id; l.Kind == book.KindDenied {
			denied = append(denied, l)
		}
	}
	if len(denied) != 1 || denied[0].ReversesLineID != ids[1] || denied[0].Amount != -600 || denied[0].At != 400 ||
		denied[0].Month != 202301 || denied[0].PromoterID != 7 || last != ids[3]+3 {
		t.Errorf("denied: %+v; the last line is %d", denied, last)
	}
	all, err := b.Reviews(t.Context(), true)
	if err != nil || len(all) != 3 {
		t.Fatalf("all: %+v, %v", all, err)
	}
	if d := all[1].Decision; d.Decision != book.ReviewDeny || d.Note != "why" || d.DecidedBy != "kim" || d.DecidedAt != 400 ||
		d.LineID != ids[1] {
		t.Errorf("%+v", d)
	}
	some, err := b.ReviewsOf(t.Context(), []int64{ids[2], ids[3]})
	if err != nil || len(some) != 1 || some[0].Line.ID != ids[2] || some[0].Decision.Decision != book.ReviewDeny {
		t.Errorf("of two lines: %+v, %v", some, err)
	}
}

// What another process books is seen at once; the directory is read again only when promoters
// changed: of many promoters that takes long, and events come all the time.
func TestDirectoryIsKept(t *testing.T) {
	b, path := openBook(t)
	applyAll(t, b, 0, sampleChanges())
	other, err := book.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	customer := func(in *book.Book, email string) (known bool) {
		t.Helper()
		if err := in.Track(func(tr *book.Tracking) (err error) {
			if _, known, err = tr.CustomerByEmail(email); err == nil && !known && in == other {
				err = tr.AddCustomer(&book.Customer{Email: email})
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return known
	}
	before := directory(t, b)
	if customer(b, "a@mail.test") || customer(other, "a@mail.test") || !customer(b, "a@mail.test") {
		t.Error("the other process's customer is not known")
	}
	if _, err := b.SubmitApplication(t.Context(), book.Application{Name: "Ann", Email: "ann@mail.test"}, book.JoinRules{}); err != nil {
		t.Fatal(err)
	}
	if directory(t, b) != before {
		t.Error("the directory was read again, and nothing of it changed")
	}
	recordSetting(t, other, 7, book.SettingCoupon, "SEVEN")
	if directory(t, b) == before || directory(t, b).ByCoupon("seven").Promoter == nil {
		t.Error("a coupon that another process recorded is not known")
	}
	if _, err := other.SubmitApplication(t.Context(), book.Application{Name: "Ben", Email: "ben@mail.test"}, book.JoinRules{Auto: true}); err != nil {
		t.Fatal(err)
	}
	if directory(t, b).ByToken("ben").Promoter == nil {
		t.Error("one who joined over another process is not known")
	}
}
