package book

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Import is one migration that was applied, and may have been rolled back.
type Import struct {
	ID         int64
	PlanID     string
	AppliedAt  time.Time
	RolledBack time.Time // zero: it was not
	PlanDir    string
	Inputs     json.RawMessage
	Tables     json.RawMessage
}

// Reject is a row of an export that was not loaded, verbatim but for secret columns.
type Reject struct {
	File   string
	Line   int
	Reason string
	Cells  []string
}

var rejectRows = table[Reject]{
	name:    "reject",
	columns: "file, line, reason, cells",
	key:     2,
	owned:   true,
	byRun:   true,
	record:  (*Reject).record,
}

func (x *Reject) record(r *record) {
	r.text(&x.File)
	r.line(&x.Line)
	r.text(&x.Reason)
	r.list(&x.Cells)
}

// Errors that callers decide on.
var (
	ErrNoImport = errors.New("there is no such run")
	// ErrStale says that another import was applied or rolled back since the plan was made.
	ErrStale = errors.New("the book has changed since this plan was made: plan again")
)

// LastImport returns the newest import that was not rolled back; [ErrNoImport] when there is none.
func (b *Book) LastImport(ctx context.Context) (Import, error) {
	return scanImport(b.r.QueryRowContext(ctx, selectImport+` WHERE rolled_back_at IS NULL ORDER BY id DESC LIMIT 1`))
}

// Import returns an import, also one that was rolled back; [ErrNoImport] when there is none.
func (b *Book) Import(ctx context.Context, id int64) (Import, error) {
	return scanImport(b.r.QueryRowContext(ctx, selectImport+` WHERE id = ?`, id))
}

// AsOf is the beginning of the day in zone as of which the newest import carried customers
// over; without one, or where it does not say, of the day otherwise, as 2023-03-31.
func (b *Book) AsOf(ctx context.Context, otherwise string, zone *time.Location) (time.Time, error) {
	imp, err := b.LastImport(ctx)
	if err != nil && !errors.Is(err, ErrNoImport) {
		return time.Time{}, err
	}
	var inputs struct {
		AsOf string `json:"as_of"`
	}
	if len(imp.Inputs) > 0 {
		if err := json.Unmarshal(imp.Inputs, &inputs); err != nil {
			return time.Time{}, fmt.Errorf("run %d does not say what it read: %w", imp.ID, err)
		}
	}
	text := cmp.Or(inputs.AsOf, otherwise)
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return day, fmt.Errorf("run %d was made for %q, which is no day: plan and apply again", imp.ID, text)
	}
	return day, nil
}

// Imports lists every import, the newest first.
func (b *Book) Imports(ctx context.Context) ([]Import, error) {
	rows, err := b.r.QueryContext(ctx, selectImport+` ORDER BY id DESC`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var imports []Import
	for rows.Next() {
		r, err := scanImport(rows)
		if err != nil {
			return nil, err
		}
		imports = append(imports, r)
	}
	return imports, rows.Err()
}

const selectImport = `SELECT id, plan_id, applied_at, coalesce(rolled_back_at, 0), plan_dir, inputs, tables FROM import`

func scanImport(row interface{ Scan(...any) error }) (Import, error) {
	var r Import
	var applied, rolledBack int64
	var inputs, tables string
	err := row.Scan(&r.ID, &r.PlanID, &applied, &rolledBack, &r.PlanDir, &inputs, &tables)
	if errors.Is(err, sql.ErrNoRows) {
		return Import{}, ErrNoImport
	}
	r.AppliedAt = time.Unix(applied, 0).UTC()
	if rolledBack != 0 {
		r.RolledBack = time.Unix(rolledBack, 0).UTC()
	}
	r.Inputs, r.Tables = json.RawMessage(inputs), json.RawMessage(tables)
	return r, err
}

// Apply writes an import in one transaction: after a crash at any point the book has either
// all of it or nothing. base is the import on which the plan was made (0: none); it fails with
// [ErrStale] when another one is the newest by now. A row to create that is there already, and
// one to replace that is not, fail it too. progress gets the number of rows written so far.
// Apply returns the id of the import.
func (b *Book) Apply(ctx context.Context, imp Import, base int64, rows *Changes, rejects []Reject, progress func(done int)) (int64, error) {
	err := b.write(ctx, func(tx *chained) error {
		switch last, err := scanImport(tx.QueryRowContext(ctx, selectImport+` WHERE rolled_back_at IS NULL ORDER BY id DESC LIMIT 1`)); {
		case err != nil && !errors.Is(err, ErrNoImport):
			return err
		case last.ID != base:
			return ErrStale
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO import (plan_id, applied_at, plan_dir, inputs, tables) VALUES (?, ?, ?, ?, ?)`,
			imp.PlanID, imp.AppliedAt.Unix(), imp.PlanDir, string(imp.Inputs), string(imp.Tables))
		if err != nil {
			return err
		}
		if imp.ID, err = res.LastInsertId(); err != nil {
			return err
		}
		// What a rollback left unpublished is published with this import.
		if _, err := tx.ExecContext(ctx, `UPDATE publication SET changes = changes + 1, undone_import = 0`); err != nil {
			return err
		}
		tx.link.kind, tx.link.importID = linkImport, imp.ID
		if err := tx.seal("import", "WHERE id = ?", imp.ID); err != nil {
			return err
		}
		w := &writer{ctx: ctx, tx: tx, importID: imp.ID, total: rows.Len(), progress: progress}
		if err := rows.write(w); err != nil {
			return err
		}
		return rejectRows.create(w.withoutProgress(), rejects)
	})
	if err != nil && !errors.Is(err, ErrStale) {
		// When its context ends, a transaction fails with an error of its own.
		err = fmt.Errorf("writing the book: %w; nothing was changed", cmp.Or(ctx.Err(), err))
	}
	return imp.ID, err
}

func (c *Changes) write(w *writer) error {
	if err := promoters.replace(w, c.Promoters); err != nil {
		return err
	}
	if err := aliases.replace(w, c.Aliases); err != nil {
		return err
	}
	if err := links.replace(w, c.Links); err != nil {
		return err
	}
	return c.KeapRecords.write(w)
}

// Rollback undoes an import (0: the newest), row by row, in one transaction. Only the newest
// can be undone, because later ones build on earlier ones. Until [Book.RollbackTold] it
// stands in [Publication.UndoneImport].
func (b *Book) Rollback(ctx context.Context, id int64, now time.Time) (Import, error) {
	var imp Import
	err := b.write(ctx, func(tx *chained) error {
		var err error
		if imp, err = scanImport(tx.QueryRowContext(ctx, selectImport+` WHERE rolled_back_at IS NULL ORDER BY id DESC LIMIT 1`)); err != nil {
			return err
		}
		if id != 0 && imp.ID != id {
			var undone sql.NullInt64
			switch err := tx.QueryRowContext(ctx, `SELECT rolled_back_at FROM import WHERE id = ?`, id).Scan(&undone); {
			case errors.Is(err, sql.ErrNoRows):
				return fmt.Errorf("%w: %d", ErrNoImport, id)
			case err != nil:
				return err
			case undone.Valid:
				return fmt.Errorf("run %d was undone already", id)
			}
			return fmt.Errorf("run %d is not the newest: undo run %d first", id, imp.ID)
		}
		if err := undo(&writer{ctx: ctx, tx: tx, importID: imp.ID}); err != nil {
			return fmt.Errorf("undoing run %d: %w; nothing was changed", imp.ID, err)
		}
		if err := checkPromoterReferences(ctx, tx.Tx); err != nil {
			return fmt.Errorf("run %d cannot be undone: %w; nothing was changed", imp.ID, err)
		}
		imp.RolledBack = now.UTC()
		if _, err = tx.ExecContext(ctx, `UPDATE import SET rolled_back_at = ? WHERE id = ?`, now.Unix(), imp.ID); err != nil {
			return err
		}
		if _, err = tx.ExecContext(ctx, `UPDATE publication SET changes = changes + 1, undone_import = ?`, imp.ID); err != nil {
			return err
		}
		// What undoing leaves there is sealed anew: the import's own seals count no more.
		tx.link.kind, tx.link.importID = linkUndo, imp.ID
		if err := tx.seal("import", "WHERE id = ?", imp.ID); err != nil {
			return err
		}
		return tx.seal("reject", "WHERE import_id = ?", imp.ID)
	})
	return imp, err
}

// checkPromoterReferences fails when live money or a live customer names a promoter that the
// book no longer has.
func checkPromoterReferences(ctx context.Context, tx *sql.Tx) error {
	var id int64
	switch err := tx.QueryRowContext(ctx, `SELECT promoter_id FROM (
		SELECT promoter_id FROM event_line UNION SELECT promoter_id FROM customer UNION SELECT promoter_id FROM payout_line)
		WHERE promoter_id NOT IN (SELECT id FROM promoter) AND promoter_id != 0 LIMIT 1`).Scan(&id); {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("sales were tracked or money was booked since for promoter %d, whom this run brought", id)
}
