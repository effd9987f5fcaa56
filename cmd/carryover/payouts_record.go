package main

import (
	"fmt"
	"os"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/payout"
	"carryover/migrate/sheet"
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

func (c *payoutsRecordCmd) Run(a *app) error {
	if (c.Target == "") == (c.File == "") {
		return console.UsageError("name a run or a line to record, or a file of results with --file")
	}
	if c.File != "" && (c.Status != "" || c.Reference != "") {
		return console.UsageError("--file has a status and a reference for each line: leave --status and --reference out")
	}
	return a.withPayouts(func(cfg *config.Config, s *payout.Service) error {
		now := time.Now()
		base := book.PayoutRecord{At: now.Unix(), Note: c.Note, RecordedAt: now.Unix(), RecordedBy: console.User(c.By)}
		if c.Date != "" {
			day, err := s.ParseDay("--date", c.Date, now)
			if err != nil {
				return err
			}
			payout.SetDay(&base, day)
		}
		done, err := c.record(a, s, base, now)
		if err != nil {
			return err
		}
		if a.Form == console.JSON {
			return a.Object(done)
		}
		if done.Recorded > 0 {
			a.Say("Recorded: %d of %d lines.", done.Recorded, len(done.Lines)+done.LeftOut)
		}
		if done.Already > 0 {
			a.Say("Recorded just so before, and not changed: %d.", done.Already)
		}
		if done.LeftOut > 0 {
			a.Say("Left as they are: %d. \"carryover payouts show RUN\" says what became of them.", done.LeftOut)
		}
		if len(done.Lines) == 0 && done.LeftOut == 0 {
			a.Say("There was nothing to record.")
		}
		return nil
	})
}

func (c *payoutsRecordCmd) record(a *app, s *payout.Service, base book.PayoutRecord, now time.Time) (*payout.Recorded, error) {
	if c.File == "" {
		return s.RecordResult(a.ctx, payout.Result{Target: c.Target, Status: c.Status, Reference: c.Reference}, base)
	}
	f, err := os.Open(c.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := sheet.Text(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.File, err)
	}
	list, skipped, err := s.ParseResults(c.File, text, base, now)
	if err != nil {
		return nil, err
	}
	return s.RecordOutcomes(a.ctx, list, skipped)
}
