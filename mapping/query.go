package mapping

import "strings"

// fixedReserved are the query names that nobody but us may set: the ten that
// FirstPromoter's script reads (in its order of precedence), its sub-id and
// cross-domain hand-over, and those of Keap and of Keap site plugins.
var fixedReserved = []string{
	"fp_ref", "fpr", "via", "ref", "a", "_from", "_by", "deal", "_go", "_get",
	"fp_sid", "fpc",
	"affiliate", "aff", "affcode", "cookieUUID",
}

// names is a set of parameter names. Case counts.
type names struct {
	set     map[string]struct{}
	longest int
	begins  [256]bool // bytes with which a name may begin, "%" included: most are told by this
}

func newNames(lists ...[]string) *names {
	n := &names{set: map[string]struct{}{}}
	n.begins['%'] = true
	for _, list := range lists {
		for _, name := range list {
			if name == "" {
				continue
			}
			n.set[name] = struct{}{}
			n.begins[name[0]] = true
			n.longest = max(n.longest, len(name))
		}
	}
	return n
}

// reserved is the set of names removed from every query.
func (p *Policy) reserved() *names {
	return newNames(fixedReserved, []string{p.TokenParam, p.SubIDParam}, p.CodeParams, p.IDParams)
}

// has reports whether the name of a query piece, percent-decoded, is in the set. It does
// not allocate: it runs for every parameter of every click.
func (n *names) has(piece string) bool {
	if piece == "" || !n.begins[piece[0]] {
		return false
	}
	if i := strings.IndexByte(piece, '='); i >= 0 {
		piece = piece[:i]
	}
	if strings.IndexByte(piece, '%') < 0 {
		_, ok := n.set[piece]
		return ok
	}
	var buf [64]byte
	if len(piece) > 3*n.longest || n.longest > len(buf) {
		return n.hasLong(piece)
	}
	decoded := appendUnescaped(buf[:0], piece)
	_, ok := n.set[string(decoded)]
	return ok
}

func (n *names) hasLong(name string) bool {
	_, ok := n.set[unescape(name)]
	return ok
}

// nextPiece cuts the next piece off a raw query. With repair, "&amp;" counts as "&":
// mail clients and copied HTML leave it behind, some of them twice.
func nextPiece(query string, repair, first bool) (piece, rest string, more bool) {
	if first && query == "" || query == exhausted {
		return "", "", false
	}
	i := strings.IndexByte(query, '&')
	if i < 0 {
		piece, rest = query, exhausted
	} else {
		piece, rest = query[:i], query[i+1:]
	}
	if repair && !first {
		for {
			after, ok := strings.CutPrefix(piece, "amp;")
			if !ok {
				break
			}
			piece = after
		}
	}
	return piece, rest, true
}

// exhausted marks a query of which every piece was read; a query that ends in "&" has
// one more, empty piece. It cannot be part of a query: those hold no NUL.
const exhausted = "\x00"

// keepsAny reports whether anything is left of query without the names of the set.
func (n *names) keepsAny(query string, repair bool) bool {
	for piece, rest, more := nextPiece(query, repair, true); more; piece, rest, more = nextPiece(rest, repair, false) {
		if piece != "" && !n.has(piece) {
			return true
		}
	}
	return false
}

// appendKept appends the pieces of query whose name is not in the set, byte for byte,
// joined by "&". Blanks and control bytes, which no header may carry, are escaped.
func (n *names) appendKept(dst []byte, query string, repair bool) []byte {
	sep := false
	for piece, rest, more := nextPiece(query, repair, true); more; piece, rest, more = nextPiece(rest, repair, false) {
		if n.has(piece) {
			continue
		}
		if sep {
			dst = append(dst, '&')
		}
		sep = true
		dst = appendHeaderSafe(dst, piece)
	}
	return dst
}

// parameter is a piece of a query that carries a name of a set.
type parameter struct {
	name       string // percent-decoded
	value      string // raw
	begin, end int    // where the piece stands in the query
}

// find returns the first piece of query that carries one of the names.
func (n *names) find(query string) (p parameter, ok bool) {
	for piece, rest, more := nextPiece(query, true, true); more; piece, rest, more = nextPiece(rest, true, false) {
		if !n.has(piece) {
			continue
		}
		p.end = len(query)
		if rest != exhausted {
			p.end -= len(rest) + 1
		}
		p.begin = p.end - len(piece)
		p.name, p.value, _ = strings.Cut(piece, "=")
		p.name = unescape(p.name)
		return p, true
	}
	return parameter{}, false
}

func appendHeaderSafe(dst []byte, s string) []byte {
	const hexDigits = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == 0x7f {
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// unescape decodes %XX; what is no valid escape stays as it is. "+" is a character.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	return string(appendUnescaped(make([]byte, 0, len(s)), s))
}

func appendUnescaped(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if hi, lo := unhex(s[i+1]), unhex(s[i+2]); hi >= 0 && lo >= 0 {
				dst = append(dst, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		dst = append(dst, s[i])
	}
	return dst
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// appendEscaped percent-encodes everything outside A-Z a-z 0-9 - . _ ~, so that the
// result is the same in a path segment and in a query.
func appendEscaped(dst []byte, s string) []byte {
	const hexDigits = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return dst
}
