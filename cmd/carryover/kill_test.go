package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/mapping/store/storetest"
)

// state is all that a migration leaves behind.
type state struct {
	content *book.Content
	runs    int // that stand
	entries []mapping.Entry
	epoch   store.Epoch
}

// state reads the book and the published map; a map that is not whole is an error.
func (d *desk) state(data string) state {
	d.Helper()
	ctx := context.Background()
	b, err := book.OpenExisting(d.path(data + "/book.db"))
	if err != nil {
		d.Fatal(err)
	}
	defer b.Close()
	var s state
	if s.content, err = b.Content(ctx); err != nil {
		d.Fatal(err)
	}
	runs, err := b.Runs(ctx)
	if err != nil {
		d.Fatal(err)
	}
	for _, r := range runs {
		if r.RolledBack.IsZero() {
			s.runs++
		}
	}
	var from store.Store = store.OpenBook(b)
	if d.redis != "" {
		if from, err = store.OpenRedis(d.redis, "carrot"); err != nil {
			d.Fatal(err)
		}
	}
	defer from.Close()
	m, epoch, err := from.Load(ctx)
	if err != nil {
		d.Fatal(err)
	}
	s.entries, s.epoch = m.Entries(), epoch
	return s
}

// waitForRun returns when the book holds so many runs, or after a while.
func (d *desk) waitForRun(runs int) {
	b, err := book.OpenExisting(d.path("data/book.db"))
	if err != nil {
		d.Error(err)
		return
	}
	defer b.Close()
	for range 6000 {
		if all, err := b.Runs(context.Background()); err != nil || len(all) >= runs {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// differs says how s is not want; numbers of epochs aside, which a killed try uses up.
func (s state) differs(want state) string {
	switch {
	case s.runs != want.runs:
		return fmt.Sprintf("%d runs stand, want %d", s.runs, want.runs)
	case !reflect.DeepEqual(s.content, want.content):
		return fmt.Sprintf("the book has another content: %d rows, want %d", s.content.Len(), want.content.Len())
	case s.epoch.Checksum != want.epoch.Checksum || s.epoch.PlanID != want.epoch.PlanID:
		return fmt.Sprintf("the published map is %+v, want %+v", s.epoch, want.epoch)
	case !slices.Equal(s.entries, want.entries):
		return fmt.Sprintf("the published map has other entries: %d, want %d", len(s.entries), len(want.entries))
	}
	return ""
}

// kills is how many points of an apply are tried on each store.
const kills = 12

// An apply that is killed anywhere leaves the old state or the new one; started again it
// ends in the state of one that nobody disturbed.
func TestKilledApply(t *testing.T) {
	t.Run("book", func(t *testing.T) { killedApply(t, "") })
	t.Run("redis", func(t *testing.T) {
		url, _ := storetest.StartRedis(t, "--databases", fmt.Sprint(kills+2))
		killedApply(t, strings.TrimSuffix(url, "/0"))
	})
}

func killedApply(t *testing.T, redis string) {
	// A small program is there already; a large one is to be applied on top of it.
	first := newSampleDesk(t)
	first.ok("plan", sample(t, "tiny"))
	exports := filepath.Dir(first.write("exports/partners.csv", manyPartners(20_000)))
	database := func(d *desk, n int) {
		if redis != "" {
			d.redis = fmt.Sprintf("%s/%d", redis, n)
		}
	}
	copied := func(t *testing.T, n int) *desk {
		d := &desk{T: t, dir: t.TempDir()}
		database(d, n)
		if err := os.CopyFS(d.dir, os.DirFS(first.dir)); err != nil {
			t.Fatal(err)
		}
		if redis != "" { // each has a map of its own to begin with
			d.ok("apply", "tiny")
		}
		return d
	}
	if err := os.Rename(first.path("data/plan"), first.path("tiny")); err != nil {
		t.Fatal(err)
	}
	database(first, 0)
	first.ok("apply", "tiny")
	first.ok("plan", exports, "--out", "large")
	before := first.state("data")

	undisturbed := copied(t, 1)
	began := time.Now()
	if err := oneCore(undisturbed.command("apply", "large")).Run(); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(began)
	want := undisturbed.state("data")
	if want.content.Len() < 60_000 || want.runs != 2 {
		t.Fatalf("the program has %d rows, %d runs", want.content.Len(), want.runs)
	}

	var killed, olds, halves, news atomic.Int64
	var wg sync.WaitGroup
	turn := make(chan struct{}, 2)
	for i := range kills {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			d := copied(t, 2+i)
			cmd := oneCore(d.command("apply", "large"))
			if err := cmd.Start(); err != nil {
				t.Error(err)
				return
			}
			if i%3 < 2 {
				time.Sleep(whole * time.Duration(i+1) / kills)
			} else { // publishing is the shorter part: look for its beginning
				d.waitForRun(want.runs)
				time.Sleep(whole * time.Duration(i) / (kills * 20))
			}
			cmd.Process.Kill()
			if err := cmd.Wait(); err != nil {
				killed.Add(1)
			}
			middle := d.state("data")
			switch {
			case middle.differs(before) == "":
				olds.Add(1)
			case middle.differs(want) == "":
				news.Add(1)
			case middle.runs == want.runs && reflect.DeepEqual(middle.content, want.content) && middle.epoch.Checksum == before.epoch.Checksum:
				halves.Add(1) // the book is written, the map not yet
			default:
				t.Errorf("kill %d: neither the old state nor the new one: %s; %s", i, middle.differs(before), middle.differs(want))
			}
			d.ok("apply", "large")
			if difference := d.state("data").differs(want); difference != "" {
				t.Errorf("kill %d, applied again: %s", i, difference)
			}
			d.ok("verify")
			if left := d.files("data"); !slices.Equal(withoutWAL(left), []string{"book.db"}) {
				t.Errorf("kill %d: left behind: %v", i, left)
			}
		})
	}
	wg.Wait()
	t.Logf("%d of %d were killed in time: %d before the book was written, %d between book and map, %d after the map", killed.Load(), kills, olds.Load(), halves.Load(), news.Load())
	if killed.Load() == 0 {
		t.Error("nothing was killed in time")
	}
}

// oneCore keeps a command from taking the time of another that runs beside it.
func oneCore(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(cmd.Env, "GOMAXPROCS=1")
	return cmd
}

func withoutWAL(files []string) []string {
	return slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "-wal") || strings.HasSuffix(f, "-shm") })
}

// A plan or apply that is stopped says so and leaves nothing.
func TestStopped(t *testing.T) {
	d := newSampleDesk(t)
	d.ok("plan", sample(t, "tiny"))
	d.ok("apply")
	d.write("exports/partners.csv", manyPartners(100_000))
	before := d.state("data")
	files := d.files()

	stop := func(sig os.Signal, begun func() bool, args ...string) {
		t.Helper()
		cmd := d.command(args...)
		said := newTail()
		cmd.Stdout, cmd.Stderr = said, said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		d.until("the command begins", begun)
		cmd.Process.Signal(sig)
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != exitFailed || !strings.HasSuffix(said.String(), "carryover: stopped\n") {
			t.Errorf("%v on %v: exit %d, %q", sig, args, code, said)
		}
	}
	begunPlan := func(dir string) func() bool {
		return func() bool {
			return slices.ContainsFunc(d.files(dir), func(f string) bool { return strings.Contains(f, ".writing-") })
		}
	}
	stop(syscall.SIGTERM, begunPlan("large"), "plan", "exports", "--out", "large")
	stop(os.Interrupt, begunPlan("data"), "plan", "exports")
	if left := d.files(); !slices.Equal(left, files) {
		t.Errorf("left behind: %v, before: %v", left, files)
	}

	// A plan that is killed leaves its working folder, which the next one clears away.
	cmd := d.command("plan", "exports", "--out", "large")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.until("the command begins", begunPlan("large"))
	cmd.Process.Kill()
	cmd.Wait()
	d.ok("plan", "exports", "--out", "large")
	if left := d.files("large"); begunPlan("large")() || !slices.Contains(left, "plan.json") {
		t.Errorf("in the plan's folder: %v", left)
	}

	stop(syscall.SIGTERM, func() bool {
		at, err := os.Stat(d.path("data/book.db-wal"))
		return err == nil && at.Size() >= 0
	}, "apply", "large")
	if difference := d.state("data").differs(before); difference != "" {
		t.Errorf("after an apply that was stopped: %s", difference)
	}
	d.ok("verify")
	if left := withoutWAL(d.files("data")); !slices.Equal(left, withoutWAL(filesBelow(files, "data"))) {
		t.Errorf("left behind: %v", left)
	}
}

func filesBelow(files []string, folder string) []string {
	var below []string
	for _, f := range files {
		if name, ok := strings.CutPrefix(f, folder+"/"); ok {
			below = append(below, name)
		}
	}
	return below
}

// Two applies at once: one does it, and both end in the same state.
func TestTwoAtOnce(t *testing.T) {
	onBothStores(t, func(d *desk) {
		d.write("exports/partners.csv", manyPartners(3_000))
		d.ok("plan", "exports")
		results := make([]result, 3)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() { results[i] = d.run("apply") })
		}
		wg.Wait()
		done := 0
		for _, r := range results {
			switch {
			case r.code == exitDone:
				done++
			case !strings.Contains(r.err, "the book has changed since this plan was made"):
				d.Errorf("exit %d: %s", r.code, r.err)
			}
		}
		if done == 0 {
			d.Errorf("none was done: %+v", results)
		}
		d.contains(d.ok("apply"), "nothing was changed")
		d.ok("verify")
		if n := len(d.objects(d.ok("promoters", "--json"))); n != 3_000 {
			d.Errorf("%d promoters", n)
		}
	})
}
