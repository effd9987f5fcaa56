package book

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"modernc.org/sqlite"
)

// writer writes the rows of an import.
type writer struct {
	ctx      context.Context
	tx       *chained
	importID int64
	seq      int64 // of the last changed row
	sources  sourceIDs
	done     int
	total    int
	progress func(done int)
}

// advance reports n more rows, and fails once the context has ended.
func (w *writer) advance(n int) error {
	before := w.done
	w.done += n
	if w.done/1000 == before/1000 && w.done != w.total {
		return nil
	}
	w.progress(w.done)
	return w.ctx.Err()
}

// withoutProgress is the writer for rows that the plan does not count.
func (w *writer) withoutProgress() *writer {
	return &writer{ctx: w.ctx, tx: w.tx, importID: w.importID, progress: func(int) {}}
}

// write writes new rows of one table and replaces others.
func (t *table[T]) write(w *writer, rows Rows[T]) error {
	if err := t.create(w, rows.Create); err != nil {
		return err
	}
	return t.replace(w, rows.Update)
}

// valuesPerStatement is the size beyond which longer statements are not faster.
const valuesPerStatement = 600

// create writes new rows. It fails when one of them is there already.
//
// Statements run without a context, here and below, because the driver would start a
// goroutine for each.
func (t *table[T]) create(w *writer, rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	rebuild := func() error { return nil }
	if many, err := w.fills(t.name, len(rows)); err != nil {
		return err
	} else if many {
		if rebuild, err = dropIndexes(w.tx.Tx, t.name); err != nil {
			return err
		}
	}
	var stmt *sql.Stmt
	prepared := 0
	run := any(w.importID)
	r := record{sources: w.sources}
	l := t.layout()
	for chunk := range slices.Chunk(rows, max(1, valuesPerStatement/len(t.written()))) {
		if len(chunk) != prepared {
			var err error
			if stmt, err = w.tx.Prepare(t.insertText(len(chunk))); err != nil {
				return err
			}
			prepared = len(chunk)
		}
		r.cells = r.cells[:0]
		for i := range chunk {
			if t.owned {
				r.cells = append(r.cells, run)
			}
			t.record(&chunk[i], &r)
		}
		if r.err != nil {
			return fmt.Errorf("writing %s: %w", t.name, r.err)
		}
		if _, err := stmt.Exec(r.cells...); err != nil {
			return t.blame(w, chunk, err)
		}
		for cells := range slices.Chunk(r.cells, len(t.written())) {
			w.tx.link.add(l, cells)
		}
		if err := w.sealed(); err != nil {
			return err
		}
		if err := w.advance(len(chunk)); err != nil {
			return err
		}
	}
	return rebuild()
}

// blame finds the row for which a statement of several rows failed.
func (t *table[T]) blame(w *writer, rows []T, err error) error {
	// After any other failure SQLite may have ended the transaction, and rows written now
	// would be committed.
	const constraint, onPrimaryKey, onRowID = 19, 1555, 2579
	failed, ok := errors.AsType[*sqlite.Error](err)
	if !ok || failed.Code()&0xff != constraint {
		return fmt.Errorf("writing %s: %w", t.name, err)
	}
	one, prepareErr := w.tx.Prepare(t.insertText(1))
	if prepareErr != nil {
		return prepareErr
	}
	for i := range rows {
		r := record{sources: w.sources}
		if t.owned {
			r.cells = append(r.cells, w.importID)
		}
		t.record(&rows[i], &r)
		_, err := one.Exec(r.cells...)
		failed, ok := errors.AsType[*sqlite.Error](err)
		switch {
		case err == nil:
		case ok && (failed.Code() == onPrimaryKey || failed.Code() == onRowID):
			return fmt.Errorf("the %s %s is there already: somebody changed the book since this plan was made, "+
				"or the plan has it twice; plan again", t.name, t.keyText(&rows[i]))
		default:
			return fmt.Errorf("writing %s %s: %w", t.name, t.keyText(&rows[i]), err)
		}
	}
	return fmt.Errorf("writing %s: %w", t.name, err)
}

// replace writes rows over those that have their keys, and records what each was before, so
// that the import can be rolled back. In tables whose rows name their import the row must be
// there; in others it may be new.
func (t *table[T]) replace(w *writer, rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	var empty bool
	if err := w.tx.QueryRow("SELECT NOT EXISTS (SELECT 1 FROM " + t.name + ")").Scan(&empty); err != nil {
		return err
	}
	if empty && !t.owned {
		return t.fill(w, rows)
	}
	before, err := w.tx.Prepare(t.selectText("WHERE " + t.isRow()))
	if err != nil {
		return err
	}
	note, err := w.tx.Prepare(changedRows.insertText(1))
	if err != nil {
		return err
	}
	put, err := w.tx.Prepare(t.putText())
	if err != nil {
		return err
	}
	s := t.scanner()
	for i := range rows {
		var r record
		t.record(&rows[i], &r)
		c := changedRow{Table: t.name}
		var old T
		switch err := s.scan(before.QueryRow(r.cells[:t.key]...), &old); {
		case err == nil:
			text, err := json.Marshal(&old)
			if err != nil {
				return err
			}
			c.Before = string(text)
		case !errors.Is(err, sql.ErrNoRows):
			return err
		case t.owned:
			return fmt.Errorf("the %s %s is not there any more: somebody changed the book since this plan was made; "+
				"plan again", t.name, t.keyText(&rows[i]))
		}
		if c, err = w.numberChange(c, r.cells[:t.key]); err != nil {
			return err
		}
		noted := []any{w.importID, c.Seq, c.Table, c.Key, c.Before}
		if _, err := note.Exec(noted...); err != nil {
			return err
		}
		w.tx.link.add(changedRows.layout(), noted)
		if err := t.put(w, put, &r); err != nil {
			return fmt.Errorf("writing %s %s: %w", t.name, t.keyText(&rows[i]), err)
		}
		if err := w.advance(1); err != nil {
			return err
		}
	}
	return nil
}

// put inserts a row or replaces the one that has its key, and seals it.
func (t *table[T]) put(w *writer, stmt *sql.Stmt, r *record) error {
	if !t.owned {
		if _, err := stmt.Exec(r.cells...); err != nil {
			return err
		}
	} else {
		r.cells = slices.Insert(r.cells, 0, any(w.importID))
		var created int64 // the import that did stays
		if err := stmt.QueryRow(r.cells...).Scan(&created); err != nil {
			return err
		}
		r.cells[0] = created
	}
	w.tx.link.add(t.layout(), r.cells)
	return w.sealed()
}

// sealed appends what was sealed to the chain when it is a link's worth.
func (w *writer) sealed() error {
	if w.tx.link.rows < sealsOfLink {
		return nil
	}
	return w.tx.link.append(w.tx.Tx, w.tx.stmts)
}

// fill is replace for a table that is empty.
func (t *table[T]) fill(w *writer, rows []T) error {
	if err := t.create(w, rows); err != nil {
		return err
	}
	list := make([]changedRow, len(rows))
	for i := range rows {
		var r record
		t.record(&rows[i], &r)
		var err error
		if list[i], err = w.numberChange(changedRow{Table: t.name}, r.cells[:t.key]); err != nil {
			return err
		}
	}
	return changedRows.create(w.withoutProgress(), list)
}

// fills reports whether n new rows are so many that it is quicker to build the table's
// indexes anew than to add each row to them.
func (w *writer) fills(table string, n int) (bool, error) {
	if n < 1000 {
		return false, nil
	}
	var present int
	err := w.tx.QueryRow("SELECT count(*) FROM (SELECT 1 FROM "+table+" LIMIT ?)", n).Scan(&present)
	return present < n, err
}

// dropIndexes drops the indexes of a table until rebuild is called.
func dropIndexes(tx *sql.Tx, table string) (rebuild func() error, err error) {
	rows, err := tx.Query(`SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL ORDER BY name`, table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names, texts []string
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		names, texts = append(names, name), append(texts, text)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, err := tx.Exec("DROP INDEX " + name); err != nil {
			return nil, err
		}
	}
	return func() error {
		for _, text := range texts {
			if _, err := tx.Exec(text); err != nil {
				return fmt.Errorf("indexing %s: %w", table, err)
			}
		}
		return nil
	}, nil
}
