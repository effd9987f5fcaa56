package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/store/storetest"
)

func peakOf(cmd *exec.Cmd) int64 {
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss << 10
	}
	return 0
}

// stop ends the gateway as a service manager does and returns its exit code.
func (g *served) stop() int {
	g.cmd.Process.Signal(syscall.SIGTERM)
	<-g.exited
	return g.cmd.ProcessState.ExitCode()
}

// health is what /readyz says.
func (g *served) health(d *desk) (status int, body map[string]any) {
	d.Helper()
	resp, err := http.Get("http://" + g.ops + "/readyz")
	if err != nil {
		d.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		d.Fatal(err)
	}
	if err := json.Unmarshal(text, &body); err != nil {
		d.Fatalf("%v: %s", err, text)
	}
	return resp.StatusCode, body
}

// until waits for something that a gateway does in its own time.
func (d *desk) until(what string, fn func() bool) {
	d.Helper()
	for range 600 {
		if fn() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	d.Fatalf("waited in vain: %s", what)
}

// Clicks on a running gateway, as the reports tell them.
func TestClickReports(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(d *desk) {
		d.ok("plan", readable(d))
		d.ok("apply")
		g := d.gateway("--at", "2023-02-15T20:00:00Z")
		const host = "go.carrot.test"
		for range 3 {
			g.get(d, host, "/go/course/RI_967048?utm_source=letter", "Referer: https://blog.test/post?secret=1")
		}
		g.get(d, host, "/go/Shop/RI_967048/ad7")
		g.get(d, host, "/go/no-such-link/RI_967048")
		g.get(d, host, "/go/course/nobody")
		g.get(d, host, "/go/course/nobody")
		g.get(d, "elsewhere.test", "/x")

		raw := d.objects(d.ok("clicks", "--raw", "--json"))
		if len(raw) != 8 {
			d.Fatalf("%d clicks, want 8: %v", len(raw), raw)
		}
		for _, c := range raw {
			if fields(c) != sorted("at, node, seq, host, path, outcome, ref_token, link, ad, verdict, reason, referrer, user_agent") {
				d.Fatalf("clicks --raw --json has %s", fields(c))
			}
			if c["node"] == "" || c["user_agent"] != browser || !strings.HasPrefix(c["at"].(string), "2023-02-15T20:0") || c["verdict"] == "" {
				d.Errorf("click %v", c)
			}
		}
		first := raw[0]
		if first["host"] != host || first["path"] != "/go/course/RI_967048" || first["outcome"] != "forward" || first["ref_token"] != "ri_967048" || first["link"] != "course" || first["referrer"] != "https://blog.test" {
			d.Errorf("the first click: %v", first)
		}
		if c := raw[3]; c["ad"] != "ad7" || c["link"] != "Shop" {
			d.Errorf("the click with an ad: %v", c)
		}
		d.contains(d.ok("clicks", "--raw"), "2023-02-15 12:00:", " PST  forward", "go.carrot.test/go/course/RI_967048") // the program's zone

		count := func(by string) map[string]float64 {
			d.Helper()
			totals := map[string]float64{}
			for _, o := range d.objects(d.ok("clicks", "--by", by, "--json")) {
				totals[o[by].(string)] = o["total"].(float64)
				if fields(o) != sorted(by+" human total") {
					d.Errorf("clicks --by %s --json has %s", by, fields(o))
				}
			}
			return totals
		}
		for by, want := range map[string]string{
			"day": "map[2023-02-15:8]", "promoter": "map[:3 ri_967048:5]", "link": "map[:2 Shop:1 course:5]",
			"outcome": "map[forward:5 forward_uncredited:2 not_found:1]",
		} {
			if got := fmt.Sprint(count(by)); got != want {
				d.Errorf("clicks --by %s: %s, want %s", by, got, want)
			}
		}
		d.contains(d.ok("clicks", "--by", "promoter"), "promoter", "human", "ri_967048", "(none)")
		for args, want := range map[string]int{
			"--promoter ri_967048": 5, "--link Shop": 1, "--since 2023-02-15": 8, "--since 2023-02-16": 0, "--until 2023-02-15": 0, "--until 2023-02-16": 8,
		} {
			if got := len(d.objects(d.ok(append([]string{"clicks", "--raw", "--json"}, strings.Fields(args)...)...))); got != want {
				d.Errorf("clicks --raw %s: %d, want %d", args, got, want)
			}
		}

		misses := d.objects(d.ok("misses", "--json"))
		if len(misses) != 3 || misses[0]["path"] != "/go/course/nobody" || misses[0]["total"] != 2.0 {
			d.Fatalf("misses: %v", misses)
		}
		if fields(misses[0]) != sorted("host path outcome human total first last top_referrer") {
			d.Errorf("misses --json has %s", fields(misses[0]))
		}
		d.contains(d.ok("misses"), "2023-02-15 12:00 PST", "go.carrot.test/go/course/nobody", "elsewhere.test/x", "go.carrot.test/go/no-such-link/RI_967048")
		if n := len(d.objects(d.ok("misses", "--json", "--limit", "1"))); n != 1 {
			d.Errorf("misses --limit 1: %d", n)
		}
		if code := g.stop(); code != console.ExitDone {
			d.Errorf("the gateway ended with %d:\n%s", code, g.err)
		}
		d.objects(g.err.String()) // its log is JSON, every line
		d.contains(g.err.String(), `"msg":"stopping: `, `"msg":"stopped","clicks_recorded":8,"clicks_dropped":0`)
		if n := len(d.objects(d.ok("clicks", "--raw", "--json"))); n != 8 {
			d.Errorf("%d clicks after the gateway has stopped", n)
		}
	})
}

// A partner link on the site itself is a miss of no page: what is shown names the
// parameter, never what it said.
func TestMissesNameTheParameter(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.write("carryover.toml", d.read("carryover.toml")+"\n[links]\ncode_params = [\"aff\", \"partner\"]\n")
	d.ok("plan", sample(t, "tiny"))
	d.ok("apply")
	g := d.gateway("--at", "2023-02-15T20:00:00Z")
	const host = "go.carrot.test"
	for _, query := range []string{"?aff=b99606", "?utm_source=x&aff=other", "?partner=b99606&secret=1", ""} {
		g.get(d, host, "/"+query)
	}
	var got []string
	for _, m := range d.objects(d.ok("misses", "--json")) {
		got = append(got, fmt.Sprint(m["path"], " ", m["total"]))
	}
	if want := "/?aff= 2, / 1, /?partner= 1"; strings.Join(got, ", ") != want {
		t.Errorf("misses %s, want %s", strings.Join(got, ", "), want)
	}
}

// A map that was rolled back to nothing is served, and said to be empty.
func TestEmptyMap(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.ok("plan", sample(t, "tiny"))
	d.ok("apply")
	d.ok("rollback")
	g := d.gateway()
	if status, health := g.health(d); status != 200 || !strings.Contains(fmt.Sprint(health["warnings"]), "the link map is empty") {
		t.Errorf("%d %v", status, health)
	}
	d.contains(g.err.String(), "the published map is empty", `"level":"WARN"`)
}

// A gateway takes over what is published while it runs, and goes on without its store.
func TestGatewayFollows(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	var server *storetest.RedisServer
	d.redis, server = storetest.StartRedis(t)
	d.ok("plan", sample(t, "tiny"))
	g := d.gateway("--at", "2023-02-15T12:00:00Z")
	if status, health := g.health(d); status != 503 || health["ready"] != false {
		t.Errorf("without a map: %d %v", status, health)
	}
	const host, target = "go.carrot.test", "/go/course/b99606"
	if status, _ := g.get(d, host, target); status != 503 {
		t.Errorf("a link without a map: %d", status)
	}
	d.ok("apply")
	d.until("the gateway takes the map", func() bool { status, _ := g.health(d); return status == 200 })
	if status, location := g.get(d, host, target); status != 302 || !strings.Contains(location, "fpr=b99606") {
		t.Errorf("a link: %d %s", status, location)
	}
	now := d.gateway("--data", "now")
	d.until("a gateway with a secret of its own says what to set", func() bool {
		status, health := now.health(d)
		return status == 503 && strings.Contains(fmt.Sprint(health["warnings"]), "set CARRYOVER_SECRET to one text on all machines")
	})
	now.stop()
	d.write("now/secret", d.read("data/secret"))
	now = d.gateway("--data", "now")
	d.until("a gateway without a book takes the map", func() bool { status, _ := now.health(d); return status == 200 })
	d.contains(d.ok("verify", "--against", "http://"+now.visitors), "live gateway http://"+now.visitors+" = published map")
	now.stop()

	config := d.read("carryover.toml")
	d.write("carryover.toml", strings.Replace(config, `token_param`, ``, 1)+"\n[partners.grace]\nb99606 = \"2023-06-30\"\n")
	d.ok("map", "publish")
	d.until("the gateway takes the second map", func() bool { _, h := g.health(d); return h["epoch"] == 2.0 })
	d.ok("map", "rollback", "1")
	d.until("the gateway goes back to the first", func() bool { _, h := g.health(d); return h["epoch"] == 1.0 })
	d.write("carryover.toml", config)

	// the clicks of verify are none
	if n := len(d.objects(d.ok("clicks", "--raw", "--json"))); n != 1 {
		t.Errorf("%d clicks, want the one that was made", n)
	}

	server.Stop()
	if status, location := g.get(d, host, target); status != 302 || !strings.Contains(location, "fpr=b99606") {
		t.Errorf("a link without Redis: %d %s", status, location)
	}
	g.stop()
	alone := d.gateway("--at", "2023-02-15T12:00:00Z") // from the last good map
	if status, location := alone.get(d, host, target); status != 302 || !strings.Contains(location, "fpr=b99606") {
		t.Errorf("a link from the last good map: %d %s", status, location)
	}
	d.fails(console.ExitFailed, []string{"Redis at", "does not answer"}, "verify")
	if code := alone.stop(); code != console.ExitDone {
		t.Errorf("the gateway ended with %d:\n%s", code, alone.err)
	}
}

func TestVerifyAgainst(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.ok("plan", sample(t, "tiny"))
	d.ok("apply")
	d.fails(console.ExitFailed, []string{"the gateway at http://127.0.0.1:1 does not answer", "refused"}, "verify", "--against", "http://127.0.0.1:1")
	d.fails(console.ExitFailed, []string{`--against "gateway:80" is no address`, "http://127.0.0.1:8080"}, "verify", "--against", "gateway:80")
	g := d.gateway("--at", "2023-02-15T12:00:00Z") // lives before the cutoff: answers differ from now
	r := d.fails(console.ExitFailed, []string{"differences"}, "verify", "--against", "http://"+g.visitors)
	d.contains(r.out, "the gateway answers 302", "the map says 302", "login")
	if checks := d.objects(d.fails(console.ExitFailed, nil, "verify", "--json", "--against", "http://"+g.visitors).out); len(checks) != 9 || checks[8]["differences"] == 0.0 {
		t.Errorf("verify --json: %v", checks)
	}
}

func TestGatewayRefusals(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	// Without a book there is nothing to serve, and none is made.
	d.untouched(func() {
		d.fails(console.ExitFailed, []string{"nothing to serve", "there is no book yet at other/book.db", `"carryover apply"`, "--data", "--redis"}, "gateway", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data", "other")
	})
	d.redis, _ = storetest.StartRedis(t)
	g := d.gateway()
	d.fails(console.ExitFailed, []string{"the public address cannot be listened on", g.visitors, "in use", "--listen", "[gateway] listen"}, "gateway", "--listen", g.visitors, "--admin-listen", "127.0.0.1:0", "--data", "other")
	d.fails(console.ExitFailed, []string{"the admin address cannot be listened on", "--admin-listen", "[gateway] admin_listen"}, "gateway", "--listen", "127.0.0.1:0", "--admin-listen", g.visitors, "--data", "other")
	d.write("file", "")
	d.fails(console.ExitFailed, []string{"data directory", "--data"}, "gateway", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data", "file/data")
}
