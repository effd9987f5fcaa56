package migrate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"carryover/mapping/book"
	"carryover/migrate"
)

// accounts lists what became of the rows of every file, in the order of their names.
func accounts(p *migrate.Plan) string {
	var parts []string
	for _, f := range p.Files {
		part := fmt.Sprintf("%d+%d+%d", f.Loaded, f.Rejected, f.Skipped)
		for _, reason := range []string{"duplicate", "superseded"} {
			if n := f.SkippedBy[reason]; n > 0 {
				part += fmt.Sprintf(" %s:%d", reason, n)
			}
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// Exports that overlap: each list is a file, a.csv, b.csv and so on.
func TestOverlaps(t *testing.T) {
	f := func(what string, files [][]string, wantAccounts string, want []string, open ...string) {
		t.Helper()
		t.Run(what, func(t *testing.T) {
			t.Helper()
			d := newEnv(t, carrot())
			d.write("exports/0.csv", linksHeader, "900,fixed,https://carrot.test/fixed,1/2/2020")
			d.write("exports/1.csv", "Id,Contact Id,Code,Status", "900,900,fixed,Active")
			for i, lines := range files {
				d.write(fmt.Sprintf("exports/%c.csv", 'a'+i), lines...)
			}
			p := d.plan(d.path("exports"))
			if got := strings.TrimPrefix(accounts(p), "1+0+0, 1+0+0, "); got != wantAccounts {
				t.Errorf("loaded+rejected+skipped: %s, want %s", got, wantAccounts)
			}
			var ids []string
			for _, c := range p.Open() {
				ids = append(ids, c.ID+"="+c.Recommended)
				if c.Kind != migrate.KindDuplicate {
					t.Errorf("open: %+v", c)
				}
			}
			same(t, "open", ids, open)
			var got []string
			for _, line := range promoters(&p.After) {
				if !strings.HasPrefix(line, "fixed") {
					got = append(got, line)
				}
			}
			for _, l := range p.After.Links {
				if l.Code != "fixed" {
					got = append(got, l.Code+" "+l.Destination)
				}
			}
			same(t, "model", got, want)
		})
	}
	const partners, dated = "Id,Contact Id,Code,Status", "Id,Contact Id,Code,Status,Date Created"
	const contacts, updated = "Id,Email,First Name", "Id,Email,First Name,Date Created,Last Updated"
	const links, created = "Id,Code,Website Address", "Id,Code,Website Address,Date Created"

	f("copies in one file and in two", [][]string{{partners, "1,0,one,Active", "1,0,one,active"}, {partners, "1,,one,1", "2,0,two,0"}},
		"1+0+1 duplicate:1, 1+0+1 duplicate:1", []string{"one - active 1 [one] -", "two - inactive 2 [two] -"})
	f("the later date wins, first", [][]string{{dated, "1,0,one,Active,2/1/2022"}, {dated, "1,0,uno,Inactive,1/1/2022"}},
		"1+0+0, 0+0+1 superseded:1", []string{"one - active 1 [one uno] -"})
	f("the later date wins, last", [][]string{{dated, "1,0,one,Active,2/1/2022"}, {dated, "1,0,uno,Inactive,3/1/2022"}},
		"0+0+1 superseded:1, 1+0+0", []string{"uno - inactive 1 [one uno] -"})
	f("three dates", [][]string{{dated, "1,0,one,Active,2/1/2022"}, {dated, "1,0,uno,Active,3/1/2022", "1,0,eins,Active,1/1/2022"}},
		"0+0+1 superseded:1, 1+0+1 superseded:1", []string{"uno - active 1 [eins one uno] -"})
	f("no dates", [][]string{{partners, "1,0,one,Active"}, {partners, "1,0,one,Inactive"}},
		"1+0+0, 0+0+1 superseded:1", []string{"one - active 1 [one] -"}, "duplicate:partners:1=first")
	f("equal dates", [][]string{{dated, "1,0,one,Active,2/1/2022"}, {dated, "1,0,uno,Active,2/1/2022"}},
		"1+0+0, 0+0+1 superseded:1", []string{"one - active 1 [one uno] -"}, "duplicate:partners:1=first")
	f("copies of both sides of a conflict",
		[][]string{{partners, "1,0,one,Active", "1,0,uno,Active"}, {partners, "1,0,uno,Active", "1,0,one,Active"}},
		"1+0+1 superseded:1, 0+0+2 duplicate:2", []string{"one - active 1 [one uno] -"}, "duplicate:partners:1=first")
	f("a file without a column does not contradict",
		[][]string{{"Id,Code,Contact Id", "1,one,0", "2,two,0"}, {dated, "1,0,one,Active,2/1/2022", "3,0,three,Active,"}},
		"2+0+0, 1+0+1 duplicate:1", []string{"one - active 1 [one] -", "two - inactive 2 [two] -", "three - active 3 [three] -"})
	f("in any order", [][]string{{dated, "1,0,one,Active,2/1/2022"}, {"Id,Code,Contact Id", "1,one,0"}},
		"1+0+0, 0+0+1 duplicate:1", []string{"one - active 1 [one] -"})
	f("a code that one had and another has",
		[][]string{{dated, "1,0,old,Active,1/1/2022"}, {dated, "1,0,new,Active,2/1/2022", "2,0,old,Active,2/1/2022"}},
		"0+0+1 superseded:1, 2+0+0", []string{"new - active 1 [new] -", "old - active 2 [old] -"})

	person := [][]string{{partners, "1,5,one,Active"}}
	f("contacts: copies", append(person, []string{contacts, "5,A@carrot.test ,Ann", "5,a@carrot.test,Ann"}), "1+0+0, 1+0+1 duplicate:1",
		[]string{"one a@carrot.test active 1 [one] -"})
	f("contacts: the last change wins",
		append(person, []string{updated, "5,new@carrot.test,Ann,1/1/2020,3/1/2022", "5,old@carrot.test,Ann,1/1/2020,2/1/2022"}),
		"1+0+0, 1+0+1 superseded:1", []string{"one new@carrot.test active 1 [one] -"})
	f("contacts: no dates", append(person, []string{contacts, "5,a@carrot.test,Ann", "5,b@carrot.test,Ann"}),
		"1+0+0, 1+0+1 superseded:1", []string{"one a@carrot.test active 1 [one] -"}, "duplicate:contacts:5=first")
	f("contacts: a file without names",
		append(person, []string{contacts, "5,a@carrot.test,Ann"}, []string{"Contact Id,Email", "5,a@carrot.test"}),
		"1+0+0, 1+0+0, 0+0+1 duplicate:1", []string{"one a@carrot.test active 1 [one] -"})

	f("links: copies", [][]string{{links, "7,l,https://carrot.test/a"}, {created, "7,l,https://carrot.test/a,1/1/2020"}},
		"1+0+0, 0+0+1 duplicate:1", []string{"l https://carrot.test/a"})
	f("links: the later date wins", [][]string{{created, "7,l,https://carrot.test/new,2/1/2020", "7,l,https://carrot.test/old,1/1/2020"}},
		"1+0+1 superseded:1", []string{"l https://carrot.test/new"})
	f("links: no dates", [][]string{{links, "7,l,https://carrot.test/a", "7,l,https://carrot.test/b"}},
		"1+0+1 superseded:1", []string{"l https://carrot.test/a"}, "duplicate:links:7=first")
	f("links: a new code, and both work",
		[][]string{{created, "7,old,https://carrot.test/old,1/1/2020", "7,new,https://carrot.test/new,2/1/2020"}},
		"1+0+1 superseded:1", []string{"old https://carrot.test/new", "new https://carrot.test/new"})
	f("links: one code, two ids", [][]string{{links, "7,l,https://carrot.test/a", "8,l,https://carrot.test/a"}},
		"1+0+1 duplicate:1", []string{"l https://carrot.test/a"})
	f("links: one code, two ids, two places", [][]string{{links, "7,l,https://carrot.test/a", "8,l,https://carrot.test/b"}},
		"1+0+1 superseded:1", []string{"l https://carrot.test/a"}, "duplicate:links:l=first")
	f("links: without ids",
		[][]string{{"Code,Website Address", "l,https://carrot.test/a", "l,https://carrot.test/a", "m,https://carrot.test/m"},
			{links, "7,l,https://carrot.test/a"}},
		"2+0+1 duplicate:1, 0+0+1 duplicate:1", []string{"l https://carrot.test/a", "m https://carrot.test/m"})
	f("links: an unsafe copy is no rival", [][]string{{links, "7,l,https://carrot.test/a", "7,l,https://elsewhere.test/a"}},
		"1+1+0", []string{"l https://carrot.test/a"})
}

// The hint on a rejected destination is one that helps.
func TestHintsOnDestinations(t *testing.T) {
	f := func(destination, kind, want string) {
		t.Helper()
		d := newEnv(t, carrot())
		p := d.plan(d.export("exports", []string{"1,0,0,one,Active"}, nil, "7,bad,"+destination+","))
		if len(p.Rejects) != 1 || !strings.HasSuffix(p.Rejects[0].Hint, want) || len(has(p, kind)) != 1 {
			t.Errorf("%s: rejects %+v, conflicts %+v; want %q", destination, p.Rejects, p.Conflicts, want)
		}
	}
	f("https://elsewhere.test/x", migrate.KindUnsafeLink,
		"is not one of allowed_hosts; correct the address, or add its host to allowed_hosts when it is yours")
	f("javascript:alert(1)", migrate.KindUnsafeLink, "it is not an http or https address; correct the address")
	f("https://me@carrot.test/", migrate.KindUnsafeLink, "user info before the host; correct the address")
	f("https://go.carrot.test/go/x", migrate.KindLoopingLink,
		"leads back to the old links; correct the address to the page where visitors are to arrive")
}

// A row of which thousands differ is settled like any other.
func TestOneIDOnEveryRow(t *testing.T) {
	d := newEnv(t, carrot())
	rows := []string{"Id,Code,Status,Date Created"}
	for i := range 3000 {
		rows = append(rows, fmt.Sprintf("1,code%d,Active,1/1/2020 %d:%02d", i, i/60%24, i%60))
	}
	p := d.plan(d.write("partners.csv", rows...))
	if got := accounts(p); !strings.HasPrefix(got, "1+0+2999") {
		t.Errorf("%s", got)
	}
	if open := p.Open(); len(open) != 1 || !strings.Contains(open[0].Detail, "and 2991 more") {
		t.Errorf("open: %+v", open)
	}
}

// A link renamed in a later run answers to both codes and leads where it leads now.
func TestRenamedLink(t *testing.T) {
	d := newEnv(t, carrot())
	d.migrate(d.export("first", []string{"1,0,0,one,Active"}, nil, "7,old,https://carrot.test/old,1/1/2020"))
	d.migrate(d.export("later", nil, nil, "7,new,https://carrot.test/new,1/1/2020"))
	want := []book.Link{
		{Code: "new", KeapID: 7, Destination: "https://carrot.test/new"}, {Code: "old", KeapID: 7, Destination: "https://carrot.test/new"},
	}
	var got []book.Link
	for _, l := range d.content().Links {
		if l.Code != "course" {
			l.CreatedAt = 0
			got = append(got, l)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("links %+v, want %+v", got, want)
	}
	same(t, "verify", d.differences(), nil)
}
