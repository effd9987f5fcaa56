package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Reasons to review a commission. None of them denies one by itself.
const (
	ReasonSelf     = "self_referral"   // the customer has the promoter's e-mail or address
	ReasonShared   = "shared_address"  // several customers of the promoter signed up from one address
	ReasonFast     = "fast_sale"       // seconds after the click
	ReasonVelocity = "click_velocity"  // far more clicks than the promoter usually gets
	ReasonRefunds  = "refund_rate"     // many of the promoter's sales are refunded
	ReasonDated    = "back_dated"      // the sale is dated into a month that was over when it was told
	ReasonEarly    = "early_sale"      // the sale is dated long before the customer was bound
	ReasonTwo      = "two_customers"   // the uid and the e-mail belong to different customers
	ReasonProduct  = "unknown_product" // no pattern of [products] matches the plan, so it earned nothing
)

// Decisions on a line under review.
const (
	ReviewAccept = "accept" // the line is paid like any other
	ReviewTrust  = "trust"  // so it is, and its reasons are not asked again of later lines of its customer
	ReviewDeny   = "deny"   // what is left of the line is taken back
)

// ReviewReason is one reason to review a line.
type ReviewReason struct {
	LineID int64
	Reason string // one of the Reason constants
	Detail string // in words
	At     int64
}

// ReviewDecision is a person's decision on a line under review.
type ReviewDecision struct {
	LineID    int64
	Decision  string // one of the Review constants; empty: the review is open
	Note      string
	DecidedAt int64
	DecidedBy string
}

// Review is a line with reasons to review it, and the decision.
type Review struct {
	Line     EventLine
	Event    Event
	Reasons  []ReviewReason
	Decision ReviewDecision
}

var reviewReasons = table[ReviewReason]{
	name:    "review",
	columns: "line_id, reason, detail, at",
	key:     1,
	record:  (*ReviewReason).record,
}
var reviewDecisions = table[ReviewDecision]{
	name:    "review_decision",
	columns: "line_id, decision, note, decided_at, decided_by",
	key:     1,
	record:  (*ReviewDecision).record,
}

// What the chain seals of reviews and decisions.
const (
	reviewColumns   = "id, line_id, reason, detail, at"
	decisionColumns = "id, line_id, decision, note, decided_at, decided_by"
)

var (
	reviewLayout   = newLayout("review", strings.Split(reviewColumns, ", "), []string{"id"})
	decisionLayout = newLayout("review_decision", strings.Split(decisionColumns, ", "), []string{"id"})
)

func (v *ReviewReason) record(r *record) {
	r.int(&v.LineID)
	r.word(&v.Reason)
	r.text(&v.Detail)
	r.int(&v.At)
}

func (d *ReviewDecision) record(r *record) {
	r.int(&d.LineID)
	r.word(&d.Decision)
	r.text(&d.Note)
	r.int(&d.DecidedAt)
	r.word(&d.DecidedBy)
}

// Reviews lists the open reviews, the oldest first; with all the decided ones too.
func (b *Book) Reviews(ctx context.Context, all bool) ([]Review, error) {
	if all {
		return b.reviews(ctx, "")
	}
	return b.reviews(ctx, "WHERE line_id NOT IN (SELECT line_id FROM review_decision)")
}

// ReviewsOf lists the reviews of the given lines, open and decided.
func (b *Book) ReviewsOf(ctx context.Context, ids []int64) ([]Review, error) {
	return b.reviews(ctx, "WHERE line_id IN "+anyOf, idList(ids))
}

// reviews lists the reviews whose reasons the clause selects.
func (b *Book) reviews(ctx context.Context, where string, args ...any) (list []Review, err error) {
	err = b.view(ctx, func(tx *sql.Tx) error {
		at := map[int64]int{} // indexes in list, by line
		var lineIDs, eventIDs []int64
		if err := reviewReasons.each(ctx, tx, where+" ORDER BY line_id, id", args, func(r ReviewReason) error {
			i, ok := at[r.LineID]
			if !ok {
				i = len(list)
				at[r.LineID] = i
				list = append(list, Review{})
				lineIDs = append(lineIDs, r.LineID)
			}
			list[i].Reasons = append(list[i].Reasons, r)
			return nil
		}); err != nil {
			return err
		}
		ids := idList(lineIDs)
		if err := reviewDecisions.each(ctx, tx, "WHERE line_id IN "+anyOf, []any{ids}, func(d ReviewDecision) error {
			list[at[d.LineID]].Decision = d
			return nil
		}); err != nil {
			return err
		}
		if err := eventLines.each(ctx, tx, "WHERE id IN "+anyOf, []any{ids}, func(l EventLine) error {
			list[at[l.ID]].Line = l
			eventIDs = append(eventIDs, l.EventID)
			return nil
		}); err != nil {
			return err
		}
		byID := map[int64]Event{}
		if err := events.each(ctx, tx, "WHERE id IN "+anyOf, []any{idList(eventIDs)}, func(e Event) error {
			byID[e.ID] = e
			return nil
		}); err != nil {
			return err
		}
		for i := range list {
			list[i].Event = byID[list[i].Line.EventID]
		}
		return nil
	})
	return list, err
}

// ErrAlreadyDecided says that a review has another decision already.
var ErrAlreadyDecided = errors.New("it was decided before")

// Decide adds decisions on lines under review, all of them or none, and returns how many are
// new. Denying adds a line that reverses what is left of the commission. An equal decision that
// is there already is left alone; it fails with [ErrAlreadyDecided] when there is another one.
func (b *Book) Decide(ctx context.Context, list []ReviewDecision) (booked int, err error) {
	err = b.Track(func(t *Tracking) error {
		for _, d := range list {
			line, ok, err := queryOne(t, &eventLines, t.stmts.lineByID, d.LineID)
			if err != nil {
				return err
			}
			if !ok {
				return fmt.Errorf("%w: t-%d", ErrNoEntry, d.LineID)
			}
			if yes, err := t.exists(t.stmts.hasReason, d.LineID); err != nil {
				return err
			} else if !yes {
				return fmt.Errorf("t-%d has no reason to be reviewed", d.LineID)
			}
			var before string
			switch err := t.tx.Stmt(t.stmts.decision).QueryRow(d.LineID).Scan(&before); {
			case err == nil && before == d.Decision:
				continue
			case err == nil:
				return fmt.Errorf("%w: t-%d, %s", ErrAlreadyDecided, d.LineID, before)
			case !errors.Is(err, sql.ErrNoRows):
				return err
			}
			if err := t.write(decisionLayout, t.stmts.addDecision,
				d.LineID, d.Decision, strings.TrimSpace(d.Note), d.DecidedAt, d.DecidedBy); err != nil {
				return err
			}
			booked++
			if d.Decision != ReviewDeny {
				continue
			}
			remaining := line.Amount
			reversals, err := t.Reversals(line.ID)
			if err != nil {
				return err
			}
			for _, l := range reversals {
				remaining += l.Amount
			}
			if remaining == 0 {
				continue
			}
			reversal := line
			reversal.Kind, reversal.At, reversal.Amount, reversal.SaleAmount = KindDenied, d.DecidedAt, -remaining, 0
			reversal.ReversesLineID = line.ID
			if reversal.ID, err = t.nextID(&t.lastLine, t.stmts.maxLine); err != nil {
				return err
			}
			if err := insertTracked(t, &eventLines, t.stmts.addLine, &reversal); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		booked = 0
	}
	return booked, err
}
