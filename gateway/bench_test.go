package gateway

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/store"
)

// BenchmarkRedirect sends b.N requests over 64 connections to a gateway that records each
// click before it answers, draining them to a book behind, and to the same gateway
// without recording: in turns, so that both see the same machine. "recorded/plain" is
// what recording leaves of the requests a second.
func BenchmarkRedirect(b *testing.B) {
	const connections, turns = 64, 8
	bk := openBook(b)
	s := store.OpenBook(bk)
	if _, _, err := s.Publish(context.Background(), smallMap(), "plan", nil); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	clock := func() time.Time { return beforeCutoff.Add(time.Since(began)) }
	a, err := New(Options{Listen: "127.0.0.1:0", DataDir: b.TempDir(), Feed: s, Book: bk, Now: clock, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	if err := a.Start(); err != nil {
		b.Fatal(err)
	}
	defer stop(b, a)
	var plain atomic.Bool
	a.links.record = func(c *book.Click) (book.ClickID, error) {
		if plain.Load() {
			return book.ClickID{Node: "web1-4f2a1b", Seq: 1700000000000001}, nil
		}
		return a.recorder.Record(c)
	}
	var spent [2]time.Duration
	var done [2]int
	b.ResetTimer()
	for turn := range 2 * turns {
		without := turn % 2
		plain.Store(without == 1)
		n := b.N/turns + 1
		turned := time.Now()
		load(b, a.Addr(), connections, n)
		spent[without] += time.Since(turned)
		done[without] += n
	}
	b.StopTimer()
	rate := func(i int) float64 { return float64(done[i]) / spent[i].Seconds() }
	b.ReportMetric(rate(0), "recorded/s")
	b.ReportMetric(rate(1), "plain/s")
	b.ReportMetric(rate(0)/rate(1), "recorded/plain")
	b.ReportMetric(0, "ns/op") // of both together: means nothing
}

// load sends n requests and reads their answers, as cheaply as a client can.
func load(b *testing.B, addr string, connections, n int) {
	request := []byte("GET /go/demo/ANNA HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: " + browser +
		"\r\nAccept: text/html,*/*;q=0.8\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nReferer: https://blog.example/post\r\n\r\n")
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			r := bufio.NewReader(conn)
			for left.Add(-1) >= 0 {
				if _, err := conn.Write(request); err != nil {
					b.Error(err)
					return
				}
				if err := readEmptyAnswer(r); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// readEmptyAnswer reads a response without a body.
func readEmptyAnswer(r *bufio.Reader) error {
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !strings.Contains(view(line), " 302 ") {
			return io.ErrUnexpectedEOF
		}
		if len(line) == 2 {
			return nil
		}
	}
}
