package migrate_test

import (
	"database/sql"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/migrate"
)

// What verify must notice.
func TestVerify(t *testing.T) {
	f := func(change func(d *env), wants ...string) {
		t.Helper()
		d := newEnv(t, carrot("carrot-house"))
		d.write("exports/links.csv", "Id,Code,Website Address", "7,course,https://carrot.test/course")
		d.write("exports/partners.csv", "Id,Contact Id,Code,Status", "1,5,one,Active", "2,6,two,Active")
		d.write("exports/contacts.csv", "Id,Email", "5,a@carrot.test")
		d.migrate(d.path("exports"))
		same(t, "before", d.differences(), nil)
		change(d)
		all := strings.Join(d.differences(), "\n")
		for _, want := range wants {
			if !strings.Contains(all, want) {
				t.Errorf("differences %q, want %q in them", all, want)
			}
		}
		if len(wants) == 0 && all != "" {
			t.Errorf("differences %q, want none", all)
		}
	}
	tamper := func(statement string) func(d *env) {
		return func(d *env) {
			d.Helper()
			db, err := sql.Open("sqlite", d.book.Path())
			d.must(err)
			defer db.Close()
			_, err = db.Exec(statement)
			d.must(err)
		}
	}
	f(func(*env) {})
	f(tamper(`UPDATE promoter SET email = 'x@carrot.test' WHERE ref_token = 'one'`), "promoter one", "x@carrot.test", "a@carrot.test")
	f(tamper(`UPDATE promoter SET status = 'inactive' WHERE ref_token = 'two'`), "promoter two", `partners "two"`)
	f(tamper(`DELETE FROM promoter_alias WHERE value = 'two'`), `code "two"`, `partners "two" is in the published map and not in the book`)
	f(tamper(`UPDATE link SET destination = 'https://carrot.test/other'`), `link "course"`, `links "course": published`)
	f(tamper(`UPDATE promoter_alias SET value = '3' WHERE value = '2'`), `keap id "2"`, `ids "2"`, `ids "3"`)
	f(func(d *env) {
		d.write("exports/contacts.csv", "Id,Email", "5,b@carrot.test")
	}, "contacts.csv has changed", "promoter one")
	f(func(d *env) { d.must(os.Remove(d.path("exports", "contacts.csv"))) }, "contacts.csv is gone")
	f(func(d *env) { d.settings.ConfigHash = "another" },
		"configuration has changed since the run, and the book and the published map agree with it")
	f(func(d *env) {
		d.settings.ConfigHash = "another"
		d.settings.Policy.Cutoff = d.settings.Policy.Cutoff.AddDate(0, 1, 0)
	}, "configuration has changed since the run: plan and apply again", "published policy")
	f(func(d *env) { d.settings.Policy.Cutoff = d.settings.Policy.Cutoff.AddDate(0, 1, 0) }, "published policy")
	f(func(d *env) {
		m, _, err := d.store.Load(d.ctx())
		d.must(err)
		m.Partners[0].Token = "thief"
		_, _, err = d.store.Publish(d.ctx(), m, "", nil)
		d.must(err)
	}, "thief")
	f(func(d *env) { d.write("exports/note.txt", "nothing to carry over") })

	d := newEnv(t, carrot())
	if _, _, err := migrate.Verify(d.ctx(), d.settings, d.book, d.store, migrate.NoProgress{}); err == nil ||
		!strings.Contains(err.Error(), "nothing was applied") {
		t.Errorf("verify of an empty book: %v", err)
	}
}

// A gateway that answers every link right but one is caught, and the one is named.
func TestAgainst(t *testing.T) {
	d := newEnv(t, example())
	d.planExample()
	d.apply()
	m, _, err := d.store.Load(d.ctx())
	d.must(err)
	table := d.table()
	f := func(lie func(path string, right mapping.Decision) mapping.Decision, wants ...string) {
		t.Helper()
		var mu sync.Mutex
		methods := map[string]bool{}
		gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/readyz" { // no link
				w.Write([]byte(`{"ready":true,"epoch":1,"clicks":"ok"}`))
				return
			}
			mu.Lock()
			methods[r.Method] = true
			mu.Unlock()
			answer := lie(r.URL.Path, table.Resolve(mapping.ParseTarget(r.Host, r.URL.RequestURI()), time.Now()))
			if answer.Location != "" {
				w.Header().Set("Location", answer.Location)
			}
			w.WriteHeader(answer.Status())
		}))
		defer gateway.Close()
		check, err := migrate.Against(d.ctx(), gateway.URL, m, 1, time.Now, 1, migrate.NoProgress{})
		if err != nil {
			t.Fatal(err)
		}
		if links, partners := len(m.Links), len(m.Partners); check.Compared < links+partners {
			t.Errorf("asked %d, which is less than %d links and %d codes", check.Compared, links, partners)
		}
		if len(methods) != 1 || !methods[http.MethodHead] {
			t.Errorf("asked with %v: only HEAD is not counted", methods)
		}
		if (check.Differences > 0) != (len(wants) > 0) {
			t.Errorf("%d differences: %v", check.Differences, check.Examples)
		}
		for _, want := range wants {
			if !strings.Contains(strings.Join(check.Examples, "\n"), want) {
				t.Errorf("examples %v, want %q in them", check.Examples, want)
			}
		}
	}
	f(func(_ string, right mapping.Decision) mapping.Decision { return right })
	f(func(path string, right mapping.Decision) mapping.Decision {
		if path == "/go/WebClass" {
			right.Location += "?fpr=thief"
		}
		return right
	}, "/go/WebClass", "thief")
	f(func(path string, right mapping.Decision) mapping.Decision {
		if path == "/r/kiddo" {
			right.Location = ""
		}
		return right
	}, "/r/kiddo", "404")

	for _, wrong := range []string{"", "127.0.0.1", "ftp://127.0.0.1", "http://127.0.0.1:1"} {
		if _, err := migrate.Against(d.ctx(), wrong, m, 1, time.Now, 1, migrate.NoProgress{}); err == nil {
			t.Errorf("against %q: no error", wrong)
		}
	}
}

// A gateway that has not taken the newest map over yet is given a moment; one that does
// not, and what is no gateway, are told apart.
func TestAgainstAnotherMap(t *testing.T) {
	d := newEnv(t, example())
	d.planExample()
	d.apply()
	m, _, err := d.store.Load(d.ctx())
	d.must(err)
	now := d.table()
	before := *m
	other := "https://carrot.test/other"
	before.Policy.Pages = mapping.Pages{Landing: other, Login: other, Rejoin: other, Join: other, PasswordReset: other, Guide: other}
	old, err := mapping.New(&before)
	d.must(err)
	f := func(late bool, ready string, differ bool, note string) {
		t.Helper()
		t.Run(note, func(t *testing.T) {
			t.Parallel() // some wait for the gateway to take the map
			var serves atomic.Pointer[mapping.Table]
			serves.Store(old)
			gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/readyz" {
					w.Write([]byte(ready))
					if late {
						serves.Store(now)
					}
					return
				}
				answer := serves.Load().Resolve(mapping.ParseTarget(r.Host, r.URL.RequestURI()), time.Now())
				if answer.Location != "" {
					w.Header().Set("Location", answer.Location)
				}
				w.WriteHeader(answer.Status())
			}))
			defer gateway.Close()
			check, err := migrate.Against(d.ctx(), gateway.URL, m, 2, time.Now, 1, migrate.NoProgress{})
			d.must(err)
			if (check.Differences > 0) != differ || !strings.Contains(check.Note, note) {
				t.Errorf("%d differences, note %q; want %q", check.Differences, check.Note, note)
			}
		})
	}
	f(true, `{"ready":true,"epoch":1,"clicks":"ok"}`, false, "it took the published map over while it was asked")
	f(false, `{"ready":true,"epoch":1,"clicks":"ok"}`, true, "it looks stale: it serves link map 1, and 2 is published")
	f(false, `{"ready":true,"epoch":2,"clicks":"ok"}`, true, "its clock may show another time")
	f(false, `<html>`, true, "is this a carryover gateway?")
}
