package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Reasons why a person should look at a commission. None of them ever denies one.
const (
	ReasonSelf     = "self_referral"   // the customer has the promoter's e-mail or address
	ReasonShared   = "shared_address"  // several customers of one promoter signed up from one address
	ReasonFast     = "fast_sale"       // seconds after the click
	ReasonVelocity = "click_velocity"  // far more clicks than the promoter usually has
	ReasonRefunds  = "refund_rate"     // many of the promoter's sales are refunded
	ReasonEarly    = "early_sale"      // dated long before the customer was bound
	ReasonTwo      = "two_customers"   // the uid and the e-mail are those of different customers
	ReasonProduct  = "unknown_product" // no pattern of [products] names the plan: it earned nothing
)

// Decisions on a line under review.
const (
	ReviewAccept = "accept"
	ReviewDeny   = "deny"
)

// ReviewReason is one reason to look at a line.
type ReviewReason struct {
	LineID int64
	Reason string // one of the Reason constants
	Detail string // in words
	At     int64
}

// ReviewDecision is what a person decided about a line.
type ReviewDecision struct {
	LineID    int64
	Decision  string // ReviewAccept or ReviewDeny; empty: nobody has yet
	Note      string
	DecidedAt int64
	DecidedBy string
}

// Review is a line that a person should look at, or has looked at.
type Review struct {
	Line     EventLine
	Event    Event
	Reasons  []ReviewReason
	Decision ReviewDecision
}

var reviewReasons = table[ReviewReason]{"review", "line_id, reason, detail, at", 1, false, (*ReviewReason).record}
var reviewDecisions = table[ReviewDecision]{"review_decision", "line_id, decision, note, decided_at, decided_by", 1, false, (*ReviewDecision).record}

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

// Reviews lists the lines that have a reason to be looked at, the oldest first; decided
// ones too when all is set.
func (b *Book) Reviews(ctx context.Context, all bool) (list []Review, err error) {
	return b.reviews(ctx, all, "")
}

// ReviewsOf lists the same of given lines, decided or not.
func (b *Book) ReviewsOf(ctx context.Context, ids []int64) (list []Review, err error) {
	return b.reviews(ctx, true, " AND line_id IN "+anyOf, idList(ids))
}

func (b *Book) reviews(ctx context.Context, all bool, only string, args ...any) (list []Review, err error) {
	err = b.view(ctx, func(tx *sql.Tx) error {
		decided := map[int64]ReviewDecision{}
		if err := reviewDecisions.each(ctx, tx, "", nil, func(d ReviewDecision) error {
			decided[d.LineID] = d
			return nil
		}); err != nil {
			return err
		}
		at := map[int64]int{}
		var ids, told []int64
		if err := reviewReasons.each(ctx, tx, "WHERE 1 = 1"+only+" ORDER BY line_id, id", args, func(r ReviewReason) error {
			d, done := decided[r.LineID]
			if done && !all {
				return nil
			}
			i, ok := at[r.LineID]
			if !ok {
				i = len(list)
				at[r.LineID] = i
				list = append(list, Review{Decision: d})
				ids = append(ids, r.LineID)
			}
			list[i].Reasons = append(list[i].Reasons, r)
			return nil
		}); err != nil {
			return err
		}
		if err := eventLines.each(ctx, tx, "WHERE id IN "+anyOf, []any{idList(ids)}, func(l EventLine) error {
			list[at[l.ID]].Line = l
			told = append(told, l.EventID)
			return nil
		}); err != nil {
			return err
		}
		of := map[int64]Event{}
		if err := events.each(ctx, tx, "WHERE id IN "+anyOf, []any{idList(told)}, func(e Event) error {
			of[e.ID] = e
			return nil
		}); err != nil {
			return err
		}
		for i := range list {
			list[i].Event = of[list[i].Line.EventID]
		}
		return nil
	})
	return list, err
}

// ErrAlreadyDecided says that a review was decided otherwise before.
var ErrAlreadyDecided = errors.New("it was decided before")

// Decide books what a person decided about lines under review, all of them or none. To
// deny takes back, with a line of its own, what is left of the commission. A decision that is
// there already is left alone; another one is an [ErrAlreadyDecided]. It
// returns how many decisions are new.
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
			if _, err := t.tx.Stmt(t.stmts.addDecision).Exec(d.LineID, d.Decision, strings.TrimSpace(d.Note), d.DecidedAt, d.DecidedBy); err != nil {
				return err
			}
			booked++
			if d.Decision != ReviewDeny {
				continue
			}
			left := line.Amount
			taken, err := t.Reversals(line.ID)
			if err != nil {
				return err
			}
			for _, l := range taken {
				left += l.Amount
			}
			if left == 0 {
				continue
			}
			back := line
			back.Kind, back.At, back.Amount, back.SaleAmount, back.ReversesLineID = KindDenied, d.DecidedAt, -left, 0, line.ID
			if back.ID, err = t.nextID(&t.lastLine, t.stmts.maxLine); err != nil {
				return err
			}
			if err := insertTracked(t, &eventLines, t.stmts.addLine, &back); err != nil {
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
