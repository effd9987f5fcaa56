package report

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"carryover/mapping/book"
	"carryover/migrate"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew); got:\n%s", name, got)
	}
}

// plans are the plans that the tests report.
func plans() map[string]*migrate.Plan {
	return map[string]*migrate.Plan{"blocked": blocked(), "ready": ready(), "crowded": crowded(), "empty": {}}
}

const hostile = `<script>alert("x")</script>`

// blocked is a plan with questions, and with everything that a hostile or careless
// export can put into the texts.
func blocked() *migrate.Plan {
	p := &migrate.Plan{
		PlanID: "3f1c9a52b7d04e6688aa01c2d3e4f506", InputsID: "a1b2c3d4e5f60718293a4b5c6d7e8f90",
		WorkDir: "/home/ops", Args: []string{"exports/old crm", "partners=more.csv"},
		Files: []migrate.FilePlan{
			{
				Path: "exports/old crm/referral-partners.csv", Kind: "partners", Rows: 1042, Loaded: 1037, Rejected: 3, Skipped: 2,
				SkippedBy: map[string]int{"blank": 1, "totals": 1}, Encoding: "utf-8-bom", Delimiter: "comma", LineEnd: "crlf", HeaderLine: 1,
				DateLayout:    map[string]string{"Date Created": "month_first"},
				NotUnderstood: []string{"Lieblingsfarbe", hostile, "好きな色"}, Dropped: []string{"Password", "SSN"},
				Bytes: 183_211, Took: 12*time.Millisecond + 400*time.Microsecond,
			},
			{
				Path: "exports/old crm/contacts.csv", Kind: "contacts", Rows: 1_204_310, Loaded: 1_204_288, Rejected: 1, Skipped: 21,
				SkippedBy: map[string]int{"blank": 2, "duplicate": 17, "superseded": 2}, Encoding: "utf-16le", Delimiter: "tab", LineEnd: "lf", HeaderLine: 3,
				DateLayout: map[string]string{"Last Updated": "day_first", "Date Created": "day_first"},
				Bytes:      212_004_118, Took: 8*time.Second + 420*time.Millisecond,
			},
			{
				Path: "exports/old crm/zips/連結.csv", Kind: "links", Rows: 7, Loaded: 4, Rejected: 2, Skipped: 1,
				SkippedBy: map[string]int{"repeated_header": 1}, Encoding: "windows-1252", Delimiter: "semicolon", LineEnd: "cr", HeaderLine: 1,
				Bytes: 812, Took: 300 * time.Microsecond,
			},
		},
		Unread: []migrate.Unread{
			{Path: "exports/old crm/orders.csv", Kind: "orders", Reason: "recognised as orders (240 rows), which this version does not carry over yet"},
			{Path: "exports/old crm/\x1b[31mscan.pdf", Reason: "exports/old crm/\x1b[31mscan.pdf: is a PDF, not a CSV"},
		},
		Rejects: []migrate.RejectLine{
			{File: "exports/old crm/referral-partners.csv", Line: 17, Reason: "bad_id", Column: "Id", Value: "1.23E+05", Hint: "a spreadsheet has rounded the number away; export the list again"},
			{File: "exports/old crm/referral-partners.csv", Line: 88, Reason: "bad_id", Column: "Id", Value: hostile, Hint: "an id is a whole number"},
			{File: "exports/old crm/referral-partners.csv", Line: 90, Reason: "too_many_cells", Hint: "a comma inside a cell must be quoted"},
			{File: "exports/old crm/contacts.csv", Line: 1_000_204, Reason: "missing_value", Column: "Id", Hint: "fill it in; a row without it cannot be loaded"},
			{File: "exports/old crm/zips/連結.csv", Line: 3, Reason: "unsafe_destination", Column: "Website Address", Value: "javascript:alert(1)", Hint: "it is not http or https"},
			{File: "exports/old crm/zips/連結.csv", Line: 4, Reason: "unsafe_destination", Column: "Website Address", Value: "https://go.carrot.test/go/home/\u202egnp.exe", Hint: "it leads back to the old links"},
		},
		Conflicts: []migrate.Conflict{
			informs(migrate.KindRenamed, "JOHN SMITH", "partner 1012 gets the ref token john-smith; its old codes and ids keep working"),
			informs(migrate.KindRenamed, "日本語コード", "partner 1099 gets the ref token ------; its old codes and ids keep working"),
			informs(migrate.KindNeedsEmail, hostile, "partner 1014: its contact 77 has the e-mail \"none\"; it becomes a promoter that needs one, its links work"),
			informs(migrate.KindMerged, "anna", "anna (1001), anna2 (1020), anna-old (1031) share a contact or an address: one promoter, anna, for all of them"),
			informs(migrate.KindUnsafeLink, "promo", `exports/old crm/zips/連結.csv, line 3: "javascript:alert(1)" is rejected, it is not http or https; the code is unknown to the gateway`),
			informs(migrate.KindAmbiguousCode, "Bob", "Bob, bob differ only by case and are different promoters: each is honoured as it is spelled, any other spelling credits nobody"),
			informs("of_a_later_version", "x", "a kind that has no words yet"),
			asks(migrate.KindDuplicate, "partners:1015", migrate.KeepOne, migrate.KeepNew, "1015 stands in exports/old crm/referral-partners.csv, line 20, and in more.csv, line 4, and the two differ in code, e-mail, without dates that tell which is newer: \"first\" keeps the one named first, \"later\" the other"),
			asks(migrate.KindDuplicate, "partners:1016", migrate.KeepNew, "", "1016 stands in exports/old crm/referral-partners.csv, line 21, and in more.csv, line 5, and the two differ in status, without dates that tell which is newer: \"first\" keeps the one named first, \"later\" the other"),
			asks(migrate.KindDateOrder, "exports/old crm/contacts.csv:created_at", migrate.DayFirst, migrate.DayFirst, `exports/old crm/contacts.csv, line 9, column "Date Created": "13/08/2022" is a date only with the day first, and no value of the column needs the month first (412 fit only day first, 600 fit both): is the column day first?`),
		},
		Tables: map[string]migrate.TableCount{
			"promoter": {Create: 1030, Update: 1, Unchanged: 2}, "promoter_alias": {Create: 2071}, "link": {Create: 4}, "payout_line": {Unchanged: 12},
		},
		Totals: migrate.Totals{
			Partners: 1037, House: 1, Promoters: 1033, Active: 812, Inactive: 221, NeedEmail: 1, Merged: 3, Contacts: 1_204_288,
			Links: 4, Codes: 1038, KeapIDs: 1037, Rejected: 6, Skipped: 24, OpenBlocking: 1,
		},
		BaseRun: 4,
		After:   book.Content{Aliases: []book.Alias{{Kind: book.AliasCode, Value: "Bob", State: book.StateAmbiguous}, {Kind: book.AliasCode, Value: "anna", PromoterID: 1}}},
	}
	return p
}

func informs(kind, subject, detail string) migrate.Conflict {
	return migrate.Conflict{ID: kind + ":" + subject, Kind: kind, Subject: subject, Detail: detail, Recommended: migrate.Accept}
}

func asks(kind, subject, recommended, decision, detail string) migrate.Conflict {
	return migrate.Conflict{ID: kind + ":" + subject, Kind: kind, Subject: subject, Detail: detail, Recommended: recommended, Blocking: true, Decision: decision}
}

// ready is a small plan that nothing stands in the way of.
func ready() *migrate.Plan {
	return &migrate.Plan{
		PlanID: "00112233445566778899aabbccddeeff", InputsID: "ffeeddccbbaa99887766554433221100", Args: []string{"exports"},
		Files:  []migrate.FilePlan{{Path: "partners.csv", Kind: "partners", Rows: 1, Loaded: 1, Encoding: "utf-8", Delimiter: "comma", LineEnd: "lf", HeaderLine: 1, Bytes: 90, Took: 3 * time.Millisecond}},
		Tables: map[string]migrate.TableCount{"promoter": {Create: 1}, "promoter_alias": {Create: 2}, "link": {}},
		Totals: migrate.Totals{Partners: 1, Promoters: 1, Active: 1, Codes: 1, KeapIDs: 1},
	}
}

// crowded is the plan of a program in which everything went wrong thousands of times.
func crowded() *migrate.Plan {
	p := blocked()
	p.Conflicts, p.Rejects = nil, nil
	for i := range 5000 {
		p.Conflicts = append(p.Conflicts, informs(migrate.KindNeedsEmail, fmt.Sprintf("code-%04d", i), fmt.Sprintf("partner %d: its contact is in no file; it becomes a promoter that needs one, its links work", 1000+i)))
		if i < 1200 {
			p.Conflicts = append(p.Conflicts, asks(migrate.KindDuplicate, fmt.Sprintf("partners:%d", 1000+i), migrate.KeepOne, "", fmt.Sprintf("%d stands in a.csv, line %d, and in b.csv, line %d, and the two differ in code", 1000+i, i, i)))
		}
		p.Rejects = append(p.Rejects, migrate.RejectLine{File: "a.csv", Line: i + 2, Reason: "bad_id", Column: "Id", Value: "1E+05", Hint: "an id is a whole number"})
	}
	p.Totals.Rejected, p.Totals.OpenBlocking, p.Totals.NeedEmail = 5000, 1200, 5000
	return p
}
