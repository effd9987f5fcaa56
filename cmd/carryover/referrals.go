package main

import (
	"cmp"
	"errors"
	"strconv"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

type referralsCmd struct {
	tableFlags
	Promoter string `placeholder:"WHO" help:"Only the customers of this promoter: a ref token, a code or a Keap id."`
	All      bool   `help:"Also customers who belong to nobody, and those without an e-mail address."`
}

func (referralsCmd) Help() string {
	return `One line for every customer who belongs to a promoter and has an e-mail address, or an id of the billing system's: whose it
is, since when, and by which rule that promoter won it. Whoever signed up or bought here since is bound for life, whatever
Keap's referrals say: its source is live, and the rule click, ref_token, coupon or history (a referral of Keap's that no
run has counted). The rule of a customer who belongs to nobody says why: house (the referral that wins is of the program's
own partner), expired (all of them were on the day of the newest run), later (they were set after it). "carryover
explain CUSTOMER" tells the whole story of one. Changes nothing.

Example: carryover referrals --promoter coachdesk`
}

// referralLine is a customer as --json tells it. Times are UTC; empty when there is none.
type referralLine struct {
	Email         string `json:"customer_email"`
	UID           string `json:"uid"`      // the billing system's; empty where Keap's referrals decided
	BoundBy       string `json:"bound_by"` // boundLive or boundKeap
	ContactID     int64  `json:"keap_contact_id"`
	RefToken      string `json:"ref_token"`
	ReferredAt    string `json:"referred_at"`
	FirstReferred string `json:"first_referred_at"`
	Source        string `json:"source"`
	Rule          string `json:"rule"`
	ReferralID    int64  `json:"keap_referral_id"` // 0: none, or the export gave none
	PartnerID     int64  `json:"keap_partner_id"`
	Self          bool   `json:"self_referred"`

	earner book.Earner
	since  int64 // Unix seconds
}

// What decides whose a customer is.
const (
	boundLive = "live" // a sign-up or a sale that was told here
	boundKeap = "keap" // Keap's referrals
)

func newReferralLine(r *book.Referral, dir *book.Directory) referralLine {
	return referralLine{
		Email: r.Email, BoundBy: boundKeap, ContactID: r.ContactID, RefToken: dir.ByPartner(r.PartnerID).Token(),
		ReferredAt: terms.FormatTime(r.ReferredAt, time.UTC), FirstReferred: terms.FormatTime(r.FirstAt, time.UTC),
		Source: r.Source, Rule: r.Rule, ReferralID: max(0, r.ReferralID), PartnerID: r.PartnerID, Self: r.Self,
		earner: book.Earner{PartnerID: r.PartnerID}, since: r.ReferredAt,
	}
}

// bind says whose the customer is since it signed up or bought here: for life, whatever
// Keap's referrals say.
func (l *referralLine) bind(c *book.BoundCustomer, owner book.Owner) {
	since := terms.FormatTime(c.BoundAt, time.UTC)
	l.UID, l.RefToken, l.ReferredAt, l.FirstReferred = c.UID, owner.Token(), since, cmp.Or(l.FirstReferred, since)
	l.earner, l.since = book.Earner{PromoterID: c.PromoterID}, c.BoundAt
	l.BoundBy, l.Source, l.Rule, l.ReferralID = boundLive, boundLive, c.By, 0
	l.PartnerID, l.Self = primaryKeapID(owner), strings.Contains(c.Suspicion, book.ReasonSelf)
}

// primaryKeapID is the Keap id of a promoter's primary partner; 0: it joined here, or there
// is no promoter.
func primaryKeapID(o book.Owner) int64 {
	if o.Promoter == nil {
		return 0
	}
	return max(0, o.Promoter.KeapID)
}

func (c *referralsCmd) Run(a *app) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		dir, err := b.Directory(a.ctx)
		if err != nil {
			return err
		}
		s := customerSheet{all: c.All, dir: dir, zone: cfg.Zone}
		if c.Promoter != "" {
			only, err := a.findOwner(dir, c.Promoter)
			if err != nil {
				return err
			}
			s.only = &only
		}
		bound, err := b.BoundCustomers(a.ctx)
		if err != nil {
			return err
		}
		s.rows = console.NewRows(a.Console, s.table())
		err = s.list(bound, func(fn func(book.Referral) error) error { return b.Customers(a.ctx, fn) })
		if err = errors.Join(err, s.rows.End()); err != nil || a.Form != console.Text {
			return err
		}
		switch {
		case s.more == 1:
			err = a.Say("\n1 more has no e-mail address or belongs to nobody: --all")
		case s.more > 1:
			err = a.Say("\n%d more have no e-mail address or belong to nobody: --all", s.more)
		}
		return err
	})
}

// customerSheet lists customers.
type customerSheet struct {
	all  bool
	only *book.Match // whose customers; nil: everybody's
	dir  *book.Directory
	zone *time.Location
	rows *console.Rows[referralLine]
	more int // customers that only --all lists
}

func (s *customerSheet) table() *console.Table[referralLine] {
	return &console.Table[referralLine]{
		Titles: []string{"customer", "contact", "ref token", "referred", "source", "rule", "partner", "referral"},
		Cells: func(l *referralLine) []string {
			email, rule := l.Email, l.Rule
			switch {
			case email == "" && l.UID != "":
				email = "uid:" + l.UID
			case email == "":
				email = "(needs an e-mail)"
			}
			if l.Self {
				rule += ", self"
			}
			return []string{
				email, number(l.ContactID), s.dir.Name(l.earner), terms.FormatDay(l.since, s.zone), l.Source, rule,
				number(l.PartnerID), number(l.ReferralID),
			}
		},
		Below: []string{"contact", "partner", "referral"},
		Empty: "No customers.",
	}
}

// list puts the customers of Keap and those who were bound since together. Both come in
// the order of addresses.
func (s *customerSheet) list(bound []book.BoundCustomer, customers func(func(book.Referral) error) error) error {
	next := func() *book.BoundCustomer {
		c := &bound[0]
		bound = bound[1:]
		return c
	}
	alone := func() error { // of whom Keap did not know
		c := next()
		return s.add(&book.Referral{Email: c.Email}, c)
	}
	err := customers(func(r book.Referral) error {
		for len(bound) > 0 && bound[0].Email < r.Customer {
			if err := alone(); err != nil {
				return err
			}
		}
		if r.Email != "" && len(bound) > 0 && bound[0].Email == r.Email {
			return s.add(&r, next())
		}
		return s.add(&r, nil)
	})
	for err == nil && len(bound) > 0 {
		err = alone()
	}
	return err
}

// add lists a customer; c is nil where Keap's referrals decide whose it is.
func (s *customerSheet) add(r *book.Referral, c *book.BoundCustomer) error {
	l := newReferralLine(r, s.dir)
	if c != nil {
		l.bind(c, s.dir.ByEarner(book.Earner{PromoterID: c.PromoterID}))
	}
	if s.only != nil && !s.only.Earned(s.dir, l.earner) {
		return nil
	}
	if !s.all && (l.Email == "" && l.UID == "" || l.RefToken == "") {
		s.more++
		return nil
	}
	return s.rows.Add(&l)
}

// number writes an id; empty for 0.
func number(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}
