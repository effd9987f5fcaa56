package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/store/storetest"
)

// twoRuns applies the small sample and then two partners more.
func (d *desk) twoRuns() {
	d.Helper()
	d.ok("plan", readable(d.T))
	d.ok("apply")
	d.write("more/partners.csv", strings.NewReplacer("\n1,", "\n9001,", "\n2,", "\n9002,").Replace(partnersCSV("Later1", "Later2")))
	d.ok("plan", readable(d.T), "more")
	d.ok("apply")
}

// inBook works on the book behind carryover's back.
func (d *desk) inBook(fn func(b *book.Book) error) {
	d.Helper()
	b, err := book.OpenExisting(d.path("data/book.db"))
	if err != nil {
		d.Fatal(err)
	}
	defer b.Close()
	if err := fn(b); err != nil {
		d.Fatal(err)
	}
}

// runsThatStand are the numbers of the runs that were not undone.
func (d *desk) runsThatStand() (ids []int64) {
	d.Helper()
	d.inBook(func(b *book.Book) error {
		all, err := b.Imports(context.Background())
		for _, r := range all {
			if r.RolledBack.IsZero() {
				ids = append(ids, r.ID)
			}
		}
		return err
	})
	return ids
}

// A rollback that ended between the book and the map is finished by the next one, which undoes
// nothing beside; so does one that names the run. Only then is the next run's turn.
func TestInterruptedRollback(t *testing.T) {
	t.Parallel()
	for _, again := range [][]string{{"rollback"}, {"rollback", "2"}, {"rollback", "--yes", "--json"}} {
		t.Run(strings.Join(again, " "), func(t *testing.T) {
			d := newSampleDesk(t)
			if len(again) == 1 {
				d.redis, _ = storetest.StartRedis(t)
			}
			d.twoRuns()
			d.inBook(func(b *book.Book) error { // what a process has done that is killed before it publishes
				_, err := b.Rollback(context.Background(), 2, time.Now())
				return err
			})
			out := d.ok(again...)
			if again[len(again)-1] == "--json" {
				if o := d.objects(out)[0]; o["run"] != 2.0 || o["interrupted"] != true {
					d.Errorf("%v", o)
				}
			} else {
				d.contains(out, "was stopped before it said that the link map was published", "nothing else was undone", "Run 2 is undone. Link map 3 is live")
			}
			if ids := d.runsThatStand(); len(ids) != 1 || ids[0] != 1 {
				d.Fatalf("%v: the runs %v stand, want the first", again, ids)
			}
			d.ok("verify")
			d.fails(console.ExitFailed, []string{"run 2 was undone already"}, "rollback", "2")
			d.contains(d.ok("rollback"), "Run 1 is undone")
		})
	}
}

// A rollback that is killed when all is done, but before it could say so, is not a second one
// when it is repeated: whoever repeats it has not heard of the first.
func TestRollbackKilledBeforeItSaysSo(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.twoRuns()
	reader, full, err := os.Pipe() // nobody reads what the rollback says
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for err = nil; err == nil; {
		full.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		_, err = full.Write(make([]byte, 4096))
	}
	cmd := d.command("rollback")
	cmd.Stdout = full
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	full.Close()
	d.until("the map of the first run", func() bool {
		o := d.objects(d.ok("map", "list", "--json"))
		return len(o) == 3 && o[0]["live"] == true
	})
	cmd.Process.Kill()
	cmd.Wait()
	d.contains(d.ok("rollback"), "nothing else was undone", "Run 2 is undone. Link map 3 is live")
	if ids := d.runsThatStand(); len(ids) != 1 || ids[0] != 1 {
		t.Fatalf("the runs %v stand, want the first", ids)
	}
	d.ok("verify")
	d.contains(d.ok("rollback"), "Run 1 is undone")
}

// What publishes for another reason does not make of an interrupted rollback one of the next
// run; a new run does.
func TestInterruptedRollbackOfOldRuns(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.twoRuns()
	undo := func(run int64) {
		d.inBook(func(b *book.Book) error { _, err := b.Rollback(context.Background(), run, time.Now()); return err })
	}
	undo(2)
	d.ok("map", "publish")
	d.contains(d.ok("rollback"), "nothing else was undone")
	d.ok("plan", readable(t), "more")
	d.ok("apply")
	undo(3)
	d.ok("plan", readable(t), "more")
	d.contains(d.ok("apply"), "Run 4")
	d.contains(d.ok("rollback"), "Run 4 is undone")
	if ids := d.runsThatStand(); len(ids) != 1 || ids[0] != 1 {
		t.Errorf("the runs %v stand", ids)
	}
}

// An apply that ended between book and map: the rollback undoes that run, and no other.
func TestRollbackOfInterruptedApply(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.ok("plan", readable(t))
	d.ok("apply")
	d.inBook(func(b *book.Book) error {
		one := book.Changes{}
		one.Promoters = []book.Promoter{{ID: 7001, Token: "later", KeapID: 7001, Status: book.StatusActive}}
		_, err := b.Apply(context.Background(), book.Import{PlanID: "later", AppliedAt: time.Now(), Inputs: []byte("{}"), Tables: []byte("{}")}, 1, &one, nil, func(int) {})
		return err
	})
	d.contains(d.ok("rollback"), "Run 2 is undone")
	if ids := d.runsThatStand(); len(ids) != 1 || ids[0] != 1 {
		t.Errorf("the runs %v stand", ids)
	}
	d.ok("verify")
}

// At a terminal a rollback names the run and asks; everything but a yes undoes nothing.
func TestRollbackAsks(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.twoRuns()
	f := func(answer string, want int, args ...string) string {
		t.Helper()
		outer, inner := openTerminal(t)
		defer outer.Close()
		cmd := d.command(append([]string{"rollback"}, args...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = inner, inner, inner
		if _, err := outer.WriteString(answer); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		inner.Close()
		var shown strings.Builder
		buf := make([]byte, 4096)
		for {
			n, err := outer.Read(buf) // fails when the other side is closed
			shown.Write(buf[:n])
			if err != nil {
				break
			}
		}
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Errorf("%q: exit %d, want %d\n%s", answer, code, want, shown.String())
		}
		return shown.String()
	}
	for _, no := range []string{"n\n", "\n", "maybe\n"} {
		d.contains(f(no, console.ExitFailed), "Undo run 2, applied 20", "from plan ", "? [y/N]", "nothing was undone")
	}
	d.contains(f("n\n", console.ExitFailed, "2"), "Undo run 2")
	if ids := d.runsThatStand(); len(ids) != 2 {
		t.Fatalf("the runs %v stand, want both", ids)
	}
	d.contains(f("y\n", console.ExitDone), "Run 2 is undone")
	if shown := f("", console.ExitDone, "--yes"); strings.Contains(shown, "[y/N]") || !strings.Contains(shown, "Run 1 is undone") {
		t.Errorf("with --yes: %s", shown)
	}
}
