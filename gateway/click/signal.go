package click

import (
	"net/netip"
	"strings"
)

// Signal is a set of facts about a request that a verdict needs and that its other
// fields do not hold. The bits are stored: never renumber them.
type Signal uint32

const (
	Speculative Signal = 1 << iota // Sec-Purpose, Purpose, X-Purpose or X-Moz announce a prefetch, prerender or preview
	SecFetch                       // the browser sent Sec-Fetch-Mode or Sec-Fetch-Dest
	NotNavigate                    // Sec-Fetch-Mode is there and is not "navigate"
	NotDocument                    // Sec-Fetch-Dest is there and is not "document"
	Framed                         // Sec-Fetch-Dest is a frame, iframe, embed or object
	UserActed                      // Sec-Fetch-User: ?1
	AcceptGiven                    // Accept is there
	AcceptHTML                     // Accept names html, or takes anything
	PublicAddr                     // the address is a public one: equal addresses mean something
	OptOut                         // Sec-GPC: 1
	Returning                      // came with a valid cookie of ours
)

// Has says whether every bit of want is in s.
func (s Signal) Has(want Signal) bool { return s&want == want }

// Headers are the request headers that signals are read from; empty means absent.
type Headers struct {
	SecPurpose, Purpose, XPurpose, XMoz string
	FetchMode, FetchDest, FetchUser     string
	Accept, GPC                         string
}

// Signals reads the bits that headers and address give. A browser that sends no
// Sec-Fetch-* (old, or over plain http) is taken to navigate.
func (h Headers) Signals(addr netip.Addr) Signal {
	var s Signal
	for _, v := range [...]string{h.SecPurpose, h.Purpose, h.XPurpose, h.XMoz} {
		if v != "" && (containsFold(v, "prefetch") || containsFold(v, "preview") || containsFold(v, "prerender")) {
			s |= Speculative
		}
	}
	if h.FetchMode != "" || h.FetchDest != "" {
		s |= SecFetch
	}
	if h.FetchMode != "" && !strings.EqualFold(h.FetchMode, "navigate") {
		s |= NotNavigate
	}
	switch strings.ToLower(h.FetchDest) {
	case "", "document":
	case "frame", "iframe", "fencedframe", "embed", "object":
		s |= NotDocument | Framed
	default:
		s |= NotDocument
	}
	if h.FetchUser == "?1" {
		s |= UserActed
	}
	if h.Accept != "" {
		s |= AcceptGiven
		if containsFold(h.Accept, "html") || strings.Contains(h.Accept, "*/*") {
			s |= AcceptHTML
		}
	}
	if h.GPC == "1" {
		s |= OptOut
	}
	if addr.IsGlobalUnicast() && !addr.IsPrivate() {
		s |= PublicAddr
	}
	return s
}

// TopLevel says whether a page is being opened in a tab, as far as the headers tell. Only
// then may a cookie be set.
func (s Signal) TopLevel() bool { return s&(Speculative|NotNavigate|NotDocument) == 0 }

// containsFold is strings.Contains for an ASCII lower-case sub, without allocating.
func containsFold(s, sub string) bool {
	for i := 0; i+len(sub) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(sub)], sub) {
			return true
		}
	}
	return false
}
