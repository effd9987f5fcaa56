package sheet

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// SecretHeaders says which columns hold what nobody may keep. Headers are compared in lower
// case, without accents, blanks and punctuation; "#" and, behind another word, "No." and "Nr." are
// "number".
type SecretHeaders struct {
	whole, words map[string]bool
	parts        []string
}

// NewSecretHeaders makes them of patterns: pin is the whole header, ~pin a word of it, as blanks,
// punctuation and capitals part them, and *pin* any part.
func NewSecretHeaders(patterns ...string) *SecretHeaders {
	s := &SecretHeaders{whole: map[string]bool{}, words: map[string]bool{}}
	for _, p := range patterns {
		switch word, isWord := strings.CutPrefix(p, "~"); {
		case isWord:
			s.words[word] = true
		case strings.HasPrefix(p, "*"):
			s.parts = append(s.parts, strings.Trim(p, "*"))
		default:
			s.whole[p] = true
		}
	}
	return s
}

// Has says whether a column with that header is secret. The bytes may be of any encoding.
func (s *SecretHeaders) Has(header string) bool {
	if s == nil {
		return false
	}
	words := headerWords(header)
	key := strings.Join(words, "")
	return s.whole[key] || slices.ContainsFunc(words, func(w string) bool { return s.words[w] }) ||
		slices.ContainsFunc(s.parts, func(part string) bool { return strings.Contains(key, part) })
}

// columns says of each header whether its column is secret.
func (s *SecretHeaders) columns(headers []string) []bool {
	secret := make([]bool, len(headers))
	for i, h := range headers {
		secret[i] = s.Has(h)
	}
	return secret
}

// headerWords are the words of a header: AccountNo, Account_No. and "account #" are account and
// number.
func headerWords(header string) (words []string) {
	const (
		nothing = iota
		lower
		upper
		digit
	)
	var word strings.Builder
	end := func() {
		if word.Len() == 0 {
			return
		}
		w := word.String()
		word.Reset()
		if len(words) > 0 && (w == "no" || w == "nr" || w == "num" || w == "nbr") {
			w = "number"
		}
		words = append(words, w)
	}
	text := []rune(norm.NFKD.String(decodeCell([]byte(header))))
	text = slices.DeleteFunc(text, func(r rune) bool { return unicode.In(r, unicode.Mn, unicode.Cf) || r == '\'' || r == '’' })
	before := nothing
	for i, r := range text {
		kind := nothing
		switch {
		case unicode.IsDigit(r):
			kind = digit
		case unicode.IsUpper(r):
			kind = upper
		case unicode.IsLetter(r):
			kind = lower
		}
		capital := kind == upper && (before == lower || before == upper && i+1 < len(text) && unicode.IsLower(text[i+1]))
		if kind == nothing || capital || (kind == digit) != (before == digit) {
			end()
		}
		switch {
		case r == 'ß':
			word.WriteString("ss")
		case kind != nothing:
			word.WriteRune(unicode.ToLower(r))
		case r == '#':
			words = append(words, "number")
		}
		before = kind
	}
	end()
	return words
}
