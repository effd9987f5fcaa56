package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"modernc.org/sqlite"
)

// copyPages is how many pages are copied between two looks at the context: 4 MB.
const copyPages = 1000

// CopyDatabase copies the SQLite database at from to a new file at to, as it is at one moment,
// while others write to it and none of them waits: SQLite's online backup of a read
// transaction. What was committed before the call is in the copy, also what is in the
// write-ahead log still. The copy is one file without a log, and its structure has been checked;
// it is on disk when CopyDatabase returns. After an error there is no copy.
func CopyDatabase(ctx context.Context, from, to string) (err error) {
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // SQLite's own mode is 0644
	if err != nil {
		return err
	}
	f.Close()
	defer func() {
		if err != nil {
			os.Remove(to)
			os.Remove(to + "-journal")
			err = fmt.Errorf("copying %s: %w", from, ended(ctx, err))
		}
	}()
	if err := copyDatabase(ctx, from, to); err != nil {
		return err
	}
	return checkCopy(ctx, to)
}

func databaseURL(path string, options url.Values) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + options.Encode()
}

func copyDatabase(ctx context.Context, from, to string) error {
	db, err := sql.Open("sqlite", databaseURL(from, url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(10000)"}}))
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// The transaction begins with its first read. Without it a commit of another process, between
	// two steps, would have the copy begin anew, for ever where much is written.
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	var tables int
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		return err
	}
	return conn.Raw(func(driver any) error {
		source, ok := driver.(interface {
			NewBackup(string) (*sqlite.Backup, error)
		})
		if !ok {
			return errors.New("the driver of SQLite makes no backups")
		}
		b, err := source.NewBackup(databaseURL(to, url.Values{"_pragma": {"synchronous(OFF)"}}))
		if err != nil {
			return err
		}
		for more := true; more && err == nil; {
			if more, err = b.Step(copyPages); err == nil {
				err = ctx.Err()
			}
		}
		if end := b.Finish(); err == nil { // of an error it says nothing new
			err = end
		}
		return err
	})
}

// checkCopy makes a whole file of a copy, and fails when it is damaged: the original is, then.
func checkCopy(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", databaseURL(path, url.Values{"mode": {"rw"}, "_pragma": {"synchronous(FULL)"}}))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var mode, found string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode = DELETE").Scan(&mode); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("the database is damaged: %s", found)
	}
	if err := db.Close(); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// DatabaseSchemas lists the schema files that were applied to the book at path. It changes
// nothing, and fails for what is no book.
func DatabaseSchemas(ctx context.Context, path string) ([]string, error) {
	db, err := sql.Open("sqlite", databaseURL(path, url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(10000)"}}))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	applied, err := appliedSchemas(db)
	if err != nil {
		return nil, describeOpen(path, err)
	}
	if len(applied) == 0 {
		return nil, fmt.Errorf("%s is not a carryover book", path)
	}
	names := make([]string, 0, len(applied))
	for name := range applied {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// CheckSchemas fails with [ErrNewerBook] when one of the schema files is not known here.
func CheckSchemas(names []string) error {
	for _, name := range names {
		if _, err := fs.Stat(schemaFS, "schema/"+filepath.Base(name)); err != nil {
			return fmt.Errorf("%w (it has %s)", ErrNewerBook, name)
		}
	}
	return nil
}
