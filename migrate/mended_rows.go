package migrate

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// skippedMended is the reason for which a rejected row counts as skipped: a mended copy of
// it was loaded.
const skippedMended = "mended"

// settleMended takes rejected rows that a mended copy stands for out of what is rejected,
// and copies that nobody has mended yet out of what is rejected twice.
func (x *exports) settleMended() error {
	x.copies = map[rowOrigin]bool{}
	for m, f := range x.found {
		if !f.HoldsRejects() {
			continue
		}
		copies, err := x.copiesIn(m)
		if err != nil {
			return fmt.Errorf("reading %s again: %w", f.Path, err)
		}
		for e, other := range x.found {
			if e == m || other.Kind != f.Kind || other.HoldsRejects() || len(x.rejects[e]) == 0 {
				continue
			}
			if err := x.settleCopies(e, m, copies); err != nil {
				return fmt.Errorf("reading %s again: %w", other.Path, err)
			}
		}
	}
	return nil
}

// settleTold takes rejected rows out of what is rejected that another row tells of as well,
// of the same id or, in the ledger, partner, and of the same amount as far as it can be read:
// the row may have been mended in a file of a person's own.
func (in *inputs) settleTold() {
	type told struct {
		kind, id string
		amount   int64
	}
	rows := map[told]bool{}
	add := func(kind string, id, amount int64) {
		name := strconv.FormatInt(id, 10)
		rows[told{kind, name, amount}], rows[told{kind, name, anyAmount}] = true, true
	}
	x := in.exports
	if !slices.ContainsFunc(x.rejects, func(rows []rejectedRow) bool { return len(rows) > 0 }) {
		return
	}
	for i := range in.ledger.ledger {
		add(keap.Ledger, in.ledger.ledger[i].partner, in.ledger.ledger[i].closing)
	}
	for i := range in.ledger.payments.rows {
		add(keap.Payments, in.ledger.payments.rows[i].id, in.ledger.payments.rows[i].amount)
	}
	for i := range in.rows.referrals.rows {
		add(keap.Referrals, in.rows.referrals.rows[i].ID, anyAmount)
	}
	for e := range x.rejects {
		for i := range x.rejects[e] {
			r := &x.rejects[e][i]
			kind, id, amount := x.found[e].Kind, strings.TrimLeft(r.left.Own, "0"), int64(anyAmount)
			if r.left.Read {
				amount = r.left.Amount
			}
			if kind == keap.Ledger {
				if !r.left.Read {
					continue // partner alone may be another period
				}
				id = strconv.FormatInt(in.partnerOf(r.left.Partner), 10)
			}
			if id != "" && id != "0" && rows[told{kind, id, amount}] {
				x.skipRejected(e, r, skippedDuplicate)
			}
		}
	}
}

// anyAmount stands for the amount of a row whose own cannot be read.
const anyAmount = math.MinInt64

// dropSettled leaves only rows that count as rejected.
func (x *exports) dropSettled() {
	for i := range x.rejects {
		x.rejects[i] = slices.DeleteFunc(x.rejects[i], func(r rejectedRow) bool { return r.settled })
	}
}

// withoutIDs are the kinds whose rows have no id of their own: two that differ are two.
var withoutIDs = map[string]bool{keap.Commissions: true, keap.Clawbacks: true, keap.Payments: true}

// mendedTwice is a rejected row of which two mended copies were loaded that differ.
type mendedTwice struct {
	at            position
	first, second string // files of rejects
}

// askTwice asks about rows that were mended in two ways: both copies count.
func (x *exports) askTwice(conflicts *conflictList) {
	for _, t := range x.twice {
		path := x.found[t.at.file].Path
		conflicts.add(question(KindRejected, fmt.Sprintf("%s:%d", x.names[path], t.at.line),
			fmt.Sprintf("%s, line %d was mended in %s and otherwise in %s, and both are loaded: with %s both count, with %s nothing is "+
				"applied until one of them is taken out", path, t.at.line, t.first, t.second, Accept, Mend), Accept, Accept, Mend))
	}
}

// rowCopy is a row of a file of rejects.
type rowCopy struct {
	cells    []string // that are not blank, without those that were added
	rejected int      // index of its own reject; -1: it was loaded
	settled  bool
}

// copiesIn lists the rows of a file of rejects by what they were in their export.
func (x *exports) copiesIn(m int) (map[sheet.Origin][]*rowCopy, error) {
	rejected := map[int]int{}
	for i, r := range x.rejects[m] {
		rejected[r.Line] = i
	}
	copies := map[sheet.Origin][]*rowCopy{}
	err := x.found[m].RawRows(func(row sheet.RawRow) error {
		if row.Origin == (sheet.Origin{}) {
			return nil
		}
		i, ok := rejected[row.Line]
		if !ok {
			i = -1
			x.copies[rowOrigin{x.found[m].Kind, row.Origin}] = true
		}
		copies[row.Origin] = append(copies[row.Origin], &rowCopy{cells: x.found[m].Content(row.Cells), rejected: i})
		return nil
	})
	return copies, err
}

// settleCopies finds the rejected rows of export e in a file of rejects.
func (x *exports) settleCopies(e, m int, copies map[sheet.Origin][]*rowCopy) error {
	rejected := map[int]int{}
	for i, r := range x.rejects[e] {
		rejected[r.Line] = i
	}
	return x.found[e].RawRows(func(row sheet.RawRow) error {
		i, ok := rejected[row.Line]
		if !ok {
			return nil
		}
		r := &x.rejects[e][i]
		cells := x.found[e].Content(row.Cells)
		for _, c := range copies[sheet.Origin{Line: r.Line, Reason: r.Reason}] {
			if c.settled || !isCopy(cells, c.cells) {
				continue
			}
			c.settled = true
			switch {
			case c.rejected >= 0:
				x.skipRejected(m, &x.rejects[m][c.rejected], skippedDuplicate)
				x.unwritten = append(x.unwritten, unwrittenRow{r.File, r.Line, x.found[m].Path})
			case r.settled && !slices.Equal(r.copy, c.cells) && withoutIDs[x.found[e].Kind]:
				x.twice = append(x.twice, mendedTwice{positionOf(e, r.Line), r.copyIn, x.found[m].Path})
			case !r.settled:
				x.skipRejected(e, r, skippedMended)
				r.copy, r.copyIn = c.cells, x.found[m].Path
			}
			break
		}
		return nil
	})
}

// skipRejected turns a row that was rejected into one that is skipped.
func (x *exports) skipRejected(file int, r *rejectedRow, reason string) {
	if r.settled {
		return
	}
	x.files[file].Rejected--
	x.files[file].Skipped++
	x.files[file].addSkips(map[string]int{reason: 1})
	x.settled = append(x.settled, positionOf(file, r.Line))
	x.unwritten = append(x.unwritten, unwrittenRow{r.File, r.Line, ""})
	r.settled = true
	if reason == skippedMended {
		x.mended = append(x.mended, r.left.ID)
	}
}

// isCopy reports whether a row may be another one that was mended: at least half of its
// cells are still there.
func isCopy(row, mended []string) bool {
	left := map[string]int{}
	for _, cell := range mended {
		left[cell]++
	}
	same := 0
	for _, cell := range row {
		if left[cell] > 0 {
			left[cell]--
			same++
		}
	}
	return 2*same >= len(row)
}
