package migrate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/migrate"
)

// How partners become promoters, in one run.
func TestPeople(t *testing.T) {
	f := func(what string, partners, contacts, want []string, conflicts ...string) {
		t.Helper()
		t.Run(what, func(t *testing.T) {
			t.Helper()
			d := newEnv(t, carrot("house"))
			p := d.migrate(d.export("exports", partners, contacts))
			same(t, "promoters", promoters(d.content()), want)
			var got []string
			for _, c := range p.Conflicts {
				if c.Blocking && c.Kind != migrate.KindStatusWords {
					t.Errorf("%s blocks", c.ID)
				}
				if c.Kind != migrate.KindNoHouse && c.Kind != migrate.KindNeedsEmail {
					got = append(got, c.ID)
				}
			}
			same(t, "conflicts", got, conflicts)
			same(t, "verify", d.differences(), nil)
		})
	}
	none := []string{"99,No,Body,nobody@carrot.test,"}

	f("a shared contact", []string{"1,5,0,one,Active", "2,5,0,two,Active"}, []string{"5,A,B,a@carrot.test,"},
		[]string{"one a@carrot.test active 1 2 [one two] -"}, "merged:one")
	f("contact 0 and blank are nobody's", []string{"1,0,0,one,Active", "2,0,0,two,Active", "3,,0,three,Active", "4,,0,four,Active"}, none,
		[]string{"one - active 1 [one] -", "two - active 2 [two] -", "three - active 3 [three] -", "four - active 4 [four] -"})
	f("an address, then a contact, then an address",
		[]string{"1,5,0,one,Active", "2,6,0,two,Active", "3,6,0,three,Active", "4,7,0,four,Active"},
		[]string{"5,A,B,a@carrot.test,", "6,A,B,A@Carrot.test ,", "7,A,B,a+b@carrot.test,"},
		[]string{"one a@carrot.test active 1 2 3 [one three two] -", "four a+b@carrot.test active 4 [four] -"}, "merged:one")
	f("equal texts that are no address", []string{"1,5,0,one,Active", "2,6,0,two,Active"}, []string{"5,A,B,none,", "6,A,B,none,"},
		[]string{"one - active 1 [one] -", "two - active 2 [two] -"})
	f("the active one leads", []string{"1,5,0,one,Inactive", "2,5,0,two,Active", "3,5,0,three,1"}, []string{"5,A,B,a@carrot.test,"},
		[]string{"two a@carrot.test active 1 2 3 [one three two] -"}, "merged:two")
	f("none is active", []string{"1,5,0,one,", "2,5,0,two,No"}, []string{"5,A,B,a@carrot.test,"},
		[]string{"one a@carrot.test inactive 1 2 [one two] -"}, "status_words:partners.csv", "merged:one")
	f("the other one has the address", []string{"1,5,0,one,Active", "2,5,0,two,Active", "3,6,0,three,Active"},
		[]string{"5,A,B,,", "6,A,B,none,"},
		[]string{"one - active 1 2 [one two] -", "three - active 3 [three] -"}, "merged:one")
	f("codes of one person in two cases", []string{"1,5,0,One,Active", "2,5,0,one,Active"}, []string{"5,A,B,a@carrot.test,"},
		[]string{"one a@carrot.test active 1 2 [One one] -"}, "merged:One")

	f("tokens in the order of primary ids", []string{"9,0,0,a.b,Active", "3,0,0,a-b-2,Active", "4,0,0,a-b,Active", "7,0,0,A.B,Active"}, none,
		[]string{"a-b-2 - active 3 [a-b-2] -", "a-b - active 4 [a-b] -", "a-b-3 - active 7 [A.B] -", "a-b-4 - active 9 [a.b] -"},
		"renamed_token:A.B", "renamed_token:a.b", "ambiguous_code:A.B")
	f("one exact code twice: no guess", []string{"1,0,0,dup,Active", "2,0,0,dup,Active"}, none,
		[]string{"dup - active 1 [] -", "dup-2 - active 2 [] -"}, "renamed_token:dup", "ambiguous_code:dup")

	f("parents", []string{"1,0,0,top,Active", "2,0,1,child,Active", "3,0,3,self,Active", "4,0,77,lost,Active", "5,0,6,guest,Active",
		"6,0,0,house,Active", "7,0,,blank,Active"}, none,
		[]string{"top - active 1 [top] -", "child - active 2 [child] top", "self - active 3 [self] -", "lost - active 4 [lost] -",
			"guest - active 5 [guest] -", "blank - active 7 [blank] -"},
		"unknown_parent:lost")
	f("its own merged person", []string{"1,5,2,one,Active", "2,5,0,two,Active"}, []string{"5,A,B,a@carrot.test,"},
		[]string{"one a@carrot.test active 1 2 [one two] -"}, "merged:one")
	f("only the primary's parent counts", []string{"1,5,3,one,Inactive", "2,5,4,two,Active", "3,0,0,three,Active", "4,0,0,four,Active"},
		[]string{"5,A,B,a@carrot.test,"},
		[]string{"two a@carrot.test active 1 2 [one two] four", "three - active 3 [three] -", "four - active 4 [four] -"}, "merged:two")
	f("a parent that was merged", []string{"1,5,0,one,Active", "2,5,0,two,Active", "3,0,2,three,Active"}, []string{"5,A,B,a@carrot.test,"},
		[]string{"one a@carrot.test active 1 2 [one two] -", "three - active 3 [three] one"}, "merged:one")
	f("a ring with a tail", []string{"5,0,7,five,Active", "6,0,5,six,Active", "7,0,6,seven,Active", "1,0,7,tail,Active"}, none,
		[]string{"tail - active 1 [tail] seven", "five - active 5 [five] -", "six - active 6 [six] five", "seven - active 7 [seven] six"},
		"parent_cycle:five")
	f("a ring through merged partners", []string{"1,5,0,one,Inactive", "2,5,3,two,Active", "3,0,1,three,Active"},
		[]string{"5,A,B,a@carrot.test,"},
		[]string{"two a@carrot.test active 1 2 [one two] -", "three - active 3 [three] two"}, "merged:two", "parent_cycle:two")
	f("two rings", []string{"1,0,2,a1,Active", "2,0,1,a2,Active", "3,0,4,b1,Active", "4,0,3,b2,Active"}, none,
		[]string{"a1 - active 1 [a1] -", "a2 - active 2 [a2] a1", "b1 - active 3 [b1] -", "b2 - active 4 [b2] b1"}, "parent_cycle:a1",
		"parent_cycle:b1")

	f("a status of another kind", []string{"1,0,0,one,Pending", "2,0,0,two,ACTIVE"}, none,
		[]string{"one - inactive 1 [one] -", "two - active 2 [two] -"}, "status_words:partners.csv", "unknown_status:one")
	f("the house shares a contact and takes no token", []string{"1,5,0,house,Active", "2,5,0,House,Active", "3,5,1,three,Active"},
		[]string{"5,A,B,a@carrot.test,"},
		[]string{"house a@carrot.test active 2 3 [House three] -"}, "merged:House", "ambiguous_code:House")
}

// The house is known by its exact code, else by its lower case when that means one only.
func TestExcluded(t *testing.T) {
	f := func(exclude string, codes []string, want ...string) {
		t.Helper()
		d := newEnv(t, carrot(exclude))
		var rows []string
		for i, code := range codes {
			rows = append(rows, fmt.Sprintf("%d,0,0,%s,Active", i+1, code))
		}
		d.migrate(d.export("exports", rows, nil))
		var house []string
		for _, a := range d.content().Aliases {
			if a.Kind == book.AliasCode && a.State == book.StateHouse {
				house = append(house, a.Value)
			}
		}
		same(t, fmt.Sprintf("house of %v", codes), house, want)
	}
	f("HOUSE", []string{"house", "other"}, "house")
	f("HOUSE", []string{"HOUSE", "house"}, "HOUSE")
	f("HOUSE", []string{"House", "house"})
}

// What every address of a promoter leads to, whatever its codes are.
func TestEveryIDResolves(t *testing.T) {
	d := newEnv(t, carrot("house"))
	d.migrate(d.export("exports", []string{
		"1,5,0,dup,Active", "2,6,0,dup,Active", "3,6,0,second,Active", "4,0,0,house,Active",
	}, []string{"5,A,B,a@carrot.test,", "6,C,D,c@carrot.test,"}))
	f := func(url, token string) {
		t.Helper()
		if got := d.token(url); got != token {
			t.Errorf("%s names %q, want %q", url, got, token)
		}
	}
	f("/go/course/dup", "")
	f("/k/course?affiliate=1", "dup")
	f("/k/course?affiliate=2", "dup-2")
	f("/k/course?affiliate=3", "dup-2")
	f("/r/dup", "dup")
	f("/r/dup-2/course", "dup-2")
	f("/go/course/second", "dup-2")
	f("/go/course/house", "")
	f("/k/course?affiliate=4", "")
}

// A parent may be named by its code.
func TestParentByCode(t *testing.T) {
	d := newEnv(t, carrot("house"))
	p := d.migrate(d.write("partners.csv", "Id,Code,Parent Code,Status", "1,top,,Active", "2,child,top,Active", "3,lost,nosuch,Active",
		"4,none,0,Active", "5,house,,Active", "6,guest,house,Active", "7,own,own,Active"))
	same(t, "promoters", promoters(d.content()), []string{
		"top - active 1 [top] -", "child - active 2 [child] top", "lost - active 3 [lost] -", "none - active 4 [none] -",
		"guest - active 6 [guest] -", "own - active 7 [own] -",
	})
	same(t, "unknown parents", has(p, migrate.KindUnknownParent), []string{"lost"})
}

// What a later run does to what was published.
func TestLaterRuns(t *testing.T) {
	type run struct{ partners, contacts []string }
	f := func(what string, first, later run, want []string, links map[string]string, conflicts ...string) {
		t.Helper()
		t.Run(what, func(t *testing.T) {
			t.Helper()
			d := newEnv(t, carrot())
			d.migrate(d.export("first", first.partners, first.contacts))
			before := d.content()
			p := d.plan(d.export("later", later.partners, later.contacts))
			res := d.applyStatuses(p)
			same(t, "promoters", promoters(d.content()), want)
			for url, token := range links {
				if got := d.token(url); got != token {
					t.Errorf("%s names %q, want %q", url, got, token)
				}
			}
			var got []string
			for _, c := range p.Conflicts {
				if c.Kind != migrate.KindNeedsEmail && c.Kind != migrate.KindVanished {
					got = append(got, c.ID)
				}
			}
			same(t, "conflicts", got, conflicts)
			same(t, "verify", d.differences(), nil)
			if again := d.plan(d.path("later")); again.Changes.Len() != 0 {
				t.Errorf("planned again, it changes %+v", again.Changes)
			}
			if res.Run == 0 { // nothing to change, nothing to undo
				return
			}
			if err := migrate.Rollback(d.ctx(), res.Run, d.settings, d.book, d.store, migrate.NoProgress{}, applied, quietly); err != nil {
				t.Fatal(err)
			}
			if after := d.content(); !slices.Equal(before.Promoters, after.Promoters) || !slices.Equal(before.Aliases, after.Aliases) ||
				!slices.Equal(before.Links, after.Links) {
				t.Errorf("the rollback left %+v, want %+v", after, before)
			}
		})
	}

	f("a changed code: the old one works, the token stays",
		run{[]string{"1,0,0,old,Active"}, nil}, run{[]string{"1,0,0,new,Active"}, nil},
		[]string{"old - active 1 [new old] -"},
		map[string]string{"/go/course/old": "old", "/go/course/new": "old", "/r/old": "old", "/k/course?affiliate=1": "old"},
		"renamed_token:new")
	f("a partner that is gone stays",
		run{[]string{"1,0,0,one,Active", "2,0,1,two,Active"}, nil}, run{[]string{"1,0,0,one,Active"}, nil},
		[]string{"one - active 1 [one] -", "two - active 2 [two] one"}, map[string]string{"/go/course/two": "two"})
	f("a lower id that wants a token of the book",
		run{[]string{"5,0,0,a.b,Active"}, nil}, run{[]string{"1,0,0,a-b,Active", "5,0,0,a.b,Active"}, nil},
		[]string{"a-b-2 - active 1 [a-b] -", "a-b - active 5 [a.b] -"}, nil, "renamed_token:a-b", "renamed_token:a.b")
	f("a new primary keeps the token",
		run{[]string{"1,5,0,one,Active", "2,5,0,two,Active"}, []string{"5,A,B,a@carrot.test,"}},
		run{[]string{"1,5,0,one,Inactive", "2,5,0,two,Active"}, []string{"5,A,B,a@carrot.test,"}},
		[]string{"one a@carrot.test active 1 2 [one two] -"}, nil, "merged:two", "renamed_token:two")
	f("two published promoters are one person: both tokens work",
		run{[]string{"1,5,0,one,Inactive", "2,6,0,two,Active", "3,0,1,three,Active"}, []string{"5,A,B,a@carrot.test,", "6,C,D,c@carrot.test,"}},
		run{[]string{"1,5,0,one,Inactive", "2,6,0,two,Active"}, []string{"5,A,B,c@carrot.test,", "6,C,D,c@carrot.test,"}},
		[]string{"two c@carrot.test active 1 2 [one two] -", "three - active 3 [three] two"},
		map[string]string{"/go/course/one": "two", "/go/course/two": "two", "/r/one": "two", "/r/two": "two", "/k/course?affiliate=1": "two"},
		"merged:two")
	f("one published promoter looks like two people: it stays one",
		run{[]string{"1,5,0,one,Active", "2,6,0,two,Active"}, []string{"5,A,B,a@carrot.test,", "6,A,B,a@carrot.test,"}},
		run{[]string{"1,5,0,one,Active", "2,6,0,two,Active"}, []string{"5,A,B,a@carrot.test,", "6,C,D,c@carrot.test,"}},
		[]string{"one a@carrot.test active 1 2 [one two] -"}, map[string]string{"/go/course/two": "one"}, "merged:one", "split:one")
	f("a list of new partners only: joined with the book's by contact",
		run{[]string{"1,5,0,one,Active"}, []string{"5,A,B,,"}}, run{[]string{"2,5,0,two,Active"}, nil},
		[]string{"one - active 1 2 [one two] -"}, map[string]string{"/go/course/two": "one"}, "merged:one")
	f("and by address",
		run{[]string{"1,5,0,one,Active"}, []string{"5,A,B,a@carrot.test,"}}, run{[]string{"2,6,0,two,Active"}, []string{"6,A,B,a@carrot.test,"}},
		[]string{"one a@carrot.test active 1 2 [one two] -"}, nil, "merged:one")
	f("partners without their contacts keep their addresses and stay joined",
		run{[]string{"1,5,0,one,Active", "2,6,0,two,Active"}, []string{"5,A,B,a@carrot.test,", "6,A,B,a@carrot.test,"}},
		run{[]string{"1,5,0,one,Active", "2,6,0,two,Active"}, nil},
		[]string{"one a@carrot.test active 1 2 [one two] -"}, nil, "merged:one")
	f("contacts without partners bring a new address",
		run{[]string{"1,5,0,one,Active"}, []string{"5,A,B,a@carrot.test,"}}, run{nil, []string{"5,A,B,b@carrot.test,"}},
		[]string{"one b@carrot.test active 1 [one] -"}, nil)
	f("the active partner is not in the list",
		run{[]string{"1,5,0,one,Inactive", "2,5,0,two,Active"}, nil}, run{[]string{"1,5,0,one,Inactive"}, nil},
		[]string{"two - active 1 2 [one two] -"}, nil, "merged:two")
	f("the active partner retires",
		run{[]string{"1,5,0,one,Inactive", "2,5,0,two,Active"}, nil}, run{[]string{"2,5,0,two,Inactive"}, nil},
		[]string{"two - inactive 1 2 [one two] -"}, nil, "status_words:partners.csv", "merged:one", "renamed_token:one")
	f("a parent in the book",
		run{[]string{"1,0,0,one,Active"}, nil}, run{[]string{"2,0,1,two,Active"}, nil},
		[]string{"one - active 1 [one] -", "two - active 2 [two] one"}, nil)
	f("a ring that closes later",
		run{[]string{"1,0,0,one,Active", "2,0,1,two,Active"}, nil}, run{[]string{"1,0,2,one,Active"}, nil},
		[]string{"one - active 1 [one] -", "two - active 2 [two] one"}, nil, "parent_cycle:one")
	f("a code that another partner has now",
		run{[]string{"1,0,0,one,Active"}, nil}, run{[]string{"2,0,0,one,Active"}, nil},
		[]string{"one - active 1 [] -", "one-2 - active 2 [one] -"},
		map[string]string{"/go/course/one": "one-2", "/k/course?affiliate=1": "one", "/k/course?affiliate=2": "one-2", "/r/one": "one"},
		"moved_code:one", "renamed_token:one")
	f("an ambiguous code that is cleared up",
		run{[]string{"1,0,0,dup,Active", "2,0,0,dup,Active"}, nil}, run{[]string{"1,0,0,dup,Active", "2,0,0,second,Active"}, nil},
		[]string{"dup - active 1 [dup] -", "dup-2 - active 2 [second] -"}, map[string]string{"/go/course/dup": "dup"}, "renamed_token:second")
	f("an ambiguous code of which half is told again",
		run{[]string{"1,0,0,dup,Active", "2,0,0,dup,Active"}, nil}, run{[]string{"1,0,0,dup,Inactive"}, nil},
		[]string{"dup - inactive 1 [] -", "dup-2 - active 2 [] -"}, map[string]string{"/go/course/dup": ""}, "ambiguous_code:dup")
}

// Former tokens go on resolving through any number of later runs.
func TestMergedAgain(t *testing.T) {
	d := newEnv(t, carrot())
	contacts := func(of ...string) []string {
		var rows []string
		for i, email := range of {
			rows = append(rows, fmt.Sprintf("%d,A,B,%s@carrot.test,", i+1, email))
		}
		return rows
	}
	partners := []string{"1,1,0,one,Active", "2,2,0,two,Active", "3,3,0,three,Active"}
	d.migrate(d.export("a", partners, contacts("a", "b", "c")))
	d.migrate(d.export("b", []string{"1,1,0,one,Inactive"}, contacts("b")))
	d.migrate(d.export("c", []string{"2,2,0,two,Inactive"}, contacts("b", "c")[1:]))
	same(t, "promoters", promoters(d.content()), []string{"three c@carrot.test active 1 2 3 [one three two] -"})
	for _, url := range []string{"/r/one", "/r/two", "/r/three", "/go/course/one", "/k/course?affiliate=2"} {
		if got := d.token(url); got != "three" {
			t.Errorf("%s names %q", url, got)
		}
	}
	same(t, "verify", d.differences(), nil)
}

// A partner that is excluded later credits nobody; brought back, it is who it was.
func TestExcludedLater(t *testing.T) {
	d := newEnv(t, carrot())
	first := d.export("first", []string{"1,0,0,own,Active", "2,0,1,two,Active", "3,0,0,three,Active"}, nil)
	d.migrate(first)
	d.migrate(d.export("second", []string{"1,0,0,Own2,Active"}, nil)) // "own" is a former code now
	d.settings = carrot("Own2")
	d.migrate(d.export("third", []string{"3,0,0,three,Active"}, nil))
	for _, url := range []string{"/go/course/own", "/go/course/Own2", "/k/course?affiliate=1"} {
		if got := d.table().Resolve(mapping.ParseURL(url), beforeCutoff); got.Token != "" || got.Outcome != mapping.ForwardUncredited {
			t.Errorf("excluded: %s answers %+v", url, got)
		}
	}
	same(t, "excluded", promoters(d.content()), []string{"own - inactive  [] -", "two - active 2 [two] -", "three - active 3 [three] -"})
	d.settings = carrot()
	d.migrate(first)
	same(t, "brought back", promoters(d.content())[:1], []string{"own - active 1 [own] -"})
	if got := d.token("/k/course?affiliate=1"); got != "own" {
		t.Errorf("brought back, its id names %q", got)
	}
}

// Many partners that want one token get one each, and none is asked for twice.
func TestManyWantOneToken(t *testing.T) {
	d := newEnv(t, carrot())
	const n = 5000
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("%d,0,0,%s,Active", i+1, strings.Repeat("日", 1)+string(rune(0x4e00+i)))
	}
	p := d.plan(d.export("exports", rows, nil))
	seen := map[string]bool{}
	for i, q := range p.After.Promoters {
		want := "--"
		if i > 0 {
			want = fmt.Sprintf("---%d", i+1)
		}
		if q.Token != want || seen[q.Token] {
			t.Fatalf("promoter %d has the token %q, want %q", q.ID, q.Token, want)
		}
		seen[q.Token] = true
	}
}
