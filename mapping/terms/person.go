package terms

import (
	"strings"
	"unicode"
)

// EmailKey is what makes two people one: the address trimmed and in lower case. ok is
// false for what is no address: no or several "@", blanks, commas, no local part, no
// dot in the domain. Plus tags are kept.
func EmailKey(raw string) (key string, ok bool) {
	key = strings.ToLower(strings.TrimSpace(raw))
	local, domain, found := strings.Cut(key, "@")
	if !found || local == "" || strings.Contains(domain, "@") || !strings.Contains(domain, ".") || strings.ContainsFunc(key, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		return "", false
	}
	return key, true
}

// RefToken is the ref token that a code asks for: lower case, and one "-" for every
// character outside a-z, 0-9, "_" and "-".
func RefToken(code string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(code))
}
