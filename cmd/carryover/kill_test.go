package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/mapping/store/storetest"
)

// state is all that a migration leaves behind.
type state struct {
	content *book.Content
	money   *book.KeapRecords
	ledger  []book.Entry
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
	if s.money, err = b.KeapRecords(ctx); err != nil {
		d.Fatal(err)
	}
	if err := b.Ledger(ctx, nil, func(e book.Entry) error { s.ledger = append(s.ledger, e); return nil }); err != nil {
		d.Fatal(err)
	}
	runs, err := b.Imports(ctx)
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
		if all, err := b.Imports(context.Background()); err != nil || len(all) >= runs {
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
	case !reflect.DeepEqual(s.money, want.money) || !slices.Equal(s.ledger, want.ledger):
		return fmt.Sprintf("the book has other customers or money: %d rows, %d entries; want %d, %d", s.money.Len(), len(s.ledger), want.money.Len(), len(want.ledger))
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
	t.Parallel()
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
	exports := first.writeManyMoney("exports", 6_000)
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
			d.ok("apply", "tiny", "--store", "redis")
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
	if rows := want.content.Len() + want.money.Len(); rows < 60_000 || len(want.ledger) < 25_000 || want.runs != 2 {
		t.Fatalf("the program has %d rows, %d entries of money, %d runs", rows, len(want.ledger), want.runs)
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
			case middle.runs == want.runs && reflect.DeepEqual(middle.content, want.content) && reflect.DeepEqual(middle.money, want.money) && middle.epoch.Checksum == before.epoch.Checksum:
				halves.Add(1) // the book is written, the map not yet
			default:
				t.Errorf("kill %d: neither the old state nor the new one: %s; %s", i, middle.differs(before), middle.differs(want))
			}
			d.ok("apply", "large")
			if difference := d.state("data").differs(want); difference != "" {
				t.Errorf("kill %d, applied again: %s", i, difference)
			}
			d.fails(console.ExitDecide, []string{"everything else agrees; 3 balances are proven by nothing"}, "verify") // those of the small program
			wantFiles := []string{"book.db"}
			if redis != "" {
				wantFiles = append(wantFiles, "secret") // which signs the map
			}
			if left := d.files("data"); !slices.Equal(withoutWAL(left), wantFiles) {
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

// writeManyMoney writes exports of so many partners, each with a customer, a sale and money
// that its ledger agrees with, and returns their folder.
func (d *desk) writeManyMoney(dir string, partners int) string {
	d.Helper()
	d.write(dir+"/partners.csv", manyPartners(partners))
	write := func(name, header string, row func(i, partner int) string) {
		var b strings.Builder
		b.WriteString(header + "\n")
		for i := range partners {
			b.WriteString(row(i, 1000+(i+1)*3))
		}
		d.write(dir+"/"+name+".csv", b.String())
	}
	dollars := func(cents int) string { return fmt.Sprintf("$%d.%02d", cents/100, cents%100) }
	write("contacts", "Id,First Name,Last Name,Email", func(i, _ int) string {
		return fmt.Sprintf("%d,First,Last%d,customer%d@shop.test\n", 2_000_000+i, i, i)
	})
	write("referrals", "Id,ContactId,AffiliateId,DateSet,Type", func(i, partner int) string {
		return fmt.Sprintf("%d,%d,%d,1/5/2022 9:00 AM,COOKIE\n", 5_000_000+i, 2_000_000+i, partner)
	})
	write("orders", "Id,ContactId,Order Date,Product Name,Order Total,Affiliate Id", func(i, partner int) string {
		return fmt.Sprintf("%d,%d,2/5/2022,Evergreen Webinar,%s,%d\n", 4_000_000+i, 2_000_000+i, dollars(2*(1000+i)), partner)
	})
	write("commissions", "Affiliate Id,date_earned,amount_earned,invoice_id,contact_id,product_name,description,sales_affiliate_id", func(i, partner int) string {
		return fmt.Sprintf("%d,2/5/2022,%s,%d,%d,Evergreen Webinar,Sale,%d\n%d,3/5/2022,$0.50,%d,,Evergreen Webinar,Level 2,\n", partner, dollars(1000+i), 7_000_000+i, 2_000_000+i, partner, partner, 8_000_000+i)
	})
	write("clawbacks", "Affiliate Id,Amount,DateEarned,InvoiceId,ProductName,Description", func(i, partner int) string {
		return fmt.Sprintf("%d,$0.50,4/5/2022,%d,Evergreen Webinar,Refund\n", partner, 8_000_000+i)
	})
	write("payments", "id,Affiliate Id,date,amount,type,notes", func(i, partner int) string {
		return fmt.Sprintf("%d,%d,5/12/2022,$10.00,Cash,\n", 900_000+i, partner)
	})
	write("ledger", "Affiliate Id,Beginning Balance,Commissions,Clawbacks,Payments,Ending Balance", func(i, partner int) string {
		return fmt.Sprintf("%d,%s,%s,$0.50,$10.00,%s\n", partner, dollars(i%700), dollars(1050+i), dollars(i%700+i))
	})
	return d.path(dir)
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
	t.Parallel()
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
		if code := cmd.ProcessState.ExitCode(); code != console.ExitFailed || !strings.HasSuffix(said.String(), "carryover: stopped\n") {
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

// Money that is not proven is for a person to decide, and every command says so.
func TestMoneyExitCodes(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.writeManyMoney("exports", 3)
	d.ok("plan", "exports")
	d.ok("apply")
	d.ok("verify")
	before := d.state("data")

	ledger := d.read("exports/ledger.csv")
	d.write("exports/ledger.csv", strings.Replace(ledger, "1003,$0.00,$10.50,$0.50,$10.00,$0.00", "1003,$0.00,$10.50,$0.50,$10.00,$0.01", 1))
	for range 2 { // planned again, it still asks
		r := d.run("plan", "exports")
		if r.code != console.ExitDecide || !strings.Contains(r.out+r.err, "conflicts.csv") {
			t.Errorf("plan of a ledger that is off by a cent: exit %d\n%s%s", r.code, r.out, r.err)
		}
		d.contains(d.read("data/plan/conflicts.csv"), "unbalanced_ledger:Code1Z", "difference 0.01 USD")
	}
	d.fails(console.ExitDecide, []string{"unbalanced_ledger:Code1Z", "difference 0.01 USD", "conflicts.csv", "Nothing was changed"}, "apply")
	if difference := d.state("data").differs(before); difference != "" {
		t.Errorf("apply without a decision: %s", difference)
	}
	decisions := d.write("decided.csv", "id,decision,decided_by\nunbalanced_ledger:Code1Z,accept,Ann\n")
	d.ok("apply", "--decisions", decisions)
	d.contains(d.run("verify").err, "decided about remains")
	d.verifies(console.ExitDecide)
	d.contains(d.ok("apply", "--decisions", decisions), "nothing was changed")
	after := d.state("data")
	if got := len(after.ledger) - len(before.ledger); got != 1 {
		t.Errorf("%d entries were added, want the one of the difference", got)
	}
	d.ok("rollback")
	if difference := d.state("data").differs(before); difference != "" {
		t.Errorf("undone: %s", difference)
	}

	d.write("exports/ledger.csv", ledger)
	d.verifies(console.ExitDone)
	d.tamper(`UPDATE referral SET partner_id = 1006 WHERE customer = 'customer0@shop.test'`)
	d.verifies(console.ExitFailed)
	d.tamper(`UPDATE referral SET partner_id = 1003 WHERE customer = 'customer0@shop.test'`)
	d.verifies(console.ExitDone)
	d.tamper(`UPDATE payout SET amount = amount + 1 WHERE partner_id = 1003`)
	d.verifies(console.ExitFailed)
	d.contains(d.run("verify").out, "payout k-", "code1z", "payment of 2022-05", "difference -0.01 USD")
}

func (d *desk) verifies(code int) {
	d.Helper()
	if r := d.run("verify"); r.code != code {
		d.Errorf("verify: exit %d, want %d\n%s%s", r.code, code, r.out, r.err)
	}
}

// tamper changes one row of the book behind carryover's back.
func (d *desk) tamper(statement string) {
	d.Helper()
	db, err := sql.Open("sqlite", d.path("data/book.db"))
	if err != nil {
		d.Fatal(err)
	}
	defer db.Close()
	res, err := db.Exec(statement)
	if err != nil {
		d.Fatal(err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		d.Fatalf("%s: %d rows, %v", statement, n, err)
	}
}

// Two applies at once: one does it, and both end in the same state.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
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
			case r.code == console.ExitDone:
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
