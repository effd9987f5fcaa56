package book_test

import (
	"fmt"
	"testing"

	"carryover/mapping/book"
)

// What was recorded of a promoter who was merged holds for who took it over, unless that one
// has its own.
func TestDetailsOfMergedPromoters(t *testing.T) {
	promoters := []book.Promoter{{ID: 1, Token: "ada"}, {ID: 2, Token: "former", MergedInto: 1}, {ID: 3, Token: "before", MergedInto: 2}}
	f := func(want string, list ...book.Setting) {
		t.Helper()
		p := book.NewDirectory(&book.Content{Promoters: promoters, Settings: list}).ByID(1).Promoter
		if got := fmt.Sprint(p.Setting(book.SettingW9), len(p.RateChanges)); got != want {
			t.Errorf("%+v: %s, want %s", list, got, want)
		}
	}
	own, former := book.Setting{PromoterID: 1, Field: book.SettingW9, Value: "yes"},
		book.Setting{PromoterID: 2, Field: book.SettingW9, Value: "yes"}
	f("yes0", former)
	f("yes0", own)
	taken := own
	taken.Value = ""
	f("0", former, taken) // its own was taken back, and goes before
	f("0", taken, former)
	before := book.Setting{PromoterID: 3, Field: book.SettingW9, Value: "on paper"}
	f("on paper0", former, before) // of several the newest
	f("yes0", before, former)
	f("1", book.Setting{PromoterID: 2, Field: book.SettingMembershipPercent, Value: "30"})
	f("0", book.Setting{PromoterID: 2, Field: book.SettingMembershipPercent, Value: "much"})
}
