package track

import (
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
)

// address reads the network address of a customer as programs come by one: alone or with a port,
// in brackets, or as the list that proxies write, of which the first that can be one is the
// customer's; see [customerAddress]. Others are warned of.
func (r *reader) address(name string) netip.Addr {
	v, ok := r.lookup(name)
	if !ok {
		return netip.Addr{}
	}
	list := []string{v.text}
	if v.typ == compositeValue && json.Unmarshal([]byte(v.text), &list) != nil || v.typ == boolValue || v.typ == numberValue {
		r.fail(name, "must be an IP address")
		return netip.Addr{}
	}
	understood := false
	for _, text := range list {
		for _, part := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(",; \t\r\n", c) }) {
			addr, ok := parseAddress(part)
			if addr = customerAddress(addr); addr.IsValid() {
				return addr
			}
			understood = understood || ok
		}
	}
	if understood {
		r.fail(name, "must be the customer's own public address: one of a private network is anybody's")
	} else {
		r.fail(name, "must be an IP address")
	}
	return netip.Addr{}
}

// parseAddress reads one address: 192.0.2.7, 192.0.2.7:80, ::1, [::1]:80, for="[::1]".
func parseAddress(text string) (netip.Addr, bool) {
	if rest, ok := cutFold(text, "for="); ok {
		text = rest
	}
	text = strings.Trim(text, `"'`)
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	return addr, true
}

// promoterID reads the id of a promoter: that of the book, as answers name it, or "keap-" and the
// Keap id of one of its partners, as FirstPromoter knows promoters that were moved there.
func (r *reader) promoterID(name string) string {
	text := r.text(name, maxText)
	digits, _ := cutFold(text, keapPrefix)
	if n, err := strconv.ParseInt(digits, 10, 64); text != "" && (err != nil || n == 0) {
		r.fail(name, "must be the id of a promoter, such as 7")
		return ""
	}
	return text
}

// keapPrefix is before the Keap id of a partner.
const keapPrefix = "keap-"
