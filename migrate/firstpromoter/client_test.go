package firstpromoter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"carryover/migrate/firstpromoter/fake"
)

const (
	testKey     = "fp-key-0123456789"
	testAccount = "acct-7"
)

// handed is a server that is called without a network, so that a test's clock can stand still.
type handed struct{ http.Handler }

func (h handed) RoundTrip(r *http.Request) (res *http.Response, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("read tcp 192.0.2.99:443: connection reset")
		}
	}()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), r.Context().Err()
}

func newFake() *fake.Server { return &fake.Server{Key: testKey, AccountID: testAccount} }

func newClient(t *testing.T, h http.Handler) *Client {
	t.Helper()
	c, err := New(Options{AccountID: testAccount, Key: testKey, Transport: handed{h}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var (
	march = time.Date(2023, 3, 1, 0, 0, 0, 0, time.UTC)
	april = time.Date(2023, 4, 1, 0, 0, 0, 0, time.UTC)
)

// commissions reads a month.
func commissions(c *Client) (list []Commission, err error) {
	err = c.Commissions(context.Background(), march, april, func(k Commission) error {
		list = append(list, k)
		return nil
	})
	return list, err
}

func promoters(c *Client) (list []Promoter, err error) {
	err = c.Promoters(context.Background(), func(p Promoter) error {
		list = append(list, p)
		return nil
	})
	return list, err
}

func TestCommissionsOfAMonth(t *testing.T) {
	s := newFake()
	anna := s.AddPromoter("Anna@Partners.test", "keap-7", "anna", fake.Accepted)
	grant := func(id string, amount int64, at time.Time) {
		s.AddCommission(fake.Grant{Token: "anna", EventID: id, Amount: amount, At: at})
	}
	grant("before", 1, march.Add(-time.Millisecond))
	grant("first", 2, march)
	grant("last", -3, april.Add(-time.Millisecond))
	grant("after", 4, april)
	s.AddCommission(fake.Grant{Token: "anna", EventID: "points", Amount: 5, Unit: "points", At: march})
	s.AddCommission(fake.Grant{Amount: 6, Status: "denied", At: march}) // of nobody, without an event
	got, err := commissions(newClient(t, s))
	if err != nil || len(got) != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	if k := got[0]; k.EventID != "first" || k.Amount != 2 || k.PromoterID != anna || k.Email != "anna@partners.test" || k.Status != StatusApproved || k.Tier != 1 || !k.CreatedAt.Equal(march) {
		t.Errorf("first: %+v", k)
	}
	if k := got[1]; k.EventID != "last" || k.Amount != -3 {
		t.Errorf("last: %+v", k)
	}
	if k := got[2]; k.EventID != "" || k.Status != StatusDenied || k.PromoterID != 0 {
		t.Errorf("of nobody: %+v", k)
	}
}

// However long a list is and in whichever shape, every row comes once.
func TestListsAreReadWhole(t *testing.T) {
	for _, n := range []int{0, 1, 99, 100, 101, 200, 250} {
		for _, bare := range []bool{false, true} {
			s := newFake()
			s.BareLists = bare
			for i := range n {
				token := fmt.Sprintf("t%d", i)
				s.AddPromoter(token+"@partners.test", "", token, fake.Accepted)
				s.AddCommission(fake.Grant{Token: token, EventID: token, Amount: 1, At: march})
			}
			c := newClient(t, s)
			people, err := promoters(c)
			earned, err2 := commissions(c)
			if len(people) != n || len(earned) != n || err != nil || err2 != nil {
				t.Errorf("%d rows, bare %v: %d promoters, %d commissions, %v, %v", n, bare, len(people), len(earned), err, err2)
			}
			if n > 0 && (people[0].Tokens[0] != "t0" || people[0].Email != "t0@partners.test") {
				t.Errorf("%+v", people[0])
			}
			if want := 2 * (n/100 + 1); len(s.Calls()) != want {
				t.Errorf("%d rows: %d requests, want %d", n, len(s.Calls()), want)
			}
		}
	}
}

// A server that gives the same page for ever is noticed: half a list must not pass for all.
func TestPagesThatRepeat(t *testing.T) {
	s := newFake()
	s.StuckPages = true
	for i := range 150 {
		s.AddPromoter("", "", fmt.Sprintf("t%d", i), fake.Accepted)
	}
	if _, err := promoters(newClient(t, s)); err == nil || !strings.Contains(err.Error(), "page 2 is the one before it again") {
		t.Errorf("%v", err)
	}
}

func TestReadingGoesOnAfterTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFake()
		for i := range 250 {
			s.AddCommission(fake.Grant{EventID: fmt.Sprint(i), Amount: 1, At: march})
		}
		s.Trouble = func(n int, _ *http.Request) fake.Trouble {
			return []fake.Trouble{{}, {Status: 500}, {Cut: true}, {Drop: true}, {Status: 429, RetryAfter: "7"}, {Latency: 2 * time.Minute}, {Status: 408}}[n%7]
		}
		got, err := commissions(newClient(t, s))
		if len(got) != 250 || err != nil {
			t.Errorf("%d, %v", len(got), err)
		}
	})
}

// The time that FirstPromoter names is waited for, whether in seconds or as a date, up to a minute.
func TestReadingWaitsAsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := func(status int, after string, shortest, longest time.Duration) {
			t.Helper()
			s := newFake()
			s.Trouble = func(n int, _ *http.Request) fake.Trouble {
				if n == 1 {
					return fake.Trouble{Status: status, RetryAfter: after}
				}
				return fake.Trouble{}
			}
			began := time.Now()
			_, err := commissions(newClient(t, s))
			if took := time.Since(began); err != nil || len(s.Calls()) != 2 || took < shortest || took > longest {
				t.Errorf("%d, %q: %d calls in %s, %v", status, after, len(s.Calls()), took, err)
			}
		}
		in := func(d time.Duration) string { return time.Now().UTC().Add(d).Format(http.TimeFormat) }
		f(429, "40", 40*time.Second, 40*time.Second)
		f(503, in(40*time.Second), 39*time.Second, 40*time.Second)
		f(425, in(time.Hour), time.Minute, time.Minute)
		f(500, in(-time.Hour), 1, time.Second)
	})
}

func TestTroubleThatLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := func(trouble fake.Trouble, calls int, want string) {
			t.Helper()
			s := newFake()
			s.Trouble = func(int, *http.Request) fake.Trouble { return trouble }
			_, err := commissions(newClient(t, s))
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v, want %q", trouble, err, want)
			}
			if err != nil && (strings.Contains(err.Error(), testKey) || strings.Contains(err.Error(), "192.0.2.99")) && !trouble.Cut {
				t.Errorf("%+v tells too much: %v", trouble, err)
			}
			if n := len(s.Calls()); n != calls && !trouble.Cut && trouble.Latency == 0 {
				t.Errorf("%+v: %d calls, want %d", trouble, n, calls)
			}
		}
		f(fake.Trouble{Status: 503}, 7, "page 1: FirstPromoter answered 503, 7 times; try again later")
		f(fake.Trouble{Status: 429}, 7, "429")
		f(fake.Trouble{Latency: time.Hour}, 7, "did not answer in time")
		f(fake.Trouble{Cut: true}, 0, "cannot be reached")
		f(fake.Trouble{Status: 401}, 1, "refuses the key (401): check FIRSTPROMOTER_API_KEY")
		f(fake.Trouble{Status: 403}, 1, "refuses the key (403)")
		f(fake.Trouble{Status: 404}, 1, "base_url")
		f(fake.Trouble{Status: 302, Location: "https://elsewhere.test/"}, 1, "answered 302")
	})
}

// A long list is read no faster than FirstPromoter answers.
func TestFewerThan400AMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFake()
		s.PerMinute = -1
		var at []time.Time
		s.Trouble = func(int, *http.Request) fake.Trouble { at = append(at, time.Now()); return fake.Trouble{} }
		for range 90_000 {
			s.AddPromoter("", "", "", fake.Accepted)
		}
		got, err := promoters(newClient(t, s))
		if len(got) != 90_000 || err != nil {
			t.Fatalf("%d, %v", len(got), err)
		}
		for i := range at {
			if i+400 < len(at) && at[i+400].Sub(at[i]) < time.Minute {
				t.Fatalf("401 requests in %s", at[i+400].Sub(at[i]))
			}
		}
		if took := at[len(at)-1].Sub(at[0]); took > 3*time.Minute {
			t.Errorf("900 pages took %s", took)
		}
	})
}

// answers is a server that says one thing.
type answers string

func (a answers) ServeHTTP(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, string(a)) }

func TestAnswersThatAreNoLists(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		got, err := commissions(newClient(t, answers(body)))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, %v; want %q", body, got, err, want)
		}
	}
	f(`<!doctype html>secret`, "base_url")
	f(``, "base_url")
	f(`{}`, "there is no data in it")
	f(`{"data":"secret"}`, "base_url")
	f(`"secret"`, "base_url")
	f(`[{"id":1,"amount":12.5,"created_at":"2023-03-04T10:00:00Z"}]`, "no whole number of cents")
	f(`[{"id":1,"amount":"secret","created_at":"2023-03-04T10:00:00Z"}]`, "no whole number of cents")
	f(`[{"id":17,"amount":1,"created_at":"secret"}]`, "commission 17 says no time")
	f(`[{"id":"secret"}]`, "id is a string")
	f("["+strings.Repeat(" ", bodyLimit)+"]", "more than")
}

// What the API writes in several ways is read alike.
func TestShapesOfACommission(t *testing.T) {
	f := func(body string, want Commission) {
		t.Helper()
		got, err := commissions(newClient(t, answers("["+body+"]")))
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %v, %v", body, got, err)
			return
		}
		want.CreatedAt = got[0].CreatedAt
		if got[0] != want {
			t.Errorf("%s:\n %+v\nwant\n %+v", body, got[0], want)
		}
	}
	f(`{"id":3,"status":"approved","amount":1980,"unit":"cash","tier":1,"event_id":55,"created_at":"2023-03-04T10:00:00.123Z"}`,
		Commission{ID: 3, Status: "approved", Amount: 1980, Tier: 1, EventID: "55"})
	f(`{"id":3,"amount":"1980","sale_amount":7920.0,"event_id":null,"original_sale_currency":"eur","created_at":"2023-03-04T02:00:00-08:00"}`,
		Commission{ID: 3, Amount: 1980, SaleAmount: 7920, Currency: "EUR"})
	f(`{"id":3,"amount":null,"is_paid":true,"created_at":"2023-03-04T10:00:00Z","promoter_campaign":{"promoter_id":9,"ref_token":"anna"}}`,
		Commission{ID: 3, IsPaid: true, PromoterID: 9, Token: "anna"})
	f(`{"id":3,"amount":-5,"created_at":"2023-03-04T10:00:00Z","promoter_campaign":{"promoter_id":9,"promoter":{"id":9,"email":" Anna@Partners.test (moved)"}}}`,
		Commission{ID: 3, Amount: -5, PromoterID: 9, Email: "anna@partners.test"})
	f(`{"id":3,"amount":1,"created_at":"2023-03-04T10:00:00Z","promoter_campaign":null,"referral":{"email":"cat@shop.test"},"something_new":[1]}`,
		Commission{ID: 3, Amount: 1})
}

// The key goes to FirstPromoter alone.
func TestKeyFollowsNoRedirect(t *testing.T) {
	followed := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed++ }))
	defer elsewhere.Close()
	s := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer s.Close()
	var log bytes.Buffer
	c, err := New(Options{BaseURL: s.URL, AccountID: testAccount, Key: testKey, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	_, err = promoters(c)
	if err == nil || followed != 0 || strings.Contains(log.String()+err.Error(), testKey) {
		t.Errorf("followed %d times: %v\n%s", followed, err, &log)
	}
}

func TestClientSaysWhatIsMissing(t *testing.T) {
	f := func(o Options, want string) {
		t.Helper()
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "fp-key") {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
	f(Options{AccountID: "a"}, KeyVariable)
	f(Options{AccountID: "a", Key: "fp-key fp-key"}, KeyVariable)
	f(Options{Key: "fp-key"}, "account_id")
	f(Options{AccountID: "a", Key: "fp-key", BaseURL: "http://fp.test"}, "https")
	f(Options{AccountID: "a", Key: "fp-key", BaseURL: "https://u:fp-key@fp.test"}, "base_url")
}
