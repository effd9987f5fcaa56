package history_test

import (
	"fmt"
	"testing"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Entries of the ledger of [newKeapFixture].
var (
	secondLevel = eventID(1).String() // alpha's share of a sale of beta's
	clawback    = eventID(3).String()
	ofHouse     = eventID(8).String()
	opening     = eventID(10).String()
	payment     = eventID(11).String()
)

// newKeapFixture is a book into which a program of a few people was carried over whose
// customers, orders and money are easily overlooked. Alpha is the parent of Beta, who has two
// partners; House is the program's own. Their owners were decided for 2023-03-31 under "latest".
func newKeapFixture(t *testing.T) *fixture {
	t.Helper()
	return newFixture(t, keapProgram())
}

func keapProgram() *book.Changes {
	alias := func(keapID, promoter int64, code, email string) []book.Alias {
		state := ""
		if promoter == 0 {
			state = book.StateHouse
		}
		return []book.Alias{
			{Kind: book.AliasKeapID, Value: fmt.Sprint(keapID), PromoterID: promoter, State: state, Code: code, ContactID: 10 + keapID,
				Email: email, Active: true},
			{Kind: book.AliasCode, Value: code, PromoterID: promoter, State: state},
		}
	}
	var aliases []book.Alias
	for _, list := range [][]book.Alias{
		alias(1, 1, "Alpha", "ann@mail.test"), alias(2, 2, "Beta", "bob@mail.test"), alias(3, 0, "House", ""),
		alias(4, 2, "beta-old", "bob@mail.test"), alias(5, 5, "gamma.x", "cy@mail.test"),
	} {
		aliases = append(aliases, list...)
	}
	return &book.Changes{
		Content: book.Content{
			Promoters: []book.Promoter{
				{ID: 1, Token: "alpha", KeapID: 1, Email: "ann@mail.test", Name: "Ann Alpha", Status: book.StatusActive},
				{ID: 2, Token: "beta", KeapID: 2, Email: "bob@mail.test", Name: "Bob Beta", Status: book.StatusActive, ParentID: 1},
				{ID: 5, Token: "gamma-x", KeapID: 5, Email: "cy@mail.test", Name: "Cy Gamma", Status: book.StatusActive},
			},
			Aliases: aliases,
		},
		KeapRecords: book.KeapRecords{
			Sources: []book.Source{
				{Path: "exports/clawbacks.csv", Kind: "clawbacks"}, {Path: "exports/commissions.csv", Kind: "commissions"},
				{Path: "exports/ledger.csv", Kind: "ledger"}, {Path: "exports/payments.csv", Kind: "payments"},
			},
			Contacts: book.Rows[book.Contact]{Create: []book.Contact{
				{ID: 11, Email: "ann@mail.test", Name: "Ann Alpha"}, {ID: 12, Email: "bob@mail.test", Name: "Bob Beta"},
				{ID: 101, Email: "kim@shop.test", Name: "Kim Lane"}, {ID: 102, Email: "kim@shop.test", Name: "Kim Lane"},
				{ID: 103, Email: "lee@shop.test", Name: "Lee Moor"}, {ID: 104, Name: "Max North"},
				{ID: 105, Email: "other@shop.test", Name: "Kim Other"}, {ID: 106, Email: "ola@shop.test", Name: "Ola Park"},
				{ID: 107, Email: "pia@shop.test", Name: "Pia Quay"},
			}},
			Referrals: book.Rows[book.Referral]{Create: []book.Referral{
				referral("ann@mail.test", 11, 1, 541, "2021-02-01 09:00", "2021-02-01 09:00", "course", terms.RuleOnly, true),
				referral("contact:104", 104, 2, 521, "2023-02-01 09:00", "2023-02-01 09:00", "course", terms.RuleOnly, false),
				referral("kim@shop.test", 101, 5, 504, "2022-06-01 09:00", "2022-01-05 09:00", "", terms.RuleID, false),
				referral("lee@shop.test", 103, 0, 511, "2023-02-01 09:00", "2023-01-01 09:00", "", terms.RuleHouse, false),
				referral("ola@shop.test", 106, 0, 0, "", "2021-02-01 09:00", "", terms.RuleExpired, false),
				referral("pia@shop.test", 107, 0, 0, "", "2023-04-02 09:00", "", terms.RuleLater, false),
			}},
			ReferralRows: book.Rows[book.ReferralRow]{Create: []book.ReferralRow{
				row(501, 101, 1, "2022-01-05 09:00", "", "COOKIE", "course"),
				row(502, 102, 2, "2022-06-01 09:00", "", "COOKIE", "shop"),
				row(503, 102, 1, "2022-06-01 09:00", "", "MANUAL", ""),
				row(504, 101, 5, "2022-06-01 09:00", "", "MANUAL", ""),
				row(505, 101, 5, "2022-12-01 09:00", "2023-01-01", "COOKIE", "course"),
				row(506, 101, 1, "2023-04-02 09:00", "", "COOKIE", "course"),
				row(511, 103, 3, "2023-02-01 09:00", "", "COOKIE", ""),
				row(512, 103, 1, "2023-01-01 09:00", "", "COOKIE", ""),
				row(521, 104, 2, "2023-02-01 09:00", "", "COOKIE", "course"),
				row(531, 106, 1, "2021-02-01 09:00", "2021-03-01", "COOKIE", "course"),
				row(541, 11, 1, "2021-02-01 09:00", "", "COOKIE", "course"),
				row(551, 107, 2, "2023-04-02 09:00", "", "COOKIE", "course"),
			}},
			Sales: book.Rows[book.Sale]{Create: []book.Sale{
				{ID: 4001, ContactID: 101, OrderedAt: instant("2022-06-02"), Total: 29702, Currency: "USD", Products: "Agency Membership",
					SellerID: 2, Type: "Online"},
				{ID: 4002, ContactID: 101, OrderedAt: instant("2022-07-02"), Total: 29702, Currency: "USD", Products: "Agency Membership",
					Type: "Online"},
				{ID: 4003, ContactID: 103, OrderedAt: instant("2022-07-02"), Total: 10000, Currency: "USD", Products: "Evergreen Webinar",
					SellerID: 1, Type: "Online"},
			}},
			Subscriptions: book.Rows[book.Subscription]{Create: []book.Subscription{
				{ID: 301, ContactID: 101, Product: "Agency Membership", PlanID: "7", Amount: 29702, Currency: "USD", SellerID: 2,
					StartedAt: instant("2022-06-02"), EndedAt: instant("2022-08-02")},
			}},
			Commissions: []book.Commission{
				commission(1, book.KindCommission, 1, 2, 101, "70001", "2022-06-02", 1485, "USD", "Agency Membership", "Level 2", 2, 3),
				commission(2, book.KindCommission, 2, 2, 101, "70001", "2022-06-02", 7426, "USD", "Agency Membership", "Sale", 2, 2),
				commission(3, book.KindClawback, 1, 2, 101, "70001", "2022-06-20", -1485, "USD", "Agency Membership", "Refund", 1, 2),
				commission(4, book.KindCommission, 1, 1, 105, "70002", "2023-01-10", 10000, "USD", "Evergreen Webinar", "Sale", 2, 4),
				commission(5, book.KindCommission, 1, 1, 105, "70003", "2023-02-10", 4000, "USD", "Evergreen Webinar", "Sale", 2, 5),
				commission(6, book.KindCommission, 1, 1, 105, "70004", "2023-03-10", 3000, "USD", "Evergreen Webinar", "Sale", 2, 6),
				commission(7, book.KindCommission, 4, 4, 105, "70005", "2023-03-11", 1200, "AUD", "Evergreen Webinar", "Sale", 2, 7),
				commission(8, book.KindCommission, 3, 3, 105, "70006", "2023-03-11", 500, "USD", "Evergreen Webinar", "Sale", 2, 8),
				commission(9, book.KindClawback, 1, 1, 105, "70004", "2023-03-15", -2000, "USD", "Evergreen Webinar", "Refund", 1, 3),
			},
			Entries: []book.Commission{
				commission(10, book.KindOpening, 2, 0, 0, "", "2022-06-01 23:59", 4000, "USD", "", "Beginning balance of the ledger", 3, 3),
			},
			Payouts: []book.Payout{
				payout(11, 1, 901, "2023-02-12", 9000, "Cash", "Commission", 2),
				payout(12, 2, 902, "2023-02-12", 10000, "PayPal", "Commission", 3),
				payout(13, 2, 903, "2023-02-14", -1000, "PayPal", "came back", 4),
			},
		},
	}
}

func referral(key string, contact, partner, id int64, at, first, source, rule string, self bool) book.Referral {
	r := book.Referral{Customer: key, Email: key, ContactID: contact, PartnerID: partner, ReferralID: id, FirstAt: instant(first),
		Source: source, Rule: rule, Self: self}
	if key == fmt.Sprintf("contact:%d", contact) {
		r.Email = ""
	}
	if at != "" {
		r.ReferredAt = instant(at)
	}
	return r
}

func row(id, contact, partner int64, set, expires, kind, source string) book.ReferralRow {
	return book.ReferralRow{ID: id, ContactID: contact, PartnerID: partner, SetAt: instant(set), ExpiresOn: expires, Type: kind,
		Source: source}
}

func commission(n byte, kind string, partner, seller, contact int64, invoice, day string, amount int64, currency, product, text string,
	source, line int64) book.Commission {
	return book.Commission{
		ID: eventID(n), Kind: kind, PartnerID: partner, SellerID: seller, ContactID: contact, Invoice: invoice, EarnedAt: instant(day),
		Month:  month(day),
		Amount: amount, Currency: currency, Product: product, Description: text, Origin: book.Origin{Source: source, Line: line},
	}
}

func payout(n byte, partner, id int64, day string, amount int64, kind, note string, line int64) book.Payout {
	return book.Payout{
		ID: eventID(n), PartnerID: partner, KeapID: id, PaidAt: instant(day), Month: month(day), Amount: amount, Currency: "USD",
		Type: kind, Note: note, Origin: book.Origin{Source: 4, Line: line},
	}
}

// month is that of a day.
func month(day string) int32 {
	m, ok := terms.ParseMonth(day[:len("2023-03")])
	if !ok {
		panic("not a day: " + day)
	}
	return int32(m)
}
