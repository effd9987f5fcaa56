package book

import (
	"context"
	"errors"
	"fmt"
)

// Correction is an amount that a person has booked because the ledger is wrong: nothing in
// it is ever edited. It counts like a commission of its month, or below 0 like what takes
// back from that month.
type Correction struct {
	LineID     int64 // of the ledger: t-17
	PromoterID int64
	Month      int32 // of earning, in the program's zone
	Amount     int64 // minor units; what it does to the balance, not 0
	Currency   string
	Note       string // why
	RecordedAt int64  // Unix seconds
	RecordedBy string
}

var corrections = table[Correction]{"correction c JOIN event_line l ON l.id = c.line_id",
	"c.line_id, l.promoter_id, l.month, l.amount, l.currency, c.note, c.recorded_at, c.recorded_by", 1, false, (*Correction).record}

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
	// ErrDuplicateCorrection says that a correction is there already, word for word.
	ErrDuplicateCorrection = errors.New("it was booked just so before")
	// ErrNoCorrection says that a line of the ledger is no correction.
	ErrNoCorrection = errors.New("it is no correction")
)

// Correct books a correction and gives it its line. One that is there already, with the
// same promoter, month, amount and note, is an [ErrDuplicateCorrection], and c is that one then: who
// sends a command twice does not pay twice.
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
		if _, err := t.tx.ExecContext(ctx, `INSERT INTO correction (line_id, note, recorded_at, recorded_by) VALUES (?, ?, ?, ?)`, c.LineID, c.Note, c.RecordedAt, c.RecordedBy); err != nil {
			return fmt.Errorf("writing correction: %w", err)
		}
		return nil
	})
}

// Correction is the correction of a line; [ErrNoCorrection] when there is none.
func (b *Book) Correction(ctx context.Context, line int64) (Correction, error) {
	return corrections.one(ctx, b, line, ErrNoCorrection)
}

// IsLive says whether anything was booked here beside what runs have carried over.
func (b *Book) IsLive(ctx context.Context) (yes bool, err error) {
	if err = b.r.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM event_line)`).Scan(&yes); err != nil {
		err = fmt.Errorf("looking for what was tracked: %w", err)
	}
	return yes, err
}
