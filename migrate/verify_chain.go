package migrate

import (
	"context"
	"fmt"

	"carryover/mapping/book"
)

// entryTables are the tables whose rows are entries of the ledger, or make them.
var entryTables = map[string]bool{"commission": true, "payout": true, "event_line": true, "payout_record": true}

// chainTables are the chain itself: where it is broken, nothing proves the entries.
var chainTables = map[string]bool{"chain": true, "chain_head": true}

// verifyChain says which rows of the book are not as they were written, by imports or live.
func verifyChain(ctx context.Context, b *book.Book) (Check, error) {
	var check Check
	count := func(r *book.Row) {
		if entryTables[r.Table] {
			check.entries++
		}
	}
	proof, err := b.Prove(ctx, count, func(f book.Fault) {
		check.mismatch("%s", f.Text)
		check.Money = check.Money || entryTables[f.Table] || chainTables[f.Table]
	})
	check.Name = fmt.Sprintf("book = as it was written (chain of %s)", quantity(int(proof.Links), "link", "links"))
	check.Compared = proof.Rows
	return check, err
}
