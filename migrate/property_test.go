package migrate_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// A small program: few ids, contacts, addresses and codes, so that they meet.
type world struct {
	partners []worldPartner // ascending ids
	contacts []string       // address of contact i+1
	links    []string
	older    []string // rows that later ones supersede
}

type worldPartner struct {
	id, contact, parent int
	code                string
	active              bool
}

func (p worldPartner) row(date string) string {
	status := map[bool]string{true: "Active", false: "Inactive"}[p.active]
	return fmt.Sprintf("%d,%d,%d,%s,%s,%s", p.id, p.contact, p.parent, p.code, status, date)
}

const datedHeader = partnersHeader + ",Date Created"

func drawWorld(t *rapid.T) world {
	var w world
	codes := []string{"a", "A", "b", "B", "a-2", "a.2", "É", "ö", "house", "House", "go", "long-code"}
	ids := rapid.SliceOfNDistinct(rapid.IntRange(1, 20), 1, 9, rapid.ID).Draw(t, "ids")
	slices.Sort(ids)
	for _, id := range ids {
		p := worldPartner{
			id: id, contact: rapid.IntRange(0, 6).Draw(t, "contact"), parent: rapid.IntRange(0, 20).Draw(t, "parent"),
			code: rapid.SampledFrom(codes).Draw(t, "code"), active: rapid.Bool().Draw(t, "active"),
		}
		w.partners = append(w.partners, p)
		if rapid.IntRange(0, 3).Draw(t, "older") == 0 {
			p.code, p.active = rapid.SampledFrom([]string{"old1", "old2"}).Draw(t, "old code"), !p.active
			w.older = append(w.older, p.row("1/2/2019"))
		}
	}
	w.contacts = rapid.SliceOfN(rapid.SampledFrom([]string{"", "none", "x@carrot.test", "X@Carrot.test", "y@carrot.test", "z@carrot.test"}),
		4, 4).Draw(t, "addresses")
	w.links = []string{"1,l,https://carrot.test/l,", "2,L,https://carrot.test/L?ref=x,", "3,m,https://elsewhere.test/,"}
	return w
}

func (w world) partnerRows() []string {
	rows := slices.Clone(w.older)
	for _, p := range w.partners {
		rows = append(rows, p.row("1/2/2020"))
	}
	return append(rows, "1.2E+05,0,0,excel,Active,", ",,,,,")
}

func (w world) contactRows() []string {
	var rows []string
	for i, email := range w.contacts {
		rows = append(rows, fmt.Sprintf("%d,F%d,L,%s,1/2/2020", i+1, i, email))
	}
	return rows
}

// write makes exports of the world: each kind whole, or in files that overlap with
// their rows in any order.
func (w world) write(d *env, t *rapid.T, dir string, scattered bool) string {
	for kind, rows := range map[string][]string{datedHeader: w.partnerRows(), contactsHeader: w.contactRows(), linksHeader: w.links} {
		name := dir + "/" + strings.ReplaceAll(kind[:4], " ", "")
		if !scattered {
			d.write(name+".csv", append([]string{kind}, rows...)...)
			continue
		}
		files := make([][]string, rapid.IntRange(1, 3).Draw(t, "files"))
		for _, row := range rows {
			at := rapid.IntRange(0, len(files)-1).Draw(t, "in file")
			for i := range files {
				if i == at || rapid.Bool().Draw(t, "too") {
					files[i] = append(files[i], row)
				}
			}
		}
		for i, lines := range files {
			lines = rapid.Permutation(lines).Draw(t, "order")
			d.write(fmt.Sprintf("%s%d.csv", name, i), append([]string{kind}, lines...)...)
		}
	}
	return d.path(dir)
}

// people works out the promoters the slow way: token, address, status, ids, parent.
func (w world) people() []string {
	key := func(p worldPartner) string {
		if p.contact == 0 || p.contact > len(w.contacts) {
			return ""
		}
		k, _ := terms.EmailKey(w.contacts[p.contact-1])
		return k
	}
	// The exact code, else the one that differs from it by case only.
	house, alike := "house", 0
	for _, p := range w.partners {
		if p.code == "House" {
			alike++
		}
	}
	if alike == 1 && !slices.ContainsFunc(w.partners, func(p worldPartner) bool { return p.code == "house" }) {
		house = "House"
	}
	var groups [][]worldPartner
	for _, p := range w.partners {
		if p.code == house {
			continue
		}
		own := []worldPartner{p}
		groups = slices.DeleteFunc(groups, func(g []worldPartner) bool {
			same := slices.ContainsFunc(g, func(q worldPartner) bool {
				return q.contact != 0 && q.contact == p.contact || key(q) != "" && key(q) == key(p)
			})
			if same {
				own = append(own, g...)
			}
			return same
		})
		slices.SortFunc(own, func(a, b worldPartner) int { return cmp.Compare(a.id, b.id) })
		groups = append(groups, own)
	}
	primary := func(g []worldPartner) worldPartner {
		return g[max(0, slices.IndexFunc(g, func(p worldPartner) bool { return p.active }))]
	}
	slices.SortFunc(groups, func(a, b []worldPartner) int { return cmp.Compare(primary(a).id, primary(b).id) })
	tokens, taken := make([]string, len(groups)), map[string]bool{}
	of := map[int]int{} // partner -> group
	for i, g := range groups {
		natural := terms.RefToken(primary(g).code)
		tokens[i] = natural
		for n := 2; taken[tokens[i]]; n++ {
			tokens[i] = natural + "-" + strconv.Itoa(n)
		}
		taken[tokens[i]] = true
		for _, p := range g {
			of[p.id] = i
		}
	}
	parents := make([]int, len(groups))
	for i, g := range groups {
		parent, known := of[primary(g).parent]
		if parents[i] = parent; !known || parent == i {
			parents[i] = -1
		}
	}
	for i := range groups { // the lowest member of every ring
		for at, n := parents[i], 0; at >= 0 && n <= len(groups); at, n = parents[at], n+1 {
			if at < i {
				break
			}
			if at == i {
				parents[i] = -1
				break
			}
		}
	}
	var lines []string
	for i, g := range groups {
		email, status, parent := key(primary(g)), "inactive", "-"
		var ids []int
		for _, p := range g {
			email = cmp.Or(email, key(p))
			if p.active {
				status = "active"
			}
			ids = append(ids, p.id)
		}
		if parents[i] >= 0 {
			parent = tokens[parents[i]]
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s %s", tokens[i], cmp.Or(email, "-"), status, strings.Trim(fmt.Sprint(ids), "[]"), parent))
	}
	return lines
}

// withoutCodes takes the codes out of the lines of promoters.
func withoutCodes(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		before, rest, _ := strings.Cut(line, "[")
		_, after, _ := strings.Cut(rest, "] ")
		out[i] = before + after
	}
	return out
}

// check runs fn in environments of its own for many worlds; only those in which a plan is
// applied have a book.
func check(t *testing.T, fn func(t *rapid.T, w world, newEnv func(book bool) *env)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "carryover-property-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		var envs []*env
		defer func() {
			for _, d := range envs {
				if d.book != nil {
					d.book.Close()
				}
			}
		}()
		fn(t, drawWorld(t), func(book bool) *env {
			d := &env{tb: t, settings: carrot("house"), dir: fmt.Sprintf("%s/%d", dir, len(envs))}
			if book {
				d = envIn(t, d.dir, d.settings)
			}
			envs = append(envs, d)
			return d
		})
	})
}

func equal(t tb, what string, got, want *book.Content) {
	t.Helper()
	if !slices.Equal(got.Promoters, want.Promoters) || !slices.Equal(got.Aliases, want.Aliases) || !slices.Equal(got.Links, want.Links) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// The promoters are those that the rules give when they are followed one by one; neither
// the order of rows nor their distribution over files matters; and what was done once is
// not done again.
func TestPlanProperty(t *testing.T) {
	check(t, func(t *rapid.T, w world, newEnv func(book bool) *env) {
		whole, scattered := newEnv(true), newEnv(false)
		p := whole.migrate(w.write(whole, t, "exports", false))
		if open := openBut(p); len(open) > 0 {
			t.Fatalf("open: %+v", open)
		}
		content := whole.content()
		if got, want := withoutCodes(promoters(content)), w.people(); !slices.Equal(got, want) {
			t.Fatalf("promoters\n got %v\nwant %v", got, want)
		}
		equal(t, "scattered over files", &scattered.plan(w.write(scattered, t, "exports", true)).After, content)

		if res := whole.apply(); res.Run != 0 || res.Flipped {
			t.Errorf("the second apply: %+v", res)
		}
		if again := whole.migrate(whole.path("exports")); again.Changes.Len() != 0 {
			t.Errorf("planned again, it changes %+v", again.Changes)
		}
		equal(t, "after the second time", whole.content(), content)
		same(t, "verify", whole.differences(), nil)
	})
}

// Every code and id of every loaded partner names its promoter in the published map, in
// one run or in several; a code that several have, or the house, credits nobody.
func TestEveryCodeProperty(t *testing.T) {
	check(t, func(t *rapid.T, w world, newEnv func(book bool) *env) {
		d := newEnv(true)
		if rapid.Bool().Draw(t, "some partners first") {
			first := w
			first.partners = nil
			for _, p := range w.partners {
				if rapid.Bool().Draw(t, "first") {
					p.active, p.parent = rapid.Bool().Draw(t, "was active"), 0
					first.partners = append(first.partners, p)
				}
			}
			if first.older = nil; len(first.partners) > 0 {
				d.migrate(first.write(d, t, "first", false))
			}
		}
		before := d.content()
		d.migrate(w.write(d, t, "exports", false))
		content, table := d.content(), d.table()
		live := map[int64]book.Promoter{}
		for _, p := range content.Promoters {
			live[p.ID] = p
		}
		for _, old := range before.Promoters {
			if p := live[old.ID]; p.Token != old.Token {
				t.Errorf("promoter %d was published as %q and is %q", old.ID, old.Token, p.Token)
			}
			got := table.Resolve(mapping.Request{Host: "go.carrot.test", Path: "/r/" + old.Token}, beforeCutoff).Token
			if want := live[cmp.Or(live[old.ID].MergedInto, old.ID)].Token; got != want {
				t.Errorf("/r/%s names %q, want %q", old.Token, got, want)
			}
		}
		owners := map[string]map[int64]bool{} // of current codes; 0: the house
		for i := range content.Aliases {
			if a := &content.Aliases[i]; a.Kind == book.AliasKeapID {
				if owners[a.Code] == nil {
					owners[a.Code] = map[int64]bool{}
				}
				owners[a.Code][a.PromoterID] = true
			}
		}
		for i := range content.Aliases {
			a := &content.Aliases[i]
			id, ok := a.KeapID()
			if !ok {
				continue
			}
			want := live[a.PromoterID].Token
			if got := table.Resolve(mapping.ParseURL(fmt.Sprintf("/k/l?affiliate=%d", id)), beforeCutoff).Token; got != want {
				t.Errorf("the id %d names %q, want %q", id, got, want)
			}
			if len(owners[a.Code]) > 1 {
				want = ""
			}
			if got := table.Resolve(mapping.Request{Host: "go.carrot.test", Path: "/go/l/" + a.Code}, beforeCutoff).Token; got != want {
				t.Errorf("the code %q names %q, want %q", a.Code, got, want)
			}
		}
	})
}

// Whatever rows contradict each other, with every recommendation taken nothing is left
// to decide, and the plan is the one that was shown.
func TestRecommendationsProperty(t *testing.T) {
	check(t, func(t *rapid.T, w world, newEnv func(book bool) *env) {
		d := newEnv(false)
		w.older = nil
		for _, p := range w.partners { // another row without a date that tells
			switch rapid.IntRange(0, 3).Draw(t, "contradiction") {
			case 0:
				p.active = !p.active
			case 1:
				p.code, p.contact = "other", rapid.IntRange(0, 6).Draw(t, "other contact")
			default:
				continue
			}
			w.older = append(w.older, p.row(rapid.SampledFrom([]string{"", "1/2/2020", "25/1/2020"}).Draw(t, "date")))
		}
		exports := w.write(d, t, "exports", rapid.Bool().Draw(t, "scattered"))
		before := d.plan(exports)
		after, err := d.try(d.decide("decided.csv", recommended), exports)
		d.must(err)
		if open := after.Open(); len(open) > 0 {
			t.Fatalf("open: %+v", open)
		}
		equal(t, "with every recommendation taken", &after.After, &before.After)
	})
}
