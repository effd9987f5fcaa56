package main

import (
	"net/url"
	"strings"
)

// Values of [join] mode and approval.
const (
	joinPage       = "page"
	joinBuiltin    = "builtin"
	approvalManual = "manual"
	approvalAuto   = "auto"
)

// checkJoin reads how people take part, and reports whether the gateway has a form.
func (p *program) checkJoin(c *configCheck) (builtin bool) {
	builtin = c.oneOf("join.mode", p.Join.Mode, joinPage, joinBuiltin) == joinBuiltin
	c.oneOf("join.approval", p.Join.Approval, approvalManual, approvalAuto)
	if text := p.Join.TermsURL; text != "" {
		if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			c.wrong("join.terms_url", text, "an address such as \"https://carrot.com/affiliate-terms\"")
		}
	}
	for _, path := range []string{"/join", "/rejoin"} {
		if target, ok := p.Paths[path]; ok && builtin && target != strings.TrimPrefix(path, "/") {
			c.wrong("paths."+path, target, "left out: with [join] mode = \"builtin\" the gateway has a form there")
		}
	}
	return builtin
}
