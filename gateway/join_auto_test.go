package gateway

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// counts waits until the link of a token counts.
func (h *joinFixture) counts(token string) {
	h.t.Helper()
	until(h.t, "/r/"+token+" counts", func() bool { return h.get("/r/"+token).Header.Get("Location") == "https://carrot.test/?fpr="+token })
}

func TestJoiningAtOnce(t *testing.T) {
	h := newJoinFixture(t, true)
	if a := h.get("/r/zoe-lane"); strings.Contains(a.Header.Get("Location"), "fpr=") {
		t.Fatalf("before: %q", a.Header.Get("Location"))
	}
	a := h.submitForm("/rejoin", map[string]string{"site": "https://www.google.test"})
	if title(a) != "Thank you" || !strings.Contains(a.body, `>https://go.carrot.test/r/zoe-lane</textarea>`) ||
		!strings.Contains(a.body, "begins to count in a few minutes") {
		t.Errorf("%q\n%s", title(a), a.body)
	}
	h.counts("zoe-lane")
	if a := h.get("/r/zoe-lane/demo"); a.Header.Get("Location") != "https://carrot.test/demo?x=1&fpr=zoe-lane&fp_sid=demo#top" {
		t.Errorf("the new link leads to %q", a.Header.Get("Location"))
	}
	// Nobody takes part again because somebody typed his address.
	for _, email := range []string{"Old@post.test", "bad@post.test", "anna@post.test"} {
		h.submitForm("/rejoin", map[string]string{"email": email, "name": "Old Friend"})
	}
	if err := h.publishBook(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := h.get("/go/demo/OLD"); strings.Contains(a.Header.Get("Location"), "fpr=") {
		t.Errorf("the old link of one whose address was typed: %q", a.Header.Get("Location"))
	}
	var reasons []string
	for _, a := range h.applications() {
		reasons = append(reasons, a.State+" "+a.Reason)
	}
	if got := strings.Join(reasons, ", "); got != "approved , waiting rejoin, waiting blocked, waiting takes_part" {
		t.Errorf("kept: %s", got)
	}
}

// With nobody to decide, the answer is the same to the byte whatever the book knows of an address,
// but for the link, which depends on the name alone; and so is the one to names that are reserved.
func TestAnswersTellNobodyWhoTakesPart(t *testing.T) {
	answer := func(auto bool, name, email string) (page, address, logs string) {
		t.Helper()
		h := newJoinFixture(t, auto)
		form := h.openForm("/join")
		form.Set("name", name)
		form.Set("email", email)
		h.advance(5 * time.Second)
		sent := h.sendForm("/join", form)
		again := h.sendForm("/join", form) // once more, after the book has it
		first, second := h.followThanks(sent), h.followThanks(again)
		if first.body != second.body {
			t.Errorf("%q, %s: sent again, the answer differs:\n%s\n%s", name, email, first.body, second.body)
		}
		header := first.Header.Clone()
		header.Del("Date")
		sealed, _, _ := strings.Cut(strings.TrimPrefix(sent.Header.Get("Location"), "/join?done="), ".")
		text, err := base64.RawURLEncoding.DecodeString(sealed)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(sent.StatusCode, first.StatusCode, header) + first.body, string(text), h.logs.String()
	}
	f := func(auto bool, name string, emails ...string) (page string) {
		t.Helper()
		page, address, _ := answer(auto, name, emails[0])
		for _, email := range emails[1:] {
			otherPage, otherAddress, logs := answer(auto, name, email)
			if otherPage != page {
				t.Errorf("%q: %s is answered\n%s\nand %s\n%s", name, emails[0], page, email, otherPage)
			}
			if otherAddress != address {
				t.Errorf("%q: the address of the page tells %s as %q, and %s as %q", name, emails[0], address, email, otherAddress)
			}
			if strings.Contains(logs, email) {
				t.Errorf("the log names %s", email)
			}
		}
		return page
	}
	emails := []string{"new@post.test", "anna@post.test", "old@post.test", "bad@post.test", "anna+1@post.test", "new@carrot.test"}
	clean := f(true, "Zoe Lane", emails...)
	waits := f(true, "Carrot Team", emails...)
	for _, name := range []string{"Google.com", "Anna", "An na", "Саrrot", "李明"} {
		if page := f(true, name, emails...); page != waits {
			t.Errorf("%q is answered\n%s\nnot\n%s", name, page, waits)
		}
	}
	if other := f(true, "Kim Park", emails[:2]...); strings.ReplaceAll(other, "kim-park", "zoe-lane") != clean {
		t.Errorf("another name, another page:\n%s\n%s", other, clean)
	}
	if page := f(false, "Zoe Lane", emails...); page != waits {
		t.Errorf("with a person who decides:\n%s\nnot\n%s", page, waits)
	}
	if page := f(false, "Carrot Team", emails[:2]...); page != waits {
		t.Errorf("with a person who decides, about a reserved name:\n%s", page)
	}
}

// No answer comes sooner or later because of what the book knows.
func TestAnswersTakeTheSameTime(t *testing.T) {
	h := newJoinFixture(t, true)
	h.join.answerAfter = 300 * time.Millisecond
	for i, email := range []string{"new@post.test", "anna@post.test", "old@post.test", "bad@post.test"} {
		form := h.openForm("/join")
		form.Set("email", email)
		form.Set("name", "Body "+string(rune('A'+i)))
		h.advance(5 * time.Second)
		began := time.Now()
		h.followThanks(h.sendForm("/join", form))
		if took := time.Since(began); took < h.join.answerAfter {
			t.Errorf("%s is answered after %s", email, took)
		}
	}
}

// However many sign up at once, each has a promoter and a link that counts, and the map
// is published fewer times than they are.
func TestManyJoinAtOnce(t *testing.T) {
	h := newJoinFixture(t, true)
	people := strings.Fields("Ada Bea Cora Dora Edda Fay Gwen Hope Iris June Kaya Lara Maud Nora Olga")
	forms := make([]url.Values, len(people))
	for i := range forms {
		forms[i] = h.openForm("/join")
		forms[i].Set("email", fmt.Sprintf("n%d@post.test", i))
		forms[i].Set("name", people[i]+" Body")
	}
	h.advance(5 * time.Second)
	var wg sync.WaitGroup
	for _, form := range forms {
		wg.Go(func() {
			if a := h.sendForm("/join", form); a.StatusCode != http.StatusSeeOther {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
		})
	}
	wg.Wait()
	for _, name := range people {
		h.counts(strings.ToLower(name) + "-body")
	}
	if n := h.published.Load(); n > int64(len(people)/2) {
		t.Errorf("published %d times", n)
	}
}

func TestMapThatCannotBePublished(t *testing.T) {
	h := newJoinFixture(t, true)
	fault := errors.New("the disk is full")
	h.fault.Store(&fault)
	a := h.submitForm("/join", nil)
	if title(a) != "Thank you" || !strings.Contains(a.body, "/r/zoe-lane") || !strings.Contains(a.body, "in a few minutes") {
		t.Errorf("%q\n%s", title(a), a.body)
	}
	if list := h.applications(); len(list) != 1 || list[0].PromoterID != -1 {
		t.Errorf("kept: %v", list)
	}
	until(t, "the log says what to do", func() bool { return strings.Contains(h.logs.String(), "carryover map publish") })
	h.fault.Store(nil)
	// Stopped before it is tried again: the last publication is made then.
	if err := h.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, err := h.book.Content(t.Context()); err != nil || h.published.Load() != 1 {
		t.Errorf("published %d times, %v, %v", h.published.Load(), p, err)
	}
}
