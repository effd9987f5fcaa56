package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
)

// binary is the program under test, built once as it is shipped.
var binary string

// binaryEnv hands the binary to a test that runs itself again.
const binaryEnv = "CARRYOVER_TEST_BINARY"

func TestMain(m *testing.M) {
	if binary = os.Getenv(binaryEnv); binary != "" {
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "carryover-cmd-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "carryover")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the binary: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// desk is a folder in which a person works: configuration, exports, data.
type desk struct {
	*testing.T
	dir   string
	redis string // REDIS_URL, if any
}

// result is how a command ended.
type result struct {
	code     int
	out, err string
	peak     int64 // resident memory at most, in bytes
}

// newDesk is an empty folder with the given configuration in it.
func newDesk(t *testing.T, config string) *desk {
	t.Helper()
	d := &desk{T: t, dir: t.TempDir()}
	d.write("carryover.toml", config)
	return d
}

// newSampleDesk is for the tiny and the small sample.
func newSampleDesk(t *testing.T) *desk {
	t.Helper()
	return newDesk(t, readFile(t, "testdata/samples.toml"))
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sample is the folder of a sample's exports.
func sample(t testing.TB, name string) string {
	t.Helper()
	dir, err := filepath.Abs("../../migrate/keap/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// sampleDecisions leaves out the rows of the small sample that cannot be read.
func sampleDecisions(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs("testdata/small-decisions.csv")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// readable is the small sample without the rows that ask whether to go on without them.
func readable(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "small")
	if err := os.CopyFS(dir, os.DirFS(sample(t, "small"))); err != nil {
		t.Fatal(err)
	}
	for name, lines := range map[string][2]int{"commissions.csv": {6, 11}, "referrals.csv": {5, 9}} {
		path := filepath.Join(dir, name)
		rows := strings.SplitAfter(readFile(t, path), "\n")
		rows = slices.Concat(rows[:lines[0]-1], rows[lines[0]:lines[1]-1], rows[lines[1]:])
		if err := os.WriteFile(path, []byte(strings.Join(rows, "")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

func (d *desk) write(name, text string) string {
	d.Helper()
	path := d.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.Fatal(err)
	}
	return path
}

func (d *desk) read(name string) string { d.Helper(); return readFile(d, d.path(name)) }

// config is what carryover.toml says.
func (d *desk) config() *config.Config {
	d.Helper()
	cfg, err := config.Load(d.path("carryover.toml"))
	if err != nil {
		d.Fatal(err)
	}
	return cfg
}

func (d *desk) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir = d.dir
	cmd.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "REDIS_URL=") || strings.HasPrefix(e, "COLUMNS=") })
	if d.redis != "" {
		cmd.Env = append(cmd.Env, "REDIS_URL="+d.redis)
	}
	// Ends with the test process, however that ends.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

func (d *desk) run(args ...string) result { d.Helper(); return d.runWith(nil, args...) }

func (d *desk) runWith(in io.Reader, args ...string) result {
	d.Helper()
	cmd := d.command(args...)
	cmd.Stdin = in
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		d.Fatal(err)
	}
	r := result{code: cmd.ProcessState.ExitCode(), out: out.String(), err: errOut.String()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.peak = usage.Maxrss << 10 // KiB on Linux
	}
	return r
}

// ok runs a command that must succeed and say nothing on standard error but log lines.
func (d *desk) ok(args ...string) string {
	d.Helper()
	r := d.run(args...)
	if r.code != console.ExitDone || strings.Contains(r.err, "carryover:") {
		d.Fatalf("carryover %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.err)
	}
	return r.out
}

// fails runs a command that must end with code and say every one of want on standard
// error, in one message of carryover's own.
func (d *desk) fails(code int, want []string, args ...string) result {
	d.Helper()
	r := d.run(args...)
	d.check(r, code, want, args...)
	return r
}

func (d *desk) check(r result, code int, want []string, args ...string) {
	d.Helper()
	if r.code != code {
		d.Errorf("carryover %s: exit %d, want %d\n%s%s", strings.Join(args, " "), r.code, code, r.out, r.err)
		return
	}
	if !strings.HasPrefix(r.err, "carryover: ") && !strings.Contains(r.err, "\ncarryover: ") {
		d.Errorf("carryover %s: no message of its own:\n%s", strings.Join(args, " "), r.err)
	}
	for _, w := range append(want, "") {
		if !strings.Contains(r.err, w) {
			d.Errorf("carryover %s: the message lacks %q:\n%s", strings.Join(args, " "), w, r.err)
		}
	}
	for _, bad := range []string{"panic", "goroutine ", "runtime error", "%!", "0x", "struct {", "BUG"} {
		if strings.Contains(r.err, bad) {
			d.Errorf("carryover %s: the message holds %q:\n%s", strings.Join(args, " "), bad, r.err)
		}
	}
}

// files lists every file and folder below the desk, or below one folder of it.
func (d *desk) files(below ...string) []string {
	d.Helper()
	root := d.path(filepath.Join(below...))
	var list []string
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name, err := filepath.Rel(root, path)
		list = append(list, filepath.ToSlash(name))
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		d.Fatal(err)
	}
	return list
}

// untouched fails when fn leaves other files behind than there were.
func (d *desk) untouched(fn func()) {
	d.Helper()
	before := d.files()
	fn()
	if after := d.files(); !slices.Equal(before, after) {
		d.Errorf("files before:\n  %s\nand after:\n  %s", strings.Join(before, "\n  "), strings.Join(after, "\n  "))
	}
}

// objects decodes one JSON object a line, and nothing else.
func (d *desk) objects(text string) []map[string]any {
	d.Helper()
	var list []map[string]any
	for line := range strings.Lines(text) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			d.Fatalf("not a JSON object on a line of its own: %v\n%q", err, line)
		}
		list = append(list, v)
	}
	return list
}

// fields is what names the members of an object, sorted.
func fields(v map[string]any) string {
	var names []string
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// sorted puts the words of a list of names into the order of [fields].
func sorted(names string) string {
	words := strings.Fields(strings.ReplaceAll(names, ",", " "))
	slices.Sort(words)
	return strings.Join(words, " ")
}

// served is a running gateway.
type served struct {
	visitors, ops string // host:port
	cmd           *exec.Cmd
	exited        chan struct{} // closed when it has ended
	err           *tail
}

// tail gathers what a process writes and lets a test wait for a part of it.
type tail struct {
	text  chan string // holds the text so far
	wrote chan struct{}
}

func newTail() *tail {
	t := &tail{text: make(chan string, 1), wrote: make(chan struct{}, 1)}
	t.text <- ""
	return t
}

func (t *tail) Write(p []byte) (int, error) {
	t.text <- <-t.text + string(p)
	select {
	case t.wrote <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (t *tail) String() string {
	s := <-t.text
	t.text <- s
	return s
}

var whereServed = regexp.MustCompile(`"visitors":"http://([^"]+)","ops":"http://([^"]+)"`)

// gateway starts one on free ports; it is ended with the test.
func (d *desk) gateway(args ...string) *served {
	d.Helper()
	g := &served{err: newTail(), exited: make(chan struct{})}
	g.cmd = d.command(append([]string{"gateway", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"}, args...)...)
	g.cmd.Stderr = g.err
	if err := g.cmd.Start(); err != nil {
		d.Fatal(err)
	}
	go func() {
		g.cmd.Wait()
		close(g.exited)
	}()
	d.Cleanup(func() {
		g.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-g.exited:
		case <-time.After(40 * time.Second):
			g.cmd.Process.Kill()
			<-g.exited
			d.Errorf("the gateway does not stop:\n%s", g.err)
		}
	})
	for {
		if m := whereServed.FindStringSubmatch(g.err.String()); m != nil {
			g.visitors, g.ops = m[1], m[2]
			return g
		}
		select {
		case <-g.exited:
			d.Fatalf("the gateway did not start:\n%s", g.err)
		case <-g.err.wrote:
		case <-time.After(30 * time.Second):
			d.Fatalf("the gateway does not say where it serves:\n%s", g.err)
		}
	}
}
