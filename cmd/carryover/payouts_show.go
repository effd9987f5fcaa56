package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

type payoutsListCmd struct{}

func (payoutsListCmd) Help() string {
	return `The approved runs, the oldest first: what they pay, and how much of it was paid, failed, came back or is still open.
With --json one object a run. Changes nothing.

Example: carryover payouts list`
}

// runLine is a run as --json tells it.
type runLine struct {
	Run        int64  `json:"run"`
	Month      string `json:"month"` // in which it is paid
	Earned     string `json:"earned_through"`
	Currency   string `json:"currency"`
	Lines      int    `json:"lines"`
	Net        int64  `json:"net_cents"`
	Paid       int64  `json:"paid_cents"`
	Failed     int64  `json:"failed_cents"`
	Returned   int64  `json:"returned_cents"`
	Open       int64  `json:"open_cents"` // neither paid nor failed yet
	ApprovedAt string `json:"approved_at"`
	ApprovedBy string `json:"approved_by"`
}

// statusOpen is that of a line that nothing was recorded of yet.
const statusOpen = "open"

func statusOf(outcome *book.PayoutRecord) string {
	if outcome == nil {
		return statusOpen
	}
	return outcome.Status
}

// runLineOf adds a run up.
func runLineOf(run *book.PayoutBatch, lines []*book.PayoutLine, outcomes map[int64]*book.PayoutRecord, zone *time.Location) runLine {
	r := runLine{
		Run: run.ID, Month: terms.Month(run.Month).String(), Earned: terms.Month(run.EarnedThrough).String(), Currency: run.Currency, Lines: len(lines),
		ApprovedAt: terms.FormatTime(run.ApprovedAt, zone), ApprovedBy: run.ApprovedBy,
	}
	for _, l := range lines {
		r.Net += l.Net
		switch statusOf(outcomes[l.ID]) {
		case book.PayoutPaid:
			r.Paid += l.Net
		case book.PayoutFailed:
			r.Failed += l.Net
		case book.PayoutReturned:
			r.Returned += l.Net
		default:
			r.Open += l.Net
		}
	}
	return r
}

func (payoutsListCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		all, err := b.Payouts(a.ctx)
		if err != nil {
			return err
		}
		outcomes := all.Outcomes()
		var rows [][]string
		for i := range all.Batches {
			r := runLineOf(&all.Batches[i], linesOf(all, all.Batches[i].ID), outcomes, cfg.Zone)
			if a.JSON {
				if err := a.Object(r); err != nil {
					return err
				}
				continue
			}
			rows = append(rows, []string{strconv.FormatInt(r.Run, 10), r.Month, r.Earned, strconv.Itoa(r.Lines), cfg.Amount(r.Net, r.Currency), cfg.Amount(r.Paid, r.Currency),
				cfg.Amount(r.Failed, r.Currency), cfg.Amount(r.Returned, r.Currency), cfg.Amount(r.Open, r.Currency), terms.FormatDay(all.Batches[i].ApprovedAt, cfg.Zone), r.ApprovedBy})
		}
		switch {
		case a.JSON:
			return nil
		case len(rows) == 0:
			_, err := fmt.Fprintln(a.Out, "No payouts were approved yet: \"carryover payouts plan\" says who is payable.")
			return err
		}
		return a.table(a.Out, []string{"run", "paid in", "earned through", "lines", "net", "paid", "failed", "returned", "open", "approved", "by"}, rows)
	})
}

type payoutsShowCmd struct {
	Target string `arg:"" name:"run" help:"A run, such as 3; or one of its lines, such as R3-17."`
}

func (payoutsShowCmd) Help() string {
	return `The lines of a run as they were frozen, and what became of each: open, paid, failed or returned, with the reference of
the payment, when, and who recorded it. Changes nothing.

Example: carryover payouts show 1`
}

// payoutShown is a line of a run as --json tells it.
type payoutShown struct {
	Line       string         `json:"line"`
	Run        int64          `json:"run"`
	RefToken   string         `json:"ref_token"`
	PromoterID int64          `json:"promoter_id"`
	Name       string         `json:"name"`
	Months     []string       `json:"months"`
	Gross      int64          `json:"gross_cents"`
	Refunds    int64          `json:"refunds_cents"`
	Carried    int64          `json:"carried_cents"`
	Net        int64          `json:"net_cents"`
	Currency   string         `json:"currency"`
	Method     string         `json:"method"`
	Address    string         `json:"address"`
	Status     string         `json:"status"` // open, paid, failed or returned
	Reference  string         `json:"reference"`
	Records    []payoutNoting `json:"records"`
}

// payoutNoting is a record of a line.
type payoutNoting struct {
	Status     string `json:"status"`
	Reference  string `json:"reference"`
	At         string `json:"at"`
	Note       string `json:"note"`
	RecordedAt string `json:"recorded_at"`
	RecordedBy string `json:"recorded_by"`
}

func (c *payoutsShowCmd) Run(a *app) error {
	id, only, ok := payoutName(c.Target)
	if !ok {
		return console.UsageError("%q names no run and no line: write 3 for a run, R3-17 for a line of it", c.Target)
	}
	return a.withRun(id, func(cfg *config.Config, dir *book.Directory, all *book.Payouts, run *book.PayoutBatch) error {
		lines := shownLines(dir, all, run, only, cfg.Zone)
		if len(lines) == 0 {
			return fmt.Errorf("run %d has no line R%d-%d: \"carryover payouts show %d\" lists them", id, id, only, id)
		}
		sums := runLineOf(run, linesOf(all, run.ID), all.Outcomes(), cfg.Zone)
		if a.JSON {
			return a.Object(struct {
				runLine
				Lines []payoutShown `json:"lines"`
			}{sums, lines})
		}
		fmt.Fprintf(a.Out, "Run %d, paid in %s: what was earned through %s. Approved %s by %s.\n\n", sums.Run, sums.Month, sums.Earned, terms.FormatDay(run.ApprovedAt, cfg.Zone), sums.ApprovedBy)
		var rows [][]string
		for _, l := range lines {
			at, note := "", ""
			if n := len(l.Records); n > 0 {
				at, note = strings.SplitN(l.Records[n-1].At, "T", 2)[0], l.Records[n-1].Note
			}
			rows = append(rows, []string{l.Line, l.RefToken, l.Name, monthSpan(l.Months), cfg.Amount(l.Net, l.Currency), l.Method, l.Address, l.Status, l.Reference, at, note})
		}
		if err := a.table(a.Out, []string{"line", "ref token", "name", "earned in", "net", "method", "paid to", "status", "reference", "on", "note"}, rows); err != nil {
			return err
		}
		_, err := fmt.Fprintf(a.Out, "\n%d lines, %s %s: paid %s, failed %s, returned %s, open %s\n", sums.Lines, cfg.Amount(sums.Net, run.Currency), run.Currency,
			cfg.Amount(sums.Paid, run.Currency), cfg.Amount(sums.Failed, run.Currency), cfg.Amount(sums.Returned, run.Currency), cfg.Amount(sums.Open, run.Currency))
		return err
	})
}

// shownLines are the lines of a run with what became of them; only, if not 0, is the id
// of the one to show.
func shownLines(dir *book.Directory, all *book.Payouts, run *book.PayoutBatch, only int64, zone *time.Location) (list []payoutShown) {
	records := map[int64][]payoutNoting{}
	for _, r := range all.Records {
		records[r.LineID] = append(records[r.LineID], payoutNoting{r.Status, r.Reference, terms.FormatTime(r.At, zone), r.Note, terms.FormatTime(r.RecordedAt, zone), r.RecordedBy})
	}
	outcomes := all.Outcomes()
	for _, l := range linesOf(all, run.ID) {
		if only != 0 && l.ID != only {
			continue
		}
		shown := payoutShown{
			Line: payoutLineName(l), Run: run.ID, RefToken: dir.ByID(l.PromoterID).Token(), PromoterID: l.PromoterID, Name: l.Name, Months: strings.Fields(l.Months),
			Gross: l.Gross, Refunds: l.Refunds, Carried: l.Carried, Net: l.Net, Currency: run.Currency, Method: l.Method, Address: l.Address,
			Status: statusOf(outcomes[l.ID]), Records: records[l.ID],
		}
		if o := outcomes[l.ID]; o != nil {
			shown.Reference = o.Reference
		}
		if shown.Records == nil {
			shown.Records = []payoutNoting{}
		}
		list = append(list, shown)
	}
	return list
}
