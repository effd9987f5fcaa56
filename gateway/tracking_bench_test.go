package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carryover/gateway/track"
	"carryover/mapping/book"
	"carryover/mapping/store"
)

// instantSubmitter books nothing and says that it did: what the API costs by itself.
type instantSubmitter struct{}

func (instantSubmitter) Submit(_ context.Context, c *track.Call) (track.Result, error) {
	return track.Result{Outcome: track.Booked, Event: book.Event{ID: 1, Kind: c.Kind, ExternalID: c.EventID, Amount: c.Amount}}, nil
}

// switchedSubmitter is one of two submitters.
type switchedSubmitter struct {
	real  track.Submitter
	plain atomic.Bool
}

func (s *switchedSubmitter) Submit(ctx context.Context, c *track.Call) (track.Result, error) {
	if s.plain.Load() {
		return instantSubmitter{}.Submit(ctx, c)
	}
	return s.real.Submit(ctx, c)
}

// BenchmarkSales sends b.N sales over 32 connections to a gateway that books each before it
// answers, beside 5,000 redirects a second that are recorded and drained; and, in turns, to
// the same gateway without booking. "booked/plain" is what booking leaves of the sales a
// second; p99-ms is of sales that were booked.
func BenchmarkSales(b *testing.B) {
	const connections, turns, redirects = 32, 6, 5_000
	bk := openBook(b)
	applyPromoters(b, bk, 1_000, 10_000)
	s := store.OpenBook(bk)
	if _, _, err := s.Publish(context.Background(), smallMap(), "plan", nil); err != nil {
		b.Fatal(err)
	}
	o := Options{
		Listen: "127.0.0.1:0", DataDir: b.TempDir(), Feed: s, Book: bk, Tracking: trackingOptions(), Logger: slog.New(slog.DiscardHandler)}
	service := track.New(track.Options{Book: bk, Terms: o.Tracking.Terms, Currency: "USD"})
	defer service.Close(context.Background())
	ctx, cancel := context.WithCancel(context.Background())
	tended := make(chan struct{})
	go func() { bk.RunWALCheckpointer(ctx); close(tended) }()
	defer func() { cancel(); <-tended }()
	either := &switchedSubmitter{real: service}
	o.Tracking.submit = either
	a, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	if err := a.Start(); err != nil {
		b.Fatal(err)
	}
	defer stop(b, a)

	stopped := make(chan struct{})
	var beside sync.WaitGroup
	var redirected atomic.Int64
	for range 8 {
		beside.Go(func() { redirectAt(b, a.Addr(), redirects/8, stopped, &redirected) })
	}
	var spent [2]time.Duration
	var done [2]int
	var took []time.Duration
	var next atomic.Int64
	began := time.Now()
	b.ResetTimer()
	for turn := range 2 * turns {
		without := turn % 2
		either.plain.Store(without == 1)
		n := b.N/turns + 1
		turned := time.Now()
		times := sendSales(b, a.Addr(), connections, n, &next)
		spent[without] += time.Since(turned)
		done[without] += n
		if without == 0 {
			took = append(took, times...)
		}
	}
	b.StopTimer()
	elapsed := time.Since(began).Seconds()
	close(stopped)
	beside.Wait()
	rate := func(i int) float64 { return float64(done[i]) / spent[i].Seconds() }
	slices.Sort(took)
	b.ReportMetric(rate(0), "sales/s")
	b.ReportMetric(rate(0)/rate(1), "booked/plain")
	b.ReportMetric(float64(redirected.Load())/elapsed, "redirects/s")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(0, "ns/op") // of all together: means nothing
}

// redirectAt follows a link so many times a second over one connection.
func redirectAt(b *testing.B, addr string, perSecond int, stopped <-chan struct{}, count *atomic.Int64) {
	request := []byte("GET /go/demo/ANNA HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: " + browser +
		"\r\nAccept: text/html,*/*;q=0.8\r\nReferer: https://blog.example/post\r\n\r\n")
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Error(err)
		return
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	began, sent := time.Now(), 0
	for {
		select {
		case <-stopped:
			return
		case <-tick.C:
		}
		due := min(int(time.Since(began).Seconds()*float64(perSecond))-sent, 100) // pipelined, as a crowd arrives
		for range max(0, due) {
			if _, err := conn.Write(request); err != nil {
				b.Error(err)
				return
			}
			if err := readEmptyAnswer(r); err != nil {
				b.Error(err)
				return
			}
			sent++
			count.Add(1)
		}
	}
}

// sendSales sends n sales and gives the time that each took.
func sendSales(b *testing.B, addr string, connections, n int, next *atomic.Int64) []time.Duration {
	took := make([][]time.Duration, connections)
	last := next.Load() + int64(n)
	var wg sync.WaitGroup
	for i := range connections {
		wg.Go(func() {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			r := bufio.NewReader(conn)
			for {
				k := next.Add(1)
				if k > last {
					return
				}
				body := fmt.Sprintf(`{"email":"c%05d@mail.test","event_id":"pay-%d","amount":9900}`, k%10_000, k)
				began := time.Now()
				if _, err := io.WriteString(conn, "POST /api/v2/track/sale HTTP/1.1\r\nHost: "+host+
					"\r\nAuthorization: Bearer "+strings.ReplaceAll(apiKey, " ", "-")+
					"\r\nAccount-ID: carrot\r\nContent-Type: application/json\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body); err != nil {
					b.Error(err)
					return
				}
				if err := readAnswer(r); err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	wg.Wait()
	next.Store(last)
	return slices.Concat(took...)
}

// readAnswer reads a response of 200 with a body.
func readAnswer(r *bufio.Reader) error {
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		text := view(line)
		if first && !strings.Contains(text, " 200 ") {
			return fmt.Errorf("answered with %s", text)
		}
		if name, value, ok := strings.Cut(text, ":"); ok && strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return err
			}
		}
		if len(line) == 2 {
			_, err := r.Discard(length)
			return err
		}
	}
}
