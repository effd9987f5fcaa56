package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// asciiNames maps a name as people write it to the form that requests carry: lower case, NFC,
// labels beyond ASCII as "xn--…" (UTS 46, not transitional, as browsers do). Underscores stay:
// hosts have them.
var asciiNames = idna.New(
	idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.CheckHyphens(false), idna.StrictDomainName(false))

// hosts checks hosts, with a port where one is given, and gives them in their ASCII form.
func (c *checker) hosts(key string, hosts []string) []string {
	out := make([]string, 0, len(hosts))
	for _, h := range hosts {
		ascii, err := asciiHost(h)
		switch {
		case strings.Contains(h, "*"):
			c.invalid(key, h, "one host in full, such as \"go.carrot.com\": no host is matched by a pattern, so name every one")
		case err != nil:
			c.invalid(key, h, "a host without a scheme or path, such as \"go.carrot.com\"")
		}
		out = append(out, ascii)
	}
	return out
}

// asciiHost is the ASCII form of a host, with its port when it has one. A final dot goes: a
// browser's Host header and an address without it mean the same.
func asciiHost(host string) (string, error) {
	name, port := host, ""
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name, port = host[:i], host[i:]
		if _, err := net.LookupPort("tcp", port[1:]); err != nil || strings.Trim(port[1:], "0123456789") != "" {
			return strings.ToLower(host), fmt.Errorf("%q is no port", port[1:])
		}
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return "[" + addr.String() + "]" + port, err
	}
	ascii, err := asciiNames.ToASCII(strings.TrimSuffix(name, "."))
	if err == nil && (ascii == "" || strings.Trim(ascii, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" ||
		strings.Contains("."+ascii+".", "..")) {
		err = fmt.Errorf("%q is no name of a host", name)
	}
	if err != nil {
		return strings.ToLower(host), err
	}
	return ascii + port, nil
}

// cookieDomain checks the domain of the gateway's cookie. Browsers refuse one under which
// strangers have hosts too, and on every host that it is no parent of.
func (c *checker) cookieDomain(f *file) string {
	const key = "gateway.cookie_domain"
	said := f.Gateway.CookieDomain
	if said == "" {
		return ""
	}
	domain, err := asciiHost(strings.TrimPrefix(said, ".")) // the dot that cookies once had
	_, notAddr := netip.ParseAddr(domain)
	suffix, _ := publicsuffix.PublicSuffix(domain)
	within := func(host string) bool {
		host, err := asciiHost(host)
		host, _, _ = strings.Cut(host, ":")
		return err == nil && (host == domain || strings.HasSuffix(host, "."+domain))
	}
	switch {
	case notAddr == nil || strings.HasPrefix(domain, "["):
		c.invalid(key, said, "a domain, such as \"carrot.com\": browsers take no cookie of a whole address")
	case err != nil || strings.Contains(domain, ":"):
		c.invalid(key, said, "a domain without a scheme, such as \"carrot.com\"")
	case !strings.Contains(domain, "."):
		c.invalid(key, said, "a domain of yours, such as \"carrot.com\": browsers take no cookie of a name without a dot")
	case suffix == domain:
		c.invalid(key, said, "a domain of yours, such as \"carrot.com\": strangers have hosts under this one (publicsuffix.org), "+
			"and browsers take no cookie of it")
	case !slices.ContainsFunc(f.LegacyHosts, within):
		c.invalid(key, said, "a parent of a host in legacy_hosts, or that host: no gateway of these is in it, and browsers would take no cookie")
	}
	return domain
}
