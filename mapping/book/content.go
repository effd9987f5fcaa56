package book

import (
	"context"
	"database/sql"
	"strconv"
)

// Promoter is a person or company that refers customers.
type Promoter struct {
	ID         int64  `json:"id"`
	Token      string `json:"ref_token"`
	KeapID     int64  `json:"keap_id"` // of the primary partner
	Email      string `json:"email"`   // trimmed, lower case; empty: no usable one
	Name       string `json:"name"`
	Status     string `json:"status"`      // StatusActive or StatusInactive, as imports say
	ParentID   int64  `json:"parent_id"`   // 0: none
	JoinedAt   int64  `json:"joined_at"`   // Unix seconds, 0: not known
	MergedInto int64  `json:"merged_into"` // id of the promoter that took it over; 0: none
}

// Values of [Promoter.Status].
const (
	StatusActive   = "active"
	StatusInactive = "inactive"
)

// Alias is a code or Keap id that ever named a promoter.
type Alias struct {
	Kind       string `json:"kind"` // AliasCode or AliasKeapID
	Value      string `json:"value"`
	PromoterID int64  `json:"promoter_id"` // 0: see State
	State      string `json:"state"`       // "", StateHouse or StateAmbiguous
	Code       string `json:"code"`        // of a Keap id: the code it stands for

	// Of a Keap id: what was last known of the partner.
	ContactID int64  `json:"contact_id,omitempty"`
	ParentID  int64  `json:"parent,omitempty"` // Keap id, 0: none
	Email     string `json:"email,omitempty"`  // trimmed, lower case; empty: no usable one
	Active    bool   `json:"active,omitempty"` // the partner, not its promoter
}

// KeapID returns the Keap id that the alias is; ok is false for a code.
func (a *Alias) KeapID() (id int64, ok bool) {
	if a.Kind != AliasKeapID {
		return 0, false
	}
	id, err := strconv.ParseInt(a.Value, 10, 64)
	return id, err == nil
}

// Values of [Alias.Kind] and [Alias.State].
const (
	AliasCode      = "code"
	AliasKeapID    = "keap_id"
	StateHouse     = "house"
	StateAmbiguous = "ambiguous"
)

// Link is a tracking link.
type Link struct {
	Code        string `json:"code"`
	KeapID      int64  `json:"keap_id"` // 0: not known
	Name        string `json:"name"`
	Destination string `json:"destination"`
	CreatedAt   int64  `json:"created_at"` // Unix seconds, 0: not known
}

// Content is the promoters and links of the book, with which plans compare and from which the
// link map is made. In [Changes] it holds the rows to create or replace.
type Content struct {
	Promoters []Promoter
	Aliases   []Alias
	Links     []Link
	Settings  []Setting // in the order of recording; imports do not write them
}

// Len is the number of rows.
func (c *Content) Len() int { return len(c.Promoters) + len(c.Aliases) + len(c.Links) }

var (
	promoters = table[Promoter]{
		name:    "promoter",
		columns: "id, ref_token, keap_id, email, name, status, parent_id, joined_at, merged_into",
		key:     1,
		record:  (*Promoter).record,
	}
	aliases = table[Alias]{
		name:    "promoter_alias",
		columns: "kind, value, promoter_id, state, code, contact_id, parent_id, email, active",
		key:     2,
		record:  (*Alias).record,
	}
	links = table[Link]{
		name:    "link",
		columns: "code, keap_id, name, destination, created_at",
		key:     1,
		record:  (*Link).record,
	}
)

func (p *Promoter) record(r *record) {
	r.int(&p.ID)
	r.text(&p.Token)
	r.int(&p.KeapID)
	r.text(&p.Email)
	r.text(&p.Name)
	r.word(&p.Status)
	r.int(&p.ParentID)
	r.int(&p.JoinedAt)
	r.int(&p.MergedInto)
}

func (a *Alias) record(r *record) {
	r.word(&a.Kind)
	r.text(&a.Value)
	r.int(&a.PromoterID)
	r.word(&a.State)
	r.text(&a.Code)
	r.int(&a.ContactID)
	r.int(&a.ParentID)
	r.text(&a.Email)
	r.bool(&a.Active)
}

func (l *Link) record(r *record) {
	r.text(&l.Code)
	r.int(&l.KeapID)
	r.text(&l.Name)
	r.text(&l.Destination)
	r.int(&l.CreatedAt)
}

// Content reads the promoters and links, of one moment, in the order of their keys.
func (b *Book) Content(ctx context.Context) (*Content, error) {
	var c Content
	err := b.view(ctx, func(tx *sql.Tx) (err error) {
		if c.Promoters, err = promoters.whole(ctx, tx); err != nil {
			return err
		}
		if c.Aliases, err = aliases.whole(ctx, tx); err != nil {
			return err
		}
		if c.Links, err = links.whole(ctx, tx); err != nil {
			return err
		}
		c.Settings, err = settings.whole(ctx, tx)
		return err
	})
	return &c, err
}
