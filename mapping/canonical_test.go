package mapping

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write canonical.txt anew from golang.org/x/text")

// canonicalData is what canonical.txt holds, from the Unicode tables of golang.org/x/text.
func canonicalData() string {
	var b strings.Builder
	classes := map[uint8][]rune{}
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) || r >= 0xAC00 && r <= 0xD7A3 {
			continue // Hangul syllables are computed
		}
		p := norm.NFD.PropertiesString(string(r))
		if c := p.CCC(); c != 0 {
			classes[c] = append(classes[c], r)
		}
		if d := p.Decomposition(); d != nil {
			fmt.Fprintf(&b, "%X", r)
			if norm.NFC.String(string(r)) != string(r) {
				b.WriteByte('-') // never composed
			}
			for _, part := range string(d) {
				fmt.Fprintf(&b, " %X", part)
			}
			b.WriteByte('\n')
		}
	}
	for c := 1; c < 256; c++ {
		if len(classes[uint8(c)]) == 0 {
			continue
		}
		fmt.Fprintf(&b, "=%d", c)
		list := classes[uint8(c)]
		for i := 0; i < len(list); {
			j := i
			for j+1 < len(list) && list[j+1] == list[j]+1 {
				j++
			}
			fmt.Fprintf(&b, " %X-%X", list[i], list[j])
			i = j + 1
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestCanonicalData(t *testing.T) {
	want := canonicalData()
	if *update {
		if err := os.WriteFile("canonical.txt", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if canonicalText != want && !*update {
		t.Error("canonical.txt is not that of golang.org/x/text: run this test with -update")
	}
}

func TestDecompose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOfN(rapid.OneOf(
			rapid.Rune(), rapid.RuneFrom(nil, unicode.Mn), rapid.RuneFrom(nil, unicode.Latin, unicode.Hangul, unicode.Greek),
		), 0, 8).Draw(t, "runes"))
		if got, want := decompose(s), norm.NFD.String(s); got != want {
			t.Fatalf("%+q: %+q, want %+q", s, got, want)
		}
	})
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if s := string(r); utf8.ValidRune(r) {
			if got, want := decompose(s), norm.NFD.String(s); got != want {
				t.Fatalf("%U: %+q, want %+q", r, got, want)
			}
			if got, want := compose(decompose(s)), norm.NFC.String(s); got != want {
				t.Fatalf("%U composes to %+q, want %+q", r, got, want)
			}
		}
	}
}
