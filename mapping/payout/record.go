package payout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Outcome is something to record of a line.
type Outcome struct {
	Where string // for a person: the row of a file; empty: the command line
	Name  string // of the line, as written
	line  *book.PayoutLine
	book.PayoutRecord
}

// Recorded is what came of recording outcomes.
type Recorded struct {
	Already  int      `json:"already_recorded"` // just so before, and not changed
	LeftOut  int      `json:"left_out"`         // lines that were left as they are
	Lines    []string `json:"lines"`
	Recorded int      `json:"recorded"`
}

// Result is what a person says of a batch or a line.
type Result struct {
	Target    string // 3 or R3 for a batch, R3-17 for a line
	Status    string // one of the book's Payout constants
	Reference string // the payment's; of a failed one it may be empty
}

// RecordResult records the same result of a line, or of all lines of a batch that it fits;
// each line of a batch gets the reference with its own name after it. base has what all of
// them share: when, the note and who records.
func (s *Service) RecordResult(ctx context.Context, r Result, base book.PayoutRecord) (*Recorded, error) {
	all, err := s.Book.Payouts(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{book.PayoutPaid, book.PayoutFailed, book.PayoutReturned}, r.Status) {
		return nil, book.NewInputError("--status: %q is none: write paid, failed or returned", r.Status)
	}
	id, line, ok := ParseName(r.Target)
	if !ok {
		return nil, book.NewInputError("%q names no run and no line: write 3 for a run, R3-17 for a line of it", r.Target)
	}
	base.Status, base.Reference = r.Status, strings.TrimSpace(r.Reference)
	if base.Reference == "" && r.Status != book.PayoutFailed {
		return nil, book.NewInputError("--reference is missing: the payment's, such as a transaction or a check number")
	}
	batch, err := findBatch(all, id)
	if err != nil {
		return nil, err
	}
	if line != 0 {
		return s.record(ctx, all, []Outcome{{Name: r.Target, PayoutRecord: base}}, 0)
	}
	var list []Outcome
	skipped, outcomes := 0, all.Outcomes()
	for _, l := range linesOf(all, batch.ID) {
		o := Outcome{Name: LineName(l), line: l, PayoutRecord: base}
		o.Reference = o.Name // of one that failed it is enough
		if base.Reference != "" {
			o.Reference = base.Reference + "/" + o.Name
		}
		before := statusOf(outcomes[l.ID])
		fits := before == StatusOpen && r.Status != book.PayoutReturned || before == book.PayoutPaid && r.Status == book.PayoutReturned
		repeats := before == r.Status && outcomes[l.ID].Reference == o.Reference
		if !fits && !repeats {
			skipped++
			continue
		}
		list = append(list, o)
	}
	return s.record(ctx, all, list, skipped)
}

// RecordOutcomes records what a file of results says; skipped counts its rows that are not
// decided yet.
func (s *Service) RecordOutcomes(ctx context.Context, list []Outcome, skipped int) (*Recorded, error) {
	all, err := s.Book.Payouts(ctx)
	if err != nil {
		return nil, err
	}
	return s.record(ctx, all, list, skipped)
}

// record books outcomes, all or none.
func (s *Service) record(ctx context.Context, all *book.Payouts, list []Outcome, skipped int) (*Recorded, error) {
	byID := map[int64]*book.PayoutLine{}
	for i := range all.Lines {
		byID[all.Lines[i].ID] = &all.Lines[i]
	}
	records := make([]book.PayoutRecord, len(list))
	for i := range list {
		o := &list[i]
		if o.line == nil {
			batch, id, ok := ParseName(o.Name)
			l := byID[id]
			if !ok || l == nil || l.BatchID != batch {
				return nil, fmt.Errorf("%sthere is no payout line %q: \"carryover payouts show RUN\" lists them, such as R3-17", o.Where, o.Name)
			}
			o.line = l
		}
		o.Name = LineName(o.line)
		o.LineID = o.line.ID
		if o.Reference == "" { // of one that failed
			o.Reference = o.Name
		}
		if err := s.checkNotBeforeBatch(all, o); err != nil {
			return nil, err
		}
		o.Month = int32(terms.MonthOf(time.Unix(o.At, 0), s.Zone))
		records[i] = o.PayoutRecord
	}
	again, err := s.Book.RecordPayouts(ctx, records)
	if one, ok := errors.AsType[*book.PayoutRecordError](err); ok {
		o := &list[one.Index]
		return nil, fmt.Errorf("%s%s cannot be recorded as %s: %s; nothing was recorded", o.Where, o.Name, o.Status, s.refusal(one.Err, byID))
	}
	if err != nil {
		return nil, fmt.Errorf("recording payouts: %w; nothing was recorded", err)
	}
	done := &Recorded{Recorded: len(list) - again, Already: again, LeftOut: skipped, Lines: make([]string, len(list))}
	for i := range list {
		done.Lines[i] = list[i].Name
	}
	return done, nil
}

// refusal says for a person why the book does not take a record.
func (s *Service) refusal(err error, lines map[int64]*book.PayoutLine) string {
	if used, ok := errors.AsType[*book.ReferenceInUseError](err); ok && lines[used.LineID] != nil {
		return fmt.Sprintf("the reference %q is that of %s, which was %s", used.Reference, LineName(lines[used.LineID]), used.Status)
	}
	if other, ok := errors.AsType[*book.RecordMismatchError](err); ok {
		there, note := &other.Booked, "no note"
		if there.Note != "" {
			note = fmt.Sprintf("the note %q", there.Note)
		}
		return fmt.Sprintf("%v: %s already on %s, with the reference %q and %s",
			book.ErrRecordConflict, there.Status, terms.FormatDay(there.At, s.Zone), there.Reference, note)
	}
	return err.Error()
}

// checkNotBeforeBatch refuses an outcome from before its batch: from before the first day of
// the batch's month or, where the batch was approved earlier than that, before the day of it.
func (s *Service) checkNotBeforeBatch(all *book.Payouts, o *Outcome) error {
	batch, err := findBatch(all, o.line.BatchID)
	if err != nil {
		return err
	}
	year, month := terms.Month(batch.Month).Date()
	first := terms.DayStart(year, month, 1, s.Zone)
	approved := time.Unix(batch.ApprovedAt, 0).In(s.Zone)
	if begin := terms.DayStart(approved.Year(), approved.Month(), approved.Day(), s.Zone); begin.Before(first) {
		first = begin
	}
	if o.At >= first.Unix() {
		return nil
	}
	err = book.NewInputError("%s%s cannot be recorded for %s: run %d pays from %s on; nothing was recorded",
		o.Where, o.Name, terms.FormatDay(o.At, s.Zone), batch.ID, first.Format(time.DateOnly))
	if o.Where != "" { // a row of a file is no word of the command line
		return errors.New(err.Error())
	}
	return err
}
