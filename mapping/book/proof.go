package book

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Proof is what walking the chain came to.
type Proof struct {
	Links int64  // of the chain
	Head  string // hash of the newest link, hex; empty: there is none
	Rows  int    // of the book that were compared with their seals
}

// Fault is one row of the book, or link of the chain, that is not as it was written.
type Fault struct {
	Table   string   // or the name of a view, an index or a trigger
	Row     string   // its key, in words
	Columns []string // that differ, as far as that is known
	Text    string   // a sentence
}

// Row is a row of the book as it is, for [Book.Prove].
type Row struct {
	Table   string
	Columns []string
	Cells   []any // int64, string or nil
}

// Prove walks the chain from its first link to its newest, and compares every row of every table
// that is sealed with its newest seal. fault gets what is not as it was written, and row, which
// may be nil, every row; the row's slices are used again. All is of one moment. Tables and their
// columns are asked of the database, so that what a writer forgot to seal is found as well.
func (b *Book) Prove(ctx context.Context, row func(*Row), fault func(Fault)) (Proof, error) {
	p := &prover{ctx: ctx, row: row, fault: fault, tables: map[string]sealedTable{}}
	err := b.view(ctx, func(tx *sql.Tx) error {
		p.tx = tx
		readable, err := p.checkSchema()
		if err != nil {
			return fmt.Errorf("comparing the book's schema: %w", err)
		}
		if !readable {
			return nil
		}
		if err := p.readChain(); err != nil {
			return fmt.Errorf("reading the chain: %w", err)
		}
		if err := p.checkTables(); err != nil {
			return fmt.Errorf("comparing the book with its chain: %w", err)
		}
		return nil
	})
	return p.Proof, err
}

// prover is [Book.Prove] under way.
type prover struct {
	Proof
	ctx    context.Context
	tx     *sql.Tx
	row    func(*Row)
	fault  func(Fault)
	undone map[int64]bool // imports
	tables map[string]sealedTable
	links  []int64 // when each link was written, Unix seconds
	sealer sealer
}

// rowID is a row's key: the key itself with its length, else a hash of it.
type rowID [16]byte

func newRowID(key []byte) (id rowID) {
	if len(key) < len(id) {
		copy(id[:], key)
		id[len(id)-1] = byte(len(key))
		return id
	}
	sum := sha256.Sum256(key)
	copy(id[:], sum[:])
	id[len(id)-1] |= 0x80
	return id
}

// sealedTable is the newest seal of each of a table's rows.
type sealedTable map[rowID]rowSeal

type rowSeal struct {
	digest digest
	link   uint32 // index of its link
}

// readChain checks each link's hash against the former, and collects the seals.
func (p *prover) readChain() error {
	if err := p.readUndone(); err != nil {
		return err
	}
	var former []byte
	last := int64(0)
	err := p.eachLink(func(id, at int64, kind string, importID int64, seals, hash []byte) error {
		for ; last+1 < id; last++ {
			p.linkFault(last+1, "is missing: what it sealed may have been changed or removed")
		}
		if !bytes.Equal(hash, linkHash(former, id, at, kind, importID, seals)) {
			p.linkFault(id, "of "+instant(at)+" is not as it was written, or the one before it is not")
		}
		last, former = id, bytes.Clone(hash)
		p.Links++
		p.links = append(p.links, at)
		if kind == linkImport && p.undone[importID] {
			return nil
		}
		if err := p.collect(seals, uint32(len(p.links)-1)); err != nil {
			p.linkFault(id, "cannot be read: "+err.Error())
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.Head = hex.EncodeToString(former)
	return p.checkHead(last, former)
}

func (p *prover) readUndone() error {
	p.undone = map[int64]bool{}
	rows, err := p.tx.QueryContext(p.ctx, `SELECT import_id FROM chain WHERE kind = 'undo'`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		p.undone[id] = true
	}
	return rows.Err()
}

// eachLink gives fn every link in order; the bytes are good until the next.
func (p *prover) eachLink(fn func(id, at int64, kind string, importID int64, seals, hash []byte) error) error {
	rows, err := p.tx.QueryContext(p.ctx, `SELECT id, at, kind, import_id, seals, hash FROM chain ORDER BY id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, at, importID int64
		var kind string
		var seals, hash []byte
		if err := rows.Scan(&id, &at, &kind, &importID, &seals, &hash); err != nil {
			return err
		}
		if err := fn(id, at, kind, importID, seals, hash); err != nil {
			return err
		}
	}
	return rows.Err()
}

// checkHead compares the newest link with the head that is kept apart.
func (p *prover) checkHead(last int64, hash []byte) error {
	var heads int
	var id int64
	var kept []byte
	if err := p.tx.QueryRowContext(p.ctx, `SELECT count(*), coalesce(max(id), 0), coalesce(max(hash), x'') FROM chain_head`).
		Scan(&heads, &id, &kept); err != nil {
		return err
	}
	switch {
	case heads == 0:
		p.fault(Fault{Table: "chain_head", Text: "the head of the chain is gone: whether links were cut off at its end cannot be said"})
	case id > last:
		for n := last + 1; n <= id; n++ {
			p.linkFault(n, "is missing at the end of the chain: what it sealed may have been changed or removed")
		}
	case id < last || !bytes.Equal(kept, hash):
		p.fault(Fault{Table: "chain_head", Row: fmt.Sprint(id), Text: fmt.Sprintf(
			"the head of the chain is not its newest link: it says link %d, and the chain ends with %d", id, last)})
	}
	return nil
}

func (p *prover) linkFault(id int64, what string) {
	p.fault(Fault{Table: "chain", Row: fmt.Sprint(id), Text: fmt.Sprintf("link %d of the chain %s", id, what)})
}

// collect reads the seals of a link.
func (p *prover) collect(seals []byte, link uint32) error {
	return eachSeal(seals, func(table string, key []byte, d digest, _ []byte) {
		t := p.tables[table]
		if t == nil {
			t = sealedTable{}
			p.tables[table] = t
		}
		t[newRowID(key)] = rowSeal{d, link}
	})
}

// errSeals says that the seals of a link are not what carryover writes.
var errSeals = fmt.Errorf("its seals are damaged")

// maxColumns bounds what a damaged link says of a table; SQLite's own bound is 32,767.
const maxColumns = 1 << 15

// eachSeal reads the seals of a link as link.text writes them.
func eachSeal(seals []byte, fn func(table string, key []byte, d digest, marks []byte)) error {
	ok := true
	number := func() uint64 {
		n, size := binary.Uvarint(seals)
		if size <= 0 {
			ok, size = false, 0
		}
		seals = seals[size:]
		return n
	}
	take := func(n uint64) (b []byte) {
		if n > uint64(len(seals)) {
			ok, n = false, 0
		}
		b, seals = seals[:n], seals[n:]
		return b
	}
	for ok && len(seals) > 0 {
		table := string(take(number()))
		columns, count := min(number(), maxColumns), number()
		for ; ok && count > 0; count-- {
			key := take(number())
			d, m := take(uint64(len(digest{}))), take(markSize*columns)
			if ok {
				fn(table, key, digest(d), m)
			}
		}
	}
	if !ok {
		return errSeals
	}
	return nil
}

// checkTables compares the rows of all tables with their seals.
func (p *prover) checkTables() error {
	tables, err := p.strings(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY name`)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if unsealed[table] == "" {
			if err := p.checkTable(table); err != nil {
				return err
			}
		}
	}
	for _, table := range slices.Sorted(maps.Keys(p.tables)) {
		if !slices.Contains(tables, table) {
			p.fault(Fault{Table: table, Text: fmt.Sprintf("the table %s, of which %d rows were written, is gone", table, len(p.tables[table]))})
		}
	}
	return nil
}

func (p *prover) strings(query string, args ...any) (list []string, err error) {
	rows, err := p.tx.QueryContext(p.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// checkTable compares a table's rows with their seals. What it has found is let go.
func (p *prover) checkTable(table string) error {
	sealed := p.tables[table]
	columns, err := p.strings(`SELECT name FROM pragma_table_info(?) ORDER BY cid`, table)
	if err != nil {
		return err
	}
	key, err := keyColumns(p.ctx, p.tx, table)
	if err != nil {
		return err
	}
	rows, err := p.tx.QueryContext(p.ctx, `SELECT `+strings.Join(columns, ", ")+` FROM `+table)
	if err != nil {
		return err
	}
	defer rows.Close()
	r := Row{Table: table, Columns: columns, Cells: make([]any, len(columns))}
	dest := make([]any, len(columns))
	for i := range dest {
		dest[i] = &r.Cells[i]
	}
	l := newLayout(table, columns, key)
	var marks []byte
	changed := map[rowID]changedSeal{}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		p.Rows++
		keyBytes := p.sealer.key(l, r.Cells)
		id := newRowID(keyBytes)
		seal, ok := sealed[id]
		var d digest
		d, marks = p.sealer.seal(l, r.Cells, marks[:0])
		switch {
		case !ok:
			p.fault(Fault{Table: table, Row: keyText(keyBytes), Text: fmt.Sprintf(
				"%s %s was put into the book by something else than carryover: it is in no link of the chain", table, keyText(keyBytes))})
		case d != seal.digest:
			changed[id] = changedSeal{seal, bytes.Clone(marks)}
		}
		delete(sealed, id)
		if p.row != nil {
			p.row(&r)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if len(sealed)+len(changed) == 0 {
		return nil
	}
	return p.name(l, columns, changed, sealed)
}

// changedSeal is the seal of a row that is another now, and the marks of its cells now.
type changedSeal struct {
	rowSeal
	marks []byte
}

// name tells of rows that are not as they were sealed, and of rows that were sealed and are not
// there. Their keys and marks are read in the chain once more.
func (p *prover) name(l *layout, columns []string, changed map[rowID]changedSeal, missing sealedTable) error {
	link := uint32(0)
	return p.eachLink(func(_, _ int64, _ string, _ int64, seals, _ []byte) error {
		_ = eachSeal(seals, func(table string, key []byte, d digest, were []byte) {
			if table != l.table {
				return
			}
			id := newRowID(key)
			if s, ok := missing[id]; ok && s.link == link && s.digest == d {
				delete(missing, id)
				p.fault(Fault{Table: table, Row: keyText(key),
					Text: fmt.Sprintf("%s %s is missing: it was written%s", table, keyText(key), p.writtenIn(s))})
			}
			if s, ok := changed[id]; ok && s.link == link && s.digest == d {
				delete(changed, id)
				p.fault(p.changed(l, columns, keyText(key), s, were))
			}
		})
		link++
		return nil
	})
}

// changed is the fault of a row that is not as it was sealed.
func (p *prover) changed(l *layout, columns []string, key string, s changedSeal, were []byte) Fault {
	f := Fault{Table: l.table, Row: key}
	for i, column := range l.order {
		if from, to := markSize*i, markSize*(i+1); len(were) == len(s.marks) && !bytes.Equal(were[from:to], s.marks[from:to]) {
			f.Columns = append(f.Columns, columns[column])
		}
	}
	f.Text = fmt.Sprintf("%s %s is not as it was written", l.table, key)
	if len(f.Columns) > 0 {
		slices.Sort(f.Columns)
		f.Text = fmt.Sprintf("%s %s: %s changed since it was written", l.table, key, strings.Join(f.Columns, ", "))
	}
	f.Text += p.writtenIn(s.rowSeal)
	return f
}

func (p *prover) writtenIn(s rowSeal) string {
	return fmt.Sprintf(" (link %d of %s)", s.link+1, instant(p.links[s.link]))
}

func instant(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02 15:04:05Z") }

// keyText is a key in words.
func keyText(key []byte) string {
	var words []string
	for len(key) > 0 {
		kind := key[0]
		key = key[1:]
		switch kind {
		case 'k':
			n := min(16, len(key))
			words = append(words, "k-"+hex.EncodeToString(key[:n]))
			key = key[n:]
		case 'i':
			v, size := binary.Varint(key)
			words = append(words, fmt.Sprint(v))
			key = key[max(size, 1):]
		default:
			n, size := binary.Uvarint(key)
			key = key[min(max(size, 0), len(key)):]
			n = min(n, uint64(len(key)))
			words = append(words, string(key[:n]))
			key = key[n:]
		}
	}
	return strings.Join(words, " ")
}
