package backup

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"carryover/mapping/book"
)

// stagingPrefix begins the name of a folder that an archive is made in, beside its place; the id
// of the process follows.
const stagingPrefix = ".carryover-backup-"

// Write saves s in the archive at file, for its owner only: it holds secrets. Gateways and
// commands go on writing meanwhile. The archive is complete and on disk before it takes its
// name; a former backup of that name is replaced, another file never.
func Write(ctx context.Context, s Source, file string) (head Head, entries []Entry, err error) {
	switch info, err := os.Stat(file); {
	case filepath.Base(file) == "-":
		return head, nil, errors.New("an archive does not go to standard output: name the file to write, such as " + s.Program + ".tar.gz")
	case err == nil && info.IsDir():
		return head, nil, fmt.Errorf("%s is a folder: name the file to write, such as %s", file, filepath.Join(file, s.Program+".tar.gz"))
	case err == nil && !isArchive(file):
		return head, nil, fmt.Errorf("%s is there already and is no backup: choose another name, or move it away", file)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return head, nil, err
	}
	head = Head{
		Format: format, Carryover: s.Version, Program: s.Program, SavedAt: time.Now().UTC().Truncate(time.Second),
		ConfigHash: s.ConfigHash, Variables: s.Variables,
	}
	files, leftOut, hasBook, err := s.files()
	if err != nil {
		return head, nil, err
	}
	head.LeftOut, head.HasBook = leftOut, hasBook
	staging, err := stage(filepath.Dir(file))
	if err != nil {
		return head, nil, fmt.Errorf("the backup cannot be written: %w", err)
	}
	defer os.RemoveAll(staging)
	if entries, err = s.write(ctx, &head, files, staging); err != nil {
		return head, nil, fmt.Errorf("writing the backup: %w; there is no new %s", err, file)
	}
	if err := os.Rename(filepath.Join(staging, "archive"), file); err != nil {
		return head, nil, err
	}
	return head, entries, syncFolder(filepath.Dir(file))
}

// stage makes a folder beside the archive, and removes those of processes that are gone: they
// hold what an archive holds.
func stage(dir string) (string, error) {
	old, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range old {
		name, ok := strings.CutPrefix(e.Name(), stagingPrefix)
		id, _, _ := strings.Cut(name, "-")
		pid, err := strconv.Atoi(id)
		if !ok || err != nil || !e.IsDir() {
			continue
		}
		if p, err := os.FindProcess(pid); pid != os.Getpid() && (err != nil || errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)) {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
	return os.MkdirTemp(dir, fmt.Sprintf("%s%d-", stagingPrefix, os.Getpid())) // mode 0700
}

// write makes the archive in the staging folder.
func (s *Source) write(ctx context.Context, head *Head, files []sourceFile, staging string) ([]Entry, error) {
	f, err := os.OpenFile(filepath.Join(staging, "archive"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	buffered := bufio.NewWriterSize(f, 1<<20)
	zipped, err := gzip.NewWriterLevel(buffered, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	a := &archiveWriter{ctx: ctx, tar: tar.NewWriter(zipped), now: head.SavedAt}

	if head.HasBook { // what the head says, which comes first
		if head.Schemas, err = book.DatabaseSchemas(ctx, s.Book); err != nil {
			return nil, err
		}
	}
	text, err := json.MarshalIndent(head, "", "  ")
	if err != nil {
		return nil, err
	}
	a.addText(headName, append(text, '\n'))
	a.addFile(configName, s.Config)
	for _, file := range files { // databases last
		if isDatabase(file.path) {
			a.addDatabase(file, staging)
		} else {
			a.addFile(file.name, file.path)
		}
	}
	if head.HasBook {
		a.addDatabase(sourceFile{bookName, s.Book}, staging)
	}
	var sums strings.Builder
	for _, e := range a.entries {
		fmt.Fprintf(&sums, "%s  %s\n", e.SHA256, e.Name)
	}
	a.addText(sumsName, []byte(sums.String()))
	if a.err != nil {
		return nil, a.err
	}
	err = errors.Join(a.tar.Close(), zipped.Close(), buffered.Flush(), f.Sync(), f.Close())
	return a.entries[1 : len(a.entries)-1], err // without head and sums
}

// archiveWriter adds files to an archive until one fails.
type archiveWriter struct {
	ctx     context.Context
	tar     *tar.Writer
	now     time.Time
	entries []Entry
	err     error
}

func (a *archiveWriter) addText(name string, text []byte) {
	a.add(name, int64(len(text)), strings.NewReader(string(text)))
}

func (a *archiveWriter) addFile(name, path string) {
	if a.err != nil {
		return
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && name != configName && name != bookName {
		return // it was under way, and has gone
	}
	if err != nil {
		a.err = err
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		a.err = err
		return
	}
	a.add(name, info.Size(), f)
}

// addDatabase adds a copy of a database as it is at this moment.
func (a *archiveWriter) addDatabase(file sourceFile, staging string) {
	if a.err != nil {
		return
	}
	to := filepath.Join(staging, "copy.db")
	if a.err = book.CopyDatabase(a.ctx, file.path, to); a.err != nil {
		return
	}
	a.addFile(file.name, to)
	if err := os.Remove(to); a.err == nil {
		a.err = err
	}
}

func (a *archiveWriter) add(name string, size int64, r io.Reader) {
	if a.err == nil {
		a.err = a.ctx.Err()
	}
	if a.err != nil {
		return
	}
	if a.err = a.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: a.now}); a.err != nil {
		return
	}
	sum := sha256.New()
	n, err := io.CopyN(io.MultiWriter(a.tar, sum), contextReader{a.ctx, r}, size)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s became shorter while it was read (%d of %d bytes): try again", name, n, size)
	}
	a.err = err
	a.entries = append(a.entries, Entry{name, size, hex.EncodeToString(sum.Sum(nil))})
}

// contextReader reads until its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// syncFolder has a rename in a folder on disk.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
