package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"carryover/mapping"
)

func TestAnswers(t *testing.T) {
	w := startFixture(t, smallMap(), nil)
	f := func(target string, at time.Time, status int, location, outcome string) {
		t.Helper()
		w.setNow(at)
		a := w.get(target)
		if a.StatusCode != status || a.Header.Get("Location") != location {
			t.Errorf("%s: %d %q, want %d %q", target, a.StatusCode, a.Header.Get("Location"), status, location)
		}
		if a.Header.Get("Cache-Control") != "private, no-store" || a.Header.Get("X-Robots-Tag") != "noindex" ||
			a.Header.Get("Server") != "" || a.Header.Get("Referrer-Policy") != "" {
			t.Errorf("%s: %v", target, a.Header)
		}
		if status == 302 && a.body != "" {
			t.Errorf("%s: body %q", target, a.body)
		}
		if c := w.lastClick(); c.Outcome != outcome || c.Host != host || !c.At.Equal(at) {
			t.Errorf("%s was recorded as %+v, want %s", target, c, outcome)
		}
	}
	const (
		demo    = "https://carrot.test/demo?x=1"
		landing = "https://carrot.test/"
		login   = "https://carrot.test/login"
		rejoin  = "https://carrot.test/rejoin"
	)
	f("/go/demo/ANNA", beforeCutoff, 302, demo+"&fpr=anna&fp_sid=demo#top", "forward")
	f("/go/demo/ANNA?utm=a%2Fb&fpr=mallory", beforeCutoff, 302, demo+"&utm=a%2Fb&fpr=anna&fp_sid=demo#top", "forward")
	f("/go/demo/ANNA?utm=1#x", beforeCutoff, 302, demo+"&utm=1&fpr=anna&fp_sid=demo#top", "forward")
	f("/go/demo/OLD", beforeCutoff, 302, demo+"#top", "forward_uncredited")
	f("/go/demo/NOBODY", beforeCutoff, 302, demo+"#top", "forward_uncredited")
	f("/go/nolink/ANNA", beforeCutoff, 302, landing+"?fpr=anna", "forward")
	f("/go/nolink/NOBODY", beforeCutoff, 404, "", "not_found")
	f("/k/demo?affiliate=11", beforeCutoff, 302, demo+"&fpr=anna&fp_sid=demo#top", "forward")
	f("/login", beforeCutoff, 302, login, "login")
	f("/join", beforeCutoff, 302, "https://carrot.test/join", "join")
	f("/rejoin", beforeCutoff, 302, rejoin, "rejoin")
	f("/password-reset", beforeCutoff, 302, "https://carrot.test/reset", "password_reset")
	f("/guide", beforeCutoff, 302, "https://carrot.test/guide", "guide")
	f("/.well-known/security.txt", beforeCutoff, 404, "", "not_found")
	f("/go/demo/ANNA", cutoff.Add(-time.Millisecond), 302, demo+"&fpr=anna&fp_sid=demo#top", "forward")
	f("/go/demo/ANNA", cutoff, 302, login, "login")
	f("/go/demo/OLD", afterCutoff, 302, rejoin, "rejoin")
	f("/go/demo/NOBODY", afterCutoff, 302, rejoin, "rejoin")
	f("/go/demo", afterCutoff, 302, landing, "landing")
	f("/r/anna/trial", afterCutoff, 302, "https://carrot.test/trial?fpr=anna&fp_sid=trial", "forward")
	f("/go/nolink/NOBODY", afterCutoff, 404, "", "not_found")
}

func TestPages(t *testing.T) {
	m := smallMap()
	m.Policy.AfterCutoff = mapping.AfterPage
	w := startFixture(t, m, nil)
	page := func(a response, status int, wanted ...string) {
		t.Helper()
		if a.StatusCode != status || a.Header.Get("Location") != "" || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") ||
			!strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src 'none'") ||
			a.Header.Get("Cache-Control") != "private, no-store" {
			t.Errorf("%d %v", a.StatusCode, a.Header)
		}
		for _, s := range wanted {
			if !strings.Contains(a.body, s) {
				t.Errorf("no %q in %s", s, a.body)
			}
		}
	}
	page(w.get("/nothing/here"), 404, "does not lead anywhere", `href="https://carrot.test/"`)
	w.setNow(afterCutoff)
	page(w.get("/go/demo/ANNA"), 404, "has expired", "March 31, 2023",
		`href="https://carrot.test/login"`, `href="https://carrot.test/rejoin"`)
	if c := w.lastClick(); !c.Expired || c.Outcome != "login" || c.Token != "anna" {
		t.Errorf("%+v", c)
	}
}

func TestHosts(t *testing.T) {
	w := startFixture(t, smallMap(), nil)
	f := func(name string, status int) {
		t.Helper()
		if a := w.send("GET", name, "/go/demo/ANNA"); a.StatusCode != status {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
	}
	f("GO.Carrot.TEST:8080", 302)
	f("www.old.test", 302)
	for _, bare := range []string{"127.0.0.1", "127.0.0.1:8080", "localhost", "LocalHost:1", "[::1]", "[::1]:8080", "203.0.113.9:80"} {
		f(bare, 302)
		if c := w.lastClick(); c.Host != bare {
			t.Errorf("recorded host %q", c.Host)
		}
	}
	resolved := mapping.Request{Host: "evil.example", Path: "/go/demo/ANNA"}
	f("evil.example", w.maps.live.Load().table.Resolve(resolved, beforeCutoff).Status())
	for name, request := range map[string]string{
		"no Host":           "GET /go/demo/ANNA HTTP/1.1\r\n\r\n",
		"two Hosts":         "GET /go/demo/ANNA HTTP/1.1\r\nHost: go.carrot.test\r\nHost: evil.example\r\n\r\n",
		"absolute form":     "GET http://go.carrot.test/go/demo/ANNA HTTP/1.1\r\nHost: go.carrot.test\r\n\r\n",
		"absolute, other":   "GET https://evil.example/go/demo/ANNA HTTP/1.1\r\nHost: go.carrot.test\r\n\r\n",
		"asterisk":          "OPTIONS * HTTP/1.1\r\nHost: go.carrot.test\r\n\r\n",
		"authority":         "CONNECT go.carrot.test:443 HTTP/1.1\r\nHost: go.carrot.test\r\n\r\n",
		"no path":           "GET go/demo HTTP/1.1\r\nHost: go.carrot.test\r\n\r\n",
		"a control byte":    "GET /go/demo/AN\x01NA HTTP/1.1\r\nHost: go.carrot.test\r\n\r\n",
		"a blank":           "GET /go/demo /ANNA HTTP/1.1\r\nHost: go.carrot.test\r\n\r\n",
		"no request at all": "hello\r\n\r\n",
	} {
		if a := sendRaw(t, w.Addr(), request); a.StatusCode != 400 || a.Header.Get("Location") != "" || strings.Contains(a.body, "demo") {
			t.Errorf("%s: %d %v %q", name, a.StatusCode, a.Header, a.body)
		}
	}
	forwarded := w.get("/go/demo/ANNA", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https", "Forwarded: host=evil.example")
	if forwarded.StatusCode != 302 ||
		!strings.HasPrefix(forwarded.Header.Get("Location"), "https://carrot.test/") || w.lastClick().Host != host {
		t.Errorf("%v", forwarded.Header)
	}
}

func TestHostileBytes(t *testing.T) {
	w := startFixture(t, smallMap(), nil)
	for _, target := range []string{
		"//evil.example/go/demo/ANNA", "/\\evil.example", "/go/demo/ANNA/%0d%0aSet-Cookie:x=1", "/go/%00/ANNA",
		"/go/demo/ANNA?x=%0d%0aLocation:%20https://evil.example",
		"/go/demo/ANNA?fpr=mallory&to=https://evil.example", "/go/../../etc/passwd", "/go/demo/\xff\xfe\xe9",
		"/go/demo/%zz", "/r/%2e%2e/demo", "/?aff=ANNA\xff",
		"/go/demo/ANNA?" + strings.Repeat("a=1&", 3000), "/go/" + strings.Repeat("é", 2000),
	} {
		a := w.get(target)
		if a.StatusCode != 302 && a.StatusCode != 404 {
			t.Errorf("%.60q: %d", target, a.StatusCode)
		}
		if l := a.Header.Get("Location"); l != "" && !strings.HasPrefix(l, "https://carrot.test/") {
			t.Errorf("%.60q leads to %q", target, l)
		}
		if len(a.Header.Values("Set-Cookie")) > 1 || strings.Contains(a.Header.Get("Set-Cookie"), "x=1") {
			t.Errorf("%.60q: %v", target, a.Header)
		}
		if c := w.lastClick(); len(c.Path) > maxPath+2 || strings.ContainsAny(c.Path, "\x00\r\n?") ||
			strings.ToValidUTF8(c.Path, "?") != c.Path {
			t.Errorf("%.60q was recorded as %q", target, c.Path)
		}
	}
	if a := w.get("/go/demo/ANNA?x=" + strings.Repeat("x", 15<<10)); a.StatusCode != 302 {
		t.Errorf("15 KB: %d", a.StatusCode)
	}
	if a := w.get("/go/demo/ANNA?x=" + strings.Repeat("x", 16<<10)); a.StatusCode != 431 {
		t.Errorf("more than 16 KB: %d", a.StatusCode)
	}
}

func TestMethods(t *testing.T) {
	w := startFixture(t, smallMap(), nil)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
		if a := w.send(method, host, "/go/demo/ANNA"); a.StatusCode != 405 || a.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d %v", method, a.StatusCode, a.Header)
		}
	}
	get, head := w.get("/go/demo/ANNA"), w.send("HEAD", host, "/go/demo/ANNA")
	for _, a := range []response{get, head} {
		a.Header.Del("Date")
		a.Header.Del("Set-Cookie")
		a.Header.Del("Content-Length") // HEAD may leave out that of nothing
	}
	if head.StatusCode != get.StatusCode || head.body != "" || fmt.Sprint(head.Header) != fmt.Sprint(get.Header) {
		t.Errorf("GET %v\nHEAD %v", get.Header, head.Header)
	}
	a := w.send("HEAD", host, "/nothing", "Cookie: carryover_click=x")
	if a.StatusCode != 404 || a.body != "" || a.Header.Get("Set-Cookie") != "" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	if n := len(w.clicks()); n != 1 {
		t.Errorf("%d clicks, of one GET", n)
	}
}

func TestOwnPaths(t *testing.T) {
	w := startFixture(t, smallMap(), nil)
	f := func(target string, status int, body string) {
		t.Helper()
		if a := w.get(target); a.StatusCode != status || !strings.Contains(a.body, body) || a.Header.Get("Location") != "" {
			t.Errorf("%s: %d %q", target, a.StatusCode, a.body)
		}
	}
	f("/livez", 200, "ok")
	f("/readyz", 200, `"ready":true`)
	f("/robots.txt", 200, "Allow: /")
	f("/favicon.ico", 404, "")
	f("/api/", 404, "Path not found")
	f("/api/livez", 404, "Path not found")
	if n := len(w.clicks()); n != 0 {
		t.Errorf("%d of them were recorded", n)
	}
	for _, path := range []string{"/livez", "/readyz", "/robots.txt", "/favicon.ico"} {
		if a := w.send("DELETE", host, path); a.StatusCode != 405 || a.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("DELETE %s: %d %v", path, a.StatusCode, a.Header)
		}
	}
	f("/livez/", 404, "")
	f("/metrics", 404, "")
	f("/debug/pprof/", 404, "")
	f("//livez", 404, "does not lead anywhere")
	f("//x/livez?u=http://y", 404, "does not lead anywhere")
	f("/api", 404, "does not lead anywhere")
	if n := len(w.clicks()); n != 6 {
		t.Errorf("%d were recorded", n)
	}
}

// Nothing that a request can say makes a permanent redirect or leaves the allowed hosts.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{"/go/demo/ANNA", "/k/demo?affiliate=11", "/?aff=ANNA&x=1",
		"//evil/", "/r/anna/demo", "/login", "/\\evil", "/go/demo/ANNA/?#"} {
		f.Add(s, host, uint8(0))
	}
	set := smallMap()
	l, err := newLiveMap(set, epochOne, fromStore, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, target, hostName string, when uint8) {
		path, query, ok := splitTarget(target)
		if !ok {
			return
		}
		if strings.ContainsAny(path, "?#") || strings.Contains(query, "#") {
			t.Errorf("%q was cut to %q and %q", target, path, query)
		}
		d := l.resolve(hostName, path, query, cutoff.Add(time.Duration(int8(when))*time.Hour))
		if s := d.Status(); s != http.StatusFound && s != http.StatusNotFound {
			t.Errorf("%q: %d", target, s)
		}
		if d.Location != "" && !strings.HasPrefix(d.Location, "https://carrot.test/") {
			t.Errorf("%q leads to %q", target, d.Location)
		}
		printable(path, maxPath)
		paramNames(query, affiliateParams)
		originOf(target)
	})
}
