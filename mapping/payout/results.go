package payout

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"carryover/mapping/book"
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

// ParseResults reads a CSV of results in UTF-8, separated by commas, semicolons or tabs. path
// names it in errors; base has what is the same for all. skipped counts the rows that are not
// decided yet.
func (s *Service) ParseResults(path string, text []byte, base book.PayoutRecord, now time.Time) (list []Outcome, skipped int, err error) {
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
		if column, ok := resultColumns[lettersAndDigits(name)]; ok {
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
		if strings.Join(cells, "") == "" {
			continue
		}
		line, _ := r.FieldPos(0)
		o, decided, err := s.parseResult(fmt.Sprintf("%s:%d: ", path, line), func(column string) string {
			i, ok := at[column]
			if !ok || i >= len(cells) {
				return ""
			}
			return strings.TrimPrefix(strings.TrimSpace(cells[i]), "'")
		}, base, now)
		switch {
		case err != nil:
			return nil, 0, err
		case !decided:
			skipped++
		default:
			list = append(list, o)
		}
	}
}

// parseResult reads one row; cell gives the text of a column.
func (s *Service) parseResult(where string, cell func(column string) string, base book.PayoutRecord, now time.Time) (o Outcome, decided bool, err error) {
	o = Outcome{Where: where, Name: cell("line"), PayoutRecord: base}
	status, known := resultStatuses[lettersAndDigits(cell("status"))]
	switch {
	case !known:
		return o, false, fmt.Errorf("%sthe status %q is none: write paid, failed or returned; nothing was recorded", where, cell("status"))
	case status == "":
		return o, false, nil
	}
	o.Status, o.Reference = status, cell("reference")
	if o.Reference == "" && status != book.PayoutFailed {
		return o, false, fmt.Errorf("%sthe reference is missing: that of the payment; nothing was recorded", where)
	}
	if note := cell("note"); note != "" {
		o.Note = note
	}
	if day := cell("date"); day != "" {
		start, err := s.ParseDay(where+"date", day, now)
		if err != nil {
			return o, false, fmt.Errorf("%s; nothing was recorded", err.Error()) // no book.InputError: it is a row's
		}
		SetDay(&o.PayoutRecord, start)
	}
	return o, true, nil
}

// SetDay says on which day a record happened, by the first instant of it.
func SetDay(r *book.PayoutRecord, start time.Time) { r.At, r.DayEnd = start.Unix(), dayEnd(start) }

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

// lettersAndDigits is a word as headers are compared, in lower case.
func lettersAndDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}
