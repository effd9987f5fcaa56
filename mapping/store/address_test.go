package store_test

import (
	"strings"
	"testing"

	"carryover/mapping/store"
)

func TestRedacted(t *testing.T) {
	f := func(url, want string) {
		t.Helper()
		if got := store.Redacted(url); got != want {
			t.Errorf("Redacted(%q) = %q, want %q", url, got, want)
		}
	}
	f("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0")
	f("redis://user:pass@host:6379/0", "redis://user:***@host:6379/0")
	f("redis://:pass@host", "redis://:***@host")
	f("redis://token@host", "redis://***@host")
	f("rediss://u:p@a@b/c#d?e@host:1", "rediss://u:***@host:1")
	f("unix://u:p@/run/redis.sock?db=1", "unix://u:***@/run/redis.sock?db=1")
	f("redis://host?password=p&db=2", "redis://host?password=***&db=2")
	f("user:pass@host:6379", "user:***@host:6379")
	f("", "")
}

func TestRedisString(t *testing.T) {
	f := func(url, want string) {
		t.Helper()
		s, err := store.OpenRedis(url, "carrot")
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if got := s.String(); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
	f("redis://:pass@127.0.0.1", "Redis at 127.0.0.1:6379")
	f("rediss://u:pass@redis.carrot.com:6380/2", "Redis at redis.carrot.com:6380 (TLS) database 2")
	f("unix:///run/redis.sock", "Redis at /run/redis.sock")
}

func TestOpenRedisBadAddress(t *testing.T) {
	f := func(url, want string) {
		t.Helper()
		_, err := store.OpenRedis(url, "carrot")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", url, err, want)
		}
	}
	f("localhost:6379", "write redis://")
	f("redis://host/abc", `invalid database number: "abc"`)
	f("redis://u:p/w@host", "write / as %2F")
	f("redis://host?passwort=x", "unexpected option: passwort")
}
