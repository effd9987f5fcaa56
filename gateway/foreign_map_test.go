package gateway

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"carryover/mapping"
	"carryover/mapping/secret"
	"carryover/mapping/store"
	"carryover/mapping/store/storetest"
)

func parseSecret(t *testing.T, text string) *secret.Secret {
	t.Helper()
	s, err := secret.Parse(text, "a test")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// warnings are the public ones, with the errors that only ops see.
func (w *fixture) warnings() string {
	h := w.Health()
	return fmt.Sprint(h.Reasons, h.Warnings, h.Errors)
}

// A map that another secret signed is not served: readiness says so and what to set, and the
// former map serves on. So is one that leads where the gateway's own configuration does not allow.
func TestForeignMapIsRefused(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	open := func(text string, own func() (*mapping.Policy, error)) *store.Redis {
		s, err := store.OpenRedis(url, "carrot", store.PollEvery(5*time.Millisecond),
			store.Trusting(store.Trust{Program: "carrot", Secret: parseSecret(t, text), Own: own}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	publish := func(s *store.Redis, m *mapping.Map) store.Epoch {
		t.Helper()
		e, _, err := s.Publish(context.Background(), m, "plan", nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	const ownText, otherText = "the-secret-of-the-program-carrot", "another-secret-of-a-stagingmachine"
	var policy atomic.Pointer[mapping.Policy] // of the configuration
	policy.Store(&smallMap().Policy)
	own := func() (*mapping.Policy, error) { return policy.Load(), nil }
	publisher := open(ownText, nil)
	first := publish(publisher, smallMap())
	w := startFixture(t, nil, func(o *Options) {
		o.Feed, o.Secret, o.Own = open(ownText, own), parseSecret(t, ownText), own
	})
	leads := func(want string) {
		t.Helper()
		if got := w.get("/go/demo/ANNA").Header.Get("Location"); !strings.Contains(got, want) {
			t.Errorf("it leads to %q, want %q", got, want)
		}
	}
	refused := func(words ...string) {
		t.Helper()
		for _, word := range words {
			until(t, "it says "+word, func() bool { return strings.Contains(w.warnings(), word) })
		}
		if h := w.Health(); !h.Ready || h.Epoch != first.ID || !strings.Contains(strings.Join(h.Warnings, ""), "the former one is") {
			t.Errorf("%+v", h)
		}
		leads("https://carrot.test/demo")
		metrics := sendRaw(t, w.AdminAddr(), "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
		if !strings.Contains(metrics.body, "carryover_map_refused 1") {
			t.Error("the metric does not say so")
		}
	}
	leads("https://carrot.test/demo")

	evil := smallMap()
	evil.Policy.AllowedHosts = []string{"evil.test"}
	evil.Policy.Pages = mapping.Pages{
		Landing: "https://evil.test/", Login: "https://evil.test/", Join: "https://evil.test/",
		Rejoin: "https://evil.test/", PasswordReset: "https://evil.test/", Guide: "https://evil.test/",
	}
	evil.Links = []mapping.Link{{Code: "demo", Destination: "https://evil.test/demo"}}
	publish(open(otherText, nil), evil)
	refused("set CARRYOVER_SECRET to one text on all machines of the program")

	publish(publisher, evil) // the right secret, by a machine with another configuration
	refused("does what the configuration of this machine does not allow", `"evil.test"`)
	if strings.Contains(strings.Join(w.Health().Warnings, ""), "evil.test") {
		t.Error("the public answer names a host")
	}

	if _, err := publisher.Activate(context.Background(), first.ID); err != nil {
		t.Fatal(err)
	}
	until(t, "the former map is believed again", func() bool { return !strings.Contains(w.warnings(), "cannot be served") })

	publish(publisher, evil)
	refused(`"evil.test"`)
	policy.Store(&evil.Policy) // the configuration is changed, and read without a restart
	until(t, "the map that is allowed now is served", func() bool { return w.Health().Epoch != first.ID })
	leads("https://evil.test/demo")
}

// An older state of the store is signed as well as any, and not served by a gateway that served a
// newer one, before or after a restart; a rollback that a carryover makes is.
func TestOlderStateOfTheStoreIsRefused(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	ctx := context.Background()
	const text = "the-secret-of-the-program-carrot"
	open := func() *store.Redis {
		s, err := store.OpenRedis(url, "carrot", store.PollEvery(5*time.Millisecond),
			store.Trusting(store.Trust{Program: "carrot", Secret: parseSecret(t, text)}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	publisher := open()
	publish := func(destination string) store.Epoch {
		t.Helper()
		m := smallMap()
		m.Links[0].Destination = destination
		e, _, err := publisher.Publish(ctx, m, "plan", nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	opt, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	raw := redis.NewClient(opt)
	defer raw.Close()
	const current, activation = "carryover:{carrot}:current", "carryover:{carrot}:activation"
	first := publish("https://carrot.test/first")
	former := raw.MGet(ctx, current, activation).Val()
	second := publish("https://carrot.test/second")
	dir := t.TempDir()
	start := func() *fixture {
		return startFixture(t, nil, func(o *Options) { o.DataDir, o.Feed, o.Secret = dir, open(), parseSecret(t, text) })
	}
	serves := func(w *fixture, e store.Epoch, warning string) {
		t.Helper()
		until(t, "it serves "+fmt.Sprint(e.ID)+" and says "+warning, func() bool {
			h := w.Health()
			said := strings.Join(h.Warnings, "")
			return h.Ready && h.Epoch == e.ID && strings.Contains(said, warning) && (warning != "" || !strings.Contains(said, "cannot be served"))
		})
	}
	w := start()
	serves(w, second, "")
	raw.Set(ctx, current, first.ID, 0) // by who has no secret
	serves(w, second, "not signed with the program's secret, or was changed since")
	raw.MSet(ctx, current, former[0], activation, former[1]) // as it was once
	serves(w, second, "it is older than what was served here")
	stop(t, w.App)
	w = start()
	serves(w, second, "it is older than what was served here")
	if _, err := publisher.Activate(ctx, first.ID); err != nil {
		t.Fatal(err)
	}
	serves(w, first, "")
	if e := publish("https://carrot.test/second"); e.ID == second.ID {
		t.Errorf("epoch %d again", e.ID)
	} else {
		serves(w, e, "")
	}
	// What stands in the place of the activation is mended, and an odd time in it counts for nothing.
	for odd, says := range map[string]string{
		"": "not signed with", "x": "not signed with", "1 2 3 4 5 6": "another secret",
		fmt.Sprintf("%d %s 9223372036854775807 00.00", first.ID, first.Checksum): "another secret",
		strings.Replace(raw.Get(ctx, activation).Val(), " 1", " 9", 1):           "was changed since",
	} {
		raw.Set(ctx, activation, odd, 0)
		serves(w, store.Epoch{ID: w.Health().Epoch}, says)
		serves(w, publish("https://carrot.test/second"), "")
	}
	raw.Del(ctx, activation)
	raw.LPush(ctx, activation, "x")
	serves(w, store.Epoch{ID: w.Health().Epoch}, "other than a carryover writes")
	serves(w, publish("https://carrot.test/second"), "")
}

// While the store is down the last good map is served, when it is one of this program and secret
// that nobody has changed; otherwise readiness says why not.
func TestForeignSnapshotIsNotServed(t *testing.T) {
	const text = "the-secret-of-the-program-carrot"
	dir := t.TempDir()
	path := filepath.Join(dir, "map.snapshot")
	w := startFixture(t, smallMap(), func(o *Options) { o.DataDir, o.Secret = dir, parseSecret(t, text) })
	stop(t, w.App)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := func(what, content string, words string, change func(o *Options)) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		w := startFixture(t, nil, func(o *Options) {
			o.DataDir, o.Secret, o.Feed = dir, parseSecret(t, text), &downFeed{}
			if change != nil {
				change(o)
			}
		})
		defer stop(t, w.App)
		status := w.get("/go/demo/ANNA").StatusCode
		h := w.Health()
		if words == "" {
			if status != 302 || h.Source != fromSnapshot {
				t.Errorf("%s: %d %+v", what, status, h)
			}
			return
		}
		if status != 503 || h.Ready || !strings.Contains(strings.Join(h.Reasons, ""), words) {
			t.Errorf("%s: %d %+v, want %q", what, status, h, words)
		}
	}
	f("its own", string(good), "", nil)
	f("another program's", string(good), "configuration of this machine does not allow", func(o *Options) { o.Program = "beet" })
	f("another secret's", string(good), "set CARRYOVER_SECRET", func(o *Options) { o.Secret = parseSecret(t, "another-secret-of-a-stagingmachine") })
	f("one with other bounds", string(good), "configuration of this machine does not allow", func(o *Options) {
		policy := smallMap().Policy
		policy.LegacyHosts = []string{"go.elsewhere.test"}
		o.Own = func() (*mapping.Policy, error) { return &policy, nil }
	})
	f("a changed one", strings.Replace(string(good), "carrot.test/demo", "carrot.evil/demo", 1), "it is damaged", nil)
	f("a cut one", string(good[:len(good)-3]), "it is damaged", nil)
	f("an empty one", "", "none that this carryover can serve", nil)
}
