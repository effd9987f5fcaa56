package track

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"carryover/gateway/click"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// The last click before the sign-up wins; afterwards nothing changes whose the customer is.
func TestAttribution(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("a@mail.test", f.cookie("anna 2023-01-01", "ben 2023-01-05"), "").check(t, Booked, "ben")
	f.sale("a@mail.test", 9900, "Agency Membership").check(t, Booked, "ben")
	f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: "later", Amount: 100, TID: f.cookie("anna 2023-01-08"), RefID: "anna",
		PromoCode: "ANNA20"}).check(t, Booked, "ben")
	f.signup("a@mail.test", f.cookie("anna 2023-01-01"), "").check(t, AlreadySignedUp, "")

	t.Run("candidates in order", func(t *testing.T) {
		f.submit(Call{Kind: book.EventSignup, Email: "o1@mail.test", TID: f.cookie("ben 2023-01-01"), RefID: "anna",
			PromoCode: "ANNA20"}).check(t, Booked, "ben")
		f.submit(Call{Kind: book.EventSignup, Email: "o2@mail.test", TID: "no cookie of ours", RefID: "ben",
			PromoCode: "ANNA20"}).check(t, Booked, "ben")
		f.submit(Call{Kind: book.EventSignup, Email: "o3@mail.test", RefID: "nobody", PromoCode: "anna20 "}).check(t, Booked, "anna")
		f.submit(Call{Kind: book.EventSignup, Email: "o4@mail.test", RefID: "ZOE-2"}).check(t, Booked, "zoe")
		f.submit(Call{Kind: book.EventSignup, Email: "o5@mail.test", RefID: "nobody"}).check(t, NotReferred, "")
		f.submit(Call{Kind: book.EventSignup, Email: "o6@mail.test"}).check(t, NotReferred, "")
	})
	t.Run("promoters by id and address", func(t *testing.T) {
		named := Call{Kind: book.EventSignup, PromoterID: "2", PromoterEmail: "zoe@promoters.test", PromoCode: "ANNA20"}
		sign := func(email string, change func(*Call)) Result {
			t.Helper()
			c := named
			c.Email = email
			change(&c)
			return f.submit(c)
		}
		sign("p1@mail.test", func(c *Call) { c.TID = f.cookie("anna 2023-01-05") }).check(t, Booked, "anna")
		sign("p2@mail.test", func(c *Call) { c.RefID = "zoe" }).check(t, Booked, "zoe")
		sign("p3@mail.test", func(*Call) {}).check(t, Booked, "ben")
		sign("p4@mail.test", func(c *Call) { c.PromoterID = "77" }).check(t, Booked, "zoe")
		sign("p5@mail.test", func(c *Call) { c.PromoterID, c.PromoterEmail = "keap-6", "" }).check(t, Booked, "zoe")
		sign("p6@mail.test", func(c *Call) { c.PromoterID, c.PromoterEmail = "", "nobody@promoters.test" }).check(t, Booked, "anna")
		sign("p7@mail.test", func(c *Call) { c.PromoterID, c.PromoterEmail, c.PromoCode = "4", "", "" }).check(t, NotReferred, "")
		f.submit(Call{Kind: book.EventSale, Email: "p8@mail.test", EventID: "p8", Amount: 100,
			PromoterEmail: "ben@promoters.test"}).check(t, Booked, "ben")
	})
	t.Run("a day alone lasts until its end", func(t *testing.T) {
		c := Call{Kind: book.EventSignup, Email: "d1@mail.test", TID: f.cookie("ben 2023-01-05"),
			CreatedAt: day("2023-01-05").Unix() - 3600, OnDay: true}
		f.submit(c).check(t, Booked, "ben")
		c.Email, c.OnDay = "d2@mail.test", false
		f.submit(c).check(t, NotReferred, "")
		c.Email, c.OnDay, c.CreatedAt = "d3@mail.test", true, day("2023-01-04").Unix()
		f.submit(c).check(t, NotReferred, "")
	})
	t.Run("clicks after the sign-up do not count", func(t *testing.T) {
		c := Call{Kind: book.EventSignup, Email: "t1@mail.test", TID: f.cookie("anna 2023-01-01", "ben 2023-01-05"),
			CreatedAt: day("2023-01-03").Unix()}
		f.submit(c).check(t, Booked, "anna")
		c = Call{Kind: book.EventSignup, Email: "t2@mail.test", TID: f.cookie("ben 2023-01-05"), CreatedAt: day("2023-01-03").Unix()}
		f.submit(c).check(t, NotReferred, "")
	})
	t.Run("standing", func(t *testing.T) {
		f.signup("s1@mail.test", f.cookie("bad 2023-01-05"), "").check(t, NotReferred, "")
		f.signup("s2@mail.test", f.cookie("bad 2023-01-05"), "anna").check(t, Booked, "anna")
		f.signup("s3@mail.test", f.cookie("old 2023-01-05"), "").check(t, NotReferred, "")
		f.sale("of-old@mail.test", 9900, "pro").check(t, Booked, "old")
		f.signup("s4@mail.test", f.cookie("ben 2023-01-05"), "").check(t, Booked, "ben")
		f.recordSetting(2, book.SettingStatus, "blocked")
		f.sale("s4@mail.test", 9900, "pro").check(t, NotReferred, "")
		f.recordSetting(2, book.SettingStatus, "")
		f.sale("s4@mail.test", 9900, "pro").check(t, Booked, "ben")
	})
	t.Run("carried over from Keap", func(t *testing.T) {
		f.signup("carried@mail.test", f.cookie("anna 2023-01-05"), "anna").check(t, Booked, "ben")
		f.sale("carried@mail.test", 9900, "pro").check(t, Booked, "ben")
		f.sale("merged@mail.test", 9900, "pro").check(t, Booked, "zoe")
		f.signup("expired@mail.test", "", "").check(t, NotReferred, "")
		f.signup("expired@mail.test", "", "anna").check(t, Booked, "anna")
		f.signup("house@mail.test", f.cookie("anna 2023-01-05"), "anna").check(t, NotReferred, "")
		f.sale("later@mail.test", 9900, "pro").check(t, Booked, "anna")
	})
	t.Run("a sale binds whom nobody has heard of", func(t *testing.T) {
		f.sale("x@mail.test", 9900, "pro").check(t, NotReferred, "")
		f.submit(Call{Kind: book.EventSale, UID: "u-1", EventID: "u-1-1", Amount: 9900, RefID: "anna"}).check(t, Booked, "anna")
		f.submit(Call{Kind: book.EventSale, UID: "u-1", Email: "u1@mail.test", EventID: "u-1-2", Amount: 9900,
			RefID: "ben"}).check(t, Booked, "anna")
		f.sale("u1@mail.test", 9900, "pro").check(t, Booked, "anna") // by the address that came with the second one
		f.signup("u1@mail.test", "", "ben").check(t, Booked, "anna")
	})
}

// The last click before the sign-up is the one that counts: when its promoter may not earn,
// the first click does not win instead.
func TestLastClickIsNotPassedToTheFirst(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("a@mail.test", f.cookie("anna 2023-01-01", "bad 2023-01-05"), "").check(t, NotReferred, "")
	f.signup("b@mail.test", f.cookie("anna 2023-01-01", "ben 2023-01-05"), "").check(t, Booked, "ben")

	// Who would have won under first click is kept beside.
	first := func(want string, r Result) {
		t.Helper()
		got := ""
		if k := f.evidence(r).First; k != nil {
			got = fmt.Sprint(k.Promoter, " ", time.Unix(k.At, 0).In(losAngeles).Format(time.DateOnly))
		}
		if r.Outcome != Booked || got != want {
			t.Errorf("first click: %q, want %q (%+v)", got, want, r)
		}
	}
	first("1 2023-01-01", f.signup("c@mail.test", f.cookie("anna 2023-01-01", "zoe 2023-01-03", "ben 2023-01-05"), ""))
	first("2 2023-01-05", f.signup("d@mail.test", f.cookie("ben 2023-01-05"), ""))
	first("", f.signup("e@mail.test", f.cookie("nobody 2023-01-05"), "anna"))
	first("", f.signup("f@mail.test", "", "anna"))
	// clicked only afterwards
	first("", f.submit(Call{Kind: book.EventSignup, Email: "g@mail.test", TID: f.cookie("ben 2023-01-05"), RefID: "anna",
		CreatedAt: day("2023-01-04").Unix()}))
}

// A click counts by the cookie that it was answered with. Its id alone proves nothing, though it
// is of a click: ids count up, and whoever has a cookie knows one.
func TestClicksCountByTheirSignature(t *testing.T) {
	f := newFixture(t, nil)
	r := f.signup("a@mail.test", f.cookie("anna 2023-01-05"), "")
	r.check(t, Booked, "anna")
	id := f.evidence(r).Click
	if r.Customer.ClickedAt != day("2023-01-05").Unix() || id == "" {
		t.Errorf("%+v", r)
	}
	stranger, err := click.NewKeyring([]byte("the secret of another gateway"))
	if err != nil {
		t.Fatal(err)
	}
	mark := click.Mark{Visit: click.Visit{Token: "anna", At: day("2023-01-05")}}
	for tid, want := range map[string]string{
		id:                   "tid: a click's id alone proves nothing: send the whole value of the cookie",
		"web1.43":            "tid: a click's id alone proves nothing: send the whole value of the cookie",
		stranger.Sign(mark):  "tid: signed with a secret that is not this gateway's: once CARRYOVER_SECRET is the same, tell it again",
		"5e0a-some-other-id": "tid: no click that is known",
		strings.Replace(f.cookie("anna 2023-01-05"), ".", ".x", 1): "tid: no click that is known",
	} {
		f.n++
		email := fmt.Sprintf("t%d@mail.test", f.n)
		r := f.signup(email, tid, "")
		r.check(t, NotReferred, "")
		if r.Message != "the customer is no promoter's ("+want+")" {
			t.Errorf("%s: %s", tid, r.Message)
		}
		f.signup(email, tid, "ben").check(t, Booked, "ben")
	}
	if r = f.submit(Call{Kind: book.EventSignup, Email: "d@mail.test", TID: f.cookie("bad 2023-01-09"),
		RefID: "ben"}); r.Customer.ClickedAt != 0 {
		t.Errorf("a click that did not win: %+v", r.Customer)
	}
}

// Clocks may differ by minutes; a click that is later than that was not before the sign-up.
func TestClocksThatDiffer(t *testing.T) {
	f := newFixture(t, nil)
	at := day("2023-01-05")
	sign := func(email string, after time.Duration) Result {
		return f.submit(Call{Kind: book.EventSignup, Email: email, TID: f.cookie("ben 2023-01-05"), CreatedAt: at.Add(-after).Unix()})
	}
	sign("a@mail.test", time.Second).check(t, Booked, "ben")
	sign("b@mail.test", 5*time.Minute).check(t, Booked, "ben")
	sign("c@mail.test", 5*time.Minute+time.Second).check(t, NotReferred, "")
}

// A referral of Keap's that no run has counted counts while it is set and not expired, in
// the program's days.
func TestHistoryOfKeap(t *testing.T) {
	f := newFixture(t, nil)
	var m book.KeapRecords
	for i, row := range []struct {
		email, set, expires string
		partner             int64
	}{
		{"set@mail.test", "2023-01-20", "", 1},
		{"expires@mail.test", "2023-01-05", "2023-01-10", 1},
		{"newest@mail.test", "2023-01-05", "", 1},
		{"then@mail.test", "2023-01-05", "", 1},
		{"newest@mail.test", "2023-01-06", "", 2},
		{"then@mail.test", "2023-01-06", "", 2},
	} {
		id := int64(200 + i)
		m.Contacts.Create = append(m.Contacts.Create, book.Contact{ID: id, Email: row.email, Name: "Some One"})
		if i < 4 {
			m.Referrals.Create = append(m.Referrals.Create,
				book.Referral{Customer: row.email, Email: row.email, ContactID: id, Rule: terms.RuleLater})
		}
		m.ReferralRows.Create = append(m.ReferralRows.Create,
			book.ReferralRow{ID: id, ContactID: id, PartnerID: row.partner, SetAt: day(row.set).Unix(), ExpiresOn: row.expires, Type: "COOKIE"})
	}
	f.applyImport(m)
	at := func(email string, when time.Time) Result {
		t.Helper()
		return f.submit(Call{Kind: book.EventSignup, Email: email, CreatedAt: when.Unix()})
	}
	at("set@mail.test", day("2023-01-19")).check(t, NotReferred, "")
	at("set@mail.test", day("2023-01-21")).check(t, Booked, "anna")
	night := day("2023-01-10").Add(11*time.Hour + 59*time.Minute) // it is the 11th in London
	at("expires@mail.test", night.Add(time.Minute)).check(t, NotReferred, "")
	at("expires@mail.test", night).check(t, Booked, "anna")
	at("newest@mail.test", day("2023-01-05").Add(time.Hour)).check(t, Booked, "anna")
	at("then@mail.test", day("2023-01-10")).check(t, Booked, "ben")
	// Nobody has heard of this customer: it has nothing to cancel.
	f.submit(Call{Kind: book.EventCancellation, Email: "later@mail.test"}).check(t, NotReferred, "")
	f.submit(Call{Kind: book.EventCancellation, Email: "carried@mail.test"}).check(t, Booked, "ben")
}

// Whose a customer of Keap's is stays a matter of Keap's: a later run may say otherwise,
// and only a promoter of today's is bound for life.
func TestCarriedCustomersFollowImports(t *testing.T) {
	f := newFixture(t, nil)
	f.signup("carried@mail.test", "", "anna").check(t, Booked, "ben")
	f.signup("expired@mail.test", "", "anna").check(t, Booked, "anna")
	f.applyImport(book.KeapRecords{Referrals: book.Rows[book.Referral]{Update: []book.Referral{
		{Customer: "carried@mail.test", Email: "carried@mail.test", ContactID: 101, PartnerID: 5, Rule: terms.RuleLatest},
		{Customer: "expired@mail.test", Email: "expired@mail.test", ContactID: 102, PartnerID: 5, Rule: terms.RuleLatest},
	}}})
	f.sale("carried@mail.test", 100, "").check(t, Booked, "zoe")
	f.sale("expired@mail.test", 100, "").check(t, Booked, "anna")

	// Once Keap's owner is none, whoever brings the customer has it.
	f.applyImport(book.KeapRecords{Referrals: book.Rows[book.Referral]{Update: []book.Referral{{Customer: "carried@mail.test",
		Email: "carried@mail.test", ContactID: 101, Rule: terms.RuleExpired}}}})
	f.sale("carried@mail.test", 100, "").check(t, NotReferred, "")
	f.submit(Call{Kind: book.EventSale, Email: "carried@mail.test", EventID: "brought", Amount: 100, RefID: "anna"}).check(t, Booked, "anna")
	f.submit(Call{Kind: book.EventSale, Email: "carried@mail.test", EventID: "after", Amount: 100, RefID: "ben"}).check(t, Booked, "anna")
}

// An event that is credited to nobody is kept, once, with the reason, and whom it named.
func TestUnattributedEventsAreKept(t *testing.T) {
	f := newFixture(t, nil)
	call := Call{Kind: book.EventSale, Email: "x@mail.test", EventID: "p", Amount: 100, RefID: "jonjai", PromoCode: "WRONG",
		TID: f.cookie("bad 2023-01-05")}
	const why = "the customer is no promoter's (tid bad: blocked, ref_id jonjai: of nobody, promo_code WRONG: of nobody)"
	for range 2 {
		r := f.submit(call)
		r.check(t, NotReferred, "")
		if r.Message != why {
			t.Error(r.Message)
		}
	}
	f.submit(Call{Kind: book.EventSale, Email: "x@mail.test", EventID: "q", Amount: 100}).check(t, NotReferred, "")
	kept, err := f.book.RefusedOf(context.Background(), "x@mail.test", "")
	if err != nil || len(kept) != 2 || kept[0].ExternalID != "p" || kept[0].Times != 2 || kept[0].Reason != why || kept[1].Evidence != "" {
		t.Fatalf("%+v, %v", kept, err)
	}
	var v book.Evidence
	if err := json.Unmarshal([]byte(kept[0].Evidence), &v); err != nil || len(v.Candidates) != 3 ||
		v.Candidates[1].Outcome != terms.OutcomeNobody {
		t.Errorf("%+v, %v", v, err)
	}
}

// The cookie's value is read with whatever stands around it.
func TestCookieInATID(t *testing.T) {
	f := newFixture(t, nil)
	for i, around := range []string{"%s", `"%s"`, "carryover_click=%s", "carryover_click=%s; Path=/", `a=b; carryover_click="%s"; c=d`, " %s\n", "'%s'"} {
		f.submit(Call{Kind: book.EventSignup, Email: fmt.Sprintf("n%d@mail.test", i), TID: fmt.Sprintf(around, f.cookie("ben 2023-01-05"))}).
			check(t, Booked, "ben")
	}
}
