package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/store"
)

// snapshotOf is a small map with values that a careless format would lose, and its epoch.
func snapshotOf() (*mapping.Map, store.Epoch) {
	m := &mapping.Map{
		Policy:   mapping.Policy{Program: "carrot", LegacyHosts: []string{"go.carrot.com"}, Cutoff: time.Date(2023, 4, 1, 7, 0, 0, 0, time.UTC)},
		Links:    []mapping.Link{{Code: "a\nb\x00", Destination: "https://carrot.com/?q=\"&\\\n"}},
		Partners: []mapping.Partner{{Code: "\xff", Token: strings.Repeat("long", 5000), Status: mapping.Active, AliasTokens: []string{"old"}}},
		IDs:      []mapping.ID{{KeapID: 7, Code: "JSmith"}},
		Paths:    []mapping.Path{},
	}
	e := store.Epoch{
		ID: 3, Live: true, PublishedAt: time.Date(2023, 3, 1, 12, 0, 0, 0, time.UTC), PlanID: "p", Links: 1, Partners: 1, IDs: 1,
		Checksum: mapping.Checksum(m.Policy, m.Entries()),
	}
	return m, e
}

func TestSnapshotRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.snapshot")
	m, e := snapshotOf()
	for range 2 { // new, then over the former one
		if err := store.SaveSnapshot(path, m, e, trust); err != nil {
			t.Fatal(err)
		}
	}
	got, gotEpoch, err := store.LoadSnapshot(path, trust)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, m) || gotEpoch != e {
		t.Errorf("got %+v %+v\nwant %+v %+v", got, gotEpoch, m, e)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
}

func TestSnapshotMissing(t *testing.T) {
	if _, _, err := store.LoadSnapshot(filepath.Join(t.TempDir(), "none"), trust); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
	m, e := snapshotOf()
	if err := store.SaveSnapshot(filepath.Join(t.TempDir(), "none", "map"), m, e, trust); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
}

// A map that is not the epoch's is not saved, and the former snapshot stays.
func TestSnapshotOfAnotherEpoch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.snapshot")
	m, e := snapshotOf()
	if err := store.SaveSnapshot(path, m, e, trust); err != nil {
		t.Fatal(err)
	}
	other := *m
	other.IDs = nil
	if err := store.SaveSnapshot(path, &other, e, trust); !errors.Is(err, store.ErrChecksum) {
		t.Errorf("error %v, want ErrChecksum", err)
	}
	if _, _, err := store.LoadSnapshot(path, trust); err != nil {
		t.Error(err)
	}
}

// Whatever byte is changed, and wherever the file ends, it is never taken for another map.
func TestSnapshotDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.snapshot")
	m, e := snapshotOf()
	m.Partners[0].Token = "short"
	e.Checksum = mapping.Checksum(m.Policy, m.Entries())
	if err := store.SaveSnapshot(path, m, e, trust); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := func(what string, at int, bad []byte) {
		t.Helper()
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, _, err := store.LoadSnapshot(path, trust); err == nil && !reflect.DeepEqual(got, m) {
			t.Errorf("%s at %d is taken for a map", what, at)
		}
	}
	for i := range good {
		f("an end", i, good[:i])
		bad := append([]byte(nil), good...)
		bad[i] ^= 0x01
		f("a change", i, bad)
	}
	f("something more", len(good), append(append([]byte(nil), good...), 0))
}
