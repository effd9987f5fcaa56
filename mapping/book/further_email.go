package book

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// FurtherEmail is a further address under which a customer of the live program is known.
type FurtherEmail struct {
	Email      string // an e-mail key
	CustomerID int64
	At         int64 // Unix seconds: when it was told
}

var furtherEmails = table[FurtherEmail]{
	name:    "further_email",
	columns: "email, customer_id, at",
	key:     1,
	record:  (*FurtherEmail).record,
}

func (e *FurtherEmail) record(r *record) {
	r.text(&e.Email)
	r.int(&e.CustomerID)
	r.int(&e.At)
}

// emailedCustomers are customers by their further addresses, each as Email.
var emailedCustomers = table[Customer]{
	name:    "further_email e JOIN customer c ON c.id = e.customer_id",
	columns: "c.id, e.email, c.uid, c.promoter_id, c.bound_at, c.clicked_at, c.suspicion, c.visitor, c.created_at",
	key:     1,
	record:  (*Customer).record,
}

// byAnyEmail selects the customer with an address, which is the statement's first argument.
const byAnyEmail = `id = coalesce((SELECT id FROM customer WHERE email = ?1 AND email != ''),
	(SELECT customer_id FROM further_email WHERE email = ?1))`

// EmailsOf lists the further addresses of a customer, the oldest first.
func (b *Book) EmailsOf(ctx context.Context, customer int64) ([]FurtherEmail, error) {
	return furtherEmails.find(ctx, b, "WHERE customer_id = ? ORDER BY at, email", customer)
}

// BoundByEmail lists, by id, the customers that are bound to a promoter for life, whatever an
// import carries over, once for each of their e-mail addresses.
func (b *Book) BoundByEmail(ctx context.Context) ([]Customer, error) {
	list, err := customers.find(ctx, b, "WHERE promoter_id != 0 AND email != ''")
	if err != nil {
		return nil, err
	}
	further, err := emailedCustomers.find(ctx, b, "WHERE c.promoter_id != 0")
	list = append(list, further...)
	slices.SortStableFunc(list, func(x, y Customer) int { return cmp.Compare(x.ID, y.ID) })
	return list, err
}

// AddFurtherEmail adds an address to those of a customer. It must be nobody's.
func (t *Tracking) AddFurtherEmail(e *FurtherEmail) error {
	delete(t.cache.byEmail, e.Email)
	if err := insertTracked(t, &furtherEmails, t.stmts.addFurtherEmail, e); err != nil {
		return fmt.Errorf("a further address of customer %d: %w", e.CustomerID, err)
	}
	return nil
}

// SuspectCustomer writes why each commission of a customer must be reviewed.
func (t *Tracking) SuspectCustomer(c *Customer) error {
	t.invalidate(c)
	return t.write(customers.layout(), t.stmts.suspectCustomer, c.Suspicion, c.ID)
}
