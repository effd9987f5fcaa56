package mapping

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A location, whatever was asked, is absolute, on an allowed host, fit for a header,
// and names no promoter but the one of the path.
func checkDecision(t interface {
	Helper()
	Fatalf(string, ...any)
}, table *Table, req Request, d Decision) {
	t.Helper()
	if d.Location == "" {
		if d.Outcome != NotFound && !d.Page {
			t.Fatalf("%+v: %s without a location", req, d.Outcome)
		}
		return
	}
	for i := 0; i < len(d.Location); i++ {
		if d.Location[i] <= ' ' || d.Location[i] == 0x7f {
			t.Fatalf("%+v: byte %#x in location %q", req, d.Location[i], d.Location)
		}
	}
	host, err := destinationHost(strings.ToValidUTF8(d.Location, "x"))
	if err != nil {
		t.Fatalf("%+v: location %q: %v", req, d.Location, err)
	}
	if !slices.Contains([]string{"carrot.test", "www.carrot.test", "shop.carrot.test:8443", "new.test"}, host) {
		t.Fatalf("%+v: location %q leaves the allowed hosts", req, d.Location)
	}
	whole, _, _ := strings.Cut(d.Location, "#")
	_, query, _ := strings.Cut(whole, "?")
	var tokens []string
	for _, piece := range strings.Split(query, "&") {
		name, value, _ := strings.Cut(piece, "=")
		if name = unescape(name); name == "fpr" {
			tokens = append(tokens, value)
		} else if name != "fp_sid" && table.reserved.has(piece) {
			t.Fatalf("%+v: location %q carries %q", req, d.Location, piece)
		}
	}
	if d.Credited() != (len(tokens) == 1) || len(tokens) > 1 || d.Credited() && tokens[0] != d.Token {
		t.Fatalf("%+v: %s for %q has the tokens %q in %q", req, d.Outcome, d.Token, tokens, d.Location)
	}
}

func FuzzResolve(f *testing.F) {
	table := mustTable(f, program())
	for _, s := range []string{
		"https://go.carrot.test/go/course/ANN?x=1", "go.carrot.test/k/course?affiliate=42", "/r/ann/course/ad#x", "/?aff=ANN&amp;fpr=m",
		"//go.carrot.test\\@evil.example.com/go/Shop/ann", "/go/course/ANN/%0d%0aSet-Cookie:x", "/go/%E2%80%8B/../ANN?%66pr=1&;fpr=2", "/login?password=x",
	} {
		f.Add(s, int64(0))
	}
	f.Fuzz(func(t *testing.T, raw string, offset int64) {
		req := ParseURL(raw)
		now := cutoff.Add(time.Duration(offset))
		d := table.Resolve(req, now)
		checkDecision(t, table, req, d)
		if e, why := table.Explain(req, now); e != d || len(why) == 0 && d.Outcome != NotFound {
			t.Fatalf("%q: Explain says %+v because %q, Resolve %+v", raw, e, why, d)
		}
		own := req
		own.Host = "go.carrot.test"
		checkDecision(t, table, own, table.Resolve(own, now))
	})
}

func FuzzCheckDestination(f *testing.F) {
	f.Add("https://carrot.test/x?fpr=1#y")
	f.Add("https://carrot.test\\@evil.example.com")
	f.Fuzz(func(t *testing.T, raw string) {
		m := program()
		if m.Policy.CheckDestination(raw) != nil {
			return
		}
		// What is accepted reads the same to a strict parser, where that reads it at all.
		if u, err := url.Parse(raw); err == nil && !m.Policy.allowsHost(strings.ToLower(u.Host)) {
			t.Fatalf("%q is accepted, but its host is %q", raw, u.Host)
		}
		m.Links = []Link{{Code: "x", Destination: raw}}
		table := mustTable(t, m)
		req := Request{Host: "go.carrot.test", Path: "/go/x/ANN", Query: "q=1"}
		d := table.Resolve(req, before)
		if d.Outcome != Forward {
			t.Fatalf("%q: %s", raw, d.Outcome)
		}
		checkDecision(t, table, req, d)
	})
}

// Nothing in a visitor's query changes who is credited, and what is not reserved
// arrives byte for byte and in order.
func TestVisitorQueryProperty(t *testing.T) {
	table := mustTable(t, program())
	reserved := append(slices.Clone(fixedReserved), "%66pr", "fp%72", "vi%61", "%61ffiliate")
	rapid.Check(t, func(t *rapid.T) {
		var pieces, kept []string
		for range rapid.IntRange(0, 8).Draw(t, "pieces") {
			value := rapid.StringMatching(`(=[A-Za-z0-9%=/?:;+_.~-]{0,12})?`).Draw(t, "value")
			if rapid.Bool().Draw(t, "reserved") {
				pieces = append(pieces, rapid.SampledFrom(reserved).Draw(t, "name")+value)
				continue
			}
			piece := rapid.StringMatching(`x[A-Za-z0-9_.-]{0,10}`).Draw(t, "name") + value
			pieces, kept = append(pieces, piece), append(kept, piece)
		}
		req := Request{Host: "go.carrot.test", Path: "/go/bare/ANN", Query: strings.Join(pieces, "&")}
		d := table.Resolve(req, before)
		checkDecision(t, table, req, d)
		if d.Token != "ann" || d.Outcome != Forward {
			t.Fatalf("%q: %+v", req.Query, d)
		}
		want := "https://carrot.test?" + strings.Join(append(kept, "fpr=ann", "fp_sid=bare"), "&")
		if d.Location != want {
			t.Fatalf("%q:\n got %s\nwant %s", req.Query, d.Location, want)
		}
	})
}

func TestEntriesRoundTrip(t *testing.T) {
	m := program()
	m.Links = append(m.Links, Link{Code: "q\"\\\x01\t&<", Destination: `https://carrot.test/?a=1&b=<">`})
	entries := m.Entries()
	back := &Map{Policy: m.Policy}
	for _, e := range entries {
		if err := back.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	again := back.Entries()
	if !slices.Equal(entries, again) {
		t.Errorf("entries changed on the way:\n%q\n%q", entries, again)
	}
	if a, b := Checksum(m.Policy, entries), Checksum(back.Policy, again); a != b {
		t.Errorf("checksum %s became %s", a, b)
	}
	entries[0].Value += " "
	if Checksum(m.Policy, entries) == Checksum(back.Policy, again) {
		t.Error("the checksum does not see a changed value")
	}
	for _, bad := range []Entry{{Links, "x", "nope"}, {Partners, "x", `{"t":"a","s":"odd"}`}, {IDs, "x", `"a"`}, {IDs, "1", `a`}, {Paths, "/x", ``}, {Kind(9), "x", "1"}} {
		if err := back.Add(bad); err == nil {
			t.Errorf("%+v was read", bad)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	f := func(want string, change func(*Map)) {
		t.Helper()
		m := program()
		change(m)
		if _, err := New(m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want one about %q", err, want)
		}
	}
	f("no legacy host", func(m *Map) { m.Policy.LegacyHosts = nil })
	f("page login", func(m *Map) { m.Policy.Pages.Login = "https://go.carrot.test/login" })
	f("page guide", func(m *Map) { m.Policy.Pages.Guide = "" })
	f(`link "course"`, func(m *Map) { m.Links[0].Destination = "https://evil.example.com" })
	f("twice", func(m *Map) { m.Links[1].Code = "course" })
	f("twice", func(m *Map) { m.Partners[1].Code = "ANN" })
	f("ref token", func(m *Map) { m.Partners[0].Token = "" })
	f("ref token", func(m *Map) { m.Partners[0].Token = "a&b" })
	f("ref token", func(m *Map) { m.Partners[3].Token = "house" })
	f("Keap id 5", func(m *Map) { m.IDs = append(m.IDs, ID{5, "gone"}) })
	f(`path "/old-faq"`, func(m *Map) { m.Paths[1].Target = "https://evil.example.com" })
	f("names neither", func(m *Map) { m.Paths[1] = Path{Path: "/x"} })
	f("begin with /", func(m *Map) { m.Paths[1].Path = "old" })
}
