package main

import (
	"slices"
	"strings"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping/payout"
	"carryover/mapping/terms"
)

type payouts1099Cmd struct {
	tableFlags
	Year int `required:"" placeholder:"YEAR" help:"In which it was paid, such as 2023."`
}

func (payouts1099Cmd) Help() string {
	return `Payees in the US whose payments of a year reach the threshold of that year ([terms] form_1099; as usual 600.00 for payments
through 2025, 2,000.00 after), at Keap and since. What went over PayPal stands apart: PayPal reports it on its own 1099-K, and only
the rest counts for a 1099-NEC. Payees whose country is not recorded are listed as such: "promoters set TOKEN country=US" records
it. It is a list to work from, not tax advice. Changes nothing.

Example: carryover payouts 1099 --year 2023`
}

func (c *payouts1099Cmd) Run(a *app) error {
	if c.Year < 1000 || c.Year > 9999 {
		return console.UsageError("--year: %d is no year: write it like 2023", c.Year)
	}
	return a.withPayouts(func(cfg *config.Config, s *payout.Service) error {
		forms, err := s.TaxForms(a.ctx, c.Year)
		if err != nil {
			return err
		}
		if a.Form == console.JSON {
			return a.Object(forms)
		}
		if a.Form == console.CSV {
			return writeTaxPayees(a, cfg, slices.Concat(forms.Payees, forms.Unknown))
		}
		a.Say("Payments of %d from %s %s on, payees in the US\n", c.Year, terms.FormatMinor(forms.Threshold, cfg.Currency), cfg.Currency)
		if err := writeTaxPayees(a, cfg, forms.Payees); err != nil {
			return err
		}
		if len(forms.Unknown) > 0 {
			a.Say("\nCountry not recorded (carryover promoters set TOKEN country=US)\n")
			if err := writeTaxPayees(a, cfg, forms.Unknown); err != nil {
				return err
			}
		}
		if len(forms.Currencies) > 0 {
			a.Say("\nPayments in other currencies (%s) are not in these sums.", strings.Join(forms.Currencies, ", "))
		}
		return nil
	})
}

func writeTaxPayees(a *app, cfg *config.Config, list []payout.TaxPayee) error {
	return console.Print(a.Console, view.TaxPayees(cfg), list)
}
