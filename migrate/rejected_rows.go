package migrate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"carryover/mapping/terms"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// RejectedRows are the rows of one file that could not be loaded and that nobody has
// mended: what they say is in no sum of a plan.
type RejectedRows struct {
	File       string           `json:"file"`
	Kind       string           `json:"kind"`
	Rows       int              `json:"rows"`
	All        bool             `json:"all,omitempty"`            // no row of the file, or of its kind, could be loaded
	Sums       map[string]int64 `json:"sums_cents,omitempty"`     // by currency; of the ledger its endings
	In         map[string]int   `json:"rows_in,omitempty"`        // how many rows have an amount in a currency
	Unread     int              `json:"unread_amounts,omitempty"` // rows of money whose amount cannot be read
	UnreadHint string           `json:"unread_amount,omitempty"`  // the first of them
	Conflict   string           `json:"conflict,omitempty"`       // the question about them; empty: they are tolerated
	Decision   string           `json:"decision,omitempty"`

	left []leftOutRow // the rows
}

// rejectedRow is a row that could not be loaded.
type rejectedRow struct {
	RejectLine
	left    leftOutRow // what it is known by
	copy    []string   // the mended copy that stands for it
	copyIn  string     // the file of rejects that holds it
	settled bool       // it does not count as rejected: it was mended, or is told twice
	cells   string     // the row, where no one cell is to blame
}

// moneyKinds are the kinds of which no row may be rejected in silence: what they sum to is proven.
var moneyKinds = []string{keap.Commissions, keap.Clawbacks, keap.Payments, keap.Ledger}

// HoldsMoney reports whether the rows are of money that a ledger and its rows are proven by.
func (r *RejectedRows) HoldsMoney() bool { return slices.Contains(moneyKinds, r.Kind) }

// Currencies are those that the rows are in, in order. A row whose amount cannot be read is in
// own, the program's.
func (r *RejectedRows) Currencies(own string) []string {
	list := slices.Collect(maps.Keys(r.Sums))
	if r.Unread > 0 && !slices.Contains(list, own) {
		list = append(list, own)
	}
	slices.Sort(list)
	return list
}

// RowsIn counts the rows in a currency; those whose amount cannot be read are in own.
func (r *RejectedRows) RowsIn(currency, own string) int {
	n := r.In[currency]
	if currency == own {
		n += r.Unread
	}
	return n
}

// Sum is what the rows come to, as far as their amounts can be read; empty where there are none.
func (r *RejectedRows) Sum() string {
	var parts []string
	for _, currency := range slices.Sorted(maps.Keys(r.Sums)) {
		parts = append(parts, terms.FormatMoney(r.Sums[currency], currency))
	}
	if r.Unread > 0 {
		parts = append(parts, fmt.Sprintf("%s that cannot be read (%q)", quantity(r.Unread, "amount", "amounts"), r.UnreadHint))
	}
	return strings.Join(parts, " and ")
}

// String names the rows for a person: ledger.csv, 2 rejected rows (12.00 USD).
func (r *RejectedRows) String() string { return r.text(filepath.Base(r.File)) }

func (r *RejectedRows) text(name string) string {
	text := fmt.Sprintf("%s, %s", name, quantity(r.Rows, "rejected row", "rejected rows"))
	if sum := r.Sum(); sum != "" {
		text += " (" + sum + ")"
	}
	return text
}

// amountFields are the columns with what a row of a kind comes to.
var amountFields = map[string]string{
	keap.Commissions: "amount", keap.Clawbacks: "amount", keap.Payments: "amount", keap.Ledger: "closing",
	keap.Orders: "total", keap.Subscriptions: "amount",
}

// rejectedAmount reads what a row that was rejected comes to, as far as it can be read. Of
// one with too many cells, which may have shifted, it is the larger of what stands under the
// header and as many cells further on.
func rejectedAmount(f *sheet.File, x *sheet.Reject, own string) (m sheet.Money, ok bool) {
	field := amountFields[f.Kind]
	if field == "" {
		return m, false
	}
	read := func(field string, shift int) (sheet.Money, bool) {
		header, found := f.Column(field)
		i := slices.Index(f.Header, header) + shift
		if !found || i >= len(x.Cells) {
			return sheet.Money{}, false
		}
		cell := sheet.Clean(x.Cells[i])
		if cell == "" {
			return sheet.Money{Currency: own}, f.Kind == keap.Ledger && field != "closing"
		}
		amount, err := f.NumberFormat(field).ParseAmount(cell, own)
		return amount, err == nil
	}
	m, ok = read(field, 0)
	if extra := len(x.Cells) - len(f.Header); x.Long && extra > 0 {
		if shifted, there := read(field, extra); there && (!ok || abs(shifted.Minor) > abs(m.Minor)) {
			m, ok = shifted, true
		}
	}
	if !ok && f.Kind == keap.Ledger && !x.Long { // what the other columns come to
		m = sheet.Money{Currency: own}
		for _, c := range []struct {
			field string
			sign  int64
		}{{"opening", 1}, {"commissions", 1}, {"clawbacks", -1}, {"payments", -1}} {
			amount, there := read(c.field, 0)
			if !there {
				return m, false
			}
			if c.field == "clawbacks" {
				amount.Minor = abs(amount.Minor)
			}
			m.Minor += c.sign * amount.Minor
			m.Currency = cmp.Or(amount.Currency, m.Currency)
		}
		ok = true
	}
	if f.Kind == keap.Clawbacks {
		m.Minor = abs(m.Minor)
	}
	return m, ok
}

// rejectedRows gathers what was rejected of each file, in the order of the files, without
// decisions.
func (x *exports) rejectedRows() []RejectedRows {
	list := []RejectedRows{}
	loaded := x.kinds()
	for i := range x.found {
		rows := x.rejects[i]
		if len(rows) == 0 {
			continue
		}
		r := RejectedRows{
			File: x.files[i].Path, Kind: x.files[i].Kind, All: x.files[i].nothingLoaded() || !loaded[x.files[i].Kind],
		}
		for i := range rows {
			if row := &rows[i]; amountFields[r.Kind] != "" && !row.left.Read && r.UnreadHint == "" {
				r.UnreadHint = cmp.Or(row.Value, row.Reason)
			}
			r.add(&rows[i].left)
		}
		list = append(list, r)
	}
	return list
}

// nothingLoaded reports whether rows of a file were rejected and none was loaded.
func (p *FilePlan) nothingLoaded() bool {
	without := 0 // skipped without having been read
	for _, reason := range []string{sheet.SkippedBlank, sheet.SkippedRepeatedHeader, sheet.SkippedTotals} {
		without += p.SkippedBy[reason]
	}
	return p.Rejected > 0 && p.Rejected+without == p.Rows
}

// DefaultTolerance is the share of the rows of a file without money that may be rejected
// without a question, one row in any case. It does not hold for referrals, of which none may.
const DefaultTolerance = 0.01

// tolerated is how many rows of a file may be rejected without a question.
func (s *Settings) tolerated(kind string, rows int) int {
	switch {
	case slices.Contains(moneyKinds, kind), kind == keap.Referrals && s.TolerateRejects == nil:
		return 0
	case s.TolerateRejects == nil:
		return max(1, int(DefaultTolerance*float64(rows)))
	}
	return int(*s.TolerateRejects * float64(rows))
}

// askRejected asks about rejected rows, and returns them with what was decided.
func (x *exports) askRejected(s *Settings, foreign []string, conflicts *conflictList) []RejectedRows {
	x.askTwice(conflicts)
	list := x.rejectedRows()
	for i := range list {
		r := &list[i]
		counted, file := r.Rows, slices.IndexFunc(x.files, func(f FilePlan) bool { return f.Path == r.File })
		for _, row := range x.rejects[file] {
			if row.Reason == sheet.UnsafeDestination { // each is a conflict of its own
				counted--
			}
		}
		if !r.All && counted <= s.tolerated(r.Kind, x.files[file].Rows) {
			continue
		}
		q := question(KindRejected, x.names[r.File], x.rejectedDetail(file, r, foreign), Accept, Accept, Mend)
		q.about = fingerprintRows(r.left)
		c := conflicts.add(q)
		r.Conflict, r.Decision = c.ID, c.Decision
	}
	return list
}

// fingerprintRows tells rejected rows from others, in whatever order they stand.
func fingerprintRows(rows []leftOutRow) string {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	slices.Sort(ids)
	sum := sha256.Sum256([]byte(strings.Join(ids, "\n")))
	return hex.EncodeToString(sum[:4])
}

// maxNamed is how many rejected rows a question names.
const maxNamed = 3

func (x *exports) rejectedDetail(file int, r *RejectedRows, foreign []string) string {
	var b strings.Builder
	f, rows := &x.files[file], x.rejects[file]
	switch {
	case r.All && f.nothingLoaded():
		fmt.Fprintf(&b, "%s: every row was rejected (%s), which is as good as no file", f.Path, quantity(r.Rows, "row", "rows"))
	case r.All:
		fmt.Fprintf(&b, "%s: %s rejected, and no row of any file of %s could be loaded, which is as good as no file",
			f.Path, quantity(r.Rows, "row was", "rows were"), r.Kind)
	default:
		fmt.Fprintf(&b, "%s: %d of %d rows rejected", f.Path, r.Rows, f.Rows)
	}
	if sum := r.Sum(); sum != "" {
		of := r.Kind
		if r.Kind == keap.Ledger {
			of = "endings"
		}
		fmt.Fprintf(&b, ", with %s of %s", of, sum)
	}
	for i, row := range rows {
		if i == maxNamed {
			fmt.Fprintf(&b, "; and %d more", len(rows)-i)
			break
		}
		fmt.Fprintf(&b, "; line %d, %s", row.Line, row.Reason)
		if row.Column != "" {
			fmt.Fprintf(&b, ", %s %q", clip(row.Column), row.Value)
		} else {
			fmt.Fprintf(&b, ", %s", row.cells)
		}
	}
	if r.All && r.Kind == keap.Links && len(foreign) > 0 {
		fmt.Fprintf(&b, "; missing from allowed_hosts: %s", strings.Join(foreign, ", "))
	}
	left := "they are left out"
	if r.HoldsMoney() {
		left = "they are in no sum, and nothing proves what is owed without them"
	}
	fmt.Fprintf(&b, ". With %s %s, and every plan and verify says so; with %s nothing is applied until the rows, "+
		"which lie in rejects/, are mended and named beside the exports", Accept, left, Mend)
	return b.String()
}
