package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/terms"
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

// payPalMost is how many recipients one upload of PayPal's takes.
const payPalMost = 5000

func (c *payoutsExportCmd) Run(a *app) error {
	id, line, ok := payoutName(c.Target)
	if !ok || line != 0 {
		return console.UsageError("%q names no run: write its number, such as 3", c.Target)
	}
	if a.JSON && c.Out == "" {
		return console.UsageError("--json tells about a file: name it with --out; \"carryover payouts show %d --json\" has the lines", id)
	}
	return a.withRun(id, func(cfg *config.Config, dir *book.Directory, all *book.Payouts, run *book.PayoutBatch) error {
		date := cfg.Today()
		if c.Date != "" {
			if _, err := payoutDay(cfg, "--date", c.Date); err != nil {
				return console.UsageError("%w", err)
			}
			date = c.Date
		}
		lines := shownLines(dir, all, run, 0, cfg.Zone)
		var text bytes.Buffer
		written, left, err := c.write(&text, cfg, date, lines)
		if err != nil {
			return err
		}
		if written == 0 && c.Format != "csv" {
			return fmt.Errorf("run %d has no %s that is still to be paid: \"carryover payouts show %d\" says how its lines are paid, and what became of them", id, map[string]string{methodPayPal: "PayPal payment", methodCheck: "check"}[c.method()], id)
		}
		if left > 0 {
			fmt.Fprintf(a.Err, "carryover: %d lines of run %d are left out: they are recorded as paid, failed or returned\n", left, id)
		}
		if c.Format == "paypal" && written > payPalMost {
			fmt.Fprintf(a.Err, "carryover: %d recipients: PayPal takes %d in one upload, part the file\n", written, payPalMost)
		}
		if c.Out == "" {
			_, err := a.Out.Write(text.Bytes())
			return err
		}
		if err := writeNew(c.Out, text.Bytes()); err != nil {
			return err
		}
		if a.JSON {
			return a.Object(map[string]any{"run": id, "format": c.Format, "file": c.Out, "lines": written, "left_out": left})
		}
		_, err = fmt.Fprintf(a.Out, "%s has %d lines of run %d.\n", c.Out, written, id)
		return err
	})
}

// method is the one whose lines the format holds; empty: all.
func (c *payoutsExportCmd) method() string {
	return map[string]string{"paypal": methodPayPal, "check-register": methodCheck}[c.Format]
}

// write writes the lines that belong in the format. left counts those that it would hold
// if nothing had become of them yet.
func (c *payoutsExportCmd) write(to *bytes.Buffer, cfg *config.Config, date string, lines []payoutShown) (written, left int, err error) {
	w := sheet.NewWriter(to)
	switch c.Format {
	case "csv":
		err = w.Write("line", "run", "ref_token", "name", "months", "gross", "refunds", "carried", "net", "currency", "method", "address", "status", "reference")
	case "check-register":
		err = w.Write("check number", "date", "payee", "amount", "amount in words", "memo", "address", "line")
	}
	if err != nil {
		return 0, 0, err
	}
	for i := range lines {
		l := &lines[i]
		if c.method() != "" && l.Method != c.method() {
			continue
		}
		if c.method() != "" && l.Status != statusOpen {
			left++
			continue
		}
		note := cfg.Program + " commissions " + monthSpan(l.Months)
		switch c.Format {
		case "paypal":
			err = w.Write(l.Address, plainAmount(l.Net, l.Currency), l.Currency, l.Line, note)
		case "check-register":
			err = w.Write("", date, l.Name, plainAmount(l.Net, l.Currency), inWords(l.Net, l.Currency), note, l.Address, l.Line)
		default:
			err = w.Write(l.Line, strconv.FormatInt(l.Run, 10), l.RefToken, l.Name, strings.Join(l.Months, " "), plainAmount(l.Gross, l.Currency), plainAmount(l.Refunds, l.Currency),
				plainAmount(l.Carried, l.Currency), plainAmount(l.Net, l.Currency), l.Currency, l.Method, l.Address, l.Status, l.Reference)
		}
		if err != nil {
			return 0, 0, err
		}
		written++
	}
	return written, left, w.Flush()
}

// plainAmount is an amount for machines: without separators between thousands.
func plainAmount(minor int64, currency string) string {
	return strings.ReplaceAll(terms.FormatMinor(minor, currency), ",", "")
}

// writeNew writes a file for its owner only, and never over another: a file of payments
// may be on its way already.
func writeNew(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if os.IsExist(err) {
		return fmt.Errorf("%s is there already: choose another name with --out, or move it away", path)
	}
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
