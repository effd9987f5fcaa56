package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"carryover/cmd/carryover/internal/config"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

type payoutsPlanCmd struct {
	Month string `placeholder:"MONTH" help:"In which it is paid, such as 2023-03; this month when left out."`
}

func (payoutsPlanCmd) Help() string {
	return `Who is paid in a month, and who is held with the reason: what was earned through the month before the hold, less
what was taken back, paid, or approved already. Gross is what was earned in the last month that is paid, refunds is what was taken
back from it, or booked since the last run from earlier ones; carried is the rest, rolled forward from before. A correction counts in its month: gross above zero,
a refund below it. Payable, held, what is in approved runs, what is still inside the hold and the program's own sum to the ledger, to the cent,
or the command fails. Held for: negative (a debt), blocked, flagged (commissions that a person must look at), below_minimum, no_w9, no_payout_method, and currency (not the program's: never added). Changes nothing.

Example: carryover payouts plan --month 2023-03`
}

// payoutPlan is who is paid in a month, and who is not, as --json tells it.
type payoutPlan struct {
	Month    string        `json:"month"`          // in which it is paid
	Earned   string        `json:"earned_through"` // the last month of earning
	First    string        `json:"first_day"`      // of the payouts, in the program's zone
	Last     string        `json:"last_day"`
	Currency string        `json:"currency"`
	Minimum  int64         `json:"minimum_cents"`
	Runs     []int64       `json:"approved_runs"` // of this month
	Payable  []payableLine `json:"payable"`
	Held     []heldLine    `json:"held"`
	Totals   payoutTotals  `json:"totals"`           // in the program's currency
	Others   []otherDue    `json:"other_currencies"` // never added to Totals

	month terms.Month
	state string // of the book that it was made from
}

// payableLine is what is paid to one promoter.
type payableLine struct {
	RefToken   string   `json:"ref_token"`
	PromoterID int64    `json:"promoter_id"`
	Name       string   `json:"name"`
	Email      string   `json:"email"`
	Months     []string `json:"months"` // of earning whose money is in it
	Gross      int64    `json:"gross_cents"`
	Refunds    int64    `json:"refunds_cents"` // 0 or less
	Carried    int64    `json:"carried_cents"`
	Net        int64    `json:"net_cents"`
	Currency   string   `json:"currency"`
	Method     string   `json:"method"`
	Address    string   `json:"address"`
}

// heldLine is an amount that is not paid to one promoter.
type heldLine struct {
	RefToken   string             `json:"ref_token"`
	PromoterID int64              `json:"promoter_id"`
	Name       string             `json:"name"`
	Email      string             `json:"email"`
	Amount     int64              `json:"amount_cents"`
	Currency   string             `json:"currency"`
	Reason     terms.HoldReason   `json:"reason"`
	Reasons    []terms.HoldReason `json:"reasons"` // all that apply
}

type payoutTotals struct {
	Due        int64                      `json:"due_cents"` // payable + held
	Payable    int64                      `json:"payable_cents"`
	Held       int64                      `json:"held_cents"`
	ByReason   map[terms.HoldReason]int64 `json:"held_by_reason_cents"`
	InPayment  int64                      `json:"in_payment_cents"`  // approved, neither paid nor failed yet; not in Due
	InsideHold int64                      `json:"inside_hold_cents"` // earned after the last month that is paid; not in Due
	House      int64                      `json:"house_cents"`       // the program's own; not in Due
	Ledger     int64                      `json:"ledger_cents"`      // of all entries: Due + InPayment + InsideHold + House
}

// otherDue is what is due in a currency that is not the program's.
type otherDue struct {
	Currency string `json:"currency"`
	Due      int64  `json:"due_cents"` // all of it held
}

func (c *payoutsPlanCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		month, err := payoutMonth(cfg, c.Month)
		if err != nil {
			return err
		}
		plan, err := a.planPayouts(cfg, b, month)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.Object(plan)
		}
		return plan.write(a, cfg, a.Out)
	})
}

// dueKey is an account: of one promoter in one currency.
type dueKey struct {
	promoter *book.DirectoryPromoter
	currency string
}

// payoutAccounts is the ledger as payouts see it.
type payoutAccounts struct {
	byKey map[dueKey]*terms.Account
	house map[string]int64 // the program's own, by currency
}

// planPayouts makes the plan of a month. It fails with [terms.ErrUnbalanced] rather than
// with a cent too much or too little.
func (a *app) planPayouts(cfg *config.Config, b *book.Book, month terms.Month) (*payoutPlan, error) {
	dir, err := b.Directory(a.ctx)
	if err != nil {
		return nil, err
	}
	last := cfg.Terms.LastEarningMonth(month)
	year, m := last.Date()
	begin := terms.DayStart(year, m, 1, cfg.Zone)
	dues, err := b.PayoutInputs(a.ctx, cfg.Currency, begin.Unix())
	if err != nil {
		return nil, err
	}
	accounts, err := newPayoutAccounts(dir, dues)
	if err != nil {
		return nil, err
	}
	first, final := cfg.Terms.PayoutDays(month)
	plan := &payoutPlan{
		Month: month.String(), Earned: last.String(), First: dayOf(month, first), Last: dayOf(month, final), Currency: cfg.Currency,
		Minimum: cfg.Terms.Minimum, Runs: []int64{}, Payable: []payableLine{}, Held: []heldLine{}, Others: []otherDue{},
		month: month, state: dues.State, Totals: payoutTotals{ByReason: map[terms.HoldReason]int64{}},
	}
	for _, r := range dues.Payouts.Batches {
		if r.Currency == cfg.Currency && terms.Month(r.Month) == month {
			plan.Runs = append(plan.Runs, r.ID)
		}
	}
	for k, account := range accounts.byKey {
		plan.settle(cfg, k, account)
	}
	slices.SortFunc(plan.Payable, func(x, y payableLine) int { return strings.Compare(x.RefToken, y.RefToken) })
	slices.SortFunc(plan.Held, func(x, y heldLine) int {
		return cmp.Or(strings.Compare(x.Currency, y.Currency), strings.Compare(x.RefToken, y.RefToken), strings.Compare(string(x.Reason), string(y.Reason)))
	})
	return plan, plan.reconcile(accounts, dues.Ledger, last)
}

func dayOf(m terms.Month, day int) string { return fmt.Sprintf("%s-%02d", m, day) }

// newPayoutAccounts sorts what the book has added up by promoter and currency. It fails with
// [terms.ErrUnbalanced] on money of somebody whom the directory does not know.
func newPayoutAccounts(dir *book.Directory, dues *book.PayoutInputs) (*payoutAccounts, error) {
	accounts := &payoutAccounts{byKey: map[dueKey]*terms.Account{}, house: map[string]int64{}}
	account := func(promoter *book.DirectoryPromoter, currency string) *terms.Account {
		k := dueKey{promoter, currency}
		if accounts.byKey[k] == nil {
			accounts.byKey[k] = &terms.Account{}
		}
		return accounts.byKey[k]
	}
	unmatched := map[*terms.Account][]terms.Reversal{} // of which nobody knows what they take back from
	for i := range dues.Totals {
		s := &dues.Totals[i]
		owner := dir.ByEarner(s.Earner)
		if owner.House {
			accounts.house[s.Currency] += s.Amount
			continue
		}
		if owner.Promoter == nil {
			return nil, fmt.Errorf("%w: the book does not know %s, who has entries; nothing can be paid, please report this", terms.ErrUnbalanced, s.Earner)
		}
		to := account(owner.Promoter, s.Currency)
		month := terms.Month(s.Month)
		switch s.Kind {
		case book.KindPayment:
			to.Paid -= s.Amount
		case book.KindCommission:
			to.Earned = append(to.Earned, terms.Earning{Month: month, Amount: s.Amount})
		case book.KindCorrection: // like a commission of its month, or like what takes back from it
			if s.Amount < 0 {
				to.Reversals = append(to.Reversals, terms.Reversal{Month: month, Amount: s.Amount, New: s.New})
				break
			}
			to.Earned = append(to.Earned, terms.Earning{Month: month, Amount: s.Amount})
		case book.KindRefund, book.KindDenied:
			to.Reversals = append(to.Reversals, terms.Reversal{Month: month, Amount: s.Amount, New: s.New})
		default:
			if s.Amount >= 0 {
				to.CarriedForward = append(to.CarriedForward, terms.Earning{Month: month, Amount: s.Amount})
				break
			}
			unmatched[to] = append(unmatched[to], terms.Reversal{Month: month, Amount: s.Amount, New: s.New})
		}
	}
	for to, reversals := range unmatched {
		to.AllocateUnmatched(reversals)
	}
	runs := map[int64]*book.PayoutBatch{}
	for i := range dues.Payouts.Batches {
		runs[dues.Payouts.Batches[i].ID] = &dues.Payouts.Batches[i]
	}
	outcomes := dues.Payouts.Outcomes()
	standing := map[*book.DirectoryPromoter][]*book.PayoutBatch{} // runs whose line was neither failed nor returned
	for i := range dues.Payouts.Lines {
		l := &dues.Payouts.Lines[i]
		run := runs[l.BatchID]
		promoter := dir.ByID(l.PromoterID).Promoter
		if promoter == nil {
			return nil, fmt.Errorf("%w: the book does not know promoter %d, whom run %d pays; nothing can be paid, please report this", terms.ErrUnbalanced, l.PromoterID, run.ID)
		}
		to := account(promoter, run.Currency)
		switch o := outcomes[l.ID]; {
		case o == nil:
			to.Approved += l.Net
		case o.Status == book.PayoutPaid:
			to.Paid += l.Net
		default: // due again
			continue
		}
		standing[promoter] = append(standing[promoter], run)
	}
	for i := range dues.Flagged {
		f := &dues.Flagged[i]
		if promoter := dir.ByID(f.PromoterID).Promoter; promoter != nil && !paidBefore(f, standing[promoter]) {
			to := account(promoter, f.Currency)
			to.Flagged = append(to.Flagged, terms.Earning{Month: terms.Month(f.Month), Amount: f.Amount})
		}
	}
	return accounts, nil
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

// paidBefore says whether a commission was approved for payment before it was flagged.
func paidBefore(f *book.FlaggedLine, runs []*book.PayoutBatch) bool {
	return slices.ContainsFunc(runs, func(r *book.PayoutBatch) bool {
		return r.Currency == f.Currency && r.EarnedThrough >= f.Month && f.BookedAt <= r.ApprovedAt && r.ApprovedAt < f.FlaggedAt
	})
}

// settle puts what an account is due among what is payable and what is held.
func (plan *payoutPlan) settle(cfg *config.Config, k dueKey, account *terms.Account) {
	promoter := k.promoter
	method, address, ok := payoutTo(promoter)
	if !ok && method == "" && !slices.Contains(cfg.Terms.Requires, terms.RequirePayoutMethod) {
		ok = true // paid by other ways, which the program knows
	}
	payable, held := cfg.Terms.SplitPayable(cfg.Terms.AmountDue(plan.month, account), terms.Eligibility{
		Blocked:         promoter.Status == terms.Blocked,
		W9OnFile:        promoter.Setting(book.SettingW9) == detailYes,
		PayoutMethod:    ok,
		ForeignCurrency: k.currency != cfg.Currency,
	})
	name := payeeName(promoter)
	if payable.Amount != 0 {
		line := payableLine{
			RefToken: promoter.Token, PromoterID: promoter.ID, Name: name, Email: promoter.Email, Months: []string{}, Currency: k.currency,
			Gross: payable.Gross, Refunds: payable.Refunds, Carried: payable.Carried, Net: payable.Amount, Method: method, Address: address,
		}
		for _, m := range payable.Months {
			line.Months = append(line.Months, m.String())
		}
		plan.Payable = append(plan.Payable, line)
	}
	for _, h := range held {
		plan.Held = append(plan.Held, heldLine{
			RefToken: promoter.Token, PromoterID: promoter.ID, Name: name, Email: promoter.Email,
			Amount: h.Amount, Currency: k.currency, Reason: h.Reasons[0], Reasons: h.Reasons,
		})
	}
}

// payeeName is the name on payments and tax forms, on one line.
func payeeName(p *book.DirectoryPromoter) string {
	name := cmp.Or(p.Setting(book.SettingLegalName), p.Name, p.Token)
	return strings.Join(strings.Fields(name), " ")
}

// reconcile adds the lines up, and compares them with the sums of the ledger's entries, which
// the book has added up without asking whose they are.
func (plan *payoutPlan) reconcile(accounts *payoutAccounts, ledger map[string]int64, last terms.Month) error {
	all := map[string]*payoutTotals{} // by currency
	of := func(currency string) *payoutTotals {
		if all[currency] == nil {
			all[currency] = &payoutTotals{ByReason: map[terms.HoldReason]int64{}}
		}
		return all[currency]
	}
	for _, l := range plan.Payable {
		if l.Net != l.Gross+l.Refunds+l.Carried {
			return fmt.Errorf("%w: the columns of %s; nothing can be paid, please report this", terms.ErrUnbalanced, l.RefToken)
		}
		of(l.Currency).Payable += l.Net
	}
	for _, h := range plan.Held {
		t := of(h.Currency)
		t.Held += h.Amount
		t.ByReason[h.Reason] += h.Amount
	}
	for k, account := range accounts.byKey {
		t := of(k.currency)
		t.InPayment += account.Approved
		t.InsideHold += insideHold(account, last)
	}
	for currency, amount := range accounts.house {
		of(currency).House += amount
	}
	for currency, amount := range ledger {
		of(currency).Ledger = amount
	}
	for _, currency := range slices.Sorted(maps.Keys(all)) {
		t := all[currency]
		t.Due = t.Payable + t.Held
		if sum := t.Due + t.InPayment + t.InsideHold + t.House; sum != t.Ledger {
			return fmt.Errorf("%w: %d and %d minor units of %s; nothing can be paid, please report this", terms.ErrUnbalanced, sum, t.Ledger, currency)
		}
		if currency != plan.Currency && slices.ContainsFunc(plan.Held, func(h heldLine) bool { return h.Currency == currency }) {
			plan.Others = append(plan.Others, otherDue{currency, t.Due})
		}
	}
	plan.Totals = *of(plan.Currency)
	return nil
}

// write tells a person.
func (plan *payoutPlan) write(a *app, cfg *config.Config, out io.Writer) error {
	fmt.Fprintf(out, "Payouts of %s: what was earned through %s, paid from %s to %s (%s).\n", plan.Month, plan.Earned, plan.First, plan.Last, cfg.Zone)
	for _, run := range plan.Runs {
		fmt.Fprintf(out, "Run %d of this month was approved already: \"carryover payouts show %d\".\n", run, run)
	}
	if len(plan.Payable) > 0 {
		fmt.Fprintln(out, "\nPayable")
		if err := writePayable(a, cfg, out, plan.Payable); err != nil {
			return err
		}
	}
	if len(plan.Held) > 0 {
		fmt.Fprintln(out, "\nHeld")
		rows := make([][]string, 0, len(plan.Held))
		for _, h := range plan.Held {
			also := make([]string, 0, len(h.Reasons))
			for _, r := range h.Reasons[1:] {
				also = append(also, string(r))
			}
			rows = append(rows, []string{h.RefToken, h.Name, cfg.Amount(h.Amount, h.Currency), string(h.Reason), strings.Join(also, " ")})
		}
		if err := a.table(out, []string{"ref token", "name", "amount", "reason", "also"}, rows); err != nil {
			return err
		}
	}
	t := &plan.Totals
	fmt.Fprintf(out, "\nPayable %s + held %s = due %s %s\n", cfg.Amount(t.Payable, cfg.Currency), cfg.Amount(t.Held, cfg.Currency), cfg.Amount(t.Due, cfg.Currency), cfg.Currency)
	for _, o := range plan.Others {
		fmt.Fprintf(out, "Held besides: %s\n", cfg.Amount(o.Due, o.Currency))
	}
	if t.InPayment != 0 {
		fmt.Fprintf(out, "In approved runs, neither paid nor failed yet: %s\n", cfg.Amount(t.InPayment, cfg.Currency))
	}
	if len(plan.Payable) > 0 {
		fmt.Fprintf(out, "Next: carryover payouts approve --month %s\n", plan.Month)
	}
	return nil
}

func writePayable(a *app, cfg *config.Config, out io.Writer, lines []payableLine) error {
	rows := make([][]string, 0, len(lines)+1)
	var gross, refunds, carried, net int64
	for _, l := range lines {
		rows = append(rows, []string{l.RefToken, l.Name, monthSpan(l.Months), cfg.Amount(l.Gross, l.Currency), cfg.Amount(l.Refunds, l.Currency), cfg.Amount(l.Carried, l.Currency), cfg.Amount(l.Net, l.Currency), l.Method, l.Address})
		gross, refunds, carried, net = gross+l.Gross, refunds+l.Refunds, carried+l.Carried, net+l.Net
	}
	rows = append(rows, []string{"together", "", "", cfg.Amount(gross, cfg.Currency), cfg.Amount(refunds, cfg.Currency), cfg.Amount(carried, cfg.Currency), cfg.Amount(net, cfg.Currency)})
	return a.table(out, []string{"ref token", "name", "earned in", "gross", "refunds", "carried", "net", "method", "paid to"}, rows)
}

// monthSpan is months as people write them: those between the first and the last are left
// out.
func monthSpan(months []string) string {
	if len(months) <= 2 {
		return strings.Join(months, " ")
	}
	return fmt.Sprintf("%s to %s (%d months)", months[0], months[len(months)-1], len(months))
}
