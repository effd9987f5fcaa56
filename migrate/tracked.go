package migrate

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"carryover/mapping/book"
)

// tracked is what the live program has booked by itself, as far as a plan has to do with
// it. It is empty until the billing system tells.
type tracked struct {
	lines []book.TrackedLine       // of the days that the rows of these exports cover
	bound map[string]book.Customer // who is somebody's for life, by e-mail key
}

// readTracked reads it, once the rows of these exports are there. What is tracked since
// then is as if it came after the plan.
func (m *money) readTracked(ctx context.Context, b *book.Book) error {
	if b == nil {
		return nil
	}
	bound, err := b.BoundByEmail(ctx)
	if err != nil {
		return err
	}
	m.tracked.bound = make(map[string]book.Customer, len(bound))
	for _, c := range bound {
		m.tracked.bound[c.Email] = c
	}
	if has, err := b.HasTracked(ctx); err != nil || !has {
		return err
	}
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for _, list := range [][]book.Commission{m.earnings, m.clawbacks} {
		for i := range list {
			first, last = min(first, list[i].EarnedAt), max(last, list[i].EarnedAt)
		}
	}
	if first > last {
		return nil
	}
	const margin = 3 * 24 * 3600 // more than the days that alike may lie apart, in any zone
	m.tracked.lines, err = b.TrackedBetween(ctx, first-margin, last+margin)
	return err
}

// boundTo is the promoter to whom the live program has bound a customer: its ref token,
// and what to call it. ok is false when the customer is whose Keap says.
func (m *money) boundTo(email string) (token, name string, since int64, ok bool) {
	c, ok := m.tracked.bound[email]
	if !ok || email == "" {
		return "", "", 0, false
	}
	token = m.promoterOf(c.PromoterID)
	return token, cmp.Or(token, m.partnerName(c.PromoterID)), c.BoundAt, true
}

// alike is what a row of Keap's and a line of what was tracked have in common when they
// tell of one thing, but for the day.
type alike struct {
	takesBack              bool
	token, email, currency string
	amount                 int64
}

// twin is a row of the earnings and a tracked line that may tell of one thing.
type twin struct {
	row, line int   // indexes
	days      int32 // apart, in the program's zone: Keap often knows no time of day
	apart     int64 // seconds
}

// twins pairs the rows of these exports with tracked lines, each with one at most and the
// nearest first. Rows that the book holds take part: whether a row has a twin does not
// depend on what was applied since.
func (m *money) twins() []twin {
	byAlike, amounts := map[alike][]int{}, map[int64]bool{}
	for i := range m.tracked.lines {
		l := &m.tracked.lines[i]
		if token := m.promoterOf(l.PromoterID); token != "" {
			k := alike{l.Kind == book.KindRefund, token, l.Email, l.Currency, l.Amount}
			byAlike[k] = append(byAlike[k], i)
			amounts[l.Amount] = true
		}
	}
	var all []twin
	for i := range m.earnings {
		e := &m.earnings[i]
		if !amounts[e.Amount] {
			continue
		}
		contact, _ := m.contactOf(e.ContactID)
		if contact.Email == "" {
			continue
		}
		for _, n := range byAlike[alike{e.Kind == book.KindClawback, m.promoterOf(e.PartnerID), contact.Email, e.Currency, e.Amount}] {
			at := m.tracked.lines[n].At
			if days := m.dayNumber(at) - m.dayNumber(e.EarnedAt); -1 <= days && days <= 1 {
				all = append(all, twin{i, n, max(days, -days), abs(at - e.EarnedAt)})
			}
		}
	}
	slices.SortFunc(all, func(a, b twin) int {
		return cmp.Or(cmp.Compare(a.days, b.days), cmp.Compare(a.apart, b.apart), cmp.Compare(a.row, b.row), cmp.Compare(a.line, b.line))
	})
	rows, lines := map[int]bool{}, map[int]bool{}
	return slices.DeleteFunc(all, func(t twin) bool {
		if rows[t.row] || lines[t.line] {
			return true
		}
		rows[t.row], lines[t.line] = true, true
		return false
	})
}

// alsoTracked reports rows that are new to the book and that the live program has booked
// as well, and leaves out those of which a person decided so: they are skipped.
func (m *money) alsoTracked() {
	if len(m.tracked.lines) == 0 {
		return
	}
	twins := m.twins()
	slices.SortFunc(twins, func(a, b twin) int {
		return comparePlaces(m.placeOfEarning(a.row), m.placeOfEarning(b.row))
	})
	ofInvoice := map[string]int{}
	for _, t := range twins {
		ofInvoice[m.earnings[t.row].Invoice]++
	}
	out := map[int]bool{}
	for _, t := range twins {
		e := &m.earnings[t.row]
		if _, booked := slices.BinarySearchFunc(m.before.Booked, e.EventID, func(b book.PostedCommission, id book.EventID) int { return compareIDs(b.EventID, id) }); booked {
			continue
		}
		subject := e.Invoice
		if subject == "" || ofInvoice[subject] > 1 {
			subject = e.EventID.String()
		}
		if c := m.tellTracked(subject, e, &m.tracked.lines[t.line]); c.Decision == SkipRow {
			out[t.row] = true
			m.leftOut[account{e.PartnerID, e.Currency}] += e.Amount
			m.supersede(m.placeOfEarning(t.row), skippedLeftOut)
		}
	}
	if len(out) == 0 {
		return
	}
	kept := 0
	for i := range m.earnings {
		if !out[i] {
			m.earnings[kept], m.ofRow[kept] = m.earnings[i], m.ofRow[i]
			kept++
		}
	}
	clear(m.earnings[kept:])
	m.earnings, m.ofRow = m.earnings[:kept], m.ofRow[:kept]
}

func (m *money) placeOfEarning(row int) place {
	w := m.earnings[row].Where
	return placeOf(int(w.Source)-1, int(w.Line))
}

func (m *money) tellTracked(subject string, e *book.Commission, l *book.TrackedLine) Conflict {
	event := "an event without an id"
	if l.EventID != "" {
		event = fmt.Sprintf("event %q", clip(l.EventID))
	}
	verb, invoice := "earned", ""
	if e.Kind == book.KindClawback {
		verb = "lost"
	}
	if e.Invoice != "" {
		invoice = ", invoice " + e.Invoice
	}
	return *m.add(Conflict{
		ID: KindAlsoTracked + ":" + subject, Kind: KindAlsoTracked, Subject: subject, Recommended: KeepRow, options: []string{KeepRow, SkipRow},
		about: hex.EncodeToString(e.EventID[:4]),
		Detail: fmt.Sprintf("%s, line %d: %s %s %s by %s on %s%s; the live program has booked the same: %s of %s (t-%d). Both count unless the row is left out (%s)",
			m.files[e.Where.Source-1].Path, e.Where.Line, m.partnerName(e.PartnerID), verb, m.amount(account{e.PartnerID, e.Currency}, abs(e.Amount)), clip(l.Email), m.day(e.EarnedAt), invoice,
			event, m.day(l.At), l.ID, SkipRow),
	})
}

// explainLeftOut says of a ledger's difference that it is what a person left out, so that
// it is not brought back by accepting it.
func (m *money) explainLeftOut(c *Conflict, a account, difference int64) {
	if left := m.leftOut[a]; left != 0 && left == difference {
		c.Recommended = Fix
		c.Detail += fmt.Sprintf("; that is what was left out because it was tracked as well: %s keeps it out, %s would bring it back", Fix, Accept)
	}
}
