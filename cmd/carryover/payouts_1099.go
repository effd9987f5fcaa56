package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

type payouts1099Cmd struct {
	Year int `required:"" placeholder:"YEAR" help:"In which it was paid, such as 2023."`
}

func (payouts1099Cmd) Help() string {
	return `Payees in the US whose payments of a year reach the threshold of that year ([terms] form_1099; as usual 600.00 for payments
through 2025, 2,000.00 after), at Keap and since. What went over PayPal stands apart: PayPal reports it on its own 1099-K, and only
the rest counts for a 1099-NEC. Payees whose country is not recorded are listed as such: "promoters set TOKEN country=US" records
it. It is a list to work from, not tax advice. Changes nothing.

Example: carryover payouts 1099 --year 2023`
}

// taxPayee is a payee as --json tells it.
type taxPayee struct {
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

func (c *payouts1099Cmd) Run(a *app) error {
	if c.Year < 1000 || c.Year > 9999 {
		return console.UsageError("--year: %d is no year: write it like 2023", c.Year)
	}
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		threshold, ok := cfg.Form1099.In(c.Year)
		if !ok {
			return fmt.Errorf("[terms] form_1099 has no threshold for %d: it begins with %d", c.Year, slices.Min(slices.Collect(maps.Keys(cfg.Form1099))))
		}
		dir, err := b.Directory(a.ctx)
		if err != nil {
			return err
		}
		paid, err := b.PaidIn(a.ctx, c.Year)
		if err != nil {
			return err
		}
		payees, others := taxPayees(dir, cfg, paid)
		listed, unknown := []taxPayee{}, []taxPayee{}
		for _, t := range payees {
			t.FileNEC = t.Other >= threshold
			switch {
			case t.Paid < threshold:
			case t.Country == "US":
				listed = append(listed, t)
			case t.Country == "":
				unknown = append(unknown, t)
			}
		}
		if a.JSON {
			return a.Object(map[string]any{"year": c.Year, "currency": cfg.Currency, "threshold_cents": threshold, "payees": listed, "country_not_recorded": unknown, "other_currencies": others})
		}
		fmt.Fprintf(a.Out, "Payments of %d from %s %s on, payees in the US\n\n", c.Year, terms.FormatMinor(threshold, cfg.Currency), cfg.Currency)
		if err := writeTaxPayees(a, cfg, listed); err != nil {
			return err
		}
		if len(unknown) > 0 {
			fmt.Fprintf(a.Out, "\nCountry not recorded (carryover promoters set TOKEN country=US)\n\n")
			if err := writeTaxPayees(a, cfg, unknown); err != nil {
				return err
			}
		}
		if len(others) > 0 {
			fmt.Fprintf(a.Out, "\nPayments in other currencies (%s) are not in these sums.\n", strings.Join(others, ", "))
		}
		return nil
	})
}

func writeTaxPayees(a *app, cfg *config.Config, list []taxPayee) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(a.Out, "Nobody.")
		return err
	}
	rows := make([][]string, 0, len(list))
	for _, t := range list {
		form := map[bool]string{true: "1099-NEC", false: "PayPal's 1099-K"}[t.FileNEC]
		rows = append(rows, []string{t.RefToken, t.Name, map[bool]string{true: "yes", false: "no"}[t.W9], cfg.Amount(t.Paid, cfg.Currency), cfg.Amount(t.ViaPayPal, cfg.Currency), cfg.Amount(t.Other, cfg.Currency), form})
	}
	return a.table(a.Out, []string{"ref token", "name", "W-9", "paid", "over PayPal", "otherwise", "form"}, rows)
}

// taxPayees adds payments in the program's currency up by promoter, in the order of ref
// tokens. others are the currencies of payments that are left out.
func taxPayees(dir *book.Directory, cfg *config.Config, paid []book.Paid) (list []taxPayee, others []string) {
	others = []string{}
	by := map[*book.DirectoryPromoter]*taxPayee{}
	for _, s := range paid {
		promoter := dir.ByEarner(s.Earner).Promoter
		if promoter == nil {
			continue
		}
		if s.Currency != cfg.Currency {
			if !slices.Contains(others, s.Currency) {
				others = append(others, s.Currency)
			}
			continue
		}
		t := by[promoter]
		if t == nil {
			t = &taxPayee{
				RefToken: promoter.Token, Name: payeeName(promoter), Email: promoter.Email,
				Country: promoter.Setting(book.SettingCountry), W9: promoter.Setting(book.SettingW9) == detailYes,
			}
			by[promoter] = t
		}
		t.Paid += s.Amount
		if strings.Contains(strings.ToLower(s.Method), methodPayPal) {
			t.ViaPayPal += s.Amount
		} else {
			t.Other += s.Amount
		}
	}
	for _, t := range by {
		list = append(list, *t)
	}
	slices.SortFunc(list, func(x, y taxPayee) int { return strings.Compare(x.RefToken, y.RefToken) })
	slices.Sort(others)
	return list, others
}
