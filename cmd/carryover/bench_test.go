package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/config"
)

// BenchmarkPlan plans 100,000 partners, 1,000,000 contacts (the columns of a real export)
// and 200 links with the binary, beside reading the same bytes with encoding/csv in the
// same run. Reported: plan time as a multiple of that, and the peak memory of plan.
func BenchmarkPlan(b *testing.B) {
	dir := b.TempDir()
	exports := filepath.Join(dir, "exports")
	writeBigProgram(b, exports, 100_000, 1_000_000, 200)
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
	var peak int64
	for b.Loop() {
		start := time.Now()
		readPlainly(b, exports)
		plain += time.Since(start)

		start = time.Now()
		cmd := exec.Command(binary, "--config", path, "--data", filepath.Join(dir, "data"), "plan", "--out", filepath.Join(dir, "plan"), exports)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		planned += time.Since(start)
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			peak = max(peak, usage.Maxrss) // KiB on Linux
		}
	}
	b.ReportMetric(planned.Seconds()/plain.Seconds(), "x-encoding/csv")
	b.ReportMetric(float64(peak)/1024, "peak-MiB")
}

func readPlainly(b *testing.B, dir string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		r := csv.NewReader(f)
		r.ReuseRecord = true
		for {
			if _, err := r.Read(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		f.Close()
	}
}

// writeBigProgram writes a program of the given size that holds no mess.
func writeBigProgram(b *testing.B, dir string, partners, contacts, links int) {
	b.Helper()
	write := func(name string, rows func(w *bufio.Writer)) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			b.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			b.Fatal(err)
		}
		w := bufio.NewWriterSize(f, 1<<20)
		rows(w)
		if err := errors.Join(w.Flush(), f.Close()); err != nil {
			b.Fatal(err)
		}
	}
	write("partners.csv", func(w *bufio.Writer) {
		fmt.Fprintln(w, "Id,ContactId,ParentId,AffName,AffCode,Status,DateCreated")
		for i := 1; i <= partners; i++ {
			fmt.Fprintf(w, "%d,%d,%d,Partner Name %d,Code%xZ,%d,%d/%d/2019 3:18 AM\n", i*3, i*7, i/2*3, i, i, min(i%5, 1), i%12+1, i%28+1)
		}
	})
	columns := []string{"Id", "Name", "First Name", "Last Name", "Company Name", "Email"}
	for i := range 84 {
		columns = append(columns, fmt.Sprintf("Custom Field %d", i))
	}
	columns = append(columns, "Date Created", "Last Updated")
	empty := strings.Repeat(",", 84)
	write("contacts.csv", func(w *bufio.Writer) {
		fmt.Fprintln(w, strings.Join(columns, ","))
		for i := 1; i <= contacts; i++ {
			fmt.Fprintf(w, "%d,First Last%d,First,Last%d,,Person.%d@Mail%d.test,\"Customer,Newsletter\"%s%d/%d/2019 1:18 AM,%d/%d/2021 1:18 AM\n",
				i, i, i, i, i%97, empty, i%12+1, i%28+1, i%12+1, i%28+1)
		}
	})
	write("links.csv", func(w *bufio.Writer) {
		fmt.Fprintln(w, "Id,Name,Code,Website Address")
		for i := 1; i <= links; i++ {
			fmt.Fprintf(w, "%d,Link %d,link%d,https://carrot.com/page%d?utm_source=partners\n", i, i, i, i)
		}
	})
}
