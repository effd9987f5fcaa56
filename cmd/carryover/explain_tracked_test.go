package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"carryover/cmd/carryover/internal/console"
	"carryover/gateway/click"
	"carryover/gateway/track"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// teller tells the book of a desk what a billing system would.
type teller struct {
	*payDesk
	keys *click.Keyring
	s    *track.Service
	now  time.Time
}

// tells books what fn tells, and lets go of the book again.
func (d *payDesk) tells(fn func(s *teller)) {
	d.Helper()
	cfg := d.config()
	keys, err := click.NewKeyring([]byte("a key of the cookie"))
	if err != nil {
		d.Fatal(err)
	}
	d.inBook(func(b *book.Book) error {
		s := &teller{payDesk: d, keys: keys}
		s.s = track.New(track.Options{
			Book: b, Terms: cfg.Terms, Products: cfg.Products, Currency: cfg.Currency, Zone: d.zone, Keys: keys,
			CreditPolicy: terms.CreditPolicy{InactiveEarn: true},
			Now:          func() time.Time { return s.now }, Logger: slog.New(slog.DiscardHandler),
		})
		fn(s)
		return s.s.Close(context.Background())
	})
}

// at is an hour of a day in the program's zone: 2023-01-05 09:00.
func (d *payDesk) at(text string) time.Time {
	d.Helper()
	t, err := time.ParseInLocation("2006-01-02 15:04", text, d.zone)
	if err != nil {
		d.Fatal(err)
	}
	return t
}

// tell tells of something at a time. The call must be booked.
func (s *teller) tell(when string, c track.Call) track.Result {
	s.Helper()
	s.now = s.at(when)
	r, err := s.s.Submit(context.Background(), &c)
	if err != nil || r.Outcome != track.Booked {
		s.Fatalf("%+v: %+v, %v", c, r, err)
	}
	return r
}

// cookie is what a browser holds after clicks on promoters' links.
func (s *teller) cookie(clicks ...string) string {
	s.Helper()
	var m click.Mark
	for i, text := range clicks {
		token, when, _ := strings.Cut(text, " ")
		m = m.WithVisit(click.Visit{Token: token, Click: book.ClickID{Node: "web1", Seq: int64(i + 1)}, At: s.at(when)})
	}
	return s.keys.Sign(m)
}

// Explanations of what the tracking API has booked: clicks, sign-up, sales, refunds and what a
// person decided. What they say of every case is tested in mapping/history.
func TestExplainTracked(t *testing.T) {
	d := newPayDesk(t)
	d.tells(func(s *teller) {
		s.tell("2023-01-05 09:00", track.Call{Kind: book.EventSignup, Email: "kim@shop.test", UID: "u-1",
			TID: s.cookie("bo 2022-12-20 10:00", "ann 2023-01-01 11:00"), RefID: "cy", PromoCode: "none"})
		s.tell("2023-01-06 09:00", track.Call{Kind: book.EventSale, UID: "u-1", EventID: "pay-1", Amount: 10000, Plan: "Agency Membership",
			RefID: "cy"})
		s.tell("2023-01-07 09:00", track.Call{Kind: book.EventSale, UID: "u-1", EventID: "pay-2", Amount: 2000, Plan: "a mug"})
		s.tell("2023-02-01 09:00", track.Call{Kind: book.EventRefund, UID: "u-1", EventID: "back-1", SaleEventID: "pay-1", Amount: 4000})
		s.tell("2023-02-02 09:00", track.Call{Kind: book.EventCancellation, UID: "u-1", EventID: "gone-1"})
		s.tell("2023-01-08 09:00", track.Call{Kind: book.EventSignup, UID: "u-2", RefID: "bo", TID: s.cookie("ann 2023-01-20 10:00")})
		s.tell("2023-01-09 09:00", track.Call{Kind: book.EventSale, UID: "u-2", EventID: "pay-3", Amount: 4000, Plan: "Agency Membership"})
	})
	d.ok("promoters", "set", "cy", "coupon=CY20", "--by", "kim")
	d.tells(func(s *teller) {
		s.tell("2023-01-10 09:00", track.Call{Kind: book.EventSale, Email: "lee@shop.test", EventID: "pay-4", Amount: 4000,
			Plan: "Agency Membership", PromoCode: "cy20", TID: s.cookie("ann 2023-01-20 10:00")})
		s.tell("2023-01-11 09:00", track.Call{Kind: book.EventSignup, Email: "max@shop.test", TID: s.cookie("ann 2023-01-11 08:00"),
			RefID: "ann"})
	})

	kim := d.ok("explain", "kim@shop.test")
	d.contains(kim,
		"kim@shop.test belongs to ann (Keap id 1) for life: the last click before its sign-up of 2023-01-05 09:00 "+
			"was on a link of ann (2023-01-01 11:00, click web1.2).",
		"Under first click it would be of bo (2022-12-20T10:00:00-08:00).", "the first one that is known, web1.1",
		"the last one that is known, web1.2",
		"ref_token of cy: changes nothing", "by click", "by owner", "25% of 100.00", "Agency Membership, of 2023-01, t-3", "-10.00",
		"-40.00", "cancellation", "unknown_product", "to review",
		`no pattern of [products] says what "a mug" is`)
	if strings.Contains(kim, "ref_token of ann") || strings.Contains(kim, "coupon none: changes") {
		t.Errorf("what was not in question is told:\n%s", kim)
	}
	if d.ok("explain", "uid: u-1 ") != kim {
		t.Error("it is explained otherwise by its uid")
	}
	v := d.objects(d.ok("explain", "uid:u-1", "--json"))[0]
	bound, _ := v["bound"].(map[string]any)
	first, _ := bound["first_click"].(map[string]any)
	if fmt.Sprint(v["customer_email"], " ", v["uid"], " ", v["ref_token"], " ", v["keap_partner_id"], " ",
		v["rule"]) != "kim@shop.test u-1 ann 1 click" ||
		bound["by"] != "click" || bound["click"] != "web1.2" || bound["event"] != "#1" || bound["at"] != "2023-01-05T09:00:00-08:00" ||
		first["ref_token"] != "bo" || first["click"] != "web1.1" {
		t.Errorf("%v", v)
	}
	// Without an address, by a ref token, a click that came too late beside it.
	d.contains(d.ok("explain", "uid:u-2"),
		"customer uid:u-2 belongs to bo (Keap id 2) for life: its sign-up of 2023-01-08 09:00 named the ref token bo.",
		"click ann: after the signup", "Who clicked first is not known.", "10.00")
	// By its first sale, and a coupon.
	d.contains(d.ok("explain", "lee@shop.test"),
		"lee@shop.test belongs to cy (Keap id 3) for life: its first sale of 2023-01-10 09:00 named the coupon cy20.")
	// One click alone is the first and the last.
	one := d.ok("explain", "max@shop.test")
	d.contains(one, "Under first click it would be the same promoter's.")
	if strings.Count(one, "that is known") != 1 || strings.Contains(one, "changes nothing") {
		t.Errorf("one click is told twice, or a token that says the same:\n%s", one)
	}
	// Of an event, and of a click.
	d.contains(d.ok("explain", "event:pay-1"), "Event pay-1 is a sale of 2023-01-06 09:00 over 100.00, credited to ann (Keap id 1).",
		"kim@shop.test belongs to ann", "t-1")
	d.contains(d.ok("explain", "web1.2"), "It brought a signup on 2023-01-05 09:00, credited to ann (Keap id 1).",
		"kim@shop.test belongs to ann")
	d.fails(console.ExitFailed, []string{"the book has no click web1.7"}, "explain", "web1.7")

	// What a person decides stands on the timeline.
	d.ok("review", "deny", "t-2", "--by", "Jo")
	d.contains(d.ok("explain", "kim@shop.test"), "unknown_product, decided by Jo", "denied")
}

// A customer of Keap's whose referral no run has counted is bound by it.
func TestExplainHistory(t *testing.T) {
	d := newPayDesk(t)
	d.inBook(func(b *book.Book) error {
		run, err := b.LastImport(t.Context())
		if err != nil {
			return err
		}
		m := book.KeapRecords{
			Contacts: book.Rows[book.Contact]{Create: []book.Contact{{ID: 11, Email: "pia@shop.test", Name: "Pia"}}},
			Referrals: book.Rows[book.Referral]{Create: []book.Referral{{Customer: "pia@shop.test", Email: "pia@shop.test", ContactID: 11,
				Rule: terms.RuleLater}}},
			ReferralRows: book.Rows[book.ReferralRow]{Create: []book.ReferralRow{{ID: 501, ContactID: 11, PartnerID: 3,
				SetAt: d.at("2023-04-02 09:00").Unix(), Type: "COOKIE"}}},
		}
		_, err = b.Apply(t.Context(), book.Import{PlanID: "later", AppliedAt: time.Unix(1_600_000_001, 0), Inputs: []byte("{}"),
			Tables: []byte("{}")}, run.ID, &book.Changes{KeapRecords: m}, nil, func(int) {})
		return err
	})
	d.contains(d.ok("explain", "pia@shop.test"), "belongs to nobody yet")
	d.tells(func(s *teller) {
		s.tell("2023-04-05 09:00", track.Call{Kind: book.EventSale, Email: "pia@shop.test", EventID: "pay-1", Amount: 4000,
			Plan: "Agency Membership"})
	})
	d.contains(d.ok("explain", "pia@shop.test"),
		"pia@shop.test belongs to cy (Keap id 3) for life: "+
			"nothing else was known at its first sale of 2023-04-05 09:00 than Keap's referral of 2023-04-02 09:00.",
		"by history", "10.00")
}
