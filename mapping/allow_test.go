package mapping

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// What a published map does beyond the configuration at hand is named, key by key.
func TestAllows(t *testing.T) {
	own := Policy{
		Program: "carrot", KeapApp: "xy123", LegacyHosts: []string{"go.carrot.test"}, AllowedHosts: []string{"carrot.test"},
		Pages: Pages{
			Landing: "https://carrot.test/", Login: "https://id.carrot.test/login", Join: "https://carrot.test/join",
			Rejoin: "https://carrot.test/rejoin", PasswordReset: "https://id.carrot.test/reset", Guide: "https://carrot.test/guide",
		},
		TokenParam: "fpr", SubIDParam: "fp_sid", CodeParams: []string{"aff", "affcode"}, IDParams: []string{"affiliate"},
	}
	f := func(want string, change func(m *Map)) {
		t.Helper()
		m := &Map{Policy: own, Links: []Link{{Code: "demo", Destination: "https://carrot.test/demo"}}, Paths: []Path{{Path: "/old", Target: "join"}}}
		change(m)
		err := own.Allows(m)
		if want == "" && err != nil || want != "" && (!errors.Is(err, ErrNotAllowed) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	f("", func(m *Map) {})
	f("", func(m *Map) {
		m.Policy.CodeParams, m.Policy.IDParams, m.Policy.KeapApp = []string{"affcode"}, nil, "XY123"
	})
	f("", func(m *Map) { m.Policy.LegacyHosts, m.Policy.AllowedHosts = nil, []string{"ID.carrot.test"} })
	f("", func(m *Map) { m.Policy.Pages.Login = "https://carrot.test/other" })
	f("", func(m *Map) { // the gateway's own form
		m.Policy.BuiltinJoin, m.Policy.Pages.Join = true, "https://go.carrot.test/join"
	})
	f("", func(m *Map) { m.Paths[0] = Path{Path: "/john", Link: "demo", Code: "John"} })
	f(`program "beet", not of "carrot"`, func(m *Map) { m.Policy.Program = "beet" })
	f(`keap_app "zz999"`, func(m *Map) { m.Policy.KeapApp = "zz999" })
	f(`serves the host "go.evil.test", which is not among legacy_hosts`, func(m *Map) { m.Policy.LegacyHosts = []string{"go.evil.test"} })
	f(`may lead to the host "evil.test", which is not among allowed_hosts`, func(m *Map) { m.Policy.AllowedHosts = []string{"evil.test"} })
	f(`may lead to the host "carrot.test:8443"`, func(m *Map) { m.Policy.AllowedHosts = []string{"carrot.test:8443"} })
	f(`[pages] login leads to "evil.test"`, func(m *Map) { m.Policy.Pages.Login = "https://evil.test/login" })
	f(`[pages] login leads to`, func(m *Map) { m.Policy.Pages.Login = "javascript:alert(1)" })
	f(`[pages] login leads back to the old links`, func(m *Map) { m.Policy.Pages.Login = "https://go.carrot.test/join" })
	f(`[pages] join leads to "go.evil.test"`, func(m *Map) {
		m.Policy.LegacyHosts = []string{"go.evil.test"}
		m.Policy.BuiltinJoin, m.Policy.Pages.Join = true, "https://go.evil.test/join"
	})
	f(`token_param = "ref", not "fpr"`, func(m *Map) { m.Policy.TokenParam = "ref" })
	f(`sub_id_param = ""`, func(m *Map) { m.Policy.SubIDParam = "" })
	f(`parameter "utm_source", which is not in [links] code_params`, func(m *Map) { m.Policy.CodeParams = []string{"aff", "utm_source"} })
	f(`parameter "id", which is not in [links] id_params`, func(m *Map) { m.Policy.IDParams = []string{"id"} })
	f(`root_codes is false`, func(m *Map) { m.Policy.RootCodes = true })
	f(`the link "demo" leads to "evil.test"`, func(m *Map) { m.Links[0].Destination = "https://evil.test/demo" })
	f(`the link "demo" leads back to the old links, to "go.carrot.test"`, func(m *Map) { m.Links[0].Destination = "http://GO.carrot.test/go/x/y" })
	f(`[paths] "/old" leads to "evil.test"`, func(m *Map) { m.Paths[0].Target = "https://evil.test" })
	f("and 5 more", func(m *Map) {
		for i := range 10 {
			m.Links = append(m.Links, Link{Code: fmt.Sprint(i), Destination: "https://evil.test/"})
		}
	})
	f("", func(m *Map) {})
	m := &Map{Policy: own}
	m.Policy.AllowedHosts = []string{"evil.test\n\x1b[31m"}
	if err := own.AllowsPolicy(&m.Policy); err == nil || strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("%q", err)
	}
}
