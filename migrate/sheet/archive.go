package sheet

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
)

// Bounds of a zip. A program has a few exports, and CSV is compressed to a tenth, hardly ever to
// a fiftieth; a zip that becomes a hundred times as large was made to fill a disk or a memory.
const (
	maxEntries   = 10_000
	maxExpansion = 100
	alwaysFits   = 16 << 20 // bytes that any zip may become
)

// archive is a zip whose directory was read once. Its file is open while entries are.
type archive struct {
	path  string
	size  int64
	files []*zip.File

	mu   sync.Mutex
	file *os.File
	open int // entries
}

// findInZip adds the entries of a zip.
func findInZip(path string, found *[]Input) error {
	a := &archive{path: path}
	at, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("find exports: %w", err)
	}
	a.size = at.Size()
	if err := a.acquire(); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer a.release()
	r, err := zip.NewReader(a, a.size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return fmt.Errorf("open %s: %w; make the zip again or unpack it and name the folder", path, err)
	}
	if a.files = r.File; len(a.files) > maxEntries {
		return fmt.Errorf("%s holds %d files, more than the %d that are looked at: make a zip of Keap's exports alone",
			path, len(a.files), maxEntries)
	}
	var in []Input
	var largest, sum uint64
	name := ""
	for i, entry := range a.files {
		if sum += min(entry.UncompressedSize64, 1<<40); entry.UncompressedSize64 > largest {
			largest, name = entry.UncompressedSize64, entry.Name
		}
		slashed := filepath.ToSlash(entry.Name)
		if strings.HasSuffix(slashed, "/") || slices.ContainsFunc(strings.Split(slashed, "/"),
			func(part string) bool { return part != ".." && isHidden(part) }) {
			continue
		}
		in = append(in, Input{Source: Source{
			Path: filepath.ToSlash(filepath.Clean(path)) + "/" + strings.ToValidUTF8(slashed, "\ufffd"),
			Open: func() (io.ReadCloser, error) { return a.openEntry(i) },
			Size: int64(min(entry.UncompressedSize64, 1<<62)),
		}})
	}
	if sum > alwaysFits && sum > maxExpansion*uint64(a.size) {
		return fmt.Errorf("%s has %d bytes and would become %d, more than %d times as many (most of it %q): it is no zip of exports; "+
			"if it is, unpack it and name the folder", path, a.size, sum, maxExpansion, strings.ToValidUTF8(name, "\ufffd"))
	}
	sort.SliceStable(in, func(i, j int) bool { return in[i].Path < in[j].Path })
	*found = append(*found, in...)
	return nil
}

// acquire opens the file for one more entry; release lets go of it.
func (a *archive) acquire() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		f, err := os.Open(a.path)
		if err != nil {
			return err
		}
		if at, err := f.Stat(); err != nil || at.Size() != a.size {
			f.Close()
			return errors.Join(errors.New("the zip changed while it was read"), err)
		}
		a.file = f
	}
	a.open++
	return nil
}

func (a *archive) release() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open--; a.open > 0 {
		return nil
	}
	f := a.file
	a.file = nil
	return f.Close()
}

// ReadAt reads from the file, which must be open.
func (a *archive) ReadAt(p []byte, at int64) (int, error) {
	a.mu.Lock()
	f := a.file
	a.mu.Unlock()
	if f == nil {
		return 0, os.ErrClosed
	}
	return f.ReadAt(p, at)
}

func (a *archive) openEntry(i int) (io.ReadCloser, error) {
	entry := a.files[i]
	if entry.Flags&1 != 0 {
		return nil, errors.New("the zip is locked with a password: unpack it and name the folder")
	}
	if err := a.acquire(); err != nil {
		return nil, err
	}
	r, err := entry.Open()
	if err != nil {
		a.release()
		return nil, err
	}
	return &zipEntry{r, a, entry.UncompressedSize64}, nil
}

// zipEntry gives no more bytes than the directory of the zip says that there are.
type zipEntry struct {
	io.ReadCloser
	archive *archive
	left    uint64
}

func (e *zipEntry) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	if uint64(n) > e.left {
		return 0, fmt.Errorf("the entry is longer than the zip says: %w", zip.ErrFormat)
	}
	e.left -= uint64(n)
	return n, err
}

func (e *zipEntry) Close() error { return errors.Join(e.ReadCloser.Close(), e.archive.release()) }
