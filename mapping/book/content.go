package book

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Promoter is a person or company that refers customers.
type Promoter struct {
	ID         int64  `json:"id"`
	Token      string `json:"ref_token"`
	KeapID     int64  `json:"keap_id"` // of the primary partner
	Email      string `json:"email"`   // trimmed, lower case; empty when there is no usable one
	Name       string `json:"name"`
	Status     string `json:"status"`    // StatusActive or StatusInactive
	ParentID   int64  `json:"parent_id"` // 0: none
	JoinedAt   int64  `json:"joined_at"` // Unix seconds, 0: not known
	MergedInto int64  `json:"merged_into"`
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
	Email     string `json:"email,omitempty"`  // trimmed, lower case; empty when there is no usable one
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

// Link is a tracking link and where it leads.
type Link struct {
	Code        string `json:"code"`
	KeapID      int64  `json:"keap_id"` // 0: not known
	Name        string `json:"name"`
	Destination string `json:"destination"`
	CreatedAt   int64  `json:"created_at"` // Unix seconds, 0: not known
}

// Content is the migrated model: what a plan is compared with and what the published
// map is made from. As the argument of [Book.Apply] it holds the rows to be created or
// overwritten.
type Content struct {
	Promoters []Promoter
	Aliases   []Alias
	Links     []Link
}

// Len is the number of rows.
func (c *Content) Len() int { return len(c.Promoters) + len(c.Aliases) + len(c.Links) }

// A table of the model: how a row is read, written and told from the others.
type table struct {
	name, columns, key string
	width              int
}

var (
	promoters = table{"promoter", "id, ref_token, keap_id, email, name, status, parent_id, joined_at, merged_into", "id", 9}
	aliases   = table{"promoter_alias", "kind, value, promoter_id, state, code, contact_id, parent_id, email, active", "kind, value", 9}
	links     = table{"link", "code, keap_id, name, destination, created_at", "code", 5}
)

func (p *Promoter) fields() []any {
	return []any{&p.ID, &p.Token, &p.KeapID, &p.Email, &p.Name, &p.Status, &p.ParentID, &p.JoinedAt, &p.MergedInto}
}

func (a *Alias) fields() []any {
	return []any{&a.Kind, &a.Value, &a.PromoterID, &a.State, &a.Code, &a.ContactID, &a.ParentID, &a.Email, &a.Active}
}

func (l *Link) fields() []any {
	return []any{&l.Code, &l.KeapID, &l.Name, &l.Destination, &l.CreatedAt}
}

// Content reads the whole model in the order of its keys, in one read transaction.
func (b *Book) Content(ctx context.Context) (*Content, error) {
	tx, err := b.r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	var c Content
	read := func(t table, scan func(rows *sql.Rows) error) error {
		rows, err := tx.QueryContext(ctx, "SELECT "+t.columns+" FROM "+t.name+" ORDER BY "+t.key)
		if err != nil {
			return fmt.Errorf("reading %s: %w", t.name, err)
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return fmt.Errorf("reading %s: %w", t.name, err)
			}
		}
		return rows.Err()
	}
	if err := read(promoters, func(rows *sql.Rows) error {
		var p Promoter
		err := rows.Scan(p.fields()...)
		c.Promoters = append(c.Promoters, p)
		return err
	}); err != nil {
		return nil, err
	}
	if err := read(aliases, func(rows *sql.Rows) error {
		var a Alias
		err := rows.Scan(a.fields()...)
		c.Aliases = append(c.Aliases, a)
		return err
	}); err != nil {
		return nil, err
	}
	return &c, read(links, func(rows *sql.Rows) error {
		var l Link
		err := rows.Scan(l.fields()...)
		c.Links = append(c.Links, l)
		return err
	})
}

// upserter writes rows of one table and notes what each was before, so that the run
// can be undone.
type upserter struct {
	run                 int64
	seq                 *int64
	table               table
	before, put, change *sql.Stmt
}

// newUpserter prepares the statements. They run without a context: the driver would
// start a goroutine for every row.
func newUpserter(tx *sql.Tx, run int64, seq *int64, t table) (*upserter, error) {
	u := &upserter{run: run, seq: seq, table: t}
	marks := "?"
	for range t.width - 1 {
		marks += ", ?"
	}
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&u.before, "SELECT " + t.columns + " FROM " + t.name + " WHERE " + t.where()},
		{&u.put, "INSERT INTO " + t.name + " (" + t.columns + ") VALUES (" + marks + ") ON CONFLICT (" + t.key + ") DO UPDATE SET " + t.assignments()},
		{&u.change, "INSERT INTO change (run_id, seq, tbl, key, before) VALUES (?, ?, ?, ?, ?)"},
	} {
		stmt, err := tx.Prepare(s.text)
		if err != nil {
			return nil, err
		}
		*s.stmt = stmt
	}
	return u, nil
}

func (t table) assignments() string {
	var set []string
	for _, c := range strings.Split(t.columns, ", ") {
		set = append(set, c+" = excluded."+c)
	}
	return strings.Join(set, ", ")
}

func (t table) where() string {
	if t.key == "kind, value" {
		return "kind = ? AND value = ?"
	}
	return t.key + " = ?"
}

// upsert writes row; old receives what was there. The two are pointers to one type,
// given by their fields.
func (u *upserter) upsert(key []any, row, old any, rowFields, oldFields []any) error {
	before := ""
	switch err := u.before.QueryRow(key...).Scan(oldFields...); err {
	case nil:
		text, err := json.Marshal(old)
		if err != nil {
			return err
		}
		before = string(text)
	case sql.ErrNoRows:
	default:
		return err
	}
	keyText, err := json.Marshal(key)
	if err != nil {
		return err
	}
	*u.seq++
	if _, err := u.change.Exec(u.run, *u.seq, u.table.name, string(keyText), before); err != nil {
		return err
	}
	if _, err := u.put.Exec(rowFields...); err != nil {
		return fmt.Errorf("writing %s %s: %w", u.table.name, keyText, err)
	}
	return nil
}
