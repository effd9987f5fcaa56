package firstpromoter

import (
	"context"
	"fmt"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// ParityRun is a month to compare, and where both sides are read.
type ParityRun struct {
	Book     *book.Book
	Month    terms.Month
	Zone     *time.Location
	Currency string
	File     string  // a CSV of FirstPromoter's commissions; empty: ask API
	Amounts  string  // how File writes amounts: auto, cents or decimal
	API      Options // without a file
	Now      time.Time
}

// ParityResult is a comparison, and what there is to say of it.
type ParityResult struct {
	*Parity
	Currency string   `json:"currency"`
	Source   string   `json:"theirs"`
	Notes    []string `json:"notes"`

	Rejects []error `json:"-"` // rows of the file that could not be read: the two do not agree then
}

// SharedPerMinute is how many calls a minute a comparison takes of what FirstPromoter allows,
// while a gateway forwards events with the same key.
const SharedPerMinute = 60

// RunParity reads both sides of a month and compares them.
func RunParity(ctx context.Context, run ParityRun) (*ParityResult, error) {
	books, err := run.ours(ctx)
	if err != nil {
		return nil, err
	}
	result := &ParityResult{Currency: run.Currency, Source: "FirstPromoter's API", Notes: []string{}}
	if run.File != "" {
		result.Source = run.File
		f, err := ReadFile(run.File, run.Month, run.Zone, run.Currency, run.Amounts)
		if err != nil {
			return nil, err
		}
		books.Theirs = f.Commissions
		for _, r := range f.Rejects {
			result.Rejects = append(result.Rejects, r)
		}
		result.Notes = append(result.Notes, f.notes(run.Month)...)
	} else if err := run.theirs(ctx, books); err != nil {
		return nil, err
	}
	if books.Known, err = run.Book.EventsByExternalIDs(ctx, books.unknownIDs()); err != nil {
		return nil, err
	}
	result.Parity = Compare(books)
	switch n := len(result.Rejects); {
	case n == 1:
		result.Notes = append(result.Notes, "1 row of the file could not be read")
	case n > 1:
		result.Notes = append(result.Notes, fmt.Sprintf("%d rows of the file could not be read", n))
	}
	result.Agrees = result.Agrees && len(result.Rejects) == 0
	if !run.Now.After(monthStart(run.Month.Add(1), run.Zone)) {
		result.Notes = append(result.Notes, "the month is not over yet")
	}
	return result, nil
}

// monthStart is the first instant of a month in a zone.
func monthStart(m terms.Month, zone *time.Location) time.Time {
	year, month := m.Date()
	return terms.DayStart(year, month, 1, zone)
}

// ours reads our side of the month, with a day on either side for clocks of other zones.
func (run *ParityRun) ours(ctx context.Context) (*Books, error) {
	books := &Books{Month: run.Month, Zone: run.Zone}
	var err error
	if books.Content, err = run.Book.Content(ctx); err != nil {
		return nil, err
	}
	const day = 24 * time.Hour
	from, to := monthStart(run.Month, run.Zone).Add(-day), monthStart(run.Month.Add(1), run.Zone).Add(day)
	books.Ours, err = run.Book.EventEarnings(ctx, from.Unix(), to.Unix())
	return books, err
}

// theirs asks FirstPromoter for everything that may belong to the month: entries of some days
// around it, and of as long after it as events were forwarded late.
func (run *ParityRun) theirs(ctx context.Context, books *Books) error {
	client, err := New(run.API)
	if err != nil {
		return fmt.Errorf("%w; or compare with a file: --theirs FILE.csv", err)
	}
	const around = 3 * 24 * time.Hour
	from, to := monthStart(run.Month, run.Zone).Add(-around), monthStart(run.Month.Add(1), run.Zone).Add(around)
	for i := range books.Ours {
		if late := time.Unix(books.Ours[i].DoneAt, 0).Add(24 * time.Hour); late.After(to) {
			to = late
		}
	}
	if err := client.Promoters(ctx, func(p Promoter) error {
		books.People = append(books.People, p)
		return nil
	}); err != nil {
		return err
	}
	return client.Commissions(ctx, from, to, func(c Commission) error {
		books.Theirs = append(books.Theirs, c)
		return nil
	})
}

// unknownIDs are the events that theirs name and that are not ours of this month.
func (b *Books) unknownIDs() (ids []string) {
	ours := map[key]bool{}
	for i := range b.Ours {
		if e := &b.Ours[i]; terms.MonthOf(time.Unix(e.At, 0), b.Zone) == b.Month {
			ours[key{e.Kind == book.EventRefund, e.ExternalID}] = true
		}
	}
	asked := map[string]bool{}
	for i := range b.Theirs {
		c := &b.Theirs[i]
		if c.EventID != "" && !ours[key{c.Amount < 0, c.EventID}] && !asked[c.EventID] {
			asked[c.EventID] = true
			ids = append(ids, c.EventID)
		}
	}
	return ids
}

// notes say how a file was read where it could have been read otherwise.
func (f *File) notes(month terms.Month) (notes []string) {
	if !f.Dated {
		notes = append(notes, "the file says no dates: all of it was taken for "+month.String())
	}
	if f.Cents && len(f.Commissions) > 0 {
		notes = append(notes, "the file's amounts were taken as cents; if they are not: --amounts decimal")
	}
	return notes
}
