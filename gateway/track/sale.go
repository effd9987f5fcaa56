package track

import (
	"fmt"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// bookSale books what a promoter earns on a payment. A customer that is new is bound by it,
// when the call says by whom.
func (b *booking) bookSale() (Result, error) {
	if r, again, err := b.findDuplicate(); err != nil || again {
		return r, err
	}
	if r, ok := b.checkCurrency(); !ok {
		return r, nil
	}
	c, known, err := b.findCustomer()
	if err != nil {
		return Result{}, err
	}
	a, err := b.attribute(&c)
	if err != nil {
		return Result{}, err
	}
	if a.Promoter == 0 {
		if known {
			if err := b.matchAfterSale(&c, b.call.EventID); err != nil {
				return Result{}, err
			}
		}
		return b.unattributed(&a)
	}
	if b.call.Amount == 0 {
		return Result{Outcome: Acknowledged, Customer: c, Promoter: b.promoter(a.Promoter)}, nil
	}
	if err := b.saveCustomer(&c); err != nil {
		return Result{}, err
	}
	if err := b.bindCustomer(&c, &a); err != nil {
		return Result{}, err
	}
	fast, err := b.isFastSale(&c, known)
	if err != nil {
		return Result{}, err
	}
	lines, notes, err := b.commissionLines(&c, a.Promoter)
	if err != nil {
		return Result{}, err
	}
	r, err := b.addEvent(&c, a, lines, strings.Join(notes, "; "), 0)
	if err != nil {
		return Result{}, err
	}
	if err := b.flagForReview(&c, a.Promoter, lines, fast); err != nil {
		return Result{}, err
	}
	r.Flagged = b.flagged
	if known {
		err = b.matchAfterSale(&c, "")
	}
	return r, err
}

// items lists the products of the sale.
func (b *booking) items() []Item {
	if len(b.call.Items) > 0 {
		return b.call.Items
	}
	return []Item{{b.call.Plan, b.call.Amount, b.call.Quantity}}
}

// commissionLines makes the line of what each product of the sale earns its promoter. notes
// say what a person would ask about.
func (b *booking) commissionLines(c *book.Customer, promoter int64) (lines []book.EventLine, notes []string, err error) {
	o, at := &b.s.o, b.at()
	counts, _ := b.countsAt()
	var own []terms.RateChange
	if p := b.promoter(promoter); p != nil {
		own = p.RateChanges
	}
	for _, item := range b.items() {
		if item.Amount == 0 {
			continue
		}
		kind := b.productKind(item.Plan)
		percent := o.Terms.CommissionPercent(kind, at, own)
		switch {
		case kind == terms.UnknownProduct:
			notes = append(notes, fmt.Sprintf("no pattern of [products] says what %q is: it earns nothing", item.Plan))
		case kind == terms.Training && o.Terms.TrainingOnce:
			again, err := b.alreadyPurchased(c, item.Plan)
			if err != nil {
				return nil, nil, err
			}
			if again {
				percent = 0
				notes = append(notes, fmt.Sprintf("%q was bought before: trainings earn once", item.Plan))
			}
		}
		amount := b.convert(item.Amount)
		lines = append(lines, book.EventLine{
			Kind: book.KindCommission, PromoterID: promoter, CustomerID: c.ID, At: counts, Month: b.month(counts),
			Amount: terms.Share(amount, percent), Currency: o.Currency, SaleAmount: amount, Percent: percent,
			Product: item.Plan, ProductKind: kind.String(), Quantity: item.Quantity,
		})
	}
	return lines, notes, nil
}

// productKind tells the kind of a plan. Where no pattern says what a membership is, every
// plan that is no training is one; and so is a sale that names no plan.
func (b *booking) productKind(plan string) terms.ProductKind {
	kind, ambiguous := b.s.o.Products.Kind(plan, plan)
	if kind == terms.UnknownProduct && !ambiguous && (strings.TrimSpace(plan) == "" || len(b.s.o.Products.Membership) == 0) {
		return terms.Membership
	}
	return kind
}

// alreadyPurchased reports whether the customer has bought a training before, here with a
// commission or at Keap, and did not get all of it back.
func (b *booking) alreadyPurchased(c *book.Customer, plan string) (bool, error) {
	lines, err := b.t.LinesOfCustomer(c.ID)
	if err != nil {
		return false, err
	}
	for i := range lines {
		l := &lines[i]
		if l.Kind != book.KindCommission || l.Percent == 0 || !terms.SameProduct(l.Product, plan) {
			continue
		}
		line, err := b.saleLine(l)
		if err != nil || line.Remaining() > 0 {
			return true, err
		}
	}
	if c.Email == "" {
		return false, nil
	}
	orders, earnings, err := b.t.KeapPurchases(c.Email, b.at())
	return terms.BoughtAtKeap(plan, orders, earnings), err
}
