package book

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed schema/*.sql
var schemaFS embed.FS

// Errors that callers decide on.
var (
	ErrNoBook    = errors.New("there is no book yet")
	ErrNewerBook = errors.New("the book was written by a newer carryover")
)

// Book is one SQLite file in WAL mode. Writers queue on a single connection; readers
// have their own and never wait for them. It is safe for concurrent use.
type Book struct {
	w, r  *sql.DB
	path  string
	links func() (linkStmts, error) // prepares them once

	tracker trackingCache
	names   nameIndex
}

// Open opens the book at path, creating it and its folder when missing, and brings its
// schema up to date. It fails with [ErrNewerBook] on a book that this binary does not know.
func Open(path string) (*Book, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("the data directory cannot be made: %w; choose another with --data", err)
	}
	// The file holds people's addresses: it is for its owner only. SQLite gives its log the same
	// mode. A file that exists is not opened, because closing it would drop this process's locks.
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
		f.Close() // when it cannot be created, the driver reports why
	}
	return open(path, false)
}

// OpenExisting is [Open] for commands that only read: it fails with [ErrNoBook] when there is no
// book, and creates nothing.
func OpenExisting(path string) (*Book, error) {
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w at %s: run \"carryover plan\" and \"carryover apply\" first, or name its folder with --data", ErrNoBook, path)
		}
		return nil, fmt.Errorf("the book cannot be looked for in the data directory: %w; choose another with --data", err)
	}
	return open(path, true)
}

func open(path string, existing bool) (*Book, error) {
	w, err := openHandle(path, "rw", existing)
	if err != nil {
		return nil, describeOpen(path, err)
	}
	w.SetMaxOpenConns(1)
	if err := applySchemas(w); err != nil {
		w.Close()
		return nil, describeOpen(path, err)
	}
	r, err := openHandle(path, "ro", true)
	if err != nil {
		w.Close()
		return nil, describeOpen(path, err)
	}
	r.SetMaxOpenConns(4)
	b := &Book{w: w, r: r, path: path, links: sync.OnceValues(func() (linkStmts, error) { return prepareLinks(w) })}
	b.BoundRefused(maxRefusedRows, maxRefusedBytes)
	return b, nil
}

func openHandle(path, mode string, existing bool) (*sql.DB, error) {
	if mode == "rw" && !existing {
		mode = "rwc"
	}
	q := url.Values{"mode": {mode}, "_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(10000)", "synchronous(FULL)", "foreign_keys(ON)", "cache_size(-65536)", "temp_store(MEMORY)",
	}}
	if mode != "ro" {
		q.Add("_pragma", "journal_mode(WAL)")
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, err
	}
	// Turning WAL on may collide with another process that creates the book at this moment.
	// SQLite does not wait for it, in spite of busy_timeout.
	for tries := 0; ; tries++ {
		if err = db.Ping(); err == nil {
			return db, nil
		}
		if tries == 100 || !strings.Contains(err.Error(), "SQLITE_BUSY") {
			db.Close()
			return nil, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// describeOpen makes of the driver's error one that says what to do.
func describeOpen(path string, err error) error {
	switch text := err.Error(); {
	case errors.Is(err, ErrNewerBook):
		return fmt.Errorf("%s: %w", path, err)
	case strings.Contains(text, "not a database"):
		return fmt.Errorf("%s is not a carryover book: move the file away or choose another folder with --data", path)
	case strings.Contains(text, "unable to open"), strings.Contains(text, "readonly"), strings.Contains(text, "CANTOPEN"):
		return fmt.Errorf("%s cannot be written: check the folder's owner and that the disk is not full, "+
			"or choose another with --data (%w)", path, err)
	case strings.Contains(text, "disk I/O error"), strings.Contains(text, "disk is full"): // the index of the log has no room
		return fmt.Errorf("%s cannot be opened: its disk is full, or fails; make room there, or choose another with --data (%w)", path, err)
	default:
		return fmt.Errorf("opening the book %s: %w", path, err)
	}
}

// Close closes the book. Committed transactions are safe without it.
func (b *Book) Close() error { return errors.Join(b.r.Close(), b.w.Close()) }

// Path is where the book's file is.
func (b *Book) Path() string { return b.path }

// applySchemas applies the schema files that the book does not have yet, each in a transaction
// of its own.
func applySchemas(db *sql.DB) error {
	files, err := fs.Glob(schemaFS, "schema/*.sql")
	if err != nil {
		return err
	}
	slices.Sort(files)
	applied, err := appliedSchemas(db)
	if err != nil {
		return err
	}
	for name := range applied {
		if !slices.Contains(files, "schema/"+name) {
			return fmt.Errorf("%w (it has %s): install the newer binary, or choose another folder with --data", ErrNewerBook, name)
		}
	}
	for _, file := range files {
		name := filepath.Base(file)
		if applied[name] {
			continue
		}
		text, err := schemaFS.ReadFile(file)
		if err != nil {
			return err
		}
		if err := applySchema(db, name, string(text)); err != nil {
			return fmt.Errorf("schema %s: %w", name, err)
		}
	}
	return nil
}

func appliedSchemas(db *sql.DB) (map[string]bool, error) {
	applied := map[string]bool{}
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM sqlite_master WHERE name = 'book_schema'`).Scan(&n); err != nil {
		return nil, err
	}
	if n == 0 {
		return applied, nil
	}
	rows, err := db.Query(`SELECT name FROM book_schema`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		applied[name] = true
	}
	return applied, rows.Err()
}

func applySchema(db *sql.DB, name, text string) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec(`CREATE TABLE IF NOT EXISTS book_schema (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT`); err != nil {
		return err
	}
	// Another process may apply the file at the same time: the insert decides.
	done, err := tx.Exec(`INSERT INTO book_schema (name, applied_at) VALUES (?, unixepoch()) ON CONFLICT DO NOTHING`, name)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if _, err := tx.Exec(text); err != nil {
		return err
	}
	return tx.Commit()
}

// update runs fn in a write transaction that writes no sealed table; see [Book.write].
func (b *Book) update(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := b.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// view runs fn in a read transaction, in which all reads are of one moment.
func (b *Book) view(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := b.r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return fn(tx)
}
