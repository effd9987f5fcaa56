package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/mapping/terms"
)

// BenchmarkMoney plans, applies and verifies 1,000,000 commissions, 500,000 referrals and
// 300,000 orders of 20,000 partners with the binary. Reported: the time of plan as a
// multiple of reading the same bytes with encoding/csv in the same run, the peak memory of
// each command, the rows that apply writes a second beyond planning again, and the time
// of verify as a share of plan's.
func BenchmarkMoney(b *testing.B) {
	dir := b.TempDir()
	exports := filepath.Join(dir, "exports")
	rows := writeBigMoney(b, exports, bigMoney{partners: 20_000, contacts: 250_000, referrals: 500_000, orders: 300_000, commissions: 1_000_000})
	binary := filepath.Join(dir, "carryover")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	path := filepath.Join(dir, "carryover.toml")
	if err := os.WriteFile(path, []byte(config.Example()), 0o600); err != nil {
		b.Fatal(err)
	}
	var plain, planned, applied, verified time.Duration
	peak := map[string]int64{}
	for b.Loop() {
		data := filepath.Join(dir, "data")
		if err := os.RemoveAll(data); err != nil {
			b.Fatal(err)
		}
		run := func(args ...string) time.Duration {
			start := time.Now()
			cmd := exec.Command(binary, append([]string{"--config", path, "--data", data}, args...)...)
			out, err := cmd.CombinedOutput()
			if err != nil {
				b.Fatalf("%v: %v\n%s", args, err, out)
			}
			if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
				peak[args[0]] = max(peak[args[0]], usage.Maxrss) // KiB on Linux
			}
			return time.Since(start)
		}
		start := time.Now()
		readPlainly(b, exports)
		plain += time.Since(start)
		planned += run("plan", exports)
		applied += run("apply")
		verified += run("verify")
		if b.N == 1 {
			tellMoney(b, filepath.Join(data, "plan", "plan.json"))
		}
	}
	b.ReportMetric(planned.Seconds()/plain.Seconds(), "plan-x-encoding/csv")
	b.ReportMetric(applied.Seconds()/planned.Seconds(), "apply-x-plan")
	b.ReportMetric(float64(rows*b.N)/max(applied-planned, time.Millisecond).Seconds(), "rows/s-beyond-plan")
	b.ReportMetric(verified.Seconds()/planned.Seconds(), "verify-x-plan")
	for name, kib := range peak {
		b.ReportMetric(float64(kib)/1024, name+"-peak-MiB")
	}
}

// tellMoney logs the reconciliation that a plan states.
func tellMoney(b *testing.B, path string) {
	var plan struct {
		Money     json.RawMessage `json:"reconciliation"`
		Customers json.RawMessage `json:"customers"`
		Findings  json.RawMessage `json:"findings"`
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &plan)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("reconciliation %s\ncustomers %s\nfindings %s", plan.Money, plan.Customers, plan.Findings)
}

type bigMoney struct{ partners, contacts, referrals, orders, commissions int }

// writeBigMoney writes the exports of a program whose ledger agrees with its rows, and
// returns how many rows a book of it has.
func writeBigMoney(b *testing.B, dir string, n bigMoney) (rows int) {
	b.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	write := func(name, header string, rows func(w *bufio.Writer)) {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			b.Fatal(err)
		}
		w := bufio.NewWriterSize(f, 1<<20)
		fmt.Fprintln(w, header)
		rows(w)
		if err := errors.Join(w.Flush(), f.Close()); err != nil {
			b.Fatal(err)
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	day := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	date := func(d int) string { return day.AddDate(0, 0, d).Format("1/2/2006") }
	id := func(i int) int { return 3 * (i + 1) }
	parent := func(i int) int { return i/2 - 1 } // index; -1: none
	contact := func(i int) int { return 2 * (i + 1) }
	type sums struct{ commissions, clawbacks, payments int64 }
	ledger := make([]sums, n.partners)
	money := func(c int64) string { return fmt.Sprintf("$%d.%02d", c/100, c%100) }
	products := []struct {
		name    string
		price   int64
		percent terms.Percent
	}{
		{"Content Pro Membership", 9700, 25 * terms.OneHundredPercent / 100}, {"Content Starter Membership", 2930, 25 * terms.OneHundredPercent / 100}, {"Agency Membership", 29702, 25 * terms.OneHundredPercent / 100},
		{"Evergreen Webinar", 49700, 50 * terms.OneHundredPercent / 100}, {"3 Leads Per Day", 19701, 50 * terms.OneHundredPercent / 100},
	}

	write("partners.csv", "Id,ContactId,ParentId,AffName,AffCode,Status,DateCreated", func(w *bufio.Writer) {
		for i := range n.partners {
			up := 0
			if parent(i) >= 0 {
				up = id(parent(i))
			}
			fmt.Fprintf(w, "%d,%d,%d,Partner Name %d,Code%xZ,%d,%s 3:18 AM\n", id(i), contact(n.contacts-n.partners+i), up, i, i, min(i%5, 1), date(i%300))
		}
	})
	write("contacts.csv", "Id,Name,First Name,Last Name,Company Name,Street Address 1,City,State,Postal Code,Country,Email,Tags,Date Created,Last Updated", func(w *bufio.Writer) {
		for i := range n.contacts {
			fmt.Fprintf(w, "%d,First Last%d,First,Last%d,,%d Main Street,Springfield,OR,97477,United States,Person.%d@Mail%d.test,\"Customer,Newsletter\",%s 1:18 AM,%s 4:05 PM\n",
				contact(i), i, i, i, i, i%97, date(i%900), date(900+i%200))
		}
	})
	write("links.csv", "Id,Name,Code,Website Address", func(w *bufio.Writer) {
		for i := range 200 {
			fmt.Fprintf(w, "%d,Link %d,link%d,https://carrot.com/page%d?utm_source=partners\n", i+1, i, i, i)
		}
	})
	write("referrals.csv", "Id,ContactId,AffiliateId,DateSet,DateExpires,Type,IPAddress,Source,Info", func(w *bufio.Writer) {
		kinds := []string{"COOKIE", "COOKIE", "COOKIE", "MANUAL", "PERMANENT"}
		for i := range n.referrals {
			set, expires := rnd.IntN(1100), ""
			if rnd.IntN(3) == 0 {
				expires = date(set + 30 + rnd.IntN(365))
			}
			fmt.Fprintf(w, "%d,%d,%d,%s %d:%02d PM,%s,%s,192.0.2.%d,link%d,\n", i+1, contact(rnd.IntN(n.contacts)), id(rnd.IntN(n.partners)), date(set), rnd.IntN(11)+1, rnd.IntN(60), expires, kinds[rnd.IntN(5)], i%250, rnd.IntN(200))
		}
	})
	var commissions, clawbacks []string
	write("orders.csv", "Id,ContactId,Contact,First Name,Last Name,Title,Co Name,Street Address 1,Street Address 2,City,State,Postal Code,Country,Order Type,Promo Code,Order Title,Order Date,Product Ids,Product Name,Serial,Order Total,Affiliate Id", func(w *bufio.Writer) {
		for i := range n.orders {
			c, seller, d := rnd.IntN(n.contacts), rnd.IntN(n.partners), rnd.IntN(1180)
			invoice := 70000 + i
			names, total := "", int64(0)
			for line := range 2 {
				p := products[(line*3+rnd.IntN(3)+i)%len(products)]
				if line == 1 {
					names += ";"
				}
				names += p.name
				total += p.price
				earn := func(partner int, amount int64, description string) {
					if len(commissions) == n.commissions {
						return
					}
					ledger[partner].commissions += amount
					commissions = append(commissions, fmt.Sprintf("%d,Partner Name %d,%s,%s,%d,%d,First,Last%d,%s,%s: %s,%d,Partner,Name %d",
						id(partner), partner, date(d), money(amount), invoice, contact(c), c, p.name, description, p.name, id(seller), seller))
					if rnd.IntN(50) == 0 {
						ledger[partner].clawbacks += amount
						clawbacks = append(clawbacks, fmt.Sprintf("%d,%s,%s,%d,%d,%s,Refund %s,%d", id(partner), money(amount), date(d+rnd.IntN(30)), invoice, contact(c), p.name, description, id(seller)))
					}
				}
				earn(seller, terms.Share(p.price, p.percent), "Sale")
				if up := parent(seller); up >= 0 {
					earn(up, terms.Share(p.price, p.percent/5), "Level 2")
				}
			}
			fmt.Fprintf(w, "%d,%d,First Last%d,First,Last%d,,,%d Main Street,,Springfield,OR,97477,United States,Online,,Order %d,%s,11;12,%s,,%s,%d\n", 4000+i, contact(c), c, c, c, i, date(d), names, money(total), id(seller))
		}
	})
	lines := func(name, header string, rows []string) {
		write(name, header, func(w *bufio.Writer) {
			for _, row := range rows {
				fmt.Fprintln(w, row)
			}
		})
	}
	lines("commissions.csv", "Affiliate Id,Referral Partner,date_earned,amount_earned,invoice_id,contact_id,contact_first_name,contact_last_name,product_name,description,sales_affiliate_id,sold_by_first_name,sold_by_last_name", commissions)
	lines("clawbacks.csv", "Affiliate Id,Amount,DateEarned,InvoiceId,ContactId,ProductName,Description,SaleAffId", clawbacks)
	var payments []string
	for i := range ledger {
		for month := range 4 {
			part := (ledger[i].commissions - ledger[i].clawbacks) / 6
			if part <= 0 {
				continue
			}
			ledger[i].payments += part
			payments = append(payments, fmt.Sprintf("%d,%d,Partner Name %d,%s,%s,Check,Commission %d", 900+4*i+month, id(i), i, date(200*(month+1)), money(part), month))
		}
	}
	lines("partner-payments.csv", "id,Affiliate Id,Referral Partner,date,amount,type,notes", payments)
	write("ledger.csv", "Referral Partner,Id,Beginning Balance,Commissions,Clawbacks,Payments,Ending Balance", func(w *bufio.Writer) {
		for i, s := range ledger {
			opening := int64(i % 700)
			fmt.Fprintf(w, "Partner Name %d,%d,%s,%s,%s,%s,%s\n", i, id(i), money(opening), money(s.commissions), money(s.clawbacks), money(s.payments), money(opening+s.commissions-s.clawbacks-s.payments))
		}
	})
	write("subscriptions.csv", "Id,ContactId,SubscriptionPlanId,ProductId,Product Name,LeadAffiliateId,AffiliateId,Frequency,BillingCycle,BillingAmt,Status,StartDate,EndDate,ReasonStopped,PaidThruDate,AutoCharge", func(w *bufio.Writer) {})
	return n.referrals + n.orders + len(commissions) + len(clawbacks) + len(payments) + 3*n.partners
}
