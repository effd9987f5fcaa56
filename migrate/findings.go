package migrate

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// findingsInput is what is compared: orders with the commissions of their sellers. Nobody
// changes it.
type findingsInput struct {
	orders      []book.Sale
	commissions []book.Commission
	house       map[int64]*partner
	products    terms.Products
	terms       terms.Config
	zone        *time.Location
}

// findings are what was found, and how many orders could be compared.
type findings struct {
	list                 []Finding
	compared, uncompared int // orders, with commissions; the others have products that no rate is known of
}

// Finding is an order and commissions that do not agree with the program's terms. It
// informs: nothing is corrected for it.
type Finding struct {
	Kind        string `json:"kind"` // one of the Finding constants
	Day         string `json:"day"`
	ContactID   int64  `json:"keap_contact_id"`
	PartnerID   int64  `json:"keap_partner_id"` // the seller
	Orders      string `json:"orders"`          // their ids; empty: none
	Invoices    string `json:"invoices"`
	Products    string `json:"products"`
	Total       int64  `json:"total_cents"`    // of the orders
	Expected    int64  `json:"expected_cents"` // by the terms
	Found       int64  `json:"found_cents"`    // in the commissions of the first level
	Currency    string `json:"currency"`
	Explanation string `json:"explanation"`
}

// Kinds of [Finding].
const (
	FindingNoCommission = "no_commission" // a sale of a partner without a commission
	FindingNoOrder      = "no_order"      // a commission without a sale
	FindingRate         = "rate"          // another share than the terms give
)

// saleKey is an order, or a commission of the first level, by what joins the two: orders
// know no invoice, so it is the customer, the day and the seller.
type saleKey struct {
	contact, seller int64
	day             int32
	row             int32
}

func compareSales(a, b saleKey) int {
	return cmp.Or(cmp.Compare(a.contact, b.contact), cmp.Compare(a.day, b.day), cmp.Compare(a.seller, b.seller), cmp.Compare(a.row, b.row))
}

// rates are the shares of the products of one order.
type rates struct {
	low, high terms.Percent
	lines     int
	known     bool // of every product
}

// findFindings compares orders with the commissions of their sellers.
func findFindings(in findingsInput) (out findings) {
	if len(in.orders) == 0 || len(in.commissions) == 0 {
		return out
	}
	orders := make([]saleKey, 0, len(in.orders))
	for i := range in.orders {
		if s := &in.orders[i]; s.SellerID != 0 && in.house[s.SellerID] == nil {
			orders = append(orders, saleKey{s.ContactID, s.SellerID, dayNumber(s.OrderedAt, in.zone), int32(i)})
		}
	}
	earned := make([]saleKey, 0, len(in.commissions))
	for i := range in.commissions {
		e := &in.commissions[i]
		if e.Kind == book.KindCommission && (e.SellerID == 0 || e.SellerID == e.PartnerID) && in.house[e.PartnerID] == nil {
			earned = append(earned, saleKey{e.ContactID, e.PartnerID, dayNumber(e.EarnedAt, in.zone), int32(i)})
		}
	}
	slices.SortFunc(orders, compareSales)
	slices.SortFunc(earned, compareSales)
	c := comparison{in, map[string]rates{}}
	for len(orders) > 0 || len(earned) > 0 {
		var key saleKey
		if len(earned) == 0 || len(orders) > 0 && compareSales(orders[0], earned[0]) <= 0 {
			key = orders[0]
		} else {
			key = earned[0]
		}
		o, e := takeSales(&orders, key), takeSales(&earned, key)
		kind, comparable := c.compare(o, e)
		if comparable {
			out.compared += len(o)
		} else {
			out.uncompared += len(o)
		}
		if kind != "" {
			out.list = append(out.list, c.finding(kind, o, e))
		}
	}
	return out
}

// takeSales cuts those off that key is the customer, day and seller of.
func takeSales(list *[]saleKey, key saleKey) []saleKey {
	n := 0
	for n < len(*list) && (*list)[n].contact == key.contact && (*list)[n].day == key.day && (*list)[n].seller == key.seller {
		n++
	}
	taken := (*list)[:n]
	*list = (*list)[n:]
	return taken
}

// comparison looks for findings.
type comparison struct {
	findingsInput
	percents map[string]rates // by the products of an order, or of a commission
}

// compare returns the kind of finding that the orders and commissions of one customer,
// day and seller are; empty when they agree. ok is false when they cannot be compared.
func (c *comparison) compare(orders, earned []saleKey) (kind string, ok bool) {
	if len(orders) == 0 {
		if c.commissions[earned[0].row].ContactID == 0 {
			return "", false
		}
		return FindingNoOrder, true
	}
	total, found := int64(0), int64(0)
	all := rates{low: terms.OneHundredPercent, known: true}
	currency := c.orders[orders[0].row].Currency
	for _, o := range orders {
		s := &c.orders[o.row]
		r := c.ratesOf(s.Products)
		all.low, all.high, all.lines, all.known = min(all.low, r.low), max(all.high, r.high), all.lines+r.lines, all.known && r.known
		if total += s.Total; s.Currency != currency {
			return "", false
		}
	}
	for _, e := range earned {
		if found += c.commissions[e.row].Amount; c.commissions[e.row].Currency != currency {
			return "", false
		}
	}
	agree := false
	switch {
	case !all.known: // its product is reported by itself
		return "", false
	case len(earned) == 0 && total != 0:
		return FindingNoCommission, true
	case len(earned) == 0 || all.low != all.high:
		agree = len(earned) == 0 || c.implied(earned, total)
	default: // each line was rounded by itself
		agree = abs(found-terms.Share(total, all.low)) <= int64(all.lines-1)
	}
	if agree {
		return "", true
	}
	return FindingRate, true
}

// ratesOf are the shares that the terms give of products, which ";" parts.
func (c *comparison) ratesOf(products string) rates {
	if r, ok := c.percents[products]; ok {
		return r
	}
	r := rates{low: terms.OneHundredPercent, known: true}
	for name := range strings.SplitSeq(products, ";") {
		r.lines++
		switch kind, ambiguous := c.products.Kind(name, ""); {
		case ambiguous || kind == terms.UnknownProduct:
			r.known = false
		case kind == terms.Membership:
			r.low, r.high = min(r.low, c.terms.MembershipPercent), max(r.high, c.terms.MembershipPercent)
		default:
			r.low, r.high = min(r.low, c.terms.TrainingPercent), max(r.high, c.terms.TrainingPercent)
		}
	}
	if len(c.percents) < maxInterned {
		c.percents[products] = r
	}
	return r
}

// finding says what was found.
func (c *comparison) finding(kind string, orders, earned []saleKey) Finding {
	f := Finding{Kind: kind}
	var ids, invoices, names []string
	once := func(list *[]string, s string) {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(*list, s) && len(*list) < 20 {
			*list = append(*list, s)
		}
	}
	all := rates{low: terms.OneHundredPercent}
	for _, o := range orders {
		s := &c.orders[o.row]
		r := c.ratesOf(s.Products)
		all.low, all.high = min(all.low, r.low), max(all.high, r.high)
		f.Total += s.Total
		f.Currency, f.ContactID, f.PartnerID, f.Day = s.Currency, s.ContactID, s.SellerID, day(s.OrderedAt, c.zone)
		once(&ids, strconv.FormatInt(s.ID, 10))
		for name := range strings.SplitSeq(s.Products, ";") {
			once(&names, name)
		}
	}
	for _, o := range earned {
		e := &c.commissions[o.row]
		f.Found += e.Amount
		f.Currency, f.ContactID, f.PartnerID, f.Day = e.Currency, e.ContactID, e.PartnerID, day(e.EarnedAt, c.zone)
		once(&invoices, e.Invoice)
		if len(orders) == 0 {
			once(&names, e.Product)
		}
	}
	f.Orders, f.Invoices, f.Products = strings.Join(ids, " "), strings.Join(invoices, " "), strings.Join(names, "; ")
	if kind != FindingNoOrder {
		f.Expected = terms.Share(f.Total, all.low)
	}
	amount := func(n int64) string { return terms.FormatMinor(n, f.Currency) }
	switch {
	case kind == FindingNoOrder:
		f.Explanation = "a commission, and no order of this customer, day and seller"
	case kind == FindingNoCommission:
		f.Explanation = "a sale of this partner, and no commission of this customer and day"
	case all.low == all.high:
		f.Explanation = fmt.Sprintf("%s of %s is %s", all.low, amount(f.Total), amount(f.Expected))
	default:
		f.Explanation = fmt.Sprintf("products of several rates: from %s to %s", amount(f.Expected), amount(terms.Share(f.Total, all.high)))
	}
	return f
}

// implied reports whether commissions of several rates can come from orders of that
// total: each tells, but for its rounding, what was paid for its product.
func (c *comparison) implied(earned []saleKey, total int64) bool {
	low, high := int64(0), int64(0)
	for _, o := range earned {
		e := &c.commissions[o.row]
		r := c.ratesOf(e.Product)
		if !r.known || r.low != r.high || r.low == 0 {
			return true
		}
		// Prices whose share rounds to the amount lie within half a unit of it on each side.
		low += price(max(e.Amount-1, 0), r.low)
		high += price(max(e.Amount+1, 0), r.low)
	}
	return low <= total && total <= high
}

// price is what amount is the given share of, to the unit below.
func price(amount int64, rate terms.Percent) int64 {
	hi, lo := bits.Mul64(uint64(amount), uint64(terms.OneHundredPercent))
	if hi >= uint64(rate) {
		return 1 << 62
	}
	q, _ := bits.Div64(hi, lo, uint64(rate))
	return int64(min(q, 1<<62))
}
