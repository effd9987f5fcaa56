package main

import (
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping/book"
	"carryover/mapping/history"
)

type explainCmd struct {
	tableFlags
	What string `arg:"" help:"A customer, an order, an invoice, an event, a click or an entry of the ledger."`
}

func (explainCmd) Help() string {
	return `Says whose a customer is and why, in one sentence and as a timeline: every referral that competed and what
became of it, orders, subscriptions, commissions and clawbacks, clicks, sign-ups and what was tracked since, each with
the promoter. Says so when the other rule ([import] owner), or first click, would have chosen somebody else. Of an order,
an invoice, a click or an event it says what came of it first. Changes nothing.

A customer is named by e-mail address, name, Keap contact id or uid (uid:c-9); an order by order:4002, an invoice by
invoice:70001, an event of the billing system by event:pay-55, a click by its id, an entry of the ledger by its own
(k-..., t-..., p-...).

Example: carryover explain order:4002`
}

func (c *explainCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		x, err := a.explainer(cfg, b)
		if err != nil {
			return err
		}
		e, err := x.Explain(a.ctx, c.What)
		if err != nil {
			return err
		}
		switch {
		case a.Form == console.JSON:
			return a.Object(e)
		case a.Form == console.CSV && e.CustomerHistory != nil:
			return console.Print(a.Console, view.Timeline(cfg), e.Timeline)
		case a.Form == console.CSV:
			return console.Print(a.Console, view.LedgerEntries(cfg), e.Entries)
		}
		return writeExplanation(a, cfg, x, e)
	})
}

// explainer answers about the book as it is now.
func (a *app) explainer(cfg *config.Config, b *book.Book) (*history.Explainer, error) {
	directory, err := b.Directory(a.ctx)
	if err != nil {
		return nil, err
	}
	day, err := a.asOf(cfg, b)
	if err != nil {
		return nil, err
	}
	return &history.Explainer{
		Book: b, Directory: directory, Currency: cfg.Currency, Zone: cfg.Zone, Terms: cfg.Terms,
		OwnerRule: cfg.Import.Owner, AsOf: day.Format(time.DateOnly),
	}, nil
}

// writeExplanation tells an explanation to a person.
func writeExplanation(a *app, cfg *config.Config, x *history.Explainer, e *history.Explanation) error {
	if e.Answer != "" {
		a.Say("%s", e.Answer)
	}
	if len(e.Entries) > 0 {
		a.Say("")
		if err := console.Print(a.Console, view.LedgerEntries(cfg), e.Entries); err != nil {
			return err
		}
	}
	if e.CustomerHistory == nil {
		return nil
	}
	if e.Answer != "" {
		a.Say("")
	}
	return writeHistory(a, cfg, x, e.CustomerHistory)
}

// writeHistory tells the history of a customer to a person.
func writeHistory(a *app, cfg *config.Config, x *history.Explainer, h *history.CustomerHistory) error {
	if h.Reason != "" {
		a.Say("%s", h.Reason)
	}
	for _, text := range x.OtherOutcomes(h) {
		a.Say("%s", text)
	}
	if len(h.Timeline) == 0 {
		return nil
	}
	a.Say("")
	return console.Print(a.Console, view.Timeline(cfg), h.Timeline)
}
