package migrate_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"carryover/mapping/store"
	"carryover/migrate"
)

// undecided is an export with a row that stands twice, an order of dates that must be
// confirmed, and something to know that asks for nothing.
func undecided(d *env) string {
	d.write("exports/partners.csv", "Id,Contact Id,Code,Status", "1,5,one,Active", "1,5,uno,Active", "2,5,two,Active")
	d.write("exports/contacts.csv", "Id,Email,Date Created", "5,a@carrot.test,25/12/2020", "6,b@carrot.test,3/4/2021")
	d.write("exports/links.csv", "Id,Code,Website Address", "7,course,https://carrot.test/course")
	return d.path("exports")
}

func recommended(_, recommended string) string { return recommended }

// unchanged fails when the book or the map hold anything.
func (d *env) unchanged() {
	d.Helper()
	if c := d.content(); c.Len() != 0 {
		d.Errorf("the book holds %+v", c)
	}
	if _, _, err := d.store.Load(d.ctx()); !errors.Is(err, store.ErrNoMap) {
		d.Errorf("the map: %v", err)
	}
	if runs, err := d.book.Imports(d.ctx()); err != nil || len(runs) != 0 {
		d.Errorf("runs %v, %v", runs, err)
	}
}

func TestUndecided(t *testing.T) {
	d := newEnv(t, carrot())
	p := d.plan(undecided(d))
	var open []string
	for _, c := range p.Open() {
		open = append(open, c.ID)
	}
	same(t, "open", open, []string{"duplicate:partners:1", "date_order:contacts.csv:created_at"})
	if p.Totals.OpenBlocking != 2 {
		t.Errorf("totals say %d open", p.Totals.OpenBlocking)
	}
	if _, err := d.tryApply(nil); !errors.Is(err, migrate.ErrUndecided) || !strings.Contains(err.Error(), "conflicts.csv") {
		t.Errorf("apply: %v", err)
	}
	d.unchanged()
	// One of the two is not enough.
	half, err := migrate.ReadDecisions(d.decide("half.csv", func(id, recommended string) string {
		if strings.HasPrefix(id, "duplicate") {
			return recommended
		}
		return ""
	}))
	d.must(err)
	if _, err := d.tryApply(half); !errors.Is(err, migrate.ErrUndecided) {
		t.Errorf("apply with half of the decisions: %v", err)
	}
	d.unchanged()
}

// A decision may be given to plan or to apply, and both come to the same.
func TestDecided(t *testing.T) {
	f := func(choose func(id, recommended string) string, want ...string) {
		t.Helper()
		atPlan, atApply := newEnv(t, carrot()), newEnv(t, carrot())

		atPlan.plan(undecided(atPlan))
		file := atPlan.decide("decided.csv", choose)
		p, err := atPlan.try(file, atPlan.path("exports"))
		if err != nil || len(p.Open()) != 0 {
			t.Fatalf("plan with decisions: open %+v, %v", p.Open(), err)
		}
		atPlan.apply()
		same(t, "decided at the plan", promoters(atPlan.content()), want)

		atApply.plan(undecided(atApply))
		extra, err := migrate.ReadDecisions(atApply.decide("decided.csv", choose))
		atApply.must(err)
		if _, err := atApply.tryApply(extra); err != nil {
			t.Fatal(err)
		}
		same(t, "decided at apply", promoters(atApply.content()), want)
		for _, d := range []*env{atPlan, atApply} {
			same(t, "verify", d.differences(), nil)
		}
		if res, err := atApply.tryApply(extra); err != nil || res.Run != 0 || res.Flipped {
			t.Errorf("the second apply: %+v, %v", res, err)
		}
	}
	f(recommended, "one a@carrot.test active 1 2 [one two uno] -")
	f(func(id, recommended string) string {
		if id == "duplicate:partners:1" {
			return " LATER "
		}
		return recommended
	}, "uno a@carrot.test active 1 2 [one two uno] -")
}

// The plan of which every recommendation is taken asks nothing more, and is what was
// shown before they were taken.
func TestRecommendationsTaken(t *testing.T) {
	d := newEnv(t, carrot())
	before := d.plan(undecided(d))
	after, err := d.try(d.decide("decided.csv", recommended), d.path("exports"))
	d.must(err)
	if len(after.Open()) != 0 || len(after.Unused) != 0 {
		t.Errorf("open %+v, not used %v", after.Open(), after.Unused)
	}
	if !slices.Equal(promoters(&before.After), promoters(&after.After)) {
		t.Errorf("the plan was %v and is %v", promoters(&before.After), promoters(&after.After))
	}
	if before.PlanID == after.PlanID || before.InputsID != after.InputsID {
		t.Error("decisions must be part of the plan's id, and no part of its inputs'")
	}
	// The file that the plan writes keeps the decisions: it can be handed in again.
	again, err := d.try(d.path("plan", "conflicts.csv"), d.path("exports"))
	d.must(err)
	if again.PlanID != after.PlanID {
		t.Errorf("with its own conflicts.csv the plan is %s, want %s", again.PlanID, after.PlanID)
	}
	d.apply()
}

// A conflicts.csv that a spreadsheet has saved anywhere in the world decides.
func TestDecisionsAsSpreadsheetsSaveThem(t *testing.T) {
	f := func(what string, save func(rows [][]string) []byte) {
		t.Helper()
		d := newEnv(t, carrot())
		exports := d.write("partners.csv", "Id,Code,Status", "1,café,Active", "1,thé,Active", "2,über,Active")
		d.plan(exports)
		file, err := os.Open(d.decide("decided.csv", func(id, recommended string) string {
			if id == "duplicate:partners:1" {
				return migrate.KeepLater
			}
			return recommended
		}))
		d.must(err)
		rows, err := csv.NewReader(file).ReadAll()
		d.must(errors.Join(err, file.Close()))
		d.must(os.WriteFile(file.Name(), save(rows), 0o600))
		p, err := d.try(file.Name(), exports)
		if err != nil || len(p.Open()) != 0 {
			t.Fatalf("%s: %v, open %+v", what, err, p.Open())
		}
		for _, c := range p.Conflicts {
			if strings.Contains(c.ID, "-ber") && c.Decision == "" {
				t.Errorf("%s: %s is not decided", what, c.ID)
			}
		}
		if got := p.After.Promoters[0].Token; got != "th-" {
			t.Errorf("%s: token %q", what, got)
		}
	}
	with := func(delimiter rune, rows [][]string) []byte {
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		w.Comma, w.UseCRLF = delimiter, true
		if err := w.WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	encoded := func(e encoding.Encoding, text []byte) []byte {
		out, err := e.NewEncoder().Bytes(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	f("commas", func(rows [][]string) []byte { return with(',', rows) })
	f("UTF-8 with a mark", func(rows [][]string) []byte { return append([]byte("\ufeff"), with(',', rows)...) })
	f("semicolons, Windows-1252", func(rows [][]string) []byte { return encoded(charmap.Windows1252, with(';', rows)) })
	f("tabs, UTF-16", func(rows [][]string) []byte {
		return encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), with('\t', rows))
	})
}

func TestThreeRowsOfOneID(t *testing.T) {
	f := func(decision, want string) {
		t.Helper()
		d := newEnv(t, carrot())
		exports := d.write("partners.csv", "Id,Code,Status", "1,one,Active", "1,uno,Active", "1,eins,Active")
		p := d.plan(exports)
		if open := p.Open(); len(open) != 1 || !strings.Contains(open[0].Detail, `"2": `) {
			t.Fatalf("open: %+v", open)
		}
		p, err := d.try(d.decide("decided.csv", func(id, _ string) string {
			if id != "duplicate:partners:1" {
				return ""
			}
			return decision
		}), exports)
		d.must(err)
		if got := p.After.Promoters[0].Token; got != want {
			t.Errorf("%q gives %q, want %q", decision, got, want)
		}
	}
	f("first", "eins") // in the order of what they say
	f("2", "one")
	f("later", "uno")
}

// A decision means a row, not a place in the order of the exports; made about other rows
// than there are, it does not count.
func TestDecisionMeansARow(t *testing.T) {
	d := newEnv(t, carrot())
	one := d.write("a.csv", "Id,Code,Status", "1,one,Active", "2,two,Active")
	uno := d.write("b.csv", "Id,Code,Status", "1,uno,Active")
	d.plan(one, uno)
	decide := func(id, _ string) string { return map[string]string{"duplicate:partners:1": migrate.KeepLater}[id] }
	file := d.decide("decided.csv", decide)
	for _, exports := range [][]string{{one, uno}, {uno, one}} {
		p, err := d.try(file, exports...)
		d.must(err)
		same(t, "promoters", promoters(&p.After), []string{"uno - active 1 [one uno] -", "two - active 2 [two] -"})
		if len(p.Open()) != 0 {
			t.Errorf("open: %+v", p.Open())
		}
	}
	d.write("z.csv", "Id,Code,Status", "1,uno,Active", "9,nine,Active")
	if p, err := d.try(file, d.path("z.csv"), one); err != nil || len(p.Open()) != 0 {
		t.Errorf("the same rows in another file: open %+v, %v", p.Open(), err)
	}
	// A third row: whatever "later" would mean now, nobody has decided it.
	eins := d.write("c.csv", "Id,Code,Status", "1,zwo,Active")
	p, err := d.try(file, one, uno, eins)
	d.must(err)
	if open := p.Open(); len(open) != 1 || !strings.Contains(open[0].Detail, `asked again, because "later" was decided about other rows`) {
		t.Errorf("open: %+v", open)
	}
	decided, err := migrate.ReadDecisions(file)
	d.must(err)
	if _, err := d.tryApply(decided); !errors.Is(err, migrate.ErrUndecided) {
		t.Errorf("apply: %v", err)
	}
	d.unchanged()
	// The same for a decision that is an option no longer.
	third := d.decide("third.csv", func(id, _ string) string { return map[string]string{"duplicate:partners:1": "2"}[id] })
	p, err = d.try(third, one, uno, eins)
	d.must(err)
	if len(p.Open()) != 0 {
		t.Errorf("the second of three: open %+v", p.Open())
	}
	p, err = d.try(third, one, uno)
	d.must(err)
	if len(p.Open()) != 1 {
		t.Errorf("the second of three, of two: open %+v", p.Open())
	}
}

// The same rows in any order of files come to the same plan.
func TestOrderOfFiles(t *testing.T) {
	d := newEnv(t, carrot())
	a := d.write("a.csv", "Id,Contact Id,Code,Status", "1,5,one,Active", "2,0,two,Active")
	b := d.write("b.csv", "Id,Contact Id,Code,Status", "1,5,uno,Active", "1,5,eins,Inactive")
	c := d.write("c.csv", "Id,Email", "5,c@carrot.test", "5,b@carrot.test")
	e := d.write("d.csv", "Id,Email", "5,a@carrot.test")
	l := d.write("e.csv", "Id,Code,Website Address", "7,l,https://carrot.test/l")
	m := d.write("f.csv", "Id,Code,Website Address", "7,l,https://carrot.test/a")
	var want []string
	for i, exports := range [][]string{{a, b, c, e, l, m}, {b, a, e, c, m, l}} {
		p := d.plan(exports...)
		got := promoters(&p.After)
		for _, link := range p.After.Links {
			got = append(got, link.Code+" "+link.Destination)
		}
		for _, q := range p.Conflicts {
			got = append(got, q.ID+" "+q.Detail+" "+q.Recommended)
		}
		if i == 0 {
			want = got
		}
		same(t, "plan", got, want)
	}
}

// What the book says already is recommended: it moves nobody.
func TestRecommendedIsWhatTheBookSays(t *testing.T) {
	d := newEnv(t, carrot())
	d.migrate(d.export("first", []string{"1,5,0,one,Active"}, []string{"5,A,B,a@carrot.test,"}, "7,l,https://carrot.test/l,"))
	d.write("later/partners.csv", "Id,Contact Id,Code,Status", "1,5,one,Active", "1,6,eins,Active")
	d.write("later/contacts.csv", "Id,Email", "5,a@carrot.test", "5,0@carrot.test")
	d.write("later/links.csv", "Id,Code,Website Address", "7,l,https://carrot.test/l", "7,l,https://carrot.test/else")
	p := d.plan(d.path("later"))
	for _, c := range p.Open() {
		if c.Recommended != migrate.KeepLater {
			t.Errorf("%s recommends %q: %s", c.ID, c.Recommended, c.Detail)
		}
	}
	same(t, "promoters", promoters(&p.After), []string{"one a@carrot.test active 1 [eins one] -"}) // both codes were given out
}

func TestWrongDecisions(t *testing.T) {
	f := func(edit func(rows [][]string) [][]string, wants ...string) {
		t.Helper()
		d := newEnv(t, carrot())
		d.plan(undecided(d))
		file, err := os.Open(d.path("plan", "conflicts.csv"))
		d.must(err)
		defer file.Close()
		rows, err := csv.NewReader(file).ReadAll()
		d.must(err)
		out, err := os.Create(d.path("decided.csv"))
		d.must(err)
		d.must(errors.Join(csv.NewWriter(out).WriteAll(edit(rows)), out.Close()))
		_, err = d.try(out.Name(), d.path("exports"))
		if err == nil {
			decided, _ := migrate.ReadDecisions(out.Name())
			_, err = d.tryApply(decided)
		}
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q in it", err, want)
			}
		}
		d.unchanged()
	}
	set := func(id, decision string) func(rows [][]string) [][]string {
		return func(rows [][]string) [][]string {
			for _, r := range rows[1:] {
				if r[0] == id {
					r[6] = decision
				}
			}
			return rows
		}
	}
	f(set("duplicate:partners:1", "both"), "decided.csv:", "duplicate:partners:1", `"both"`, "first, later")
	f(set("merged:one", "reject"), "merged:one", "accept")
	f(set("date_order:contacts.csv:created_at", "sometimes"), "day_first, month_first")
	f(func(rows [][]string) [][]string {
		return append(rows, []string{"nonsense:1", "", "", "", "", "", "accept"})
	}, "nonsense:1", "no conflict", "decided.csv:")
	f(func(rows [][]string) [][]string {
		return append(rows, []string{"duplicate:partners:1", "", "", "", "", "", "first"},
			[]string{"duplicate:partners:1", "", "", "", "", "", "later"})
	}, "decided twice", `"first"`, `"later"`)
	f(func(rows [][]string) [][]string { rows[0][6] = "verdict"; return rows }, `no column "decision"`)
	f(func(rows [][]string) [][]string { rows[0][0] = "number"; return rows }, `no column "id"`)
}

// A decision on a conflict that is not there (any longer) is named, and harms nothing.
func TestDecisionNotUsed(t *testing.T) {
	d := newEnv(t, carrot())
	exports := d.export("exports", []string{"1,0,0,one,Active"}, nil)
	file := d.write("decided.csv", "id,decision", "duplicate:partners:77,first", "needs_email:one,accept")
	p, err := d.try(file, exports)
	d.must(err)
	same(t, "not used", p.Unused, []string{"duplicate:partners:77"})
	d.apply()
}

// Apply carries out the plan that was reviewed and no other.
func TestChangedSinceThePlan(t *testing.T) {
	f := func(change func(d *env), wants ...string) {
		t.Helper()
		d := newEnv(t, carrot())
		d.plan(undecided(d))
		_, err := d.try(d.decide("decided.csv", recommended), d.path("exports"))
		d.must(err)
		change(d)
		_, err = d.tryApply(nil)
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q in it", err, want)
			}
		}
		d.unchanged()
	}
	f(func(d *env) {
		d.write("exports/links.csv", "Id,Code,Website Address", "7,course,https://carrot.test/other")
	}, "links.csv has changed", "plan again")
	f(func(d *env) { d.write("exports/more.csv", "Id,Code,Status", "9,nine,Active") }, "more.csv is new", "plan again")
	f(func(d *env) { d.must(os.Remove(d.path("exports", "links.csv"))) }, "plan again")
	f(func(d *env) { d.settings.ConfigHash = "another" }, "configuration has changed", "plan again")
	f(func(d *env) {
		d.decide("decided.csv", func(id, recommended string) string {
			return strings.Replace(recommended, migrate.KeepFirst, migrate.KeepLater, strings.Count(id, migrate.KindDuplicate))
		})
	}, "duplicate:partners:1", `"first"`, `"later"`)
	f(func(d *env) { d.must(os.Remove(d.path("decided.csv"))) }, "decisions", "decided.csv")
	f(func(d *env) { d.must(os.Remove(d.path("plan", "plan.json"))) }, "there is no plan in", "carryover plan")
	f(func(d *env) { d.write("plan/plan.json", "{}") }, "not a plan")

	// Another run in between.
	d := newEnv(t, carrot())
	other := d.export("other", []string{"8,0,0,eight,Active"}, nil)
	p, err := d.tryInto("plan", "", d.export("exports", []string{"1,0,0,one,Active"}, nil))
	d.must(err)
	if _, err = d.tryInto("second", "", other); err != nil {
		t.Fatal(err)
	}
	second, err := migrate.ReadPlan(d.path("second"))
	d.must(err)
	if _,
		err := migrate.Apply(d.ctx(), second, d.path("second"), nil, d.settings, d.book, d.store, migrate.NoProgress{}, applied); err != nil {
		t.Fatal(err)
	}
	if _, err := d.tryApply(nil); err == nil || !strings.Contains(err.Error(), "plan again") || p.BaseRun != 0 {
		t.Errorf("apply on another book: %v", err)
	}
}

// The plan's folder and the exports may be named from another working directory.
func TestApplyFromAnotherFolder(t *testing.T) {
	d := newEnv(t, carrot())
	undecided(d)
	t.Chdir(d.dir)
	d.dir = "."
	d.plan("exports")
	file := d.decide("decided.csv", recommended)
	_, err := d.try(file, "exports")
	d.must(err)
	d.must(os.MkdirAll("else/where", 0o755))
	t.Chdir("else/where")
	d.dir = filepath.Join("..", "..")
	d.apply()
	t.Chdir("..")
	same(t, "verify", d.differences(), nil)
}

// Two files of one name have a question each.
func TestDatesOfTwoFilesOfOneName(t *testing.T) {
	d := newEnv(t, carrot())
	d.export("exports/a", []string{"1,5,0,one,Active"}, nil)
	d.write("exports/a/contacts.csv", "Id,Email,Date Created", "5,a@carrot.test,25/12/2020")
	d.write("exports/b/contacts.csv", "Id,Email,Date Created", "6,b@carrot.test,26/12/2020")
	p := d.plan(d.path("exports"))
	if len(p.Open()) != 2 {
		t.Fatalf("open: %+v", p.Open())
	}
	p, err := d.try(d.decide("decided.csv", func(id, recommended string) string {
		if strings.Contains(id, "#2") {
			return migrate.MonthFirst
		}
		return recommended
	}), d.path("exports"))
	d.must(err)
	var got []string
	for _, f := range p.Files {
		got = append(got, strings.TrimPrefix(f.Path, filepath.ToSlash(d.dir))+" "+f.DateLayout["Date Created"])
	}
	same(t, "layouts", got, []string{"/exports/a/contacts.csv day_first", "/exports/b/contacts.csv month_first",
		"/exports/a/links.csv month_first", "/exports/a/partners.csv "})
	if len(p.Rejects) != 1 || p.Rejects[0].Reason != "bad_date" {
		t.Errorf("rejects %+v", p.Rejects)
	}
}
