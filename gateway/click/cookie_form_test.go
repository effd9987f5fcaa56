package click

import (
	"strings"
	"testing"
	"time"
)

// A cookie has one form: nothing else is believed, though a good key has signed it.
func TestCookieHasOneForm(t *testing.T) {
	k := keyring(t, keyOne)
	one, two := someMark.text(), Visit{Token: "ben", At: someMark.At}.text()
	f := func(about, value string, believed bool) {
		t.Helper()
		if m, ok := k.Verify(value); ok != believed {
			t.Errorf("%s: %v, %+v", about, ok, m)
		}
	}
	f("one click", k.sign("1", one), true)
	f("two clicks", k.sign("2", one+"\n"+two), true)
	f("one click that is called two", k.sign("2", one), false)
	f("two clicks that are called one", k.sign("1", one+"\n"+two), false)
	f("less than a click", k.sign("1", "anna"), false)
	f("a version to come", k.sign("3", one), false)
	f("no version", k.sign("", one), false)
	f("a time that is none", k.sign("1", "anna\n\nnoon"), false)
	f("a click that is none", k.sign("1", "anna\nweb1\n5"), false)
	f("a first click that is none", k.sign("2", one+"\nben\nweb1\n5"), false)
	f("longer than a cookie may be", k.sign("1", strings.Repeat("a", maxCookie)+"\n\n5"), false)

	// What the last letter of a signature has to spare must be nothing.
	value, believed := k.Sign(someMark), 0
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		if _, ok := k.Verify(value[:len(value)-1] + string(c)); ok {
			believed++
		}
	}
	if believed != 1 {
		t.Errorf("%d signatures are believed", believed)
	}
}

// A token that would not fit into the form is not signed: not as the last click, and left
// out as the first.
func TestTokensOfTwoLines(t *testing.T) {
	k, at := keyring(t, keyOne), time.Unix(1_680_000_000, 0).UTC()
	if value := k.Sign(markOf("an\nna", at)); value != "" {
		t.Errorf("signed: %q", value)
	}
	m, ok := k.Verify(k.Sign(markOf("an\nna", at).WithVisit(Visit{Token: "ben", At: at})))
	if !ok || m != markOf("ben", at) {
		t.Errorf("%+v, %v", m, ok)
	}
}

// A secret that could be guessed is no key.
func TestShortKeys(t *testing.T) {
	for n, good := range map[int]bool{0: false, 15: false, 16: true} {
		if _, err := NewKeyring(make([]byte, n)); (err == nil) != good {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if _, err := NewKeyring(make([]byte, 16), make([]byte, 8)); err == nil {
		t.Error("a short old key is taken")
	}
	if _, err := NewKeyring(); err == nil {
		t.Error("no key is taken")
	}
}
