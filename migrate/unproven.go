package migrate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/migrate/keap"
)

// Standing is a difference between a ledger and its rows that an earlier run booked as a person
// had decided. It is named until rows explain it, or a person takes it back.
type Standing struct {
	Partner  int64  `json:"keap_partner_id"`
	Code     string `json:"code"`
	Token    string `json:"ref_token"`
	Currency string `json:"currency"`
	Amount   int64  `json:"difference_cents"` // in the balance
}

// Unlisted is a balance of the book's that the ledger among these exports does not list: they
// prove nothing of it.
type Unlisted struct {
	Partner  int64  `json:"keap_partner_id"`
	Code     string `json:"code"`
	Token    string `json:"ref_token"`
	Currency string `json:"currency"`
	Amount   int64  `json:"balance_cents"`
}

// findUnproven lists what stands of earlier runs' decisions, and the balances that this ledger
// does not list. What is asked about is in neither.
func (r *reconciler) findUnproven() {
	asked := map[account]bool{}
	for _, d := range r.differences {
		asked[account{d.Partner, d.Currency}] = true
	}
	r.compared = map[string]bool{}
	for a := range r.statements {
		r.compared[r.subject(a)] = !r.in.keepNewer
	}
	earlier, differences, balances := map[account]bool{}, map[account]int64{}, map[account]int64{}
	for i := range r.sums {
		a := r.ledger.accounts.list[i]
		earlier[a] = earlier[a] || r.sums[i].differences != 0
		differences[a] += r.sums[i].differences
		balances[a] += r.sums[i].booked + r.sums[i].added
	}
	for i := range r.entries {
		e := &r.entries[i]
		a := account{e.PartnerID, e.Currency}
		balances[a] += e.Amount
		if e.Kind == book.KindDifference {
			differences[a] += e.Amount
		}
	}
	for _, a := range slices.SortedFunc(maps.Keys(balances), compareAccounts) {
		if asked[a] || r.in.house[a.partner] != nil {
			continue
		}
		code, token := r.code(a), r.in.directory.ByPartner(a.partner).Token()
		if n := differences[a]; n != 0 && earlier[a] {
			r.standing = append(r.standing, Standing{a.partner, code, token, a.currency, n})
		}
		if _, listed := r.statements[a]; r.in.kinds[keap.Ledger] && !r.in.keepNewer && !listed && balances[a] != 0 {
			r.unlisted = append(r.unlisted, Unlisted{a.partner, code, token, a.currency, balances[a]})
			r.conflicts.inform(KindUnlisted, r.subject(a), "%s: the ledger among these exports does not list it, and by earlier runs "+
				"its balance is %s: nothing of these exports proves that", r.label(a), a.format(balances[a]))
		}
	}
}

// earlierDecision is a decision about money that an earlier run was applied with, and that no
// ledger has settled since. Each run hands on those that it did not settle.
type earlierDecision struct {
	ID       string `json:"id"` // of the question
	Decision string `json:"decision"`
	Run      int64  `json:"run"`
}

// String names the decision, and what it left.
func (d earlierDecision) String() string {
	text := fmt.Sprintf("%s was decided in run %d: %s", d.ID, d.Run, d.Decision)
	switch d.Decision {
	case Exclude:
		text += " (its money was left out)"
	case Fix:
		text += " (its rows were taken, and the ledger was not believed)"
	}
	return text
}

// moneyDecisions are the decisions after which money was not all proven: those of the run
// itself, and those that it did not settle. An accepted difference is an entry of the book,
// and found there.
func (in *importInputs) moneyDecisions(run int64) []earlierDecision {
	var list []earlierDecision
	for _, d := range in.Unproven {
		if in.Decisions[d.ID] == "" {
			list = append(list, d)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(in.Decisions)) {
		decision := in.Decisions[id]
		switch kind, _, _ := strings.Cut(id, ":"); {
		case kind == KindNoLedger, kind == KindNoRows, kind == KindUnbalanced && (decision == Exclude || decision == Fix):
			list = append(list, earlierDecision{id, decision, run})
		}
	}
	return list
}

// setEarlier keeps those of the earlier decisions that p neither asks about itself nor settles:
// a ledger settles what was decided for lack of one, and what was decided about a partner that
// it lists.
func (p *Plan) setEarlier(earlier []earlierDecision, r *reconciliation) {
	seen := map[string]bool{}
	for _, c := range p.Conflicts {
		seen[c.ID] = true
	}
	hasLedger := slices.ContainsFunc(p.Files, func(f FilePlan) bool { return f.Kind == keap.Ledger && !f.nothingLoaded() })
	for _, d := range earlier {
		kind, subject, _ := strings.Cut(d.ID, ":")
		settled := hasLedger
		if kind == KindUnbalanced {
			settled = r.compared[subject] || r.compared[withoutNumber(subject)]
		}
		if !seen[d.ID] && !settled {
			p.earlier = append(p.earlier, d)
			p.Earlier = append(p.Earlier, d.String())
		}
	}
}

// withoutNumber is a subject without the number of a further question about it.
func withoutNumber(subject string) string {
	if i := strings.LastIndexByte(subject, '#'); i > 0 {
		return subject[:i]
	}
	return subject
}

// describePartner names the partner of a balance.
func describePartner(code string, partner int64, token string) string {
	return fmt.Sprintf("partner %s (%d), promoter %s", cmp.Or(code, "without a code"), partner, cmp.Or(token, "none"))
}
