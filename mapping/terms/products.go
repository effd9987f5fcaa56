package terms

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ProductKind decides the share that a product earns.
type ProductKind uint8

const (
	UnknownProduct ProductKind = iota // no pattern names it, or those of both kinds do: it earns nothing
	Membership
	Training
)

// String is the word that configuration and reports use.
func (k ProductKind) String() string {
	switch k {
	case Membership:
		return "membership"
	case Training:
		return "training"
	}
	return "unknown"
}

// Products are the patterns by which products are told apart. In a pattern * is any run of
// characters, also none; all else compares without regard to case, to blanks around it and
// to how many blanks separate two words. A pattern plan:ID names a plan's id instead of a
// product.
type Products struct {
	Membership []string
	Training   []string
}

// Kind tells the kind of a product by its name and, where there is one, its plan's id. A
// product that both lists name is [UnknownProduct] and ambiguous.
func (p Products) Kind(product, plan string) (kind ProductKind, ambiguous bool) {
	membership := matchesAny(p.Membership, product, plan)
	training := matchesAny(p.Training, product, plan)
	switch {
	case membership && training:
		return UnknownProduct, true
	case membership:
		return Membership, false
	case training:
		return Training, false
	}
	return UnknownProduct, false
}

func matchesAny(patterns []string, product, plan string) bool {
	product, plan = strings.TrimSpace(product), strings.TrimSpace(plan)
	for _, pattern := range patterns {
		pattern = strings.TrimSpace(pattern)
		if id, ok := planPattern(pattern); ok {
			if plan != "" && matchPattern(id, plan) {
				return true
			}
		} else if matchPattern(pattern, product) {
			return true
		}
	}
	return false
}

// planPattern is the pattern of ids that plan:ID holds.
func planPattern(pattern string) (id string, ok bool) {
	const prefix = "plan:"
	if len(pattern) < len(prefix) || !strings.EqualFold(pattern[:len(prefix)], prefix) {
		return "", false
	}
	return strings.TrimSpace(pattern[len(prefix):]), true
}

// matchPattern compares a text with a pattern. It goes back to the latest * alone: whatever an
// earlier one could take in addition, the latest can take as well.
func matchPattern(pattern, text string) bool {
	p, t := 0, 0
	star, taken := -1, 0 // behind the latest *, and the end of what it stands for
	for t < len(text) {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			star, taken = p, t
			continue
		}
		want, wide := nextRune(pattern[p:])
		have, n := nextRune(text[t:])
		switch {
		case wide > 0 && want == have:
			p += wide
			t += n
		case star >= 0:
			_, n = nextRune(text[taken:])
			taken += n
			p, t = star, taken
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// nextRune is the first rune of s as it compares, and how many bytes it takes: lower case,
// a run of blanks one blank. Of nothing it is 0 bytes.
func nextRune(s string) (rune, int) {
	r, n := utf8.DecodeRuneInString(s)
	if !unicode.IsSpace(r) {
		return unicode.ToLower(r), n
	}
	for n < len(s) {
		r, more := utf8.DecodeRuneInString(s[n:])
		if !unicode.IsSpace(r) {
			break
		}
		n += more
	}
	return ' ', n
}
