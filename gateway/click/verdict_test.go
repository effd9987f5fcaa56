package click

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"carryover/mapping/book"
)

const (
	chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
	iPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	safari = iPhone + "Version/17.5 Mobile/15E148 Safari/604.1"
	html   = "text/html,application/xhtml+xml,*/*;q=0.8"
)

var publicAddr, privateAddr = netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("10.0.0.7")

func TestVerdicts(t *testing.T) {
	f := func(name, userAgent string, h Headers, want string) {
		t.Helper()
		if got, reason := Verdict(userAgent, h.Signals(publicAddr)); got != want || reason == "" {
			t.Errorf("%s: %s (%s), want %s", name, got, reason, want)
		}
	}
	navigate := Headers{FetchMode: "navigate", FetchDest: "document", FetchUser: "?1", Accept: html}
	f("Chrome", chrome, navigate, Human)
	f("Safari", safari, Headers{FetchMode: "navigate", FetchDest: "document", Accept: html}, Human)
	f("a browser over plain http", chrome, Headers{Accept: html}, Human)
	f("a browser without any header", chrome, Headers{}, Human)
	f("Firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", navigate, Human)
	f("in Facebook's app", iPhone+"Mobile/15E148 [FBAN/FBIOS;FBAV/470.0;FBDV/iPhone14,5]", Headers{Accept: html}, Human)
	f("in Instagram's app", "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "+
		"Version/4.0 Chrome/126.0 Mobile Safari/537.36 Instagram 338.0", Headers{Accept: html}, Human)
	f("in LINE's app", iPhone+"Mobile/15E148 Safari Line/14.9.0", Headers{Accept: html}, Human)

	f("Sec-Purpose", chrome, Headers{SecPurpose: "prefetch;prerender", Accept: html}, Prefetch)
	f("Purpose", chrome, Headers{Purpose: "Prefetch"}, Prefetch)
	f("X-Moz", chrome, Headers{XMoz: "prefetch"}, Prefetch)
	f("X-Purpose", safari, Headers{XPurpose: "preview"}, Prefetch)
	f("another purpose", chrome, Headers{SecPurpose: "navigate"}, Human)

	f("Slack", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", Headers{}, Preview)
	f("Facebook", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", Headers{}, Preview)
	f("iMessage", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) "+
		"Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0", Headers{}, Preview)
	f("Twitter", "Twitterbot/1.0", Headers{}, Preview)
	f("WhatsApp", "WhatsApp/2.23.20.0", Headers{}, Preview)
	f("LinkedIn", "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)", Headers{}, Preview)
	f("Discord", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", Headers{}, Preview)
	f("Telegram", "TelegramBot (like TwitterBot)", Headers{}, Preview)

	f("Google", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Headers{}, Bot)
	f("curl", "curl/8.5.0", Headers{Accept: "*/*"}, Bot)
	f("Go", "Go-http-client/1.1", Headers{}, Bot)
	f("Python", "python-requests/2.31.0", Headers{Accept: "*/*"}, Bot)
	f("nothing", "", navigate, Bot)
	f("blanks", "   ", navigate, Bot)
	f("an API client in disguise", chrome, Headers{Accept: "application/json"}, Bot)

	f("an iframe", chrome, Headers{FetchMode: "navigate", FetchDest: "iframe", Accept: html}, Frame)
	f("an image", chrome, Headers{FetchMode: "no-cors", FetchDest: "image", Accept: "image/avif,*/*;q=0.8"}, Frame)
	f("a script's fetch", chrome, Headers{FetchMode: "cors", FetchDest: "empty", Accept: "*/*"}, Frame)
	f("a bot in a frame is a bot", "curl/8", Headers{FetchDest: "iframe"}, Bot)
}

// The list's own samples: each must be a bot or a previewer.
func TestCrawlersAreRecognised(t *testing.T) {
	text, err := os.ReadFile("testdata/crawlers.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		userAgent := strings.TrimSuffix(line, "\n")
		if v, _ := Verdict(userAgent, 0); v != Bot && v != Preview {
			t.Errorf("%s: %q", v, userAgent)
		}
		n++
	}
	if n < 1400 {
		t.Errorf("only %d samples", n)
	}
}

func TestTopLevel(t *testing.T) {
	f := func(h Headers, want bool) {
		t.Helper()
		if got := h.Signals(publicAddr).TopLevel(); got != want {
			t.Errorf("%+v: %v", h, got)
		}
	}
	f(Headers{}, true)
	f(Headers{FetchMode: "navigate", FetchDest: "document"}, true)
	f(Headers{FetchMode: "navigate"}, true)
	f(Headers{FetchMode: "navigate", FetchDest: "iframe"}, false)
	f(Headers{FetchMode: "no-cors", FetchDest: "image"}, false)
	f(Headers{FetchMode: "cors"}, false)
	f(Headers{SecPurpose: "prefetch", FetchMode: "navigate", FetchDest: "document"}, false)
}

func TestBursts(t *testing.T) {
	base := time.Date(2023, 3, 1, 12, 0, 0, 0, time.UTC)
	type open struct {
		after   time.Duration
		visitor string
		link    string
	}
	f := func(name string, addr netip.Addr, opens []open, want ...string) {
		t.Helper()
		var clicks []book.Click
		for _, o := range opens {
			clicks = append(clicks, book.Click{
				At: base.Add(o.after), Visitor: o.visitor, Link: o.link, UserAgent: chrome, Signals: uint32(Headers{}.Signals(addr)),
			})
		}
		// In one batch, and each click in a batch of its own: later ones are judged alike.
		NewJudge().Classify(clicks)
		var got []string
		for _, c := range clicks {
			got = append(got, c.Verdict)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		j := NewJudge()
		var last string
		for i := range clicks {
			one := []book.Click{clicks[i]}
			j.Classify(one)
			last = one[0].Verdict
		}
		if last != want[len(want)-1] {
			t.Errorf("%s, one by one: the last is %s", name, last)
		}
	}
	const ms = time.Millisecond
	f("three links in two seconds", publicAddr, []open{{0, "v", "a"}, {900 * ms, "v", "b"}, {1900 * ms, "v", "c"}}, Scanner, Scanner, Scanner)
	f("three links in three seconds", publicAddr, []open{{0, "v", "a"}, {1500 * ms, "v", "b"}, {3000 * ms, "v", "c"}}, Human, Human, Human)
	f("one link again and again", publicAddr, []open{{0, "v", "a"}, {100 * ms, "v", "a"}, {200 * ms, "v", "a"}, {300 * ms, "v", "b"}},
		Human, Human, Human, Human)
	f("three visitors", publicAddr, []open{{0, "v", "a"}, {0, "w", "b"}, {0, "x", "c"}}, Human, Human, Human)
	f("behind a proxy that is not trusted", privateAddr, []open{{0, "v", "a"}, {0, "v", "b"}, {0, "v", "c"}}, Human, Human, Human)
	f("no address", publicAddr, []open{{0, "", "a"}, {0, "", "b"}, {0, "", "c"}}, Human, Human, Human)
	f("a burst, then a visit", publicAddr, []open{{0, "v", "a"}, {0, "v", "b"}, {0, "v", "c"}, {time.Minute, "v", "a"}},
		Scanner, Scanner, Scanner, Human)
}

func TestVisitors(t *testing.T) {
	path := t.TempDir() + "/visitor.keys"
	day := time.Date(2023, 3, 31, 23, 59, 0, 0, time.UTC)
	v := NewVisitors(path)
	first := v.Hash(publicAddr, day)
	if len(first) != 16 || first != v.Hash(publicAddr, day) || first == v.Hash(privateAddr, day) || v.Hash(netip.Addr{}, day) != "" {
		t.Errorf("%q", first)
	}
	if again := NewVisitors(path).Hash(publicAddr, day); again != first {
		t.Error("a restart made a new visitor")
	}
	next := v.Hash(publicAddr, day.Add(2*time.Minute))
	if next == first {
		t.Error("the next day has the same key")
	}
	if v.Hash(publicAddr, day) != first || v.Hash(publicAddr, day.Add(2*time.Minute)) != next {
		t.Error("around midnight both days' keys are needed")
	}
	v.Hash(publicAddr, day.AddDate(0, 0, 3))
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "2023-03-31") || strings.Count(string(text), "\n") != 1 {
		t.Errorf("old keys are still there: %q %v", text, err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Error(info.Mode())
	}
}
