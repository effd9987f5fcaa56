package migrate

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"carryover/mapping/book"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// leftOutFile are rejected rows that a person accepted to go without, as an import remembers
// them: they are named by every plan and verification until they are loaded.
type leftOutFile struct {
	File string       `json:"file"`
	Kind string       `json:"kind"`
	Rows []leftOutRow `json:"rows"`
	More int          `json:"more,omitempty"` // rows beyond those; without amounts
}

// maxLeftOut is how many rows of a file an import remembers one by one.
const maxLeftOut = 2000

// leftOutRow is what a rejected row is known by.
type leftOutRow struct {
	Line     int    `json:"line"`
	Reason   string `json:"reason"`
	ID       string `json:"row"` // see [sheet.Reject]
	Own      string `json:"id,omitempty"`
	Partner  string `json:"partner,omitempty"` // id, or code
	Invoice  string `json:"invoice,omitempty"`
	Amount   int64  `json:"amount,omitempty"` // minor units
	Currency string `json:"currency,omitempty"`
	Read     bool   `json:"amount_read,omitempty"`
}

// newLeftOutRow takes what can be read from a rejected row.
func newLeftOutRow(f *sheet.File, x *sheet.Reject) leftOutRow {
	cell := func(fields ...string) string {
		for _, field := range fields {
			header, found := f.Column(field)
			if i := slices.Index(f.Header, header); found && i < len(x.Cells) {
				if text := sheet.Clean(x.Cells[i]); text != "" {
					return clip(text)
				}
			}
		}
		return ""
	}
	row := leftOutRow{Line: x.Line, Reason: x.Reason, ID: x.ID, Partner: cell("partner_id", "partner_code"), Invoice: cell("invoice_id")}
	switch f.Kind {
	case keap.Links:
		row.Own = cell("code")
	case keap.Commissions, keap.Clawbacks, keap.Ledger:
	default:
		row.Own = cell("id")
	}
	return row
}

// leftOut are the rejected rows of a plan that were accepted, and those of earlier imports that
// are still missing.
func (p *Plan) leftOut() []leftOutFile {
	list := slices.Clone(p.missing)
	for i := range p.Rejected {
		r := &p.Rejected[i]
		if r.Decision != Accept {
			continue
		}
		n := min(len(r.left), maxLeftOut)
		list = append(list, leftOutFile{r.File, r.Kind, r.left[:n], len(r.left) - n})
	}
	return list
}

// stillMissing are the rejected rows of earlier imports that this plan does not load either, and
// that its own exports do not reject again.
func (in *inputs) stillMissing(p *Plan, own *ownership, l *ledger, statements map[account]statement) []leftOutFile {
	if len(in.book.leftOut) == 0 {
		return nil
	}
	here := map[string]bool{} // rows of these exports that were rejected, mended since or not
	for _, rows := range in.exports.rejects {
		for i := range rows {
			here[rows[i].left.ID] = true
		}
	}
	for _, id := range in.exports.mended {
		here[id] = true
	}
	loaded := in.loadedIDs(p, own, l)
	var missing []leftOutFile
	for _, f := range in.book.leftOut {
		f.Rows = slices.DeleteFunc(slices.Clone(f.Rows), func(r leftOutRow) bool {
			switch {
			case here[r.ID], in.exports.copies[rowOrigin{f.Kind, sheet.Origin{Line: r.Line, Reason: r.Reason}}]:
				return true
			case r.Own != "":
				return loaded[f.Kind][r.Own]
			case f.Kind == keap.Ledger:
				return in.hasStatement(r.Partner, statements)
			case r.Invoice != "":
				return in.hasInvoice(&r, f.Kind, l)
			}
			return false
		})
		if len(f.Rows)+f.More > 0 {
			missing = append(missing, f)
		}
	}
	return missing
}

// rowOrigin is a row of a file of rejects: a kind, and what it was in its export.
type rowOrigin struct {
	kind string
	sheet.Origin
}

// loadedIDs are the ids, or codes, of what there will be of every kind whose rows have one.
func (in *inputs) loadedIDs(p *Plan, own *ownership, l *ledger) map[string]map[string]bool {
	loaded := map[string]map[string]bool{}
	set := func(kind, id string) {
		if loaded[kind] == nil {
			loaded[kind] = map[string]bool{}
		}
		loaded[kind][id] = true
	}
	number := func(kind string, id int64) { set(kind, strconv.FormatInt(id, 10)) }
	wanted := map[string]bool{}
	for _, f := range in.book.leftOut {
		wanted[f.Kind] = true
	}
	if wanted[keap.Partners] {
		for i := range p.After.Aliases {
			if id, ok := p.After.Aliases[i].KeapID(); ok {
				number(keap.Partners, id)
			}
		}
	}
	if wanted[keap.Links] {
		for _, link := range p.After.Links {
			set(keap.Links, link.Code)
		}
	}
	if wanted[keap.Contacts] {
		for id := range in.model.contacts.rows {
			number(keap.Contacts, id)
		}
	}
	if wanted[keap.Referrals] {
		for i := range own.allReferrals {
			number(keap.Referrals, own.allReferrals[i].ID)
		}
	}
	if wanted[keap.Orders] {
		for i := range own.orders {
			number(keap.Orders, own.orders[i].ID)
		}
	}
	if wanted[keap.Subscriptions] {
		for i := range own.allSubscriptions {
			number(keap.Subscriptions, own.allSubscriptions[i].ID)
		}
	}
	if wanted[keap.Payments] {
		for i := range l.payments.rows {
			number(keap.Payments, l.payments.rows[i].id)
		}
	}
	return loaded
}

// partnerOf is the Keap id of a partner that a row names by id or code; 0 for nobody.
func (in *inputs) partnerOf(name string) int64 {
	if id, err := strconv.ParseInt(name, 10, 64); err == nil && in.people.directory.Partner(id) != nil {
		return id
	}
	for _, m := range in.people.partners {
		if m.code == name {
			return m.id
		}
	}
	return 0
}

func (in *inputs) hasStatement(partner string, statements map[account]statement) bool {
	id := in.partnerOf(partner)
	return id != 0 && slices.ContainsFunc(slices.Collect(maps.Keys(statements)), func(a account) bool { return a.partner == id })
}

// hasInvoice reports whether these exports have a commission or clawback of the row's partner,
// invoice and amount, as far as they can be read.
func (in *inputs) hasInvoice(r *leftOutRow, kind string, l *ledger) bool {
	id := in.partnerOf(r.Partner)
	return id != 0 && slices.ContainsFunc(l.commissions, func(e book.Commission) bool {
		return e.PartnerID == id && e.Invoice == r.Invoice && (e.Kind == book.KindClawback) == (kind == keap.Clawbacks) &&
			(!r.Read || abs(e.Amount) == abs(r.Amount) && e.Currency == r.Currency)
	})
}

// summarizeLeftOut counts and adds up rows that earlier imports left out.
func summarizeLeftOut(files []leftOutFile) []RejectedRows {
	list := []RejectedRows{}
	for _, f := range files {
		r := RejectedRows{File: f.File, Kind: f.Kind, Decision: Accept}
		for i := range f.Rows {
			r.add(&f.Rows[i])
		}
		r.Rows += f.More
		if amountFields[f.Kind] != "" {
			r.Unread += f.More
		}
		list = append(list, r)
	}
	return list
}

// add counts a row.
func (r *RejectedRows) add(row *leftOutRow) {
	r.Rows++
	r.left = append(r.left, *row)
	switch {
	case amountFields[r.Kind] == "":
	case row.Read:
		if r.Sums == nil {
			r.Sums, r.In = map[string]int64{}, map[string]int{}
		}
		r.Sums[row.Currency] += row.Amount
		r.In[row.Currency]++
	default:
		r.Unread++
		r.UnreadHint = cmp.Or(r.UnreadHint, row.Reason)
	}
}
