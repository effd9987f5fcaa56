package book

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
)

// checkSchema compares the tables, views, indexes and triggers of the book with those of a new
// one: through another view the same rows make another ledger, and a trigger writes by itself.
func (p *prover) checkSchema() error {
	fresh, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return err
	}
	defer fresh.Close()
	fresh.SetMaxOpenConns(1) // each connection has a memory of its own
	if err := applySchemas(fresh); err != nil {
		return err
	}
	tx, err := fresh.BeginTx(p.ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	want, err := readSchema(p.ctx, tx)
	if err != nil {
		return err
	}
	got, err := readSchema(p.ctx, p.tx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if text, ok := got[name]; !ok {
			p.fault(Fault{Table: name, Text: fmt.Sprintf("the %s is gone from the book", name)})
		} else if text != want[name] {
			p.fault(Fault{Table: name, Text: fmt.Sprintf("the %s of the book is not as carryover defines it", name)})
		}
		delete(got, name)
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		p.fault(Fault{Table: name, Text: fmt.Sprintf("the %s was put into the book by something else than carryover", name)})
	}
	return nil
}

// readSchema reads how everything in a book is defined, by "table event".
func readSchema(ctx context.Context, tx *sql.Tx) (map[string]string, error) {
	rows, err := tx.QueryContext(ctx, `SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite@_%' ESCAPE '@'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	defined := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		defined[name] = text
	}
	return defined, rows.Err()
}
