package migrate

import (
	"context"
	"fmt"

	"carryover/mapping/book"
)

// verifyChain says which rows of the book are not as they were written, by imports or live.
func verifyChain(ctx context.Context, b *book.Book) (Check, error) {
	var check Check
	proof, err := b.Prove(ctx, nil, func(f book.Fault) { check.mismatch("%s", f.Text) })
	check.Name = fmt.Sprintf("book = as it was written (chain of %s)", quantity(int(proof.Links), "link", "links"))
	check.Compared = proof.Rows
	return check, err
}
