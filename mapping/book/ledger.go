package book

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// Kinds of [Commission].
const (
	KindCommission = "commission"
	KindClawback   = "clawback"
	KindOpening    = "opening"    // the balance from before the exported rows
	KindDifference = "difference" // between the ledger's closing balance and its rows, as a person accepted it

	KindPayment    = "payment"    // a payout; of an [Entry] and a [Sum] only
	KindRefund     = "refund"     // reverses the share of what a customer of a live sale got back
	KindDenied     = "denied"     // reverses a commission that a person denied in a review
	KindCorrection = "correction" // booked by a person, either way: see [Correction]
)

// Commission is one entry of what a partner earned at Keap. It is only ever appended.
type Commission struct {
	ID          EntryID
	Kind        string
	PartnerID   int64 // Keap id of the earner
	SellerID    int64 // Keap id of who made the sale: not the earner on the second level; 0: not known
	ContactID   int64 // the customer; 0: not known
	Invoice     string
	EarnedAt    int64 // Unix seconds
	Month       int32 // of earning, in the program's zone: 202303
	Amount      int64 // minor units, as it changes the balance: a clawback is below 0
	Currency    string
	Product     string
	Description string
	Origin      Origin
}

// PostedCommission is the part of a [Commission] in the book that a plan compares with.
type PostedCommission struct {
	ID        EntryID
	Kind      string
	PartnerID int64
	EarnedAt  int64
	Month     int32
	Amount    int64
	Currency  string
}

// Posted is the commission as it will be in the book.
func (c *Commission) Posted() PostedCommission {
	return PostedCommission{c.ID, c.Kind, c.PartnerID, c.EarnedAt, c.Month, c.Amount, c.Currency}
}

// Payout is one payment that a partner got at Keap. It is only ever appended: when a later
// export has another amount, a second entry books the difference.
type Payout struct {
	ID        EntryID
	PartnerID int64
	KeapID    int64 // of the payment; 0: the export gave none
	PaidAt    int64
	Month     int32
	Amount    int64 // minor units; below 0: money that came back
	Currency  string
	Type      string
	Note      string
	Origin    Origin
}

var (
	commissions = table[Commission]{
		name: "commission",
		columns: "id, kind, partner_id, seller_id, contact_id, invoice, earned_at, month, amount, currency, product, " +
			"description, source_id, source_line",
		key:    1,
		owned:  true,
		record: (*Commission).record,
	}
	payouts = table[Payout]{
		name:    "payout",
		columns: "id, partner_id, keap_id, paid_at, month, amount, currency, type, note, source_id, source_line",
		key:     1,
		owned:   true,
		record:  (*Payout).record,
	}

	// A third of the cells of commissions, and of their time and memory.
	postedCommissions = table[PostedCommission]{
		name:    "commission",
		columns: "id, kind, partner_id, earned_at, month, amount, currency",
		key:     1,
		owned:   true,
		record:  (*PostedCommission).record,
	}

	entries = table[Entry]{
		name: "entry",
		columns: "id, kind, promoter_id, partner_id, seller_id, contact_id, customer_id, at, month, amount, currency, " +
			"invoice, product, description, type, keap_id, source, source_line, import_id",
		key:    1,
		record: (*Entry).record,
	}
	sumRows = table[Sum]{
		name:    "entry",
		columns: "promoter_id, partner_id, kind, currency, month, amount",
		record:  (*Sum).record,
	}
)

func (c *Commission) record(r *record) {
	r.entryID(&c.ID)
	r.word(&c.Kind)
	r.int(&c.PartnerID)
	r.int(&c.SellerID)
	r.int(&c.ContactID)
	r.text(&c.Invoice)
	r.int(&c.EarnedAt)
	r.month(&c.Month)
	r.int(&c.Amount)
	r.word(&c.Currency)
	r.word(&c.Product)
	r.word(&c.Description)
	r.origin(&c.Origin)
}

func (c *PostedCommission) record(r *record) {
	r.entryID(&c.ID)
	r.word(&c.Kind)
	r.int(&c.PartnerID)
	r.int(&c.EarnedAt)
	r.month(&c.Month)
	r.int(&c.Amount)
	r.word(&c.Currency)
}

func (p *Payout) record(r *record) {
	r.entryID(&p.ID)
	r.int(&p.PartnerID)
	r.int(&p.KeapID)
	r.int(&p.PaidAt)
	r.month(&p.Month)
	r.int(&p.Amount)
	r.word(&p.Currency)
	r.word(&p.Type)
	r.word(&p.Note)
	r.origin(&p.Origin)
}

// Entry is one line of the ledger: a commission or a payout.
type Entry struct {
	ID          string // "k-…" carried over, "t-…" tracked live, "p-…" paid out here
	Kind        string // one of the Kind constants
	Earner             // who earned it or was paid: [Directory.ByEarner]
	SellerID    int64  // Keap id
	ContactID   int64
	CustomerID  int64 // of a live entry
	At          int64 // Unix seconds
	Month       int32
	Amount      int64 // minor units, as it changes the balance: a payment is below 0
	Currency    string
	Invoice     string
	Product     string
	Description string // of a payment: its note
	Type        string // of a payment
	KeapID      int64  // of a payment; 0: not known
	Source      string // the file it was read from; empty: none
	Line        int64
	ImportID    int64 // the import that wrote it; 0: none
}

// Level is 2 for what a partner earned on the sale of another, else 1.
func (e *Entry) Level() int {
	if e.SellerID != 0 && e.SellerID != e.PartnerID {
		return 2
	}
	return 1
}

func (e *Entry) record(r *record) {
	r.text(&e.ID)
	r.word(&e.Kind)
	e.Earner.record(r)
	r.int(&e.SellerID)
	r.int(&e.ContactID)
	r.int(&e.CustomerID)
	r.int(&e.At)
	r.month(&e.Month)
	r.int(&e.Amount)
	r.word(&e.Currency)
	r.text(&e.Invoice)
	r.word(&e.Product)
	r.word(&e.Description)
	r.word(&e.Type)
	r.int(&e.KeapID)
	r.word(&e.Source)
	r.int(&e.Line)
	r.int(&e.ImportID)
}

func (e *Earner) record(r *record) {
	r.int(&e.PromoterID)
	r.int(&e.PartnerID)
}

// ErrNoEntry says that the ledger has no entry with an id.
var ErrNoEntry = errors.New("the ledger has no such entry")

// Ledger gives fn the entries of the given earners (nil: of all), in the order of their ids;
// of each in the order of time and entry id. All are of one moment. It ends when fn fails.
func (b *Book) Ledger(ctx context.Context, of []Earner, fn func(Entry) error) error {
	return b.view(ctx, func(tx *sql.Tx) error {
		var err error
		if of == nil {
			of, err = earners(ctx, tx)
		}
		if err != nil {
			return err
		}
		carried, err := tx.PrepareContext(ctx, entries.selectText("WHERE partner_id = ? AND promoter_id = 0 ORDER BY at, id"))
		if err != nil {
			return err
		}
		live, err := tx.PrepareContext(ctx, entries.selectText("WHERE promoter_id = ? ORDER BY at, id"))
		if err != nil {
			return err
		}
		// One query an earner, so that no more than its entries are ever sorted at once.
		for _, e := range slices.Compact(slices.SortedFunc(slices.Values(of), Earner.compare)) {
			stmt, id := carried, e.PartnerID
			if e.PromoterID != 0 {
				stmt, id = live, e.PromoterID
			}
			rows, err := stmt.QueryContext(ctx, id)
			if err != nil {
				return err
			}
			if err := entries.drain(rows, fn); err != nil {
				return err
			}
		}
		return nil
	})
}

// compare orders earners by id; a partner goes before the promoter of the same id.
func (e Earner) compare(other Earner) int {
	return cmp.Or(
		cmp.Compare(cmp.Or(e.PartnerID, e.PromoterID), cmp.Or(other.PartnerID, other.PromoterID)),
		-cmp.Compare(e.PartnerID, other.PartnerID),
	)
}

// earners lists those who have an entry.
func earners(ctx context.Context, tx *sql.Tx) (list []Earner, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT 0, partner_id FROM commission UNION SELECT 0, partner_id FROM payout
		UNION SELECT promoter_id, 0 FROM event_line UNION SELECT l.promoter_id, 0 FROM payout_record r JOIN payout_line l ON l.id = r.line_id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e Earner
		if err := rows.Scan(&e.PromoterID, &e.PartnerID); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

// EntriesOf lists the entries of the given contacts, in the order of time and entry id.
func (b *Book) EntriesOf(ctx context.Context, contacts []int64) ([]Entry, error) {
	return entries.find(ctx, b, "WHERE kind != ? AND contact_id IN "+anyOf+" ORDER BY at, id", KindPayment, idList(contacts))
}

// EntriesByInvoice lists the entries of an invoice, in the order of time and entry id. It
// scans the whole ledger.
func (b *Book) EntriesByInvoice(ctx context.Context, invoice string) ([]Entry, error) {
	if invoice == "" { // entries without one do not belong together
		return nil, nil
	}
	return entries.find(ctx, b, "WHERE kind != ? AND invoice = ? ORDER BY at, id", KindPayment, invoice)
}

// Entry returns one entry of the ledger; [ErrNoEntry] when there is none.
func (b *Book) Entry(ctx context.Context, id string) (Entry, error) {
	return entries.one(ctx, b, id, ErrNoEntry)
}

// Sum is what an earner's entries of one kind, currency and month come to.
type Sum struct {
	Earner
	Kind     string
	Currency string
	Month    int32
	Amount   int64 // minor units, as they change the balance
	Count    int64
}

func (s *Sum) record(r *record) {
	s.Earner.record(r)
	r.word(&s.Kind)
	r.word(&s.Currency)
	r.month(&s.Month)
	r.int(&s.Amount)
}

// Sums adds the ledger up, in the order of earner, kind, currency and month. It fails
// when a sum overflows 64 bits.
func (b *Book) Sums(ctx context.Context) (sums []Sum, err error) {
	err = b.view(ctx, func(tx *sql.Tx) error {
		sums, err = addUp(ctx, tx, "")
		return err
	})
	return sums, err
}

// SumsAround is Sums of what happened before one instant, and of what happened from then to
// another (Unix seconds), of one moment. What has no day is before.
func (b *Book) SumsAround(ctx context.Context, from, to int64) (before, between []Sum, err error) {
	err = b.view(ctx, func(tx *sql.Tx) error {
		if before, err = addUp(ctx, tx, "WHERE at < ? OR at = 0", from); err != nil {
			return err
		}
		between, err = addUp(ctx, tx, "WHERE at >= ? AND at < ? AND at != 0", from, to)
		return err
	})
	return before, between, err
}

// addUp adds the entries up that a clause selects.
func addUp(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Sum, error) {
	type key struct {
		Earner
		kind, currency string
		month          int32
	}
	sums := map[key]*Sum{}
	add := func(s Sum) error {
		k := key{s.Earner, s.Kind, s.Currency, s.Month}
		to := sums[k]
		if to == nil {
			to = &Sum{Earner: s.Earner, Kind: s.Kind, Currency: s.Currency, Month: s.Month}
			sums[k] = to
		}
		sum := to.Amount + s.Amount
		if (sum < to.Amount) != (s.Amount < 0) {
			return fmt.Errorf("the %s entries of %s come to more than 64 bits can hold", s.Kind, s.Earner)
		}
		to.Amount = sum
		to.Count++
		return nil
	}
	if err := sumRows.each(ctx, tx, where, args, add); err != nil {
		return nil, err
	}
	list := make([]Sum, 0, len(sums))
	for _, s := range sums {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(x, y Sum) int {
		return cmp.Or(x.Earner.compare(y.Earner), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Currency, y.Currency), cmp.Compare(x.Month, y.Month))
	})
	return list, nil
}
