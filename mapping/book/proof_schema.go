package book

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkSchema compares the tables, views, indexes and triggers of the book with those of a new
// one: through another view the same rows make another ledger, and a trigger writes by itself.
// It says whether the chain's own tables can be read.
func (p *prover) checkSchema() (readable bool, err error) {
	fresh, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return false, err
	}
	defer fresh.Close()
	fresh.SetMaxOpenConns(1) // each connection has a memory of its own
	if err := applySchemas(fresh); err != nil {
		return false, err
	}
	tx, err := fresh.BeginTx(p.ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	want, err := readSchema(p.ctx, tx)
	if err != nil {
		return false, err
	}
	got, err := readSchema(p.ctx, p.tx)
	if err != nil {
		return false, err
	}
	chain, head := "table chain", "table chain_head"
	readable = got[chain] == want[chain] && got[head] == want[head]
	fault := func(name, text string) {
		_, table, _ := strings.Cut(name, " ")
		p.fault(Fault{Table: table, Text: fmt.Sprintf(text, name)})
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if text, ok := got[name]; !ok {
			fault(name, "the %s is gone from the book")
		} else if text != want[name] {
			fault(name, "the %s of the book is not as carryover defines it")
		}
		delete(got, name)
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		fault(name, "the %s was put into the book by something else than carryover")
	}
	return readable, nil
}

// readSchema reads how everything in a book is defined, by "table event".
func readSchema(ctx context.Context, tx *sql.Tx) (map[string]string, error) {
	rows, err := tx.QueryContext(ctx,
		`SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite@_%' ESCAPE '@'`)
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
