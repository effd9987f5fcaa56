package mapping

import (
	"strings"
	"unicode/utf8"
)

// segment is one part of a path between slashes: percent-decoded as it stands, and with
// the damage repaired that mail clients and copying do.
type segment struct {
	exact string
	clean string
}

// maxSegments bounds how much of a path is read; no known shape has more.
const maxSegments = 5

// segments are the parts of a path that say something; empty ones do not count.
type segments struct {
	parts    [maxSegments]segment
	n        int
	repaired bool // an empty or damaged part was seen
}

func cutSegments(path string) (s segments) {
	path = strings.TrimPrefix(path, "/")
	for path != "" && s.n < maxSegments {
		raw, rest, slash := strings.Cut(path, "/")
		path = rest
		exact := unescape(raw)
		clean := repairSegment(exact)
		if clean == "" {
			s.repaired = s.repaired || raw != "" || slash
			continue
		}
		s.repaired = s.repaired || clean != exact
		s.parts[s.n] = segment{exact, clean}
		s.n++
	}
	return s
}

// joined is the repaired path in lower case, for exact legacy paths that came damaged.
func (s *segments) joined() string {
	var b strings.Builder
	for _, p := range s.parts[:s.n] {
		b.WriteByte('/')
		b.WriteString(strings.ToLower(p.clean))
	}
	return b.String()
}

// repairSegment takes away zero-width characters anywhere and, at the end, the
// punctuation and blanks that a sentence or a mail client left behind.
func repairSegment(s string) string {
	s = dropZeroWidth(s)
	for s != "" {
		switch c := s[len(s)-1]; {
		case strings.IndexByte(".,)]>\" \t\r\n\v\f", c) >= 0:
			s = s[:len(s)-1]
			continue
		case c == 0xA0 && strings.HasSuffix(s, "\u00a0"):
			s = s[:len(s)-2]
			continue
		}
		break
	}
	return s
}

func isZeroWidth(r rune) bool {
	return r >= 0x200B && r <= 0x200D || r == 0x2060 || r == 0xFEFF
}

func dropZeroWidth(s string) string {
	if strings.IndexByte(s, 0xE2) < 0 && strings.IndexByte(s, 0xEF) < 0 || strings.IndexFunc(s, isZeroWidth) < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !isZeroWidth(r) {
			b = append(b, s[i:i+n]...) // bytes that are no UTF-8 stay as they are
		}
		i += n
	}
	return string(b)
}

// maxAd is how long an ad segment may become in a sub-id.
const maxAd = 64

// cleanAd keeps of an ad segment what a sub-id may hold.
func cleanAd(s string) string {
	keep := func(c byte) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_'
	}
	for i := 0; i < len(s); i++ {
		if !keep(s[i]) {
			b := []byte(s[:i])
			for ; i < len(s); i++ {
				if keep(s[i]) {
					b = append(b, s[i])
				}
			}
			s = string(b)
			break
		}
	}
	return s[:min(len(s), maxAd)]
}

// keapID reads the value of an id parameter. ok is false for everything that names no
// partner: empty, zero, not digits only, beyond 64 bits.
func keapID(value string) (id int64, ok bool) {
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		d := int64(c - '0')
		if id > (1<<63-1-d)/10 {
			return 0, false
		}
		id = id*10 + d
	}
	return id, id != 0
}
