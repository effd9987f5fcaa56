package book

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// How the chain is written
//
// Whatever writes a table that is not in [unsealed] does so within [Book.write], or [Book.Track],
// and has each row that it wrote sealed in the same transaction:
//
//   - [insertRow], [insertTracked] and the writer of imports seal what they insert;
//   - after a statement of one's own, [chained.seal] reads the rows that it wrote back and
//     seals them as they are now.
//
// A row may be sealed again and again: its newest seal counts. No row of these tables is deleted
// but by a rollback, after which the seals of its import count no more. A table whose rows are not
// sealed, or a write that forgets to, is found by [Book.Prove], and so by the tests.

// Values of chain.kind.
const (
	linkLive   = "live"
	linkImport = "import"
	linkUndo   = "undo" // seals of the import's links count no more
)

// sealsOfLink is how many rows an import seals in one link.
const sealsOfLink = 1000

// link is what a transaction adds to the chain: seals of the rows that it wrote.
type link struct {
	kind     string // empty: linkLive
	importID int64

	sealer   sealer
	sections []section
	rows     int
}

// section is the seals of one table's rows: of each its key with the key's length before it, its
// digest and its cells' marks.
type section struct {
	layout *layout
	count  uint64
	seals  []byte
}

// add seals a row as it is written, given its cells in the order of the layout; nil: its table
// is not sealed.
func (k *link) add(l *layout, cells []any) {
	if l == nil {
		return
	}
	s := k.begin(l, cells)
	start := len(s.seals)
	s.seals = append(s.seals, make([]byte, len(digest{}))...)
	d, seals := k.sealer.seal(l, cells, s.seals)
	copy(seals[start:], d[:])
	s.seals = seals
}

// begin counts one more row and writes its key.
func (k *link) begin(l *layout, cells []any) *section {
	k.rows++
	i := slices.IndexFunc(k.sections, func(s section) bool { return s.layout == l })
	if i < 0 {
		i = len(k.sections)
		k.sections = append(k.sections, section{layout: l})
	}
	s := &k.sections[i]
	s.count++
	key := k.sealer.key(l, cells)
	s.seals = append(binary.AppendUvarint(s.seals, uint64(len(key))), key...)
	return s
}

// text is the link's seals as the chain holds them: table by table its name, the number of its
// columns, and the number of rows.
func (k *link) text() []byte {
	var out []byte
	for i := range k.sections {
		s := &k.sections[i]
		if s.count == 0 {
			continue
		}
		out = append(binary.AppendUvarint(out, uint64(len(s.layout.table))), s.layout.table...)
		out = binary.AppendUvarint(binary.AppendUvarint(out, uint64(len(s.layout.order))), s.count)
		out = append(out, s.seals...)
	}
	return out
}

// linkHash is the hash of a link that comes after the one with the hash former.
func linkHash(former []byte, id, at int64, kind string, importID int64, seals []byte) []byte {
	h := sha256.New()
	h.Write(former)
	h.Write(appendCell(appendCell(appendCell(appendCell(nil, id), at), kind), importID))
	h.Write(seals)
	return h.Sum(nil)
}

// linkStmts are the statements that append a link, prepared for the one connection that writes.
type linkStmts struct{ head, insert, update *sql.Stmt }

func prepareLinks(w *sql.DB) (s linkStmts, err error) {
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&s.head, `SELECT id, hash FROM chain_head`},
		{&s.insert, `INSERT INTO chain (id, at, kind, import_id, seals, hash) VALUES (?, ?, ?, ?, ?, ?)`},
		{&s.update, `UPDATE chain_head SET id = ?, hash = ?`},
	} {
		if *p.to, err = w.Prepare(p.text); err != nil {
			return s, fmt.Errorf("preparing to write the chain: %w", err)
		}
	}
	return s, nil
}

// append appends the link to the chain, unless no row was written, and begins anew.
func (k *link) append(tx *sql.Tx, stmts *linkStmts) error {
	if k.rows == 0 {
		return nil
	}
	if k.kind == "" {
		k.kind = linkLive
	}
	var id int64
	var former []byte
	if err := tx.Stmt(stmts.head).QueryRow().Scan(&id, &former); err != nil {
		return fmt.Errorf("reading the head of the chain: %w", err)
	}
	id++
	at, seals := time.Now().Unix(), k.text()
	hash := linkHash(former, id, at, k.kind, k.importID, seals)
	if _, err := tx.Stmt(stmts.insert).Exec(id, at, k.kind, k.importID, seals, hash); err != nil {
		return fmt.Errorf("writing the chain: %w", err)
	}
	if _, err := tx.Stmt(stmts.update).Exec(id, hash); err != nil {
		return fmt.Errorf("writing the head of the chain: %w", err)
	}
	k.reset()
	return nil
}

// reset begins anew and keeps the buffers.
func (k *link) reset() {
	k.rows = 0
	for i := range k.sections {
		k.sections[i].count, k.sections[i].seals = 0, k.sections[i].seals[:0]
	}
}

// chained is a write transaction whose rows are sealed.
type chained struct {
	*sql.Tx
	ctx   context.Context
	link  link
	stmts *linkStmts
}

// write runs fn in a write transaction, and appends the link of the rows that it sealed.
func (b *Book) write(ctx context.Context, fn func(tx *chained) error) error {
	stmts, err := b.links()
	if err != nil {
		return err
	}
	return b.update(ctx, func(tx *sql.Tx) error {
		c := &chained{Tx: tx, ctx: ctx, stmts: &stmts}
		if err := fn(c); err != nil {
			return err
		}
		return c.link.append(tx, &stmts)
	})
}

// seal seals the rows of a table that a clause (WHERE …) selects, as they are now.
func (tx *chained) seal(table, where string, args ...any) error {
	key, err := keyColumns(tx.ctx, tx.Tx, table)
	if err != nil {
		return err
	}
	rows, err := tx.QueryContext(tx.ctx, "SELECT * FROM "+table+" "+where, args...)
	if err != nil {
		return fmt.Errorf("sealing %s: %w", table, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	l, cells, dest := newLayout(table, columns, key), make([]any, len(columns)), make([]any, len(columns))
	for i := range cells {
		dest[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return fmt.Errorf("sealing %s: %w", table, err)
		}
		tx.link.add(l, cells)
	}
	return rows.Err()
}

// keyColumns lists the columns of a table's primary key, in the key's order.
func keyColumns(ctx context.Context, tx *sql.Tx, table string) (key []string, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk`, table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		key = append(key, name)
	}
	return key, rows.Err()
}
