package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// story is what the book knows of a customer.
type story struct {
	Why        string  `json:"why"` // whose it is and why, in one sentence
	Email      string  `json:"customer_email"`
	Name       string  `json:"customer_name"`
	ContactIDs []int64 `json:"keap_contact_ids"`

	RefToken      string `json:"ref_token"`
	PartnerID     int64  `json:"keap_partner_id"`
	Rule          string `json:"rule"` // empty: never referred
	ReferredAt    string `json:"referred_at"`
	FirstReferred string `json:"first_referred_at"`
	ReferralID    int64  `json:"keap_referral_id"`
	Self          bool   `json:"self_referred"`

	UID   string   `json:"uid,omitempty"`   // the billing system's
	Bound *binding `json:"bound,omitempty"` // by an event that was tracked here

	AsOf     string     `json:"as_of"`
	Owner    string     `json:"owner_rule"`           // among referrals that counted: latest or first
	Other    *otherRule `json:"other_rule,omitempty"` // when it would have chosen somebody else
	Timeline []moved    `json:"timeline"`
}

// otherRule is how the referrals would have come out.
type otherRule struct {
	Owner      string `json:"owner_rule"`
	RefToken   string `json:"ref_token"` // empty: nobody
	PartnerID  int64  `json:"keap_partner_id"`
	ReferralID int64  `json:"keap_referral_id"`
}

// moved is one thing that happened to a customer.
type moved struct {
	at   int64
	owns string // what people call the owner of the partner
	text string // the rest of it, for people

	At         string `json:"at"`   // in the program's zone; empty: not known
	What       string `json:"kind"` // referral, order, subscription, or the kind of an entry
	ID         int64  `json:"keap_id,omitempty"`
	RefToken   string `json:"ref_token"`
	PartnerID  int64  `json:"keap_partner_id"`
	Outcome    string `json:"outcome,omitempty"` // of a referral: won, house, lost: earlier, lost: later, lost: type, lost: lower id, expired, set after as_of
	Type       string `json:"type,omitempty"`
	Source     string `json:"source,omitempty"`
	ExpiresOn  string `json:"expires_on,omitempty"` // its last day
	Amount     *int64 `json:"amount_cents,omitempty"`
	Currency   string `json:"currency,omitempty"`
	Product    string `json:"product,omitempty"`
	Invoice    string `json:"invoice,omitempty"`
	Level      int    `json:"level,omitempty"`
	EventID    string `json:"event_id,omitempty"`
	SourceFile string `json:"source_file,omitempty"`
	SourceLine int64  `json:"source_line,omitempty"`
}

// storyOf tells the story of the customer with the given key.
func (x *explainer) storyOf(key string) (*story, error) {
	s := &story{AsOf: x.asOf, Owner: x.cfg.Import.Owner, ContactIDs: []int64{}, Timeline: []moved{}}
	r, err := x.b.Customer(x.ctx, key)
	if err != nil && !errors.Is(err, book.ErrNoCustomer) {
		return nil, err
	}
	known, err := x.b.ContactsOf(x.ctx, key)
	if err != nil {
		return nil, err
	}
	for _, k := range known {
		s.ContactIDs = append(s.ContactIDs, k.ID)
		s.Email, s.Name = k.Email, cmp.Or(s.Name, k.Name)
	}
	if id, err := strconv.ParseInt(strings.TrimPrefix(key, "contact:"), 10, 64); err == nil && len(known) == 0 {
		s.ContactIDs = []int64{id}
	}
	if r.Customer != "" {
		l := newReferralLine(&r, x.dir)
		s.RefToken, s.PartnerID, s.Rule, s.Self = l.RefToken, l.PartnerID, l.Rule, l.Self
		s.ReferredAt, s.FirstReferred, s.ReferralID = l.ReferredAt, l.FirstReferred, l.ReferralID
	}
	if err := x.compete(s, &r); err != nil {
		return nil, err
	}
	if err := x.addSales(s); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(key, "contact:") {
		if err := x.addTracked(s, key, ""); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(s.Timeline, func(a, b moved) int { return cmp.Compare(a.at, b.at) })
	return s, nil
}

// compete tells what became of the referrals of a customer, and why r is its owner.
func (x *explainer) compete(s *story, r *book.Referral) error {
	rows, err := x.b.ReferralRowsOf(x.ctx, s.ContactIDs)
	if err != nil {
		return err
	}
	under := func(owner string) (c terms.KeapAttribution, winner book.ReferralRow) {
		if c = terms.AttributeKeap(book.KeapReferrals(nil, rows), x.asOf, owner, x.cfg.Zone); c.Winner >= 0 {
			winner = rows[c.Winner]
		}
		return c, winner
	}
	other := otherOwner(s.Owner)
	c, winner := under(s.Owner)
	otherwise, wins := under(other)
	if winner.ID != r.ReferralID && wins.ID == r.ReferralID { // the configuration has changed since the run
		s.Owner, other, c, otherwise, winner, wins = other, s.Owner, otherwise, c, wins, winner
	}
	for i := range rows {
		s.Timeline = append(s.Timeline, x.referral(&rows[i], s.Owner, c.Verdicts[i]))
	}
	counted := 0
	for _, v := range c.Verdicts {
		if v != terms.ReferralExpired && v != terms.ReferralLater {
			counted++
		}
	}
	s.Why = x.why(s, r, &winner, counted)
	if r.Rule != terms.RuleSubscription && otherwise.Winner >= 0 && x.name(wins.PartnerID) != x.name(winner.PartnerID) {
		s.Other = &otherRule{Owner: other, RefToken: x.dir.ByPartner(wins.PartnerID).Token(), PartnerID: wins.PartnerID, ReferralID: max(0, wins.ID)}
	}
	return nil
}

func otherOwner(owner string) string {
	if owner == terms.OwnerFirst {
		return terms.OwnerLatest
	}
	return terms.OwnerFirst
}

// why says in one sentence whose a customer is. counted is how many referrals neither had
// expired nor were set later.
func (x *explainer) why(s *story, r *book.Referral, winner *book.ReferralRow, counted int) string {
	who := cmp.Or(s.Email, s.Name)
	if s.Email == "" && len(s.ContactIDs) > 0 {
		who = strings.TrimSpace(fmt.Sprintf("contact %d %s", s.ContactIDs[0], s.Name))
	}
	its := fmt.Sprintf("its referral of %s", x.minute(winner.SetAt))
	if winner.Source != "" {
		its += " (by " + winner.Source + ")"
	}
	belongs := who + " belongs to " + x.owner(book.Earner{PartnerID: r.PartnerID})
	if r.Self {
		belongs += ", and is that promoter"
	}
	among := fmt.Sprintf("of the %d that counted on %s", counted, s.AsOf)
	switch r.Rule {
	case terms.RuleOnly:
		return fmt.Sprintf("%s: %s is the only one that counted on %s.", belongs, its, s.AsOf)
	case terms.RuleLatest:
		return fmt.Sprintf("%s: %s is the latest %s.", belongs, its, among)
	case terms.RuleFirst:
		return fmt.Sprintf("%s: %s is the earliest %s.", belongs, its, among)
	case terms.RuleType:
		return fmt.Sprintf("%s: %s, %s, goes before the others of that minute: permanent before manual before cookie.", belongs, its, winner.Type)
	case terms.RuleID:
		return fmt.Sprintf("%s: %s has the highest id of those of that minute and type.", belongs, its)
	case terms.RuleSubscription:
		return belongs + ": a person decided for the partner of its running subscription."
	case terms.RuleHouse:
		return fmt.Sprintf("%s belongs to nobody: %s wins, and it is of the program's own partner; the next one does not inherit.", who, its)
	case terms.RuleExpired:
		return fmt.Sprintf("%s belongs to nobody: all of its referrals had expired on %s.", who, s.AsOf)
	case terms.RuleLater:
		return fmt.Sprintf("%s belongs to nobody yet: what has not expired was set after %s.", who, s.AsOf)
	}
	return who + " belongs to nobody: no promoter ever referred it."
}

// referral is a row of the referrals on the timeline.
func (x *explainer) referral(r *book.ReferralRow, owner, verdict string) moved {
	outcome := map[string]string{
		terms.ReferralExpired: "expired", terms.ReferralLater: "set after as_of", terms.ReferralLost: "lost: earlier",
		terms.RuleType: "lost: type", terms.RuleID: "lost: lower id", terms.ReferralWon: "won",
	}[verdict]
	switch {
	case verdict == terms.ReferralLost && owner == terms.OwnerFirst:
		outcome = "lost: later"
	case verdict == terms.ReferralWon && x.dir.ByPartner(r.PartnerID).House:
		outcome = "house"
	}
	m := x.moved(r.SetAt, "referral", book.Earner{PartnerID: r.PartnerID})
	m.ID, m.Outcome, m.Type, m.Source, m.ExpiresOn = max(0, r.ID), outcome, r.Type, r.Source, r.ExpiresOn
	m.text = r.Type + ", never expires"
	if r.ExpiresOn != "" {
		m.text = r.Type + ", expires " + r.ExpiresOn
	}
	if r.Source != "" {
		m.text += ", by " + r.Source
	}
	return m
}

// addSales puts orders, subscriptions and the ledger's entries on the timeline.
func (x *explainer) addSales(s *story) error {
	sales, err := x.b.SalesOf(x.ctx, s.ContactIDs)
	if err != nil {
		return err
	}
	subscriptions, err := x.b.SubscriptionsOf(x.ctx, s.ContactIDs)
	if err != nil {
		return err
	}
	entries, err := x.b.EntriesOf(x.ctx, s.ContactIDs)
	if err != nil {
		return err
	}
	for i := range sales {
		o := &sales[i]
		m := x.moved(o.OrderedAt, "order", book.Earner{PartnerID: o.SellerID})
		m.ID, m.Amount, m.Currency, m.Product, m.text = o.ID, &o.Total, o.Currency, o.Products, o.Products
		if o.LeadID != 0 && o.LeadID != o.SellerID {
			m.text += ", lead by " + x.name(o.LeadID)
		}
		s.Timeline = append(s.Timeline, m)
	}
	for i := range subscriptions {
		u := &subscriptions[i]
		m := x.moved(u.StartedAt, "subscription", book.Earner{PartnerID: u.SellerID})
		m.ID, m.Amount, m.Currency, m.Product, m.Outcome = max(0, u.ID), &u.Amount, u.Currency, u.Product, "active"
		m.text = u.Product
		if !u.Active {
			m.Outcome = "inactive"
		}
		if u.EndedAt != 0 {
			m.text += ", ends " + x.day(u.EndedAt)
		}
		s.Timeline = append(s.Timeline, m)
	}
	for i := range entries {
		e := &entries[i]
		m := x.moved(e.At, e.Kind, e.Earner)
		m.Amount, m.Currency, m.Product, m.Invoice, m.Level = &e.Amount, e.Currency, e.Product, e.Invoice, level(e)
		m.EventID, m.SourceFile, m.SourceLine = e.ID, e.Source, e.Line
		m.text = cmp.Or(e.Product, e.Description)
		if e.Invoice != "" {
			m.text += ", invoice " + e.Invoice
		}
		if m.Level == 2 {
			m.text += ", second level: sold by " + x.name(e.SellerID)
		}
		m.text += ", " + m.EventID
		s.Timeline = append(s.Timeline, m)
	}
	return nil
}

func (x *explainer) moved(at int64, what string, by book.Earner) moved {
	owner, partner := x.dir.ByEarner(by), by.PartnerID
	if by.PromoterID != 0 && owner.Promoter != nil {
		partner = owner.Promoter.KeapID
	}
	return moved{at: at, owns: x.dir.Name(by), At: terms.FormatTime(at, x.cfg.Zone), What: what, RefToken: owner.Token(), PartnerID: partner}
}

// name is what people call the owner of a partner of Keap's.
func (x *explainer) name(partner int64) string { return x.dir.Name(book.Earner{PartnerID: partner}) }

// writeStory tells a story to a person.
func (x *explainer) writeStory(s *story, out io.Writer) error {
	if s.Why != "" {
		fmt.Fprintln(out, s.Why)
	}
	if s.Bound != nil {
		switch f := s.Bound.FirstClick; {
		case f == nil:
			fmt.Fprintln(out, "Who clicked first is not known.")
		case f.RefToken == s.Bound.RefToken:
			fmt.Fprintln(out, "Under first click it would be the same promoter's.")
		default:
			fmt.Fprintf(out, "Under first click it would be of %s (%s).\n", f.RefToken, f.At)
		}
	}
	if o := s.Other; o != nil && s.Bound == nil {
		fmt.Fprintf(out, "With owner = %q in [import] it would be of %s.\n", o.Owner, x.owner(book.Earner{PartnerID: o.PartnerID}))
	}
	if len(s.Timeline) == 0 {
		return nil
	}
	var rows [][]string
	for _, m := range s.Timeline {
		when, what, amount := m.At, m.What, ""
		if m.at != 0 {
			when = x.minute(m.at)
		}
		if m.ID != 0 {
			what += " " + strconv.FormatInt(m.ID, 10)
		}
		if m.Amount != nil {
			amount = x.cfg.Amount(*m.Amount, m.Currency)
		}
		rows = append(rows, []string{when, what, m.owns, amount, m.Outcome, m.text})
	}
	fmt.Fprintln(out)
	return x.table(out, []string{"when", "what", "promoter", "amount", "became", "more"}, rows)
}
