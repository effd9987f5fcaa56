package book_test

import (
	"fmt"
	"testing"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// directory is the one that a transaction that begins now has.
func directory(t testing.TB, b *book.Book) (d *book.Directory) {
	t.Helper()
	if err := b.Track(func(tr *book.Tracking) error { d = tr.Directory(); return nil }); err != nil {
		t.Fatal(err)
	}
	return d
}

func partner(keapID int64) book.Earner { return book.Earner{PartnerID: keapID} }
func live(promoter int64) book.Earner  { return book.Earner{PromoterID: promoter} }

// Who is who: by token, by the Keap id of any partner, by coupon; merged promoters are those
// that took them over, and what was recorded of them holds unless these have their own.
func TestDirectory(t *testing.T) {
	b, _ := openMapBook(t)
	applyAll(t, b, 0, &book.Changes{Content: book.Content{
		Promoters: []book.Promoter{
			{ID: 1, KeapID: 1, Token: "ada", Status: book.StatusActive}, {ID: 2, KeapID: 2, Token: "ben", Status: book.StatusInactive},
			{ID: 3, KeapID: 3, Token: "former", MergedInto: 1, Status: book.StatusActive}, {ID: 4, KeapID: 4, Token: "before", MergedInto: 3, Status: book.StatusActive},
		},
		Aliases: []book.Alias{
			{Kind: book.AliasKeapID, Value: "1", PromoterID: 1}, {Kind: book.AliasKeapID, Value: "77", PromoterID: 1}, {Kind: book.AliasKeapID, Value: "78", PromoterID: 4},
			{Kind: book.AliasKeapID, Value: "99", State: book.StateHouse},
		},
	}})
	recorded(t, b, 4, book.SettingCoupon, "OldCode")
	recorded(t, b, 2, book.SettingCoupon, "ben20")
	recorded(t, b, 3, book.SettingMembershipPercent, "30")
	recorded(t, b, 3, book.SettingStatus, string(terms.Blocked))
	f := func(about string, o book.Owner, want string) {
		t.Helper()
		got := o.Name()
		if p := o.Promoter; p != nil {
			got = fmt.Sprint(p.Token, " ", p.Status, " ", len(p.RateChanges))
		}
		if got != want {
			t.Errorf("%s: %q, want %q", about, got, want)
		}
	}
	d := directory(t, b)
	f("its id", d.ByID(1), "ada blocked 1")
	f("the id of one it took over", d.ByID(4), "ada blocked 1")
	f("another partner of its", d.ByPartner(77), "ada blocked 1")
	f("a partner of one it took over", d.ByPartner(78), "ada blocked 1")
	f("the program's own", d.ByPartner(99), book.HouseName)
	f("no id", d.ByID(0), "")
	f("no partner", d.ByPartner(0), "")
	f("a partner's id is no promoter's", d.ByID(77), "")
	f("its token", d.ByToken("ada"), "ada blocked 1")
	f("the token of one it took over, in capitals", d.ByToken(" BEFORE "), "ada blocked 1")
	f("no token", d.ByToken(""), "")
	f("a coupon of one it took over", d.ByCoupon(" OLDcode"), "ada blocked 1")
	f("a coupon", d.ByCoupon("BEN20"), "ben inactive 0")
	f("no coupon", d.ByCoupon(""), "")

	recorded(t, b, 1, book.SettingStatus, string(terms.Active)) // its own goes before
	recorded(t, b, 2, book.SettingStatus, string(terms.Blocked))
	recorded(t, b, 2, book.SettingStatus, "") // taken back
	d = directory(t, b)
	f("its own standing", d.ByID(4), "ada active 1")
	f("what the run says", d.ByID(2), "ben inactive 0")

	d, err := b.DirectoryOf(t.Context(), []int64{4, 5})
	if err != nil {
		t.Fatal(err)
	}
	f("of some, one that was taken over", d.ByID(4), "ada active 1")
	f("and the one that took it over", d.ByToken("ada"), "ada active 1")
	f("one that there is not", d.ByID(5), "")
	f("nobody else", d.ByID(2), "")
}

// A promoter whose partners became the program's own is credited with nothing new, and is owed
// what it earned live; one of whom only some did is who it was.
func TestDirectoryOfTheProgramsOwn(t *testing.T) {
	d := book.NewDirectory(&book.Content{
		Promoters: []book.Promoter{{ID: 5, KeapID: 6, Token: "zoe", Status: book.StatusActive}, {ID: 9, KeapID: 9, Token: "own", Status: book.StatusInactive}},
		Aliases: []book.Alias{
			{Kind: book.AliasKeapID, Value: "5", State: book.StateHouse}, {Kind: book.AliasKeapID, Value: "6", PromoterID: 5},
			{Kind: book.AliasKeapID, Value: "9", State: book.StateHouse},
		},
		Settings: []book.Setting{{PromoterID: 9, Field: book.SettingCoupon, Value: "OWN20"}},
	})
	for _, o := range []book.Owner{d.ByID(9), d.ByToken("own"), d.ByCoupon("own20"), d.ByEarner(book.Earner{PromoterID: 9})} {
		if o.Token() != "own" || o.Creditable() != nil {
			t.Errorf("the program's own: %+v", o.Promoter)
		}
	}
	if o := d.ByPartner(9); !o.House || o != d.ByEarner(book.Earner{PartnerID: 9}) {
		t.Errorf("a partner of the program's own: %+v", o)
	}
	zoe := d.ByID(5)
	if zoe.Creditable() == nil || zoe != d.ByPartner(6) || zoe != d.ByToken("zoe") || zoe != d.ByEarner(book.Earner{PromoterID: 5}) || !d.ByPartner(5).House {
		t.Errorf("zoe: %+v, %+v", zoe, d.ByToken("zoe"))
	}
}
