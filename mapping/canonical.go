package mapping

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// canonical.txt is the canonical part of the Unicode tables of golang.org/x/text, which this package
// may not import: "E9 65 301" is a character and what it is made of, "212A- 4B" one that is never put
// together again, "=230 300-314 …" the marks of a combining class. A test writes it and compares.
//
//go:embed canonical.txt
var canonicalText string

type canonicalTable struct {
	parts map[rune]string // what a character is made of
	whole map[string]rune // the inverse, of those that are put together again
	class map[rune]uint8  // combining class of marks, where it is not 0
}

// canonical is read when the first text beyond ASCII is compared.
var canonical = sync.OnceValue(func() *canonicalTable {
	t := &canonicalTable{parts: map[rune]string{}, whole: map[string]rune{}, class: map[rune]uint8{}}
	hex := func(s string) rune {
		n, err := strconv.ParseUint(s, 16, 21)
		if err != nil {
			panic("BUG: canonical.txt: " + err.Error())
		}
		return rune(n)
	}
	for line := range strings.Lines(canonicalText) {
		fields := strings.Fields(line)
		if class, ok := strings.CutPrefix(fields[0], "="); ok {
			n, _ := strconv.Atoi(class)
			for _, span := range fields[1:] {
				first, last, _ := strings.Cut(span, "-")
				for r := hex(first); r <= hex(last); r++ {
					t.class[r] = uint8(n)
				}
			}
			continue
		}
		name, never := strings.CutSuffix(fields[0], "-")
		var parts strings.Builder
		for _, f := range fields[1:] {
			parts.WriteRune(hex(f))
		}
		t.parts[hex(name)] = parts.String()
		if !never {
			t.whole[parts.String()] = hex(name)
		}
	}
	return t
})

// Hangul syllables are made of their letters by arithmetic (Unicode, section 3.12).
const (
	hangulFirst, hangulLast                      = 0xAC00, 0xD7A3
	hangulLead, hangulVowel, hangulTail          = 0x1100, 0x1161, 0x11A7
	hangulLeads, hangulVowels, hangulTails       = 19, 21, 28
	hangulSyllables                        int32 = hangulVowels * hangulTails
)

// decompose gives the canonical decomposition (NFD) of s: equal for all forms in which Unicode
// writes one text. What is no UTF-8 stays as it is.
func decompose(s string) string {
	if isASCII(s) || !utf8.ValidString(s) {
		return s
	}
	t := canonical()
	out := make([]rune, 0, len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch parts, ok := t.parts[r]; {
		case r >= hangulFirst && r <= hangulLast:
			k := r - hangulFirst
			out = append(out, hangulLead+k/hangulSyllables, hangulVowel+k%hangulSyllables/hangulTails)
			if tail := k % hangulTails; tail != 0 {
				out = append(out, hangulTail+tail)
			}
		case ok:
			out = append(out, []rune(parts)...)
		default:
			out = append(out, r)
		}
		i += n
	}
	for i := 0; i < len(out); { // marks that follow one another stand in the order of their classes
		j := i
		for j < len(out) && t.class[out[j]] != 0 {
			j++
		}
		if j > i+1 {
			slices.SortStableFunc(out[i:j], func(a, b rune) int { return int(t.class[a]) - int(t.class[b]) })
		}
		i = max(j, i+1)
	}
	return string(out)
}

// compose puts characters together again that decompose took apart (NFC), as far as names of hosts
// need it: a character and the marks that follow it.
func compose(s string) string {
	if isASCII(s) {
		return s
	}
	t := canonical()
	runes := []rune(s)
	out := make([]rune, 0, len(runes))
	for i := 0; i < len(runes); {
		if r := runes[i]; r >= hangulLead && r < hangulLead+hangulLeads && i+1 < len(runes) &&
			runes[i+1] >= hangulVowel && runes[i+1] < hangulVowel+hangulVowels {
			syllable := hangulFirst + (r-hangulLead)*hangulSyllables + (runes[i+1]-hangulVowel)*hangulTails
			if i += 2; i < len(runes) && runes[i] > hangulTail && runes[i] < hangulTail+hangulTails {
				syllable += runes[i] - hangulTail
				i++
			}
			out = append(out, syllable)
			continue
		}
		n := 1
		whole := runes[i]
		for j := i + 2; j <= min(len(runes), i+4); j++ { // no character has more than four parts
			if r, ok := t.whole[string(runes[i:j])]; ok {
				whole, n = r, j-i
			}
		}
		out = append(out, whole)
		i += n
	}
	return string(out)
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
