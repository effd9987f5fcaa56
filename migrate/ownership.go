package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/keap"
)

// ownershipInput is what tells whose the customers are. The stage owns the rows.
type ownershipInput struct {
	settings *Settings
	asOf     string // a day such as 2023-03-31
	people   *people
	contacts *knownContacts
	rows     customerRows
	before   *book.KeapRecords
	credited map[string]int64 // promoters whom the live program has credited with customers of the book, by e-mail key
	paths    filePaths
}

// ownership is whose the customers are, and the rows that it was decided by: of several
// with one id the one that holds.
type ownership struct {
	customers []book.Referral // by key; whose each is
	totals    CustomerTotals

	referrals, allReferrals         []book.ReferralRow // of these exports; with those of the book
	orders                          []book.Sale        // of these exports
	subscriptions, allSubscriptions []book.Subscription

	skipped skips
}

// CustomerTotals count the customers that referrals make.
type CustomerTotals struct {
	Customers int `json:"customers"`
	Owned     int `json:"owned"`         // that belong to a promoter
	House     int `json:"house"`         // to nobody: the program's own partner won
	Expired   int `json:"expired"`       // to nobody: every referral has expired
	Later     int `json:"later"`         // to nobody yet: set after as_of
	NoEmail   int `json:"without_email"` // of all of them
	Self      int `json:"self_referred"`
}

// decideOwnership settles the referrals, orders and subscriptions and decides whose every
// customer is.
func decideOwnership(in ownershipInput, conflicts *conflictList) *ownership {
	d := &duplicates{paths: in.paths, conflicts: conflicts}
	settleRows(d, &in.rows.referrals, rowKind[book.ReferralRow]{
		name: keap.Referrals, id: referralRowID, date: func(r *book.ReferralRow) int64 { return r.SetAt }, text: in.referralText,
		known: in.before.ReferralRows.Create,
	})
	settleRows(d, &in.rows.orders, rowKind[book.Sale]{
		name: keap.Orders, id: saleID, date: func(s *book.Sale) int64 { return s.OrderedAt }, text: in.orderText,
		known: in.before.Sales.Create,
	})
	settleRows(d, &in.rows.subscriptions, rowKind[book.Subscription]{
		name: keap.Subscriptions, id: subscriptionID, date: func(s *book.Subscription) int64 { return s.StartedAt }, text: subscriptionText,
		known: in.before.Subscriptions.Create,
	})
	o := &ownership{
		referrals: in.rows.referrals.rows, orders: in.rows.orders.rows, subscriptions: in.rows.subscriptions.rows, skipped: d.skipped,
	}
	o.allReferrals = mergeRows(in.before.ReferralRows.Create, o.referrals, referralRowID)
	o.allSubscriptions = mergeRows(in.before.Subscriptions.Create, o.subscriptions, subscriptionID)

	r := ownershipRules{in, conflicts}
	o.customers = r.keepCredited(r.bySubscription(r.byReferral(o.allReferrals), o.allSubscriptions))
	slices.SortFunc(o.customers, func(a, b book.Referral) int { return strings.Compare(a.Customer, b.Customer) })
	o.totals = r.flagCustomers(o.customers)
	return o
}

// ownershipRules decides by the rows of a plan.
type ownershipRules struct {
	in        ownershipInput
	conflicts *conflictList
}

// byReferral decides for every customer whom it belongs to. rows are all referral rows that
// there are, by id.
func (r *ownershipRules) byReferral(rows []book.ReferralRow) []book.Referral {
	index := map[string]int32{}      // by customer
	ofContact := map[int64]int32{}   // the same, by contact
	next := make([]int32, len(rows)) // rows of one customer, as a list that ends with 0
	var first []int32                // of each customer: 1 + its last row
	var keys []string
	for i := range rows {
		contact := rows[i].ContactID
		c, seen := ofContact[contact]
		if !seen {
			key := r.in.contacts.customer(contact)
			if c, seen = index[key]; !seen {
				c = int32(len(keys))
				index[key] = c
				keys, first = append(keys, key), append(first, 0)
			}
			ofContact[contact] = c
		}
		next[i], first[c] = first[c], int32(i)+1
	}
	customers := make([]book.Referral, 0, len(keys))
	var own []book.ReferralRow
	var competing []terms.KeapReferral
	for c, key := range keys {
		own = own[:0]
		for i := first[c]; i > 0; i = next[i-1] {
			own = append(own, rows[i-1])
		}
		competing = book.KeapReferrals(competing[:0], own)
		customers = append(customers, r.attribute(key, own, competing))
	}
	return customers
}

// attribute decides for one customer: competing are its rows as attribution sees them.
func (r *ownershipRules) attribute(key string, rows []book.ReferralRow, competing []terms.KeapReferral) book.Referral {
	customer := newCustomer(key)
	customer.ContactID, customer.FirstAt = rows[0].ContactID, rows[0].SetAt
	for i := range rows {
		customer.ContactID, customer.FirstAt = min(customer.ContactID, rows[i].ContactID), min(customer.FirstAt, rows[i].SetAt)
	}
	c := terms.AttributeKeap(competing, r.in.asOf, r.in.settings.Owner, r.in.settings.Zone)
	customer.Rule = c.Rule
	if c.Winner < 0 {
		return customer
	}
	won := &rows[c.Winner]
	customer.ContactID, customer.ReferralID, customer.ReferredAt, customer.Source = won.ContactID, won.ID, won.SetAt, won.Source
	if r.in.people.house[won.PartnerID] != nil {
		customer.Rule = terms.RuleHouse
		r.conflicts.inform(KindHouseOwner, key,
			"the referral that wins (%d, of %s) is the program's own partner's: the customer belongs to nobody, "+
				"and the next referral does not inherit", won.ID, day(won.SetAt, r.in.settings.Zone))
		return customer
	}
	customer.PartnerID = won.PartnerID
	return customer
}

func newCustomer(key string) book.Referral {
	r := book.Referral{Customer: key}
	if !strings.HasPrefix(key, contactPrefix) {
		r.Email = key
	}
	return r
}

// bySubscription compares the owners with the partners of running subscriptions, and
// lets a person who decided so give a customer to that one.
func (r *ownershipRules) bySubscription(customers []book.Referral, subscriptions []book.Subscription) []book.Referral {
	byKey := make(map[string]int, len(customers))
	for i := range customers {
		byKey[customers[i].Customer] = i
	}
	people, start := r.in.people.directory, dayStart(r.in.asOf, r.in.settings.Zone)
	for i := range subscriptions { // ascending ids
		s := &subscriptions[i]
		if !s.Active || s.SellerID == 0 || s.EndedAt != 0 && s.EndedAt < start {
			continue
		}
		key := r.in.contacts.customer(s.ContactID)
		at, referred := byKey[key]
		var owner int64
		if referred {
			owner = customers[at].PartnerID
		}
		seller := people.ByPartner(s.SellerID).Promoter
		if people.ByPartner(owner).Promoter == seller {
			continue
		}
		belongs := "to nobody"
		if owner != 0 {
			belongs = "to " + partnerLabel(people, owner)
		}
		c := r.conflicts.add(Conflict{
			ID: KindSubscription + ":" + key, Kind: KindSubscription, Subject: key,
			Recommended: KeepReferral, options: []string{KeepReferral, KeepSubscription},
			Detail: fmt.Sprintf("its running subscription %d (%s) was sold by %s; by its referrals the customer belongs %s",
				s.ID, clip(s.Product), partnerLabel(people, s.SellerID), belongs),
		})
		if c.Decision != KeepSubscription || seller == nil {
			continue
		}
		if !referred {
			at = len(customers)
			byKey[key] = at
			customer := newCustomer(key)
			customer.ContactID, customer.FirstAt, customer.ReferredAt = s.ContactID, s.StartedAt, s.StartedAt
			customers = append(customers, customer)
		}
		customers[at].PartnerID, customers[at].Rule = s.SellerID, terms.RuleSubscription
	}
	return customers
}

// keepCredited leaves customers with whom the book has them of whom the live program has
// credited something to that promoter: what was credited once is handed to nobody else, whatever
// exports say since.
func (r *ownershipRules) keepCredited(customers []book.Referral) []book.Referral {
	if len(r.in.credited) == 0 {
		return customers
	}
	people, held := r.in.people.directory, map[string]*book.Referral{}
	for i := range r.in.before.Referrals.Create {
		if b := &r.in.before.Referrals.Create[i]; b.Email != "" && r.in.credited[b.Email] != 0 {
			held[b.Customer] = b
		}
	}
	for i := range customers {
		c := &customers[i]
		b := held[c.Customer]
		if b == nil {
			continue
		}
		to, owner := people.ByID(r.in.credited[b.Email]).Promoter, people.ByPartner(b.PartnerID).Promoter
		if now := people.ByPartner(c.PartnerID).Promoter; to == nil || owner != to || now == to {
			continue
		}
		by := "to nobody"
		if c.PartnerID != 0 {
			by = "to " + partnerLabel(people, c.PartnerID)
		}
		r.conflicts.inform(KindMovedCustomer, c.Customer,
			"by these exports the customer belongs %s (%s); but the live program has credited it to %s, and it stays %s's",
			by, c.Rule, partnerLabel(people, b.PartnerID), partnerLabel(people, b.PartnerID))
		*c = *b
	}
	return customers
}

// flagCustomers flags buyers who are their own promoter, counts, and reports what is
// unusual.
func (r *ownershipRules) flagCustomers(customers []book.Referral) (t CustomerTotals) {
	for i := range customers {
		c := &customers[i]
		t.Customers++
		switch {
		case c.PartnerID != 0:
			t.Owned++
		case c.Rule == terms.RuleHouse:
			t.House++
		case c.Rule == terms.RuleLater:
			t.Later++
		default:
			t.Expired++
		}
		if c.Email == "" {
			t.NoEmail++
			r.conflicts.inform(KindNoCustomerEmail, strconv.FormatInt(c.ContactID, 10),
				"contact %d was referred and has no usable e-mail address: it is kept under its Keap id, "+
					"and the new platform will not know it until it has one", c.ContactID)
		}
		if g := r.in.people.byPartner[c.PartnerID]; g != nil && g.isCustomer(c) {
			c.Self = true
			t.Self++
			r.conflicts.inform(KindSelfReferral, cmp.Or(c.Email, c.Customer),
				"the customer is the partner %s: it belongs to its own promoter, as in Keap", g.promoter.Token)
		}
	}
	return t
}

// isCustomer reports whether the buyer is one of the partners of the promoter.
func (g *group) isCustomer(c *book.Referral) bool {
	return slices.ContainsFunc(g.members, func(p *partner) bool {
		return p.contactID == c.ContactID || p.email != "" && p.email == c.Email
	})
}

func (in *ownershipInput) referralText(r *book.ReferralRow) string {
	return fmt.Sprintf("contact %d, partner %d, set %s, %s", r.ContactID, r.PartnerID, day(r.SetAt, in.settings.Zone), r.Type)
}

func (in *ownershipInput) orderText(s *book.Sale) string {
	return fmt.Sprintf("contact %d, %s, %s, sold by %d",
		s.ContactID, day(s.OrderedAt, in.settings.Zone), terms.FormatMoney(s.Total, s.Currency), s.SellerID)
}

func subscriptionText(s *book.Subscription) string {
	return fmt.Sprintf("contact %d, %q, %s, sold by %d, active: %t",
		s.ContactID, clip(s.Product), terms.FormatMoney(s.Amount, s.Currency), s.SellerID, s.Active)
}

func referralRowID(r *book.ReferralRow) int64   { return r.ID }
func saleID(s *book.Sale) int64                 { return s.ID }
func subscriptionID(s *book.Subscription) int64 { return s.ID }

// day is the day of an instant (Unix seconds), as 2023-03-31.
func day(at int64, zone *time.Location) string {
	return time.Unix(at, 0).In(zone).Format(time.DateOnly)
}

// dayStart is the first second of a day.
func dayStart(day string, zone *time.Location) int64 {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic("BUG: not a day: " + day) // it was checked when it was read
	}
	return terms.DayStart(d.Year(), d.Month(), d.Day(), zone).Unix()
}

// dayNumber counts the days in a zone.
func dayNumber(at int64, zone *time.Location) int32 {
	_, offset := time.Unix(at, 0).In(zone).Zone()
	seconds := at + int64(offset)
	return int32((seconds - ((seconds%86400)+86400)%86400) / 86400)
}

func monthOf(at int64, zone *time.Location) int32 {
	return int32(terms.MonthOf(time.Unix(at, 0), zone))
}
