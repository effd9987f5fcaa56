package track

import (
	"fmt"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// What makes a person look at a commission.
const (
	sharedCustomers = 3         // so many customers of one promoter from one address in a day
	fastSale        = 15        // seconds between click and first sale
	earlySale       = 24 * 3600 // seconds before the customer was bound
)

// sale books what a promoter earns on a payment. A customer that nobody has heard of is
// bound by it, when the call says by whom.
func (d *desk) sale() (Result, error) {
	if r, again, err := d.told(); err != nil || again {
		return r, err
	}
	if r, ok := d.converts(); !ok {
		return r, nil
	}
	c, known, err := d.customer()
	if err != nil {
		return Result{}, err
	}
	a, err := d.attribute(&c)
	if err != nil {
		return Result{}, err
	}
	if a.Promoter == 0 {
		return d.nobody(&a)
	}
	if d.call.Amount == 0 {
		return Result{Outcome: Acknowledged, Customer: c, Promoter: d.t.Directory().ByID(a.Promoter).Promoter}, nil
	}
	if err := d.keep(&c); err != nil {
		return Result{}, err
	}
	if err := d.bind(&c, &a); err != nil {
		return Result{}, err
	}
	after := d.at() - c.ClickedAt
	fast := c.ClickedAt != 0 && after < fastSale && after > -terms.ClockSkew
	if fast && known {
		if before, err := d.t.Has(c.ID, book.EventSale); err != nil {
			return Result{}, err
		} else if before {
			fast = false
		}
	}
	lines, notes, err := d.earned(&c, a.Promoter)
	if err != nil {
		return Result{}, err
	}
	r, err := d.write(&c, a, lines, strings.Join(notes, "; "), 0)
	if err != nil {
		return Result{}, err
	}
	if err := d.doubt(&c, a.Promoter, lines, fast); err != nil {
		return Result{}, err
	}
	r.Doubted = d.doubted
	if known {
		err = d.matchRefunds(&c, &r.Event)
	}
	return r, err
}

// items are the products of the sale.
func (d *desk) items() []Item {
	if len(d.call.Items) > 0 {
		return d.call.Items
	}
	return []Item{{d.call.Plan, d.call.Amount, d.call.Quantity}}
}

// earned is what each product of the sale earns its promoter. notes say what a person
// would ask about.
func (d *desk) earned(c *book.Customer, promoter int64) (lines []book.EventLine, notes []string, err error) {
	o, at := &d.s.o, d.at()
	var own []terms.RateChange
	if p := d.t.Directory().ByID(promoter).Promoter; p != nil {
		own = p.RateChanges
	}
	for _, item := range d.items() {
		if item.Amount == 0 {
			continue
		}
		kind := d.kindOf(item.Plan)
		percent := o.Terms.CommissionPercent(kind, at, own)
		switch {
		case kind == terms.UnknownProduct:
			notes = append(notes, fmt.Sprintf("no pattern of [products] says what %q is: it earns nothing", item.Plan))
		case kind == terms.Training && !o.Terms.TrainingEverySale:
			again, err := d.bought(c, item.Plan)
			if err != nil {
				return nil, nil, err
			}
			if again {
				percent = 0
				notes = append(notes, fmt.Sprintf("%q earned on an earlier sale: trainings earn once", item.Plan))
			}
		}
		sold := d.own(item.Amount)
		lines = append(lines, book.EventLine{
			Kind: book.KindCommission, PromoterID: promoter, CustomerID: c.ID, At: at, Month: d.month(at),
			Amount: terms.Share(sold, percent), Currency: o.Currency, SaleAmount: sold, Percent: percent,
			Product: item.Plan, ProductKind: kind.String(), Quantity: item.Quantity,
		})
	}
	return lines, notes, nil
}

// kindOf says what a plan is. Where no pattern says what a membership is, all that is no
// training is one; and so is a sale that names no plan.
func (d *desk) kindOf(plan string) terms.ProductKind {
	kind, ambiguous := d.s.o.Products.Kind(plan, plan)
	if kind == terms.UnknownProduct && !ambiguous && (strings.TrimSpace(plan) == "" || len(d.s.o.Products.Membership) == 0) {
		return terms.Membership
	}
	return kind
}

// bought says whether a sale of this training to the customer has earned, here or at Keap,
// and stands.
func (d *desk) bought(c *book.Customer, plan string) (bool, error) {
	lines, err := d.t.LinesOfCustomer(c.ID)
	if err != nil {
		return false, err
	}
	same := func(product string) bool {
		return strings.EqualFold(strings.TrimSpace(product), strings.TrimSpace(plan))
	}
	for i := range lines {
		l := &lines[i]
		if l.Kind != book.KindCommission || l.Percent == 0 || !same(l.Product) {
			continue
		}
		line, err := d.saleLine(l)
		if err != nil || line.Remaining() > 0 {
			return true, err
		}
	}
	if c.Email == "" {
		return false, nil
	}
	products, err := d.t.EarnedAtKeap(c.Email)
	return slices.ContainsFunc(products, same), err
}

// doubt notes why a person should look at what was earned. fast: it is a first sale, soon
// after the click.
func (d *desk) doubt(c *book.Customer, promoter int64, lines []book.EventLine, fast bool) error {
	type doubted struct{ reason, detail string }
	var all []doubted
	for _, reason := range strings.Fields(c.Suspicion) {
		all = append(all, doubted{reason, map[string]string{
			book.ReasonSelf:   "the customer has the promoter's own e-mail or address",
			book.ReasonShared: fmt.Sprintf("at least %d customers of the promoter came from one address within a day", sharedCustomers),
		}[reason]})
	}
	if p := d.t.Directory().ByID(promoter).Promoter; p != nil && c.Email != "" && c.Email == p.Email && !strings.Contains(c.Suspicion, book.ReasonSelf) {
		all = append(all, doubted{book.ReasonSelf, "the customer has the promoter's own e-mail"})
	}
	if early := c.BoundAt - d.at(); early > earlySale {
		all = append(all, doubted{book.ReasonEarly, fmt.Sprintf("dated %d days before the customer signed up", early/(24*3600))})
	}
	if d.call.UID != "" && d.call.Email != "" {
		other, known, err := d.t.CustomerByEmail(d.call.Email)
		if err != nil {
			return err
		}
		if known && other.ID != c.ID {
			all = append(all, doubted{book.ReasonTwo, "the uid is one customer's, the e-mail another's: the uid was taken"})
		}
	}
	if fast {
		all = append(all, doubted{book.ReasonFast, fmt.Sprintf("%d seconds after the click", max(0, d.at()-c.ClickedAt))})
	}
	for i := range lines {
		l := &lines[i]
		if l.ProductKind == terms.UnknownProduct.String() {
			if err := d.review(l, book.ReasonProduct, fmt.Sprintf("no pattern of [products] names %q", l.Product)); err != nil {
				return err
			}
		}
		if l.Amount == 0 {
			continue
		}
		for _, q := range all {
			if cleared, err := d.t.Cleared(c.ID, q.reason); err != nil {
				return err
			} else if cleared {
				continue
			}
			if err := d.review(l, q.reason, q.detail); err != nil {
				return err
			}
		}
	}
	return nil
}

// review says why a person should look at a line.
func (d *desk) review(l *book.EventLine, reason, detail string) error {
	d.doubted = append(d.doubted, l.ID)
	return d.t.AddReview(l.ID, reason, detail, d.now)
}
