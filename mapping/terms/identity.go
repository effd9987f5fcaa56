package terms

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// EmailKey is the address by which people are told apart: trimmed, in lower case as [LowerEmail]
// writes it, with plus tags. ok is false for what is no address: no or several "@", blanks, commas, no local part,
// no dot in the domain.
func EmailKey(raw string) (key string, ok bool) {
	key = LowerEmail(strings.TrimSpace(raw))
	local, domain, found := strings.Cut(key, "@")
	if !found || local == "" || strings.Contains(domain, "@") || !strings.Contains(domain, ".") {
		return "", false
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		return "", false
	}
	return key, true
}

// LowerEmail writes an address in lower case. Letters that are another letter in capitals again stay
// as they are, or two people would be one: the Kelvin sign (U+212A) is no k, nor is a dotted
// capital I (U+0130) an i.
func LowerEmail(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return strings.Map(func(r rune) rune {
				if lower := unicode.ToLower(r); unicode.ToUpper(lower) == r {
					return lower
				}
				return r
			}, s)
		}
	}
	return strings.ToLower(s)
}

// RefToken is the ref token that a promoter with a code is given unless another has it: the
// code in lower case, with one "-" for every character outside a-z, 0-9, "_" and "-".
func RefToken(code string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(code))
}
