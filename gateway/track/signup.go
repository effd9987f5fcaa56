package track

import (
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// bookSignup binds a customer to whoever brought it.
func (b *booking) bookSignup() (Result, error) {
	c, known, err := b.findCustomer()
	if err != nil {
		return Result{}, err
	}
	if known {
		again, err := b.t.HasEvent(c.ID, book.EventSignup)
		if err == nil && again {
			err = b.saveCustomer(&c) // it may come with an address that is new
		}
		if err != nil || again {
			return Result{Outcome: AlreadySignedUp, Customer: c}, err
		}
	}
	a, err := b.attribute(&c)
	if err != nil {
		return Result{}, err
	}
	if a.Promoter == 0 {
		return b.unattributed(&a)
	}
	if err := b.saveCustomer(&c); err != nil {
		return Result{}, err
	}
	if err := b.bindCustomer(&c, &a); err != nil {
		return Result{}, err
	}
	return b.addEvent(&c, a, nil, "", 0)
}

// bookCancellation notes that a customer has left. What was earned stays earned.
func (b *booking) bookCancellation() (Result, error) {
	if r, again, err := b.findDuplicate(); err != nil || again {
		return r, err
	}
	c, known, err := b.findCustomer()
	if err != nil {
		return Result{}, err
	}
	if known {
		// Without an id of its own the same cancellation may come twice.
		last, _, err := b.t.LastEvent(c.ID)
		if err != nil {
			return Result{}, err
		}
		if b.call.EventID == "" && last.Kind == book.EventCancellation {
			return Result{Outcome: Acknowledged, Event: last, Customer: c, Promoter: b.promoter(last.PromoterID)}, nil
		}
	}
	a, err := b.attribute(&c)
	if err != nil {
		return Result{}, err
	}
	if a.Promoter == 0 || !known && a.By != terms.ByCarried { // a customer of whom nothing is known has nothing to cancel
		return b.unattributed(&a)
	}
	if err := b.saveCustomer(&c); err != nil {
		return Result{}, err
	}
	return b.addEvent(&c, a, nil, "", 0)
}
