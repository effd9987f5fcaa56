package mapping

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestASCIIHost(t *testing.T) {
	f := func(host, want string) {
		t.Helper()
		if got := asciiHost(host); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
	f("Go.Carrot.Test:8080", "go.carrot.test:8080")
	f("BÜCHER.test:443", "xn--bcher-kva.test:443")
	f("bu\u0308cher.test", "xn--bcher-kva.test")
	f("go.möhre。test", "go.xn--mhre-5qa.test")
	f("例え.テスト", "xn--r8jz45g.xn--zckzah")
	f("", "")
	f("\xff.test", "\xff.test")
	if got := hostname("Möhre.TEST.:8080"); got != "xn--mhre-5qa.test" {
		t.Error(got)
	}
}

// Names of letters are those of the IDNA that browsers follow, wherever UTS 46 maps nothing but
// case and composition.
func TestASCIIHostIsThatOfBrowsers(t *testing.T) {
	profile := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule())
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.StringOfN(rapid.RuneFrom(nil, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Hangul, unicode.Hiragana), 1, 12, -1).Draw(t, "label")
		if mapped, err := profile.ToUnicode(label); err != nil || mapped != norm.NFC.String(strings.ToLower(label)) {
			t.Skip("mapped by more than case")
		}
		want, err := profile.ToASCII(label + ".test")
		if err != nil {
			t.Skip("no name")
		}
		if got := asciiHost(label + ".test"); got != want {
			t.Fatalf("%q: %q, want %q", label, got, want)
		}
	})
}
