package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/store"
)

// Subject is an empty place for maps, and how to get at it.
type Subject struct {
	// Open returns one more handle on the place, as another process would have. It polls
	// often enough for a test, and is closed when the test ends.
	Open func() store.Store
	// Damage overwrites (or adds) a stored value behind the store's back.
	Damage func(epoch int64, kind mapping.Kind, key, value string)
}

// patience is how long a test waits for what must happen; nothing is timed.
const patience = 60 * time.Second

// Run holds a store to the contract of [store.Store]. open returns a new, empty place.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	cases := []struct {
		name string
		run  func(t *testing.T, s Subject)
	}{
		{"an empty store", emptyStore},
		{"odd values come back", oddValues},
		{"an empty map", emptyMap},
		{"what cannot be stored is refused", refused},
		{"the same content twice", sameTwice},
		{"progress reaches the total", progress},
		{"epochs and activate", epochs},
		{"an unknown epoch", unknownEpoch},
		{"pruning keeps the newest and the live", pruning},
		{"damage is found and repaired", damage},
		{"a cancelled publish", cancelled},
		{"two publishers at once", twoPublishers},
		{"readers never see a mixture", noMixture},
		{"follow", follow},
		{"follow from the first publish", followFirst},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func emptyStore(t *testing.T, sub Subject) {
	s, ctx := sub.Open(), context.Background()
	if err := s.Ping(ctx); err != nil {
		t.Errorf("ping: %v", err)
	}
	if _, _, err := s.Load(ctx); !errors.Is(err, store.ErrNoMap) {
		t.Errorf("load: %v, want ErrNoMap", err)
	}
	if list, err := s.Epochs(ctx); err != nil || len(list) != 0 {
		t.Errorf("epochs: %v, %v", list, err)
	}
	if s.String() == "" {
		t.Error("a store must say where it is")
	}
}

func oddValues(t *testing.T, sub Subject) {
	s, ctx := sub.Open(), context.Background()
	want := oddMap()
	published, changed, err := s.Publish(ctx, want, `plan "1"`, nil)
	if err != nil || !changed {
		t.Fatalf("publish: changed %v, %v", changed, err)
	}
	got, e, err := sub.Open().Load(ctx)
	e.Activated = time.Time{} // only what is followed says it
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, want)
	if e != published {
		t.Errorf("loaded epoch %+v, published %+v", e, published)
	}
	if !e.Live || e.PlanID != `plan "1"` || e.Links != len(want.Links) || e.Partners != len(want.Partners) || e.IDs != len(want.IDs) || e.Paths != len(want.Paths) {
		t.Errorf("epoch %+v", e)
	}
	if e.Checksum != mapping.Checksum(want.Policy, want.Entries()) {
		t.Error("the epoch's checksum is not the map's")
	}
	if d := time.Since(e.PublishedAt); d < -time.Second || d > patience {
		t.Errorf("published at %v", e.PublishedAt)
	}
	byID, _, err := s.LoadEpoch(ctx, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, byID, want)
}

func emptyMap(t *testing.T, sub Subject) {
	s, ctx := sub.Open(), context.Background()
	calls := 0
	if _, _, err := s.Publish(ctx, &mapping.Map{}, "", func(done, total int) { calls++ }); err != nil {
		t.Fatal(err)
	}
	if calls == 0 {
		t.Error("progress was not called")
	}
	m, e, err := s.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, m, &mapping.Map{})
	if e.Entries() != 0 {
		t.Errorf("epoch %+v", e)
	}
	if _, changed, err := s.Publish(ctx, &mapping.Map{}, "", nil); err != nil || changed {
		t.Errorf("again: changed %v, %v", changed, err)
	}
}

func refused(t *testing.T, sub Subject) {
	s, ctx := sub.Open(), context.Background()
	f := func(m *mapping.Map, want string) {
		t.Helper()
		_, _, err := s.Publish(ctx, m, "", nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	f(&mapping.Map{Partners: []mapping.Partner{{Code: "twin"}, {Code: "x"}, {Code: "twin"}}}, `"twin" twice among its partners`)
	f(&mapping.Map{IDs: []mapping.ID{{KeapID: 7}, {KeapID: 7}}}, `"7" twice among its ids`)
	f(&mapping.Map{Links: []mapping.Link{{Code: "l", Destination: "https://x/\xff"}}}, "not valid UTF-8")
	f(&mapping.Map{Policy: mapping.Policy{Program: "\xff"}}, "not valid UTF-8")
	if _, _, err := s.Load(ctx); !errors.Is(err, store.ErrNoMap) {
		t.Errorf("load: %v, want ErrNoMap", err)
	}
}

func sameTwice(t *testing.T, sub Subject) {
	s, ctx := sub.Open(), context.Background()
	first := publish(t, s, 1, 700)
	shuffled := sample(1, 700)
	shuffled.Partners[0], shuffled.Partners[699] = shuffled.Partners[699], shuffled.Partners[0]
	again, changed, err := s.Publish(ctx, shuffled, "another plan", nil)
	if err != nil || changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	if again != first {
		t.Errorf("epoch %+v, want the first one %+v", again, first)
	}
	// The same content is new again when it is not the live one.
	publish(t, s, 2, 700)
	if third := publish(t, s, 1, 700); third.ID == first.ID {
		t.Errorf("epoch %d was given out twice", third.ID)
	}
	// A policy is content too.
	m := sample(1, 700)
	m.Policy.Inactive = mapping.InactiveForward
	if _, changed, err := s.Publish(ctx, m, "", nil); err != nil || !changed {
		t.Errorf("a changed policy: changed %v, %v", changed, err)
	}
}

func progress(t *testing.T, sub Subject) {
	s := sub.Open()
	for range 2 { // written, then unchanged
		var last, total int
		_, _, err := s.Publish(context.Background(), sample(1, 2000), "", func(done, of int) {
			if done < last || done > of {
				t.Errorf("progress went from %d to %d of %d", last, done, of)
			}
			last, total = done, of
		})
		if err != nil {
			t.Fatal(err)
		}
		if last != 8000 || total != 8000 {
			t.Errorf("progress ended at %d of %d", last, total)
		}
	}
}

func epochs(t *testing.T, sub Subject) {
	s, ctx := sub.Open(), context.Background()
	a, b, c := publish(t, s, 1, 3), publish(t, s, 2, 3), publish(t, s, 3, 3)
	if !(a.ID < b.ID && b.ID < c.ID) {
		t.Fatalf("epochs %d, %d, %d", a.ID, b.ID, c.ID)
	}
	back, err := sub.Open().Activate(ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if back != a {
		t.Errorf("activated %+v, want %+v", back, a)
	}
	expectVersion(t, s, 1)
	list, err := s.Epochs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b.Live, c.Live = false, false
	if want := []store.Epoch{c, b, a}; fmt.Sprint(list) != fmt.Sprint(want) {
		t.Errorf("epochs\n got %+v\nwant %+v", list, want)
	}
	if m, e, err := s.LoadEpoch(ctx, b.ID); err != nil || e != b {
		t.Errorf("epoch %+v, %v; want %+v", e, err, b)
	} else if v, ok := versionOf(m); !ok || v != 2 {
		t.Errorf("epoch %d holds version %d (whole: %v)", b.ID, v, ok)
	}
	if next := publish(t, s, 4, 3); next.ID <= c.ID {
		t.Errorf("epoch %d after %d", next.ID, c.ID)
	}
	expectVersion(t, s, 4)
}

func unknownEpoch(t *testing.T, sub Subject) {
	s, ctx := sub.Open(), context.Background()
	f := func(id int64) {
		t.Helper()
		if _, err := s.Activate(ctx, id); !errors.Is(err, store.ErrNoEpoch) {
			t.Errorf("activate %d: %v, want ErrNoEpoch", id, err)
		}
		if _, _, err := s.LoadEpoch(ctx, id); !errors.Is(err, store.ErrNoEpoch) {
			t.Errorf("load %d: %v, want ErrNoEpoch", id, err)
		}
	}
	f(1)
	e := publish(t, s, 1, 3)
	f(e.ID + 1)
	f(0)
	f(-1)
	expectVersion(t, s, 1)
}

func pruning(t *testing.T, sub Subject) {
	s, ctx := sub.Open(), context.Background()
	var ids []int64
	for v := range 8 {
		ids = append(ids, publish(t, s, v, 3).ID)
	}
	expectEpochs(t, s, ids[7], ids[6], ids[5], ids[4], ids[3])
	if _, err := s.Activate(ctx, ids[2]); !errors.Is(err, store.ErrNoEpoch) {
		t.Errorf("activate a pruned epoch: %v", err)
	}
	// A live one that is old stays, and goes when another is live.
	if _, err := s.Activate(ctx, ids[3]); err != nil {
		t.Fatal(err)
	}
	ids = append(ids, publish(t, s, 8, 3).ID)
	expectEpochs(t, s, ids[8], ids[7], ids[6], ids[5], ids[4])
	if _, err := s.Activate(ctx, ids[4]); err != nil {
		t.Fatal(err)
	}
	expectVersion(t, s, 4)
}

func damage(t *testing.T, sub Subject) {
	s, ctx := sub.Open(), context.Background()
	f := func(kind mapping.Kind, key, value string) {
		t.Helper()
		e := publish(t, s, 1, 150)
		sub.Damage(e.ID, kind, key, value)
		if _, _, err := s.Load(ctx); !errors.Is(err, store.ErrChecksum) {
			t.Errorf("load: %v, want ErrChecksum", err)
		}
		if _, _, err := s.LoadEpoch(ctx, e.ID); !errors.Is(err, store.ErrChecksum) {
			t.Errorf("load epoch: %v, want ErrChecksum", err)
		}
		repaired := publish(t, s, 1, 150) // fails when it is taken for unchanged
		if repaired.ID == e.ID {
			t.Errorf("epoch %d was repaired in place", e.ID)
		}
		expectVersion(t, s, 1)
		publish(t, s, 2, 150)
	}
	f(mapping.Partners, "p00017", `{"t":"thief","s":"active"}`)
	f(mapping.Links, "l00000", `{"to":`)
	f(mapping.IDs, "1", `"p00002"`)
	f(mapping.Paths, "/one-more", `"join"`)
}

func cancelled(t *testing.T, sub Subject) {
	s := sub.Open()
	old := publish(t, s, 1, 1000)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, changed, err := s.Publish(ctx, sample(2, 1000), "", func(done, total int) {
		if done > total/4 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || changed {
		t.Fatalf("changed %v, %v; want a cancelled publish", changed, err)
	}
	expectVersion(t, s, 1)
	expectEpochs(t, s, old.ID)
	next := publish(t, s, 3, 1000)
	expectVersion(t, s, 3)
	expectEpochs(t, s, next.ID, old.ID)
	if _, _, err := s.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("load with a cancelled context: %v", err)
	}
}

func twoPublishers(t *testing.T, sub Subject) {
	const rounds = 6
	var wg sync.WaitGroup
	for p := range 2 {
		s := sub.Open()
		wg.Go(func() {
			for i := range rounds {
				_, changed, err := s.Publish(context.Background(), sample(10*p+i, 300), "", nil)
				if err != nil || !changed {
					t.Errorf("publisher %d: changed %v, %v", p, changed, err)
				}
			}
		})
	}
	wg.Wait()
	s := sub.Open()
	list, err := s.Epochs(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	live := 0
	for _, e := range list {
		if e.Live {
			live++
		}
		m, _, err := s.LoadEpoch(context.Background(), e.ID)
		if err != nil {
			t.Errorf("epoch %d: %v", e.ID, err)
		} else if v, ok := versionOf(m); !ok {
			t.Errorf("epoch %d is a mixture (version %d)", e.ID, v)
		}
	}
	if len(list) < store.Keep || live != 1 {
		t.Errorf("%d epochs, %d live", len(list), live)
	}
}

func noMixture(t *testing.T, sub Subject) {
	writer, reader := sub.Open(), sub.Open()
	publish(t, writer, 0, 150)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() {
		defer stop()
		for v := 1; v <= 20; v++ {
			e, _, err := writer.Publish(context.Background(), sample(v, 150), "", nil)
			if err != nil {
				t.Errorf("publish %d: %v", v, err)
				return
			}
			if v%5 == 0 {
				if _, err := writer.Activate(context.Background(), e.ID-1); err != nil {
					t.Errorf("activate: %v", err)
				}
			}
		}
	})
	loads := 0
	for ; ctx.Err() == nil; loads++ {
		m, e, err := reader.Load(context.Background())
		if err != nil {
			t.Errorf("load: %v", err)
			break
		}
		if v, ok := versionOf(m); !ok {
			t.Errorf("epoch %d is a mixture (version %d)", e.ID, v)
			break
		}
	}
	wg.Wait()
	if loads == 0 {
		t.Error("nothing was loaded meanwhile")
	}
}

func follow(t *testing.T, sub Subject) {
	writer := sub.Open()
	first := publish(t, writer, 1, 50)
	f := Follow(t, sub.Open(), first.ID)
	second := publish(t, writer, 2, 50)
	f.Expect(second.ID)
	if _, err := writer.Activate(context.Background(), first.ID); err != nil {
		t.Fatal(err)
	}
	f.Expect(first.ID)
	third := publish(t, sub.Open(), 3, 50)
	f.Expect(third.ID)
	f.End()
	for _, e := range f.Seen() {
		if e.ID == first.ID && !e.Live {
			t.Errorf("followed to %+v, which is not live", e)
		}
	}
	if seen := f.Seen(); seen[0].ID != second.ID {
		t.Errorf("followed to %d first, want %d: the follower had %d", seen[0].ID, second.ID, first.ID)
	}
	if errs := f.Errors(); len(errs) > 0 {
		t.Errorf("errors on the way: %v", errs)
	}
}

func followFirst(t *testing.T, sub Subject) {
	f := Follow(t, sub.Open(), 0)
	e := publish(t, sub.Open(), 1, 50)
	f.Expect(e.ID)
	f.End()
	if errs := f.Errors(); len(errs) > 0 {
		t.Errorf("errors on the way: %v", errs)
	}
}

func publish(t *testing.T, s store.Store, version, n int) store.Epoch {
	t.Helper()
	e, changed, err := s.Publish(context.Background(), sample(version, n), fmt.Sprintf("plan-%d", version), nil)
	if err != nil || !changed {
		t.Fatalf("publish version %d: changed %v, %v", version, changed, err)
	}
	return e
}

func expectVersion(t *testing.T, s store.Store, want int) {
	t.Helper()
	m, e, err := s.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := versionOf(m); !ok || v != want {
		t.Errorf("epoch %d holds version %d (whole: %v), want %d", e.ID, v, ok, want)
	}
}

func expectEpochs(t *testing.T, s store.Store, want ...int64) {
	t.Helper()
	list, err := s.Epochs(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, e := range list {
		got = append(got, e.ID)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("epochs %v, want %v", got, want)
	}
}
