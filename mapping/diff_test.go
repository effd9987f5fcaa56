package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func diffMap() *Map {
	return &Map{
		Policy: Policy{
			Program: "carrot", LegacyHosts: []string{"go.carrot.test"}, AllowedHosts: []string{"carrot.test"}, Cutoff: time.Unix(1_680_332_400, 0).UTC(),
			AfterCutoff: AfterRedirect, Inactive: InactiveUncredited, TokenParam: "fpr", SubIDParam: "fp_sid",
			Pages: Pages{
				Landing: "https://carrot.test/", Login: "https://carrot.test/login", Join: "https://carrot.test/join", Rejoin: "https://carrot.test/join",
				PasswordReset: "https://carrot.test/login", Guide: "https://carrot.test/",
			},
		},
		Links:    []Link{{Code: "course", Destination: "https://carrot.test/course"}, {Code: "shop", Destination: "https://carrot.test/shop"}},
		Partners: []Partner{{Code: "ANN", Token: "ann", Status: Active}, {Code: "BO", Token: "bo", Status: Inactive}},
		IDs:      []ID{{KeapID: 12, Code: "ANN"}},
	}
}

// What differs is told once, settings of the policy first.
func TestDiff(t *testing.T) {
	f := func(change func(m *Map), want ...string) {
		t.Helper()
		from, to := diffMap(), diffMap()
		change(to)
		var got []string
		for c := range Diff(from, to) {
			got = append(got, fmt.Sprintf("%s %s %s %s>%s", c.Change, c.Table, c.Key, c.From, c.To))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%q, want %q", got, want)
		}
		for n := range got { // nobody must read to the end
			taken := 0
			for range Diff(from, to) {
				if taken++; taken > n {
					break
				}
			}
		}
	}
	f(func(m *Map) {})
	f(func(m *Map) { m.Policy.Pages.Login = "https://carrot.test/in" }, `changed policy pages.login "https://carrot.test/login">"https://carrot.test/in"`)
	f(func(m *Map) { m.Policy.KeapApp, m.Policy.BuiltinJoin = "xy1", true }, `changed policy builtin_join >true`, `changed policy keap_app >"xy1"`)
	f(func(m *Map) {
		m.Links = append(m.Links[1:], Link{Code: "new", Destination: "https://carrot.test/new"})
		m.Partners[1].Status = Active
		m.Policy.RootCodes = true
	}, `changed policy root_codes false>true`,
		`removed links course {"to":"https://carrot.test/course"}>`,
		`changed partners BO {"t":"bo","s":"inactive"}>{"t":"bo","s":"active"}`,
		`added links new >{"to":"https://carrot.test/new"}`)
}

// Of every kind that a map has there is one example, and each is answered.
func TestExamples(t *testing.T) {
	m := diffMap()
	table, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, e := range Examples(m) {
		shown = append(shown, e.Shows)
		if d := table.Resolve(ParseTarget("", e.Target), m.Policy.Cutoff.Add(-time.Second)); e.Shows == "an active promoter" && d.Token != "ann" {
			t.Errorf("%s: %+v", e.Target, d)
		}
	}
	want := []string{"an active promoter", "an inactive promoter", "nobody we know", "re-pointed at Keap", "the new link", "an unknown link", "the old sign-in"}
	if !slices.Equal(shown, want) {
		t.Errorf("%q, want %q", shown, want)
	}
}
