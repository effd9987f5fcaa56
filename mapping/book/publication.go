package book

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Values of [MapHome.Store].
const (
	StoreBook  = "book"
	StoreRedis = "redis"
)

// MapHome is the one place where the link map of a book is published.
type MapHome struct {
	Store   string // StoreBook or StoreRedis; empty: nothing was published yet
	Address string // of the Redis: host:port/database, or unix:/path/database; never a user or a password
	Program string // that the keys in Redis carry
}

// Publication is how the published map stands to the book.
type Publication struct {
	MapHome
	ChosenAt     time.Time // since when the map is published there; zero: never
	Epoch        int64     // published last; 0: none
	Checksum     string    // of Epoch
	Changes      int64     // how often something was changed that the map is made of
	Published    int64     // Changes that the map has which was published last
	UndoneImport int64     // a rollback that ended before it was told that the map is published; 0: none
}

// IsBehind reports whether the book holds changes that were not published.
func (p *Publication) IsBehind() bool { return p.Published < p.Changes }

// ErrMapElsewhere says that the link map of the book is published in another place.
var ErrMapElsewhere = errors.New("the link map of this book is published elsewhere")

// Publication says where the link map is published, and how far it is behind the book.
func (b *Book) Publication(ctx context.Context) (Publication, error) {
	return scanPublication(b.r.QueryRowContext(ctx, selectPublication))
}

const selectPublication = `SELECT store, address, program, chosen_at, epoch, checksum, changes, published, undone_import FROM publication`

func scanPublication(row interface{ Scan(...any) error }) (p Publication, err error) {
	var chosen int64
	err = row.Scan(&p.Store, &p.Address, &p.Program, &chosen, &p.Epoch, &p.Checksum, &p.Changes, &p.Published, &p.UndoneImport)
	if chosen != 0 {
		p.ChosenAt = time.Unix(chosen, 0).UTC()
	}
	return p, err
}

// ChooseMapHome notes where the map is about to be published: before it is, so that whoever is
// stopped in between is not followed by a publication elsewhere. It fails with
// [ErrMapElsewhere] when another place was chosen before, unless move is set.
func (b *Book) ChooseMapHome(ctx context.Context, home MapHome, move bool, now time.Time) error {
	return b.update(ctx, func(tx *sql.Tx) error {
		p, err := scanPublication(tx.QueryRowContext(ctx, selectPublication))
		switch {
		case err != nil:
			return err
		case p.MapHome == home:
			return nil
		case p.Store != "" && !move:
			return ErrMapElsewhere
		}
		// What was published there last is not known in the new place.
		_, err = tx.ExecContext(ctx, `UPDATE publication SET store = ?, address = ?, program = ?, chosen_at = ?, epoch = 0, checksum = ''`,
			home.Store, home.Address, home.Program, now.Unix())
		return err
	})
}

// MapPublished notes which epoch was published last.
func (b *Book) MapPublished(ctx context.Context, epoch int64, checksum string) error {
	_, err := b.w.ExecContext(ctx, `UPDATE publication SET epoch = ?1, checksum = ?2 WHERE epoch != ?1 OR checksum != ?2`, epoch, checksum)
	return err
}

// MapCurrent notes that a map was published which has this many [Publication.Changes].
func (b *Book) MapCurrent(ctx context.Context, changes int64) error {
	_, err := b.w.ExecContext(ctx, `UPDATE publication SET published = ?1 WHERE published < ?1`, changes)
	return err
}

// RollbackTold notes that the map was published since the rollback of an import, and that whoever
// asked for it was told. The log is emptied before, so that closing the book, which is all that is
// left to do then, takes no time in which a process may be killed.
func (b *Book) RollbackTold(ctx context.Context, id int64) error {
	if _, err := b.w.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return err
	}
	_, err := b.w.ExecContext(ctx, `UPDATE publication SET undone_import = 0 WHERE undone_import = ?`, id)
	return err
}

// markMapChanged notes in a transaction that it changes what the map is made of.
func markMapChanged(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE publication SET changes = changes + 1`)
	return err
}
