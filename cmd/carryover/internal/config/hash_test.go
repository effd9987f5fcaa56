package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// Every key of the file either decides what a plan says, or does not.
func TestPlanSettings(t *testing.T) {
	base := fmt.Sprintf(goodConfig, "")
	want := parsed(t, base).planSettings()
	inPlan := map[string]bool{} // the fields of planSettings that a key has changed
	known := map[string]bool{}
	for _, key := range knownKeys(reflect.TypeFor[file](), "") {
		known[key] = false
	}
	f := func(changes bool, key, value string) {
		t.Helper()
		if _, ok := known[key]; !ok {
			t.Fatalf("there is no key %s", key)
		}
		known[key] = true
		got := parsed(t, with(base, key, value)).planSettings()
		if differs := got.hash() != want.hash(); differs != changes {
			t.Errorf("%s = %s: another plan: %t, want %t", key, value, differs, changes)
		}
		before, after := reflect.ValueOf(want), reflect.ValueOf(got)
		for i := range before.NumField() {
			if !reflect.DeepEqual(before.Field(i).Interface(), after.Field(i).Interface()) {
				inPlan[before.Type().Field(i).Name] = true
			}
		}
	}
	// what decides an answer, reads an export or is compared with it
	f(true, "program", `"parsnip"`)
	f(true, "keap_app", `"xy123"`)
	f(true, "currency", `"EUR"`)
	f(true, "timezone", `"America/New_York"`)
	f(true, "cutoff", `"2023-04-01"`)
	f(true, "after_cutoff", `"page"`)
	f(true, "legacy_hosts", `["go.carrot.test", "old.carrot.test"]`)
	f(true, "allowed_hosts", `["carrot.test", "shop.test"]`)
	f(true, "pages", `{ landing = "https://carrot.test/", login = "https://carrot.test/login", rejoin = "https://carrot.test/again" }`)
	for _, page := range []string{"landing", "login", "rejoin", "join", "password_reset", "guide"} {
		f(true, "pages."+page, `"https://carrot.test/another"`)
	}
	f(true, "partners", `{ exclude = ["A"] }`)
	f(true, "partners.inactive", `"rejoin"`)
	f(true, "partners.exclude", `["A"]`)
	f(true, "partners.grace", `{ A = "2023-06-30" }`)
	f(true, "links", `{ root_codes = true }`)
	f(true, "links.token_param", `"via"`)
	f(true, "links.sub_id_param", `"sub"`)
	f(true, "links.code_params", `["aff"]`)
	f(true, "links.id_params", `["id"]`)
	f(true, "links.root_codes", `true`)
	f(true, "links.grace", `{ a = "2023-06-30" }`)
	f(true, "paths", `{ "/a" = "guide" }`)
	f(true, "import", `{ dates = "day_first" }`)
	f(true, "import.as_of", `"2023-03-31"`)
	f(true, "import.dates", `"day_first"`)
	f(true, "import.numbers", `"decimal_comma"`)
	f(true, "import.owner", `"first"`)
	f(true, "import.tolerate_rejects", `"2%"`)
	f(true, "import.headers", `{ partners = { "No." = "id" } }`)
	f(true, "products", `{ membership = ["*Membership*"] }`)
	f(true, "products.membership", `["*Membership*"]`)
	f(true, "products.training", `["*Training*"]`)
	f(true, "terms", `{ membership_percent = 30 }`)
	f(true, "terms.membership_percent", `30`)
	f(true, "terms.training_percent", `40`)
	f(true, "terms.hold", `2`)
	f(true, "join", `{ mode = "builtin" }`)
	f(true, "join.mode", `"builtin"`)

	// what is tracked live, how payouts are made, where things listen and are kept
	f(false, "partners.inactive_earns", `false`)
	f(false, "terms.training", `"every"`)
	f(false, "terms.payout_days", `[1, 5]`)
	f(false, "terms.minimum", `"50.00"`)
	f(false, "terms.requires", `["w9"]`)
	f(false, "terms.form_1099", `{ 2013 = "700.00" }`)
	f(false, "terms.change", `[{ from = "2024-01-01", membership_percent = 20 }]`)
	f(false, "tracking", `{ per_minute = 1 }`)
	f(false, "tracking.per_minute", `1`)
	f(false, "tracking.remember", `"90d"`)
	f(false, "tracking.currencies", `{ EUR = "1.08" }`)
	f(false, "gateway", `{ listen = "127.0.0.1:9" }`)
	f(false, "gateway.listen", `"127.0.0.1:9"`)
	f(false, "gateway.admin_listen", `"127.0.0.1:9"`)
	f(false, "gateway.admin_hosts", `["ops.internal"]`)
	f(false, "gateway.durability", `"full"`)
	f(false, "gateway.cookie_domain", `"carrot.test"`)
	f(false, "gateway.trusted_proxies", `["10.0.0.0/8"]`)
	f(false, "gateway.serve_prefetch", `true`)
	f(false, "gateway.keep_clicks", `"9600h"`)
	f(false, "gateway.node", `"gw1"`)
	f(false, "join.approval", `"auto"`)
	f(false, "join.terms_url", `"https://carrot.test/terms"`)
	f(false, "join.reserved", `["Carrot Academy"]`)
	f(false, "firstpromoter", `{ account_id = "a" }`)
	f(false, "firstpromoter.base_url", `"https://fp.test"`)
	f(false, "firstpromoter.account_id", `"a"`)
	f(false, "firstpromoter.campaign_id", `"7"`)
	f(false, "firstpromoter.forward", "true\naccount_id = \"a\"")
	f(false, "redis", `{ url = "redis://127.0.0.1:6379/0" }`)
	f(false, "redis.url", `"redis://127.0.0.1:6379/0"`)
	f(false, "book", `{ dsn = "b.db" }`)
	f(false, "book.dsn", `"b.db"`)

	// what says the default
	f(false, "currency", `"USD"`)
	f(false, "partners.exclude", `[]`)
	f(false, "import.headers", `{ partners = {} }`)
	f(false, "terms.membership_percent", `"25.0%"`)
	f(false, "terms.hold", `"next_month"`)
	f(false, "products.training", `[]`)

	for key, tried := range known {
		if !tried {
			t.Errorf("does %s change a plan?", key)
		}
	}
	for i := range reflect.TypeFor[planSettings]().NumField() {
		if name := reflect.TypeFor[planSettings]().Field(i).Name; !inPlan[name] {
			t.Errorf("no key changes %s", name)
		}
	}
	if again := parsed(t, base).planSettings(); again.hash() != want.hash() || len(want.hash()) != 64 {
		t.Errorf("the hash of the same: %q, %q", want.hash(), again.hash())
	}
}

// with sets a key of a configuration, which may be there already.
func with(text, key, value string) string {
	table, name, below := strings.Cut(key, ".")
	if !below {
		table, name = "", key
		text = regexp.MustCompile(`(?ms)^\[`+key+`\]\n[^\[]*`).ReplaceAllString(text, "")
	}
	line := name + " = " + value + "\n"
	switch there := regexp.MustCompile(`(?m)^` + name + ` = .*\n`); {
	case there.MatchString(text):
		return there.ReplaceAllLiteralString(text, line)
	case table == "":
		return line + text
	case strings.Contains(text, "["+table+"]\n"):
		return strings.Replace(text, "["+table+"]\n", "["+table+"]\n"+line, 1)
	}
	return text + "[" + table + "]\n" + line
}
