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
	cache     *trackingCache

	lastCustomer, lastEvent, lastLine int64 // ids; 0: not asked for yet
}

// trackingStmts are prepared once for the book's one writing connection.
type trackingStmts struct {
	dataVersion, stamp, maxCustomer, maxEvent, maxLine                                  *sql.Stmt
	customerByEmail, customerByUID, referral, referralRows, eventByExternalID, hasEvent *sql.Stmt
	addCustomer, identifyCustomer, bindCustomer                                         *sql.Stmt
	addEvent, addLine, addReview, addOutbox                                             *sql.Stmt
	linesOfEvent, reversals, linesOfCustomer, sales, reasonAccepted                     *sql.Stmt
	eventByID, refunded, customersFrom, applicationFrom, lastEvent                      *sql.Stmt
	lineByID, hasReason, decision, addDecision                                          *sql.Stmt
	unmatchedRefunds, matchRefund, keapProducts                                         *sql.Stmt
	addUnattributed, isUnattributed                                                     *sql.Stmt
}

// trackingCache is what is kept between transactions. Nobody but a tracker writes customers, and
// referrals are written by runs alone: what was read of them holds until the model changes.
type trackingCache struct {
	mu          sync.Mutex
	stmts       *trackingStmts
	directory   *Directory
	byEmail     map[string]lookup[Customer]
	byUID       map[string]lookup[Customer]
	referrals   map[string]lookup[Referral]
	dataVersion int64          // of the file, when they were read
	stamp       directoryStamp // when the directory was
}

// directoryStamp is what all that changes promoters, their aliases or details leaves behind: runs
// (applied, and undone), details, and those who join, whose ids descend.
type directoryStamp struct{ imported, rolledBack, setting, lowestID int64 }

// lookup is a row, or that there is none.
type lookup[T any] struct {
	row T
	ok  bool
}

// maxCached bounds each of the rows that are kept.
const maxCached = 50_000

func (k *trackingCache) clear() {
	k.byEmail, k.byUID, k.referrals = map[string]lookup[Customer]{}, map[string]lookup[Customer]{}, map[string]lookup[Referral]{}
}

// cached gives what is kept under a key, or what read finds.
func cached[T any](kept map[string]lookup[T], key string, read func() (T, bool, error)) (T, bool, error) {
	if f, ok := kept[key]; ok {
		return f.row, f.ok, nil
	}
	row, ok, err := read()
	if err == nil {
		if len(kept) >= maxCached {
			clear(kept)
		}
		kept[key] = lookup[T]{row, ok}
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
		{&s.dataVersion, `PRAGMA data_version`},
		{&s.stamp, `SELECT (SELECT coalesce(max(id), 0) FROM import), (SELECT count(rolled_back_at) FROM import),
			(SELECT coalesce(max(id), 0) FROM promoter_setting), (SELECT coalesce(min(id), 0) FROM promoter)`},
		{&s.maxCustomer, `SELECT coalesce(max(id), 0) FROM customer`},
		{&s.maxEvent, `SELECT coalesce(max(id), 0) FROM event`},
		{&s.maxLine, `SELECT coalesce(max(id), 0) FROM event_line`},
		{&s.customerByEmail, customers.selectText(`WHERE email = ? AND email != ''`)},
		{&s.customerByUID, customers.selectText(`WHERE uid = ? AND uid != ''`)},
		{&s.referral, referrals.selectText(`WHERE customer = ?`)},
		{&s.referralRows, referralRows.selectText(`WHERE contact_id IN (SELECT id FROM contact WHERE email = ?) ORDER BY set_at DESC, id DESC`)},
		{&s.eventByExternalID, events.selectText(`WHERE kind = ? AND external_id = ? AND external_id != ''`)},
		{&s.hasEvent, `SELECT EXISTS (SELECT 1 FROM event WHERE customer_id = ? AND kind = ?)`},
		{&s.addCustomer, customers.insertText(1)},
		{&s.identifyCustomer, `UPDATE customer SET email = ?, uid = ? WHERE id = ?`},
		{&s.bindCustomer, `UPDATE customer SET promoter_id = ?, bound_at = ?, clicked_at = ?, suspicion = ?, visitor = ? WHERE id = ?`},
		{&s.addEvent, events.insertText(1)},
		{&s.addLine, eventLines.insertText(1)},
		{&s.addReview, `INSERT INTO review (line_id, reason, detail, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`},
		{&s.addOutbox, `INSERT INTO outbox (event_id, customer_id, state, tries, next_at, body, status, answer, done_at) VALUES (?, ?, 'waiting', 0, ?, ?, 0, '', 0)`},
		{&s.linesOfEvent, eventLines.selectText(`WHERE event_id = ? ORDER BY id`)},
		{&s.reversals, eventLines.selectText(`WHERE reverses_line_id = ? AND reverses_line_id != 0 ORDER BY id`)},
		{&s.linesOfCustomer, eventLines.selectText(`WHERE event_id IN (SELECT id FROM event WHERE customer_id = ? AND kind = 'sale') ORDER BY id`)},
		{&s.sales, events.selectText(`WHERE customer_id = ? AND kind = 'sale' ORDER BY at DESC, id DESC LIMIT 500`)},
		{&s.reasonAccepted, `SELECT EXISTS (SELECT 1 FROM event_line l JOIN review r ON r.line_id = l.id JOIN review_decision d ON d.line_id = l.id
			WHERE l.event_id IN (SELECT id FROM event WHERE customer_id = ? AND kind = 'sale') AND r.reason = ? AND d.decision = 'accept')`},
		{&s.eventByID, events.selectText(`WHERE id = ?`)},
		{&s.refunded, `SELECT coalesce(sum(amount), 0) FROM event WHERE customer_id = ? AND kind = 'refund' AND sale_event_id = ? AND currency = ?`},
		{&s.customersFrom, `SELECT count(*) FROM customer WHERE promoter_id = ? AND visitor = ? AND visitor != ''`},
		{&s.applicationFrom, `SELECT EXISTS (SELECT 1 FROM application WHERE visitor = ? AND visitor != '' AND promoter_id = ?)`},
		{&s.lineByID, eventLines.selectText(`WHERE id = ?`)},
		{&s.hasReason, `SELECT EXISTS (SELECT 1 FROM review WHERE line_id = ?)`},
		{&s.decision, `SELECT decision FROM review_decision WHERE line_id = ?`},
		{&s.addDecision, `INSERT INTO review_decision (line_id, decision, note, decided_at, decided_by) VALUES (?, ?, ?, ?, ?)`},
		{&s.unmatchedRefunds, events.selectText(`WHERE customer_id = ? AND kind = 'refund' AND sale_event_id = 0 ORDER BY id`)},
		{&s.matchRefund, `UPDATE event SET sale_event_id = ? WHERE id = ? AND sale_event_id = 0`},
		{&s.keapProducts, `SELECT product, sum(amount) FROM commission WHERE contact_id IN (SELECT id FROM contact WHERE email = ? AND email != '')
			AND kind IN ('commission', 'clawback') GROUP BY product HAVING sum(amount) > 0`},
		{&s.isUnattributed, `SELECT EXISTS (SELECT 1 FROM unattributed_event WHERE kind = ? AND external_id = ?)`},
		{&s.addUnattributed, `INSERT INTO unattributed_event (kind, external_id, email, uid, at, received_at, evidence) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`},
		{&s.lastEvent, events.selectText(`WHERE customer_id = ? ORDER BY id DESC LIMIT 1`)},
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
	t.directory, t.cache = b.tracker.directory, &b.tracker
	if err = fn(t); err == nil {
		err = tx.Commit()
	}
	if err != nil {
		b.tracker.clear()
	}
	return err
}

// refresh drops what is kept and no longer holds: rows once another process has written, the
// directory once promoters changed, whoever changed them.
func (k *trackingCache) refresh(tx *sql.Tx) error {
	var version int64
	var now directoryStamp
	if err := tx.Stmt(k.stmts.dataVersion).QueryRow().Scan(&version); err != nil {
		return err
	}
	if err := tx.Stmt(k.stmts.stamp).QueryRow().Scan(&now.imported, &now.rolledBack, &now.setting, &now.lowestID); err != nil {
		return err
	}
	stands := k.directory != nil && now == k.stamp
	if stands && version == k.dataVersion {
		return nil
	}
	k.clear()
	if !stands {
		d, err := readDirectory(context.Background(), tx)
		if err != nil {
			return err
		}
		k.directory = d
	}
	k.dataVersion, k.stamp = version, now
	return nil
}

// Directory is the promoters as they stand.
func (t *Tracking) Directory() *Directory { return t.directory }

// queryOne reads one row with a statement of table tb.
func queryOne[T any](t *Tracking, tb *table[T], stmt *sql.Stmt, args ...any) (row T, ok bool, err error) {
	switch err = tb.scanner().scan(t.tx.Stmt(stmt).QueryRow(args...), &row); {
	case err == nil:
		return row, true, nil
	case errors.Is(err, sql.ErrNoRows):
		return row, false, nil
	}
	return row, false, fmt.Errorf("reading %s: %w", tb.name, err)
}

func queryAll[T any](t *Tracking, tb *table[T], stmt *sql.Stmt, args ...any) (list []T, err error) {
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

// nextID gives the id of the next row of a table.
func (t *Tracking) nextID(kept *int64, stmt *sql.Stmt) (int64, error) {
	if *kept == 0 {
		if err := t.tx.Stmt(stmt).QueryRow().Scan(kept); err != nil {
			return 0, err
		}
	}
	*kept++
	return *kept, nil
}

func insertTracked[T any](t *Tracking, tb *table[T], stmt *sql.Stmt, row *T) error {
	var r record
	tb.record(row, &r)
	if _, err := t.tx.Stmt(stmt).Exec(r.cells...); err != nil {
		return fmt.Errorf("writing %s: %w", tb.name, err)
	}
	return nil
}

// CustomerByEmail finds a customer by its e-mail key.
func (t *Tracking) CustomerByEmail(key string) (Customer, bool, error) {
	return cached(t.cache.byEmail, key, func() (Customer, bool, error) { return queryOne(t, &customers, t.stmts.customerByEmail, key) })
}

// CustomerByUID finds a customer by the billing system's id.
func (t *Tracking) CustomerByUID(uid string) (Customer, bool, error) {
	return cached(t.cache.byUID, uid, func() (Customer, bool, error) { return queryOne(t, &customers, t.stmts.customerByUID, uid) })
}

// AddCustomer books a customer and gives it its id.
func (t *Tracking) AddCustomer(c *Customer) (err error) {
	if c.ID, err = t.nextID(&t.lastCustomer, t.stmts.maxCustomer); err != nil {
		return err
	}
	t.invalidate(c)
	return insertTracked(t, &customers, t.stmts.addCustomer, c)
}

// invalidate forgets what was kept of a customer that is being written.
func (t *Tracking) invalidate(c *Customer) {
	delete(t.cache.byEmail, c.Email)
	delete(t.cache.byUID, c.UID)
}

// IdentifyCustomer fills in an e-mail key or uid that was not known.
func (t *Tracking) IdentifyCustomer(c *Customer) error {
	t.invalidate(c)
	_, err := t.tx.Stmt(t.stmts.identifyCustomer).Exec(c.Email, c.UID, c.ID)
	return err
}

// BindCustomer gives a customer that nobody had to a promoter, for life.
func (t *Tracking) BindCustomer(c *Customer) error {
	t.invalidate(c)
	_, err := t.tx.Stmt(t.stmts.bindCustomer).Exec(c.PromoterID, c.BoundAt, c.ClickedAt, c.Suspicion, c.Visitor, c.ID)
	return err
}

// Referral is the customer as it was carried over from Keap; ok is false when it was not.
func (t *Tracking) Referral(key string) (Referral, bool, error) {
	return cached(t.cache.referrals, key, func() (Referral, bool, error) { return queryOne(t, &referrals, t.stmts.referral, key) })
}

// ReferralRows lists the referrals that Keap had of an e-mail key, the newest first.
func (t *Tracking) ReferralRows(key string) ([]ReferralRow, error) {
	return queryAll(t, &referralRows, t.stmts.referralRows, key)
}

// EventByExternalID finds an event by the billing system's id.
func (t *Tracking) EventByExternalID(kind, eventID string) (Event, bool, error) {
	return queryOne(t, &events, t.stmts.eventByExternalID, kind, eventID)
}

// Event finds an event by its own id.
func (t *Tracking) Event(id int64) (Event, bool, error) {
	return queryOne(t, &events, t.stmts.eventByID, id)
}

// HasEvent says whether a customer has an event of a kind.
func (t *Tracking) HasEvent(customer int64, kind string) (bool, error) {
	return t.exists(t.stmts.hasEvent, customer, kind)
}

// Sales lists a customer's sales, the newest first: of a customer that many people share
// the newest 500.
func (t *Tracking) Sales(customer int64) ([]Event, error) {
	return queryAll(t, &events, t.stmts.sales, customer)
}

// Lines lists what an event did.
func (t *Tracking) Lines(event int64) ([]EventLine, error) {
	return queryAll(t, &eventLines, t.stmts.linesOfEvent, event)
}

// Reversals lists what took back from a line.
func (t *Tracking) Reversals(line int64) ([]EventLine, error) {
	return queryAll(t, &eventLines, t.stmts.reversals, line)
}

// LinesOfCustomer lists what a customer's sales did.
func (t *Tracking) LinesOfCustomer(customer int64) ([]EventLine, error) {
	return queryAll(t, &eventLines, t.stmts.linesOfCustomer, customer)
}

// ReasonAccepted says whether a person has looked at a reason for this customer's commissions
// before, and accepted it.
func (t *Tracking) ReasonAccepted(customer int64, reason string) (bool, error) {
	return t.exists(t.stmts.reasonAccepted, customer, reason)
}

// LastEvent is what was booked last of a customer.
func (t *Tracking) LastEvent(customer int64) (Event, bool, error) {
	return queryOne(t, &events, t.stmts.lastEvent, customer)
}

// Refunded is what refunds in a currency came to, of one sale of a customer.
func (t *Tracking) Refunded(customer, sale int64, currency string) (amount int64, err error) {
	err = t.tx.Stmt(t.stmts.refunded).QueryRow(customer, sale, currency).Scan(&amount)
	return amount, err
}

// CountCustomersFrom counts the customers of a promoter that were bound from one address, a keyed hash.
func (t *Tracking) CountCustomersFrom(promoter int64, visitor string) (n int, err error) {
	err = t.tx.Stmt(t.stmts.customersFrom).QueryRow(promoter, visitor).Scan(&n)
	return n, err
}

// HasApplicationFrom says whether a promoter applied from an address, a keyed hash.
func (t *Tracking) HasApplicationFrom(promoter int64, visitor string) (bool, error) {
	return t.exists(t.stmts.applicationFrom, visitor, promoter)
}

// AddEvent books an event and what it does, and gives all of them their ids.
func (t *Tracking) AddEvent(e *Event, lines []EventLine) (err error) {
	if e.ID, err = t.nextID(&t.lastEvent, t.stmts.maxEvent); err != nil {
		return err
	}
	if err := insertTracked(t, &events, t.stmts.addEvent, e); err != nil {
		return err
	}
	return t.addLines(e.ID, lines)
}

func (t *Tracking) addLines(event int64, lines []EventLine) (err error) {
	for i := range lines {
		l := &lines[i]
		l.EventID = event
		if l.ID, err = t.nextID(&t.lastLine, t.stmts.maxLine); err != nil {
			return err
		}
		if err := insertTracked(t, &eventLines, t.stmts.addLine, l); err != nil {
			return err
		}
	}
	return nil
}

// UnmatchedRefunds lists a customer's refunds of sales that nobody knew when they were told.
func (t *Tracking) UnmatchedRefunds(customer int64) ([]Event, error) {
	return queryAll(t, &events, t.stmts.unmatchedRefunds, customer)
}

// MatchRefund says which sale a refund takes back from, once it is known, and books what it does.
func (t *Tracking) MatchRefund(refund *Event, sale int64, lines []EventLine) error {
	refund.SaleEventID = sale
	if _, err := t.tx.Stmt(t.stmts.matchRefund).Exec(sale, refund.ID); err != nil {
		return err
	}
	return t.addLines(refund.ID, lines)
}

// KeapProducts lists the products on which partners earned at Keap by the customer with
// an e-mail key, and what is left of it.
func (t *Tracking) KeapProducts(email string) (products []string, err error) {
	rows, err := t.tx.Stmt(t.stmts.keapProducts).Query(email)
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

// IsUnattributed says whether an event was credited to nobody and kept.
func (t *Tracking) IsUnattributed(kind, eventID string) (bool, error) {
	return t.exists(t.stmts.isUnattributed, kind, eventID)
}

// AddUnattributed keeps what nobody was credited for.
func (t *Tracking) AddUnattributed(u *UnattributedEvent) error {
	_, err := t.tx.Stmt(t.stmts.addUnattributed).Exec(u.Kind, u.ExternalID, u.Email, u.UID, u.At, u.ReceivedAt, u.Evidence)
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
