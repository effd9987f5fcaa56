package migrate_test

import (
	"fmt"
	"slices"
	"testing"

	"carryover/mapping"
	"carryover/migrate"
)

// What the READMEs of the two sample programs state must become of them.
func TestSamples(t *testing.T) {
	type expect struct {
		files, rejects []string // path, rows, loaded, rejected, skipped; file, line, reason
		conflicts      map[string][]string
		promoters      []string // token, e-mail, status, ids, codes, parent
		links          []string
	}
	f := func(name string, s *migrate.Settings, want expect) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, s)
			exports := "keap/testdata/" + name
			p := d.plan(exports)

			var files, rejects []string
			for _, f := range p.Files {
				files = append(files, fmt.Sprintf("%s %d = %d + %d + %d, %s %s, header on %d", f.Kind, f.Rows, f.Loaded, f.Rejected, f.Skipped, f.Encoding, f.LineEnd, f.HeaderLine))
			}
			same(t, "files", files, want.files)
			for _, r := range p.Rejects {
				rejects = append(rejects, fmt.Sprintf("%s:%d %s", r.File[len(exports)+1:], r.Line, r.Reason))
			}
			same(t, "rejects", rejects, want.rejects)
			conflicts := map[string][]string{}
			for _, c := range p.Conflicts {
				if c.Blocking || c.Recommended != migrate.Accept {
					t.Errorf("conflict %s blocks=%v, recommended %q", c.ID, c.Blocking, c.Recommended)
				}
				conflicts[c.Kind] = append(conflicts[c.Kind], c.Subject)
			}
			for kind := range conflicts {
				same(t, kind, conflicts[kind], want.conflicts[kind])
			}
			if len(conflicts) != len(want.conflicts) {
				t.Errorf("conflicts %v, want %v", conflicts, want.conflicts)
			}
			if len(d.content().Promoters) != 0 {
				t.Error("planning has written to the book")
			}

			if res := d.apply(); res.Run != 1 || !res.Flipped || res.Changed != p.Changes.Len() {
				t.Errorf("first apply: %+v", res)
			}
			content := d.content()
			same(t, "promoters", promoters(content), want.promoters)
			var links []string
			for _, l := range content.Links {
				links = append(links, l.Code)
			}
			same(t, "links", links, want.links)
			d.resolveCases("testdata/" + name + "-resolve-cases.csv")
			same(t, "verify", d.differences(), nil)

			if res := d.apply(); res.Run != 0 || res.Changed != 0 || res.Flipped || res.Epoch.ID != 1 {
				t.Errorf("second apply: %+v", res)
			}
			again, err := d.tryInto("again", "", exports)
			d.must(err)
			for table, n := range again.Tables {
				if n.Create != 0 || n.Update != 0 || n.Unchanged == 0 {
					t.Errorf("a second plan changes %s: %+v", table, n)
				}
			}
			searchFiles(t, d.dir, "SECRET-CANARY")

			if _, _, err := migrate.Rollback(d.ctx(), 0, s, d.book, d.store, migrate.NoProgress{}, applied); err != nil {
				t.Fatal(err)
			}
			if content := d.content(); content.Len() != 0 {
				t.Errorf("after the rollback the book holds %+v", content)
			}
			if got := d.table().Resolve(mapping.ParseURL("/go/course"), beforeCutoff); got.Outcome != mapping.NotFound {
				t.Errorf("after the rollback the map answers %+v", got)
			}
			searchFiles(t, d.dir, "SECRET-CANARY")
			if res := d.apply(); res.Run != 2 || !res.Flipped {
				t.Errorf("applied again: %+v", res)
			}
			if again := d.content(); !slices.Equal(again.Aliases, content.Aliases) || !slices.Equal(again.Promoters, content.Promoters) || !slices.Equal(again.Links, content.Links) {
				t.Error("applied again after a rollback, the book is another one")
			}
		})
	}

	f("tiny", carrot(), expect{
		files: []string{
			"contacts 15 = 15 + 0 + 0, utf-8 crlf, header on 1",
			"partners 5 = 5 + 0 + 0, utf-8 crlf, header on 1",
			"links 2 = 2 + 0 + 0, utf-8 crlf, header on 1",
		},
		links: []string{"ABC-EB-OD", "course"},
		promoters: []string{
			"hill_web39 begona.windermore0@letters.example.com inactive 44 [hill_web39] -",
			"b99606 dina.silverthorn1@post.test active 49 [b99606] -",
			"b39973 otis.nunez2@example.com active 51 [b39973] -",
			"st_8853 zoe.delapena3@inbox.test active 57 [ST_8853] b99606",
			"yogastory6 xenia.vexley4@post.test active 61 [YogaStory6] -",
		},
		conflicts: map[string][]string{},
	})
	f("small", carrot("carrot-house"), expect{
		files: []string{
			"contacts 190 = 187 + 1 + 2, utf-8 crlf, header on 1",
			"partners 42 = 40 + 1 + 1, utf-8-bom crlf, header on 1",
			"links 7 = 4 + 2 + 1, utf-8 crlf, header on 1",
		},
		rejects: []string{
			"referral-partners.csv:10 bad_id", "contacts.csv:9 missing_value",
			"tracking-links.csv:6 unsafe_destination", "tracking-links.csv:7 unsafe_destination",
		},
		conflicts: map[string][]string{
			migrate.KindNeedsEmail:    {"badmail1_", "ghostpal", "badmail2_", "mutehawk"},
			migrate.KindCycle:         {"ring2a"},
			migrate.KindUnknownParent: {"orphan"},
			migrate.KindRenamed:       {"ann.lee", "ann-lee", "quietpeak", "rock&roll", "ann-lee-2", "josé-live"},
			migrate.KindMerged:        {"MirrorMe", "NewDawn", "kestrelA"},
			migrate.KindAmbiguousCode: {"QuietPeak"},
			migrate.KindAmbiguousLink: {"Shop"},
			migrate.KindUnsafeLink:    {"appstore"},
			migrate.KindLoopingLink:   {"oldloop"},
			migrate.KindReservedName:  {"Shop"},
		},
		links: []string{"course", "Shop", "shop", "ABC-EB-OD"},
		promoters: []string{
			"mirrorme bjorn.ironside0@mail.test active 41 123 [MirrorMe mirrorme] -",
			"ri_967048 soren.dunmoor1@post.test active 42 [RI_967048] -",
			"quietpeak lena.larkspur2@inbox.test active 47 [QuietPeak] -",
			"ring2a wren.amberly3@mail.test active 50 [ring2a] -",
			"dovenorth yara.coldharbor4@letters.example.com active 51 [DoveNorth] -",
			"kid quin.coldharbor6@letters.example.com active 60 [kid] mum",
			"freebird xenia.dunmoor7@inbox.test active 65 [freebird] -",
			"admin anais.underhay8@inbox.test active 70 [admin] -",
			"badmail1_ - active 77 [badmail1_] -",
			"sleeper sol.larkspur10@example.com inactive 82 [sleeper] -",
			"yo_8027 xenia.kettlewell11@post.test active 90 [YO_8027] mirrorme",
			"ann-lee nora.larkspur12@example.com active 93 [ann.lee] -",
			"orphan cato.amberly13@letters.example.com active 94 [orphan] -",
			"dozer- ada.angborg14@letters.example.com inactive 96 [dozer-] -",
			"go juna.ravenscar15@mail.test active 99 [go] -",
			"b76391392 juna.amberly16@post.test inactive 105 [b76391392] -",
			"newdawn fay.mullerhof5@post.test active 59 108 [NewDawn OldDawn] -",
			"gran ines.angborg18@post.test active 111 [gran] -",
			"wild-flow sol.vexley19@mail.test inactive 114 [wild-flow] -",
			"ann-lee-2 jose.hollowell20@post.test active 116 [ann-lee] -",
			"ring2b ada.yarrow22@post.test active 120 [ring2b] ring2a",
			"quietpeak-2 juna.angborg24@mail.test active 129 [quietpeak] -",
			"ghostpal - active 131 [ghostpal] -",
			"we_7658 wren.dunmoor26@example.com active 139 [WE_7658] -",
			"sail_craft233 begona.jessamy27@letters.example.com active 143 [sail_craft233] -",
			"true renee.brackwater28@post.test active 145 [true] -",
			"rivercoach bjorn.silverthorn29@inbox.test active 150 [RiverCoach] -",
			"kestrela lena.underhay30@mail.test active 152 173 [kestrelA kestrelB] -",
			"rock-roll bela.coldharbor31@letters.example.com active 156 [rock&roll] -",
			"mum otis.coldharbor32@example.com active 158 [mum] gran",
			"ann-lee-2-2 lena.ironside33@mail.test active 161 [ann-lee-2] -",
			"badmail2_ - active 166 [badmail2_] -",
			"jos--live ines.windermore35@letters.example.com active 167 [josé-live] -",
			"sa_1763 quin.coldharbor37@example.com active 177 [SA_1763] -",
			"mutehawk - active 180 [mutehawk] -",
			"ownboss otis.coldharbor39@mail.test active 186 [ownboss] -",
		},
	})
}
