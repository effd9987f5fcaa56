package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"carryover/mapping"
)

// goodConfig is the least that a configuration must say; %s is for more.
const goodConfig = `program = "carrot"
timezone = "America/Los_Angeles"
cutoff = "2023-03-31"
legacy_hosts = ["go.carrot.test"]
allowed_hosts = ["carrot.test"]
%s
[pages]
landing = "https://carrot.test/"
login = "https://carrot.test/login"
rejoin = "https://carrot.test/rejoin"
`

func parsed(t *testing.T, text string) *Config {
	t.Helper()
	p, err := Parse("c.toml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}

// The text of init is the reference: every key is in it, and it holds no other.
func TestInitShowsEveryKey(t *testing.T) {
	text := example
	// A commented key becomes a key; sentences have no "=" behind one word.
	shown := regexp.MustCompile(`(?m)^# ([a-z_0-9]+ *= )`).ReplaceAllString(text, "$1")
	shown = regexp.MustCompile(`(?m)^# (\[\[)`).ReplaceAllString(shown, "$1")
	shown = regexp.MustCompile(`(?m)^# ([A-Z]{3} = )`).ReplaceAllString(shown, "$1")
	shown = regexp.MustCompile(`(?m)^# ("[^"]+" *= )`).ReplaceAllString(shown, "$1")
	shown = regexp.MustCompile(`(?m)^# ([A-Za-z]+ = "2023)`).ReplaceAllString(shown, "$1")
	parsed(t, shown)
	inText := keyLines([]byte(shown))
	for _, key := range knownKeys(reflect.TypeFor[file](), "") {
		found := false
		for shown := range inText {
			found = found || shown == key || strings.HasPrefix(shown, key+".")
		}
		if !found {
			t.Errorf("%s is not in the text of init", key)
		}
	}
	// A key that only stands in the text would have been an error of parsed; so would a
	// default that the text states and the code does not have:
	bare := parsed(t, `
program = "carrot"
cutoff = "2023-03-31"
legacy_hosts = ["go.carrot.com"]
[pages]
landing = "https://carrot.com/"
login = "https://carrot.firstpromoter.com/login"
rejoin = "https://carrot.com/rejoin"
`)
	full := parsed(t, text)
	bare.Policy.KeapApp, bare.Policy.AllowedHosts, bare.Policy.Pages = full.Policy.KeapApp, full.Policy.AllowedHosts, full.Policy.Pages
	bare.Zone, bare.Grace.Zone, bare.Policy.Cutoff = full.Zone, full.Zone, full.Policy.Cutoff // what is no default
	bare.Import.Exclude = []string{}
	if !reflect.DeepEqual(bare, full) {
		t.Errorf("the defaults of the code are not those of the text:\n%+v\n%+v", bare, full)
	}
}

// Each mistake is told with its file, line and key, and with what would be right.
func TestConfigMistakes(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, err := Parse("c.toml", []byte(text))
		if err == nil {
			t.Errorf("no error, want %q:\n%s", want, text)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("the error lacks %q:\n%v", w, err)
			}
		}
		for _, bad := range []string{"hunter2", "struct", "interface", "reflect", "main.", "config.", "%!", "[]string", "map["} {
			if strings.Contains(err.Error(), bad) {
				t.Errorf("the error holds %q:\n%v", bad, err)
			}
		}
	}
	top := func(line string) string { return fmt.Sprintf(goodConfig, line) } // on line 6
	end := func(lines string) string { return top("") + lines }              // from line 11 on
	swap := func(old, new string) string {
		return regexp.MustCompile(`(?m)^`+old+` =.*`).ReplaceAllString(top(""), new)
	}
	parsed(t, top(""))

	// unknown keys
	f(top(`cutof = "2023-03-31"`), "c.toml:6: unknown key cutof: did you mean cutoff?")
	f(top(`Cut_Off = 1`), "c.toml:6: unknown key Cut_Off: did you mean cutoff?")
	f(top(`login = "x"`), "c.toml:6: unknown key login: it belongs under [pages]")
	f(top(`foo = 1`), `c.toml:6: unknown key foo: "carryover init" shows every key there is`)
	f(end("[links]\ntokenparam = \"x\""), "c.toml:12: unknown key links.tokenparam: did you mean links.token_param?")
	f(end("colour = 1"), "c.toml:11: unknown key pages.colour: [pages] takes landing, login, join, rejoin, password_reset, guide")
	f(end("[gatway]\nlisten = \"x\""), "unknown key gatway", "did you mean gateway?")
	f(top("aa = 1\nbb = 2"), "c.toml:6: unknown key aa", "c.toml:7: unknown key bb", "2 mistakes")

	// types
	f(swap("legacy_hosts", `legacy_hosts = "go.carrot.test"`), "c.toml:4:", "legacy_hosts must be a list of texts", "text in quotes")
	f(end("[links]\nroot_codes = \"yes\""), "c.toml:12:", "links.root_codes must be true or false", "text in quotes")
	f(swap("program", "program = 7"), "c.toml:1:", "program must be text in quotes, and here it is a number")
	f(swap("program", "program = true"), "program must be text in quotes, and here it is true or false")
	f(swap("program", "program = 2023-03-31"), "program must be text in quotes, and here it is a date")
	f(end("[terms]\npayout_days = [\"ten\"]"), "c.toml:12:", "terms.payout_days")
	f(top("partners = \"x\""), "c.toml:6:", "partners must be a table: a line [partners]")
	f(end("[program]\nx = 1"), "c.toml:11", "program")

	// no TOML at all
	f(`program = "carrot`, "c.toml:1:")
	f("program = carrot", "c.toml:1:", "quotes")
	f(end(`login = "https://carrot.test/"`), "c.toml:11:", "login", "already defined")
	f("p\x00r\x00", "c.toml is not UTF-8 text")

	// what is missing
	f("", "c.toml: program is missing: it must be a short name", "cutoff is missing", "legacy_hosts is missing", "pages.landing is missing", "pages.login is missing", "pages.rejoin is missing")

	// cutoff and other dates
	for _, bad := range []string{`"31.3.2023"`, `"2023-02-30"`, `"March 31, 2023"`, `""`, `20230331`, `"2023-03-31T10:00:00"`, `2023-03-31T10:00:00`, `10:00:00`, `true`, `["2023-03-31"]`} {
		f(swap("cutoff", "cutoff = "+bad), "c.toml:3", "cutoff", `a date such as "2023-03-31"`)
	}
	f(swap("cutoff", "cutoff = 2023-02-30"), "c.toml:3:", "cutoff", "impossible date", `a date such as "2023-03-31"`)
	f(end("[import]\nas_of = \"yesterday\""), `c.toml:12: import.as_of = "yesterday": it must be a date`)
	f(end("[partners.grace]\nGOOD = \"2023-06-30\"\nLATE = \"soon\""), `c.toml:13: partners.grace.LATE = "soon": it must be a date`)
	f(end("[links.grace]\n\"a.b\" = 7"), `c.toml:12: links.grace.a.b = 7: it must be a date`)
	for _, bad := range []string{`"PST8"`, `""`, `"Local"`, `"-07:00"`} {
		f(swap("timezone", "timezone = "+bad), "c.toml:2: timezone", `a name such as "America/Los_Angeles"`)
	}

	// hosts and addresses
	f(swap("legacy_hosts", "legacy_hosts = []"), "c.toml:4: legacy_hosts is missing", `["go.carrot.com"]`)
	f(swap("legacy_hosts", `legacy_hosts = [""]`), "c.toml:4: legacy_hosts must be a host without a scheme")
	f(swap("legacy_hosts", `legacy_hosts = ["https://go.carrot.test/"]`), `c.toml:4: legacy_hosts = "https://go.carrot.test/": it must be a host without a scheme`)
	f(swap("allowed_hosts", `allowed_hosts = ["carrot.test/shop"]`), `c.toml:5: allowed_hosts = "carrot.test/shop"`)
	f(swap("login", `login = "https://go.carrot.test/login"`), `c.toml:9: pages.login = "https://go.carrot.test/login"`, "leads back to the old links")
	f(swap("login", `login = "carrot.test/login"`), `c.toml:9: pages.login = "carrot.test/login"`, "https")
	f(swap("login", `login = ""`), "c.toml:9: pages.login is missing")
	f(end("[paths]\n\"/y\" = \"https://evil.test/\"\n\"z\" = \"login\"\n\"/w\" = \"logn\""), `c.toml:12: paths./y = "https://evil.test/"`, "c.toml:13: paths.z", "begins with /", `c.toml:14: paths./w = "logn"`, "name of a page")

	// paths that could never match, and destinations that would lose their credit
	for path, want := range map[string]string{
		"/faq?x=1": "without a query", "/faq#top": "without a query", "https://go.carrot.test/faq": "without a host", "//go.carrot.test/faq": "without a host",
		"go.carrot.test/faq": "begins with /", "": "begins with /", "///": "without a host", "/a\\u0007b": "as requests carry it",
		"/api/x": "answers this one itself", "/readyz": "answers this one itself", "/favicon.ico": "answers this one itself",
	} {
		f(end("[paths]\n\""+path+"\" = \"guide\""), "c.toml:12: paths.", want)
	}
	f(end("[paths]\n\"/x\" = \"https://carrot.test/y?ref=john&a=b&x=1\""), `c.toml:12: paths./x = "https://carrot.test/y?ref=john&a=b&x=1"`, "without ref, a", `{ link = "course", code = "John" }`)
	f(end("[paths]\n\"/x\" = 7"), "c.toml:12: paths./x = 7", `{ link = "course", code = "John" }`)
	f(end("[paths]\n\"/x\" = { link = \"course\" }"), "c.toml:12: paths./x.code is missing", `such as "John"`)
	f(end("[paths]\n\"/x\" = { link = 7, code = \"\" }"), "paths./x.link = 7", "paths./x.code must be", "a code in quotes")
	f(end("[paths]\n\"/x\" = { code = \"John\", to = \"https://carrot.test\" }"), "paths./x.to", "link or code")

	// secrets are refused and not repeated
	f(end("[redis]\nurl = \"redis://u:hunter2@127.0.0.1:6379/0\""), "c.toml:12: redis.url", "without a password", "REDIS_URL")
	f(end("[redis]\nurl = \"redis://u:hunter2@%zz:6379/0\""), "c.toml:12: redis.url", "redis://127.0.0.1:6379/0")
	f(end("[redis]\nurl = \"127.0.0.1:6379\""), "c.toml:12: redis.url", "redis://127.0.0.1:6379/0")
	f(end("[book]\ndsn = \"postgres://u:hunter2@db/carrot\""), "c.toml:12: book.dsn", "SQLite")
	f(end("[book]\ndsn = \"mysql://u:hunter2@db/carrot\""), "c.toml:12: book.dsn", "SQLite")

	// the rest
	f(swap("program", `program = "my {program}"`), `c.toml:1: program = "my {program}"`, "without blanks, braces")
	f(top(`keap_app = "xy123.infusionsoft.com"`), "c.toml:6: keap_app", `"xy123" of xy123.infusionsoft.com`)
	f(top(`currency = "dollars"`), `c.toml:6: currency = "dollars"`, `"USD"`)
	f(top(`after_cutoff = "close"`), `c.toml:6: after_cutoff = "close": it must be one of "redirect", "page"`)
	f(end("[partners]\ninactive = \"drop\""), "c.toml:12: partners.inactive", "forward_uncredited", "rejoin")
	f(end("[links]\ntoken_param = \"f&r\"\nid_params = [\"\"]"), "c.toml:12: links.token_param", "c.toml:13: links.id_params")
	f(end("[import]\ndates = \"dmy\"\nowner = \"me\"\nnumbers = \"comma\""), "c.toml:12: import.dates", "day_first", "c.toml:13: import.owner",
		"c.toml:14: import.numbers", "decimal_comma")
	f(end("[import]\ntolerate_rejects = \"a few\""), "c.toml:12: import.tolerate_rejects", "share", "1%")
	f(end("[import.headers.partners]\n\"Their No.\" = \"nummer\"\n[import.headers.people]\n\"A\" = \"code\""), "c.toml:12: import.headers.partners.Their No.", "id, contact_id", "c.toml:13: import.headers.people", "partners, contacts, links")
	f(end("[gateway]\nadmin_hosts = [\"*.internal\"]"), "c.toml:12: gateway.admin_hosts", "one host in full")
	f(end("[gateway]\nadmin_hosts = [\"http://ops\"]"), "c.toml:12: gateway.admin_hosts", "without a scheme")
	f(end("[gateway]\nlisten = \"8080\"\nadmin_listen = \"::\"\nkeep_clicks = \"3d\"\ntrusted_proxies = [\"me\"]\ndurability = \"most\"\ncookie_domain = \"https://carrot.test\""),
		"6 mistakes", "c.toml:12: gateway.listen", "c.toml:13: gateway.admin_listen", "c.toml:14: gateway.keep_clicks", `"9600h"`, "c.toml:15: gateway.trusted_proxies", "10.0.0.0/8", "c.toml:16: gateway.durability", "c.toml:17: gateway.cookie_domain")
	for domain, want := range map[string]string{
		"https://carrot.test": "without a scheme", "carrot.test:443": "without a scheme", "carrot.test/": "without a scheme", "a b.test": "without a scheme",
		"co.uk": "strangers have hosts", "github.io": "strangers have hosts", "CO.UK": "strangers have hosts",
		"test": "without a dot", "localhost": "without a dot", "192.0.2.7": "whole address", "[2001:db8::1]": "whole address",
		"www.carrot.test": "legacy_hosts", "arrot.test": "legacy_hosts", "other.test": "legacy_hosts", "x.go.carrot.test": "legacy_hosts",
	} {
		f(end("[gateway]\ncookie_domain = \""+domain+"\""), `c.toml:12: gateway.cookie_domain = "`+domain+`"`, want)
	}
	for _, h := range []string{"*.carrot.test", "*", "go.*"} {
		f(swap("legacy_hosts", `legacy_hosts = ["`+h+`"]`), "legacy_hosts = \""+h+"\"", "name every one")
		f(swap("allowed_hosts", `allowed_hosts = ["`+h+`"]`), "allowed_hosts = \""+h+"\"", "name every one")
	}
	for _, h := range []string{"", "http://carrot.test", "a..test", ".test", "carrot.test/x", "carrot.test:http", "carrot.test:99999", "a b", "xn--\u00fc.test", "me@carrot.test"} {
		f(swap("legacy_hosts", `legacy_hosts = ["`+h+`"]`), "legacy_hosts", "a host without a scheme or path")
	}
	f(end("[terms]\nmembership_percent = 125\ntraining_percent = \"half\"\npayout_days = [15, 10]\nminimum = \"-25\"\nrequires = [\"w8\"]\nhold = [1]"),
		"c.toml:12: terms.membership_percent", "0 to 100", "c.toml:13: terms.training_percent", "c.toml:14: terms.payout_days", "[10, 15]", "c.toml:15: terms.minimum", `"25.00"`, "c.toml:16: terms.requires", "c.toml:17: terms.hold")
	f(end("[firstpromoter]\nbase_url = \"firstpromoter\"\ncampaign_id = \"main\""), "c.toml:12: firstpromoter.base_url", "c.toml:13: firstpromoter.campaign_id", `"77"`)

	// tracking
	f(end("[tracking]\nper_minute = -1\nper_second = 3"), "unknown key tracking.per_second")
	f(end("[tracking]\nper_minute = -1"), "c.toml:12: tracking.per_minute = -1: it must be a number of calls; 0 is no limit")
	f(end("[tracking.currencies]\nEUR = \"1,08\"\nJPY = \"0\"\nCHF = \"1.123456789\"\neuro = \"1\"\nUSD = \"1\""),
		`c.toml:12: tracking.currencies.EUR = "1,08": it must be a number above 0`, "c.toml:13:", "c.toml:14:", `c.toml:15: tracking.currencies.euro = "euro"`, "three-letter", "c.toml:16: tracking.currencies.USD")
	f(end("[tracking.currencies]\nEUR = 1.08"), "c.toml:12:", "tracking.currencies.EUR must be text in quotes, and here it is a number")
	f(end("[partners]\ninactive_earns = \"no\""), "c.toml:12:", "partners.inactive_earns must be true or false")
	f(end("[terms]\ntraining = \"twice\""), `c.toml:12: terms.training = "twice": it must be one of "every", "once"`)
	f(end("[terms]\nchange = 20"), "c.toml:12:", "terms.change must be a list of tables: a line [[terms.change]]")
	f(end("[[terms.change]]\nfrom = \"2024-01-01\"\nmembership_percent = 20\n\n[[terms.change]]\nfrom = \"soon\"\ntraining_percent = 140\n\n[[terms.change]]\nfrom = \"2025-01-01\""),
		`c.toml:16: terms.change.2.from = "soon": it must be a date such as "2024-01-01"`, "c.toml:17: terms.change.2.training_percent = 140", "c.toml:19: terms.change.3.membership_percent is missing")
	f(end("[[terms.change]]\nmembership_percent = 20"), "c.toml:11: terms.change.1.from is missing")
	f(end("[[terms.change]]\nform = \"2024-01-01\""), "c.toml:12: unknown key terms.change.form")
}

// Hosts are compared in the form in which requests carry them, however the file writes them.
func TestHostsAreKeptInASCII(t *testing.T) {
	text := strings.NewReplacer(`["go.carrot.test"]`, `["GO.Möhre.test.", "b\u0075\u0308cher.test", "xn--bcher-kva.test", "go_2.carrot.test"]`,
		`["carrot.test"`, `["Möhre.test:8443", "[2001:DB8::1]:80"`).Replace(fmt.Sprintf(goodConfig, ""))
	cfg := parsed(t, text+"[gateway]\ncookie_domain = \".MÖHRE.test\"\n")
	if got := strings.Join(cfg.Policy.LegacyHosts, " "); got != "go.xn--mhre-5qa.test xn--bcher-kva.test xn--bcher-kva.test go_2.carrot.test" {
		t.Errorf("legacy hosts %s", got)
	}
	if got := strings.Join(cfg.Policy.AllowedHosts, " "); !strings.HasPrefix(got, "xn--mhre-5qa.test:8443 [2001:db8::1]:80") {
		t.Errorf("allowed hosts %s", got)
	}
	if cfg.Gateway.CookieDomain != "xn--mhre-5qa.test" {
		t.Errorf("cookie_domain %s", cfg.Gateway.CookieDomain)
	}
}

// A path leads to a page or an address, or stands for a link and a partner.
func TestOwnPaths(t *testing.T) {
	cfg := parsed(t, fmt.Sprintf(goodConfig, "")+"[paths]\n\"/faq\" = \"guide\"\n\"/\" = \"https://carrot.test/x?y=1\"\n"+
		"\"/john\" = { link = \"course\", code = \"John\" }\n[paths.\"/jane\"]\ncode = \"Jane\"\n")
	want := []mapping.Path{{Path: "/", Target: "https://carrot.test/x?y=1"}, {Path: "/faq", Target: "guide"}, {Path: "/jane", Code: "Jane"}, {Path: "/john", Link: "course", Code: "John"}}
	if !slices.Equal(cfg.Paths, want) {
		t.Errorf("%+v", cfg.Paths)
	}
}

func TestConfigFile(t *testing.T) {
	plain := fmt.Sprintf(goodConfig, "")
	want := parsed(t, plain)
	for name, text := range map[string]string{
		"byte order mark":     "\ufeff" + plain,
		"CRLF":                strings.ReplaceAll(plain, "\n", "\r\n"),
		"both":                "\ufeff" + strings.ReplaceAll(plain, "\n", "\r\n"),
		"no end of the line":  strings.TrimSuffix(plain, "\n"),
		"native date":         strings.Replace(plain, `"2023-03-31"`, "2023-03-31", 1),
		"native instant":      strings.Replace(plain, `"2023-03-31"`, "2023-04-01T00:00:00-07:00", 1),
		"quoted instant":      strings.Replace(plain, `"2023-03-31"`, `"2023-04-01T07:00:00Z"`, 1),
		"hosts in capitals":   strings.Replace(plain, `"go.carrot.test"`, `"GO.Carrot.Test"`, 1),
		"dotted keys":         strings.Replace(strings.Replace(plain, "[pages]\n", "", 1), "landing =", "pages.landing =", 1),
		"a table on one line": regexp.MustCompile(`(?s)\[pages\].*`).ReplaceAllString(plain, `pages = { landing = "https://carrot.test/", login = "https://carrot.test/login", rejoin = "https://carrot.test/rejoin" }`),
	} {
		if name == "dotted keys" {
			text = strings.Replace(strings.Replace(text, "\nlogin =", "\npages.login =", 1), "\nrejoin =", "\npages.rejoin =", 1)
		}
		got := parsed(t, text)
		if got.Settings().ConfigHash != want.Settings().ConfigHash || !got.Policy.Cutoff.Equal(want.Policy.Cutoff) {
			t.Errorf("%s: the configuration is another: cutoff %v", name, got.Policy.Cutoff)
		}
	}
	// The line of a mistake is the line of an editor, whatever ends the lines.
	text := "\ufeff" + strings.ReplaceAll(fmt.Sprintf(goodConfig, "cutof = 1"), "\n", "\r\n")
	if _, err := Parse("c.toml", []byte(text)); err == nil || !strings.Contains(err.Error(), "c.toml:6: unknown key cutof") {
		t.Errorf("with CRLF: %v", err)
	}
}

func TestCutoffInstant(t *testing.T) {
	f := func(cutoff, zone, want string) {
		t.Helper()
		text := strings.Replace(fmt.Sprintf(goodConfig, ""), `"2023-03-31"`, cutoff, 1)
		p := parsed(t, strings.Replace(text, "America/Los_Angeles", zone, 1))
		if got := p.Policy.Cutoff.UTC().Format(time.RFC3339Nano); got != want {
			t.Errorf("cutoff %s in %s: %s, want %s", cutoff, zone, got, want)
		}
	}
	f(`"2023-03-31"`, "America/Los_Angeles", "2023-04-01T07:00:00Z")
	f(`2023-03-31`, "America/Los_Angeles", "2023-04-01T07:00:00Z")
	f(`"2023-01-31"`, "America/Los_Angeles", "2023-02-01T08:00:00Z") // winter
	f(`"2023-03-11"`, "America/Los_Angeles", "2023-03-12T08:00:00Z") // the night before clocks go forward
	f(`"2023-03-12"`, "America/Los_Angeles", "2023-03-13T07:00:00Z") // a day of 23 hours
	f(`"2023-11-05"`, "America/Los_Angeles", "2023-11-06T08:00:00Z") // a day of 25 hours
	f(`"2023-12-31"`, "America/Los_Angeles", "2024-01-01T08:00:00Z")
	f(`"2024-02-28"`, "UTC", "2024-02-29T00:00:00Z")
	f(`"2023-03-31"`, "UTC", "2023-04-01T00:00:00Z")
	f(`"2023-03-25"`, "Europe/Berlin", "2023-03-25T23:00:00Z")
	f(`"2023-03-26"`, "Europe/Berlin", "2023-03-26T22:00:00Z")
	f(`"2023-03-31"`, "Asia/Kolkata", "2023-03-31T18:30:00Z")
	f(`"2023-03-31"`, "Pacific/Kiritimati", "2023-03-31T10:00:00Z")
	f(`"2023-03-25"`, "Asia/Beirut", "2023-03-25T22:00:00Z") // where clocks go forward at midnight
	f(`"2023-04-01T00:00:00-07:00"`, "America/Los_Angeles", "2023-04-01T07:00:00Z")
	f(`2023-04-01T00:00:00-07:00`, "Europe/Berlin", "2023-04-01T07:00:00Z")
	f(`"2023-04-01T06:59:59.999Z"`, "UTC", "2023-04-01T06:59:59.999Z")
	grace := parsed(t, fmt.Sprintf(goodConfig, "")+"[partners.grace]\nDESK = \"2023-06-30\"\nLATE = 2023-07-01T00:00:00Z\n[links.grace]\n\"a b\" = 2023-06-30\n")
	if got := grace.Grace.Partners["DESK"].Format(time.RFC3339); got != "2023-07-01T07:00:00Z" {
		t.Errorf("grace date of a partner: %s", got)
	}
	if got := grace.Grace.Partners["LATE"].Format(time.RFC3339); got != "2023-07-01T00:00:00Z" {
		t.Errorf("grace instant of a partner: %s", got)
	}
	if got := grace.Grace.Links["a b"].Format(time.RFC3339); got != "2023-07-01T07:00:00Z" {
		t.Errorf("grace date of a link: %s", got)
	}
}

// What holds from a day on begins with its first instant in the program's zone.
func TestConfigOfTracking(t *testing.T) {
	p := parsed(t, fmt.Sprintf(goodConfig, "")+`
[partners]
inactive_earns = false
[terms]
training = "once"
[[terms.change]]
from = 2024-01-01
membership_percent = 20
[[terms.change]]
from = "2024-07-01"
membership_percent = 22.5
training_percent = "40%"
[tracking]
per_minute = 0
[tracking.currencies]
EUR = "1.0825"
JPY = "0.67"
[firstpromoter]
campaign_id = "77"
`)
	got := p.Terms
	var changes []string
	for _, c := range got.RateChanges {
		changes = append(changes, fmt.Sprint(time.Unix(c.From, 0).UTC().Format(time.RFC3339), " ", c.Kind, " ", c.Percent))
	}
	if want := []string{"2024-01-01T08:00:00Z membership 20%", "2024-07-01T07:00:00Z membership 22.5%", "2024-07-01T07:00:00Z training 40%"}; !slices.Equal(changes, want) {
		t.Errorf("changes: %q", changes)
	}
	if !got.TrainingOnce || p.CreditPolicy.InactiveEarn || p.Tracking.PerMinute != 0 || p.FirstPromoter.Campaign != 77 || p.Tracking.Rates["EUR"].String() != "1.0825" || p.Tracking.Rates["JPY"].String() != "0.67" {
		t.Errorf("%+v", p)
	}
	bare := parsed(t, fmt.Sprintf(goodConfig, ""))
	if bare.Terms.TrainingOnce || len(bare.Terms.RateChanges) != 0 || !bare.CreditPolicy.InactiveEarn || bare.Tracking.PerMinute != 600_000 || bare.FirstPromoter.Campaign != 0 {
		t.Errorf("what is not said: %+v", bare)
	}
}

func TestJoinConfig(t *testing.T) {
	without := func(page string) string { // the least, without one of its pages
		return regexp.MustCompile(`(?m)^`+page+` = .*\n`).ReplaceAllString(fmt.Sprintf(goodConfig, ""), "")
	}
	p := parsed(t, without("rejoin")+"[join]\nmode = \"builtin\"\n")
	if pages := p.Policy.Pages; !p.Policy.BuiltinJoin || !p.Join.Builtin || pages.Join != "https://go.carrot.test/join" || pages.Rejoin != "https://go.carrot.test/rejoin" || p.Join.Auto {
		t.Errorf("%+v, %+v", p.Policy, p.Join)
	}
	p = parsed(t, strings.Replace(fmt.Sprintf(goodConfig, ""), "https://carrot.test/rejoin", "https://go.carrot.test/rejoin", 1)+"join = \"https://carrot.test/signup\"\n[join]\nmode = \"builtin\"\napproval = \"auto\"\nterms_url = \"https://carrot.test/terms\"\n[paths]\n\"/signup\" = \"join\"\n\"/join\" = \"join\"\n")
	if pages := p.Policy.Pages; !p.Join.Auto || p.Join.TermsURL != "https://carrot.test/terms" || pages.Join != "https://carrot.test/signup" || pages.Rejoin != "https://go.carrot.test/rejoin" {
		t.Errorf("%+v", pages)
	}
	if p = parsed(t, fmt.Sprintf(goodConfig, "")); p.Policy.BuiltinJoin || p.Join != (Join{}) {
		t.Errorf("without [join]: %+v", p.Join)
	}
	f := func(text string, want ...string) {
		t.Helper()
		_, err := Parse("c.toml", []byte(text))
		if err == nil {
			t.Errorf("no error, want %q:\n%s", want, text)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("the error lacks %q:\n%v", w, err)
			}
		}
	}
	end := func(lines string) string { return fmt.Sprintf(goodConfig, "") + lines }
	f(without("rejoin"), "pages.rejoin is missing")
	f(end("join = \"https://go.carrot.test/join\""), "c.toml:11: pages.join", "leads back to the old links")
	f(end("join = \"https://go.carrot.test/go/x\"\n[join]\nmode = \"builtin\""), "c.toml:11: pages.join", "leads back to the old links")
	f(end("[join]\nmode = \"own\"\napproval = \"yes\"\nterms_url = \"terms.html\""),
		`c.toml:12: join.mode = "own": it must be one of "page", "builtin"`, `c.toml:13: join.approval = "yes": it must be one of "manual", "auto"`, `c.toml:14: join.terms_url = "terms.html"`, "https://")
	f(end("[join]\nmode = \"builtin\"\n[paths]\n\"/join\" = \"https://carrot.test/signup\""), "c.toml:14: paths./join", "the gateway has a form there")
	f(end("[join]\nmod = \"builtin\""), "unknown key join.mod", "did you mean join.mode?")
}

func TestReservedNames(t *testing.T) {
	text := strings.Replace(fmt.Sprintf(goodConfig, ""), "https://carrot.test/rejoin", "https://members.parsnip.co.uk/rejoin", 1) +
		"[join]\nmode = \"builtin\"\nreserved = [\"Farm Academy\", \"HP\"]\n"
	r := parsed(t, text).Join.Reserved
	for name, want := range map[string]string{
		"carr0t": "carrot", "go": "go", "Parsnips": "parsnip", "members": "members", "farmacademy news": "Farm Academy", "hp": "HP", "HP Support": "HP",
		"infusionsoft": "infusionsoft", "Member Lane": "", "Supp0rt": "support", "Ann Support": "", "Uk Lane": "", "Tess Test": "", "Philip Hopper": "", "Ann Go": "",
	} {
		if got, _ := r.Match(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	for email, want := range map[string]bool{
		"a@carrot.test": true, "a@go.carrot.test": true, "a@parsnip.co.uk": true, "a@other.co.uk": false, "a@other.test": false,
	} {
		if _, got := r.MatchAddress(email); got != want {
			t.Errorf("%s: %t", email, got)
		}
	}
	_, err := Parse("c.toml", []byte(strings.Replace(text, "HP", " - ", 1)))
	if err == nil || !strings.Contains(err.Error(), "join.reserved") || !strings.Contains(err.Error(), "a letter or a digit") {
		t.Errorf("%v", err)
	}
}
