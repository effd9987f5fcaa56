package track

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestParseKeys(t *testing.T) {
	hash := func(key string) string {
		sum := sha256.Sum256([]byte(key))
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	good := func(text string, want ...string) {
		t.Helper()
		keys, err := ParseKeys(text)
		if err != nil || len(keys) != len(want) {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for i, key := range want {
			if keys.find(key) != i || keys.find(key+"x") != -1 || keys.find(key[1:]) != -1 || keys.find(hash(key)) != -1 {
				t.Errorf("key %d of %q", i, text)
			}
		}
		if keys.find("") != -1 || strings.Contains(fmt.Sprint(keys), keyInUse) {
			t.Errorf("%q: %v", text, keys)
		}
	}
	good("")
	good(" ,\n")
	good(keyInUse, keyInUse)
	good(keyInUse+","+keyNext, keyInUse, keyNext)
	good("  "+keyInUse+" , "+keyNext+"\n", keyInUse, keyNext)
	good(hash(keyInUse)+" "+keyNext, keyInUse, keyNext)
	good(strings.ToUpper(hash(keyInUse)), keyInUse)
	good(strings.Repeat("k", minKeyLength), strings.Repeat("k", minKeyLength))

	bad := func(text, want string) {
		t.Helper()
		keys, err := ParseKeys(text)
		if err == nil || keys != nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "CARRYOVER_API_KEYS") {
			t.Errorf("%v, want %q", err, want)
			return
		}
		for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
			if len(part) > 1 && strings.Contains(err.Error(), part) {
				t.Errorf("the error tells a key: %v", err)
			}
		}
	}
	bad("a,b", "key 1 has fewer than 16 characters")
	bad(keyInUse+" short-key", "key 2 has fewer than 16 characters")
	bad(keyInUse+","+keyNext+","+keyInUse+"3", "more than 2 keys")
	bad("sha256:abc", "key 1 is no hash")
	bad("sha256:"+strings.Repeat("g", 64), "key 1 is no hash")
	bad(strings.Repeat("é", 16), "characters that no header carries")
}

// Both keys are good at once, so that one can take the other's place; anything else is
// answered 401 without a body, as FirstPromoter does.
func TestKeys(t *testing.T) {
	var submitted atomic.Int64
	c := serveAPI(t, submitFunc(func(*Call) (Result, error) {
		submitted.Add(1)
		return Result{Outcome: Acknowledged}, nil
	}), func(o *APIOptions) { o.Keys, _ = ParseKeys(keyInUse + " " + keyNext) })
	const json, body = "Content-Type: application/json", `{"uid":"u"}`
	f := func(version string, status int, headers ...string) {
		t.Helper()
		before := submitted.Load()
		r := c.send("POST", "/api/"+version+"/track/signup", body, append(headers, json)...)
		if r.StatusCode != status || status == 401 && (r.body != "" || submitted.Load() != before) {
			t.Errorf("%s %q: %d %q", version, headers, r.StatusCode, r.body)
		}
	}
	f("v2", 200, "Authorization: Bearer "+keyInUse, "Account-ID: carrot")
	f("v2", 200, "Authorization: Bearer "+keyNext, "Account-ID: carrot")
	f("v2", 200, "authorization: bearer "+keyInUse, "ACCOUNT-ID: carrot")
	f("v2", 200, "AUTHORIZATION: Bearer  "+keyInUse+" ", "account-id: carrot")
	f("v1", 200, "X-API-KEY: "+keyInUse)
	f("v1", 200, "x-api-key: "+keyNext)

	f("v2", 401)
	f("v2", 401, "Account-ID: carrot")
	f("v2", 401, "Authorization: Bearer "+keyInUse)
	f("v2", 401, "Authorization: Bearer "+keyInUse, "Account-ID: ")
	f("v2", 401, "Authorization: Bearer "+keyInUse, "Account-ID: Carrot")
	f("v2", 401, "Authorization: Bearer "+keyInUse, "Account-ID: other")
	f("v2", 401, "Authorization: Bearer "+keyInUse+"x", "Account-ID: carrot")
	f("v2", 401, "Authorization: "+keyInUse, "Account-ID: carrot")
	f("v2", 401, "Authorization: Basic "+keyInUse, "Account-ID: carrot")
	f("v2", 401, "Authorization: Bearer", "Account-ID: carrot")
	f("v2", 401, "X-API-KEY: "+keyInUse, "Account-ID: carrot")
	f("v1", 401)
	f("v1", 401, "X-API-KEY: ")
	f("v1", 401, "X-API-KEY: "+keyInUse[1:])
	f("v1", 401, "Authorization: Bearer "+keyInUse, "Account-ID: carrot")
	f("v1", 401, "X-API-KEY: "+strings.Repeat("x", 8000))
	for _, secret := range []string{keyInUse, keyNext} {
		if strings.Contains(c.logs.String(), secret) {
			t.Error("a key is in the log")
		}
	}
}

// An API without keys lets nobody in.
func TestNoKeys(t *testing.T) {
	c := serveAPI(t, submitFunc(func(*Call) (Result, error) { t.Error("submitted"); return Result{}, nil }),
		func(o *APIOptions) { o.Keys = nil })
	c.v2("signup", `{"uid":"u"}`).check(t, 401, "")
	c.v1("signup", `uid=u`).check(t, 401, "")
	c.v1("signup", `uid=u`, "X-API-KEY: ").check(t, 401, "")
}

// A key may make so many calls a minute, and a hundred at once; the other key has a limit of
// its own.
func TestLimits(t *testing.T) {
	now := noon
	c := serveAPI(t, submitFunc(func(*Call) (Result, error) { return Result{Outcome: Acknowledged}, nil }), func(o *APIOptions) {
		o.Keys, _ = ParseKeys(keyInUse + " " + keyNext)
		o.PerMinute, o.Now = 30, func() time.Time { return now }
	})
	statuses := func(n int) (all []int) {
		for range n {
			r := c.v2("signup", `{"uid":"u"}`)
			all = append(all, r.StatusCode)
			if r.StatusCode == 429 {
				r.check(t, 429, `{"message":"Too many calls with this key: try again in 2 s","code":"too_many_requests"}`)
				if r.Header.Get("Retry-After") != "2" {
					t.Errorf("Retry-After: %q", r.Header.Get("Retry-After"))
				}
			}
		}
		return all
	}
	if got := statuses(101); !slices.Equal(got, append(slices.Repeat([]int{200}, 100), 429)) {
		t.Fatalf("%v", got)
	}
	if r := c.v1("signup", "uid=u"); r.StatusCode != 429 {
		t.Errorf("version 1 has another limit: %d", r.StatusCode)
	}
	if r := c.send("POST", "/api/v1/track/signup", "uid=u", "X-API-KEY: "+keyNext); r.StatusCode != 200 {
		t.Errorf("the other key: %d", r.StatusCode)
	}
	now = now.Add(4 * time.Second)
	if got := statuses(3); !slices.Equal(got, []int{200, 200, 429}) {
		t.Errorf("four seconds later: %v", got)
	}
	if n := newKeyLimits(1, 600_000); n[0].Burst() != 10_000 {
		t.Errorf("a second's worth is %d", n[0].Burst())
	}
}

// 0 is no limit.
func TestNoLimit(t *testing.T) {
	l := newKeyLimits(1, 0)
	for range 100_000 {
		if l.take(0, noon) != 0 {
			t.Fatal("limited")
		}
	}
}

// Who sends wrong keys is slowed down, and nobody else is: not even a right key from the
// same address.
func TestWrongKeys(t *testing.T) {
	now := noon
	c := serveAPI(t, submitFunc(func(*Call) (Result, error) { return Result{Outcome: Acknowledged}, nil }),
		func(o *APIOptions) { o.Now = func() time.Time { return now } })
	try := func(addr, key string) reply {
		return c.send("POST", "/api/v1/track/signup", "uid=u", "X-API-KEY: "+key, "X-Test-Address: "+addr)
	}
	for i := range wrongKeysPerMinute {
		if r := try("192.0.2.1", fmt.Sprint("guess-", i)); r.StatusCode != 401 {
			t.Fatalf("guess %d: %d", i, r.StatusCode)
		}
	}
	now = now.Add(15 * time.Second)
	r := try("192.0.2.1", "one more guess")
	r.check(t, 429, `{"message":"Too many calls with a wrong key: try again in 45 s","code":"too_many_requests"}`)
	if r.Header.Get("Retry-After") != "45" {
		t.Errorf("Retry-After: %q", r.Header.Get("Retry-After"))
	}
	if r := try("192.0.2.1", keyInUse); r.StatusCode != 200 {
		t.Errorf("the right key: %d", r.StatusCode)
	}
	if r := try("198.51.100.7", "a guess"); r.StatusCode != 401 {
		t.Errorf("another address: %d", r.StatusCode)
	}
	now = now.Add(45 * time.Second)
	if r := try("192.0.2.1", "a guess"); r.StatusCode != 401 {
		t.Errorf("a minute later: %d", r.StatusCode)
	}
	// Who has a network of addresses is slowed down as one.
	for i := range wrongKeysPerMinute {
		try(fmt.Sprintf("2001:db8:1:2::%x", i+1), "a guess")
	}
	if r := try("2001:db8:1:2:ffff::1", "a guess"); r.StatusCode != 429 {
		t.Errorf("a neighbour: %d", r.StatusCode)
	}
	if log := c.logs.String(); strings.Contains(log, "192.0.2") || strings.Contains(log, "guess") {
		t.Errorf("the log tells of addresses or keys:\n%s", log)
	}
}
