package report

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// Every kind of finding that package migrate knows is explained here, once.
func TestEveryFindingHasWords(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../findings.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var known, explained []string
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Finding") {
			kind, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			known = append(known, kind)
		}
		return true
	})
	for _, w := range findingKinds {
		explained = append(explained, w.Kind)
		if w.Title == "" || w.Meaning == "" || w.Do == "" {
			t.Errorf("%s has not all of its words", w.Kind)
		}
	}
	slices.Sort(known)
	slices.Sort(explained)
	if len(known) == 0 || !slices.Equal(known, explained) {
		t.Errorf("kinds: %q\nexplained: %q", known, explained)
	}
}

func TestProof(t *testing.T) {
	all := []string{keap.Commissions, keap.Clawbacks, keap.Payments, keap.Ledger}
	even := migrate.Reconciliation{Currency: "USD", Accounts: 2, Beginning: 100, Commissions: 1000, Clawbacks: 50, Payments: 600, Ending: 450,
		RowCommissions: 1000, RowClawbacks: 50, RowPayments: 600, Book: 450, Promoters: 450}
	off := even
	off.Ending, off.Book, off.Promoters = 447, 447, 447
	difference := func(amount int64, decision string) migrate.Difference {
		return migrate.Difference{Conflict: "unbalanced_ledger:a", Partner: 1, Code: "a", Currency: "USD", Amount: amount, Decision: decision}
	}
	f := func(p *migrate.Plan, kinds []string, r migrate.Reconciliation, class string, says ...string) {
		t.Helper()
		for _, kind := range kinds {
			p.Files = append(p.Files, migrate.FilePlan{Kind: kind})
		}
		got := proofOf(p, r)
		text := strings.Join([]string{got.Text, otherDifferences(p, r), balanceText(p, r)}, " ")
		if got.Class != class {
			t.Errorf("class %s, want %s: %s", got.Class, class, text)
		}
		for _, want := range says {
			if !strings.Contains(text, want) {
				t.Errorf("lacks %q: %s", want, text)
			}
		}
	}
	plan := func(d ...migrate.Difference) *migrate.Plan { return &migrate.Plan{Differences: d} }

	f(plan(), all, even, "good", "Proven to the cent: 2 ledgers agree with their rows", "owed 4.50 USD in all: the ledger's ending.")
	f(plan(difference(-3, "")), all, off, "bad", "nobody has decided yet: 1 ledger does not agree with the rows, by 0.03 USD.",
		"applied as recommended")
	f(plan(difference(-3, migrate.Accept)), all, off, "warn", "a person has decided: 1 ledger does not agree with the rows, by 0.03 USD.",
		"4.47 USD in all: the ledger's ending.")
	// Differences of opposite signs do not hide each other.
	f(plan(difference(-3, ""), difference(3, "")), all, even, "bad", "2 ledgers do not agree with the rows, by 0.06 USD together.")
	f(plan(difference(-3, ""), difference(5, migrate.Fix)), all, off, "bad", "undecided: 1 ledger does not agree",
		"Decided: 1 ledger does not agree with the rows, by 0.05 USD.")
	// Those of another currency are another's.
	eur := difference(-3, "")
	eur.Currency = "EUR"
	f(plan(eur), all, even, "good", "Proven to the cent")

	fixed := off
	fixed.Book, fixed.Promoters = 450, 450
	f(plan(difference(-3, migrate.Fix)), all, fixed, "warn",
		"That is 0.03 USD more than the ledger's ending, for: ledgers that a person found wrong.")
	fixed.Book, fixed.Promoters = 400, 380
	f(plan(difference(-3, migrate.Exclude)), all, fixed, "warn", "owed 3.80 USD in all, and 0.20 USD is on the program's own partners. "+
		"That is together 0.47 USD less than the ledger's ending, for: what a person left out.")
	f(plan(), all, off, "good", "Of the difference in the ending, -0.03 USD is of the program's own partners")
	later := plan()
	later.BaseRun = 3
	f(later, all, off, "good", "-0.03 USD is of rows that the book holds already")

	noLedger := migrate.Reconciliation{Currency: "USD", RowCommissions: 1000, Book: 1000, Promoters: 1000}
	asked := plan()
	asked.Conflicts = []migrate.Conflict{asks(migrate.KindNoLedger, "ledger", migrate.Accept, "", "")}
	f(asked, all[:1], noLedger, "bad",
		"Not proven: there is no ledger among the exports. Nobody has decided yet: to go on without the ledger.", "owed 10.00 USD in all.")
	// No decision proves what nothing was compared with.
	asked.Conflicts[0].Decision = migrate.Accept
	f(asked, all[:1], noLedger, "warn",
		"Not proven: there is no ledger among the exports. A person has decided: to go on without the ledger. ", "owed 10.00 USD in all.")
	f(plan(), all, noLedger, "warn", "Not proven: the ledger among the exports has nothing in this currency. ")
	answered := plan()
	answered.Conflicts = []migrate.Conflict{asks(migrate.KindNoRows, keap.Payments, migrate.Accept, migrate.Accept, ""),
		asks(migrate.KindNoRows, keap.Clawbacks, migrate.Accept, migrate.Accept, "")}
	noClawbacks := even
	noClawbacks.Clawbacks = 0
	f(answered, []string{keap.Commissions, keap.Ledger}, noClawbacks, "warn", "Not proven: there are no rows of payments, and the ledger "+
		"has 6.00 USD of them. A person has decided: to go on without the rows of payments. ")
	answered.Conflicts[1].Decision, answered.Differences = "", []migrate.Difference{difference(-3, migrate.Accept)}
	f(answered, nil, even, "bad", "Not proven: there are no rows of payments, and the ledger has 6.00 USD of them; there are no rows of "+
		"clawbacks, and the ledger has 0.50 USD of them. "+
		"Nobody has decided yet: to go on without the rows of clawbacks. A person has decided: to go on without the rows of payments; 1 "+
		"ledger does not agree with the rows, by 0.03 USD. ")
	f(plan(), all, migrate.Reconciliation{Currency: "EUR", Book: 5}, "good", "hold nothing in this currency")
}

func TestComparedOrders(t *testing.T) {
	f := func(compared, uncompared, findings int, kinds []string, want string) {
		t.Helper()
		p := &migrate.Plan{Compared: compared, Uncompared: uncompared, FindingsBy: map[string]int{migrate.FindingRate: findings}}
		for _, kind := range kinds {
			p.Files = append(p.Files, migrate.FilePlan{Kind: kind})
		}
		if got := comparedOrders(p); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	both := []string{keap.Orders, keap.Commissions}
	f(1234, 66, 0, both, "1,234 of 1,300 orders compared, all agree")
	f(1234, 66, 2, both, "1,234 of 1,300 orders compared")
	f(2, 0, 0, both, "2 orders compared, all agree")
	f(1, 0, 0, both, "1 order compared, and it agrees")
	f(0, 66, 0, both, "No order was compared: [products] names none of their products")
	f(0, 0, 0, both, "No order was compared: none was sold by a partner, or nothing was earned")
	f(0, 0, 0, both[:1], "")
	f(0, 0, 0, nil, "")
}

func TestBalancesNameThoseWithoutEntries(t *testing.T) {
	f := func(promoters int, want string) {
		t.Helper()
		p := &migrate.Plan{Totals: migrate.Totals{Promoters: promoters},
			Balances: []migrate.Balance{{Currency: "USD", Amount: 500}, {Currency: "USD"}, {Currency: "EUR", Amount: -5}}}
		if got := spreadOf(p, "USD").sentence("USD"); got != want {
			t.Errorf("%d promoters: got %q, want %q", promoters, got, want)
		}
	}
	f(2, "1 promoter is owed 5.00 USD and 1 is at zero.")
	f(3, "1 promoter is owed 5.00 USD and 1 is at zero; the other one has no entries.")
	f(1236, "1 promoter is owed 5.00 USD and 1 is at zero; the other 1,234 have no entries.")
}

func TestLedgerEntriesAreExplained(t *testing.T) {
	f := func(n migrate.TableCount, kinds []string, want string) {
		t.Helper()
		p := &migrate.Plan{Tables: map[string]migrate.TableCount{"commission": n}}
		for _, kind := range kinds {
			p.Changes.KeapRecords.Entries = append(p.Changes.KeapRecords.Entries, book.Commission{Kind: kind})
		}
		if got := entriesNote(p); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(migrate.TableCount{}, nil, "")
	f(migrate.TableCount{Unchanged: 3}, nil, "Ledger entries are commissions, clawbacks, beginnings and differences.")
	f(migrate.TableCount{Create: 9}, []string{book.KindOpening, book.KindDifference, book.KindOpening},
		"Ledger entries are commissions, clawbacks, beginnings and differences; of the new ones 2 are beginnings and 1 is a difference.")
}

func TestSums(t *testing.T) {
	f := func(kinds []string, r migrate.Reconciliation, want string) {
		t.Helper()
		p := &migrate.Plan{}
		for _, kind := range kinds {
			p.Files = append(p.Files, migrate.FilePlan{Kind: kind})
		}
		got := ""
		for _, s := range sums(p, r) {
			got += s.Sign + s.Name + " " + s.Ledger + " " + s.Rows + " " + s.Difference + "\n"
		}
		if got != want {
			t.Errorf("got:\n%swant:\n%s", got, want)
		}
	}
	r := migrate.Reconciliation{Currency: "USD", Accounts: 2, Beginning: 100, Commissions: 1000, Clawbacks: 50, Payments: 600, Ending: 450,
		RowCommissions: 1001, RowClawbacks: 50, RowPayments: 600}
	f([]string{keap.Commissions, keap.Clawbacks, keap.Payments, keap.Ledger}, r, `beginning 1.00 – –
+commissions 10.00 10.01 -0.01
-clawbacks 0.50 0.50 0.00
-payments 6.00 6.00 0.00
=ending 4.50 4.51 -0.01
`)
	r.RowPayments = 0
	f([]string{keap.Commissions, keap.Clawbacks, keap.Ledger}, r, `beginning 1.00 – –
+commissions 10.00 10.01 -0.01
-clawbacks 0.50 0.50 0.00
-payments 6.00 – –
=ending 4.50 – –
`)
	f([]string{keap.Commissions}, migrate.Reconciliation{Currency: "JPY", RowCommissions: 1001}, `beginning – – –
+commissions – 1,001 –
-clawbacks – – –
-payments – – –
=ending – 1,001 –
`)
	// A ledger of endings alone agrees with rows that it has no columns for.
	f([]string{keap.Commissions, keap.Payments, keap.Ledger}, migrate.Reconciliation{
		Currency: "USD", Accounts: 1, RowCommissions: 1000, RowPayments: 400, Ending: 600,
	}, `beginning 0.00 – –
+commissions – 10.00 –
-clawbacks 0.00 – –
-payments – 4.00 –
=ending 6.00 6.00 0.00
`)
}

func TestExportsWithoutMoneyShowNone(t *testing.T) {
	p := ready()
	p.Tables["commission"], p.Tables["referral"] = migrate.TableCount{}, migrate.TableCount{}
	p.Money = []migrate.Reconciliation{{Currency: "USD", Book: 5000, Promoters: 5000}} // of an earlier run
	var b strings.Builder
	if err := Plan(&b, Terminal{}, p, "out", "carryover"); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"terminal": b.String(), "page": render(t, p)} {
		for _, word := range []string{"The money", "ommission", "ustomer", "owed to promoters", "findings.csv", "unresolved"} {
			if _, body, ok := strings.Cut(text, "<main>"); strings.Contains(body, word) || !ok && strings.Contains(text, word) {
				t.Errorf("the %s says %q", name, word)
			}
		}
	}
}

// Real exports, and the same with one cent changed in the ledger.
func TestSampleExports(t *testing.T) {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	settings := &migrate.Settings{
		Policy: mapping.Policy{
			Program: "carrot", LegacyHosts: []string{"go.carrot.test"}, AllowedHosts: []string{"carrot.test", "www.carrot.test"},
			Cutoff: time.Date(2023, 4, 1, 0, 0, 0, 0, zone), AfterCutoff: mapping.AfterRedirect, Inactive: mapping.InactiveUncredited,
			Pages: mapping.Pages{
				Landing: "https://carrot.test/", Login: "https://carrot.test/login", Rejoin: "https://carrot.test/rejoin",
				Join: "https://carrot.test/join", PasswordReset: "https://carrot.test/reset", Guide: "https://carrot.test/guide",
			},
			TokenParam: "fpr", SubIDParam: "fp_sid",
		},
		Exclude: []string{"carrot-house"}, Zone: zone, Dates: "auto", Currency: "USD", AsOf: "2023-03-31",
		Products: terms.Products{Membership: []string{"*Membership*"},
			Training: []string{"Evergreen Webinar", "3 Leads Per Day", "Story Selling Training", "List Building Sprint", "Weekend Intensive*"}},
		Terms: terms.DefaultConfig(),
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../keap/testdata/small")); err != nil {
		t.Fatal(err)
	}
	reported := func(decisions migrate.Decisions) string {
		t.Helper()
		p, err := migrate.Make(t.Context(), migrate.Request{
			Settings: settings, Args: []string{dir}, WorkDir: dir, Decisions: decisions, Progress: migrate.NoProgress{},
			Sink: func(*sheet.File, int) func(*sheet.Reject) error { return func(*sheet.Reject) error { return nil } },
		})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := Plan(&b, Terminal{}, p, "out", "carryover"); err != nil {
			t.Fatal(err)
		}
		return b.String() + render(t, p)
	}
	expect := func(text string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if n := strings.Count(strings.Join(strings.Fields(text), " "), want); n != 2 {
				t.Errorf("%q stands %d times in the terminal's text and the page", want, n)
			}
		}
	}
	// All that could be read agrees; two rows of its commissions could not.
	text := reported(nil)
	expect(text, `Not proven: these are in none of the sums: commissions.csv, 2 rejected rows (10.00 USD and 1 amount that cannot be read`,
		"Nobody has decided yet: to go on without the rejected rows.",
		"17 promoters are owed 2,731.17 USD, 1 owes 51.34 USD and")
	for _, want := range []string{"  = ending        2,679.83   2,679.83        0.00         –\n", "<b>2,679.83 <small>USD</small></b>",
		`<title id="months0">`} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q", want)
		}
	}

	// Without them it is.
	readable, err := os.ReadFile(filepath.Join(dir, "commissions.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(readable), "\n")
	lines = append(append(lines[:5:5], lines[6:10]...), lines[11:]...)
	if err := os.WriteFile(filepath.Join(dir, "commissions.csv"), []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	text = reported(nil)
	expect(text, "Proven to the cent: 40 ledgers agree with their rows, one by one. Of 328 rows of money, 322 loaded, 6 skipped, none rejected.")

	path := filepath.Join(dir, "ledger.csv")
	ledger, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(ledger), "834.51,,MirrorMe,910.77,$76.26,$0.00,", "834.51,,MirrorMe,910.77,$76.26,$0.01,", 1)
	if changed == string(ledger) {
		t.Fatal("the sample has another ledger")
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	text = reported(nil)
	expect(text, "Not proven, and nobody has decided yet: 1 ledger does not agree with the rows, by 0.01 USD.")
	if !strings.Contains(text, "  MirrorMe (41)        0.01  UNDECIDED\n") {
		t.Error("the difference is not listed")
	}
	text = reported(migrate.Decisions{"unbalanced_ledger:MirrorMe": {Value: migrate.Accept, By: "Ann Lee"}})
	expect(text, "Proven to the cent, but for what a person has decided: 1 ledger does not agree with the rows, by 0.01 USD.")
	if !strings.Contains(text, "Ann Lee") {
		t.Error("the page does not say who decided")
	}
}
