package mapping_test

import (
	"errors"
	"testing"
	"time"

	"carryover/mapping"
)

// joinMap is a program whose join pages are as given.
func joinMap(builtin bool, join, rejoin string) *mapping.Map {
	return &mapping.Map{
		Policy: mapping.Policy{
			Program: "carrot", KeapApp: "xy123", LegacyHosts: []string{"go.carrot.test", "old.test"}, AllowedHosts: []string{"carrot.test"},
			Cutoff: time.Date(2023, 4, 1, 7, 0, 0, 0, time.UTC), AfterCutoff: mapping.AfterRedirect, Inactive: mapping.InactiveRejoin, BuiltinJoin: builtin,
			Pages: mapping.Pages{
				Landing: "https://carrot.test/", Login: "https://carrot.test/login", Join: join, Rejoin: rejoin,
				PasswordReset: "https://carrot.test/reset", Guide: "https://carrot.test/guide",
			},
			TokenParam: "fpr", SubIDParam: "fp_sid",
		},
		Links:    []mapping.Link{{Code: "demo", Destination: "https://carrot.test/demo"}},
		Partners: []mapping.Partner{{Code: "OLD", Token: "old", Status: mapping.Inactive}},
	}
}

// The join pages alone may lead to a legacy host, and only where the gateway has its form.
func TestOwnForms(t *testing.T) {
	const own, ownRejoin, page = "https://go.carrot.test/join", "https://go.carrot.test/rejoin", "https://carrot.test/join"
	f := func(builtin bool, join, rejoin string, good bool) {
		t.Helper()
		if _, err := mapping.New(joinMap(builtin, join, rejoin)); (err == nil) != good {
			t.Errorf("builtin %t, join %s, rejoin %s: %v", builtin, join, rejoin, err)
		}
	}
	f(true, own, ownRejoin, true)
	f(true, ownRejoin, ownRejoin, true)
	f(true, "https://old.test/join", ownRejoin, true)
	f(true, page, ownRejoin, true)
	f(true, page, page, true)
	f(false, page, page, true)
	f(false, own, page, false)
	f(false, page, ownRejoin, false)
	f(true, own+"/", ownRejoin, false)
	f(true, own+"?x=1", ownRejoin, false)
	f(true, "https://go.carrot.test/go/demo", ownRejoin, false)
	f(true, "http://go.carrot.test/join", ownRejoin, false)
	f(true, "https://go.carrot.test:8443/join", ownRejoin, false)
	f(true, "https://go.carrot.test@evil.test/join", ownRejoin, false)
	f(true, "https://xy123.infusionsoft.com/join", ownRejoin, false)
	f(true, "https://elsewhere.test/join", ownRejoin, true) // a page's host is allowed by being a page's

	// Nothing else may lead back.
	for _, change := range []func(*mapping.Map){
		func(m *mapping.Map) { m.Links[0].Destination = own },
		func(m *mapping.Map) { m.Paths = []mapping.Path{{Path: "/spring", Target: own}} },
		func(m *mapping.Map) { m.Policy.Pages.Login = ownRejoin },
		func(m *mapping.Map) { m.Policy.Pages.Landing = own },
	} {
		m := joinMap(true, own, ownRejoin)
		change(m)
		if _, err := mapping.New(m); !errors.Is(err, mapping.ErrLoop) {
			t.Errorf("%+v: %v", m, err)
		}
	}
}

func TestAnswersWithOwnForms(t *testing.T) {
	table, err := mapping.New(joinMap(true, "https://go.carrot.test/join", "https://go.carrot.test/rejoin"))
	if err != nil {
		t.Fatal(err)
	}
	before, after := time.Date(2023, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2023, 5, 1, 0, 0, 0, 0, time.UTC)
	f := func(url string, at time.Time, want mapping.Decision, status int) {
		t.Helper()
		if d := table.Resolve(mapping.ParseURL(url), at); d != want || d.Status() != status {
			t.Errorf("%s: %+v %d", url, d, d.Status())
		}
	}
	join, rejoin := mapping.Decision{Outcome: mapping.ToJoin, Form: true}, mapping.Decision{Outcome: mapping.ToRejoin, Form: true}
	for _, at := range []time.Time{before, after} {
		f("https://go.carrot.test/join", at, join, 200)
		f("https://old.test/rejoin?from=mail", at, rejoin, 200)
		f("https://go.carrot.test/Rejoin/", at, rejoin, 200)
		f("https://elsewhere.test/join", at, mapping.Decision{Outcome: mapping.NotFound, Miss: true}, 404)
	}
	toForm := mapping.Decision{Outcome: mapping.ToRejoin, Location: "https://go.carrot.test/rejoin", Token: "old", Link: "demo"}
	f("https://go.carrot.test/go/demo/OLD", before, toForm, 302)
	toForm.Expired = true
	f("https://go.carrot.test/go/demo/OLD", after, toForm, 302)
	f("https://go.carrot.test/login", before, mapping.Decision{Outcome: mapping.ToLogin, Location: "https://carrot.test/login"}, 302)

	m := joinMap(true, "https://go.carrot.test/join", "https://go.carrot.test/rejoin")
	m.Paths = []mapping.Path{{Path: "/signup", Target: "join"}}
	if table, err = mapping.New(m); err != nil {
		t.Fatal(err)
	}
	f("https://go.carrot.test/signup", before, mapping.Decision{Outcome: mapping.ToJoin, Location: "https://go.carrot.test/join"}, 302)
}
