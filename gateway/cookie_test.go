package gateway

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/valyala/fasthttp"

	"carryover/gateway/click"
	"carryover/mapping"
)

// setCookies lists what an answer does to our cookie: "token" for a mark of that promoter,
// "-" where one is cleared; "@domain" behind those that are of a domain.
func (w *fixture) setCookies(a response) (out []string) {
	w.t.Helper()
	for _, c := range a.Cookies() {
		what := "-"
		if c.MaxAge > 0 {
			mark, ok := w.links.cookie.keys.Verify(c.Value)
			if !ok {
				w.t.Errorf("no mark of ours: %v", c)
			}
			what = mark.Token
		} else if c.Value != "" || c.MaxAge == 0 {
			w.t.Errorf("neither set nor cleared: %v", c)
		}
		if c.Name != click.CookieName || c.Path != "/" || !c.Secure || !c.HttpOnly {
			w.t.Errorf("%v", c)
		}
		if c.Domain != "" {
			what += "@" + c.Domain
		}
		out = append(out, what)
	}
	return out
}

// After cookie_domain is set, a browser sends the host's own cookie and the domain's, the older
// one first. The newest counts, whatever the order, and the next request brings one.
func TestTwoCookies(t *testing.T) {
	w := newFixture(t, trackingMap(), func(o *Options) { o.Tracking, o.CookieDomain = trackingOptions(), "carrot.test" })
	applyPromoters(t, w.book, 2, 0)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	valueOf := func(a response) string {
		t.Helper()
		cookies := a.Cookies()
		if len(cookies) == 0 {
			t.Fatal("no cookie")
		}
		return cookies[len(cookies)-1].Value
	}
	older := valueOf(w.get("/go/demo/ANNA"))
	w.setNow(beforeCutoff.Add(time.Second))
	newer := valueOf(w.get("/go/demo/BEN", "Cookie: "+click.CookieName+"="+older))
	sameSecond := valueOf(w.get("/go/demo/ANNA", "Cookie: "+click.CookieName+"="+newer))
	f := func(about, host, target, want string, values ...string) response {
		t.Helper()
		header := "Cookie: theirs=1"
		for _, v := range values {
			header += "; " + click.CookieName + "=" + v
		}
		a := w.send("GET", host, target, header)
		if got := strings.Join(w.setCookies(a), " "); got != want {
			t.Errorf("%s: %s, want %s", about, got, want)
		}
		return a
	}
	const cleared = "- -@go.carrot.test "
	a := f("the older first", host, "/login", cleared+"p1@carrot.test", older, newer)
	if got := valueOf(a); got != newer {
		t.Errorf("renewed as %q, not as %q", got, newer)
	}
	f("the newer first", host, "/login", cleared+"p1@carrot.test", newer, older)
	f("three", host, "/login", cleared+"p1@carrot.test", older, newer, older)
	f("of one second", host, "/login", cleared+"p0@carrot.test", sameSecond, newer)
	f("of one second, the other order", host, "/login", cleared+"p0@carrot.test", newer, sameSecond)
	f("one that is not ours before", host, "/login", cleared+"p0@carrot.test", "1.abc.def.ghi", older)
	f("one that is not ours after", host, "/login", cleared+"p0@carrot.test", older, "x")
	f("an empty one before", host, "/login", cleared+"p0@carrot.test", "", older)
	f("an empty one alone", host, "/login", "", "")
	f("none that is ours", host, "/login", "", "x", "y")
	f("and a click", host, "/go/demo/ANNA", cleared+"p0@carrot.test", newer, older)
	f("none that is ours, and a click", host, "/go/demo/ANNA", cleared+"p0@carrot.test", "x", "y")
	f("a port and other case", "GO.Carrot.Test:8080", "/login", cleared+"p1@carrot.test", older, newer)
	f("one", host, "/login", "p0@carrot.test", older)
	f("a host outside the domain", "www.old.test", "/go/demo/ANNA", "p0")
	f("two, outside the domain", "www.old.test", "/login", "-@www.old.test -@old.test p1", older, newer)
	f("an address", "127.0.0.1:8080", "/login", "p1", older, newer)
	for _, line := range []string{"Sec-Fetch-Dest: iframe", "Sec-Purpose: prefetch"} {
		if a := w.get("/login", line, "Cookie: "+click.CookieName+"="+older+"; "+click.CookieName+"="+newer); len(a.Cookies()) > 0 {
			t.Errorf("%s: %v", line, a.Cookies())
		}
	}
	sale := w.post("v2/track/sale", `{"email":"cara@mail.test","event_id":"one","amount":10000,"tid":"`+newer+`"}`)
	if sale.StatusCode != 200 || !strings.Contains(sale.body, `"promoter_id":2}`) {
		t.Errorf("the sale is not the newer promoter's: %d %s", sale.StatusCode, sale.body)
	}
}

// Reading the cookies costs a request no allocation, however many came.
func TestReadingCookiesDoesNotAllocate(t *testing.T) {
	key := []byte("one-one-one-one-one")
	keys, err := click.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	cookie := newClickCookie(keys, "carrot.test")
	var header fasthttp.RequestHeader
	header.Set("Cookie", "a=1; b=2; c=3")
	header.Cookie("a") // cut apart once a request
	if n := testing.AllocsPerRun(100, func() { cookie.newest(&header) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// A browser's own jar ends with one cookie, whatever cookie_domain was before.
func TestTwoCookiesInAJar(t *testing.T) {
	f := func(before, now string) {
		t.Helper()
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		site := &url.URL{Scheme: "https", Host: host, Path: "/"}
		visit := func(w *fixture, target string) {
			t.Helper()
			var pairs []string
			for _, c := range jar.Cookies(site) {
				pairs = append(pairs, c.String())
			}
			a := w.get(target, "Cookie: "+strings.Join(append(pairs, "x=1"), "; "))
			jar.SetCookies(site, a.Cookies())
		}
		dir := t.TempDir()
		w := startFixture(t, smallMap(), func(o *Options) { o.CookieDomain, o.DataDir = before, dir })
		visit(w, "/go/demo/ANNA")
		stop(t, w.App)
		w = startFixture(t, smallMap(), func(o *Options) { o.CookieDomain, o.DataDir = now, dir })
		w.setNow(beforeCutoff.Add(time.Minute))
		visit(w, "/go/demo/BEN")
		visit(w, "/login")
		cookies := jar.Cookies(site)
		if len(cookies) != 1 {
			t.Fatalf("%q, then %q: %d cookies", before, now, len(cookies))
		}
		if mark, ok := w.links.cookie.keys.Verify(cookies[0].Value); !ok || mark.Token != "ben" || mark.First.Token != "anna" {
			t.Errorf("%q, then %q: %+v", before, now, mark)
		}
	}
	f("", "carrot.test")
	f("", host)
	f("carrot.test", "")
	f("carrot.test", host)
	f(host, "carrot.test")
	f(".Carrot.TEST", "")
}

// Chromium sends both cookies, the host's older one first, and the site behind the links tells a
// sale with the one that it receives: the newer promoter's.
func TestTwoCookiesInABrowser(t *testing.T) {
	received := make(chan []string, 10)
	site := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/demo" {
			var values []string
			for _, c := range r.CookiesNamed(click.CookieName) {
				values = append(values, c.Value)
			}
			received <- values
		}
	}))
	defer site.Close()
	_, port, _ := strings.Cut(site.Listener.Addr().String(), ":")
	m := trackingMap() // names below localhost lead to this machine, and may set secure cookies without TLS
	m.Policy.LegacyHosts = []string{"go.carrot.localhost"}
	m.Policy.AllowedHosts = []string{"carrot.test", "carrot.localhost:" + port}
	m.Links = []mapping.Link{{Code: "demo", Destination: "http://carrot.localhost:" + port + "/demo"}}

	b := &browserTab{T: t}
	b.ctx = chromium(t, func(any) {})
	dir := t.TempDir()
	follow := func(w *fixture, path string) []string {
		t.Helper()
		b.do(chromedp.Navigate(fmt.Sprintf("http://go.carrot.localhost:%s%s", w.Addr()[strings.LastIndex(w.Addr(), ":")+1:], path)))
		return <-received
	}
	w := startFixture(t, m, func(o *Options) { o.DataDir = dir })
	if got := follow(w, "/go/demo/ANNA"); len(got) != 0 {
		t.Errorf("the site has the cookie of the gateway's host: %q", got)
	}
	stop(t, w.App)

	w = newFixture(t, m, func(o *Options) { o.DataDir, o.CookieDomain, o.Tracking = dir, "carrot.localhost", trackingOptions() })
	applyPromoters(t, w.book, 2, 0)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	w.setNow(beforeCutoff.Add(time.Minute))
	first := follow(w, "/go/demo/BEN")
	w.setNow(beforeCutoff.Add(2 * time.Minute))
	second := follow(w, "/go/demo/nobody") // renews what it finds: both came
	if len(first) != 1 || !slices.Equal(first, second) {
		t.Fatalf("the site received %q, then %q", first, second)
	}
	sale := w.post("v2/track/sale", `{"email":"cara@mail.test","event_id":"one","amount":10000,"tid":"`+second[0]+`"}`)
	if sale.StatusCode != 200 || !strings.Contains(sale.body, `"promoter_id":2}`) {
		t.Errorf("the sale is not the newer promoter's: %d %s", sale.StatusCode, sale.body)
	}
}
