package mapping

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind names one of the four tables of a published map.
type Kind uint8

// The tables, in the order in which a checksum reads them.
const (
	Links Kind = iota
	Partners
	IDs
	Paths
)

// Kinds lists the tables in order.
var Kinds = [...]Kind{Links, Partners, IDs, Paths}

var kindNames = [...]string{"links", "partners", "ids", "paths"}

// String returns the name under which a store keeps the table.
func (k Kind) String() string { return kindNames[k] }

// Entry is one fact of a map as a store keeps it: a key (code, Keap id in decimal,
// or path) and compact JSON. Links: {"to":URL}, partners: {"t":token,"s":status},
// both with an optional "u" (grace, Unix seconds); ids: "code"; paths: "target", or {"l":link,"c":code}
// of one that credits.
type Entry struct {
	Kind  Kind
	Key   string
	Value string
}

type linkValue struct {
	To    string `json:"to"`
	Until int64  `json:"u,omitempty"`
}

type creditValue struct {
	Link string `json:"l"`
	Code string `json:"c"`
}

type partnerValue struct {
	Token  string   `json:"t"`
	Status string   `json:"s"`
	Until  int64    `json:"u,omitempty"`
	Alias  []string `json:"a,omitempty"`
}

// Entries returns the content of m as entries, sorted by table and then by the bytes
// of the key. Two maps that mean the same give the same entries.
func (m *Map) Entries() []Entry {
	out := make([]Entry, 0, len(m.Links)+len(m.Partners)+len(m.IDs)+len(m.Paths))
	var buf []byte
	for _, l := range m.Links {
		buf = appendString(append(buf[:0], `{"to":`...), l.Destination)
		buf = append(appendUntil(buf, l.Until), '}')
		out = append(out, Entry{Links, l.Code, string(buf)})
	}
	for _, p := range m.Partners {
		buf = appendString(append(buf[:0], `{"t":`...), p.Token)
		buf = appendString(append(buf, `,"s":`...), p.Status.String())
		buf = appendUntil(buf, p.Until)
		for i, a := range p.AliasTokens {
			if i == 0 {
				buf = append(buf, `,"a":[`...)
			} else {
				buf = append(buf, ',')
			}
			buf = appendString(buf, a)
		}
		if len(p.AliasTokens) > 0 {
			buf = append(buf, ']')
		}
		buf = append(buf, '}')
		out = append(out, Entry{Partners, p.Code, string(buf)})
	}
	for _, id := range m.IDs {
		out = append(out, Entry{IDs, strconv.FormatInt(id.KeapID, 10), string(appendString(nil, id.Code))})
	}
	for _, p := range m.Paths {
		value := appendString(buf[:0], p.Target)
		if p.credits() {
			value = appendString(append(buf[:0], `{"l":`...), p.Link)
			value = append(appendString(append(value, `,"c":`...), p.Code), '}')
		}
		out = append(out, Entry{Paths, p.Path, string(value)})
	}
	SortEntries(out)
	return out
}

// SortEntries puts entries in the order that [Checksum] reads.
func SortEntries(entries []Entry) {
	// A million entries are sorted by eight bytes each, next to one another in memory;
	// the keys themselves are looked at only where those are equal.
	type item struct {
		prefix uint64 // table, then the first seven bytes of the key
		at     int
	}
	items := make([]item, len(entries))
	for i := range entries {
		p := uint64(entries[i].Kind) << 56
		for j := 0; j < len(entries[i].Key) && j < 7; j++ {
			p |= uint64(entries[i].Key[j]) << (48 - 8*j)
		}
		items[i] = item{p, i}
	}
	slices.SortFunc(items, func(a, b item) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return strings.Compare(entries[a.at].Key, entries[b.at].Key)
	})
	sorted := make([]Entry, len(entries))
	for i, it := range items {
		sorted[i] = entries[it.at]
	}
	copy(entries, sorted)
}

// Add appends what the stored entry e says to the right table of m.
func (m *Map) Add(e Entry) error {
	switch e.Kind {
	case Links:
		var v linkValue
		if err := json.Unmarshal([]byte(e.Value), &v); err != nil {
			return fmt.Errorf("link %q: %w", e.Key, err)
		}
		m.Links = append(m.Links, Link{Code: e.Key, Destination: v.To, Until: fromUnix(v.Until)})
	case Partners:
		p, ok := plainPartner(e.Key, e.Value)
		if !ok {
			var v partnerValue
			if err := json.Unmarshal([]byte(e.Value), &v); err != nil {
				return fmt.Errorf("partner %q: %w", e.Key, err)
			}
			status, err := ParseStatus(v.Status)
			if err != nil {
				return fmt.Errorf("partner %q: %w", e.Key, err)
			}
			p = Partner{Code: e.Key, Token: v.Token, Status: status, Until: fromUnix(v.Until), AliasTokens: v.Alias}
		}
		m.Partners = append(m.Partners, p)
	case IDs:
		id, err := strconv.ParseInt(e.Key, 10, 64)
		if err != nil {
			return fmt.Errorf("the Keap id %q: %w", e.Key, err)
		}
		code, err := parseString(e.Value)
		if err != nil {
			return fmt.Errorf("the Keap id %q: %w", e.Key, err)
		}
		m.IDs = append(m.IDs, ID{KeapID: id, Code: code})
	case Paths:
		p := Path{Path: e.Key}
		var err error
		if strings.HasPrefix(e.Value, "{") {
			var v creditValue
			err = json.Unmarshal([]byte(e.Value), &v)
			p.Link, p.Code = v.Link, v.Code
		} else {
			p.Target, err = parseString(e.Value)
		}
		if err != nil {
			return fmt.Errorf("path %q: %w", e.Key, err)
		}
		m.Paths = append(m.Paths, p)
	default:
		return fmt.Errorf("entry %q is of no known table (%d)", e.Key, e.Kind)
	}
	return nil
}

// plainPartner reads the common form {"t":"…","s":"…"} without a JSON decoder: a
// million partners are loaded at every start of a gateway.
func plainPartner(code, value string) (Partner, bool) {
	rest, ok := strings.CutPrefix(value, `{"t":"`)
	if !ok || strings.IndexByte(rest, '\\') >= 0 {
		return Partner{}, false
	}
	token, rest, ok := strings.Cut(rest, `","s":"`)
	if !ok {
		return Partner{}, false
	}
	name, ok := strings.CutSuffix(rest, `"}`)
	if !ok {
		return Partner{}, false
	}
	status, err := ParseStatus(name)
	return Partner{Code: code, Token: token, Status: status}, err == nil
}

// Checksum is the SHA-256, in hex, over the policy and the entries, which must be
// sorted as by [SortEntries]. Lengths are hashed too, so no two maps share a text.
func Checksum(policy Policy, entries []Entry) string {
	h := sha256.New()
	p, _ := json.Marshal(policy) // strings, bools and a time: cannot fail
	buf := appendSized(nil, string(p))
	for i := range entries {
		if len(buf) >= 1<<14 { // hashing piece by piece takes twice as long
			h.Write(buf)
			buf = buf[:0]
		}
		buf = append(buf, byte(entries[i].Kind))
		buf = appendSized(buf, entries[i].Key)
		buf = appendSized(buf, entries[i].Value)
	}
	h.Write(buf)
	return hex.EncodeToString(h.Sum(nil))
}

func appendSized(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendUntil(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	return strconv.AppendInt(append(dst, `,"u":`...), t.Unix(), 10)
}

func fromUnix(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}

// appendString appends s as a JSON string, leaving &, < and > as they are: the
// values are read by people in redis-cli too, and are full of query strings.
func appendString(dst []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

func parseString(value string) (string, error) {
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' && strings.IndexByte(value, '\\') < 0 {
		return value[1 : n-1], nil
	}
	var s string
	err := json.Unmarshal([]byte(value), &s)
	return s, err
}
