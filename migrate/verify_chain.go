package migrate

import (
	"context"
	"fmt"

	"carryover/mapping/book"
)

// entryTables are the tables whose rows are entries of the ledger.
var entryTables = map[string]bool{"commission": true, "payout": true, "event_line": true, "payout_record": true}

// moneyTables are those of which a change may change a balance: the entries, what they are read
// with, and the chain itself, without which nothing proves them.
var moneyTables = map[string]bool{
	"commission": true, "payout": true, "event_line": true, "payout_record": true, "payout_line": true, "payout_batch": true,
	"correction": true, "entry": true, "chain": true, "chain_head": true,
}

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
		if moneyTables[f.Table] {
			check.money++
		}
	})
	check.Name = fmt.Sprintf("book = as it was written (chain of %s)", quantity(int(proof.Links), "link", "links"))
	check.Compared = proof.Rows
	return check, err
}
