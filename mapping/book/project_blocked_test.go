package book_test

import (
	"testing"

	"carryover/mapping"
	"carryover/mapping/book"
)

// A blocked promoter is published as an inactive one, and as nobody where inactive ones
// are credited.
func TestBlockedPromoterIsNeverCredited(t *testing.T) {
	c := book.Content{
		Promoters: []book.Promoter{{ID: 1, KeapID: 1, Token: "bad", Status: book.StatusActive}, {ID: 2, Token: "worse", MergedInto: 1}},
		Aliases: []book.Alias{{Kind: book.AliasCode, Value: "BAD", PromoterID: 1},
			{Kind: book.AliasKeapID, Value: "1", PromoterID: 1, Code: "BAD"}},
		Settings: []book.Setting{{PromoterID: 1, Field: book.SettingStatus, Value: "blocked"}},
	}
	for inactive, want := range map[string]mapping.Status{mapping.InactiveUncredited: mapping.Inactive,
		mapping.InactiveRejoin: mapping.Inactive, mapping.InactiveForward: mapping.House} {
		m, err := c.Project(mapping.Policy{Inactive: inactive}, nil, book.Grace{})
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Partners) != 1 || m.Partners[0].Status != want || (want == mapping.House) != (m.Partners[0].Token == "") {
			t.Errorf("inactive = %q: %+v", inactive, m.Partners)
		}
	}
}
