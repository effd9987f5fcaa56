package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping"
	"carryover/mapping/store/storetest"
)

// resolveCase is an old URL, the instant of the click, and the answer.
type resolveCase struct{ url, at, outcome, location string }

func readCases(t *testing.T, path string) []resolveCase {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var cases []resolveCase
	for _, r := range rows[1:] {
		cases = append(cases, resolveCase{r[0], r[1], r[2], r[3]})
	}
	if len(cases) < 20 {
		t.Fatalf("%s: only %d cases", path, len(cases))
	}
	return cases
}

// Every case holds through resolve and through the running gateway.
func TestResolveCases(t *testing.T) {
	t.Parallel()
	example, err := filepath.Abs("../../migrate/example")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct{ name, config, exports, cases string }{
		{"tiny", "testdata/samples.toml", sample(t, "tiny"), "testdata/tiny-resolve-cases.csv"},
		{"small", "testdata/samples.toml", sample(t, "small"), "testdata/small-resolve-cases.csv"},
		{"example", example + "/carryover.toml", example + "/exports", example + "/resolve-cases.csv"},
	} {
		t.Run(s.name, func(t *testing.T) {
			d := newDesk(t, readFile(t, s.config))
			if s.name == "tiny" {
				d.redis, _ = storetest.StartRedis(t)
			}
			switch s.name {
			case "example": // its questions were decided, and what they are about remains
				d.ok("plan", "--decisions", example+"/decisions.csv", s.exports)
				d.ok("apply")
				d.fails(console.ExitDecide, []string{"everything else agrees", "that a person decided about remain"}, "verify")
			case "small": // rows of it cannot be read
				d.ok("plan", "--decisions", sampleDecisions(t), s.exports)
				d.ok("apply")
				d.fails(console.ExitDecide, []string{"2 differences that a person decided about remain"}, "verify")
			default:
				d.ok("plan", s.exports)
				d.ok("apply")
				d.ok("verify")
			}
			cases := readCases(t, s.cases)
			d.resolves(cases)
			d.serves(cases)
		})
	}
}

// A link on a domain of Keap's does not come to the gateway by itself.
func TestResolveKeapsOwnDomains(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.ok("plan", sample(t, "tiny"))
	d.ok("apply")
	f := func(url string, noted bool) {
		t.Helper()
		out := d.ok("resolve", "--at", "2023-02-15", url)
		one := d.objects(d.ok("resolve", "--json", "--at", "2023-02-15", url))[0]
		_, inJSON := one["note"]
		if strings.Contains(out, "note: links on xy123.") != noted || inJSON != noted || one["outcome"] != "forward" {
			t.Errorf("%s: %s%v", url, out, one)
		}
	}
	f("https://xy123.infusionsoft.com/go/course/b99606", true)
	f("XY123.isrefer.com/go/course/b99606", true)
	f("https://go.carrot.test/go/course/b99606", false)
}

// A time without a zone is one of the program's: the last second before its cutoff, and
// the first after it.
func TestResolveInTheProgramsZone(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.ok("plan", sample(t, "tiny"))
	d.ok("apply")
	f := func(at, wantAt, outcome string) {
		t.Helper()
		one := d.objects(d.ok("resolve", "--json", "--at", at, "https://go.carrot.test/go/course/b99606"))[0]
		r := d.runWith(strings.NewReader(at+"\thttps://go.carrot.test/go/course/b99606\n"), "resolve", "--json", "-")
		line := d.objects(r.out)[0] // which repeats what was asked
		if one["at"] != wantAt || one["outcome"] != outcome || line["at"] != at || line["outcome"] != outcome {
			t.Errorf("at %s: %v at %v, %v at %v; want %s at %s", at, one["outcome"], one["at"], line["outcome"], line["at"], outcome, wantAt)
		}
	}
	f("2023-03-31T23:59:59", "2023-03-31T23:59:59-07:00", "forward")
	f("2023-03-31 23:59", "2023-03-31T23:59:00-07:00", "forward")
	f("2023-04-01 00:00:00", "2023-04-01T00:00:00-07:00", "login")
	f("2023-04-01T00:00", "2023-04-01T00:00:00-07:00", "login")
	f("2023-03-31T23:59:59Z", "2023-03-31T23:59:59Z", "forward")
	d.fails(console.ExitUsage, []string{`"31.3.2023" is no time`, "without the zone for the time in America/Los_Angeles"}, "resolve", "--at", "31.3.2023", "x")
}

// resolves asks for all cases in one stream, and for a few one by one.
func (d *desk) resolves(cases []resolveCase) {
	d.Helper()
	var in strings.Builder
	for _, c := range cases {
		fmt.Fprintf(&in, "%s\t%s\n", c.at, c.url)
	}
	r := d.runWith(strings.NewReader(in.String()), "resolve", "--json", "-")
	if r.code != console.ExitDone || r.err != "" {
		d.Fatalf("resolve --json -: exit %d\n%s", r.code, r.err)
	}
	answers := d.objects(r.out)
	if len(answers) != len(cases) {
		d.Fatalf("%d answers to %d lines", len(answers), len(cases))
	}
	for i, c := range cases {
		a := answers[i]
		if a["url"] != c.url || a["at"] != c.at {
			d.Errorf("answer %d is to %v at %v, want %s at %s", i+1, a["url"], a["at"], c.url, c.at)
		}
		if a["outcome"] != c.outcome || a["location"] != c.location || a["status"] != float64(c.status()) {
			d.Errorf("%s at %s: %v %v %q, want %s %q\n  %v", c.url, c.at, a["outcome"], a["status"], a["location"], c.outcome, c.location, a["reasons"])
		}
	}
	for i := 0; i < len(cases); i += 1 + len(cases)/5 {
		c := cases[i]
		var one mapping.Answer
		if err := json.Unmarshal([]byte(d.ok("resolve", c.url, "--at", c.at, "--json")), &one); err != nil {
			d.Fatal(err)
		}
		if one.Outcome != c.outcome || one.Location != c.location || len(one.Reasons) == 0 {
			d.Errorf("resolve %s --at %s: %+v", c.url, c.at, one)
		}
		d.contains(d.ok("resolve", "--at", c.at, c.url), fmt.Sprintf("%s %d\n", c.outcome, c.status()), c.location)
	}
}

func (c resolveCase) status() int {
	if c.location == "" {
		return 404
	}
	return 302
}

// serves asks running gateways, one for each instant.
func (d *desk) serves(cases []resolveCase) {
	d.Helper()
	byClock := map[string][]resolveCase{}
	for _, c := range cases {
		at, err := time.Parse(time.RFC3339Nano, c.at)
		if err != nil {
			d.Fatal(err)
		}
		if at.Second() == 59 { // just before something ends, and the gateway's clock runs on
			at = at.Add(-10 * time.Minute)
		}
		clock := at.UTC().Format(time.RFC3339Nano)
		byClock[clock] = append(byClock[clock], c)
	}
	for _, clock := range slices.Sorted(maps.Keys(byClock)) {
		g := d.gateway("--at", clock)
		for _, c := range byClock[clock] {
			host, target := splitURL(c.url)
			if strings.ContainsAny(host, "()<> ") { // no server is asked for this
				continue
			}
			status, location := g.get(d, host, target)
			if status != c.status() || location != c.location {
				d.Errorf("the gateway at %s: %s: %d %q, want %d %q", clock, c.url, status, location, c.status(), c.location)
			}
		}
		g.stop()
	}
}

// splitURL cuts a pasted URL into host and what a browser puts on the request line. A
// path alone is asked of a legacy host.
func splitURL(url string) (host, target string) {
	if scheme, rest, ok := strings.Cut(url, "://"); ok && !strings.ContainsAny(scheme, "/?#") {
		url = rest
	}
	url, _, _ = strings.Cut(url, "#")
	host, target = url, "/"
	if i := strings.IndexAny(url, "/?"); i >= 0 {
		host, target = url[:i], url[i:]
	}
	if host == "" {
		host = "go.carrot.test"
	}
	if target[0] == '?' {
		target = "/" + target
	}
	var b strings.Builder
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c > '~' || c == '"' || c == '<' || c == '>' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return host, b.String()
}

// get asks over a socket: a client library would rewrite the target.
func (g *served) get(d *desk, host, target string, headers ...string) (status int, location string) {
	d.Helper()
	conn, err := net.DialTimeout("tcp", g.visitors, 10*time.Second)
	if err != nil {
		d.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nConnection: close\r\n%s\r\n", target, host, browser, strings.Join(append(headers, ""), "\r\n"))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		d.Fatalf("%s: %v", target, err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("Location")
}

const browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"

// A stream stays one answer a line whatever the lines are.
func TestResolveStream(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.ok("plan", sample(t, "tiny"))
	d.ok("apply")
	url := "https://go.carrot.test/go/course/b99606"

	r := d.runWith(strings.NewReader("\t"+url+"\n"+url+"\r\n2023-02-15\t"+url+"\nnoon\t"+url+"\n\n\t\n2023-02-15T12:00:00Z\t"+strings.Repeat("x", 3<<20)+"\n2023-02-15T12:00:00Z\t"+url), "resolve", "--json", "-")
	answers := d.objects(r.out)
	if len(answers) != 8 {
		t.Fatalf("%d answers to 8 lines\n%s", len(answers), r.err)
	}
	d.check(r, console.ExitFailed, []string{`line 4: "noon" is no time`, "line 7: the line is longer than 1048576 bytes", "2 of 8 lines could not be answered"})
	for i, want := range []string{"login", "login", "forward", "", "not_found", "not_found", "", "forward"} {
		if got, _ := answers[i]["outcome"].(string); got != want {
			t.Errorf("line %d: %v, want %s", i+1, answers[i], want)
		}
	}
	if answers[3]["error"] == nil || answers[3]["url"] != url || answers[2]["at"] != "2023-02-15" {
		t.Errorf("lines 3 and 4: %v, %v", answers[2], answers[3])
	}
	for _, a := range answers[:2] {
		if at, err := time.Parse(time.RFC3339Nano, a["at"].(string)); err != nil || time.Since(at) > time.Hour {
			t.Errorf("a line without a time is of %v", a["at"])
		}
	}

	// --at is what an empty time means
	r = d.runWith(strings.NewReader("\t"+url+"\n2023-04-01T07:00:00Z\t"+url+"\n"), "resolve", "-", "--at", "2023-02-15T12:00:00Z")
	if lines := strings.Split(r.out, "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "forward\t302\t") || !strings.HasPrefix(lines[1], "login\t302\t") {
		t.Errorf("resolve - without --json: %q", r.out)
	}
	if r := d.runWith(strings.NewReader(""), "resolve", "--json", "-"); r.code != 0 || r.out != "" {
		t.Errorf("no lines: %+v", r)
	}
}

// An answer comes when the input pauses, not when it ends; memory does not grow with it.
func TestResolveStreams(t *testing.T) {
	d := newSampleDesk(t)
	d.ok("plan", sample(t, "tiny"))
	d.ok("apply")
	cmd := d.command("resolve", "--json", "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for range 3 {
		fmt.Fprint(in, "2023-02-15T12:00:00Z\thttps://go.carrot.test/go/course/b99606\n")
		if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, `"outcome":"forward"`) {
			t.Fatalf("%q, %v", line, err)
		}
	}
	const n = 200_000
	go func() {
		w := bufio.NewWriter(in)
		for i := range n {
			fmt.Fprintf(w, "2023-02-15T12:00:00Z\thttps://go.carrot.test/go/course/b99606?n=%d\n", i)
		}
		w.Flush()
		in.Close()
	}()
	for i := range n {
		line, err := lines.ReadString('\n')
		if err != nil || !strings.Contains(line, fmt.Sprintf("&n=%d&fpr=b99606", i)) {
			t.Fatalf("answer %d: %q, %v", i, line, err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if r := peakOf(cmd); r > 256<<20 {
		t.Errorf("%d MiB of memory for a stream", r>>20)
	}
}

// Whoever reads the answers may leave; a signal ends a stream that waits.
func TestResolveStreamEnds(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.ok("plan", sample(t, "tiny"))
	d.ok("apply")
	cmd := d.command("resolve", "--json", "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(in, "2023-02-15\thttps://go.carrot.test/go/course/b99606")
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil { // it is at work
		t.Fatal(err)
	}
	cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Errorf("after Ctrl-C: %v", err)
	}
	in.Close()
}
