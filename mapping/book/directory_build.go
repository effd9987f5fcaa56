package book

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"sync"

	"carryover/mapping/terms"
)

func readDirectory(ctx context.Context, tx *sql.Tx) (*Directory, error) {
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
	return NewDirectory(&c), nil
}

// readDirectoryOf reads the promoters whose ids a query returns, all that were merged with them,
// their settings and the Keap ids that name them. That is enough to look them up by an id, a
// token, an address or a coupon; House is not known.
func readDirectoryOf(ctx context.Context, tx *sql.Tx, query string, args ...any) (*Directory, error) {
	var ids []int64
	if err := func() error {
		rows, err := tx.QueryContext(ctx, `WITH RECURSIVE
			over(id) AS (SELECT * FROM (`+query+`) UNION SELECT p.merged_into FROM promoter p JOIN over ON p.id = over.id WHERE p.merged_into != 0),
			same(id) AS (SELECT id FROM over UNION SELECT p.id FROM promoter p JOIN same ON p.merged_into = same.id)
			SELECT id FROM same`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	}(); err != nil {
		return nil, err
	}
	var c Content
	var err error
	if c.Promoters, err = promoters.some(ctx, tx, "WHERE id IN "+anyOf+" ORDER BY id", idList(ids)); err != nil {
		return nil, err
	}
	named := "WHERE kind = ? AND promoter_id IN " + anyOf + " ORDER BY kind, value"
	if c.Aliases, err = aliases.some(ctx, tx, named, AliasKeapID, idList(ids)); err != nil {
		return nil, err
	}
	if c.Settings, err = settings.some(ctx, tx, "WHERE promoter_id IN "+anyOf+" ORDER BY id", idList(ids)); err != nil {
		return nil, err
	}
	return NewDirectory(&c), nil
}

// NewDirectory makes the directory of c, whose promoters and settings must not change afterwards.
func NewDirectory(c *Content) *Directory {
	d := &Directory{
		rows:     c.Promoters,
		byID:     make(map[int64]*DirectoryPromoter, len(c.Promoters)),
		byToken:  make(map[string]*DirectoryPromoter, len(c.Promoters)),
		byCoupon: map[string]*DirectoryPromoter{},
	}
	d.addPromoters()
	d.addSettings(c.Settings)
	d.addAliases(c.Aliases)
	d.codeOwners = sync.OnceValues(d.indexCodes)
	d.emailOwners = sync.OnceValue(d.indexEmails)
	return d
}

// addPromoters follows every merged promoter to the one that took it over. A promoter that was
// merged into itself, over others, or into none that exists is left out.
func (d *Directory) addPromoters() {
	standing := 0
	for i := range d.rows {
		if d.rows[i].MergedInto == 0 {
			standing++
		}
	}
	d.promoters = make([]DirectoryPromoter, 0, standing)
	merged := make(map[int64]int64, len(d.rows)-standing)
	for i := range d.rows {
		p := &d.rows[i]
		if p.MergedInto != 0 {
			merged[p.ID] = p.MergedInto
			continue
		}
		d.promoters = append(d.promoters, DirectoryPromoter{Promoter: p, Status: terms.PromoterStatus(p.Status)})
		to := &d.promoters[len(d.promoters)-1]
		d.byID[p.ID], d.byToken[p.Token] = to, to
	}
	for i := range d.rows {
		p := &d.rows[i]
		id := p.ID
		for n := 0; merged[id] != 0 && n <= len(merged); n++ { // a chain is never longer
			id = merged[id]
		}
		if to := d.byID[id]; to != nil && p.MergedInto != 0 {
			d.byID[p.ID], d.byToken[p.Token] = to, to
			to.Absorbed = append(to.Absorbed, p)
		}
	}
}

// addSettings gives each promoter the settings that hold: of a field the newest of its own, else
// the newest of those of the promoters that it took over.
func (d *Directory) addSettings(list []Setting) {
	for i := range list {
		s := &list[i]
		p := d.byID[s.PromoterID]
		if p == nil {
			continue
		}
		switch i := slices.IndexFunc(p.settings, func(held *Setting) bool { return held.Field == s.Field }); {
		case i < 0:
			p.settings = append(p.settings, s)
		case p.settings[i].PromoterID != p.ID || s.PromoterID == p.ID:
			p.settings[i] = s
		}
		if change, ok := s.change(); ok {
			p.RateChanges = append(p.RateChanges, change)
		}
	}
	for i := range d.promoters {
		p := &d.promoters[i]
		p.Status = terms.PromoterStatus(cmp.Or(p.Setting(SettingStatus), p.Promoter.Status))
		if coupon := p.Setting(SettingCoupon); coupon != "" {
			d.byCoupon[foldWord(coupon)] = p
		}
	}
}

// addAliases adds partners and codes.
func (d *Directory) addAliases(list []Alias) {
	ids, count := 0, make(map[*DirectoryPromoter]int, len(d.promoters))
	for i := range list {
		if _, ok := list[i].KeapID(); ok {
			ids++
			if p := d.byID[list[i].PromoterID]; p != nil {
				count[p]++
			}
		}
	}
	d.partners, d.byPartner = make([]Partner, 0, ids), make(map[int64]*Partner, ids)
	d.codes = make([]directoryCode, 0, len(list)-ids)
	keapIDs := make([]int64, ids) // one allocation for all
	for i := range list {
		a := &list[i]
		owner := d.aliasOwner(a)
		id, ok := a.KeapID()
		if !ok {
			if a.Kind == AliasCode {
				d.codes = append(d.codes, directoryCode{a.Value, owner})
			}
			continue
		}
		d.partners = append(d.partners, Partner{id, a.Code, a.Email, owner})
		d.byPartner[id] = &d.partners[len(d.partners)-1]
		if p := owner.Promoter; p != nil {
			if p.Partners == nil {
				n := count[p]
				p.Partners, keapIDs = keapIDs[:0:n], keapIDs[n:]
			}
			p.Partners = append(p.Partners, id)
		} else if was := d.byID[id]; owner.House && was != nil {
			was.House = true // unless it has another partner, see below
		}
	}
	for i := range d.promoters {
		p := &d.promoters[i]
		slices.Sort(p.Partners)
		p.House = p.House && len(p.Partners) == 0
	}
}

func (d *Directory) aliasOwner(a *Alias) Owner {
	if a.State != "" {
		return Owner{House: a.State == StateHouse}
	}
	return Owner{Promoter: d.byID[a.PromoterID]}
}
