package click

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carryover/mapping/book"
)

func keyring(t testing.TB, keys ...string) *Keyring {
	t.Helper()
	var raw [][]byte
	for _, k := range keys {
		raw = append(raw, []byte(k))
	}
	k, err := NewKeyring(raw...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

const (
	keyOne = "one-one-one-one-one"
	keyTwo = "two-two-two-two-two"
)

var someMark = Mark{Visit: Visit{
	Token: "anna", Click: book.ClickID{Node: "web1.example-4f2a1b", Seq: 1700000000000001}, At: time.Unix(1680306400, 0).UTC(),
}}

// markOf is a mark of one click, without its number.
func markOf(token string, at time.Time) Mark { return Mark{Visit: Visit{Token: token, At: at}} }

func TestCookieComesBack(t *testing.T) {
	k := keyring(t, keyOne)
	for _, m := range []Mark{
		someMark, markOf("ünï.côde|x", someMark.At), markOf("a", time.Unix(0, 0).UTC()),
		someMark.WithVisit(Visit{"ben", book.ClickID{Node: "n", Seq: 1}, time.Unix(1680306500, 0).UTC()}),
	} {
		value := k.Sign(m)
		got, ok := k.Verify(value)
		if !ok || got != m {
			t.Errorf("%+v came back as %+v, %v", m, got, ok)
		}
		if len(value) == 0 || len(value) > maxCookie || strings.ContainsAny(value, " ;,\"\\\r\n") {
			t.Errorf("%q is no value for a cookie", value)
		}
	}
	if value := k.Sign(markOf(strings.Repeat("x", 500), someMark.At)); value != "" {
		t.Errorf("a token that does not fit was signed: %q", value)
	}
	long := markOf(strings.Repeat("x", 200), someMark.At)
	both := long.WithVisit(markOf(strings.Repeat("y", 200), someMark.At).Visit)
	if got, ok := k.Verify(k.Sign(both)); !ok || got.Token[0] != 'y' || got.First.Token != "" {
		t.Errorf("a first click that does not fit: %+v, %v", got, ok)
	}
}

// The last click and the first are kept, whatever lies between.
func TestMarkKeepsFirstAndLast(t *testing.T) {
	visit := func(token string, second int64) Visit { return Visit{Token: token, At: time.Unix(second, 0).UTC()} }
	m := Mark{}.WithVisit(visit("anna", 1))
	if m != (Mark{Visit: visit("anna", 1)}) {
		t.Errorf("after one click: %+v", m)
	}
	m = m.WithVisit(visit("ben", 2)).WithVisit(visit("anna", 3)).WithVisit(visit("cleo", 4))
	if m != (Mark{visit("cleo", 4), visit("anna", 1)}) {
		t.Errorf("after four clicks: %+v", m)
	}
}

func TestCookieKeysChange(t *testing.T) {
	old, both, other := keyring(t, keyOne), keyring(t, keyTwo, keyOne), keyring(t, keyTwo)
	if _, ok := both.Verify(old.Sign(someMark)); !ok {
		t.Error("the old key's cookie is not believed beside the new key")
	}
	if _, ok := other.Verify(old.Sign(someMark)); ok {
		t.Error("a cookie of an unknown key was believed")
	}
	if _, ok := other.Verify(both.Sign(someMark)); !ok {
		t.Error("the first key does not sign")
	}
}

func TestCookieCannotBeChanged(t *testing.T) {
	k := keyring(t, keyOne)
	value := k.Sign(someMark)
	for i := range value {
		for _, c := range []byte{'A', 'B', '.', '0', 0} {
			if value[i] == c {
				continue
			}
			changed := value[:i] + string(rune(c)) + value[i+1:]
			if m, ok := k.Verify(changed); ok {
				t.Fatalf("%q was believed: %+v", changed, m)
			}
		}
	}
	for _, bad := range []string{"", ".", "...", "1.a.b.c", value + "A", value[1:], strings.Repeat("a.", 200)} {
		if _, ok := k.Verify(bad); ok {
			t.Errorf("%q was believed", bad)
		}
	}
}

func TestKeyFileIsMadeOnceAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cookie.key")
	first, err := LoadKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := LoadKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := second.Verify(first.Sign(someMark)); !ok {
		t.Error("the key did not last")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("not hex\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKeyring(path); err == nil || !strings.Contains(err.Error(), "cookie.key:1") {
		t.Errorf("%v", err)
	}
}

func FuzzVerify(f *testing.F) {
	k := keyring(f, keyOne)
	value := k.Sign(someMark)
	f.Add(value)
	f.Add(value[:len(value)-1] + "A")
	f.Add(k.Sign(someMark.WithVisit(Visit{"ben", book.ClickID{Node: "n", Seq: 1}, someMark.At})))
	f.Fuzz(func(t *testing.T, s string) {
		if m, ok := k.Verify(s); ok && k.Sign(m) != s {
			t.Errorf("%q was believed: %+v", s, m)
		}
	})
}
