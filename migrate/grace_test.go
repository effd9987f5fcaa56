package migrate_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
)

// A code under [partners.grace] or [links.grace] is matched like a link's: exactly
// first, then by letter case, and never guessed.
func TestGraceCodes(t *testing.T) {
	day := time.Date(2023, 7, 1, 0, 0, 0, 0, time.UTC)
	s := carrot()
	s.Grace = book.Grace{
		Partners: map[string]time.Time{"nh": day, "COACH": day, "PEAK": day, "nobody": day},
		Links:    map[string]time.Time{"shop": day, "COURSE": day, "Gone": day},
	}
	d := newEnv(t, s)
	d.write("exports/partners.csv", "Id,ContactId,Code,Status", "1,,Nh,1", "2,,nh,1", "3,,coach,1", "4,,Peak,1", "5,,peak,1")
	d.write("exports/links.csv", "Id,Code,Website Address", "1,shop,https://carrot.test/a", "2,Shop,https://carrot.test/b",
		"3,course,https://carrot.test/c", "4,plain,https://carrot.test/d")
	p := d.migrate(d.path("exports"))
	same(t, "unknown grace codes", has(p, "unknown_grace"), []string{"PEAK", "nobody", "Gone"})
	table, at := d.table(), time.Date(2023, 5, 1, 0, 0, 0, 0, time.UTC)
	for path, want := range map[string]mapping.Outcome{
		"/go/plain/nh": mapping.Forward, "/go/plain/Nh": mapping.ToLogin, "/go/plain/coach": mapping.Forward,
		"/go/plain/Peak": mapping.ToLogin, "/go/plain/peak": mapping.ToLogin,
		"/go/shop/Nh": mapping.Forward, "/go/Shop/Nh": mapping.ToLogin, "/go/course/Nh": mapping.Forward,
	} {
		if got := table.Resolve(mapping.ParseTarget("go.carrot.test", path), at); got.Outcome != want {
			t.Errorf("%s: %s, want %s", path, got.Outcome, want)
		}
	}
}

// Exports that say nothing new are a run all the same: verify reads the newest ones.
func TestExportsThatSayNothingNew(t *testing.T) {
	d := newEnv(t, carrot())
	d.write("exports/partners.csv", "Id,ContactId,Code,Status", "1,,ann,1")
	d.migrate(d.path("exports"))
	d.write("exports/partners.csv", "Id,ContactId,Code,Status", "1,,ann,1", ",,,")
	p := d.plan(d.path("exports"))
	if res := d.apply(); res.Changed != 0 || res.Run == 0 || res.Flipped {
		t.Errorf("%+v", res)
	}
	if res := d.apply(); res.Run != 0 {
		t.Errorf("applied twice: %+v", res)
	}
	same(t, "differences", d.differences(), nil)
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, empty := range []string{`"rejects":[]`, `"unread":[]`} {
		if !strings.Contains(string(text), empty) {
			t.Errorf("plan.json does not hold %s", empty)
		}
	}
}
