package book

import (
	"context"
	"database/sql"
)

// PaidTotal is what an earner was paid in a time by one method, less what was returned; minor
// units.
type PaidTotal struct {
	Earner
	Currency string
	Method   string // as exported, or as approved
	Amount   int64
}

// PaidTotals lists what was paid from one instant to another (Unix seconds), at Keap and live, in
// the order of earner, currency and method.
func (b *Book) PaidTotals(ctx context.Context, from, to int64) (list []PaidTotal, err error) {
	err = b.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT promoter_id, partner_id, currency, type, sum(-amount) FROM entry
			WHERE kind = 'payment' AND at >= ? AND at < ? GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`, from, to)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p PaidTotal
			if err := rows.Scan(&p.PromoterID, &p.PartnerID, &p.Currency, &p.Method, &p.Amount); err != nil {
				return err
			}
			list = append(list, p)
		}
		return rows.Err()
	})
	return list, err
}
