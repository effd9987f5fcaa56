package migrate

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/keap"
)

// askUnbalanced asks what to do about an account whose ledger and rows do not agree. says
// and t are what a decision is about: about other figures it is asked again.
func (r *reconciler) askUnbalanced(a account, why string, difference int64, says entryKey, t tally) Conflict {
	c := question(KindUnbalanced, r.subject(a), why, Accept, Accept, Exclude, Fix)
	if left := r.ledger.leftOut[a]; left != 0 && left == difference { // not to be brought back by accepting it
		c.Recommended = Fix
		c.Detail += fmt.Sprintf("; that is what was left out because it was tracked as well: %s keeps it out, %s would bring it back",
			Fix, Accept)
	}
	about := says.text(a.currency).int(t.commissions).int(t.clawbacks).int(t.payments).id()
	c.about = hex.EncodeToString(about[:4])
	c = r.conflicts.add(c)
	r.differences = append(r.differences, Difference{
		Conflict: c.ID, Partner: a.partner, Code: r.code(a), Token: r.in.directory.ByPartner(a.partner).Token(),
		Currency: a.currency, Amount: difference, Decision: c.Decision,
	})
	return c
}

// disagreement says what does not agree in an account; empty: all does.
// The columns say nothing about a ledger of other days than the rows' where the book
// proves its ending: asks tells whether it does not.
func (r *reconciler) disagreement(s *statement, t tally, asks bool, sum, byRows int64) string {
	var wrong []string
	a := s.account
	for _, other := range s.others {
		holds := "has seen more"
		if s.agrees(t) {
			holds = "agrees with its rows"
		}
		wrong = append(wrong, fmt.Sprintf("another row of the ledger (%s) ends with %s, difference %s; this one %s",
			r.in.paths.line(other.at), a.format(other.closing), a.format(other.closing-s.closing), holds))
	}
	if s.opening != nil && s.commissions != nil && s.clawbacks != nil && s.payments != nil {
		if comes := *s.opening + *s.commissions - *s.clawbacks - *s.payments; comes != s.closing {
			wrong = append(wrong, fmt.Sprintf("the ledger itself does not add up: %s + %s - %s - %s comes to %s, difference %s",
				a.format(*s.opening), a.format(*s.commissions), a.format(*s.clawbacks), a.format(*s.payments),
				a.format(comes), a.format(s.closing-comes)))
		}
	}
	column := func(kind string, stated *int64, rows int64) {
		if stated == nil || *stated == rows || !r.in.kinds[kind] || !asks {
			return
		}
		text := fmt.Sprintf("its %s come to %s in their rows and to %s in the ledger, difference %s",
			kind, a.format(rows), a.format(*stated), a.format(*stated-rows))
		wrong = append(wrong, text+r.suspectRows(kind, a, abs(*stated-rows)))
	}
	column(keap.Commissions, s.commissions, t.commissions)
	column(keap.Clawbacks, s.clawbacks, t.clawbacks)
	column(keap.Payments, s.payments, t.payments)
	if byRows != 0 && asks && len(wrong) == 0 {
		wrong = append(wrong, fmt.Sprintf("with what the book holds its rows come to %s, difference %s", a.format(sum), a.format(byRows)))
	}
	if len(wrong) == 0 {
		return ""
	}
	return fmt.Sprintf("%s, %s, ending %s: %s", r.label(a), r.in.paths.line(s.at), a.format(s.closing), strings.Join(wrong, "; "))
}

// suspectRows names rows of an account that may make a difference: those that were
// rejected, and those of just that amount.
func (r *reconciler) suspectRows(kind string, a account, amount int64) string {
	var found []string
	note := func(at position, what string) {
		if len(found) < 5 {
			found = append(found, fmt.Sprintf("%s line %d (%s)", r.in.paths[at.file], at.line, what))
		}
	}
	for _, row := range r.in.rows.rejected {
		if row.kind == kind && row.partner == a.partner {
			note(row.at, "rejected, "+row.reason)
		}
	}
	if kind == keap.Payments {
		for i := range r.ledger.payments.rows {
			if p := &r.ledger.payments.rows[i]; p.partner == a.partner && p.currency == a.currency && abs(p.amount) == amount {
				note(r.ledger.payments.at[i], "of that amount")
			}
		}
	} else {
		for _, i := range r.commissionsOf(a.partner) {
			e := &r.ledger.commissions[i]
			if e.Currency == a.currency && abs(e.Amount) == amount && (e.Kind == book.KindClawback) == (kind == keap.Clawbacks) {
				note(positionIn(e.Origin), "of that amount")
			}
		}
	}
	if len(found) == 0 {
		return ""
	}
	return "; look at " + strings.Join(found, ", ")
}

// commissionsOf lists the rows of a partner; only a ledger that does not agree asks for it.
func (r *reconciler) commissionsOf(partner int64) []int32 {
	if r.byPartner == nil {
		r.byPartner = map[int64][]int32{}
		for i := range r.ledger.commissions {
			p := r.ledger.commissions[i].PartnerID
			r.byPartner[p] = append(r.byPartner[p], int32(i))
		}
	}
	return r.byPartner[partner]
}

// code is the code of an account's partner; empty for one that has none.
func (r *reconciler) code(a account) string {
	if p := r.in.directory.Partner(a.partner); p != nil {
		return p.Code
	}
	return ""
}

// subject is what conflicts about an account are known by.
func (r *reconciler) subject(a account) string { return cmp.Or(r.code(a), fmt.Sprint(a.partner)) }

func (r *reconciler) label(a account) string { return partnerLabel(r.in.directory, a.partner) }

func (a account) format(minor int64) string { return terms.FormatMoney(minor, a.currency) }

func quantity(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
