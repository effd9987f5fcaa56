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

// CreditedByEmail are the promoters whom events were credited to of customers with an e-mail
// address that are bound to nobody: they were whose an import said. Of several the newest event
// counts.
func (b *Book) CreditedByEmail(ctx context.Context) (map[string]int64, error) {
	credited := map[string]int64{}
	err := b.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT c.email, e.promoter_id FROM event e JOIN customer c ON c.id = e.customer_id
			WHERE e.promoter_id != 0 AND c.promoter_id = 0 AND c.email != '' ORDER BY e.id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var email string
			var promoter int64
			if err := rows.Scan(&email, &promoter); err != nil {
				return err
			}
			credited[email] = promoter
		}
		return rows.Err()
	})
	return credited, err
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
