package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

type payoutsRecordCmd struct {
	Target    string `arg:"" optional:"" name:"run-or-line" help:"A run such as 3, for all of its lines; or one line such as R3-17."`
	Status    string `placeholder:"STATUS" help:"paid; failed (nothing was paid); or returned (it was paid and came back)."`
	Reference string `placeholder:"REF" help:"The payment's: a transaction, a check number. One line has it."`
	Date      string `placeholder:"DAY" help:"When it happened, such as 2023-03-10; now when left out."`
	Note      string `placeholder:"TEXT" help:"What else there is to say."`
	By        string `placeholder:"NAME" help:"Who records; the user when left out."`
	File      string `placeholder:"FILE" help:"Record from a CSV with the columns line (or unique id), status, reference, note, date."`
}

func (payoutsRecordCmd) Help() string {
	return `Keeps what became of payments, exactly once: the same record again changes nothing and says so, one that contradicts what is
there (another reference, day or note) is refused, and so is a day to come, or one before the month of the run. Of a file
everything is recorded or nothing. A line that failed, or was returned after it was paid, is due again in the next run. A
reference belongs to one line; for a whole run each line gets REF/LINE, and lines that something was recorded of already are
left as they are. In a file also completed and success mean paid, denied means failed; lines that are
pending, processing or unclaimed are left open. Appends to the book; nothing is ever edited.

Example: carryover payouts record R3-17 --status paid --reference 8JX12345 --date 2023-03-10`
}

// payoutOutcome is something to record of a line.
type payoutOutcome struct {
	where string // for a person: the row of a file
	name  string // of the line, as written; empty: see line
	line  *book.PayoutLine
	book.PayoutRecord
}

func (c *payoutsRecordCmd) Run(a *app) error {
	if (c.Target == "") == (c.File == "") {
		return console.UsageError("name a run or a line to record, or a file of results with --file")
	}
	if c.File != "" && (c.Status != "" || c.Reference != "") {
		return console.UsageError("--file has a status and a reference for each line: leave --status and --reference out")
	}
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		all, err := b.Payouts(a.ctx)
		if err != nil {
			return err
		}
		base := book.PayoutRecord{At: time.Now().Unix(), Note: c.Note, RecordedAt: time.Now().Unix(), RecordedBy: by(c.By)}
		if c.Date != "" {
			day, err := payoutDay(cfg, "--date", c.Date)
			if err != nil {
				return console.UsageError("%w", err)
			}
			base.At, base.DayEnd = day.Unix(), dayEnd(day)
		}
		var list []payoutOutcome
		skipped := 0
		if c.File != "" {
			list, skipped, err = readOutcomes(cfg, c.File, base)
		} else {
			list, skipped, err = c.outcomes(all, base)
		}
		if err != nil {
			return err
		}
		return a.record(cfg, b, all, list, skipped)
	})
}

// outcomes are those that the command line names. skipped counts lines of a run that
// something was recorded of before.
func (c *payoutsRecordCmd) outcomes(all *book.Payouts, base book.PayoutRecord) (list []payoutOutcome, skipped int, err error) {
	if !slices.Contains([]string{book.PayoutPaid, book.PayoutFailed, book.PayoutReturned}, c.Status) {
		return nil, 0, console.UsageError("--status: %q is none: write paid, failed or returned", c.Status)
	}
	id, line, ok := payoutName(c.Target)
	if !ok {
		return nil, 0, console.UsageError("%q names no run and no line: write 3 for a run, R3-17 for a line of it", c.Target)
	}
	base.Status, base.Reference = c.Status, strings.TrimSpace(c.Reference)
	if base.Reference == "" && c.Status != book.PayoutFailed {
		return nil, 0, console.UsageError("--reference is missing: the payment's, such as a transaction or a check number")
	}
	run, err := findRun(all, id)
	if err != nil {
		return nil, 0, err
	}
	if line != 0 {
		return []payoutOutcome{{name: c.Target, PayoutRecord: base}}, 0, nil
	}
	outcomes := all.Outcomes()
	for _, l := range linesOf(all, run.ID) {
		o := payoutOutcome{name: payoutLineName(l), line: l, PayoutRecord: base}
		o.Reference = o.name // of one that failed it is enough
		if base.Reference != "" {
			o.Reference = base.Reference + "/" + o.name
		}
		before := statusOf(outcomes[l.ID])
		fits := before == statusOpen && c.Status != book.PayoutReturned || before == book.PayoutPaid && c.Status == book.PayoutReturned
		repeats := before == c.Status && outcomes[l.ID].Reference == o.Reference
		if !fits && !repeats {
			skipped++
			continue
		}
		list = append(list, o)
	}
	return list, skipped, nil
}

// record books the outcomes, all or none, and tells how many there were.
func (a *app) record(cfg *config.Config, b *book.Book, all *book.Payouts, list []payoutOutcome, skipped int) error {
	byID := map[int64]*book.PayoutLine{}
	for i := range all.Lines {
		byID[all.Lines[i].ID] = &all.Lines[i]
	}
	records := make([]book.PayoutRecord, len(list))
	for i := range list {
		o := &list[i]
		if o.line == nil {
			run, id, ok := payoutName(o.name)
			if l := byID[id]; ok && l != nil && l.BatchID == run {
				o.line = l
			} else {
				return fmt.Errorf("%sthere is no payout line %q: \"carryover payouts show RUN\" lists them, such as R3-17", o.where, o.name)
			}
		}
		o.name = payoutLineName(o.line)
		o.LineID = o.line.ID
		if o.Reference == "" { // of one that failed
			o.Reference = o.name
		}
		if err := checkNotBeforeBatch(all, o, cfg.Zone); err != nil {
			return err
		}
		o.Month = int32(terms.MonthOf(time.Unix(o.At, 0), cfg.Zone))
		records[i] = o.PayoutRecord
	}
	again, err := b.RecordPayouts(a.ctx, records)
	if one, ok := errors.AsType[*book.PayoutRecordError](err); ok {
		o := &list[one.Index]
		text := one.Err.Error()
		if taken, ok := errors.AsType[*book.ReferenceInUseError](err); ok && byID[taken.LineID] != nil {
			text = fmt.Sprintf("the reference %q is that of %s, which was %s", taken.Reference, payoutLineName(byID[taken.LineID]), taken.Status)
		}
		if other, ok := errors.AsType[*book.RecordMismatchError](err); ok {
			there := &other.There
			text = fmt.Sprintf("%v: %s already on %s, with the reference %q and %s", book.ErrContradicts, there.Status, terms.FormatDay(there.At, cfg.Zone), there.Reference, noted(there.Note))
		}
		return fmt.Errorf("%s%s cannot be recorded as %s: %s; nothing was recorded", o.where, o.name, o.Status, text)
	}
	if err != nil {
		return fmt.Errorf("recording payouts: %w; nothing was recorded", err)
	}
	if a.JSON {
		names := make([]string, len(list))
		for i := range list {
			names[i] = list[i].name
		}
		return a.Object(map[string]any{"recorded": len(list) - again, "already_recorded": again, "left_out": skipped, "lines": names})
	}
	if n := len(list) - again; n > 0 {
		fmt.Fprintf(a.Out, "Recorded: %d of %d lines.\n", n, len(list)+skipped)
	}
	if again > 0 {
		fmt.Fprintf(a.Out, "Recorded just so before, and not changed: %d.\n", again)
	}
	if skipped > 0 {
		fmt.Fprintf(a.Out, "Left as they are: %d. \"carryover payouts show RUN\" says what became of them.\n", skipped)
	}
	if len(list) == 0 && skipped == 0 {
		fmt.Fprintln(a.Out, "There was nothing to record.")
	}
	return nil
}

// noted tells the note of a record.
func noted(note string) string {
	if note == "" {
		return "no note"
	}
	return fmt.Sprintf("the note %q", note)
}

// dayEnd is the first instant after the day that begins with start; Unix seconds.
func dayEnd(start time.Time) int64 {
	year, month, day := start.Date()
	return terms.DayStart(year, month, day+1, start.Location()).Unix()
}

// checkNotBeforeBatch checks that an outcome is not from before its run: before the first day of the
// run's month or, where the run was approved earlier than that, before the day of it.
func checkNotBeforeBatch(all *book.Payouts, o *payoutOutcome, zone *time.Location) error {
	run, err := findRun(all, o.line.BatchID)
	if err != nil {
		return err
	}
	year, month := terms.Month(run.Month).Date()
	first := terms.DayStart(year, month, 1, zone)
	approved := time.Unix(run.ApprovedAt, 0).In(zone)
	if begin := terms.DayStart(approved.Year(), approved.Month(), approved.Day(), zone); begin.Before(first) {
		first = begin
	}
	if o.At >= first.Unix() {
		return nil
	}
	err = fmt.Errorf("%s%s cannot be recorded for %s: run %d pays from %s on; nothing was recorded", o.where, o.name, terms.FormatDay(o.At, zone), run.ID, first.Format(time.DateOnly))
	if o.where == "" {
		return console.UsageError("%w", err)
	}
	return err
}
