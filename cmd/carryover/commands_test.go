package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/store/storetest"
)

// onBothStores runs fn at a desk without and at one with a Redis.
func onBothStores(t *testing.T, fn func(d *desk)) {
	t.Run("book", func(t *testing.T) { fn(newSampleDesk(t)) })
	t.Run("redis", func(t *testing.T) {
		d := newSampleDesk(t)
		d.redis, _ = storetest.StartRedis(t)
		fn(d)
	})
}

// A migration as a person makes it, to the end and back.
func TestMigration(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(d *desk) {
		place := "the book data/book.db"
		if d.redis != "" {
			place = "Redis at " + strings.TrimSuffix(strings.TrimPrefix(d.redis, "redis://"), "/0")
		}
		out := d.ok("plan", readable(d))
		d.contains(out, "contacts.csv", "190", "187", "36", "Nothing has been changed", "carryover apply data/plan")
		if got, want := strings.Join(d.files("data"), " "), "plan plan/conflicts.csv plan/findings.csv plan/links.csv plan/owners.csv plan/plan.json plan/rejects plan/rejects/contacts.csv plan/rejects/orders.csv plan/rejects/referral-partners.csv plan/rejects/tracking-links.csv plan/report.html"; got != want {
			d.Errorf("plan wrote %s, want %s", got, want)
		}
		d.contains(d.ok("apply"), "Run 1:", "Link map 1 is live now in "+place, "4 links, 40 codes, 40 Keap ids", "carryover verify")
		d.contains(d.ok("apply"), "nothing was changed", "Link map 1 is live already in "+place)
		d.contains(d.ok("apply", "data/plan"), "nothing was changed")
		d.contains(d.ok("verify"), "exports as they were applied", "book = exports", "owner before = owner after", "sums of the exports = sums of the book", "the ledger's endings = balances in the book", "published map (epoch 1) = book")
		d.contains(d.ok("map", "list"), "epoch", "live", "40")

		// a plan on top of it has nothing to do
		d.ok("plan", readable(d), "--out", "again")
		for table, n := range d.plan("again").Tables {
			if n.Create != 0 || n.Update != 0 || n.Unchanged == 0 {
				d.Errorf("a second plan: %s %+v", table, n)
			}
		}

		// a changed configuration: refused, then published
		config := d.read("carryover.toml")
		d.write("carryover.toml", strings.Replace(config, `cutoff = "2023-03-31"`, `cutoff = "2023-06-30"`, 1))
		d.fails(console.ExitFailed, []string{"the configuration has changed since the plan was made"}, "apply")
		d.fails(console.ExitFailed, []string{"1 difference"}, "verify")
		d.contains(d.ok("map", "publish"), "Link map 2 is live now")
		d.contains(d.ok("map", "publish"), "Link map 2 is live already")
		d.contains(d.ok("map", "diff", "1", "2"), "~ policy cutoff", "2023-04-01", "-> ", "2023-07-01")
		changes := d.objects(d.ok("map", "diff", "1", "2", "--json"))
		if len(changes) != 1 || fields(changes[0]) != "change from key table to" || changes[0]["key"] != "cutoff" {
			d.Errorf("map diff --json: %v", changes)
		}
		d.contains(d.ok("map", "diff", "2", "2"), "mean the same")
		d.contains(d.ok("map", "rollback", "1"), "Link map 1 is live now")
		d.contains(d.ok("map", "rollback", "1"), "Link map 1 is live already (")
		d.write("carryover.toml", config)
		d.ok("verify")
		epochs := d.objects(d.ok("map", "list", "--json"))
		if len(epochs) != 2 || epochs[0]["epoch"] != 2.0 || epochs[0]["live"] != false || epochs[1]["live"] != true || epochs[1]["plan_id"] != d.plan("data/plan").PlanID {
			d.Errorf("map list --json: %v", epochs)
		}
		for _, args := range [][]string{{"diff", "1", "7"}, {"diff", "7", "1"}, {"rollback", "7"}} {
			d.fails(console.ExitFailed, []string{"epoch 7 is not kept in " + place, `"carryover map list"`}, append([]string{"map"}, args...)...)
		}

		// a second run, undone
		d.write("more/partners.csv", strings.NewReplacer("\n1,", "\n9001,", "\n2,", "\n9002,").Replace(partnersCSV("Later1", "Later2")))
		d.ok("plan", readable(d), "more")
		tables := d.objects(d.ok("apply", "--json"))[0]
		if tables["run"] != 2.0 || tables["published"] != true {
			d.Errorf("apply --json: %v", tables)
		}
		promoters := len(d.objects(d.ok("promoters", "--json")))
		d.fails(console.ExitFailed, []string{"there is no run 7: the newest is 2"}, "rollback", "7")
		d.fails(console.ExitFailed, []string{"run 1 is not the newest: undo run 2 first"}, "rollback", "1")
		undone := d.objects(d.ok("rollback", "2", "--json"))
		if len(undone) != 1 || undone[0]["run"] != 2.0 || undone[0]["rolled_back"] == nil {
			d.Errorf("rollback --json: %v", undone)
		}
		if n := len(d.objects(d.ok("promoters", "--json"))); n != 36 || n >= promoters {
			d.Errorf("%d promoters after the rollback, %d before", n, promoters)
		}
		d.ok("verify")
		d.fails(console.ExitFailed, []string{"run 2 was undone already"}, "rollback", "2")
		d.contains(d.ok("rollback"), "Run 1 is undone", "The book is empty now")
		d.fails(console.ExitFailed, []string{"there is no run to undo"}, "rollback")
		d.fails(console.ExitFailed, []string{"all 2 runs were rolled back: nothing is applied now"}, "verify")

		// and once more from the start: the same book
		d.ok("plan", readable(d))
		d.ok("apply")
		d.ok("verify")
		if n := len(d.objects(d.ok("promoters", "--json"))); n != 36 {
			d.Errorf("%d promoters after applying again", n)
		}
	})
}

// Commands that are printed work as they stand: with the flags that chose the program.
func TestPrintedCommands(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.write("my program.toml", d.read("carryover.toml"))
	url, server := storetest.StartRedis(t)
	f := func(flags []string, want string) {
		t.Helper()
		with := func(args ...string) []string { return append(args, flags...) }
		d.contains(d.ok(with("plan", sample(t, "tiny"))...), binary+want+" apply ")
		d.contains(d.ok(with("apply")...), "Next: "+binary+want+" verify\n", "Then: "+binary+want+" gateway\n")
		d.contains(d.ok(with("examples")...), "Ask why:       "+binary+want+" resolve ")
	}
	f(nil, "")
	f([]string{"--config", "my program.toml", "--data", "other"}, " --config 'my program.toml' --data other")
	f([]string{"--redis", url, "--data", "third"}, " --data third --redis "+url)
	d.redis = url // known without being named
	f([]string{"--data", "fourth"}, " --data fourth")
	d.redis = ""
	f([]string{"--redis", "redis://:hunter2@" + server.Addr(), "--data", "fifth"}, " --data fifth")
}

func (d *desk) contains(text string, want ...string) {
	d.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			d.Errorf("%q is not in:\n%s", w, text)
		}
	}
}

// plan is what of a plan.json tests look at.
type plan struct {
	PlanID string `json:"plan_id"`
	Tables map[string]struct{ Create, Update, Unchanged int }
	Files  []struct {
		Path, Kind                      string
		Rows, Loaded, Rejected, Skipped int
		Encoding, Delimiter             string
		LineEnd                         string `json:"line_end"`
	}
	Rejects []struct {
		File, Reason string
		Line         int
	}
	Conflicts []struct {
		ID, Kind, Subject, Detail, Recommended string
		Blocking                               bool
	}
	Totals map[string]int
}

func (d *desk) plan(dir string) plan {
	d.Helper()
	var p plan
	if err := json.Unmarshal([]byte(d.read(dir+"/plan.json")), &p); err != nil {
		d.Fatal(err)
	}
	return p
}

// The accounting that the samples' READMEs state.
func TestSampleAccounting(t *testing.T) {
	t.Parallel()
	f := func(name string, promoters int, want map[string][4]int) {
		t.Helper()
		d := newSampleDesk(t)
		d.ok("plan", "--decisions", sampleDecisions(t), sample(t, name))
		p := d.plan("data/plan")
		for _, file := range p.Files {
			if got := [4]int{file.Rows, file.Loaded, file.Rejected, file.Skipped}; got != want[filepath.Base(file.Path)] {
				t.Errorf("%s %s: %v, want %v", name, file.Path, got, want[filepath.Base(file.Path)])
			}
		}
		if len(p.Files) != len(want) || p.Totals["promoters"] != promoters {
			t.Errorf("%s: %d files, %d promoters; want %d, %d", name, len(p.Files), p.Totals["promoters"], len(want), promoters)
		}
	}
	f("tiny", 5, map[string][4]int{
		"referral-partners.csv": {5, 5, 0, 0}, "contacts.csv": {15, 15, 0, 0}, "tracking-links.csv": {2, 2, 0, 0},
		"referrals.csv": {15, 15, 0, 0}, "orders.csv": {7, 7, 0, 0}, "subscriptions.csv": {2, 2, 0, 0},
		"commissions.csv": {7, 7, 0, 0}, "clawbacks.csv": {1, 1, 0, 0}, "partner-payments.csv": {1, 1, 0, 0}, "ledger.csv": {5, 5, 0, 0},
	})
	f("small", 36, map[string][4]int{
		"referral-partners.csv": {42, 40, 1, 1}, "contacts.csv": {190, 187, 1, 2}, "tracking-links.csv": {7, 4, 2, 1},
		"referrals.csv": {246, 243, 2, 1}, "orders.csv": {240, 238, 1, 1}, "subscriptions.csv": {59, 58, 0, 1},
		"commissions.csv": {204, 201, 2, 1}, "clawbacks.csv": {9, 8, 0, 1}, "partner-payments.csv": {74, 73, 0, 1}, "ledger.csv": {43, 40, 0, 3},
	})
}

// Flags mean the same before, between and after the words.
func TestFlagsAnywhere(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	tiny := sample(t, "tiny")
	d.ok("plan", tiny)
	id := d.plan("data/plan").PlanID
	for i, args := range [][]string{
		{"plan", "--out", "p", tiny}, {"plan", tiny, "--out", "p"}, {"plan", tiny, "--out=p"}, {"--config", "carryover.toml", "plan", tiny, "--out", "p"},
		{"plan", tiny + "/contacts.csv", "--out", "p", tiny + "/referral-partners.csv", tiny + "/tracking-links.csv"},
		{"plan", "--data", "elsewhere", tiny, "--out", "p", "--json"},
		{"--out", "p", "plan", tiny}, {"plan", tiny, "--out", "p", "--", tiny + "/contacts.csv"},
		{"plan", "contacts=" + tiny + "/contacts.csv", tiny, "--out", "p"},
	} {
		if err := os.RemoveAll(d.path("p")); err != nil {
			t.Fatal(err)
		}
		d.ok(args...)
		p := d.plan("p")
		files := 10
		if i == 4 { // that names three of them
			files = 3
		}
		if i < 4 && p.PlanID != id || len(p.Files) != files {
			t.Errorf("%v: plan %s of %d files, want %d", args, p.PlanID, len(p.Files), files)
		}
	}
	d.ok("plan", "--data", "other", tiny) // the plan is beside the book that it is for
	if d.plan("other/plan").PlanID != id {
		t.Error("another plan under --data")
	}
	d.ok("apply", "data/plan", "--data", "one")
	d.ok("--data", "two", "apply", "data/plan")
	d.ok("--data=other", "apply")
	url := "https://go.carrot.test/go/course/b99606"
	var answers []string
	for _, args := range [][]string{
		{"resolve", url, "--at", "2023-02-15", "--data", "one"}, {"--data", "two", "resolve", "--at", "2023-02-15", url},
		{"--data", "one", "resolve", "--at=2023-02-15", url}, {"resolve", "--data", "other", url, "--at", "2023-02-15"},
	} {
		answers = append(answers, d.ok(args...))
	}
	if slices.Sort(answers); answers[0] != answers[3] {
		t.Errorf("the answers differ: %q", answers)
	}
	d.contains(answers[0], "forward 302", "fpr=b99606", "before the cutoff")
}

func TestUsage(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.untouched(func() {
		for _, args := range [][]string{
			{}, {"aply"}, {"plan"}, {"apply", "--nope"}, {"plan", "--out"}, {"map"}, {"map", "diff", "1"}, {"map", "diff", "one", "two"},
			{"map", "rollback"}, {"rollback", "one"}, {"resolve"}, {"clicks", "--by", "colour"}, {"verify", "--seed", "x"}, {"links", "extra"}, {"misses", "--limit", "many"},
		} {
			r := d.fails(console.ExitUsage, []string{`"carryover --help"`}, args...)
			if r.out != "" {
				t.Errorf("%v: standard output holds %q", args, r.out)
			}
		}
		d.fails(console.ExitUsage, []string{`--at: "noon" is no time`, "2023-03-31"}, "resolve", "--at", "noon", "x")
		d.fails(console.ExitUsage, []string{`--at: "noon" is no time`}, "gateway", "--at", "noon", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
		d.fails(console.ExitUsage, []string{`--since: "noon" is no time`}, "clicks", "--since", "noon")
		d.fails(console.ExitUsage, []string{`--until: "noon" is no time`}, "misses", "--until", "noon")
	})
}

// Help is a product: each command has its summary, what it changes, and an example that
// its own flags allow.
func TestHelp(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	parser, err := newParser(&app{cli: &cli{}, Console: &console.Console{Out: io.Discard, Err: io.Discard}}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	var commands []*kong.Node
	if err := kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		if n, ok := node.(*kong.Node); ok && n.Type == kong.CommandNode {
			commands = append(commands, n)
		}
		return next(nil)
	}); err != nil {
		t.Fatal(err)
	}
	if len(commands) < 15 {
		t.Fatalf("%d commands", len(commands))
	}
	all := d.ok("--help")
	for _, n := range commands {
		path := strings.Fields(strings.TrimPrefix(n.FullPath(), "carryover "))
		help := d.ok(append(path, "--help")...)
		name := strings.Join(path, " ")
		if n.Help == "" || !strings.Contains(strings.Join(strings.Fields(help), " "), n.Help) || !strings.HasSuffix(n.Help, ".") {
			t.Errorf("%s: no summary that is a sentence:\n%s", name, help)
		}
		if len(n.Children) == 0 && !strings.Contains(all, name) {
			t.Errorf("%s is not in the list of commands", name)
		}
		if !strings.Contains(help, "Example: carryover ") {
			t.Errorf("%s: no example:\n%s", name, help)
		}
		says := func(words ...string) bool {
			flat := strings.ToLower(strings.Join(strings.Fields(help), " "))
			return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(flat, w) })
		}
		if !says("changes nothing", "changed", "writes", "nothing changes", "puts back", "brings the newest clicks", "nothing else changes", "live at once") && len(n.Children) == 0 {
			t.Errorf("%s does not say what it changes:\n%s", name, help)
		}
		example := strings.Join(strings.Fields(n.Detail), " ")
		if _, after, ok := strings.Cut(example, "Example: carryover "); ok {
			example, _, _ = strings.Cut(after, " >")
			if _, err := parser.Parse(strings.Fields(example)); err != nil {
				t.Errorf("%s: the example %q does not parse: %v", name, example, err)
			}
		}
		if strings.Contains(help, "($REDIS_URL) ($REDIS_URL)") {
			t.Errorf("%s: says $REDIS_URL twice", name)
		}
	}
}

// JSON is alone on standard output, one object a line, with the documented names.
func TestJSON(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	f := func(want string, args ...string) []map[string]any {
		t.Helper()
		objects := d.objects(d.ok(append(args, "--json")...))
		for _, o := range objects {
			if fields(o) != sorted(want) {
				t.Errorf("%v --json has %s, want %s", args, fields(o), sorted(want))
				break
			}
		}
		return objects
	}
	plans := d.objects(d.ok("plan", readable(t), "--json"))
	if len(plans) != 1 || plans[0]["plan_id"] != d.plan("data/plan").PlanID {
		t.Errorf("plan --json is not the plan: %d objects", len(plans))
	}
	for _, name := range []string{"plan_id", "files", "rejects", "conflicts", "totals"} {
		if plans[0][name] == nil {
			t.Errorf("plan --json lacks %s", name)
		}
	}
	for list, names := range map[string]string{
		"files": "path, kind, rows, loaded, rejected, skipped, encoding, delimiter, line_end", "rejects": "file, line, reason",
		"conflicts": "id, kind, subject, detail, recommended, blocking",
	} {
		for _, item := range plans[0][list].([]any) {
			for name := range strings.SplitSeq(names, ", ") {
				if _, ok := item.(map[string]any)[name]; !ok {
					t.Errorf("plan --json: %s lacks %s: %v", list, name, item)
				}
			}
		}
	}
	f("plan_id run changed tables epoch published", "apply")
	for _, check := range d.objects(d.ok("verify", "--json")) { // "note", "examples" and "decided" where there are any
		want := "check compared differences"
		if strings.HasPrefix(check["check"].(string), "money: ") {
			want += " money"
		} else if name := check["check"].(string); name == "book = exports" || strings.HasPrefix(name, "published map") {
			want += " links"
		}
		if fields(check) != sorted(want) {
			t.Errorf("verify --json has %s, want %s", fields(check), sorted(want))
		}
	}
	f("epoch live published_at plan_id checksum links partners ids paths", "map", "list")
	f("epoch live published_at plan_id checksum links partners ids paths", "map", "publish")
	f("epoch live published_at plan_id checksum links partners ids paths", "map", "rollback", "1")
	f("version", "version")

	promoters := f("ref_token, email, status, keap_ids, codes, parent_ref_token, needs_email, balance_cents, currency, held_cents, carried_from, standing, w9, payout_method", "promoters")
	if len(promoters) != 36 {
		t.Errorf("%d promoters", len(promoters))
	}
	for _, p := range promoters {
		ids, codes := p["keap_ids"].([]any), p["codes"].([]any)
		if len(ids) == 0 || len(codes) == 0 || p["needs_email"] != (p["email"] == "") {
			t.Errorf("promoter %v", p)
		}
	}
	links := f("old_link, new_link, link, code, ref_token, email, status", "links")
	if len(links) != 4*39 { // the house's code has no new link
		t.Errorf("%d links", len(links))
	}
	rows, err := csv.NewReader(strings.NewReader(d.ok("links"))).ReadAll()
	if err != nil || len(rows) != len(links)+1 || strings.Join(rows[0], ",") != "old_link,new_link,link,code,ref_token,email,status" {
		t.Errorf("links as CSV: %d rows, %v", len(rows), err)
	}
	one := f("old_link, new_link, link, code, ref_token, email, status", "links", "--promoter", "ri_967048")
	for _, l := range one {
		if l["ref_token"] != "ri_967048" {
			t.Errorf("links --promoter: %v", l)
		}
	}
	if len(one) == 0 || len(one) >= len(links) {
		t.Errorf("links --promoter: %d of %d", len(one), len(links))
	}
	d.fails(console.ExitFailed, []string{`no promoter has the ref token "nobody"`, `"carryover promoters"`}, "links", "--promoter", "nobody")
	f("url, at, outcome, status, location, ref_token, link, reasons", "resolve", "https://go.carrot.test/go/course/RI_967048")
	f("url, at, outcome, status, location, ref_token, link, reasons", "resolve", "what is this?")
	f("old_link what before after", "examples")
	if out := d.ok("clicks", "--json") + d.ok("clicks", "--raw", "--json") + d.ok("misses", "--json"); out != "" {
		t.Errorf("no clicks as JSON: %q", out)
	}
	d.contains(d.ok("clicks"), "No clicks")
	d.contains(d.ok("misses"), "No misses")
	for _, command := range []string{"clicks", "misses"} {
		d.fails(console.ExitFailed, []string{`no promoter has the ref token "nobody"`, `"carryover promoters"`}, command, "--promoter", "nobody")
	}
	d.contains(d.ok("clicks", "--promoter", "ri_967048"), "No clicks")
	for _, args := range [][]string{{"promoters"}, {"map", "list"}, {"verify"}, {"examples"}, {"version"}, {"clicks", "--raw"}} {
		d.ok(args...)
	}
}

// A blocking conflict: plan exits 3, apply refuses until it is decided, and the edited
// conflicts.csv decides.
func TestDecisions(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	day := strings.Replace(partnersCSV("A1", "B2"), "6/20/2019", "20/6/2019", 2)
	d.write("exports/partners.csv", strings.Replace(day, "6/21/2019", "21/6/2019", 1))
	r := d.run("plan", "exports")
	if r.code != console.ExitDecide {
		t.Fatalf("plan: exit %d\n%s%s", r.code, r.out, r.err)
	}
	d.contains(r.out, "date_order:partners.csv:created_at", "day_first", "conflicts.csv", "--decisions")
	if r := d.run("plan", "exports", "--json"); r.code != console.ExitDecide || len(d.objects(r.out)) != 1 {
		t.Errorf("plan --json: exit %d\n%s", r.code, r.err)
	}
	d.fails(console.ExitDecide, []string{"a conflict that blocks has no decision", "date_order:partners.csv:created_at", "data/plan/conflicts.csv", "--decisions", "Nothing was changed"}, "apply")
	if slices.Contains(d.files("data"), "map.snapshot") || len(d.objects(d.ok("promoters", "--json"))) != 0 {
		t.Error("apply changed something")
	}
	if r := d.fails(console.ExitFailed, []string{`the book data/book.db: no map was published yet: run "carryover apply" first`}, "resolve", "x"); strings.Count(r.err, "data/book.db") != 1 {
		t.Errorf("said twice: %s", r.err)
	}
	decide := func(value string) {
		rows, err := csv.NewReader(strings.NewReader(d.read("data/plan/conflicts.csv"))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		w := csv.NewWriter(&out)
		for i, row := range rows {
			if i > 0 && row[slices.Index(rows[0], "blocking")] == "yes" {
				row[slices.Index(rows[0], "decision")] = value
			}
			w.Write(row)
		}
		w.Flush()
		d.write("decided.csv", "\ufeff"+strings.ReplaceAll(out.String(), "\n", "\r\n")) // as Excel saves it
	}
	decide("sometimes")
	d.fails(console.ExitFailed, []string{"decided.csv:2", "date_order:partners.csv:created_at", `"sometimes"`, "day_first", "month_first"}, "plan", "exports", "--decisions", "decided.csv")
	decide("day_first")
	d.ok("apply", "--decisions", "decided.csv")
	d.ok("verify")
	d.ok("plan", "--decisions", "decided.csv", "exports", "--out", "p2")
	d.ok("apply", "p2")
	d.ok("verify")
	decide("month_first")
	d.fails(console.ExitFailed, []string{`was decided as "day_first"`, `not "month_first"`, "plan again"}, "apply", "p2", "--decisions", "decided.csv")
	d.fails(console.ExitFailed, []string{"date_order:partners.csv:created_at", `was "day_first"`, `"month_first"`, "decided.csv"}, "apply", "p2")
}

// What a person has typed into conflicts.csv outlives the next plan: it is kept when it
// still answers a question, and the file is put aside when it does not.
func TestDecisionsAreKept(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.write("exports/a.csv", "Id,Code,Status\n1,one,1\n2,two,1\n2,zwei,1\n")
	d.write("exports/b.csv", "Id,Code,Status\n1,uno,1\n")
	fill := func(id, value string) {
		t.Helper()
		rows, err := csv.NewReader(strings.NewReader(d.read("data/plan/conflicts.csv"))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		w := csv.NewWriter(&out)
		for _, row := range rows {
			if row[0] == id {
				row[6] = value
			}
			w.Write(row)
		}
		w.Flush()
		d.write("data/plan/conflicts.csv", out.String())
	}
	plan := func(code int, want string, args ...string) {
		t.Helper()
		r := d.run(append([]string{"plan", "exports"}, args...)...)
		if r.code != code || !strings.Contains(r.err, want) || want == "" && r.err != "" {
			t.Fatalf("plan %v: exit %d, want %d and %q\n%s", args, r.code, code, want, r.err)
		}
	}
	plan(console.ExitDecide, "")
	fill("duplicate:partners:1", "later")
	plan(console.ExitDecide, "Decisions found in data/plan/conflicts.csv were kept: duplicate:partners:1 = later.")
	given := []string{"--decisions", "given.csv"}
	d.write("given.csv", "id,decision\nduplicate:partners:2,first\n")
	plan(console.ExitDone, "kept: duplicate:partners:1 = later.", given...)
	if !strings.Contains(d.ok("apply"), "Run 1") {
		t.Error("the plan with decisions from both files was not applied")
	}
	d.ok("verify")
	var codes []string
	for _, p := range d.objects(d.ok("promoters", "--json")) {
		codes = append(codes, p["ref_token"].(string))
	}
	if got := strings.Join(codes, " "); got != "uno two" {
		t.Errorf("promoters %s, want uno two", got)
	}
	// What the command line names comes first, and the typing that it overrules is put aside.
	d.write("given.csv", "id,decision\nduplicate:partners:1,first\nduplicate:partners:2,first\n")
	typed := d.read("data/plan/conflicts.csv")
	plan(console.ExitDone, "The former data/plan/conflicts.csv holds decisions that do not count in this plan (duplicate:partners:1): it is kept as data/plan/conflicts-before.csv.", given...)
	if d.read("data/plan/conflicts-before.csv") != typed {
		t.Error("conflicts-before.csv is not what was typed")
	}
	// Other rows: asked again.
	d.write("exports/b.csv", "Id,Code,Status\n1,eins,1\n")
	plan(console.ExitDecide, "it is kept as data/plan/conflicts-before-2.csv.")
	d.contains(d.read("data/plan/conflicts.csv"), "asked again")
	// A wrong word, and a file that cannot be read: refused, and still there.
	fill("duplicate:partners:1", "both")
	d.fails(console.ExitFailed, []string{"data/plan/conflicts.csv:", `"both"`, "first, later"}, "plan", "exports")
	d.write("data/plan/conflicts.csv", "my notes\n")
	d.fails(console.ExitFailed, []string{"mend data/plan/conflicts.csv or move it away"}, "plan", "exports")
	if got := d.read("data/plan/conflicts.csv"); got != "my notes\n" {
		t.Errorf("conflicts.csv is %q", got)
	}
}

// partnersCSV is a partner list with the given codes.
func partnersCSV(codes ...string) string {
	var b strings.Builder
	b.WriteString("Id,AffName,AffCode,Status,Email,DateCreated\n")
	for i, code := range codes {
		fmt.Fprintf(&b, "%d,Partner %d,%s,1,p%d@mail.test,6/%d/2019\n", i+1, i+1, code, i+1, 20+i)
	}
	return b.String()
}
