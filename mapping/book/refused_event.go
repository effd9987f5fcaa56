package book

import (
	"context"
	"database/sql"
	"fmt"
)

// RefusedEvent is a call of the tracking API that was not booked. It holds no key, no network
// address and no field that the API does not know.
type RefusedEvent struct {
	ID         int64
	Digest     string // of what was told: what comes again is the same
	At         int64  // when it was told first, Unix seconds
	LastAt     int64  // and last
	Times      int64
	Status     int64  // of the answer
	Reason     string // in words
	Caller     string // fingerprint of the key; empty: not known
	Path       string
	Kind       string // one of the Event constants; empty: it is none
	ExternalID string // the billing system's
	Email      string // an e-mail key
	UID        string
	Body       string // the fields that the API knows, as JSON, or the beginning of what is no call
	Whole      bool   // Body is all that is needed to tell it again
	Visitor    string // keyed hash of the customer's address
	Evidence   string // JSON of [Evidence]; empty: it named nobody
	Waits      bool   // it is nobody's customer's yet, and booked once it is somebody's
	State      string // RefusedOpen, RefusedBooked or RefusedDone
	SettledAt  int64
	nth, total int64 // rows and bytes of the caller's, this one and all former
}

// States of a [RefusedEvent].
const (
	RefusedOpen   = "open"
	RefusedBooked = "booked" // told again, by a person or once its customer was known
	RefusedDone   = "done"   // it turned out to be booked already
	RefusedPast   = "past"   // too old to be told again; kept because it named somebody
)

// Bounds of what is kept of the refused events of one caller; beyond them its oldest go. A flood of
// one pushes out nothing of another's.
const (
	maxRefusedRows  = 100_000
	maxRefusedBytes = 64 << 20
)

const refusedColumns = "id, digest, at, last_at, times, status, reason, caller, path, kind, external_id, email, uid, body, whole, " +
	"visitor, evidence, waits, state, settled_at, nth, total"

var refusedEvents = table[RefusedEvent]{
	name:    "refused_event",
	columns: refusedColumns,
	key:     1,
	record:  (*RefusedEvent).record,
}

func (e *RefusedEvent) record(r *record) {
	r.int(&e.ID)
	r.text(&e.Digest)
	r.int(&e.At)
	r.int(&e.LastAt)
	r.int(&e.Times)
	r.int(&e.Status)
	r.text(&e.Reason)
	r.word(&e.Caller)
	r.word(&e.Path)
	r.word(&e.Kind)
	r.text(&e.ExternalID)
	r.text(&e.Email)
	r.text(&e.UID)
	r.text(&e.Body)
	r.bool(&e.Whole)
	r.text(&e.Visitor)
	r.text(&e.Evidence)
	r.bool(&e.Waits)
	r.word(&e.State)
	r.int(&e.SettledAt)
	r.int(&e.nth)
	r.int(&e.total)
}

// AddRefused keeps a refused event, and returns how many open ones had to go for it. One that was
// told before, in the same words, is counted there, and is open again unless it was booked.
func (t *Tracking) AddRefused(e *RefusedEvent) (dropped int, err error) {
	const rowBytes = 200 // beside its texts, about
	bytes := rowBytes + 2*len(e.Digest) + len(e.Reason) + len(e.Path) + len(e.Body) + len(e.Evidence) + len(e.Visitor) +
		2*(len(e.ExternalID)+len(e.Email)+len(e.UID))
	var r record
	refusedEvents.record(e, &r)
	cells := append(r.cells[1:len(r.cells)-2:len(r.cells)-2], bytes, e.Caller)
	var times int64
	if err := t.tx.Stmt(t.stmts.addRefused).QueryRow(cells...).Scan(&e.ID, &e.nth, &e.total, &times); err != nil {
		return 0, fmt.Errorf("keeping a refused event: %w", err)
	}
	if e.Waits {
		t.cache.waiting = nil
	}
	if times > 1 {
		return 0, nil
	}
	return t.dropRefused(e.Caller, e.nth-t.cache.refusedRows, e.total-t.cache.refusedBytes)
}

// dropRefused lets the oldest refused events of a caller go that are beyond the bounds, a few at a
// time.
func (t *Tracking) dropRefused(caller string, lastNth, lastTotal int64) (dropped int, err error) {
	const most = 8 // one comes in at a time
	for range most {
		if lastNth <= 0 && lastTotal <= 0 { // even the first one is within the bounds
			return dropped, nil
		}
		var id, nth, total int64
		var state string
		err := t.tx.Stmt(t.stmts.firstRefused).QueryRow(caller).Scan(&id, &nth, &total, &state)
		if err != nil || nth > lastNth && total > lastTotal {
			return dropped, err
		}
		if _, err := t.tx.Stmt(t.stmts.deleteRefused).Exec(id); err != nil {
			return dropped, err
		}
		if state == RefusedOpen {
			dropped++
		}
	}
	return dropped, nil
}

// Refused returns a refused event; ok is false when there is none.
func (t *Tracking) Refused(id int64) (RefusedEvent, bool, error) {
	return queryOne(t, &refusedEvents, t.stmts.refusedByID, id)
}

// HasWaitingRefused reports whether any refused event may wait for a customer.
func (t *Tracking) HasWaitingRefused() (bool, error) {
	if t.cache.waiting == nil {
		yes, err := t.exists(t.stmts.hasWaiting)
		if err != nil {
			return false, err
		}
		t.cache.waiting = &yes
	}
	return *t.cache.waiting, nil
}

// HasWaitingRefund reports whether a refused refund waits for a sale of the customer with an e-mail
// key or a uid.
func (t *Tracking) HasWaitingRefund(email, uid string) (bool, error) {
	return t.exists(t.stmts.hasWaitingRefund, email, uid)
}

// WaitingRefused lists the open refused events that wait for a customer with one of two e-mail
// keys, or a uid: at most 1,000, the oldest first.
func (t *Tracking) WaitingRefused(email, other, uid string) ([]RefusedEvent, error) {
	return queryAll(t, &refusedEvents, t.stmts.waitingRefused, email, other, uid)
}

// SettleRefused notes that a refused event was told again, and what became of it: RefusedBooked,
// RefusedDone, or RefusedOpen with a new reason.
func (t *Tracking) SettleRefused(e *RefusedEvent) error {
	t.cache.waiting = nil
	_, err := t.tx.Stmt(t.stmts.settleRefused).Exec(e.State, e.SettledAt, e.Status, e.Reason, e.Waits, e.Evidence, e.ID)
	return err
}

// IsUnattributed reports whether an event was told and credited to nobody so far.
func (t *Tracking) IsUnattributed(kind, eventID string) (bool, error) {
	return t.exists(t.stmts.isUnattributed, kind, eventID)
}

// BoundRefused bounds what is kept of the refused events of each caller: by rows, and by about as
// many bytes.
func (b *Book) BoundRefused(rows, bytes int64) {
	b.tracker.mu.Lock()
	defer b.tracker.mu.Unlock()
	b.tracker.refusedRows, b.tracker.refusedBytes = rows, bytes
}

// RefusedEvents lists the refused events, the oldest first: those that are open and not booked
// meanwhile, or all.
func (b *Book) RefusedEvents(ctx context.Context, all bool) ([]RefusedEvent, error) {
	if all {
		return refusedEvents.find(ctx, b, "ORDER BY id")
	}
	return refusedEvents.find(ctx, b, `WHERE state = 'open' AND NOT (external_id != '' AND EXISTS (SELECT 1 FROM event e
		WHERE e.kind = refused_event.kind AND e.external_id = refused_event.external_id AND e.external_id != '')) ORDER BY id`)
}

// RefusedOf lists the refused events of a customer, by e-mail key or uid, that credited nobody,
// however old.
func (b *Book) RefusedOf(ctx context.Context, email, uid string) ([]RefusedEvent, error) {
	return refusedEvents.find(ctx, b, `WHERE state IN ('open', 'past') AND status IN (204, 404) AND kind != ''
		AND ((email = ? AND email != '') OR (uid = ? AND uid != '')) ORDER BY at, id`, email, uid)
}

// ForgetRefused lets the refused events go that were told last before an instant, Unix seconds,
// some at a time; n is how many. Those that named somebody stay as evidence, and wait no more.
func (b *Book) ForgetRefused(before int64) (n int64, err error) {
	err = b.Track(func(t *Tracking) error {
		t.cache.waiting = nil
		for _, stmt := range []*sql.Stmt{t.stmts.retireRefused, t.stmts.forgetRefused} {
			res, err := t.tx.Stmt(stmt).Exec(before)
			if err != nil {
				return err
			}
			rows, err := res.RowsAffected()
			if n += rows; err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}
