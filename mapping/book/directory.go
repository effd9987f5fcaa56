package book

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"carryover/mapping/terms"
)

// Directory looks promoters up by whatever names them: an id, the Keap id of a partner, a ref
// token, a code, a coupon, an e-mail address, a name. In every answer a merged promoter is the
// one that took it over. A directory is of one moment and does not change; it is safe for
// concurrent use.
type Directory struct {
	promoters []DirectoryPromoter // those that were not merged, by id
	rows      []Promoter          // all of them, by id
	byID      map[int64]*DirectoryPromoter
	byToken   map[string]*DirectoryPromoter
	byCoupon  map[string]*DirectoryPromoter // by folded coupon
	partners  []Partner                     // in the order of the aliases
	byPartner map[int64]*Partner            // by Keap id
	codes     []directoryCode               // in the order of the aliases

	// Indexes that are made when they are asked for.
	codeOwners  func() (exact, folded map[string]Owner)
	emailOwners func() map[string]Owner
}

// DirectoryPromoter is a promoter that was not merged, with the settings of it and of the
// promoters that it took over.
type DirectoryPromoter struct {
	*Promoter                        // its row; Promoter.Status is what imports say
	Status      terms.PromoterStatus // what holds: a person's setting, else Promoter.Status
	Partners    []int64              // Keap ids of its partners, ascending; below 0: it joined here
	RateChanges []terms.RateChange   // percentages of its own
	Absorbed    []*Promoter          // rows of the promoters that it took over, by id

	// House says that all of its partners are the program's own by now. Nothing new is credited
	// to it, and what it has earned stays owed to it.
	House bool

	settings []*Setting // the one that holds, of each field
}

// Partner is one of Keap's partners, or the one that stands for a promoter who joined here.
type Partner struct {
	KeapID int64 // below 0: of a promoter who joined here
	Code   string
	Email  string // e-mail key; empty: no usable one
	Owner  Owner
}

// directoryCode is a code and its owner: nobody when several promoters claim it.
type directoryCode struct {
	value string
	owner Owner
}

// Owner is the owner of something: a promoter, the program itself or, as the zero value, nobody.
// Owners compare with ==.
type Owner struct {
	Promoter *DirectoryPromoter // nil: no promoter
	House    bool               // it is the program's own
}

// HouseName is the name of the owner of what is the program's own.
const HouseName = "(the program's own)"

// Token is the promoter's ref token; empty when there is no promoter.
func (o Owner) Token() string {
	if o.Promoter == nil {
		return ""
	}
	return o.Promoter.Token
}

// Name is the owner for people: a ref token or [HouseName]; empty for nobody.
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

// Creditable is the promoter if something new may be credited to it, else nil. [terms.Attribute]
// decides whether its status lets it earn.
func (o Owner) Creditable() *DirectoryPromoter {
	if o.Promoter == nil || o.Promoter.House {
		return nil
	}
	return o.Promoter
}

// Earner names who earned, or was paid, a row of the ledger: a promoter in rows that were booked
// live, and nothing else; a partner in rows that were carried over.
type Earner struct {
	PromoterID int64 // 0: it was carried over
	PartnerID  int64 // Keap id; 0: it was booked live
}

// String names an earner whom the book does not know.
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

// DirectoryOf reads the part of the directory with the promoters of the given ids, and those
// that they were merged with. Its only codes are those of their partners.
func (b *Book) DirectoryOf(ctx context.Context, promoters []int64) (d *Directory, err error) {
	err = b.view(ctx, func(tx *sql.Tx) error {
		d, err = readDirectoryOf(ctx, tx, "SELECT * FROM "+anyOf, idList(promoters))
		return err
	})
	return d, err
}

// foldWord is the form in which words compare without regard to case.
func foldWord(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// Promoters lists the promoters that were not merged, by id. It must not be changed.
func (d *Directory) Promoters() []DirectoryPromoter { return d.promoters }

// ByID looks up the promoter with an id.
func (d *Directory) ByID(promoter int64) Owner { return Owner{Promoter: d.byID[promoter]} }

// ByPartner looks up the owner of the partner with a Keap id.
func (d *Directory) ByPartner(keapID int64) Owner {
	if p := d.byPartner[keapID]; p != nil {
		return p.Owner
	}
	return Owner{}
}

// Partner returns the partner with a Keap id; nil: there is none.
func (d *Directory) Partner(keapID int64) *Partner { return d.byPartner[keapID] }

// ByEarner looks up the owner of a row of the ledger. A row that was booked live belongs to its
// promoter, whatever imports decide about partners.
func (d *Directory) ByEarner(e Earner) Owner {
	if e.PromoterID != 0 {
		return d.ByID(e.PromoterID)
	}
	return d.ByPartner(e.PartnerID)
}

// Name is the owner of a row of the ledger for people. It is empty for the zero Earner, and
// something like "partner 7" where the owner is not known.
func (d *Directory) Name(e Earner) string {
	if o := d.ByEarner(e); o != (Owner{}) || e == (Earner{}) {
		return o.Name()
	}
	return e.String()
}

// ByToken looks up the promoter with a ref token, which may be that of a promoter it took over.
// When there is none, the token is looked up in lower case.
func (d *Directory) ByToken(token string) Owner {
	if p := d.byToken[token]; p != nil {
		return Owner{Promoter: p}
	}
	return Owner{Promoter: d.byToken[foldWord(token)]}
}

// ByCoupon looks up the promoter with a coupon, in any case.
func (d *Directory) ByCoupon(coupon string) Owner {
	return Owner{Promoter: d.byCoupon[foldWord(coupon)]}
}

// ByCode looks up the owner of a partner's code: as it is spelled, else without regard to case if
// that is unambiguous. A code that several promoters claim belongs to nobody.
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

// ByEmail looks up the owner of an e-mail key: the promoter with that address, else one that took
// such a promoter over, else the promoter of a partner with that address, else the program
// itself for one of its partners. Among several it is the one with the lowest id.
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

// ByName looks up the promoter with a name, in any case; it is nobody when several have the name.
// It scans all promoters.
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

// Earners lists the earners of all rows of the ledger that belong to the promoter.
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

// Setting returns the value of a field that holds; empty: none, or it was taken back.
func (p *DirectoryPromoter) Setting(field string) string {
	for _, s := range p.settings {
		if s.Field == field {
			return s.Value
		}
	}
	return ""
}

// graceEnd is the first instant at which the promoter's old links are not honoured any more, by
// its setting; zero: it has none.
func (p *DirectoryPromoter) graceEnd(zone *time.Location) time.Time {
	day, err := time.Parse(time.DateOnly, p.Setting(SettingGrace))
	if err != nil {
		return time.Time{}
	}
	return terms.DayStart(day.Year(), day.Month(), day.Day()+1, zone).UTC()
}

// HasToken reports whether a promoter has a ref token, or had it before it was merged.
func (d *Directory) HasToken(token string) bool { return d.byToken[token] != nil }
