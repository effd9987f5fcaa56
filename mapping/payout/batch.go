package payout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Batch is an approved batch of payouts and what became of it; minor units.
type Batch struct {
	ID            int64  `json:"run"`
	Month         string `json:"month"` // in which it is paid
	EarnedThrough string `json:"earned_through"`
	Currency      string `json:"currency"`
	LineCount     int    `json:"lines"`
	Net           int64  `json:"net_cents"`
	Paid          int64  `json:"paid_cents"`
	Failed        int64  `json:"failed_cents"`
	Returned      int64  `json:"returned_cents"`
	Open          int64  `json:"open_cents"` // neither paid nor failed yet
	ApprovedAt    string `json:"approved_at"`
	ApprovedBy    string `json:"approved_by"`
}

// BatchDetail is a batch with its lines.
type BatchDetail struct {
	Batch
	Lines []BatchLine `json:"lines"`
}

// BatchLine is a line of a batch as it was frozen, and what became of it.
type BatchLine struct {
	Name       string       `json:"line"` // R3-17
	Batch      int64        `json:"run"`
	RefToken   string       `json:"ref_token"`
	PromoterID int64        `json:"promoter_id"`
	Payee      string       `json:"name"`
	Months     []string     `json:"months"`
	Gross      int64        `json:"gross_cents"`
	Refunds    int64        `json:"refunds_cents"`
	Carried    int64        `json:"carried_cents"`
	Net        int64        `json:"net_cents"`
	Currency   string       `json:"currency"`
	Method     string       `json:"method"`
	Address    string       `json:"address"`
	Status     string       `json:"status"` // StatusOpen, or one of the book's Payout constants
	Reference  string       `json:"reference"`
	Records    []LineRecord `json:"records"`
}

// LineRecord is something that was recorded of a line.
type LineRecord struct {
	Status     string `json:"status"`
	Reference  string `json:"reference"`
	At         string `json:"at"`
	Note       string `json:"note"`
	RecordedAt string `json:"recorded_at"`
	RecordedBy string `json:"recorded_by"`
}

// StatusOpen is that of a line of which nothing was recorded yet.
const StatusOpen = "open"

func statusOf(outcome *book.PayoutRecord) string {
	if outcome == nil {
		return StatusOpen
	}
	return outcome.Status
}

// Batches lists the approved batches, the oldest first.
func (s *Service) Batches(ctx context.Context) ([]Batch, error) {
	all, err := s.Book.Payouts(ctx)
	if err != nil {
		return nil, err
	}
	outcomes := all.Outcomes()
	list := make([]Batch, len(all.Batches))
	for i := range all.Batches {
		list[i] = s.batch(&all.Batches[i], linesOf(all, all.Batches[i].ID), outcomes)
	}
	return list, nil
}

// Batch is a batch with its lines; line, if not 0, is the id of the only one to show.
func (s *Service) Batch(ctx context.Context, id, line int64) (*BatchDetail, error) {
	directory, err := s.Book.Directory(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.Book.Payouts(ctx)
	if err != nil {
		return nil, err
	}
	batch, err := findBatch(all, id)
	if err != nil {
		return nil, err
	}
	lines, outcomes := linesOf(all, id), all.Outcomes()
	detail := &BatchDetail{Batch: s.batch(batch, lines, outcomes)}
	records := map[int64][]LineRecord{}
	for _, r := range all.Records {
		records[r.LineID] = append(records[r.LineID], LineRecord{
			r.Status, r.Reference, terms.FormatTime(r.At, s.Zone), r.Note, terms.FormatTime(r.RecordedAt, s.Zone), r.RecordedBy,
		})
	}
	for _, l := range lines {
		if line != 0 && l.ID != line {
			continue
		}
		shown := BatchLine{
			Name: LineName(l), Batch: id, RefToken: directory.ByID(l.PromoterID).Token(), PromoterID: l.PromoterID, Payee: l.Name,
			Months: strings.Fields(l.Months), Gross: l.Gross, Refunds: l.Refunds, Carried: l.Carried, Net: l.Net, Currency: batch.Currency,
			Method: l.Method, Address: l.Address, Status: statusOf(outcomes[l.ID]), Records: records[l.ID],
		}
		if o := outcomes[l.ID]; o != nil {
			shown.Reference = o.Reference
		}
		if shown.Records == nil {
			shown.Records = []LineRecord{}
		}
		detail.Lines = append(detail.Lines, shown)
	}
	if len(detail.Lines) == 0 {
		return nil, fmt.Errorf("run %d has no line R%d-%d: \"carryover payouts show %d\" lists them", id, id, line, id)
	}
	return detail, nil
}

// batch adds the lines of a batch up by what became of them.
func (s *Service) batch(b *book.PayoutBatch, lines []*book.PayoutLine, outcomes map[int64]*book.PayoutRecord) Batch {
	sums := Batch{
		ID: b.ID, Month: terms.Month(b.Month).String(), EarnedThrough: terms.Month(b.EarnedThrough).String(), Currency: b.Currency,
		LineCount: len(lines), ApprovedAt: terms.FormatTime(b.ApprovedAt, s.Zone), ApprovedBy: b.ApprovedBy,
	}
	for _, l := range lines {
		sums.Net += l.Net
		switch statusOf(outcomes[l.ID]) {
		case book.PayoutPaid:
			sums.Paid += l.Net
		case book.PayoutFailed:
			sums.Failed += l.Net
		case book.PayoutReturned:
			sums.Returned += l.Net
		default:
			sums.Open += l.Net
		}
	}
	return sums
}

// ApprovedOn is the day on which the batch was approved.
func (b *Batch) ApprovedOn() string { return b.ApprovedAt[:min(len(time.DateOnly), len(b.ApprovedAt))] }

// findBatch is a batch by its number.
func findBatch(all *book.Payouts, id int64) (*book.PayoutBatch, error) {
	i := slices.IndexFunc(all.Batches, func(b book.PayoutBatch) bool { return b.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("there is no payout run %d: \"carryover payouts list\" shows them; a line of a run is written like R3-17", id)
	}
	return &all.Batches[i], nil
}

// linesOf are the lines of a batch.
func linesOf(all *book.Payouts, batch int64) (list []*book.PayoutLine) {
	for i := range all.Lines {
		if all.Lines[i].BatchID == batch {
			list = append(list, &all.Lines[i])
		}
	}
	return list
}
