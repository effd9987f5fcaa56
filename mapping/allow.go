package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNotAllowed says that a published map does what the configuration of whoever reads it does
// not allow.
var ErrNotAllowed = errors.New("the link map does what the configuration here does not allow")

// maxNotAllowed is how many things an error of [Policy.Allows] names.
const maxNotAllowed = 5

// Allows says whether p, the policy of the configuration at hand, allows what a published map
// does: it is of the same program, links arrive at hosts that p has, every redirect leads where p
// lets one lead, and parameters name a promoter only as they do in p. Dates, and what becomes of
// inactive partners, are the map's to say. The error wraps [ErrNotAllowed] and names each thing
// with the key of carryover.toml.
func (p *Policy) Allows(m *Map) error {
	b := p.newBounds()
	b.policy(&m.Policy)
	for i := range m.Links {
		b.destination(m.Links[i].Destination, "the link %q", m.Links[i].Code)
	}
	for i := range m.Paths {
		if _, isPage := p.Pages.ByName(m.Paths[i].Target); !isPage && !m.Paths[i].credits() {
			b.destination(m.Paths[i].Target, "[paths] %q", m.Paths[i].Path)
		}
	}
	return b.err()
}

// AllowsPolicy is the part of [Policy.Allows] that needs no tables: what fits here can fail there
// only for a destination that leads back to a host of p.
func (p *Policy) AllowsPolicy(of *Policy) error {
	b := p.newBounds()
	b.policy(of)
	return b.err()
}

// bounds collects what of a map is beyond a policy.
type bounds struct {
	own     *Policy
	allowed map[string]bool // hosts
	beyond  []string
	more    int
}

func (p *Policy) newBounds() *bounds {
	b := &bounds{own: p, allowed: map[string]bool{}}
	for _, host := range p.AllowedHosts {
		b.allowed[asciiHost(host)] = true
	}
	for _, page := range p.Pages.all() {
		if host, err := destinationHost(page.URL); err == nil {
			b.allowed[host] = true
		}
	}
	return b
}

func (b *bounds) add(format string, args ...any) {
	if len(b.beyond) == maxNotAllowed {
		b.more++
		return
	}
	b.beyond = append(b.beyond, fmt.Sprintf(format, args...))
}

func (b *bounds) err() error {
	if len(b.beyond) == 0 {
		return nil
	}
	text := strings.Join(b.beyond, "; ")
	if b.more > 0 {
		text += fmt.Sprintf("; and %d more", b.more)
	}
	return fmt.Errorf("%w: %s", ErrNotAllowed, text)
}

func (b *bounds) policy(p *Policy) {
	if p.Program != b.own.Program {
		b.add("it is of the program %q, not of %q", p.Program, b.own.Program)
	}
	if p.KeapApp != "" && !strings.EqualFold(p.KeapApp, b.own.KeapApp) {
		b.add("it serves the links of keap_app %q, not of %q", p.KeapApp, b.own.KeapApp)
	}
	for _, host := range p.LegacyHosts {
		if !b.own.ServesHost(host) {
			b.add("it serves the host %q, which is not among legacy_hosts", host)
		}
	}
	for _, host := range p.AllowedHosts {
		if !b.allowed[asciiHost(host)] {
			b.add("it may lead to the host %q, which is not among allowed_hosts", host)
		}
	}
	for _, page := range p.Pages.all() {
		if host, err := destinationHost(page.URL); err == nil && p.IsOwnForm(page.Name, page.URL) && b.own.ServesHost(host) {
			continue
		}
		b.destination(page.URL, "[pages] %s", page.Name)
	}
	b.parameter("token_param", p.TokenParam, b.own.TokenParam)
	b.parameter("sub_id_param", p.SubIDParam, b.own.SubIDParam)
	b.parameters("code_params", p.CodeParams, b.own.CodeParams)
	b.parameters("id_params", p.IDParams, b.own.IDParams)
	if p.RootCodes && !b.own.RootCodes {
		b.add("it takes every path for a code, and [links] root_codes is false")
	}
}

func (b *bounds) destination(raw, of string, name any) {
	host, err := destinationHost(raw)
	switch {
	case err != nil:
		b.add(of+" leads to %.100q: %v", name, raw, err)
	case b.own.ServesHost(host):
		b.add(of+" leads back to the old links, to %q", name, host)
	case !b.allowed[host]:
		b.add(of+" leads to %q, which is not among allowed_hosts", name, host)
	}
}

func (b *bounds) parameter(key, got, want string) {
	if got != want {
		b.add("it has [links] %s = %q, not %q", key, got, want)
	}
}

func (b *bounds) parameters(key string, got, want []string) {
	for _, name := range got {
		if !slices.Contains(want, name) {
			b.add("it reads a promoter from the parameter %q, which is not in [links] %s", name, key)
		}
	}
}
