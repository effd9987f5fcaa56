package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"carryover/mapping/terms"
)

// Application is somebody who wants to take part, or to take part again.
type Application struct {
	ID         int64
	Kind       string // ApplyJoin or ApplyRejoin
	Name       string
	Email      string // e-mail key
	Site       string // an address; empty: not told
	Terms      string // what was agreed to
	AppliedAt  int64  // Unix seconds
	Visitor    string // keyed hash of the address
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

// DecidedAutomatically is who decided about an application that needed nobody.
const DecidedAutomatically = "auto"

var applications = table[Application]{"application", "id, kind, name, email, site, terms, applied_at, visitor, state, promoter_id, decided_at, decided_by", 1, false, (*Application).record}

func (a *Application) record(r *record) {
	r.int(&a.ID)
	r.word(&a.Kind)
	r.text(&a.Name)
	r.text(&a.Email)
	r.text(&a.Site)
	r.word(&a.Terms)
	r.int(&a.AppliedAt)
	r.text(&a.Visitor)
	r.word(&a.State)
	r.int(&a.PromoterID)
	r.int(&a.DecidedAt)
	r.word(&a.DecidedBy)
}

// Errors that callers decide on.
var (
	ErrNoApplication   = errors.New("there is no such application")
	ErrAlreadyApproved = errors.New("the application was approved already")
)

// Admission is what became of an application.
type Admission struct {
	Outcome     AdmissionOutcome
	Application Application // as the book has it; ID 0: nothing was kept
	Promoter    Promoter    // ID 0: there is none yet
}

// AdmissionOutcome says what changed.
type AdmissionOutcome uint8

const (
	AdmissionPending   AdmissionOutcome = iota + 1 // for a person to decide
	AdmissionJoined                                // there is a new promoter
	AdmissionRejoined                              // a promoter of old takes part again
	AdmissionActive                                // the promoter took part already: nothing changed for it
	AdmissionUnchanged                             // it was decided so before: nothing changed
	AdmissionRejected                              // a person said no
)

// resubmitSeconds is how long, in seconds, the same form from the same visitor is one that
// was sent twice.
const resubmitSeconds = 15 * 60

// SubmitApplication keeps an application. It is a rejoin when a promoter has its e-mail
// key, and a join otherwise, whatever a says; a's ID, State and what follows it are not
// read. There is at most one waiting application of an e-mail key: a second changes
// nothing, and so does one of somebody who takes part.
//
// With admit nobody has to decide, unless the promoter is blocked or the last decision
// about this key was to reject it.
func (b *Book) SubmitApplication(ctx context.Context, a Application, admit bool) (Admission, error) {
	var done Admission
	err := b.update(ctx, func(tx *sql.Tx) error {
		done = Admission{}
		who, err := findApplicant(ctx, tx, a.Email)
		if err != nil {
			return err
		}
		earlier, err := applications.some(ctx, tx, "WHERE email = ? ORDER BY id DESC", a.Email)
		if err != nil {
			return err
		}
		if who != nil && who.Status == terms.Active {
			done.Outcome, done.Promoter = AdmissionActive, *who.Promoter
			if len(earlier) > 0 && a.isResubmissionOf(&earlier[0]) && earlier[0].PromoterID == who.ID {
				done.Outcome, done.Application = earlier[0].outcome(), earlier[0]
			}
			return nil
		}
		a.Kind = ApplyJoin
		if who != nil {
			a.Kind, done.Promoter = ApplyRejoin, *who.Promoter
		}
		decided := slices.IndexFunc(earlier, func(e Application) bool { return e.State != ApplicationWaiting })
		refused := who != nil && who.Status == terms.Blocked || decided >= 0 && earlier[decided].State == ApplicationRejected
		if i := slices.IndexFunc(earlier, func(e Application) bool { return e.State == ApplicationWaiting }); i >= 0 {
			a = earlier[i]
		} else if err := a.insert(ctx, tx); err != nil {
			return err
		}
		done.Outcome, done.Application = AdmissionPending, a
		if !admit || refused {
			return nil
		}
		done, err = a.approve(ctx, tx, DecidedAutomatically, a.AppliedAt)
		return err
	})
	if err != nil {
		return Admission{}, fmt.Errorf("keeping an application: %w", err)
	}
	return done, nil
}

// isResubmissionOf reports whether a is the form of an approved application once more.
func (a *Application) isResubmissionOf(e *Application) bool {
	return e.State == ApplicationApproved && e.DecidedBy == DecidedAutomatically && a.AppliedAt-e.AppliedAt <= resubmitSeconds &&
		a.Visitor != "" && a.Visitor == e.Visitor && a.Name == e.Name && a.Site == e.Site
}

func (a *Application) outcome() AdmissionOutcome {
	if a.Kind == ApplyRejoin {
		return AdmissionRejoined
	}
	return AdmissionJoined
}

// Approve makes promoters of the applicants, or reactivates those that they were, all in
// one transaction. One that was approved before is Settled; one that was rejected is
// approved now. It fails with [ErrNoApplication], and then nothing changed.
func (b *Book) Approve(ctx context.Context, ids []int64, by string, now int64) ([]Admission, error) {
	return b.decide(ctx, ids, func(tx *sql.Tx, a *Application) (Admission, error) {
		if a.State == ApplicationApproved {
			done := Admission{Outcome: AdmissionUnchanged, Application: *a}
			d, err := readDirectoryOf(ctx, tx, `SELECT ?`, a.PromoterID)
			if err != nil {
				return done, err
			}
			if p := d.ByID(a.PromoterID).Promoter; p != nil {
				done.Promoter = *p.Promoter
			}
			return done, nil
		}
		return a.approve(ctx, tx, by, now)
	})
}

// Reject says no to applications, all in one transaction. It fails with
// [ErrNoApplication] or [ErrAlreadyApproved], and then nothing changed.
func (b *Book) Reject(ctx context.Context, ids []int64, by string, now int64) ([]Admission, error) {
	return b.decide(ctx, ids, func(tx *sql.Tx, a *Application) (Admission, error) {
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

func (b *Book) decide(ctx context.Context, ids []int64, fn func(*sql.Tx, *Application) (Admission, error)) ([]Admission, error) {
	var done []Admission
	err := b.update(ctx, func(tx *sql.Tx) error {
		done = nil
		for _, id := range ids {
			found, err := applications.some(ctx, tx, "WHERE id = ?", id)
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

// Applications lists those that wait for a decision, or all, in the order in which they
// came.
func (b *Book) Applications(ctx context.Context, all bool) ([]Application, error) {
	if all {
		return applications.find(ctx, b, "ORDER BY id")
	}
	return applications.find(ctx, b, "WHERE state = ? ORDER BY id", ApplicationWaiting)
}

// insert keeps a new application, which waits.
func (a *Application) insert(ctx context.Context, tx *sql.Tx) error {
	a.State, a.PromoterID, a.DecidedAt, a.DecidedBy = ApplicationWaiting, 0, 0, ""
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) + 1 FROM application`).Scan(&a.ID); err != nil {
		return err
	}
	return insertRow(ctx, tx, &applications, a)
}

// saveDecision writes what was decided.
func (a *Application) saveDecision(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE application SET kind = ?, state = ?, promoter_id = ?, decided_at = ?, decided_by = ? WHERE id = ?`,
		a.Kind, a.State, a.PromoterID, a.DecidedAt, a.DecidedBy, a.ID)
	return err
}

// approve makes the applicant an active promoter.
func (a *Application) approve(ctx context.Context, tx *sql.Tx, by string, now int64) (Admission, error) {
	done := Admission{Outcome: AdmissionActive}
	who, err := findApplicant(ctx, tx, a.Email)
	switch {
	case err != nil:
		return done, err
	case who == nil:
		a.Kind, done.Outcome = ApplyJoin, AdmissionJoined
		p, err := a.createPromoter(ctx, tx, now)
		if err != nil {
			return done, err
		}
		who = &DirectoryPromoter{Promoter: p, Status: terms.Active}
	case who.Status != terms.Active:
		a.Kind, done.Outcome = ApplyRejoin, AdmissionRejoined
		back := []Setting{{PromoterID: who.ID, Field: SettingStatus, Value: string(terms.Active), From: now, RecordedAt: now, RecordedBy: by}}
		if err := recordSettings(ctx, tx, back); err != nil {
			return done, err
		}
	}
	a.State, a.PromoterID, a.DecidedAt, a.DecidedBy = ApplicationApproved, who.ID, now, by
	done.Application, done.Promoter = *a, *who.Promoter
	return done, a.saveDecision(ctx, tx)
}

// createPromoter makes a promoter whom Keap never knew. Ids of Keap are above 0, so its own is
// below; the alias is how a later run finds it by its address.
func (a *Application) createPromoter(ctx context.Context, tx *sql.Tx, now int64) (*Promoter, error) {
	p := &Promoter{Email: a.Email, Name: a.Name, Status: StatusActive, JoinedAt: now}
	if err := tx.QueryRowContext(ctx, `SELECT min(coalesce(min(id), 0), 0) - 1 FROM promoter`).Scan(&p.ID); err != nil {
		return nil, err
	}
	p.KeapID = p.ID
	var err error
	if p.Token, err = freeToken(ctx, tx, preferredToken(a.Name, a.Site)); err != nil {
		return nil, err
	}
	if err := insertRow(ctx, tx, &promoters, p); err != nil {
		return nil, err
	}
	return p, insertRow(ctx, tx, &aliases, &Alias{Kind: AliasKeapID, Value: strconv.FormatInt(p.ID, 10), PromoterID: p.ID, Email: a.Email, Active: true})
}

// insertRow writes one new row.
func insertRow[T any](ctx context.Context, tx *sql.Tx, t *table[T], row *T) error {
	var r record
	t.record(row, &r)
	if _, err := tx.ExecContext(ctx, t.insertText(1), r.cells...); err != nil {
		return fmt.Errorf("writing %s %s: %w", t.name, t.keyText(row), err)
	}
	return nil
}

// findApplicant is the promoter who has an e-mail key; nil: nobody has.
func findApplicant(ctx context.Context, tx *sql.Tx, key string) (*DirectoryPromoter, error) {
	d, err := readDirectoryOf(ctx, tx, `SELECT id FROM promoter WHERE email = ?1
		UNION SELECT promoter_id FROM promoter_alias WHERE kind = 'keap_id' AND email = ?1 AND promoter_id != 0`, key)
	if err != nil {
		return nil, err
	}
	return d.ByEmail(key).Promoter, nil
}
