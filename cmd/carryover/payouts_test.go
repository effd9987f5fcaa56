package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/payout"
	"carryover/mapping/terms"
)

// payDesk is a desk whose book holds a few promoters and what they earned.
type payDesk struct {
	*desk
	zone  *time.Location
	sales map[string][]book.EventLine // by name
}

// newPayDesk is a program in Los Angeles with the promoters ann (1), bo (2), cy (3) and
// dee, who joined here.
func newPayDesk(t *testing.T) *payDesk {
	t.Helper()
	d := &payDesk{desk: newSampleDesk(t), zone: losAngeles(t), sales: map[string][]book.EventLine{}}
	var c book.Changes
	for i, name := range []string{"ann", "bo", "cy", "dee"} {
		id := int64(i + 1)
		if name == "dee" {
			id = -1
		}
		c.Promoters = append(c.Promoters, book.Promoter{ID: id, Token: name, KeapID: id, Email: name + "@mail.test", Name: strings.ToUpper(name[:1]) + name[1:] + " Payee", Status: book.StatusActive})
		c.Aliases = append(c.Aliases, book.Alias{Kind: book.AliasCode, Value: name, PromoterID: id}, book.Alias{Kind: book.AliasKeapID, Value: fmt.Sprint(id), PromoterID: id, Code: name, Active: true})
	}
	b, err := book.Open(d.path("data/book.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Apply(context.Background(), book.Import{PlanID: "p", AppliedAt: time.Unix(1_600_000_000, 0)}, 0, &c, nil, func(int) {}); err != nil {
		t.Fatal(err)
	}
	return d
}

func losAngeles(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func (d *payDesk) inBook(fn func(b *book.Book) error) {
	d.Helper()
	b, err := book.Open(d.path("data/book.db"))
	if err != nil {
		d.Fatal(err)
	}
	if err := errors.Join(fn(b), b.Close()); err != nil {
		d.Fatal(err)
	}
}

var payPromoters = map[string]int64{"ann": 1, "bo": 2, "cy": 3, "dee": -1}

// sale books a commission of a promoter, earned on a day, under a name.
func (d *payDesk) sale(name, promoter, day string, amount int64) book.EventLine {
	d.Helper()
	at, err := time.ParseInLocation(time.DateOnly, day, d.zone)
	if err != nil {
		d.Fatal(err)
	}
	list := []book.EventLine{{
		Kind: book.KindCommission, PromoterID: payPromoters[promoter], CustomerID: 1, At: at.Unix() + 3600, Month: int32(terms.MonthOf(at, d.zone)), Amount: amount,
		Currency: "USD", SaleAmount: 4 * amount, Percent: terms.OneHundredPercent / 4, Product: "content-pro", ProductKind: "membership", Quantity: 1,
	}}
	d.event(book.EventSale, list)
	d.sales[name] = list
	return list[0]
}

// back books that a share of a sale's commission is taken back, on a day.
func (d *payDesk) back(kind, name, day string, amount int64) {
	d.Helper()
	at, err := time.ParseInLocation(time.DateOnly, day, d.zone)
	if err != nil {
		d.Fatal(err)
	}
	of := d.sales[name][0]
	list := []book.EventLine{of}
	list[0].Kind, list[0].At, list[0].Amount, list[0].ReversesLineID, list[0].ID = kind, at.Unix()+3600, -amount, of.ID, 0
	d.event(book.EventRefund, list)
}

func (d *payDesk) event(kind string, lines []book.EventLine) {
	d.Helper()
	d.inBook(func(b *book.Book) error {
		return b.Track(func(tr *book.Tracking) error {
			if _, known, err := tr.CustomerByEmail("kim@shop.test"); err != nil || !known {
				if err := errors.Join(err, tr.AddCustomer(&book.Customer{Email: "kim@shop.test", PromoterID: 1})); err != nil {
					return err
				}
			}
			return tr.AddEvent(&book.Event{Kind: kind, ExternalID: fmt.Sprintf("e-%d-%d-%d", lines[0].PromoterID, lines[0].At, lines[0].Amount), CustomerID: 1, At: lines[0].At, ReceivedAt: lines[0].At, Currency: "USD", Plan: "content-pro"}, lines)
		})
	})
}

// handIn records a W-9 and a payout method of promoters.
func (d *payDesk) handIn(promoters ...string) {
	d.Helper()
	for _, p := range promoters {
		d.ok("promoters", "set", p, "w9=yes", "payout_method=paypal", "--by", "kim")
	}
}

// planned is a plan of a month in one line: "ann 50.00 (2023-01: 50.00 0.00 0.00); held bo 10.00 below_minimum".
func (d *payDesk) planned(month string) string {
	d.Helper()
	var plan payout.Plan
	if err := json.Unmarshal([]byte(d.ok("payouts", "plan", "--month", month, "--json")), &plan); err != nil {
		d.Fatal(err)
	}
	var said []string
	sum := int64(0)
	for _, l := range plan.Payable {
		said = append(said, fmt.Sprintf("%s %s (%s: %s %s %s)", l.RefToken, cents(l.Net), strings.Join(l.Months, " "), cents(l.Gross), cents(l.Refunds), cents(l.Carried)))
		sum += l.Net
	}
	for _, h := range plan.Held {
		said = append(said, fmt.Sprintf("held %s %s %s", h.RefToken, cents(h.Amount), h.Reason))
		sum += h.Amount
	}
	if plan.Totals.Due != sum || plan.Totals.Payable+plan.Totals.Held != sum {
		d.Errorf("%s: the lines come to %d, the totals say %+v", month, sum, plan.Totals)
	}
	return strings.Join(said, "; ")
}

func cents(n int64) string { return payout.PlainAmount(n, "USD") }

func (d *payDesk) plansTo(month, want string) {
	d.Helper()
	if got := d.planned(month); got != want {
		d.Errorf("paid in %s:\n got %s\nwant %s", month, got, want)
	}
}

// approve approves a month whose days are over, and returns its run.
func (d *payDesk) approve(month string) float64 {
	d.Helper()
	r := d.run("payouts", "approve", "--month", month, "--by", "kim", "--json")
	if r.code != console.ExitDone || !strings.Contains(r.err, "were to be made until") {
		d.Fatalf("approve %s: exit %d\n%s%s", month, r.code, r.out, r.err)
	}
	return d.objects(r.out)[0]["run"].(float64)
}

// The story of the program's page: earned in January, held through February, paid in March.
func TestPayoutStory(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.handIn("ann", "bo", "cy", "dee")
	d.sale("j", "ann", "2023-01-01", 3000)
	d.sale("last", "ann", "2023-01-31", 2000)
	d.sale("f", "ann", "2023-02-01", 4000)
	d.sale("r", "bo", "2023-01-15", 6000)
	d.sale("s", "cy", "2023-01-15", 2499)
	d.sale("t", "dee", "2023-01-20", 2500)
	d.back(book.KindRefund, "r", "2023-02-20", 3500) // inside the hold
	d.plansTo("2023-02", "")
	d.plansTo("2023-03", "ann 50.00 (2023-01: 50.00 0.00 0.00); bo 25.00 (2023-01: 60.00 -35.00 0.00); dee 25.00 (2023-01: 25.00 0.00 0.00); held cy 24.99 below_minimum")

	if run := d.approve("2023-03"); run != 1 {
		t.Errorf("run %v", run)
	}
	d.plansTo("2023-03", "held cy 24.99 below_minimum") // what is in a run is no longer due
	d.fails(console.ExitFailed, []string{"approved already as run 1", "nothing more is payable"}, "payouts", "approve", "--month", "2023-03")
	d.contains(d.ok("payouts", "list"), "2023-03", "2023-01", "100.00", "kim")

	d.ok("payouts", "record", "R1-1", "--status", "paid", "--reference", "T1", "--date", "2023-03-12")
	d.ok("payouts", "record", "R1-2", "--status", "failed")
	d.ok("payouts", "record", "1", "--status", "paid", "--reference", "BATCH", "--date", "2023-03-12")
	shown := d.objects(d.ok("payouts", "show", "1", "--json"))[0]
	var said []string
	for _, l := range shown["lines"].([]any) {
		l := l.(map[string]any)
		said = append(said, fmt.Sprint(l["line"], " ", l["ref_token"], " ", l["status"], " ", l["reference"]))
	}
	if got := strings.Join(said, ", "); got != "R1-1 ann paid T1, R1-2 bo failed R1-2, R1-3 dee paid BATCH/R1-3" {
		t.Errorf("run 1: %s", got)
	}

	// The line that failed is due again; what became of the others is done.
	d.plansTo("2023-03", "bo 25.00 (2023-01: 60.00 -35.00 0.00); held cy 24.99 below_minimum")
	d.sale("s2", "cy", "2023-02-03", 1)
	d.plansTo("2023-04", "ann 40.00 (2023-02: 40.00 0.00 0.00); bo 25.00 (2023-01: 0.00 0.00 25.00); cy 25.00 (2023-01 2023-02: 0.01 0.00 24.99)")
	if run := d.approve("2023-04"); run != 2 {
		t.Errorf("run %v", run)
	}
	d.ok("payouts", "record", "2", "--status", "paid", "--reference", "B2", "--date", "2023-04-11")
	d.plansTo("2023-04", "")

	// A refund after the payment is a debt, which later earnings fill.
	d.back(book.KindRefund, "j", "2023-04-20", 3000)
	d.plansTo("2023-05", "held ann -30.00 negative")
	d.sale("m", "ann", "2023-03-05", 1000)
	d.plansTo("2023-05", "held ann -20.00 negative")
	d.sale("n", "ann", "2023-04-05", 5000)
	d.plansTo("2023-06", "ann 30.00 (2023-04: 50.00 0.00 -20.00)")

	// Money that came back is due again.
	d.ok("payouts", "record", "R2-6", "--status", "returned", "--reference", "B2/R2-6", "--date", "2023-04-30")
	d.plansTo("2023-06", "ann 30.00 (2023-04: 50.00 0.00 -20.00); cy 25.00 (2023-01 2023-02: 0.00 0.00 25.00)")
	d.contains(d.ok("ledger", "--promoter", "cy"), "returned", "Balance of all entries: 25.00")
	d.contains(d.ok("ledger", "--promoter", "ann"), "refund", "kim@shop.test", "Balance of all entries: 30.00")
}

// Who is held and why, and what changes that.
func TestPayoutReasons(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.sale("a", "ann", "2023-01-10", 5000)
	d.plansTo("2023-03", "held ann 50.00 no_w9")
	d.ok("promoters", "set", "ann", "w9=yes")
	d.plansTo("2023-03", "held ann 50.00 no_payout_method")
	d.ok("promoters", "set", "ann", "payout_method=wire")
	d.plansTo("2023-03", "ann 50.00 (2023-01: 50.00 0.00 0.00)")
	d.ok("promoters", "set", "ann", "status=blocked")
	d.plansTo("2023-03", "held ann 50.00 blocked")
	d.ok("promoters", "set", "ann", "status=active")
	flagged := d.sale("b", "ann", "2023-01-11", 1200)
	d.inBook(func(b *book.Book) error {
		return b.Track(func(tr *book.Tracking) error { return tr.AddReview(flagged.ID, "velocity", "many at once", flagged.At) })
	})
	d.plansTo("2023-03", "ann 50.00 (2023-01: 50.00 0.00 0.00); held ann 12.00 flagged")
	d.ok("promoters", "set", "ann", "w9=no")
	d.plansTo("2023-03", "held ann 12.00 flagged; held ann 50.00 no_w9")
	d.ok("promoters", "set", "ann", "w9=yes")

	// What is flagged waits through later runs, and is never paid with their money.
	d.approve("2023-03")
	d.ok("payouts", "record", "1", "--status", "paid", "--reference", "T")
	d.sale("c", "ann", "2023-02-11", 3000)
	d.plansTo("2023-04", "ann 30.00 (2023-02: 30.00 0.00 0.00); held ann 12.00 flagged")
	d.approve("2023-04")
	d.plansTo("2023-05", "held ann 12.00 flagged")
	// What was approved before it was flagged is not taken out of later money.
	d.inBook(func(b *book.Book) error {
		return b.Track(func(tr *book.Tracking) error {
			return tr.AddReview(d.sales["c"][0].ID, "refunds", "too many", time.Now().Unix()+60)
		})
	})
	d.sale("g", "ann", "2023-03-11", 4000)
	d.plansTo("2023-05", "ann 40.00 (2023-03: 40.00 0.00 0.00); held ann 12.00 flagged")
	// A person denies it.
	d.back(book.KindDenied, "b", "2023-05-01", 1200)
	d.plansTo("2023-05", "ann 40.00 (2023-03: 40.00 0.00 0.00)")

	d.write("carryover.toml", d.read("carryover.toml")+"\n[terms]\nrequires = []\nminimum = \"60.00\"\n")
	d.sale("d", "bo", "2023-03-01", 6000)
	d.sale("e", "cy", "2023-03-01", 5999)
	d.plansTo("2023-05", "bo 60.00 (2023-03: 60.00 0.00 0.00); held ann 40.00 below_minimum; held cy 59.99 below_minimum")
}

// A second approve in a month pays only what became payable since.
func TestApproveAgain(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.handIn("ann")
	d.sale("a", "ann", "2023-01-10", 5000)
	d.sale("b", "bo", "2023-01-10", 7000)
	d.approve("2023-03")
	d.handIn("bo")
	if run := d.approve("2023-03"); run != 2 {
		t.Errorf("run %v", run)
	}
	lines := d.objects(d.ok("payouts", "show", "2", "--json"))[0]["lines"].([]any)
	if len(lines) != 1 || lines[0].(map[string]any)["ref_token"] != "bo" {
		t.Errorf("run 2: %v", lines)
	}
	d.fails(console.ExitFailed, []string{"run 2"}, "payouts", "approve", "--month", "2023-03")

	// Before its days a month needs a word more.
	next := terms.MonthOf(time.Now(), d.zone).Add(1).String()
	d.sale("c", "ann", time.Now().AddDate(0, -3, 0).Format(time.DateOnly), 9000)
	d.fails(console.ExitFailed, []string{"begin on " + next + "-10", "--early"}, "payouts", "approve", "--month", next)
	r := d.run("payouts", "approve", "--month", next, "--early")
	if r.code != console.ExitDone || !strings.Contains(r.err, "before "+next+"-10") || !strings.Contains(r.out, "Run 3 is approved") {
		t.Errorf("early: exit %d\n%s%s", r.code, r.out, r.err)
	}
	d.ok("payouts", "record", "3", "--status", "paid", "--reference", "E") // paid before its month, but not before it was approved
	d.fails(console.ExitFailed, []string{"nothing is payable in 2020-01"}, "payouts", "approve", "--month", "2020-01")
	for _, month := range []string{"2023", "2023-13", "march"} {
		d.fails(console.ExitUsage, []string{"--month", "2023-03"}, "payouts", "plan", "--month", month)
	}
}

func TestPayoutExport(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.ok("promoters", "set", "ann", "w9=yes", "payout_method=paypal", "payout_address=pay.ann@mail.test")
	d.ok("promoters", "set", "bo", "w9=yes", "payout_method=paypal")
	d.ok("promoters", "set", "cy", "w9=yes", "payout_method=check", "legal_name==Cy & Sons", "payout_address=1 Main Street, Springfield")
	d.sale("a", "ann", "2022-12-10", 100_000)
	d.sale("a2", "ann", "2023-01-10", 23_456)
	d.sale("b", "bo", "2023-01-10", 2500)
	d.sale("c", "cy", "2023-01-10", 123_450)
	d.approve("2023-03")
	f := func(want string, args ...string) {
		t.Helper()
		if got := d.ok(append([]string{"payouts", "export", "1"}, args...)...); got != want {
			t.Errorf("%v:\n%swant\n%s", args, got, want)
		}
	}
	const payPal = "pay.ann@mail.test,1234.56,USD,R1-1,carrot commissions 2022-12 2023-01\nbo@mail.test,25.00,USD,R1-2,carrot commissions 2023-01\n"
	f(payPal, "--format", "paypal")
	f("check number,date,payee,amount,amount in words,memo,address,line\n"+
		",2023-03-10,'=Cy & Sons,1234.50,One thousand two hundred thirty-four and 50/100,carrot commissions 2023-01,\"1 Main Street, Springfield\",R1-3\n", "--format", "check-register", "--date", "2023-03-10")
	rows, err := csv.NewReader(strings.NewReader(d.ok("payouts", "export", "1", "--format", "csv"))).ReadAll()
	if err != nil || len(rows) != 4 || rows[0][0] != "line" || rows[3][8] != "1234.50" || rows[3][12] != "open" {
		t.Errorf("%v, %v", rows, err)
	}

	// A file is not written over: it may be on its way.
	d.contains(d.ok("payouts", "export", "1", "--format", "paypal", "--out", "out/pay.csv"), "2 lines of run 1")
	if d.read("out/pay.csv") != payPal {
		t.Errorf("%s", d.read("out/pay.csv"))
	}
	if info, err := os.Stat(d.path("out/pay.csv")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	d.fails(console.ExitFailed, []string{"there already"}, "payouts", "export", "1", "--format", "paypal", "--out", "out/pay.csv")

	// What was paid is not in the next file.
	d.ok("payouts", "record", "R1-1", "--status", "paid", "--reference", "T1")
	r := d.run("payouts", "export", "1", "--format", "paypal")
	if r.code != console.ExitDone || strings.Contains(r.out, "pay.ann") || !strings.Contains(r.out, "bo@mail.test") || !strings.Contains(r.err, "1 lines of run 1 are left out") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	d.ok("payouts", "record", "R1-2", "--status", "paid", "--reference", "T2")
	d.fails(console.ExitFailed, []string{"no PayPal payment that is still to be paid"}, "payouts", "export", "1", "--format", "paypal")
	d.fails(console.ExitFailed, []string{"no payout run 9"}, "payouts", "export", "9", "--format", "csv")
	d.fails(console.ExitUsage, []string{"names no run"}, "payouts", "export", "R1-1", "--format", "csv")
}

// Results are recorded once, whatever comes twice, and a file as a whole.
func TestPayoutRecord(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.handIn("ann", "bo", "cy")
	for _, p := range []string{"ann", "bo", "cy"} {
		d.sale(p, p, "2023-01-10", 5000)
	}
	d.approve("2023-03")
	f := func(want string, args ...string) {
		t.Helper()
		if got := d.ok(append([]string{"payouts", "record"}, args...)...); got != want {
			t.Errorf("%v: %q, want %q", args, got, want)
		}
	}
	refused := func(want string, args ...string) {
		t.Helper()
		d.fails(console.ExitFailed, []string{want}, append([]string{"payouts", "record"}, args...)...)
	}
	f("Recorded: 1 of 1 lines.\n", "R1-1", "--status", "paid", "--reference", "T1")
	f("Recorded just so before, and not changed: 1.\n", "r1-1", "--status", "paid", "--reference", "T1")
	refused(`R1-1 cannot be recorded as paid: it contradicts what is recorded: paid already, with the reference "T1"; nothing was recorded`, "R1-1", "--status", "paid", "--reference", "T2")
	refused(`it contradicts`, "R1-1", "--status", "failed")
	today := time.Now().In(d.zone).Format(time.DateOnly)
	f("Recorded just so before, and not changed: 1.\n", "R1-1", "--status", "paid", "--reference", "T1", "--date", today)
	refused(`R1-1 cannot be recorded as paid: it contradicts what is recorded: paid already on `+today+`, with the reference "T1" and no note; nothing was recorded`,
		"R1-1", "--status", "paid", "--reference", "T1", "--date", "2023-03-12")
	refused(`paid already on `+today+`, with the reference "T1" and no note`, "R1-1", "--status", "paid", "--reference", "T1", "--note", "by hand")
	d.fails(console.ExitUsage, []string{"R1-2 cannot be recorded for 2023-02-28: run 1 pays from 2023-03-01 on; nothing was recorded"}, "payouts", "record", "R1-2", "--status", "paid", "--reference", "T2", "--date", "2023-02-28")
	d.fails(console.ExitUsage, []string{"has not come yet"}, "payouts", "record", "R1-2", "--status", "paid", "--reference", "T2", "--date", "2999-01-01")
	d.write("before.csv", "line,status,reference,date\nR1-2,paid,T2,2023-03-01\nR1-3,paid,T3,2023-02-28\n")
	refused("before.csv:3: R1-3 cannot be recorded for 2023-02-28", "--file", "before.csv")
	refused(`the reference "T1" is that of R1-1, which was paid`, "R1-2", "--status", "paid", "--reference", "T1")
	refused(`cannot come back`, "R1-2", "--status", "returned", "--reference", "T3")
	refused(`no payout line "R1-9"`, "R1-9", "--status", "failed")
	refused(`no payout run 2`, "R2-1", "--status", "failed")
	refused(`no payout run 7`, "7", "--status", "failed")
	for _, args := range [][]string{
		{"R1-2", "--status", "done", "--reference", "x"}, {"R1-2", "--status", "paid"}, {"x", "--status", "failed"}, {"0", "--status", "failed"}, {"-1", "--status", "failed"}, {},
		{"R1-2", "--status", "paid", "--reference", "x", "--date", "3/4/2023"}, {"R1-2", "--status", "paid", "--reference", "x", "--date", "2999-01-01"}, {"R1-2", "--file", "f.csv"},
	} {
		d.fails(console.ExitUsage, nil, append([]string{"payouts", "record"}, args...)...)
	}

	// One wrong row, and nothing of a file is recorded.
	d.write("wrong.csv", "line,status,reference\nR1-2,paid,T2\nR1-1,failed,\n")
	refused("wrong.csv:3: R1-1 cannot be recorded as failed", "--file", "wrong.csv")
	d.write("word.csv", "line,status,reference\nR1-2,paid,T2\nR1-3,maybe,T3\n")
	refused(`word.csv:3: the status "maybe" is none`, "--file", "word.csv")
	d.write("missing.csv", "line,status,reference\nR1-2,paid,\n")
	refused("missing.csv:2: the reference is missing", "--file", "missing.csv")
	d.write("header.csv", "who,status\nR1-2,paid\n")
	refused(`there is no column "line"`, "--file", "header.csv")
	d.write("empty.csv", "")
	refused("has no rows", "--file", "empty.csv")
	refused("no such file", "--file", "none.csv")
	if got := d.objects(d.ok("payouts", "list", "--json"))[0]; got["open_cents"] != 10000.0 || got["paid_cents"] != 5000.0 {
		t.Errorf("after files that were refused: %v", got)
	}

	// As a spreadsheet saves what PayPal says.
	d.write("results.csv", "\ufeffUnique ID;Status;Transaction ID;Note;Date\r\nR1-1;Completed;T1;;\r\nR1-2;Denied;;'=RISK;2023-03-14\r\nR1-3;Unclaimed;T3;;\r\n;;;;\r\n")
	f("Recorded: 1 of 3 lines.\nRecorded just so before, and not changed: 1.\nLeft as they are: 1. \"carryover payouts show RUN\" says what became of them.\n", "--file", "results.csv")
	f("Recorded just so before, and not changed: 2.\nLeft as they are: 1. \"carryover payouts show RUN\" says what became of them.\n", "--file", "results.csv")
	line := d.objects(d.ok("payouts", "show", "R1-2", "--json"))[0]["lines"].([]any)[0].(map[string]any)
	record := line["records"].([]any)[0].(map[string]any)
	if line["status"] != "failed" || record["note"] != "=RISK" || record["at"] != "2023-03-14T00:00:00-07:00" || record["recorded_by"] == "" {
		t.Errorf("%v", line)
	}

	d.write("results.csv", "line,status,date,note\nR1-2,failed,2023-03-15,\n")
	refused(`results.csv:2: R1-2 cannot be recorded as failed: it contradicts what is recorded: failed already on 2023-03-14, with the reference "R1-2" and the note "=RISK"`, "--file", "results.csv")

	// The rest of a run; then all of it comes back.
	f("Recorded: 1 of 3 lines.\nLeft as they are: 2. \"carryover payouts show RUN\" says what became of them.\n", "1", "--status", "paid", "--reference", "B")
	f("Recorded just so before, and not changed: 1.\nLeft as they are: 2. \"carryover payouts show RUN\" says what became of them.\n", "1", "--status", "paid", "--reference", "B")
	got := d.objects(d.ok("payouts", "record", "1", "--status", "returned", "--reference", "BACK", "--json"))[0]
	if got["recorded"] != 2.0 || got["left_out"] != 1.0 || got["already_recorded"] != 0.0 {
		t.Errorf("%v", got)
	}
	d.plansTo("2023-04", "ann 50.00 (2023-01: 0.00 0.00 50.00); bo 50.00 (2023-01: 0.00 0.00 50.00); cy 50.00 (2023-01: 0.00 0.00 50.00)")
}

// What promoters holds in a month, and what the plan of that month lists, are the balance.
func TestHeldAgreesWithThePlan(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.sale("a", "ann", "2023-01-10", 5000)
	d.sale("b", "ann", "2023-02-10", 700)
	d.sale("c", "ann", "2023-03-10", 30)
	d.sale("d", "dee", "2023-02-10", 40)
	d.handIn("ann")
	d.approve("2023-03")
	d.ok("payouts", "record", "1", "--status", "paid", "--reference", "T")
	for _, month := range []string{"2023-03", "2023-04", "2023-05", "2023-06"} {
		due := map[string]float64{}
		plan := d.objects(d.ok("payouts", "plan", "--month", month, "--json"))[0]
		for _, l := range plan["payable"].([]any) {
			due[l.(map[string]any)["ref_token"].(string)] += l.(map[string]any)["net_cents"].(float64)
		}
		for _, l := range plan["held"].([]any) {
			due[l.(map[string]any)["ref_token"].(string)] += l.(map[string]any)["amount_cents"].(float64)
		}
		for _, p := range d.objects(d.ok("promoters", "--month", month, "--json")) {
			token := p["ref_token"].(string)
			if p["balance_cents"].(float64)-p["held_cents"].(float64) != due[token] {
				t.Errorf("%s in %s: %v, due %v", token, month, p, due[token])
			}
			if token == "dee" && fmt.Sprint(p["keap_ids"]) != "[]" {
				t.Errorf("a promoter who joined here has the Keap ids %v", p["keap_ids"])
			}
		}
	}
}
