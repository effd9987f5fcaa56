package book

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"carryover/mapping/terms"
)

// Setting is something that a person recorded of a promoter. The newest of a field holds;
// an empty value takes the field back. It is only ever appended.
type Setting struct {
	ID         int64
	PromoterID int64
	Field      string // one of the Detail constants
	Value      string
	From       int64 // since when it holds, Unix seconds
	RecordedAt int64
	RecordedBy string
}

// Values of [Setting.Field].
const (
	SettingStatus            = "status"         // active, inactive or blocked: before what a run says
	SettingW9                = "w9"             // yes
	SettingPayoutMethod      = "payout_method"  // paypal, check, wire, ...
	SettingPayoutAddress     = "payout_address" // where that pays to
	SettingLegalName         = "legal_name"     // on checks and tax forms
	SettingCountry           = "country"        // two letters
	SettingCoupon            = "coupon"         // a code that credits this promoter
	SettingGrace             = "grace"          // the last day on which old links are honoured: 2023-06-30
	SettingMembershipPercent = "membership_percent"
	SettingTrainingPercent   = "training_percent"
)

// SettingFields lists the fields that there are.
func SettingFields() []string {
	return []string{SettingStatus, SettingW9, SettingPayoutMethod, SettingPayoutAddress, SettingLegalName, SettingCountry, SettingCoupon, SettingGrace, SettingMembershipPercent, SettingTrainingPercent}
}

var settings = table[Setting]{"promoter_detail", "id, promoter_id, field, value, from_at, recorded_at, recorded_by", 1, false, (*Setting).record}

func (d *Setting) record(r *record) {
	r.int(&d.ID)
	r.int(&d.PromoterID)
	r.word(&d.Field)
	r.text(&d.Value)
	r.int(&d.From)
	r.int(&d.RecordedAt)
	r.word(&d.RecordedBy)
}

// ErrCouponTaken says that a coupon is another promoter's.
var ErrCouponTaken = errors.New("the coupon is another promoter's")

// RecordSettings appends details in one transaction, and gives them their ids. It fails with
// [ErrCouponTaken] when another promoter has a coupon of them.
func (b *Book) RecordSettings(ctx context.Context, list []Setting) error {
	return b.update(ctx, func(tx *sql.Tx) error { return recordSettings(ctx, tx, list) })
}

func recordSettings(ctx context.Context, tx *sql.Tx, list []Setting) error {
	for i := range list {
		d := &list[i]
		if d.Field == SettingCoupon && d.Value != "" {
			all, err := settings.some(ctx, tx, "WHERE field = ? ORDER BY id", SettingCoupon)
			if err != nil {
				return err
			}
			for id, coupon := range newest(all) {
				if id.promoter != d.PromoterID && strings.EqualFold(coupon.Value, d.Value) {
					return fmt.Errorf("%w: %q", ErrCouponTaken, d.Value)
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

// Settings lists everything that was recorded of promoters, in the order of recording.
func (b *Book) Settings(ctx context.Context) ([]Setting, error) {
	return settings.find(ctx, b, "ORDER BY id")
}

type settingKey struct {
	promoter int64
	field    string
}

// newest keeps the details that hold whatever the day, percentages left out.
func newest(list []Setting) map[settingKey]*Setting {
	held := map[settingKey]*Setting{}
	for i := range list {
		held[settingKey{list[i].PromoterID, list[i].Field}] = &list[i]
	}
	return held
}

// PromoterSettings is what was recorded of promoters, as it holds now.
type PromoterSettings struct {
	held    map[settingKey]*Setting
	changes map[int64][]terms.Change
}

// NewPromoterSettings reads what [Book.Settings] lists. What was recorded of a promoter who was merged
// since counts for the one that took it over, unless that one has its own.
func NewPromoterSettings(list []Setting, promoters []Promoter) *PromoterSettings {
	byID := make(map[int64]*Promoter, len(promoters))
	for i := range promoters {
		byID[promoters[i].ID] = &promoters[i]
	}
	k := &PromoterSettings{held: newest(list), changes: map[int64][]terms.Change{}}
	stands := func(id int64) int64 {
		if p := live(byID, id); p != nil {
			return p.ID
		}
		return id
	}
	for _, d := range list {
		kind := map[string]terms.Kind{SettingMembershipPercent: terms.Membership, SettingTrainingPercent: terms.Training}[d.Field]
		if percent, err := terms.ParsePercent(d.Value); kind != terms.Unknown && err == nil {
			id := stands(d.PromoterID)
			k.changes[id] = append(k.changes[id], terms.Change{From: d.From, Kind: kind, Percent: percent})
		}
	}
	for _, d := range list {
		to := settingKey{stands(d.PromoterID), d.Field}
		if own := k.held[to]; own == nil || own.PromoterID != to.promoter {
			k.held[to] = k.held[settingKey{d.PromoterID, d.Field}]
		}
	}
	return k
}

// Value is what a field of a promoter holds; empty: nothing.
func (k *PromoterSettings) Value(promoter int64, field string) string {
	if d := k.held[settingKey{promoter, field}]; d != nil {
		return d.Value
	}
	return ""
}

// Setting is the row that holds of a field; nil: none.
func (k *PromoterSettings) Setting(promoter int64, field string) *Setting {
	return k.held[settingKey{promoter, field}]
}

// Changes are the promoter's own percentages.
func (k *PromoterSettings) Changes(promoter int64) []terms.Change { return k.changes[promoter] }

// Status is what a promoter is to the program: what a person recorded goes before what
// the runs say.
func (k *PromoterSettings) Status(p *Promoter) terms.PromoterStatus {
	return terms.PromoterStatus(cmp.Or(k.Value(p.ID, SettingStatus), p.Status))
}

// graces are the days until which single promoters' links are honoured: the first
// instant not honoured, by promoter id.
func (k *PromoterSettings) graces(zone *time.Location) map[int64]time.Time {
	until := map[int64]time.Time{}
	for key, d := range k.held {
		if key.field != SettingGrace {
			continue
		}
		if day, err := time.Parse(time.DateOnly, d.Value); err == nil {
			until[key.promoter] = terms.DayStart(day.Year(), day.Month(), day.Day()+1, zone).UTC()
		}
	}
	return until
}
