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
	columns: "id, kind, name, email, site, terms, applied_at, visitor, state, promoter_id, decided_at, decided_by",
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
	Application Application // as the book has it; ID 0: it was not stored
	Promoter    Promoter    // ID 0: there is none yet
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
)

// resubmitSeconds is how long the same form from the same visitor counts as sent twice.
const resubmitSeconds = 15 * 60

// SubmitApplication stores an application. It is a rejoin when a promoter has its e-mail key,
// and a join otherwise; a's Kind, ID, State and the fields after it are ignored. An e-mail key
// has at most one waiting application: a second one changes nothing, and neither does one of an
// active promoter.
//
// With admit it is approved at once, unless the promoter is blocked or the last decision on this
// key was to reject it.
func (b *Book) SubmitApplication(ctx context.Context, a Application, admit bool) (Admission, error) {
	var done Admission
	err := b.write(ctx, func(tx *chained) error {
		done = Admission{}
		promoter, err := findApplicant(ctx, tx.Tx, a.Email)
		if err != nil {
			return err
		}
		earlier, err := applications.some(ctx, tx.Tx, "WHERE email = ? ORDER BY id DESC", a.Email)
		if err != nil {
			return err
		}
		if promoter != nil && promoter.Status == terms.Active {
			done.Outcome, done.Promoter = AdmissionActive, *promoter.Promoter
			if len(earlier) > 0 && a.isResubmissionOf(&earlier[0]) && earlier[0].PromoterID == promoter.ID {
				done.Outcome, done.Application = earlier[0].outcome(), earlier[0]
			}
			return nil
		}
		a.Kind = ApplyJoin
		if promoter != nil {
			a.Kind, done.Promoter = ApplyRejoin, *promoter.Promoter
		}
		decided := slices.IndexFunc(earlier, func(e Application) bool { return e.State != ApplicationWaiting })
		denied := promoter != nil && promoter.Status == terms.Blocked || decided >= 0 && earlier[decided].State == ApplicationRejected
		if i := slices.IndexFunc(earlier, func(e Application) bool { return e.State == ApplicationWaiting }); i >= 0 {
			a = earlier[i]
		} else if err := a.insert(ctx, tx); err != nil {
			return err
		}
		done.Outcome, done.Application = AdmissionPending, a
		if !admit || denied {
			return nil
		}
		done, err = a.approve(ctx, tx, DecidedAutomatically, a.AppliedAt)
		return err
	})
	if err != nil {
		return Admission{}, fmt.Errorf("storing an application: %w", err)
	}
	return done, nil
}

// isResubmissionOf reports whether a is the form of the approved application e once more.
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

// Approve makes the applicants active promoters, all in one transaction. An application that was
// approved before is unchanged; one that was rejected is approved now. It fails with
// [ErrNoApplication], and then nothing changed.
func (b *Book) Approve(ctx context.Context, ids []int64, by string, now int64) ([]Admission, error) {
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
		return a.approve(ctx, tx, by, now)
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

// approve makes the applicant an active promoter.
func (a *Application) approve(ctx context.Context, tx *chained, by string, now int64) (Admission, error) {
	done := Admission{Outcome: AdmissionActive}
	promoter, err := findApplicant(ctx, tx.Tx, a.Email)
	switch {
	case err != nil:
		return done, err
	case promoter == nil:
		a.Kind, done.Outcome = ApplyJoin, AdmissionJoined
		p, err := a.createPromoter(ctx, tx, now)
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
func (a *Application) createPromoter(ctx context.Context, tx *chained, now int64) (*Promoter, error) {
	p := &Promoter{Email: a.Email, Name: a.Name, Status: StatusActive, JoinedAt: now}
	if err := tx.QueryRowContext(ctx, `SELECT min(coalesce(min(id), 0), 0) - 1 FROM promoter`).Scan(&p.ID); err != nil {
		return nil, err
	}
	p.KeapID = p.ID
	var err error
	if p.Token, err = freeToken(ctx, tx.Tx, preferredToken(a.Name, a.Site)); err != nil {
		return nil, err
	}
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
