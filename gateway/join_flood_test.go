package gateway

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"carryover/mapping/book"
)

// solve does the work of a browser.
func solve(nonce string, wanted int) string {
	var numbers []string
	for part := range workParts {
		for n := 0; ; n++ {
			sum := sha256.Sum256([]byte(nonce + "." + strconv.Itoa(part) + "." + strconv.Itoa(n)))
			if bits.LeadingZeros32(binary.BigEndian.Uint32(sum[:])) >= wanted {
				numbers = append(numbers, strconv.Itoa(n))
				break
			}
		}
	}
	return strings.Join(numbers, ".")
}

var workField = regexp.MustCompile(`data-nonce="([^"]+)" data-bits="(\d+)" data-parts="8"`)

// fillIn takes a page's form, filled in as before, with the work that it asks for.
func (h *joinFixture) fillIn(a response, before url.Values) url.Values {
	h.t.Helper()
	token := formTokenField.FindStringSubmatch(a.body)
	if token == nil {
		h.t.Fatalf("no form: %d\n%s", a.StatusCode, a.body)
	}
	form := url.Values{"form": {token[1]}}
	for name, value := range before {
		if name != "form" && name != "work" {
			form[name] = value
		}
	}
	if work := workField.FindStringSubmatch(a.body); work != nil {
		wanted, _ := strconv.Atoi(work[2])
		form.Set("work", solve(work[1], wanted))
	}
	return form
}

// word is another word for each number, which looks like no other.
func word(i int) string {
	text := "b"
	for ; i > 0; i /= 6 {
		text += string("aeouwy"[i%6]) + "mdt"[i%3:i%3+1]
	}
	return text
}

func person(i int) url.Values {
	return url.Values{"name": {"Zoe Lane"}, "email": {fmt.Sprintf("n%d@post.test", i)}, "site": {""}, "terms": {"agreed"}, "topic": {""}}
}

// Five forms a second from 25 networks: somebody from another one gets in all the same, also
// without scripts, and a person has a bounded number to look through.
func TestFloodFromManyNetworks(t *testing.T) {
	t.Run("manual", func(t *testing.T) { floodFromManyNetworks(t, false) })
	t.Run("auto", func(t *testing.T) { floodFromManyNetworks(t, true) })
}

func floodFromManyNetworks(t *testing.T, auto bool) {
	h := newJoinFixture(t, auto)
	start, n := *h.now.Load(), 0
	fill := func(i, second int, name, network string) response {
		h.setNow(start.Add(time.Duration(second) * time.Second))
		shown := h.get("/join")
		if strings.Contains(shown.body, "<script") {
			t.Fatalf("after %d seconds the form needs scripts", second)
		}
		h.advance(minFormAge)
		entry := person(i)
		entry.Set("name", name)
		return h.sendForm("/join", h.fillIn(shown, entry), "X-Forwarded-For: "+network)
	}
	for second := range 150 {
		for range 5 {
			n++
			fill(n, second, "Flo "+word(n), fmt.Sprintf("198.51.100.%d", n%25+1))
		}
		if second%30 == 29 {
			if a := fill(100_000+second, second, "Zoe "+word(second), fmt.Sprintf("203.0.113.%d", second)); a.StatusCode != http.StatusSeeOther {
				t.Errorf("after %d seconds somebody from elsewhere is answered with %d %s", second, a.StatusCode, title(a))
			}
		}
	}
	honest, others, joined := 0, 0, 0
	for _, a := range h.applications() {
		switch {
		case len(a.Email) <= len("n1000@post.test"):
			others++
			if a.State == book.ApplicationApproved {
				joined++
			}
		case (a.State == book.ApplicationApproved) == auto:
			honest++
		}
	}
	if joined > 25*atOnceBurst {
		t.Errorf("%d of the flood take part", joined)
	}
	if honest != 5 {
		t.Errorf("%d of 5 are kept", honest)
	}
	if others > 25*dailyBurst || others < 25*visitorBurst/2 {
		t.Errorf("of the flood %d are kept", others)
	}
}

// More forms come in than people send: each needs the work of its browser, which is asked for with
// what was entered, and nobody is locked out.
func TestFloodNeedsWork(t *testing.T) {
	h := newJoinFixture(t, false)
	early := h.fillIn(h.get("/join"), person(1)) // shown while it was calm
	h.advance(minFormAge)
	flood := func(n int) {
		for range n {
			h.join.load.add(*h.now.Load())
		}
	}
	flood(calmPerMinute)
	if a := h.get("/join"); strings.Contains(a.body, "<script") || strings.Contains(a.Header.Get("Content-Security-Policy"), "script") {
		t.Error("it is calm, and the form has a script")
	}
	flood(1)
	asked := h.sendForm("/join", early, "X-Forwarded-For: 203.0.113.1")
	if asked.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("a form without work: %d\n%s", asked.StatusCode, asked.body)
	}
	for _, want := range []string{`value="n1@post.test"`, " checked", "What you entered is kept", "<noscript>"} {
		if !strings.Contains(asked.body, want) {
			t.Errorf("a form without work lacks %q:\n%s", want, asked.body)
		}
	}
	if csp := asked.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'sha256-") || strings.Contains(csp, "unsafe") {
		t.Errorf("its policy is %s", csp)
	}
	again := h.fillIn(asked, early)
	h.advance(minFormAge)
	for _, work := range []string{"", "0.0.0.0.0.0.0.0", "x", strings.Repeat("1", 1000), again.Get("work") + ".1", "-" + again.Get("work")} {
		wrong := url.Values{"form": again["form"], "work": {work}}
		if a := h.sendForm("/join", wrong, "X-Forwarded-For: 203.0.113.1"); a.StatusCode != http.StatusTooManyRequests {
			t.Errorf("with the work %q: %d", work, a.StatusCode)
		}
	}
	// A mistake does not cost the work once more.
	mistaken := url.Values{}
	for name := range again {
		mistaken.Set(name, again.Get(name))
	}
	mistaken.Set("email", "n1")
	wrong := h.sendForm("/join", mistaken, "X-Forwarded-For: 203.0.113.1")
	if wrong.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(wrong.body, `name="work" value="`+again.Get("work")+`"`) {
		t.Errorf("with a mistake: %d\n%s", wrong.StatusCode, wrong.body)
	}
	flood(10 * calmPerMinute) // it gets worse, and work that was done for less is good for a while
	if a := h.sendForm("/join", again, "X-Forwarded-For: 203.0.113.1"); title(h.followThanks(a)) != "Thank you" {
		t.Errorf("with its work: %d", a.StatusCode)
	}
	// Work is for one application.
	again.Set("email", "n2@post.test")
	if a := h.sendForm("/join", again, "X-Forwarded-For: 203.0.113.2"); a.StatusCode == http.StatusSeeOther {
		t.Error("one piece of work is good for two")
	}
	hoarded := h.fillIn(h.get("/join"), person(3))
	if list := h.applications(); len(list) != 1 || list[0].Email != "n1@post.test" {
		t.Errorf("kept: %v", list)
	}
	// Without scripts: when it is calm again.
	h.advance(time.Minute)
	hoarded.Del("work")
	if a := h.sendForm("/join", hoarded, "X-Forwarded-For: 203.0.113.3"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("calm again, and a form without work is answered with %d", a.StatusCode)
	}
}

func TestWorkGrowsWithTheLoad(t *testing.T) {
	var l formLoad
	now := time.Unix(1_680_000_000, 0)
	most, n := 0, 0
	for range 100 * calmPerMinute {
		n++
		got := l.add(now.Add(time.Duration(n%50) * time.Second))
		if got < most {
			t.Fatalf("after %d forms %d bits, %d before", n, got, most)
		}
		most = got
		switch {
		case n <= calmPerMinute && got != 0, n == calmPerMinute+1 && got != minWorkBits, n == 2*calmPerMinute && got != minWorkBits+1,
			n == 4*calmPerMinute && got != minWorkBits+2:
			t.Fatalf("after %d forms %d bits", n, got)
		}
	}
	if most != maxWorkBits {
		t.Errorf("at most %d bits", most)
	}
	if got := l.workBits(now.Add(2 * time.Minute)); got != 0 {
		t.Errorf("calm again, %d bits", got)
	}
	now = now.Add(time.Hour)
	for i := range calmPerHour + 1 { // fewer a minute, for longer
		if got := l.workBits(now); got != 0 {
			t.Fatalf("after %d in an hour %d bits", i, got)
		}
		l.keep(now.Add(time.Duration(i%59) * time.Minute))
	}
	if now = now.Add(59 * time.Minute); l.workBits(now) != minWorkBits {
		t.Errorf("more than people send in an hour, and %d bits", l.workBits(now))
	}
	if got := l.workBits(now.Add(time.Hour)); got != 0 {
		t.Errorf("an hour later %d bits", got)
	}
	recent, old := formToken{at: now, nonce: "n", bits: minWorkBits}, formToken{at: now.Add(-time.Hour), nonce: "n", bits: minWorkBits}
	work := solve("n", minWorkBits)
	for _, f := range []struct {
		token  *formToken
		work   string
		needed int
		want   bool
	}{
		{&recent, work, minWorkBits, false}, {&recent, work, maxWorkBits, false},
		{&old, work, minWorkBits, false}, {&old, work, maxWorkBits, true},
		{&recent, "", minWorkBits, true}, {&recent, "", 0, false}, {&formToken{at: now, nonce: "n"}, work, minWorkBits, true},
		{&formToken{at: now, nonce: "other", bits: minWorkBits}, work, minWorkBits, true},
	} {
		if got := f.token.needsWork(f.work, f.needed, now); got != f.want {
			t.Errorf("%+v with %q, %d bits needed: %t", f.token, f.work, f.needed, got)
		}
	}
}

// A form is good once: the same entry shows the same page again, also while the first is still
// being kept, and another entry comes back with what was typed.
func TestAFormIsGoodOnce(t *testing.T) {
	h := newJoinFixture(t, true)
	form := h.openForm("/join")
	h.advance(5 * time.Second)
	locations := make(chan string, 8)
	for range cap(locations) {
		go func() { locations <- h.sendForm("/join", form).Header.Get("Location") }()
	}
	first := <-locations
	for range cap(locations) - 1 {
		if other := <-locations; other != first || first == "" {
			t.Errorf("sent at once: %q and %q", first, other)
		}
	}
	form.Set("email", "other@post.test")
	form.Set("name", "Ada Body")
	a := h.sendForm("/join", form)
	if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, "was sent before") ||
		!strings.Contains(a.body, `value="other@post.test"`) || !strings.Contains(a.body, `value="Ada Body"`) {
		t.Fatalf("another entry: %d\n%s", a.StatusCode, a.body)
	}
	next := h.fillIn(a, form)
	if next.Get("form") == form.Get("form") {
		t.Error("it has the same token")
	}
	h.advance(5 * time.Second)
	if a := h.sendForm("/join", next); a.StatusCode != http.StatusSeeOther {
		t.Errorf("with a new token: %d", a.StatusCode)
	}
	if list := h.applications(); len(list) != 2 {
		t.Errorf("kept: %v", list)
	}
	// What could not be saved may be sent again.
	fault := h.openForm("/join")
	fault.Set("email", "third@post.test")
	h.advance(5 * time.Second)
	h.join.rules.MaxWaiting = 1
	h.join.rules.Auto = false
	h.sendForm("/join", h.fillIn(h.get("/join"), person(7)))
	h.advance(5 * time.Second)
	if a := h.sendForm("/join", h.fillIn(h.get("/join"), person(8))); a.StatusCode != http.StatusUnprocessableEntity { // too quick
		t.Errorf("%d", a.StatusCode)
	}
	waits := h.openForm("/join")
	waits.Set("email", "waits@post.test")
	h.advance(5 * time.Second)
	if a := h.sendForm("/join", waits); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the first that waits: %d", a.StatusCode)
	}
	for range 2 {
		if a := h.sendForm("/join", fault); a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "try again tomorrow") {
			t.Errorf("with as many that wait as there may be: %d", a.StatusCode)
		}
	}
	if n := strings.Count(h.logs.String(), "too many wait"); n != 1 {
		t.Errorf("the log says so %d times", n)
	}
	if _, err := h.book.Reject(t.Context(), []int64{3}, "kim", 5); err != nil {
		t.Fatal(err)
	}
	if a := h.sendForm("/join", fault); a.StatusCode != http.StatusSeeOther {
		t.Errorf("after one was rejected: %d", a.StatusCode)
	}
}

// However many forms are used, memory is bounded, and a used one is never good again.
func TestUsedFormsAreBounded(t *testing.T) {
	u := newUsedForms()
	now := time.Unix(1_680_000_000, 0)
	token := func(i int) *formToken {
		return &formToken{at: now.Add(time.Duration(i) * time.Millisecond), nonce: strconv.Itoa(i)}
	}
	const n = maxUsedForms + 1000
	for i := range n {
		f, mine := u.claim(token(i), [32]byte{}, now.Add(time.Hour))
		if !mine {
			t.Fatal("a new token was used")
		}
		u.finish(f, "/join")
	}
	if len(u.forms) > maxUsedForms || len(u.order) > maxUsedForms {
		t.Errorf("%d forms are remembered", len(u.forms))
	}
	for i := range n {
		if u.find(token(i)) == nil && !u.isForgotten(token(i)) {
			t.Fatalf("form %d is good again", i)
		}
	}
	if u.isForgotten(token(n)) {
		t.Error("one that was shown since is not good")
	}
	// Twelve hours later none of them would be taken, and nothing is remembered.
	late := now.Add(14 * time.Hour)
	fresh := &formToken{at: late, nonce: "fresh"}
	u.claim(fresh, [32]byte{}, late)
	if len(u.forms) != 1 || u.isForgotten(&formToken{at: late.Add(-time.Hour)}) {
		t.Errorf("%d forms are remembered, or too many forgotten", len(u.forms))
	}
}

func TestTheTrapIsLoggedInBounds(t *testing.T) {
	h := newJoinFixture(t, true)
	form := h.openForm("/join")
	form.Set("topic", "cheap pills")
	h.advance(5 * time.Second)
	for i := range 30 {
		h.sendForm("/join", form, fmt.Sprintf("X-Forwarded-For: 203.0.113.%d", i))
	}
	if n := strings.Count(h.logs.String(), "hidden field"); n != 1 {
		t.Errorf("30 forms fill %d lines of the log", n)
	}
	h.join.dropped.write.Interval = time.Nanosecond
	h.sendForm("/join", form)
	if !strings.Contains(h.logs.String(), "forms=30") {
		t.Error("the log does not tell how many there were")
	}
	if list := h.applications(); len(list) != 0 {
		t.Errorf("kept: %v", list)
	}
}

// The networks are told apart however they write their address.
func TestApplicationsOfOneNetworkADay(t *testing.T) {
	h := newJoinFixture(t, false)
	kept := 0
	for i := range 2 * dailyBurst {
		h.advance(visitorEvery)
		form := h.fillIn(h.get("/join"), person(i))
		h.advance(minFormAge)
		a := h.sendForm("/join", form, fmt.Sprintf("X-Forwarded-For: 2001:db8::%x", i+1))
		if a.StatusCode == http.StatusSeeOther {
			kept++
		} else if !strings.Contains(a.body, "from your network today") {
			t.Fatalf("form %d: %d\n%s", i, a.StatusCode, a.body)
		}
	}
	if kept < dailyBurst || kept > dailyBurst+3 {
		t.Errorf("%d are kept", kept)
	}
	if list := h.applications(); len(list) != kept {
		t.Errorf("%d are kept, and %d answered so", len(list), kept)
	}
}
