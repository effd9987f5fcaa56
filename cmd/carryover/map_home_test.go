package main

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/store/storetest"
)

// A map that was published in Redis is read and published nowhere else before a person says so,
// by no command; nothing is changed until then.
func TestMapLivesInRedis(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	url, server := storetest.StartRedis(t)
	d.redis = url
	d.twoRuns()
	before := d.state("data")

	commands := [][]string{
		{"apply"}, {"rollback"}, {"map", "publish"}, {"map", "rollback", "1"}, {"map", "list"}, {"map", "diff", "1", "2"}, {"verify"},
		{"resolve", "https://go.carrot.test/go/course/b99606"}, {"examples"}, {"promoters", "set", "later1", "status=inactive"},
		{"applications", "approve", "1"},
		{"gateway", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"},
	}
	elsewhere := func(want ...string) {
		t.Helper()
		want = append(want, "published in the Redis at "+server.Addr()+"/0", `as program "carrot"`, "--store ")
		d.untouched(func() {
			for _, args := range commands {
				d.fails(console.ExitDecide, want, args...)
			}
		})
	}
	d.redis = ""
	elsewhere("name that Redis with --redis or REDIS_URL", "--store book to move the map into the book")
	other, _ := storetest.StartRedis(t)
	d.redis = other
	elsewhere("add --store redis to move the map")
	d.redis = strings.TrimSuffix(url, "/0") + "/1" // another database of the same
	elsewhere("database 1", "add --store redis to move the map")
	d.redis = url
	if difference := d.state("data").differs(before); difference != "" {
		t.Errorf("a command that was refused has changed something: %s", difference)
	}
	d.ok("verify")

	// the same Redis by another name
	_, port, _ := net.SplitHostPort(server.Addr())
	d.redis = fmt.Sprintf("redis://localhost:%s/0", port)
	d.ok("verify")
	d.ok("map", "publish")
	d.ok("map", "rollback", "1")

	// moved, as a person said
	d.redis = ""
	d.contains(d.ok("map", "publish", "--store", "book"), "Link map 1 is live now")
	d.ok("verify")
	d.redis = url
	d.fails(console.ExitDecide, []string{"published in the book", "Redis at " + server.Addr(), "--store redis to move it there", "--store book to leave it"}, "map", "publish")
	d.ok("verify", "--store", "book")
	d.ok("map", "publish", "--store", "redis")
	d.ok("verify")
	d.redis = other
	d.contains(d.ok("apply", "--store", "redis"), "is live now in Redis at")
	d.ok("verify")

	d.redis = ""
	d.fails(console.ExitFailed, []string{"--store redis: no Redis is named", "REDIS_URL"}, "map", "publish", "--store", "redis")
	d.fails(console.ExitUsage, []string{"--store"}, "map", "publish", "--store", "cloud")
}

// What the book remembers of a Redis holds neither user nor password.
func TestMapHomeHoldsNoPassword(t *testing.T) {
	t.Parallel()
	url, _ := storetest.StartRedis(t, "--requirepass", "hunter2")
	d := newSampleDesk(t)
	d.redis = strings.Replace(url, "://", "://default:hunter2@", 1)
	d.ok("plan", sample(t, "tiny"))
	d.ok("apply")
	if text := d.read("data/book.db"); strings.Contains(text, "hunter2") || !strings.Contains(text, strings.TrimPrefix(url, "redis://")) {
		t.Error("the book holds a password, or no address")
	}
	d.redis = ""
	if r := d.fails(console.ExitDecide, []string{"published in the Redis at"}, "verify"); strings.Contains(r.err, "hunter2") {
		t.Errorf("the password is told: %s", r.err)
	}
}

// A gateway with a book starts while the Redis of its map is away, also under another name.
func TestGatewayStartsWithoutItsRedis(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	var server *storetest.RedisServer
	d.redis, server = storetest.StartRedis(t)
	d.ok("plan", sample(t, "tiny"))
	d.ok("apply")
	g := d.gateway()
	g.stop()
	server.Stop()
	_, port, _ := net.SplitHostPort(server.Addr())
	for _, d.redis = range []string{d.redis, fmt.Sprintf("redis://localhost:%s/0", port)} {
		g := d.gateway()
		if status, h := g.health(d); status != 200 || h["source"] != "snapshot" {
			t.Errorf("%d %v", status, h)
		}
		g.stop()
	}
}

// Who publishes over a map of another secret, or mends what somebody else wrote, is told.
func TestMapOfAnotherSecretIsTold(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	url, server := storetest.StartRedis(t)
	d.redis = url
	d.ok("plan", sample(t, "tiny"))
	d.ok("apply")
	own := d.read("data/secret")
	d.write("data/secret", "the-secret-of-a-machine-for-trials\n")
	d.contains(d.ok("map", "list"), "live, not believed")
	if r := d.run("map", "publish"); r.code != 0 || !strings.Contains(r.err, "was not believed here") ||
		!strings.Contains(r.err, "signed with another secret than data/secret: set CARRYOVER_SECRET to one text") {
		t.Errorf("%d %s", r.code, r.err)
	}
	d.write("data/secret", own)
	d.contains(d.run("map", "publish").err, "was not believed here")
	if r := d.run("map", "publish"); strings.Contains(r.err, "believed") {
		t.Error(r.err)
	}

	conn, err := net.Dial("tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "SET carryover:{carrot}:current abc\r\n")
	if n, err := conn.Read(make([]byte, 100)); n == 0 || err != nil {
		t.Fatal(err)
	}
	d.fails(console.ExitFailed, []string{"stands something other than a carryover writes", `current is "abc", which is no epoch`}, "map", "list")
	d.contains(d.ok("map", "rollback", "1"), "Link map 1 is live now")
	d.ok("verify")
}
