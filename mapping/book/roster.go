package book

import (
	"context"
	"database/sql"
	"maps"
	"strings"

	"carryover/mapping/terms"
)

// Member is a promoter as tracking needs it.
type Member struct {
	ID      int64
	Token   string
	Email   string
	Name    string
	Status  terms.PromoterStatus
	Changes []terms.Change
}

// Roster is the promoters of one moment, merged ones as those that took them over.
type Roster struct {
	byToken map[string]*Member
	members map[int64]*Member  // by promoter id and partners' Keap ids
	coupons map[string]*Member // by folded coupon
}

func readRoster(tx *sql.Tx) (*Roster, error) {
	ctx := context.Background()
	var c Content
	var err error
	if c.Promoters, err = promoters.whole(ctx, tx); err != nil {
		return nil, err
	}
	if c.Aliases, err = aliases.whole(ctx, tx); err != nil {
		return nil, err
	}
	if c.Settings, err = settings.whole(ctx, tx); err != nil {
		return nil, err
	}
	return NewRoster(&c), nil
}

// NewRoster makes the roster of a model.
func NewRoster(c *Content) *Roster {
	known := NewPromoterSettings(c.Settings, c.Promoters)
	byID := make(map[int64]*Promoter, len(c.Promoters))
	for i := range c.Promoters {
		byID[c.Promoters[i].ID] = &c.Promoters[i]
	}
	r := &Roster{byToken: make(map[string]*Member, len(c.Promoters)), members: make(map[int64]*Member, len(c.Promoters)), coupons: map[string]*Member{}}
	standing := map[int64]*Member{}
	for i := range c.Promoters {
		p := live(byID, c.Promoters[i].ID)
		if p == nil {
			continue
		}
		m := standing[p.ID]
		if m == nil {
			m = &Member{ID: p.ID, Token: p.Token, Email: p.Email, Name: p.Name, Status: known.Status(p), Changes: known.Changes(p.ID)}
			standing[p.ID] = m
			if coupon := known.Value(p.ID, SettingCoupon); coupon != "" {
				r.coupons[fold(coupon)] = m
			}
		}
		r.byToken[c.Promoters[i].Token] = m
		r.members[c.Promoters[i].ID] = m
	}
	own := map[*Member]bool{} // all of whose partners are the program's own by now: nobody is credited
	for i := range c.Aliases {
		if id, ok := c.Aliases[i].KeapID(); ok && c.Aliases[i].State == StateHouse && r.members[id] != nil {
			own[r.members[id]] = true
		}
	}
	for i := range c.Aliases {
		a := &c.Aliases[i]
		if id, ok := a.KeapID(); ok && a.PromoterID != 0 {
			if p := live(byID, a.PromoterID); p != nil {
				r.members[id] = standing[p.ID]
				delete(own, standing[p.ID])
			}
		}
	}
	if len(own) > 0 {
		maps.DeleteFunc(r.members, func(_ int64, m *Member) bool { return own[m] })
		maps.DeleteFunc(r.byToken, func(_ string, m *Member) bool { return own[m] })
		maps.DeleteFunc(r.coupons, func(_ string, m *Member) bool { return own[m] })
	}
	return r
}

func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// ByID finds a promoter by its id, or by the Keap id of one of its partners.
func (r *Roster) ByID(id int64) *Member { return r.members[id] }

// ByToken finds a promoter by a ref token; one that is no token as it stands is tried in
// lower case.
func (r *Roster) ByToken(token string) *Member {
	if m := r.byToken[token]; m != nil {
		return m
	}
	return r.byToken[fold(token)]
}

// ByCoupon finds a promoter by a coupon, in any case.
func (r *Roster) ByCoupon(coupon string) *Member { return r.coupons[fold(coupon)] }
