package book

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"carryover/mapping/terms"
)

// Directory answers who is meant by whatever names a promoter: an id, the Keap id of a
// partner, a ref token, a code, a coupon, an e-mail address, a name. A promoter that was
// merged is followed to the one that took it over, in every answer. It is of one moment and
// does not change; safe for concurrent use.
type Directory struct {
	promoters []DirectoryPromoter // those that stand, by id
	rows      []Promoter          // all of them, by id
	byID      map[int64]*DirectoryPromoter
	byToken   map[string]*DirectoryPromoter
	byCoupon  map[string]*DirectoryPromoter // by folded coupon
	partners  []Partner                     // in the order of the aliases
	byPartner map[int64]*Partner            // by Keap id
	codes     []directoryCode               // in the order of the aliases

	// Asked for by few.
	codeOwners  func() (exact, folded map[string]Owner)
	emailOwners func() map[string]Owner
}

// DirectoryPromoter is a promoter as it stands, with what was recorded of it and of those
// that it took over.
type DirectoryPromoter struct {
	*Promoter                        // its row, in which Promoter.Status is what the imports say
	Status      terms.PromoterStatus // what a person recorded goes before that
	Partners    []int64              // Keap ids of its partners, ascending; below 0: it joined here
	RateChanges []terms.RateChange   // percentages of its own
	Absorbed    []*Promoter          // rows of those that it took over, by id

	// House says that all of its partners are the program's own by now: it is credited with
	// nothing new, and is owed what it has earned.
	House bool

	settings []*Setting // the row that holds of each field
}

// Partner is a partner of Keap's, or the one under which a promoter joined here.
type Partner struct {
	KeapID int64 // below 0: of a promoter who joined here
	Code   string
	Email  string // e-mail key; empty: no usable one
	Owner  Owner
}

// directoryCode is a code and whom it names; nobody when several claim it.
type directoryCode struct {
	value string
	owner Owner
}

// Owner is whose something is: a promoter's, the program's own, or, as the zero value,
// nobody's.
type Owner struct {
	Promoter *DirectoryPromoter // nil: no promoter's
	House    bool               // the program's own
}

// HouseName is what people call the owner of what is the program's own.
const HouseName = "(the program's own)"

// Token is the promoter's ref token; empty when there is no promoter.
func (o Owner) Token() string {
	if o.Promoter == nil {
		return ""
	}
	return o.Promoter.Token
}

// Name is what people call the owner; empty for nobody.
func (o Owner) Name() string {
	if o.House {
		return HouseName
	}
	return o.Token()
}

// KeapID is the Keap id of the promoter's primary partner; 0: it joined here, or there is no
// promoter.
func (o Owner) KeapID() int64 {
	if o.Promoter == nil {
		return 0
	}
	return max(0, o.Promoter.KeapID)
}

// Creditable is the promoter, if something new may be credited to it; else nil. Whether its
// status lets it earn is for [terms.Attribute] to say.
func (o Owner) Creditable() *DirectoryPromoter {
	if o.Promoter == nil || o.Promoter.House {
		return nil
	}
	return o.Promoter
}

// Earner is how a row of the ledger names who earned it or was paid. A row that was booked
// live names a promoter and nothing else, one that was carried over a partner.
type Earner struct {
	PromoterID int64 // 0: it was carried over
	PartnerID  int64 // Keap id; 0: it was booked live
}

// String names the earner where the book does not know whose the row is.
func (e Earner) String() string {
	if e.PromoterID != 0 {
		return fmt.Sprintf("promoter %d", e.PromoterID)
	}
	return fmt.Sprintf("partner %d", e.PartnerID)
}

// Directory reads the directory.
func (b *Book) Directory(ctx context.Context) (d *Directory, err error) {
	err = b.view(ctx, func(tx *sql.Tx) error {
		d, err = readDirectory(ctx, tx)
		return err
	})
	return d, err
}

// DirectoryOf reads of the directory the promoters with the given ids, and those that they were
// merged with. It knows no codes but the Keap ids.
func (b *Book) DirectoryOf(ctx context.Context, promoters []int64) (d *Directory, err error) {
	err = b.view(ctx, func(tx *sql.Tx) error {
		d, err = readDirectoryOf(ctx, tx, "SELECT * FROM "+anyOf, idList(promoters))
		return err
	})
	return d, err
}

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

// readDirectoryOf reads the promoters whose ids a query gives, all that were merged with them,
// and what was recorded of those. Of aliases it has the Keap ids that name them: enough to
// tell promoters apart by an id, an address or a coupon.
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
	if c.Aliases, err = aliases.some(ctx, tx, "WHERE kind = ? AND promoter_id IN "+anyOf+" ORDER BY kind, value", AliasKeapID, idList(ids)); err != nil {
		return nil, err
	}
	if c.Settings, err = settings.some(ctx, tx, "WHERE promoter_id IN "+anyOf+" ORDER BY id", idList(ids)); err != nil {
		return nil, err
	}
	return NewDirectory(&c), nil
}

// NewDirectory makes the directory of a model, whose promoters and settings must not change
// after that.
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

// addPromoters follows every promoter to the one that it is by now. A promoter whose
// followers run in a ring, or lead nowhere, is left out.
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

// addSettings gives each promoter what holds of it: the newest of its own rows of a field,
// else the newest of those that it took over.
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
	keapIDs := make([]int64, ids) // one piece of memory for all
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
			was.House = true // if no other partner is left
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

// foldWord is what a word is compared as where its case does not matter.
func foldWord(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// Promoters lists those that stand, by id. The list must not be changed.
func (d *Directory) Promoters() []DirectoryPromoter { return d.promoters }

// ByID is a promoter by its id.
func (d *Directory) ByID(promoter int64) Owner { return Owner{Promoter: d.byID[promoter]} }

// ByPartner is who a partner with a Keap id belongs to.
func (d *Directory) ByPartner(keapID int64) Owner {
	if p := d.byPartner[keapID]; p != nil {
		return p.Owner
	}
	return Owner{}
}

// Partner is the partner with a Keap id; nil: there is none.
func (d *Directory) Partner(keapID int64) *Partner { return d.byPartner[keapID] }

// ByEarner is whose a row of the ledger is. What was booked live is its promoter's,
// whatever imports decide about partners.
func (d *Directory) ByEarner(e Earner) Owner {
	if e.PromoterID != 0 {
		return d.ByID(e.PromoterID)
	}
	return d.ByPartner(e.PartnerID)
}

// Name is what people call whoever earned a row; empty for nobody.
func (d *Directory) Name(e Earner) string {
	if o := d.ByEarner(e); o != (Owner{}) || e == (Earner{}) {
		return o.Name()
	}
	return e.String()
}

// ByToken is a promoter by a ref token, also by one of a promoter that it took over. One
// that is no token as it stands is tried in lower case.
func (d *Directory) ByToken(token string) Owner {
	if p := d.byToken[token]; p != nil {
		return Owner{Promoter: p}
	}
	return Owner{Promoter: d.byToken[foldWord(token)]}
}

// ByCoupon is a promoter by a coupon, in any case.
func (d *Directory) ByCoupon(coupon string) Owner {
	return Owner{Promoter: d.byCoupon[foldWord(coupon)]}
}

// ByCode is who a partner's code names: exactly as it is spelled, else in another case when
// all that are spelled so name the same. A code that several claim names nobody.
func (d *Directory) ByCode(code string) Owner {
	exact, folded := d.codeOwners()
	if o, ok := exact[code]; ok {
		return o
	}
	return folded[strings.ToLower(code)]
}

func (d *Directory) indexCodes() (exact, folded map[string]Owner) {
	exact, folded = make(map[string]Owner, len(d.codes)), make(map[string]Owner, len(d.codes))
	for i := range d.codes {
		c := &d.codes[i]
		exact[c.value] = c.owner
		lower := strings.ToLower(c.value)
		if other, again := folded[lower]; again && other != c.owner {
			folded[lower] = Owner{}
			continue
		}
		folded[lower] = c.owner
	}
	return exact, folded
}

// ByEmail is who has an e-mail key: the promoter whose own address it is, else one that took
// such a promoter over, else the one with a partner of that address, else the program's own.
// Of several the one with the lowest id.
func (d *Directory) ByEmail(key string) Owner {
	if key == "" {
		return Owner{}
	}
	return d.emailOwners()[key]
}

func (d *Directory) indexEmails() map[string]Owner {
	owners := make(map[string]Owner, len(d.rows))
	add := func(key string, o Owner) {
		if _, taken := owners[key]; key != "" && o != (Owner{}) && !taken {
			owners[key] = o
		}
	}
	for i := range d.promoters {
		add(d.promoters[i].Email, Owner{Promoter: &d.promoters[i]})
	}
	for i := range d.rows {
		add(d.rows[i].Email, d.ByID(d.rows[i].ID))
	}
	for i := range d.promoters {
		p := &d.promoters[i]
		for _, id := range p.Partners {
			add(d.byPartner[id].Email, Owner{Promoter: p})
		}
	}
	for i := range d.partners {
		add(d.partners[i].Email, d.partners[i].Owner)
	}
	return owners
}

// ByName is the promoter with a name, in any case; nobody when several have it. It looks
// at all of them.
func (d *Directory) ByName(name string) (found Owner) {
	name = strings.Join(strings.Fields(name), " ")
	for i := range d.promoters {
		p := &d.promoters[i]
		switch {
		case name == "" || !strings.EqualFold(strings.Join(strings.Fields(p.Name), " "), name):
		case found.Promoter != nil:
			return Owner{}
		default:
			found.Promoter = p
		}
	}
	return found
}

// Earners are how rows of the ledger name the promoter.
func (p *DirectoryPromoter) Earners() []Earner {
	list := []Earner{{PromoterID: p.ID}}
	for _, was := range p.Absorbed {
		list = append(list, Earner{PromoterID: was.ID})
	}
	for _, id := range p.Partners {
		list = append(list, Earner{PartnerID: id})
	}
	return list
}

// Setting is what a field holds; empty: nothing, or it was taken back.
func (p *DirectoryPromoter) Setting(field string) string {
	for _, s := range p.settings {
		if s.Field == field {
			return s.Value
		}
	}
	return ""
}

// graceEnd is the first instant at which the promoter's old links are not honoured any more,
// as a person recorded; zero: nobody did.
func (p *DirectoryPromoter) graceEnd(zone *time.Location) time.Time {
	day, err := time.Parse(time.DateOnly, p.Setting(SettingGrace))
	if err != nil {
		return time.Time{}
	}
	return terms.DayStart(day.Year(), day.Month(), day.Day()+1, zone).UTC()
}

// HasToken says whether a promoter has a ref token, or had it before it was merged.
func (d *Directory) HasToken(token string) bool { return d.byToken[token] != nil }
