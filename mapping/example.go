package mapping

import (
	"fmt"
	"net/url"
	"strings"
)

// Example is an address that shows what a map does.
type Example struct {
	Shows  string // "an active promoter"
	Target string // path and query
}

// Examples finds one address of every kind that the map has.
func Examples(m *Map) []Example {
	link, shortest := "unknown", 0
	for i, l := range m.Links {
		if i == 0 {
			link = l.Code
		}
		if n := len(l.Destination); isPlain(l.Code) && (shortest == 0 || n < shortest) {
			link, shortest = l.Code, n
		}
	}
	policy := &m.Policy
	path := func(code string) string {
		return ParseURL(policy.OldLink(link, code)).Path
	}
	var out []Example
	add := func(what string, match func(p Partner) bool) {
		for _, p := range m.Partners {
			if match(p) && isPlain(p.Code) {
				out = append(out, Example{what, path(p.Code)})
				return
			}
		}
	}
	add("an active promoter", func(p Partner) bool { return p.Status == Active && p.Until.IsZero() })
	add("with a grace date", func(p Partner) bool { return p.Status == Active && !p.Until.IsZero() })
	add("an inactive promoter", func(p Partner) bool { return p.Status == Inactive })
	add("the program's own", func(p Partner) bool { return p.Status == House })
	out = append(out, Example{"nobody we know", path("nobody-we-know")})
	if firstActive(m) != 0 {
		out = append(out, Example{"re-pointed at Keap", fmt.Sprintf("/k/%s?affiliate=%d", url.PathEscape(link), firstActive(m))})
	}
	for _, p := range m.Partners {
		if p.Status == Active && isPlain(p.Code) {
			out = append(out, Example{"the new link", ParseURL(policy.NewLink(p.Token, link)).Path})
			break
		}
	}
	return append(out, Example{"an unknown link", "/go/no-such-link"}, Example{"the old sign-in", "/app/authentication/login"})
}

// isPlain reports whether a code reads well in an example: a few letters.
func isPlain(code string) bool {
	return len(code) <= 16 && strings.IndexFunc(code, func(r rune) bool { return r < 'A' || r > 'z' || r > 'Z' && r < 'a' }) < 0
}

// firstActive is the Keap id of an active promoter; 0 when there is none.
func firstActive(m *Map) int64 {
	active := map[string]bool{}
	for _, p := range m.Partners {
		active[p.Code] = p.Status == Active
	}
	for _, id := range m.IDs {
		if active[id.Code] {
			return id.KeapID
		}
	}
	return 0
}
