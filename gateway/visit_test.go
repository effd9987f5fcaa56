package gateway

import (
	"strings"
	"testing"
	"time"

	"carryover/gateway/click"
	"carryover/mapping/book"
)

var epochOne = epochOf(1)

// cookieOf is the value of our cookie in a, empty when it sets none.
func cookieOf(t *testing.T, a response) string {
	t.Helper()
	value := ""
	for _, c := range a.Cookies() {
		if c.Name != click.CookieName {
			t.Errorf("a strange cookie: %v", c)
			continue
		}
		value = c.Value
		if !c.HttpOnly || !c.Secure || c.SameSite != 2 || c.MaxAge != 400*24*3600 || c.Path != "/" || c.Domain != "carrot.test" {
			t.Errorf("%v", c)
		}
	}
	if line := a.Header.Get("Set-Cookie"); len(line) >= 300 {
		t.Errorf("%d bytes", len(line))
	}
	return value
}

func TestCookie(t *testing.T) {
	w := startFixture(t, smallMap(), func(o *Options) { o.CookieDomain = "carrot.test" })
	first := w.get("/go/demo/ANNA")
	value := cookieOf(t, first)
	mark, ok := w.links.cookie.keys.Verify(value)
	c := w.lastClick()
	if !ok || mark.Token != "anna" || mark.Click != (book.ClickID{Node: c.Node, Seq: c.Seq}) || !mark.At.Equal(beforeCutoff) {
		t.Fatalf("%+v %v, click %+v", mark, ok, c)
	}
	ours := "Cookie: other=1; " + click.CookieName + "=" + value
	f := func(name, target, want string, headers ...string) {
		t.Helper()
		if got := cookieOf(t, w.get(target, headers...)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	f("uncredited, no cookie yet", "/go/demo/OLD", "")
	f("no link, no cookie yet", "/nothing", "")
	f("uncredited: the former credit is renewed", "/go/demo/OLD", value, ours)
	f("no link: renewed", "/nothing", value, ours)
	f("portal: renewed", "/login", value, ours)
	f("forged", "/nothing", "", "Cookie: "+click.CookieName+"=1.abc.def.ghi")
	f("a frame", "/go/demo/ANNA", "", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe")
	f("an image", "/go/demo/ANNA", "", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image")
	f("a frame renews nothing", "/nothing", "", "Sec-Fetch-Dest: iframe", ours)
	f("a prefetch", "/go/demo/ANNA", "", "Sec-Purpose: prefetch", ours)
	if a := w.send("HEAD", host, "/go/demo/ANNA", ours); a.Header.Get("Set-Cookie") != "" {
		t.Error("HEAD sets a cookie")
	}
	w.setNow(beforeCutoff.Add(time.Minute))
	last := cookieOf(t, w.get("/go/demo/BEN", ours, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"))
	if mark, ok := w.links.cookie.keys.Verify(last); !ok || mark.Token != "ben" {
		t.Errorf("the last click does not win: %+v", mark)
	}
	w.setNow(afterCutoff)
	f("after the cutoff", "/go/demo/ANNA", "")
}

func TestPrefetch(t *testing.T) {
	w := startFixture(t, smallMap(), nil)
	for _, line := range []string{"Sec-Purpose: prefetch;prerender", "Purpose: prefetch", "X-Purpose: preview", "X-Moz: prefetch"} {
		a := w.get("/go/demo/ANNA", line)
		if a.StatusCode != 503 || a.Header.Get("Cache-Control") != "private, no-store" ||
			a.Header.Get("Set-Cookie") != "" || a.Header.Get("Location") != "" {
			t.Errorf("%s: %d %v", line, a.StatusCode, a.Header)
		}
		if c := w.lastClick(); c.Verdict != click.Prefetch || c.Link != "demo" {
			t.Errorf("%s: %+v", line, c)
		}
	}
	w = startFixture(t, smallMap(), func(o *Options) { o.ServePrefetch = true })
	if a := w.get("/go/demo/ANNA", "Sec-Purpose: prefetch"); a.StatusCode != 302 || a.Header.Get("Set-Cookie") != "" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	if c := w.lastClick(); c.Verdict != click.Prefetch {
		t.Errorf("%+v", c)
	}
}

func TestWhatIsKeptOfAClick(t *testing.T) {
	w := startFixture(t, smallMap(), func(o *Options) { o.TrustedProxies = []string{"127.0.0.1"} })
	w.get("/go/demo/ANNA/ad.1?password=secret&aff=BEN&fpr=x", "Referer: https://blog.example/post?secret=1",
		"X-Forwarded-For: 6.6.6.6, 203.0.113.9",
		"Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1")
	c := w.lastClick()
	if c.Node != "web1" || c.Path != "/go/demo/ANNA/ad.1" || c.Params != "aff,fpr" ||
		c.Token != "anna" || c.Link != "demo" || c.Ad != "ad.1" ||
		c.Referrer != "https://blog.example" || c.UserAgent != browser || c.Epoch != 1 || c.Verdict != click.Human || c.Rules != click.Rules ||
		!click.Signal(c.Signals).Has(click.PublicAddr|click.UserActed) {
		t.Errorf("%+v", c)
	}
	if len(c.Visitor) != 16 || strings.Trim(c.Visitor, "0123456789abcdef") != "" {
		t.Errorf("visitor %q", c.Visitor)
	}
	w.get("/go/demo/ANNA", "X-Forwarded-For: 203.0.113.9")
	if again := w.lastClick(); again.Visitor != c.Visitor {
		t.Error("one address, two visitors")
	}
	w.get("/go/demo/ANNA", "X-Forwarded-For: 203.0.113.9, 203.0.113.10")
	if other := w.lastClick(); other.Visitor == c.Visitor {
		t.Error("two addresses, one visitor")
	}
	w.get("/go/demo/ANNA", "User-Agent: "+strings.Repeat("x", 2000))
	if c := w.lastClick(); len(c.UserAgent) > maxUserAgent {
		t.Error(len(c.UserAgent))
	}
}

func TestForwardedForOfStrangersMeansNothing(t *testing.T) {
	w := startFixture(t, smallMap(), nil)
	w.get("/go/demo/ANNA")
	own := w.lastClick().Visitor
	w.get("/go/demo/ANNA", "X-Forwarded-For: 203.0.113.9", "X-Real-Ip: 203.0.113.9", "Forwarded: for=203.0.113.9")
	if c := w.lastClick(); c.Visitor != own || click.Signal(c.Signals).Has(click.PublicAddr) {
		t.Errorf("%+v", c)
	}
}

func TestMailScannersAreSeenInBursts(t *testing.T) {
	w := startFixture(t, smallMap(), func(o *Options) { o.TrustedProxies = []string{"127.0.0.0/8"} })
	for _, target := range []string{"/go/demo/ANNA", "/go/trial/ANNA", "/guide"} {
		w.get(target, "X-Forwarded-For: 203.0.113.9")
	}
	for _, c := range w.clicks() {
		if c.Verdict != click.Scanner {
			t.Errorf("%+v", c)
		}
	}
}
