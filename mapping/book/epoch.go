package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"carryover/mapping"
)

// ErrNoEpoch says that the book has no such version of the link map.
var ErrNoEpoch = errors.New("no such epoch in the book")

// MapEpoch is one published version of the link map without its entries.
type MapEpoch struct {
	ID                          int64
	PublishedAt                 time.Time // whole seconds, UTC
	PlanID                      string
	Checksum                    string
	Policy                      string // JSON
	Links, Partners, IDs, Paths int
	Live                        bool
}

const mapEpochColumns = `epoch, published_at, plan_id, checksum, policy, links, partners, ids, paths, live`

// PublishMap stores e and its entries, sorted as by [mapping.SortEntries], under the
// next number, makes it live and deletes all but the newest keep epochs and the live one, in one
// transaction, so that readers, and a book after a crash, have the old map or the new one. When
// the live epoch has the same content already, it is returned and changed is false. Other
// writers wait meanwhile, some seconds for a million entries. wrote is called now and then with
// the number of entries written.
func (b *Book) PublishMap(
	ctx context.Context, e MapEpoch, entries []mapping.Entry, keep int, wrote func(n int),
) (now MapEpoch, changed bool, err error) {
	err = b.update(ctx, func(tx *sql.Tx) error {
		live, err := scanMapEpoch(tx.QueryRow(`SELECT ` + mapEpochColumns + ` FROM map_epoch WHERE live = 1`))
		if err != nil && !errors.Is(err, ErrNoEpoch) {
			return err
		}
		if err == nil && live.Checksum == e.Checksum {
			same, err := hasEntries(ctx, tx, live.ID, entries)
			if err != nil {
				return err
			}
			if same {
				now = live
				return nil
			}
		}
		now, changed = e, true
		return insertMap(ctx, tx, &now, entries, keep, wrote)
	})
	if err != nil {
		return MapEpoch{}, false, fmt.Errorf("publishing the map in the book: %w", ended(ctx, err))
	}
	return now, changed, nil
}

func insertMap(ctx context.Context, tx *sql.Tx, e *MapEpoch, entries []mapping.Entry, keep int, wrote func(n int)) error {
	if err := tx.QueryRow(`SELECT coalesce(max(epoch), 0) + 1 FROM map_epoch`).Scan(&e.ID); err != nil {
		return err
	}
	// Without a context of its own: the driver would start a goroutine for every row.
	insert, err := tx.Prepare(`INSERT INTO map_entry (epoch, kind, key, value) VALUES (?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for i, en := range entries {
		if i%1000 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			wrote(i)
		}
		if _, err := insert.Exec(e.ID, int(en.Kind), en.Key, en.Value); err != nil {
			return fmt.Errorf("%s %q: %w", en.Kind, en.Key, err)
		}
	}
	wrote(len(entries))
	if _, err := tx.Exec(`UPDATE map_epoch SET live = 0 WHERE live = 1`); err != nil {
		return err
	}
	e.Live = true
	if _, err := tx.Exec(`INSERT INTO map_epoch (`+mapEpochColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`,
		e.ID, e.PublishedAt.Unix(), e.PlanID, e.Checksum, e.Policy, e.Links, e.Partners, e.IDs, e.Paths); err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM map_epoch WHERE live = 0 AND epoch NOT IN
		(SELECT epoch FROM map_epoch ORDER BY epoch DESC LIMIT ?)`, keep); err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM map_entry WHERE epoch NOT IN (SELECT epoch FROM map_epoch)`)
	return err
}

// ActivateMap makes an epoch live again.
func (b *Book) ActivateMap(ctx context.Context, id int64) (e MapEpoch, err error) {
	err = b.update(ctx, func(tx *sql.Tx) error {
		if e, err = scanMapEpoch(tx.QueryRow(`SELECT `+mapEpochColumns+` FROM map_epoch WHERE epoch = ?`, id)); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE map_epoch SET live = 0 WHERE live = 1`); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE map_epoch SET live = 1 WHERE epoch = ?`, id)
		return err
	})
	if err != nil {
		return MapEpoch{}, fmt.Errorf("activating epoch %d in the book: %w", id, ended(ctx, err))
	}
	e.Live = true
	return e, nil
}

// MapEpochs lists the epochs, the newest first.
func (b *Book) MapEpochs(ctx context.Context) ([]MapEpoch, error) {
	rows, err := b.r.QueryContext(ctx, `SELECT `+mapEpochColumns+` FROM map_epoch ORDER BY epoch DESC`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []MapEpoch
	for rows.Next() {
		e, err := scanMapEpoch(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// LiveMapEpoch returns the live epoch, or [ErrNoEpoch] when no map was published.
func (b *Book) LiveMapEpoch(ctx context.Context) (MapEpoch, error) {
	return scanMapEpoch(b.r.QueryRowContext(ctx, `SELECT `+mapEpochColumns+` FROM map_epoch WHERE live = 1`))
}

// ReadMap returns an epoch and its entries in the order of [mapping.SortEntries]; id 0
// means the live one. All is of one moment, whatever is published meanwhile.
func (b *Book) ReadMap(ctx context.Context, id int64) (MapEpoch, []mapping.Entry, error) {
	tx, err := b.r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return MapEpoch{}, nil, fmt.Errorf("reading the map from the book: %w", err)
	}
	defer tx.Rollback()
	e, err := scanMapEpoch(tx.QueryRow(`SELECT `+mapEpochColumns+` FROM map_epoch WHERE epoch = ?1 OR (?1 = 0 AND live = 1)`, id))
	if err != nil {
		return MapEpoch{}, nil, err
	}
	entries := make([]mapping.Entry, 0, min(max(0, e.Links+e.Partners+e.IDs+e.Paths), 1<<20))
	if err := eachMapEntry(ctx, tx, e.ID, func(en mapping.Entry) error {
		entries = append(entries, en)
		return nil
	}); err != nil {
		return MapEpoch{}, nil, fmt.Errorf("reading epoch %d from the book: %w", e.ID, ended(ctx, err))
	}
	return e, entries, nil
}

// errDiffers ends a comparison early.
var errDiffers = errors.New("differs")

// hasEntries reports whether the epoch has exactly these entries.
func hasEntries(ctx context.Context, tx *sql.Tx, id int64, entries []mapping.Entry) (bool, error) {
	rest := entries
	err := eachMapEntry(ctx, tx, id, func(en mapping.Entry) error {
		if len(rest) == 0 || rest[0] != en {
			return errDiffers
		}
		rest = rest[1:]
		return nil
	})
	if errors.Is(err, errDiffers) {
		return false, nil
	}
	return len(rest) == 0, err
}

// eachMapEntry calls fn for every entry in order, until it fails.
func eachMapEntry(ctx context.Context, tx *sql.Tx, id int64, fn func(mapping.Entry) error) error {
	rows, err := tx.Query(`SELECT kind, key, value FROM map_entry WHERE epoch = ? ORDER BY kind, key`, id)
	if err != nil {
		return err
	}
	defer rows.Close()
	for n := 0; rows.Next(); n++ {
		if n%1000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var en mapping.Entry
		if err := rows.Scan(&en.Kind, &en.Key, &en.Value); err != nil {
			return err
		}
		if err := fn(en); err != nil {
			return err
		}
	}
	return rows.Err()
}

func scanMapEpoch(row interface{ Scan(...any) error }) (MapEpoch, error) {
	var e MapEpoch
	var at int64
	err := row.Scan(&e.ID, &at, &e.PlanID, &e.Checksum, &e.Policy, &e.Links, &e.Partners, &e.IDs, &e.Paths, &e.Live)
	if errors.Is(err, sql.ErrNoRows) {
		return MapEpoch{}, ErrNoEpoch
	}
	e.PublishedAt = time.Unix(at, 0).UTC()
	return e, err
}

// ended returns the reason for which ctx ended, if it has, instead of the driver's error.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && err != nil {
		return context.Cause(ctx)
	}
	return err
}
