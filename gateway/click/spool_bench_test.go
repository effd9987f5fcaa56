package click

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkCommit is the price of one commit by the clicks that share it.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, err := openSpool(filepath.Join(b.TempDir(), "clicks.db"), "", DurabilityNormal, time.Now(), false)
			if err != nil {
				b.Fatal(err)
			}
			defer s.close()
			c := fullClick()
			bodies := make([][]byte, n)
			for i := range bodies {
				bodies[i] = Append(nil, &c)
			}
			b.ResetTimer()
			for b.Loop() {
				if _, err := s.insertAll(bodies); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
