package gateway

import (
	"net"
	"net/netip"
	"strings"

	"github.com/valyala/fasthttp"
)

// trustedProxies are the ranges of addresses whose X-Forwarded-For is believed.
type trustedProxies []netip.Prefix

// visitorAddr is the address of whom a request is from; the zero Addr: nobody knows.
func (p trustedProxies) visitorAddr(ctx *fasthttp.RequestCtx) netip.Addr {
	tcp, ok := ctx.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	remote := tcp.AddrPort().Addr().Unmap()
	if !p.trust(remote) {
		return remote
	}
	var lists []string
	for _, value := range ctx.Request.Header.PeekAll("X-Forwarded-For") {
		lists = append(lists, view(value))
	}
	return p.clientAddr(remote, lists)
}

// clientAddr is the address of the visitor: that of remote, unless remote is a trusted
// proxy. Then the list of X-Forwarded-For is walked from its right end, where the nearest
// proxy wrote, to the first address that is not trusted; everything further left was
// written by the visitor and means nothing. An entry that is no address ends the walk at
// the last trusted proxy.
func (p trustedProxies) clientAddr(remote netip.Addr, forwardedFor []string) netip.Addr {
	addr := remote.Unmap().WithZone("")
	for i := len(forwardedFor) - 1; i >= 0; i-- {
		rest := forwardedFor[i]
		for more := true; more; {
			if !p.trust(addr) {
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

func (p trustedProxies) trust(addr netip.Addr) bool {
	for _, proxies := range p {
		if proxies.Contains(addr) {
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
