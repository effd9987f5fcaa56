package book

import (
	"context"
	"os"
	"strconv"
	"time"
)

// When the log is checkpointed while many events are booked.
const (
	checkpointEvery       = 200 * time.Millisecond
	checkpointPages       = 2_000           // about 8 MB: enough for a checkpoint
	checkpointWithin      = 5 * time.Second // whatever is in the log: what copies the file alone lacks no more than that
	truncateSize          = 192 << 20       // bytes: truncate the log, for which writers must wait
	idleTruncateSize      = 16 << 20        // bytes: truncate it when all is checkpointed, so that the wait is short
	writerCheckpointPages = 100_000         // writers checkpoint by themselves only when the checkpointer fails
)

// RunWALCheckpointer moves the write-ahead log into the book's file in the background, until ctx
// ends. Otherwise, as is SQLite's way, a writer would do it, and everybody with an event to book
// would wait for it. One process is enough for a book; more do no harm.
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
	whole := time.Now()   // when the file last had all that is in the log
	for before := -1; ; { // frames in the log at the last tick
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
		err = db.QueryRow(`PRAGMA wal_checkpoint(NOOP)`).Scan(&busy, &logged, &moved)
		if err == nil && logged <= moved {
			whole = time.Now()
		}
		if err == nil && logged-moved < checkpointPages && info.Size() < idleTruncateSize && time.Since(whole) < checkpointWithin {
			continue
		}
		if err := db.QueryRow(`PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &logged, &moved); err != nil {
			continue // the disk may be full: writers report it
		}
		if logged == moved {
			whole = time.Now()
		}
		idle := logged == moved && logged == before
		before = logged
		if info.Size() >= truncateSize || info.Size() >= idleTruncateSize && idle {
			db.QueryRow(`PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &logged, &moved)
		}
	}
}
