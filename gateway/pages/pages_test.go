package pages

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"

	"carryover/mapping"
)

func policy() mapping.Policy {
	return mapping.Policy{
		Cutoff: time.Date(2023, 4, 1, 7, 0, 0, 0, time.UTC),
		Pages: mapping.Pages{
			Landing: "https://www.carrot.test/?a=1&b=2", Login: "https://carrot.test/login", Join: "https://carrot.test/join",
			Rejoin: "https://carrot.test/rejoin", PasswordReset: "https://carrot.test/reset", Guide: "https://carrot.test/guide",
		},
	}
}

func TestPagesOfferBothPeopleTheirWay(t *testing.T) {
	losAngeles, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	set, err := Render(policy(), losAngeles)
	if err != nil {
		t.Fatal(err)
	}
	contains := func(name string, p Page, wanted ...string) {
		t.Helper()
		for _, w := range wanted {
			if !strings.Contains(string(p.HTML), w) {
				t.Errorf("%s lacks %q:\n%s", name, w, p.HTML)
			}
		}
	}
	contains("expired", set.Expired, "expired", "March 31, 2023", `href="https://www.carrot.test/?a=1&amp;b=2"`, "Go to carrot.test",
		`href="https://carrot.test/login"`, `href="https://carrot.test/rejoin"`)
	contains("not found", set.NotFound, "does not lead anywhere", `href="https://carrot.test/login"`, `href="https://carrot.test/guide"`)
	contains("unavailable", Unavailable(), "try again")
	contains("failed", Failed(), "try the link again")
}

func TestPagesAreSelfContained(t *testing.T) {
	set, err := Render(policy(), nil)
	if err != nil {
		t.Fatal(err)
	}
	loads := regexp.MustCompile(`(?i)<(script|img|link|iframe|object|embed)|url\(|@import|src=|style="|\son[a-z]+="`)
	for name, p := range map[string]Page{
		"not found": set.NotFound, "expired": set.Expired, "unavailable": Unavailable(), "failed": Failed(),
	} {
		text := string(p.HTML)
		if m := loads.FindString(text); m != "" {
			t.Errorf("%s loads or runs something: %q", name, m)
		}
		for _, w := range []string{`<html lang="en">`, `name="viewport"`, "prefers-color-scheme: dark", "<h1>", "<main>", "noindex"} {
			if !strings.Contains(text, w) {
				t.Errorf("%s lacks %q", name, w)
			}
		}
		style := text[strings.Index(text, "<style>")+7 : strings.Index(text, "</style>")]
		sum := sha256.Sum256([]byte(style))
		if !strings.HasPrefix(p.CSP, "default-src 'none'") || strings.Contains(p.CSP, "unsafe") ||
			!strings.Contains(p.CSP, base64.StdEncoding.EncodeToString(sum[:])) {
			t.Errorf("%s: policy %s", name, p.CSP)
		}
	}
}

func TestPagesEscapeAndLeaveOut(t *testing.T) {
	p := policy()
	p.Cutoff = time.Time{}
	p.Pages = mapping.Pages{Landing: `https://carrot.test/"><script>alert(1)</script>`, Login: "javascript:alert(1)"}
	set, err := Render(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := string(set.Expired.HTML)
	for _, unwanted := range []string{"<script", "javascript:", "Rejoin the"} {
		if strings.Contains(text, unwanted) {
			t.Errorf("%q in %s", unwanted, text)
		}
	}
}
