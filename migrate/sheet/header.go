package sheet

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// headerLines is how many physical lines are searched for the header.
const headerLines = 20

var delimiters = []struct {
	name string
	char byte
}{{"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}}

// header is where the header was found and what it says.
type header struct {
	line      int
	delimiter string
	char      byte
	match     *match
}

// findHeader looks at the start of the stream without moving on.
func findHeader(s *scanner, in Input, kinds []Kind, opt Options) (*header, error) {
	operatorHeaders := make(map[string]map[string]string, len(opt.Headers))
	for i := range kinds {
		name := kinds[i].Name
		operatorHeaders[name] = make(map[string]string, len(opt.Headers[name]))
		for h, field := range opt.Headers[name] {
			if kinds[i].field(field) < 0 {
				return nil, fmt.Errorf("header %q of %s: there is no field %q", h, name, field)
			}
			operatorHeaders[name][Key(h)] = field
		}
	}
	for !s.eof && s.end < s.limit+2 {
		if err := s.fill(); err != nil {
			return nil, err
		}
		if lines := countLines(s.buf[:s.end]); lines > 2*headerLines && s.end >= firstBuffer/2 {
			break
		}
	}
	window := s.buf[:s.end]
	if len(window) == 0 {
		return nil, fmt.Errorf("%s: %w", in.Path, ErrEmpty)
	}
	unknown := &UnknownKindError{Path: in.Path, Kind: in.Kind}
	start := 0
	for line := 1; line <= headerLines && start < len(window); line++ {
		if best := bestHeader(window[start:], s, in, kinds, operatorHeaders, unknown); best != nil {
			best.line = line
			return best, nil
		}
		n := bytes.IndexAny(window[start:], "\r\n")
		if n < 0 {
			if len(window)-start > s.limit && bytes.IndexByte(window, 0) < 0 {
				return nil, &LongRecordError{Path: in.Path, Line: line, Limit: s.limit, Headless: true}
			}
			break
		}
		start += n + 1
		if window[start-1] == '\r' && start < len(window) && window[start] == '\n' {
			start++
		}
	}
	return nil, unknown
}

// bestHeader reads the line at the start of w with each delimiter as each kind.
func bestHeader(w []byte, s *scanner, in Input, kinds []Kind, operatorHeaders map[string]map[string]string,
	unknown *UnknownKindError) *header {
	var best *header
	var bestScore [3]int
	var widest []string
	name := strings.ToLower(in.Path[strings.LastIndexByte(in.Path, '/')+1:])
	if w[0] == '\r' || w[0] == '\n' {
		return nil
	}
	for _, d := range delimiters {
		line := &scanner{path: s.path, delim: d.char, limit: s.limit, buf: w, end: len(w), eof: s.eof}
		n, _, found := line.parse()
		if !found || bytes.IndexByte(w[:n], 0) >= 0 {
			continue
		}
		line.rec.data = w[:n]
		cells := line.rec.strings()
		keys := headerKeys(cells)
		secret := map[*SecretHeaders][]bool{} // most kinds have the same
		for i := range kinds {
			of := kinds[i].SecretHeaders
			if secret[of] == nil {
				secret[of] = of.columns(cells)
			}
			m := matchKind(&kinds[i], keys, secret[of], operatorHeaders[kinds[i].Name])
			if !m.complete(in.Kind != "") {
				if in.Kind != "" && (len(unknown.Missing) == 0 || len(m.missing()) < len(unknown.Missing)) {
					unknown.Missing = m.missing()
				}
				continue
			}
			if score := m.score(name); best == nil || slices.Compare(score[:], bestScore[:]) > 0 {
				best, bestScore = &header{delimiter: d.name, char: d.char, match: m}, score
			}
		}
		if len(cells) > len(widest) {
			widest = cells
		}
	}
	if !unknown.seen && len(widest) > 1 {
		unknown.seen = true
		if looksLikeHeader(widest) {
			unknown.Headers = firstHeaders(widest)
		}
	}
	return best
}

// looksLikeHeader keeps the cells of a file without a header out of messages.
func looksLikeHeader(cells []string) bool {
	for _, c := range cells {
		if strings.ContainsAny(c, "@\x00") || strings.Trim(c, "0123456789./:-$ ") == "" && c != "" || len(c) > 100 {
			return false
		}
	}
	return Key(strings.Join(cells, "")) != ""
}

func firstHeaders(cells []string) []string {
	out := []string{}
	for _, c := range cells {
		if c = Clean(strings.ToValidUTF8(c, "\ufffd")); c != "" {
			out = append(out, c)
		}
		if len(out) == 30 {
			return append(out, "…")
		}
	}
	return out
}

func headerKeys(cells []string) []string {
	keys := make([]string, len(cells))
	for i, c := range cells {
		keys[i] = Key(c)
	}
	return keys
}
