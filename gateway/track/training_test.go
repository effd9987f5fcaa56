package track

import (
	"testing"

	"carryover/mapping/book"
)

// trainingOnce is a program in which only a customer's first sale of a training earns.
func trainingOnce(o *Options) { o.Terms.TrainingOnce = true }

// checkLines compares the lines of a result.
func checkLines(t *testing.T, r Result, want string) {
	t.Helper()
	if got := describeLines(r); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A training that is paid in three instalments earns three times, and so does one that was
// bought at Keap before.
func TestTrainingsEarnOnEveryPayment(t *testing.T) {
	f := newFixture(t, nil)
	f.applyImport(book.KeapRecords{Commissions: []book.Commission{{ID: book.EntryID{1}, Kind: book.KindCommission, PartnerID: 2, ContactID: 101,
		Month: 202201, Amount: 2150, Currency: "USD", Product: "Evergreen Webinar"}}})
	for _, email := range []string{"a@mail.test", "carried@mail.test"} {
		f.signup(email, "", "ben").check(t, Booked, "ben")
		for range 3 {
			checkLines(t, f.sale(email, 4300, "Evergreen Webinar"), "50% 2150 of 4300")
		}
	}
	f.refund("a@mail.test", 4300, "")
	if f.balance(2) != 2150*6 {
		t.Errorf("balance %d", f.balance(2))
	}
}

// Where trainings earn once, the second sale does not, until the first was refunded in full; one
// that earned nothing is no first sale.
func TestTrainingsEarnOnce(t *testing.T) {
	f := newFixture(t, trainingOnce)
	sale := func(id, plan, want string) {
		t.Helper()
		checkLines(t, f.submit(Call{Kind: book.EventSale, Email: "a@mail.test", EventID: id, Amount: 100, Plan: plan}), want)
	}
	f.signup("a@mail.test", "", "anna")
	sale("t1", "3 Leads Per Day", "50% 50 of 100")
	sale("t2", " 3 leads  per day ", "0% 0 of 100")
	sale("t3", "Evergreen Webinar", "50% 50 of 100")
	f.refund("a@mail.test", 60, "t1")
	sale("t4", "3 Leads Per Day", "0% 0 of 100")
	f.refund("a@mail.test", 40, "t1")
	sale("t5", "3 Leads Per Day", "50% 50 of 100")
	sale("t6", "3 Leads Per Day", "0% 0 of 100")
}

// A first sale may have been at Keap, whether anybody earned on it there or not; not one that was
// clawed back, one that cost nothing, or one that is dated later.
func TestTrainingsBoughtAtKeap(t *testing.T) {
	commission := func(n byte, invoice, kind string, amount int64) book.Commission {
		return book.Commission{ID: book.EntryID{n}, Kind: kind, PartnerID: 2, ContactID: 101, Month: 202201, Amount: amount, Invoice: invoice,
			Currency: "USD", Product: "Evergreen Webinar", EarnedAt: day("2022-01-05").Unix()}
	}
	order := func(id, total int64, products, on string) book.Sale {
		return book.Sale{ID: id, ContactID: 101, OrderedAt: day(on).Unix(), Total: total, Currency: "USD", Products: products, SellerID: 2}
	}
	earned, back := commission(1, "7", book.KindCommission, 6450), commission(2, "7", book.KindClawback, -6450)
	f := func(name string, earns bool, orders []book.Sale, commissions ...book.Commission) {
		t.Helper()
		s := newFixture(t, trainingOnce)
		s.applyImport(book.KeapRecords{Sales: book.Rows[book.Sale]{Create: orders}, Commissions: commissions})
		want := "0% 0 of 12900"
		if earns {
			want = "50% 6450 of 12900"
		}
		r := s.sale("carried@mail.test", 12900, " evergreen webinar")
		if got := describeLines(r); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if note := s.evidence(r).Note; (note == "") != earns {
			t.Errorf("%s: the note %q", name, note)
		}
	}
	bought := order(1, 12900, "Evergreen Webinar", "2022-01-05")
	f("nothing at Keap", true, nil)
	f("a commission", false, nil, earned)
	f("a commission clawed back", true, nil, earned, back)
	f("a commission clawed back in part", false, nil, earned, commission(2, "7", book.KindClawback, -3000))
	f("an order without a commission", false, []book.Sale{bought})
	f("one of several products", false, []book.Sale{order(1, 20000, "Agency Membership; EVERGREEN  Webinar ;", "2022-01-05")})
	f("another product", true, []book.Sale{order(1, 12900, "Evergreen Webinar Plus", "2022-01-05")})
	f("an order that was clawed back", true, []book.Sale{bought}, earned, back)
	f("two orders, of which one was clawed back", false, []book.Sale{bought, order(2, 12900, "Evergreen Webinar", "2022-02-05")}, earned, back)
	f("two commissions, of which one was clawed back", false, nil, earned, back, commission(3, "8", book.KindCommission, 100),
		commission(4, "9", book.KindClawback, -100))
	f("an order for nothing", true, []book.Sale{order(1, 0, "Evergreen Webinar", "2022-01-05")})
	f("an order that is dated later", true, []book.Sale{order(1, 12900, "Evergreen Webinar", "2023-01-11")})
	f("an order of that day", false, []book.Sale{order(1, 12900, "Evergreen Webinar", "2023-01-10")})

	// Of a customer who is bound here, and whose orders at Keap no partner had a part in.
	s := newFixture(t, trainingOnce)
	s.applyImport(book.KeapRecords{
		Sales:    book.Rows[book.Sale]{Create: []book.Sale{{ID: 9, ContactID: 401, OrderedAt: 1, Total: 1, Currency: "USD", Products: "3 Leads Per Day"}}},
		Contacts: book.Rows[book.Contact]{Create: []book.Contact{{ID: 401, Email: "new@mail.test", Name: "New One"}}},
	})
	s.signup("new@mail.test", "", "anna").check(t, Booked, "anna")
	checkLines(t, s.sale("new@mail.test", 100, "3 Leads Per Day"), "0% 0 of 100")
	checkLines(t, s.sale("new@mail.test", 100, "Evergreen Webinar"), "50% 50 of 100")
}
