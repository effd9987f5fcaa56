package report

import (
	"regexp"
	"strings"
	"testing"

	"carryover/migrate"
)

func TestPageText(t *testing.T) {
	for _, name := range []string{"blocked", "ready", "settled"} {
		golden(t, name+".html", render(t, plans()[name]))
	}
}

func render(t *testing.T, p *migrate.Plan) string {
	t.Helper()
	var b strings.Builder
	if err := HTML(&b, p, "carrot"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageLoadsAndRunsNothing(t *testing.T) {
	loads := regexp.MustCompile(`(?i)<(script|img|iframe|object|embed|form|base|a )|url\(|@import|src=|style="|href="[^d]|\son[a-z]+="`)
	for name, plan := range plans() {
		text := render(t, plan)
		if m := loads.FindString(text); m != "" {
			t.Errorf("%s: %q loads or runs something", name, m)
		}
		for _, want := range []string{
			`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`,
			`<html lang="en">`, `name="viewport"`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %s", name, want)
			}
		}
		if strings.Contains(text, "ZgotmplZ") {
			t.Errorf("%s: the template refuses a value", name)
		}
	}
}

func TestPageOfThousandsStaysReadable(t *testing.T) {
	text := render(t, crowded())
	for _, want := range []string{
		"The first 100 of 1,200 cases", "And 1,100 more in <code>conflicts.csv</code>, kind <code>duplicate</code>",
		"The first 100 of 5,000 cases", "And 4,900 more in <code>conflicts.csv</code>, kind <code>needs_email</code>",
		"The first 100 of 10,000 cases, the largest gap first", "And 9,900 more in <code>findings.csv</code>, kind <code>rate</code>",
		"And 9,900 more in <code>conflicts.csv</code>, kind <code>unbalanced_ledger</code>", "4,000 to decide",
		"The first 100 decisions", "And 5,900 more in <code>conflicts.csv</code>, column <code>decided_by</code>", "by 31 others",
		"code-0008, code-0009 and 3,990 more", "The ten largest have",
		"The first 200 rows", "And 4,800 more in <code>rejects/</code>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if n := strings.Count(text, "<tr>"); n > 900 {
		t.Errorf("%d rows", n)
	}
	if len(text) > 250_000 {
		t.Errorf("%d bytes", len(text))
	}
}

func TestPageShowsNamesOfSecretColumnsOnly(t *testing.T) {
	text := render(t, blocked())
	if !strings.Contains(text, "Password, SSN") {
		t.Error("the dropped columns are not named")
	}
}

func TestShares(t *testing.T) {
	f := func(loaded, rejected, skipped int, want ...share) {
		t.Helper()
		got := shares(migrate.FilePlan{Loaded: loaded, Rejected: rejected, Skipped: skipped})
		if len(got) != len(want) {
			t.Fatalf("shares(%d, %d, %d) = %v, want %v", loaded, rejected, skipped, got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("shares(%d, %d, %d) = %v, want %v", loaded, rejected, skipped, got, want)
			}
		}
	}
	f(0, 0, 0)
	f(5, 0, 0, share{"loaded", 0, 100})
	f(1, 1, 2, share{"loaded", 0, 25}, share{"rejected", 25, 25}, share{"skipped", 50, 50})
	f(1_000_000, 1, 0, share{"loaded", 0, 98.5}, share{"rejected", 98.5, 1.5})
	f(0, 1, 1_000_000, share{"rejected", 0, 1.5}, share{"skipped", 1.5, 98.5})
}
