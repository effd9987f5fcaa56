package migrate

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"carryover/migrate/sheet"
)

// Decisions are what a person has decided, by conflict id.
type Decisions map[string]Decision

// Decision is one filled cell of the decision column.
type Decision struct {
	Value string
	By    string // who decided; empty: the file does not say
	File  string // that it was read from; empty: it is a plan's or a run's
	Line  int
	About string // fingerprint of the rows it was made about; empty: not known
}

// answers reports whether d was made about what c asks.
func (d Decision) answers(c *Conflict) bool {
	return d.Value != "" && (d.About == "" || d.About == c.about)
}

// where names the place of a decision for a message.
func (d Decision) where() string {
	if d.File == "" {
		return "decisions"
	}
	return fmt.Sprintf("decisions: %s:%d", d.File, d.Line)
}

// endsWithRows finds the fingerprint at the end of a conflict's detail.
var endsWithRows = regexp.MustCompile(`\[rows ([0-9a-f]+)\]$`)

// ReadDecisions reads a conflicts.csv whose decision column was filled. Rows without a
// decision say nothing. An empty path gives none. Commas, semicolons and tabs separate
// its cells, as a spreadsheet happens to save them.
func ReadDecisions(path string) (Decisions, error) {
	decisions := Decisions{}
	if path == "" {
		return decisions, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("decisions: %w", err)
	}
	defer f.Close()
	text, err := sheet.Text(f)
	if err != nil {
		return nil, fmt.Errorf("decisions: %s: %w", path, err)
	}
	r, header := decisionRows(text)
	if header == nil {
		return nil, fmt.Errorf("decisions: %s has no header: it must be an edited conflicts.csv", path)
	}
	at := decisionColumns{
		slices.Index(header, "id"), slices.Index(header, "decision"), slices.Index(header, "detail"), slices.Index(header, "decided_by"),
	}
	for _, c := range []struct {
		name   string
		column int
	}{{"id", at.id}, {"decision", at.decision}} {
		if c.column < 0 {
			return nil, fmt.Errorf("decisions: %s has no column %q: it must be an edited conflicts.csv", path, c.name)
		}
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return decisions, nil
		}
		if err != nil {
			return nil, fmt.Errorf("decisions: %s: %w", path, err)
		}
		id, d := at.read(row)
		if d.Value == "" {
			continue
		}
		d.File = path
		d.Line, _ = r.FieldPos(at.id)
		if old, ok := decisions[id]; ok && old.Value != d.Value {
			return nil, fmt.Errorf("decisions: %s:%d: conflict %q is decided twice, %q and %q", path, d.Line, id, old.Value, d.Value)
		}
		decisions[id] = d
	}
}

// decisionColumns are the columns that a decision is read from; -1 for one that is not there.
type decisionColumns struct{ id, decision, detail, decidedBy int }

// read is the decision of a row, without its place; without a value when there is none.
func (c decisionColumns) read(row []string) (id string, d Decision) {
	if len(row) <= max(c.id, c.decision) {
		return "", d
	}
	id, d.Value = sheet.Clean(row[c.id]), strings.ToLower(sheet.Clean(row[c.decision]))
	if c.detail >= 0 && c.detail < len(row) {
		if m := endsWithRows.FindStringSubmatch(sheet.Clean(row[c.detail])); m != nil {
			d.About = m[1]
		}
	}
	if c.decidedBy >= 0 && c.decidedBy < len(row) {
		d.By = sheet.Clean(row[c.decidedBy])
	}
	return id, d
}

// decisionRows finds the delimiter, which is the one that a spreadsheet uses where the
// person lives, and returns the rows below the header. Without a header it is nil.
func decisionRows(text []byte) (rows *csv.Reader, header []string) {
	for _, delimiter := range ",;\t" {
		r := csv.NewReader(bytes.NewReader(text))
		r.Comma, r.FieldsPerRecord = delimiter, -1
		cells, err := r.Read()
		if err != nil {
			continue
		}
		for i := range cells {
			cells[i] = strings.ToLower(sheet.Clean(cells[i]))
		}
		if len(cells) > len(header) {
			rows, header = r, cells
		}
	}
	return rows, header
}

// KeepDecisions completes the given decisions with those that a person has filled into
// the conflicts.csv of a plan that is about to be written again. kept are their ids, in
// order. Without such a file there is nothing to keep.
func KeepDecisions(dir string, given Decisions) (all Decisions, kept []string, err error) {
	path := filepath.Join(dir, conflictsFile)
	filled, err := ReadDecisions(path)
	if errors.Is(err, fs.ErrNotExist) {
		return given, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: mend %s or move it away, so that no decision in it is lost", err, path)
	}
	all = maps.Clone(given)
	for _, id := range slices.Sorted(maps.Keys(filled)) {
		if _, ok := given[id]; !ok {
			all[id] = filled[id]
			kept = append(kept, id)
		}
	}
	return all, kept, nil
}

// check refuses decisions that a conflict does not know, and ids that no conflict can
// have. unused are those on conflicts that there are not, or no longer.
func (l *conflictList) check() (unused []string, err error) {
	var wrong []error
	used := make(map[string]bool, len(l.decisions))
	for _, c := range l.list {
		d := l.decisions[c.ID]
		used[c.ID] = true
		if d.answers(&c) && !slices.Contains(c.options, d.Value) {
			wrong = append(wrong, fmt.Errorf("%s: conflict %s: decision %q must be one of: %s",
				d.where(), c.ID, d.Value, strings.Join(c.options, ", ")))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(l.decisions)) {
		kind, _, _ := strings.Cut(id, ":")
		switch {
		case used[id]:
		case slices.Contains(kinds, kind):
			unused = append(unused, id)
		default:
			wrong = append(wrong, fmt.Errorf("%s: %q is the id of no conflict: leave the id column as conflicts.csv has it",
				l.decisions[id].where(), id))
		}
	}
	return unused, errors.Join(wrong...)
}
