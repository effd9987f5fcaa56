package click

import (
	"strings"
	"testing"
)

func TestSeal(t *testing.T) {
	old, young := []byte("0123456789abcdef"), []byte("fedcba9876543210")
	k, err := NewKeyring(old)
	if err != nil {
		t.Fatal(err)
	}
	sealed := k.Seal("form", "a.b\nc")
	f := func(k *Keyring, purpose, sealed, want string) {
		t.Helper()
		if text, ok := k.Open(purpose, sealed); text != want || ok != (want != "") {
			t.Errorf("%s of %q: %q, %t", purpose, sealed, text, ok)
		}
	}
	f(k, "form", sealed, "a.b\nc")
	f(k, "thanks", sealed, "")
	f(k, "form", "", "")
	f(k, "form", ".", "")
	f(k, "form", sealed+"A", "")
	f(k, "form", sealed+".A", "")
	f(k, "form", strings.Replace(sealed, ".", "", 1), "")
	body, signature, _ := strings.Cut(sealed, ".")
	f(k, "form", body+".", "")
	f(k, "form", body[:len(body)-2]+"."+signature, "")
	both, err := NewKeyring(young, old) // the key was changed
	if err != nil {
		t.Fatal(err)
	}
	f(both, "form", sealed, "a.b\nc")
	f(k, "form", both.Seal("form", "x"), "")
	if strings.Trim(sealed, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		t.Errorf("%q cannot stand in a URL as it is", sealed)
	}
}
