package book

import (
	"context"
	"database/sql"
	"sync"
)

// trackingCache is what [Tracking] has read and holds between transactions. Only tracking writes
// customers, and only imports write referrals, so rows stay valid until another process writes.
type trackingCache struct {
	mu          sync.Mutex
	stmts       *trackingStmts
	link        link // of the transaction under way; its buffers are kept
	directory   *Directory
	byEmail     map[string]lookup[Customer]
	byUID       map[string]lookup[Customer]
	referrals   map[string]lookup[Referral]
	dataVersion int64          // SQLite's, when rows were read
	stamp       directoryStamp // when the directory was read

	waiting                   *bool // whether refused events wait for customers; nil: not known
	refusedRows, refusedBytes int64 // bounds of refused events
}

// directoryStamp changes with whatever changes the directory.
type directoryStamp struct {
	imported   int64 // id of the newest import
	rolledBack int64 // how many imports were
	setting    int64 // id of the newest setting
	lowestID   int64 // of promoters: ids of those who join here descend
}

// lookup is the answer to a look-up: a row, or that there is none.
type lookup[T any] struct {
	row T
	ok  bool
}

// maxCached bounds each kind of rows.
const maxCached = 50_000

func (c *trackingCache) clear() {
	c.waiting = nil
	c.byEmail, c.byUID, c.referrals = map[string]lookup[Customer]{}, map[string]lookup[Customer]{}, map[string]lookup[Referral]{}
}

// cached returns the row under a key, reading it when the cache does not have the answer.
func cached[T any](cache map[string]lookup[T], key string, read func() (T, bool, error)) (T, bool, error) {
	if l, ok := cache[key]; ok {
		return l.row, l.ok, nil
	}
	row, ok, err := read()
	if err == nil {
		if len(cache) >= maxCached {
			clear(cache)
		}
		cache[key] = lookup[T]{row, ok}
	}
	return row, ok, err
}

// refresh drops what is no longer valid: rows once another process has written, the directory
// once promoters have changed.
func (c *trackingCache) refresh(tx *sql.Tx) error {
	var version int64
	var now directoryStamp
	if err := tx.Stmt(c.stmts.dataVersion).QueryRow().Scan(&version); err != nil {
		return err
	}
	if err := tx.Stmt(c.stmts.stamp).QueryRow().Scan(&now.imported, &now.rolledBack, &now.setting, &now.lowestID); err != nil {
		return err
	}
	current := c.directory != nil && now == c.stamp
	if current && version == c.dataVersion {
		return nil
	}
	c.clear()
	if !current {
		d, err := readDirectory(context.Background(), tx)
		if err != nil {
			return err
		}
		c.directory = d
	}
	c.dataVersion, c.stamp = version, now
	return nil
}
