package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// Tracking is one write transaction in which events are booked. For one goroutine, inside
// the function that [Book.Track] was given.
type Tracking struct {
	tx        *sql.Tx
	stmts     *trackingStmts
	directory *Directory
	kept      *tracker

	nextCustomer, nextEvent, nextLine int64 // ids; 0: not asked for yet
}

// trackingStmts are prepared once for the book's one writing connection.
type trackingStmts struct {
	version, stamp, maxCustomer, maxEvent, maxLine         *sql.Stmt
	byEmail, byUID, carried, history, told, hasKind        *sql.Stmt
	addCustomer, nameCustomer, bindCustomer                *sql.Stmt
	addEvent, addLine, addReview, addOutbox                *sql.Stmt
	linesOfEvent, linesOf, linesOfCustomer, sales, cleared *sql.Stmt
	eventByID, refunded, sharing, applied, lastKind        *sql.Stmt
	lineByID, hasReason, decided, addDecision              *sql.Stmt
	unmatched, match, earnedAtKeap                         *sql.Stmt
	addUnreferred, wasUnreferred                           *sql.Stmt
}

// tracker is what is kept between transactions. Nobody but a tracker writes customers, and
// referrals are written by runs alone: what was read of them holds until the model changes.
type tracker struct {
	mu        sync.Mutex
	stmts     *trackingStmts
	directory *Directory
	byEmail   map[string]found[Customer]
	byUID     map[string]found[Customer]
	carried   map[string]found[Referral]
	version   int64          // of the file, when they were read
	stamp     directoryStamp // when the directory was
}

// directoryStamp is what all that changes promoters, their aliases or details leaves behind: runs
// (applied, and undone), details, and those who join, whose ids descend.
type directoryStamp struct{ run, undone, detail, newcomer int64 }

// found is a row, or that there is none.
type found[T any] struct {
	row T
	ok  bool
}

// maxKept bounds each of the rows that are kept.
const maxKept = 50_000

func (k *tracker) forget() {
	k.byEmail, k.byUID, k.carried = map[string]found[Customer]{}, map[string]found[Customer]{}, map[string]found[Referral]{}
}

// keptOr gives what is kept under a key, or what read finds.
func keptOr[T any](kept map[string]found[T], key string, read func() (T, bool, error)) (T, bool, error) {
	if f, ok := kept[key]; ok {
		return f.row, f.ok, nil
	}
	row, ok, err := read()
	if err == nil {
		if len(kept) >= maxKept {
			clear(kept)
		}
		kept[key] = found[T]{row, ok}
	}
	return row, ok, err
}

func (b *Book) prepareTracking() (s *trackingStmts, err error) {
	s = &trackingStmts{}
	var errs []error
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&s.version, `PRAGMA data_version`},
		{&s.stamp, `SELECT (SELECT coalesce(max(id), 0) FROM import), (SELECT count(rolled_back_at) FROM import),
			(SELECT coalesce(max(id), 0) FROM promoter_setting), (SELECT coalesce(min(id), 0) FROM promoter)`},
		{&s.maxCustomer, `SELECT coalesce(max(id), 0) FROM customer`},
		{&s.maxEvent, `SELECT coalesce(max(id), 0) FROM event`},
		{&s.maxLine, `SELECT coalesce(max(id), 0) FROM event_line`},
		{&s.byEmail, customers.selectText(`WHERE email = ? AND email != ''`)},
		{&s.byUID, customers.selectText(`WHERE uid = ? AND uid != ''`)},
		{&s.carried, referrals.selectText(`WHERE customer = ?`)},
		{&s.history, referralRows.selectText(`WHERE contact_id IN (SELECT id FROM contact WHERE email = ?) ORDER BY set_at DESC, id DESC`)},
		{&s.told, events.selectText(`WHERE kind = ? AND external_id = ? AND external_id != ''`)},
		{&s.hasKind, `SELECT EXISTS (SELECT 1 FROM event WHERE customer_id = ? AND kind = ?)`},
		{&s.addCustomer, customers.insertText(1)},
		{&s.nameCustomer, `UPDATE customer SET email = ?, uid = ? WHERE id = ?`},
		{&s.bindCustomer, `UPDATE customer SET promoter_id = ?, bound_at = ?, clicked_at = ?, suspicion = ?, visitor = ? WHERE id = ?`},
		{&s.addEvent, events.insertText(1)},
		{&s.addLine, lines.insertText(1)},
		{&s.addReview, `INSERT INTO review (line_id, reason, detail, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`},
		{&s.addOutbox, `INSERT INTO outbox (event_id, customer_id, state, tries, next_at, body, status, answer, done_at) VALUES (?, ?, 'waiting', 0, ?, ?, 0, '', 0)`},
		{&s.linesOfEvent, lines.selectText(`WHERE event_id = ? ORDER BY id`)},
		{&s.linesOf, lines.selectText(`WHERE reverses_line_id = ? AND reverses_line_id != 0 ORDER BY id`)},
		{&s.linesOfCustomer, lines.selectText(`WHERE event_id IN (SELECT id FROM event WHERE customer_id = ? AND kind = 'sale') ORDER BY id`)},
		{&s.sales, events.selectText(`WHERE customer_id = ? AND kind = 'sale' ORDER BY at DESC, id DESC LIMIT 500`)},
		{&s.cleared, `SELECT EXISTS (SELECT 1 FROM event_line l JOIN review r ON r.line_id = l.id JOIN review_decision d ON d.line_id = l.id
			WHERE l.event_id IN (SELECT id FROM event WHERE customer_id = ? AND kind = 'sale') AND r.reason = ? AND d.decision = 'accept')`},
		{&s.eventByID, events.selectText(`WHERE id = ?`)},
		{&s.refunded, `SELECT coalesce(sum(amount), 0) FROM event WHERE customer_id = ? AND kind = 'refund' AND sale_event_id = ? AND currency = ?`},
		{&s.sharing, `SELECT count(*) FROM customer WHERE promoter_id = ? AND visitor = ? AND visitor != ''`},
		{&s.applied, `SELECT EXISTS (SELECT 1 FROM application WHERE visitor = ? AND visitor != '' AND promoter_id = ?)`},
		{&s.lineByID, lines.selectText(`WHERE id = ?`)},
		{&s.hasReason, `SELECT EXISTS (SELECT 1 FROM review WHERE line_id = ?)`},
		{&s.decided, `SELECT decision FROM review_decision WHERE line_id = ?`},
		{&s.addDecision, `INSERT INTO review_decision (line_id, decision, note, decided_at, decided_by) VALUES (?, ?, ?, ?, ?)`},
		{&s.unmatched, events.selectText(`WHERE customer_id = ? AND kind = 'refund' AND sale_event_id = 0 ORDER BY id`)},
		{&s.match, `UPDATE event SET sale_event_id = ? WHERE id = ? AND sale_event_id = 0`},
		{&s.earnedAtKeap, `SELECT product, sum(amount) FROM commission WHERE contact_id IN (SELECT id FROM contact WHERE email = ? AND email != '')
			AND kind IN ('commission', 'clawback') GROUP BY product HAVING sum(amount) > 0`},
		{&s.wasUnreferred, `SELECT EXISTS (SELECT 1 FROM unattributed_event WHERE kind = ? AND external_id = ?)`},
		{&s.addUnreferred, `INSERT INTO unattributed_event (kind, external_id, email, uid, at, received_at, evidence) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`},
		{&s.lastKind, events.selectText(`WHERE customer_id = ? ORDER BY id DESC LIMIT 1`)},
	} {
		*p.to, err = b.w.Prepare(p.text)
		errs = append(errs, err)
	}
	return s, errors.Join(errs...)
}

// Track runs fn in one write transaction: all that it books is there when Track returns
// nil, and nothing of it otherwise. It waits for another writer, at most as long as the
// book's other writers do.
func (b *Book) Track(fn func(*Tracking) error) error {
	b.tracker.mu.Lock()
	defer b.tracker.mu.Unlock()
	if b.tracker.stmts == nil {
		s, err := b.prepareTracking()
		if err != nil {
			return fmt.Errorf("preparing to track: %w", err)
		}
		b.tracker.stmts = s
	}
	// Without a context: the driver would start a goroutine for each statement.
	tx, err := b.w.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	t := &Tracking{tx: tx, stmts: b.tracker.stmts}
	if err := b.tracker.refresh(tx); err != nil {
		return err
	}
	t.directory, t.kept = b.tracker.directory, &b.tracker
	if err = fn(t); err == nil {
		err = tx.Commit()
	}
	if err != nil {
		b.tracker.forget()
	}
	return err
}

// refresh drops what is kept and no longer holds: rows once another process has written, the
// directory once promoters changed, whoever changed them.
func (k *tracker) refresh(tx *sql.Tx) error {
	var version int64
	var now directoryStamp
	if err := tx.Stmt(k.stmts.version).QueryRow().Scan(&version); err != nil {
		return err
	}
	if err := tx.Stmt(k.stmts.stamp).QueryRow().Scan(&now.run, &now.undone, &now.detail, &now.newcomer); err != nil {
		return err
	}
	stands := k.directory != nil && now == k.stamp
	if stands && version == k.version {
		return nil
	}
	k.forget()
	if !stands {
		d, err := readDirectory(context.Background(), tx)
		if err != nil {
			return err
		}
		k.directory = d
	}
	k.version, k.stamp = version, now
	return nil
}

// Directory is the promoters as they stand.
func (t *Tracking) Directory() *Directory { return t.directory }

// first reads one row with a statement of table tb.
func first[T any](t *Tracking, tb *table[T], stmt *sql.Stmt, args ...any) (row T, ok bool, err error) {
	switch err = tb.scanner().scan(t.tx.Stmt(stmt).QueryRow(args...), &row); {
	case err == nil:
		return row, true, nil
	case errors.Is(err, sql.ErrNoRows):
		return row, false, nil
	}
	return row, false, fmt.Errorf("reading %s: %w", tb.name, err)
}

func all[T any](t *Tracking, tb *table[T], stmt *sql.Stmt, args ...any) (list []T, err error) {
	rows, err := t.tx.Stmt(stmt).Query(args...)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", tb.name, err)
	}
	err = tb.drain(rows, func(row T) error {
		list = append(list, row)
		return nil
	})
	return list, err
}

func (t *Tracking) exists(stmt *sql.Stmt, args ...any) (yes bool, err error) {
	err = t.tx.Stmt(stmt).QueryRow(args...).Scan(&yes)
	return yes, err
}

// next gives the id of the next row of a table.
func (t *Tracking) next(kept *int64, stmt *sql.Stmt) (int64, error) {
	if *kept == 0 {
		if err := t.tx.Stmt(stmt).QueryRow().Scan(kept); err != nil {
			return 0, err
		}
	}
	*kept++
	return *kept, nil
}

func insert[T any](t *Tracking, tb *table[T], stmt *sql.Stmt, row *T) error {
	var r record
	tb.record(row, &r)
	if _, err := t.tx.Stmt(stmt).Exec(r.cells...); err != nil {
		return fmt.Errorf("writing %s: %w", tb.name, err)
	}
	return nil
}

// CustomerByEmail finds a customer by its e-mail key.
func (t *Tracking) CustomerByEmail(key string) (Customer, bool, error) {
	return keptOr(t.kept.byEmail, key, func() (Customer, bool, error) { return first(t, &customers, t.stmts.byEmail, key) })
}

// CustomerByUID finds a customer by the billing system's id.
func (t *Tracking) CustomerByUID(uid string) (Customer, bool, error) {
	return keptOr(t.kept.byUID, uid, func() (Customer, bool, error) { return first(t, &customers, t.stmts.byUID, uid) })
}

// AddCustomer books a customer and gives it its id.
func (t *Tracking) AddCustomer(c *Customer) (err error) {
	if c.ID, err = t.next(&t.nextCustomer, t.stmts.maxCustomer); err != nil {
		return err
	}
	t.wrote(c)
	return insert(t, &customers, t.stmts.addCustomer, c)
}

// wrote forgets what was kept of a customer that is being written.
func (t *Tracking) wrote(c *Customer) {
	delete(t.kept.byEmail, c.Email)
	delete(t.kept.byUID, c.UID)
}

// NameCustomer fills in an e-mail key or uid that was not known.
func (t *Tracking) NameCustomer(c *Customer) error {
	t.wrote(c)
	_, err := t.tx.Stmt(t.stmts.nameCustomer).Exec(c.Email, c.UID, c.ID)
	return err
}

// BindCustomer gives a customer that nobody had to a promoter, for life.
func (t *Tracking) BindCustomer(c *Customer) error {
	t.wrote(c)
	_, err := t.tx.Stmt(t.stmts.bindCustomer).Exec(c.PromoterID, c.BoundAt, c.ClickedAt, c.Suspicion, c.Visitor, c.ID)
	return err
}

// Carried is the customer as it was carried over from Keap; ok is false when it was not.
func (t *Tracking) Carried(key string) (Referral, bool, error) {
	return keptOr(t.kept.carried, key, func() (Referral, bool, error) { return first(t, &referrals, t.stmts.carried, key) })
}

// History lists the referrals that Keap had of an e-mail key, the newest first.
func (t *Tracking) History(key string) ([]ReferralRow, error) {
	return all(t, &referralRows, t.stmts.history, key)
}

// EventByExternalID finds an event by the billing system's id.
func (t *Tracking) EventByExternalID(kind, eventID string) (Event, bool, error) {
	return first(t, &events, t.stmts.told, kind, eventID)
}

// Event finds an event by its own id.
func (t *Tracking) Event(id int64) (Event, bool, error) {
	return first(t, &events, t.stmts.eventByID, id)
}

// Has says whether a customer has an event of a kind.
func (t *Tracking) Has(customer int64, kind string) (bool, error) {
	return t.exists(t.stmts.hasKind, customer, kind)
}

// Sales lists a customer's sales, the newest first: of a customer that many people share
// the newest 500.
func (t *Tracking) Sales(customer int64) ([]Event, error) {
	return all(t, &events, t.stmts.sales, customer)
}

// Lines lists what an event did.
func (t *Tracking) Lines(event int64) ([]EventLine, error) {
	return all(t, &lines, t.stmts.linesOfEvent, event)
}

// TakenFrom lists what took back from a line.
func (t *Tracking) TakenFrom(line int64) ([]EventLine, error) {
	return all(t, &lines, t.stmts.linesOf, line)
}

// LinesOfCustomer lists what a customer's sales did.
func (t *Tracking) LinesOfCustomer(customer int64) ([]EventLine, error) {
	return all(t, &lines, t.stmts.linesOfCustomer, customer)
}

// Cleared says whether a person has looked at a reason for this customer's commissions
// before, and accepted it.
func (t *Tracking) Cleared(customer int64, reason string) (bool, error) {
	return t.exists(t.stmts.cleared, customer, reason)
}

// LastEvent is what was booked last of a customer.
func (t *Tracking) LastEvent(customer int64) (Event, bool, error) {
	return first(t, &events, t.stmts.lastKind, customer)
}

// Refunded is what refunds in a currency came to, of one sale of a customer.
func (t *Tracking) Refunded(customer, sale int64, currency string) (amount int64, err error) {
	err = t.tx.Stmt(t.stmts.refunded).QueryRow(customer, sale, currency).Scan(&amount)
	return amount, err
}

// Sharing counts the customers of a promoter that were bound from one address, a keyed hash.
func (t *Tracking) Sharing(promoter int64, visitor string) (n int, err error) {
	err = t.tx.Stmt(t.stmts.sharing).QueryRow(promoter, visitor).Scan(&n)
	return n, err
}

// AppliedFrom says whether a promoter applied from an address, a keyed hash.
func (t *Tracking) AppliedFrom(promoter int64, visitor string) (bool, error) {
	return t.exists(t.stmts.applied, visitor, promoter)
}

// AddEvent books an event and what it does, and gives all of them their ids.
func (t *Tracking) AddEvent(e *Event, does []EventLine) (err error) {
	if e.ID, err = t.next(&t.nextEvent, t.stmts.maxEvent); err != nil {
		return err
	}
	if err := insert(t, &events, t.stmts.addEvent, e); err != nil {
		return err
	}
	return t.addLines(e.ID, does)
}

func (t *Tracking) addLines(event int64, does []EventLine) (err error) {
	for i := range does {
		l := &does[i]
		l.EventID = event
		if l.ID, err = t.next(&t.nextLine, t.stmts.maxLine); err != nil {
			return err
		}
		if err := insert(t, &lines, t.stmts.addLine, l); err != nil {
			return err
		}
	}
	return nil
}

// Unmatched lists a customer's refunds of sales that nobody knew when they were told.
func (t *Tracking) Unmatched(customer int64) ([]Event, error) {
	return all(t, &events, t.stmts.unmatched, customer)
}

// Match says which sale a refund takes back from, once it is known, and books what it does.
func (t *Tracking) Match(refund *Event, sale int64, does []EventLine) error {
	refund.SaleEventID = sale
	if _, err := t.tx.Stmt(t.stmts.match).Exec(sale, refund.ID); err != nil {
		return err
	}
	return t.addLines(refund.ID, does)
}

// EarnedAtKeap lists the products on which partners earned at Keap by the customer with
// an e-mail key, and what is left of it.
func (t *Tracking) EarnedAtKeap(email string) (products []string, err error) {
	rows, err := t.tx.Stmt(t.stmts.earnedAtKeap).Query(email)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var product string
		var amount int64
		if err := rows.Scan(&product, &amount); err != nil {
			return nil, err
		}
		products = append(products, product)
	}
	return products, rows.Err()
}

// WasUnattributed says whether an event was credited to nobody and kept.
func (t *Tracking) WasUnattributed(kind, eventID string) (bool, error) {
	return t.exists(t.stmts.wasUnreferred, kind, eventID)
}

// AddUnattributed keeps what nobody was credited for.
func (t *Tracking) AddUnattributed(u *UnattributedEvent) error {
	_, err := t.tx.Stmt(t.stmts.addUnreferred).Exec(u.Kind, u.ExternalID, u.Email, u.UID, u.At, u.ReceivedAt, u.Evidence)
	return err
}

// AddReview says why a person should look at a line; a reason that it has already is
// left alone.
func (t *Tracking) AddReview(line int64, reason, detail string, at int64) error {
	_, err := t.tx.Stmt(t.stmts.addReview).Exec(line, reason, detail, at)
	return err
}

// AddOutbox puts an event on its way to FirstPromoter.
func (t *Tracking) AddOutbox(event, customer, at int64, body string) error {
	_, err := t.tx.Stmt(t.stmts.addOutbox).Exec(event, customer, at, body)
	return err
}
