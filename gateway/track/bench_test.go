package track

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carryover/gateway/click"
	"carryover/mapping/book"
	"carryover/mapping/program"
)

// BenchmarkSales books b.N sales of 10,000 customers from 32 goroutines.
func BenchmarkSales(b *testing.B) {
	bk, err := book.Open(filepath.Join(b.TempDir(), "book.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer bk.Close()
	var c book.Changes
	for i := range int64(1000) {
		c.Promoters = append(c.Promoters, book.Promoter{ID: i + 1, KeapID: i + 1, Token: fmt.Sprint("p", i), Status: book.StatusActive})
	}
	for i := range int64(10000) {
		c.Money.Referrals.Create = append(c.Money.Referrals.Create, book.Referral{Customer: fmt.Sprintf("c%05d@mail.test", i), Email: fmt.Sprintf("c%05d@mail.test", i), PartnerID: 1 + i%1000, Rule: book.RuleOnly})
	}
	ctx := context.Background()
	if _, err := bk.Apply(ctx, book.Run{PlanID: "p", AppliedAt: time.Now(), Inputs: []byte("{}"), Tables: []byte("{}")}, 0, &c, nil, func(int) {}); err != nil {
		b.Fatal(err)
	}
	keys, _ := click.NewKeyring([]byte("a key of the cookie"))
	s := New(Options{Book: bk, Terms: program.DefaultTerms(), Currency: "USD", Keys: keys, Visitors: click.NewVisitors(filepath.Join(b.TempDir(), "k"))})
	defer s.Close(ctx)
	var next atomic.Int64
	b.ResetTimer()
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				r, err := s.Submit(ctx, &Call{Kind: book.EventSale, Email: fmt.Sprintf("c%05d@mail.test", n%10000), EventID: fmt.Sprint("e", n), Amount: 9900})
				if err != nil || r.Outcome != Booked {
					b.Error(r.Outcome, err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sales/s")
}
