package track

import (
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// signup binds a customer to whoever brought it.
func (d *desk) signup() (Result, error) {
	c, known, err := d.customer()
	if err != nil {
		return Result{}, err
	}
	if known {
		if again, err := d.t.Has(c.ID, book.EventSignup); err != nil || again {
			return Result{Outcome: SignedUp, Customer: c}, err
		}
	}
	a, err := d.attribute(&c)
	if err != nil {
		return Result{}, err
	}
	if a.Promoter == 0 {
		return d.nobody(&a)
	}
	if err := d.keep(&c); err != nil {
		return Result{}, err
	}
	if err := d.bind(&c, &a); err != nil {
		return Result{}, err
	}
	return d.write(&c, a, nil, "", 0)
}

// cancellation notes that a customer has left. What was earned stays earned.
func (d *desk) cancellation() (Result, error) {
	if r, again, err := d.told(); err != nil || again {
		return r, err
	}
	c, known, err := d.customer()
	if err != nil {
		return Result{}, err
	}
	if known {
		// Without an id of its own the same cancellation may come twice.
		last, _, err := d.t.LastEvent(c.ID)
		if err != nil {
			return Result{}, err
		}
		if d.call.EventID == "" && last.Kind == book.EventCancellation {
			return Result{Outcome: Acknowledged, Event: last, Customer: c, Promoter: d.t.Directory().ByID(last.PromoterID).Promoter}, nil
		}
	}
	a, err := d.attribute(&c)
	if err != nil {
		return Result{}, err
	}
	if a.Promoter == 0 || !known && a.By != terms.ByCarried { // whoever only now is heard of has nothing to cancel
		return d.nobody(&a)
	}
	if err := d.keep(&c); err != nil {
		return Result{}, err
	}
	return d.write(&c, a, nil, "", 0)
}
