package book_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// largeChanges is a program with a million commissions, or 1/part of it.
func largeChanges(part int) *book.Changes {
	var c book.Changes
	partners, contacts := 20_000/part, 300_000/part
	for i := range partners {
		id := int64(i + 1)
		code := fmt.Sprintf("partner%d", id)
		c.Promoters = append(c.Promoters, book.Promoter{ID: id, Token: code, KeapID: id, Email: code + "@mail.test",
			Name: "Partner " + code, Status: book.StatusActive})
		c.Aliases = append(c.Aliases,
			book.Alias{Kind: book.AliasCode, Value: code, PromoterID: id},
			book.Alias{Kind: book.AliasKeapID, Value: fmt.Sprint(id), PromoterID: id, Code: code, Active: true})
	}
	m := &c.KeapRecords
	for _, kind := range []string{"contacts", "referrals", "orders", "commissions", "payments"} {
		m.Sources = append(m.Sources, book.Source{Path: "exports/" + kind + ".csv", Kind: kind})
	}
	partner := func(i int) int64 { return int64(i*7919%partners + 1) }
	const start, hour = 1_500_000_000, 3600
	for i := range contacts {
		id := int64(i + 1)
		mail := fmt.Sprintf("customer.%07d@mail.test", id)
		m.Contacts.Create = append(m.Contacts.Create, book.Contact{ID: id, Email: mail, Name: fmt.Sprintf("Customer Number %d", id)})
		m.Referrals.Create = append(m.Referrals.Create, book.Referral{
			Customer: mail, Email: mail, ContactID: id, PartnerID: partner(i), ReferralID: id, ReferredAt: start + int64(i)*hour,
			FirstAt: start, Source: "webinar", Rule: terms.RuleLatest,
		})
	}
	for i := range 500_000 / part {
		m.ReferralRows.Create = append(m.ReferralRows.Create, book.ReferralRow{ID: int64(i + 1), ContactID: int64(i%contacts + 1),
			PartnerID: partner(i), SetAt: start + int64(i)*hour, Type: "COOKIE", Source: "webinar"})
	}
	for i := range 300_000 / part {
		m.Sales.Create = append(m.Sales.Create, book.Sale{ID: int64(i + 1), ContactID: int64(i%contacts + 1),
			OrderedAt: start + int64(i)*hour, Total: 6900, Currency: "USD", Products: "Membership Core", SellerID: partner(i), Type: "Online"})
	}
	for i := range 1_000_000 / part {
		m.Commissions = append(m.Commissions, book.Commission{
			ID: hashedID(i), Kind: book.KindCommission, PartnerID: partner(i), ContactID: int64(i*31%contacts + 1),
			Invoice: fmt.Sprint(100_000 + i), EarnedAt: start + int64(i)*60,
			Month: 202303, Amount: 1725, Currency: "USD", Product: "Membership Core", Description: "Monthly payment",
			Origin: book.Origin{Source: 4, Line: int64(i + 2)},
		})
	}
	for i := range 80_000 / part {
		m.Payouts = append(m.Payouts, book.Payout{
			ID: hashedID(-1 - i), PartnerID: partner(i), KeapID: int64(i + 1), PaidAt: start + int64(i)*hour, Month: 202303,
			Amount: 5000, Currency: "USD", Type: "PayPal", Note: "March", Origin: book.Origin{Source: 5, Line: int64(i + 2)},
		})
	}
	slices.SortFunc(m.Commissions, func(x, y book.Commission) int { return slices.Compare(x.ID[:], y.ID[:]) })
	slices.SortFunc(m.Payouts, func(x, y book.Payout) int { return slices.Compare(x.ID[:], y.ID[:]) })
	return &c
}

func hashedID(i int) book.EntryID {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
	return book.EntryID(sum[:16])
}

func applyAll(t testing.TB, b *book.Book, base int64, c *book.Changes) int64 {
	t.Helper()
	run, err := b.Apply(context.Background(), book.Import{PlanID: "plan", AppliedAt: time.Unix(1_680_000_000, 0)}, base, c, nil, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// BenchmarkApplyMoney fills an empty book with a large program, then takes it back.
func BenchmarkApplyMoney(b *testing.B) {
	c := largeChanges(1)
	for b.Loop() {
		bk, err := book.Open(filepath.Join(b.TempDir(), "book.db"))
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		run := applyAll(b, bk, 0, c)
		b.ReportMetric(float64(c.Len())/time.Since(start).Seconds(), "rows/s")
		start = time.Now()
		if _, err := bk.Rollback(context.Background(), run, time.Now()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s/rollback")
		bk.Close()
	}
}

// BenchmarkMoney reads a large program.
func BenchmarkMoney(b *testing.B) {
	bk, err := book.Open(filepath.Join(b.TempDir(), "book.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer bk.Close()
	c := largeChanges(1)
	applyAll(b, bk, 0, c)
	ctx := context.Background()
	for _, bench := range []struct {
		name string
		read func() (int, error)
	}{
		{"plan", func() (int, error) {
			m, err := bk.KeapRecords(ctx)
			return m.Len(), err
		}},
		{"ledger", func() (n int, err error) {
			return n, bk.Ledger(ctx, nil, func(book.Entry) error { n++; return nil })
		}},
		{"sums", func() (int, error) {
			sums, err := bk.Sums(ctx)
			return len(sums), err
		}},
		{"partner", func() (n int, err error) {
			return n, bk.Ledger(ctx, []book.Earner{{PartnerID: 7}}, func(book.Entry) error { n++; return nil })
		}},
		{"contact", func() (int, error) {
			list, err := bk.EntriesOf(ctx, []int64{7})
			return len(list), err
		}},
		{"invoice", func() (int, error) {
			list, err := bk.EntriesByInvoice(ctx, "100007")
			return len(list), err
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				if n, err := bench.read(); err != nil || n == 0 {
					b.Fatal(n, err)
				}
			}
		})
	}
}
