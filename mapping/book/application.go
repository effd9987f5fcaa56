package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"carryover/mapping/terms"
)

// Application is a person's request to join the program, or to rejoin it.
type Application struct {
	ID         int64
	Kind       string // ApplyJoin or ApplyRejoin
	Name       string
	Email      string // e-mail key
	Site       string // URL; empty: none
	Terms      string // what was agreed to
	AppliedAt  int64  // Unix seconds
	Visitor    string // keyed hash of the address
	Reason     string // why a person decides: one of the Hold constants, and a name after it; empty: nobody had to
	State      string // ApplicationWaiting, ApplicationApproved or ApplicationRejected
	PromoterID int64  // 0 until there is one
	DecidedAt  int64
	DecidedBy  string
}

// Values of [Application.Kind] and [Application.State].
const (
	ApplyJoin           = "join"
	ApplyRejoin         = "rejoin"
	ApplicationWaiting  = "waiting"
	ApplicationApproved = "approved"
	ApplicationRejected = "rejected"
)

// DecidedAutomatically is [Application.DecidedBy] when no person decided.
const DecidedAutomatically = "auto"

var applications = table[Application]{
	name:    "application",
	columns: "id, kind, name, email, site, terms, applied_at, visitor, reason, state, promoter_id, decided_at, decided_by",
	key:     1,
	record:  (*Application).record,
}

func (a *Application) record(r *record) {
	r.int(&a.ID)
	r.word(&a.Kind)
	r.text(&a.Name)
	r.text(&a.Email)
	r.text(&a.Site)
	r.word(&a.Terms)
	r.int(&a.AppliedAt)
	r.text(&a.Visitor)
	r.word(&a.Reason)
	r.word(&a.State)
	r.int(&a.PromoterID)
	r.int(&a.DecidedAt)
	r.word(&a.DecidedBy)
}

// Errors that callers decide on.
var (
	ErrNoApplication   = errors.New("there is no such application")
	ErrAlreadyApproved = errors.New("the application was approved already")
	ErrTokenTaken      = errors.New("the ref token is taken")
	ErrTokenForm       = errors.New("this is no ref token")
	ErrTokenKept       = errors.New("who takes part again keeps the ref token")
)

// Admission is what became of an application.
type Admission struct {
	Outcome     AdmissionOutcome
	Application Application // as the book has it; ID 0: it was not stored
	Promoter    Promoter    // ID 0: there is none yet

	// Offered is the ref token that the name may have without a person, whoever applies with it;
	// empty: a person decides about the name, or about everybody. It tells nothing of the address.
	Offered string
}

// AdmissionOutcome says what changed.
type AdmissionOutcome uint8

const (
	AdmissionPending   AdmissionOutcome = iota + 1 // it waits for a person's decision
	AdmissionJoined                                // there is a new promoter
	AdmissionRejoined                              // an earlier promoter is active again
	AdmissionActive                                // the promoter was active: nothing changed for it
	AdmissionUnchanged                             // it had this decision before: nothing changed
	AdmissionRejected                              // a person rejected it
	AdmissionFull                                  // it was not stored: too many wait
)

// Approve makes the applicants active promoters, all in one transaction. An application that was
// approved before is unchanged; one that was rejected is approved now. It fails with
// [ErrNoApplication], and then nothing changed.
func (b *Book) Approve(ctx context.Context, ids []int64, by string, now int64) ([]Admission, error) {
	return b.approve(ctx, ids, "", by, now)
}

// ApproveAs is [Book.Approve] for one applicant who is given a ref token. It fails with
// [ErrTokenForm], [ErrTokenTaken], also where a partner has it as a code, or [ErrTokenKept], and
// then nothing changed.
func (b *Book) ApproveAs(ctx context.Context, id int64, token, by string, now int64) (Admission, error) {
	if !isToken(token) {
		return Admission{}, fmt.Errorf("%w: %q", ErrTokenForm, token)
	}
	done, err := b.approve(ctx, []int64{id}, token, by, now)
	if err != nil {
		return Admission{}, err
	}
	return done[0], nil
}

func (b *Book) approve(ctx context.Context, ids []int64, token, by string, now int64) ([]Admission, error) {
	return b.decide(ctx, ids, func(tx *chained, a *Application) (Admission, error) {
		if a.State == ApplicationApproved {
			done := Admission{Outcome: AdmissionUnchanged, Application: *a}
			d, err := readDirectoryOf(ctx, tx.Tx, `SELECT ?`, a.PromoterID)
			if err != nil {
				return done, err
			}
			if p := d.ByID(a.PromoterID).Promoter; p != nil {
				done.Promoter = *p.Promoter
			}
			return done, nil
		}
		preferred := token
		if token == "" {
			preferred = preferredToken(a.Name, a.Site)
		}
		free, err := freeToken(ctx, tx.Tx, preferred)
		if err != nil {
			return Admission{}, err
		}
		promoter, err := findApplicant(ctx, tx.Tx, a.Email)
		if err != nil {
			return Admission{}, err
		}
		done, err := a.approve(ctx, tx, promoter, free, by, now)
		if token == "" {
			return done, err
		}
		switch {
		case err != nil:
			return done, err
		case done.Outcome != AdmissionJoined && done.Promoter.Token != token:
			return done, fmt.Errorf("%w: %d is %s", ErrTokenKept, a.ID, done.Promoter.Token)
		case done.Promoter.Token != token:
			return done, fmt.Errorf("%w: %s", ErrTokenTaken, token)
		}
		return done, nil
	})
}

// Reject rejects applications, all in one transaction. It fails with [ErrNoApplication] or
// [ErrAlreadyApproved], and then nothing changed.
func (b *Book) Reject(ctx context.Context, ids []int64, by string, now int64) ([]Admission, error) {
	return b.decide(ctx, ids, func(tx *chained, a *Application) (Admission, error) {
		switch a.State {
		case ApplicationApproved:
			return Admission{}, fmt.Errorf("%w: %d", ErrAlreadyApproved, a.ID)
		case ApplicationRejected:
			return Admission{Outcome: AdmissionUnchanged, Application: *a}, nil
		}
		a.State, a.DecidedAt, a.DecidedBy = ApplicationRejected, now, by
		return Admission{Outcome: AdmissionRejected, Application: *a}, a.saveDecision(ctx, tx)
	})
}

// RejectVisitor rejects the waiting applications of one [Application.Visitor]; [ErrNoApplication]:
// none waits.
func (b *Book) RejectVisitor(ctx context.Context, visitor, by string, now int64) ([]Admission, error) {
	rows, err := applications.find(ctx, b, "WHERE visitor = ? AND state = ? ORDER BY id", visitor, ApplicationWaiting)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: none from %s waits", ErrNoApplication, visitor)
	}
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	return b.Reject(ctx, ids, by, now)
}

func (b *Book) decide(ctx context.Context, ids []int64, fn func(*chained, *Application) (Admission, error)) ([]Admission, error) {
	var done []Admission
	err := b.write(ctx, func(tx *chained) error {
		done = nil
		for _, id := range ids {
			found, err := applications.some(ctx, tx.Tx, "WHERE id = ?", id)
			if err != nil {
				return err
			}
			if len(found) == 0 {
				return fmt.Errorf("%w: %d", ErrNoApplication, id)
			}
			d, err := fn(tx, &found[0])
			if err != nil {
				return err
			}
			done = append(done, d)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// Applications lists the waiting applications, or all, in the order in which they were
// submitted.
func (b *Book) Applications(ctx context.Context, all bool) ([]Application, error) {
	if all {
		return applications.find(ctx, b, "ORDER BY id")
	}
	return applications.find(ctx, b, "WHERE state = ? ORDER BY id", ApplicationWaiting)
}

// insert adds a new application, which waits.
func (a *Application) insert(ctx context.Context, tx *chained) error {
	a.State, a.PromoterID, a.DecidedAt, a.DecidedBy = ApplicationWaiting, 0, 0, ""
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) + 1 FROM application`).Scan(&a.ID); err != nil {
		return err
	}
	return insertRow(ctx, tx, &applications, a)
}

// saveDecision writes the decision.
func (a *Application) saveDecision(ctx context.Context, tx *chained) error {
	_, err := tx.ExecContext(ctx, `UPDATE application SET kind = ?, state = ?, promoter_id = ?, decided_at = ?, decided_by = ? WHERE id = ?`,
		a.Kind, a.State, a.PromoterID, a.DecidedAt, a.DecidedBy, a.ID)
	if err != nil {
		return err
	}
	return tx.seal("application", "WHERE id = ?", a.ID)
}

// approve makes the applicant an active promoter: the one whose e-mail key it is or, when that is
// nil, a new one with the ref token, which is free.
func (a *Application) approve(
	ctx context.Context, tx *chained, promoter *DirectoryPromoter, token, by string, now int64,
) (Admission, error) {
	done := Admission{Outcome: AdmissionActive}
	switch {
	case promoter == nil:
		a.Kind, done.Outcome = ApplyJoin, AdmissionJoined
		p, err := a.createPromoter(ctx, tx, token, now)
		if err != nil {
			return done, err
		}
		promoter = &DirectoryPromoter{Promoter: p, Status: terms.Active}
		if err := markMapChanged(ctx, tx.Tx); err != nil {
			return done, err
		}
	case promoter.Status != terms.Active:
		a.Kind, done.Outcome = ApplyRejoin, AdmissionRejoined
		active := Setting{PromoterID: promoter.ID, Field: SettingStatus, Value: string(terms.Active), From: now, RecordedAt: now, RecordedBy: by}
		if err := recordSettings(ctx, tx, []Setting{active}); err != nil {
			return done, err
		}
	}
	a.State, a.PromoterID, a.DecidedAt, a.DecidedBy = ApplicationApproved, promoter.ID, now, by
	done.Application, done.Promoter = *a, *promoter.Promoter
	return done, a.saveDecision(ctx, tx)
}

// createPromoter adds a promoter that Keap does not know. Keap's ids are above 0, so its own is
// below. Its alias is how a later import finds it by its address.
func (a *Application) createPromoter(ctx context.Context, tx *chained, token string, now int64) (*Promoter, error) {
	p := &Promoter{Token: token, Email: a.Email, Name: a.Name, Status: StatusActive, JoinedAt: now}
	if err := tx.QueryRowContext(ctx, `SELECT min(coalesce(min(id), 0), 0) - 1 FROM promoter`).Scan(&p.ID); err != nil {
		return nil, err
	}
	p.KeapID = p.ID
	if err := insertRow(ctx, tx, &promoters, p); err != nil {
		return nil, err
	}
	return p, insertRow(ctx, tx, &aliases, &Alias{
		Kind: AliasKeapID, Value: strconv.FormatInt(p.ID, 10), PromoterID: p.ID, Email: a.Email, Active: true,
	})
}

// insertRow adds one row and seals it.
func insertRow[T any](ctx context.Context, tx *chained, t *table[T], row *T) error {
	var r record
	t.record(row, &r)
	if _, err := tx.ExecContext(ctx, t.insertText(1), r.cells...); err != nil {
		return fmt.Errorf("writing %s %s: %w", t.name, t.keyText(row), err)
	}
	tx.link.add(t.layout(), r.cells)
	return nil
}

// findApplicant returns the promoter with an e-mail key; nil: there is none.
func findApplicant(ctx context.Context, tx *sql.Tx, key string) (*DirectoryPromoter, error) {
	d, err := readDirectoryOf(ctx, tx, `SELECT id FROM promoter WHERE email = ?1
		UNION SELECT promoter_id FROM promoter_alias WHERE kind = 'keap_id' AND email = ?1 AND promoter_id != 0`, key)
	if err != nil {
		return nil, err
	}
	return d.ByEmail(key).Promoter, nil
}
