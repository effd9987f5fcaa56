package click

import (
	"os"
	"testing"
)

// People's browsers, also those inside applications, on televisions, consoles and old phones.
func TestBrowsersAreHuman(t *testing.T) {
	text, err := os.ReadFile("testdata/browsers.txt")
	if err != nil {
		t.Fatal(err)
	}
	list := lines(string(text))
	for _, userAgent := range list {
		if v, reason := Verdict(userAgent, 0); v != Human {
			t.Errorf("%s (%s): %q", v, reason, userAgent)
		}
	}
	if len(list) < 80 {
		t.Errorf("only %d browsers", len(list))
	}
}

// Programs that say so, or that no list of names knows.
func TestToolsAreNotHuman(t *testing.T) {
	for _, userAgent := range []string{
		"node", "undici", "axios/1.7.2", "okhttp/4.12.0", "Dart/3.4 (dart:io)", "Dalvik/2.1.0 (Linux; U; Android 13; SM-A536B)", "Java/17.0.2",
		"PostmanRuntime/7.39.0", "insomnia/9.2.0", "Wget/1.21.4", "libcurl-agent/1.0", "GuzzleHttp/7", "Ruby", "Faraday v2.9.0", "HTTPie/3.2.2",
		"aiohttp/3.9.5", "python-httpx/0.27.0", "Apache-HttpClient/4.5.14 (Java/17)", "ReactorNetty/1.1.19", "Deno/1.44.0", "Bun/1.1.13", "got (x)",
		"Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0)", "AcmeMailGateway 3", "mozilla/5.0 (Windows NT 10.0)", "My Checker", "-", "x",
		"Mozilla/5.0 (compatible; AcmeThing/1.0; +https://acme.test/thing)", "Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0 Safari/537.36 (+http://acme.test)",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36",
		"Mozilla/5.0 (compatible; acme-validator)", "Mozilla/5.0", "Mozilla/5.0 (compatible)", "Mozilla/5.0 AcmeScanner",
	} {
		if v, reason := Verdict(userAgent, 0); v != Bot || reason == "" {
			t.Errorf("%s (%s): %q", v, reason, userAgent)
		}
	}
}

// A word that only looks like one of a program's: isbot leaves it out, and so do we.
func TestWordsThatIsbotLeavesOut(t *testing.T) {
	for userAgent, want := range map[string]bool{
		"Mozilla/5.0 (Linux; Android 9; CUBOT X18)": false, "Mozilla/5.0 (Linux; Android 9; ROBOT X18)": true,
		"Mozilla/5.0 (Linux) Channel/googleplay": false, "Mozilla/5.0 (Linux) googleplay": true, "Mozilla/5.0 (Linux) Google Pixel 2": false,
		"Mozilla/5.0 (Linux) Google/google": false, "Mozilla/5.0 (Linux) CamScanner": false, "Mozilla/5.0 (Linux) Scanner": true,
		"Mozilla/5.0 (Linux) libhttp": false, "Mozilla/5.0 (Linux) okhttp": true, "Mozilla/5.0 (Java; X)": false, "Mozilla/5.0 (Linux) Java 17": true,
		"Mozilla/5.0 (Linux) NewsSapphire": false, "Mozilla/5.0 (Linux) AcmeNews": true,
	} {
		list := crawlers().isbot
		if got := list.find(userAgent) != ""; got != want {
			t.Errorf("%q: %v", userAgent, got)
		}
	}
}
