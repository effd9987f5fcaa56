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
		customers      int      // that belong to somebody and have an address
		owners         []string // customer, promoter, why
		balances       []string // promoter, cents
		owed           int64    // of all promoters, cents
	}
	f := func(name string, s *migrate.Settings, want expect) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			d := newEnv(t, s)
			exports := "keap/testdata/" + name
			p := d.plan(exports)

			var files, rejects []string
			for _, f := range p.Files {
				files = append(files, fmt.Sprintf("%s %d = %d + %d + %d, %s %s, header on %d", f.Kind, f.Rows, f.Loaded, f.Rejected, f.Skipped,
					f.Encoding, f.LineEnd, f.HeaderLine))
			}
			same(t, "files", files, want.files)
			for _, r := range p.Rejects {
				rejects = append(rejects, fmt.Sprintf("%s:%d %s", r.File[len(exports)+1:], r.Line, r.Reason))
			}
			same(t, "rejects", rejects, want.rejects)
			conflicts := map[string][]string{}
			for _, c := range p.Conflicts {
				if c.Blocking && c.Kind != migrate.KindRejected || c.Recommended != migrate.Accept && c.Kind != migrate.KindSubscription {
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
			owned, owners := d.owners()
			if owned != want.customers {
				t.Errorf("%d customers with an owner, want %d", owned, want.customers)
			}
			for _, owner := range want.owners {
				if !slices.Contains(owners, owner) {
					t.Errorf("customer %s is not there", owner)
				}
			}
			balances, owed := d.balances()
			if owed != want.owed {
				t.Errorf("promoters are owed %d, want %d", owed, want.owed)
			}
			for _, balance := range want.balances {
				if !slices.Contains(balances, balance) {
					t.Errorf("balance %s is not there", balance)
				}
			}
			if len(p.Findings) > 0 {
				t.Errorf("orders and commissions do not agree: %+v", p.Findings)
			}
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

			if err := migrate.Rollback(d.ctx(), 0, s, d.book, d.store, migrate.NoProgress{}, applied, quietly); err != nil {
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
			if again := d.content(); !slices.Equal(again.Aliases, content.Aliases) || !slices.Equal(again.Promoters, content.Promoters) ||
				!slices.Equal(again.Links, content.Links) {
				t.Error("applied again after a rollback, the book is another one")
			}
		})
	}

	f("tiny", carrot(), expect{
		files: []string{
			"contacts 15 = 15 + 0 + 0, utf-8 crlf, header on 1",
			"partners 5 = 5 + 0 + 0, utf-8 crlf, header on 1",
			"links 2 = 2 + 0 + 0, utf-8 crlf, header on 1",
			"referrals 15 = 15 + 0 + 0, utf-8 crlf, header on 1",
			"orders 7 = 7 + 0 + 0, utf-8 crlf, header on 1",
			"subscriptions 2 = 2 + 0 + 0, utf-8 crlf, header on 1",
			"commissions 7 = 7 + 0 + 0, utf-8 crlf, header on 1",
			"clawbacks 1 = 1 + 0 + 0, utf-8 crlf, header on 1",
			"payments 1 = 1 + 0 + 0, utf-8 crlf, header on 1",
			"ledger 5 = 5 + 0 + 0, utf-8 crlf, header on 1",
		},
		customers: 8,
		owners: []string{
			"fay.kettlewell.0@mail.test hill_web39 only", "juna.angborg.1@post.test b99606 only", "tess.silverthorn.3@inbox.test hill_web39 latest",
			"quin.merriweather.4@letters.example.com st_8853 only", "anais.ravenscar.5@mail.test - expired",
			"xenia.delapena.6@post.test hill_web39 only",
			"gus.mullerhof.7@example.com st_8853 only", "dina.nightingale.8@inbox.test hill_web39 latest",
			"zoe.vexley.9@letters.example.com hill_web39 only",
		},
		balances: []string{"hill_web39 1500", "b99606 436", "st_8853 2182"},
		owed:     4118,
		links:    []string{"ABC-EB-OD", "course"},
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
			"referrals 246 = 243 + 2 + 1, utf-8 lf, header on 1",
			"orders 240 = 238 + 1 + 1, utf-8 lf, header on 1",
			"subscriptions 59 = 58 + 0 + 1, utf-8 crlf, header on 1",
			"commissions 204 = 201 + 2 + 1, utf-8 crlf, header on 1",
			"clawbacks 9 = 8 + 0 + 1, utf-8 crlf, header on 1",
			"payments 74 = 73 + 0 + 1, utf-8 crlf, header on 1",
			"ledger 43 = 40 + 0 + 3, utf-8 crlf, header on 2",
		},
		customers: 93,
		owners: []string{
			"juna.amberly16@post.test b76391392 only", "lena.amberly.2@example.com - expired", "quin.larkspur.3@inbox.test sa_1763 latest",
			"otis.vexley.4@letters.example.com - expired", "bela.hollowell.11@post.test - expired",
			"ivo.silverthorn.19@letters.example.com mirrorme latest",
			"zoe.dunmoor.29@letters.example.com - house", "zeno.pemberly.35@mail.test go only",
			"vito.nightingale.39@letters.example.com mirrorme latest",
			"jose.dunmoor.41@post.test true id", "ines.larkspur.50@mail.test ri_967048 only", "rhea.nunez.51@post.test - house",
			"mael.bronte-vale.54@letters.example.com - house", "renee.windermore.55@mail.test orphan type",
			"vito.nightingale.61@post.test mutehawk id",
			"jose.glasswing.67@example.com - house", "ivo.ironside.72@example.com we_7658 type", "xenia.silverthorn.95@mail.test ring2b latest",
			"mael.delapena.98@inbox.test admin latest", "lena.coldharbor.148@inbox.test quietpeak-2 id",
		},
		balances: []string{"ring2a 998", "freebird 9996", "badmail1_ 13366", "sleeper 65523", "rivercoach -5134"},
		owed:     267983,
		rejects: []string{
			"referral-partners.csv:10 bad_id", "contacts.csv:9 missing_value",
			"tracking-links.csv:6 unsafe_destination", "tracking-links.csv:7 unsafe_destination",
			"referrals.csv:5 unknown_partner", "referrals.csv:9 unknown_contact", "orders.csv:10 bad_money",
			"commissions.csv:6 unknown_partner", "commissions.csv:11 bad_money",
		},
		conflicts: map[string][]string{
			migrate.KindRejected:      {"commissions.csv", "referrals.csv"},
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
			migrate.KindHouseOwner: {
				"zoe.dunmoor.29@letters.example.com", "rhea.nunez.51@post.test", "mael.bronte-vale.54@letters.example.com", "contact:300",
				"jose.glasswing.67@example.com",
				"mael.eastwick.75@mail.test", "nora.tumblewood.101@post.test", "hana.fennimore.120@mail.test", "zoe.yarrow.128@inbox.test",
				"vito.vexley.144@letters.example.com",
				"uma.zephyrine.146@post.test",
			},
			migrate.KindSubscription: {
				"vito.nightingale.61@post.test", "ivo.ironside.72@example.com", "mael.delapena.98@inbox.test", "uma.glasswing.125@mail.test",
				"zoe.obrackin.129@letters.example.com",
			},
			migrate.KindNoCustomerEmail: {"170", "300", "484", "566", "634"}, // 212 was referred by nobody
			migrate.KindSelfReferral:    {"juna.amberly16@post.test"},
			migrate.KindNegative:        {"rivercoach"},
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
