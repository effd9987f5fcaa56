package book

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

// changedRow is a row that an import replaced, or created in a table whose rows do not name
// their import.
type changedRow struct {
	Seq    int64
	Table  string
	Key    string // JSON: the cells of its key
	Before string // JSON: the row as it was; empty: it was not there
}

var changedRows = table[changedRow]{
	name:    "change",
	columns: "seq, table_name, row_key, row_before",
	key:     1,
	owned:   true,
	byRun:   true,
	record:  (*changedRow).record,
}

func (c *changedRow) record(r *record) {
	r.int(&c.Seq)
	r.text(&c.Table)
	r.text(&c.Key)
	r.text(&c.Before)
}

// numberChange gives a changed row its number and its key.
func (w *writer) numberChange(c changedRow, key []any) (changedRow, error) {
	w.seq++
	c.Seq = w.seq
	text, err := json.Marshal(key)
	c.Key = string(text)
	return c, err
}

// keyCells reads the cells of the key.
func (c *changedRow) keyCells() (key []any, err error) {
	numbers := json.NewDecoder(strings.NewReader(c.Key))
	numbers.UseNumber() // a Keap id may need all of its 64 bits
	if err := numbers.Decode(&key); err != nil {
		return nil, err
	}
	for i := range key {
		if n, ok := key[i].(json.Number); ok {
			if key[i], err = n.Int64(); err != nil {
				return nil, err
			}
		}
	}
	return key, nil
}

// undo restores the table as it was before the import.
func (t *table[T]) undo(w *writer) error {
	list, err := changedRows.some(w.ctx, w.tx.Tx, "WHERE import_id = ? AND table_name = ? ORDER BY seq DESC", w.importID, t.name)
	if err != nil {
		return err
	}
	if t.owned {
		if err := t.restore(w, list); err != nil {
			return err
		}
		if err := t.deleteCreated(w); err != nil {
			return err
		}
	} else {
		// Two passes: a token or code may have moved from one row to another, and a row that
		// is restored before the other is deleted would collide with it.
		if err := t.deleteChanged(w, list); err != nil {
			return err
		}
		if err := t.restore(w, list); err != nil {
			return err
		}
	}
	_, err = w.tx.Exec("DELETE FROM change WHERE import_id = ? AND table_name = ?", w.importID, t.name)
	return err
}

func (t *table[T]) deleteChanged(w *writer, list []changedRow) error {
	stmt, err := w.tx.Prepare("DELETE FROM " + t.name + " WHERE " + t.isRow())
	if err != nil {
		return err
	}
	for i := range list {
		key, err := list[i].keyCells()
		if err != nil {
			return err
		}
		if _, err := stmt.Exec(key...); err != nil {
			return err
		}
	}
	return nil
}

// restore writes rows as they were, the latest change first.
func (t *table[T]) restore(w *writer, list []changedRow) error {
	put, err := w.tx.Prepare(t.putText())
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.Before == "" {
			continue
		}
		var row T
		if err := json.Unmarshal([]byte(c.Before), &row); err != nil {
			return fmt.Errorf("what %s %s was before cannot be read: %w", t.name, c.Key, err)
		}
		var r record
		if t.owned {
			r.cells = append(r.cells, w.importID)
		}
		t.record(&row, &r)
		if _, err := put.Exec(r.cells...); err != nil {
			return fmt.Errorf("putting %s %s back: %w", t.name, c.Key, err)
		}
	}
	return nil
}

// deleteCreated deletes the rows that the import created.
func (t *table[T]) deleteCreated(w *writer) error {
	var all, created int
	err := w.tx.QueryRow("SELECT count(*), count(*) FILTER (WHERE import_id = ?) FROM "+t.name, w.importID).Scan(&all, &created)
	if err != nil || created == 0 {
		return err
	}
	if created == all {
		_, err := w.tx.Exec("DELETE FROM " + t.name) // at once, not row by row
		return err
	}
	rebuild := func() error { return nil }
	if created >= 1000 && created > all/4 {
		var err error
		if rebuild, err = dropIndexes(w.tx.Tx, t.name); err != nil {
			return err
		}
	}
	if _, err := w.tx.Exec("DELETE FROM "+t.name+" WHERE import_id = ?", w.importID); err != nil {
		return err
	}
	return rebuild()
}

// undo rolls an import back.
func undo(w *writer) error {
	for _, undo := range []func(*writer) error{
		promoters.undo, aliases.undo, links.undo,
		sources.undo, contacts.undo, referrals.undo, referralRows.undo, sales.undo, subscriptions.undo, commissions.undo, payouts.undo,
	} {
		if err := undo(w); err != nil {
			return err
		}
	}
	var unknown string
	switch err := w.tx.QueryRow("SELECT table_name FROM change WHERE import_id = ? LIMIT 1", w.importID).Scan(&unknown); err {
	case sql.ErrNoRows:
		return nil
	case nil:
		return fmt.Errorf("the run changed %s, which this carryover does not know", unknown)
	default:
		return err
	}
}
