package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

type payoutsCmd struct {
	Plan      payoutsPlanCmd    `cmd:"" help:"Who is paid in a month, who is held and why. Changes nothing."`
	Approve   payoutsApproveCmd `cmd:"" help:"Freeze what is payable in a month as a run."`
	List      payoutsListCmd    `cmd:"" help:"The approved runs, and what became of them."`
	Show      payoutsShowCmd    `cmd:"" help:"The lines of a run, and what became of each."`
	Export    payoutsExportCmd  `cmd:"" help:"Write a run for PayPal, as a check register or as CSV."`
	Record    payoutsRecordCmd  `cmd:"" help:"Mark lines as paid, failed or returned."`
	Form1099  payouts1099Cmd    `cmd:"" name:"1099" help:"Who in the US was paid enough in a year for a tax form."`
	Statement statementCmd      `cmd:"" help:"A promoter's year: entries, months, payouts, balances."`
}

func (payoutsCmd) Help() string {
	return `What was earned in a month is held through [terms] hold (as usual the month after) and paid in the next one: plan,
approve, export, pay, record. Nothing here moves money: it writes who is to be paid, and keeps what became of it.

Example: carryover payouts plan --month 2023-03`
}

// payoutMonth reads --month; empty is the month that it is now in the program's zone.
func payoutMonth(cfg *config.Config, text string) (terms.Month, error) {
	if text == "" {
		return terms.MonthOf(time.Now(), cfg.Zone), nil
	}
	month, ok := terms.ParseMonth(strings.TrimSpace(text))
	if !ok {
		return 0, console.UsageError("--month: %q is no month: write the one in which it is paid, like 2023-03", text)
	}
	return month, nil
}

// payoutLineName is how people and files name a line: R3-17 is line 17, of run 3. No
// spreadsheet takes it for a date.
func payoutLineName(l *book.PayoutLine) string { return fmt.Sprintf("R%d-%d", l.BatchID, l.ID) }

// payoutName reads the name of a run (3 or R3) or of a line (R3-17 or 3-17); line is 0
// for a run.
func payoutName(text string) (run, line int64, ok bool) {
	text = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(text)), "R")
	first, second, isLine := strings.Cut(text, "-")
	number := func(s string) int64 {
		n, err := strconv.ParseUint(s, 10, 63)
		if err != nil {
			ok = false
		}
		return int64(n)
	}
	ok = true
	run = number(first)
	if isLine {
		line = number(second)
	}
	return run, line, ok && run > 0 && (line > 0) == isLine
}

// findRun is a run by its number.
func findRun(all *book.Payouts, id int64) (*book.PayoutBatch, error) {
	for i := range all.Batches {
		if all.Batches[i].ID == id {
			return &all.Batches[i], nil
		}
	}
	return nil, fmt.Errorf("there is no payout run %d: \"carryover payouts list\" shows them; a line of a run is written like R3-17", id)
}

// linesOf are the lines of a run.
func linesOf(all *book.Payouts, run int64) (list []*book.PayoutLine) {
	for i := range all.Lines {
		if all.Lines[i].BatchID == run {
			list = append(list, &all.Lines[i])
		}
	}
	return list
}

// payoutDay reads a day of the program's zone; name is that of the flag or column.
func payoutDay(cfg *config.Config, name, text string) (time.Time, error) {
	d, err := time.Parse(time.DateOnly, strings.TrimSpace(text))
	if err != nil || d.Year() < 2000 {
		return d, fmt.Errorf("%s: %q is no day: write it like 2023-03-10", name, text)
	}
	start := terms.DayStart(d.Year(), d.Month(), d.Day(), cfg.Zone)
	if start.After(time.Now()) {
		return d, fmt.Errorf("%s: %s has not come yet", name, text)
	}
	return start, nil
}

// payoutMethods are the ways to pay.
const (
	methodPayPal = "paypal"
	methodCheck  = "check"
	methodWire   = "wire"
	methodOther  = "other"
)

// payoutTo is how and where to a promoter is paid; ok is false when that is not known.
// PayPal pays to the promoter's own e-mail where no other was recorded.
func payoutTo(p *book.DirectoryPromoter) (method, address string, ok bool) {
	method, address = p.Setting(book.SettingPayoutMethod), p.Setting(book.SettingPayoutAddress)
	if method != methodPayPal {
		return method, address, method != ""
	}
	if address == "" {
		address = p.Email
	}
	return method, address, payableEmail(address)
}

// payableEmail says whether money can be sent to an address: a file of payments is a
// CSV, in which a cell must not begin like a formula.
func payableEmail(address string) bool {
	_, ok := terms.EmailKey(address)
	return ok && !strings.ContainsAny(address[:1], "=+-@")
}

// withRun gives fn a run, and the others beside it.
func (a *app) withRun(id int64, fn func(cfg *config.Config, dir *book.Directory, all *book.Payouts, run *book.PayoutBatch) error) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		dir, err := b.Directory(a.ctx)
		if err != nil {
			return err
		}
		all, err := b.Payouts(a.ctx)
		if err != nil {
			return err
		}
		run, err := findRun(all, id)
		if err != nil {
			return err
		}
		return fn(cfg, dir, all, run)
	})
}
