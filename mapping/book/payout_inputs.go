package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// LedgerTotal is what an earner's entries of one kind, currency and month come to, those above
// and those below 0 apart; minor units.
type LedgerTotal struct {
	Earner
	Kind     string // one of the Kind constants; KindPayment is what was paid at Keap
	Currency string
	Month    int32 // of earning; of a reversal: that of the commission, 0 when it is not known; of a payment 0
	Amount   int64 // as it changes the balance
	New      int64 // of an Amount below 0: the part that was booked since the last batch
}

// FlaggedCommission is a commission under a review that nobody has decided yet.
type FlaggedCommission struct {
	LineID     int64
	PromoterID int64
	Currency   string
	Month      int32
	Amount     int64 // less its reversals
	BookedAt   int64
	FlaggedAt  int64
}

// PayoutInputs is everything from which payouts are planned, of one moment.
type PayoutInputs struct {
	Totals  []LedgerTotal
	Flagged []FlaggedCommission
	Payouts *Payouts
	Ledger  map[string]int64 // sum of all entries by currency, added up independently of Totals
	State   string           // for [Book.ApprovePayouts]
}

// PayoutInputs adds up the ledger for a plan of payouts in a currency; others are added up as
// well. Reversals are new when they were booked after the newest batch in that currency was
// approved or, without one, from begin (Unix seconds) on.
func (b *Book) PayoutInputs(ctx context.Context, currency string, begin int64) (*PayoutInputs, error) {
	var d PayoutInputs
	err := b.view(ctx, func(tx *sql.Tx) (err error) {
		if d.State, err = payoutState(ctx, tx); err != nil {
			return err
		}
		if d.Payouts, err = readPayouts(ctx, tx); err != nil {
			return err
		}
		since := begin - 1
		if batch := d.Payouts.last(currency); batch != nil {
			since = batch.ApprovedAt
		}
		if d.Totals, err = readLedgerTotals(ctx, tx, currency, since); err != nil {
			return fmt.Errorf("adding up what is due: %w", err)
		}
		if d.Flagged, err = readFlagged(ctx, tx); err != nil {
			return fmt.Errorf("reading what is to be reviewed: %w", err)
		}
		if d.Ledger, err = ledgerSums(ctx, tx); err != nil {
			return fmt.Errorf("adding up the ledger: %w", err)
		}
		return nil
	})
	return &d, err
}

// ledgerSums adds all entries of the ledger up, by currency, whoever they belong to.
func ledgerSums(ctx context.Context, tx *sql.Tx) (map[string]int64, error) {
	rows, err := tx.QueryContext(ctx, `SELECT currency, sum(amount) FROM entry GROUP BY currency`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	sums := map[string]int64{}
	for rows.Next() {
		var currency string
		var amount int64
		if err := rows.Scan(&currency, &amount); err != nil {
			return nil, err
		}
		sums[currency] = amount
	}
	return sums, rows.Err()
}

// last is the newest batch in a currency; nil: there is none.
func (p *Payouts) last(currency string) (batch *PayoutBatch) {
	for i := range p.Batches {
		if p.Batches[i].Currency == currency {
			batch = &p.Batches[i]
		}
	}
	return batch
}

// monthKeys packs an earner's id and a month into one number, id*monthKeys + month, because
// SQLite groups by one number in half the time of two columns.
const monthKeys = 1_000_000

func readLedgerTotals(ctx context.Context, tx *sql.Tx, currency string, since int64) (sums []LedgerTotal, err error) {
	read := func(scan func(rows *sql.Rows) (LedgerTotal, error), query string, args ...any) error {
		rows, err := tx.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			s, err := scan(rows)
			if err != nil {
				return err
			}
			sums = append(sums, s)
		}
		return rows.Err()
	}
	// NOT INDEXED, because finding each row by the index of earners takes longer than sorting.
	//
	// Commissions in the program's currency are most of the rows.
	packed := func(rows *sql.Rows) (id int64, s LedgerTotal, err error) {
		s = LedgerTotal{Kind: KindCommission, Currency: currency}
		var key int64
		err = rows.Scan(&key, &s.Amount)
		id, s.Month = key/monthKeys, int32(key%monthKeys)
		if s.Month < 0 { // the id is below 0
			id, s.Month = id-1, s.Month+monthKeys
		}
		return id, s, err
	}
	packedLive := func(rows *sql.Rows) (LedgerTotal, error) {
		id, s, err := packed(rows)
		s.PromoterID = id
		return s, err
	}
	packedCarried := func(rows *sql.Rows) (LedgerTotal, error) {
		id, s, err := packed(rows)
		s.PartnerID = id
		return s, err
	}
	live := func(rows *sql.Rows) (s LedgerTotal, err error) {
		err = rows.Scan(&s.PromoterID, &s.Kind, &s.Currency, &s.Month, &s.Amount, &s.New)
		return s, err
	}
	carried := func(rows *sql.Rows) (s LedgerTotal, err error) {
		err = rows.Scan(&s.PartnerID, &s.Kind, &s.Currency, &s.Month, &s.Amount, &s.New)
		return s, err
	}
	return sums, errors.Join(
		read(packedLive, `SELECT promoter_id * 1000000 + month, sum(amount) FROM event_line NOT INDEXED
			WHERE kind = 'commission' AND currency = ? GROUP BY 1`, currency),
		read(packedCarried, `SELECT partner_id * 1000000 + month, sum(amount) FROM commission
			WHERE kind = 'commission' AND currency = ? GROUP BY 1`, currency),
		read(live, `SELECT promoter_id, kind, currency, month, sum(amount), 0 FROM event_line NOT INDEXED
			WHERE kind = 'commission' AND currency != ? GROUP BY 1, 2, 3, 4`, currency),
		// A reversal is booked when its event is received, or when a person decides. Of a sale at
		// Keap the commission is not known, so its reversal counts like one of Keap's clawbacks.
		read(live, `SELECT l.promoter_id, CASE WHEN l.reverses_line_id = 0 THEN 'clawback' ELSE l.kind END, l.currency, l.month, sum(l.amount),
				sum(CASE WHEN max(l.at, coalesce((SELECT received_at FROM event WHERE id = l.event_id), 0)) > ? THEN l.amount ELSE 0 END)
			FROM event_line l NOT INDEXED WHERE l.kind NOT IN ('commission', 'correction') GROUP BY 1, 2, 3, 4`, since),
		read(live, `SELECT l.promoter_id, l.kind, l.currency, l.month, sum(l.amount),
				sum(CASE WHEN l.amount < 0 AND c.recorded_at > ? THEN l.amount ELSE 0 END)
			FROM correction c JOIN event_line l ON l.id = c.line_id GROUP BY 1, 2, 3, 4, l.amount < 0`, since),
		read(carried, `SELECT partner_id, kind, currency, month, sum(amount), sum(CASE WHEN amount < 0 AND earned_at > ? THEN amount ELSE 0 END)
			FROM commission NOT INDEXED WHERE NOT (kind = 'commission' AND currency = ?) GROUP BY 1, 2, 3, 4, amount < 0`, since, currency),
		read(carried, `SELECT partner_id, 'payment', currency, 0, -sum(amount), 0 FROM payout NOT INDEXED GROUP BY 1, 3`),
	)
}

func readFlagged(ctx context.Context, tx *sql.Tx) (list []FlaggedCommission, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT l.id, l.promoter_id, l.currency, l.month,
			l.amount + coalesce((SELECT sum(t.amount) FROM event_line t WHERE t.reverses_line_id = l.id AND t.reverses_line_id != 0), 0),
			max(l.at, coalesce((SELECT received_at FROM event WHERE id = l.event_id), 0)), f.at
		FROM (SELECT line_id, min(at) AS at FROM review WHERE line_id NOT IN (SELECT line_id FROM review_decision) GROUP BY line_id) f
		JOIN event_line l ON l.id = f.line_id WHERE l.kind = 'commission'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var f FlaggedCommission
		if err := rows.Scan(&f.LineID, &f.PromoterID, &f.Currency, &f.Month, &f.Amount, &f.BookedAt, &f.FlaggedAt); err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, rows.Err()
}
