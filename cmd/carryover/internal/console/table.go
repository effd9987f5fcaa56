package console

import (
	"bufio"
	"encoding/json"
	"errors"
	"slices"

	"carryover/migrate/report"
	"carryover/migrate/sheet"
)

// Table describes rows of T once, for every form: as a table for a person; as CSV and as JSON,
// one object a line, by T's JSON names.
type Table[T any] struct {
	Titles []string
	Cells  func(row *T) []string           // under the titles; there may be fewer
	Below  []string                        // titles that go below their row first, where there is no room beside it
	Alert  func(row *T, title string) bool // cells that need a person; nil: none
	Empty  string                          // what a person is told when there are no rows
	Names  map[string]string               // what fields are called in JSON and CSV, where that is not their JSON name
}

// Print writes rows in the form that was asked for.
func Print[T any](c *Console, table *Table[T], rows []T) error {
	w := NewRows(c, table)
	for i := range rows {
		if err := w.Add(&rows[i]); err != nil {
			return err
		}
	}
	return w.End()
}

// Rows writes a table of any length. For a person that is in pages, each with titles and
// widths of its own, so that no more than one is in memory.
type Rows[T any] struct {
	console *Console
	table   *Table[T]
	out     *bufio.Writer
	json    *json.Encoder
	csv     *sheet.Writer
	fields  []field
	page    [][]string
	alerts  [][]string // of each row in the page, the titles
	n       int
}

const pageRows = 1000

// NewRows begins a table. End ends it.
func NewRows[T any](c *Console, table *Table[T]) *Rows[T] {
	w := &Rows[T]{console: c, table: table, out: bufio.NewWriterSize(c.Out, 1<<16)}
	switch c.Form {
	case JSON:
		w.json = encoder(w.out)
	case CSV:
		w.csv = sheet.NewExcelWriter(w.out)
	}
	if w.csv != nil || len(table.Names) > 0 {
		w.fields = fieldsOf[T](table.Names)
	}
	return w
}

// Add writes a row.
func (w *Rows[T]) Add(row *T) error {
	w.n++
	switch w.console.Form {
	case JSON:
		if len(w.table.Names) > 0 {
			return w.json.Encode(objectOf(row, w.fields))
		}
		return w.json.Encode(row)
	case CSV:
		if w.n == 1 {
			if err := w.csv.Write(names(w.fields)...); err != nil {
				return err
			}
		}
		cells, err := cellsOf(row, w.fields)
		if err != nil {
			return err
		}
		return w.csv.Write(cells...)
	}
	var alerts []string
	if w.table.Alert != nil {
		for _, title := range w.table.Titles {
			if w.table.Alert(row, title) {
				alerts = append(alerts, title)
			}
		}
	}
	return w.add(w.table.Cells(row), alerts)
}

// Extra writes a row for a person alone: of sums, or of what came before.
func (w *Rows[T]) Extra(cells ...string) error {
	if w.console.Form != Text {
		return nil
	}
	return w.add(cells, nil)
}

func (w *Rows[T]) add(cells, alerts []string) error {
	w.page, w.alerts = append(w.page, cells), append(w.alerts, alerts)
	if len(w.page) < pageRows {
		return nil
	}
	return w.flush()
}

// flush writes the page so far.
func (w *Rows[T]) flush() error {
	if len(w.page) == 0 {
		return nil
	}
	alerts := w.alerts
	page := report.Table{
		Terminal: w.console.Terminal, Titles: w.table.Titles, Rows: w.page, Below: w.table.Below,
		Alert: func(row int, title string) bool { return slices.Contains(alerts[row], title) },
	}
	w.page, w.alerts = nil, nil
	return page.Write(w.out)
}

// End writes what is left. Without it nothing may have been written.
func (w *Rows[T]) End() error {
	var err error
	switch {
	case w.console.Form == CSV && w.n == 0:
		err = w.csv.Write(names(w.fields)...)
	case w.console.Form == Text && w.n == 0 && len(w.page) == 0 && w.table.Empty != "":
		_, err = w.out.WriteString(w.console.Terminal.Wrap(w.table.Empty) + "\n")
	}
	if err = errors.Join(err, w.flush()); w.csv != nil {
		err = errors.Join(err, w.csv.Flush())
	}
	return errors.Join(err, w.out.Flush())
}
