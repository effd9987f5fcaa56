package book_test

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"carryover/mapping/book"
)

// BenchmarkTrack books sales of known customers, so many in a commit. cpu-µs/sale is what the
// process spent, however busy the machine is.
func BenchmarkTrack(b *testing.B) {
	for _, group := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(group), func(b *testing.B) {
			bk, err := book.Open(filepath.Join(b.TempDir(), "book.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer bk.Close()
			applyAll(b, bk, 0, sampleChanges())
			before, n := cpu(b), 0
			for b.Loop() {
				if err := bk.Track(func(tr *book.Tracking) error {
					for range group {
						n++
						e := book.Event{Kind: book.EventSale, ExternalID: fmt.Sprint("pay-", n), CustomerID: int64(n % 1000), At: 5, ReceivedAt: 6,
							Amount: 9900, Currency: "USD", Quantity: 1, Plan: "Content Membership", PromoterID: 7,
							Evidence: `{"promoter":7,"by":"owner","candidates":[{"promoter":7,"by":"owner","outcome":"won"}]}`}
						if err := tr.AddEvent(&e, []book.EventLine{commission(7, 5, 202303, 2475)}); err != nil {
							return err
						}
					}
					return nil
				}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu(b)-before)/float64(n), "cpu-µs/sale")
		})
	}
}

// cpu is the processor time that the process has spent, in microseconds.
func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return (u.Utime.Sec+u.Stime.Sec)*1e6 + u.Utime.Usec + u.Stime.Usec
}
