package book_test

import (
	"fmt"
	"slices"
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
	b, _ := openBook(t)
	applyAll(t, b, 0, &book.Changes{Content: book.Content{
		Promoters: []book.Promoter{
			{ID: 1, KeapID: 1, Token: "ada", Status: book.StatusActive}, {ID: 2, KeapID: 2, Token: "ben", Status: book.StatusInactive},
			{ID: 3, KeapID: 3, Token: "former", MergedInto: 1, Status: book.StatusActive},
			{ID: 4, KeapID: 4, Token: "before", MergedInto: 3, Status: book.StatusActive},
		},
		Aliases: []book.Alias{
			{Kind: book.AliasKeapID, Value: "1", PromoterID: 1}, {Kind: book.AliasKeapID, Value: "77", PromoterID: 1},
			{Kind: book.AliasKeapID, Value: "78", PromoterID: 4},
			{Kind: book.AliasKeapID, Value: "99", State: book.StateHouse},
		},
	}})
	recordSetting(t, b, 4, book.SettingCoupon, "OldCode")
	recordSetting(t, b, 2, book.SettingCoupon, "ben20")
	recordSetting(t, b, 3, book.SettingMembershipPercent, "30")
	recordSetting(t, b, 3, book.SettingStatus, string(terms.Blocked))
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

	recordSetting(t, b, 1, book.SettingStatus, string(terms.Active)) // its own goes before
	recordSetting(t, b, 2, book.SettingStatus, string(terms.Blocked))
	recordSetting(t, b, 2, book.SettingStatus, "") // taken back
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
		Promoters: []book.Promoter{{ID: 5, KeapID: 6, Token: "zoe", Status: book.StatusActive},
			{ID: 9, KeapID: 9, Token: "own", Status: book.StatusInactive}},
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
	if zoe.Creditable() == nil || zoe != d.ByPartner(6) || zoe != d.ByToken("zoe") ||
		zoe != d.ByEarner(book.Earner{PromoterID: 5}) || !d.ByPartner(5).House {
		t.Errorf("zoe: %+v, %+v", zoe, d.ByToken("zoe"))
	}
}

// What a code, an address or a name means: itself first, then without regard to case, and never a
// guess.
func TestDirectoryLooksUp(t *testing.T) {
	d := book.NewDirectory(&book.Content{
		Promoters: []book.Promoter{
			{ID: -1, KeapID: -1, Token: "dee", Name: "Dee Dot", Email: "dee@mail.test"},
			{ID: 1, KeapID: 1, Token: "ann", Name: "Ann  Alpha", Email: "ann@mail.test"},
			{ID: 2, KeapID: 2, Token: "bo", Name: "Bo Beta"},
			{ID: 3, KeapID: 3, Token: "bo-2", Name: "bo beta", Email: "was@mail.test", MergedInto: 1},
			{ID: 4, KeapID: 4, Token: "7", Name: "Seven Up", Email: "ann@mail.test"},
			{ID: 5, KeapID: 5, Token: "ring", MergedInto: 6}, {ID: 6, KeapID: 6, Token: "ring-2", MergedInto: 5},
		},
		Aliases: []book.Alias{
			{Kind: book.AliasCode, Value: "ANN", PromoterID: 1}, {Kind: book.AliasCode, Value: "OWN", State: book.StateHouse},
			{Kind: book.AliasCode, Value: "Same", PromoterID: 1}, {Kind: book.AliasCode, Value: "both", State: book.StateAmbiguous},
			{Kind: book.AliasCode, Value: "same", PromoterID: 2}, {Kind: book.AliasCode, Value: "12", PromoterID: 2},
			{Kind: book.AliasKeapID, Value: "-1", PromoterID: -1, Email: "dee@mail.test"},
			{Kind: book.AliasKeapID, Value: "1", PromoterID: 1, Code: "both", Email: "ann@work.test"},
			{Kind: book.AliasKeapID, Value: "12", PromoterID: 1, Code: "Same"},
			{Kind: book.AliasKeapID, Value: "2", PromoterID: 2, Code: "both", Email: "was@mail.test"},
			{Kind: book.AliasKeapID, Value: "7", PromoterID: 2, Code: "same"},
			{Kind: book.AliasKeapID, Value: "9", State: book.StateHouse, Code: "OWN", Email: "own@mail.test"},
		},
	})
	f := func(about string, o book.Owner, want string) {
		t.Helper()
		if got := o.Name(); got != want {
			t.Errorf("%s: %q, want %q", about, got, want)
		}
	}
	f("a code", d.ByCode("ANN"), "ann")
	f("a code in another case", d.ByCode("ann"), "ann")
	f("a code of several cases", d.ByCode("same"), "bo")
	f("a code in a case that nobody has", d.ByCode("SAME"), "")
	f("a code that several claim", d.ByCode("both"), "")
	f("the program's own code", d.ByCode("own"), book.HouseName)
	f("no code", d.ByCode(""), "")
	f("an address of two: the lower id", d.ByEmail("ann@mail.test"), "ann")
	f("the address of a merged one goes before a partner's", d.ByEmail("was@mail.test"), "ann")
	f("the address of a partner", d.ByEmail("ann@work.test"), "ann")
	f("the address of the program's own partner", d.ByEmail("own@mail.test"), book.HouseName)
	f("no address", d.ByEmail(""), "")
	f("a name", d.ByName(" ann alpha"), "ann")
	f("a name that a merged one has, too", d.ByName("Bo Beta"), "bo")
	f("no name", d.ByName(" "), "")
	f("one who was merged into a ring", d.ByID(5), "")
	f("its token", d.ByToken("ring"), "")

	find := func(word, want string, partners ...int64) {
		t.Helper()
		m, err := d.Find(word)
		got := m.Name()
		if err != nil {
			got = err.Error()
		}
		if got != want || err == nil && !slices.Equal(m.Partners, partners) {
			t.Errorf("%s: %q of %v, want %q of %v", word, got, m.Partners, want, partners)
		}
	}
	find("bo-2", "ann", 1, 12)
	find(" 0012", "ann", 1, 12)
	find("OWN", book.HouseName, 9)
	find("-1", "dee", -1)
	const write = "; write a Keap id: "
	find("SAME", `"SAME" could mean several promoters: ann by its code, bo by its code`+write+"--promoter 1 for ann, --promoter 2 for bo")
	find("both", `"both" could mean several promoters: ann by its code, bo by its code`+write+"--promoter 1 for ann, --promoter 2 for bo")
	find("12", `"12" could mean several promoters: bo by its code, ann by its Keap id`+write+"--promoter 2 for bo, --promoter 1 for ann")
	find("nix", `no promoter has the ref token, code or Keap id "nix": "carryover promoters" lists them`)
	if m, err := d.Find("7"); err != nil || m.Token() != "7" || m.Also == "" {
		t.Errorf("a token that is another's Keap id: %+v, %v", m, err)
	}
	own, err := d.Find("own")
	if err != nil || !own.Earned(d, partner(9)) || own.Earned(d, partner(1)) || own.Earned(d, live(1)) {
		t.Errorf("what the program's own partner earned: %+v, %v", own, err)
	}
}
