package payout

import (
	"context"
	"maps"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Balance is what one promoter is owed; minor units.
type Balance struct {
	Amount int64             // in the program's currency
	Held   int64             // of it: still inside the hold
	Others []CurrencyBalance // never added to Amount; ascending by currency
}

// CurrencyBalance is what is owed in a currency that is not the program's.
type CurrencyBalance struct {
	Currency string `json:"currency"`
	Balance  int64  `json:"balance_cents"`
}

// Balances are what promoters are owed, by promoter id, with what of it is held in a month.
func (s *Service) Balances(ctx context.Context, directory *book.Directory, month terms.Month) (map[int64]*Balance, error) {
	sums, err := s.Book.Sums(ctx)
	if err != nil {
		return nil, err
	}
	type key struct {
		promoter int64
		currency string
	}
	accounts := map[key]*account{}
	for i := range sums {
		sum := &sums[i]
		promoter := directory.ByEarner(sum.Earner).Promoter
		if promoter == nil {
			continue
		}
		k := key{promoter.ID, sum.Currency}
		if accounts[k] == nil {
			accounts[k] = &account{}
		}
		accounts[k].add(sum)
	}
	balances := map[int64]*Balance{}
	for _, k := range slices.SortedFunc(maps.Keys(accounts), func(x, y key) int {
		return strings.Compare(x.currency, y.currency)
	}) {
		b := balances[k.promoter]
		if b == nil {
			b = &Balance{}
			balances[k.promoter] = b
		}
		a := accounts[k]
		if k.currency == s.Currency {
			b.Amount, b.Held = a.amount, s.Terms.HeldAmount(a.earned, a.paid, month)
		} else {
			b.Others = append(b.Others, CurrencyBalance{k.currency, a.amount})
		}
	}
	return balances, nil
}

// account is what a promoter's entries in one currency come to; minor units.
type account struct {
	amount, paid int64
	earned       []terms.Earning
}

func (a *account) add(s *book.Sum) {
	a.amount += s.Amount
	if s.Kind == book.KindPayment {
		a.paid -= s.Amount
	} else {
		a.earned = append(a.earned, terms.Earning{Month: terms.Month(s.Month), Amount: s.Amount})
	}
}
