package gateway

import (
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"carryover/gateway/click"
)

// cookieAge is the longest that browsers keep a cookie; each visit begins it anew.
const cookieAge = 400 * 24 * time.Hour

// maxCookieDomains bounds how many parent domains of a host a cookie is cleared for.
const maxCookieDomains = 8

// clickCookie reads and writes the cookie of a visitor's last credited click.
type clickCookie struct {
	keys   *click.Keyring
	domain string // cookie_domain; empty: the host's alone
	tail   string // what follows the value of a cookie of the host alone
	wide   string // the same of one of the whole domain
}

func newClickCookie(keys *click.Keyring, domain string) clickCookie {
	domain = strings.ToLower(strings.TrimPrefix(domain, "."))
	return clickCookie{keys: keys, domain: domain, tail: cookieTail(cookieAge, ""), wide: cookieTail(cookieAge, domain)}
}

// cookieTail is what follows a cookie's value. Empty domain: the cookie is the host's alone.
func cookieTail(age time.Duration, domain string) string {
	tail := "; Max-Age=" + strconv.Itoa(int(age/time.Second)) + "; Path=/"
	if domain != "" {
		tail += "; Domain=" + domain
	}
	return tail + "; HttpOnly; Secure; SameSite=Lax"
}

// newest is the newest valid mark of all cookies of our name; several says that more than one
// came, valid or not. A browser holds one for the host and one for each parent domain, and sends
// the one that it got first foremost (RFC 6265, section 5.4): the order tells nothing about
// which click was the last.
func (c *clickCookie) newest(h *fasthttp.RequestHeader) (mark click.Mark, several bool) {
	n := 0
	for name, value := range h.Cookies() {
		if string(name) != click.CookieName {
			continue
		}
		n++ // an empty one too: sent first, it is what a site would take for the mark
		if m, ok := c.keys.Verify(view(value)); ok && (mark.Token == "" || !mark.NewerThan(m.Visit)) {
			mark = m
		}
	}
	return mark, n > 1
}

// set gives the browser mark for another 400 days. Where several cookies came, those of other
// domains than the one that is written are cleared: the next request brings one.
func (c *clickCookie) set(ctx *fasthttp.RequestCtx, mark click.Mark, several bool) {
	value := c.keys.Sign(mark)
	if value == "" {
		return
	}
	host := hostWithoutPort(view(ctx.Request.Header.Host()))
	domain, tail := "", c.tail
	if isWithin(host, c.domain) { // a browser refuses a cookie of a domain that the host is not in
		domain, tail = c.domain, c.wide
	}
	if several {
		clearOthers(ctx, host, domain)
	}
	b := make([]byte, 0, 640)
	b = append(append(append(b, click.CookieName...), '='), value...)
	ctx.Response.Header.SetCanonical(headerSetCookie, append(b, tail...))
}

// clearOthers ends the cookies that host may have got from another setting of cookie_domain: its
// own, and those of its parents, except that of domain. They go before the one that is set:
// where a browser takes two of them for one cookie, the last holds.
func clearOthers(ctx *fasthttp.RequestCtx, host, domain string) {
	remove := func(of string) {
		line := click.CookieName + "=" + cookieTail(0, of)
		ctx.Response.Header.SetCanonical(headerSetCookie, []byte(line))
	}
	if domain != "" {
		remove("")
	}
	parent := strings.ToLower(host)
	for range maxCookieDomains {
		if !strings.Contains(parent, ".") || !isHostname(parent) {
			return
		}
		if parent != domain {
			remove(parent)
		}
		_, parent, _ = strings.Cut(parent, ".")
	}
}

// hostWithoutPort takes a port and a final dot from a Host header.
func hostWithoutPort(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	return strings.TrimSuffix(host, ".")
}

// isWithin reports whether a cookie of domain, lower case, belongs to host: they are equal, or it
// is a parent.
func isWithin(host, domain string) bool {
	n := len(host) - len(domain)
	return domain != "" && n >= 0 && strings.EqualFold(host[n:], domain) && (n == 0 || host[n-1] == '.')
}

// isHostname reports whether host is letters, digits, dots and hyphens, and not a number as
// addresses end with: fit for the Domain of a cookie.
func isHostname(host string) bool {
	if last := host[len(host)-1]; last >= '0' && last <= '9' {
		return false
	}
	return strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}
