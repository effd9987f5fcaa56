package migrate

import (
	"cmp"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/program"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// order loads a row of the orders.
func (m *money) order(row *keap.Order, at place) error {
	m.sales = append(m.sales, standing[book.Sale]{book.Sale{
		ID: row.ID.Number, ContactID: row.ContactID.Number, OrderedAt: row.OrderedAt.Time.Unix(), Total: row.Total.Minor, Currency: m.text(row.Total.Currency),
		Products: m.text(row.Products), SellerID: row.SalePartnerID.Number, LeadID: row.LeadPartnerID.Number, Type: m.text(row.Type),
	}, at})
	return nil
}

// subscription loads a row of the subscriptions.
func (m *money) subscription(row *keap.Subscription, at place) error {
	s := book.Subscription{
		ID: row.ID.Number, ContactID: row.ContactID.Number, Product: m.text(row.Product), PlanID: m.text(row.PlanID), Amount: row.Amount.Minor, Currency: m.text(row.Amount.Currency),
		SellerID: row.SalePartnerID.Number, LeadID: row.LeadPartnerID.Number, Active: row.Status == sheet.Active || !row.HasStatus,
		StartedAt: unix(row.StartedAt), EndedAt: unix(row.EndedAt),
	}
	if !row.ID.Valid {
		s.ID = madeID(s.ContactID, s.Product, s.PlanID, s.Amount, s.Currency, s.SellerID, s.LeadID, s.StartedAt)
	}
	m.subscriptions = append(m.subscriptions, standing[book.Subscription]{s, at})
	return nil
}

// products reports the names of products that [products] does not place, or places twice:
// which share of a sale is a commission depends on it, and is never guessed.
func (m *money) products() {
	type use struct{ orders, commissions int }
	unplaced := map[string]use{}
	placed := map[string]bool{}
	note := func(name string, count func(*use)) {
		if name == "" || standing[name] {
			return
		}
		u, seen := unplaced[name]
		if !seen {
			if kind, ambiguous := m.settings.Products.Kind(name, ""); kind != program.Unknown && !ambiguous {
				standing[name] = true
				return
			}
		}
		count(&u)
		unplaced[name] = u
	}
	for i := range m.sales {
		for name := range strings.SplitSeq(m.sales[i].row.Products, ";") {
			note(strings.TrimSpace(name), func(u *use) { u.orders++ })
		}
	}
	for i := range m.subscriptions {
		note(m.subscriptions[i].row.Product, func(u *use) { u.orders++ })
	}
	for i := range m.earnings {
		note(m.earnings[i].Product, func(u *use) { u.commissions++ })
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
	day             int64
	index           int32
}

func compareSold(a, b sold) int {
	return cmp.Or(cmp.Compare(a.contact, b.contact), cmp.Compare(a.day, b.day), cmp.Compare(a.seller, b.seller), cmp.Compare(a.index, b.index))
}

// findings compares orders with the commissions of their sellers.
func (m *money) findings() []Finding {
	if len(m.sales) == 0 || len(m.earnings) == 0 {
		return nil
	}
	orders := make([]sold, 0, len(m.sales))
	for i := range m.sales {
		if s := &m.sales[i].row; s.SellerID != 0 && !m.house[s.SellerID] {
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
		if f, ok := m.finding(take(&orders), take(&earned)); !ok {
			out = append(out, f)
		}
	}
	return out
}

// finding compares the orders and commissions of one customer, day and seller; ok is
// true when they agree, or cannot be compared.
func (m *money) finding(orders, earned []sold) (f Finding, ok bool) {
	var ids, invoices, names []string
	once := func(list *[]string, s string) {
		if s != "" && !slices.Contains(*list, s) && len(*list) < 20 {
			*list = append(*list, s)
		}
	}
	lines, zero := 0, true
	low, high := program.Percent(-1), program.Percent(-1) // rates of the products that were ordered
	known := true
	rateOf := func(name string) {
		rate, ok := m.rate(name)
		if known = known && ok; !ok {
			return
		}
		if low < 0 || rate < low {
			low = rate
		}
		high = max(high, rate)
	}
	for _, o := range orders {
		s := &m.sales[o.index].row
		once(&ids, fmt.Sprint(s.ID))
		f.Total += s.Total
		zero = zero && s.Total == 0
		if f.Currency != "" && f.Currency != s.Currency {
			return f, true
		}
		f.Currency, f.ContactID, f.PartnerID, f.Day = s.Currency, s.ContactID, s.SellerID, m.day(s.OrderedAt)
		for name := range strings.SplitSeq(s.Products, ";") {
			lines++
			name = strings.TrimSpace(name)
			once(&names, name)
			rateOf(name)
		}
	}
	for _, c := range earned {
		e := &m.earnings[c.index]
		once(&invoices, e.Invoice)
		f.Found += e.Amount
		if f.Currency != "" && f.Currency != e.Currency {
			return f, true
		}
		f.Currency, f.ContactID, f.PartnerID, f.Day = e.Currency, e.ContactID, e.PartnerID, m.day(e.EarnedAt)
		if len(orders) == 0 {
			once(&names, e.Product)
		}
	}
	f.Orders, f.Invoices, f.Products = strings.Join(ids, " "), strings.Join(invoices, " "), strings.Join(names, "; ")
	if len(orders) == 0 {
		f.Kind, f.Explanation = FindingNoOrder, "a commission, and no order of this customer, day and seller"
		return f, f.ContactID == 0
	}
	if !known || low < 0 {
		return f, true // its product is reported by itself
	}
	least, most := program.Share(f.Total, low), program.Share(f.Total, high)
	if f.Total < 0 {
		least, most = most, least
	}
	f.Expected = least
	switch {
	case len(earned) == 0 && zero:
		return f, true
	case len(earned) == 0:
		f.Kind, f.Explanation = FindingNoCommission, "a sale of this partner, and no commission of this customer and day"
		return f, false
	case low == high && lines == 1:
		ok = f.Found == f.Expected
	case low == high: // each line was rounded by itself
		ok = abs(f.Found-f.Expected) <= int64(lines)
	default:
		ok = m.implied(orders, earned, f.Total)
		f.Explanation = fmt.Sprintf("products of several rates: from %s to %s", sheet.FormatMinor(least, f.Currency), sheet.FormatMinor(most, f.Currency))
	}
	f.Kind = FindingRate
	f.Explanation = cmp.Or(f.Explanation, fmt.Sprintf("%s of %s is %s", low, sheet.FormatMinor(f.Total, f.Currency), sheet.FormatMinor(f.Expected, f.Currency)))
	return f, ok
}

// implied reports whether commissions of several rates can come from orders of that
// total: each tells, but for its rounding, what was paid for its product.
func (m *money) implied(orders, earned []sold, total int64) bool {
	low, high := int64(0), int64(0)
	for _, c := range earned {
		e := &m.earnings[c.index]
		rate, ok := m.rate(e.Product)
		if !ok || rate <= 0 {
			return true
		}
		// Prices whose share rounds to the amount lie within half a unit of it on each side.
		low += price(max(e.Amount-1, 0), rate)
		high += price(e.Amount+1, rate)
	}
	return low <= total && total <= high
}

// price is what amount is the given share of, to the unit below.
func price(amount int64, rate program.Percent) int64 {
	hi, lo := bits.Mul64(uint64(amount), uint64(program.Whole))
	if hi >= uint64(rate) {
		return 1<<63 - 1
	}
	q, _ := bits.Div64(hi, lo, uint64(rate))
	return int64(min(q, 1<<62))
}

// rate is the share that the terms give of a product.
func (m *money) rate(product string) (program.Percent, bool) {
	kind, ambiguous := m.settings.Products.Kind(product, "")
	switch {
	case ambiguous:
	case kind == program.Membership:
		return m.settings.Terms.MembershipPercent, true
	case kind == program.Training:
		return m.settings.Terms.TrainingPercent, true
	}
	return 0, false
}

// dayNumber counts the days in the program's zone.
func (m *money) dayNumber(at int64) int64 {
	t := time.Unix(at, 0).In(m.settings.Zone)
	_, offset := t.Zone()
	seconds := at + int64(offset)
	return (seconds - ((seconds%86400)+86400)%86400) / 86400
}

func monthOf(at int64, zone *time.Location) int32 {
	return int32(program.MonthOf(time.Unix(at, 0), zone))
}
