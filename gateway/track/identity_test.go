package track

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// identityNames are the customers of one case of [TestTwoIdentities]: what is known of them, and
// whose they are.
type identityNames struct {
	n     int // of the case: every one has customers of its own
	owner map[string]string
}

func (c identityNames) uid(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf("%s-%d", name, c.n)
}

func (c identityNames) email(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf("%s-%d@mail.test", name, c.n)
}

// Whatever uid and address a call names together, an address that is a live or a carried
// customer's stays its owner's, a uid too, and a call that names two customers is flagged.
func TestTwoIdentities(t *testing.T) {
	const house = "the program"
	owners := map[string]string{ // by uid or address
		"ua": "anna", "u0": "anna", "ub": "ben", "uc": "zoe", "u-new": "",
		"a": "anna", "b": "ben", "b0": "ben", "c": "zoe",
		"carried": "ben", "anns": "anna", "house": house, "expired": "", "later": "anna", "new": "",
	}
	customerOf := map[string]string{"ua": "A", "a": "A", "u0": "0", "ub": "B", "b": "B", "b0": "B0", "uc": "C", "c": "C"}
	hasUID := map[string]bool{"a": true, "b": true, "c": true}
	kinds := []string{book.EventSignup, book.EventSale, book.EventRefund, book.EventCancellation}
	uids := []string{"", "u-new", "ua", "u0", "ub", "uc"}
	emails := []string{"", "new", "a", "b", "b0", "c", "carried", "anns", "house", "expired", "later"}

	f := newFixture(t, nil)
	type call struct {
		identityNames
		kind, uid, email string
	}
	var cases []call
	var m book.KeapRecords
	for _, kind := range kinds {
		for _, uid := range uids {
			for _, email := range emails {
				if uid == "" && email == "" {
					continue
				}
				c := call{identityNames{len(cases), owners}, kind, uid, email}
				cases = append(cases, c)
				carried := func(name string, partner int64, rule string) {
					id := int64(1000 + len(m.Contacts.Create))
					key := c.identityNames.email(name)
					m.Contacts.Create = append(m.Contacts.Create, book.Contact{ID: id, Email: key, Name: "Some One"})
					m.Referrals.Create = append(m.Referrals.Create,
						book.Referral{Customer: key, Email: key, ContactID: id, PartnerID: partner, Rule: rule})
					if rule == terms.RuleLater {
						m.ReferralRows.Create = append(m.ReferralRows.Create,
							book.ReferralRow{ID: id, ContactID: id, PartnerID: 1, SetAt: day("2023-01-05").Unix(), Type: "COOKIE"})
					}
				}
				carried("c", 6, terms.RuleOnly)
				carried("carried", 2, terms.RuleOnly)
				carried("anns", 1, terms.RuleOnly)
				carried("house", 0, terms.RuleHouse)
				carried("expired", 0, terms.RuleExpired)
				carried("later", 0, terms.RuleLater)
			}
		}
	}
	f.applyImport(m)
	event := func(kind, uid, email, ref string, amount int64) Result {
		f.n++
		c := Call{Kind: kind, UID: uid, Email: email, RefID: ref, Amount: amount, Quantity: 1}
		if kind != book.EventSignup {
			c.EventID = fmt.Sprint("e", f.n)
		}
		return f.submit(c)
	}
	flagged := func(r Result) bool {
		for _, reason := range f.reviewReasons() {
			if id, why, _ := strings.Cut(reason, " "); id == r.Event.ExternalID && strings.HasPrefix(why, book.ReasonTwo) {
				return true
			}
		}
		return false
	}
	for _, c := range cases {
		n := c.identityNames
		for _, s := range []struct{ uid, email, ref string }{
			{"ua", "a", "anna"}, {"u0", "", "anna"}, {"ub", "b", "ben"}, {"", "b0", "ben"}, {"uc", "c", ""},
		} {
			event(book.EventSignup, n.uid(s.uid), n.email(s.email), s.ref, 0).check(t, Booked, cmp.Or(owners[s.uid], owners[s.email]))
			event(book.EventSale, n.uid(s.uid), n.email(s.email), "", 1000).check(t, Booked, cmp.Or(owners[s.uid], owners[s.email]))
		}
		who, known := customerOf[c.uid]
		whose, live := customerOf[c.email]
		two := known && (live && who != whose || c.email != "" && !live && owners[c.email] != "" && owners[c.email] != owners[c.uid]) ||
			!known && c.uid != "" && live && hasUID[c.email]

		ref := "" // the attacker's own promoter
		if c.kind == book.EventSignup || c.kind == book.EventSale {
			ref = "zoe"
		}
		r := event(c.kind, n.uid(c.uid), n.email(c.email), ref, 1)

		// Whose the names are afterwards.
		wantEmail, wantUID := owners[c.email], owners[c.uid]
		brought := r.Outcome == Booked || r.Outcome == AlreadySignedUp
		if c.email == "later" && ref != "" && !known { // whoever brings it wins it from a referral that was not counted
			wantEmail = ref
		}
		if wantEmail == "" && brought { // it was nobody's
			wantEmail = cmp.Or(owners[c.uid], ref)
		}
		if wantUID == "" && brought && !two {
			wantUID = cmp.Or(strings.TrimPrefix(wantEmail, house), owners[c.uid], ref)
		}
		if c.email == "house" {
			wantEmail = ""
		}
		if c.email == "later" && c.uid == "u-new" && !brought { // it is booked once the address is somebody's: by the sale below
			wantUID = wantEmail
		}
		name := fmt.Sprintf("%s of uid %q and e-mail %q", c.kind, c.uid, c.email)
		if c.email != "" {
			probe := event(book.EventSale, "", n.email(c.email), "", 10000)
			if got := promoterToken(probe); got != wantEmail {
				t.Errorf("%s: a sale by the e-mail is %q's, want %q's (%s)", name, got, wantEmail, probe.Message)
			}
		}
		if c.uid == "" {
			continue
		}
		probe := event(book.EventSale, n.uid(c.uid), "", "", 10000)
		if got := promoterToken(probe); got != wantUID {
			t.Errorf("%s: a sale by the uid is %q's, want %q's (%s)", name, got, wantUID, probe.Message)
		}
		switch got := flagged(r); {
		case c.kind == book.EventSale && got != two:
			t.Errorf("%s: flagged is %v", name, got)
		case c.kind != book.EventSale && known && flagged(probe) != two:
			t.Errorf("%s: the next sale is flagged is %v", name, !two)
		case c.kind == book.EventSale && known && flagged(probe) != two:
			t.Errorf("%s: the sale after it is flagged is %v", name, !two)
		case c.kind != book.EventSale && !known && two && !flagged(event(book.EventSale, "", n.email(c.email), "", 10000)):
			t.Errorf("%s: the next sale of the e-mail is not flagged", name)
		}
	}
}

// A customer of Keap's is not taken for a cent.
func TestCustomersAreNotTakenForACent(t *testing.T) {
	for _, kind := range []string{book.EventSale, book.EventCancellation, book.EventRefund} {
		f := newFixture(t, nil)
		f.submit(Call{Kind: book.EventSignup, UID: "ATT-1", RefID: "anna"}).check(t, Booked, "anna")
		f.submit(Call{Kind: book.EventSale, UID: "ATT-1", EventID: "a0", Amount: 1}).check(t, Booked, "anna")
		f.submit(Call{Kind: kind, UID: "ATT-1", Email: "carried@mail.test", EventID: "a1", Amount: 1}).check(t, Booked, "anna")
		if got := len(f.reviewReasons()); kind == book.EventSale && got == 0 {
			t.Error("nobody is told of it")
		}
		f.sale("carried@mail.test", 9900, "").check(t, Booked, "ben") // the real renewal
		f.submit(Call{Kind: book.EventSale, UID: "ATT-1", EventID: "a2", Amount: 10000}).check(t, Booked, "anna")
		if got := f.reviewReasons(); !strings.HasPrefix(got[len(got)-1], "a2 "+book.ReasonTwo) {
			t.Errorf("after the %s: %q", kind, got)
		}
	}
}

// A customer who is known by its uid and comes with a new address is known by both.
func TestCustomersWithANewAddress(t *testing.T) {
	for _, kind := range []string{book.EventSignup, book.EventSale, book.EventCancellation, book.EventRefund} {
		f := newFixture(t, nil)
		f.submit(Call{Kind: book.EventSignup, UID: "u", Email: "a@mail.test", RefID: "anna"}).check(t, Booked, "anna")
		f.submit(Call{Kind: book.EventSale, UID: "u", EventID: "1", Amount: 100}).check(t, Booked, "anna")
		f.sale("new@mail.test", 9900, "").check(t, NotReferred, "")
		if r := f.submit(Call{Kind: kind, UID: "u", Email: "new@mail.test", EventID: "2", Amount: 100}); kind == book.EventSignup {
			r.check(t, AlreadySignedUp, "")
		} else {
			r.check(t, Booked, "anna")
		}
		r := f.sale("new@mail.test", 9900, "")
		r.check(t, Booked, "anna")
		if r.Customer.Email != "a@mail.test" || len(f.reviewReasons()) != 0 {
			t.Errorf("%+v, %v", r.Customer, f.reviewReasons())
		}
		f.sale("a@mail.test", 9900, "").check(t, Booked, "anna")
		for range 2 { // it is nobody else's any more
			f.n++
			f.submit(Call{Kind: book.EventSale, UID: "other", Email: "new@mail.test", EventID: fmt.Sprint(kind, f.n), Amount: 100,
				RefID: "ben"}).check(t, Booked, "anna")
		}
		f.submit(Call{Kind: book.EventSignup, UID: "bens", RefID: "ben"}).check(t, Booked, "ben")
		f.submit(Call{Kind: book.EventSale, UID: "bens", Email: "new@mail.test", EventID: "3", Amount: 100}).check(t, Booked, "ben")
		f.sale("new@mail.test", 9900, "").check(t, Booked, "anna")
		bound, err := f.book.BoundByEmail(t.Context())
		if err != nil || len(bound) != 2 || bound[1].Email != "new@mail.test" || bound[1].PromoterID != 1 {
			t.Errorf("what an import must leave alone: %+v, %v", bound, err)
		}
		known, err := f.book.TrackedCustomers(t.Context(), "new@mail.test", "")
		if err != nil || len(known) != 1 || known[0].UID != "u" {
			t.Errorf("found by its new address: %+v, %v", known, err)
		}
	}
}

// What FirstPromoter is told of a call that names two customers names one.
func TestForwardedIdentity(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Forward = true })
	f.submit(Call{Kind: book.EventSignup, UID: "u", RefID: "anna"}).check(t, Booked, "anna")
	f.submit(Call{Kind: book.EventSale, UID: "u", Email: "carried@mail.test", EventID: "1", Amount: 100}).check(t, Booked, "anna")
	f.submit(Call{Kind: book.EventSignup, UID: "u2", Email: "b@mail.test", RefID: "ben"}).check(t, Booked, "ben")
	f.submit(Call{Kind: book.EventSale, UID: "u3", Email: "b@mail.test", EventID: "2", Amount: 100}).check(t, Booked, "ben")
	var bodies []string
	err := f.book.Forwards(t.Context(), "waiting", func(o book.Forward) error {
		bodies = append(bodies, o.Body)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(bodies, "\n")
	if strings.Contains(all, "carried@mail.test") || strings.Contains(all, "u3") || !strings.Contains(all, `"uid":"u"`) {
		t.Errorf("told:\n%s", all)
	}
}
