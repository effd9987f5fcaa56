package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// writeZip makes a zip of entries, name by name.
func writeZip(t *testing.T, path string, entries ...string) {
	t.Helper()
	var text bytes.Buffer
	z := zip.NewWriter(&text)
	for i := 0; i < len(entries); i += 2 {
		w, err := z.Create(entries[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, entries[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Thousands of entries are read in seconds: the directory of the zip is read once, not once an
// entry.
func TestManyEntries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "many.zip")
	var entries []string
	for i := range 8_000 {
		entries = append(entries, fmt.Sprintf("folder/%05d.csv", i), fmt.Sprintf("Id,Name\n%d,x\n", i))
	}
	writeZip(t, path, entries...)
	start := time.Now()
	found, err := Find([]string{path}, nil)
	if err != nil || len(found) != 8_000 {
		t.Fatal(len(found), err)
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := worker; i < len(found); i += 4 {
				file, err := Probe(found[i], testKinds, Options{})
				if err != nil {
					t.Error(err)
					return
				}
				count, err := Rows(file, func(_ int, p *person) error {
					if p.ID.Number != int64(i) {
						t.Errorf("%s has row %d", file.Path, p.ID.Number)
					}
					return nil
				}, nil)
				if err != nil || count.Loaded != 1 {
					t.Errorf("%+v %v", count, err)
				}
			}
		})
	}
	wg.Wait()
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("8,000 entries took %v", took)
	}
}

// A zip that was made to fill a memory is refused before a byte of it is unpacked.
func TestZipBounds(t *testing.T) {
	dir := t.TempDir()
	f := func(want string, entries ...string) {
		t.Helper()
		path := filepath.Join(dir, "x.zip")
		writeZip(t, path, entries...)
		_, err := Find([]string{path}, nil)
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("%s, want %q", got, want)
		}
	}
	f("", "a.csv", strings.Repeat("1,x\n", 1<<20)) // 4 MB, whatever they are made of
	f("would become 83886080, more than 100 times as many (most of it \"b.csv\")", "a.csv", strings.Repeat("1,x\n", 1<<22),
		"b.csv", strings.Repeat("1,x\n", 1<<24))
	var many []string
	for i := range maxEntries + 1 {
		many = append(many, fmt.Sprint(i), "")
	}
	f("x.zip holds 10001 files, more than the 10000 that are looked at", many...)

	// One that says less than it holds gives no more than it says.
	path := filepath.Join(dir, "lies.zip")
	writeZip(t, path, "a.csv", "Id,Name\n"+strings.Repeat("1,x\n", 10_000))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	central := bytes.Index(text, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(text[central+24:], 100)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := Find([]string{path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if file, err := Probe(found[0], testKinds, Options{}); err == nil {
		t.Errorf("%+v", file)
	}
}

// What cannot be read twice, or has no end, is refused before it is opened.
func TestNoFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"pipe.csv", "pipe.zip"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("unix", filepath.Join(dir, "socket.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Symlink("pipe.csv", filepath.Join(dir, "link.csv")); err != nil {
		t.Fatal(err)
	}
	f := func(path, want string) {
		t.Helper()
		done := make(chan error, 1)
		go func() {
			_, err := Find([]string{path}, []string{"people"})
			done <- err
		}()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", path, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s is waited for", path)
		}
	}
	f(filepath.Join(dir, "pipe.csv"), "is a pipe and no file")
	f("people="+filepath.Join(dir, "pipe.csv"), "is a pipe and no file")
	f(filepath.Join(dir, "pipe.zip"), "is a pipe and no file")
	f(filepath.Join(dir, "link.csv"), "is a pipe and no file")
	f(filepath.Join(dir, "socket.csv"), "is a socket and no file")
	f("/dev/zero", "is a device and no file")
	if found, err := Find([]string{dir}, nil); err != nil || len(found) != 0 {
		t.Errorf("%+v %v", found, err)
	}
}
