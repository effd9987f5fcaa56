package migrate

import (
	"cmp"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// credited is the Keap id of the partner that an order or a subscription names; 0 for
// nobody. An id holds whether or not a partner has it: partners that Keap no longer lists
// made sales too. A code that is nobody's, or of several, is 0.
func (m *money) credited(id sheet.ID, code string) int64 {
	if id.Valid || code == "" {
		return id.Number
	}
	partner, err := m.payees.find(id, code)
	if err != nil {
		return 0
	}
	return partner
}

// order loads a row of the orders.
func (m *money) order(row *keap.Order, at place) error {
	m.sales.add(book.Sale{
		ID: row.ID.Number, ContactID: row.ContactID.Number, OrderedAt: row.OrderedAt.Time.Unix(), Total: row.Total.Minor, Currency: m.words.text(row.Total.Currency),
		Products: m.words.text(row.Products), SellerID: m.credited(row.SalePartnerID, row.SalePartnerCode), LeadID: m.credited(row.LeadPartnerID, row.LeadPartnerCode), Type: m.words.text(row.Type),
	}, at)
	return nil
}

// subscription loads a row of the subscriptions.
func (m *money) subscription(row *keap.Subscription, at place) error {
	s := book.Subscription{
		ID: row.ID.Number, ContactID: row.ContactID.Number, Product: m.words.text(row.Product), PlanID: m.words.text(row.PlanID), Amount: row.Amount.Minor, Currency: m.words.text(row.Amount.Currency),
		SellerID: m.credited(row.SalePartnerID, row.SalePartnerCode), LeadID: m.credited(row.LeadPartnerID, row.LeadPartnerCode), Active: row.Status == sheet.Active || !row.HasStatus,
		StartedAt: unix(row.StartedAt), EndedAt: unix(row.EndedAt),
	}
	if !row.ID.Valid {
		s.ID = madeID(s.ContactID, s.Product, s.PlanID, s.Amount, s.Currency, s.SellerID, s.LeadID, s.StartedAt)
	}
	m.subscriptions.add(s, at)
	return nil
}

// products reports the names of products that [products] does not place, or places twice:
// which share of a sale is a commission depends on it, and is never guessed.
func (m *money) products() {
	type use struct{ orders, commissions int }
	unplaced := map[string]use{}
	settled := map[string]bool{}
	note := func(name, plan string, count func(*use)) {
		if name == "" || settled[name] {
			return
		}
		u, seen := unplaced[name]
		if !seen {
			if kind, ambiguous := m.settings.Products.Kind(name, plan); kind != terms.UnknownProduct && !ambiguous {
				settled[name] = true
				return
			}
		}
		count(&u)
		unplaced[name] = u
	}
	for i := range m.sales.rows {
		for name := range strings.SplitSeq(m.sales.rows[i].Products, ";") {
			note(strings.TrimSpace(name), "", func(u *use) { u.orders++ })
		}
	}
	for i := range m.subscriptions.rows {
		note(m.subscriptions.rows[i].Product, m.subscriptions.rows[i].PlanID, func(u *use) { u.orders++ })
	}
	for i := range m.earnings {
		note(m.earnings[i].Product, "", func(u *use) { u.commissions++ })
	}
	for _, name := range slices.Sorted(maps.Keys(unplaced)) {
		why := "matches no pattern"
		if _, ambiguous := m.settings.Products.Kind(name, ""); ambiguous {
			why = "matches patterns of both membership and training"
		}
		u := unplaced[name]
		m.add(newConflict(KindProduct, clip(name), fmt.Sprintf("the product %q (%s, %s) %s in [products]: it is neither a membership nor a training until one names it, and its sales are compared with no rate",
			clip(name), quantity(u.orders, "order or subscription", "orders or subscriptions"), quantity(u.commissions, "commission or clawback", "commissions or clawbacks"), why)))
	}
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

// sold is an order, or a commission of the first level, by what joins the two: orders
// know no invoice, so it is the customer, the day and the seller.
type sold struct {
	contact, seller int64
	day             int32
	row             int32
}

func compareSold(a, b sold) int {
	return cmp.Or(cmp.Compare(a.contact, b.contact), cmp.Compare(a.day, b.day), cmp.Compare(a.seller, b.seller), cmp.Compare(a.row, b.row))
}

// rates are the shares of the products of one order.
type rates struct {
	low, high terms.Percent
	lines     int
	known     bool // of every product
}

// comparison looks for findings. It only reads.
type comparison struct {
	*money
	percents map[string]rates // by the products of an order, or of a commission
}

// findings compares orders with the commissions of their sellers.
func (m *money) findings() []Finding {
	if len(m.sales.rows) == 0 || len(m.earnings) == 0 {
		return nil
	}
	orders := make([]sold, 0, len(m.sales.rows))
	for i := range m.sales.rows {
		if s := &m.sales.rows[i]; s.SellerID != 0 && !m.house[s.SellerID] {
			orders = append(orders, sold{s.ContactID, s.SellerID, m.dayNumber(s.OrderedAt), int32(i)})
		}
	}
	earned := make([]sold, 0, len(m.earnings))
	for i := range m.earnings {
		if e := &m.earnings[i]; e.Kind == book.KindCommission && (e.SellerID == 0 || e.SellerID == e.PartnerID) && !m.house[e.PartnerID] {
			earned = append(earned, sold{e.ContactID, e.PartnerID, m.dayNumber(e.EarnedAt), int32(i)})
		}
	}
	slices.SortFunc(orders, compareSold)
	slices.SortFunc(earned, compareSold)
	c := comparison{m, map[string]rates{}}
	var out []Finding
	for len(orders) > 0 || len(earned) > 0 {
		var key sold
		if len(earned) == 0 || len(orders) > 0 && compareSold(orders[0], earned[0]) <= 0 {
			key = orders[0]
		} else {
			key = earned[0]
		}
		take := func(list *[]sold) []sold {
			n := 0
			for n < len(*list) && (*list)[n].contact == key.contact && (*list)[n].day == key.day && (*list)[n].seller == key.seller {
				n++
			}
			taken := (*list)[:n]
			*list = (*list)[n:]
			return taken
		}
		o, e := take(&orders), take(&earned)
		kind, comparable := c.compare(o, e)
		if comparable {
			m.compared += len(o)
		} else {
			m.uncompared += len(o)
		}
		if kind != "" {
			out = append(out, c.finding(kind, o, e))
		}
	}
	return out
}

// compare returns the kind of finding that the orders and commissions of one customer,
// day and seller are; empty when they agree. ok is false when they cannot be compared.
func (c *comparison) compare(orders, earned []sold) (kind string, ok bool) {
	if len(orders) == 0 {
		if c.earnings[earned[0].row].ContactID == 0 {
			return "", false
		}
		return FindingNoOrder, true
	}
	total, found := int64(0), int64(0)
	all := rates{low: terms.OneHundredPercent, known: true}
	currency := c.sales.rows[orders[0].row].Currency
	for _, o := range orders {
		s := &c.sales.rows[o.row]
		r := c.ratesOf(s.Products)
		all.low, all.high, all.lines, all.known = min(all.low, r.low), max(all.high, r.high), all.lines+r.lines, all.known && r.known
		if total += s.Total; s.Currency != currency {
			return "", false
		}
	}
	for _, e := range earned {
		if found += c.earnings[e.row].Amount; c.earnings[e.row].Currency != currency {
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
		switch kind, ambiguous := c.settings.Products.Kind(name, ""); {
		case ambiguous || kind == terms.UnknownProduct:
			r.known = false
		case kind == terms.Membership:
			r.low, r.high = min(r.low, c.settings.Terms.MembershipPercent), max(r.high, c.settings.Terms.MembershipPercent)
		default:
			r.low, r.high = min(r.low, c.settings.Terms.TrainingPercent), max(r.high, c.settings.Terms.TrainingPercent)
		}
	}
	if len(c.percents) < maxWords {
		c.percents[products] = r
	}
	return r
}

// finding says what was found.
func (c *comparison) finding(kind string, orders, earned []sold) Finding {
	f := Finding{Kind: kind}
	var ids, invoices, names []string
	once := func(list *[]string, s string) {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(*list, s) && len(*list) < 20 {
			*list = append(*list, s)
		}
	}
	all := rates{low: terms.OneHundredPercent}
	for _, o := range orders {
		s := &c.sales.rows[o.row]
		r := c.ratesOf(s.Products)
		all.low, all.high = min(all.low, r.low), max(all.high, r.high)
		f.Total += s.Total
		f.Currency, f.ContactID, f.PartnerID, f.Day = s.Currency, s.ContactID, s.SellerID, c.day(s.OrderedAt)
		once(&ids, strconv.FormatInt(s.ID, 10))
		for name := range strings.SplitSeq(s.Products, ";") {
			once(&names, name)
		}
	}
	for _, o := range earned {
		e := &c.earnings[o.row]
		f.Found += e.Amount
		f.Currency, f.ContactID, f.PartnerID, f.Day = e.Currency, e.ContactID, e.PartnerID, c.day(e.EarnedAt)
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
func (c *comparison) implied(earned []sold, total int64) bool {
	low, high := int64(0), int64(0)
	for _, o := range earned {
		e := &c.earnings[o.row]
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

// dayNumber counts the days in the program's zone.
func (m *money) dayNumber(at int64) int32 {
	t := time.Unix(at, 0).In(m.settings.Zone)
	_, offset := t.Zone()
	seconds := at + int64(offset)
	return int32((seconds - ((seconds%86400)+86400)%86400) / 86400)
}

func monthOf(at int64, zone *time.Location) int32 {
	return int32(terms.MonthOf(time.Unix(at, 0), zone))
}
