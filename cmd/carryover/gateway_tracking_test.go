package main

import (
	"net/http"
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/console"
)

const trackingKey = "key-of-the-billing-system"

// answers posts an event to a gateway, as a billing system does that was written for
// FirstPromoter: with which status is it answered?
func (g *served) answers(d *desk, account, key, kind, body string) int {
	d.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+g.visitors+"/api/v2/track/"+kind, strings.NewReader(body))
	if err != nil {
		d.Fatal(err)
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + key, "Account-ID": account, "Content-Type": "application/json"} {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// What the configuration and the environment say of tracking is what the gateway does.
func TestGatewayTracks(t *testing.T) {
	d := newSampleDesk(t)
	d.write("carryover.toml", d.read("carryover.toml")+`
[tracking]
per_minute = 60
[tracking.currencies]
EUR = "1.0825"
[firstpromoter]
account_id = "fp-account"
`)
	d.ok("plan", readable(d))
	d.ok("apply")
	token := d.objects(d.ok("promoters", "--json"))[0]["ref_token"].(string)

	t.Setenv("CARRYOVER_API_KEYS", "too-short")
	r := d.fails(console.ExitFailed, []string{"CARRYOVER_API_KEYS: key 1 has fewer than 16 characters"}, "gateway", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	if strings.Contains(r.err, "too-short") {
		t.Errorf("the error tells the key: %s", r.err)
	}
	t.Setenv("CARRYOVER_API_KEYS", trackingKey)
	g := d.gateway()
	signup := `{"email":"new@mail.test","ref_id":"` + token + `"}`
	for _, try := range []struct {
		account, key, kind, body string
		want                     int
	}{
		{"another", trackingKey, "signup", signup, 401},
		{"fp-account", "another-key-0123456789", "signup", signup, 401},
		{"fp-account", trackingKey, "signup", signup, 200},
		{"carrot", trackingKey, "signup", signup, 422}, // the program's name is as good as the account's id
		{"fp-account", trackingKey, "sale", `{"email":"new@mail.test","event_id":"1","amount":1000,"currency":"EUR"}`, 200},
		{"fp-account", trackingKey, "sale", `{"email":"new@mail.test","event_id":"2","amount":1000,"currency":"CHF"}`, 400},
	} {
		if got := g.answers(d, try.account, try.key, try.kind, try.body); got != try.want {
			t.Errorf("%s as %s: %d, want %d", try.body, try.account, got, try.want)
		}
	}
	limited := false
	for range 150 { // a hundred may come at once
		limited = limited || g.answers(d, "fp-account", trackingKey, "cancellation", `{"email":"new@mail.test"}`) == 429
	}
	if !limited {
		t.Error("per_minute has no effect")
	}
	if log := g.err.String(); strings.Contains(log, trackingKey) || strings.Contains(log, "new@mail.test") {
		t.Errorf("the log tells of keys or customers:\n%s", log)
	}
	if g.stop() != console.ExitDone {
		t.Error("the gateway did not stop as asked")
	}

	t.Setenv("CARRYOVER_API_KEYS", "")
	g = d.gateway()
	if got := g.answers(d, "fp-account", trackingKey, "signup", signup); got != 401 || !strings.Contains(g.err.String(), "the tracking API lets nobody in") {
		t.Errorf("without a key: %d\n%s", got, g.err)
	}
}
