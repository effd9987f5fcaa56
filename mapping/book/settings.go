package book

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"carryover/mapping/terms"
)

// Setting is a value that a person recorded for a field of a promoter. The newest of a field
// holds, and an empty value takes the field back. It is only ever appended.
type Setting struct {
	ID         int64
	PromoterID int64
	Field      string // one of the Setting constants
	Value      string
	From       int64 // the value holds from then on, Unix seconds
	RecordedAt int64
	RecordedBy string
}

// Values of [Setting.Field].
const (
	SettingStatus            = "status"         // active, inactive or blocked; overrides what imports say
	SettingW9                = "w9"             // SettingYes or SettingNo
	SettingPayoutMethod      = "payout_method"  // one of the Method constants
	SettingPayoutAddress     = "payout_address" // to which the method pays
	SettingLegalName         = "legal_name"     // on checks and tax forms
	SettingCountry           = "country"        // two letters
	SettingCoupon            = "coupon"         // a code that credits this promoter
	SettingGrace             = "grace"          // last day on which old links are honoured: 2023-06-30
	SettingMembershipPercent = "membership_percent"
	SettingTrainingPercent   = "training_percent"
)

// SettingFields lists the fields.
func SettingFields() []string {
	return []string{
		SettingStatus, SettingW9, SettingPayoutMethod, SettingPayoutAddress, SettingLegalName, SettingCountry,
		SettingCoupon, SettingGrace, SettingMembershipPercent, SettingTrainingPercent,
	}
}

var settings = table[Setting]{
	name:    "promoter_setting",
	columns: "id, promoter_id, field, value, from_at, recorded_at, recorded_by",
	key:     1,
	record:  (*Setting).record,
}

func (d *Setting) record(r *record) {
	r.int(&d.ID)
	r.int(&d.PromoterID)
	r.word(&d.Field)
	r.text(&d.Value)
	r.int(&d.From)
	r.int(&d.RecordedAt)
	r.word(&d.RecordedBy)
}

// ErrCouponTaken says that another promoter has a coupon.
var ErrCouponTaken = errors.New("the coupon is another promoter's")

// RecordSettings adds settings in one transaction and sets their ids. It fails with
// [ErrCouponTaken] when another promoter has a coupon of them.
func (b *Book) RecordSettings(ctx context.Context, list []Setting) error {
	return b.write(ctx, func(tx *chained) error { return recordSettings(ctx, tx, list) })
}

func recordSettings(ctx context.Context, tx *chained, list []Setting) error {
	if slices.ContainsFunc(list, func(d Setting) bool { return d.IsPublished() }) {
		if err := markMapChanged(ctx, tx.Tx); err != nil {
			return err
		}
	}
	var last int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM promoter_setting`).Scan(&last); err != nil {
		return err
	}
	for i := range list {
		d := &list[i]
		if d.Field == SettingCoupon && d.Value != "" {
			dir, err := readDirectoryOf(ctx, tx.Tx, `SELECT promoter_id FROM promoter_setting WHERE field = ? UNION SELECT ?`,
				SettingCoupon, d.PromoterID)
			if err != nil {
				return err
			}
			if owner := dir.ByCoupon(d.Value); owner.Promoter != nil && owner != dir.ByID(d.PromoterID) {
				return fmt.Errorf("%w: %q", ErrCouponTaken, d.Value)
			}
		}
		d.ID = last + int64(i) + 1
		if err := insertRow(ctx, tx, &settings, d); err != nil {
			return err
		}
	}
	return nil
}

// IsPublished reports whether the published link map says what the field says.
func (d *Setting) IsPublished() bool { return d.Field == SettingStatus || d.Field == SettingGrace }

// Settings lists all settings, in the order of recording.
func (b *Book) Settings(ctx context.Context) ([]Setting, error) {
	return settings.find(ctx, b, "ORDER BY id")
}

// change is the setting as a percentage of the promoter's own; ok is false for other fields.
func (d *Setting) change() (c terms.RateChange, ok bool) {
	c.From = d.From
	switch d.Field {
	case SettingMembershipPercent:
		c.Kind = terms.Membership
	case SettingTrainingPercent:
		c.Kind = terms.Training
	default:
		return c, false
	}
	var err error
	c.Percent, err = terms.ParsePercent(d.Value)
	return c, err == nil
}
