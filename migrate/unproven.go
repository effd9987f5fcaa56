package migrate

import (
	"cmp"
	"context"
	"encoding/json"
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
	differences, balances := map[account]int64{}, map[account]int64{}
	for i := range r.sums {
		a := r.ledger.accounts.list[i]
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
		if n := differences[a]; n != 0 {
			r.standing = append(r.standing, Standing{a.partner, code, token, a.currency, n})
		}
		if _, listed := r.statements[a]; r.in.kinds[keap.Ledger] && !r.in.keepNewer && !listed && balances[a] != 0 {
			r.unlisted = append(r.unlisted, Unlisted{a.partner, code, token, a.currency, balances[a]})
			r.conflicts.inform(KindUnlisted, r.subject(a), "%s: the ledger among these exports does not list it, and by earlier runs "+
				"its balance is %s: nothing of these exports proves that", r.label(a), a.format(balances[a]))
		}
	}
}

// moneyDecisions are the decisions about money that earlier runs were applied with, and about
// which no ledger has come since; the newest first. What p asks itself is left out.
func (p *Plan) moneyDecisions(ctx context.Context, b *book.Book) (list []string, err error) {
	ofLedger := func(f FilePlan) bool { return f.Kind == keap.Ledger && !f.nothingLoaded() }
	if b == nil || slices.ContainsFunc(p.Files, ofLedger) {
		return nil, nil
	}
	imports, err := b.Imports(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, c := range p.Conflicts {
		seen[c.ID] = true
	}
	for _, imp := range imports {
		if !imp.RolledBack.IsZero() || len(imp.Inputs) == 0 {
			continue
		}
		var in importInputs
		if err := json.Unmarshal(imp.Inputs, &in); err != nil {
			return nil, fmt.Errorf("run %d does not say what it read: %w", imp.ID, err)
		}
		for _, id := range slices.Sorted(maps.Keys(in.Decisions)) {
			kind, _, _ := strings.Cut(id, ":")
			if slices.Contains(unprovenKinds, kind) && !seen[id] {
				seen[id] = true
				list = append(list, fmt.Sprintf("%s was decided in run %d: %s", id, imp.ID, in.Decisions[id]))
			}
		}
		if slices.ContainsFunc(in.Files, ofLedger) {
			break
		}
	}
	return list, nil
}

// unprovenKinds are the kinds of questions after whose decision money is not all proven. An
// accepted difference is an entry of the book, and found there.
var unprovenKinds = []string{KindNoLedger, KindNoRows}

// describePartner names the partner of a balance.
func describePartner(code string, partner int64, token string) string {
	return fmt.Sprintf("partner %s (%d), promoter %s", cmp.Or(code, "without a code"), partner, cmp.Or(token, "none"))
}
