package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
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
correction again (promoter, month, amount and note) is refused. Appends to the book; nothing in it is ever changed: a mistaken correction gets one
the other way round.

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

// maxNote is the longest note, in characters.
const maxNote = 300

// correctionLine is a correction as --json tells it.
type correctionLine struct {
	EventID    string `json:"event_id"` // of the ledger's entry: t-17
	RefToken   string `json:"ref_token"`
	Month      string `json:"month"` // of earning
	Amount     int64  `json:"amount_cents"`
	Currency   string `json:"currency"`
	Note       string `json:"note"`
	RecordedAt string `json:"recorded_at"`
	RecordedBy string `json:"recorded_by"`
}

// read reads the command line; the promoter is left open.
func (c *ledgerCorrectCmd) read(cfg *config.Config, now time.Time) (*book.Correction, error) {
	amount, err := sheet.ParseAmount(strings.TrimSpace(string(c.Amount)), cfg.Currency)
	switch {
	case err != nil:
		return nil, console.UsageError("--amount: %q: %w", string(c.Amount), err)
	case amount.Currency != cfg.Currency:
		return nil, console.UsageError("--amount: %q is not in %s: corrections are in the program's currency", string(c.Amount), cfg.Currency)
	case amount.Minor == 0:
		return nil, console.UsageError("--amount: %q changes nothing: write what it does to the balance, such as -12.50", string(c.Amount))
	}
	note := strings.Join(strings.Fields(c.Note), " ") // on one line
	switch n := len([]rune(note)); {
	case n == 0:
		return nil, console.UsageError("--note is empty: write why, for whoever asks in years")
	case n > maxNote:
		return nil, console.UsageError("--note has %d characters: write at most %d", n, maxNote)
	}
	month, this := terms.MonthOf(now, cfg.Zone), terms.MonthOf(now, cfg.Zone)
	if text := strings.TrimSpace(c.Month); text != "" {
		var ok bool
		if month, ok = terms.ParseMonth(text); !ok || month < 200001 {
			return nil, console.UsageError("--month: %q is no month: write the one of earning, like 2023-03", c.Month)
		}
	}
	if month > this {
		return nil, console.UsageError("--month: %s has not come yet", month)
	}
	return &book.Correction{Month: int32(month), Amount: amount.Minor, Currency: cfg.Currency, Note: note, RecordedAt: now.Unix(), RecordedBy: by(c.By)}, nil
}

func (c *ledgerCorrectCmd) Run(a *app) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	made, err := c.read(cfg, time.Now())
	if err != nil {
		return err
	}
	return a.inBook(cfg, func(cfg *config.Config, b *book.Book) error {
		dir, err := b.Directory(a.ctx)
		if err != nil {
			return err
		}
		promoter, err := a.findPromoter(dir, c.Promoter)
		if err != nil {
			return err
		}
		made.PromoterID = promoter.ID
		if err := b.Correct(a.ctx, made); errors.Is(err, book.ErrDuplicateCorrection) {
			return fmt.Errorf("%w, as t-%d on %s by %s: nothing was booked; one more of the same needs another note", err, made.LineID, terms.FormatDay(made.RecordedAt, cfg.Zone), made.RecordedBy)
		} else if err != nil {
			return fmt.Errorf("booking a correction: %w; nothing was booked", err)
		}
		l := correctionLine{
			EventID: fmt.Sprintf("t-%d", made.LineID), RefToken: promoter.Token, Month: terms.Month(made.Month).String(), Amount: made.Amount, Currency: made.Currency,
			Note: made.Note, RecordedAt: terms.FormatTime(made.RecordedAt, cfg.Zone), RecordedBy: made.RecordedBy,
		}
		if a.JSON {
			return a.Object(l)
		}
		err = a.Say("%s: %s %s for %s in %s, booked by %s: %s", l.EventID, terms.FormatMinor(l.Amount, l.Currency), l.Currency, l.RefToken, l.Month, l.RecordedBy, l.Note)
		return err
	})
}
