package backup

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"time"

	"carryover/mapping/book"
)

// format is the number of the archive's form, which older programs refuse when it is higher
// than theirs.
const format = 1

// Names of an archive's entries: a gzipped tar of regular files, in this order.
const (
	headName   = "carryover-backup.json" // Head
	configName = "config/carryover.toml"
	dataPrefix = "data/" // files of the data folder, by their path in it
	bookName   = "book.db"
	sumsName   = "SHA256SUMS" // of all others, as "sha256sum -c" reads it
)

// Head is what an archive says of itself.
type Head struct {
	Format     int       `json:"format"`
	Carryover  string    `json:"carryover"` // version of the program that wrote it
	Program    string    `json:"program"`
	SavedAt    time.Time `json:"saved_at"`    // what was answered before this moment is in it
	ConfigHash string    `json:"config_hash"` // of what a plan depends on
	HasBook    bool      `json:"has_book"`    // false: of a gateway without a book
	Schemas    []string  `json:"schemas,omitempty"`
	Variables  []string  `json:"variables,omitempty"` // of the environment that hold secrets: their values are not saved
	LeftOut    []string  `json:"left_out,omitempty"`  // what lies in the data folder and is not saved, with the reason
}

// Errors that callers decide on.
var (
	ErrNoBackup = errors.New("this is no backup that carryover wrote")
	ErrDamaged  = errors.New("the backup is damaged")
	ErrNewer    = errors.New("the backup was written by a newer carryover")
)

// check fails for an archive that this program does not understand.
func (h *Head) check() error {
	if h.Format < 1 {
		return ErrNoBackup
	}
	err := book.CheckSchemas(h.Schemas)
	if h.Format > format || err != nil {
		return fmt.Errorf("%w, %s: install that version or a later one", ErrNewer, h.Carryover)
	}
	return nil
}

// Entry is a file of an archive.
type Entry struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// checkName refuses names that would leave the folder that is restored, or mean something
// beside a file of it.
func checkName(name string) error {
	switch name {
	case headName, configName, bookName, sumsName:
		return nil
	}
	rest, ok := strings.CutPrefix(name, dataPrefix)
	if !ok || !filepath.IsLocal(rest) || path.Clean(rest) != rest || rest == "." || strings.ContainsAny(rest, "\\\x00\n\r") || isTransient(rest) {
		return fmt.Errorf("%w: it holds %q, which no backup does", ErrDamaged, name)
	}
	return nil
}

// isTransient reports whether a path in the data folder is of something under way: SQLite's own
// files, and what is renamed when it is whole.
func isTransient(rel string) bool {
	for part := range strings.SplitSeq(filepath.ToSlash(rel), "/") {
		for _, suffix := range []string{".db-wal", ".db-shm", ".db-journal", ".tmp"} {
			if strings.HasSuffix(part, suffix) {
				return true
			}
		}
		for _, prefix := range []string{".writing-", ".visitor-", restoringName, restoredPrefix, stagingPrefix} {
			if strings.HasPrefix(part, prefix) {
				return true
			}
		}
	}
	return false
}
