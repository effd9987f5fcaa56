package backup_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"carryover/mapping/backup"
	"carryover/mapping/book"
)

// env is a program's folders.
type env struct {
	*testing.T
	dir  string
	book *book.Book
	sold atomic.Int64 // sales that were answered
}

func newEnv(t *testing.T) *env {
	t.Helper()
	d := &env{T: t, dir: t.TempDir()}
	d.write("carryover.toml", "program = \"carrot\"\n")
	b, err := book.Open(d.path("data/book.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	d.book = b
	d.write("data/secret", "the secret of the program, at least 32 bytes long\n")
	d.write("data/plan/plan.json", "{}")
	d.write("data/visitor.keys", "")
	return d
}

func (d *env) path(name string) string { return filepath.Join(d.dir, name) }

func (d *env) write(name, text string) {
	d.Helper()
	if err := os.MkdirAll(filepath.Dir(d.path(name)), 0o755); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(d.path(name), []byte(text), 0o600); err != nil {
		d.Fatal(err)
	}
}

// sell books a sale.
func (d *env) sell() {
	n := d.sold.Load() + 1
	if err := d.book.Track(func(tr *book.Tracking) error {
		return tr.AddEvent(&book.Event{Kind: book.EventSale, ExternalID: fmt.Sprint("e", n), Evidence: strings.Repeat("x", 2000)}, nil)
	}); err != nil {
		d.Error(err)
	}
	d.sold.Store(n)
}

// has fails when one of the first sales is not in the book at path.
func (d *env) has(path string, sales int64) {
	d.Helper()
	b, err := book.OpenExisting(path)
	if err != nil {
		d.Fatal(err)
	}
	defer b.Close()
	for i := range sales {
		if told, err := b.EventsByExternalID(context.Background(), fmt.Sprint("e", i+1)); err != nil || len(told) != 1 {
			d.Fatalf("sale %d of %d: %v, %v", i+1, sales, told, err)
		}
	}
}

func (d *env) source() backup.Source {
	return backup.Source{Data: d.path("data"), Book: d.path("data/book.db"), Config: d.path("carryover.toml"), Program: "carrot", ConfigHash: "h", Version: "v1"}
}

func (d *env) save(file string) (backup.Head, []backup.Entry) {
	d.Helper()
	head, entries, err := backup.Write(d.Context(), d.source(), d.path(file))
	if err != nil {
		d.Fatal(err)
	}
	return head, entries
}

func (d *env) restore(file string, t backup.Target) (*backup.Restored, error) {
	a, err := backup.Open(d.Context(), d.path(file))
	if err != nil {
		return nil, err
	}
	return a.Restore(d.Context(), t)
}

func (d *env) target(data string) backup.Target {
	return backup.Target{Data: d.path(data), Book: d.path(data + "/book.db"), Config: d.path("carryover.toml")}
}

func (d *env) names(dir string) string {
	list, err := os.ReadDir(d.path(dir))
	if err != nil && !os.IsNotExist(err) {
		d.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// What was booked before a backup began is in it, also what is in the write-ahead log only, and
// while sales go on all the time.
func TestBackupUnderLoad(t *testing.T) {
	d := newEnv(t)
	for range 20 {
		d.sell()
	}
	d.save("quiet.tar.gz")
	if _, err := d.restore("quiet.tar.gz", d.target("quiet")); err != nil {
		t.Fatal(err)
	}
	d.has(d.path("quiet/book.db"), 20)

	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				d.sell()
			}
		}
	}()
	for i := range 4 {
		for d.sold.Load() < int64(200*(i+1)) {
		}
		before, name := d.sold.Load(), fmt.Sprint("load", i)
		d.save(name + ".tar.gz")
		if _, err := d.restore(name+".tar.gz", d.target(name)); err != nil {
			t.Fatal(err)
		}
		d.has(d.path(name+"/book.db"), before)
	}
	close(stop)
	<-stopped
	if got, want := d.names("load0"), "book.db book.db-shm book.db-wal plan secret visitor.keys"; got != want && got != "book.db plan secret visitor.keys" {
		t.Errorf("restored: %s", got)
	}
	if left := d.names("."); strings.Contains(left, ".carryover-backup") {
		t.Errorf("left behind: %s", left)
	}
}

// An archive is for its owner only, is made of what lies in the folder, leaves out what is under
// way or none of its own, and says so.
func TestBackupHolds(t *testing.T) {
	d := newEnv(t)
	d.write("data/book.db.1.tmp", "under way")
	d.write("data/.writing-1-x/plan.json", "under way")
	d.write("elsewhere/secret", "linked")
	for link, to := range map[string]string{"linked": "elsewhere/secret", "nowhere": "elsewhere/gone", "folder": "elsewhere"} {
		if err := os.Symlink(d.path(to), d.path("data/"+link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(d.path("data/pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.save("data/former.tar.gz")
	head, entries := d.save("b.tar.gz")
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	if got, want := strings.Join(names, " "), "config/carryover.toml data/linked data/plan/plan.json data/secret data/visitor.keys book.db"; got != want {
		t.Errorf("it holds %s, want %s", got, want)
	}
	want := []string{"folder: a link to a folder", "former.tar.gz: a backup itself", "nowhere: a link that leads nowhere", "pipe: no regular file"}
	if !slices.Equal(head.LeftOut, want) {
		t.Errorf("left out: %q", head.LeftOut)
	}
	if info, err := os.Stat(d.path("b.tar.gz")); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	done, err := d.restore("b.tar.gz", d.target("new"))
	if err != nil || done.Config != backup.ConfigSame {
		t.Fatalf("%+v, %v", done, err)
	}
	if text, err := os.ReadFile(d.path("new/linked")); string(text) != "linked" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if info, err := os.Stat(d.path("new/secret")); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A backup takes the place of a former one and of nothing else; without anything to save it fails.
func TestBackupRefuses(t *testing.T) {
	d := newEnv(t)
	f := func(file string, change func(*backup.Source), want string) {
		t.Helper()
		s := d.source()
		if change != nil {
			change(&s)
		}
		if _, _, err := backup.Write(t.Context(), s, d.path(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
	f("carryover.toml", nil, "is there already and is no backup")
	f("data", nil, "is a folder")
	f("-", nil, "does not go to standard output")
	f("missing/b.tar.gz", nil, "missing")
	f("b.tar.gz", func(s *backup.Source) { s.Data = d.path("nothing"); s.Book = d.path("nothing/book.db") }, "there is no data folder")
	f("b.tar.gz", func(s *backup.Source) { s.Data = d.path("carryover.toml") }, "is no folder")
	d.write("empty/plan/plan.json", "{}")
	f("b.tar.gz", func(s *backup.Source) { s.Data = d.path("empty"); s.Book = d.path("empty/book.db") }, "nothing to save")
	d.write("text/book.db", strings.Repeat("a letter to my bank ", 100))
	f("b.tar.gz", func(s *backup.Source) { s.Data = d.path("text"); s.Book = d.path("text/book.db") }, "not a carryover book")
	if left := d.names("."); left != "carryover.toml data empty text" {
		t.Errorf("left behind: %s", left)
	}
	d.save("b.tar.gz")
	d.sell()
	d.save("b.tar.gz") // over the former
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before, _ := os.ReadFile(d.path("b.tar.gz"))
	if _, _, err := backup.Write(ctx, d.source(), d.path("b.tar.gz")); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if after, _ := os.ReadFile(d.path("b.tar.gz")); !bytes.Equal(before, after) {
		t.Error("a backup that was stopped has changed the former one")
	}
}

// A folder that holds anything, is in use or is none is left as it is.
func TestRestoreRefuses(t *testing.T) {
	d := newEnv(t)
	d.save("b.tar.gz")
	f := func(data, want string) {
		t.Helper()
		before := d.names(data)
		if _, err := d.restore("b.tar.gz", d.target(data)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "nothing was restored") {
			t.Errorf("%s: %v, want %q", data, err, want)
		}
		if after := d.names(data); after != before {
			t.Errorf("%s: %s, and before %s", data, after, before)
		}
	}
	d.write("other/note.txt", "mine")
	f("other", "is not empty (note.txt)")
	f("data", "is not empty (book.db")
	if _, err := d.restore("b.tar.gz", backup.Target{Data: d.path("carryover.toml"), Book: d.path("x.db"), Config: d.path("carryover.toml")}); err == nil || !strings.Contains(err.Error(), "is no folder") {
		t.Errorf("a file: %v", err)
	}

	// a book elsewhere
	d.write("disk/book.db", "another")
	to := backup.Target{Data: d.path("new"), Book: d.path("disk/book.db"), Config: d.path("carryover.toml")}
	if _, err := d.restore("b.tar.gz", to); err == nil || !strings.Contains(err.Error(), "never writes over a book") {
		t.Errorf("a book elsewhere: %v", err)
	}
	if text, _ := os.ReadFile(d.path("disk/book.db")); string(text) != "another" || d.names(".") != "b.tar.gz carryover.toml data disk other" {
		t.Errorf("left: %q, %s", text, d.names("."))
	}
	if err := os.Remove(to.Book); err != nil {
		t.Fatal(err)
	}
	to.Config = d.path("conf.toml")
	if done, err := d.restore("b.tar.gz", to); err != nil || done.Config != backup.ConfigWritten {
		t.Fatalf("%+v, %v", done, err)
	}
	d.has(to.Book, 0)
	if got := d.names("new") + "; " + d.names("disk"); !strings.HasPrefix(got, "plan secret visitor.keys; book.db") {
		t.Errorf("restored: %s", got)
	}

	// the root of a file system is empty
	if err := os.MkdirAll(d.path("mount/lost+found"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := d.restore("b.tar.gz", d.target("mount")); err != nil {
		t.Error(err)
	}
}

// files are what a tar holds.
type file struct {
	header tar.Header
	body   string
}

func readAll(t *testing.T, path string) (list []file) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		body, err2 := io.ReadAll(r)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		list = append(list, file{*h, string(body)})
	}
}

// writeAll writes an archive, with the right sums unless they are there.
func writeAll(t *testing.T, path string, list []file) {
	t.Helper()
	var raw bytes.Buffer
	z := gzip.NewWriter(&raw)
	w := tar.NewWriter(z)
	var sums strings.Builder
	add := func(h tar.Header, body string) {
		h.Size = int64(len(body))
		h.PAXRecords, h.Format = nil, 0
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, body)
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256([]byte(body)), h.Name)
	}
	for _, f := range list {
		if f.header.Name != "SHA256SUMS" {
			add(f.header, f.body)
		}
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "SHA256SUMS"}, sums.String())
	w.Close()
	z.Close()
	if err := os.WriteFile(path, raw.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Archives that somebody made, or that were damaged, are refused before anything is written.
func TestHostileArchives(t *testing.T) {
	d := newEnv(t)
	d.sell()
	d.save("b.tar.gz")
	whole := readAll(t, d.path("b.tar.gz"))
	f := func(what string, want error, text string, change func(list []file) []file) {
		t.Helper()
		writeAll(t, d.path("bad.tar.gz"), change(slices.Clone(whole)))
		_, err := d.restore("bad.tar.gz", d.target("new"))
		if !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v, want %v, %q", what, err, want, text)
		}
		if names := d.names("."); names != "b.tar.gz bad.tar.gz carryover.toml data" {
			t.Fatalf("%s: left behind: %s", what, names)
		}
	}
	plus := func(h tar.Header, body string) func([]file) []file {
		return func(list []file) []file { return slices.Insert(list, 2, file{h, body}) }
	}
	for _, name := range []string{"data/../../evil", "../evil", "/etc/evil", "data//evil", "data/./evil", "evil", "data/a\\b", "data/.restoring/placing", "data/book.db-wal"} {
		f(name, backup.ErrDamaged, "which no backup does", plus(tar.Header{Typeflag: tar.TypeReg, Name: name}, "x"))
	}
	f("a link", backup.ErrDamaged, "is a link", plus(tar.Header{Typeflag: tar.TypeSymlink, Name: "data/x", Linkname: "/etc"}, ""))
	f("a hard link", backup.ErrDamaged, "is a link", plus(tar.Header{Typeflag: tar.TypeLink, Name: "data/x", Linkname: "data/secret"}, ""))
	f("a folder", backup.ErrDamaged, "is a link", plus(tar.Header{Typeflag: tar.TypeDir, Name: "data/x"}, ""))
	f("a device", backup.ErrDamaged, "is a link", plus(tar.Header{Typeflag: tar.TypeChar, Name: "data/x"}, ""))
	f("a name twice", backup.ErrDamaged, "is in it twice", plus(tar.Header{Typeflag: tar.TypeReg, Name: "data/secret"}, "another"))
	f("no book", backup.ErrDamaged, "what it says of the book", func(list []file) []file {
		return slices.DeleteFunc(list, func(f file) bool { return f.header.Name == "book.db" })
	})
	f("no head", backup.ErrNoBackup, "", func(list []file) []file { return list[1:] })
	head := func(change func(m map[string]any)) func([]file) []file {
		return func(list []file) []file {
			m := map[string]any{}
			if err := json.Unmarshal([]byte(list[0].body), &m); err != nil {
				t.Fatal(err)
			}
			change(m)
			text, _ := json.Marshal(m)
			list[0].body = string(text)
			return list
		}
	}
	f("a newer form", backup.ErrNewer, "v9: install that version", head(func(m map[string]any) { m["format"], m["carryover"] = 2, "v9" }))
	f("a newer book", backup.ErrNewer, "install that version", head(func(m map[string]any) { m["schemas"] = []string{"0001_import.sql", "0999_later.sql"} }))
	f("no form", backup.ErrNoBackup, "", head(func(m map[string]any) { delete(m, "format") }))

	// cut off anywhere, or with a byte that was changed
	raw, err := os.ReadFile(d.path("b.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, text []byte, want ...error) {
		t.Helper()
		d.write("bad.tar.gz", string(text))
		_, err := d.restore("bad.tar.gz", d.target("new"))
		if err == nil || !slices.ContainsFunc(want, func(w error) bool { return errors.Is(err, w) }) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range 40 {
		refused(fmt.Sprint("cut at ", i), raw[:len(raw)*i/40], backup.ErrDamaged, backup.ErrNoBackup)
		changed := bytes.Clone(raw)
		changed[10+(len(raw)-20)*i/40] ^= 0x10
		d.write("bad.tar.gz", string(changed))
		if _, err := d.restore("bad.tar.gz", d.target("new")); err == nil {
			t.Errorf("a changed byte at %d of 40 is not noticed", i)
		}
	}
	refused("one byte short", raw[:len(raw)-1], backup.ErrDamaged)
	refused("no archive", []byte("a letter to my bank"), backup.ErrNoBackup)
	refused("empty", nil, backup.ErrNoBackup)
	if names := d.names("."); names != "b.tar.gz bad.tar.gz carryover.toml data" {
		t.Errorf("left behind: %s", names)
	}
}

// A restore that was killed while it put things in place is refused by every command, and the
// next restore begins anew, whatever it was.
func TestInterruptedRestore(t *testing.T) {
	d := newEnv(t)
	d.sell()
	d.save("b.tar.gz")
	d.write("new/.restoring/placing", `{"data":["plan","secret","book.db","../../carryover.toml"],"book":""}`)
	d.write("new/.restoring/new/book.db", "not moved yet")
	d.write("new/plan/old.json", "moved")
	d.write("new/secret", "moved")
	if err := backup.CheckData(d.path("new")); err == nil || !strings.Contains(err.Error(), "run \"carryover restore FILE\" again") {
		t.Errorf("a folder that is half restored: %v", err)
	}
	if _, err := d.restore("b.tar.gz", d.target("new")); err != nil {
		t.Fatal(err)
	}
	d.has(d.path("new/book.db"), 1)
	if text, err := os.ReadFile(d.path("new/secret")); !strings.HasPrefix(string(text), "the secret") || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	d.write("new/.restored-77/placing", "{}") // one that was killed when all was in place
	if err := backup.CheckData(d.path("new")); err != nil || strings.Contains(d.names("new/plan"), "old") {
		t.Errorf("%v, %s", err, d.names("new/plan"))
	}
	if _, err := os.Lstat(d.path("new/.restored-77")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a killed restore left is still there: %v", err)
	}
	if _, err := os.Stat(d.path("carryover.toml")); err != nil {
		t.Error(err)
	}
	// What a person put there meanwhile is not taken away.
	d.write("third/.restoring/x", "")
	d.write("third/note.txt", "mine")
	if _, err := d.restore("b.tar.gz", d.target("third")); err == nil || !strings.Contains(err.Error(), "is not empty (note.txt)") {
		t.Errorf("with something else in it: %v", err)
	}
}

// A copy of the data folder is whole, and goes to an empty place only.
func TestCopyData(t *testing.T) {
	d := newEnv(t)
	d.sell()
	if err := backup.CopyData(t.Context(), d.source(), d.path("copy")); err != nil {
		t.Fatal(err)
	}
	d.has(d.path("copy/book.db"), 1)
	if got := d.names("copy"); !strings.HasSuffix(got, "plan secret visitor.keys") {
		t.Errorf("copied: %s", got)
	}
	if err := backup.CopyData(t.Context(), d.source(), d.path("copy")); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a second copy: %v", err)
	}
}
