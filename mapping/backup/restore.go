package backup

import (
	"archive/tar"
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
	"slices"
	"strings"
	"syscall"

	"carryover/mapping/book"
)

// A restore works in this folder of the data folder. As long as it is there the data folder is
// no program's: every command refuses it, and another restore begins anew.
const (
	restoringName  = ".restoring"
	restoredPrefix = ".restored-" // of the same folder when all is in place
)

// Target is where an archive is restored to.
type Target struct {
	Data   string // made when missing, or empty
	Book   string // path of the book, in Data or elsewhere; nothing is there
	Config string // path of the configuration: written when there is none
}

// Restored is what a restore did.
type Restored struct {
	Files  []Entry `json:"files"`
	Config string  `json:"config"` // one of the Config constants
}

// Values of [Restored.Config].
const (
	ConfigWritten = "written" // there was none
	ConfigSame    = "same"    // it was there, byte by byte as it was saved
	ConfigKept    = "kept"    // another one was there, and was left alone
)

// CheckData fails when a restore into the data folder was interrupted. What one that was killed at
// its very end has left there, it takes away.
func CheckData(data string) error {
	list, _ := os.ReadDir(data) // one that cannot be read is for whoever needs it to tell
	for _, e := range list {
		if strings.HasPrefix(e.Name(), restoredPrefix) {
			os.RemoveAll(filepath.Join(data, e.Name()))
		}
	}
	if _, err := os.Lstat(filepath.Join(data, restoringName)); err != nil {
		return nil
	}
	return fmt.Errorf("a restore into %s is under way or was interrupted: run \"carryover restore FILE\" again, which begins anew", data)
}

// Config is the configuration that was saved.
func (a *Archive) Config(ctx context.Context) (text []byte, err error) {
	err = a.each(ctx, func(h *tar.Header, r io.Reader) error {
		if h.Name == configName {
			text, err = io.ReadAll(r)
			return err
		}
		return nil
	})
	return text, err
}

// Restore puts everything in its place, or nothing. It refuses a data folder that is not empty.
// Killed at any moment it leaves a folder that is empty, complete, or refused by [CheckData],
// and the next restore begins anew.
func (a *Archive) Restore(ctx context.Context, t Target) (*Restored, error) {
	r := &restore{archive: a, Target: t, work: filepath.Join(t.Data, restoringName)}
	done, err := r.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w; nothing was restored", err)
	}
	return done, nil
}

// restore is one under way.
type restore struct {
	Target
	archive *Archive
	work    string   // restoringName in the data folder
	made    bool     // the data folder was made
	lock    *os.File // on work
}

func (r *restore) run(ctx context.Context) (done *Restored, err error) {
	if err := r.begin(); err != nil {
		return nil, err
	}
	defer r.lock.Close()
	defer func() {
		if err != nil {
			err = errors.Join(err, r.undo())
		}
	}()
	if err := r.extract(ctx); err != nil {
		return nil, err
	}
	if err := r.place(); err != nil {
		return nil, err
	}
	done = &Restored{Files: r.archive.Entries}
	if done.Config, err = r.placeConfig(); err != nil {
		return nil, err
	}
	return done, r.finish()
}

// begin makes sure that nothing is there, and that nobody else restores here.
func (r *restore) begin() error {
	info, err := os.Stat(r.Data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(r.Data, 0o700); err != nil {
			return fmt.Errorf("the data folder cannot be made: %w", err)
		}
		r.made = true
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no folder: choose another with --data", r.Data)
	}
	interrupted := false
	if err := os.Mkdir(r.work, 0o700); errors.Is(err, fs.ErrExist) {
		interrupted = true
	} else if err != nil {
		return fmt.Errorf("the data folder cannot be written: %w", err)
	}
	fail := func(err error) error {
		if !interrupted {
			os.Remove(r.work)
		}
		if r.made {
			os.Remove(r.Data)
		}
		return err
	}
	if r.lock, err = os.Open(r.work); err != nil {
		return fail(err)
	}
	if err := syscall.Flock(int(r.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		r.lock.Close()
		return fmt.Errorf("another restore into %s is under way", r.Data)
	}
	if interrupted {
		if err := r.removePlaced(); err != nil {
			return err
		}
	}
	if err := r.checkEmpty(); err != nil {
		r.lock.Close()
		return fail(err)
	}
	return nil
}

// checkEmpty refuses what holds a program already, or anything else.
func (r *restore) checkEmpty() error {
	list, err := os.ReadDir(r.Data)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range list {
		if e.Name() != restoringName && e.Name() != "lost+found" { // of the root of a file system
			names = append(names, e.Name())
		}
	}
	for _, path := range []string{r.Book, filepath.Join(r.Data, bookName), filepath.Join(r.Data, "clicks.db")} {
		if pid := book.OpenBy(path); pid != 0 {
			return fmt.Errorf("%s is in use: process %d has %s open; restore into an empty folder, with --data", r.Data, pid, path)
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("%s is not empty (%s): a restore never writes over a program; move the folder away, or choose another with --data",
			r.Data, few(names))
	}
	if _, err := os.Lstat(r.Book); err == nil && r.archive.Head.HasBook {
		return fmt.Errorf("%s is there already ([book] dsn): a restore never writes over a book; move it away", r.Book)
	}
	return nil
}

func few(names []string) string {
	const shown = 4
	if more := len(names) - shown; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), more)
	}
	return strings.Join(names, ", ")
}

// bookOutside reports whether the book's place is not in the data folder.
func (r *restore) bookOutside() bool {
	return filepath.Clean(r.Book) != filepath.Join(r.Data, bookName)
}

// staged is where a file of the archive is made, and empty for those that have no place.
func (r *restore) staged(name string) string {
	rest, inData := strings.CutPrefix(name, dataPrefix)
	switch {
	case inData:
		return filepath.Join(r.work, "new", filepath.FromSlash(rest))
	case name == bookName && r.bookOutside():
		return r.Book + restoringName // beside its place: it may be on another disk
	case name == bookName:
		return filepath.Join(r.work, "new", bookName)
	case name == configName:
		return filepath.Join(r.work, "carryover.toml")
	}
	return ""
}

// extract writes all files beside their places, and compares them once more with the sums: the
// archive may have changed since it was verified.
func (r *restore) extract(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Join(r.work, "new"), 0o700); err != nil {
		return err
	}
	owner := ownerOf(r.Data)
	return r.archive.each(ctx, func(h *tar.Header, body io.Reader) error {
		path := r.staged(h.Name)
		if path == "" {
			return nil
		}
		want := slices.IndexFunc(r.archive.Entries, func(e Entry) bool { return e.Name == h.Name })
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		sum := sha256.New()
		_, err = io.Copy(io.MultiWriter(f, sum), body)
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
		if want < 0 || hex.EncodeToString(sum.Sum(nil)) != r.archive.Entries[want].SHA256 {
			return fmt.Errorf("%s was changed while it was restored", r.archive.path)
		}
		return owner.give(path, r.work)
	})
}

// placing is what a restore is about to put in its places: what an interrupted one may have put
// there, and the next one takes away.
type placing struct {
	Data []string `json:"data"` // names in the data folder
	Book string   `json:"book"` // path outside of it; empty: none
}

// place moves everything to its place.
func (r *restore) place() error {
	list, err := os.ReadDir(filepath.Join(r.work, "new"))
	if err != nil {
		return err
	}
	var p placing
	for _, e := range list {
		p.Data = append(p.Data, e.Name())
	}
	if r.bookOutside() && r.archive.Head.HasBook {
		if p.Book, err = filepath.Abs(r.Book); err != nil {
			return err
		}
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := writeSynced(filepath.Join(r.work, "placing"), text); err != nil {
		return err
	}
	if err := syncFolder(r.work); err != nil {
		return err
	}
	if p.Book != "" {
		if err := moveNew(r.staged(bookName), r.Book); err != nil {
			return err
		}
		if err := syncFolder(filepath.Dir(r.Book)); err != nil {
			return err
		}
	}
	for _, name := range p.Data {
		if err := moveNew(filepath.Join(r.work, "new", name), filepath.Join(r.Data, name)); err != nil {
			return err
		}
	}
	return syncFolder(r.Data)
}

// moveNew renames, and never over something.
func moveNew(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s appeared while it was restored", to)
	}
	return os.Rename(from, to)
}

func writeSynced(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// placeConfig writes the configuration where there is none.
func (r *restore) placeConfig() (string, error) {
	saved, err := os.ReadFile(filepath.Join(r.work, "carryover.toml"))
	if err != nil {
		return "", err
	}
	there, err := os.ReadFile(r.Config)
	switch {
	case err == nil && string(there) == string(saved):
		return ConfigSame, nil
	case err == nil:
		return ConfigKept, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	beside := r.Config + restoringName
	if err := writeSynced(beside, saved); err != nil {
		return "", err
	}
	if err := os.Rename(beside, r.Config); err != nil {
		return "", err
	}
	return ConfigWritten, syncFolder(filepath.Dir(r.Config))
}

// finish ends the restore in one step: the folder is the program's from then on.
func (r *restore) finish() error {
	after := filepath.Join(r.Data, fmt.Sprint(restoredPrefix, os.Getpid()))
	if err := os.Rename(r.work, after); err != nil {
		return err
	}
	err := syncFolder(r.Data)
	os.RemoveAll(after)
	return err
}

// undo takes away what a restore that failed has made.
func (r *restore) undo() error {
	if err := r.removePlaced(); err != nil {
		return err
	}
	if err := os.RemoveAll(r.work); err != nil {
		return err
	}
	if r.made {
		os.Remove(r.Data)
	}
	return nil
}

// removePlaced takes away what an earlier restore, or this one, has put in its places: of what
// was to be moved, whatever is no longer where it was made.
func (r *restore) removePlaced() error {
	var p placing
	text, err := os.ReadFile(filepath.Join(r.work, "placing"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if json.Unmarshal(text, &p) != nil {
		p = placing{} // it was not written to its end, and nothing was moved
	}
	moved := func(from string) bool { _, err := os.Lstat(from); return errors.Is(err, fs.ErrNotExist) }
	for _, name := range p.Data {
		if filepath.Base(name) == name && moved(filepath.Join(r.work, "new", name)) {
			if err := os.RemoveAll(filepath.Join(r.Data, name)); err != nil {
				return err
			}
		}
	}
	if p.Book != "" {
		if moved(p.Book + restoringName) {
			err = os.Remove(p.Book)
		} else {
			err = os.Remove(p.Book + restoringName)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	} else if r.bookOutside() {
		os.Remove(r.Book + restoringName)
	}
	for _, name := range []string{"placing", "new", "carryover.toml"} { // in this order: killed in between, nothing counts as moved
		if err := os.RemoveAll(filepath.Join(r.work, name)); err != nil {
			return err
		}
	}
	return nil
}

// owner is whom restored files are given to: root restores, and the gateway runs as another.
type owner struct{ uid, gid int }

func ownerOf(dir string) owner {
	info, err := os.Stat(dir)
	if err == nil && os.Geteuid() == 0 {
		if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 {
			return owner{int(st.Uid), int(st.Gid)}
		}
	}
	return owner{}
}

// give hands over a file and the folders between it and the one below which it lies.
func (o owner) give(path, below string) error {
	if o.uid == 0 {
		return nil
	}
	for ; path != below && len(path) > len(below); path = filepath.Dir(path) {
		if err := os.Lchown(path, o.uid, o.gid); err != nil {
			return err
		}
		if !strings.HasPrefix(path, below) { // a book elsewhere
			return nil
		}
	}
	return nil
}
