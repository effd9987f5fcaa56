package terms

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestKind(t *testing.T) {
	products := Products{
		Membership: []string{"*Membership*", "plan:content-pro", "Plan: 101", "All  Access "},
		Training:   []string{"Evergreen Webinar", "3 Leads Per Day", "Weekend Intensive*", "*-day * course", "Lifetime Membership", "plan:9*"},
	}
	f := func(product, plan string, want ProductKind, wantAmbiguous bool) {
		t.Helper()
		if got, ambiguous := products.Kind(product, plan); got != want || ambiguous != wantAmbiguous {
			t.Errorf("%q, plan %q: %s %v, want %s", product, plan, got, ambiguous, want)
		}
	}
	f("Agency Membership", "", Membership, false)
	f("MEMBERSHIP", "", Membership, false)
	f("Agency membership (2020)", "", Membership, false)
	f("  evergreen\u00a0 WEBINAR\t", "", Training, false)
	f("Evergreen  Webinar", "", Training, false)
	f("EvergreenWebinar", "", UnknownProduct, false)
	f("Evergreen Webinar 2", "", UnknownProduct, false)
	f("all access", "", Membership, false)
	f(`Weekend Intensive: "Launch It"`, "", Training, false)
	f("Weekend Intensive", "", Training, false)
	f("A Weekend Intensive", "", UnknownProduct, false)
	f("30-Day SEO Course", "", Training, false)
	f("30-day a-day b course", "", Training, false)
	f("30-day course", "", UnknownProduct, false)
	f("", "", UnknownProduct, false)

	// Plans.
	f("Anything", "Content-Pro", Membership, false)
	f("Anything", " 101 ", Membership, false)
	f("Anything", "1010", UnknownProduct, false)
	f("Anything", "97", Training, false)
	f("plan:content-pro", "", UnknownProduct, false)
	f("Evergreen Webinar", "101", UnknownProduct, true)

	// In both lists.
	f("Lifetime Membership", "", UnknownProduct, true)

	if got, ambiguous := (Products{}).Kind("Agency Membership", "1"); got != UnknownProduct || ambiguous {
		t.Errorf("without patterns: %s", got)
	}
	all := Products{Membership: []string{"*"}, Training: []string{"plan:*"}}
	if got, ambiguous := all.Kind("x", ""); got != Membership || ambiguous {
		t.Errorf("*: %s, %v", got, ambiguous)
	}
}

// A pattern matches what the regular expression of the same meaning matches.
func TestPatternsAsExpressions(t *testing.T) {
	blanks := regexp.MustCompile(`\s+`)
	fold := func(s string) string { return blanks.ReplaceAllString(strings.TrimSpace(strings.ToLower(s)), " ") }
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.RuneFrom([]rune("aAbé *")), 0, 8, -1).Draw(t, "pattern")
		text := rapid.StringOfN(rapid.RuneFrom([]rune("aAbBé É")), 0, 10, -1).Draw(t, "text")
		expression := "(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(fold(pattern)), `\*`, ".*") + "$"
		want := regexp.MustCompile(expression).MatchString(fold(text))
		if got, _ := (Products{Training: []string{pattern}}).Kind(text, ""); (got == Training) != want {
			t.Fatalf("%q, %q: %s, %s says %v", pattern, text, got, expression, want)
		}
	})
}

func FuzzKind(f *testing.F) {
	f.Add("*a*b", "A  b")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		Products{Membership: []string{pattern}}.Kind(text, text)
		if kind, _ := (Products{Training: []string{"*"}}).Kind(text, ""); kind != Training {
			t.Fatalf("* does not match %q", text)
		}
	})
}

func TestKindDoesNotAllocate(t *testing.T) {
	products := Products{Membership: []string{"*Membership*", "plan:content-pro"},
		Training: []string{"Evergreen Webinar", "Weekend Intensive*"}}
	if n := testing.AllocsPerRun(100, func() { products.Kind("Agency Membership", "101") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkKind(b *testing.B) {
	products := Products{Membership: []string{"*Membership*", "plan:content-pro"},
		Training: []string{"Evergreen Webinar", "3 Leads Per Day", "Weekend Intensive*"}}
	b.ReportAllocs()
	for b.Loop() {
		products.Kind("Agency Membership", "101")
	}
}
