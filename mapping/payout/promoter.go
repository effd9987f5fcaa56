package payout

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// PromoterAccount is a promoter and what is owed to it; minor units.
type PromoterAccount struct {
	RefToken       string   `json:"ref_token"`
	Email          string   `json:"email"`
	ImportStatus   string   `json:"status"`   // as the newest import says
	Status         string   `json:"standing"` // active, inactive or blocked: what a person recorded goes before that
	KeapIDs        []int64  `json:"keap_ids"`
	Codes          []string `json:"codes"`
	ParentRefToken string   `json:"parent_ref_token"`
	NeedsEmail     bool     `json:"needs_email"`

	Balance     int64             `json:"balance_cents"` // in the program's currency
	Currency    string            `json:"currency"`
	Held        int64             `json:"held_cents"`               // of it
	HeldOn      string            `json:"held_on,omitempty"`        // the day, once something was booked here; empty: that of the newest import
	CarriedFrom []string          `json:"carried_from"`             // "ledger.csv:12": beginnings, else the earliest rows
	Others      []CurrencyBalance `json:"other_balances,omitempty"` // never added to Balance

	W9           bool   `json:"w9"` // on file
	PayoutMethod string `json:"payout_method"`

	id int64
}

// PromoterDetail is a promoter with all that was recorded of it.
type PromoterDetail struct {
	PromoterAccount
	Name     string            `json:"name"`
	JoinedAt string            `json:"joined_at"` // empty: not known
	Settings map[string]string `json:"details"`   // what holds now, by field
	History  []RecordedSetting `json:"history"`   // in the order of recording
}

// RecordedSetting is one thing that was recorded of a promoter.
type RecordedSetting struct {
	Field      string `json:"field"`
	Value      string `json:"value"` // empty: taken back
	From       string `json:"from"`
	RecordedAt string `json:"recorded_at"`
	RecordedBy string `json:"recorded_by"`
}

// HoldDate is when a hold is looked at.
type HoldDate struct {
	Month terms.Month
	Label string // for people: held on 2023-03-31
	Today string // the day, if it is today's
}

// HoldInMonth looks at holds as the payouts of a month do.
func HoldInMonth(month terms.Month) HoldDate {
	return HoldDate{Month: month, Label: "held in " + month.String()}
}

// HoldNow looks at holds today, once something was booked live; before that on the day that
// the newest import was made for.
func (s *Service) HoldNow(ctx context.Context, imported, now time.Time) (HoldDate, error) {
	live, err := s.Book.IsLive(ctx)
	if err != nil {
		return HoldDate{}, err
	}
	at, today := imported, ""
	if live {
		at, today = now, now.In(s.Zone).Format(time.DateOnly)
	}
	return HoldDate{terms.MonthOf(at, s.Zone), "held on " + at.In(s.Zone).Format(time.DateOnly), today}, nil
}

// PromoterAccounts lists the promoters in the order of their primary Keap ids; with origins
// also where each balance came from, which reads the whole ledger.
func (s *Service) PromoterAccounts(ctx context.Context, hold HoldDate, origins bool) ([]PromoterAccount, error) {
	content, err := s.Book.Content(ctx)
	if err != nil {
		return nil, err
	}
	directory := book.NewDirectory(content)
	list, err := s.promoterAccounts(ctx, content, directory, hold)
	if err == nil && origins {
		err = s.addOrigins(ctx, directory, list)
	}
	return list, err
}

// PromoterDetail is everything that is known of the promoter with an id.
func (s *Service) PromoterDetail(ctx context.Context, promoter int64, hold HoldDate) (*PromoterDetail, error) {
	content, err := s.Book.Content(ctx)
	if err != nil {
		return nil, err
	}
	directory := book.NewDirectory(content)
	p := directory.ByID(promoter).Promoter
	if p == nil {
		return nil, fmt.Errorf("the book has no promoter %d", promoter)
	}
	list, err := s.promoterAccounts(ctx, content, directory, hold)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(a PromoterAccount) bool { return a.id == p.ID })
	detail := &PromoterDetail{
		PromoterAccount: list[i], Name: p.Name, JoinedAt: terms.FormatTime(p.JoinedAt, s.Zone),
		Settings: map[string]string{}, History: []RecordedSetting{},
	}
	detail.CarriedFrom = []string{}
	for _, field := range book.SettingFields() {
		if value := p.Setting(field); value != "" {
			detail.Settings[field] = value
		}
	}
	for _, r := range content.Settings {
		if directory.ByID(r.PromoterID).Promoter == p {
			detail.History = append(detail.History, RecordedSetting{
				r.Field, r.Value, terms.FormatTime(r.From, s.Zone), terms.FormatTime(r.RecordedAt, s.Zone), r.RecordedBy,
			})
		}
	}
	return detail, nil
}

func (s *Service) promoterAccounts(ctx context.Context, content *book.Content, directory *book.Directory, hold HoldDate) ([]PromoterAccount, error) {
	balances, err := s.Balances(ctx, directory, hold.Month)
	if err != nil {
		return nil, err
	}
	promoters := directory.Promoters()
	order := make([]*book.DirectoryPromoter, len(promoters))
	for i := range promoters {
		order[i] = &promoters[i]
	}
	slices.SortFunc(order, func(a, b *book.DirectoryPromoter) int { return cmp.Compare(a.KeapID, b.KeapID) })
	index := make(map[*book.DirectoryPromoter]int, len(order))
	list := make([]PromoterAccount, 0, len(order))
	for i, p := range order {
		index[p] = i
		a := PromoterAccount{
			id: p.ID, RefToken: p.Token, Email: p.Email, ImportStatus: p.Promoter.Status, Status: string(p.Status), KeapIDs: []int64{}, Codes: []string{},
			ParentRefToken: directory.ByID(p.ParentID).Token(), NeedsEmail: p.Email == "", Currency: s.Currency, HeldOn: hold.Today,
			W9: p.Setting(book.SettingW9) == book.SettingYes, PayoutMethod: p.Setting(book.SettingPayoutMethod),
		}
		for _, id := range p.Partners {
			if id > 0 { // below it, the promoter joined here
				a.KeapIDs = append(a.KeapIDs, id)
			}
		}
		if b := balances[p.ID]; b != nil {
			a.Balance, a.Held, a.Others = b.Amount, b.Held, b.Others
		}
		list = append(list, a)
	}
	for _, alias := range content.Aliases {
		if i, ok := index[directory.ByID(alias.PromoterID).Promoter]; ok && alias.Kind == book.AliasCode {
			list[i].Codes = append(list[i].Codes, alias.Value)
		}
	}
	for i := range list {
		slices.Sort(list[i].Codes)
	}
	return list, nil
}

// addOrigins fills in where each balance came from: of every partner the rows of its
// beginnings or, when it had none, its earliest row.
func (s *Service) addOrigins(ctx context.Context, directory *book.Directory, list []PromoterAccount) error {
	byID := make(map[int64]*PromoterAccount, len(list))
	for i := range list {
		list[i].CarriedFrom = []string{}
		byID[list[i].id] = &list[i]
	}
	var earner book.Earner
	begun := false
	return s.Book.Ledger(ctx, nil, func(e book.Entry) error {
		first := e.Earner != earner
		if first {
			earner, begun = e.Earner, false
		}
		// The ledger's beginnings lie before all else.
		if e.Source == "" || !first && (!begun || e.Kind != book.KindOpening) {
			return nil
		}
		begun = e.Kind == book.KindOpening
		if p := directory.ByEarner(earner).Promoter; p != nil {
			if a := byID[p.ID]; a != nil {
				a.CarriedFrom = append(a.CarriedFrom, Origin(e.Source, e.Line))
			}
		}
		return nil
	})
}

// Origin names a row of an export: ledger.csv:12; empty for none.
func Origin(path string, line int64) string {
	if path == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", filepath.Base(path), line)
}
