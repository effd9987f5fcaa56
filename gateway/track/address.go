package track

import (
	"net/netip"
	"sync"
)

// aboutNobody are ranges whose addresses are the same for many people, or of machines of the
// program's own network, and so say nothing about one customer. Sources: the IANA registries
// of special-purpose addresses (RFC 6890 and its updates). The ranges for documentation are
// not among them: nobody is there.
var aboutNobody = func() (list []netip.Prefix) {
	for _, text := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16",
		"198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
		"::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "2001::/32", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
	} {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}()

// embeddedIPv4 are the ranges of IPv6 in which an address is one of IPv4 in another form, and
// the byte at which that begins: IPv4-compatible, NAT64 (RFC 6052) and 6to4 (RFC 3056).
var embeddedIPv4 = []struct {
	netip.Prefix
	at int
}{
	{netip.MustParsePrefix("::/96"), 12},
	{netip.MustParsePrefix("64:ff9b::/96"), 12},
	{netip.MustParsePrefix("2002::/16"), 2},
}

// plainAddress is an address in its shortest form: without a zone, of IPv4 wherever it is one.
func plainAddress(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if !addr.Is6() || addr == netip.IPv6Unspecified() || addr == netip.IPv6Unspecified().Next() {
		return addr
	}
	for _, e := range embeddedIPv4 {
		if e.Contains(addr) {
			raw := addr.As16()
			return netip.AddrFrom4([4]byte(raw[e.at : e.at+4]))
		}
	}
	return addr
}

// customerAddress is addr in its shortest form if it says something about a customer, else
// the zero Addr.
func customerAddress(addr netip.Addr) netip.Addr {
	if addr = plainAddress(addr); !addr.IsValid() {
		return addr
	}
	for _, p := range aboutNobody {
		if p.Contains(addr) {
			return netip.Addr{}
		}
	}
	return addr
}

// maxCallers bounds the machines of a billing system that are remembered.
const maxCallers = 4096

// callers are the machines that have called the API with a valid key since the start. Their
// addresses, told as a customer's, say nothing: clients of the API send that of the machine
// they run on (FirstPromoter's own for Node does), and one machine may tell what another
// took in. Safe for concurrent use.
type callers struct {
	mu   sync.RWMutex
	seen map[netip.Addr]bool // by callerKey
}

// callerKey is what one machine has in common with itself: its address, of IPv6 its network.
func callerKey(addr netip.Addr) netip.Addr {
	if addr = plainAddress(addr); addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return addr
}

func (c *callers) add(addr netip.Addr) {
	key := callerKey(addr)
	if !key.IsValid() || c.has(addr) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[netip.Addr]bool{}
	}
	if len(c.seen) < maxCallers {
		c.seen[key] = true
	}
}

func (c *callers) has(addr netip.Addr) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.seen[callerKey(addr)]
}
