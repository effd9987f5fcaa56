package book

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Run is one migration that was carried out, or undone since.
type Run struct {
	ID         int64
	PlanID     string
	AppliedAt  time.Time
	RolledBack time.Time // zero: it stands
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

// Errors that callers decide on.
var (
	ErrNoRun = errors.New("there is no such run")
	// ErrMoved says that another run was applied or undone since the plan was made.
	ErrMoved = errors.New("the book has changed since this plan was made: plan again")
)

// LastRun returns the newest run that stands; ErrNoRun when none does.
func (b *Book) LastRun(ctx context.Context) (Run, error) {
	return scanRun(b.r.QueryRowContext(ctx, selectRun+` WHERE rolled_back IS NULL ORDER BY id DESC LIMIT 1`))
}

// Runs lists every run, the newest first.
func (b *Book) Runs(ctx context.Context) ([]Run, error) {
	rows, err := b.r.QueryContext(ctx, selectRun+` ORDER BY id DESC`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var runs []Run
	for rows.Next() {
		r, err := scanRun(rows)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, rows.Err()
}

const selectRun = `SELECT id, plan_id, applied_at, coalesce(rolled_back, 0), plan_dir, inputs, tables FROM run`

func scanRun(row interface{ Scan(...any) error }) (Run, error) {
	var r Run
	var applied, rolledBack int64
	var inputs, tables string
	err := row.Scan(&r.ID, &r.PlanID, &applied, &rolledBack, &r.PlanDir, &inputs, &tables)
	if errors.Is(err, sql.ErrNoRows) {
		return Run{}, ErrNoRun
	}
	r.AppliedAt = time.Unix(applied, 0).UTC()
	if rolledBack != 0 {
		r.RolledBack = time.Unix(rolledBack, 0).UTC()
	}
	r.Inputs, r.Tables = json.RawMessage(inputs), json.RawMessage(tables)
	return r, err
}

// Apply carries out a run in one transaction: after a crash at any point the book has
// either all of it or nothing. base is the run that the plan was made on (0: none);
// [ErrMoved] when another one stands now. progress is told the rows written so far.
// The id of the run is returned.
func (b *Book) Apply(ctx context.Context, run Run, base int64, rows *Content, rejects []Reject, progress func(done int)) (int64, error) {
	err := b.update(ctx, func(tx *sql.Tx) error {
		switch last, err := scanRun(tx.QueryRowContext(ctx, selectRun+` WHERE rolled_back IS NULL ORDER BY id DESC LIMIT 1`)); {
		case err != nil && !errors.Is(err, ErrNoRun):
			return err
		case last.ID != base:
			return ErrMoved
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO run (plan_id, applied_at, plan_dir, inputs, tables) VALUES (?, ?, ?, ?, ?)`,
			run.PlanID, run.AppliedAt.Unix(), run.PlanDir, string(run.Inputs), string(run.Tables))
		if err != nil {
			return err
		}
		if run.ID, err = res.LastInsertId(); err != nil {
			return err
		}
		if err := writeContent(ctx, tx, run.ID, rows, progress); err != nil {
			return err
		}
		return writeRejects(ctx, tx, run.ID, rejects)
	})
	if err != nil && !errors.Is(err, ErrMoved) {
		err = fmt.Errorf("writing the book: %w; nothing was changed", err)
	}
	return run.ID, err
}

func writeContent(ctx context.Context, tx *sql.Tx, run int64, rows *Content, progress func(done int)) error {
	var seq int64
	done := 0
	step := func(err error) error {
		if done++; done%1000 == 0 || done == rows.Len() {
			progress(done)
			return cmp.Or(err, ctx.Err())
		}
		return err
	}
	up, err := newUpserter(tx, run, &seq, promoters)
	if err != nil {
		return err
	}
	for i := range rows.Promoters {
		var old Promoter
		p := &rows.Promoters[i]
		if err := step(up.upsert([]any{p.ID}, p, &old, p.fields(), old.fields())); err != nil {
			return err
		}
	}
	if up, err = newUpserter(tx, run, &seq, aliases); err != nil {
		return err
	}
	for i := range rows.Aliases {
		var old Alias
		a := &rows.Aliases[i]
		if err := step(up.upsert([]any{a.Kind, a.Value}, a, &old, a.fields(), old.fields())); err != nil {
			return err
		}
	}
	if up, err = newUpserter(tx, run, &seq, links); err != nil {
		return err
	}
	for i := range rows.Links {
		var old Link
		l := &rows.Links[i]
		if err := step(up.upsert([]any{l.Code}, l, &old, l.fields(), old.fields())); err != nil {
			return err
		}
	}
	return nil
}

func writeRejects(ctx context.Context, tx *sql.Tx, run int64, rejects []Reject) error {
	for _, r := range rejects {
		cells, err := json.Marshal(r.Cells)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO reject (run_id, file, line, reason, cells) VALUES (?, ?, ?, ?, ?)`,
			run, r.File, r.Line, r.Reason, string(cells)); err != nil {
			return err
		}
	}
	return nil
}

// Rollback undoes the run with the given id (0: the newest that stands), row by row, in
// one transaction. Only the newest can be undone: later runs stand on earlier ones.
func (b *Book) Rollback(ctx context.Context, id int64, now time.Time) (Run, error) {
	var run Run
	err := b.update(ctx, func(tx *sql.Tx) error {
		var err error
		if run, err = scanRun(tx.QueryRowContext(ctx, selectRun+` WHERE rolled_back IS NULL ORDER BY id DESC LIMIT 1`)); err != nil {
			return err
		}
		if id != 0 && run.ID != id {
			var undone sql.NullInt64
			switch err := tx.QueryRowContext(ctx, `SELECT rolled_back FROM run WHERE id = ?`, id).Scan(&undone); {
			case errors.Is(err, sql.ErrNoRows):
				return fmt.Errorf("%w: %d", ErrNoRun, id)
			case err != nil:
				return err
			case undone.Valid:
				return fmt.Errorf("run %d was undone already", id)
			}
			return fmt.Errorf("run %d is not the newest: undo run %d first", id, run.ID)
		}
		if err := undo(ctx, tx, run.ID); err != nil {
			return fmt.Errorf("undoing run %d: %w; nothing was changed", run.ID, err)
		}
		run.RolledBack = now.UTC()
		_, err = tx.ExecContext(ctx, `UPDATE run SET rolled_back = ? WHERE id = ?`, now.Unix(), run.ID)
		return err
	})
	return run, err
}

func undo(ctx context.Context, tx *sql.Tx, run int64) error {
	// Two passes: a token or code may have gone from one row to another, and a row put
	// back before the other is gone would meet it.
	rows, err := tx.QueryContext(ctx, `SELECT tbl, key, before FROM change WHERE run_id = ? ORDER BY seq DESC`, run)
	if err != nil {
		return err
	}
	defer rows.Close()
	type step struct{ table, key, before string }
	var steps []step
	for rows.Next() {
		var s step
		if err := rows.Scan(&s.table, &s.key, &s.before); err != nil {
			return err
		}
		steps = append(steps, s)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, s := range steps {
		t, ok := map[string]table{promoters.name: promoters, aliases.name: aliases, links.name: links}[s.table]
		if !ok {
			return fmt.Errorf("the run changed %s, which this carryover does not know", s.table)
		}
		var key []any
		numbers := json.NewDecoder(strings.NewReader(s.key))
		numbers.UseNumber() // a Keap id may need all of its 64 bits
		if err := numbers.Decode(&key); err != nil {
			return err
		}
		if n, ok := key[0].(json.Number); ok {
			if key[0], err = n.Int64(); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+t.name+" WHERE "+t.where(), key...); err != nil {
			return err
		}
	}
	var old Content
	for _, s := range steps {
		if s.before == "" {
			continue
		}
		var err error
		switch s.table {
		case promoters.name:
			old.Promoters, err = appendJSON(old.Promoters, s.before)
		case aliases.name:
			old.Aliases, err = appendJSON(old.Aliases, s.before)
		default:
			old.Links, err = appendJSON(old.Links, s.before)
		}
		if err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM change WHERE run_id = ?`, run); err != nil {
		return err
	}
	if err := writeContent(ctx, tx, run, &old, func(int) {}); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM change WHERE run_id = ?`, run)
	return err
}

func appendJSON[T any](rows []T, text string) ([]T, error) {
	var row T
	err := json.Unmarshal([]byte(text), &row)
	return append(rows, row), err
}
