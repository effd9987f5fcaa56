package book

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// unsealed are the tables that the chain leaves out, and why. Every other table is sealed.
var unsealed = map[string]string{
	"book_schema":   "names the schema's files; Open refuses those that it does not know",
	"chain":         "is the chain: each link's hash covers it and the former",
	"chain_head":    "is the newest link, with which the chain must end",
	"click":         "clicks earn nothing; they are let go after [gateway] keep_clicks",
	"click_rollup":  "clicks earn nothing",
	"map_epoch":     "the published map, which is compared with the book",
	"map_entry":     "the published map, which is compared with the book",
	"publication":   "where the map is published, which is compared with the book",
	"outbox":        "how far an event is on its way to FirstPromoter; the event itself is sealed",
	"refused_event": "what was not booked; it is let go after [tracking] remember",
}

// digest seals a row: the first half of SHA-256 over its table's name and its cells, in the
// order of the columns' names.
type digest [16]byte

// layout is how the rows of a table are sealed.
type layout struct {
	table string
	order []int // of the cells, as they are written: indexes, by the columns' names
	key   []int // indexes of the key's cells
}

var layouts sync.Map // *layout by the columns, as written, after the table's name

// newLayout is the layout of rows with these columns, of which the ones named in key are the
// key.
func newLayout(table string, columns, key []string) *layout {
	l := &layout{table: table, order: make([]int, len(columns)), key: make([]int, len(key))}
	for i := range l.order {
		l.order[i] = i
	}
	slices.SortFunc(l.order, func(a, b int) int { return strings.Compare(columns[a], columns[b]) })
	for i, name := range key {
		l.key[i] = slices.Index(columns, name)
	}
	return l
}

// layout is the layout of the rows that the table writes; nil: they are not sealed.
func (t *table[T]) layout() *layout {
	if l, ok := layouts.Load(t.name); ok {
		return l.(*layout)
	}
	var l *layout
	if unsealed[t.name] == "" {
		key := t.names()[:t.key]
		if t.byRun {
			key = append([]string{"import_id"}, key...)
		}
		l = newLayout(t.name, t.written(), key)
	}
	layouts.Store(t.name, l)
	return l
}

// appendCell appends a cell so that no two cells, and no two rows of them, are written alike.
func appendCell(b []byte, cell any) []byte {
	switch v := cell.(type) {
	case int64:
		return binary.AppendVarint(append(b, 'i'), v)
	case string:
		return append(binary.AppendUvarint(append(b, 's'), uint64(len(v))), v...)
	case []byte:
		return append(binary.AppendUvarint(append(b, 'b'), uint64(len(v))), v...)
	case nil:
		return append(b, '-')
	}
	text := fmt.Sprint(cell) // no column of the book's holds such a cell, but a damaged one may
	return append(binary.AppendUvarint(append(b, '?'), uint64(len(text))), text...)
}

// appendKey appends a cell of a key: as [appendCell], and the id of a ledger entry in half of
// the bytes.
func appendKey(b []byte, cell any) []byte {
	if text, ok := cell.(string); ok && len(text) == 34 && strings.HasPrefix(text, "k-") {
		var raw [16]byte
		if _, err := hex.Decode(raw[:], []byte(text[2:])); err == nil && strings.ToLower(text) == text {
			return append(append(b, 'k'), raw[:]...)
		}
	}
	return appendCell(b, cell)
}

// markSize is the bytes of a cell's mark.
const markSize = 2

// appendMark appends two bytes that a cell's bytes come to. They say which cell of a row is
// another, where a digest says that the row is; of 65,536 changes they miss one.
func appendMark(marks, cell []byte) []byte {
	h := uint32(2166136261) // FNV-1a
	for _, c := range cell {
		h = (h ^ uint32(c)) * 16777619
	}
	return append(marks, byte(h>>24), byte(h>>16))
}

// sealer makes seals. Its buffers are used again.
type sealer struct {
	row, id []byte
}

// key is a row's key; good until the next call.
func (s *sealer) key(l *layout, cells []any) []byte {
	s.id = s.id[:0]
	for _, i := range l.key {
		s.id = appendKey(s.id, cells[i])
	}
	return s.id
}

// seal returns the digest of a row, and appends the mark of each cell to marks, both in the
// order of the columns' names.
func (s *sealer) seal(l *layout, cells []any, marks []byte) (digest, []byte) {
	s.row = append(append(s.row[:0], l.table...), 0)
	for _, i := range l.order {
		start := len(s.row)
		s.row = appendCell(s.row, cells[i])
		marks = appendMark(marks, s.row[start:])
	}
	sum := sha256.Sum256(s.row)
	return digest(sum[:16]), marks
}
