package migrate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/sheet"
)

// CustomerTotals count the customers that referrals make.
type CustomerTotals struct {
	Customers int `json:"customers"`
	Owned     int `json:"owned"`         // that belong to a promoter
	House     int `json:"house"`         // to nobody: the program's own partner won
	Expired   int `json:"expired"`       // to nobody: every referral has expired
	Later     int `json:"later"`         // to nobody yet: set after as_of
	NoEmail   int `json:"without_email"` // of all of them
	Self      int `json:"self_referred"`
}

// Reconciliation is the ledger beside its rows, of all partners in one currency, in minor
// units. The program's own partners are among them.
type Reconciliation struct {
	Currency       string `json:"currency"`
	Accounts       int    `json:"accounts"`
	Beginning      int64  `json:"beginning_cents"`
	Commissions    int64  `json:"commissions_cents"`
	Clawbacks      int64  `json:"clawbacks_cents"`
	Payments       int64  `json:"payments_cents"`
	Ending         int64  `json:"ending_cents"`
	RowCommissions int64  `json:"commission_rows_cents"`
	RowClawbacks   int64  `json:"clawback_rows_cents"`
	RowPayments    int64  `json:"payment_rows_cents"`
	Book           int64  `json:"book_cents"` // all balances once the plan is applied
	Promoters      int64  `json:"owed_cents"` // of them, those of promoters
}

// Difference is an account whose ledger and rows do not agree.
type Difference struct {
	Conflict string `json:"conflict"`
	Partner  int64  `json:"keap_partner_id"`
	Code     string `json:"code"`
	Token    string `json:"ref_token"`
	Currency string `json:"currency"`
	Amount   int64  `json:"difference_cents"` // the ledger less the rows
	Decision string `json:"decision"`         // empty: nobody has decided yet
}

// MonthTotals are what all partners earned and were paid in one month, in one currency.
type MonthTotals struct {
	Month       string `json:"month"` // 2023-03
	Currency    string `json:"currency"`
	Commissions int64  `json:"commissions_cents"`
	Clawbacks   int64  `json:"clawbacks_cents"`
	Payments    int64  `json:"payments_cents"`
}

// Balance is what a promoter is owed once the plan is applied.
type Balance struct {
	Token    string `json:"ref_token"`
	Name     string `json:"name"`
	Status   string `json:"status"`
	Currency string `json:"currency"`
	Amount   int64  `json:"balance_cents"`
	Held     int64  `json:"held_cents"` // still inside the hold on as_of
}

// totalMoney adds up what the report shows.
func (p *Plan) totalMoney(m *money, customers []book.Referral) {
	p.AsOf, p.Customers, p.Differences = m.asOf, m.customers, orEmpty(m.differences)
	p.owners = customers
	byCurrency := map[string]*Reconciliation{}
	of := func(currency string) *Reconciliation {
		if byCurrency[currency] == nil {
			byCurrency[currency] = &Reconciliation{Currency: currency}
		}
		return byCurrency[currency]
	}
	for a, s := range m.told {
		r := of(a.currency)
		r.Accounts++
		r.Beginning += amountOr(s.opening, 0)
		r.Commissions += amountOr(s.commissions, 0)
		r.Clawbacks += amountOr(s.clawbacks, 0)
		r.Payments += amountOr(s.payments, 0)
		r.Ending += s.closing
	}
	for a, t := range m.tallied {
		r := of(a.currency)
		r.RowCommissions += t.commissions
		r.RowClawbacks += t.clawbacks
		r.RowPayments += t.payments
	}
	balances := m.balances(p)
	for i, b := range balances {
		r := of(m.accounts.list[i].currency)
		r.Book += b.amount
		if m.who.byPartner[m.accounts.list[i].partner] != nil {
			r.Promoters += b.amount
		}
	}
	for _, c := range slices.Sorted(maps.Keys(byCurrency)) {
		p.Money = append(p.Money, *byCurrency[c])
		if c != m.settings.Currency {
			m.add(newConflict(KindCurrency, c, fmt.Sprintf("there are amounts in %s, and the program is in %s: they are kept apart and never added", c, m.settings.Currency)))
		}
	}
	now := terms.Month(monthOf(m.asOfStart, m.settings.Zone))
	for _, line := range m.owed(balances, now) {
		p.Balances = append(p.Balances, line)
		if line.Amount < 0 {
			m.negative = append(m.negative, line)
		}
	}
	slices.SortFunc(p.Balances, func(a, b Balance) int {
		return cmp.Or(strings.Compare(a.Currency, b.Currency), cmp.Compare(b.Amount, a.Amount), strings.Compare(a.Token, b.Token))
	})
	slices.SortFunc(m.negative, func(a, b Balance) int {
		return cmp.Or(strings.Compare(a.Token, b.Token), strings.Compare(a.Currency, b.Currency))
	})
	for _, line := range m.negative {
		m.add(newConflict(KindNegative, line.Token, fmt.Sprintf("the promoter owes %s: it is carried over as a negative balance, which later earnings fill", sheet.Money{Minor: -line.Amount, Currency: line.Currency})))
	}
}

// balance is what an account was credited, by month, and was paid.
type balance struct {
	amount, paid int64
	entries      int
	earned       []terms.Earning // in any order
}

// balances are those of all accounts once the plan is applied. On the way it adds up the
// months of the report.
func (m *money) balances(p *Plan) []balance {
	earnings := func(yield func(book.PostedCommission) bool) {
		for i := range m.before.Booked {
			if !yield(m.before.Booked[i]) {
				return
			}
		}
		for _, list := range [][]book.Commission{p.Changes.Money.Commissions, p.Changes.Money.Entries} {
			for i := range list {
				if !yield(list[i].Posted()) {
					return
				}
			}
		}
	}
	payouts := [][]book.Payout{m.before.Payouts, p.Changes.Money.Payouts}
	// Entries of one account stand together: there are too many for a list each.
	counts := make([]int32, len(m.accounts.list)+1)
	for e := range earnings {
		a := m.accounts.of(e.PartnerID, e.Currency)
		for int(a)+1 >= len(counts) {
			counts = append(counts, 0)
		}
		counts[a+1]++
	}
	for _, list := range payouts {
		for i := range list {
			m.accounts.of(list[i].PartnerID, list[i].Currency)
		}
	}
	for len(counts) <= len(m.accounts.list) {
		counts = append(counts, 0)
	}
	for i := 1; i < len(counts); i++ {
		counts[i] += counts[i-1]
	}
	earned := make([]terms.Earning, counts[len(counts)-1])
	out := make([]balance, len(m.accounts.list))
	for i := range out {
		out[i].earned = earned[counts[i]:counts[i]:counts[i+1]]
	}

	months := map[string]map[int32]*MonthTotals{}
	in := func(month int32, currency string) *MonthTotals {
		if months[currency] == nil {
			months[currency] = map[int32]*MonthTotals{}
		}
		t := months[currency][month]
		if t == nil {
			t = &MonthTotals{Month: terms.Month(month).String(), Currency: currency}
			months[currency][month] = t
		}
		return t
	}
	for e := range earnings {
		b := &out[m.accounts.of(e.PartnerID, e.Currency)]
		b.amount += e.Amount
		b.entries++
		b.earned = append(b.earned, terms.Earning{Month: terms.Month(e.Month), Amount: e.Amount})
		switch e.Kind {
		case book.KindCommission:
			in(e.Month, e.Currency).Commissions += e.Amount
		case book.KindClawback:
			in(e.Month, e.Currency).Clawbacks -= e.Amount
		}
	}
	for _, list := range payouts {
		for i := range list {
			e := &list[i]
			b := &out[m.accounts.of(e.PartnerID, e.Currency)]
			b.amount -= e.Amount
			b.entries++
			b.paid += e.Amount
			in(e.Month, e.Currency).Payments += e.Amount
		}
	}
	for _, byMonth := range months {
		for _, t := range byMonth {
			p.Months = append(p.Months, *t)
		}
	}
	slices.SortFunc(p.Months, func(a, b MonthTotals) int {
		return cmp.Or(strings.Compare(a.Currency, b.Currency), strings.Compare(a.Month, b.Month))
	})
	return out
}

// owed joins the balances of the partners of each promoter.
func (m *money) owed(balances []balance, on terms.Month) []Balance {
	type owner struct {
		promoter *group
		currency string
	}
	joined := map[owner][]int{}
	for i := range balances {
		a := m.accounts.list[i]
		if g := m.who.byPartner[a.partner]; g != nil && balances[i].entries > 0 {
			joined[owner{g, a.currency}] = append(joined[owner{g, a.currency}], i)
		}
	}
	out := make([]Balance, 0, len(joined))
	for k, list := range joined {
		q := &k.promoter.promoter
		line := Balance{Token: q.Token, Name: q.Name, Status: q.Status, Currency: k.currency}
		var earned []terms.Earning
		paid := int64(0)
		for _, i := range list {
			line.Amount += balances[i].amount
			paid += balances[i].paid
			earned = append(earned, balances[i].earned...)
		}
		line.Held = m.settings.Terms.HeldAmount(earned, paid, on)
		out = append(out, line)
	}
	return out
}
