package payout

import (
	"fmt"
	"slices"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// accountKey is the account of one promoter in one currency.
type accountKey struct {
	promoter *book.DirectoryPromoter
	currency string
}

// accounts are the ledger as payouts see it.
type accounts struct {
	byOwner map[accountKey]*terms.Account
	house   map[string]int64 // the program's own, by currency
}

func (a *accounts) of(promoter *book.DirectoryPromoter, currency string) *terms.Account {
	k := accountKey{promoter, currency}
	if a.byOwner[k] == nil {
		a.byOwner[k] = &terms.Account{}
	}
	return a.byOwner[k]
}

// newAccounts sorts what the book has added up by promoter and currency. It fails with
// [ErrUnbalanced] on money of somebody whom the directory does not know.
func newAccounts(directory *book.Directory, inputs *book.PayoutInputs) (*accounts, error) {
	a := &accounts{byOwner: map[accountKey]*terms.Account{}, house: map[string]int64{}}
	unmatched := map[*terms.Account][]terms.Reversal{} // of which nobody knows what they take back from
	for i := range inputs.Totals {
		t := &inputs.Totals[i]
		owner := directory.ByEarner(t.Earner)
		if owner.House {
			a.house[t.Currency] += t.Amount
			continue
		}
		if owner.Promoter == nil {
			return nil, fmt.Errorf("%w: the book does not know %s, who has entries; nothing can be paid, please report this", ErrUnbalanced, t.Earner)
		}
		to := a.of(owner.Promoter, t.Currency)
		if reversal := addTotal(to, t); reversal != nil {
			unmatched[to] = append(unmatched[to], *reversal)
		}
	}
	for to, reversals := range unmatched {
		to.AllocateUnmatched(reversals)
	}
	return a, a.addPayouts(directory, inputs)
}

// addTotal adds a part of the ledger to an account. What takes back from nobody knows what is
// returned instead.
func addTotal(to *terms.Account, t *book.LedgerTotal) (unmatched *terms.Reversal) {
	month := terms.Month(t.Month)
	reversal := terms.Reversal{Month: month, Amount: t.Amount, New: t.New}
	switch t.Kind {
	case book.KindPayment:
		to.Paid -= t.Amount
	case book.KindCommission:
		to.Earned = append(to.Earned, terms.Earning{Month: month, Amount: t.Amount})
	case book.KindCorrection: // like a commission of its month, or like what takes back from it
		if t.Amount < 0 {
			to.Reversals = append(to.Reversals, reversal)
			break
		}
		to.Earned = append(to.Earned, terms.Earning{Month: month, Amount: t.Amount})
	case book.KindRefund, book.KindDenied:
		to.Reversals = append(to.Reversals, reversal)
	default:
		if t.Amount < 0 {
			return &reversal
		}
		to.CarriedForward = append(to.CarriedForward, terms.Earning{Month: month, Amount: t.Amount})
	}
	return nil
}

// addPayouts adds what was approved and what became of it, and what a person must look at.
func (a *accounts) addPayouts(directory *book.Directory, inputs *book.PayoutInputs) error {
	batches := map[int64]*book.PayoutBatch{}
	for i := range inputs.Payouts.Batches {
		batches[inputs.Payouts.Batches[i].ID] = &inputs.Payouts.Batches[i]
	}
	outcomes := inputs.Payouts.Outcomes()
	valid := map[*book.DirectoryPromoter][]*book.PayoutBatch{} // whose line was neither failed nor returned
	for i := range inputs.Payouts.Lines {
		l := &inputs.Payouts.Lines[i]
		batch := batches[l.BatchID]
		promoter := directory.ByID(l.PromoterID).Promoter
		if promoter == nil {
			return fmt.Errorf("%w: the book does not know promoter %d, whom run %d pays; nothing can be paid, please report this",
				ErrUnbalanced, l.PromoterID, l.BatchID)
		}
		to := a.of(promoter, batch.Currency)
		switch o := outcomes[l.ID]; {
		case o == nil:
			to.Approved += l.Net
		case o.Status == book.PayoutPaid:
			to.Paid += l.Net
		default: // due again
			continue
		}
		valid[promoter] = append(valid[promoter], batch)
	}
	for i := range inputs.Flagged {
		f := &inputs.Flagged[i]
		if promoter := directory.ByID(f.PromoterID).Promoter; promoter != nil && !approvedBeforeFlag(f, valid[promoter]) {
			to := a.of(promoter, f.Currency)
			to.Flagged = append(to.Flagged, terms.Earning{Month: terms.Month(f.Month), Amount: f.Amount})
		}
	}
	return nil
}

// approvedBeforeFlag says whether a commission was approved for payment before it was flagged.
func approvedBeforeFlag(f *book.FlaggedCommission, batches []*book.PayoutBatch) bool {
	return slices.ContainsFunc(batches, func(b *book.PayoutBatch) bool {
		return b.Currency == f.Currency && b.EarnedThrough >= f.Month && f.BookedAt <= b.ApprovedAt && b.ApprovedAt < f.FlaggedAt
	})
}

// insideHold is what was earned after a month, less what was taken back from that.
func insideHold(a *terms.Account, last terms.Month) (sum int64) {
	for _, earnings := range [][]terms.Earning{a.Earned, a.CarriedForward} {
		for _, e := range earnings {
			if e.Month > last {
				sum += e.Amount
			}
		}
	}
	for _, r := range a.Reversals {
		if r.Month > last {
			sum += r.Amount
		}
	}
	return sum
}
