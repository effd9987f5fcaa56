package book

import (
	"context"
	"errors"
	"fmt"
)

// Correction is an amount that a person books because the ledger is wrong, in which nothing is
// ever edited. It counts like a commission of its month or, below 0, like a reversal of one.
type Correction struct {
	LineID     int64 // in the ledger: t-17
	PromoterID int64
	Month      int32 // of earning, in the program's zone
	Amount     int64 // minor units, as it changes the balance; not 0
	Currency   string
	Note       string // why
	RecordedAt int64  // Unix seconds
	RecordedBy string
}

var corrections = table[Correction]{
	name:    "correction c JOIN event_line l ON l.id = c.line_id",
	columns: "c.line_id, l.promoter_id, l.month, l.amount, l.currency, c.note, c.recorded_at, c.recorded_by",
	key:     1,
	record:  (*Correction).record,
}

var correctionLayout = newLayout("correction", []string{"line_id", "note", "recorded_at", "recorded_by"}, []string{"line_id"})

func (c *Correction) record(r *record) {
	r.int(&c.LineID)
	r.int(&c.PromoterID)
	r.month(&c.Month)
	r.int(&c.Amount)
	r.word(&c.Currency)
	r.text(&c.Note)
	r.int(&c.RecordedAt)
	r.word(&c.RecordedBy)
}

var (
	// ErrDuplicateCorrection says that an equal correction is booked already.
	ErrDuplicateCorrection = errors.New("it was booked just so before")
	// ErrNoCorrection says that an entry of the ledger is no correction.
	ErrNoCorrection = errors.New("it is no correction")
)

// Correct books a correction and sets its LineID. When one with the same promoter, month,
// amount and note is booked already, it fails with [ErrDuplicateCorrection] and sets c to that
// one, so that a command that is sent twice does not pay twice.
func (b *Book) Correct(ctx context.Context, c *Correction) error {
	return b.Track(func(t *Tracking) error {
		same, err := corrections.some(ctx, t.tx, "WHERE l.promoter_id = ? AND l.month = ? AND l.amount = ? AND l.currency = ? AND c.note = ?",
			c.PromoterID, c.Month, c.Amount, c.Currency, c.Note)
		if err != nil {
			return err
		}
		if len(same) > 0 {
			*c = same[0]
			return ErrDuplicateCorrection
		}
		if c.LineID, err = t.nextID(&t.lastLine, t.stmts.maxLine); err != nil {
			return err
		}
		if err := insertTracked(t, &eventLines, t.stmts.addLine, &EventLine{
			ID: c.LineID, Kind: KindCorrection, PromoterID: c.PromoterID, At: c.RecordedAt, Month: c.Month, Amount: c.Amount, Currency: c.Currency,
		}); err != nil {
			return err
		}
		cells := []any{c.LineID, c.Note, c.RecordedAt, c.RecordedBy}
		_, err = t.tx.ExecContext(ctx, `INSERT INTO correction (line_id, note, recorded_at, recorded_by) VALUES (?, ?, ?, ?)`, cells...)
		if err != nil {
			return fmt.Errorf("writing correction: %w", err)
		}
		t.link.add(correctionLayout, cells)
		return nil
	})
}

// Correction returns the correction of a line; [ErrNoCorrection] when there is none.
func (b *Book) Correction(ctx context.Context, line int64) (Correction, error) {
	return corrections.one(ctx, b, line, ErrNoCorrection)
}

// IsLive reports whether anything was booked live, beside what imports carried over.
func (b *Book) IsLive(ctx context.Context) (yes bool, err error) {
	if err = b.r.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM event_line)`).Scan(&yes); err != nil {
		err = fmt.Errorf("looking for live entries: %w", err)
	}
	return yes, err
}
