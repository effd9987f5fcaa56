package book

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"modernc.org/sqlite"
)

// A table of the book, and the type of its rows.
type table[T any] struct {
	name    string
	columns string // separated by ", ", those of the key first
	key     int    // how many columns are the key
	owned   bool   // each row says in import_id which run created it
	record  func(*T, *record)
}

// record carries a row's cells into the book, or out of it: a type says once, by its
// own record method, which cells it has, in the order of its table's columns.
type record struct {
	cells []any
	out   bool // the row is being read; next is the cell that comes next
	next  int
	err   error

	words   map[string]string // texts that come again and again, when reading
	sources sourceIDs         // of the run that writes
}

// sourceIDs are the ids of the files that a run has read.
type sourceIDs struct {
	before int64 // the last id of earlier runs
	count  int64
}

// take returns the next cell of the row that is being read.
func take[V any](r *record) (v V) {
	v, ok := r.cells[r.next].(V)
	if !ok && r.err == nil {
		r.err = fmt.Errorf("cell %d holds %v, which is no %T", r.next+1, r.cells[r.next], v)
	}
	r.next++
	return v
}

func (r *record) int(p *int64) {
	if r.out {
		*p = take[int64](r)
	} else {
		r.cells = append(r.cells, *p)
	}
}

func (r *record) month(p *int32) {
	v := int64(*p)
	r.int(&v)
	*p = int32(v)
}

func (r *record) line(p *int) {
	v := int64(*p)
	r.int(&v)
	*p = int(v)
}

func (r *record) bool(p *bool) {
	var v int64
	if *p {
		v = 1
	}
	r.int(&v)
	*p = v != 0
}

func (r *record) text(p *string) {
	if r.out {
		*p = take[string](r)
	} else {
		r.cells = append(r.cells, *p)
	}
}

// word is text of which many rows hold the same: it is kept in memory once.
func (r *record) word(p *string) {
	r.text(p)
	if !r.out {
		return
	}
	switch kept, ok := r.words[*p]; {
	case ok:
		*p = kept
	case len(r.words) < 10_000: // not so many are alike after all
		r.words[*p] = *p
	}
}

func (r *record) event(p *EventID) {
	if !r.out {
		r.cells = append(r.cells, p.String())
		return
	}
	id, err := ParseEventID(take[string](r))
	r.err = cmp.Or(r.err, err)
	*p = id
}

func (r *record) where(p *Where) {
	source := p.Source
	if !r.out && source != 0 {
		if source < 0 || source > r.sources.count {
			r.err = fmt.Errorf("a row stands in source %d of %d", source, r.sources.count)
		}
		source += r.sources.before
	}
	r.int(&source)
	r.int(&p.Line)
	p.Source = source
}

func (r *record) list(p *[]string) {
	var text string
	if !r.out {
		raw, err := json.Marshal(*p)
		r.err = cmp.Or(r.err, err)
		text = string(raw)
	}
	r.text(&text)
	if r.out && r.err == nil {
		r.err = json.Unmarshal([]byte(text), p)
	}
}

// keyText is the row's key as people read it.
func (t *table[T]) keyText(row *T) string {
	var r record
	t.record(row, &r)
	return strings.TrimSuffix(fmt.Sprintln(r.cells[:t.key]...), "\n")
}

func (t *table[T]) names() []string { return strings.Split(t.columns, ", ") }

// written lists the columns that are written when a row is created.
func (t *table[T]) written() []string {
	if t.owned {
		return append([]string{"import_id"}, t.names()...)
	}
	return t.names()
}

// isRow is the condition that a row has a key.
func (t *table[T]) isRow() string {
	return strings.Join(t.names()[:t.key], " = ? AND ") + " = ?"
}

// insertText is the statement that creates n rows.
func (t *table[T]) insertText(n int) string {
	columns := t.written()
	row := "(" + strings.Repeat("?, ", len(columns)-1) + "?)"
	return "INSERT INTO " + t.name + " (" + strings.Join(columns, ", ") + ") VALUES " + strings.Repeat(row+", ", n-1) + row
}

// putText is the statement that writes a row over what has its key. A row that is there
// stays the creation of its run.
func (t *table[T]) putText() string {
	var set []string
	for _, c := range t.names()[t.key:] {
		set = append(set, c+" = excluded."+c)
	}
	return t.insertText(1) + " ON CONFLICT (" + strings.Join(t.names()[:t.key], ", ") + ") DO UPDATE SET " + strings.Join(set, ", ")
}

// scanner reads rows of one query.
type scanner[T any] struct {
	t    *table[T]
	r    record
	dest []any
}

func (t *table[T]) scanner() *scanner[T] {
	s := &scanner[T]{t: t, r: record{out: true, cells: make([]any, len(t.names())), words: map[string]string{}}}
	// Taking cells as they are is twice as fast as having them converted.
	for i := range s.r.cells {
		s.dest = append(s.dest, &s.r.cells[i])
	}
	return s
}

func (s *scanner[T]) scan(row interface{ Scan(...any) error }, to *T) error {
	if err := row.Scan(s.dest...); err != nil {
		return err
	}
	s.r.next = 0
	s.t.record(to, &s.r)
	if s.r.err != nil {
		return fmt.Errorf("the book's table %s is damaged: %w", s.t.name, s.r.err)
	}
	return nil
}

func (t *table[T]) selectText(rest string) string {
	return "SELECT " + t.columns + " FROM " + t.name + " " + rest
}

// each reads the rows that the clauses in rest choose. An error of fn ends it.
func (t *table[T]) each(ctx context.Context, tx *sql.Tx, rest string, args []any, fn func(T) error) error {
	rows, err := tx.QueryContext(ctx, t.selectText(rest), args...)
	if err != nil {
		return fmt.Errorf("reading %s: %w", t.name, err)
	}
	return t.drain(rows, fn)
}

// drain reads what a query of selectText has found.
func (t *table[T]) drain(rows *sql.Rows, fn func(T) error) error {
	defer rows.Close()
	s := t.scanner()
	for rows.Next() {
		var row T
		if err := s.scan(rows, &row); err != nil {
			return fmt.Errorf("reading %s: %w", t.name, err)
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading %s: %w", t.name, err)
	}
	return nil
}

// some returns the rows that the clauses in rest choose.
func (t *table[T]) some(ctx context.Context, tx *sql.Tx, rest string, args ...any) (rows []T, err error) {
	err = t.each(ctx, tx, rest, args, func(row T) error {
		rows = append(rows, row)
		return nil
	})
	return rows, err
}

// find is some in a read transaction of its own.
func (t *table[T]) find(ctx context.Context, b *Book, rest string, args ...any) (rows []T, err error) {
	err = b.view(ctx, func(tx *sql.Tx) error {
		rows, err = t.some(ctx, tx, rest, args...)
		return err
	})
	return rows, err
}

// one returns the row with the given key; missing when there is none.
func (t *table[T]) one(ctx context.Context, b *Book, key any, missing error) (row T, err error) {
	rows, err := t.find(ctx, b, "WHERE "+t.isRow(), key)
	if err != nil || len(rows) == 0 {
		return row, cmp.Or(err, fmt.Errorf("%w: %v", missing, key))
	}
	return rows[0], nil
}

// anyOf is the right side of IN for an [idList].
const anyOf = "(SELECT value FROM json_each(?))"

// idList is one argument that stands for many ids.
func idList(ids []int64) string {
	text, err := json.Marshal(append([]int64{}, ids...))
	if err != nil {
		panic(err) // numbers can be written
	}
	return string(text)
}

// whole returns every row, in the order of the key.
func (t *table[T]) whole(ctx context.Context, tx *sql.Tx) (rows []T, err error) {
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM "+t.name).Scan(&n); err != nil || n == 0 {
		return nil, err
	}
	rows = make([]T, 0, n)
	err = t.each(ctx, tx, "ORDER BY "+strings.Join(t.names()[:t.key], ", "), nil, func(row T) error {
		rows = append(rows, row)
		return nil
	})
	return rows, err
}

// writer is a run that is being written.
type writer struct {
	ctx      context.Context
	tx       *sql.Tx
	importID int64
	seq      int64 // of the last change
	sources  sourceIDs
	done     int
	total    int
	progress func(done int)
}

// advance tells of n more rows, and stops the run when its context has ended.
func (w *writer) advance(n int) error {
	before := w.done
	w.done += n
	if w.done/1000 == before/1000 && w.done != w.total {
		return nil
	}
	w.progress(w.done)
	return w.ctx.Err()
}

// withoutProgress is for rows that are not among those of the plan.
func (w *writer) withoutProgress() *writer {
	return &writer{ctx: w.ctx, tx: w.tx, importID: w.importID, progress: func(int) {}}
}

// write writes the rows of one table.
func (t *table[T]) write(w *writer, rows Rows[T]) error {
	if err := t.create(w, rows.Create); err != nil {
		return err
	}
	return t.replace(w, rows.Update)
}

// valuesPerStatement is where longer statements stop being faster.
const valuesPerStatement = 600

// create writes rows that are new. It fails when one of them is there already.
//
// Statements run without a context, here and below: the driver would start a goroutine
// for each.
func (t *table[T]) create(w *writer, rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	rebuild := func() error { return nil }
	if many, err := w.fills(t.name, len(rows)); err != nil {
		return err
	} else if many {
		if rebuild, err = dropIndexes(w.tx, t.name); err != nil {
			return err
		}
	}
	var stmt *sql.Stmt
	prepared := 0
	run := any(w.importID)
	r := record{sources: w.sources}
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
		if err := w.advance(len(chunk)); err != nil {
			return err
		}
	}
	return rebuild()
}

// blame finds the row because of which rows could not be created.
func (t *table[T]) blame(w *writer, rows []T, err error) error {
	// After any other failure SQLite may have ended the transaction, and rows that are
	// tried once more would be written for good.
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
			return fmt.Errorf("the %s %s is there already: somebody changed the book since this plan was made, or the plan has it twice; plan again", t.name, t.keyText(&rows[i]))
		default:
			return fmt.Errorf("writing %s %s: %w", t.name, t.keyText(&rows[i]), err)
		}
	}
	return fmt.Errorf("writing %s: %w", t.name, err)
}

// replace writes rows over those that have their keys, and notes what each was before,
// so that the run can be undone. Where rows belong to runs one must be there; elsewhere
// it may be new.
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
			return fmt.Errorf("the %s %s is not there any more: somebody changed the book since this plan was made; plan again", t.name, t.keyText(&rows[i]))
		}
		if c, err = w.numberChange(c, r.cells[:t.key]); err != nil {
			return err
		}
		if _, err := note.Exec(w.importID, c.Seq, c.Table, c.Key, c.Before); err != nil {
			return err
		}
		if t.owned {
			r.cells = slices.Insert(r.cells, 0, any(w.importID))
		}
		if _, err := put.Exec(r.cells...); err != nil {
			return fmt.Errorf("writing %s %s: %w", t.name, t.keyText(&rows[i]), err)
		}
		if err := w.advance(1); err != nil {
			return err
		}
	}
	return nil
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

// fills reports whether n new rows are so many that building the table's indexes anew
// is quicker than adding each of them in its place.
func (w *writer) fills(table string, n int) (bool, error) {
	if n < 1000 {
		return false, nil
	}
	var present int
	err := w.tx.QueryRow("SELECT count(*) FROM (SELECT 1 FROM "+table+" LIMIT ?)", n).Scan(&present)
	return present < n, err
}

// dropIndexes takes the indexes of a table away until rebuild is called.
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
