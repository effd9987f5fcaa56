package book

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

// A table of the book, and the type of its rows.
type table[T any] struct {
	name    string
	columns string // separated by ", ", those of the key first
	key     int    // how many columns are the key
	owned   bool   // each row says in import_id which run created it
	byRun   bool   // import_id is the first column of the key
	record  func(*T, *record)
}

// record carries a row's cells into the book, or out of it. A type lists its cells once, in
// its record method, in the order of its table's columns.
type record struct {
	cells []any
	out   bool // the row is being read; next is the index of the next cell
	next  int
	err   error

	words   map[string]string // repeated texts, when reading
	sources sourceIDs         // of the import that writes
}

// sourceIDs are the ids of the files that an import has read.
type sourceIDs struct {
	before int64 // the last id of earlier imports
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

// word is text that many rows repeat: it is held in memory once.
func (r *record) word(p *string) {
	r.text(p)
	if !r.out {
		return
	}
	switch same, ok := r.words[*p]; {
	case ok:
		*p = same
	case len(r.words) < 10_000: // beyond that, the texts do not repeat after all
		r.words[*p] = *p
	}
}

func (r *record) entryID(p *EntryID) {
	if !r.out {
		r.cells = append(r.cells, p.String())
		return
	}
	id, err := ParseEntryID(take[string](r))
	r.err = cmp.Or(r.err, err)
	*p = id
}

func (r *record) origin(p *Origin) {
	source := p.Source
	if !r.out && source != 0 {
		if source < 0 || source > r.sources.count {
			r.err = fmt.Errorf("a row names source %d of %d", source, r.sources.count)
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

// keyText is the row's key for people.
func (t *table[T]) keyText(row *T) string {
	var r record
	t.record(row, &r)
	return strings.TrimSuffix(fmt.Sprintln(r.cells[:t.key]...), "\n")
}

func (t *table[T]) names() []string { return strings.Split(t.columns, ", ") }

// written lists the columns of a new row.
func (t *table[T]) written() []string {
	if t.owned {
		return append([]string{"import_id"}, t.names()...)
	}
	return t.names()
}

// isRow is the condition that a row has the key.
func (t *table[T]) isRow() string {
	return strings.Join(t.names()[:t.key], " = ? AND ") + " = ?"
}

// insertText is the statement that creates n rows.
func (t *table[T]) insertText(n int) string {
	columns := t.written()
	row := "(" + strings.Repeat("?, ", len(columns)-1) + "?)"
	return "INSERT INTO " + t.name + " (" + strings.Join(columns, ", ") + ") VALUES " + strings.Repeat(row+", ", n-1) + row
}

// putText is the statement that inserts a row, or replaces the one that has its key. A row
// that is there keeps the import that created it, which the statement returns.
func (t *table[T]) putText() string {
	var set []string
	for _, c := range t.names()[t.key:] {
		set = append(set, c+" = excluded."+c)
	}
	text := t.insertText(1) + " ON CONFLICT (" + strings.Join(t.names()[:t.key], ", ") + ") DO UPDATE SET " + strings.Join(set, ", ")
	if t.owned {
		text += " RETURNING import_id"
	}
	return text
}

// scanner reads rows of one query.
type scanner[T any] struct {
	t    *table[T]
	r    record
	dest []any
}

func (t *table[T]) scanner() *scanner[T] {
	s := &scanner[T]{t: t, r: record{out: true, cells: make([]any, len(t.names())), words: map[string]string{}}}
	// Scanning into any is twice as fast as having cells converted.
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

// each gives fn the rows that the clauses in rest select, until fn fails.
func (t *table[T]) each(ctx context.Context, tx *sql.Tx, rest string, args []any, fn func(T) error) error {
	rows, err := tx.QueryContext(ctx, t.selectText(rest), args...)
	if err != nil {
		return fmt.Errorf("reading %s: %w", t.name, err)
	}
	return t.drain(rows, fn)
}

// drain gives fn the rows of a query made with selectText, and closes them.
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

// some returns the rows that the clauses in rest select.
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

// one returns the row with the given key, or the error missing.
func (t *table[T]) one(ctx context.Context, b *Book, key any, missing error) (row T, err error) {
	rows, err := t.find(ctx, b, "WHERE "+t.isRow(), key)
	if err != nil || len(rows) == 0 {
		return row, cmp.Or(err, fmt.Errorf("%w: %v", missing, key))
	}
	return rows[0], nil
}

// anyOf is the right side of IN for an [idList].
const anyOf = "(SELECT value FROM json_each(?))"

// idList is one argument that holds many ids.
func idList(ids []int64) string {
	text, err := json.Marshal(append([]int64{}, ids...))
	if err != nil {
		panic(err) // numbers always marshal
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
