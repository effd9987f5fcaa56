package book

import (
	"cmp"
	"context"
	"database/sql"
	"sync"
)

// Source is a file from which an import read rows.
type Source struct {
	ID   int64  // assigned by [Book.Apply]; in [KeapRecords], 1 + the index in Sources
	Path string // as the operator named it
	Kind string
}

// Origin is the place of a row in the exports: a source and a physical line.
type Origin struct {
	Source int64
	Line   int64
}

var sources = table[Source]{
	name:    "source",
	columns: "id, path, kind",
	key:     1,
	owned:   true,
	record:  (*Source).record,
}

func (s *Source) record(r *record) {
	r.int(&s.ID)
	r.text(&s.Path)
	r.word(&s.Kind)
}

// Rows are the rows of one table to write: new ones, and ones that replace others.
type Rows[T any] struct {
	Create, Update []T
}

// Len is the number of rows.
func (r Rows[T]) Len() int { return len(r.Create) + len(r.Update) }

// KeapRecords is what an import carries over from Keap beside the [Content]: customers, sales and the
// ledger.
type KeapRecords struct {
	Sources       []Source
	Contacts      Rows[Contact]
	Referrals     Rows[Referral]
	ReferralRows  Rows[ReferralRow]
	Sales         Rows[Sale]
	Subscriptions Rows[Subscription]
	Commissions   []Commission       // ascending ids
	Entries       []Commission       // openings and differences, ascending ids
	Posted        []PostedCommission // when read, instead of Commissions and Entries; ascending ids
	Payouts       []Payout           // ascending ids
}

// Len is the number of rows, sources left out.
func (m *KeapRecords) Len() int {
	return m.Contacts.Len() + m.Referrals.Len() + m.ReferralRows.Len() + m.Sales.Len() + m.Subscriptions.Len() +
		len(m.Commissions) + len(m.Entries) + len(m.Posted) + len(m.Payouts)
}

// Changes is everything that an import writes.
type Changes struct {
	Content     // rows to create or replace
	KeapRecords KeapRecords
}

// Len is the number of rows.
func (c *Changes) Len() int { return c.Content.Len() + c.KeapRecords.Len() }

// write creates new rows and replaces others.
func (m *KeapRecords) write(w *writer) error {
	if err := w.tx.QueryRow(`SELECT coalesce(max(id), 0) FROM source`).Scan(&w.sources.before); err != nil {
		return err
	}
	w.sources.count = int64(len(m.Sources))
	numbered := make([]Source, len(m.Sources))
	for i, s := range m.Sources {
		s.ID = w.sources.before + int64(i) + 1
		numbered[i] = s
	}
	if err := sources.create(w.withoutProgress(), numbered); err != nil {
		return err
	}
	if err := contacts.write(w, m.Contacts); err != nil {
		return err
	}
	if err := referrals.write(w, m.Referrals); err != nil {
		return err
	}
	if err := referralRows.write(w, m.ReferralRows); err != nil {
		return err
	}
	if err := sales.write(w, m.Sales); err != nil {
		return err
	}
	if err := subscriptions.write(w, m.Subscriptions); err != nil {
		return err
	}
	if err := commissions.create(w, m.Commissions); err != nil {
		return err
	}
	if err := commissions.create(w, m.Entries); err != nil {
		return err
	}
	return payouts.create(w, m.Payouts)
}

// KeapRecords reads everything that a plan compares with, of one moment: rows in the order of
// their keys, all under Create; of commissions the part in Booked.
func (b *Book) KeapRecords(ctx context.Context) (*KeapRecords, error) {
	left, right, err := b.sameViews(ctx)
	if err != nil {
		return nil, err
	}
	defer left.Rollback()
	defer right.Rollback()
	var m KeapRecords
	var leftErr, rightErr error
	var wg sync.WaitGroup
	wg.Go(func() { m.Posted, leftErr = postedCommissions.whole(ctx, left) })
	wg.Go(func() { rightErr = m.readCustomers(ctx, right) })
	wg.Wait()
	return &m, cmp.Or(leftErr, rightErr)
}

// readCustomers reads all but the commissions.
func (m *KeapRecords) readCustomers(ctx context.Context, tx *sql.Tx) (err error) {
	if m.Sources, err = sources.whole(ctx, tx); err != nil {
		return err
	}
	if m.Contacts.Create, err = contacts.whole(ctx, tx); err != nil {
		return err
	}
	if m.Referrals.Create, err = referrals.whole(ctx, tx); err != nil {
		return err
	}
	if m.ReferralRows.Create, err = referralRows.whole(ctx, tx); err != nil {
		return err
	}
	if m.Sales.Create, err = sales.whole(ctx, tx); err != nil {
		return err
	}
	if m.Subscriptions.Create, err = subscriptions.whole(ctx, tx); err != nil {
		return err
	}
	m.Payouts, err = payouts.whole(ctx, tx)
	return err
}

// sameViews begins two read transactions that see the same imports. Only imports write
// Money, and each of them changes the import table.
func (b *Book) sameViews(ctx context.Context) (left, right *sql.Tx, err error) {
	type state struct{ last, undone int64 }
	begin := func() (tx *sql.Tx, s state, err error) {
		if tx, err = b.r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}); err != nil {
			return nil, s, err
		}
		// The first read fixes the moment of a transaction.
		if err = tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0), count(rolled_back_at) FROM import`).Scan(&s.last, &s.undone); err != nil {
			tx.Rollback()
		}
		return tx, s, err
	}
	for {
		left, one, err := begin()
		if err != nil {
			return nil, nil, err
		}
		right, other, err := begin()
		if err == nil && one == other {
			return left, right, nil
		}
		left.Rollback()
		if err != nil {
			return nil, nil, err
		}
		right.Rollback()
	}
}
