package payout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// maxNote is the longest note of a correction, in characters.
const maxNote = 300

// CorrectionRequest is what a person asks to be corrected in a promoter's ledger.
type CorrectionRequest struct {
	Amount     int64 // minor units of Currency; what it does to the balance
	Currency   string
	AmountText string // as it was written, for errors
	Month      string // of earning, like 2023-03; empty: this month
	Note       string // why
	By         string
	Now        time.Time
}

// BookedCorrection is a correction in the ledger.
type BookedCorrection struct {
	EntryID    string `json:"event_id"` // of the ledger's entry: t-17
	RefToken   string `json:"ref_token"`
	Month      string `json:"month"` // of earning
	Amount     int64  `json:"amount_cents"`
	Currency   string `json:"currency"`
	Note       string `json:"note"`
	RecordedAt string `json:"recorded_at"`
	RecordedBy string `json:"recorded_by"`
}

// NewCorrection checks what a person asks for; whose ledger it is, is left open. What cannot
// be meant is a [book.InputError]. It needs no book.
func (s *Service) NewCorrection(r CorrectionRequest) (*book.Correction, error) {
	switch {
	case r.Currency != s.Currency:
		return nil, book.NewInputError("--amount: %q is not in %s: corrections are in the program's currency", r.AmountText, s.Currency)
	case r.Amount == 0:
		return nil, book.NewInputError("--amount: %q changes nothing: write what it does to the balance, such as -12.50", r.AmountText)
	}
	note := strings.Join(strings.Fields(r.Note), " ") // on one line
	switch n := len([]rune(note)); {
	case n == 0:
		return nil, book.NewInputError("--note is empty: write why, for whoever asks in years")
	case n > maxNote:
		return nil, book.NewInputError("--note has %d characters: write at most %d", n, maxNote)
	}
	month, this := terms.MonthOf(r.Now, s.Zone), terms.MonthOf(r.Now, s.Zone)
	if text := strings.TrimSpace(r.Month); text != "" {
		var ok bool
		if month, ok = terms.ParseMonth(text); !ok || month < 200001 {
			return nil, book.NewInputError("--month: %q is no month: write the one of earning, like 2023-03", r.Month)
		}
	}
	if month > this {
		return nil, book.NewInputError("--month: %s has not come yet", month)
	}
	return &book.Correction{
		Month: int32(month), Amount: r.Amount, Currency: s.Currency, Note: note, RecordedAt: r.Now.Unix(), RecordedBy: r.By,
	}, nil
}

// Correct books a correction for a promoter. The same one again (promoter, month, amount and
// note) is refused.
func (s *Service) Correct(ctx context.Context, p *book.DirectoryPromoter, c *book.Correction) (*BookedCorrection, error) {
	c.PromoterID = p.ID
	switch err := s.Book.Correct(ctx, c); {
	case errors.Is(err, book.ErrDuplicateCorrection):
		return nil, fmt.Errorf("%w, as t-%d on %s by %s: nothing was booked; one more of the same needs another note",
			err, c.LineID, terms.FormatDay(c.RecordedAt, s.Zone), c.RecordedBy)
	case err != nil:
		return nil, fmt.Errorf("booking a correction: %w; nothing was booked", err)
	}
	return &BookedCorrection{
		EntryID: fmt.Sprintf("t-%d", c.LineID), RefToken: p.Token, Month: terms.Month(c.Month).String(), Amount: c.Amount, Currency: c.Currency,
		Note: c.Note, RecordedAt: terms.FormatTime(c.RecordedAt, s.Zone), RecordedBy: c.RecordedBy,
	}, nil
}
