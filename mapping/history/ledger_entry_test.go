package history_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"carryover/mapping/book"
	"carryover/mapping/history"
)

// An entry with names for its ids, as programs read it.
func TestLedgerEntries(t *testing.T) {
	f := newKeapFixture(t)
	const members = "event_id kind ref_token keap_partner_id at month amount_cents currency " +
		"invoice product description customer_email customer_name keap_contact_id seller_ref_token level type source_file source_line run"
	entry := func(id string) map[string]any {
		t.Helper()
		e, err := f.Book.Entry(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := f.LedgerEntries(t.Context(), []book.Entry{e})
		if err != nil || len(lines) != 1 {
			t.Fatalf("%+v, %v", lines, err)
		}
		o := object(t, lines[0])
		if names(o) != sorted(members) {
			t.Fatalf("an entry has %s", names(o))
		}
		return o
	}
	second := entry(secondLevel)
	for name, want := range map[string]any{
		"kind": "commission", "ref_token": "alpha", "keap_partner_id": 1.0, "at": "2022-06-02T00:00:00-07:00", "month": "2022-06",
		"amount_cents": 1485.0, "currency": "USD",
		"invoice": "70001", "product": "Agency Membership", "description": "Level 2", "customer_email": "kim@shop.test",
		"customer_name": "Kim Lane", "keap_contact_id": 101.0,
		"seller_ref_token": "beta", "level": 2.0, "type": "", "source_file": "exports/commissions.csv", "source_line": 3.0, "run": 1.0,
		"event_id": secondLevel,
	} {
		if second[name] != want {
			t.Errorf("%s: %v, want %v", name, second[name], want)
		}
	}
	if paid := entry(payment); paid["amount_cents"] != -9000.0 || paid["type"] != "Cash" || paid["level"] != 1.0 ||
		paid["seller_ref_token"] != "" {
		t.Errorf("a payment: %v", paid)
	}
	if own := entry(ofHouse); own["ref_token"] != "" || own["keap_partner_id"] != 3.0 {
		t.Errorf("of the program's own: %v", own)
	}
}

// The ledger is looked up in pieces; none is lost between them, and each promoter's are in
// the order of time.
func TestEachLedgerEntry(t *testing.T) {
	const n = 2*1000 + 7
	content := &book.Changes{Content: book.Content{
		Promoters: []book.Promoter{{ID: 1, Token: "old", KeapID: 1, Status: book.StatusActive, MergedInto: 2}, {ID: 2, Token: "new",
			KeapID: 2, Status: book.StatusActive}},
		Aliases: []book.Alias{{Kind: book.AliasKeapID, Value: "1", PromoterID: 1, Code: "one"}, {Kind: book.AliasKeapID, Value: "2",
			PromoterID: 2, Code: "two"}},
	}}
	start := instant("2020-01-01")
	for i := range n {
		id := int64(i + 1)
		key := fmt.Sprintf("c%05d@mail.test", id)
		content.KeapRecords.Contacts.Create = append(content.KeapRecords.Contacts.Create, book.Contact{ID: id, Email: key, Name: "C"})
		content.KeapRecords.Commissions = append(content.KeapRecords.Commissions, book.Commission{
			ID: book.EntryID{byte(id >> 8), byte(id)}, Kind: book.KindCommission, PartnerID: 1 + id%2, ContactID: id,
			EarnedAt: start + id*3600, Month: 202001, Amount: 1, Currency: "USD",
		})
	}
	f := newFixture(t, content)
	each := func(of []book.Earner, wanted func(*book.Entry) bool) (list []history.LedgerEntry) {
		t.Helper()
		if err := f.EachLedgerEntry(t.Context(), of, wanted, func(e *history.LedgerEntry) error {
			list = append(list,
				*e)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return list
	}
	all := func(*book.Entry) bool { return true }
	for _, word := range []string{"new", "old", "2", "1"} { // who was merged stands for the other
		seen := map[string]bool{}
		last := map[int64]string{}
		for _, e := range each(f.match(word).Earners(), all) {
			if e.RefToken != "new" || !strings.HasPrefix(e.Email, "c0") {
				t.Fatalf("%s: %+v", word, e)
			}
			if e.At <= last[e.PartnerID] {
				t.Fatalf("%s: %s comes after %s", word, e.At, last[e.PartnerID])
			}
			last[e.PartnerID] = e.At
			seen[e.Email] = true
		}
		if len(seen) != n {
			t.Errorf("%s: %d entries, want %d", word, len(seen), n)
		}
	}
	if got := each(nil, func(e *book.Entry) bool { return e.PartnerID == 1 }); len(got) != n/2 {
		t.Errorf("%d are wanted, %d came", n/2, len(got))
	}
	stop := errors.New("enough")
	if err := f.EachLedgerEntry(t.Context(), nil, all, func(*history.LedgerEntry) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("an error of fn does not end it: %v", err)
	}
}
