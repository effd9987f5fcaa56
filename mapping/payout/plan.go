package payout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Plan is who is paid in a month, and who is held and why.
type Plan struct {
	Month         string          `json:"month"`          // in which it is paid
	EarnedThrough string          `json:"earned_through"` // the last month of earning
	FirstDay      string          `json:"first_day"`      // of the payouts, in the program's zone
	LastDay       string          `json:"last_day"`
	Currency      string          `json:"currency"`
	Minimum       int64           `json:"minimum_cents"`
	Approved      []int64         `json:"approved_runs"` // batches of this month
	Payable       []PayableLine   `json:"payable"`
	Held          []HeldLine      `json:"held"`
	Totals        PlanTotals      `json:"totals"`           // in the program's currency
	Others        []OtherCurrency `json:"other_currencies"` // never added to Totals

	month terms.Month
	state string // of the book that it was made from
}

// PayableLine is what is paid to one promoter.
type PayableLine struct {
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

// HeldLine is an amount that is not paid to one promoter.
type HeldLine struct {
	RefToken   string             `json:"ref_token"`
	PromoterID int64              `json:"promoter_id"`
	Name       string             `json:"name"`
	Email      string             `json:"email"`
	Amount     int64              `json:"amount_cents"`
	Currency   string             `json:"currency"`
	Reason     terms.HoldReason   `json:"reason"`
	Reasons    []terms.HoldReason `json:"reasons"` // all that apply
}

// PlanTotals are the sums of a plan in one currency.
type PlanTotals struct {
	Due        int64                      `json:"due_cents"` // Payable + Held
	Payable    int64                      `json:"payable_cents"`
	Held       int64                      `json:"held_cents"`
	ByReason   map[terms.HoldReason]int64 `json:"held_by_reason_cents"`
	InPayment  int64                      `json:"in_payment_cents"`  // approved, neither paid nor failed yet; not in Due
	InsideHold int64                      `json:"inside_hold_cents"` // earned after the last month that is paid; not in Due
	House      int64                      `json:"house_cents"`       // the program's own; not in Due
	Ledger     int64                      `json:"ledger_cents"`      // of all entries: Due + InPayment + InsideHold + House
}

// OtherCurrency is what is due in a currency that is not the program's: all of it is held.
type OtherCurrency struct {
	Currency string `json:"currency"`
	Due      int64  `json:"due_cents"`
}

// ErrUnbalanced says that payouts and the ledger do not agree. It is a mistake of the
// program, and nothing may be paid then.
var ErrUnbalanced = errors.New("payouts do not sum to the ledger")

// Plan makes the plan of a month. It fails with [ErrUnbalanced] rather than with a cent
// too much or too little.
func (s *Service) Plan(ctx context.Context, month terms.Month) (*Plan, error) {
	last := s.Terms.LastEarningMonth(month)
	year, m := last.Date()
	inputs, err := s.Book.PayoutInputs(ctx, s.Currency, terms.DayStart(year, m, 1, s.Zone).Unix())
	if err != nil {
		return nil, err
	}
	directory, err := s.Book.Directory(ctx) // after the money: who has some is known by then
	if err != nil {
		return nil, err
	}
	accounts, err := newAccounts(directory, inputs)
	if err != nil {
		return nil, err
	}
	first, final := s.Terms.PayoutDays(month)
	plan := &Plan{
		Month: month.String(), EarnedThrough: last.String(), FirstDay: dayOf(month, first), LastDay: dayOf(month, final), Currency: s.Currency,
		Minimum: s.Terms.Minimum, Approved: []int64{}, Payable: []PayableLine{}, Held: []HeldLine{}, Others: []OtherCurrency{},
		month: month, state: inputs.State,
	}
	for _, b := range inputs.Payouts.Batches {
		if b.Currency == s.Currency && terms.Month(b.Month) == month {
			plan.Approved = append(plan.Approved, b.ID)
		}
	}
	for k, account := range accounts.byOwner {
		s.split(plan, k, account)
	}
	slices.SortFunc(plan.Payable, func(x, y PayableLine) int { return strings.Compare(x.RefToken, y.RefToken) })
	slices.SortFunc(plan.Held, func(x, y HeldLine) int {
		return cmp.Or(strings.Compare(x.Currency, y.Currency), strings.Compare(x.RefToken, y.RefToken), strings.Compare(string(x.Reason), string(y.Reason)))
	})
	return plan, plan.reconcile(accounts, inputs.Ledger, last)
}

func dayOf(m terms.Month, day int) string { return fmt.Sprintf("%s-%02d", m, day) }

// split puts what an account is due among what is payable and what is held.
func (s *Service) split(plan *Plan, k accountKey, account *terms.Account) {
	promoter := k.promoter
	method, address, ok := Destination(promoter)
	if !ok && method == "" && !slices.Contains(s.Terms.Requires, terms.RequirePayoutMethod) {
		ok = true // paid by other ways, which the program knows
	}
	payable, held := s.Terms.SplitPayable(s.Terms.AmountDue(plan.month, account), terms.Eligibility{
		Blocked:         promoter.Status == terms.Blocked,
		W9OnFile:        promoter.Setting(book.SettingW9) == book.SettingYes,
		PayoutMethod:    ok,
		ForeignCurrency: k.currency != s.Currency,
	})
	name := payeeName(promoter)
	if payable.Amount != 0 {
		line := PayableLine{
			RefToken: promoter.Token, PromoterID: promoter.ID, Name: name, Email: promoter.Email, Months: []string{}, Currency: k.currency,
			Gross: payable.Gross, Refunds: payable.Refunds, Carried: payable.Carried, Net: payable.Amount, Method: method, Address: address,
		}
		for _, m := range payable.Months {
			line.Months = append(line.Months, m.String())
		}
		plan.Payable = append(plan.Payable, line)
	}
	for _, h := range held {
		plan.Held = append(plan.Held, HeldLine{
			RefToken: promoter.Token, PromoterID: promoter.ID, Name: name, Email: promoter.Email,
			Amount: h.Amount, Currency: k.currency, Reason: h.Reasons[0], Reasons: h.Reasons,
		})
	}
}

// reconcile adds the lines up, and compares them with the sums of the ledger's entries, which
// the book has added up without asking whose they are.
func (plan *Plan) reconcile(accounts *accounts, ledger map[string]int64, last terms.Month) error {
	all := map[string]*PlanTotals{} // by currency
	in := func(currency string) *PlanTotals {
		if all[currency] == nil {
			all[currency] = &PlanTotals{ByReason: map[terms.HoldReason]int64{}}
		}
		return all[currency]
	}
	for _, l := range plan.Payable {
		if l.Net != l.Gross+l.Refunds+l.Carried {
			return fmt.Errorf("%w: the columns of %s; nothing can be paid, please report this", ErrUnbalanced, l.RefToken)
		}
		in(l.Currency).Payable += l.Net
	}
	for _, h := range plan.Held {
		t := in(h.Currency)
		t.Held += h.Amount
		t.ByReason[h.Reason] += h.Amount
	}
	for k, account := range accounts.byOwner {
		t := in(k.currency)
		t.InPayment += account.Approved
		t.InsideHold += insideHold(account, last)
	}
	for currency, amount := range accounts.house {
		in(currency).House += amount
	}
	for currency, amount := range ledger {
		in(currency).Ledger = amount
	}
	for _, currency := range slices.Sorted(maps.Keys(all)) {
		t := all[currency]
		t.Due = t.Payable + t.Held
		if sum := t.Due + t.InPayment + t.InsideHold + t.House; sum != t.Ledger {
			return fmt.Errorf("%w: %d and %d minor units of %s; nothing can be paid, please report this", ErrUnbalanced, sum, t.Ledger, currency)
		}
		if currency != plan.Currency && slices.ContainsFunc(plan.Held, func(h HeldLine) bool { return h.Currency == currency }) {
			plan.Others = append(plan.Others, OtherCurrency{currency, t.Due})
		}
	}
	plan.Totals = *in(plan.Currency)
	return nil
}

// SumLines adds lines of one currency up.
func SumLines(lines []PayableLine) (sum PayableLine) {
	for i := range lines {
		l := &lines[i]
		sum.Gross, sum.Refunds, sum.Carried, sum.Net = sum.Gross+l.Gross, sum.Refunds+l.Refunds, sum.Carried+l.Carried, sum.Net+l.Net
	}
	return sum
}

// PlanLine is a line of a plan, payable or held, in one shape.
type PlanLine struct {
	RefToken   string           `json:"ref_token"`
	PromoterID int64            `json:"promoter_id"`
	Name       string           `json:"name"`
	Email      string           `json:"email"`
	Months     []string         `json:"months"`
	Gross      int64            `json:"gross_cents"`
	Refunds    int64            `json:"refunds_cents"`
	Carried    int64            `json:"carried_cents"`
	Amount     int64            `json:"amount_cents"`
	Currency   string           `json:"currency"`
	Reason     terms.HoldReason `json:"reason"` // why it is held; empty: it is payable
	Method     string           `json:"method"`
	Address    string           `json:"address"`
}

// Lines are the payable lines, then those that are held.
func (plan *Plan) Lines() []PlanLine {
	list := make([]PlanLine, 0, len(plan.Payable)+len(plan.Held))
	for _, l := range plan.Payable {
		list = append(list, PlanLine{
			RefToken: l.RefToken, PromoterID: l.PromoterID, Name: l.Name, Email: l.Email, Months: l.Months, Gross: l.Gross, Refunds: l.Refunds,
			Carried: l.Carried, Amount: l.Net, Currency: l.Currency, Method: l.Method, Address: l.Address,
		})
	}
	for _, h := range plan.Held {
		list = append(list, PlanLine{
			RefToken: h.RefToken, PromoterID: h.PromoterID, Name: h.Name, Email: h.Email, Amount: h.Amount, Currency: h.Currency, Reason: h.Reason,
		})
	}
	return list
}
