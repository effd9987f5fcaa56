package mapping

import "strings"

// segment is one part of a path between slashes: percent-decoded as it stands, and without the damage
// that is common enough to be looked for in every request.
type segment struct {
	exact      string
	clean      string
	begin, end int // where it stands in the path
}

// maxSegments bounds how much of a path is read; no known shape has more.
const maxSegments = 5

// segments are the parts of a path that say something; empty ones do not count.
type segments struct {
	path     string
	parts    [maxSegments]segment
	n        int
	repaired bool // an empty or damaged part was seen
}

func (s *segments) cut(path string) {
	s.path = path
	for at := 0; at < len(path) && s.n < maxSegments; {
		if path[at] == '/' && at == 0 {
			at++
			continue
		}
		end := strings.IndexByte(path[at:], '/')
		slash := end >= 0
		if end += at; !slash {
			end = len(path)
		}
		raw := path[at:end]
		exact := unescape(raw)
		clean := withoutTail(exact)
		if clean == "" {
			s.repaired = s.repaired || raw != "" || slash
		} else {
			s.repaired = s.repaired || clean != exact
			s.parts[s.n] = segment{exact, clean, at, end}
			s.n++
		}
		at = end + 1
	}
}

// raw is the part i as it stands in the path.
func (s *segments) raw(i int) string { return s.path[s.parts[i].begin:s.parts[i].end] }

// behind is what stands in the path behind the part i, with its slash.
func (s *segments) behind(i int) string { return s.path[s.parts[i].end:] }

// joined is the path without its damage, in the form in which legacy paths are compared.
func (s *segments) joined() string {
	var b strings.Builder
	for _, p := range s.parts[:s.n] {
		b.WriteByte('/')
		b.WriteString(foldKey(p.clean))
	}
	if s.n == maxSegments {
		b.WriteString(foldKey(strings.TrimRight(s.behind(maxSegments-1), "/")))
	}
	return b.String()
}

// withoutTail takes away zero-width characters anywhere and, at the end, the punctuation and blanks
// that a sentence or a mail client left behind. The table of repairs knows the rest.
func withoutTail(s string) string {
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
	return dropInvisible(s)
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
