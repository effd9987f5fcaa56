package mapping

import (
	"fmt"
	"testing"
)

// BenchmarkResolve is the forwarding path: flat from a thousand partners to a million,
// one allocation, well under a microsecond.
func BenchmarkResolve(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		m := program()
		m.Partners = m.Partners[:0]
		m.IDs, m.Links = nil, m.Links[:1]
		for i := range n {
			code := fmt.Sprintf("Partner%d", i)
			m.Partners = append(m.Partners, Partner{Code: code, Token: fmt.Sprintf("partner%d", i), Status: Active})
			m.IDs = append(m.IDs, ID{int64(i + 1), code})
		}
		table := mustTable(b, m)
		reqs := make([]Request, 4096)
		for i := range reqs {
			reqs[i] = Request{Host: "go.carrot.test", Path: fmt.Sprintf("/go/course/Partner%d", i*7919%n), Query: "utm_source=newsletter&gclid=Cj0KCQ"}
		}
		b.Run(fmt.Sprintf("partners=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if d := table.Resolve(reqs[i%len(reqs)], before); d.Outcome != Forward {
					b.Fatal(d)
				}
			}
		})
	}
}
