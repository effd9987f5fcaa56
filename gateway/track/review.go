package track

import (
	"fmt"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// What makes a commission suspicious, so that a person must look at it before it is paid.
const (
	sharedAddressCustomers = 3         // customers of one promoter from one address in a day
	fastSaleSeconds        = 15        // from the click to the first sale
	earlySaleSeconds       = 24 * 3600 // from the sale to the binding of its customer
)

// isFastSale reports whether the sale is the customer's first, and came within seconds of the
// click that brought the customer. known: an event of the customer's was booked before.
func (b *booking) isFastSale(c *book.Customer, known bool) (bool, error) {
	after := b.at() - c.ClickedAt
	if c.ClickedAt == 0 || after >= fastSaleSeconds || after <= -terms.ClockSkew {
		return false, nil
	}
	if !known {
		return true, nil
	}
	before, err := b.t.HasEvent(c.ID, book.EventSale)
	return !before, err
}

// flagForReview books why a person must look at commissions; one that earned nothing only
// when its product is unknown, or its customer. What a person trusts this customer despite is not said
// again.
func (b *booking) flagForReview(c *book.Customer, promoter int64, lines []book.EventLine, fast bool) error {
	reasons, err := b.reviewReasons(c, promoter, fast)
	if err != nil {
		return err
	}
	for i := range lines {
		l := &lines[i]
		if l.ProductKind == terms.UnknownProduct.String() {
			if err := b.addReview(l, book.ReasonProduct, fmt.Sprintf("no pattern of [products] names %q", l.Product)); err != nil {
				return err
			}
		}
		for _, r := range reasons {
			if l.Amount == 0 && r.reason != book.ReasonTwo { // a cent may be there to take a customer
				continue
			}
			if trusted, err := b.t.ReasonTrusted(c.ID, r.reason); err != nil {
				return err
			} else if trusted {
				continue
			}
			if err := b.addReview(l, r.reason, r.detail); err != nil {
				return err
			}
		}
	}
	return nil
}

// reviewReason is a book.Reason constant and its explanation.
type reviewReason struct{ reason, detail string }

// reviewReasons lists what is suspicious about the sale as a whole.
func (b *booking) reviewReasons(c *book.Customer, promoter int64, fast bool) (reasons []reviewReason, err error) {
	add := func(reason, format string, args ...any) {
		reasons = append(reasons, reviewReason{reason, fmt.Sprintf(format, args...)})
	}
	for _, reason := range strings.Fields(c.Suspicion) {
		switch reason {
		case book.ReasonTwo:
			if b.identity.other == noOther {
				add(reason, "a call of the customer's named another customer too")
			}
		case book.ReasonSelf:
			add(reason, "the customer has the promoter's own e-mail or address")
		case book.ReasonShared:
			add(reason, "at least %d customers of the promoter came from one address within a day", sharedAddressCustomers)
		default:
			add(reason, "")
		}
	}
	if b.sameEmail(c, b.promoter(promoter)) && !strings.Contains(c.Suspicion, book.ReasonSelf) {
		add(book.ReasonSelf, "the customer has the promoter's own e-mail")
	}
	if _, dated := b.countsAt(); dated {
		add(book.ReasonDated, "dated %s: it counts from when it was told",
			time.Unix(b.at(), 0).In(b.s.o.Zone).Format(time.DateOnly))
	}
	if early := c.BoundAt - b.at(); early > earlySaleSeconds {
		add(book.ReasonEarly, "dated %d days before the customer signed up", early/(24*3600))
	} else if wait := b.now - b.told(); b.remembered && c.CreatedAt < b.now && wait > earlySaleSeconds {
		add(book.ReasonEarly, "told %d days before it was known to be this customer's", wait/(24*3600))
	} else if c.ClickedAt > b.until()+terms.ClockSkew {
		add(book.ReasonEarly, "dated before the click that brought the customer")
	}
	if b.identity.other != noOther {
		add(book.ReasonTwo, "%s", b.identity.detail)
	}
	if fast {
		add(book.ReasonFast, "%d seconds after the click", max(0, b.at()-c.ClickedAt))
	}
	return reasons, nil
}

// addReview books why a person must look at a line.
func (b *booking) addReview(l *book.EventLine, reason, detail string) error {
	b.flagged = append(b.flagged, l.ID)
	return b.t.AddReview(l.ID, reason, detail, b.now)
}
