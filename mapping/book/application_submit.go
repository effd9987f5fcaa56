package book

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/text/unicode/norm"

	"carryover/mapping/terms"
)

// JoinRules say which applications are approved without a person, and how many are stored.
type JoinRules struct {
	// Auto approves who is new: an address that the book does not know, with a name that makes a
	// free ref token which is taken for nobody else's. False: a person decides about each.
	Auto bool

	// Reserved are names and addresses about which a person decides.
	Reserved *terms.ReservedNames

	// MaxPerHour bounds how many are approved without a person in an hour; more wait for one.
	// 0: no bound.
	MaxPerHour int

	// Crowded says that enough are approved without a person where this one comes from.
	Crowded bool

	// MaxWaiting bounds how many applications wait; more are not stored. 0: no bound.
	MaxWaiting int
}

// Why a person decides about an application: the beginning of [Application.Reason]. Behind a
// blank stands the name that was found, where there is one.
const (
	HoldManual    = "manual"          // a person decides about everybody
	HoldActive    = "takes_part"      // the address is an active promoter's
	HoldInactive  = "rejoin"          // … an inactive one's
	HoldBlocked   = "blocked"         // … a blocked one's
	HoldRejected  = "rejected_before" // a person rejected this address before
	HoldMailbox   = "same_mailbox"    // mail to the address arrives at a promoter's
	HoldAddress   = "program_address" // the address is of a domain of the program's
	HoldAlphabets = "mixed_alphabets" // a word has letters of two alphabets that look alike, or other forms of letters
	HoldReserved  = "reserved"        // the name is taken for a reserved one
	HoldDomain    = "domain"          // the ref token would be read as a host, or the name holds one
	HoldTaken     = "taken"           // the ref token, or the code, is somebody's
	HoldLookAlike = "look_alike"      // the name is taken for that of a promoter
	HoldNoToken   = "no_token"        // the name makes no ref token
	HoldMany      = "many"            // many joined within the hour, or from one network
)

// resubmitSeconds is how long the same form from the same visitor counts as sent twice.
const resubmitSeconds = 15 * 60

// SubmitApplication stores an application. It is a rejoin when a promoter has its e-mail key,
// and a join otherwise; a's Kind, ID, Reason, State and the fields after it are ignored. An
// e-mail key has at most one waiting application: a second one changes nothing.
//
// What the rules do not approve waits, with the reason. Whatever it says about an address,
// [Admission.Offered] does not tell.
func (b *Book) SubmitApplication(ctx context.Context, a Application, rules JoinRules) (Admission, error) {
	if err := b.refreshNames(ctx); err != nil { // what takes long is done while others may write
		return Admission{}, fmt.Errorf("storing an application: %w", err)
	}
	var done Admission
	err := b.write(ctx, func(tx *chained) (err error) {
		done, err = b.submit(ctx, tx, a, &rules)
		return err
	})
	if err != nil {
		return Admission{}, fmt.Errorf("storing an application: %w", err)
	}
	return done, nil
}

func (b *Book) submit(ctx context.Context, tx *chained, a Application, rules *JoinRules) (done Admission, err error) {
	if err := b.names.refresh(ctx, tx.Tx, true); err != nil {
		return done, err
	}
	var promoter *DirectoryPromoter
	if _, known := b.names.byMailbox(a.Email); known { // else it is nobody's, and need not be looked for in all rows
		if promoter, err = findApplicant(ctx, tx.Tx, a.Email); err != nil {
			return done, err
		}
	}
	earlier, err := applications.some(ctx, tx.Tx, "WHERE email = ? ORDER BY id DESC", a.Email)
	if err != nil {
		return done, err
	}
	a.Kind = ApplyJoin
	if promoter != nil {
		a.Kind, done.Promoter = ApplyRejoin, *promoter.Promoter
		i := slices.IndexFunc(earlier, func(e Application) bool { return e.PromoterID == promoter.ID && a.isResubmissionOf(&e) })
		if rules.Auto && i >= 0 {
			done.Outcome, done.Application, done.Offered = AdmissionJoined, earlier[i], promoter.Token
			return done, nil
		}
	}
	full, busy, err := a.countOthers(ctx, tx, rules)
	if err != nil || full { // before anything that depends on the address
		return Admission{Outcome: AdmissionFull}, err
	}
	token, aboutName := b.judgeName(a.Name, rules.Reserved)
	if rules.Auto && aboutName == "" {
		done.Offered = token
	}
	done.Outcome = AdmissionPending
	if i := slices.IndexFunc(earlier, func(e Application) bool { return e.State == ApplicationWaiting }); i >= 0 {
		done.Application = earlier[i]
		return done, nil
	}
	if a.Reason = b.judgeAddress(&a, promoter, earlier, rules.Reserved); a.Reason == "" {
		a.Reason = aboutName
	}
	switch {
	case a.Reason != "":
	case !rules.Auto:
		a.Reason = HoldManual
	case busy || rules.Crowded:
		a.Reason = HoldMany
	}
	if err := a.insert(ctx, tx); err != nil {
		return done, err
	}
	if done.Application = a; a.Reason != "" {
		return done, nil
	}
	offered := done.Offered
	done, err = a.approve(ctx, tx, promoter, token, DecidedAutomatically, a.AppliedAt)
	done.Offered = offered
	return done, err
}

// isResubmissionOf reports whether a is the form of the approved application e once more.
func (a *Application) isResubmissionOf(e *Application) bool {
	return e.State == ApplicationApproved && e.DecidedBy == DecidedAutomatically && a.AppliedAt-e.AppliedAt <= resubmitSeconds &&
		a.Visitor != "" && a.Visitor == e.Visitor && a.Name == e.Name && a.Site == e.Site
}

// judgeAddress says why a person decides about an address; empty: it is new.
func (b *Book) judgeAddress(a *Application, promoter *DirectoryPromoter, earlier []Application, reserved *terms.ReservedNames) string {
	if promoter != nil {
		switch promoter.Status {
		case terms.Active:
			return HoldActive
		case terms.Blocked:
			return HoldBlocked
		}
		return HoldInactive
	}
	decided := slices.IndexFunc(earlier, func(e Application) bool { return e.State != ApplicationWaiting })
	if decided >= 0 && earlier[decided].State == ApplicationRejected {
		return HoldRejected
	}
	if domain, ok := reserved.MatchAddress(a.Email); ok {
		return HoldAddress + " " + domain
	}
	if terms.MixesAlphabets(a.Email) || norm.NFKC.String(a.Email) != a.Email {
		return HoldAlphabets
	}
	if token, ok := b.names.byMailbox(a.Email); ok {
		return HoldMailbox + " " + cmp.Or(token, "the program's own partner")
	}
	return ""
}

// countOthers reports whether too many applications wait for one more to be stored, and whether
// as many as the rules allow were approved without a person within the hour.
func (a *Application) countOthers(ctx context.Context, tx *chained, rules *JoinRules) (full, busy bool, err error) {
	var waiting, lately int
	if err = tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM application WHERE state = 'waiting'),
		(SELECT count(*) FROM application WHERE decided_at > ? AND decided_by = ?)`,
		a.AppliedAt-3600, DecidedAutomatically).Scan(&waiting, &lately); err != nil {
		return false, false, err
	}
	return rules.MaxWaiting > 0 && waiting >= rules.MaxWaiting, rules.MaxPerHour > 0 && lately >= rules.MaxPerHour, nil
}
