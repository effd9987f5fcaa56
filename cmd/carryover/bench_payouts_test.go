package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/mapping/book"
)

// BenchmarkPayouts plans the payouts of 20,000 promoters from 1,000,000 commissions of three
// years with the binary; a tenth of them was carried over, and one in fifty was taken back.
// Reported: seconds, and as a multiple of reading the same amounts line by line with a
// plain SELECT in the same run.
func BenchmarkPayouts(b *testing.B) {
	const promoters, commissions = 20_000, 1_000_000
	dir := b.TempDir()
	data := filepath.Join(dir, "data")
	fillPayouts(b, filepath.Join(data, "book.db"), promoters, commissions)
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
	var plain, planned time.Duration
	for b.Loop() {
		start := time.Now()
		if n := readLines(b, filepath.Join(data, "book.db")); n < commissions {
			b.Fatalf("%d lines", n)
		}
		plain += time.Since(start)
		start = time.Now()
		cmd := exec.Command(binary, "--config", path, "--data", data, "payouts", "plan", "--month", "2023-03")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		planned += time.Since(start)
	}
	b.ReportMetric(planned.Seconds()/float64(b.N), "s/plan")
	b.ReportMetric(planned.Seconds()/plain.Seconds(), "plan-x-SELECT")
}

// readLines reads every amount of the ledger, one by one.
func readLines(b *testing.B, path string) (n int) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for _, query := range []string{`SELECT promoter_id, kind, currency, month, amount FROM event_line`, `SELECT partner_id, kind, currency, month, amount FROM commission`} {
		rows, err := db.Query(query)
		if err != nil {
			b.Fatal(err)
		}
		var id, month, amount, sum int64
		var kind, currency string
		for rows.Next() {
			if err := rows.Scan(&id, &kind, &currency, &month, &amount); err != nil {
				b.Fatal(err)
			}
			sum += amount
			n++
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			b.Fatal(err)
		}
	}
	return n
}

func fillPayouts(b *testing.B, path string, promoters, commissions int) {
	b.Helper()
	bk, err := book.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer bk.Close()
	rnd := rand.New(rand.NewPCG(1, 2))
	month := func(i, n int) (at int64, month int32) {
		t := time.Date(2020, 7, 1, 20, 0, 0, 0, time.UTC).AddDate(0, 0, i*1000/n)
		return t.Unix(), int32(t.Year()*100 + int(t.Month()))
	}
	var c book.Changes
	for i := range promoters {
		id := int64(i + 1)
		code := fmt.Sprintf("code%d", id)
		c.Promoters = append(c.Promoters, book.Promoter{ID: id, Token: code, KeapID: id, Email: code + "@mail.test", Name: "Name " + code, Status: book.StatusActive})
		c.Aliases = append(c.Aliases, book.Alias{Kind: book.AliasCode, Value: code, PromoterID: id}, book.Alias{Kind: book.AliasKeapID, Value: fmt.Sprint(id), PromoterID: id, Code: code})
	}
	carried := commissions / 10
	for i := range carried {
		at, m := month(i, commissions)
		id := book.EntryID{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}
		c.KeapRecords.Commissions = append(c.KeapRecords.Commissions, book.Commission{ID: id, Kind: book.KindCommission, PartnerID: 1 + rnd.Int64N(int64(promoters)), EarnedAt: at, Month: m, Amount: rnd.Int64N(9000), Currency: "USD", Product: "Core Membership"})
	}
	if _, err := bk.Apply(context.Background(), book.Import{PlanID: "p", AppliedAt: time.Unix(1_600_000_000, 0)}, 0, &c, nil, func(int) {}); err != nil {
		b.Fatal(err)
	}
	for i := range promoters * 3 / 4 {
		if err := bk.RecordSettings(context.Background(), []book.Setting{{PromoterID: int64(i + 1), Field: book.SettingW9, Value: "yes"}, {PromoterID: int64(i + 1), Field: book.SettingPayoutMethod, Value: book.MethodPayPal}}); err != nil {
			b.Fatal(err)
		}
	}
	if err := bk.Track(func(tr *book.Tracking) error {
		for i := carried; i < commissions; i++ {
			at, m := month(i, commissions)
			lines := []book.EventLine{{
				Kind: book.KindCommission, PromoterID: 1 + rnd.Int64N(int64(promoters)), CustomerID: int64(i % 250_000), At: at, Month: m, Amount: rnd.Int64N(9000), Currency: "USD",
				SaleAmount: 36000, Percent: 250_000, Product: "content-pro", ProductKind: "membership", Quantity: 1,
			}}
			if err := tr.AddEvent(&book.Event{Kind: book.EventSale, ExternalID: fmt.Sprint("order-", i), CustomerID: int64(i % 250_000), At: at, ReceivedAt: at, Amount: 36000, Currency: "USD", Quantity: 1, Plan: "content-pro", PromoterID: lines[0].PromoterID, Evidence: "{}"}, lines); err != nil {
				return err
			}
			if i%50 == 0 {
				back := []book.EventLine{lines[0]}
				back[0].Kind, back[0].ReversesLineID, back[0].Amount, back[0].At = book.KindRefund, lines[0].ID, -lines[0].Amount, at+86400
				if err := tr.AddEvent(&book.Event{Kind: book.EventRefund, ExternalID: fmt.Sprint("refund-", i), CustomerID: int64(i % 250_000), At: at, ReceivedAt: at + 86400, Currency: "USD"}, back); err != nil {
					return err
				}
			}
			if i%500 == 0 {
				if err := tr.AddReview(lines[0].ID, "velocity", "many at once", at); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}
