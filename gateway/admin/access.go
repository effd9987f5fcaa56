package admin

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// accessGuard lets in only what asks for this listener by a name of its own, and no other
// site's page. Whoever can connect to a listener on the loopback may be a browser that an
// attacker's page drives: over a name that the attacker leads to 127.0.0.1 (DNS rebinding), or
// over a request across sites. The first gives its own name as Host; the second says so in
// Sec-Fetch-Site (https://www.w3.org/TR/fetch-metadata/).
//
// /livez tells nothing and is open to every prober.
func accessGuard(listen string, hosts []string) fiber.Handler {
	names := []string{"localhost"}
	if name, err := os.Hostname(); err == nil {
		names = append(names, strings.ToLower(name))
	}
	names = append(names, hostName(listen))
	for _, host := range hosts {
		names = append(names, hostName(host))
	}
	return func(c *fiber.Ctx) error {
		if c.Path() == "/livez" {
			return c.Next()
		}
		if m := c.Method(); m != fiber.MethodGet && m != fiber.MethodHead {
			return fiber.ErrMethodNotAllowed
		}
		if host := hostName(string(c.Context().Request.Header.Host())); !isAddress(host) && !slices.Contains(names, host) {
			return refuse(c, fiber.StatusMisdirectedRequest,
				"This listener does not answer to that name. Ask for it by its address or as localhost, or add the name to [gateway] admin_hosts.")
		}
		switch site := c.Get("Sec-Fetch-Site"); site {
		case "", "none", "same-origin":
			return c.Next()
		}
		// A person who follows a link in a chat or a dashboard to the page itself.
		if c.Path() == "/" && c.Get("Sec-Fetch-Mode") == "navigate" && c.Get("Sec-Fetch-Dest") == "document" {
			return c.Next()
		}
		return refuse(c, fiber.StatusForbidden, "Pages of other sites cannot ask this listener. Type its address into the browser.")
	}
}

func refuse(c *fiber.Ctx, status int, text string) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Status(status).SendString(text + "\n")
}

// hostName is a Host header's name, or an address's, in lower case without port and final dot.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
}

// isAddress reports whether a name is an IP address: nobody leads one elsewhere. HTTP/1.0 asks
// without a name, as no browser does.
func isAddress(name string) bool {
	_, err := netip.ParseAddr(name)
	return name == "" || err == nil
}
