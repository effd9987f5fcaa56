package payout

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// TaxForms is who was paid enough in a year for a form 1099; minor units. It is a list to
// work from, not tax advice.
type TaxForms struct {
	Unknown    []TaxPayee `json:"country_not_recorded"`
	Currency   string     `json:"currency"`
	Currencies []string   `json:"other_currencies"` // of payments that are in no sum
	Payees     []TaxPayee `json:"payees"`           // in the US
	Threshold  int64      `json:"threshold_cents"`
	Year       int        `json:"year"`
}

// TaxPayee is what a payee was paid in a year.
type TaxPayee struct {
	RefToken  string `json:"ref_token"`
	Name      string `json:"name"`
	Email     string `json:"email"`
	Country   string `json:"country"` // empty: not recorded
	W9        bool   `json:"w9"`
	Paid      int64  `json:"paid_cents"`
	ViaPayPal int64  `json:"via_paypal_cents"` // of it: on the processor's 1099-K
	Other     int64  `json:"other_cents"`      // the rest
	FileNEC   bool   `json:"file_1099_nec"`    // the rest reaches the threshold
}

// TaxForms lists payees in the US, and those whose country is not recorded, whose payments of
// a year reach its threshold, in the order of ref tokens.
func (s *Service) TaxForms(ctx context.Context, year int) (*TaxForms, error) {
	threshold, ok := s.Forms.In(year)
	if !ok {
		return nil, fmt.Errorf("[terms] form_1099 has no threshold for %d: it begins with %d", year, slices.Min(slices.Collect(maps.Keys(s.Forms))))
	}
	directory, err := s.Book.Directory(ctx)
	if err != nil {
		return nil, err
	}
	from, to := terms.YearSpan(year, s.Zone)
	paid, err := s.Book.PaidTotals(ctx, from, to)
	if err != nil {
		return nil, err
	}
	forms := &TaxForms{Year: year, Currency: s.Currency, Threshold: threshold, Payees: []TaxPayee{}, Unknown: []TaxPayee{}}
	payees, currencies := taxPayees(directory, s.Currency, paid)
	forms.Currencies = currencies
	for _, p := range payees {
		p.FileNEC = p.Other >= threshold
		switch {
		case p.Paid < threshold:
		case p.Country == "US":
			forms.Payees = append(forms.Payees, p)
		case p.Country == "":
			forms.Unknown = append(forms.Unknown, p)
		}
	}
	return forms, nil
}

// taxPayees adds payments in a currency up by promoter, in the order of ref tokens. others
// are the currencies of payments that are left out.
func taxPayees(directory *book.Directory, currency string, paid []book.PaidTotal) (list []TaxPayee, others []string) {
	others = []string{}
	by := map[*book.DirectoryPromoter]*TaxPayee{}
	for _, sum := range paid {
		promoter := directory.ByEarner(sum.Earner).Promoter
		if promoter == nil {
			continue
		}
		if sum.Currency != currency {
			if !slices.Contains(others, sum.Currency) {
				others = append(others, sum.Currency)
			}
			continue
		}
		p := by[promoter]
		if p == nil {
			p = &TaxPayee{
				RefToken: promoter.Token, Name: payeeName(promoter), Email: promoter.Email,
				Country: promoter.Setting(book.SettingCountry), W9: promoter.Setting(book.SettingW9) == book.SettingYes,
			}
			by[promoter] = p
		}
		p.Paid += sum.Amount
		if strings.Contains(strings.ToLower(sum.Method), book.MethodPayPal) {
			p.ViaPayPal += sum.Amount
		} else {
			p.Other += sum.Amount
		}
	}
	for _, p := range by {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(x, y TaxPayee) int { return strings.Compare(x.RefToken, y.RefToken) })
	slices.Sort(others)
	return list, others
}
