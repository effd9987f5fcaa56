package book

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"carryover/mapping/program"
)

// Detail is something that a person recorded of a promoter. The newest of a field holds;
// an empty value takes the field back. It is only ever appended.
type Detail struct {
	ID         int64
	PromoterID int64
	Field      string // one of the Detail constants
	Value      string
	From       int64 // since when it holds, Unix seconds
	RecordedAt int64
	RecordedBy string
}

// Values of [Detail.Field].
const (
	DetailStatus            = "status"         // active, inactive or blocked: before what a run says
	DetailW9                = "w9"             // yes
	DetailPayoutMethod      = "payout_method"  // paypal, check, wire, ...
	DetailPayoutAddress     = "payout_address" // where that pays to
	DetailLegalName         = "legal_name"     // on checks and tax forms
	DetailCountry           = "country"        // two letters
	DetailCoupon            = "coupon"         // a code that credits this promoter
	DetailGrace             = "grace"          // the last day on which old links are honoured: 2023-06-30
	DetailMembershipPercent = "membership_percent"
	DetailTrainingPercent   = "training_percent"
)

// DetailFields lists the fields that there are.
func DetailFields() []string {
	return []string{DetailStatus, DetailW9, DetailPayoutMethod, DetailPayoutAddress, DetailLegalName, DetailCountry, DetailCoupon, DetailGrace, DetailMembershipPercent, DetailTrainingPercent}
}

var details = table[Detail]{"promoter_detail", "id, promoter_id, field, value, from_at, recorded_at, recorded_by", 1, false, (*Detail).record}

func (d *Detail) record(r *record) {
	r.int(&d.ID)
	r.int(&d.PromoterID)
	r.word(&d.Field)
	r.text(&d.Value)
	r.int(&d.From)
	r.int(&d.RecordedAt)
	r.word(&d.RecordedBy)
}

// ErrTaken says that a coupon is another promoter's.
var ErrTaken = errors.New("the coupon is another promoter's")

// Record appends details in one transaction, and gives them their ids. It fails with
// [ErrTaken] when another promoter has a coupon of them.
func (b *Book) Record(ctx context.Context, list []Detail) error {
	return b.update(ctx, func(tx *sql.Tx) error { return recordDetails(ctx, tx, list) })
}

func recordDetails(ctx context.Context, tx *sql.Tx, list []Detail) error {
	for i := range list {
		d := &list[i]
		if d.Field == DetailCoupon && d.Value != "" {
			all, err := details.some(ctx, tx, "WHERE field = ? ORDER BY id", DetailCoupon)
			if err != nil {
				return err
			}
			for id, coupon := range newest(all) {
				if id.promoter != d.PromoterID && strings.EqualFold(coupon.Value, d.Value) {
					return fmt.Errorf("%w: %q", ErrTaken, d.Value)
				}
			}
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO promoter_detail (promoter_id, field, value, from_at, recorded_at, recorded_by) VALUES (?, ?, ?, ?, ?, ?)`,
			d.PromoterID, d.Field, d.Value, d.From, d.RecordedAt, d.RecordedBy)
		if err != nil {
			return fmt.Errorf("recording %s: %w", d.Field, err)
		}
		if d.ID, err = res.LastInsertId(); err != nil {
			return err
		}
	}
	return nil
}

// Details lists everything that was recorded of promoters, in the order of recording.
func (b *Book) Details(ctx context.Context) ([]Detail, error) {
	return details.find(ctx, b, "ORDER BY id")
}

type detailKey struct {
	promoter int64
	field    string
}

// newest keeps the details that hold whatever the day, percentages left out.
func newest(list []Detail) map[detailKey]*Detail {
	held := map[detailKey]*Detail{}
	for i := range list {
		held[detailKey{list[i].PromoterID, list[i].Field}] = &list[i]
	}
	return held
}

// Known is what was recorded of promoters, as it holds now.
type Known struct {
	held    map[detailKey]*Detail
	changes map[int64][]program.Change
}

// NewKnown reads what [Book.Details] lists. What was recorded of a promoter who was merged
// since counts for the one that took it over, unless that one has its own.
func NewKnown(list []Detail, promoters []Promoter) *Known {
	byID := make(map[int64]*Promoter, len(promoters))
	for i := range promoters {
		byID[promoters[i].ID] = &promoters[i]
	}
	k := &Known{held: newest(list), changes: map[int64][]program.Change{}}
	stands := func(id int64) int64 {
		if p := live(byID, id); p != nil {
			return p.ID
		}
		return id
	}
	for _, d := range list {
		kind := map[string]program.Kind{DetailMembershipPercent: program.Membership, DetailTrainingPercent: program.Training}[d.Field]
		if percent, err := program.ParsePercent(d.Value); kind != program.Unknown && err == nil {
			id := stands(d.PromoterID)
			k.changes[id] = append(k.changes[id], program.Change{From: d.From, Kind: kind, Percent: percent})
		}
	}
	for _, d := range list {
		to := detailKey{stands(d.PromoterID), d.Field}
		if own := k.held[to]; own == nil || own.PromoterID != to.promoter {
			k.held[to] = k.held[detailKey{d.PromoterID, d.Field}]
		}
	}
	return k
}

// Value is what a field of a promoter holds; empty: nothing.
func (k *Known) Value(promoter int64, field string) string {
	if d := k.held[detailKey{promoter, field}]; d != nil {
		return d.Value
	}
	return ""
}

// Detail is the row that holds of a field; nil: none.
func (k *Known) Detail(promoter int64, field string) *Detail {
	return k.held[detailKey{promoter, field}]
}

// Changes are the promoter's own percentages.
func (k *Known) Changes(promoter int64) []program.Change { return k.changes[promoter] }

// Standing is what a promoter is to the program: what a person recorded goes before what
// the runs say.
func (k *Known) Standing(p *Promoter) program.Standing {
	return program.Standing(cmp.Or(k.Value(p.ID, DetailStatus), p.Status))
}

// graces are the days until which single promoters' links are honoured: the first
// instant not honoured, by promoter id.
func (k *Known) graces(zone *time.Location) map[int64]time.Time {
	until := map[int64]time.Time{}
	for key, d := range k.held {
		if key.field != DetailGrace {
			continue
		}
		if day, err := time.Parse(time.DateOnly, d.Value); err == nil {
			until[key.promoter] = program.DayStart(day.Year(), day.Month(), day.Day()+1, zone).UTC()
		}
	}
	return until
}
