package gateway

import (
	"context"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// ownForm is a policy whose join pages are the gateway's own.
func ownForm() mapping.Policy {
	p := smallMap().Policy
	p.BuiltinJoin = true
	p.Pages.Join, p.Pages.Rejoin = "https://"+host+"/join", "https://"+host+"/rejoin"
	return p
}

// joinFixture is a fixture with a form, and promoters of every kind in its book.
type joinFixture struct {
	*fixture
	published atomic.Int64
	fault     atomic.Pointer[error] // of the next publications
}

func newJoinFixture(t *testing.T, auto bool) *joinFixture {
	t.Helper()
	h := &joinFixture{}
	h.fixture = newFixture(t, nil, func(o *Options) {
		o.TrustedProxies = []string{"127.0.0.1"}
		reserved := terms.NewReservedNames([]string{"carrot", "google"}, []string{"go"}, []string{"carrot.test"})
		o.Join = Join{Auto: auto, Reserved: reserved, TermsURL: "https://carrot.test/terms?a=1&b=2", Publish: func(ctx context.Context) (bool, error) {
			if err := h.fault.Load(); err != nil {
				return false, *err
			}
			h.published.Add(1)
			return true, h.publishBook(ctx)
		}}
	})
	var c book.Changes
	for _, p := range []book.Promoter{
		{ID: 11, Token: "anna", Email: "anna@post.test", Status: book.StatusActive},
		{ID: 12, Token: "old", Email: "old@post.test", Status: book.StatusInactive},
		{ID: 13, Token: "bad", Email: "bad@post.test", Status: book.StatusActive},
	} {
		p.KeapID = p.ID
		c.Promoters = append(c.Promoters, p)
		c.Aliases = append(c.Aliases, book.Alias{Kind: book.AliasCode, Value: strings.ToUpper(p.Token), PromoterID: p.ID})
		c.Aliases = append(c.Aliases, book.Alias{
			Kind: book.AliasKeapID, Value: fmt.Sprint(p.ID), PromoterID: p.ID, Code: strings.ToUpper(p.Token), Email: p.Email})
	}
	ctx := context.Background()
	done := book.Import{PlanID: "p", AppliedAt: time.Unix(1, 0), Inputs: []byte("{}"), Tables: []byte("{}")}
	if _, err := h.book.Apply(ctx, done, 0, &c, nil, func(int) {}); err != nil {
		t.Fatal(err)
	}
	blocked := book.Setting{PromoterID: 13, Field: book.SettingStatus, Value: "blocked", RecordedBy: "ops"}
	if err := h.book.RecordSettings(ctx, []book.Setting{blocked}); err != nil {
		t.Fatal(err)
	}
	if err := h.publishBook(ctx); err != nil {
		t.Fatal(err)
	}
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	h.join.answerAfter = 0
	return h
}

func (h *joinFixture) publishBook(ctx context.Context) error {
	c, err := h.book.Content(ctx)
	if err != nil {
		return err
	}
	m, err := c.Project(ownForm(), nil, book.Grace{})
	if err != nil {
		return err
	}
	m.Links = smallMap().Links
	_, _, err = h.store.Publish(ctx, m, "plan", nil)
	return err
}

// advance lets time go by.
func (h *joinFixture) advance(d time.Duration) { h.setNow(h.now.Load().Add(d)) }

var formTokenField = regexp.MustCompile(`name="form" value="([^"]+)"`)

// openForm asks for a form and gives what belongs into it, filled in by nobody in particular.
func (h *joinFixture) openForm(path string) url.Values {
	h.t.Helper()
	a := h.get(path)
	m := formTokenField.FindStringSubmatch(a.body)
	if a.StatusCode != http.StatusOK || m == nil {
		h.t.Fatalf("%s: %d\n%s", path, a.StatusCode, a.body)
	}
	return url.Values{"name": {"Zoe Lane"}, "email": {"zoe@post.test"}, "site": {""}, "terms": {"agreed"}, "topic": {""}, "form": {m[1]}}
}

// sendForm posts a form as a browser does.
func (h *joinFixture) sendForm(path string, form url.Values, headers ...string) response {
	h.t.Helper()
	body := form.Encode()
	lines := append([]string{"POST " + path + " HTTP/1.1",
		"Host: " + host, "User-Agent: " + browser, "Origin: https://" + host, "Sec-Fetch-Site: same-origin",
		"Content-Type: application/x-www-form-urlencoded", "Content-Length: " + strconv.Itoa(len(body)), "Connection: close"}, headers...)
	return sendRaw(h.t, h.Addr(), strings.Join(lines, "\r\n")+"\r\n\r\n"+body)
}

// submitForm opens, fills in and sends a form, and follows to the page after it.
func (h *joinFixture) submitForm(path string, fill map[string]string) response {
	h.t.Helper()
	form := h.openForm(path)
	for name, value := range fill {
		form.Set(name, value)
	}
	h.advance(5 * time.Second)
	return h.followThanks(h.sendForm(path, form))
}

// followThanks follows from a form to its page.
func (h *joinFixture) followThanks(a response) response {
	h.t.Helper()
	to := a.Header.Get("Location")
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/") {
		h.t.Fatalf("the form is answered with %d %q\n%s", a.StatusCode, to, a.body)
	}
	return h.get(to)
}

func (h *joinFixture) applications() []book.Application {
	h.t.Helper()
	list, err := h.book.Applications(context.Background(), true)
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

// title is a page's heading.
func title(a response) string {
	_, rest, _ := strings.Cut(a.body, "<h1>")
	text, _, _ := strings.Cut(rest, "</h1>")
	return html.UnescapeString(text)
}

func TestFormOfTheGateway(t *testing.T) {
	h := newJoinFixture(t, false)
	for path, want := range map[string]string{
		"/join":   "Join the affiliate program",
		"/rejoin": "Rejoin the affiliate program", "/Join/": "Join the affiliate program"} {
		a := h.get(path)
		if a.StatusCode != http.StatusOK || title(a) != want {
			t.Errorf("%s: %d %q", path, a.StatusCode, title(a))
		}
		csp := a.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "form-action 'self'") || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s: its policy is %s", path, csp)
		}
		if a.Header.Get("Cache-Control") != "private, no-store" {
			t.Errorf("%s: Cache-Control %q", path, a.Header.Get("Cache-Control"))
		}
		if !strings.Contains(a.body, `href="https://carrot.test/terms?a=1&amp;b=2"`) {
			t.Errorf("%s does not lead to the terms", path)
		}
		if head := h.send("HEAD", host, path); head.StatusCode != http.StatusOK || head.body != "" {
			t.Errorf("HEAD %s: %d %q", path, head.StatusCode, head.body)
		}
	}
	if a := h.send("GET", "elsewhere.test", "/join"); a.StatusCode != http.StatusNotFound {
		t.Errorf("on a host that is not ours: %d", a.StatusCode)
	}
	if a := h.send("GET", "www.old.test", "/rejoin"); a.StatusCode != http.StatusOK {
		t.Errorf("on another legacy host: %d", a.StatusCode)
	}
	if a := h.send("GET", "127.0.0.1:8080", "/rejoin"); a.StatusCode != http.StatusOK {
		t.Errorf("on the bare address: %d", a.StatusCode)
	}
	// After the cutoff old links lead to it.
	h.setNow(afterCutoff)
	if a := h.get("/go/demo/OLD"); a.Header.Get("Location") != "https://"+host+"/rejoin" {
		t.Errorf("the link of an inactive partner leads to %q", a.Header.Get("Location"))
	}
}

func TestFormIsWhereTheMapSaysSo(t *testing.T) {
	w := startFixture(t, smallMap(), func(o *Options) { o.Join.Auto = true })
	if a := w.get("/join"); a.Header.Get("Location") != "https://carrot.test/join" {
		t.Errorf("/join: %d %q", a.StatusCode, a.Header.Get("Location"))
	}
	if a := w.send("POST", host, "/join", "Content-Length: 0"); a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /join: %d", a.StatusCode)
	}
	m := smallMap()
	m.Policy = ownForm()
	without := startFixture(t, m, func(o *Options) { o.Book = nil })
	for _, a := range []response{without.get("/join"), without.send("POST", host, "/join", "Content-Length: 0")} {
		if a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(title(a), "closed") {
			t.Errorf("without a book: %d %q", a.StatusCode, title(a))
		}
	}
}

func TestApplicationWaitsForAPerson(t *testing.T) {
	h := newJoinFixture(t, false)
	a := h.submitForm("/join", map[string]string{
		"name": "  Zoe\tLa\u3164ne\u202e\ufe0f ", "email": " ZO\u200cE@post.test ", "site": "zoe.test/blog"})
	if a.StatusCode != http.StatusOK || title(a) != "Thank you" {
		t.Fatalf("%d %q", a.StatusCode, title(a))
	}
	list := h.applications()
	if len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	got := list[0]
	if got.Visitor == "" || strings.Contains(got.Visitor, "127.0.0.1") {
		t.Errorf("the visitor is kept as %q", got.Visitor)
	}
	got.Visitor = ""
	want := book.Application{ID: 1, Kind: book.ApplyJoin, Reason: book.HoldManual,
		Name: "Zoe Lane", Email: "zoe@post.test", Site: "https://zoe.test/blog",
		Terms:     "the terms of the affiliate program at https://carrot.test/terms?a=1&b=2",
		AppliedAt: h.now.Load().Unix(), State: book.ApplicationWaiting}
	if got != want {
		t.Errorf("kept: %+v\nwant: %+v", got, want)
	}
	// Nobody learns who takes part.
	same := strings.ReplaceAll(a.body, "\n", "")
	for _, email := range []string{"anna@post.test", "old@post.test", "bad@post.test", "zoe@post.test", "other@post.test"} {
		for _, path := range []string{"/join", "/rejoin"} {
			if b := h.submitForm(path, map[string]string{"email": email}); strings.ReplaceAll(b.body, "\n", "") != same {
				t.Errorf("%s, %s: %q", path, email, title(b))
			}
		}
	}
	var kinds []string
	for _, a := range h.applications() {
		kinds = append(kinds, a.Kind+" "+a.Email)
	}
	if got := strings.Join(kinds, ", "); got !=
		"join zoe@post.test, rejoin anna@post.test, rejoin old@post.test, rejoin bad@post.test, join other@post.test" {
		t.Errorf("kept: %s", got)
	}
	if logs := h.logs.String(); strings.Contains(logs, "post.test") || strings.Contains(logs, "Zoe") {
		t.Error("the log tells who applied")
	}
}

func TestReloadSendsNothing(t *testing.T) {
	h := newJoinFixture(t, true)
	form := h.openForm("/join")
	h.advance(5 * time.Second)
	sent := h.sendForm("/join", form)
	for range 3 {
		if a := h.followThanks(sent); title(a) != "Thank you" || !strings.Contains(a.body, "/r/zoe-lane<") {
			t.Errorf("reloaded: %q", title(a))
		}
	}
	// the button was pressed twice
	if a := h.followThanks(h.sendForm("/join", form)); title(a) != "Thank you" || !strings.Contains(a.body, "/r/zoe-lane<") {
		t.Errorf("sent twice: %q", title(a))
	}
	if list := h.applications(); len(list) != 1 {
		t.Errorf("%d applications", len(list))
	}
	h.advance(thanksAge)
	if a := h.get(sent.Header.Get("Location")); title(a) != "Join the affiliate program" {
		t.Errorf("an hour later: %q", title(a))
	}
}

// Nobody else can make the gateway's page show a link.
func TestPageAfterTheFormIsSealed(t *testing.T) {
	h := newJoinFixture(t, true)
	text := base64.RawURLEncoding.EncodeToString([]byte("anna\n" + strconv.FormatInt(h.now.Load().Unix(), 10)))
	for _, done := range []string{"", "x", text, text + ".",
		text + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 16)), h.openForm("/join").Get("form")} {
		if a := h.get("/join?done=" + done); a.StatusCode != http.StatusOK || title(a) != "Join the affiliate program" {
			t.Errorf("done=%s: %d %q", done, a.StatusCode, title(a))
		}
	}
}

func TestWhatIsWrongWithAForm(t *testing.T) {
	h := newJoinFixture(t, false)
	f := func(field, value, want string) {
		t.Helper()
		form := h.openForm("/join")
		form.Set(field, value)
		h.advance(time.Minute)
		a := h.sendForm("/join", form)
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.HasPrefix(a.body, "<!doctype html>") {
			t.Errorf("%s=%q: %d", field, value, a.StatusCode)
			return
		}
		// in the summary, and beside the field
		summary := `<li><a href="#` + field + `">` + want
		if !strings.Contains(html.UnescapeString(a.body), summary) ||
			!strings.Contains(html.UnescapeString(a.body), `<p class="error" id="`+field+`-error">`+want) {
			t.Errorf("%s=%q: %s", field, value, regexp.MustCompile(`<li>.*</li>`).FindAllString(a.body, -1))
		}
		if n := strings.Count(a.body, "<li>"); n != 1 {
			t.Errorf("%s=%q: %d errors", field, value, n)
		}
		for name, kept := range map[string]string{"name": "Zoe Lane", "email": "zoe@post.test"} {
			if field != name && !strings.Contains(a.body, `value="`+kept+`"`) {
				t.Errorf("%s=%q: %s is not kept", field, value, name)
			}
		}
	}
	const name, email, site = "Enter your name", "Enter an e-mail address like name@example.com", "Enter the address of a site"
	f("name", "", name)
	f("name", " \u200b ", name)
	f("name", "\u3164\u115f\uffa0\u2800", name) // letters that show nothing
	f("name", "12345", name)
	f("name", "Zo\xff", "Enter your name in plain letters")
	f("name", strings.Repeat("ä", 121), "Enter a shorter name")
	f("email", "", "Enter your e-mail address")
	f("email", "zoe", email)
	f("email", "zoe@post", email)
	f("email", "zoe@@post.test", email)
	f("email", "a b@post.test", email)
	f("email", "a@post.test,b@post.test", email)
	f("email", "<zoe@post.test>", email)
	f("email", "zoe@-post.test", email)
	f("email", "zoe@post..test", email)
	f("email", strings.Repeat("a", 250)+"@post.test", "Enter a shorter e-mail address")
	f("site", "my site", site)
	f("site", "javascript:alert(1)", site)
	f("site", "ftp://zoe.test", site)
	f("site", "https://user:secret@zoe.test", site)
	f("site", "https://localhost", site)
	f("site", "https://zoe.test/"+strings.Repeat("x", 300), "Enter a shorter address")
	f("terms", "", "Agree to the terms")
	if list := h.applications(); len(list) != 0 {
		t.Errorf("kept all the same: %v", list)
	}
	a := h.sendForm("/join", url.Values{"form": h.openForm("/join")["form"], "name": {`"><script>alert(1)</script>`}})
	if strings.Contains(a.body, "<script") {
		t.Error("what is entered becomes part of the page")
	}
}

// A form is good from two seconds to twelve hours after it was shown, and what was
// entered is kept in any case.
func TestAgeOfAForm(t *testing.T) {
	h := newJoinFixture(t, false)
	form := h.openForm("/join")
	f := func(age time.Duration, token, want string) {
		t.Helper()
		sent := url.Values{}
		for name := range form {
			sent.Set(name, form.Get(name))
		}
		sent.Set("form", token)
		start := *h.now.Load()
		defer h.setNow(start)
		h.advance(age)
		a := h.sendForm("/join", sent)
		if want == "" {
			if a.StatusCode != http.StatusSeeOther {
				t.Errorf("after %s: %d", age, a.StatusCode)
			}
			return
		}
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, want) ||
			!strings.Contains(a.body, `value="zoe@post.test"`) || !strings.Contains(a.body, " checked") {
			t.Errorf("after %s with %q: %d, want %q", age, token, a.StatusCode, want)
		}
		if want == "That was quick" {
			return
		}
		// The form that comes back is good again.
		sent.Set("form", formTokenField.FindStringSubmatch(a.body)[1])
		h.advance(3 * time.Second)
		if b := h.sendForm("/join", sent); b.StatusCode != http.StatusSeeOther {
			t.Errorf("after %s, once more: %d", age, b.StatusCode)
		}
	}
	good := form.Get("form")
	f(1900*time.Millisecond, good, "That was quick")
	f(2*time.Second, good, "")
	f(12*time.Hour, good, "")
	f(12*time.Hour+time.Millisecond, good, "open for a long time")
	f(time.Minute, "", "open for a long time")
	f(time.Minute, "AAAA.AAAA", "open for a long time")
	other := "A"
	if strings.HasSuffix(good, other) {
		other = "Q"
	}
	f(time.Minute, good[:len(good)-1]+other, "open for a long time")
}

func TestFormsThatAreNotTaken(t *testing.T) {
	h := newJoinFixture(t, false)
	form := h.openForm("/join")
	h.advance(time.Minute)
	f := func(want int, form url.Values, headers ...string) {
		t.Helper()
		body := form.Encode()
		lines := append([]string{"POST /join HTTP/1.1", "Host: " + host,
			"Content-Length: " + strconv.Itoa(len(body)), "Connection: close"}, headers...)
		if a := sendRaw(t, h.Addr(), strings.Join(lines, "\r\n")+"\r\n\r\n"+body); a.StatusCode != want {
			t.Errorf("%q: %d, want %d", headers, a.StatusCode, want)
		}
	}
	const encoded = "Content-Type: application/x-www-form-urlencoded"
	f(403, form, encoded, "Sec-Fetch-Site: cross-site", "Origin: https://evil.test")
	f(403, form, encoded, "Sec-Fetch-Site: same-site")
	f(403, form, encoded, "Origin: https://evil.test")
	f(403, form, encoded, "Origin: null")
	f(415, form)
	f(415, form, "Content-Type: application/json")
	f(400, form, "Content-Type: multipart/form-data; boundary=x")
	f(413, url.Values{"name": {strings.Repeat("x", maxForm)}}, encoded)
	for _, method := range []string{"PUT", "DELETE", "PATCH"} {
		if a := h.send(method, host, "/join", "Content-Length: 0"); a.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, a.StatusCode)
		}
	}
	if list := h.applications(); len(list) != 0 {
		t.Errorf("kept all the same: %v", list)
	}
	f(303, form, encoded+"; charset=UTF-8", "Origin: https://"+host)
	f(303, form, encoded) // no browser, and nobody whom another site could misuse
}

func TestTrapForPrograms(t *testing.T) {
	h := newJoinFixture(t, true)
	if a := h.submitForm("/join", map[string]string{"topic": "cheap pills"}); title(a) != "Thank you" {
		t.Errorf("%q", title(a))
	}
	if list := h.applications(); len(list) != 0 {
		t.Errorf("kept: %v", list)
	}
}

func TestFloodFromOneAddress(t *testing.T) {
	h := newJoinFixture(t, false)
	n := 0
	send := func(addr string) response {
		form := h.openForm("/join")
		form.Set("email", fmt.Sprintf("n%d@post.test", n))
		n++
		now := *h.now.Load()
		defer h.setNow(now)
		h.advance(minFormAge)
		return h.sendForm("/join", form, "X-Forwarded-For: "+addr)
	}
	for i := range visitorBurst {
		if a := send("192.0.2.7"); a.StatusCode != http.StatusSeeOther {
			t.Fatalf("form %d: %d", i, a.StatusCode)
		}
	}
	a := send("192.0.2.7")
	if a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") != "60" || !strings.Contains(a.body, "n20@post.test") {
		t.Errorf("one more: %d %q", a.StatusCode, a.Header.Get("Retry-After"))
	}
	if a := send("192.0.2.8"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("from another address: %d", a.StatusCode)
	}
	h.advance(visitorEvery)
	if a := send("192.0.2.7"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("after a while: %d", a.StatusCode)
	}
}

func TestBookThatCannotBeWritten(t *testing.T) {
	h := newJoinFixture(t, false)
	form := h.openForm("/join")
	h.advance(5 * time.Second)
	h.book.Close()
	a := h.sendForm("/join", form)
	if a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "could not be saved") ||
		!strings.Contains(a.body, "zoe@post.test") {
		t.Errorf("%d\n%s", a.StatusCode, a.body)
	}
	if strings.Contains(a.body, "sql") || strings.Contains(h.logs.String(), "zoe@") {
		t.Error("it says too much")
	}
}
