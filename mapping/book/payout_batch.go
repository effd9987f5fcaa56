package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// PayoutBatch is an approved batch of payouts. It and its lines never change.
type PayoutBatch struct {
	ID            int64
	Month         int32 // in which it is paid
	EarnedThrough int32 // the last month of earning that it pays
	Currency      string
	ApprovedAt    int64 // Unix seconds
	ApprovedBy    string
}

// PayoutLine is what a batch pays to one promoter; minor units of the batch's currency.
type PayoutLine struct {
	ID         int64
	BatchID    int64
	PromoterID int64
	Months     string // of earning: "2022-12 2023-01"
	Gross      int64
	Refunds    int64 // 0 or less
	Carried    int64
	Net        int64 // the sum of the three, above 0
	Method     string
	Address    string // where it is paid to, as it was when it was approved
	Name       string
}

// PayoutRecord is what became of a line.
type PayoutRecord struct {
	ID         int64
	LineID     int64
	Status     string // one of the Payout constants
	Reference  string // the payment's; unique for a status
	At         int64  // when it happened
	Month      int32  // of At, in the program's zone
	Note       string
	RecordedAt int64
	RecordedBy string

	// DayEnd is not stored. Of a record to be booked for a day that a person named it is the
	// first instant after that day; 0: nobody named one, and At is when it is recorded.
	DayEnd int64
}

// matches reports whether r, which is to be booked, agrees with a booked record in its day and
// note, where r has them.
func (r *PayoutRecord) matches(booked *PayoutRecord) bool {
	return (r.DayEnd == 0 || r.At <= booked.At && booked.At < r.DayEnd) && (r.Note == "" || r.Note == booked.Note)
}

// Values of [PayoutRecord.Status].
const (
	PayoutPaid     = "paid"
	PayoutFailed   = "failed"   // nothing was paid: it is due again
	PayoutReturned = "returned" // it was paid and came back: it is due again
)

var (
	payoutBatches = table[PayoutBatch]{
		name:    "payout_batch",
		columns: "id, month, earned_through, currency, approved_at, approved_by",
		key:     1,
		record:  (*PayoutBatch).record,
	}
	payoutLines = table[PayoutLine]{
		name:    "payout_line",
		columns: "id, batch_id, promoter_id, months, gross, refunds, carried, net, method, address, name",
		key:     1,
		record:  (*PayoutLine).record,
	}
	payoutRecords = table[PayoutRecord]{
		name:    "payout_record",
		columns: "id, line_id, status, reference, at, month, note, recorded_at, recorded_by",
		key:     1,
		record:  (*PayoutRecord).record,
	}
)

func (p *PayoutBatch) record(r *record) {
	r.int(&p.ID)
	r.month(&p.Month)
	r.month(&p.EarnedThrough)
	r.word(&p.Currency)
	r.int(&p.ApprovedAt)
	r.word(&p.ApprovedBy)
}

func (l *PayoutLine) record(r *record) {
	r.int(&l.ID)
	r.int(&l.BatchID)
	r.int(&l.PromoterID)
	r.word(&l.Months)
	r.int(&l.Gross)
	r.int(&l.Refunds)
	r.int(&l.Carried)
	r.int(&l.Net)
	r.word(&l.Method)
	r.text(&l.Address)
	r.text(&l.Name)
}

func (p *PayoutRecord) record(r *record) {
	r.int(&p.ID)
	r.int(&p.LineID)
	r.word(&p.Status)
	r.text(&p.Reference)
	r.int(&p.At)
	r.month(&p.Month)
	r.text(&p.Note)
	r.int(&p.RecordedAt)
	r.word(&p.RecordedBy)
}

// Errors that callers decide on.
var (
	// ErrPayoutsStale says that payouts or the ledger changed since they were added up.
	ErrPayoutsStale = errors.New("payouts were approved or recorded, or a run applied, at the same time")
	// ErrRecordConflict says that a record contradicts one that is booked already.
	ErrRecordConflict = errors.New("it contradicts what is recorded")
)

// Payouts is every batch with its lines and records, of one moment; each in the order of ids.
type Payouts struct {
	Batches []PayoutBatch
	Lines   []PayoutLine
	Records []PayoutRecord
}

// Payouts reads all approved payouts.
func (b *Book) Payouts(ctx context.Context) (*Payouts, error) {
	var p *Payouts
	err := b.view(ctx, func(tx *sql.Tx) (err error) {
		p, err = readPayouts(ctx, tx)
		return err
	})
	return p, err
}

func readPayouts(ctx context.Context, tx *sql.Tx) (*Payouts, error) {
	var p Payouts
	var err error
	if p.Batches, err = payoutBatches.whole(ctx, tx); err != nil {
		return nil, err
	}
	if p.Lines, err = payoutLines.whole(ctx, tx); err != nil {
		return nil, err
	}
	p.Records, err = payoutRecords.whole(ctx, tx)
	return &p, err
}

// Outcomes is the newest record of each line that has one, by the line's id.
func (p *Payouts) Outcomes() map[int64]*PayoutRecord {
	newest := make(map[int64]*PayoutRecord, len(p.Records))
	for i := range p.Records {
		newest[p.Records[i].LineID] = &p.Records[i]
	}
	return newest
}

// payoutState changes with whatever must not happen between planning and approval, because
// something would be paid twice: another approval, record, setting or import. What is tracked
// in between is for the next batch.
func payoutState(ctx context.Context, tx *sql.Tx) (state string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT
		(SELECT coalesce(max(id), 0) FROM payout_batch) || ' ' || (SELECT coalesce(max(id), 0) FROM payout_record) || ' ' ||
		(SELECT coalesce(max(id), 0) FROM promoter_setting) || ' ' ||
		(SELECT coalesce(max(id), 0) || ' ' || count(rolled_back_at) FROM import)`).Scan(&state)
	return state, err
}

// ApprovePayouts adds a batch with its lines, in one transaction, and sets their ids. state is
// the [PayoutInputs.State] from which they were planned; it fails with [ErrPayoutsStale] when
// that has changed.
func (b *Book) ApprovePayouts(ctx context.Context, batch *PayoutBatch, lines []PayoutLine, state string) error {
	return b.write(ctx, func(tx *chained) error {
		now, err := payoutState(ctx, tx.Tx)
		if err != nil {
			return err
		}
		if now != state {
			return ErrPayoutsStale
		}
		var line int64
		if err := tx.QueryRowContext(ctx, `SELECT (SELECT coalesce(max(id), 0) FROM payout_batch) + 1,
			(SELECT coalesce(max(id), 0) FROM payout_line)`).Scan(&batch.ID, &line); err != nil {
			return err
		}
		for i := range lines {
			line++
			lines[i].ID, lines[i].BatchID = line, batch.ID
		}
		w := &writer{ctx: ctx, tx: tx, progress: func(int) {}}
		if err := payoutBatches.create(w, []PayoutBatch{*batch}); err != nil {
			return err
		}
		return payoutLines.create(w, lines)
	})
}

// RecordPayouts books records of lines, all of them in one transaction or none. A record that is
// booked already, with the same reference, is left alone and counted in again. It fails with
// [ErrRecordConflict] when a line has another outcome, the reference is another line's
// ([ReferenceInUseError]), or the booked record has another day or note ([RecordMismatchError]).
// The error is a [PayoutRecordError], which says which record of the list it is about.
func (b *Book) RecordPayouts(ctx context.Context, list []PayoutRecord) (again int, err error) {
	err = b.write(ctx, func(tx *chained) error {
		for i := range list {
			same, err := recordPayout(ctx, tx, &list[i])
			if err != nil {
				return &PayoutRecordError{i, err}
			}
			if same {
				again++
			}
		}
		return nil
	})
	return again, err
}

// PayoutRecordError is the error of one of several records.
type PayoutRecordError struct {
	Index int
	Err   error
}

func (e *PayoutRecordError) Error() string { return e.Err.Error() }
func (e *PayoutRecordError) Unwrap() error { return e.Err }

func recordPayout(ctx context.Context, tx *chained, r *PayoutRecord) (same bool, err error) {
	records, err := payoutRecords.some(ctx, tx.Tx, "WHERE line_id = ? ORDER BY id", r.LineID)
	if err != nil {
		return false, err
	}
	paid := false
	for i := range records {
		booked := &records[i]
		switch {
		case booked.Status == r.Status && booked.Reference == r.Reference && !r.matches(booked):
			return false, &RecordMismatchError{*booked}
		case booked.Status == r.Status && booked.Reference == r.Reference:
			*r = *booked
			return true, nil
		case booked.Status == r.Status:
			return false, fmt.Errorf("%w: %s already, with the reference %q", ErrRecordConflict, booked.Status, booked.Reference)
		case booked.Status == PayoutPaid && r.Status == PayoutReturned:
			paid = true
		default:
			return false, fmt.Errorf("%w: %s, with the reference %q", ErrRecordConflict, booked.Status, booked.Reference)
		}
	}
	if r.Status == PayoutReturned && !paid {
		return false, fmt.Errorf("%w: what was not recorded as paid cannot come back", ErrRecordConflict)
	}
	others, err := payoutRecords.some(ctx, tx.Tx, "WHERE reference = ? AND status = ?", r.Reference, r.Status)
	if err != nil {
		return false, err
	}
	if len(others) > 0 {
		return false, &ReferenceInUseError{Reference: r.Reference, Status: r.Status, LineID: others[0].LineID}
	}
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) + 1 FROM payout_record`).Scan(&r.ID); err != nil {
		return false, err
	}
	return false, insertRow(ctx, tx, &payoutRecords, r)
}

// RecordMismatchError says that a record with the same reference is booked with another day or
// note. It is an [ErrRecordConflict].
type RecordMismatchError struct{ Booked PayoutRecord }

func (e *RecordMismatchError) Error() string {
	return fmt.Sprintf("%v: %s already, with the reference %q, on another day or with another note",
		ErrRecordConflict, e.Booked.Status, e.Booked.Reference)
}

func (e *RecordMismatchError) Unwrap() error { return ErrRecordConflict }

// ReferenceInUseError says that a payment's reference is another line's. It is an
// [ErrRecordConflict].
type ReferenceInUseError struct {
	Reference, Status string
	LineID            int64
}

func (e *ReferenceInUseError) Error() string {
	return fmt.Sprintf("the reference %q is that of another line that was %s", e.Reference, e.Status)
}

func (e *ReferenceInUseError) Unwrap() error { return ErrRecordConflict }
