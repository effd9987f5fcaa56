package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"carryover/cmd/carryover/internal/config"
	"carryover/mapping/book"
	"carryover/migrate/sheet"
)

// resultStatuses are what files of results say, by letters and digits alone; empty: it is
// not decided yet.
var resultStatuses = map[string]string{
	"paid": book.PayoutPaid, "completed": book.PayoutPaid, "complete": book.PayoutPaid, "success": book.PayoutPaid,
	"failed": book.PayoutFailed, "denied": book.PayoutFailed,
	"returned": book.PayoutReturned, "refunded": book.PayoutReturned, "reversed": book.PayoutReturned,
	"open": "", "pending": "", "processing": "", "unclaimed": "", "onhold": "",
}

// resultColumns are the columns of a file of results, by letters and digits alone.
var resultColumns = map[string]string{
	"line": "line", "lineid": "line", "uniqueid": "line", "id": "line",
	"status": "status", "state": "status",
	"reference": "reference", "ref": "reference", "transactionid": "reference", "checknumber": "reference",
	"note": "note", "notes": "note", "date": "date",
}

// readOutcomes reads a CSV of results: separated by commas, semicolons or tabs, in any
// encoding that a spreadsheet writes. skipped counts the rows that are not decided yet.
func readOutcomes(cfg *config.Config, path string, base book.PayoutRecord) (list []payoutOutcome, skipped int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	text, err := sheet.Text(f)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = separator(string(first))
	r.FieldsPerRecord = -1
	header, err := r.Read()
	if err != nil {
		return nil, 0, fmt.Errorf("%s has no rows: it needs a header with line, status and reference", path)
	}
	at := map[string]int{}
	for i, name := range header {
		if column, ok := resultColumns[bare(name)]; ok {
			if _, again := at[column]; !again {
				at[column] = i
			}
		}
	}
	for _, needed := range []string{"line", "status"} {
		if _, ok := at[needed]; !ok {
			return nil, 0, fmt.Errorf("%s:1: there is no column %q: the header needs line (or unique id), status and reference", path, needed)
		}
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return list, skipped, nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", path, err)
		}
		line, _ := r.FieldPos(0)
		cell := func(column string) string {
			i, ok := at[column]
			if !ok || i >= len(cells) {
				return ""
			}
			return strings.TrimPrefix(strings.TrimSpace(cells[i]), "'")
		}
		if strings.Join(cells, "") == "" {
			continue
		}
		o := payoutOutcome{where: fmt.Sprintf("%s:%d: ", path, line), name: cell("line"), PayoutRecord: base}
		status, known := resultStatuses[bare(cell("status"))]
		switch {
		case !known:
			return nil, 0, fmt.Errorf("%sthe status %q is none: write paid, failed or returned; nothing was recorded", o.where, cell("status"))
		case status == "":
			skipped++
			continue
		}
		o.Status, o.Reference = status, cell("reference")
		if o.Reference == "" && status != book.PayoutFailed {
			return nil, 0, fmt.Errorf("%sthe reference is missing: that of the payment; nothing was recorded", o.where)
		}
		if note := cell("note"); note != "" {
			o.Note = note
		}
		if day := cell("date"); day != "" {
			when, err := payoutDay(cfg, o.where+"date", day)
			if err != nil {
				return nil, 0, fmt.Errorf("%w; nothing was recorded", err)
			}
			o.At, o.DayEnd = when.Unix(), dayEnd(when)
		}
		list = append(list, o)
	}
}

// separator is the one that a header has most of.
func separator(header string) rune {
	best := ','
	for _, r := range ";\t" {
		if strings.Count(header, string(r)) > strings.Count(header, string(best)) {
			best = r
		}
	}
	return best
}

// bare is a word as headers are compared: its letters and digits, in lower case.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}
