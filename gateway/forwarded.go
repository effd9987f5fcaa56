package gateway

import (
	"net/netip"
	"strings"
)

// clientAddr is the address of the visitor: that of remote, unless remote is a trusted
// proxy. Then the list of X-Forwarded-For is walked from its right end, where the nearest
// proxy wrote, to the first address that is not trusted; everything further left was
// written by the visitor and means nothing. An entry that is no address ends the walk at
// the last trusted proxy.
func clientAddr(remote netip.Addr, forwardedFor []string, trusted []netip.Prefix) netip.Addr {
	addr := remote.Unmap().WithZone("")
	for i := len(forwardedFor) - 1; i >= 0; i-- {
		rest := forwardedFor[i]
		for more := true; more; {
			if !isTrusted(addr, trusted) {
				return addr
			}
			var entry string
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				entry, rest = rest[comma+1:], rest[:comma]
			} else {
				entry, more = rest, false
			}
			next, ok := forwardedAddr(strings.Trim(entry, " \t"))
			if !ok {
				return addr
			}
			addr = next
		}
	}
	return addr
}

func isTrusted(addr netip.Addr, trusted []netip.Prefix) bool {
	for _, p := range trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// forwardedAddr reads one entry: an address, with a port where a proxy adds it.
func forwardedAddr(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		ap, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = ap.Addr()
	}
	return addr.Unmap().WithZone(""), true
}

// parsePrefix reads an address or a range.
func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}
