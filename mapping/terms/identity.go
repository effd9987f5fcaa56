package terms

import (
	"strings"
	"unicode"
)

// EmailKey is the address by which people are told apart: trimmed, in lower case, with plus
// tags. ok is false for what is no address: no or several "@", blanks, commas, no local part,
// no dot in the domain.
func EmailKey(raw string) (key string, ok bool) {
	key = strings.ToLower(strings.TrimSpace(raw))
	local, domain, found := strings.Cut(key, "@")
	if !found || local == "" || strings.Contains(domain, "@") || !strings.Contains(domain, ".") {
		return "", false
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		return "", false
	}
	return key, true
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
