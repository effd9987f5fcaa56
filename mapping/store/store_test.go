package store_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/secret"
	"carryover/mapping/store"
	"carryover/mapping/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const poll = 20 * time.Millisecond

// trust believes what is signed with its secret.
var trust = trustOf("", "the-secret-of-the-program-carrot")

func trustOf(program, text string) *store.Trust {
	s, err := secret.Parse(text, "a test")
	if err != nil {
		panic(err)
	}
	return &store.Trust{Program: program, Secret: s}
}

func TestInBook(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		path := filepath.Join(t.TempDir(), "book.db")
		return storetest.Subject{
			Open: func() store.Store {
				b, err := book.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { b.Close() })
				return store.OpenBook(b, store.PollEvery(poll))
			},
			Damage: func(epoch int64, kind mapping.Kind, key, value string) {
				db, err := sql.Open("sqlite", path)
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				if _, err := db.Exec(`INSERT OR REPLACE INTO map_entry VALUES (?, ?, ?, ?)`, epoch, int(kind), key, value); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}

func TestRedis(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		raw := rawClient(t, url)
		if err := raw.FlushAll(context.Background()).Err(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { expectNoLeftovers(t, url) })
		return storetest.Subject{
			Open: func() store.Store { return openRedis(t, url) },
			Damage: func(epoch int64, kind mapping.Kind, key, value string) {
				if err := raw.HSet(context.Background(), tableKey(epoch, kind.String()), key, value).Err(); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}

// openRedis opens the program's store with a poll that tests can wait for.
func openRedis(t testing.TB, url string) *store.Redis {
	t.Helper()
	s, err := store.OpenRedis(url, "carrot", store.PollEvery(poll), store.Trusting(*trust))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// rawClient is a client that knows nothing of maps.
func rawClient(t testing.TB, url string) *redis.Client {
	t.Helper()
	opt, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(opt)
	t.Cleanup(func() { c.Close() })
	return c
}
