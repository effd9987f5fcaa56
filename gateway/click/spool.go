package click

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite" // and the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Values of durability.
const (
	DurabilityNormal = "normal" // an answered click survives kill -9
	DurabilityFull   = "full"   // ... and a power cut: an fsync for each group of clicks
)

// spoolSchema has the clicks that were answered and are on their way. AUTOINCREMENT, because the
// number of a click that has left must not be given again.
const spoolSchema = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS click (seq INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS unreadable (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;`

// spool is the writing side of the file of clicks that were answered and not yet
// delivered. For one goroutine.
type spool struct {
	db   *sql.DB
	conn *sql.Conn
	node string

	rehearsed bool // it was for rehearsals until it was opened, and is no longer

	begin, commit, rollback *sql.Stmt
	args                    []any
	inserts                 [maxInsert + 1]*sql.Stmt // by number of rows, prepared when first needed
}

// maxInsert is the most clicks that one statement stores. A statement is a transaction by
// itself, and for many rows costs a fraction of one for each.
const maxInsert = 128

// spoolURL names the file at path for the driver. A writer waits at most wait for another
// process that is deleting what it has delivered.
func spoolURL(path, mode, durability string, wait time.Duration) string {
	q := url.Values{"mode": {mode}, "_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(" + strconv.FormatInt(wait.Milliseconds(), 10) + ")",
		"journal_mode(WAL)", "synchronous(" + durability + ")", "journal_size_limit(16777216)", "wal_autocheckpoint(4000)",
	}}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// openSpool opens the file at path, making it when missing. node names this gateway when
// the file is new; empty: host name and a random part. rehearsal says that clicks will not bear
// the real time.
func openSpool(path, node, durability string, now time.Time, rehearsal bool) (*spool, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	// It holds what visitors did: for its owner only. SQLite gives its log the same mode.
	// Never opened when it is there: closing it would drop the locks of this process.
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
		f.Close() // when it cannot be made, the driver says why
	}
	db, err := sql.Open("sqlite", spoolURL(path, "rwc", durability, 1500*time.Millisecond))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	s := &spool{db: db}
	if err := s.setUp(node, now, rehearsal); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *spool) setUp(node string, now time.Time, rehearsal bool) (err error) {
	ctx := context.Background()
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return err
	}
	if _, err = s.conn.ExecContext(ctx, spoolSchema); err != nil {
		return err
	}
	if err = s.prepare(ctx); err != nil {
		return err
	}
	if s.node, err = s.assignNode(ctx, node, now); err != nil {
		return err
	}
	s.rehearsed, err = s.noteClock(ctx, rehearsal)
	return err
}

func (s *spool) prepare(ctx context.Context) error {
	var errs []error
	stmt := func(text string) *sql.Stmt {
		st, err := s.conn.PrepareContext(ctx, text)
		errs = append(errs, err)
		return st
	}
	s.begin, s.commit, s.rollback = stmt("BEGIN IMMEDIATE"), stmt("COMMIT"), stmt("ROLLBACK")
	return errors.Join(errs...)
}

// assignNode returns the node that the file belongs to; a new file is given to node. Whenever a
// file is opened its numbers go on with the time (microseconds) at least, so that no node uses a
// number twice: not when its file was lost, nor when it is an older one that was restored, nor
// when a copy of it serves elsewhere. There are far fewer clicks than microseconds.
func (s *spool) assignNode(ctx context.Context, node string, now time.Time) (string, error) {
	var kept string
	err := s.conn.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = 'node'").Scan(&kept)
	if err == nil {
		_, err = s.conn.ExecContext(ctx, "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'click' AND seq < ?1", now.UnixMicro())
		return kept, err
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return kept, err
	}
	if node == "" {
		host, _ := os.Hostname()
		node = fmt.Sprintf("%.24s-%x", cleanNode(host), randomBytes(3))
	}
	return node, s.transact(func() error {
		if _, err := s.conn.ExecContext(ctx, "INSERT INTO meta (key, value) VALUES ('node', ?)", node); err != nil {
			return err
		}
		_, err := s.conn.ExecContext(ctx, "INSERT INTO sqlite_sequence (name, seq) VALUES ('click', ?)", now.UnixMicro())
		return err
	})
}

func cleanNode(host string) string {
	host = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, host)
	if host == "" {
		return "gateway"
	}
	return host
}

// insertAll stores bodies in their order in one transaction, numbered from first on.
func (s *spool) insertAll(bodies [][]byte) (first int64, err error) {
	if len(bodies) <= maxInsert {
		return s.insertRows(bodies)
	}
	err = s.transact(func() error {
		for len(bodies) > 0 {
			some := bodies[:min(len(bodies), maxInsert)]
			bodies = bodies[len(some):]
			seq, err := s.insertRows(some)
			if err != nil {
				return err
			}
			if first == 0 {
				first = seq
			}
		}
		return nil
	})
	return first, err
}

func (s *spool) insertRows(bodies [][]byte) (first int64, err error) {
	n := len(bodies)
	if s.inserts[n] == nil {
		text := "INSERT INTO click (body) VALUES (?)" + strings.Repeat(", (?)", n-1)
		if s.inserts[n], err = s.conn.PrepareContext(context.Background(), text); err != nil {
			return 0, err
		}
	}
	s.args = s.args[:0]
	for _, b := range bodies {
		s.args = append(s.args, b)
	}
	res, err := s.inserts[n].Exec(s.args...)
	if err != nil {
		return 0, err
	}
	last, err := res.LastInsertId()
	return last - int64(n) + 1, err
}

// probe does what storing a click does and leaves nothing behind.
func (s *spool) probe() error {
	return s.transact(func() error {
		ctx := context.Background()
		if _, err := s.conn.ExecContext(ctx, "INSERT INTO unreadable (seq, body) VALUES (-1, zeroblob(8192))"); err != nil {
			return err
		}
		_, err := s.conn.ExecContext(ctx, "DELETE FROM unreadable WHERE seq = -1")
		return err
	})
}

func (s *spool) transact(fn func() error) error {
	if _, err := s.begin.Exec(); err != nil {
		return err
	}
	err := fn()
	if err == nil {
		_, err = s.commit.Exec()
	}
	if err != nil {
		s.rollback.Exec() // fails when SQLite has rolled back already
	}
	return err
}

func (s *spool) close() {
	if s.conn != nil {
		s.conn.Close()
	}
	s.db.Close()
}

// isDamaged reports whether err means that the file is no longer a database.
func isDamaged(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	code := e.Code() & 0xff
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}

// setAside renames a damaged file and its journals, for a person to look at.
func setAside(path string, now time.Time) (string, error) {
	aside := path + ".damaged-" + now.UTC().Format("20060102T150405.000000")
	if err := os.Rename(path, aside); err != nil {
		return "", err
	}
	os.Rename(path+"-wal", aside+"-wal")
	os.Rename(path+"-shm", aside+"-shm")
	return aside, nil
}
