package mapping

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

var (
	before = instant("2023-02-15T12:00:00Z")
	cutoff = instant("2023-04-01T07:00:00Z") // the end of March 31 in Los Angeles
	after  = cutoff
)

// program is a small map that has one of everything.
func program() *Map {
	return &Map{
		Policy: Policy{
			Program: "carrot", KeapApp: "xy123",
			LegacyHosts:  []string{"go.carrot.test", "links.carrot.test"},
			AllowedHosts: []string{"carrot.test", "www.carrot.test", "shop.carrot.test:8443"},
			Cutoff:       cutoff, AfterCutoff: AfterRedirect, Inactive: InactiveUncredited,
			Pages: Pages{
				Landing: "https://carrot.test/", Login: "https://new.test/login", Join: "https://carrot.test/join",
				Rejoin: "https://carrot.test/rejoin", PasswordReset: "https://new.test/password-reset", Guide: "https://carrot.test/guide",
			},
			TokenParam: "fpr", SubIDParam: "fp_sid",
			CodeParams: []string{"aff", "affcode"}, IDParams: []string{"affiliate"},
		},
		Links: []Link{
			{Code: "course", Destination: "https://carrot.test/free?plan=pro"},
			{Code: "Shop", Destination: "https://www.carrot.test/shop?ref=summer&item=7&via=keap&a=1&fp_ref=old&color=red%20blue#top"},
			{Code: "shop", Destination: "https://carrot.test/store#catalog"},
			{Code: "bare", Destination: "https://carrot.test"},
			{Code: "odd link", Destination: "https://shop.carrot.test:8443/x?"},
			{Code: "late", Destination: "https://carrot.test/late", Until: cutoff.AddDate(0, 2, 0)},
			{Code: "dot.", Destination: "https://carrot.test/dot"},
		},
		Partners: []Partner{
			{Code: "ANN", Token: "ann", Status: Active, AliasTokens: []string{"annie"}},
			{Code: "ann.lee", Token: "ann-lee", Status: Active},
			{Code: "sleeper", Token: "sleeper", Status: Inactive},
			{Code: "House", Status: House},
			{Code: "Peak", Token: "peak", Status: Active},
			{Code: "peak", Token: "peak-2", Status: Active},
			{Code: "Mirror", Token: "mirror", Status: Active},
			{Code: "mirror", Token: "mirror", Status: Active},
			{Code: "rock&roll", Token: "rock-roll", Status: Active},
			{Code: "josé", Token: "jos-", Status: Active},
			{Code: "twice", Status: Ambiguous},
			{Code: "graced", Token: "graced", Status: Active, Until: cutoff.AddDate(0, 3, 0)},
			{Code: "3Dfan", Token: "3dfan", Status: Active},
			{Code: "login", Token: "login", Status: Active},
			{Code: "bob", Token: "bob", Status: Active},
			{Code: "bob.", Token: "bob-", Status: Active},
			{Code: "par)", Token: "par-", Status: Active},
		},
		IDs:   []ID{{42, "ANN"}, {7, "sleeper"}, {1, "House"}, {9, "Peak"}},
		Paths: []Path{{Path: "/app/orderForms/Spring", Target: "https://carrot.test/spring"}, {Path: "/old-faq", Target: "guide"}},
	}
}

func mustTable(t testing.TB, m *Map) *Table {
	t.Helper()
	table, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestResolve(t *testing.T) {
	table := mustTable(t, program())
	at := before
	f := func(url, outcome, location string) {
		t.Helper()
		d, why := table.Explain(ParseURL(url), at)
		if d.Outcome.String() != outcome || d.Location != location {
			t.Errorf("%s at %s:\n got %s %s\nwant %s %s\n  because %s", url, at.Format(time.RFC3339Nano), d.Outcome, d.Location, outcome, location, strings.Join(why, "; "))
		}
		if quiet := table.Resolve(ParseURL(url), at); quiet != d {
			t.Errorf("%s: Resolve says %+v, Explain %+v", url, quiet, d)
		}
		if want := map[bool]int{true: 302, false: 404}[location != ""]; d.Status() != want {
			t.Errorf("%s: status %d, want %d", url, d.Status(), want)
		}
	}
	const host = "https://go.carrot.test"
	const landing = "https://carrot.test/"

	// The table of answers, before the cutoff.
	f(host+"/go/course/ANN", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	f(host+"/go/course/sleeper", "forward_uncredited", "https://carrot.test/free?plan=pro")
	f(host+"/go/course/stranger", "forward_uncredited", "https://carrot.test/free?plan=pro")
	f(host+"/go/course/PEAK", "forward_uncredited", "https://carrot.test/free?plan=pro")
	f(host+"/go/course/twice", "forward_uncredited", "https://carrot.test/free?plan=pro")
	f(host+"/go/course/House", "forward_uncredited", "https://carrot.test/free?plan=pro")
	f(host+"/go/course", "forward_uncredited", "https://carrot.test/free?plan=pro")
	f(host+"/go/nope/ANN", "forward", landing+"?fpr=ann")
	f(host+"/go/nope/ANN/ad", "forward", landing+"?fpr=ann")
	f(host+"/go/nope/sleeper", "forward_uncredited", landing)
	f(host+"/go/nope/stranger", "not_found", "")
	f(host+"/go/nope/PEAK", "not_found", "")
	f(host+"/go/nope/House", "not_found", "")
	f(host+"/go/nope", "not_found", "")
	f(host+"/go", "not_found", "")
	f(host+"/", "not_found", "")
	f(host, "not_found", "")

	// Codes: exactly, then by case, never guessed.
	f(host+"/go/course/ann", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	f(host+"/go/course/Peak", "forward", "https://carrot.test/free?plan=pro&fpr=peak&fp_sid=course")
	f(host+"/go/course/peak", "forward", "https://carrot.test/free?plan=pro&fpr=peak-2&fp_sid=course")
	f(host+"/go/course/MIRROR", "forward", "https://carrot.test/free?plan=pro&fpr=mirror&fp_sid=course")
	f(host+"/go/COURSE/ANN", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	f(host+"/go/SHOP/ANN", "forward", landing+"?fpr=ann")
	f(host+"/go/SHOP", "not_found", "")
	f(host+"/go/course/rock&roll", "forward", "https://carrot.test/free?plan=pro&fpr=rock-roll&fp_sid=course")
	f(host+"/go/course/rock%26roll", "forward", "https://carrot.test/free?plan=pro&fpr=rock-roll&fp_sid=course")
	f(host+"/go/course/jos%C3%A9", "forward", "https://carrot.test/free?plan=pro&fpr=jos-&fp_sid=course")
	f(host+"/go/course/JOSÉ", "forward", "https://carrot.test/free?plan=pro&fpr=jos-&fp_sid=course")
	f(host+"/go/%63ourse/%41NN", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")

	// Damage; the exact code is stronger than a repair.
	for _, tail := range []string{".", ",", ")", "]", ">", `"`, ").", "%20", "%20%20", "%22", "%3E", "%E2%80%8B", "\u200b", "%EF%BB%BF", "%E2%81%A0.", "/", "//", "/%20", "%C2%A0"} {
		f(host+"/go/course/ANN"+tail, "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	}
	f(host+"/go/course/bob.", "forward", "https://carrot.test/free?plan=pro&fpr=bob-&fp_sid=course")
	f(host+"/go/course/bob,", "forward", "https://carrot.test/free?plan=pro&fpr=bob&fp_sid=course")
	f(host+"/go/dot./ANN", "forward", "https://carrot.test/dot?fpr=ann&fp_sid=dot.")
	f(host+"//go//course//ANN", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	f(host+"/go/cou\u200brse/A%E2%80%8CNN", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	f(host+"/Go/course/ANN", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	f(host+"/go/course/%zz", "forward_uncredited", "https://carrot.test/free?plan=pro")

	// The ad becomes the second half of the sub-id.
	f(host+"/go/course/ANN/spring", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course.spring")
	f(host+"/go/course/ANN/partner.example.com/", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course.partner.example.com")
	f(host+"/go/course/ANN/a%20b&c=d%0d%0ae", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course.abcde")
	f(host+"/go/course/ANN/"+strings.Repeat("x", 90), "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course."+strings.Repeat("x", 64))
	f(host+"/go/course/ANN/ad/more/and/more", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course.ad")
	f(host+"/go/odd%20link/ANN", "forward", "https://shop.carrot.test:8443/x?fpr=ann&fp_sid=odd%20link")

	// The location keeps every byte that is not a reserved name's.
	f(host+"/go/Shop/ANN", "forward", "https://www.carrot.test/shop?item=7&color=red%20blue&fpr=ann&fp_sid=Shop#top")
	f(host+"/go/Shop/sleeper", "forward_uncredited", "https://www.carrot.test/shop?item=7&color=red%20blue#top")
	f(host+"/go/shop/ANN?utm_source=x", "forward", "https://carrot.test/store?utm_source=x&fpr=ann&fp_sid=shop#catalog")
	f(host+"/go/bare/ANN", "forward", "https://carrot.test?fpr=ann&fp_sid=bare")
	f(host+"/go/bare/sleeper?fpr=x", "forward_uncredited", "https://carrot.test")
	f(host+"/go/bare/ANN?x=&y&z=%7e;q=1&FPR=m&fpr%3D=1", "forward", "https://carrot.test?x=&y&z=%7e;q=1&FPR=m&fpr%3D=1&fpr=ann&fp_sid=bare")
	f(host+"/go/bare/ANN?fpr=m&fp_ref=m&via=m&ref=m&a=m&_from=m&_by=m&deal=m&_go=m&_get=m&affiliate=9&aff=m&affcode=m&cookieUUID=m&fp_sid=m&fpc=m&ok=1", "forward", "https://carrot.test?ok=1&fpr=ann&fp_sid=bare")
	f(host+"/go/bare/ANN?%66pr=m&fp%5Fref=m&fpr&_get", "forward", "https://carrot.test?fpr=ann&fp_sid=bare")
	f(host+"/go/bare/ANN?utm_source=x&amp;via=y&amp;amp;utm_medium=z", "forward", "https://carrot.test?utm_source=x&utm_medium=z&fpr=ann&fp_sid=bare")
	f(host+"/go/bare/ANN?utm_campaign=3Dprinters&a b=c", "forward", "https://carrot.test?utm_campaign=3Dprinters&a%20b=c&fpr=ann&fp_sid=bare")
	f(host+"/go/bare/ANN?&&#fpr=m", "forward", "https://carrot.test?fpr=ann&fp_sid=bare")
	f(host+"/go/bare/ANN?next=//evil.example.com", "forward", "https://carrot.test?next=//evil.example.com&fpr=ann&fp_sid=bare")

	// Keap links that were re-pointed here.
	f(host+"/k/course?affiliate=42", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	f(host+"/k/course?affiliate=0042", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	f(host+"/k/course?affiliate=42&affiliate=9&x=1", "forward", "https://carrot.test/free?plan=pro&x=1&fpr=ann&fp_sid=course")
	f(host+"/k/course?u=1&amp;affiliate=3D42", "forward", "https://carrot.test/free?plan=pro&u=1&fpr=ann&fp_sid=course")
	f(host+"/k/course?%61ffiliate=4%32%20", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	f(host+"/k/course?affiliate=7", "forward_uncredited", "https://carrot.test/free?plan=pro")
	f(host+"/k/course?affiliate=1", "forward_uncredited", "https://carrot.test/free?plan=pro")
	for _, id := range []string{"", "0", "-42", "x", "4x2", "1e3", "+42", "99999999999999999999999", "9223372036854775808", "123456"} {
		f(host+"/k/course?affiliate="+id, "forward_uncredited", "https://carrot.test/free?plan=pro")
	}
	f(host+"/k/course?affiliate=&affiliate=42", "forward_uncredited", "https://carrot.test/free?plan=pro")
	f(host+"/k/course?aff=ANN", "forward_uncredited", "https://carrot.test/free?plan=pro")
	f(host+"/k/nope?affiliate=42", "forward", landing+"?fpr=ann")
	f(host+"/k/nope?affiliate=0", "not_found", "")

	// Site parameters at the root; on a tracking link the path's partner wins.
	f(host+"/?aff=ANN", "forward", landing+"?fpr=ann")
	f(host+"?affcode=ANN&utm_source=x", "forward", landing+"?utm_source=x&fpr=ann")
	f(host+"/?affiliate=42", "forward", landing+"?fpr=ann")
	f(host+"/?aff=3Dfan", "forward", landing+"?fpr=3dfan")
	f(host+"/?aff=3DANN", "forward", landing+"?fpr=ann")
	f(host+"/?aff=par)", "forward", landing+"?fpr=par-")
	f(host+"/?aff=3Dpar)", "forward", landing+"?fpr=par-")
	f(host+"/?aff=3DANN).", "forward", landing+"?fpr=ann")
	f(host+"/?aff=stranger", "not_found", "")
	f(host+"/?aff=", "not_found", "")
	f(host+"/go/course/ANN?aff=peak&affiliate=9", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	f(host+"/go/course?aff=peak", "forward_uncredited", "https://carrot.test/free?plan=pro")
	f(host+"/ANN", "not_found", "")

	// Hosts: ours, Keap's of this tenant, any case, any scheme or none.
	for _, h := range []string{"GO.Carrot.TEST", "http://go.carrot.test:8080", "go.carrot.test.", "//links.carrot.test", "https://XY123.infusionsoft.com", "xy123.isrefer.com", "ftp://me@go.carrot.test", " <https://go.carrot.test"} {
		f(h+"/go/course/ANN", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	}
	for _, h := range []string{"https:/go.carrot.test", `https:\\go.carrot.test`, "“https://go.carrot.test", "(https://go.carrot.test", "「go.carrot.test", "\u200ehttps://go.carrot.test", "\u2066go.carrot\u2069.test", "*https://GO.carrot.test"} {
		f(h+"/go/course/ANN", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	}
	f("/go/course/ANN", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	// What stands around a URL in a text goes; what the gateway would see as well stays.
	f(`"https://go.carrot.test/go/bare/ANN?x=1"`, "forward", "https://carrot.test?x=1&fpr=ann&fp_sid=bare")
	f(` <https://go.carrot.test/go/bare/ANN?x=1> `, "forward", "https://carrot.test?x=1&fpr=ann&fp_sid=bare")
	f(`https://go.carrot.test/go/bare/ANN?x=1"`, "forward", `https://carrot.test?x=1"&fpr=ann&fp_sid=bare`)
	f("https://go.carrot.test/go/bare/ANN?x=1>\u200b", "forward", "https://carrot.test?x=1>\u200b&fpr=ann&fp_sid=bare")
	f("“https://go.carrot.test/go/bare/ANN?x=1”", "forward", "https://carrot.test?x=1&fpr=ann&fp_sid=bare")
	f("(https://go.carrot.test/go/bare/ANN?x=1)", "forward", "https://carrot.test?x=1&fpr=ann&fp_sid=bare")
	for _, h := range []string{"https://carrot.test", "https://evil.example.com", "zz999.infusionsoft.com", "https://go.carrot.test@evil.example.com", "https://", "javascript:alert(1)", "", "https://go.carrot.test.evil.example.com"} {
		f(h+"//go/course/ANN", "not_found", "")
	}

	// Portal and one-off paths.
	f(host+"/login", "login", "https://new.test/login")
	f(host+"/login/", "login", "https://new.test/login")
	f(host+"/LOGIN.", "login", "https://new.test/login")
	f(host+"/app/authentication/login?x=1", "login", "https://new.test/login")
	f(host+"/affiliate/ledger?affiliateId=42", "login", "https://new.test/login")
	f(host+"/Affiliate/login/processLogin.jsp?username=42&password=hunter2", "login", "https://new.test/login")
	f(host+"/join", "join", "https://carrot.test/join")
	f(host+"/rejoin", "rejoin", "https://carrot.test/rejoin")
	f(host+"/password-reset", "password_reset", "https://new.test/password-reset")
	f(host+"/guide", "guide", "https://carrot.test/guide")
	f(host+"/old-faq", "guide", "https://carrot.test/guide")
	f(host+"/app/orderForms/Spring?x=1", "forward_uncredited", "https://carrot.test/spring?x=1")
	f(host+"/app/orderForms/unknown", "not_found", "")

	// New links.
	newLinks := func() {
		t.Helper()
		f(host+"/r/ann", "forward", landing+"?fpr=ann")
		f(host+"/r/ANN?utm_source=x", "forward", landing+"?utm_source=x&fpr=ann")
		f(host+"/r/annie", "forward", landing+"?fpr=ann")
		f(host+"/r/ann-lee/course/", "forward", "https://carrot.test/free?plan=pro&fpr=ann-lee&fp_sid=course")
		f(host+"/r/ann/course/ad", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course.ad")
		f(host+"/r/ann/nope", "forward", landing+"?fpr=ann")
		f(host+"/r/sleeper", "forward_uncredited", landing)
		f(host+"/r/sleeper/course", "forward_uncredited", "https://carrot.test/free?plan=pro")
		f(host+"/r/stranger?via=x", "forward_uncredited", landing)
		f(host+"/r/stranger/course", "forward_uncredited", landing)
		f(host+"/r/", "not_found", "")
	}
	newLinks()

	// After the cutoff, to the instant.
	at = cutoff.Add(-time.Millisecond)
	f(host+"/go/course/ANN", "forward", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	at = after
	f(host+"/go/course/ANN?x=1", "login", "https://new.test/login")
	f(host+"/go/course/sleeper", "rejoin", "https://carrot.test/rejoin")
	f(host+"/go/course/stranger", "rejoin", "https://carrot.test/rejoin")
	f(host+"/go/course/PEAK", "rejoin", "https://carrot.test/rejoin")
	f(host+"/go/course", "landing", landing)
	f(host+"/go/course/House", "landing", landing)
	f(host+"/k/course?affiliate=0", "landing", landing)
	f(host+"/k/course?affiliate=1", "landing", landing)
	f(host+"/k/course?affiliate=123456", "rejoin", "https://carrot.test/rejoin")
	f(host+"/k/course?affiliate=42", "login", "https://new.test/login")
	f(host+"/go/nope/ANN", "login", "https://new.test/login")
	f(host+"/go/nope/sleeper", "rejoin", "https://carrot.test/rejoin")
	f(host+"/go/nope/stranger", "not_found", "")
	f(host+"/go/nope/House", "not_found", "")
	f(host+"/?aff=ANN", "login", "https://new.test/login")
	f(host+"/login", "login", "https://new.test/login")
	f(host+"/app/orderForms/Spring", "landing", landing)
	f(host+"/go/course/graced", "forward", "https://carrot.test/free?plan=pro&fpr=graced&fp_sid=course")
	f(host+"/go/late/ANN", "forward", "https://carrot.test/late?fpr=ann&fp_sid=late")
	f(host+"/go/late", "forward_uncredited", "https://carrot.test/late")
	newLinks()
	at = cutoff.AddDate(0, 2, 0)
	f(host+"/go/late/ANN", "login", "https://new.test/login")
	f(host+"/go/late/graced", "forward", "https://carrot.test/late?fpr=graced&fp_sid=late")
	at = cutoff.AddDate(0, 3, 0)
	f(host+"/go/late/graced", "login", "https://new.test/login")
}

// Hosts beyond ASCII are one host in every form, and locations carry it in the form of requests.
func TestHostsBeyondASCII(t *testing.T) {
	for _, written := range []string{"xn--mhre-5qa.test", "Möhre.test", "mo\u0308hre.test"} {
		m := program()
		m.Policy.LegacyHosts = []string{"go." + written}
		m.Policy.AllowedHosts = append(m.Policy.AllowedHosts, written, "shop."+written+":8443")
		m.Policy.Pages.Login = "https://" + written + "/login?é#ü"
		m.Links = append(m.Links, Link{Code: "own", Destination: "https://MÖHRE.test/ä?ü=ö#ß"}, Link{Code: "shop2", Destination: "https://shop.möhre。test:8443"})
		table := mustTable(t, m)
		f := func(host, path, location string) {
			t.Helper()
			for _, req := range []Request{{Host: host, Path: path}, ParseURL("https://" + host + path)} {
				if d := table.Resolve(req, before); d.Location != location {
					t.Errorf("%s, %+v: %q, want %q", written, req, d.Location, location)
				}
			}
		}
		for _, host := range []string{"go.xn--mhre-5qa.test", "GO.XN--MHRE-5QA.TEST:8080", "go.möhre.test", "Go.MÖHRE.test.", "go.mo\u0308hre.test", "go.möhre。test"} {
			f(host, "/go/own/ANN", "https://xn--mhre-5qa.test/ä?ü=ö&fpr=ann&fp_sid=own#ß")
			f(host, "/go/shop2/ANN", "https://shop.xn--mhre-5qa.test:8443?fpr=ann&fp_sid=shop2")
			f(host, "/login", m.Policy.Pages.Login)
		}
		f("go.mohre.test", "/login", "")
		if got := m.Policy.CheckDestination("https://go.möhre.test/x"); got == nil || !strings.Contains(got.Error(), "leads back") {
			t.Errorf("%s: %v", written, got)
		}
	}
}

// A path of the program's own may stand for a link and a partner, and takes the place of no
// parameter.
func TestOwnPaths(t *testing.T) {
	m := program()
	m.Paths = append(m.Paths,
		Path{Path: "/john", Link: "course", Code: "ANN"}, Path{Path: "/jane", Code: "ann.LEE"}, Path{Path: "/gone", Link: "course", Code: "sleeper"},
		Path{Path: "/typo", Link: "course", Code: "nobody"}, Path{Path: "/lost", Link: "no-link", Code: "ANN"}, Path{Path: "/both", Link: "no-link", Code: "nobody"},
		Path{Path: "/go/old/ANN", Target: "https://carrot.test/new"}, Path{Path: "/house", Link: "course", Code: "House"},
		Path{Path: "/", Target: "https://carrot.test/front?x=1"}, Path{Path: "/k/order", Target: "https://carrot.test/order"})
	table := mustTable(t, m)
	f := func(target string, at time.Time, outcome, token, location string) {
		t.Helper()
		req := ParseTarget("go.carrot.test", target)
		d, why := table.Explain(req, at)
		if d.Outcome.String() != outcome || d.Token != token || d.Location != location || table.Resolve(req, at) != d {
			t.Errorf("%s: %s %q %s, want %s %q %s\n because %s", target, d.Outcome, d.Token, d.Location, outcome, token, location, strings.Join(why, "; "))
		}
	}
	f("/john", before, "forward", "ann", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	f("/John/?utm_source=x&fpr=peak&aff=peak", before, "forward", "ann", "https://carrot.test/free?plan=pro&utm_source=x&fpr=ann&fp_sid=course")
	f("/john!", before, "forward", "ann", "https://carrot.test/free?plan=pro&fpr=ann&fp_sid=course")
	f("/john&utm_source=x", before, "forward", "ann", "https://carrot.test/free?plan=pro&utm_source=x&fpr=ann&fp_sid=course")
	f("/jane", before, "forward", "ann-lee", "https://carrot.test/?fpr=ann-lee")
	f("/gone", before, "forward_uncredited", "sleeper", "https://carrot.test/free?plan=pro")
	f("/typo", before, "forward_uncredited", "", "https://carrot.test/free?plan=pro")
	f("/house", before, "forward_uncredited", "", "https://carrot.test/free?plan=pro")
	f("/lost", before, "forward", "ann", "https://carrot.test/?fpr=ann")
	f("/both", before, "not_found", "", "")
	f("/john", after, "login", "ann", "https://new.test/login")
	f("/gone", after, "rejoin", "sleeper", "https://carrot.test/rejoin")
	f("/go/old/ANN", before, "forward_uncredited", "", "https://carrot.test/new")

	for _, root := range []string{"/", "//", "", "/%20"} {
		f(root+"?y=2", before, "forward_uncredited", "", "https://carrot.test/front?x=1&y=2")
	}
	f("/?aff=ANN", before, "forward", "ann", "https://carrot.test/?fpr=ann")
	f("/?aff=ANN!&y=2", before, "forward", "ann", "https://carrot.test/?y=2&fpr=ann")
	f("/?affiliate=42", before, "forward", "ann", "https://carrot.test/?fpr=ann")
	f("/?affiliate=7", before, "forward_uncredited", "sleeper", "https://carrot.test/")
	f("/?aff=stranger", before, "forward_uncredited", "", "https://carrot.test/front?x=1")
	f("/k/order", before, "forward_uncredited", "", "https://carrot.test/order")
	f("/k/order?affiliate=42", before, "forward", "ann", "https://carrot.test/?fpr=ann")

	_, lacks := table.UnknownCredits()
	if got := strings.Join(lacks, "; "); got != `no partner has the code "nobody"; no link has the code "no-link"; no partner has the code "nobody"` {
		t.Error(got)
	}
	back := &Map{Policy: m.Policy}
	for _, e := range m.Entries() {
		if err := back.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if again := back.Entries(); !slices.Equal(again, m.Entries()) || !slices.Contains(back.Paths, Path{Path: "/john", Link: "course", Code: "ANN"}) {
		t.Errorf("entries changed on the way: %q", again)
	}
	for c := range Diff(program(), m) {
		if c.Key == "/john" && c != (Change{Table: "paths", Key: "/john", Change: Added, To: `{"l":"course","c":"ANN"}`}) {
			t.Errorf("%+v", c)
		}
	}
}

func TestResolvePolicies(t *testing.T) {
	const host = "https://go.carrot.test"
	f := func(change func(*Policy), url string, at time.Time, outcome, location string, page bool) {
		t.Helper()
		m := program()
		change(&m.Policy)
		d := mustTable(t, m).Resolve(ParseURL(url), at)
		if d.Outcome.String() != outcome || d.Location != location || d.Page != page {
			t.Errorf("%s: got %s %q page=%v, want %s %q page=%v", url, d.Outcome, d.Location, d.Page, outcome, location, page)
		}
	}
	rejoin := func(p *Policy) { p.Inactive = InactiveRejoin }
	f(rejoin, host+"/go/course/sleeper", before, "rejoin", "https://carrot.test/rejoin", false)
	f(rejoin, host+"/go/nope/sleeper", before, "rejoin", "https://carrot.test/rejoin", false)
	f(rejoin, host+"/r/sleeper", after, "rejoin", "https://carrot.test/rejoin", false)
	forward := func(p *Policy) { p.Inactive = InactiveForward }
	f(forward, host+"/go/course/sleeper", before, "forward", "https://carrot.test/free?plan=pro&fpr=sleeper&fp_sid=course", false)
	f(forward, host+"/go/course/sleeper", after, "rejoin", "https://carrot.test/rejoin", false)
	page := func(p *Policy) { p.AfterCutoff = AfterPage }
	f(page, host+"/go/course/ANN", after, "login", "", true)
	f(page, host+"/go/course", after, "landing", "", true)
	f(page, host+"/login", after, "login", "https://new.test/login", false)
	f(page, host+"/r/ann", after, "forward", "https://carrot.test/?fpr=ann", false)
	roots := func(p *Policy) { p.RootCodes = true }
	f(roots, host+"/ANN", before, "forward", "https://carrot.test/?fpr=ann", false)
	f(roots, host+"/ANN", after, "login", "https://new.test/login", false)
	f(roots, host+"/login", before, "login", "https://new.test/login", false)
	f(roots, host+"/stranger", before, "not_found", "", false)
	params := func(p *Policy) { p.TokenParam, p.SubIDParam, p.CodeParams = "partner", "src", []string{"code"} }
	f(params, host+"/go/bare/ANN?partner=m&src=m&code=m&x=1", before, "forward", "https://carrot.test?x=1&partner=ann&src=bare", false)
	f(params, host+"/?code=ANN", before, "forward", "https://carrot.test/?partner=ann", false)
}

func TestCheckDestination(t *testing.T) {
	p := program().Policy
	f := func(raw string, want error) {
		t.Helper()
		if err := p.CheckDestination(raw); want == nil && err != nil || want != nil && (err == nil || !strings.HasPrefix(err.Error(), want.Error())) {
			t.Errorf("%q: got %v, want %v", raw, err, want)
		}
	}
	f("https://carrot.test", nil)
	f("HTTPS://Carrot.Test/x?y#z", nil)
	f("http://shop.carrot.test:8443/", nil)
	f("https://new.test/other", nil) // a page's host
	f("https://carrot.test/a@b:c\\d", nil)
	f("https://go.carrot.test/go/course", ErrLoop)
	f("https://xy123.infusionsoft.com/aff.html?to=x", ErrLoop)
	f("https://LINKS.carrot.test:443", ErrLoop)
	for _, raw := range []string{
		"", "carrot.test", "//carrot.test", "ftp://carrot.test", "javascript:alert(1)", "https:carrot.test", "https:///carrot.test",
		"https://evil.example.com", "https://carrot.test.evil.example.com", "https://sub.carrot.test", "https://carrot.test:8443",
		"https://shop.carrot.test", "https://user@carrot.test", "https://carrot.test@evil.example.com", `https://evil.example.com\@carrot.test`,
		`https://carrot.test\@evil.example.com`, "https://carrot.test /x", "https://carrot.test/x y", "https://carrot.test/\r\nX: y",
		"https://carrot.test/\u00a0", "https://carrot%2Etest/", "https://carrot.test./", " https://carrot.test", "https://carrot.test/\xff",
	} {
		f(raw, ErrUnsafe)
	}
}
