package main

import (
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/console"
)

// What the tracking API refused is listed, and told again once its cause is mended, also by a person
// beside a gateway that serves.
func TestTrackingRefused(t *testing.T) {
	d := newSampleDesk(t)
	d.ok("plan", readable(d))
	d.ok("apply")
	token := d.objects(d.ok("promoters", "--json"))[0]["ref_token"].(string)
	d.contains(d.ok("tracking", "refused"), "No refused events.")
	t.Setenv("CARRYOVER_API_KEYS", trackingKey)
	g := d.gateway()
	for _, try := range []struct {
		kind, body string
		want       int
	}{
		{"sale", `{"email":"early@mail.test","event_id":"e-1","amount":1000}`, 404},
		{"signup", `{"email":"eur@mail.test","ref_id":"` + token + `"}`, 200},
		{"sale", `{"email":"eur@mail.test","event_id":"e-2","amount":1000,"currency":"EUR","password":"hunter2"}`, 400},
		{"sale", `{"uid":"\u001b]0;owned\u0007\u202e","event_id":"e-3","amount":1000,"ip":"203.0.113.9"}`, 400},
		{"sales", `{"email":"path@mail.test"}`, 404},
	} {
		if got := g.answers(d, "carrot", trackingKey, try.kind, try.body); got != try.want {
			t.Errorf("%s: %d, want %d", try.body, got, try.want)
		}
	}
	shown := d.ok("tracking", "refused")
	d.contains(shown, "404", "early@mail.test", "e-1", "the customer is no promoter's", "400", "EUR", "sha256:", "/api/v2/track/sales")
	listed := d.ok("tracking", "refused", "--json")
	for _, secret := range []string{"\x1b", "\x07", "hunter2", "203.0.113.9", trackingKey} {
		if strings.Contains(shown+listed, secret) {
			t.Errorf("%q is shown:\n%s%s", secret, shown, listed)
		}
	}
	if strings.Contains(shown, "\u202e") {
		t.Errorf("the direction of the terminal is changed:\n%s", shown)
	}
	list := d.objects(listed)
	if len(list) != 4 || fields(list[0]) != sorted("id at last_at times status reason key path kind event_id email uid body complete state") ||
		list[1]["body"].(map[string]any)["currency"] != "EUR" {
		t.Errorf("%v", list)
	}

	d.fails(console.ExitUsage, []string{"say which events"}, "tracking", "retell")
	d.fails(console.ExitUsage, []string{"say which events"}, "tracking", "retell", "1", "--all")
	d.contains(d.ok("tracking", "retell", "2"), "refused", "EUR")
	d.write("carryover.toml", d.read("carryover.toml")+"\n[tracking.currencies]\nEUR = \"1.5\"\n")
	d.contains(d.ok("tracking", "retell", "2"), "booked")
	d.contains(d.ok("tracking", "retell", "2"), "done")
	if got := g.answers(d, "carrot", trackingKey, "signup", `{"email":"early@mail.test","ref_id":"`+token+`"}`); got != 200 {
		t.Errorf("sign-up: %d", got)
	}
	d.contains(d.ok("explain", "early@mail.test"), "e-1", "2.50")
	d.contains(d.ok("explain", "event:e-1"), "told first on", "answered 404", "once its customer was known")
	d.contains(d.ok("explain", "event:e-2"), "3.75", "when it was told again")
	if list := d.objects(d.ok("tracking", "refused", "--json")); len(list) != 2 {
		t.Errorf("%v", list)
	}
	if list := d.objects(d.ok("tracking", "refused", "--json", "--all")); len(list) != 4 || list[0]["state"] != "booked" {
		t.Errorf("%v", list)
	}
	if g.stop() != console.ExitDone {
		t.Error("the gateway did not stop as asked")
	}
	d.ok("verify")

	d.write("carryover.toml", d.read("carryover.toml")+"\n[tracking]\nremember = \"soon\"\n")
	d.fails(console.ExitFailed, []string{"tracking.remember", "a number of days"}, "tracking", "refused")
}
