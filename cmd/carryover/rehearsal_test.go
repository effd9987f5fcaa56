package main

import (
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/store/storetest"
)

// A rehearsal is refused where a gateway has recorded anything under the real clock: a click, an
// event, one that was refused. It may be held on a copy, and again on what saw rehearsals alone.
func TestRehearsalsAreKeptApart(t *testing.T) {
	t.Setenv("CARRYOVER_API_KEYS", storyKey)
	const before = "2023-02-15T20:00:00Z"
	refused := func(d *desk, data string) {
		d.Helper()
		d.fails(console.ExitFailed, []string{"no rehearsal on the data folder " + data, "recorded under the real clock", "--copy-to"},
			"gateway", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--at", before, "--data", data)
	}
	for name, record := range map[string]func(d *desk, g *served){
		"a click": func(d *desk, g *served) { g.click(d, "/r/ann/course", "") },
		"a sale": func(d *desk, g *served) {
			g.tell(d, "sale", `{"email":"a@mail.test","event_id":"s-1","amount":100,"ref_id":"ann"}`)
		},
		"a refused event": func(d *desk, g *served) {
			g.tell(d, "sale", `{"email":"a@mail.test","event_id":"s-1","amount":100}`)
		},
		"a click that is not in the book yet": func(d *desk, g *served) {
			g.click(d, "/r/ann/course", "")
			g.cmd.Process.Kill()
			<-g.exited
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newLiveDesk(t)
			for range 2 { // rehearsals, and one on what saw rehearsals alone
				g := d.gateway("--at", before)
				record(d, g)
				g.stop()
			}
			d = newLiveDesk(t)
			g := d.gateway()
			g.stop() // a gateway that recorded nothing is no reason
			g = d.gateway("--at", before)
			g.stop()
			g = d.gateway()
			record(d, g)
			g.stop()
			refused(d, "data")

			copied := d.gateway("--at", before, "--copy-to", "copy")
			copied.click(d, "/go/course/ANN", "")
			copied.stop()
			again := d.gateway("--at", before, "--data", "copy")
			again.stop()
			refused(d, "data")
			d.fails(console.ExitFailed, []string{"copy is not empty"}, "gateway", "--at", before, "--copy-to", "copy")
			real := d.gateway("--data", "copy")
			d.contains(real.err.String(), "rehearsals were held on this data")
			real.stop()
			refused(d, "copy")
		})
	}
	d := newLiveDesk(t)
	d.fails(console.ExitUsage, []string{"--copy-to is for rehearsals"}, "gateway", "--copy-to", "copy")
	for _, inside := range []string{"data/copy", "elsewhere/../data/a/b"} {
		d.fails(console.ExitFailed, []string{"lies in the data folder data"}, "gateway", "--at", before, "--copy-to", inside)
	}
	d.fails(console.ExitFailed, []string{"nothing to rehearse on", "there is no book yet"}, "gateway", "--at", before, "--data", "other", "--copy-to", "copy")
	if made := d.files("copy"); len(made) != 0 {
		t.Errorf("a copy that was refused left %v", made)
	}
}

// A copy for a rehearsal is made while the gateway serves, and has nothing to do with what is
// live: neither its Redis nor the book that the configuration names.
func TestRehearsalBesideTheGateway(t *testing.T) {
	t.Setenv("CARRYOVER_API_KEYS", storyKey)
	d := newLiveDesk(t)
	d.redis, _ = storetest.StartRedis(t)
	d.ok("map", "publish", "--store", "redis")
	g := d.gateway()
	if status, answer := g.tell(d, "sale", `{"email":"a@mail.test","event_id":"s-1","amount":10000,"plan":"Agency Membership","ref_id":"ann"}`); status != 200 {
		t.Fatalf("%d %v", status, answer)
	}
	live := d.earned("data")
	copied := d.gateway("--at", "2023-02-15T20:00:00Z", "--copy-to", "copy/of/data")
	if status, location := copied.get(d, "go.carrot.test", "/go/course/ANN"); status != 302 || !strings.Contains(location, "fpr=ann") {
		t.Errorf("an old link in the rehearsal: %d %s", status, location)
	}
	if status, answer := copied.tell(d, "sale", `{"email":"b@mail.test","event_id":"s-2","amount":10000,"plan":"Agency Membership","ref_id":"ann"}`); status != 200 {
		t.Errorf("a sale in the rehearsal: %d %v", status, answer)
	}
	copied.stop()
	g.stop()
	d.ok("verify")
	if got := d.earned("data"); got != live {
		t.Errorf("ann has %d cents after the rehearsal, had %d", got, live)
	}
	for _, key := range d.objects(d.ok("map", "list", "--json")) {
		if key["epoch"] != 1.0 {
			t.Errorf("the rehearsal published %v", key)
		}
	}
	d.redis = ""
	if got := d.earned("copy/of/data"); got != live+25_00 {
		t.Errorf("ann has %d cents in the copy, want %d", got, live+25_00)
	}
}
