package track

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"carryover/gateway/click"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// refusedList lists the refused events that are open: "404 sale pay-1".
func (f *fixture) refusedList() string {
	f.Helper()
	open, err := f.book.RefusedEvents(f.Context(), false)
	if err != nil {
		f.Fatal(err)
	}
	var list []string
	for _, e := range open {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%d %s %s", e.Status, e.Kind, e.ExternalID)))
	}
	return strings.Join(list, ", ")
}

// What came before its sign-up, or before its sale, is booked once that comes, as if it had come
// in order, and once.
func TestEventsOutOfOrder(t *testing.T) {
	signup := Call{Kind: book.EventSignup, Email: "x@mail.test", UID: "u", RefID: "anna"}
	byUID := Call{Kind: book.EventSignup, UID: "u", RefID: "anna"}
	sale := Call{Kind: book.EventSale, Email: "x@mail.test", EventID: "s", Amount: 10000}
	saleOfUID := Call{Kind: book.EventSale, UID: "u", EventID: "s", Amount: 10000}
	bringing := Call{Kind: book.EventSale, UID: "u", Email: "x@mail.test", EventID: "b", Amount: 20000, RefID: "anna"}
	refund := Call{Kind: book.EventRefund, Email: "x@mail.test", EventID: "r", Amount: 4000, SaleEventID: "s"}
	unnamed := Call{Kind: book.EventRefund, UID: "u", EventID: "r2", Amount: 10000}
	gone := Call{Kind: book.EventCancellation, Email: "x@mail.test", EventID: "c"}
	for _, c := range []struct {
		name    string
		calls   []Call
		balance int64
	}{
		{"a sale before its sign-up", []Call{sale, signup}, 2500},
		{"known by the uid", []Call{saleOfUID, signup}, 2500},
		{"a refund before its sale", []Call{refund, sale, signup}, 1500},
		{"a refund before its sale, after the sign-up", []Call{refund, signup, sale}, 1500},
		{"a refund that names no sale", []Call{unnamed, saleOfUID, signup}, 0},
		{"a refund that names no sale, after the sign-up", []Call{unnamed, signup, sale}, 0},
		{"a cancellation before all", []Call{gone, sale, signup}, 2500},
		{"before a sale that brings the customer", []Call{refund, sale, gone, bringing}, 6500},
		{"before its address is known", []Call{sale, byUID, {Kind: book.EventSale, UID: "u", Email: "x@mail.test", EventID: "t", Amount: 10000}}, 5000},
		{"before its address comes with a sign-up again", []Call{sale, byUID, signup}, 2500},
	} {
		f := newFixture(t, nil)
		for _, call := range c.calls {
			f.submit(call)
		}
		if got := f.balance(1); got != c.balance || f.refusedList() != "" {
			t.Errorf("%s: %d, want %d; refused: %s", c.name, got, c.balance, f.refusedList())
		}
		for _, call := range c.calls { // told again, it changes nothing
			if r := f.submit(call); call.Kind != book.EventSignup && r.Outcome != Duplicate || call.Kind == book.EventSignup && r.Outcome != AlreadySignedUp {
				t.Errorf("%s: %s again: %+v", c.name, call.Kind, r)
			}
		}
		if got := f.balance(1); got != c.balance {
			t.Errorf("%s: told again, %d", c.name, got)
		}
	}
}

// What was told before is dated when it was told, and its event says so.
func TestRememberedEventsSayWhy(t *testing.T) {
	f := newFixture(t, nil)
	told := f.now
	f.sale("x@mail.test", 10000, "").check(t, NotReferred, "")
	f.now = day("2023-02-02")
	f.signup("x@mail.test", "", "anna").check(t, Booked, "anna")
	e, ok := f.event(book.EventSale, "pay-1")
	if !ok || e.At != told.Unix() || e.ReceivedAt != f.now.Unix() ||
		!strings.Contains(e.Evidence, "told first on 2023-01-10 12:00, and answered 404: booked once its customer was known") {
		t.Errorf("%v %+v", ok, e)
	}
	if lines, err := f.book.LinesOf(t.Context(), []int64{e.ID}); err != nil || len(lines) != 1 || lines[0].Month != 202301 {
		t.Errorf("%+v, %v", lines, err) // it was told in January, and is no back-dated one
	}
	// It is from before the customer signed up: a person looks at it.
	if got := f.reviewReasons(); len(got) != 1 || !strings.HasPrefix(got[0], "pay-1 "+book.ReasonEarly) {
		t.Error(got)
	}
}

// A known customer who comes with an address brings what was told of that before. What is long ago is
// looked at by a person: an address is claimed for a cent.
func TestRememberedOfAnAddressClaimedLate(t *testing.T) {
	for _, days := range []int{0, 3} {
		f := newFixture(t, nil)
		f.submit(Call{Kind: book.EventSignup, UID: "ATT-1", RefID: "anna"}).check(t, Booked, "anna")
		f.now = f.now.AddDate(0, 0, 1)
		f.submit(Call{Kind: book.EventSale, Email: "x@mail.test", EventID: "before", Amount: 10000}).check(t, NotReferred, "")
		f.now = f.now.AddDate(0, 0, days)
		f.submit(Call{Kind: book.EventSale, UID: "ATT-1", Email: "x@mail.test", EventID: "cent", Amount: 1}).check(t, Booked, "anna")
		f.submit(Call{Kind: book.EventSale, Email: "x@mail.test", EventID: "after", Amount: 100}).check(t, Booked, "anna")
		got := strings.Join(f.reviewReasons(), ", ")
		want := ""
		if days > 0 {
			want = "before early_sale: told 3 days before it was known to be this customer's"
		}
		if got != want || f.balance(1) != 2525 {
			t.Errorf("after %d days: %q, %d", days, got, f.balance(1))
		}
	}
}

// event finds an event by its id.
func (f *fixture) event(kind, id string) (book.Event, bool) {
	f.Helper()
	list, err := f.book.EventsByExternalID(f.Context(), id)
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range list {
		if e.Kind == kind {
			return e, true
		}
	}
	return book.Event{}, false
}

// What an owner may not earn is not booked when another event comes: the cause must be mended.
func TestRefusedOfABlockedPromoter(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("x@mail.test", "", "anna").check(t, Booked, "anna")
	f.recordSetting(1, book.SettingStatus, "blocked")
	f.sale("x@mail.test", 10000, "").check(t, NotReferred, "")
	f.recordSetting(1, book.SettingStatus, "")
	f.sale("x@mail.test", 10000, "").check(t, Booked, "anna")
	if got := f.refusedList(); got != "404 sale pay-1" || f.balance(1) != 2500 {
		t.Errorf("%s, %d", got, f.balance(1))
	}
	f.retellAll(t, "booked")
	if got := f.refusedList(); got != "" || f.balance(1) != 5000 {
		t.Errorf("%s, %d", got, f.balance(1))
	}
}

// retellAll tells all that is open again, and checks the outcome of the first.
func (f *fixture) retellAll(t *testing.T, want string) {
	t.Helper()
	list, err := f.RetellAll(t.Context(), nil)
	if err != nil || len(list) == 0 || list[0].Outcome != want {
		t.Errorf("%+v, %v, want %s", list, err, want)
	}
}

// Once the cause of a refusal is mended, what was refused is told again, once.
func TestRetelling(t *testing.T) {
	f := newFixture(t, nil)
	stranger, err := click.NewKeyring([]byte("the secret of another gateway"))
	if err != nil {
		t.Fatal(err)
	}
	f.signup("eur@mail.test", "", "anna").check(t, Booked, "anna")
	f.submit(Call{Kind: book.EventSale, Email: "eur@mail.test", EventID: "eur", Amount: 10000, Currency: "EUR"}).check(t, Invalid, "")
	mark := click.Mark{Visit: click.Visit{Token: "ben", At: day("2023-01-05")}}
	f.submit(Call{Kind: book.EventSale, Email: "tid@mail.test", EventID: "tid", Amount: 10000, TID: stranger.Sign(mark)}).check(t, NotReferred, "")
	f.submit(Call{Kind: book.EventSale, Email: "tok@mail.test", EventID: "tok", Amount: 10000, RefID: "nobody"}).check(t, NotReferred, "")
	f.retellAll(t, "refused")
	if got := f.refusedList(); got != "400 sale eur, 404 sale tid, 404 sale tok" {
		t.Error(got)
	}

	rate, err := terms.ParseExchangeRate("1.5")
	if err != nil {
		t.Fatal(err)
	}
	f.o.Rates = map[string]terms.ExchangeRate{"EUR": rate}
	if f.o.Keys, err = click.NewKeyring([]byte("a key of the cookie"), []byte("the secret of another gateway")); err != nil {
		t.Fatal(err)
	}
	f.retellAll(t, "booked")
	if f.balance(1) != 3750 || f.balance(2) != 2500 || f.refusedList() != "404 sale tok" {
		t.Errorf("%d %d %s", f.balance(1), f.balance(2), f.refusedList())
	}
	list, err := f.RetellAll(t.Context(), []int64{1, 99})
	if err != nil || list[0].Outcome != "done" || list[1].Outcome != "refused" || f.balance(1) != 3750 {
		t.Errorf("again: %+v, %v", list, err)
	}
}

// Every refusal of a caller with a valid key is kept, without keys, network addresses and what
// the API does not know, and can be told again when it was understood.
func TestEverythingRefusedIsKept(t *testing.T) {
	f := newFixture(t, nil)
	c := serveAPI(t, f.Service, func(o *APIOptions) { o.PerMinute = 0 })
	const card = "4111 1111 1111 1111"
	c.v2("sale", `{"email":"a@mail.test","event_id":"1","amount":100,"ip":"203.0.113.7","password":"hunter2","card":"`+card+`"}`).check(t, 404,
		`{"message":"Referral not found: the customer is no promoter's","code":"not_found"}`)
	c.v1("sale", "email=b%40mail.test&event_id=2&amount=100").check(t, 204, "")
	for _, r := range []struct {
		reply
		status int
	}{
		{c.v2("sale", `{"email":"a@mail.test","event_id":"3","amount":"9.99","password":"hunter2"}`), 400},
		{c.v2("sale", `{"email":"a@mail.test","event_id":"4","card":"`+card+`","api_key":"hunter2",`), 400},
		{c.v2("sale", `<sale><password>hunter2</password><n>`+card+`</n></sale>`, "Content-Type: text/xml"), 415},
		{c.v2("sale", `{"x":"`+strings.Repeat("x", maxBody)+`"}`), 413},
		{c.v2("subscriber", `{"email":"a@mail.test"}`), 404},
		{c.send("GET", "/api/v1/track/sale?email=a%40mail.test&event_id=5&amount=100", "", "X-API-KEY: "+keyInUse), 405},
		{c.send("POST", "/api/v2/track/sale", `{"email":"stranger@mail.test"}`, "Account-ID: carrot", "Authorization: Bearer wrong"), 401},
		{c.send("GET", "/api/v1/track/sale?email=stranger%40mail.test", ""), 405},
	} {
		if r.StatusCode != r.status {
			t.Errorf("%d %s, want %d", r.StatusCode, r.body, r.status)
		}
	}
	open, err := f.book.RefusedEvents(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.refusedList(); got != "404 sale 1, 204 sale 2, 400 sale 3, 400 sale, 415 sale, 413 sale, 404, 405 sale 5" {
		t.Errorf("kept: %s", got)
	}
	for _, e := range open {
		all := fmt.Sprintf("%+v", e)
		for _, secret := range []string{"hunter2", "1111 1111", "203.0.113.7", keyInUse, "stranger"} {
			if strings.Contains(all, secret) {
				t.Errorf("%s is kept: %s", secret, all)
			}
		}
		if !strings.HasPrefix(e.Caller, "sha256:") || e.At == 0 || e.Reason == "" || len(e.Body) > maxKeptBody {
			t.Errorf("%+v", e)
		}
	}
	// What was understood but for the way in which it came is booked.
	f.signup("a@mail.test", "", "anna").check(t, Booked, "anna")
	if got := f.refusedList(); got != "204 sale 2, 400 sale 3, 400 sale, 415 sale, 413 sale, 404, 405 sale 5" {
		t.Errorf("kept: %s", got)
	}
	if _, err := f.RetellAll(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, ok := f.event(book.EventSale, "5"); !ok {
		t.Errorf("not booked: %s", f.refusedList())
	}
}

// A call over the limit is kept too: not every caller comes again.
func TestCallsOverTheLimitAreKept(t *testing.T) {
	f := newFixture(t, nil)
	c := serveAPI(t, f.Service, func(o *APIOptions) { o.PerMinute = 1 })
	last := reply{}
	for n := 0; n <= minBurst; n++ {
		last = c.v2("signup", fmt.Sprintf(`{"email":"c%d@mail.test","ref_id":"anna"}`, n))
	}
	if last.StatusCode != 429 || last.Header.Get("Retry-After") == "" || f.refusedList() != "429 signup" {
		t.Errorf("%d %s", last.StatusCode, f.refusedList())
	}
	f.retellAll(t, "booked")
}

// A flood of unknown customers does not fill the disk: the oldest go, and it is counted.
func TestRefusedEventsAreBounded(t *testing.T) {
	f := newFixture(t, nil)
	f.book.BoundRefused(20, 1<<20)
	for _, path := range []string{"/api/v2/track/sale", "//api/v2/track/sale", "/api/v1/track/sale"} { // the same again is one
		f.submit(Call{Kind: book.EventSale, Email: "same@mail.test", EventID: "same", Amount: 100, Origin: Origin{Path: path}}).check(t, NotReferred, "")
	}
	for n := range 50 {
		f.submit(Call{Kind: book.EventSale, Email: fmt.Sprintf("c%d@mail.test", n), EventID: fmt.Sprint(n), Amount: 100}).check(t, NotReferred, "")
	}
	all, err := f.book.RefusedEvents(t.Context(), true)
	if err != nil || len(all) != 20 || all[0].ExternalID != "30" || f.DroppedRefusals() != 31 {
		t.Errorf("%d kept, %d dropped, %v", len(all), f.DroppedRefusals(), err)
	}
	f.book.BoundRefused(1000, 5_000)
	for n := range 50 {
		f.submit(Call{Kind: book.EventSale, Email: fmt.Sprintf("d%d@mail.test", n), EventID: fmt.Sprint("d", n), Amount: 100})
	}
	if all, err = f.book.RefusedEvents(t.Context(), true); err != nil || len(all) < 5 || len(all) > 20 {
		t.Errorf("%d in 5 kB, %v", len(all), err)
	}
	named := Call{Kind: book.EventSale, Email: "named@mail.test", EventID: "named", Amount: 100, RefID: "nobody"}
	f.submit(named).check(t, NotReferred, "")
	f.o.Remember = 24 * 3600e9
	f.now = f.now.AddDate(0, 0, 2)
	f.forgetRefused()
	if all, err = f.book.RefusedEvents(t.Context(), true); err != nil || len(all) != 1 || all[0].State != book.RefusedPast || f.refusedList() != "" {
		t.Errorf("%+v after two days, %v", all, err)
	}
	f.signup("named@mail.test", "", "anna").check(t, Booked, "anna")
	if got, err := f.RetellAll(t.Context(), []int64{all[0].ID}); err != nil || got[0].Outcome != "refused" || f.balance(1) != 0 {
		t.Errorf("%+v, %v: %d", got, err, f.balance(1))
	}
	f.submit(named).check(t, Booked, "anna") // whoever tells it now
}

// A flood by one key pushes out nothing that another's caller was refused.
func TestFloodOfOneKey(t *testing.T) {
	f := newFixture(t, nil)
	f.book.BoundRefused(20, 1<<20)
	sale := func(caller string, n int) {
		f.submit(Call{Kind: book.EventSale, Email: fmt.Sprintf("%s%d@mail.test", caller, n), EventID: fmt.Sprint(caller, n), Amount: 100,
			Origin: Origin{Caller: caller}}).check(t, NotReferred, "")
	}
	for n := range 3 {
		sale("quiet", n)
	}
	for n := range 100 {
		sale("loud", n)
	}
	sale("quiet", 3)
	kept := map[string]int{}
	all, err := f.book.RefusedEvents(t.Context(), true)
	for _, e := range all {
		kept[e.Caller]++
	}
	if err != nil || kept["quiet"] != 4 || kept["loud"] != 20 {
		t.Errorf("%v, %v", kept, err)
	}
	f.signup("quiet0@mail.test", "", "anna").check(t, Booked, "anna")
	if f.balance(1) != 25 {
		t.Errorf("%d", f.balance(1))
	}
}

// What one gateway refused, another books, once, and so does one that was started again.
func TestRememberedAcrossGateways(t *testing.T) {
	f := newFixture(t, nil)
	f.sale("x@mail.test", 10000, "").check(t, NotReferred, "")
	sale := Call{Kind: book.EventSale, Email: "x@mail.test", EventID: "pay-1", Amount: 10000}

	other, err := book.Open(f.book.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	o := f.o
	o.Book = other
	second := New(o)
	defer second.Close(t.Context())
	signup := Call{Kind: book.EventSignup, Email: "x@mail.test", RefID: "anna"}
	var wg sync.WaitGroup
	for _, s := range []*Service{f.Service, second, f.Service, second} {
		for _, c := range []Call{signup, sale} {
			wg.Go(func() {
				if _, err := s.Submit(t.Context(), &c); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			if _, err := s.RetellAll(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := f.refusedList(); f.balance(1) != 2500 || got != "" {
		t.Errorf("%d, refused: %s", f.balance(1), got)
	}
	r, err := second.Submit(t.Context(), &sale)
	if err != nil || r.Outcome != Duplicate {
		t.Errorf("%+v, %v", r, err)
	}
}
