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

// liveBook is what the live program has booked by itself, as far as a plan has to do with
// it. It is empty until the billing system tells.
type liveBook struct {
	lines  []book.TrackedLine        // of the days that the commissions of these exports cover
	owners map[string]*book.Customer // who is somebody's for life, by e-mail key
	// promoters whom sales and sign-ups of the others were credited to, by e-mail key
	credited map[string]int64
}

// readLive reads it, once the commissions of these exports are there. What is tracked since
// then is as if it came after the plan.
func readLive(ctx context.Context, b *book.Book, commissions []book.Commission) (l liveBook, err error) {
	if b == nil {
		return l, nil
	}
	bound, err := b.BoundByEmail(ctx)
	if err != nil {
		return l, err
	}
	l.owners = make(map[string]*book.Customer, len(bound))
	for i := range bound {
		l.owners[bound[i].Email] = &bound[i]
	}
	if live, err := b.IsLive(ctx); err != nil || !live {
		return l, err
	}
	if l.credited, err = b.CreditedByEmail(ctx); err != nil || len(commissions) == 0 {
		return l, err
	}
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for i := range commissions {
		first, last = min(first, commissions[i].EarnedAt), max(last, commissions[i].EarnedAt)
	}
	const margin = 3 * 24 * 3600 // more than the days that a pair may lie apart, in any zone
	l.lines, err = b.TrackedBetween(ctx, first-margin, last+margin)
	return l, err
}

// trackedKey is what a row of Keap's and a line of what was tracked have in common when
// they tell of one thing, but for the day.
type trackedKey struct {
	reversal        bool
	promoter        *book.DirectoryPromoter
	email, currency string
	amount          int64
}

// trackedPair is a commission and a tracked line that may tell of one thing.
type trackedPair struct {
	row, line int   // indexes
	days      int32 // apart, in the program's zone: Keap often knows no time of day
	apart     int64 // seconds
}

// pairTracked pairs the rows of these exports with tracked lines, each with one at most and
// the nearest first. Rows that the book holds take part: whether a row has a line does not
// depend on what was applied since.
func (l *ledger) pairTracked(in *ledgerInput) []trackedPair {
	lines, amounts := map[trackedKey][]int{}, map[int64]bool{}
	for i := range in.tracked {
		t := &in.tracked[i]
		if p := in.directory.ByID(t.PromoterID).Promoter; p != nil {
			k := trackedKey{t.Kind == book.KindRefund, p, t.Email, t.Currency, t.Amount}
			lines[k] = append(lines[k], i)
			amounts[t.Amount] = true
		}
	}
	var all []trackedPair
	for i := range l.commissions {
		e := &l.commissions[i]
		if !amounts[e.Amount] {
			continue
		}
		email := in.contacts.email(e.ContactID)
		if email == "" {
			continue
		}
		k := trackedKey{e.Kind == book.KindClawback, in.directory.ByPartner(e.PartnerID).Promoter, email, e.Currency, e.Amount}
		for _, n := range lines[k] {
			at := in.tracked[n].At
			if days := dayNumber(at, in.settings.Zone) - dayNumber(e.EarnedAt, in.settings.Zone); -1 <= days && days <= 1 {
				all = append(all, trackedPair{i, n, max(days, -days), abs(at - e.EarnedAt)})
			}
		}
	}
	slices.SortFunc(all, func(a, b trackedPair) int {
		return cmp.Or(cmp.Compare(a.days, b.days), cmp.Compare(a.apart, b.apart), cmp.Compare(a.row, b.row), cmp.Compare(a.line, b.line))
	})
	rows, taken := map[int]bool{}, map[int]bool{}
	return slices.DeleteFunc(all, func(p trackedPair) bool {
		if rows[p.row] || taken[p.line] {
			return true
		}
		rows[p.row], taken[p.line] = true, true
		return false
	})
}

// skipTracked reports rows that are new to the book and that the live program has booked
// as well, and leaves out those of which a person decided so: they are skipped.
func (l *ledger) skipTracked(in *ledgerInput, conflicts *conflictList, skipped *skips) {
	if len(in.tracked) == 0 {
		return
	}
	pairs := l.pairTracked(in)
	at := func(row int) position { return positionIn(l.commissions[row].Origin) }
	slices.SortFunc(pairs, func(a, b trackedPair) int { return comparePositions(at(a.row), at(b.row)) })
	ofInvoice := map[string]int{}
	for _, p := range pairs {
		ofInvoice[l.commissions[p.row].Invoice]++
	}
	dropped := map[int]bool{}
	for _, p := range pairs {
		e := &l.commissions[p.row]
		_, booked := slices.BinarySearchFunc(in.before.Posted, e.ID, func(b book.PostedCommission, id book.EntryID) int {
			return compareIDs(b.ID, id)
		})
		if booked {
			continue
		}
		subject := e.Invoice
		if subject == "" || ofInvoice[subject] > 1 {
			subject = e.ID.String()
		}
		if c := conflicts.add(in.trackedConflict(subject, e, &in.tracked[p.line])); c.Decision == SkipRow {
			dropped[p.row] = true
			l.leftOut[account{e.PartnerID, e.Currency}] += e.Amount
			skipped.add(at(p.row), skippedExcluded)
		}
	}
	l.dropRows(dropped)
}

func (in *ledgerInput) trackedConflict(subject string, e *book.Commission, t *book.TrackedLine) Conflict {
	event := "an event without an id"
	if t.ExternalID != "" {
		event = fmt.Sprintf("event %q", clip(t.ExternalID))
	}
	verb, invoice := "earned", ""
	if e.Kind == book.KindClawback {
		verb = "lost"
	}
	if e.Invoice != "" {
		invoice = ", invoice " + e.Invoice
	}
	amount := account{e.PartnerID, e.Currency}.format(abs(e.Amount))
	return Conflict{
		ID: KindAlsoTracked + ":" + subject, Kind: KindAlsoTracked, Subject: subject,
		Recommended: KeepRow, options: []string{KeepRow, SkipRow}, about: hex.EncodeToString(e.ID[:4]),
		Detail: fmt.Sprintf("%s: %s %s %s by %s on %s%s; the live program has booked the same: %s of %s (t-%d). "+
			"Both count unless the row is left out (%s)", in.paths.line(positionIn(e.Origin)), partnerLabel(in.directory, e.PartnerID),
			verb, amount, clip(t.Email), day(e.EarnedAt, in.settings.Zone), invoice, event, day(t.At, in.settings.Zone), t.ID, SkipRow),
	}
}

// owner is the customer of an address that the live program has bound to a promoter; nil
// when the customer is whose Keap says.
func (l *liveBook) owner(email string) *book.Customer {
	if email == "" {
		return nil
	}
	return l.owners[email]
}

// tokens are the ref tokens of those to whom customers are bound, by the customers' e-mail
// keys. Who is credited with nothing new is left out.
func (l *liveBook) tokens(d *book.Directory) map[string]string {
	tokens := make(map[string]string, len(l.owners))
	for email, c := range l.owners {
		if p := d.ByID(c.PromoterID).Creditable(); p != nil && email != "" {
			tokens[email] = p.Token
		}
	}
	return tokens
}
