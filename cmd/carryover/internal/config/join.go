package config

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"carryover/mapping"
	"carryover/mapping/terms"
)

// Values of [join] mode and approval.
const (
	joinPage       = "page"
	joinBuiltin    = "builtin"
	approvalManual = "manual"
	approvalAuto   = "auto"
)

// join reads how people take part, and reports whether the gateway has a form.
func (c *checker) join(f *file) (builtin bool) {
	builtin = c.oneOf("join.mode", f.Join.Mode, joinPage, joinBuiltin) == joinBuiltin
	c.oneOf("join.approval", f.Join.Approval, approvalManual, approvalAuto)
	if text := f.Join.TermsURL; text != "" {
		c.webAddress("join.terms_url", text, "https://carrot.com/affiliate-terms")
	}
	for _, name := range f.Join.Reserved {
		if terms.Skeleton(name) == "" {
			c.invalid("join.reserved", name, "a name such as \"Carrot Academy\": it needs a letter or a digit")
		}
	}
	for _, path := range []string{"/join", "/rejoin"} {
		if target, ok := f.Paths[path]; ok && builtin && target != any(strings.TrimPrefix(path, "/")) {
			c.invalid("paths."+path, target, "left out: with [join] mode = \"builtin\" the gateway has a form there")
		}
	}
	return builtin
}

// roles are whole names that nobody is called, and that would be taken for the program's.
var roles = []string{
	"abuse", "admin", "administrator", "affiliate", "affiliates", "api", "billing", "help", "helpdesk", "info", "join", "login", "official",
	"partner", "partners", "payout", "payouts", "postmaster", "rejoin", "security", "staff", "support", "system", "team", "webmaster",
}

// reservedNames are the names about which a person decides who applies with them: the program's
// and those of the configuration, in any other name, the names of its hosts, and what stands
// before these as a whole name. Nobody has an address of the program's own domains without a
// person either.
func reservedNames(policy *mapping.Policy, configured []string) *terms.ReservedNames {
	brands, words, domains := append([]string{policy.Program}, configured...), slices.Clone(roles), []string(nil)
	hosts := slices.Concat([]string{policy.KeapApp + ".infusionsoft.com", policy.KeapApp + ".isrefer.com"},
		policy.LegacyHosts, policy.AllowedHosts)
	p := &policy.Pages
	for _, page := range []string{p.Landing, p.Login, p.Join, p.Rejoin, p.PasswordReset, p.Guide} {
		if u, err := url.Parse(page); err == nil {
			hosts = append(hosts, u.Hostname())
		}
	}
	for _, host := range hosts {
		host, _, _ = strings.Cut(host, ":")
		if _, err := netip.ParseAddr(host); err == nil || host == "" {
			continue
		}
		suffix, _ := publicsuffix.PublicSuffix(host)
		if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
			domains = append(domains, domain)
		}
		if name, err := asciiNames.ToUnicode(strings.TrimSuffix(strings.TrimSuffix(host, suffix), ".")); err == nil {
			labels := strings.Split(name, ".")
			brands = append(brands, labels[len(labels)-1])
			words = append(words, labels[:len(labels)-1]...)
		}
	}
	return terms.NewReservedNames(brands, words, domains)
}
