package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/store"
	"carryover/mapping/store/storetest"
)

const prefix = "carryover:{carrot}:"

func tableKey(epoch int64, table string) string {
	return fmt.Sprintf("%smap:%d:%s", prefix, epoch, table)
}

// mapKeys lists the keys of all epochs, published or not.
func mapKeys(t testing.TB, url string) []string {
	t.Helper()
	keys, err := rawClient(t, url).Keys(context.Background(), "carryover:{carrot}:map:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	return keys
}

// expectNoLeftovers fails unless every key of an epoch belongs to one that is kept.
func expectNoLeftovers(t testing.TB, url string) {
	t.Helper()
	list, err := openRedis(t, url).Epochs(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range mapKeys(t, url) {
		if !slices.ContainsFunc(list, func(e store.Epoch) bool { return strings.HasPrefix(key, tableKey(e.ID, "")) }) {
			t.Errorf("%s belongs to no epoch that is kept", key)
		}
	}
}

// bigMap is a map of n partners and n ids that all carry version.
func bigMap(version, n int) *mapping.Map {
	m := &mapping.Map{Policy: mapping.Policy{Program: "carrot"}}
	for i := range n {
		code := fmt.Sprintf("partner%06d", i)
		m.Partners = append(m.Partners, mapping.Partner{Code: code, Token: fmt.Sprintf("t%d-v%d", i, version), Status: mapping.Active})
		m.IDs = append(m.IDs, mapping.ID{KeapID: int64(i), Code: code})
	}
	return m
}

func publish(t testing.TB, s store.Store, m *mapping.Map) store.Epoch {
	t.Helper()
	e, changed, err := s.Publish(context.Background(), m, "plan", nil)
	if err != nil || !changed {
		t.Fatalf("publish: changed %v, %v", changed, err)
	}
	return e
}

func TestRedisLayout(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	raw, ctx := rawClient(t, url), context.Background()
	messages := raw.Subscribe(ctx, prefix+"changed")
	defer messages.Close()
	if _, err := messages.Receive(ctx); err != nil {
		t.Fatal(err)
	}
	m := &mapping.Map{
		Policy:   mapping.Policy{Program: "carrot"},
		Links:    []mapping.Link{{Code: "home", Destination: "https://carrot.com/?a=1&b=2"}},
		Partners: []mapping.Partner{{Code: "JSmith", Token: "jsmith", Status: mapping.Active}},
		IDs:      []mapping.ID{{KeapID: 42, Code: "JSmith"}},
		Paths:    []mapping.Path{{Path: "/old", Target: "join"}},
	}
	e := publish(t, openRedis(t, url), m)
	f := func(got any, err error, want string) {
		t.Helper()
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%v, %v; want %s", got, err, want)
		}
	}
	current, err := raw.Get(ctx, prefix+"current").Result()
	f(current, err, "1")
	links, err := raw.HGetAll(ctx, tableKey(1, "links")).Result()
	f(links, err, `map[home:{"to":"https://carrot.com/?a=1&b=2"}]`)
	partners, err := raw.HGetAll(ctx, tableKey(1, "partners")).Result()
	f(partners, err, `map[JSmith:{"t":"jsmith","s":"active"}]`)
	ids, err := raw.HGetAll(ctx, tableKey(1, "ids")).Result()
	f(ids, err, `map[42:"JSmith"]`)
	paths, err := raw.HGetAll(ctx, tableKey(1, "paths")).Result()
	f(paths, err, `map[/old:"join"]`)
	meta, err := raw.HMGet(ctx, tableKey(1, "meta"), "links", "partners", "ids", "paths", "plan_id", "checksum", "published_at").Result()
	f(meta, err, fmt.Sprintf("[1 1 1 1 plan %s %s]", e.Checksum, e.PublishedAt.Format(time.RFC3339)))
	epochs, err := raw.ZRangeWithScores(ctx, prefix+"epochs", 0, -1).Result()
	f(epochs, err, "[{1 1}]")
	message, err := messages.ReceiveMessage(ctx)
	if err != nil || message.Payload != "1" {
		t.Errorf("message %v, %v", message, err)
	}
	keys, err := raw.Keys(ctx, "*").Result()
	slices.Sort(keys)
	f(strings.Join(keys, " "), err, strings.ReplaceAll("@activation @current @epochs @map:1:ids @map:1:links @map:1:meta @map:1:partners @map:1:paths @next", "@", prefix))
}

// A counter that was lost must not make a publisher write over an epoch that is there.
func TestRedisLostCounter(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	s := openRedis(t, url)
	publish(t, s, bigMap(1, 10))
	publish(t, s, bigMap(2, 10))
	if err := rawClient(t, url).Del(context.Background(), prefix+"next").Err(); err != nil {
		t.Fatal(err)
	}
	if e := publish(t, s, bigMap(3, 10)); e.ID != 3 {
		t.Errorf("epoch %d, want 3", e.ID)
	}
}

// A publisher whose connections end at any point leaves the old map live and whole, or
// the new one when the flip was through, and the next publisher clears up after it.
func TestRedisKilledPublisher(t *testing.T) {
	url, server := storetest.StartRedis(t)
	direct := openRedis(t, url)
	publish(t, direct, bigMap(0, 3000))
	total, _ := publishThrough(t, server.Addr(), bigMap(1, 3000), -1)
	const steps = 12
	for i := range steps + 1 {
		version := 10 + i
		// The last step ends some bytes before the end: at the flip.
		_, err := publishThrough(t, server.Addr(), bigMap(version, 3000), min(total*int64(i)/steps, total-40))
		m, e, loadErr := direct.Load(context.Background())
		if loadErr != nil {
			t.Fatalf("after %d of %d steps: %v", i, steps, loadErr)
		}
		// Load has verified the checksum: the map is whole.
		isNew := m.Partners[0].Token == fmt.Sprintf("t0-v%d", version)
		if isNew != (err == nil) {
			t.Errorf("after %d of %d steps: publish said %v, new map live: %v (epoch %d)", i, steps, err, isNew, e.ID)
		}
		publish(t, direct, bigMap(100+i, 3000))
		expectNoLeftovers(t, url)
	}
}

// publishThrough publishes over a connection that is cut for good after limit bytes.
func publishThrough(t *testing.T, addr string, m *mapping.Map, limit int64) (sent int64, err error) {
	t.Helper()
	p := startProxy(t, addr, limit)
	defer p.close()
	s := openRedis(t, "redis://"+p.addr())
	defer s.Close()
	_, _, err = s.Publish(context.Background(), m, "cut", nil)
	return p.sent.Load(), err
}

// A leftover is not another publisher's epoch that is still being written.
func TestRedisPublishDuringPublish(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	slow, quick := openRedis(t, url), openRedis(t, url)
	done := 0
	e, changed, err := slow.Publish(context.Background(), bigMap(1, 2000), "", func(int, int) {
		if done++; done == 2 {
			publish(t, quick, bigMap(2, 10))
		}
	})
	if err != nil || !changed || e.ID != 1 {
		t.Fatalf("epoch %d, changed %v, %v", e.ID, changed, err)
	}
	m, e, err := quick.Load(context.Background())
	if err != nil || e.ID != 1 || len(m.Partners) != 2000 {
		t.Errorf("live epoch %+v, %v", e, err)
	}
}

// What happens to an epoch while it is written keeps it from going live.
func TestRedisEpochChangedWhileWritten(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	s, raw := openRedis(t, url), rawClient(t, url)
	old := publish(t, s, bigMap(1, 2000))
	f := func(doing func(key string) error) {
		t.Helper()
		calls := 0
		_, _, err := s.Publish(context.Background(), bigMap(2, 2000), "", func(int, int) {
			if calls++; calls != 3 {
				return
			}
			keys := mapKeys(t, url)
			for _, key := range keys {
				if strings.HasSuffix(key, ":partners") && !strings.HasPrefix(key, tableKey(old.ID, "")) {
					if err := doing(key); err != nil {
						t.Error(err)
					}
				}
			}
		})
		if !errors.Is(err, store.ErrChecksum) {
			t.Errorf("publish: %v, want ErrChecksum", err)
		}
		if _, e, err := s.Load(context.Background()); err != nil || e.ID != old.ID {
			t.Errorf("live epoch %+v, %v", e, err)
		}
		expectNoLeftovers(t, url)
	}
	ctx := context.Background()
	f(func(key string) error { return raw.Del(ctx, key).Err() })
	f(func(key string) error { return raw.HSet(ctx, key, "thief", "{}").Err() })
}

func TestRedisDown(t *testing.T) {
	url, server := storetest.StartRedis(t)
	s := openRedis(t, url)
	publish(t, s, bigMap(1, 10))
	check := func(doing string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "Redis at "+server.Addr()+" does not answer") {
			t.Errorf("%s: %v", doing, err)
		}
	}
	all := func(ctx context.Context) {
		t.Helper()
		check("ping", s.Ping(ctx))
		_, _, err := s.Load(ctx)
		check("load", err)
		_, _, err = s.Publish(ctx, bigMap(2, 10), "", nil)
		check("publish", err)
		_, err = s.Activate(ctx, 1)
		check("activate", err)
		_, err = s.Epochs(ctx)
		check("epochs", err)
	}
	server.Stop()
	all(context.Background())
	_, _, err := s.Load(context.Background())
	if err == nil || !strings.Contains(err.Error(), "start it, or leave --redis out") {
		t.Errorf("the error does not say what to do: %v", err)
	}
	server.Restart()
	// The client holds on to a failed dial for a second.
	for s.Ping(context.Background()) != nil {
		time.Sleep(10 * time.Millisecond)
	}
	server.Pause()
	defer server.Resume()
	short, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	all(short)
	if err := s.Ping(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ping past its deadline: %v", err)
	}
	check("ping without a deadline", s.Ping(context.Background()))
}

// A publisher that waits for a Redis that hangs can be interrupted.
func TestRedisHangsMidway(t *testing.T) {
	url, server := storetest.StartRedis(t)
	s := openRedis(t, url)
	old := publish(t, s, bigMap(1, 10))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	calls := 0
	_, _, err := s.Publish(ctx, bigMap(2, 5000), "", func(int, int) {
		if calls++; calls == 2 {
			server.Pause()
			time.AfterFunc(200*time.Millisecond, cancel)
		}
	})
	server.Resume()
	if !errors.Is(err, context.Canceled) {
		t.Errorf("publish: %v", err)
	}
	if _, e, err := s.Load(context.Background()); err != nil || e.ID != old.ID {
		t.Errorf("live epoch %+v, %v", e, err)
	}
}

func TestRedisFollowRecovers(t *testing.T) {
	run := func(name string, down, up func(*storetest.RedisServer)) {
		t.Run(name, func(t *testing.T) {
			url, server := storetest.StartRedis(t)
			follower := openRedis(t, url)
			f := storetest.Follow(t, follower, 0)
			first := storetest.Publish(t, openRedis(t, url), 1)
			f.Expect(first.ID)
			down(server)
			if err := f.ExpectError(); !strings.Contains(err.Error(), "does not answer") {
				t.Errorf("error on the way: %v", err)
			}
			up(server)
			second := storetest.Publish(t, openRedis(t, url), 2)
			f.Expect(second.ID)
		})
	}
	run("from a stop", (*storetest.RedisServer).Stop, (*storetest.RedisServer).Restart)
	run("from a pause", (*storetest.RedisServer).Pause, (*storetest.RedisServer).Resume)
}

// A Redis that lost everything counts from one again; a follower must not take its first
// map for the one that it has.
func TestRedisFollowAfterLoss(t *testing.T) {
	url, server := storetest.StartRedis(t)
	f := storetest.Follow(t, openRedis(t, url), 0)
	first := storetest.Publish(t, openRedis(t, url), 1)
	f.Expect(first.ID)
	server.Kill()
	server.Restart()
	second := storetest.Publish(t, openRedis(t, url), 2)
	if second.ID != first.ID {
		t.Fatalf("epoch %d, want %d again", second.ID, first.ID)
	}
	f.ExpectCount(2)
	if seen := f.Seen(); seen[1].Checksum != second.Checksum {
		t.Errorf("followed to %+v, want %+v", seen[1], second)
	}
}

func TestRedisFollowByPollingAlone(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	s, raw, ctx := openRedis(t, url), rawClient(t, url), context.Background()
	first, second := storetest.Publish(t, s, 1), storetest.Publish(t, s, 2)
	live := func(id int64) (pair []any) {
		t.Helper()
		if _, err := s.Activate(ctx, id); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{prefix + "current", prefix + "activation"} {
			pair = append(pair, key, raw.Get(ctx, key).Val())
		}
		return pair
	}
	pair := live(first.ID)
	live(second.ID)
	f := storetest.Follow(t, openRedis(t, url), second.ID)
	// Flipped by hand: nothing is said on the channel.
	if err := raw.MSet(ctx, pair...).Err(); err != nil {
		t.Fatal(err)
	}
	f.Expect(first.ID)
}

func TestRedisFollowByChannelAlone(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	first := storetest.Publish(t, openRedis(t, url), 1)
	follower, err := store.OpenRedis(url, "carrot", store.PollEvery(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	defer follower.Close()
	f := storetest.Follow(t, follower, first.ID)
	f.Expect(storetest.Publish(t, openRedis(t, url), 2).ID)
}

// Every error and log line that a wrong or absent password leads to stays without it.
func TestRedisPasswordIsNotTold(t *testing.T) {
	const secret = "s3cr3t-Pass"
	var logged bytes.Buffer
	former := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(former)

	_, server := storetest.StartRedis(t, "--requirepass", "right")
	f := func(url string, wantOpen bool) {
		t.Helper()
		s, err := store.OpenRedis(url, "carrot")
		if wantOpen != (err == nil) {
			t.Fatalf("open: %v", err)
		}
		text := fmt.Sprint(err)
		if err == nil {
			defer s.Close()
			_, _, loadErr := s.Load(context.Background())
			_, _, publishErr := s.Publish(context.Background(), bigMap(1, 1), "", nil)
			if loadErr == nil || publishErr == nil {
				t.Fatal("a wrong password is taken")
			}
			text = fmt.Sprint(s, loadErr, publishErr)
		}
		if strings.Contains(text, "s3cr3t") || strings.Contains(text, "Pass") {
			t.Errorf("the password is in: %s", text)
		}
	}
	f("redis://:"+secret+"@"+server.Addr()+"/0", true)
	f("redis://user:"+secret+"@"+server.Addr(), true)
	f("rediss://user:"+secret+"@"+server.Addr(), true)
	f("redis://user:"+secret+"@127.0.0.1:1", true)
	f("redis://user:"+secret+"@no-such-host.invalid", true)
	f("unix://user:"+secret+"@/no/such/socket", true)
	f("redis://user:"+secret+"/@"+server.Addr(), false)
	f("redis://user:s3cr3t%zzPass@"+server.Addr(), false)
	f("redis://user:"+secret+"@"+server.Addr()+"/x", false)
	f("http://user:"+secret+"@"+server.Addr(), false)
	f("redis://"+server.Addr()+"?password="+secret, false)
	f("user:"+secret+"@"+server.Addr(), false)
	server.Stop()
	f("redis://:"+secret+"@"+server.Addr()+"/0", true)
	if text := logged.String(); strings.Contains(text, "s3cr3t") {
		t.Errorf("the password is in the log: %s", text)
	}
}

func TestRedisRefusesToWrite(t *testing.T) {
	url, _ := storetest.StartRedis(t, "--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
	s := openRedis(t, url)
	old := publish(t, s, bigMap(1, 10))
	_, _, err := s.Publish(context.Background(), bigMap(2, 50000), "", nil)
	if err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("publish: %v, want Redis' own words", err)
	}
	if _, e, err := s.Load(context.Background()); err != nil || e.ID != old.ID {
		t.Errorf("live epoch %+v, %v", e, err)
	}
	expectNoLeftovers(t, url)
}

func TestOpenRedisProgram(t *testing.T) {
	for _, program := range []string{"", "a{b", "a}b", "a b"} {
		if _, err := store.OpenRedis("redis://127.0.0.1", program); err == nil {
			t.Errorf("program %q is taken", program)
		}
	}
}
