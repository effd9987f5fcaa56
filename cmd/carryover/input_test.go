package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/store/storetest"
)

// Exports that cannot be used: a sentence that says what to do, and nothing left behind.
func TestBadExports(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	header, _, _ := strings.Cut(readFile(t, sample(t, "tiny")+"/referral-partners.csv"), "\n")
	if err := os.Mkdir(d.path("empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	d.write("hidden/.DS_Store", "x")
	d.write("pdfs/2019.pdf", "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n")
	d.write("pdfs/2020.pdf", "%PDF-1.4\n\x00\x01\x02")
	d.write("header/partners.csv", header+"\n")
	d.write("bare/partners.csv", header)
	d.write("nothing/partners.csv", "")
	d.write("rejected/partners.csv", "Id,AffCode,Status\n1.23E+05,ABC,1\n,DEF,1\n")
	d.write("contacts/contacts.csv", readFile(t, sample(t, "tiny")+"/contacts.csv"))
	d.write("orders/orders.csv", readFile(t, sample(t, "tiny")+"/orders.csv"))
	d.write("broken.zip", "PK\x03\x04 and no more")

	d.untouched(func() {
		f := func(want []string, exports ...string) {
			t.Helper()
			r := d.fails(console.ExitFailed, want, append([]string{"plan"}, exports...)...)
			if r.out != "" {
				t.Errorf("standard output holds %q", r.out)
			}
		}
		f([]string{"empty holds no files", "name the folder or zip with Keap's exports"}, "empty")
		f([]string{"hidden holds no files"}, "hidden")
		f([]string{"empty, hidden holds no files"}, "empty", "hidden")
		f([]string{`no file or folder "nowhere"`}, "nowhere")
		f([]string{"none of the 2 files in pdfs is an export", "referral partner list, contacts and tracking links as CSV", "pdfs/2019.pdf", "pdfs/2020.pdf", "export it again as CSV"}, "pdfs")
		f([]string{"pdfs/2019.pdf", "none of the first 20 lines is the header of a known export"}, "pdfs/2019.pdf")
		f([]string{"pdfs/2019.pdf", "of kind partners", "id, code"}, "partners=pdfs/2019.pdf")
		f([]string{`"partners=pdfs"`, "a kind is given to one file"}, "partners=pdfs")
		f([]string{"no referral partner could be loaded", "header/partners.csv: partners, 0 rows"}, "header")
		f([]string{"no referral partner could be loaded", "bare/partners.csv: partners, 0 rows"}, "bare")
		f([]string{"nothing/partners.csv", "the file is empty"}, "nothing/partners.csv")
		f([]string{"none of the 1 files in nothing", "the file is empty"}, "nothing")
		f([]string{"no referral partner could be loaded", "rejected/partners.csv, line 2", `"1.23E+05"`, "bad_id", "rejected/partners.csv, line 3", "missing_value"}, "rejected")
		f([]string{"no referral partner could be loaded", "contacts/contacts.csv: contacts, 15 rows, 15 loaded"}, "contacts")
		f([]string{"no referral partner could be loaded", "orders/orders.csv: orders"}, "orders")
		f([]string{"broken.zip", "make the zip again or unpack it"}, "broken.zip")
	})
}

// A line without an end costs neither memory nor patience.
func TestEndlessLine(t *testing.T) {
	d := newSampleDesk(t)
	header, row, _ := strings.Cut(strings.ReplaceAll(partnersCSV("A1"), "\r", ""), "\n")
	const size = 1 << 30
	sparse := func(name, begin string) string {
		path := d.write(name, begin)
		if err := os.Truncate(path, size); err != nil { // the rest is a hole that reads as zeros
			t.Fatal(err)
		}
		return name
	}
	d.untouched(func() {})
	for _, c := range []struct {
		file string
		want []string
	}{
		{sparse("a/partners.csv", strings.Repeat("x", 3<<20)), []string{"a/partners.csv, line 1:", "no line end within 1048576 bytes", "export it again"}},
		{sparse("b/partners.csv", header+"\n"+row+"2,Long,"), []string{"b/partners.csv, line 3:", "no line end within 1048576 bytes"}},
		{sparse("c/partners.csv", header+"\n"+row+"2,\"Long"), []string{"c/partners.csv, line 3:", "no line end within 1048576 bytes"}},
		{sparse("d/partners.csv", "\xff\xfe"), []string{"d/partners.csv"}},
		{sparse("e/partners.csv", ""), []string{"e/partners.csv", "export it again"}},
	} {
		d.untouched(func() {
			r := d.fails(console.ExitFailed, c.want, "plan", c.file)
			if r.peak == 0 || r.peak > 256<<20 {
				t.Errorf("%s: %d MiB of memory", c.file, r.peak>>20)
			}
		})
	}
}

// A plan that is not the one that was reviewed is not carried out.
func TestPlanNoLongerHolds(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.write("exports/partners.csv", partnersCSV("A1", "B2"))
	d.ok("plan", "exports")
	good := d.read("data/plan/plan.json")
	d.untouched(func() {
		d.fails(console.ExitFailed, []string{"there is no plan in elsewhere", `"carryover plan EXPORTS"`}, "apply", "elsewhere")
		for _, damaged := range []string{"", "{", good[:len(good)/2], "[]", "{}", `{"plan_id": 7}`, "null", strings.Replace(good, `"line"`, `"line": "x", "x"`, 1)} {
			if damaged == good {
				continue
			}
			d.write("data/plan/plan.json", damaged)
			d.fails(console.ExitFailed, []string{"data/plan/plan.json is not a plan that carryover wrote", "plan again"}, "apply")
		}
		d.write("data/plan/plan.json", good)
	})

	refused := func(want ...string) {
		t.Helper()
		d.fails(console.ExitFailed, append(want, "plan again"), "apply")
		if n := len(d.objects(d.ok("promoters", "--json"))); n != 0 {
			t.Errorf("%d promoters after an apply that was refused", n)
		}
	}
	d.write("exports/partners.csv", partnersCSV("A1", "B3"))
	refused("exports/partners.csv has changed", "since the plan was made")
	d.write("exports/partners.csv", partnersCSV("A1", "B2"))
	d.write("exports/more.csv", partnersCSV("C3"))
	refused("since the plan was made")
	if err := os.Remove(d.path("exports/more.csv")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(d.path("exports"), d.path("moved")); err != nil {
		t.Fatal(err)
	}
	d.fails(console.ExitFailed, []string{"exports"}, "apply")
	if err := os.Rename(d.path("moved"), d.path("exports")); err != nil {
		t.Fatal(err)
	}
	d.ok("apply")

	// another run came between plan and apply
	d.write("exports/partners.csv", partnersCSV("A1", "B2", "C3"))
	d.ok("plan", "exports", "--out", "p1")
	d.write("exports2/partners.csv", partnersCSV("A1", "B2", "D4"))
	d.ok("plan", "exports2", "--out", "p2")
	d.ok("apply", "p1")
	d.fails(console.ExitFailed, []string{"the book has changed since this plan was made: plan again"}, "apply", "p2")
	d.ok("verify")
}

func TestBadDecisions(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.write("exports/partners.csv", partnersCSV("A1"))
	f := func(text string, want ...string) {
		t.Helper()
		d.write("d.csv", text)
		d.untouched(func() {
			d.fails(console.ExitFailed, append(want, "d.csv"), "plan", "exports", "--decisions", "d.csv")
		})
	}
	d.fails(console.ExitFailed, []string{"decisions", "nope.csv"}, "plan", "exports", "--decisions", "nope.csv")
	f("", "has no header", "an edited conflicts.csv")
	f("id,kind\nx,y\n", `has no column "decision"`, "an edited conflicts.csv")
	f("decision\nx\n", `has no column "id"`)
	f("id,decision\nmerged:a1,accept\nmerged:a1,first\n", "d.csv:3:", `"merged:a1" is decided twice, "accept" and "first"`)
	f("id,decision\n\"x,accept\n", "d.csv", "line 2")
	d.write("d.csv", "id,decision\n")
	d.ok("plan", "exports", "--decisions", "d.csv")
}

func TestNoRedis(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.ok("plan", sample(t, "tiny"))
	d.redis = "redis://127.0.0.1:1/0"
	d.untouched(func() {
		for _, args := range [][]string{{"apply"}, {"resolve", "x"}} {
			d.fails(console.ExitFailed, []string{"Redis at 127.0.0.1:1 does not answer", "connection refused", "start it, or leave --redis out"}, args...)
		}
		d.redis = ""
		d.fails(console.ExitFailed, []string{"the Redis address", "redis://[user:password@]host"}, "apply", "--redis", "localhost")
		r := d.fails(console.ExitFailed, []string{"the Redis address", "***"}, "apply", "--redis", "redis://:hunter 2@127.0.0.1:1/0")
		if strings.Contains(r.err, "hunter") {
			t.Errorf("the password is repeated: %s", r.err)
		}
	})
	// a Redis that wants a password
	url, server := storetest.StartRedis(t, "--requirepass", "hunter2")
	d.redis = url
	d.untouched(func() { d.fails(console.ExitFailed, []string{"Redis at " + server.Addr(), "NOAUTH"}, "apply") })
	d.redis = strings.Replace(url, "://", "://:wrong-secret@", 1)
	d.untouched(func() {
		if r := d.fails(console.ExitFailed, []string{"Redis at " + server.Addr(), "WRONGPASS"}, "apply"); strings.Contains(r.err, "wrong-secret") {
			t.Errorf("the password is repeated: %s", r.err)
		}
	})
	d.redis = strings.Replace(url, "://", "://:hunter2@", 1)
	if out := d.ok("apply"); strings.Contains(out, "hunter2") {
		t.Errorf("the password is repeated: %s", out)
	}
	d.ok("verify")
}

// A Redis that hangs: said so before the book is written, and once it wakes all is well.
func TestHangingRedis(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.ok("plan", sample(t, "tiny"))
	var server *storetest.RedisServer
	d.redis, server = storetest.StartRedis(t)
	server.Pause()
	d.untouched(func() {
		d.fails(console.ExitFailed, []string{"Redis at " + server.Addr() + " does not answer", "timeout"}, "apply")
	})
	server.Resume()
	d.ok("apply")
	server.Pause()
	d.fails(console.ExitFailed, []string{"Redis at " + server.Addr() + " does not answer"}, "rollback")
	server.Resume()
	d.ok("verify") // the run stands: nothing was undone
}

// Books that are none, or not for this binary.
func TestBadBooks(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	tiny := sample(t, "tiny")
	d.ok("plan", tiny)
	d.untouched(func() {
		for _, args := range [][]string{{"promoters"}, {"links"}, {"verify"}, {"rollback"}, {"map", "list"}, {"clicks"}, {"misses"}, {"resolve", "x"}, {"examples"}} {
			d.fails(console.ExitFailed, []string{"there is no book yet at data/book.db", `"carryover plan"`, `"carryover apply"`, "--data"}, args...)
		}
	})

	everyone := [][]string{{"plan", tiny}, {"apply", "data/plan"}, {"promoters"}, {"verify"}, {"rollback"}, {"map", "list"}, {"gateway", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"}}
	d.write("text/book.db", "this is a letter to my bank, and not a database of any kind at all, however long one reads on")
	d.untouched(func() {
		for _, args := range everyone {
			d.fails(console.ExitFailed, []string{"text/book.db is not a carryover book", "move the file away", "--data"}, append(args, "--data", "text")...)
		}
	})

	b, err := book.Open(d.path("newer/book.db"))
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	db, err := sql.Open("sqlite", d.path("newer/book.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO book_schema (name, applied_at) VALUES ('9999_future.sql', 0)`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	d.untouched(func() {
		for _, args := range everyone {
			d.fails(console.ExitFailed, []string{"newer/book.db: the book was written by a newer carryover", "9999_future.sql", "install the newer binary", "--data"}, append(args, "--data", "newer")...)
		}
	})

	// a database of somebody else
	if err := os.Mkdir(d.path("other"), 0o755); err != nil {
		t.Fatal(err)
	}
	if db, err = sql.Open("sqlite", d.path("other/book.db")); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE import (mine TEXT)`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	d.fails(console.ExitFailed, []string{"other/book.db"}, "promoters", "--data", "other")
}

// Folders that cannot be written.
func TestUnwritableFolders(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	tiny := sample(t, "tiny")
	d.ok("plan", tiny, "--out", "p")
	d.write("file", "not a folder")
	d.untouched(func() {
		d.fails(console.ExitFailed, []string{"the plan cannot be written to file/plan", "choose another folder with --out"}, "plan", tiny, "--out", "file/plan")
		d.fails(console.ExitFailed, []string{"the plan cannot be written to file", "--out"}, "plan", tiny, "--out", "file")
		d.fails(console.ExitFailed, []string{"the plan cannot be written to file/data/plan"}, "plan", tiny, "--data", "file/data")
		d.fails(console.ExitFailed, []string{"the data directory", "file", "not a directory", "choose another with --data"}, "apply", "p", "--data", "file/data")
	})
}

// mountedEnv marks the process that [mounted] starts.
const mountedEnv = "CARRYOVER_TEST_MOUNTS"

// mounted runs the test in a process of its own that may mount, root or not: in a user
// and mount namespace. There it returns true. What was mounted ends with the process.
func mounted(t *testing.T) bool {
	t.Helper()
	if os.Getenv(mountedEnv) != "" {
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil { // no mount reaches the machine
			t.Fatal(err)
		}
		return true
	}
	again := func(attr *syscall.SysProcAttr) ([]byte, error) {
		cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), mountedEnv+"=1", binaryEnv+"="+binary)
		cmd.SysProcAttr = attr
		return cmd.CombinedOutput()
	}
	out, err := again(&syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	})
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) { // no user namespaces here: root can do without
		out, err = again(&syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS})
	}
	if err != nil || !strings.Contains(string(out), "PASS: "+t.Name()) {
		t.Errorf("in a namespace that may mount: %v\n%s", err, out)
	}
	return false
}

// mount puts an empty file system of the given size at a folder of the desk.
func (d *desk) mount(name, size string) {
	d.Helper()
	if err := os.MkdirAll(d.path(name), 0o755); err != nil {
		d.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", d.path(name), "tmpfs", 0, "mode=755,size="+size); err != nil {
		d.Fatalf("mounting: %v", err)
	}
	d.Cleanup(func() { syscall.Unmount(d.path(name), syscall.MNT_DETACH) })
}

func (d *desk) readOnly(name string) {
	d.Helper()
	if err := syscall.Mount("tmpfs", d.path(name), "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		d.Fatalf("mounting read-only: %v", err)
	}
}

// A disk that takes nothing any more: what was there stays readable and as it was.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	if !mounted(t) {
		return
	}
	d := newSampleDesk(t)
	tiny := sample(t, "tiny")
	d.mount("data", "32m")
	d.mount("blank", "1m")
	d.readOnly("blank")
	d.ok("plan", tiny)
	d.untouched(func() {
		d.fails(console.ExitFailed, []string{"blank/book.db cannot be written", "--data"}, "apply", "data/plan", "--data", "blank")
		d.fails(console.ExitFailed, []string{"the plan cannot be written to blank/plan", "read-only", "--out"}, "plan", tiny, "--out", "blank/plan")
	})
	d.ok("apply")
	d.readOnly("data")
	r := d.run("apply")
	if r.code != console.ExitFailed || !strings.Contains(r.err, "data/book.db") || !strings.Contains(r.err, "--data") {
		t.Errorf("apply on a read-only disk: exit %d\n%s", r.code, r.err)
	}
}

// The disk fills up while a program is applied: the old state stays whole, and with room
// again the same command ends the work.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if !mounted(t) {
		return
	}
	d := newSampleDesk(t)
	d.mount("data", "64m")
	d.ok("plan", sample(t, "tiny"))
	d.ok("apply")
	before := d.ok("promoters", "--json")
	d.write("exports/partners.csv", manyPartners(20_000))
	d.ok("plan", "exports", "--out", "p")

	// with ever more room it gets ever further
	failures, size := 0, 2
	for ; ; size += 3 {
		d.room("data", size)
		r := d.run("apply", "p")
		if r.code == console.ExitDone {
			break
		}
		failures++
		d.check(r, console.ExitFailed, []string{"full"}, "apply")
		d.contains(d.ok("map", "list"), "1  live")
		switch now := d.ok("promoters", "--json"); {
		case strings.Contains(r.err, "nothing was changed"):
			if now != before {
				t.Error("the book is another after an apply that changed nothing")
			}
			d.ok("verify")
		case !strings.Contains(r.err, "the book is complete, but the link map was not published") || !strings.Contains(r.err, "run apply again"):
			t.Errorf("with %d MB: %s", size, r.err)
		}
	}
	if failures < 2 {
		t.Errorf("only %d applies met a full disk, up to %d MB", failures, size)
	}
	d.ok("verify")
	if n := len(d.objects(d.ok("promoters", "--json"))); n != 20_005 {
		t.Errorf("%d promoters", n)
	}

	// a plan that finds no room leaves the former one
	plan := d.read("data/plan/plan.json")
	d.fill("data")
	d.fails(console.ExitFailed, []string{"data/book.db", "its disk is full", "make room"}, "plan", "exports")
	if d.read("data/plan/plan.json") != plan {
		t.Error("the former plan is gone")
	}
	if err := os.Remove(d.path("data/ballast")); err != nil {
		t.Fatal(err)
	}
	if left := d.files("data/plan"); slices.ContainsFunc(left, func(f string) bool { return strings.HasPrefix(f, ".") }) {
		t.Errorf("left behind: %v", left)
	}
}

// room changes the size of a mounted folder.
func (d *desk) room(name string, megabytes int) {
	d.Helper()
	if err := syscall.Mount("tmpfs", d.path(name), "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		d.Fatal(err)
	}
}

// fill leaves no room in a folder.
func (d *desk) fill(name string) {
	d.Helper()
	f, err := os.Create(filepath.Join(d.path(name), "ballast"))
	if err != nil {
		d.Fatal(err)
	}
	defer f.Close()
	for _, n := range []int{1 << 20, 4096, 1} {
		block := make([]byte, n)
		for {
			if _, err := f.Write(block); err != nil {
				break
			}
		}
	}
}

// manyPartners is a partner list without any mess.
func manyPartners(n int) string {
	var b strings.Builder
	b.WriteString("Id,ParentId,AffName,AffCode,Status,Email,DateCreated\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "%d,%d,Partner Name %d,Code%xZ,%d,p%d@mail.test,%d/%d/2019 3:18 AM\n", 1000+i*3, 1000+i/2*3, i, i, min(i%5, 1), i, i%12+1, i%28+1)
	}
	return b.String()
}
