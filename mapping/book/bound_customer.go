package book

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// BoundCustomer is a customer that a sign-up or a sale bound to a promoter.
type BoundCustomer struct {
	Customer
	By string // what decided: terms.ByClick, for example
}

// BoundCustomers lists the customers that were bound live, in the order of their addresses, as
// [Book.Customers] gives those of Keap.
func (b *Book) BoundCustomers(ctx context.Context) (list []BoundCustomer, err error) {
	err = b.view(ctx, func(tx *sql.Tx) error {
		all, err := customers.some(ctx, tx, "WHERE promoter_id != 0")
		if err != nil {
			return err
		}
		// The first event that credits a promoter who did not own the customer before.
		deciding, err := tx.PrepareContext(ctx, `SELECT coalesce((SELECT json_extract(evidence, '$.by') FROM event
			WHERE customer_id = ? AND promoter_id != 0 AND json_extract(evidence, '$.by') NOT IN ('owner', 'carried') ORDER BY id LIMIT 1), '')`)
		if err != nil {
			return err
		}
		defer deciding.Close()
		for _, c := range all {
			var by string
			if err := deciding.QueryRowContext(ctx, c.ID).Scan(&by); err != nil {
				return fmt.Errorf("reading how customer %d was bound: %w", c.ID, err)
			}
			list = append(list, BoundCustomer{c, by})
		}
		return nil
	})
	slices.SortFunc(list, func(x, y BoundCustomer) int { return cmp.Or(cmp.Compare(x.Email, y.Email), cmp.Compare(x.ID, y.ID)) })
	return list, err
}
