package migrate_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/migrate"
	"carryover/migrate/sheet"
)

// example is what example/carryover.toml says.
func example() *migrate.Settings {
	s := carrot("carrot-house")
	s.Policy.AllowedHosts = []string{"carrot.test", "www.carrot.test", "shop.carrot.test:8443"}
	s.Policy.Pages = mapping.Pages{
		Landing: "https://carrot.test/start?from=links", Login: "https://partners.carrot.test/login", Join: "https://carrot.test/partners/join",
		Rejoin: "https://carrot.test/rejoin", PasswordReset: "https://partners.carrot.test/password-reset", Guide: "https://carrot.test/partners/guide",
	}
	s.Grace = book.Grace{Partners: map[string]time.Time{"GraceNote": time.Date(2100, 1, 1, 0, 0, 0, 0, s.Zone)}}
	s.Paths = []mapping.Path{{Path: "/app/orderForms/spring", Target: "https://carrot.test/spring"}, {Path: "/faq", Target: "guide"}}
	return s
}

// kindsInWords are the words that example/expected uses for kinds of conflicts.
var kindsInWords = map[string]string{
	"no e-mail": migrate.KindNeedsEmail, "cycle": migrate.KindCycle, "renamed token": migrate.KindRenamed, "merge": migrate.KindMerged,
	"ambiguous fold": migrate.KindAmbiguousCode, "ambiguous fold (link)": migrate.KindAmbiguousLink,
	"unsafe link": migrate.KindUnsafeLink, "looping link": migrate.KindLoopingLink, "reserved name": migrate.KindReservedName,
}

// The example program, with the mess that exports come in, becomes what its expected
// files state, worked out by hand.
func TestExample(t *testing.T) {
	d := newDesk(t, example())
	p := d.plan("example/exports")
	read := func(name string) []map[string]string { return readCSV(t, "example/expected/"+name) }

	var files, rejects, wantFiles, wantRejects []string
	for _, f := range p.Files {
		files = append(files, fmt.Sprintf("%s %s %s %s %s header on %d: %d = %d + %d + %d", f.Path, f.Kind, f.Encoding, f.Delimiter, f.LineEnd, f.HeaderLine, f.Rows, f.Loaded, f.Rejected, f.Skipped))
	}
	carried := map[string]bool{}
	for _, f := range read("files.csv") {
		if f["carried"] == "yes" {
			carried[f["path"]] = true
			wantFiles = append(wantFiles, fmt.Sprintf("example/%s %s %s %s %s header on %s: %s = %s + %s + %s", f["path"], f["kind"], f["encoding"], f["delimiter"], f["line_end"], f["header_line"], f["rows"], f["loaded"], f["rejected"], f["skipped"]))
		} else if !slices.ContainsFunc(p.Unread, func(u migrate.Unread) bool { return u.Path == "example/"+f["path"] && u.Kind == f["kind"] }) {
			t.Errorf("%s is not named as recognised and not carried over: %+v", f["path"], p.Unread)
		}
	}
	same(t, "files", files, wantFiles)
	for _, u := range read("unread.csv") {
		if !slices.ContainsFunc(p.Unread, func(x migrate.Unread) bool { return x.Path == "example/"+u["path"] && x.Reason != "" }) {
			t.Errorf("%s is not named as unread", u["path"])
		}
	}
	for _, r := range p.Rejects {
		rejects = append(rejects, fmt.Sprintf("%s:%d %s", r.File, r.Line, r.Reason))
	}
	for _, r := range read("rejects.csv") {
		if carried[r["path"]] {
			wantRejects = append(wantRejects, fmt.Sprintf("example/%s:%s %s", r["path"], r["line"], r["reason"]))
		}
	}
	same(t, "rejects", rejects, wantRejects)
	skips := map[string]int{}
	for _, s := range read("skips.csv") {
		skips["example/"+s["path"]+" "+s["reason"]]++
	}
	for _, f := range p.Files {
		for reason, n := range f.SkippedBy {
			if skips[f.Path+" "+reason] != n {
				t.Errorf("%s: %d rows skipped as %s, want %d", f.Path, n, reason, skips[f.Path+" "+reason])
			}
		}
	}
	for _, c := range read("conflicts.csv") {
		kind := kindsInWords[c["about"]]
		if !slices.ContainsFunc(p.Conflicts, func(x migrate.Conflict) bool {
			return x.Kind == kind && x.Subject == c["subject"] && x.Blocking == (c["blocks"] == "yes")
		}) {
			t.Errorf("no conflict %s on %s", c["about"], c["subject"])
		}
	}
	if len(p.Open()) != 0 {
		t.Errorf("open: %+v", p.Open())
	}

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
		want = append(want, fmt.Sprintf("%s %s %s %s [%s] %s", q["ref_token"], email, q["status"], q["keap_ids"], strings.Join(codes, " "), parent))
	}
	same(t, "promoters", promoters(d.content()), want)
	var links, wantLinks []string
	table := d.table()
	for _, l := range d.content().Links {
		to := table.Resolve(mapping.Request{Host: "go.carrot.test", Path: "/go/" + strings.ReplaceAll(l.Code, " ", "%20")}, beforeCutoff).Location
		links = append(links, l.Code+" "+l.Destination+" "+to)
	}
	for _, l := range read("links.csv") {
		wantLinks = append(wantLinks, l["code"]+" "+l["website_address"]+" "+l["uncredited_location"])
	}
	same(t, "links", links, wantLinks)
	d.resolveCases("example/resolve-cases.csv")
	same(t, "verify", d.differences(), nil)
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
