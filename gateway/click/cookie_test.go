package click

import (
	"errors"
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

// What is not believed is told apart: a cookie of another gateway is no fault of its bearer.
func TestCookieOfAnotherSecretIsTold(t *testing.T) {
	k, other := keyring(t, keyOne), keyring(t, keyTwo)
	two := someMark.WithVisit(Visit{"ben", book.ClickID{Node: "n", Seq: 1}, someMark.At})
	f := func(value string, want error) {
		t.Helper()
		if m, err := k.Read(value); !errors.Is(err, want) || err != nil && m != (Mark{}) {
			t.Errorf("%q: %+v, %v, want %v", value, m, err, want)
		}
	}
	f(k.Sign(someMark), nil)
	for _, m := range []Mark{someMark, two} {
		f(other.Sign(m), ErrUnknownKey)
	}
	value := other.Sign(someMark)
	f(value[:len(value)-4], ErrNoMark) // cut
	f(strings.Replace(value, "1.", "3.", 1), ErrNoMark)
	f(k.Sign(someMark)[:10]+value[10:], ErrNoMark) // signed with another key than it says
	parts := strings.Split(value, ".")
	for _, id := range []string{"", "zzzzzz", "00", parts[1] + "00"} {
		f(strings.Join([]string{"1", id, parts[2], parts[3]}, "."), ErrNoMark)
	}
	f(strings.Join([]string{"1", parts[1], "YQ", parts[3]}, "."), ErrNoMark) // no mark in it
	for _, nothing := range []string{"", "x", "1.2.3.4", "2f8a6bf3-1f2e-4c7b-9a51-7c0e1a2b3c4d", "web1-17"} {
		f(nothing, ErrNoMark)
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
