package book

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"carryover/mapping/terms"
)

// Tracking is a write transaction in which events are booked. It is for one goroutine, within
// the function that [Book.Track] runs.
type Tracking struct {
	tx        *sql.Tx
	stmts     *trackingStmts
	directory *Directory
	cache     *trackingCache

	link *link

	lastCustomer, lastEvent, lastLine int64 // ids; 0: not read yet
}

// Track runs fn in a write transaction, which is committed when fn returns nil. It waits for
// other writers, at most as long as the book's other writers do.
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
	links, err := b.links()
	if err != nil {
		return err
	}
	// Without a context, because the driver would start a goroutine for each statement.
	tx, err := b.w.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	b.tracker.link.reset()
	t := &Tracking{tx: tx, stmts: b.tracker.stmts, link: &b.tracker.link}
	if err := b.tracker.refresh(tx); err != nil {
		return err
	}
	t.directory, t.cache = b.tracker.directory, &b.tracker
	if err = fn(t); err == nil {
		err = t.link.append(tx, &links)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		b.tracker.clear()
	}
	return err
}

// Directory is the directory as of this transaction.
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

// nextID returns the next id of a table, given the last one or the statement that reads it.
func (t *Tracking) nextID(last *int64, stmt *sql.Stmt) (int64, error) {
	if *last == 0 {
		if err := t.tx.Stmt(stmt).QueryRow().Scan(last); err != nil {
			return 0, err
		}
	}
	*last++
	return *last, nil
}

// insertTracked adds a row with a statement of its table, and seals it.
func insertTracked[T any](t *Tracking, tb *table[T], stmt *sql.Stmt, row *T) error {
	var r record
	tb.record(row, &r)
	if _, err := t.tx.Stmt(stmt).Exec(r.cells...); err != nil {
		return fmt.Errorf("writing %s: %w", tb.name, err)
	}
	t.link.add(tb.layout(), r.cells)
	return nil
}

// write runs a statement that returns the rows that it wrote, in all their columns, and seals
// them.
func (t *Tracking) write(l *layout, stmt *sql.Stmt, args ...any) error {
	rows, err := t.tx.Stmt(stmt).Query(args...)
	if err != nil {
		return fmt.Errorf("writing %s: %w", l.table, err)
	}
	defer rows.Close()
	cells, dest := make([]any, len(l.order)), make([]any, len(l.order))
	for i := range cells {
		dest[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return fmt.Errorf("writing %s: %w", l.table, err)
		}
		t.link.add(l, cells)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("writing %s: %w", l.table, err)
	}
	return nil
}

// CustomerByEmail returns the customer with an e-mail key, its first or a further one; ok is
// false when there is none.
func (t *Tracking) CustomerByEmail(key string) (Customer, bool, error) {
	c, ok, err := cached(t.cache.byEmail, key,
		func() (Customer, bool, error) { return queryOne(t, &customers, t.stmts.customerByEmail, key) })
	if ok && c.Email != key {
		delete(t.cache.byEmail, key) // what is kept is dropped by the first address
	}
	return c, ok, err
}

// CustomerByUID returns the customer with an id of the billing system's; ok is false when there
// is none.
func (t *Tracking) CustomerByUID(uid string) (Customer, bool, error) {
	return cached(t.cache.byUID, uid, func() (Customer, bool, error) { return queryOne(t, &customers, t.stmts.customerByUID, uid) })
}

// AddCustomer adds a customer and sets its ID.
func (t *Tracking) AddCustomer(c *Customer) (err error) {
	if c.ID, err = t.nextID(&t.lastCustomer, t.stmts.maxCustomer); err != nil {
		return err
	}
	t.invalidate(c)
	return insertTracked(t, &customers, t.stmts.addCustomer, c)
}

// invalidate drops a customer that is being written from the cache.
func (t *Tracking) invalidate(c *Customer) {
	delete(t.cache.byEmail, c.Email)
	delete(t.cache.byUID, c.UID)
}

// IdentifyCustomer writes an e-mail key or uid of a customer that was not known before.
func (t *Tracking) IdentifyCustomer(c *Customer) error {
	t.invalidate(c)
	return t.write(customers.layout(), t.stmts.identifyCustomer, c.Email, c.UID, c.ID)
}

// BindCustomer binds a customer without a promoter to one, for life.
func (t *Tracking) BindCustomer(c *Customer) error {
	t.invalidate(c)
	return t.write(customers.layout(), t.stmts.bindCustomer, c.PromoterID, c.BoundAt, c.ClickedAt, c.Suspicion, c.Visitor, c.ID)
}

// Referral returns the customer as it was carried over from Keap; ok is false when it was not.
func (t *Tracking) Referral(key string) (Referral, bool, error) {
	return cached(t.cache.referrals, key, func() (Referral, bool, error) { return queryOne(t, &referrals, t.stmts.referral, key) })
}

// ReferralRows lists Keap's referrals of an e-mail key, the newest first.
func (t *Tracking) ReferralRows(key string) ([]ReferralRow, error) {
	return queryAll(t, &referralRows, t.stmts.referralRows, key)
}

// EventByExternalID returns the event of a kind with an id of the billing system's; ok is false
// when there is none.
func (t *Tracking) EventByExternalID(kind, eventID string) (Event, bool, error) {
	return queryOne(t, &events, t.stmts.eventByExternalID, kind, eventID)
}

// Event returns the event with an id; ok is false when there is none.
func (t *Tracking) Event(id int64) (Event, bool, error) {
	return queryOne(t, &events, t.stmts.eventByID, id)
}

// HasEvent reports whether a customer has an event of a kind.
func (t *Tracking) HasEvent(customer int64, kind string) (bool, error) {
	return t.exists(t.stmts.hasEvent, customer, kind)
}

// Sales lists the newest 500 sales of a customer, the newest first. Only a customer that many
// people share has more.
func (t *Tracking) Sales(customer int64) ([]Event, error) {
	return queryAll(t, &events, t.stmts.sales, customer)
}

// Lines lists the lines of an event.
func (t *Tracking) Lines(event int64) ([]EventLine, error) {
	return queryAll(t, &eventLines, t.stmts.linesOfEvent, event)
}

// Reversals lists the lines that reverse a commission.
func (t *Tracking) Reversals(line int64) ([]EventLine, error) {
	return queryAll(t, &eventLines, t.stmts.reversals, line)
}

// LinesOfCustomer lists the lines of a customer's sales.
func (t *Tracking) LinesOfCustomer(customer int64) ([]EventLine, error) {
	return queryAll(t, &eventLines, t.stmts.linesOfCustomer, customer)
}

// ReasonTrusted reports whether a person trusts the customer despite this reason: as decided on a
// commission of the customer that has it.
func (t *Tracking) ReasonTrusted(customer int64, reason string) (bool, error) {
	return t.exists(t.stmts.reasonTrusted, customer, reason)
}

// LastEvent returns the event of a customer that was booked last; ok is false when there is none.
func (t *Tracking) LastEvent(customer int64) (Event, bool, error) {
	return queryOne(t, &events, t.stmts.lastEvent, customer)
}

// CountCustomersFrom counts the customers of a promoter that were bound from an address, given
// as its keyed hash.
func (t *Tracking) CountCustomersFrom(promoter int64, visitor string) (n int, err error) {
	err = t.tx.Stmt(t.stmts.customersFrom).QueryRow(promoter, visitor).Scan(&n)
	return n, err
}

// HasApplicationFrom reports whether a promoter applied from an address, given as its keyed hash.
func (t *Tracking) HasApplicationFrom(promoter int64, visitor string) (bool, error) {
	return t.exists(t.stmts.applicationFrom, visitor, promoter)
}

// AddEvent adds an event and its lines, and sets their ids.
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

// Refunds lists a customer's refunds by date, with their evidence.
func (t *Tracking) Refunds(customer int64) ([]Refund, error) {
	list, err := queryAll(t, &events, t.stmts.refunds, customer)
	if err != nil {
		return nil, err
	}
	refunds := make([]Refund, len(list))
	for i := range list {
		r := &refunds[i]
		r.Event = list[i]
		if err := json.Unmarshal([]byte(r.Event.Evidence), &r.Evidence); err != nil {
			return nil, fmt.Errorf("the evidence of event %d: %w", r.ID, err)
		}
	}
	return refunds, nil
}

// IsDenied reports whether a person has denied a commission.
func (t *Tracking) IsDenied(line int64) (bool, error) {
	var decision string
	err := t.tx.Stmt(t.stmts.decision).QueryRow(line).Scan(&decision)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return decision == ReviewDeny, err
}

// MoveRefund stores where a refund takes back from now: its sale (0: none that is known), promoter,
// currency and evidence; it adds the lines by which what it took back changes.
func (t *Tracking) MoveRefund(r *Refund, lines []EventLine) error {
	text, err := json.Marshal(r.Evidence)
	if err != nil {
		return err
	}
	r.Event.Evidence = string(text)
	if err := t.write(events.layout(), t.stmts.moveRefund, r.SaleEventID, r.PromoterID, r.Currency, r.Event.Evidence, r.ID); err != nil {
		return err
	}
	return t.addLines(r.ID, lines)
}

// KeapPurchases lists what the customer with an e-mail key had bought at Keap until an instant:
// the products of each paid order, and what partners earned on each product of each invoice.
func (t *Tracking) KeapPurchases(email string, until int64) (orders []string, earnings []terms.KeapEarning, err error) {
	read := func(stmt *sql.Stmt, scan func(*sql.Rows) error) error {
		rows, err := t.tx.Stmt(stmt).Query(email, until)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
	err = errors.Join(
		read(t.stmts.keapOrders, func(rows *sql.Rows) error {
			var products string
			err := rows.Scan(&products)
			orders = append(orders, products)
			return err
		}),
		read(t.stmts.keapEarnings, func(rows *sql.Rows) error {
			var e terms.KeapEarning
			err := rows.Scan(&e.Product, &e.Amount, &e.Earned)
			earnings = append(earnings, e)
			return err
		}),
	)
	if err != nil {
		err = fmt.Errorf("reading what a customer bought at Keap: %w", err)
	}
	return orders, earnings, err
}

// CountKeapOrders counts the orders at Keap of the customer with an e-mail key that came to an
// amount, until an instant.
func (t *Tracking) CountKeapOrders(email string, total int64, currency string, until int64) (n int, err error) {
	err = t.tx.Stmt(t.stmts.countKeapOrders).QueryRow(email, total, currency, until).Scan(&n)
	return n, err
}

// AddReview adds a reason to review a line, unless it is there already.
func (t *Tracking) AddReview(line int64, reason, detail string, at int64) error {
	return t.write(reviewLayout, t.stmts.addReview, line, reason, detail, at)
}

// AddOutbox adds an event to the outbox.
func (t *Tracking) AddOutbox(event, customer, at int64, body string) error {
	_, err := t.tx.Stmt(t.stmts.addOutbox).Exec(event, customer, at, body)
	return err
}
