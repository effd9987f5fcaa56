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
	"carryover/mapping/book"
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
	if len(list) != 3 || fields(list[0]) != sorted("id, kind, name, email, site, terms, applied_at, visitor, reason, state, ref_token, standing, decided_at, decided_by") {
		t.Fatalf("%v", list)
	}
	if a := list[0]; a["kind"] != "join" || a["email"] != "zoe@writes.test" || a["site"] != "https://www.zoe-writes.test" || a["state"] != "waiting" || a["ref_token"] != "" {
		t.Errorf("%v", a)
	}
	if a := list[1]; a["kind"] != "rejoin" || a["ref_token"] != old["ref_token"] || a["standing"] != "inactive" {
		t.Errorf("%v", a)
	}
	if list[0]["reason"] != "manual" || list[1]["reason"] != "rejoin" || list[2]["reason"] != "manual" {
		t.Errorf("%v", list)
	}
	d.contains(d.ok("applications"), "zoe@writes.test", old["ref_token"].(string)+", inactive", "the address took part before", "a person decides about everybody")

	d.untouched(func() {
		d.fails(console.ExitFailed, []string{"there is no such application: 9", "nothing was changed"}, "applications", "approve", "1", "9")
		d.fails(console.ExitUsage, nil, "applications", "approve")
		d.fails(console.ExitUsage, nil, "applications", "approve", "zoe")
		d.fails(console.ExitUsage, []string{"--token is of one applicant"}, "applications", "approve", "1", "3", "--token", "zoe")
		d.fails(console.ExitFailed, []string{`no ref token: "Zoe"`, "small letters"}, "applications", "approve", "1", "--token", "Zoe")
		d.fails(console.ExitFailed, []string{"is taken", "choose another"}, "applications", "approve", "1", "--token", old["ref_token"].(string))
		d.fails(console.ExitFailed, []string{"keeps the ref token", "--token out"}, "applications", "approve", "2", "--token", "zoe")
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
	d.fails(console.ExitUsage, []string{"name the applications"}, "applications", "reject")
	d.fails(console.ExitUsage, []string{"name the applications"}, "applications", "reject", "3", "--visitor", "x")
	for _, email := range []string{"a@flood.test", "b@flood.test"} {
		g.join(d, "/join", "Flo Odd", email, "")
	}
	flood := d.objects(d.ok("applications", "--json"))
	if len(flood) != 2 || flood[0]["visitor"] == "" {
		t.Errorf("%v", flood)
	}
	d.contains(d.ok("applications", "reject", "--visitor", flood[0]["visitor"].(string)), "a@flood.test: rejected", "b@flood.test: rejected")
	d.fails(console.ExitFailed, []string{"there is no such application: none from nobody waits"}, "applications", "reject", "--visitor", "nobody")
	d.contains(d.ok("applications"), "No application waits")

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

// A gateway that approves by itself publishes by itself, to either store, and says nothing of who
// takes part; what it leaves to a person says why.
func TestJoiningAtOnce(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(d *desk) {
		config := regexp.MustCompile(`(?m)^(re)?join = .*\n`).ReplaceAllString(readFile(t, "testdata/samples.toml"), "") +
			"\n[join]\nmode = \"builtin\"\napproval = \"auto\"\nreserved = [\"Parsnip\"]\n"
		if err := os.WriteFile(d.path("carryover.toml"), []byte(config), 0o600); err != nil {
			d.Fatal(err)
		}
		d.ok("plan", sample(d, "tiny"))
		d.ok("apply")
		// Somebody joined, and the gateway was killed before the map was published.
		d.inBook(func(b *book.Book) error {
			_, err := b.SubmitApplication(t.Context(), book.Application{Name: "Ada Body", Email: "ada@writes.test", AppliedAt: 9},
				book.JoinRules{Auto: true})
			return err
		})
		g := d.gateway()
		counts := func(token string) {
			d.Helper()
			to := "https://carrot.test/?fpr=" + token
			d.until("/r/"+token+" counts", func() bool { _, at := g.get(d, "go.carrot.test", "/r/"+token); return at == to })
		}
		counts("ada-body")
		d.contains(g.join(d, "/rejoin", "Zoe Lane", "zoe@writes.test", "www.google.test"), "<h1>Thank you</h1>", "https://go.carrot.test/r/zoe-lane")
		counts("zoe-lane")
		d.ok("verify")

		for name, reason := range map[string]string{
			"Carrot Team": "reserved carrot", "Pars-nip": "reserved Parsnip", "Zoe Iane": "look_alike zoe-lane", "Google com": "domain com"} {
			email := strings.ReplaceAll(strings.ToLower(name), " ", ".") + "@writes.test"
			d.contains(g.join(d, "/join", name, email, ""), "<h1>Thank you</h1>", "you will hear from us")
			list := d.objects(d.ok("applications", "--json"))
			if last := list[len(list)-1]; last["reason"] != reason || last["state"] != "waiting" {
				d.Errorf("%s: %v, want %s", name, last, reason)
			}
		}
		d.contains(d.ok("applications"), "taken for zoe-lane", "taken for Parsnip, which is reserved", "read as a host under .com")
		list := d.objects(d.ok("applications", "--json"))
		out := d.ok("applications", "approve", fmt.Sprint(list[0]["id"]), "--token", "team-zoe")
		d.contains(out, "takes part as team-zoe", "https://go.carrot.test/r/team-zoe")
		counts("team-zoe")
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
