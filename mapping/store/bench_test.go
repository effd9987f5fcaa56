package store_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/mapping/store/storetest"
)

// The benchmarks run with -bench alone, best on an idle machine:
//
//	go test -run '^$' -bench . -benchtime 2x ./mapping/store

// benchPartners is the size of the published map: as many partners, and as many ids.
const benchPartners = 1_000_000

// programMap is a map of n partners with codes as people choose them, in the order of
// their Keap ids.
func programMap(n int) *mapping.Map {
	rnd := rand.New(rand.NewPCG(1, 2))
	names := []string{"smith", "jones", "garcia", "lee", "invest", "homes", "reia", "deals"}
	m := &mapping.Map{Policy: mapping.Policy{Program: "carrot"}}
	for i := range n {
		code := fmt.Sprintf("%c%s%d", 'a'+rnd.IntN(26), names[rnd.IntN(len(names))], i*7919%n)
		m.Partners = append(m.Partners, mapping.Partner{Code: code, Token: code, Status: mapping.Active})
		m.IDs = append(m.IDs, mapping.ID{KeapID: int64(2*i + 1), Code: code})
	}
	return m
}

func BenchmarkPublishRedis(b *testing.B) {
	m := programMap(benchPartners)
	protocol := filepath.Join(b.TempDir(), "hsets")
	writeProtocol(b, protocol, m)
	var ours, pipe time.Duration
	for b.Loop() {
		url, server := storetest.StartRedis(b)
		s := openRedis(b, url)
		runtime.GC()
		begin := time.Now()
		publish(b, s, m)
		ours += time.Since(begin)
		server.Kill()

		_, server = storetest.StartRedis(b)
		pipe += cliPipe(b, server, protocol)
		server.Kill()
	}
	n := float64(b.N)
	b.ReportMetric(ours.Seconds()/n, "publish-s")
	b.ReportMetric(pipe.Seconds()/n, "redis-cli-s")
	b.ReportMetric(ours.Seconds()/pipe.Seconds(), "times-redis-cli")
}

func BenchmarkLoadRedis(b *testing.B) {
	url, _ := storetest.StartRedis(b)
	s := openRedis(b, url)
	publish(b, s, programMap(benchPartners))
	runtime.GC()
	for b.Loop() {
		m, _, err := s.Load(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		if len(m.Partners) != benchPartners {
			b.Fatalf("%d partners", len(m.Partners))
		}
	}
}

func BenchmarkBook(b *testing.B) {
	m := programMap(benchPartners)
	var published, loaded time.Duration
	for b.Loop() {
		bk, err := book.Open(filepath.Join(b.TempDir(), "book.db"))
		if err != nil {
			b.Fatal(err)
		}
		s := store.OpenBook(bk)
		begin := time.Now()
		publish(b, s, m)
		published += time.Since(begin)
		begin = time.Now()
		if _, _, err := s.Load(context.Background()); err != nil {
			b.Fatal(err)
		}
		loaded += time.Since(begin)
		bk.Close()
	}
	b.ReportMetric(published.Seconds()/float64(b.N), "publish-s")
	b.ReportMetric(loaded.Seconds()/float64(b.N), "load-s")
}

func BenchmarkSnapshot(b *testing.B) {
	m := programMap(benchPartners)
	e := store.Epoch{ID: 1, Partners: benchPartners, IDs: benchPartners, Checksum: mapping.Checksum(m.Policy, m.Entries())}
	path := filepath.Join(b.TempDir(), "map.snapshot")
	var save, load time.Duration
	for b.Loop() {
		begin := time.Now()
		if err := store.SaveSnapshot(path, m, e, trust); err != nil {
			b.Fatal(err)
		}
		save += time.Since(begin)
		begin = time.Now()
		if _, _, err := store.LoadSnapshot(path, trust); err != nil {
			b.Fatal(err)
		}
		load += time.Since(begin)
	}
	b.ReportMetric(save.Seconds()/float64(b.N), "save-s")
	b.ReportMetric(load.Seconds()/float64(b.N), "load-s")
}

// writeProtocol writes the HSETs of a publish, in batches of the same size, as
// redis-cli --pipe reads them.
func writeProtocol(b *testing.B, path string, m *mapping.Map) {
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	arg := func(s string) { fmt.Fprintf(w, "$%d\r\n%s\r\n", len(s), s) }
	entries := m.Entries()
	for i := 0; i < len(entries); {
		end := i
		for end < len(entries) && end-i < 500 && entries[end].Kind == entries[i].Kind {
			end++
		}
		fmt.Fprintf(w, "*%d\r\n", 2+2*(end-i))
		arg("HSET")
		arg(tableKey(1, entries[i].Kind.String()))
		for ; i < end; i++ {
			arg(entries[i].Key)
			arg(entries[i].Value)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

// cliPipe lets redis-cli load the file and returns how long it took.
func cliPipe(b *testing.B, server *storetest.RedisServer, path string) time.Duration {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command("redis-cli", "-u", server.URL(), "--pipe")
	cmd.Stdin = f
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("redis-cli: %v: %s", err, out)
	}
	return time.Since(begin)
}
