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
	"carryover/migrate/report"
)

type payoutsPlanCmd struct {
	Month string `placeholder:"MONTH" help:"In which it is paid, such as 2023-03; this month when left out."`
}

func (payoutsPlanCmd) Help() string {
	return `Who is paid in a month, and who is held with the reason: what was earned through the month before the hold, less
what was taken back, paid, or approved already. Gross is what was earned in the last month that is paid, refunds is what was taken
back from it, or booked since the last run from earlier ones; carried is the rest, rolled forward from before. A correction counts in its month: gross above zero,
a refund below it. Payable and held sum to everything due, to the cent, or the command fails. Held for: negative (a debt), blocked, flagged (commissions that a person
must look at), below_minimum, no_w9, no_payout_method, and currency (not the program's: never added). Changes nothing.

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
	RefToken   string         `json:"ref_token"`
	PromoterID int64          `json:"promoter_id"`
	Name       string         `json:"name"`
	Email      string         `json:"email"`
	Amount     int64          `json:"amount_cents"`
	Currency   string         `json:"currency"`
	Reason     terms.Reason   `json:"reason"`
	Reasons    []terms.Reason `json:"reasons"` // all that apply
}

type payoutTotals struct {
	Due       int64                  `json:"due_cents"` // payable + held
	Payable   int64                  `json:"payable_cents"`
	Held      int64                  `json:"held_cents"`
	ByReason  map[terms.Reason]int64 `json:"held_by_reason_cents"`
	InPayment int64                  `json:"in_payment_cents"` // approved, neither paid nor failed yet; not in Due
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
			return a.line(plan)
		}
		return plan.write(cfg, a.out)
	})
}

// dueKey is an account: of one promoter in one currency.
type dueKey struct {
	promoter *book.Promoter
	currency string
}

// planPayouts makes the plan of a month. It fails with [terms.ErrUnbalanced] rather than
// with a cent too much or too little.
func (a *app) planPayouts(cfg *config.Config, b *book.Book, month terms.Month) (*payoutPlan, error) {
	content, err := b.Content(a.ctx)
	if err != nil {
		return nil, err
	}
	last := cfg.Terms.EarnedThrough(month)
	year, m := last.Date()
	begin := terms.DayStart(year, m, 1, cfg.Zone)
	dues, err := b.PayoutInputs(a.ctx, cfg.Currency, begin.Unix())
	if err != nil {
		return nil, err
	}
	whose := newOwners(content)
	accounts, due := payoutAccounts(whose, dues, last)
	known := book.NewPromoterSettings(content.Settings, content.Promoters)
	first, final := cfg.Terms.PayoutDays(month)
	plan := &payoutPlan{
		Month: month.String(), Earned: last.String(), First: dayOf(month, first), Last: dayOf(month, final), Currency: cfg.Currency,
		Minimum: cfg.Terms.Minimum, Runs: []int64{}, Payable: []payableLine{}, Held: []heldLine{}, Others: []otherDue{},
		month: month, state: dues.State, Totals: payoutTotals{ByReason: map[terms.Reason]int64{}},
	}
	for _, r := range dues.Payouts.Batches {
		if r.Currency == cfg.Currency && terms.Month(r.Month) == month {
			plan.Runs = append(plan.Runs, r.ID)
		}
	}
	for k, account := range accounts {
		plan.settle(cfg, known, k, account)
	}
	slices.SortFunc(plan.Payable, func(x, y payableLine) int { return strings.Compare(x.RefToken, y.RefToken) })
	slices.SortFunc(plan.Held, func(x, y heldLine) int {
		return cmp.Or(strings.Compare(x.Currency, y.Currency), strings.Compare(x.RefToken, y.RefToken), strings.Compare(string(x.Reason), string(y.Reason)))
	})
	return plan, plan.reconcile(due)
}

func dayOf(m terms.Month, day int) string { return fmt.Sprintf("%s-%02d", m, day) }

// payoutAccounts sorts what the book has added up by promoter and currency. due is what it
// all comes to by currency, added up for itself.
func payoutAccounts(whose *owners, dues *book.PayoutInputs, last terms.Month) (accounts map[dueKey]*terms.Account, due map[string]int64) {
	accounts, due = map[dueKey]*terms.Account{}, map[string]int64{}
	unknown := map[*terms.Account][]terms.Reversal{} // of which nobody knows what they take back from
	var of int64
	var promoter *book.Promoter
	account := func(partner int64, currency string) *terms.Account {
		if partner != of || promoter == nil {
			of, promoter = partner, whose.of(partner)
		}
		if promoter == nil { // the program's own
			return nil
		}
		k := dueKey{promoter, currency}
		if accounts[k] == nil {
			accounts[k] = &terms.Account{}
		}
		return accounts[k]
	}
	for i := range dues.Totals {
		s := &dues.Totals[i]
		to := account(s.PartnerID, s.Currency)
		if to == nil {
			continue
		}
		month := terms.Month(s.Month)
		switch s.Kind {
		case book.KindPayment:
			to.Paid -= s.Amount
			month = 0
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
			unknown[to] = append(unknown[to], terms.Reversal{Month: month, Amount: s.Amount, New: s.New})
			continue
		}
		if month <= last {
			due[s.Currency] += s.Amount
		}
	}
	for k, to := range accounts {
		known := len(to.Reversals)
		for _, taking := range unknown[to] {
			due[k.currency] += taking.Amount // and less what was placed: nothing, or the plan does not add up
		}
		to.AllocateUnmatched(unknown[to])
		for _, taking := range to.Reversals[known:] {
			if taking.Month > last {
				due[k.currency] -= taking.Amount
			}
		}
	}
	runs := map[int64]*book.PayoutBatch{}
	for i := range dues.Payouts.Batches {
		runs[dues.Payouts.Batches[i].ID] = &dues.Payouts.Batches[i]
	}
	outcomes := dues.Payouts.Outcomes()
	standing := map[*book.Promoter][]*book.PayoutBatch{} // runs whose line was neither failed nor returned
	for i := range dues.Payouts.Lines {
		l := &dues.Payouts.Lines[i]
		run := runs[l.BatchID]
		to := account(l.PromoterID, run.Currency)
		if to == nil {
			continue
		}
		switch o := outcomes[l.ID]; {
		case o == nil:
			to.Approved += l.Net
		case o.Status == book.PayoutPaid:
			to.Paid += l.Net
		default: // due again
			continue
		}
		due[run.Currency] -= l.Net
		standing[promoter] = append(standing[promoter], run)
	}
	for i := range dues.Flagged {
		f := &dues.Flagged[i]
		if to := account(f.PromoterID, f.Currency); to != nil && !paidBefore(f, standing[promoter]) {
			to.Flagged = append(to.Flagged, terms.Earning{Month: terms.Month(f.Month), Amount: f.Amount})
		}
	}
	return accounts, due
}

// paidBefore says whether a commission was approved for payment before it was flagged.
func paidBefore(f *book.FlaggedLine, runs []*book.PayoutBatch) bool {
	return slices.ContainsFunc(runs, func(r *book.PayoutBatch) bool {
		return r.Currency == f.Currency && r.EarnedThrough >= f.Month && f.BookedAt <= r.ApprovedAt && r.ApprovedAt < f.FlaggedAt
	})
}

// settle puts what an account is due among what is payable and what is held.
func (plan *payoutPlan) settle(cfg *config.Config, known *book.PromoterSettings, k dueKey, account *terms.Account) {
	promoter := k.promoter
	method, address, ok := payoutTo(known, promoter)
	if !ok && method == "" && !slices.Contains(cfg.Terms.Requires, terms.RequirePayoutMethod) {
		ok = true // paid by other ways, which the program knows
	}
	payable, held := cfg.Terms.SplitPayable(cfg.Terms.AmountDue(plan.month, account), terms.Payee{
		Blocked: known.Status(promoter) == terms.Blocked,
		W9:      known.Value(promoter.ID, book.SettingW9) == detailYes,
		Method:  ok,
		Foreign: k.currency != cfg.Currency,
	})
	if k.currency == cfg.Currency {
		plan.Totals.InPayment += account.Approved
	}
	name := payeeName(known, promoter)
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
func payeeName(known *book.PromoterSettings, p *book.Promoter) string {
	name := cmp.Or(known.Value(p.ID, book.SettingLegalName), p.Name, p.Token)
	return strings.Join(strings.Fields(name), " ")
}

// reconcile adds the lines up, and compares them with what is due by currency.
func (plan *payoutPlan) reconcile(due map[string]int64) error {
	sums := map[string]int64{}
	for _, l := range plan.Payable {
		if l.Net != l.Gross+l.Refunds+l.Carried {
			return fmt.Errorf("%w: the columns of %s; nothing can be paid, please report this", terms.ErrUnbalanced, l.RefToken)
		}
		plan.Totals.Payable += l.Net
		sums[l.Currency] += l.Net
	}
	for _, h := range plan.Held {
		sums[h.Currency] += h.Amount
		if h.Currency == plan.Currency {
			plan.Totals.Held += h.Amount
			plan.Totals.ByReason[h.Reason] += h.Amount
		}
	}
	plan.Totals.Due = due[plan.Currency]
	for _, currency := range slices.Sorted(maps.Keys(due)) {
		if sums[currency] != due[currency] {
			return fmt.Errorf("%w: %d and %d minor units of %s; nothing can be paid, please report this", terms.ErrUnbalanced, sums[currency], due[currency], currency)
		}
		if currency != plan.Currency && slices.ContainsFunc(plan.Held, func(h heldLine) bool { return h.Currency == currency }) {
			plan.Others = append(plan.Others, otherDue{currency, due[currency]})
		}
	}
	return nil
}

// write tells a person.
func (plan *payoutPlan) write(cfg *config.Config, out io.Writer) error {
	fmt.Fprintf(out, "Payouts of %s: what was earned through %s, paid from %s to %s (%s).\n", plan.Month, plan.Earned, plan.First, plan.Last, cfg.Zone)
	for _, run := range plan.Runs {
		fmt.Fprintf(out, "Run %d of this month was approved already: \"carryover payouts show %d\".\n", run, run)
	}
	if len(plan.Payable) > 0 {
		fmt.Fprintln(out, "\nPayable")
		if err := writePayable(cfg, out, plan.Payable); err != nil {
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
		if err := report.Table(out, []string{"ref token", "name", "amount", "reason", "also"}, rows); err != nil {
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

func writePayable(cfg *config.Config, out io.Writer, lines []payableLine) error {
	rows := make([][]string, 0, len(lines)+1)
	var gross, refunds, carried, net int64
	for _, l := range lines {
		rows = append(rows, []string{l.RefToken, l.Name, monthSpan(l.Months), cfg.Amount(l.Gross, l.Currency), cfg.Amount(l.Refunds, l.Currency), cfg.Amount(l.Carried, l.Currency), cfg.Amount(l.Net, l.Currency), l.Method, l.Address})
		gross, refunds, carried, net = gross+l.Gross, refunds+l.Refunds, carried+l.Carried, net+l.Net
	}
	rows = append(rows, []string{"together", "", "", cfg.Amount(gross, cfg.Currency), cfg.Amount(refunds, cfg.Currency), cfg.Amount(carried, cfg.Currency), cfg.Amount(net, cfg.Currency)})
	return report.Table(out, []string{"ref token", "name", "earned in", "gross", "refunds", "carried", "net", "method", "paid to"}, rows)
}

// monthSpan is months as people write them: those between the first and the last are left
// out.
func monthSpan(months []string) string {
	if len(months) <= 2 {
		return strings.Join(months, " ")
	}
	return fmt.Sprintf("%s to %s (%d months)", months[0], months[len(months)-1], len(months))
}
