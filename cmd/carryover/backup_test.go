package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/console"
)

// newLiveDesk is a program with one partner and nothing of Keap's money.
func newLiveDesk(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, strings.Replace(readFile(t, "testdata/samples.toml"), `exclude = ["carrot-house"]`, "", 1))
	d.write("exports/partners.csv", "Id,AffName,AffCode,Status,ContactId,ParentId,Email\n1,Ann Alpha,ANN,1,11,0,ann@promoters.test\n")
	d.write("exports/links.csv", "Id,Name,Code,Website Address\n1,Course,course,https://carrot.test/course\n")
	d.ok("plan", "exports")
	d.ok("apply")
	return d
}

// sell tells a gateway of a sale of 100.00 of which ann earns 25.00.
func (g *served) sell(d *desk, event string) {
	d.Helper()
	body := `{"email":"mira@mail.test","event_id":"` + event + `","amount":10000,"plan":"Agency Membership"}`
	if status, answer := g.tell(d, "sale", body); status != 200 {
		d.Errorf("sale %s: %d %v", event, status, answer)
	}
}

// earned is what the ledger of a data folder sums up to, in cents.
func (d *desk) earned(data string) (cents int64) {
	d.Helper()
	for _, entry := range d.objects(d.ok("ledger", "--json", "--data", data)) {
		cents += int64(entry["amount_cents"].(float64))
	}
	return cents
}

// Twenty sales of 100.00 are booked, and the gateway goes on running: a backup has all of them,
// while a copy of the file would not, and whatever else was answered before it began. What was
// restored goes on: with the same secret, and with clicks that are all counted.
func TestBackupOfRunningGateway(t *testing.T) {
	t.Setenv("CARRYOVER_API_KEYS", storyKey)
	d := newLiveDesk(t)
	g := d.gateway()
	cookie := g.click(d, "/r/ann/course", "")
	if status, answer := g.tell(d, "signup", `{"email":"mira@mail.test","tid":"`+cookie+`"}`); status != 200 {
		t.Fatalf("the sign-up: %d %v", status, answer)
	}
	for i := range 20 {
		g.sell(d, fmt.Sprint("first-", i))
	}
	d.contains(d.ok("backup", "b.tar.gz"), "Saved as of", "b.tar.gz", "book.db", "clicks.db", "secret", "config/carryover.toml")
	d.contains(d.ok("restore", "b.tar.gz", "--data", "new"), "Restored to new", "program carrot", "book.db", "--data new verify", "--data new gateway", "tell again", "payouts first")
	if got := d.earned("new"); got != 500_00 {
		t.Errorf("ann has %d cents after the restore, want 500.00", got)
	}
	d.ok("verify", "--data", "new")

	// under load
	var sold, clicked atomic.Int64
	stop := make(chan struct{})
	var load sync.WaitGroup
	run := func(fn func(i int), done *atomic.Int64) {
		load.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					fn(i)
					done.Add(1)
				}
			}
		})
	}
	run(func(i int) { g.sell(d, fmt.Sprint("load-", i)) }, &sold)
	run(func(int) { g.click(d, "/r/ann/course", "") }, &clicked)
	for i := range 3 {
		d.until("some load", func() bool { return sold.Load() > int64(20*i) && clicked.Load() > int64(20*i) })
		sales, clicks := sold.Load(), clicked.Load()
		name := fmt.Sprint("load-", i)
		d.ok("backup", "b.tar.gz")
		d.ok("restore", "b.tar.gz", "--data", name)
		if earned := d.earned(name); earned < 500_00+25_00*sales {
			t.Errorf("backup %d: ann has %d cents, and %d sales were answered before it began", i, earned, sales)
		}
		if n := int64(len(d.objects(d.ok("clicks", "--raw", "--json", "--data", name)))); n < clicks+1 {
			t.Errorf("backup %d: %d clicks, and %d were answered before it began", i, n, clicks+1)
		}
	}
	close(stop)
	load.Wait()
	d.fails(console.ExitFailed, []string{"data is in use: process " + fmt.Sprint(g.cmd.Process.Pid), "nothing was restored"}, "restore", "b.tar.gz")
	g.stop()
	d.fails(console.ExitFailed, []string{"data is not empty", "choose another with --data", "nothing was restored"}, "restore", "b.tar.gz")

	// what was restored is behind what the first gateway has given out: its clicks are counted
	// all the same, and a cookie of the first is a cookie
	before := len(d.objects(d.ok("clicks", "--raw", "--json", "--data", "new")))
	next := d.gateway("--data", "new")
	for range 3 {
		next.click(d, "/r/ann/course", cookie)
	}
	if status, answer := next.tell(d, "signup", `{"email":"ben@mail.test","tid":"`+cookie+`"}`); status != 200 {
		t.Errorf("a sign-up with a cookie of the gateway before: %d %v", status, answer)
	}
	next.stop()
	if n := len(d.objects(d.ok("clicks", "--raw", "--json", "--data", "new"))); n != before+3 {
		t.Errorf("%d clicks after the restore, want %d", n, before+3)
	}
}

// A machine that has nothing but the archive: the configuration is written too, and the book
// lies where that says.
func TestRestoreOnEmptyMachine(t *testing.T) {
	t.Parallel()
	d := newLiveDesk(t)
	d.write("carryover.toml", d.read("carryover.toml")+"\n[book]\ndsn = \"disk/book.db\"\n")
	if err := os.MkdirAll(d.path("disk"), 0o755); err != nil {
		t.Fatal(err)
	}
	d.ok("plan", "exports")
	d.ok("apply")
	saved := d.objects(d.ok("backup", "b.tar.gz", "--json"))[0]
	if fields(saved) != "backup file files" {
		t.Errorf("backup --json has %s", fields(saved))
	}
	for _, gone := range []string{"carryover.toml", "data", "disk/book.db"} {
		if err := os.RemoveAll(d.path(gone)); err != nil {
			t.Fatal(err)
		}
	}
	if o := d.objects(d.ok("restore", "b.tar.gz", "--json"))[0]; fields(o) != "backup config data files" || o["config"] != "written" {
		t.Errorf("restore --json: %v", o)
	}
	d.ok("verify")
	if _, err := os.Stat(d.path("disk/book.db")); err != nil {
		t.Error(err)
	}
	d.fails(console.ExitFailed, []string{"b.txt: this is no backup that carryover wrote"}, "restore", d.write("b.txt", "a letter"), "--data", "new")
	d.fails(console.ExitFailed, []string{"no such file"}, "restore", "c.tar.gz", "--data", "new")
	d.fails(console.ExitFailed, []string{"there is no data folder elsewhere"}, "backup", "c.tar.gz", "--data", "elsewhere")
	if _, err := os.Stat(d.path("new")); !os.IsNotExist(err) {
		t.Errorf("a restore that was refused has made its folder: %v", err)
	}
}

// Killed at any moment a backup leaves the former archive or the new one, and a restore a folder
// that is empty, complete, or refused until it is restored anew.
func TestKilledBackupAndRestore(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.write("exports/partners.csv", manyPartners(6_000))
	d.ok("plan", "exports")
	d.ok("apply")
	timed := func(args ...string) time.Duration {
		began := time.Now()
		d.ok(args...)
		return time.Since(began)
	}
	killed := func(after time.Duration, args ...string) {
		t.Helper()
		cmd := d.command(args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(after, func() { cmd.Process.Kill() })
		cmd.Wait()
		timer.Stop()
	}
	const tries = 6
	whole := timed("backup", "b.tar.gz")
	restored := timed("restore", "b.tar.gz", "--data", "whole")
	want := d.state("whole")
	for i := range tries {
		killed(whole*time.Duration(i+1)/tries, "backup", "b.tar.gz")
		data := fmt.Sprint("new-", i)
		killed(restored*time.Duration(i+1)/tries, "restore", "b.tar.gz", "--data", data)
		half := d.run("promoters", "--data", data)
		switch {
		case strings.Contains(half.err, "a restore into "+data+" is under way or was interrupted"):
		case strings.Contains(half.err, "there is no book yet"):
		case half.code == console.ExitDone:
			if difference := d.state(data).differs(want); difference != "" {
				t.Errorf("kill %d left %s", i, difference)
			}
			continue
		default:
			t.Errorf("kill %d: %d %s", i, half.code, half.err)
		}
		d.ok("restore", "b.tar.gz", "--data", data)
		if difference := d.state(data).differs(want); difference != "" {
			t.Errorf("kill %d, restored again: %s", i, difference)
		}
	}
	d.ok("backup", "b.tar.gz")
	for _, name := range d.files() {
		if strings.Contains(name, ".carryover-backup") || strings.Contains(name, ".restor") {
			t.Errorf("left behind: %s", name)
		}
	}
}

// A disk that is full: nothing is left of the backup or of the restore.
func TestBackupOnFullDisk(t *testing.T) {
	t.Parallel()
	if !mounted(t) {
		return
	}
	d := newSampleDesk(t)
	d.write("exports/partners.csv", manyPartners(6_000))
	d.ok("plan", "exports")
	d.ok("apply")
	d.mount("small", "256k")
	d.fails(console.ExitFailed, []string{"writing the backup", "full", "there is no new small/b.tar.gz"}, "backup", "small/b.tar.gz")
	d.ok("backup", "b.tar.gz")
	d.fails(console.ExitFailed, []string{"no space left", "nothing was restored"}, "restore", "b.tar.gz", "--data", "small")
	if left := d.files("small"); len(left) != 0 {
		t.Errorf("left on the disk: %v", left)
	}
}
