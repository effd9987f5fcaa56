package migrate_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carryover/migrate"
)

// mendable is an export of which some rows are rejected.
func mendable(d *env) string {
	d.write("exports/partners.csv", "Id,Code,Status,Password", "1,one,Active,SECRET-CANARY-1", "2.0E+01,two,Active,SECRET-CANARY-2",
		"3,,Active,SECRET-CANARY-3", "4,four,Active,SECRET-CANARY-4")
	d.write("exports/links.csv", "Id,Code,Website Address", "7,course,https://carrot.test/course", "8,other,https://elsewhere.test/")
	return d.path("exports")
}

// mend edits a CSV of rejects in place: every cell that is in cells is replaced.
func (d *env) mend(path string, cells map[string]string) {
	d.Helper()
	f, err := os.Open(path)
	d.must(err)
	rows, err := csv.NewReader(f).ReadAll()
	d.must(errors.Join(err, f.Close()))
	for _, row := range rows[1:] {
		for i := range row {
			if to, ok := cells[row[i]]; ok {
				row[i] = to
			}
		}
	}
	f, err = os.Create(path)
	d.must(err)
	d.must(errors.Join(csv.NewWriter(f).WriteAll(rows), f.Close()))
}

func (d *env) files(dir string) []string {
	d.Helper()
	entries, err := os.ReadDir(d.path(dir))
	d.must(err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestFolder(t *testing.T) {
	d := newEnv(t, carrot())
	d.plan(mendable(d))
	same(t, "files", d.files("plan"),
		[]string{"conflicts.csv", "findings.csv", "links.csv", "owners.csv", "plan.json", "rejects", "report.html"})
	same(t, "rejects", d.files("plan/rejects"), []string{"links.csv", "partners.csv"})
	rows := readCSV(t, d.path("plan", "rejects", "partners.csv"))
	want := []map[string]string{
		{"Id": "2.0E+01", "Code": "two", "Status": "Active", "Password": "", "carryover_line": "3", "carryover_reason": "bad_id"},
		{"Id": "3", "Code": "", "Status": "Active", "Password": "", "carryover_line": "4", "carryover_reason": "missing_value"},
	}
	for i := range want {
		for column, cell := range want[i] {
			if rows[i][column] != cell {
				t.Errorf("row %d, %s: %q, want %q", i+1, column, rows[i][column], cell)
			}
		}
		if rows[i]["carryover_hint"] == "" {
			t.Errorf("row %d has no hint", i+1)
		}
	}
	searchFiles(t, d.dir+"/plan", "SECRET-CANARY")

	// A plan without rejects leaves none of an earlier one behind.
	d.plan(d.export("clean", []string{"1,0,0,one,Active"}, nil))
	same(t, "rejects of a clean plan", d.files("plan/rejects"), nil)
}

// Rejected rows are mended and read again beside the exports they are from: where they
// were or elsewhere, named as a file or as a folder, into the same plan or another.
func TestMendedRejects(t *testing.T) {
	f := func(what string, feed func(d *env) (out string, exports []string)) {
		t.Helper()
		t.Run(what, func(t *testing.T) {
			d := newEnv(t, carrot())
			exports := mendable(d)
			d.plan(exports)
			d.mend(d.path("plan", "rejects", "partners.csv"), map[string]string{"2.0E+01": "2", "": "three"})
			mended, err := os.ReadFile(d.path("plan", "rejects", "partners.csv"))
			d.must(err)
			out, more := feed(d)
			p, err := d.tryInto(out, "", append([]string{exports}, more...)...)
			d.must(err)
			if strings.HasPrefix(more[0], d.path("plan")) {
				kept, err := os.ReadFile(d.path("plan", "rejects", "partners.csv"))
				if err != nil || string(kept) != string(mended) {
					t.Errorf("the mended file is %q, %v; want %q", kept, err, mended)
				}
			}
			// What nobody has mended stands in the rejects of this plan, and nothing else does.
			rejects := 0
			for _, name := range d.files(out + "/rejects") {
				if slices.ContainsFunc(p.Files, func(f migrate.FilePlan) bool { return filepath.Clean(f.Path) == d.path(out, "rejects", name) }) {
					continue
				}
				rejects += len(readCSV(t, d.path(out, "rejects", name)))
			}
			if rejects != 1 || p.Totals.Rejected != 1 {
				t.Errorf("%d rows in the rejects of the plan, which counts %d", rejects, p.Totals.Rejected)
			}
			same(t, "promoters", promoters(&p.After),
				[]string{"one - active 1 [one] -", "two - active 2 [two] -", "three - active 3 [three] -", "four - active 4 [four] -"})

			reviewed, err := migrate.ReadPlan(d.path(out))
			d.must(err)
			if _,
				err := migrate.Apply(d.ctx(), reviewed, d.path(out), nil, d.settings, d.book, d.store, migrate.NoProgress{}, applied); err != nil {
				t.Fatal(err)
			}
			same(t, "verify", d.differences(), nil)
			if res,
				err := migrate.Apply(d.ctx(), reviewed, d.path(out), nil, d.settings, d.book, d.store, migrate.NoProgress{}, applied); err != nil ||
				res.Run != 0 {
				t.Errorf("the second apply: %+v, %v", res, err)
			}
			if again, err := d.tryInto(out, "", append([]string{exports}, more...)...); err != nil || again.Changes.Len() != 0 {
				t.Errorf("planned again: %+v, %v", again, err)
			}
		})
	}
	f("the file where it was", func(d *env) (string, []string) { return "plan", []string{d.path("plan", "rejects", "partners.csv")} })
	f("the folder where it was", func(d *env) (string, []string) { return "plan", []string{d.path("plan", "rejects")} })
	f("into another plan", func(d *env) (string, []string) { return "plan2", []string{d.path("plan", "rejects", "partners.csv")} })
	f("the folder into another plan", func(d *env) (string, []string) { return "plan2", []string{d.path("plan", "rejects")} })
	f("copied elsewhere", func(d *env) (string, []string) {
		d.must(os.Mkdir(d.path("mended"), 0o755))
		d.must(os.Rename(d.path("plan", "rejects", "partners.csv"), d.path("mended", "partners.csv")))
		return "plan", []string{d.path("mended")}
	})
}

// Files in rejects/ that a person has mended survive a plan that they are no export of.
func TestMendedRejectsAreKept(t *testing.T) {
	d := newEnv(t, carrot())
	exports := mendable(d)
	d.plan(exports)
	partners := d.path("plan", "rejects", "partners.csv")
	d.mend(partners, map[string]string{"2.0E+01": "2"})
	mended, err := os.ReadFile(partners)
	d.must(err)
	for range 3 {
		d.plan(exports)
		same(t, "rejects", d.files("plan/rejects"), []string{"links.csv", "partners-2.csv", "partners.csv"})
		if now, err := os.ReadFile(partners); err != nil || string(now) != string(mended) {
			t.Fatalf("the mended file is %q, %v", now, err)
		}
	}
	// Said in a sentence, for the one file only.
	folder, err := migrate.NewFolder(d.path("plan"))
	d.must(err)
	p, err := migrate.Make(d.ctx(), migrate.Request{Settings: d.settings, Args: []string{exports}, WorkDir: d.dir, Book: d.book,
		Progress: migrate.NoProgress{}, Sink: folder.Sink})
	d.must(err)
	d.must(folder.Write(p, func(io.Writer) error { return nil }))
	if notes := folder.Notes(); len(notes) != 1 || !strings.HasPrefix(notes[0], partners+" is not as carryover wrote it") {
		t.Errorf("notes %q", notes)
	}
}

// With the folder of rejects as an export, plan after plan: rows that are rejected again
// pile up neither as files nor as conflicts.
func TestRejectsFedBackAgainAndAgain(t *testing.T) {
	d := newEnv(t, carrot())
	exports := mendable(d)
	first := d.plan(exports)
	d.mend(d.path("plan", "rejects", "partners.csv"), map[string]string{"2.0E+01": "2"}) // of two rows; the link is left
	for i := range 4 {
		p := d.plan(exports, d.path("plan", "rejects"))
		same(t, "promoters", promoters(&p.After), []string{"one - active 1 [one] -", "two - active 2 [two] -", "four - active 4 [four] -"})
		same(t, "unsafe links", has(p, migrate.KindUnsafeLink), has(first, migrate.KindUnsafeLink))
		same(t, "rejects", d.files("plan/rejects"), []string{"links.csv", "partners.csv"})
		if i == 0 {
			d.apply()
		}
		same(t, "verify", d.differences(), nil)
	}
	// Named one by one, they are read.
	p := d.plan(exports, d.path("plan", "rejects", "partners.csv"), d.path("plan", "rejects", "links.csv"))
	same(t, "unsafe links", has(p, migrate.KindUnsafeLink), has(first, migrate.KindUnsafeLink))
	same(t, "rejects", d.files("plan/rejects"), []string{"links.csv", "partners.csv"})
	if len(p.Files) != 4 || p.Totals.Rejected != 2 {
		t.Errorf("%d files were read", len(p.Files))
	}
	// And what nobody has mended is nothing to plan from.
	d.plan(exports)
	d.must(os.Remove(d.path("plan", "rejects", "partners.csv")))
	if _, err := d.tryInto("other", "", d.path("plan", "rejects")); err == nil || !strings.Contains(err.Error(), "no row of it was mended") {
		t.Errorf("a plan of rejects as they were written: %v", err)
	}
}

// Plans that lie in a folder that is named as exports are no exports.
func TestPlanBelowTheExports(t *testing.T) {
	d := newEnv(t, carrot())
	exports := mendable(d)
	for range 3 {
		p, err := d.tryInto("exports/plan", "", exports)
		d.must(err)
		if len(p.Files) != 2 || len(p.Unread) != 0 {
			t.Fatalf("read %+v, unread %+v", p.Files, p.Unread)
		}
		reviewed, err := migrate.ReadPlan(d.path("exports", "plan"))
		d.must(err)
		if _, err := migrate.Apply(d.ctx(), reviewed, d.path("exports", "plan"), leftOut(reviewed), d.settings, d.book, d.store, migrate.NoProgress{},
			applied); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "verify", d.differences(), nil)
}

// A plan never takes the place of an export, nor of rejects that are not carryover's.
func TestFolderOverwritesNothing(t *testing.T) {
	d := newEnv(t, carrot())
	exports := mendable(d)
	before, err := os.ReadFile(d.path("exports", "links.csv"))
	d.must(err)
	if _, err := d.tryInto("exports", "", exports); err == nil || !strings.Contains(err.Error(), "links.csv") ||
		!strings.Contains(err.Error(), "--out") {
		t.Errorf("a plan into the exports: %v", err)
	}
	after, err := os.ReadFile(d.path("exports", "links.csv"))
	if err != nil || string(after) != string(before) {
		t.Errorf("links.csv is %q, %v", after, err)
	}
	same(t, "files", d.files("exports"), []string{"links.csv", "partners.csv"})

	own := d.write("mine/rejects/partners.csv", "my own notes")
	if _, err := d.tryInto("mine", "", exports); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(own); err != nil || string(text) != "my own notes\n" {
		t.Errorf("a file that was there is %q, %v", text, err)
	}
	same(t, "rejects", d.files("mine/rejects"), []string{"partners.csv", "partners-2.csv", "links.csv"})
}

func TestUnwritableFolder(t *testing.T) {
	d := newEnv(t, carrot())
	exports := mendable(d)
	d.write("file", "no folder")
	if _, err := d.tryInto("file", "", exports); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("a file as folder: %v", err)
	}
	d.must(os.Mkdir(d.path("locked"), 0o555))
	if _, err := os.Create(d.path("locked", "probe")); err != nil { // root may write anywhere
		if _, err := d.tryInto("locked/plan", "", exports); err == nil || !strings.Contains(err.Error(), "--out") {
			t.Errorf("a folder that cannot be written: %v", err)
		}
	}
	// A plan that fails leaves the former one whole.
	d.plan(exports)
	before := d.files("plan")
	plan, err := os.ReadFile(d.path("plan", "plan.json"))
	d.must(err)
	if _, err := d.try("", d.write("empty.csv", "Id,Code,Status")); err == nil {
		t.Error("a plan without a partner was made")
	}
	same(t, "files", d.files("plan"), before)
	if now, err := os.ReadFile(d.path("plan", "plan.json")); err != nil || string(now) != string(plan) {
		t.Error("the former plan is another one")
	}
}

// Exports that cannot be used are refused with a sentence that says why.
func TestNothingToPlan(t *testing.T) {
	f := func(what string, exports func(d *env) string, wants ...string) {
		t.Helper()
		d := newEnv(t, carrot())
		_, err := d.try("", exports(d))
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q in it", what, err, want)
			}
		}
	}
	f("an empty folder", func(d *env) string { d.must(os.Mkdir(d.path("empty"), 0o755)); return d.path("empty") }, "holds no files")
	f("no folder", func(d *env) string { return d.path("nowhere") }, "nowhere")
	f("PDFs", func(d *env) string {
		d.write("pdfs/a.pdf", "%PDF-1.7")
		d.write("pdfs/b.pdf", "%PDF-1.7")
		return d.path("pdfs")
	}, "none of the 2 files", "a.pdf")
	f("a header only", func(d *env) string { return d.write("partners.csv", "Id,Code,Status") }, "no referral partner could be loaded",
		"partners.csv", "0 rows")
	f("only bad rows", func(d *env) string { return d.write("partners.csv", "Id,Code,Status", "x,one,Active") }, "no referral partner",
		"line 2", "bad_id")
	f("contacts only", func(d *env) string { return d.write("contacts.csv", "Id,Email", "1,a@carrot.test") }, "no referral partner")
}

// An entry of a zip may be called what no file can be: its rejects are there all the same, and
// a name that fails leaves the folder as it was.
func TestRejectsOfOddNames(t *testing.T) {
	d := newEnv(t, carrot())
	long := strings.Repeat("lang-é", 60)
	var text bytes.Buffer
	z := zip.NewWriter(&text)
	for name, row := range map[string]string{
		"partners.csv": "101,2001,plum,Pat,1,0\n", long + ".csv": "x,2001,long,Long,1,0\n", long + ".txt": "y,2001,long,Long,1,0\n",
		"a\x01b\nc.csv": "z,2001,odd,Odd,1,0\n",
	} {
		w, err := z.Create(name)
		d.must(err)
		_, err = w.Write([]byte("Affiliate Id,Contact Id,AffCode,Aff Name,Status,ParentId\n" + row))
		d.must(err)
	}
	d.must(z.Close())
	exports := d.write("exports.zip", "")
	d.must(os.WriteFile(exports, text.Bytes(), 0o600))
	for range 2 {
		if p := d.plan(exports); p.Totals.Rejected != 3 {
			t.Errorf("%d rejected", p.Totals.Rejected)
		}
		entries, err := os.ReadDir(d.path("plan", "rejects"))
		d.must(err)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
			if len(e.Name()) > 210 {
				t.Errorf("%d bytes: %s", len(e.Name()), e.Name())
			}
		}
		if len(names) != 3 || !slices.Contains(names, "a_b_c.csv") {
			t.Errorf("%q", names)
		}
	}
}
