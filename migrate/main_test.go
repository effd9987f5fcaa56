package migrate_test

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/payout"
	"carryover/mapping/store"
	"carryover/mapping/terms"
	"carryover/migrate"
)

// carrot is the program of the samples.
func carrot(exclude ...string) *migrate.Settings {
	zone := mustZone("America/Los_Angeles")
	return &migrate.Settings{
		Policy: mapping.Policy{
			Program: "carrot", KeapApp: "xy123",
			LegacyHosts: []string{"go.carrot.test"}, AllowedHosts: []string{"carrot.test", "www.carrot.test"},
			Cutoff: time.Date(2023, 4, 1, 0, 0, 0, 0, zone), AfterCutoff: mapping.AfterRedirect, Inactive: mapping.InactiveUncredited,
			Pages: mapping.Pages{
				Landing: "https://carrot.test/", Login: "https://carrot.firstpromoter.test/login", Rejoin: "https://carrot.test/rejoin",
				Join: "https://carrot.test/join", PasswordReset: "https://carrot.firstpromoter.test/password-reset",
				Guide: "https://carrot.test/guide",
			},
			TokenParam: "fpr", SubIDParam: "fp_sid", CodeParams: []string{"aff", "affcode"}, IDParams: []string{"affiliate"},
		},
		Exclude: exclude, Zone: zone, Dates: "auto", Currency: "USD", AsOf: "2023-03-31", Owner: terms.OwnerLatest,
		Products: terms.Products{
			Membership: []string{"*Membership*"},
			Training:   []string{"Evergreen Webinar", "3 Leads Per Day", "Story Selling Training", "List Building Sprint", "Weekend Intensive*"},
		},
		Terms: terms.DefaultConfig(), ConfigHash: "carrot",
	}
}

func mustZone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

var (
	beforeCutoff = time.Date(2023, 2, 15, 12, 0, 0, 0, time.UTC)
	applied      = time.Date(2023, 3, 1, 0, 0, 0, 0, time.UTC)
)

// testing's T and rapid's.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// env is where an ops person works: a folder with exports and plans, a book, a map.
type env struct {
	tb
	settings *migrate.Settings
	dir      string
	book     *book.Book
	store    *store.InBook
}

func newEnv(t *testing.T, s *migrate.Settings) *env {
	t.Helper()
	d := envIn(t, t.TempDir(), s)
	t.Cleanup(func() { d.book.Close() })
	return d
}

func envIn(t tb, dir string, s *migrate.Settings) *env {
	t.Helper()
	b, err := book.Open(filepath.Join(dir, "data", "book.db"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return &env{t, s, dir, b, store.OpenBook(b)}
}

func (d *env) path(parts ...string) string {
	return filepath.Join(append([]string{d.dir}, parts...)...)
}

// write makes a file with the given lines and returns its path.
func (d *env) write(name string, lines ...string) string {
	d.Helper()
	path := d.path(name)
	d.must(os.MkdirAll(filepath.Dir(path), 0o755))
	d.must(os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644))
	return path
}

func (d *env) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatalf("%v", err)
	}
}

// try plans into the folder plan.
func (d *env) try(decisions string, exports ...string) (*migrate.Plan, error) {
	return d.tryInto("plan", decisions, exports...)
}

func (d *env) tryInto(out, decisions string, exports ...string) (*migrate.Plan, error) {
	decided, err := migrate.ReadDecisions(decisions)
	if err != nil {
		return nil, err
	}
	folder, err := migrate.NewFolder(d.path(out))
	if err != nil {
		return nil, err
	}
	defer folder.Discard()
	workDir, err := os.Getwd()
	d.must(err)
	p, err := migrate.Make(d.ctx(), migrate.Request{
		Settings: d.settings, Args: exports, WorkDir: workDir, Decisions: decided, Book: d.book, Progress: migrate.NoProgress{},
		Sink: folder.Sink,
	})
	if err != nil {
		return nil, err
	}
	p.Decisions = decisions
	for _, f := range p.Files {
		if f.Rows != f.Loaded+f.Rejected+f.Skipped {
			d.Errorf("%s: %d rows, but %d loaded + %d rejected + %d skipped", f.Path, f.Rows, f.Loaded, f.Rejected, f.Skipped)
		}
	}
	return p, folder.Write(p, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "<!doctype html>")
		return err
	})
}

func (d *env) plan(exports ...string) *migrate.Plan {
	d.Helper()
	p, err := d.try("", exports...)
	d.must(err)
	return p
}

func (d *env) tryApply(extra migrate.Decisions) (*migrate.Result, error) {
	p, err := migrate.ReadPlan(d.path("plan"))
	if err != nil {
		return nil, err
	}
	return migrate.Apply(d.ctx(), p, d.path("plan"), extra, d.settings, d.book, d.store, migrate.NoProgress{}, applied)
}

// apply applies the last plan; rejected rows are left out, as the rows of most tests are that
// are not about them.
func (d *env) apply() *migrate.Result {
	d.Helper()
	p, err := migrate.ReadPlan(d.path("plan"))
	d.must(err)
	res, err := d.tryApply(leftOut(p))
	d.must(err)
	d.balanced()
	return res
}

// leftOut accepts what a plan could not load, and nothing else; nil when it asks about no such rows.
func leftOut(p *migrate.Plan) migrate.Decisions {
	var decisions migrate.Decisions
	for _, c := range p.Open() {
		if c.Kind == migrate.KindRejected {
			if decisions == nil {
				decisions = migrate.Decisions{}
			}
			decisions[c.ID] = migrate.Decision{Value: migrate.Accept}
		}
	}
	return decisions
}

// balanced checks that payouts sum to the ledger, in months in which all, some and none of it is
// inside the hold.
func (d *env) balanced() {
	d.Helper()
	payouts := payout.Service{Book: d.book, Currency: d.settings.Currency, Zone: d.settings.Zone, Terms: d.settings.Terms}
	for _, month := range []terms.Month{200001, 202303, 210012} {
		if _, err := payouts.Plan(d.ctx(), month); err != nil {
			d.Errorf("payouts of %s: %v", month, err)
		}
	}
}

// migrate plans and applies.
func (d *env) migrate(exports ...string) *migrate.Plan {
	d.Helper()
	p := d.plan(exports...)
	d.applyStatuses(p)
	return p
}

// applyStatuses applies a plan as apply does, and accepts that those are inactive whom it reads so.
func (d *env) applyStatuses(p *migrate.Plan) *migrate.Result {
	d.Helper()
	accepted := migrate.Decisions{}
	maps.Copy(accepted, leftOut(p))
	for _, c := range p.Open() {
		if c.Kind == migrate.KindStatusWords {
			accepted[c.ID] = migrate.Decision{Value: migrate.Accept}
		}
	}
	res, err := d.tryApply(accepted)
	d.must(err)
	d.balanced()
	return res
}

func (d *env) content() *book.Content {
	d.Helper()
	c, err := d.book.Content(d.ctx())
	d.must(err)
	return c
}

func (d *env) table() *mapping.Table {
	d.Helper()
	m, _, err := d.store.Load(d.ctx())
	d.must(err)
	table, err := mapping.New(m)
	d.must(err)
	return table
}

// token is whom an old link before the cutoff names, "" for nobody.
func (d *env) token(url string) string {
	d.Helper()
	return d.table().Resolve(mapping.ParseURL("https://go.carrot.test"+url), beforeCutoff).Token
}

// openBut are the questions of a plan but for those about rows that could not be loaded.
func openBut(p *migrate.Plan) []migrate.Conflict {
	return slices.DeleteFunc(p.Open(), func(c migrate.Conflict) bool { return c.Kind == migrate.KindRejected })
}

// differences verifies and returns what differs, but for rejected rows that were accepted.
func (d *env) differences() []string {
	d.Helper()
	checks, _, err := migrate.Verify(d.ctx(), d.settings, d.book, d.store, migrate.NoProgress{})
	d.must(err)
	var all []string
	for _, c := range checks {
		all = append(all, slices.DeleteFunc(c.Examples, wasLeftOut)...)
		if c.Note != "" {
			all = append(all, c.Note)
		}
	}
	return all
}

// wasLeftOut reports whether a line of verify is about rejected rows that were accepted.
func wasLeftOut(line string) bool {
	return strings.Contains(line, "rejected row") && strings.HasSuffix(line, "decided: accept")
}

// promoters lists those that live, one line each, in the order of their primary ids:
// token, e-mail, status, ids, codes, parent.
func promoters(c *book.Content) []string {
	byID := map[int64]book.Promoter{}
	for _, p := range c.Promoters {
		byID[p.ID] = p
	}
	live := slices.DeleteFunc(slices.Clone(c.Promoters), func(p book.Promoter) bool { return p.MergedInto != 0 })
	slices.SortFunc(live, func(a, b book.Promoter) int { return int(a.KeapID - b.KeapID) })
	var lines []string
	for _, p := range live {
		var ids []int64
		var codes []string
		for i := range c.Aliases {
			a := &c.Aliases[i]
			if a.PromoterID != p.ID {
				continue
			}
			if id, ok := a.KeapID(); ok {
				ids = append(ids, id)
			} else {
				codes = append(codes, a.Value)
			}
		}
		slices.Sort(ids)
		parent := "-"
		if p.ParentID != 0 {
			parent = byID[p.ParentID].Token
		}
		email := p.Email
		if email == "" {
			email = "-"
		}
		lines = append(lines,
			fmt.Sprintf("%s %s %s %s [%s] %s", p.Token, email, p.Status, strings.Trim(fmt.Sprint(ids), "[]"), strings.Join(codes, " "), parent))
	}
	return lines
}

// has returns the conflicts of a kind, as subjects.
func has(p *migrate.Plan, kind string) []string {
	var subjects []string
	for _, c := range p.Conflicts {
		if c.Kind == kind {
			subjects = append(subjects, c.Subject)
		}
	}
	return subjects
}

// same compares two lists line by line.
func same(t tb, what string, got, want []string) {
	t.Helper()
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%s: missing %q", what, line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("%s: not expected %q", what, line)
		}
	}
	if len(got) != len(want) && !slices.Equal(got, want) {
		t.Errorf("%s: %d, want %d", what, len(got), len(want))
	}
}

// readCSV returns the rows below the header, by column.
func readCSV(t tb, path string) []map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		out = append(out, m)
	}
	return out
}

// decide writes the conflicts of the last plan with their decisions filled in, and
// returns the file.
func (d *env) decide(name string, choose func(id, recommended string) string) string {
	d.Helper()
	f, err := os.Open(d.path("plan", "conflicts.csv"))
	d.must(err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	d.must(err)
	for _, row := range rows[1:] {
		row[6] = choose(row[0], row[4])
	}
	out, err := os.Create(d.path(name))
	d.must(err)
	w := csv.NewWriter(out)
	d.must(errors.Join(w.WriteAll(rows), out.Close()))
	return out.Name()
}

// resolveCases asks the published map everything that a file of cases says.
func (d *env) resolveCases(path string) {
	d.Helper()
	table := d.table()
	for i, c := range readCSV(d, path) {
		at, err := time.Parse(time.RFC3339Nano, c["at"])
		d.must(err)
		got := table.Resolve(mapping.ParseURL(c["url"]), at)
		if got.Outcome.String() != c["outcome"] || got.Location != c["location"] {
			d.Errorf("%s, case %d: %s at %s: %s %q, want %s %q", filepath.Base(path), i+1, c["url"], c["at"], got.Outcome, got.Location,
				c["outcome"], c["location"])
		}
	}
}

// searchFiles fails when any file below dir holds text.
func searchFiles(t tb, dir, text string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(content), text) {
			t.Errorf("%s holds %q", path, text)
		}
		return err
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
}

func (d *env) ctx() context.Context { return context.Background() }

// Headers of the small exports that tests write.
const (
	partnersHeader = "Affiliate Id,Contact Id,Parent Id,Aff Code,Status"
	contactsHeader = "Id,First Name,Last Name,Email,Last Updated"
	linksHeader    = "Id,Link Code,Website Address,Date Created"
)

// export writes a folder of exports: partners, contacts and links as rows without their
// headers. Empty ones get no file; the link "course" is always there.
func (d *env) export(dir string, partners, contacts []string, links ...string) string {
	d.Helper()
	put := func(name, header string, rows []string) {
		if len(rows) > 0 {
			d.write(filepath.Join(dir, name), append([]string{header}, rows...)...)
		}
	}
	put("partners.csv", partnersHeader, partners)
	put("contacts.csv", contactsHeader, contacts)
	put("links.csv", linksHeader, append([]string{"1,course,https://carrot.test/course,1/2/2020"}, links...))
	return d.path(dir)
}

// owners lists the customers of the book, each with the ref token of its owner and why,
// and counts those that have an owner and an address.
func (d *env) owners() (owned int, lines []string) {
	d.Helper()
	tokens := d.tokens()
	d.must(d.book.Customers(d.ctx(), func(r book.Referral) error {
		token := cmp.Or(tokens[r.PartnerID], "-")
		if token != "-" && r.Email != "" {
			owned++
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", r.Customer, token, r.Rule))
		return nil
	}))
	return owned, lines
}

// balances lists what the promoters are owed by the book, and all of it together.
func (d *env) balances() (lines []string, owed int64) {
	d.Helper()
	sums, err := d.book.Sums(d.ctx())
	d.must(err)
	dir, byToken := book.NewDirectory(d.content()), map[string]int64{}
	for _, s := range sums {
		if token := dir.ByEarner(s.Earner).Token(); token != "" {
			byToken[token] += s.Amount
			owed += s.Amount
		}
	}
	for _, token := range slices.Sorted(maps.Keys(byToken)) {
		lines = append(lines, fmt.Sprintf("%s %d", token, byToken[token]))
	}
	return lines, owed
}

// tokens are the ref tokens of the promoters that the partners are, by Keap id.
func (d *env) tokens() map[int64]string {
	content, tokens := d.content(), map[int64]string{}
	live := map[int64]book.Promoter{}
	for _, p := range content.Promoters {
		live[p.ID] = p
	}
	for i := range content.Aliases {
		if id, ok := content.Aliases[i].KeapID(); ok {
			tokens[id] = live[cmp.Or(live[content.Aliases[i].PromoterID].MergedInto, content.Aliases[i].PromoterID)].Token
		}
	}
	return tokens
}
