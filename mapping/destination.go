package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Reasons why a destination may not be forwarded to; [Policy.CheckDestination] wraps one.
var (
	ErrUnsafe = errors.New("unsafe destination") // not http(s), a foreign host, blanks, user info
	ErrLoop   = errors.New("looping destination")

	// ErrForeign is the ErrUnsafe of an address whose only fault is its host.
	ErrForeign = fmt.Errorf("%w", ErrUnsafe)
)

// CheckDestination says whether the address may be forwarded to: http or https, a host
// that is exactly one of the allowed ones (with a port only when listed with it), no user
// info, no blank or control character, and not a host that leads back here or to Keap.
// The error wraps [ErrUnsafe] or [ErrLoop] and says what is wrong.
func (p *Policy) CheckDestination(raw string) error {
	host, err := destinationHost(raw)
	if err != nil {
		return err
	}
	if p.ServesHost(host) {
		return fmt.Errorf("%w: the host %s leads back to the old links", ErrLoop, host)
	}
	if !p.allowsHost(host) {
		return fmt.Errorf("%w: the host %s is not one of allowed_hosts", ErrForeign, host)
	}
	return nil
}

// destinationHost returns the host (in ASCII and lower case, with its port when there is one) of
// an absolute http(s) URL, and refuses every form that two readers could understand in two ways.
func destinationHost(raw string) (string, error) {
	for _, r := range raw {
		if unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar {
			return "", fmt.Errorf("%w: it holds a blank or a control character", ErrUnsafe)
		}
	}
	rest, ok := cutPrefixFold(raw, "https://")
	if !ok {
		if rest, ok = cutPrefixFold(raw, "http://"); !ok {
			return "", fmt.Errorf("%w: it is not an http or https address", ErrUnsafe)
		}
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	switch {
	case authority == "":
		return "", fmt.Errorf("%w: it has no host", ErrUnsafe)
	case strings.Contains(authority, "@"):
		return "", fmt.Errorf("%w: it holds user info before the host", ErrUnsafe)
	case strings.ContainsAny(authority, `\%`):
		return "", fmt.Errorf("%w: its host cannot be read for certain", ErrUnsafe)
	}
	return asciiHost(authority), nil
}

// ServesHost reports whether old links arrive at host: a legacy host, or one of Keap's
// own hosts of this tenant. Any case; a port and a final dot do not count.
func (p *Policy) ServesHost(host string) bool {
	host = hostname(host)
	if p.KeapApp != "" {
		app := strings.ToLower(p.KeapApp)
		if host == app+".infusionsoft.com" || host == app+".isrefer.com" {
			return true
		}
	}
	return slices.ContainsFunc(p.LegacyHosts, func(h string) bool { return hostname(h) == host })
}

func (p *Policy) allowsHost(host string) bool {
	host = asciiHost(host)
	if slices.ContainsFunc(p.AllowedHosts, func(h string) bool { return asciiHost(h) == host }) {
		return true
	}
	for _, page := range p.Pages.all() {
		if h, err := destinationHost(page.URL); err == nil && h == host {
			return true
		}
	}
	return false
}

type namedPage struct{ Name, URL string }

// all lists the pages under the names that [Pages.ByName] knows.
func (p *Pages) all() [6]namedPage {
	return [...]namedPage{
		{"landing", p.Landing}, {"login", p.Login}, {"join", p.Join},
		{"rejoin", p.Rejoin}, {"password_reset", p.PasswordReset}, {"guide", p.Guide},
	}
}

// CheckPages says whether every page is an address that may be answered.
func (p *Policy) CheckPages() error {
	for _, page := range p.Pages.all() {
		if page.URL == "" {
			return fmt.Errorf("page %s: it is not set", page.Name)
		}
		if p.IsOwnForm(page.Name, page.URL) {
			continue
		}
		if err := p.CheckDestination(page.URL); err != nil {
			return fmt.Errorf("page %s: %w", page.Name, err)
		}
	}
	return nil
}

// IsOwnForm reports whether the join or rejoin page is the gateway's own form: the only
// addresses that may lead back to a legacy host.
func (p *Policy) IsOwnForm(page, raw string) bool {
	if !p.BuiltinJoin || page != "join" && page != "rejoin" {
		return false
	}
	return slices.ContainsFunc(p.LegacyHosts, func(host string) bool {
		return raw == "https://"+host+"/join" || raw == "https://"+host+"/rejoin"
	})
}

// destination is a checked address, taken apart so that a location is put together
// from its own bytes.
type destination struct {
	head     string // everything before the query and the fragment
	query    string // what is left of its own query; empty when nothing is
	fragment string // with its "#"; empty when there is none
}

// cutDestination takes raw apart and removes the reserved parameters from its query.
func cutDestination(raw string, reserved *names) destination {
	var d destination
	rest := raw
	if i := strings.IndexByte(rest, '#'); i >= 0 {
		rest, d.fragment = rest[:i], rest[i:]
	}
	head, query, _ := strings.Cut(rest, "?")
	d.head = WithASCIIHost(head)
	if reserved.keepsAny(query, false) {
		d.query = string(reserved.appendKept(nil, query, false))
	}
	return d
}

// WithASCIIHost brings the host of an address to the form in which requests carry it: it goes into a
// header. All other bytes stay.
func WithASCIIHost(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	if !ok || isASCII(authority) {
		return address
	}
	return scheme + "://" + asciiHost(authority) + path
}

// ReservedIn lists the names in the query of a destination that are removed from it,
// because the new platform's script would read them as a promoter.
func (p *Policy) ReservedIn(destination string) []string {
	if i := strings.IndexByte(destination, '#'); i >= 0 {
		destination = destination[:i]
	}
	_, query, _ := strings.Cut(destination, "?")
	reserved := p.reserved()
	var found []string
	for piece, rest, more := nextPiece(query, false, true); more; piece, rest, more = nextPiece(rest, false, false) {
		if reserved.has(piece) {
			name, _, _ := strings.Cut(piece, "=")
			found = append(found, unescape(name))
		}
	}
	return found
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}
