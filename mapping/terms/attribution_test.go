package terms

import (
	"fmt"
	"strings"
	"testing"
)

// A row is a list of candidates, "by:promoter:standing[:at]", and who wins how.
func TestAttribute(t *testing.T) {
	f := func(candidates string, c CreditPolicy, want, outcomes string) {
		t.Helper()
		var list []Candidate
		for _, text := range strings.Fields(candidates) {
			p := strings.Split(text+":0", ":")
			k := Candidate{By: p[0], Status: PromoterStatus(p[2])}
			fmt.Sscan(p[1], &k.Promoter)
			fmt.Sscan(p[3], &k.At)
			list = append(list, k)
		}
		a := Attribute(100, list, nil, c)
		var got []string
		for _, k := range a.Candidates {
			got = append(got, strings.ReplaceAll(k.Outcome, " ", "-"))
		}
		if s := fmt.Sprintf("%d %s", a.Promoter, a.By); s != want || strings.Join(got, " ") != outcomes {
			t.Errorf("%s: %s (%s), want %s (%s)", candidates, s, strings.Join(got, " "), want, outcomes)
		}
	}
	usual := CreditPolicy{InactiveEarn: true}
	f("", usual, "0 ", "")
	f("click:1:active ref_token:2:active coupon:3:active", usual, "1 click", "won not-asked not-asked")
	f("click:0: ref_token:2:active", usual, "2 ref_token", "of-nobody won")
	f("click:1:blocked ref_token:2:inactive coupon:3:active", usual, "3 coupon", "blocked inactive won")
	f("click:1:active:401 click:2:active:99", usual, "2 click", "after-the-signup won")
	f("click:1:active:400", usual, "1 click", "won")
	f("click:1:inactive", CreditPolicy{InactiveWin: true}, "1 click", "won")
	f("owner:1:inactive click:2:active", usual, "1 owner", "won not-asked")
	f("owner:1:inactive click:2:active", CreditPolicy{InactiveWin: true}, "0 ", "inactive not-asked")
	f("owner:1:blocked click:2:active", usual, "0 ", "blocked not-asked")
	f("carried:1:active:500 click:2:active", usual, "1 carried", "won not-asked")
	f("carried:0: click:2:active", usual, "0 ", "of-nobody not-asked")
}
