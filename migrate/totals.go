package migrate

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

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

	RowsRead     int              `json:"rows_read"` // of the files of money; the same in every currency
	RowsLoaded   int              `json:"rows_loaded"`
	RowsRejected int              `json:"rows_rejected"`            // of money, in this currency
	RowsMissing  int              `json:"rows_missing"`             // the same of earlier runs, that nothing has brought since
	Rejected     map[string]int64 `json:"rejected_cents,omitempty"` // what they come to, by kind
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

// totalsInput is what the balances after the plan come from.
type totalsInput struct {
	settings  *Settings
	asOfStart int64
	directory *book.Directory // of the promoters after the plan
	before    *book.KeapRecords
	changes   *book.KeapRecords
	accounts  *accounts
	ledger    *reconciliation
	files     []FilePlan
	rejected  []RejectedRows
	missing   []RejectedRows // of earlier imports
}

// moneyTotals are the sums that the report shows.
type moneyTotals struct {
	reconciliations []Reconciliation // by currency
	months          []MonthTotals
	balances        []Balance // by currency, the largest first
}

// sumMoney adds up the money by account, month and promoter.
func sumMoney(in totalsInput, conflicts *conflictList) moneyTotals {
	accounts, months := in.sumAccounts()
	out := moneyTotals{months: months, reconciliations: in.byCurrency(accounts)}
	for _, r := range out.reconciliations {
		if own := in.settings.Currency; r.Currency != own {
			conflicts.inform(KindCurrency, r.Currency,
				"there are amounts in %s, and the program is in %s: they are kept apart and never added", r.Currency, own)
		}
	}
	out.balances = in.byPromoter(accounts, terms.Month(monthOf(in.asOfStart, in.settings.Zone)))
	slices.SortFunc(out.balances, func(a, b Balance) int {
		return cmp.Or(strings.Compare(a.Currency, b.Currency), cmp.Compare(b.Amount, a.Amount), strings.Compare(a.Token, b.Token))
	})
	negative := slices.DeleteFunc(slices.Clone(out.balances), func(b Balance) bool { return b.Amount >= 0 })
	slices.SortFunc(negative, func(a, b Balance) int {
		return cmp.Or(strings.Compare(a.Token, b.Token), strings.Compare(a.Currency, b.Currency))
	})
	for _, b := range negative {
		conflicts.inform(KindNegative, b.Token,
			"the promoter owes %s: it is carried over as a negative balance, which later earnings fill", terms.FormatMoney(-b.Amount, b.Currency))
	}
	return out
}

// byCurrency joins the ledger's figures, those of its rows and the balances.
func (in *totalsInput) byCurrency(accounts []accountBalance) []Reconciliation {
	sums := map[string]*Reconciliation{}
	of := func(currency string) *Reconciliation {
		if sums[currency] == nil {
			sums[currency] = &Reconciliation{Currency: currency}
		}
		return sums[currency]
	}
	for a, s := range in.ledger.statements {
		r := of(a.currency)
		r.Accounts++
		r.Beginning += amountOr(s.opening, 0)
		r.Commissions += amountOr(s.commissions, 0)
		r.Clawbacks += amountOr(s.clawbacks, 0)
		r.Payments += amountOr(s.payments, 0)
		r.Ending += s.closing
	}
	for a, t := range in.ledger.tallies {
		r := of(a.currency)
		r.RowCommissions += t.commissions
		r.RowClawbacks += t.clawbacks
		r.RowPayments += t.payments
	}
	for i := range accounts {
		a := in.accounts.list[i]
		r := of(a.currency)
		r.Book += accounts[i].amount
		if in.directory.ByPartner(a.partner).Promoter != nil {
			r.Promoters += accounts[i].amount
		}
	}
	for i := range in.rejected {
		x := &in.rejected[i]
		if !x.HoldsMoney() {
			continue
		}
		for _, currency := range x.Currencies(in.settings.Currency) {
			r := of(currency)
			r.RowsRejected += x.RowsIn(currency, in.settings.Currency)
			if r.Rejected == nil {
				r.Rejected = map[string]int64{}
			}
			r.Rejected[x.Kind] += x.Sums[currency]
		}
	}
	for i := range in.missing {
		if x := &in.missing[i]; x.HoldsMoney() {
			for _, currency := range x.Currencies(in.settings.Currency) {
				of(currency).RowsMissing += x.RowsIn(currency, in.settings.Currency)
			}
		}
	}
	read, loaded := 0, 0
	for i := range in.files {
		if f := &in.files[i]; slices.Contains(moneyKinds, f.Kind) {
			read, loaded = read+f.Rows, loaded+f.Loaded
		}
	}
	var out []Reconciliation
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		sums[currency].RowsRead, sums[currency].RowsLoaded = read, loaded
		out = append(out, *sums[currency])
	}
	return out
}

// accountBalance is what an account was credited, by month, and was paid.
type accountBalance struct {
	amount, paid int64
	entries      int
	earned       []terms.Earning // in any order
}

// entries are all entries but payments: those of the book, and those that the plan adds.
func (in *totalsInput) entries() iter.Seq[book.PostedCommission] {
	return func(yield func(book.PostedCommission) bool) {
		for i := range in.before.Posted {
			if !yield(in.before.Posted[i]) {
				return
			}
		}
		for _, list := range [][]book.Commission{in.changes.Commissions, in.changes.Entries} {
			for i := range list {
				if !yield(list[i].Posted()) {
					return
				}
			}
		}
	}
}

// sumAccounts are the balances of all accounts, by their number, and the months.
func (in *totalsInput) sumAccounts() ([]accountBalance, []MonthTotals) {
	out := in.makeBalances()
	months := map[string]map[int32]*MonthTotals{}
	inMonth := func(month int32, currency string) *MonthTotals {
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
	for e := range in.entries() {
		b := &out[in.accounts.number(e.PartnerID, e.Currency)]
		b.amount += e.Amount
		b.entries++
		b.earned = append(b.earned, terms.Earning{Month: terms.Month(e.Month), Amount: e.Amount})
		switch e.Kind {
		case book.KindCommission:
			inMonth(e.Month, e.Currency).Commissions += e.Amount
		case book.KindClawback:
			inMonth(e.Month, e.Currency).Clawbacks -= e.Amount
		}
	}
	for _, list := range [][]book.Payout{in.before.Payouts, in.changes.Payouts} {
		for i := range list {
			e := &list[i]
			b := &out[in.accounts.number(e.PartnerID, e.Currency)]
			b.amount -= e.Amount
			b.entries++
			b.paid += e.Amount
			inMonth(e.Month, e.Currency).Payments += e.Amount
		}
	}
	var totals []MonthTotals
	for _, byMonth := range months {
		for _, t := range byMonth {
			totals = append(totals, *t)
		}
	}
	slices.SortFunc(totals, func(a, b MonthTotals) int {
		return cmp.Or(strings.Compare(a.Currency, b.Currency), strings.Compare(a.Month, b.Month))
	})
	return out, totals
}

// makeBalances makes an empty balance for every account, with room for its earnings. Those
// of one account stand together: there are too many for a list each.
func (in *totalsInput) makeBalances() []accountBalance {
	counts := make([]int32, len(in.accounts.list)+1)
	for e := range in.entries() {
		a := in.accounts.number(e.PartnerID, e.Currency)
		for int(a)+1 >= len(counts) {
			counts = append(counts, 0)
		}
		counts[a+1]++
	}
	for _, list := range [][]book.Payout{in.before.Payouts, in.changes.Payouts} {
		for i := range list {
			in.accounts.number(list[i].PartnerID, list[i].Currency)
		}
	}
	for len(counts) <= len(in.accounts.list) {
		counts = append(counts, 0)
	}
	for i := 1; i < len(counts); i++ {
		counts[i] += counts[i-1]
	}
	earned := make([]terms.Earning, counts[len(counts)-1])
	out := make([]accountBalance, len(in.accounts.list))
	for i := range out {
		out[i].earned = earned[counts[i]:counts[i]:counts[i+1]]
	}
	return out
}

// byPromoter joins the balances of the partners of each promoter, in any order. on is the
// month whose hold counts.
func (in *totalsInput) byPromoter(accounts []accountBalance, on terms.Month) []Balance {
	type key struct {
		promoter *book.DirectoryPromoter
		currency string
	}
	joined := map[key][]int{}
	for i := range accounts {
		a := in.accounts.list[i]
		if p := in.directory.ByPartner(a.partner).Promoter; p != nil && accounts[i].entries > 0 {
			joined[key{p, a.currency}] = append(joined[key{p, a.currency}], i)
		}
	}
	out := make([]Balance, 0, len(joined))
	for k, list := range joined {
		p := k.promoter.Promoter // its status is what the imports say
		b := Balance{Token: p.Token, Name: p.Name, Status: p.Status, Currency: k.currency}
		var earned []terms.Earning
		paid := int64(0)
		for _, i := range list {
			b.Amount += accounts[i].amount
			paid += accounts[i].paid
			earned = append(earned, accounts[i].earned...)
		}
		b.Held = in.settings.Terms.HeldAmount(earned, paid, on)
		out = append(out, b)
	}
	return out
}
