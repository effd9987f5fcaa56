package main

import (
	"bytes"
	"fmt"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/payout"
	"carryover/migrate/sheet"
)

type payoutsExportCmd struct {
	Target string `arg:"" name:"run" help:"The run, such as 3."`
	Format string `required:"" enum:"paypal,csv,check-register" placeholder:"FORMAT" help:"paypal, check-register, or csv for everything."`
	Out    string `placeholder:"FILE" help:"Write to this file instead of standard output. One that is there is not overwritten."`
	Date   string `placeholder:"DAY" help:"Of the checks, such as 2023-03-10; today when left out."`
}

func (payoutsExportCmd) Help() string {
	return `Writes a run as a file; the run itself is not changed.

paypal          what PayPal's mass payment upload takes: recipient's e-mail, amount, currency, unique id, note; comma-separated,
                without a header, at most 5,000 recipients in one upload. Only lines with the method paypal.
check-register  check number (blank, to fill in), date, payee, amount, amount in words, memo, mailing address, line.
                Only lines with the method check.
csv             every line of every method, with what became of it.

The first two leave out lines that are recorded as paid, failed or returned, so that nothing is paid twice. The unique id is the
line, such as R3-17: "payouts record" takes it.

Example: carryover payouts export 3 --format paypal --out paypal-2023-03.csv`
}

func (c *payoutsExportCmd) Run(a *app) error {
	id, line, ok := payout.ParseName(c.Target)
	if !ok || line != 0 {
		return console.UsageError("%q names no run: write its number, such as 3", c.Target)
	}
	if a.Form == console.JSON && c.Out == "" {
		return console.UsageError("--json tells about a file: name it with --out; \"carryover payouts show %d --json\" has the lines", id)
	}
	return a.withPayouts(func(cfg *config.Config, s *payout.Service) error {
		date := cfg.Today()
		if c.Date != "" {
			if _, err := s.ParseDay("--date", c.Date, time.Now()); err != nil {
				return err
			}
			date = c.Date
		}
		b, err := s.Batch(a.ctx, id, 0)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		written, leftOut, err := c.write(&text, s, b, date)
		if err != nil {
			return err
		}
		if kind := map[string]string{"paypal": "PayPal payment", "check-register": "check"}[c.Format]; written == 0 && kind != "" {
			return fmt.Errorf("run %d has no %s that is still to be paid: "+
				"\"carryover payouts show %d\" says how its lines are paid, and what became of them", id, kind, id)
		}
		if leftOut > 0 {
			a.Note("%d lines of run %d are left out: they are recorded as paid, failed or returned", leftOut, id)
		}
		if c.Format == "paypal" && written > payout.PayPalMax {
			a.Note("%d recipients: PayPal takes %d in one upload, part the file", written, payout.PayPalMax)
		}
		if c.Out == "" {
			_, err := a.Out.Write(text.Bytes())
			return err
		}
		if err := console.WriteNew(c.Out, text.Bytes()); err != nil {
			return err
		}
		if a.Form == console.JSON {
			return a.Object(map[string]any{"run": id, "format": c.Format, "file": c.Out, "lines": written, "left_out": leftOut})
		}
		err = a.Say("%s has %d lines of run %d.", c.Out, written, id)
		return err
	})
}

// write writes the lines that belong in the format. leftOut counts those that it would hold
// if nothing had become of them yet.
func (c *payoutsExportCmd) write(to *bytes.Buffer, s *payout.Service, b *payout.BatchDetail, date string) (written, leftOut int, _ error) {
	w := sheet.NewWriter(to)
	switch c.Format {
	case "paypal":
		rows, leftOut := s.PayPalRows(b)
		return len(rows), leftOut, sheet.WriteHeadless(w, rows)
	case "check-register":
		rows, leftOut := s.CheckRows(b, date)
		return len(rows), leftOut, sheet.Write(w, rows)
	}
	rows := b.LineRows()
	return len(rows), 0, sheet.Write(w, rows)
}
