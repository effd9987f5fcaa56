package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/secret"
	"carryover/mapping/store"
	"carryover/mapping/store/storetest"
)

const (
	ownSecret   = "the-secret-of-the-program-carrot"
	otherSecret = "another-secret-of-a-stagingmachine"
)

// trustedMap is a small map that ownPolicy allows.
func trustedMap() *mapping.Map {
	return &mapping.Map{
		Policy:   ownPolicy(),
		Links:    []mapping.Link{{Code: "demo", Destination: "https://carrot.test/demo"}},
		Partners: []mapping.Partner{{Code: "ANNA", Token: "anna", Status: mapping.Active}},
	}
}

func ownPolicy() mapping.Policy {
	return mapping.Policy{
		Program: "carrot", KeapApp: "xy123", LegacyHosts: []string{"go.carrot.test"}, AllowedHosts: []string{"carrot.test"},
		Cutoff: time.Date(2023, 4, 1, 7, 0, 0, 0, time.UTC), AfterCutoff: mapping.AfterRedirect, Inactive: mapping.InactiveUncredited,
		Pages: mapping.Pages{
			Landing: "https://carrot.test/", Login: "https://carrot.test/login", Join: "https://carrot.test/join",
			Rejoin: "https://carrot.test/rejoin", PasswordReset: "https://carrot.test/reset", Guide: "https://carrot.test/guide",
		},
		TokenParam: "fpr", SubIDParam: "fp_sid", CodeParams: []string{"aff"}, IDParams: []string{"affiliate"},
	}
}

func openTrusting(t *testing.T, url, text string, own *mapping.Policy) *store.Redis {
	t.Helper()
	trust := trustOf("carrot", text)
	if own != nil {
		trust.Own = func() (*mapping.Policy, error) { return own, nil }
	}
	s, err := store.OpenRedis(url, "carrot", store.PollEvery(poll), store.Trusting(*trust))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// expectRefused fails unless every way to the live map of s ends in want and says words.
func expectRefused(t *testing.T, s *store.Redis, epoch int64, want error, words string) {
	t.Helper()
	ctx := context.Background()
	_, _, loading := s.Load(ctx)
	_, _, one := s.LoadEpoch(ctx, epoch)
	_, activating := s.Activate(ctx, epoch)
	for doing, err := range map[string]error{"load": loading, "load by number": one, "activate": activating} {
		if !errors.Is(err, want) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, want %v with %q", doing, err, want, words)
		}
	}
	list, err := s.Epochs(ctx)
	if err != nil || len(list) == 0 || !strings.Contains(list[0].Refused, words) {
		t.Errorf("list: %+v, %v", list, err)
	}
}

// A map that another secret signed, or none, or that was changed, is not believed, and each error
// says what to do.
func TestRedisSignature(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	raw, ctx := rawClient(t, url), context.Background()
	s := openTrusting(t, url, ownSecret, nil)
	e := publish(t, s, trustedMap())
	metaKey := tableKey(e.ID, "meta")
	good, err := raw.HGetAll(ctx, metaKey).Result()
	if err != nil || strings.Contains(good["signature"], ownSecret) {
		t.Fatalf("%v %v", good, err)
	}
	expectRefused(t, openTrusting(t, url, otherSecret, nil), e.ID, store.ErrOtherSecret, secret.Variable)

	// Changed by somebody who can write: every field of meta counts, and so does the number.
	for field, value := range map[string]string{
		"plan_id": "other", "published_at": "2030-01-01T00:00:00Z", "bytes": "7", "signature": "",
		"checksum": strings.Repeat("0", 64), "links": "2", "partners": "0", "ids": "1", "paths": "1",
	} {
		if err := raw.HSet(ctx, metaKey, field, value).Err(); err != nil {
			t.Fatal(err)
		}
		expectRefused(t, s, e.ID, store.ErrSignature, "map publish")
		if err := raw.HSet(ctx, metaKey, good).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, signature := range []string{"x", ".", good["signature"] + "00", strings.Replace(good["signature"], ".", ".zz", 1)} {
		raw.HSet(ctx, metaKey, "signature", signature)
		expectRefused(t, s, e.ID, store.ErrSignature, "carryover")
	}
	raw.HSet(ctx, metaKey, good)

	// The whole epoch under another number, as if it were a newer one.
	for _, table := range []string{"meta", "links", "partners"} {
		if err := raw.Copy(ctx, tableKey(e.ID, table), tableKey(9, table), 0, false).Err(); err != nil {
			t.Fatal(err)
		}
	}
	raw.Set(ctx, prefix+"current", "9", 0)
	if _, _, err := s.Load(ctx); !errors.Is(err, store.ErrSignature) {
		t.Errorf("an epoch under another number: %v", err)
	}
	raw.Set(ctx, prefix+"current", e.ID, 0)

	// A policy that was changed with its checksum, as somebody without the secret can.
	m := trustedMap()
	m.Policy.AllowedHosts = []string{"evil.test"}
	forger, err := store.OpenRedis(url, "carrot")
	if err != nil {
		t.Fatal(err)
	}
	defer forger.Close()
	forged := publish(t, forger, m)
	expectRefused(t, s, forged.ID, store.ErrSignature, "it is not signed")

	// Publishing again mends it.
	mended := publish(t, s, trustedMap())
	if _, got, err := s.Load(ctx); err != nil || got.ID != mended.ID {
		t.Errorf("%+v, %v", got, err)
	}
}

// A secret is changed without a moment in which no map is believed.
func TestRedisSecretChanges(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	ctx := context.Background()
	e := publish(t, openTrusting(t, url, otherSecret, nil), trustedMap())
	both := openTrusting(t, url, ownSecret+" "+otherSecret, nil)
	if _, got, err := both.Load(ctx); err != nil || got.ID != e.ID {
		t.Fatalf("the former secret's map: %+v, %v", got, err)
	}
	again := publish(t, both, trustedMap()) // equal, and signed anew all the same
	if _, got, err := openTrusting(t, url, ownSecret, nil).Load(ctx); err != nil || got.ID != again.ID {
		t.Errorf("after publishing again: %+v, %v", got, err)
	}
	if _, changed, err := both.Publish(ctx, trustedMap(), "plan", nil); err != nil || changed {
		t.Errorf("an equal map that the present secret signed: changed %v, %v", changed, err)
	}
}

// What a map may do is bounded by the reader's own configuration, whoever signed it.
func TestRedisMapIsBounded(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	own := ownPolicy()
	s := openTrusting(t, url, ownSecret, &own)
	publish(t, s, trustedMap())
	m := trustedMap()
	m.Policy.AllowedHosts = append(m.Policy.AllowedHosts, "evil.test")
	m.Links = append(m.Links, mapping.Link{Code: "evil", Destination: "https://evil.test/"})
	e := publish(t, openTrusting(t, url, ownSecret, nil), m)
	expectRefused(t, s, e.ID, mapping.ErrNotAllowed, `"evil.test"`)
	own.AllowedHosts = m.Policy.AllowedHosts // the configuration is asked anew
	if _, _, err := s.Load(context.Background()); err != nil {
		t.Error(err)
	}
}

// A follower stays with the former map, says why, and comes back to what is believed: also when
// that is the map it has.
func TestFollowRefusesAndComesBack(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	s := openTrusting(t, url, ownSecret, nil)
	first := storetest.Publish(t, s, 1)
	f := storetest.Follow(t, openTrusting(t, url, ownSecret, nil), 0)
	f.Expect(first.ID)
	storetest.Publish(t, openTrusting(t, url, otherSecret, nil), 2)
	if err := f.ExpectError(); !errors.Is(err, store.ErrOtherSecret) {
		t.Errorf("%v", err)
	}
	if _, err := s.Activate(context.Background(), first.ID); err != nil {
		t.Fatal(err)
	}
	f.ExpectCount(2)
	for _, e := range f.Seen() {
		if e.ID != first.ID {
			t.Errorf("followed to %+v", e)
		}
	}
}

// A snapshot belongs to its program and its secret.
func TestSnapshotIsOfTheProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.snapshot")
	m := trustedMap()
	e := store.Epoch{ID: 3, Links: 1, Partners: 1, Checksum: mapping.Checksum(m.Policy, m.Entries())}
	mine := trustOf("carrot", ownSecret)
	if err := store.SaveSnapshot(path, m, e, mine); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := func(what string, trust *store.Trust, want error, words string) {
		t.Helper()
		if m, _, err := store.LoadSnapshot(path, trust); m != nil || !errors.Is(err, want) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, want %v with %q", what, err, want, words)
		}
	}
	if _, got, err := store.LoadSnapshot(path, mine); err != nil || got != e {
		t.Fatalf("%+v, %v", got, err)
	}
	f("another program", trustOf("beet", ownSecret), mapping.ErrNotAllowed, `"carrot", not of "beet"`)
	f("another secret", trustOf("carrot", otherSecret), store.ErrOtherSecret, secret.Variable)
	bounded := *mine
	bounded.Own = func() (*mapping.Policy, error) {
		own := ownPolicy()
		own.AllowedHosts, own.Pages = nil, mapping.Pages{Landing: "https://elsewhere.test/"}
		return &own, nil
	}
	f("another configuration", &bounded, mapping.ErrNotAllowed, `"carrot.test"`)
	// Changed with its checksum, by somebody without the secret.
	changed := *m
	changed.Links = []mapping.Link{{Code: "demo", Destination: "https://carrot.test/evil"}}
	e.Checksum = mapping.Checksum(changed.Policy, changed.Entries())
	if err := store.SaveSnapshot(path, &changed, e, &store.Trust{}); err != nil {
		t.Fatal(err)
	}
	f("unsigned", mine, store.ErrSignature, "not signed")
	if err := os.WriteFile(path, []byte(strings.Replace(string(good), `"program":"carrot"`, `"program":"carrop"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	f("renamed", trustOf("carrop", ownSecret), store.ErrSignature, "changed")
	if err := os.WriteFile(path, []byte("carryover map 1\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.LoadSnapshot(path, mine); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a format from before: %v", err)
	}
}
