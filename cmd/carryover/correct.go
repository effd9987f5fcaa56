package main

import (
	"errors"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/payout"
	"carryover/mapping/terms"
	"carryover/migrate/sheet"
)

type ledgerCorrectCmd struct {
	Promoter string     `required:"" placeholder:"WHO" help:"Whose ledger: a ref token, a code or a Keap id."`
	Amount   signedText `required:"" placeholder:"AMOUNT" help:"What it does to the balance, such as 12.50 or -12.50."`
	Note     string     `required:"" placeholder:"TEXT" help:"Why; the promoter's statement shows it."`
	Month    string     `placeholder:"MONTH" help:"Of earning, such as 2023-03; this month when left out."`
	By       string     `placeholder:"NAME" help:"Who books it; the user when left out."`
}

func (ledgerCorrectCmd) Help() string {
	return `Books a correction in a promoter's ledger, in the program's currency. Above zero it is paid like a commission that was earned in
the month; below zero it takes back from that month, and what was paid already becomes a debt that later earnings fill. The same
correction again (promoter, month, amount and note) is refused. Appends to the book; nothing in it is ever changed: a
mistaken correction gets one the other way round.

Example: carryover ledger correct --promoter coachdesk --amount -12.50 --note overpaid --month 2023-03`
}

// signedText is the text of a flag that may begin with a minus.
type signedText string

// Decode takes the next word, whatever it looks like.
func (s *signedText) Decode(ctx *kong.DecodeContext) error {
	token := ctx.Scan.Pop()
	if token.IsEOL() {
		return errors.New("missing value")
	}
	*s = signedText(token.String())
	return nil
}

func (c *ledgerCorrectCmd) Run(a *app) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	amount, err := sheet.ParseAmount(strings.TrimSpace(string(c.Amount)), cfg.Currency)
	if err != nil {
		return console.UsageError("--amount: %q: %w", string(c.Amount), err)
	}
	correction, err := a.payouts(cfg, nil).NewCorrection(payout.CorrectionRequest{
		Amount: amount.Minor, Currency: amount.Currency, AmountText: string(c.Amount), Month: c.Month, Note: c.Note,
		By: console.User(c.By), Now: time.Now(),
	})
	if err != nil {
		return err
	}
	return a.inBook(cfg, func(cfg *config.Config, b *book.Book) error {
		directory, err := b.Directory(a.ctx)
		if err != nil {
			return err
		}
		promoter, err := a.findPromoter(directory, c.Promoter)
		if err != nil {
			return err
		}
		booked, err := a.payouts(cfg, b).Correct(a.ctx, promoter, correction)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.Object(booked)
		}
		return a.Say("%s: %s %s for %s in %s, booked by %s: %s", booked.EntryID, terms.FormatMinor(booked.Amount, booked.Currency),
			booked.Currency, booked.RefToken, booked.Month, booked.RecordedBy, booked.Note)
	})
}
