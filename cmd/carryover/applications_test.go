package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/console"
)

var formToken = regexp.MustCompile(`name="form" value="([^"]+)"`)

// join fills in a gateway's form as a person does, and gives the page after it.
func (g *served) join(d *desk, path, name, email, site string) string {
	d.Helper()
	at := "http://" + g.visitors + path
	page := func(resp *http.Response, err error) string {
		d.Helper()
		if err != nil {
			d.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			d.Fatalf("%s: %s, %v\n%s", resp.Request.URL, resp.Status, err, body)
		}
		return string(body)
	}
	m := formToken.FindStringSubmatch(page(http.Get(at)))
	if m == nil {
		d.Fatalf("%s has no form", path)
	}
	time.Sleep(2100 * time.Millisecond) // nobody fills in a form sooner, and the gateway knows
	return page(http.PostForm(at, url.Values{"form": {m[1]}, "name": {name}, "email": {email}, "site": {site}, "terms": {"agreed"}}))
}

// From the form to a link that counts, through a later run in which Keap knows the same
// person, and back.
func TestApplications(t *testing.T) {
	t.Parallel()
	config := regexp.MustCompile(`(?m)^(re)?join = .*\n`).ReplaceAllString(readFile(t, "testdata/samples.toml"), "") + "\n[join]\nmode = \"builtin\"\n"
	d := newDesk(t, config)
	d.ok("plan", readable(d))
	d.ok("apply")
	d.contains(d.ok("applications"), "No application waits")
	d.contains(d.ok("applications", "--all"), "Nobody has applied")
	old := d.inactive()
	g := d.gateway()
	d.contains(d.ok("resolve", "https://go.carrot.test/rejoin"), "rejoin 200", "form")

	for _, email := range []string{"Zoe@writes.test", old["email"].(string), "pat@other.test"} {
		d.contains(g.join(d, "/join", "Zoe Lane", email, "www.zoe-writes.test"), "<h1>Thank you</h1>")
	}
	list := d.objects(d.ok("applications", "--json"))
	if len(list) != 3 || fields(list[0]) != sorted("id, kind, name, email, site, terms, applied_at, visitor, state, ref_token, standing, decided_at, decided_by") {
		t.Fatalf("%v", list)
	}
	if a := list[0]; a["kind"] != "join" || a["email"] != "zoe@writes.test" || a["site"] != "https://www.zoe-writes.test" || a["state"] != "waiting" || a["ref_token"] != "" {
		t.Errorf("%v", a)
	}
	if a := list[1]; a["kind"] != "rejoin" || a["ref_token"] != old["ref_token"] || a["standing"] != "inactive" {
		t.Errorf("%v", a)
	}
	d.contains(d.ok("applications"), "zoe@writes.test", old["ref_token"].(string)+", inactive")

	d.untouched(func() {
		d.fails(console.ExitFailed, []string{"there is no such application: 9", "nothing was changed"}, "applications", "approve", "1", "9")
		d.fails(console.ExitUsage, nil, "applications", "approve")
		d.fails(console.ExitUsage, nil, "applications", "approve", "zoe")
	})
	if list := d.objects(d.ok("applications", "--json")); len(list) != 3 {
		t.Errorf("after approvals that failed %d wait", len(list))
	}
	out := d.objects(d.ok("applications", "approve", "1", "2", "--by", "Kim", "--json"))
	if len(out) != 2 || out[0]["outcome"] != "joined" || out[0]["link"] != "https://go.carrot.test/r/zoe-writes-test" || out[1]["outcome"] != "rejoined" || out[1]["ref_token"] != old["ref_token"] {
		t.Errorf("%v", out)
	}
	d.contains(d.ok("applications", "approve", "1"), "was approved before")
	d.contains(d.ok("applications", "reject", "3"), "rejected")
	d.fails(console.ExitFailed, []string{"approved already: 1", "status=inactive"}, "applications", "reject", "1")
	d.contains(d.ok("applications", "--all"), "approved", "rejected", "Kim")

	counts := func(token string, counted bool) {
		t.Helper()
		want := "https://carrot.test/"
		if counted {
			want = "https://carrot.test/?fpr=" + token
		}
		d.until("/r/"+token+" leads to "+want, func() bool { _, to := g.get(d, "go.carrot.test", "/r/"+token); return to == want })
	}
	counts("zoe-writes-test", true)
	counts(old["ref_token"].(string), true)
	d.ok("verify")
	d.ok("verify", "--against", "http://"+g.visitors)
	d.contains(d.ok("promoters"), "zoe-writes-test", "zoe@writes.test")
	d.contains(d.ok("ledger", "--promoter", "zoe-writes-test"), "No entries")
	d.contains(d.ok("map", "publish"), "is live already")
	d.contains(d.ok("links", "--promoter", "zoe-writes-test"), "old_link")

	// Keap knows the same person, under another code, and somebody whose code is her token.
	d.write("later/partners.csv", "Id,Code,Contact Id,Status,Parent Id,Name\n9001,ZOEL,88001,Inactive,0,Zoe at Keap\n9002,zoe-writes-test,88002,Active,9001,Other\n")
	d.write("later/contacts.csv", "Id,First Name,Last Name,Email\n88001,Zoe,Lane,zoe@writes.test\n88002,Otto,Other,otto@other.test\n")
	plan := d.ok("plan", "later")
	if strings.Contains(readFile(t, d.path("data/plan/conflicts.csv")), "(-1)") {
		t.Errorf("one who joined is told of as a partner of Keap:\n%s\n%s", plan, readFile(t, d.path("data/plan/conflicts.csv")))
	}
	d.ok("apply")
	d.ok("verify")
	zoe, otto := d.promoter("zoe-writes-test"), d.promoter("zoe-writes-test-2")
	if fmt.Sprintf("%v %v %v", zoe["keap_ids"], zoe["codes"], zoe["standing"]) != "[9001] [ZOEL] active" {
		t.Errorf("Zoe: %v", zoe)
	}
	if otto["email"] != "otto@other.test" || otto["parent_ref_token"] != "zoe-writes-test" {
		t.Errorf("Otto: %v", otto)
	}
	counts("zoe-writes-test", true)

	d.ok("rollback")
	d.ok("verify")
	if zoe = d.promoter("zoe-writes-test"); fmt.Sprint(zoe["keap_ids"], zoe["codes"]) != "[] []" {
		t.Errorf("after the rollback: %v", zoe)
	}
	counts("zoe-writes-test", true)
	d.ok("rollback") // of all that came from Keap
	counts("zoe-writes-test", true)
	counts(old["ref_token"].(string), false)

	if text := g.err.String(); strings.Contains(text, "zoe@") || strings.Contains(text, "Zoe") {
		t.Errorf("the gateway's log tells who applied:\n%s", text)
	}
}

// A gateway that approves by itself publishes by itself, to either store.
func TestJoiningAtOnce(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(d *desk) {
		config := regexp.MustCompile(`(?m)^(re)?join = .*\n`).ReplaceAllString(readFile(t, "testdata/samples.toml"), "") + "\n[join]\nmode = \"builtin\"\napproval = \"auto\"\n"
		if err := os.WriteFile(d.path("carryover.toml"), []byte(config), 0o600); err != nil {
			d.Fatal(err)
		}
		d.ok("plan", sample(d, "tiny"))
		d.ok("apply")
		g := d.gateway()
		d.contains(g.join(d, "/rejoin", "Zoe Lane", "zoe@writes.test", ""), "<h1>Welcome</h1>", "https://go.carrot.test/r/zoe-lane")
		if _, to := g.get(d, "go.carrot.test", "/r/zoe-lane"); to != "https://carrot.test/?fpr=zoe-lane" {
			d.Errorf("the new link leads to %q", to)
		}
		d.ok("verify")
	})
}

// inactive is a promoter of the book who no longer takes part.
func (d *desk) inactive() map[string]any {
	d.Helper()
	for _, p := range d.objects(d.ok("promoters", "--json")) {
		if p["status"] == "inactive" && p["email"] != "" {
			return p
		}
	}
	d.Fatal("the sample has no inactive promoter")
	return nil
}

// promoter is one promoter as the book has it.
func (d *desk) promoter(token string) map[string]any {
	d.Helper()
	for _, p := range d.objects(d.ok("promoters", "--json")) {
		if p["ref_token"] == token {
			return p
		}
	}
	d.Fatalf("no promoter %s", token)
	return nil
}
