package migrate_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate"
	"carryover/migrate/sheet"
)

// example is what example/carryover.toml says.
func example() *migrate.Settings {
	s := carrot("carrot-house")
	s.Policy.AllowedHosts = []string{"carrot.test", "www.carrot.test", "shop.carrot.test:8443"}
	s.Policy.Pages = mapping.Pages{
		Landing: "https://carrot.test/start?from=links", Login: "https://partners.carrot.test/login", Join: "https://carrot.test/partners/join",
		Rejoin: "https://carrot.test/rejoin", PasswordReset: "https://partners.carrot.test/password-reset",
		Guide: "https://carrot.test/partners/guide",
	}
	s.Grace = book.Grace{Partners: map[string]time.Time{"GraceNote": time.Date(2100, 1, 1, 0, 0, 0, 0, s.Zone)}}
	s.Paths = []mapping.Path{{Path: "/app/orderForms/spring", Target: "https://carrot.test/spring"}, {Path: "/faq", Target: "guide"}}
	s.Currency, s.AsOf, s.Owner, s.Terms = "USD", "2023-03-31", terms.OwnerLatest, terms.DefaultConfig()
	s.Products = terms.Products{Membership: []string{"*Membership*"},
		Training: []string{"Evergreen Webinar", "3 Leads Per Day", "Membership Launch Workshop"}}
	return s
}

// planExample plans the example with its decisions: one partner's ledger and rows differ
// by a cent.
func (d *env) planExample() *migrate.Plan {
	d.Helper()
	p, err := d.try("example/decisions.csv", "example/exports")
	d.must(err)
	return p
}

// kindsInWords are the words that example/expected uses for kinds of conflicts.
var kindsInWords = map[string]string{
	"no e-mail": migrate.KindNeedsEmail, "cycle": migrate.KindCycle, "renamed token": migrate.KindRenamed, "merge": migrate.KindMerged,
	"ambiguous fold": migrate.KindAmbiguousCode, "ambiguous fold (link)": migrate.KindAmbiguousLink,
	"unsafe link": migrate.KindUnsafeLink, "looping link": migrate.KindLoopingLink, "reserved name": migrate.KindReservedName,
	"unbalanced ledger": migrate.KindUnbalanced, "subscription partner": migrate.KindSubscription, "house owner": migrate.KindHouseOwner,
	"self-referral": migrate.KindSelfReferral, "customer without e-mail": migrate.KindNoCustomerEmail,
	"moved customer":        migrate.KindMovedCustomer,
	"unknown referral type": migrate.KindReferralType, "unmatched product": migrate.KindProduct,
	"changed payment":  migrate.KindChangedPayment,
	"negative balance": migrate.KindNegative, "other currency": migrate.KindCurrency, "vanished": migrate.KindVanished,
}

// conflictsOf lists the conflicts of a plan in the words of the expected files.
func conflictsOf(p *migrate.Plan) (lines []string) {
	for _, c := range p.Conflicts {
		for word, kind := range kindsInWords {
			if kind == c.Kind {
				lines = append(lines, conflictLine(word, c.Subject, c.Blocking))
			}
		}
	}
	return lines
}

func conflictLine(about, subject string, blocks bool) string {
	return fmt.Sprintf("%s: %s (blocks: %t)", about, subject, blocks)
}

// expect returns the rows of an expected file as lines: the given columns, blanks between
// them, "-" for an empty cell.
func expect(t tb, path string, columns ...string) (lines []string) {
	t.Helper()
	for _, row := range readCSV(t, path) {
		var cells []string
		for _, c := range columns {
			cells = append(cells, cmp.Or(row[c], "-"))
		}
		lines = append(lines, strings.Join(cells, " "))
	}
	return lines
}

// sameFiles compares what was read with an expected files.csv.
func sameFiles(t tb, p *migrate.Plan, path string) {
	t.Helper()
	var files, want []string
	for _, f := range p.Files {
		files = append(files, fmt.Sprintf("%s %s %s %s %s header on %d: %d = %d + %d + %d", f.Path, f.Kind, f.Encoding, f.Delimiter, f.LineEnd,
			f.HeaderLine, f.Rows, f.Loaded, f.Rejected, f.Skipped))
	}
	for _, f := range readCSV(t, path) {
		want = append(want, fmt.Sprintf("example/%s %s %s %s %s header on %s: %s = %s + %s + %s", f["path"], f["kind"], f["encoding"],
			f["delimiter"], f["line_end"], f["header_line"], f["rows"], f["loaded"], f["rejected"], f["skipped"]))
	}
	same(t, "files", files, want)
}

// sameMoney compares the book's customers, balances and sums with what a folder of
// expected files says, and the plan's own balances with the book's.
func (d *env) sameMoney(p *migrate.Plan, dir string) {
	d.Helper()
	_, owners := d.owners()
	same(d, "owners", owners, expect(d, dir+"/owners.csv", "customer", "promoter", "rule"))

	sums, err := d.book.Sums(d.ctx())
	d.must(err)
	tokens := d.tokens()
	type column struct{ token, currency, kind string }
	byKind, byToken := map[column]int64{}, map[column]int64{}
	for _, s := range sums {
		token := tokens[s.PartnerID]
		byKind[column{cmp.Or(token, "-"), s.Currency, s.Kind}] += s.Amount
		if token != "" {
			byToken[column{token, s.Currency, "balance"}] += s.Amount
		}
	}
	list := func(amounts map[column]int64) (lines []string) {
		for c, amount := range amounts {
			lines = append(lines, fmt.Sprintf("%s %s %s %d", c.token, c.currency, c.kind, amount))
		}
		return lines
	}
	same(d, "sums by promoter and kind", list(byKind), expect(d, dir+"/ledger.csv", "ref_token", "currency", "kind", "sum_cents"))
	var planned, inBook []string
	for _, b := range p.Balances {
		planned = append(planned, fmt.Sprintf("%s %s %d", b.Token, b.Currency, b.Amount))
	}
	for c, amount := range byToken {
		inBook = append(inBook, fmt.Sprintf("%s %s %d", c.token, c.currency, amount))
	}
	want := expect(d, dir+"/balances.csv", "ref_token", "currency", "balance_cents")
	same(d, "balances that were planned", planned, want)
	same(d, "balances in the book", inBook, want)
}

// verified is how many differences verify finds, and how many of them a person has
// decided about.
func (d *env) verified() (differences []string, decided int) {
	d.Helper()
	checks, _, err := migrate.Verify(d.ctx(), d.settings, d.book, d.store, migrate.NoProgress{})
	d.must(err)
	for _, c := range checks {
		decided += c.Decided
		if c.Differences > 0 {
			differences = append(differences, fmt.Sprintf("%s: %d", c.Name, c.Differences))
			differences = append(differences, c.Examples...)
		}
	}
	return differences, decided
}

// The example program, with the mess that exports come in, becomes what its expected
// files state, worked out by hand.
func TestExample(t *testing.T) {
	d := newEnv(t, example())
	open := d.plan("example/exports").Open()
	var asked []string
	for _, c := range open {
		asked = append(asked, c.ID)
	}
	same(t, "open without decisions", asked, []string{
		"unbalanced_ledger:3Dcraft", "rejected_rows:clawbacks.csv", "rejected_rows:commissions-2021-2022.csv",
		"rejected_rows:commissions-2022-2023.csv", "rejected_rows:ledger.csv", "rejected_rows:orders.csv", "rejected_rows:partners.csv",
		"rejected_rows:payments.csv", "rejected_rows:referrals-2023.csv", "rejected_rows:referrals.csv", "rejected_rows:subscriptions.csv",
	})
	if _, err := d.tryApply(nil); !errors.Is(err, migrate.ErrUndecided) {
		t.Fatalf("apply without decisions: %v", err)
	}

	p := d.planExample()
	read := func(name string) []map[string]string { return readCSV(t, "example/expected/"+name) }
	sameFiles(t, p, "example/expected/files.csv")
	for _, u := range read("unread.csv") {
		if !slices.ContainsFunc(p.Unread, func(x migrate.Unread) bool { return x.Path == "example/"+u["path"] && x.Reason != "" }) {
			t.Errorf("%s is not named as unread", u["path"])
		}
	}
	var rejects, wantRejects []string
	for _, r := range p.Rejects {
		rejects = append(rejects, fmt.Sprintf("%s:%d %s", r.File, r.Line, r.Reason))
	}
	for _, r := range read("rejects.csv") {
		wantRejects = append(wantRejects, fmt.Sprintf("example/%s:%s %s", r["path"], r["line"], r["reason"]))
	}
	same(t, "rejects", rejects, wantRejects)
	skips, wantSkips := map[string]int{}, map[string]int{}
	for _, s := range read("skips.csv") {
		wantSkips["example/"+s["path"]+" "+s["reason"]]++
	}
	for _, f := range p.Files {
		for reason, n := range f.SkippedBy {
			skips[f.Path+" "+reason] = n
		}
	}
	if !maps.Equal(skips, wantSkips) {
		t.Errorf("skipped: %v, want %v", skips, wantSkips)
	}
	var conflicts []string
	for _, c := range read("conflicts.csv") {
		conflicts = append(conflicts, conflictLine(c["about"], c["subject"], c["blocks"] == "yes"))
	}
	same(t, "conflicts", conflictsOf(p), conflicts)
	if len(p.Open()) != 0 {
		t.Errorf("open: %+v", p.Open())
	}
	var findings []string
	for _, f := range p.Findings {
		findings = append(findings, strings.Join([]string{f.Kind, cmp.Or(f.Orders, "-"), cmp.Or(f.Invoices, "-")}, " "))
	}
	same(t, "findings", findings, expect(t, "example/expected/findings.csv", "kind", "orders", "invoices"))

	d.apply()
	var want []string
	for _, q := range read("promoters.csv") {
		// The order of the codes says which one is former; the book has them sorted.
		codes := strings.Fields(q["codes"])
		slices.Sort(codes)
		email, parent := q["email"], q["parent_ref_token"]
		if email == "" {
			email = "-"
		}
		if parent == "" {
			parent = "-"
		}
		if (q["needs_email"] == "yes") != (q["email"] == "") {
			t.Errorf("promoters.csv contradicts itself on %s", q["ref_token"])
		}
		want = append(want,
			fmt.Sprintf("%s %s %s %s [%s] %s", q["ref_token"], email, q["status"], q["keap_ids"], strings.Join(codes, " "), parent))
	}
	same(t, "promoters", promoters(d.content()), want)
	var links, wantLinks []string
	table := d.table()
	for _, l := range d.content().Links {
		to := table.Resolve(mapping.Request{Host: "go.carrot.test", Path: "/go/" + strings.ReplaceAll(l.Code, " ", "%20")},
			beforeCutoff).Location
		links = append(links, l.Code+" "+l.Destination+" "+to)
	}
	for _, l := range read("links.csv") {
		wantLinks = append(wantLinks, l["code"]+" "+l["website_address"]+" "+l["uncredited_location"])
	}
	same(t, "links", links, wantLinks)
	d.resolveCases("example/resolve-cases.csv")
	d.sameMoney(p, "example/expected")
	if len(p.Differences) != 1 || p.Differences[0].Code != "3Dcraft" || p.Differences[0].Amount != 1 || p.Differences[0].Currency != "USD" ||
		p.Differences[0].Decision != migrate.Accept {
		t.Errorf("differences of the ledger: %+v", p.Differences)
	}
	differences, decided := d.verified()
	same(t, "verify", differences, nil)
	if want := 1 + 10; decided != want { // the ledger, and the files with rejected rows
		t.Errorf("verify: %d differences that were decided about, want %d", decided, want)
	}
	if again := d.apply(); again.Run != 0 || again.Changed != 0 {
		t.Errorf("applied again: %+v", again)
	}
	searchFiles(t, d.dir, "SECRET-CANARY")

	// The old-to-new sheet has a row for each link and credited code.
	rows := readCSV(t, filepath.Join(d.dir, "plan", "links.csv"))
	codes := 0
	for _, a := range d.content().Aliases {
		if a.Kind == book.AliasCode && a.State == "" {
			codes++
		}
	}
	if len(rows) != codes*len(links) {
		t.Errorf("links.csv has %d rows, want %d codes x %d links", len(rows), codes, len(links))
	}
	for _, r := range rows {
		r["ref_token"] = sheet.Clean(r["ref_token"]) // "-l" is written so that no spreadsheet takes it for a formula
		old, now := table.Resolve(mapping.ParseURL(r["old_link"]), beforeCutoff), table.Resolve(mapping.ParseURL(r["new_link"]), beforeCutoff)
		if old.Token != r["ref_token"] || now.Token != r["ref_token"] || old.Location != now.Location {
			t.Errorf("%s leads to %s, %s to %s", r["old_link"], old.Location, r["new_link"], now.Location)
		}
	}
}

// A month later newer exports come: an overlapping commissions file, a payment told
// otherwise, customers that move, a partner that is gone, another day to reckon by.
func TestExampleInApril(t *testing.T) {
	d := newEnv(t, example())
	d.planExample()
	d.apply()

	d.settings.AsOf = "2023-04-30"
	p := d.plan("example/exports-april")
	sameFiles(t, p, "example/expected-april/files.csv")
	if len(p.Rejects) != 0 || len(p.Findings) != 0 || len(p.Differences) != 0 {
		t.Errorf("rejects %v, findings %v, differences %v: want none", p.Rejects, p.Findings, p.Differences)
	}
	var want []string
	kinds := map[string]bool{migrate.KindUnbalanced: true}
	for _, c := range readCSV(t, "example/expected-april/conflicts.csv") {
		kinds[kindsInWords[c["about"]]] = true
		want = append(want, conflictLine(c["about"], c["subject"], c["blocks"] == "yes"))
	}
	got := *p
	got.Conflicts = slices.DeleteFunc(slices.Clone(p.Conflicts), func(c migrate.Conflict) bool { return !kinds[c.Kind] })
	same(t, "conflicts", conflictsOf(&got), want)

	if first := d.apply(); first.Changed == 0 {
		t.Errorf("applied: %+v", first)
	}
	d.sameMoney(p, "example/expected-april")
	differences, decided := d.verified()
	same(t, "verify", differences, nil)
	// The rows that the first run left out are named for ever after, and so is the cent that it booked.
	if decided != 10+1 || len(p.Missing) != 10 {
		t.Errorf("verify: %d differences that were decided about, %d files with rows that are missing", decided, len(p.Missing))
	}
	if again := d.apply(); again.Run != 0 || again.Changed != 0 {
		t.Errorf("applied again: %+v", again)
	}
}

// What cannot be proven is asked about: rows without a ledger, and a ledger without its
// rows. Accepted, the rows count in the one and the ledger's ending in the other.
func TestExampleWithoutProof(t *testing.T) {
	f := func(exports, kind string, subjects []string, balance string) {
		t.Helper()
		d := newEnv(t, example())
		p := d.plan("example/" + exports)
		same(t, exports+": conflicts", has(p, kind), subjects)
		if len(p.Open()) != len(subjects) {
			t.Errorf("%s: open: %+v", exports, p.Open())
		}
		p, err := d.try(d.decide("decided.csv", func(_, recommended string) string { return recommended }), "example/"+exports)
		d.must(err)
		d.apply()
		lines, _ := d.balances()
		same(t, exports+": balances", lines, []string{balance})
		differences, decided := d.verified()
		same(t, exports+": verify", differences, nil)
		if decided == 0 {
			t.Errorf("%s: verify is silent about what a person decided: %+v", exports, p.Conflicts)
		}
	}
	f("exports-no-ledger", migrate.KindNoLedger, []string{"ledger"}, "lonely 1225")
	f("exports-no-rows", migrate.KindNoRows, []string{"commissions", "payments"}, "lonely 1100")
}
