package book

import (
	"context"
	"os"
	"strconv"
	"time"
)

// How the log is tended while many events are booked.
const (
	checkpointEvery       = 200 * time.Millisecond
	checkpointPages       = 2_000     // about 8 MB: worth moving into the file
	truncateSize          = 192 << 20 // bytes: the log begins anew, and writers wait for that moment
	idleTruncateSize      = 16 << 20  // bytes: it does so when all of it has moved, and nobody waits long
	writerCheckpointPages = 100_000   // a writer moves by itself only when nobody tends
)

// RunWALCheckpointer moves what writers have logged into the book's file, behind them: a writer that did so
// by itself, as SQLite does, would keep everybody waiting who has an event to book. It blocks
// until ctx ends. One process at a time does it for a book; others do no harm.
func (b *Book) RunWALCheckpointer(ctx context.Context) error {
	db, err := openHandle(b.path, "rw", true)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := b.w.ExecContext(ctx, `PRAGMA wal_autocheckpoint = `+strconv.Itoa(writerCheckpointPages)); err != nil {
		return err
	}
	defer b.w.Exec(`PRAGMA wal_autocheckpoint = 1000`) // SQLite's own
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for before := -1; ; { // frames that the log held the last time
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		info, err := os.Stat(b.path + "-wal")
		if err != nil {
			continue
		}
		var busy, logged, moved int
		if err := db.QueryRow(`PRAGMA wal_checkpoint(NOOP)`).Scan(&busy, &logged, &moved); err == nil && logged-moved < checkpointPages && info.Size() < idleTruncateSize {
			continue
		}
		if err := db.QueryRow(`PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &logged, &moved); err != nil {
			continue // the disk is full, say: writers tell of that
		}
		idle := logged == moved && logged == before
		before = logged
		if info.Size() >= truncateSize || info.Size() >= idleTruncateSize && idle {
			db.QueryRow(`PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &logged, &moved)
		}
	}
}
