package gateway

import (
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"
)

func prefixes(t testing.TB, texts ...string) (out trustedProxies) {
	for _, s := range texts {
		p, err := parsePrefix(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func TestClientAddr(t *testing.T) {
	trusted := prefixes(t, "10.0.0.0/8", "127.0.0.1", "fd00::/8")
	f := func(remote, forwarded, want string) {
		t.Helper()
		var lists []string
		if forwarded != "" {
			lists = strings.Split(forwarded, " | ")
		}
		if got := trusted.clientAddr(netip.MustParseAddr(remote), lists); got != netip.MustParseAddr(want) {
			t.Errorf("%s, %q: %s, want %s", remote, forwarded, got, want)
		}
	}
	f("203.0.113.9", "", "203.0.113.9")
	f("203.0.113.9", "198.51.100.1", "203.0.113.9") // not a trusted proxy: its header means nothing
	f("10.0.0.1", "", "10.0.0.1")
	f("10.0.0.1", "198.51.100.1", "198.51.100.1")
	f("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1") // the left one was written by the visitor
	f("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1")
	f("10.0.0.1", "1.1.1.1 | 198.51.100.1 | 10.0.0.2,10.0.0.3", "198.51.100.1") // several header lines
	f("10.0.0.1", "10.0.0.4, 10.0.0.2", "10.0.0.4")
	f("10.0.0.1", "198.51.100.1, garbage, 10.0.0.2", "10.0.0.2")
	f("10.0.0.1", "198.51.100.1, ", "10.0.0.1")
	f("10.0.0.1", "unknown", "10.0.0.1")
	f("10.0.0.1", "198.51.100.1:4711", "198.51.100.1")
	f("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1")
	f("10.0.0.1", "[2001:db8::1]", "2001:db8::1")
	f("::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1")
	f("fd00::7", "2001:db8::1%eth0", "2001:db8::1")
}

func FuzzClientAddr(f *testing.F) {
	f.Add("1.1.1.1, 198.51.100.1", "10.0.0.2")
	f.Add("[::1]:80,,", ", x")
	trusted := prefixes(f, "10.0.0.0/8")
	proxy := netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, one, two string) {
		got := trusted.clientAddr(proxy, []string{one, two})
		if !got.IsValid() || got.Is4In6() || got.Zone() != "" {
			t.Errorf("%q %q: %v", one, two, got)
		}
		// What the visitor wrote, left of what the nearest proxy added, changes nothing.
		if got := trusted.clientAddr(proxy, []string{one, two + ", 198.51.100.1"}); got != netip.MustParseAddr("198.51.100.1") {
			t.Errorf("%q %q: %v", one, two, got)
		}
		if got := trusted.clientAddr(netip.MustParseAddr("203.0.113.9"), []string{one, two}); got != netip.MustParseAddr("203.0.113.9") {
			t.Errorf("%q %q: %v", one, two, got)
		}
	})
}

func TestPrintable(t *testing.T) {
	f := func(s string, max int, want string) {
		t.Helper()
		if got := printable(s, max); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	f("/go/demo", 100, "/go/demo")
	f("/go/é✓", 100, "/go/é✓")
	f("a\x00b\r\n\x7f", 100, "a%00b%0D%0A%7F")
	f("a\xff\xc3", 100, "a%FF%C3")
	f("a\u0085b", 100, "a%C2%85b")
	f("aééé", 4, "aé")
	f("abcdef", 3, "abc")
}

func FuzzPrintable(f *testing.F) {
	f.Add("/go/\xff é")
	f.Fuzz(func(t *testing.T, s string) {
		got := printable(s, 64)
		if !utf8.ValidString(got) || len(got) > 64+12 || strings.ContainsAny(got, "\x00\r\n\x7f") {
			t.Errorf("%q: %q", s, got)
		}
		if again := printable(got, 128); again != got {
			t.Errorf("%q: %q, then %q", s, got, again)
		}
	})
}

func TestOrigin(t *testing.T) {
	f := func(referrer, want string) {
		t.Helper()
		if got := originOf(referrer); got != want {
			t.Errorf("%q: %q, want %q", referrer, got, want)
		}
	}
	f("", "")
	f("https://www.example.com/path?secret=1#x", "https://www.example.com")
	f("https://www.example.com", "https://www.example.com")
	f("http://user:password@example.com:8080/x", "http://example.com:8080")
	f("android-app://com.slack/", "android-app://com.slack")
	f("https://example.com?q=secret", "https://example.com")
	f("garbage", "")
	f("://x", "")
	f("https:///x", "")
}

func TestParamNames(t *testing.T) {
	f := func(query, want string) {
		t.Helper()
		if got := paramNames(query, affiliateParams); got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
	f("", "")
	f("password=secret&x=1", "")
	f("aff=1&utm_source=x&fpr=y&aff=2&ref", "aff,fpr,ref")
}

func TestBareHosts(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "10.1.2.3:80": true, "localhost": true, "LOCALHOST:99": true, "[::1]": true, "[fe80::1]:80": true,
		"": false, "go.carrot.test": false, "localhost.evil.example": false, "1.2.3": false,
		"1.2.3.4.5": false, "carrot9": false, "[::1": false, "[x]": false, "[::1]x": false, ":80": false,
	} {
		if got := isBareHost(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}
